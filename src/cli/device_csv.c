/* A line of a CSV file of devices, pure. */
#include <ctype.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/device.h"

#define FIELDS 5

/* Spreadsheets put ';' where ',' is the decimal mark. */
static size_t split(struct rd line, struct rd fields[static FIELDS])
{
	struct rd probe = line, ignored;
	char mark = rd_until(&probe, ',', &ignored) ? ',' : ';';
	size_t n = 0;

	while (n < FIELDS) {
		struct rd field;
		bool more = rd_until(&line, mark, &field);

		field = text_trim(more ? field : rd_rest(&line));
		if (field.left >= 2 && field.at[0] == '"' && field.at[field.left - 1] == '"')
			field = rd_of(field.at + 1, field.left - 2);
		fields[n++] = field;
		if (!more)
			break;
	}
	return n;
}

/* A heading is words; an EUI-64 with a typing error still has digits enough to be told from one. */
static bool is_heading(struct rd field)
{
	unsigned digits = 0;
	uint8_t c;

	while (rd_u8(&field, &c))
		digits += isdigit(c) != 0;
	return digits < 4;
}

/* The fields behind the code; empty ones stay as they are. */
static void names(const struct rd fields[static FIELDS], size_t n, struct device_order *o)
{
	if (n > 2 && fields[2].left > 0)
		o->owner = fields[2];
	if (n > 3 && fields[3].left > 0)
		o->gateway = fields[3];
	if (n > 4 && fields[4].left > 0)
		o->application = fields[4];
}

enum device_csv device_csv_line(struct rd line, bool first, const struct device_order *defaults, struct device_order *o, uint64_t *eui64, const char **why)
{
	struct rd text = text_trim(line), f[FIELDS];
	size_t n;

	*o = *defaults;
	if (text.left == 0 || text.at[0] == '#')
		return DEVICE_CSV_NOTHING;
	n = split(text, f);
	if (first && is_heading(f[0]))
		return DEVICE_CSV_NOTHING;
	if (rd_starts(f[0], "Z:")) {
		*why = "no label text Z:<eui64>$I:<install code>";
		if (!device_label(f[0], o))
			return DEVICE_CSV_WRONG;
	} else {
		*why = "an install code is missing: a line is eui64,install code[,owner[,gateway[,application]]]";
		if (n < 2 || f[1].left == 0)
			return DEVICE_CSV_WRONG;
		o->eui64 = f[0];
		o->code = f[1];
	}
	names(f, n, o);
	*why = "the first field is no EUI-64 of 16 hexadecimal digits";
	return eui64_parse(o->eui64, eui64) ? DEVICE_CSV_DEVICE : DEVICE_CSV_WRONG;
}
