/* `keyway device`, `keyway gateway`, `keyway permit`, `keyway status`: the operator's side of the MEF's administration socket. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "cli/cli.h"

#define LINE_MAX_OCTETS 1024

static const char device_usage[] =
    "usage: keyway device add EUI64 INSTALL-CODE [--owner CSE-ID] [--gateway NAME] [--application NAME]\n"
    "       keyway device add 'Z:<eui64>$I:<install code>' ...      text of the QR label\n"
    "       keyway device import FILE.csv [--owner ...] [--gateway ...]\n"
    "       keyway device list | show EUI64 | remove EUI64\n\n"
    "EUI-64 and install code are hexadecimal, with or without ' ', ':' and '-' between. The install code ends with its CRC, as printed on the label;\n"
    "INSTALL-CODE `-` reads it from standard input, so that it is in no process list. A CSV line is: eui64,install code[,owner[,gateway[,application]]];\n"
    "lines that begin with # and a heading line are skipped.\n\n"
    "  --owner CSE-ID      node B, which alone may talk to the device (default /id-b)\n"
    "  --gateway NAME      gateway that it joins through (default gw1)\n"
    "  --application NAME  application group (default `default`)\n"
    "  --plant DIR, --json\n";
static const char gateway_usage[] =
    "usage: keyway gateway add NAME [--eui64 EUI64] [--relay RESOURCE] [--identity NAME]\n"
    "       keyway gateway list\n\n"
    "What is not given is taken from the plant's configuration.\n"
    "  --relay RESOURCE  IPE-NI's AE, such as /id-mn/cse-mn/gw1\n"
    "  --identity NAME   its certificate identity, or PSK identity\n"
    "  --plant DIR, --json\n";
static const char permit_usage[] =
    "usage: keyway permit GATEWAY SECONDS [EUI64...] [--plant DIR] [--json]\n\n"
    "Opens joining at a gateway, for the devices that are named, or for all that are registered there. 0 closes; 65535: until changed.\n";
static const char status_usage[] = "usage: keyway status [--plant DIR] [--json]\n";

struct registration {
	const char *owner, *gateway, *application;
};

/* Asks the MEF; prints the error. */
static bool ask(const struct plant *p, struct wr *w, struct admin_answer *a)
{
	struct rd request;
	bool ok = wr_done(w, &request) && admin_ask(p->admin_socket, request, a);

	if (w->octets)
		bytes_wipe(w->octets, w->len);
	wr_free(w);
	if (!ok) {
		cli_fail("the MEF does not answer on %s; is keyway-mef running, and may you read that socket?", p->admin_socket);
		return false;
	}
	if (!a->ok) {
		cli_fail("%s", a->error);
		admin_answer_clear(a);
		return false;
	}
	return true;
}

static int print_json(const struct admin_answer *a)
{
	printf("%.*s\n", (int)a->doc->source.left, (const char *)a->doc->source.at);
	return CLI_OK;
}

static struct rd trim(struct rd r)
{
	while (r.left > 0 && isspace(r.at[0]))
		if (!rd_skip(&r, 1))
			break;
	while (r.left > 0 && isspace(r.at[r.left - 1]))
		r.left--;
	return r;
}

/* "Z:<eui64>$I:<install code>": its two parts; other parts that labels carry ($M:..., $D:...) are skipped. */
static bool parse_label(struct rd label, struct rd *eui64, struct rd *code)
{
	struct rd part;
	bool have_z = false, have_i = false;

	while (label.left > 0) {
		if (!rd_until(&label, '$', &part) && !rd_until(&label, '%', &part))
			part = rd_rest(&label);
		if (rd_starts(part, "Z:") && rd_skip(&part, 2)) {
			*eui64 = part;
			have_z = true;
		} else if (rd_starts(part, "I:") && rd_skip(&part, 2)) {
			*code = part;
			have_i = true;
		}
	}
	return have_z && have_i;
}

static bool add_device(const struct plant *p, struct rd eui64, struct rd code, const struct registration *reg, bool json)
{
	struct wr w = wr_new(LINE_MAX_OCTETS * 4);
	struct json_out o = json_out(&w);
	struct admin_answer a;

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "device.add");
	json_put_rd(&o, "device", trim(eui64));
	json_put_rd(&o, "code", trim(code));
	json_put_string(&o, "owner", reg->owner);
	json_put_string(&o, "gateway", reg->gateway);
	json_put_string(&o, "application", reg->application);
	json_close(&o);
	if (!ask(p, &w, &a))
		return false;
	if (json)
		print_json(&a);
	else
		printf("device %.*s registered: owner %s, gateway %s\n", (int)trim(eui64).left, (const char *)trim(eui64).at, reg->owner, reg->gateway);
	admin_answer_clear(&a);
	return true;
}

static int device_add(const struct plant *p, int argc, char **argv, const struct registration *reg, bool json)
{
	char line[LINE_MAX_OCTETS];
	struct rd eui64, code;
	bool ok;

	if (argc == 1) {
		if (!parse_label(rd_str(argv[0]), &eui64, &code))
			return cli_fail("`%s` is no label text; it looks like Z:<eui64>$I:<install code>", argv[0]);
		return add_device(p, eui64, code, reg, json) ? CLI_OK : CLI_FAILED;
	}
	code = rd_str(argv[1]);
	if (strcmp(argv[1], "-") == 0) {
		if (!fgets(line, sizeof line, stdin))
			return cli_fail("no install code on standard input");
		code = rd_str(line);
	}
	ok = add_device(p, rd_str(argv[0]), code, reg, json);
	bytes_wipe(line, sizeof line);
	return ok ? CLI_OK : CLI_FAILED;
}

/* One CSV line; fields may be in double quotes. Returns how many fields there are. */
static size_t split_csv(struct rd line, struct rd *fields, size_t max)
{
	size_t n = 0;

	while (n < max) {
		struct rd field;

		if (!rd_until(&line, ',', &field)) {
			fields[n++] = trim(rd_rest(&line));
			break;
		}
		fields[n++] = trim(field);
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].left >= 2 && fields[i].at[0] == '"' && fields[i].at[fields[i].left - 1] == '"')
			fields[i] = rd_of(fields[i].at + 1, fields[i].left - 2);
	return n;
}

static bool import_line(const struct plant *p, struct rd line, const struct registration *defaults, bool json, const char **why)
{
	char owner[128], gateway[128], application[128];
	struct registration reg = *defaults;
	struct rd f[5];
	size_t n = split_csv(line, f, 5);

	*why = NULL;
	if (rd_starts(f[0], "Z:")) {
		struct rd eui64, code;

		if (!parse_label(f[0], &eui64, &code)) {
			*why = "no label text Z:<eui64>$I:<install code>";
			return false;
		}
		return add_device(p, eui64, code, &reg, json);
	}
	if (n < 2) {
		*why = "needs eui64,install code";
		return false;
	}
	if (n > 2 && f[2].left && rd_text(f[2], owner, sizeof owner))
		reg.owner = owner;
	if (n > 3 && f[3].left && rd_text(f[3], gateway, sizeof gateway))
		reg.gateway = gateway;
	if (n > 4 && f[4].left && rd_text(f[4], application, sizeof application))
		reg.application = application;
	return add_device(p, f[0], f[1], &reg, json);
}

static int device_import(const struct plant *p, const char *path, const struct registration *reg, bool json)
{
	FILE *f = fopen(path, "r");
	unsigned number = 0, added = 0, failed = 0;
	char line[LINE_MAX_OCTETS];

	if (!f)
		return cli_fail("%s cannot be read", path);
	while (fgets(line, sizeof line, f)) {
		struct rd text = trim(rd_str(line));
		const char *why;
		uint64_t eui64;
		struct rd field;

		number++;
		if (text.left == 0 || text.at[0] == '#')
			continue;
		split_csv(text, &field, 1);
		if (number == 1 && !eui64_parse(field, &eui64) && !rd_starts(field, "Z:"))
			continue; /* heading */
		if (import_line(p, text, reg, json, &why)) {
			added++;
			continue;
		}
		failed++;
		fprintf(stderr, "%s:%u: not added%s%s\n", path, number, why ? ": " : "", why ? why : "");
	}
	bytes_wipe(line, sizeof line);
	fclose(f);
	if (!json)
		printf("%u devices added, %u failed\n", added, failed);
	return failed ? CLI_FAILED : CLI_OK;
}

static const char *text_of(const struct json *v, const char *name, char *buffer, size_t size)
{
	const struct json *m = json_get(v, name);

	if (m && m->type == JSON_NUMBER && rd_text(m->text, buffer, size))
		return buffer;
	return json_text(m, buffer, size) ? buffer : "-";
}

static void print_device_line(const struct json *d)
{
	char a[64], b[64], c[64], e[64], f[256];
	const char *state = text_of(d, "state", b, sizeof b);

	printf("%-16s  %s%-10s%s  %-8s  %-8s  %s\n", text_of(d, "eui64", a, sizeof a),
	    style(strcmp(state, "verified") == 0 ? STYLE_GREEN : strcmp(state, "failed") == 0 ? STYLE_RED : STYLE_YELLOW), state, style(STYLE_PLAIN),
	    text_of(d, "owner", c, sizeof c), text_of(d, "gateway", e, sizeof e), text_of(d, "reason", f, sizeof f));
}

static int device_list(const struct plant *p, bool json)
{
	struct wr w = wr_new(256);
	struct admin_answer a;
	const struct json *list;

	wr_str(&w, "{\"cmd\":\"device.list\"}");
	if (!ask(p, &w, &a))
		return CLI_FAILED;
	list = json_get(a.doc, "devices");
	if (json) {
		print_json(&a);
	} else {
		printf("%sEUI-64            state       owner     gateway   remark%s\n", style(STYLE_BOLD), style(STYLE_PLAIN));
		for (const struct json *d = list ? list->first : NULL; d; d = d->next)
			print_device_line(d);
	}
	admin_answer_clear(&a);
	return CLI_OK;
}

static int device_one(const struct plant *p, const char *cmd, const char *eui64, bool json)
{
	struct wr w = wr_new(1024);
	struct json_out o = json_out(&w);
	struct admin_answer a;
	const struct json *d;

	json_object(&o, NULL);
	json_put_string(&o, "cmd", cmd);
	json_put_string(&o, "device", eui64);
	json_close(&o);
	if (!ask(p, &w, &a))
		return CLI_FAILED;
	d = json_get(a.doc, "device");
	if (json || !d || d->type != JSON_OBJECT) {
		if (json)
			print_json(&a);
		else
			printf("done\n");
	} else {
		for (const struct json *m = d->first; m; m = m->next)
			printf("%-14.*s %.*s\n", (int)m->key.left, (const char *)m->key.at, (int)(m->text.left ? m->text.left : m->source.left),
			    (const char *)(m->text.left ? m->text.at : m->source.at));
	}
	admin_answer_clear(&a);
	return CLI_OK;
}

int device_command_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	struct registration reg = {.owner = "/id-b", .gateway = "gw1", .application = "default"};
	const char *owner = cli_option(&argc, argv, "--owner"), *gateway = cli_option(&argc, argv, "--gateway");
	const char *application = cli_option(&argc, argv, "--application");
	const char *verb = argc > 1 ? argv[1] : "";
	struct plant p;

	if (owner)
		reg.owner = owner;
	if (gateway)
		reg.gateway = gateway;
	if (application)
		reg.application = application;
	if (help || cli_leftover(argc, argv) || argc < 2)
		return cli_usage(device_usage, help);
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	if (strcmp(verb, "add") == 0 && (argc == 3 || argc == 4))
		return device_add(&p, argc - 2, argv + 2, &reg, json);
	if (strcmp(verb, "import") == 0 && argc == 3)
		return device_import(&p, argv[2], &reg, json);
	if (strcmp(verb, "list") == 0 && argc == 2)
		return device_list(&p, json);
	if (strcmp(verb, "show") == 0 && argc == 3)
		return device_one(&p, "device.show", argv[2], json);
	if (strcmp(verb, "remove") == 0 && argc == 3)
		return device_one(&p, "device.remove", argv[2], json);
	return cli_usage(device_usage, false);
}

/* What plant.json says of a gateway. */
static bool planned(const struct plant *p, const char *name, const char *member, char *value, size_t size)
{
	char path[PLANT_PATH + 16], text[16384];
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *list;
	bool found = false;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/plant.json", p->dir);
	f = fopen(path, "r");
	if (f) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
	}
	if (arena && n > 0 && json_parse(arena, rd_of(text, n), NULL, &doc) == OK) {
		list = json_get(doc, "gateways");
		for (const struct json *g = list ? list->first : NULL; g && !found; g = g->next)
			found = json_is_string(json_get(g, "name"), name) && json_text(json_get(g, member), value, size);
	}
	json_arena_free(arena);
	return found;
}

static int gateway_add(const struct plant *p, const char *name, const char *const given[3], bool json)
{
	static const char *const members[] = {"eui64", "relay", "identity"};
	struct wr w = wr_new(2048);
	struct json_out o = json_out(&w);
	struct admin_answer a;

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "gateway.add");
	json_put_string(&o, "name", name);
	for (size_t i = 0; i < 3; i++) {
		char value[256];

		if (!given[i] && !planned(p, name, members[i], value, sizeof value)) {
			wr_free(&w);
			return cli_fail("the plant knows no gateway `%s`: give --%s", name, members[i]);
		}
		json_put_string(&o, members[i], given[i] ? given[i] : value);
	}
	json_close(&o);
	if (!ask(p, &w, &a))
		return CLI_FAILED;
	if (json)
		print_json(&a);
	else
		printf("gateway %s registered\n", name);
	admin_answer_clear(&a);
	return CLI_OK;
}

static int gateway_list(const struct plant *p, bool json)
{
	struct wr w = wr_new(256);
	struct admin_answer a;
	const struct json *list;

	wr_str(&w, "{\"cmd\":\"gateway.list\"}");
	if (!ask(p, &w, &a))
		return CLI_FAILED;
	list = json_get(a.doc, "gateways");
	if (json) {
		print_json(&a);
	} else {
		printf("%sname      EUI-64            connected  relay%s\n", style(STYLE_BOLD), style(STYLE_PLAIN));
		for (const struct json *g = list ? list->first : NULL; g; g = g->next) {
			char n[64], e[64], r[128];
			bool connected = false;

			if (!json_bool(json_get(g, "connected"), &connected))
				connected = false;
			printf("%-8s  %-16s  %s%-9s%s  %s\n", text_of(g, "name", n, sizeof n), text_of(g, "eui64", e, sizeof e),
			    style(connected ? STYLE_GREEN : STYLE_RED), connected ? "yes" : "no", style(STYLE_PLAIN), text_of(g, "relay", r, sizeof r));
		}
	}
	admin_answer_clear(&a);
	return CLI_OK;
}

int gateway_command_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	const char *given[3];
	struct plant p;

	given[0] = cli_option(&argc, argv, "--eui64");
	given[1] = cli_option(&argc, argv, "--relay");
	given[2] = cli_option(&argc, argv, "--identity");
	if (help || cli_leftover(argc, argv) || argc < 2)
		return cli_usage(gateway_usage, help);
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	if (strcmp(argv[1], "add") == 0 && argc == 3)
		return gateway_add(&p, argv[2], given, json);
	if (strcmp(argv[1], "list") == 0 && argc == 2)
		return gateway_list(&p, json);
	return cli_usage(gateway_usage, false);
}

int permit_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	struct wr w = wr_new(8192);
	struct json_out o = json_out(&w);
	struct admin_answer a;
	uint64_t seconds;
	struct plant p;

	if (help || cli_leftover(argc, argv) || argc < 3)
		return cli_usage(permit_usage, help);
	if (!rd_decimal(rd_str(argv[2]), &seconds) || seconds > 65535)
		return cli_fail("`%s` is no number of seconds from 0 to 65535", argv[2]);
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	json_object(&o, NULL);
	json_put_string(&o, "cmd", "permit");
	json_put_string(&o, "gateway", argv[1]);
	json_put_uint(&o, "seconds", seconds);
	if (argc > 3)
		json_array(&o, "devices");
	for (int i = 3; i < argc; i++)
		json_put_string(&o, NULL, argv[i]);
	if (argc > 3)
		json_close(&o);
	json_close(&o);
	if (!ask(&p, &w, &a))
		return CLI_FAILED;
	if (json)
		print_json(&a);
	else if (seconds == 0)
		printf("joining at %s is closed\n", argv[1]);
	else
		printf("joining at %s is open for %llu s\n", argv[1], (unsigned long long)seconds);
	admin_answer_clear(&a);
	return CLI_OK;
}

int status_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *dir = cli_option(&argc, argv, "--plant");
	struct wr w = wr_new(256);
	struct admin_answer a;
	struct plant p;

	if (help || argc > 1)
		return cli_usage(status_usage, help);
	if (!plant_open(dir, &p))
		return CLI_FAILED;
	wr_str(&w, "{\"cmd\":\"status\"}");
	if (!ask(&p, &w, &a))
		return CLI_FAILED;
	if (json) {
		print_json(&a);
		admin_answer_clear(&a);
		return CLI_OK;
	}
	for (const struct json *m = a.doc->first; m; m = m->next)
		if (!rd_is(m->key, "ok"))
			printf("%-22.*s %.*s\n", (int)m->key.left, (const char *)m->key.at, (int)m->source.left, (const char *)m->source.at);
	admin_answer_clear(&a);
	printf("\n");
	gateway_list(&p, false);
	printf("\n");
	return device_list(&p, false);
}
