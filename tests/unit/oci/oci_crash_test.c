/* Node B between reserving frame counters and using them: it seals frames with its real core over its real store in a process that is killed, again
 * and again, and no counter is ever on the air twice, neither of one device's key nor of one that two share. The pipe to the parent is the air: what is in it
 * was sent, the rest died with the process. */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/sealed.h"
#include "oci/oci_store.h"
#include "zigbee/security/nwk_security.h"

#define ROUNDS 60
#define OTHER 0x00124b0000000002ULL /* the second member */
#define BLOCK 1024 /* of oci_core.c; the test needs to know only how many frames cross a block's end */

enum death {
	RESERVED_NOT_USED,   /* in the n-th reservation: it is on disk, and none of its numbers is used */
	BEFORE_RESERVATION,  /* asked to reserve; nothing was done yet */
	IN_MID_BLOCK,        /* after the n-th frame, by its own hand */
	ANY_TIME,            /* by the parent, once it has seen n frames */
	COMMIT_BEFORE_WRITE, /* in the n-th write to disk that reservations make: nothing of it is written */
	COMMIT_TORN_WRITE,   /* half of it is */
	COMMIT_AFTER_WRITE,  /* it is, and nothing behind it */
	DEATHS
};

enum mutation {
	SOUND,
	SAYS_IT_IS_STORED, /* answers OK and has not stored it */
	STORES_AFTERWARDS, /* gives the numbers out and stores their limit with the next save */
};

struct life {
	struct oci_store *store;
	enum death death;
	enum mutation mutation;
	unsigned after; /* reservations, frames or writes until it dies */
	uint32_t reserved;
	struct oci_device late;
	bool any_late;
};

static char dir[64];
static struct rng rng;
static struct secret *key;
static struct life life; /* of the child; the system call below has no context */
static bool reserving;
static uint64_t members[] = {RIG_DEVICE, OTHER};
static size_t member_count; /* of one network */

static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static void die(void)
{
	raise(SIGKILL);
}

/* ---- a disk whose writer can be killed in the middle ---- */

/* In place of pwrite in SQLite, while a reservation is on its way to disk. */
static ssize_t dying_write(int fd, const void *octets, size_t len, off_t offset)
{
	bool mine = reserving && life.death >= COMMIT_BEFORE_WRITE && --life.after == 0;

	if (mine && life.death == COMMIT_BEFORE_WRITE)
		die();
	if (mine && life.death == COMMIT_TORN_WRITE)
		len /= 2;
	{
		ssize_t n = pwrite(fd, octets, len, offset);

		if (mine)
			die();
		return n;
	}
}

static void disk_can_die(void)
{
	static const char *const names[] = {"pwrite", "pwrite64"};
	sqlite3_vfs *vfs;

	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)dying_write), SQLITE_OK);
}

/* ---- the child: node B ---- */

static enum err save(void *ctx, const struct oci_device *d)
{
	struct life *l = ctx;
	bool reservation = d->present.network->out_reserved != l->reserved;
	bool last = reservation && l->death <= BEFORE_RESERVATION && --l->after == 0;
	enum err e;

	if (last && l->death == BEFORE_RESERVATION)
		die();
	if (reservation && l->mutation == SAYS_IT_IS_STORED)
		return OK;
	if (reservation && l->mutation == STORES_AFTERWARDS) {
		l->late = *d;
		l->any_late = true;
		l->reserved = d->present.network->out_reserved;
		return OK;
	}
	reserving = reservation;
	e = oci_store_save(l->store, d);
	reserving = false;
	if (e == OK)
		l->reserved = d->present.network->out_reserved;
	if (last)
		die();
	return e;
}

static void restore(void *ctx, const struct oci_device *d)
{
	struct oci_core *core = ctx;

	life.reserved = d->present.network->out_reserved;
	if (!oci_core_restore(core, 0, d))
		_exit(3);
}

/* On the air: one write, so that the parent sees whole frames. */
static void transmit(int air, const struct oci_effect *e)
{
	uint8_t record[1 + NWK_FRAME_MAX];
	struct wr w = wr_of(record, sizeof record);

	wr_u8(&w, (uint8_t)e->len);
	wr_copy(&w, e->octets, e->len);
	if (write(air, w.octets, w.len) != (ssize_t)w.len)
		_exit(4);
}

/* Never returns. Every frame asks for nothing: an APS acknowledgement, so that no time passes. */
static void live(int air)
{
	struct rng own = rng_system();
	const struct oci_core_config config = {&own, true, rig_descriptions(), save, &life, 0, false, 0};
	struct oci_core *core = oci_core_new(&config);
	struct oci_effect e;
	unsigned sent = 0;

	if (oci_store_open(dir, in_dir("key"), &life.store) != OK || oci_store_each(life.store, restore, core) != OK ||
	    !oci_core_device(core, members[member_count - 1]))
		_exit(2);
	for (;;) {
		oci_core_aps(core, 0, members[sent % member_count], rd_of(NULL, 0), true, (uint8_t)sent);
		while (oci_core_output(core, &e)) {
			if (e.type != OCI_DOWNLINK)
				continue;
			transmit(air, &e);
			if (++sent == life.after && life.death == IN_MID_BLOCK)
				die();
			if (life.any_late && sent % 7 == 0) {
				(void)!oci_store_save(life.store, &life.late);
				life.any_late = false;
			}
		}
	}
}

/* ---- the parent: the air ---- */

struct air {
	uint64_t frames, repeats;
	bool any;
	uint32_t last;
};

static bool read_whole(int fd, uint8_t *to, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t got = read(fd, to + n, len - n);

		if (got == 0)
			return false;
		if (got < 0 && errno != EINTR)
			fail_msg("the pipe cannot be read");
		n += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* A frame is genuine, and its counter is above all before it. */
static void listen_to(struct air *a, struct rd octets)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;

	assert_int_equal(nwk_frame_decode(octets, &f), OK);
	assert_int_equal(nwk_open(key, &f, &aux, plain, &payload), OK);
	assert_true(aux.source == RIG_GATEWAY);
	if (a->any && aux.frame_counter <= a->last)
		a->repeats++;
	a->any = true;
	a->last = aux.frame_counter;
	a->frames++;
}

static void one_life(struct air *a, enum death death, unsigned after, enum mutation mutation)
{
	uint8_t len, octets[NWK_FRAME_MAX];
	unsigned seen = 0;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		life = (struct life){.death = death, .after = after, .mutation = mutation};
		if (death >= COMMIT_BEFORE_WRITE)
			disk_can_die();
		live(pipes[1]);
	}
	close(pipes[1]);
	while (read_whole(pipes[0], &len, 1)) {
		assert_true(len > 0 && len <= sizeof octets);
		assert_true(read_whole(pipes[0], octets, len));
		listen_to(a, rd_of(octets, len));
		if (++seen == after && death == ANY_TIME)
			kill(pid, SIGKILL); /* it goes on sending until that arrives: wherever it is then */
	}
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* How far each kind of death lets it come. */
static unsigned moment(enum death death, unsigned turn, struct rng *r)
{
	switch (death) {
	case RESERVED_NOT_USED:
	case BEFORE_RESERVATION:
		return 1 + turn % 3; /* at its first breath, and after one or two whole blocks */
	case IN_MID_BLOCK:
		return turn == 0 ? 1 : turn == 1 ? BLOCK : turn == 2 ? BLOCK + 1 : 1 + rng_below(r, 2 * BLOCK);
	case ANY_TIME:
		return 1 + rng_below(r, 2 * BLOCK);
	case COMMIT_BEFORE_WRITE:
	case COMMIT_TORN_WRITE:
	case COMMIT_AFTER_WRITE:
		return 1 + turn; /* every write of a commit in turn, then of the next reservation's */
	case DEATHS:
		break;
	}
	return 1;
}

static void rounds(struct air *a, unsigned count, enum mutation mutation)
{
	struct rng r = rng_seeded(23);

	memset(a, 0, sizeof *a);
	for (unsigned round = 0; round < count; round++) {
		enum death death = (enum death)(round % DEATHS);

		if (mutation != SOUND) /* where that shows: its own store does nothing to die in */
			death = round % 2 ? IN_MID_BLOCK : ANY_TIME;
		one_life(a, death, moment(death, round / DEATHS, &r), mutation);
	}
}

static enum err member_store(struct oci_store *s, uint64_t eui64, uint16_t short_address)
{
	struct oci_device d = {.eui64 = eui64, .gateway = RIG_GATEWAY, .short_address = short_address, .joined = true, .interview = OCI_INTERVIEW_DONE};
	char name[EUI64_SIZE];
	enum err e;

	eui64_print(name, eui64);
	d.present.generation = 1;
	d.present.network = member_count > 1 ? oci_network_new(OCI_POLICY_GROUP, "pumps", 1, 0, secret_dup(key), 0) :
					       oci_network_new(OCI_POLICY_DEVICE, name, 1, 0, secret_dup(key), 0);
	e = oci_store_save(s, &d);
	oci_network_free(d.present.network);
	return e;
}

static int setup(void **state)
{
	struct oci_store *s;
	enum err e = OK;

	(void)state;
	strcpy(dir, "/tmp/keyway-oci-crash-XXXXXX");
	rng = rng_system();
	if (!mkdtemp(dir) || key_file_create(in_dir("key"), &rng) != OK || oci_store_open(dir, in_dir("key"), &s) != OK)
		return -1;
	key = secret_random(&rng, SECRET_AES128);
	member_count = member_count ? member_count : 1;
	for (size_t i = 0; e == OK && i < member_count; i++)
		e = member_store(s, members[i], (uint16_t)(RIG_SHORT + i));
	oci_store_close(s);
	return e == OK ? 0 : -1;
}

static int setup_two(void **state)
{
	member_count = 2;
	return setup(state);
}

static int teardown(void **state)
{
	static const char *const names[] = {"oci.db", "oci.db-wal", "oci.db-shm", "key"};

	(void)state;
	secret_free(key);
	member_count = 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

static void a_killed_node_repeats_no_frame_counter(void **state)
{
	struct air a;

	(void)state;
	rounds(&a, ROUNDS, SOUND);
	assert_true(a.frames > 10 * BLOCK); /* it did get to talk in between */
	assert_true(a.repeats == 0);
}

/* The twins: the same rounds find the repeats of a node whose reservations are not on disk before they are used. */
static void the_same_rounds_notice_a_reservation_that_is_not_stored(void **state)
{
	struct air a;

	(void)state;
	rounds(&a, 6, SAYS_IT_IS_STORED);
	assert_true(a.frames > 0);
	assert_true(a.repeats > 0);
}

static void the_same_rounds_notice_a_reservation_that_is_stored_after_use(void **state)
{
	struct air a;

	(void)state;
	/* it is right nearly always: only a death within the first frames of a block shows it */
	memset(&a, 0, sizeof a);
	for (unsigned after = 1; after <= 6; after++)
		one_life(&a, IN_MID_BLOCK, after, STORES_AFTERWARDS);
	assert_true(a.repeats > 0);
}

/* ---- the other direction ---- */

struct incoming {
	int air;
	struct oci_core *core;
};

static void restore_into(void *ctx, const struct oci_device *d)
{
	struct incoming *i = ctx;

	if (!oci_core_restore(i->core, 0, d))
		_exit(3);
}

/* Takes the frame, tells whether it had an effect, and is killed at once. */
static void take(int air, struct rd frame)
{
	struct rng own = rng_system();
	struct incoming i = {.air = air};
	struct oci_core_config config = {&own, true, rig_descriptions(), oci_store_save, NULL, 0, false, 0};
	struct oci_store *s;
	enum err e;
	uint8_t answer;

	if (oci_store_open(dir, in_dir("key"), &s) != OK)
		_exit(2);
	config.save_ctx = s;
	i.core = oci_core_new(&config);
	if (!i.core || oci_store_each(s, restore_into, &i) != OK)
		_exit(2);
	e = oci_core_uplink(i.core, 0, RIG_DEVICE, frame);
	answer = (uint8_t)e;
	if (write(air, &answer, 1) != 1)
		_exit(4);
	die();
}

static uint8_t taken(struct rd frame)
{
	int pipes[2], status;
	uint8_t answer;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		take(pipes[1], frame);
	close(pipes[1]);
	assert_true(read_whole(pipes[0], &answer, 1));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return answer;
}

static void a_killed_node_takes_no_frame_twice(void **state)
{
	const struct nwk_frame f = {.type = NWK_DATA, .protocol_version = 2, .source = RIG_SHORT, .radius = 30, .payload = rd_of("x", 1)};
	uint8_t octets[2][NWK_FRAME_MAX];
	struct wr w[2];

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		for (uint32_t k = 0; k < 2; k++) {
			w[k] = wr_of(octets[k], NWK_FRAME_MAX);
			assert_int_equal(nwk_seal(key, 0, RIG_DEVICE, 2 * i + k, &f, &w[k]), OK);
		}
		assert_int_equal(taken(rd_of(w[1].octets, w[1].len)), OK);
		assert_int_equal(taken(rd_of(w[1].octets, w[1].len)), ERR_REPLAY);
		assert_int_equal(taken(rd_of(w[0].octets, w[0].len)), ERR_REPLAY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_killed_node_repeats_no_frame_counter, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_node_repeats_no_frame_counter, setup_two, teardown),
		cmocka_unit_test_setup_teardown(the_same_rounds_notice_a_reservation_that_is_not_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_rounds_notice_a_reservation_that_is_not_stored, setup_two, teardown),
		cmocka_unit_test_setup_teardown(the_same_rounds_notice_a_reservation_that_is_stored_after_use, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_node_takes_no_frame_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
