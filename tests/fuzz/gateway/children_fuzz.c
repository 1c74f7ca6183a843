/* Any text as the file of children: it is refused, or the children are apart from each other, have names without blanks, and are the same when
 * what they say is written and read again. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "gateway/children_file.h"
#include "../fuzz.h"

static const struct coordinator_config config = {0x0200000000000001ULL, 0x1a62, 0xf4ce368fce29a410ULL, 15};

/* A file that holds the text. */
static const char *file(struct rd text)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("children", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text.at, text.left, 0) == (ssize_t)text.left);
	return path;
}

static bool name_is_good(const char *name)
{
	return memchr(name, '\0', CHILD_NAME) && !strpbrk(name, " \n");
}

static void put(struct wr *w, const struct child *c)
{
	char eui64[EUI64_SIZE];

	eui64_print(eui64, c->eui64);
	wr_fmt(w, "child %s %u %u %u %u %s %s%s%s\n", eui64, c->short_address, c->capability, (c->confirmed ? 1U : 0) | (c->removed ? 2U : 0), c->timeout_s, c->owner[0] ? c->owner : "-",
	    c->relay[0] ? c->relay : "-", c->down[0] ? " " : "", c->down);
}

static void same(const struct child *a, const struct child *b)
{
	MUST(a && b && a->eui64 == b->eui64 && a->short_address == b->short_address && a->capability == b->capability && a->confirmed == b->confirmed);
	MUST(a->removed == b->removed && a->timeout_s == b->timeout_s && strcmp(a->owner, b->owner) == 0 && strcmp(a->relay, b->relay) == 0 && strcmp(a->down, b->down) == 0);
}

static void again(struct coordinator *c, struct rng *rng, uint32_t epoch)
{
	struct coordinator *other = coordinator_new(&config, rng);
	struct wr w = wr_new(1 << 20);
	const struct child *child, *second;
	uint32_t epoch_again;
	struct rd text;
	size_t n = 0;

	wr_fmt(&w, "epoch %u\n", epoch);
	for (; (child = coordinator_child_at(c, n)) != NULL; n++) {
		MUST(name_is_good(child->owner) && name_is_good(child->relay) && !strpbrk(child->down, " \n"));
		for (size_t k = n + 1; (second = coordinator_child_at(c, k)) != NULL; k++)
			MUST(child->eui64 != second->eui64 && child->short_address != second->short_address);
		put(&w, child);
	}
	MUST(wr_done(&w, &text) && children_load(file(text), other, &epoch_again) == OK && epoch_again == epoch);
	for (size_t i = 0; i < n; i++)
		same(coordinator_child_at(c, i), coordinator_child_at(other, i));
	MUST(!coordinator_child_at(other, n));
	coordinator_free(other);
	wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(1);
	struct coordinator *c;
	uint32_t epoch;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	c = coordinator_new(&config, &rng);
	MUST(c);
	if (children_load(file(rd_of(data, size)), c, &epoch) == OK)
		again(c, &rng, epoch);
	coordinator_free(c);
	return 0;
}
