/* A line of CSV, or a label: what is taken is of the line or of the defaults, names a device, and is the same when it is written in quotes and read
 * again. */
#include <string.h>

#include "base/bytes.h"
#include "cli/device.h"
#include "../fuzz.h"

static bool within(struct rd part, struct rd whole)
{
	return part.at >= whole.at && part.at + part.left <= whole.at + whole.left;
}

static void quoted(struct wr *w, struct rd field)
{
	if (w->len > 0)
		wr_u8(w, ',');
	wr_u8(w, '"');
	wr_rd(w, field);
	wr_u8(w, '"');
}

static void again(const struct device_order *o, uint64_t eui64)
{
	struct device_order none = {.owner = rd_str("")}, second;
	uint8_t text[2 * FUZZ_INPUT_MAX];
	struct wr w = wr_of(text, sizeof text);
	uint64_t second_eui64;
	const char *why;
	struct rd line;

	quoted(&w, o->eui64);
	quoted(&w, o->code);
	quoted(&w, o->owner);
	quoted(&w, o->gateway);
	quoted(&w, o->application);
	MUST(wr_done(&w, &line));
	if (memchr(o->owner.at, ',', o->owner.left) || memchr(o->code.at, ',', o->code.left) || memchr(o->gateway.at, ',', o->gateway.left))
		return; /* of a label, or of a line with ';' between */
	MUST(device_csv_line(line, false, &none, &second, &second_eui64, &why) == DEVICE_CSV_DEVICE && second_eui64 == eui64);
	MUST(rd_equal(o->code, second.code) && rd_equal(o->owner, second.owner) && rd_equal(o->gateway, second.gateway));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct device_order defaults = {.owner = rd_str("/id-b"), .gateway = rd_str("gw1"), .application = rd_str("default")};
	struct rd line = rd_of(data, size);
	struct device_order o;
	const char *why = NULL;
	uint64_t eui64, parsed;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	for (int first = 0; first < 2; first++) {
		switch (device_csv_line(line, first, &defaults, &o, &eui64, &why)) {
		case DEVICE_CSV_NOTHING:
			break;
		case DEVICE_CSV_WRONG:
			MUST(why && why[0]);
			break;
		case DEVICE_CSV_DEVICE:
			MUST(eui64_parse(o.eui64, &parsed) && parsed == eui64 && within(o.eui64, line) && within(o.code, line));
			MUST(rd_equal(o.owner, defaults.owner) || within(o.owner, line));
			again(&o, eui64);
			break;
		}
	}
	if (device_label(line, &o))
		MUST(within(o.eui64, line) && within(o.code, line));
	return 0;
}
