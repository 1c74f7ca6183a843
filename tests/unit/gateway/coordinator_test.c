/* The PAN coordinator's MAC service in simulated time: beacons, association, addresses, the indirect queue, and what strangers cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/children_file.h"
#include "gateway/coordinator.h"
#include "zigbee/beacon.h"
#include "zigbee/nwk_frame.h"

#define OURS 0x0200000000000001ULL
#define PAN 0x1a62
#define EXTENDED_PAN 0xf4ce368fce29a410ULL
#define DEVICE 0x00124b0000000001ULL
#define OTHER 0x00124b0000000002ULL
#define SLEEPS 0x80
#define LISTENS 0x8e
#define EFFECTS 1100

static struct coordinator *co;
static struct rng rng;
static uint64_t now;
static struct coordinator_effect effects[EFFECTS];
static size_t count;
static uint8_t sequence;

static const struct coordinator_config config = {OURS, PAN, EXTENDED_PAN, 15};

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded(3);
	co = coordinator_new(&config, &rng);
	now = 1000000;
	count = 0;
	sequence = 0;
	return co ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	coordinator_free(co);
	return 0;
}

static void collect(void)
{
	count = 0;
	while (count < EFFECTS && coordinator_output(co, &effects[count]))
		count++;
}

static const struct coordinator_effect *find(enum coordinator_effect_type type, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].type == type && index-- == 0)
			return &effects[i];
	return NULL;
}

/* There must be one. */
static const struct coordinator_effect *the(enum coordinator_effect_type type, size_t index)
{
	const struct coordinator_effect *e = find(type, index);

	assert_non_null(e);
	return e ? e : effects;
}

static size_t number_of(enum coordinator_effect_type type)
{
	size_t n = 0;

	while (find(type, n))
		n++;
	return n;
}

/* The index-th frame that goes out. */
static bool sent(size_t index, struct mac_frame *f, uint32_t *token)
{
	const struct coordinator_effect *e = find(COORDINATOR_TRANSMIT, index);

	if (!e)
		return false;
	assert_int_equal(mac_frame_decode(rd_of(e->octets, e->len), f), OK);
	if (token)
		*token = e->token;
	return true;
}

static void hear(const struct mac_frame *f)
{
	uint8_t octets[MAC_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	assert_int_equal(mac_frame_encode(f, &w), OK);
	coordinator_received(co, now, rd_of(w.octets, w.len), 200, -40);
	collect();
}

static struct mac_address short_of(uint16_t a)
{
	const struct mac_address m = {MAC_ADDRESS_SHORT, PAN, a, 0};

	return m;
}

static struct mac_address extended_of(uint16_t pan, uint64_t a)
{
	const struct mac_address m = {MAC_ADDRESS_EXTENDED, pan, 0, a};

	return m;
}

static void hear_command(struct mac_address from, struct mac_address to, const struct mac_command *m)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct mac_frame f = {.type = MAC_COMMAND, .ack_request = true, .sequence = sequence++, .source = from, .destination = to};

	assert_int_equal(mac_command_encode(m, &w), OK);
	f.payload = rd_of(w.octets, w.len);
	hear(&f);
}

static void beacon_request(void)
{
	const struct mac_command m = {.id = MAC_BEACON_REQUEST};
	struct mac_address nobody = {.mode = MAC_ADDRESS_NONE}, all = {MAC_ADDRESS_SHORT, MAC_BROADCAST, MAC_BROADCAST, 0};

	hear_command(nobody, all, &m);
}

static void associate(uint64_t device, uint8_t capability)
{
	const struct mac_command m = {.id = MAC_ASSOCIATION_REQUEST, .capability = capability};

	hear_command(extended_of(MAC_BROADCAST, device), short_of(0), &m);
}

static void poll_short(uint16_t from)
{
	const struct mac_command m = {.id = MAC_DATA_REQUEST};

	hear_command(short_of(from), short_of(0), &m);
}

static void poll_extended(uint64_t from)
{
	const struct mac_command m = {.id = MAC_DATA_REQUEST};

	hear_command(extended_of(PAN, from), short_of(0), &m);
}

static void orphan(uint64_t from)
{
	const struct mac_command m = {.id = MAC_ORPHAN};

	hear_command(extended_of(MAC_BROADCAST, from), (struct mac_address){MAC_ADDRESS_SHORT, MAC_BROADCAST, MAC_BROADCAST, 0}, &m);
}

static void admit(uint64_t device, uint16_t seconds)
{
	coordinator_policy(co, now, seconds, &device, 1);
}

static void answer_sent(uint32_t token, bool acked, bool busy)
{
	coordinator_sent(co, now, token, acked, busy);
	collect();
}

/* A confirmed child; its address. */
static uint16_t make_child(uint64_t device, uint8_t capability)
{
	struct mac_frame f;
	uint32_t token;
	uint16_t a;

	admit(device, EGP_UNTIL_CHANGED);
	associate(device, capability);
	poll_extended(device);
	assert_true(sent(0, &f, &token));
	answer_sent(token, true, false);
	a = coordinator_child(co, device)->short_address;
	coordinator_child_set(co, now, device, a, capability, 0);
	collect();
	return a;
}

static void down(uint64_t device, uint32_t id, uint32_t validity_ms, const char *frame)
{
	coordinator_send(co, now, device, id, 0, validity_ms, rd_str(frame));
	collect();
}

static void tick(uint64_t ms)
{
	now += ms;
	coordinator_tick(co, now);
	collect();
}

static void delivered(uint32_t id, enum egp_delivery_status status)
{
	const struct coordinator_effect *e = the(COORDINATOR_DELIVERY, 0);
	assert_int_equal(number_of(COORDINATOR_DELIVERY), 1);
	assert_int_equal(e->id, id);
	assert_int_equal(e->status, status);
}

static void nwk_frame_from(uint16_t mac_source, uint64_t sealer, uint8_t mac_sequence)
{
	const struct aux_header aux = {.key_id = AUX_KEY_NETWORK, .extended_nonce = true, .frame_counter = 5, .source = sealer};
	struct nwk_frame n = {.type = NWK_DATA, .protocol_version = 2, .security = true, .source = mac_source, .radius = 30};
	uint8_t inner[40], octets[NWK_FRAME_MAX];
	struct wr iw = wr_of(inner, sizeof inner), w = wr_of(octets, sizeof octets);
	struct mac_frame f = {.type = MAC_DATA, .ack_request = true, .pan_id_compression = true, .sequence = mac_sequence, .destination = short_of(0), .source = short_of(mac_source)};

	aux_header_encode(&aux, &iw);
	wr_str(&iw, "sealed");
	n.payload = rd_of(iw.octets, iw.len);
	assert_int_equal(nwk_frame_encode(&n, &w), OK);
	f.payload = rd_of(w.octets, w.len);
	hear(&f);
}

/* ---- beacons ---- */

static bool beacon_permits(void)
{
	struct zigbee_beacon z;
	struct mac_beacon b;
	struct mac_frame f;

	beacon_request();
	assert_true(sent(0, &f, NULL));
	assert_int_equal(f.type, MAC_BEACON);
	assert_true(the(COORDINATOR_TRANSMIT, 0)->urgent); /* a scan is over soon */
	assert_int_equal(f.source.mode, MAC_ADDRESS_SHORT);
	assert_int_equal(f.source.short_address, 0);
	assert_int_equal(f.source.pan_id, PAN);
	assert_int_equal(f.destination.mode, MAC_ADDRESS_NONE);
	assert_int_equal(mac_beacon_decode(f.payload, &b), OK);
	assert_true(b.pan_coordinator);
	assert_int_equal(b.superframe & 0xff, 0xff); /* no superframe */
	assert_int_equal(zigbee_beacon_decode(b.payload, &z), OK);
	assert_int_equal(z.protocol_id, 0);
	assert_int_equal(z.stack_profile, 2);
	assert_int_equal(z.protocol_version, 2);
	assert_true(z.extended_pan_id == EXTENDED_PAN);
	assert_true(z.end_device_capacity);
	return b.association_permit;
}

static void a_beacon_says_whether_joining_is_open(void **state)
{
	(void)state;
	assert_false(beacon_permits());
	admit(DEVICE, 60);
	assert_true(beacon_permits());
	now += 59999;
	assert_true(beacon_permits());
	now += 1;
	assert_false(beacon_permits());
	admit(DEVICE, EGP_UNTIL_CHANGED);
	now += 1000ULL * 86400 * 365;
	assert_true(beacon_permits());
	coordinator_policy(co, now, 60, NULL, 0); /* open for nobody is closed */
	assert_false(beacon_permits());
}

static void a_flood_of_beacon_requests_gets_twenty_a_second(void **state)
{
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		beacon_request();
		n += number_of(COORDINATOR_TRANSMIT);
	}
	assert_int_equal(n, 20);
	now += 1000;
	beacon_request();
	assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
}

/* ---- association ---- */

static void an_admitted_device_gets_an_address(void **state)
{
	const struct coordinator_effect *e;
	struct mac_command m;
	struct mac_frame f;
	uint32_t token;

	(void)state;
	admit(DEVICE, 60);
	associate(DEVICE, SLEEPS);
	e = the(COORDINATOR_ASSOCIATED, 0);
	assert_true(e->eui64 == DEVICE);
	assert_int_equal(e->capability, SLEEPS);
	assert_in_range(e->short_address, 1, 0xfff7);
	assert_non_null(find(COORDINATOR_SAVE, 0));
	assert_null(find(COORDINATOR_TRANSMIT, 0)); /* it polls for the answer, clause 7.5.3.1 */
	assert_true(the(COORDINATOR_MATCH_EXTENDED, 0)->add);
	assert_true(the(COORDINATOR_MATCH_EXTENDED, 0)->eui64 == DEVICE);
	{
		uint16_t given = e->short_address;

		poll_extended(DEVICE);
		assert_true(sent(0, &f, &token));
		assert_int_equal(f.type, MAC_COMMAND);
		assert_true(f.ack_request);
		assert_int_equal(f.destination.mode, MAC_ADDRESS_EXTENDED);
		assert_true(f.destination.extended == DEVICE && f.source.extended == OURS);
		assert_int_equal(mac_command_decode(f.payload, &m), OK);
		assert_int_equal(m.id, MAC_ASSOCIATION_RESPONSE);
		assert_int_equal(m.association.status, MAC_ASSOCIATION_SUCCESS);
		assert_int_equal(m.association.short_address, given);
	}
	poll_extended(DEVICE); /* in flight: not twice */
	assert_null(find(COORDINATOR_TRANSMIT, 0));
	answer_sent(token, true, false);
	assert_null(find(COORDINATOR_DELIVERY, 0)); /* its owner never asked for it */
	assert_false(the(COORDINATOR_MATCH_EXTENDED, 0)->add);
	poll_extended(DEVICE);
	assert_null(find(COORDINATOR_TRANSMIT, 0));
}

static void nobody_else_gets_in(void **state)
{
	struct mac_command m;
	struct mac_frame f;
	uint32_t token;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		if (round == 0)
			admit(OTHER, 60); /* open, for another */
		else
			admit(DEVICE, round == 1 ? 0 : 60);
		if (round == 2)
			now += 60000; /* too late */
		associate(DEVICE, SLEEPS);
		assert_null(find(COORDINATOR_ASSOCIATED, 0));
		assert_null(find(COORDINATOR_SAVE, 0));
		assert_true(the(COORDINATOR_DENIED, 0)->eui64 == DEVICE);
		poll_extended(DEVICE);
		assert_true(sent(0, &f, &token));
		assert_int_equal(mac_command_decode(f.payload, &m), OK);
		assert_int_equal(m.association.status, MAC_ASSOCIATION_DENIED);
		assert_int_equal(m.association.short_address, MAC_BROADCAST);
		answer_sent(token, true, false);
	}
	tick(60000);
	assert_null(coordinator_child(co, DEVICE)); /* and is forgotten */
}

static void a_repeated_request_waits_for_one_answer(void **state)
{
	struct mac_frame f;
	uint32_t token;

	(void)state;
	admit(DEVICE, 60);
	associate(DEVICE, SLEEPS);
	associate(DEVICE, SLEEPS);
	poll_extended(DEVICE);
	assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
	assert_true(sent(0, &f, &token));
	assert_false(f.frame_pending);
	answer_sent(token, true, false);
	poll_extended(DEVICE);
	assert_null(find(COORDINATOR_TRANSMIT, 0));
}

/* The EG answers before the device has polled for its address. */
static void a_transport_key_waits_until_the_child_has_its_address(void **state)
{
	struct mac_frame f;
	uint32_t token;

	(void)state;
	for (unsigned round = 0; round < 2; round++) { /* a new child, and one that begins again */
		admit(DEVICE, 60);
		associate(DEVICE, LISTENS);
		down(DEVICE, 0, 0, "transport key");
		assert_null(find(COORDINATOR_TRANSMIT, 0));
		if (round == 0) {
			down(DEVICE, 3, 0, "its owner's");
			assert_null(find(COORDINATOR_TRANSMIT, 0));
		}
		poll_extended(DEVICE);
		assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
		assert_true(sent(0, &f, &token));
		assert_int_equal(f.type, MAC_COMMAND);
		answer_sent(token, true, false);
		assert_true(sent(0, &f, &token));
		assert_true(rd_is(f.payload, "transport key"));
		answer_sent(token, true, false);
		delivered(0, EGP_DELIVERED);
		if (round == 0) {
			assert_true(sent(0, &f, &token));
			answer_sent(token, true, false);
			delivered(3, EGP_DELIVERED);
		}
		coordinator_child_set(co, now, DEVICE, coordinator_child(co, DEVICE)->short_address, LISTENS, 0);
		collect();
	}
}

/* Unauthenticated: in the name of a living child anybody can ask. */
static void a_forged_association_changes_nothing_of_a_child(void **state)
{
	uint16_t a = make_child(DEVICE, LISTENS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	associate(DEVICE, SLEEPS);
	assert_int_equal(coordinator_child(co, DEVICE)->short_address, a);
	assert_int_equal(coordinator_child(co, DEVICE)->capability, LISTENS);
	coordinator_policy(co, now, 0, NULL, 0);
	associate(DEVICE, SLEEPS);
	assert_int_equal(coordinator_child(co, DEVICE)->short_address, a);
	/* Its frames do not wait behind an answer that it never asked for. */
	down(DEVICE, 5, 0, "frame");
	assert_true(sent(0, &f, &token));
	assert_int_equal(f.destination.short_address, a);
	answer_sent(token, true, false);
	delivered(5, EGP_DELIVERED);
	tick(60000);
	assert_non_null(coordinator_child(co, DEVICE));
}

/* A device that listens asks for its association response half a second after the request; the Enrolment Gateway is faster. */
static void the_transport_key_waits_for_the_association_response(void **state)
{
	struct mac_frame f;
	uint32_t token;
	uint16_t a;

	(void)state;
	admit(DEVICE, 60);
	associate(DEVICE, LISTENS);
	a = coordinator_child(co, DEVICE)->short_address;
	down(DEVICE, COORDINATOR_TRANSPORT_KEY, 0, "transport key");
	assert_null(find(COORDINATOR_TRANSMIT, 0));
	tick(500);
	poll_extended(DEVICE);
	assert_true(sent(0, &f, &token));
	assert_int_equal(f.type, MAC_COMMAND);
	answer_sent(token, false, false); /* missed: it polls again */
	assert_null(find(COORDINATOR_TRANSMIT, 0));
	poll_extended(DEVICE);
	assert_true(sent(0, &f, &token));
	answer_sent(token, true, false);
	assert_true(sent(0, &f, &token));
	assert_int_equal(f.type, MAC_DATA);
	assert_int_equal(f.destination.short_address, a);
	assert_memory_equal(f.payload.at, "transport key", f.payload.left);
	answer_sent(token, true, false);
	delivered(COORDINATOR_TRANSPORT_KEY, EGP_DELIVERED);
}

static void a_flood_of_strangers_takes_no_place_of_a_child(void **state)
{
	(void)state;
	admit(DEVICE, EGP_UNTIL_CHANGED);
	for (uint64_t i = 0; i < 2000; i++)
		associate(0x5000 + i, SLEEPS);
	associate(DEVICE, SLEEPS);
	assert_non_null(find(COORDINATOR_ASSOCIATED, 0));
	tick(30000);
	assert_non_null(coordinator_child(co, DEVICE));
	assert_null(coordinator_child_at(co, 1)); /* all others are forgotten */
}

static void what_is_meant_for_another_network_is_left_alone(void **state)
{
	const struct mac_command join = {.id = MAC_ASSOCIATION_REQUEST, .capability = SLEEPS}, poll = {.id = MAC_DATA_REQUEST};
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	admit(OTHER, 60);
	hear_command(extended_of(MAC_BROADCAST, OTHER), (struct mac_address){MAC_ADDRESS_SHORT, PAN + 1, 0, 0}, &join);
	assert_int_equal(count, 0);
	hear_command(extended_of(MAC_BROADCAST, OTHER), short_of(0x1234), &join);
	assert_int_equal(count, 0);
	down(DEVICE, 1, 0, "frame");
	hear_command((struct mac_address){MAC_ADDRESS_SHORT, PAN + 1, a, 0}, (struct mac_address){MAC_ADDRESS_SHORT, PAN + 1, 0, 0}, &poll);
	assert_int_equal(count, 0);
	poll_short(a);
	assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
	assert_true(the(COORDINATOR_TRANSMIT, 0)->urgent); /* it listens for a moment */
}

static void addresses_differ_and_survive_a_restart(void **state)
{
	char path[] = "/tmp/keyway-children-XXXXXX";
	uint16_t given[100];
	uint32_t epoch;
	struct child *child;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (uint64_t i = 0; i < 100; i++) {
		admit(1000 + i, 60);
		associate(1000 + i, SLEEPS);
		given[i] = coordinator_child(co, 1000 + i)->short_address;
		for (uint64_t k = 0; k < i; k++)
			assert_int_not_equal(given[k], given[i]);
	}
	coordinator_child_set(co, now, 1000, given[0], LISTENS, 7680);
	child = coordinator_child(co, 1000);
	strcpy(child->owner, "/id-b");
	strcpy(child->relay, "/id-mn/cse-mn/gw1/00000000000003e8");
	strcpy(child->down, "cin1234");
	strcpy(coordinator_child(co, 1003)->owner, "/id-b");
	coordinator_child_remove(co, now, 1003);
	associate(5000, SLEEPS); /* refused: not worth remembering */
	assert_int_equal(children_save(path, co, 41), OK);
	coordinator_free(co);

	co = coordinator_new(&config, &rng);
	assert_int_equal(children_load(path, co, &epoch), OK);
	assert_int_equal(epoch, 41);
	for (uint64_t i = 0; i < 100; i++) {
		child = coordinator_child(co, 1000 + i);
		assert_non_null(child);
		assert_int_equal(child->short_address, given[i]);
		assert_int_equal(child->confirmed, i == 0);
		assert_int_equal(child->removed, i == 3);
	}
	assert_null(coordinator_child(co, 5000));
	child = coordinator_child(co, 1000);
	assert_int_equal(child->capability, LISTENS);
	assert_int_equal(child->timeout_s, 7680);
	assert_string_equal(child->owner, "/id-b");
	assert_string_equal(child->relay, "/id-mn/cse-mn/gw1/00000000000003e8");
	assert_string_equal(child->down, "cin1234");
	assert_string_equal(coordinator_child(co, 1001)->down, "");
	for (uint64_t i = 0; i < 100; i++) { /* new ones get other addresses, old ones their own */
		admit(2000 + i, 60);
		associate(2000 + i, SLEEPS);
		for (uint64_t k = 0; k < 100; k++)
			assert_int_not_equal(coordinator_child(co, 2000 + i)->short_address, given[k]);
	}
	admit(1007, 60);
	associate(1007, SLEEPS);
	assert_int_equal(coordinator_child(co, 1007)->short_address, given[7]);
	unlink(path);
}

static void a_damaged_file_of_children_is_refused(void **state)
{
	static const char *const texts[] = {
		"child 00124b0000000001 1 128 1 0 /id-b\n",             /* a word too few */
		"child 00124b0000000001 65536 128 1 0 /id-b /r\n",      /* no address */
		"child 00124b00000000zz 1 128 1 0 /id-b /r\n",
		"child 00124b0000000001 1 128 1 0 /id-b /r\nchild 00124b0000000001 2 128 1 0 /id-b /r\n", /* twice */
		"child 00124b0000000001 1 128 1 0 /id-b /r cin1 more\n",
		"child 00124b0000000001 1 128 1 0 /id-b /r cin\t1\n",
		"epoch -1\n",
		"nonsense\n",
	};
	char path[] = "/tmp/keyway-children-XXXXXX";
	uint32_t epoch = 9;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0), (ssize_t)strlen(texts[i]));
		coordinator_free(co);
		co = coordinator_new(&config, &rng);
		assert_int_equal(children_load(path, co, &epoch), ERR_MALFORMED);
	}
	close(fd);
	unlink(path);
	assert_int_equal(children_load(path, co, &epoch), OK); /* none yet */
	assert_int_equal(epoch, 0);
	assert_int_equal(children_save("/nowhere/children", co, 1), ERR_IO);
}

/* ---- the indirect queue ---- */

static void a_sleeper_polls_for_its_frames_in_order(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	down(DEVICE, 1, 0, "one");
	assert_null(find(COORDINATOR_TRANSMIT, 0));
	assert_int_equal(the(COORDINATOR_MATCH_SHORT, 0)->short_address, a);
	assert_true(the(COORDINATOR_MATCH_SHORT, 0)->add);
	down(DEVICE, 2, 0, "two");
	assert_int_equal(count, 0);
	poll_short(a);
	assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
	assert_true(sent(0, &f, &token));
	assert_true(rd_is(f.payload, "one"));
	assert_int_equal(f.destination.short_address, a);
	assert_true(f.ack_request && f.frame_pending); /* poll again: there is more */
	poll_short(a);
	assert_null(find(COORDINATOR_TRANSMIT, 0)); /* one at a time */
	answer_sent(token, true, false);
	delivered(1, EGP_DELIVERED);
	assert_null(find(COORDINATOR_MATCH_SHORT, 0));
	poll_short(a);
	assert_true(sent(0, &f, &token));
	assert_true(rd_is(f.payload, "two"));
	assert_false(f.frame_pending);
	answer_sent(token, true, false);
	delivered(2, EGP_DELIVERED);
	assert_false(the(COORDINATOR_MATCH_SHORT, 0)->add);
	poll_short(a);
	assert_null(find(COORDINATOR_TRANSMIT, 0));
}

static void what_a_sleeper_missed_it_gets_at_its_next_poll(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token, again;

	(void)state;
	down(DEVICE, 1, 0, "one");
	poll_short(a);
	assert_true(sent(0, &f, &token));
	answer_sent(token, false, false);
	assert_int_equal(count, 0); /* nothing is given up yet */
	poll_short(a);
	assert_true(sent(0, &f, &again));
	assert_true(rd_is(f.payload, "one"));
	answer_sent(token, true, false); /* an old transmission's answer counts for nothing */
	assert_int_equal(count, 0);
	answer_sent(again, true, false);
	delivered(1, EGP_DELIVERED);
}

static void what_is_not_polled_for_expires(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	down(DEVICE, 1, 0, "one");
	down(DEVICE, 2, 20000, "two");
	assert_true(coordinator_deadline(co) == now + 7680); /* macTransactionPersistenceTime */
	tick(7679);
	assert_int_equal(count, 0);
	tick(1);
	delivered(1, EGP_EXPIRED);
	poll_short(a);
	assert_true(sent(0, &f, &token));
	assert_true(rd_is(f.payload, "two"));
	/* In the air at the moment at which it would expire: the radio's answer decides, and nothing spins until it comes. */
	now += 20000;
	assert_true(coordinator_deadline(co) == CLOCK_NEVER);
	tick(0);
	assert_int_equal(count, 0);
	answer_sent(token, false, false);
	delivered(2, EGP_NO_ACK);
	assert_true(coordinator_deadline(co) == CLOCK_NEVER);
}

static void a_listener_gets_its_frames_at_once_and_one_by_one(void **state)
{
	uint16_t a = make_child(DEVICE, LISTENS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	down(DEVICE, 1, 0, "one");
	assert_true(sent(0, &f, &token));
	assert_false(the(COORDINATOR_TRANSMIT, 0)->urgent);
	assert_int_equal(f.destination.short_address, a);
	assert_null(find(COORDINATOR_MATCH_SHORT, 0));
	down(DEVICE, 2, 0, "two");
	assert_null(find(COORDINATOR_TRANSMIT, 0));
	answer_sent(token, false, false);
	delivered(1, EGP_NO_ACK); /* the radio has tried four times */
	assert_true(sent(0, &f, &token));
	assert_true(rd_is(f.payload, "two"));
	assert_false(f.frame_pending);
	answer_sent(token, false, true);
	delivered(2, EGP_CHANNEL_BUSY);
}

/* A frame of node B's for this NWK address; its MAC destination. */
static uint16_t goes_to(uint64_t container, uint16_t destination, uint8_t count_of_relays, uint8_t index, const uint16_t *relays)
{
	struct nwk_frame n = {.type = NWK_DATA, .protocol_version = 2, .security = true, .source_route = count_of_relays > 0, .destination = destination, .radius = 30,
		.relay_count = count_of_relays, .relay_index = index, .payload = rd_str("sealed")};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct mac_frame f;
	uint32_t token;

	if (count_of_relays > 0)
		memcpy(n.relays, relays, count_of_relays * sizeof *relays);
	assert_int_equal(nwk_frame_encode(&n, &w), OK);
	coordinator_send(co, now, container, 1, 0, 0, rd_of(w.octets, w.len));
	collect();
	assert_true(sent(0, &f, &token));
	answer_sent(token, true, false);
	return f.destination.short_address;
}

static void the_next_hop_stands_in_the_clear_header(void **state)
{
	uint16_t a = make_child(DEVICE, LISTENS), b = make_child(DEVICE + 1, LISTENS), c = make_child(DEVICE + 2, LISTENS), far = 0x7777;
	const uint16_t one[] = {a}, two[] = {a, b}, beyond[] = {b, far}, foreign[] = {c};

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		strcpy(coordinator_child(co, DEVICE + i)->owner, i < 2 ? "/id-b" : "/id-c");
	assert_int_equal(goes_to(DEVICE, a, 0, 0, NULL), a);
	assert_int_equal(goes_to(DEVICE, far, 1, 0, one), a);
	assert_int_equal(goes_to(DEVICE, far, 2, 1, two), b);     /* the relay whose turn it is */
	assert_int_equal(goes_to(DEVICE, far, 2, 0, two), a);
	assert_int_equal(goes_to(DEVICE, b, 0, 0, NULL), b);      /* the destination, a child */
	assert_int_equal(goes_to(DEVICE, far, 0, 0, NULL), a);    /* whose container it came by */
	assert_int_equal(goes_to(DEVICE, far, 2, 1, beyond), a);  /* a relay that is no child */
	assert_int_equal(goes_to(DEVICE, far, 1, 0, foreign), a); /* another owner's */
	assert_int_equal(goes_to(DEVICE, c, 0, 0, NULL), a);
}

static void a_child_whose_address_changes_is_matched_at_its_new_one(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS), b = (uint16_t)(a == 0x1111 ? 0x2222 : 0x1111), taken = make_child(OTHER, SLEEPS);
	struct mac_frame f;

	(void)state;
	down(DEVICE, 1, 0, "one");
	coordinator_child_set(co, now, DEVICE, b, SLEEPS, 0);
	collect();
	assert_int_equal(number_of(COORDINATOR_MATCH_SHORT), 2);
	assert_int_equal(the(COORDINATOR_MATCH_SHORT, 0)->short_address, a);
	assert_false(the(COORDINATOR_MATCH_SHORT, 0)->add);
	assert_int_equal(the(COORDINATOR_MATCH_SHORT, 1)->short_address, b);
	assert_true(the(COORDINATOR_MATCH_SHORT, 1)->add);
	poll_short(a);
	assert_non_null(find(COORDINATOR_UNKNOWN_POLL, 0));
	poll_short(b);
	assert_true(sent(0, &f, NULL));
	assert_int_equal(f.destination.short_address, b);
	coordinator_child_set(co, now, DEVICE, taken, SLEEPS, 0); /* another's: no */
	assert_int_equal(coordinator_child(co, DEVICE)->short_address, b);
}

static void a_child_that_turns_out_to_listen_gets_what_waits(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	down(DEVICE, 1, 0, "one");
	coordinator_child_set(co, now, DEVICE, a, LISTENS, 0);
	collect();
	assert_non_null(find(COORDINATOR_TRANSMIT, 0));
	assert_false(the(COORDINATOR_MATCH_SHORT, 0)->add);
}

static void a_radio_that_lost_its_table_gets_it_again(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	(void)make_child(OTHER, SLEEPS);
	down(DEVICE, 1, 0, "one");
	admit(3, 60);
	associate(3, SLEEPS);
	coordinator_radio_ready(co);
	collect();
	assert_int_equal(number_of(COORDINATOR_MATCH_SHORT), 1);
	assert_int_equal(the(COORDINATOR_MATCH_SHORT, 0)->short_address, a);
	assert_int_equal(number_of(COORDINATOR_MATCH_EXTENDED), 1);
	assert_true(the(COORDINATOR_MATCH_EXTENDED, 0)->eui64 == 3);
}

static void a_full_queue_refuses_and_says_so(void **state)
{
	size_t refused = 0, taken = 0;

	(void)state;
	(void)make_child(DEVICE, SLEEPS);
	for (uint32_t i = 1; i <= 600; i++) {
		down(DEVICE, i, 0, "frame");
		if (number_of(COORDINATOR_DELIVERY)) {
			delivered(i, EGP_CHANNEL_BUSY);
			refused++;
		} else {
			taken++;
		}
	}
	assert_true(refused > 0 && taken > 100);
	tick(7680);
	assert_int_equal(number_of(COORDINATOR_DELIVERY), taken); /* each is reported */
	down(DEVICE, 1000, 0, "frame");
	assert_int_equal(number_of(COORDINATOR_DELIVERY), 0); /* there is room again */
}

/* After a power cut of a plant: all associate, get their Transport-Keys, and answer, in the same moment. */
static void five_hundred_children_come_at_once(void **state)
{
	uint64_t devices[EGP_POLICY_DEVICES_MAX];
	struct mac_frame f;
	uint32_t token;

	(void)state;
	for (uint64_t first = 0; first < 500; first += EGP_POLICY_DEVICES_MAX) {
		for (uint64_t i = 0; i < EGP_POLICY_DEVICES_MAX; i++)
			devices[i] = DEVICE + first + i;
		coordinator_policy(co, now, 60, devices, EGP_POLICY_DEVICES_MAX);
		for (uint64_t i = 0; i < EGP_POLICY_DEVICES_MAX && first + i < 500; i++) {
			associate(DEVICE + first + i, SLEEPS);
			assert_non_null(find(COORDINATOR_ASSOCIATED, 0));
			down(DEVICE + first + i, COORDINATOR_TRANSPORT_KEY, 20000, "transport key");
			assert_null(find(COORDINATOR_DELIVERY, 0)); /* there was room for it */
		}
	}
	now += 500;
	for (uint64_t i = 0; i < 500; i++) {
		uint16_t a = coordinator_child(co, DEVICE + i)->short_address;

		poll_extended(DEVICE + i);
		assert_true(sent(0, &f, &token));
		answer_sent(token, true, false);
		poll_short(a);
		assert_true(sent(0, &f, &token));
		assert_int_equal(f.destination.short_address, a);
		answer_sent(token, true, false);
		delivered(COORDINATOR_TRANSPORT_KEY, EGP_DELIVERED);
		assert_ptr_equal(coordinator_child_at(co, i), coordinator_child(co, DEVICE + i));
	}
	assert_true(coordinator_deadline(co) == CLOCK_NEVER);
	for (uint64_t i = 0; i < 500; i += 2)
		coordinator_child_drop(co, DEVICE + i);
	for (uint64_t i = 0; i < 250; i++)
		assert_int_equal(coordinator_child_at(co, i)->eui64, DEVICE + 2 * i + 1);
	assert_null(coordinator_child_at(co, 250));
	assert_int_equal(coordinator_child_at(co, 3)->eui64, DEVICE + 7); /* back again */
}

static void one_child_s_queue_leaves_room_for_the_others(void **state)
{
	(void)state;
	(void)make_child(DEVICE, SLEEPS);
	(void)make_child(OTHER, SLEEPS);
	for (uint32_t i = 1; i <= 5000; i++)
		down(DEVICE, i, 0, "frame");
	delivered(5000, EGP_CHANNEL_BUSY);
	down(OTHER, 1, 0, "frame");
	assert_int_equal(number_of(COORDINATOR_DELIVERY), 0);
}

static void broadcasts_and_strangers(void **state)
{
	struct mac_frame f;

	(void)state;
	coordinator_send(co, now, 0, 8, EGP_DOWNLINK_BROADCAST, 0, rd_str("all"));
	collect();
	assert_true(sent(0, &f, NULL));
	assert_int_equal(f.destination.short_address, MAC_BROADCAST);
	assert_false(f.ack_request);
	delivered(8, EGP_DELIVERED);
	down(DEVICE, 9, 0, "nobody");
	delivered(9, EGP_NO_SUCH_DEVICE);
	poll_short(0x4321);
	assert_int_equal(the(COORDINATOR_UNKNOWN_POLL, 0)->short_address, 0x4321);
	poll_extended(DEVICE);
	assert_true(the(COORDINATOR_UNKNOWN_POLL, 0)->eui64 == DEVICE);
}

/* ---- orphans, leaving, age ---- */

static void an_orphan_finds_its_place_again(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_command m;
	struct mac_frame f;

	(void)state;
	orphan(DEVICE);
	assert_int_equal(number_of(COORDINATOR_TRANSMIT), 1);
	assert_true(sent(0, &f, NULL));
	assert_int_equal(f.destination.mode, MAC_ADDRESS_EXTENDED);
	assert_true(f.destination.extended == DEVICE && f.source.extended == OURS);
	assert_int_equal(f.source.pan_id, PAN);
	assert_int_equal(mac_command_decode(f.payload, &m), OK);
	assert_int_equal(m.id, MAC_COORDINATOR_REALIGNMENT);
	assert_int_equal(m.realignment.pan_id, PAN);
	assert_int_equal(m.realignment.coordinator, 0);
	assert_int_equal(m.realignment.channel, 15);
	assert_int_equal(m.realignment.short_address, a);
	orphan(OTHER);
	assert_int_equal(count, 0);
	associate(OTHER, SLEEPS); /* refused: no child, no place */
	orphan(OTHER);
	assert_int_equal(count, 0);
}

static void a_disassociation_is_no_more_than_a_hint(void **state)
{
	const struct mac_command m = {.id = MAC_DISASSOCIATION, .reason = 2};
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	down(DEVICE, 1, 0, "one");
	hear_command(extended_of(PAN, DEVICE), short_of(0), &m);
	assert_int_equal(count, 0);
	assert_int_equal(coordinator_child(co, DEVICE)->short_address, a);
	poll_short(a);
	assert_non_null(find(COORDINATOR_TRANSMIT, 0));
}

static void a_dropped_child_is_gone(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	coordinator_child_drop(co, DEVICE);
	collect();
	assert_non_null(find(COORDINATOR_SAVE, 0));
	assert_null(find(COORDINATOR_ENDED, 0));
	assert_null(coordinator_child(co, DEVICE));
	poll_short(a);
	assert_non_null(find(COORDINATOR_UNKNOWN_POLL, 0));
	coordinator_child_drop(co, DEVICE);
	collect();
	assert_int_equal(count, 0);
	coordinator_child_set(co, now, DEVICE, a, SLEEPS, 0); /* no child is made by its owner's word alone */
	assert_null(coordinator_child(co, DEVICE));
}

/* Its Leave, the last thing that its owner said: however rarely it polls. */
static void a_dropped_sleeper_hears_what_waits_for_it(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	down(DEVICE, 1, 3600000, "leave");
	coordinator_child_drop(co, DEVICE);
	collect();
	assert_int_equal(number_of(COORDINATOR_DELIVERY), 0);
	assert_null(find(COORDINATOR_MATCH_SHORT, 0));
	assert_true(coordinator_holds(co, DEVICE));
	tick(3000000);
	assert_non_null(coordinator_child(co, DEVICE));
	nwk_frame_from(a, DEVICE, 7);
	assert_null(find(COORDINATOR_UPLINK, 0));
	poll_short(a);
	assert_true(sent(0, &f, &token));
	answer_sent(token, false, false); /* lost: at the next poll */
	poll_short(a);
	assert_true(sent(0, &f, &token));
	answer_sent(token, true, false);
	delivered(1, EGP_DELIVERED);
	assert_false(the(COORDINATOR_MATCH_SHORT, 0)->add);
	assert_non_null(find(COORDINATOR_SAVE, 0));
	assert_null(coordinator_child(co, DEVICE));
}

/* Remove-Device of the Enrolment Gateway, for example: what was behind it would wait for nobody. */
static void what_waits_behind_the_first_does_not_keep_a_dropped_child(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	down(DEVICE, 1, 3600000, "remove");
	down(DEVICE, 2, 3600000, "leave");
	coordinator_child_drop(co, DEVICE);
	tick(1000000);
	poll_short(a);
	assert_true(sent(0, &f, &token));
	assert_true(f.frame_pending);
	answer_sent(token, true, false);
	tick(7000);
	assert_non_null(coordinator_child(co, DEVICE));
	tick(1000);
	delivered(2, EGP_EXPIRED);
	assert_null(coordinator_child(co, DEVICE));
}

static void a_dropped_sleeper_that_does_not_poll_goes_when_its_frames_expire(void **state)
{
	(void)state;
	(void)make_child(DEVICE, SLEEPS);
	down(DEVICE, 1, 60000, "leave");
	coordinator_child_drop(co, DEVICE);
	tick(59000);
	assert_non_null(coordinator_child(co, DEVICE));
	tick(2000);
	delivered(1, EGP_EXPIRED);
	assert_null(coordinator_child(co, DEVICE));
}

static void a_dropped_device_that_joins_again_begins_anew(void **state)
{
	(void)state;
	(void)make_child(DEVICE, SLEEPS);
	down(DEVICE, 1, 3600000, "leave");
	coordinator_child_drop(co, DEVICE);
	coordinator_child_remove(co, now, DEVICE);
	associate(DEVICE, SLEEPS);
	delivered(1, EGP_NO_SUCH_DEVICE);
	assert_false(coordinator_holds(co, DEVICE));
	assert_false(coordinator_child(co, DEVICE)->dropped || coordinator_child(co, DEVICE)->removed);
	tick(120000);
	assert_null(find(COORDINATOR_ENDED, 0));
}

/* The Enrolment Gateway's word may be faster than its owner's last one. */
static void a_removed_child_stays_for_its_owner_s_last_words(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f;
	uint32_t token;

	(void)state;
	strcpy(coordinator_child(co, DEVICE)->owner, "/id-b");
	coordinator_child_remove(co, now, DEVICE);
	coordinator_child_remove(co, now, DEVICE); /* the same again */
	collect();
	assert_int_equal(number_of(COORDINATOR_SAVE), 1);
	assert_true(coordinator_child(co, DEVICE)->removed);
	tick(30000);
	down(DEVICE, 1, 3600000, "leave");
	coordinator_child_drop(co, DEVICE);
	tick(60000);
	assert_non_null(coordinator_child(co, DEVICE));
	poll_short(a);
	assert_true(sent(0, &f, &token));
	answer_sent(token, true, false);
	assert_true(the(COORDINATOR_ENDED, 0)->eui64 == DEVICE);
	assert_null(coordinator_child(co, DEVICE));
}

static void a_removed_child_whose_owner_says_nothing_goes_after_a_while(void **state)
{
	(void)state;
	(void)make_child(DEVICE, SLEEPS);
	(void)make_child(OTHER, SLEEPS);
	strcpy(coordinator_child(co, DEVICE)->owner, "/id-b");
	coordinator_child_remove(co, now, DEVICE);
	coordinator_child_remove(co, now, OTHER); /* it has none */
	coordinator_child_remove(co, now, DEVICE + 7); /* nor is this a child */
	collect();
	assert_int_equal(number_of(COORDINATOR_ENDED), 2);
	tick(59000);
	assert_null(find(COORDINATOR_ENDED, 0));
	tick(2000);
	assert_true(the(COORDINATOR_ENDED, 0)->eui64 == DEVICE);
	assert_null(coordinator_child_at(co, 0));
}

static void a_silent_child_is_reported_and_kept(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct child copy;

	(void)state;
	coordinator_child_set(co, now, DEVICE, a, SLEEPS, 60);
	collect();
	tick(59000);
	poll_short(a); /* a poll keeps it */
	tick(59000);
	assert_null(find(COORDINATOR_LOST, 0));
	tick(2000);
	assert_true(the(COORDINATOR_LOST, 0)->eui64 == DEVICE);
	tick(1000);
	assert_null(find(COORDINATOR_LOST, 0)); /* once */
	assert_non_null(coordinator_child(co, DEVICE));
	/* One that went away while we were off is noticed too. */
	copy = *coordinator_child(co, DEVICE);
	coordinator_free(co);
	co = coordinator_new(&config, &rng);
	assert_true(coordinator_restore(co, &copy));
	tick(0);
	tick(59000);
	assert_null(find(COORDINATOR_LOST, 0));
	tick(2000);
	assert_non_null(find(COORDINATOR_LOST, 0));
}

/* ---- up ---- */

static void a_sealed_frame_goes_up_as_it_is(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	const struct coordinator_effect *e;
	struct nwk_frame n;

	(void)state;
	nwk_frame_from(a, DEVICE, 7);
	e = the(COORDINATOR_UPLINK, 0);
	assert_true(e->eui64 == DEVICE);
	assert_int_equal(e->short_address, a);
	assert_int_equal(e->lqi, 200);
	assert_int_equal(e->rssi, -40);
	assert_int_equal(nwk_frame_decode(rd_of(e->octets, e->len), &n), OK);
	assert_true(n.payload.left > 6 && rd_is(rd_of(n.payload.at + n.payload.left - 6, 6), "sealed"));
	nwk_frame_from(a, DEVICE, 7); /* our acknowledgement was lost: the same again */
	assert_null(find(COORDINATOR_UPLINK, 0));
	nwk_frame_from(a, DEVICE, 8);
	assert_non_null(find(COORDINATOR_UPLINK, 0));
	now += 2000;
	nwk_frame_from(a, DEVICE, 8); /* numbers come round */
	assert_non_null(find(COORDINATOR_UPLINK, 0));
}

static void who_is_no_child_and_sends_is_told_of(void **state)
{
	(void)state;
	nwk_frame_from(0x4321, DEVICE, 7);
	assert_null(find(COORDINATOR_UPLINK, 0));
	assert_true(the(COORDINATOR_UNKNOWN_POLL, 0)->eui64 == DEVICE);
	assert_int_equal(the(COORDINATOR_UNKNOWN_POLL, 0)->short_address, 0x4321);
}

static void a_frame_belongs_to_whom_it_is_sealed_by(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);

	(void)state;
	(void)make_child(OTHER, SLEEPS);
	nwk_frame_from(a, OTHER, 1);
	assert_true(the(COORDINATOR_UPLINK, 0)->eui64 == OTHER);
	nwk_frame_from(a, 0x999, 2); /* sealed by nobody that we know: the short address says */
	assert_true(the(COORDINATOR_UPLINK, 0)->eui64 == DEVICE);
	nwk_frame_from(0x7654, 0x999, 3);
	assert_null(find(COORDINATOR_UPLINK, 0));
}

static void what_is_no_frame_for_us_goes_nowhere(void **state)
{
	uint16_t a = make_child(DEVICE, SLEEPS);
	struct mac_frame f = {.type = MAC_DATA, .pan_id_compression = true, .sequence = 1, .destination = short_of(0), .source = short_of(a), .payload = rd_of("\x03\x00\x00", 3)};
	uint8_t octets[MAC_FRAME_MAX];

	(void)state;
	hear(&f); /* inter-PAN */
	assert_int_equal(count, 0);
	f.payload = rd_of("", 0);
	hear(&f);
	assert_int_equal(count, 0);
	f.destination.pan_id = f.source.pan_id = PAN + 1;
	hear(&f);
	assert_int_equal(count, 0);
	for (size_t n = 0; n < 2000; n++) {
		size_t len = rng_below(&rng, MAC_FRAME_MAX);

		rng_fill(&rng, octets, len);
		coordinator_received(co, now, rd_of(octets, len), 0, 0);
		collect();
		assert_null(find(COORDINATOR_ASSOCIATED, 0));
	}
	assert_int_equal(coordinator_child(co, DEVICE)->short_address, a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_beacon_says_whether_joining_is_open, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_beacon_requests_gets_twenty_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(an_admitted_device_gets_an_address, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_else_gets_in, setup, teardown),
		cmocka_unit_test_setup_teardown(a_repeated_request_waits_for_one_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_transport_key_waits_until_the_child_has_its_address, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_association_changes_nothing_of_a_child, setup, teardown),
		cmocka_unit_test_setup_teardown(the_transport_key_waits_for_the_association_response, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_strangers_takes_no_place_of_a_child, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_meant_for_another_network_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_differ_and_survive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_of_children_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sleeper_polls_for_its_frames_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_sleeper_missed_it_gets_at_its_next_poll, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_polled_for_expires, setup, teardown),
		cmocka_unit_test_setup_teardown(a_listener_gets_its_frames_at_once_and_one_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_whose_address_changes_is_matched_at_its_new_one, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_hop_stands_in_the_clear_header, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_that_turns_out_to_listen_gets_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_radio_that_lost_its_table_gets_it_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_refuses_and_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(five_hundred_children_come_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(one_child_s_queue_leaves_room_for_the_others, setup, teardown),
		cmocka_unit_test_setup_teardown(broadcasts_and_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(an_orphan_finds_its_place_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disassociation_is_no_more_than_a_hint, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_child_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_sleeper_hears_what_waits_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_behind_the_first_does_not_keep_a_dropped_child, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_sleeper_that_does_not_poll_goes_when_its_frames_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_device_that_joins_again_begins_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_child_stays_for_its_owner_s_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_child_whose_owner_says_nothing_goes_after_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_child_is_reported_and_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sealed_frame_goes_up_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_no_child_and_sends_is_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_belongs_to_whom_it_is_sealed_by, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_frame_for_us_goes_nowhere, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
