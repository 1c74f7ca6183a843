/* Any value of any ZCL type through every mapping: what comes out is one JSON value, and the same type of it each time. Input: type, and the value
 * as on air. */
#include "oci/mapping.h"
#include "../fuzz.h"

static const uint16_t clusters[] = {ZCL_ON_OFF, ZCL_TEMPERATURE, ZCL_HUMIDITY, ZCL_PRESSURE, ZCL_OCCUPANCY, ZCL_POWER, ZCL_METERING, ZCL_IAS_ZONE, ZCL_DOOR_LOCK};
static const uint16_t zones[] = {0, 0x000d, 0x0015, 0x0028, 0x002a, 0x002d};

static bool is_bool(enum mapping_rule rule)
{
	return rule == MAPPING_BOOL || rule == MAPPING_BIT0;
}

static void one(struct json_arena *arena, const struct mapping *m, const struct zcl_value *v)
{
	uint8_t text[64];
	struct wr w = wr_of(text, sizeof text - 1);
	const struct json *doc;
	double number;
	struct rd out;
	bool truth;

	MUST(m->root && m->definition && m->name && m->member && mapping_of_root(m->root, m->member));
	if (!mapping_value(m, v, &w))
		return;
	MUST(wr_done(&w, &out) && json_parse(arena, out, NULL, &doc) == OK);
	MUST(is_bool(m->rule) ? json_bool(doc, &truth) : json_double(doc, &number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct rd in = rd_of(data, size);
	const struct mapping *m;
	struct zcl_value v;
	uint8_t type;

	if (rd_u8(&in, &type) && zcl_value_read(&in, type, &v))
		for (size_t c = 0; c < sizeof clusters / sizeof clusters[0]; c++)
			for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++)
				for (size_t i = 0; (m = mapping_at(clusters[c], zones[z], i)) != NULL; i++)
					one(arena, m, &v);
	json_arena_free(arena);
	return 0;
}
