/* `keyway device`: the registry of Zigbee devices, at the MEF's administration socket. */
#include "cli/device.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crc.h"

#define LINE_MAX_OCTETS 1024

static const char usage[] =
    "usage: keyway device add EUI64 INSTALL-CODE [--owner CSE-ID] [--gateway NAME] [--application NAME]\n"
    "       keyway device add 'Z:<eui64>$I:<install code>' ...      text of the QR label\n"
    "       keyway device import FILE.csv [--owner ...] [--gateway ...] [--application ...]\n"
    "       keyway device list | show EUI64 | remove EUI64 | rotate EUI64\n"
    "       keyway device replace OLD-EUI64 NEW-EUI64 INSTALL-CODE  a device of the same role, which gets the old one's resources\n"
    "       keyway device move EUI64 GATEWAY                        it joins there from now on\n\n"
    "EUI-64 and install code are hexadecimal, with or without ' ', ':' and '-' between. The install code ends with its CRC, as printed on the label;\n"
    "INSTALL-CODE `-` reads it from standard input, so that it is in no process list. A CSV line is: eui64,install code[,owner[,gateway[,application]]]\n"
    "(or ';' between), or the text of a label; empty lines, lines that begin with # and a heading are skipped. FILE.csv `-` is standard input.\n"
    "Import registers all devices of the file or, when a line is wrong, none.\n\n"
    "  --owner CSE-ID      node B, which alone may talk to the device (default /id-b)\n"
    "  --gateway NAME      gateway that it joins through (default gw1)\n"
    "  --application NAME  application group (default `default`)\n"
    "  --plant DIR         the plant (default $KEYWAY_PLANT, or `plant`)\n"
    "  --json              the answer as one JSON object\n"
    "\nExamples:\n"
    "  keyway device add 'Z:00124B0001020304$I:83FED3407A939723A5C639B26916D505C3B5'\n"
    "  keyway device import labels.csv --application pumps\n"
    "  keyway device show 00124b0001020304 --json\n";

void device_random_code(struct rng *rng, char code[static HEX_SIZE(18)])
{
	uint8_t octets[18];
	uint16_t crc;

	rng_fill(rng, octets, 16);
	crc = crc16_x25(octets, 16);
	octets[16] = (uint8_t)crc;
	octets[17] = (uint8_t)(crc >> 8);
	hex_print(code, octets, sizeof octets);
	bytes_wipe(octets, sizeof octets);
}

struct rd text_trim(struct rd r)
{
	while (r.left > 0 && isspace(r.at[0]))
		if (!rd_skip(&r, 1))
			break;
	while (r.left > 0 && isspace(r.at[r.left - 1]))
		r.left--;
	return r;
}

bool device_label(struct rd label, struct device_order *o)
{
	bool have_z = false, have_i = false;
	struct rd part;

	while (label.left > 0) {
		if (!rd_until(&label, '$', &part) && !rd_until(&label, '%', &part))
			part = rd_rest(&label);
		if (rd_starts(part, "Z:") && rd_skip(&part, 2)) {
			o->eui64 = text_trim(part);
			have_z = true;
		} else if (rd_starts(part, "I:") && rd_skip(&part, 2)) {
			o->code = text_trim(part);
			have_i = o->code.left > 0;
		}
	}
	return have_z && have_i;
}

static void order_put(struct wr *w, const char *cmd, const struct device_order *o)
{
	struct json_out out = json_out(w);

	json_object(&out, NULL);
	json_put_string(&out, "cmd", cmd);
	json_put_rd(&out, "device", o->eui64);
	json_put_rd(&out, "code", o->code);
	json_put_rd(&out, "owner", o->owner);
	json_put_rd(&out, "gateway", o->gateway);
	json_put_rd(&out, "application", o->application);
	json_close(&out);
}

bool device_ask(const struct plant *p, const char *cmd, const struct device_order *o, struct admin_answer *a)
{
	struct wr w = wr_new(LINE_MAX_OCTETS * 8);
	struct rd request;
	bool ok;

	order_put(&w, cmd, o);
	ok = wr_done(&w, &request) && admin_ask(p->admin_socket, request, a);
	wr_free(&w); /* and wipes it */
	return ok;
}

/* ---- add ---- */

static int add(const struct plant *p, const struct device_order *o, bool json)
{
	struct wr w = wr_new(LINE_MAX_OCTETS * 8);
	char eui64[64], owner[128], gateway[128];
	struct admin_answer a;
	const struct json *d;

	order_put(&w, "device.add", o);
	if (!plant_ask(p, &w, &a))
		return CLI_FAILED;
	d = json_get(a.doc, "device");
	if (json)
		cli_print_json(a.doc->source);
	else if (json_text(json_get(d, "eui64"), eui64, sizeof eui64) && json_text(json_get(d, "owner"), owner, sizeof owner) &&
	    json_text(json_get(d, "gateway"), gateway, sizeof gateway))
		printf("device %s registered: owner %s, gateway %s\n", eui64, owner, gateway);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int add_named(const struct plant *p, const char *eui64, const char *code, struct device_order *o, bool json)
{
	char line[LINE_MAX_OCTETS] = "";
	int r;

	if (strcmp(code, "-") == 0 && !fgets(line, sizeof line, stdin))
		return cli_fail("no install code on standard input");
	o->eui64 = text_trim(rd_str(eui64));
	o->code = text_trim(rd_str(line[0] ? line : code));
	r = add(p, o, json);
	bytes_wipe(line, sizeof line);
	return r;
}

static int add_label(const struct plant *p, const char *label, struct device_order *o, bool json)
{
	if (!device_label(rd_str(label), o))
		return cli_misuse(usage, "that is no label text Z:<eui64>$I:<install code>; otherwise give EUI-64 and install code"); /* a secret may be in it */
	return add(p, o, json);
}

/* ---- list, show, remove ---- */

static const char *text_of(const struct json *v, const char *name, char *buffer, size_t size)
{
	return json_text(json_get(v, name), buffer, size) ? buffer : "-";
}

static int by_eui64(const void *x, const void *y)
{
	const struct json *const *a = x, *const *b = y;
	char one[64], other[64];

	return strcmp(text_of(*a, "eui64", one, sizeof one), text_of(*b, "eui64", other, sizeof other));
}

static void print_line(const struct json *d)
{
	char a[64], b[64], c[128], e[128], f[256];
	const char *state = text_of(d, "state", b, sizeof b);

	printf("%-16s  %s%-10s%s  %-8s  %-8s  %s\n", text_of(d, "eui64", a, sizeof a),
	    style(strcmp(state, "verified") == 0 ? STYLE_GREEN : strcmp(state, "failed") == 0 ? STYLE_RED : STYLE_YELLOW), state, style(STYLE_PLAIN),
	    text_of(d, "owner", c, sizeof c), text_of(d, "gateway", e, sizeof e), text_of(d, "reason", f, sizeof f));
}

static void print_list(const struct json *list)
{
	const struct json **sorted = list && list->count ? calloc(list->count, sizeof *sorted) : NULL;
	size_t n = 0;

	for (const struct json *d = sorted ? list->first : NULL; d; d = d->next)
		sorted[n++] = d;
	if (n == 0) {
		printf("no device is registered; `keyway device add` registers one\n");
	} else {
		qsort(sorted, n, sizeof *sorted, by_eui64);
		printf("%sEUI-64            state       owner     gateway   remark%s\n", style(STYLE_BOLD), style(STYLE_PLAIN));
		for (size_t i = 0; i < n; i++)
			print_line(sorted[i]);
	}
	free(sorted);
}

int device_list(const struct plant *p, bool json)
{
	struct wr w = wr_new(256);
	struct admin_answer a;

	wr_str(&w, "{\"cmd\":\"device.list\"}");
	if (!plant_ask(p, &w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else
		print_list(json_get(a.doc, "devices"));
	admin_answer_clear(&a);
	return CLI_OK;
}

static void print_member(const struct json *m)
{
	struct rd text = m->type == JSON_STRING || m->type == JSON_NUMBER ? m->text : m->source;
	char when[32];
	uint64_t n;
	time_t t;
	struct tm tm;

	if (text.left == 0)
		return;
	printf("%-14.*s ", (int)m->key.left, (const char *)m->key.at);
	if ((rd_is(m->key, "registered_at") || rd_is(m->key, "last_event_at")) && json_uint(m, &n)) {
		t = (time_t)n;
		if (n == 0 || !gmtime_r(&t, &tm) || strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
			snprintf(when, sizeof when, "never");
		printf("%s\n", when);
	} else if (rd_is(m->key, "short") && json_uint(m, &n)) {
		printf("0x%04x\n", (unsigned)n);
	} else {
		printf("%.*s\n", (int)text.left, (const char *)text.at);
	}
}

/* "device.show", and what is done with one device: its outcome is in a word. */
static int one(const struct plant *p, const char *cmd, const char *eui64, const char *done, bool json)
{
	struct wr w = wr_new(1024);
	struct json_out o = json_out(&w);
	struct admin_answer a;
	const struct json *d;

	json_object(&o, NULL);
	json_put_string(&o, "cmd", cmd);
	json_put_rd(&o, "device", text_trim(rd_str(eui64)));
	json_close(&o);
	if (!plant_ask(p, &w, &a))
		return CLI_FAILED;
	d = json_get(a.doc, "device");
	if (json)
		cli_print_json(a.doc->source);
	else if (!d)
		printf("device %s %s\n", eui64, done);
	for (const struct json *m = d && !json ? d->first : NULL; m; m = m->next)
		print_member(m);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int answered(const struct plant *p, struct wr *w, const char *format, const char *what, bool json)
{
	struct admin_answer a;

	if (!plant_ask(p, w, &a))
		return CLI_FAILED;
	if (json)
		cli_print_json(a.doc->source);
	else
		printf("device %s %s\n", what, format);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int replace(const struct plant *p, const char *former, const char *eui64, const char *code, bool json)
{
	struct wr w = wr_new(LINE_MAX_OCTETS * 4);
	struct json_out o = json_out(&w);
	char line[LINE_MAX_OCTETS] = "";
	int r;

	if (strcmp(code, "-") == 0 && !fgets(line, sizeof line, stdin))
		return cli_fail("no install code on standard input");
	json_object(&o, NULL);
	json_put_string(&o, "cmd", "device.replace");
	json_put_rd(&o, "device", text_trim(rd_str(former)));
	json_put_rd(&o, "by", text_trim(rd_str(eui64)));
	json_put_rd(&o, "code", text_trim(rd_str(line[0] ? line : code)));
	json_close(&o);
	bytes_wipe(line, sizeof line);
	r = answered(p, &w, "registered in the place of the former one, which is removed; `keyway permit` lets it join", eui64, json);
	return r;
}

static int move(const struct plant *p, const char *eui64, const char *gateway, bool json)
{
	struct wr w = wr_new(LINE_MAX_OCTETS);
	struct json_out o = json_out(&w);

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "device.move");
	json_put_rd(&o, "device", text_trim(rd_str(eui64)));
	json_put_rd(&o, "gateway", text_trim(rd_str(gateway)));
	json_close(&o);
	return answered(p, &w, "is told to leave its gateway; `keyway permit` lets it join at the other", eui64, json);
}

/* ---- the command ---- */

static const struct {
	const char *name;
	int least, most;
} verbs[] = {
	{"add", 1, 2},
	{"import", 1, 1},
	{"list", 0, 0},
	{"show", 1, 1},
	{"remove", 1, 1},
	{"rotate", 1, 1},
	{"replace", 3, 3},
	{"move", 2, 2},
};

static int check(int argc, char **argv)
{
	int r = cli_operands(usage, argc, argv, 1, CLI_MANY);

	if (r != CLI_OK)
		return r;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return cli_operands(usage, argc - 1, argv + 1, verbs[i].least, verbs[i].most);
	return cli_misuse(usage, "there is no `device %s`", argv[1]);
}

static int act(const struct plant *p, int argc, char **argv, struct device_order *o, bool json)
{
	if (strcmp(argv[1], "add") == 0)
		return argc == 3 ? add_label(p, argv[2], o, json) : add_named(p, argv[2], argv[3], o, json);
	if (strcmp(argv[1], "import") == 0)
		return device_import(p, argv[2], o, json);
	if (strcmp(argv[1], "list") == 0)
		return device_list(p, json);
	if (strcmp(argv[1], "show") == 0)
		return one(p, "device.show", argv[2], "", json);
	if (strcmp(argv[1], "replace") == 0)
		return replace(p, argv[2], argv[3], argv[4], json);
	if (strcmp(argv[1], "move") == 0)
		return move(p, argv[2], argv[3], json);
	if (strcmp(argv[1], "rotate") == 0)
		return one(p, "device.rotate", argv[2], "gets a new network key; `keyway device show` tells when it uses it", json);
	return one(p, "device.remove", argv[2], "removed", json);
}

int device_command_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant"), *owner = cli_option(&argc, argv, "--owner");
	const char *gateway = cli_option(&argc, argv, "--gateway"), *application = cli_option(&argc, argv, "--application");
	struct device_order o = {
		.owner = rd_str(owner ? owner : "/id-b"),
		.gateway = rd_str(gateway ? gateway : "gw1"),
		.application = rd_str(application ? application : "default"),
	};
	struct plant p;
	int r;

	if (help)
		return cli_help(usage);
	r = check(argc, argv);
	if (r != CLI_OK)
		return r;
	return plant_open(dir, &p) ? act(&p, argc, argv, &o, json) : CLI_FAILED;
}
