/* Members of registrations and updates, from anybody: what is taken is within its limits, its lists come apart into as many members as were counted, each
 * without a control character, and what is refused leaves nothing to free. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "key_registry/client_id.h"
#include "key_registry/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int b)
{
	if (!b)
		abort();
}

static size_t members(const char *list)
{
	struct rd rest = rd_str(list), item;
	size_t n = 0;
	uint8_t c;

	while (order_list_next(&rest, &item)) {
		require(item.left > 0);
		while (rd_u8(&item, &c))
			require(c >= 0x20 && c != 0x7f);
		n++;
	}
	return n;
}

static void check_targets(const struct order *o)
{
	struct rd rest = rd_str(o->targets), item;
	char id[ENTITY_MAX], again[ENTITY_MAX], other[ENTITY_MAX];

	require(members(o->targets) == o->target_count && o->target_count <= ORDER_TARGETS);
	while (order_list_next(&rest, &item)) {
		if (!client_id_of(item, "sp.example", id))
			continue;
		require(client_id_of(rd_str(id), "sp.example", again) && strcmp(id, again) == 0);
		require(client_id_fqdn(id, "sp.example", other) || strlen(id) > 200);
		if (client_id_entity(id, "sp.example", other))
			require(client_id_of(rd_str(other), "sp.example", again) && strcmp(id, again) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	const char *reason = NULL;
	struct order o;

	require(a != NULL);
	if (json_parse(a, rd_of(data, size), NULL, &doc) == OK) {
		if (order_parse(doc, &o, &reason)) {
			require(members(o.labels) <= ORDER_LABELS);
			check_targets(&o);
			require(!o.key || (secret_len(o.key) >= 16 && secret_len(o.key) <= SECRET_MAX));
			order_clear(&o);
		} else {
			require(reason != NULL && !o.key);
		}
	}
	json_arena_free(a);
	return 0;
}
