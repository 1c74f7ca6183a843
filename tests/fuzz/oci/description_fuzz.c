/* Descriptions of devices from any text: what is refused is refused with a sentence; what is taken keeps its limits, and every value of every type
 * through every one of its points is one JSON value or nothing. Input: the file up to a line end; then a ZCL type and value. */
#include <string.h>

#include "oci/conversion.h"
#include "../fuzz.h"

static void convert(struct json_arena *arena, const struct point *p, const struct zcl_value *v)
{
	const struct zcl_value inputs[INPUTS_MAX] = {*v, *v};
	const struct factors f = {3, 7};
	static const uint8_t rgb[3] = {1, 2, 3};
	uint8_t text[64], payload[FIELDS_MAX * 4];
	struct wr w = wr_of(text, sizeof text), out = wr_of(payload, sizeof payload);
	const struct json *doc;
	struct wanted wanted;
	struct rd done;

	if (!conversion_value(p, inputs, &f, &w) || !wr_done(&w, &done))
		return;
	MUST(json_parse(arena, done, NULL, &doc) == OK && doc->type <= JSON_NUMBER);
	if (conversion_write(p, doc) && conversion_wanted(p, doc, rgb, &f, &wanted)) {
		conversion_payload(&conversion_write(p, doc)->payload, &wanted, &out);
		MUST(!out.spoilt);
	}
}

static void check(struct json_arena *arena, const struct descriptions *d, const struct zcl_value *v)
{
	const struct module *m;
	size_t i;

	for (i = 0; (m = descriptions_module(d, NULL, i)) != NULL; i++) {
		MUST(m->name[0] && m->point_count > 0 && m->point_count <= POINTS_MAX && m->action_count <= ACTIONS_MAX && m->container == !m->root[0]);
		for (size_t k = 0; k < m->point_count; k++) {
			const struct point *p = &m->points[k];

			MUST(p->module == m && p->member[0] && p->input_count <= INPUTS_MAX && p->write_count <= WRITES_MAX && p->minimum_s <= p->maximum_s);
			if (v)
				convert(arena, p, v);
		}
	}
	MUST(i <= DESCRIPTION_MODULES);
	(void)descriptions_class(d, 0x0100);
	(void)descriptions_model(d, "a", "b");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct descriptions *d = descriptions_new();
	struct json_arena *arena = json_arena_new();
	struct rd in = rd_of(data, size), file;
	char why[300] = "";
	struct zcl_value v;
	bool value = false;
	uint8_t type;

	if (rd_line(&in, &file)) {
		value = rd_u8(&in, &type) && zcl_value_read(&in, type, &v);
		if (descriptions_read(d, "fuzz", file, why, sizeof why) == OK)
			check(arena, d, value ? &v : NULL);
		else
			MUST(strncmp(why, "fuzz: ", 6) == 0 && strlen(why) > 10);
	}
	json_arena_free(arena);
	descriptions_free(d);
	return 0;
}
