/* `keyway device import`. Every line is checked, by us and by the MEF, before the first device is registered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/device.h"

#define FILE_MAX (16 * 1024 * 1024)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct line {
	unsigned number;
	uint64_t eui64;
	struct device_order order;
};

struct import {
	const struct plant *plant;
	const char *path;
	struct rd text;
	struct line *lines;
	size_t count, wrong, added;
	bool json;
	struct wr errors; /* JSON array elements */
	struct json_out out;
};

static void complain(struct import *im, unsigned number, const char *why)
{
	im->wrong++;
	if (im->json) {
		json_object(&im->out, NULL);
		json_put_uint(&im->out, "line", number);
		json_put_string(&im->out, "error", why);
		json_close(&im->out);
	}
	fprintf(stderr, "%s:%u: %s\n", im->path, number, why);
}

/* ---- reading ---- */

static bool read_all(FILE *f, struct wr *w)
{
	char octets[4096];
	size_t n;

	while ((n = fread(octets, 1, sizeof octets, f)) > 0)
		wr_copy(w, octets, n);
	bytes_wipe(octets, sizeof octets);
	return !ferror(f) && !w->spoilt;
}

static void take_line(struct import *im, unsigned number, struct rd text, const struct device_order *defaults)
{
	struct line *l = &im->lines[im->count];
	const char *why;

	*l = (struct line){.number = number};
	switch (device_csv_line(text, number == 1, defaults, &l->order, &l->eui64, &why)) {
	case DEVICE_CSV_NOTHING:
		break;
	case DEVICE_CSV_DEVICE:
		im->count++;
		break;
	case DEVICE_CSV_WRONG:
		complain(im, number, why);
		break;
	}
}

static bool take_lines(struct import *im, const struct device_order *defaults)
{
	struct rd rest = im->text, probe = im->text, line;
	unsigned number = 0;
	size_t lines = 1;
	uint8_t c;

	while (rd_u8(&probe, &c))
		lines += c == '\n';
	im->lines = calloc(lines, sizeof *im->lines);
	if (!im->lines)
		return false;
	if (rd_starts(rest, BYTE_ORDER_MARK) && !rd_skip(&rest, sizeof BYTE_ORDER_MARK - 1))
		return false;
	while (rest.left > 0) {
		if (!rd_until(&rest, '\n', &line))
			line = rd_rest(&rest);
		take_line(im, ++number, line, defaults);
	}
	return true;
}

/* ---- checking and registering ---- */

static int by_eui64(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	if (a->eui64 != b->eui64)
		return a->eui64 < b->eui64 ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static int by_number(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void check_twice(struct import *im)
{
	char why[96];

	if (im->count == 0)
		return;
	qsort(im->lines, im->count, sizeof *im->lines, by_eui64);
	for (size_t i = 1; i < im->count; i++) {
		if (im->lines[i].eui64 != im->lines[i - 1].eui64)
			continue;
		snprintf(why, sizeof why, "device %016llx stands in line %u already", (unsigned long long)im->lines[i].eui64, im->lines[i - 1].number);
		complain(im, im->lines[i].number, why);
	}
	qsort(im->lines, im->count, sizeof *im->lines, by_number);
}

/* False: the MEF does not answer. */
static bool each(struct import *im, const char *cmd, bool stop_at_error, size_t *good)
{
	for (size_t i = 0; i < im->count; i++) {
		struct admin_answer a;

		if (!device_ask(im->plant, cmd, &im->lines[i].order, &a))
			return false;
		if (a.ok)
			(*good)++;
		else
			complain(im, im->lines[i].number, a.error);
		admin_answer_clear(&a);
		if (im->wrong > 0 && stop_at_error)
			break;
	}
	return true;
}

static int report(struct import *im)
{
	struct wr w = wr_new(FILE_MAX);
	struct json_out o = json_out(&w);
	struct rd errors, text;

	json_close(&im->out);
	if (im->json && wr_done(&im->errors, &errors)) {
		json_object(&o, NULL);
		json_put_bool(&o, "ok", im->wrong == 0);
		json_put_uint(&o, "added", im->added);
		json_put_raw(&o, "errors", errors);
		json_close(&o);
		if (wr_done(&w, &text))
			cli_print_json(text);
	} else if (im->wrong == 0) {
		printf("%zu device%s registered\n", im->added, im->added == 1 ? "" : "s");
	}
	wr_free(&w);
	if (im->wrong > 0 && im->added == 0)
		return cli_fail("nothing was registered: %zu of the lines of %s cannot be", im->wrong, im->path);
	return im->wrong > 0 ? cli_fail("%zu devices were registered before the line that failed", im->added) : CLI_OK;
}

static int import(struct import *im, const struct device_order *defaults)
{
	size_t good = 0;

	if (!take_lines(im, defaults))
		return cli_fail("out of memory");
	check_twice(im);
	if (im->count == 0 && im->wrong == 0)
		return cli_fail("%s holds no device", im->path);
	if (!each(im, "device.check", false, &good) || (im->wrong == 0 && !each(im, "device.add", true, &im->added)))
		return cli_fail("the MEF does not answer on %s; %zu devices were registered", im->plant->admin_socket, im->added);
	return report(im);
}

int device_import(const struct plant *p, const char *path, const struct device_order *defaults, bool json)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct import im = {.plant = p, .path = standard_input ? "standard input" : path, .json = json, .errors = wr_new(FILE_MAX)};
	struct wr w = wr_new(FILE_MAX);
	FILE *f = standard_input ? stdin : fopen(path, "r");
	int r;

	im.out = json_out(&im.errors);
	json_array(&im.out, NULL);
	if (!f)
		r = cli_fail("%s cannot be read: %s", path, strerror(errno));
	else if (!read_all(f, &w))
		r = cli_fail("%s cannot be read, or is longer than %d MB", im.path, FILE_MAX / 1024 / 1024);
	else if (!wr_done(&w, &im.text))
		r = cli_fail("out of memory");
	else
		r = import(&im, defaults);
	if (f && !standard_input)
		fclose(f);
	wr_free(&w); /* and wipes it: install codes were in it */
	wr_free(&im.errors);
	free(im.lines);
	return r;
}
