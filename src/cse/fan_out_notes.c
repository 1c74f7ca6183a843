/* Which groups and members a group request has visited: a loop of groups ends, and a member that is in two of them is asked once.
 * TS-0001 clause 10.2.7.7 (groupRequestIdentifier). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/fan_out.h"

#define BUCKETS 1024

struct note {
	struct note *next;
	uint64_t until;
	char text[];
};

struct notes {
	struct note *buckets[BUCKETS];
	uint64_t sweep_at;
};

static void sweep(struct notes *n, uint64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct note **at = &n->buckets[i]; *at;) {
			struct note *old = *at;

			if (old->until > now) {
				at = &old->next;
				continue;
			}
			*at = old->next;
			free(old);
		}
	}
}

static void end(struct cse *c, void *state)
{
	(void)c;
	sweep(state, UINT64_MAX);
	free(state);
}

static struct notes *notes_of(struct cse *c)
{
	struct notes *n = c->services[SERVICE_FAN_OUT];

	if (!n) {
		n = calloc(1, sizeof *n);
		if (!n)
			abort();
		cse_service_set(c, SERVICE_FAN_OUT, n, end);
	}
	return n;
}

static size_t bucket_of(const char *text)
{
	uint32_t h = 2166136261U;

	while (*text)
		h = (h ^ (uint8_t)*text++) * 16777619U;
	return h % BUCKETS;
}

bool fan_out_note(struct cse *c, struct rd gid, const char *to, uint64_t until)
{
	struct notes *n = notes_of(c);
	uint64_t now = cse_now(c);
	size_t size = gid.left + strlen(to) + 2, b;
	struct note *made = malloc(sizeof *made + size);

	if (!made)
		abort();
	snprintf(made->text, size, "%.*s %s", (int)gid.left, (const char *)gid.at, to);
	if (now >= n->sweep_at) {
		sweep(n, now);
		n->sweep_at = now + 10000;
	}
	b = bucket_of(made->text);
	for (const struct note *k = n->buckets[b]; k; k = k->next) {
		if (k->until > now && strcmp(k->text, made->text) == 0) {
			free(made);
			return false;
		}
	}
	made->until = until;
	made->next = n->buckets[b];
	n->buckets[b] = made;
	return true;
}
