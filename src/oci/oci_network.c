/* Networks: who shares a key, and the one frame counter that there is under it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/core_private.h"

#define COUNTER_BLOCK 1024

struct oci_network *oci_network_new(enum oci_policy policy, const char *name, uint64_t generation, uint8_t sequence, struct secret *key,
    uint32_t out_reserved)
{
	struct oci_network *n = key ? calloc(1, sizeof *n) : NULL;

	if (!n) {
		secret_free(key);
		return NULL;
	}
	n->policy = policy;
	snprintf(n->name, sizeof n->name, "%s", name);
	n->generation = generation;
	n->sequence = sequence;
	n->key = key;
	n->out_reserved = out_reserved;
	counter_init(&n->out, out_reserved, COUNTER_BLOCK);
	return n;
}

struct oci_network *oci_network_dup(const struct oci_network *n)
{
	struct oci_network *copy = n ? oci_network_new(n->policy, n->name, n->generation, n->sequence, secret_dup(n->key), n->out_reserved) : NULL;

	if (copy)
		copy->worn = n->worn;
	return copy;
}

void oci_network_free(struct oci_network *n)
{
	if (!n)
		return;
	secret_free(n->key);
	free(n);
}

static bool is_same(const struct oci_network *n, const struct oci_network *other)
{
	return n && n->policy == other->policy && n->generation == other->generation && strcmp(n->name, other->name) == 0;
}

/* What a device has alone is looked for with that device only. */
static struct oci_network *find(struct oci_core *c, const struct oci_device *d, const struct oci_network *like)
{
	if (is_same(d->present.network, like))
		return d->present.network;
	if (is_same(d->pending.network, like))
		return d->pending.network;
	for (struct oci_network *n = like->policy == OCI_POLICY_GROUP ? c->networks : NULL; n; n = n->next)
		if (is_same(n, like))
			return n;
	return NULL;
}

struct oci_network *oci_network_join(struct oci_core *c, const struct oci_device *d, struct oci_network *n)
{
	struct oci_network *have = find(c, d, n);

	if (!have) {
		n->users = 1;
		if (n->policy == OCI_POLICY_GROUP) {
			n->next = c->networks;
			c->networks = n;
		}
		return n;
	}
	if (have->sequence != n->sequence || !secret_equal(have->key, n->key))
		have = NULL;
	else
		have->users++;
	oci_network_free(n);
	return have;
}

void oci_network_leave(struct oci_core *c, struct oci_network *n)
{
	struct oci_network **link = &c->networks;

	if (!n || --n->users > 0)
		return;
	while (*link && *link != n)
		link = &(*link)->next;
	if (*link)
		*link = n->next;
	oci_network_free(n);
}

struct reserving {
	struct oci_core *c;
	struct oci_device *d;
	struct oci_network *n;
};

static enum err reserve(void *ctx, uint32_t limit)
{
	const struct reserving *r = ctx;
	uint32_t before = r->n->out_reserved;

	r->n->out_reserved = limit;
	if (oci_save(r->c, r->d))
		return OK;
	r->n->out_reserved = before;
	return ERR_STORE;
}

enum err oci_network_take(struct oci_core *c, struct oci_device *d, struct oci_network *n, uint32_t *number)
{
	struct reserving r = {c, d, n};

	return counter_take(&n->out, reserve, &r, number);
}
