/* A ZCL frame that decodes encodes to the same octets, reserved bits cleared; each record of a foundation command that is read writes
 * octets that read to the same. Reading always ends. */
#include <string.h>

#include "zigbee/zcl.h"
#include "../fuzz.h"

#define RESERVED 0xe0

static uint8_t buffer[2 * FUZZ_INPUT_MAX];

static void same_value(const struct zcl_value *a, const struct zcl_value *b)
{
	MUST(a->type == b->type && a->number == b->number && rd_equal(a->octets, b->octets));
}

static void reports(struct rd in)
{
	struct zcl_record r, again;
	size_t left = in.left;

	while (zcl_report_next(&in, &r)) {
		struct wr w = wr_of(buffer, sizeof buffer);
		struct rd out;

		MUST(in.left < left);
		left = in.left;
		zcl_report_put(&w, r.attribute, &r.value);
		MUST(wr_done(&w, &out) && zcl_report_next(&out, &again) && rd_end(&out) && again.attribute == r.attribute);
		same_value(&r.value, &again.value);
		(void)zcl_value_int(&r.value);
	}
	MUST(in.left == left); /* a record that is malformed takes nothing */
}

static void read_responses(struct rd in)
{
	struct zcl_record r, again;
	size_t left = in.left;

	while (zcl_read_response_next(&in, &r)) {
		struct wr w = wr_of(buffer, sizeof buffer);
		struct rd out;

		MUST(in.left < left);
		left = in.left;
		zcl_read_response_put(&w, r.attribute, r.status, &r.value);
		MUST(wr_done(&w, &out) && zcl_read_response_next(&out, &again) && rd_end(&out));
		MUST(again.attribute == r.attribute && again.status == r.status);
		if (r.status == ZCL_SUCCESS)
			same_value(&r.value, &again.value);
	}
	MUST(in.left == left);
}

static void configurations(struct rd in)
{
	struct zcl_record r, again;
	size_t left = in.left;

	while (zcl_configure_next(&in, &r)) {
		struct wr w = wr_of(buffer, sizeof buffer);
		struct rd out;

		MUST(in.left < left);
		left = in.left;
		if (r.direction != 0)
			continue;
		zcl_configure_put(&w, r.attribute, r.type, r.minimum_s, r.maximum_s, zcl_type_is_discrete(r.type) ? 0 : r.change.number);
		MUST(wr_done(&w, &out) && zcl_configure_next(&out, &again) && rd_end(&out));
		MUST(again.attribute == r.attribute && again.type == r.type && again.minimum_s == r.minimum_s && again.maximum_s == r.maximum_s);
		if (!zcl_type_is_discrete(r.type))
			MUST(again.change.number == r.change.number);
	}
	MUST(in.left == left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t clean[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_record r;
	struct zcl_frame f;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || zcl_decode(rd_of(data, size), &f) != OK)
		return 0;
	memcpy(clean, data, size);
	clean[0] &= (uint8_t)~RESERVED;
	MUST(zcl_encode(&f, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(clean, size)));
	reports(f.payload);
	read_responses(f.payload);
	configurations(f.payload);
	out = f.payload;
	for (size_t n = 0; zcl_read_next(&out, &r); n++)
		MUST(n < FUZZ_INPUT_MAX);
	MUST(out.left < 2);
	return 0;
}
