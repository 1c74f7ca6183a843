/* A plant's directory: made by `keyway init`, read by every other subcommand. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "cli/cli.h"
#include "keys/sealed.h"
#include "pki/pki.h"

#define DAYS 3650
#define PLANT_JSON_MAX 65536

static bool read_file(const char *path, char **text)
{
	FILE *f = fopen(path, "r");
	size_t n;

	*text = f ? calloc(1, PLANT_JSON_MAX + 1) : NULL;
	if (!*text)
		return false;
	n = fread(*text, 1, PLANT_JSON_MAX, f);
	fclose(f);
	return n > 0;
}

static bool plant_parse(const char *text, struct plant *p)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *cses;
	bool ok = a && json_parse(a, rd_str(text), NULL, &doc) == OK && json_text(json_get(doc, "sp"), p->sp, sizeof p->sp) &&
	    json_text(json_get(doc, "adminSocket"), p->admin_socket, sizeof p->admin_socket) &&
	    json_text(json_path(doc, "operator.originator"), p->originator, sizeof p->originator) &&
	    json_text(json_path(doc, "operator.ca"), p->ca, sizeof p->ca) && json_text(json_path(doc, "operator.cert"), p->cert, sizeof p->cert) &&
	    json_text(json_path(doc, "operator.key"), p->key, sizeof p->key);

	cses = ok ? json_get(doc, "cses") : NULL;
	for (const struct json *c = cses ? cses->first : NULL; ok && c && p->cse_count < PLANT_CSES; c = c->next) {
		struct plant_cse *cse = &p->cses[p->cse_count++];

		ok = json_text(json_get(c, "id"), cse->id, sizeof cse->id) && json_text(json_get(c, "name"), cse->name, sizeof cse->name) &&
		    json_text(json_get(c, "url"), cse->url, sizeof cse->url) && json_text(json_get(c, "identity"), cse->identity, sizeof cse->identity);
	}
	json_arena_free(a);
	return ok && p->cse_count > 0;
}

bool plant_open(const char *dir, struct plant *p)
{
	char path[PLANT_PATH + 16], *text = NULL;
	bool ok;

	memset(p, 0, sizeof *p);
	if (!dir)
		dir = getenv("KEYWAY_PLANT");
	snprintf(p->dir, sizeof p->dir, "%s", dir ? dir : "plant");
	snprintf(path, sizeof path, "%s/plant.json", p->dir);
	ok = read_file(path, &text) && plant_parse(text, p);
	if (!text)
		cli_fail("there is no plant in `%s`; make one with `keyway init %s`, or name another with --plant DIR or KEYWAY_PLANT", p->dir, p->dir);
	else if (!ok)
		cli_fail("%s is damaged; make a new plant with `keyway init`", path);
	free(text);
	return ok;
}

unsigned plant_free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct rng rng = rng_system();

	/* Below the range that the kernel hands out to clients, so that nobody takes it before the server binds it. */
	for (int i = 0; i < 1000; i++) {
		unsigned port = 15000 + rng_below(&rng, 15000);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool is_free;

		a.sin_port = htons((uint16_t)port);
		is_free = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
		if (fd >= 0)
			close(fd);
		if (is_free)
			return port;
	}
	return 0;
}

/* What `keyway init` makes, with the ports that it chose. */
struct making {
	char dir[PLANT_PATH];
	const char *sp;
	unsigned mmef, mmaf, das, egp_tls, egp_psk, in_cse, mn_cse, node_b, ipe;
	char radio[128];
	uint64_t gateway;
	uint16_t pan_id;
	uint8_t extended_pan_id[8];
};

static int write_text(const struct making *m, const char *name, mode_t mode, const char *fmt, ...) PRINTF_LIKE(4, 5);

static int write_text(const struct making *m, const char *name, mode_t mode, const char *fmt, ...)
{
	char path[PLANT_PATH + 64];
	va_list args;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	f = fopen(path, "wx");
	if (!f)
		return cli_fail("%s cannot be made: %s", path, strerror(errno));
	chmod(path, mode);
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	return fclose(f) == 0 ? CLI_OK : cli_fail("%s cannot be written: %s", path, strerror(errno));
}

static int make_directories(const struct making *m)
{
	static const char *const names[] = {"", "/tls", "/mef", "/maf", "/in-cse", "/mn-cse", "/node-b", "/gateway", "/das"};
	char path[PLANT_PATH + 64];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s%s", m->dir, names[i]);
		if (mkdir(path, 0700) != 0 && !(i == 0 && errno == EEXIST))
			return cli_fail("%s cannot be made: %s; `keyway init` never overwrites a plant", path, strerror(errno));
	}
	return CLI_OK;
}

static int make_credentials(const struct making *m)
{
	const struct {
		const char *name, *fmt;
	} all[] = {
		{"mef", "mef.%s"},
		{"maf", "maf.%s"},
		{"in-cse", "id-in.%s"},
		{"mn-cse", "id-mn.id-in.%s"},
		{"node-b", "id-b.id-in.%s"},
		{"gw1", "m2m://%s/id-mn/Cgw1"},
		{"das", "m2m://%s/id-in/Cdas"},
		{"operator", "m2m://%s/id-in/CAdmin"},
		{"guest", "m2m://%s/id-b/Cguest"},
	};
	char tls[PLANT_PATH + 8], identity[256], path[PLANT_PATH + 64];
	struct rng rng = rng_system();
	enum err e;

	snprintf(tls, sizeof tls, "%s/tls", m->dir);
	e = pki_ca_create(tls, "Keyway plant CA", DAYS);
	for (size_t i = 0; e == OK && i < sizeof all / sizeof all[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(identity, sizeof identity, all[i].fmt, m->sp);
#pragma GCC diagnostic pop
		e = pki_issue(tls, all[i].name, identity, DAYS);
	}
	if (e == OK) {
		snprintf(path, sizeof path, "%s/node-b.key", m->dir);
		e = key_file_create(path, &rng);
	}
	return e == OK ? CLI_OK : cli_fail("credentials in %s: %s", tls, err_text(e));
}

static int make_psk(const struct making *m)
{
	struct rng rng = rng_system();
	uint8_t key[32];
	char hex[HEX_SIZE(32)];
	int result;

	rng_fill(&rng, key, sizeof key);
	hex_print(hex, key, sizeof key);
	result = write_text(m, "egp.psk", 0600, "gw1:%s\n", hex);
	bytes_wipe(key, sizeof key);
	bytes_wipe(hex, sizeof hex);
	return result;
}

/* Who has keys for a CSE: TS-0003 8.2.2.3, 8.3.5. */
#define FUNCTIONS "[maf]\nurl = https://127.0.0.1:%u\nid = maf.%s\n\n[mef]\nurl = https://127.0.0.1:%u\nid = mef.%s\n"

static int make_servers(const struct making *m)
{
	const char *d = m->dir;
	int r;

	r = write_text(m, "mef.ini", 0600,
	    "[mef]\nid = mef.%s\nsp = %s\nstate = %s/mef\nadmin_socket = %s/mef/admin.sock\n\n"
	    "[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/mef.pem\nkey = %s/tls/mef.key\n\n"
	    "[mmef]\nlisten = 127.0.0.1:%u\n\n[egp]\ntls_listen = 127.0.0.1:%u\npsk_listen = 127.0.0.1:%u\npsk_file = %s/egp.psk\n",
	    m->sp, m->sp, d, d, d, d, d, m->mmef, m->egp_tls, m->egp_psk, d);
	if (r == CLI_OK)
		r = write_text(m, "maf.ini", 0600,
		    "[maf]\nid = maf.%s\nsp = %s\nstate = %s/maf\n\n[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/maf.pem\nkey = %s/tls/maf.key\n\n"
		    "[mmaf]\nlisten = 127.0.0.1:%u\n\n[mef]\nurl = https://127.0.0.1:%u\nid = mef.%s\n",
		    m->sp, m->sp, d, d, d, d, m->mmaf, m->mmef, m->sp);
	if (r == CLI_OK)
		r = write_text(m, "in-cse.ini", 0600,
		    "[cse]\ntype = in\nid = /id-in\nname = cse-in\nsp = %s\nadmin = /id-in/CAdmin\nstate = %s/in-cse\n\n"
		    "[https]\nlisten = 127.0.0.1:%u\n\n[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/in-cse.pem\nkey = %s/tls/in-cse.key\n\n" FUNCTIONS,
		    m->sp, d, m->in_cse, d, d, d, m->mmaf, m->sp, m->mmef, m->sp);
	if (r == CLI_OK)
		r = write_text(m, "mn-cse.ini", 0600,
		    "[cse]\ntype = mn\nid = /id-mn\nname = cse-mn\nsp = %s\nadmin = /id-in/CAdmin\nstate = %s/mn-cse\n\n"
		    "[https]\nlisten = 127.0.0.1:%u\n\n[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/mn-cse.pem\nkey = %s/tls/mn-cse.key\n\n" FUNCTIONS "\n"
		    "[registrar]\nurl = https://127.0.0.1:%u\nid = /id-in\n",
		    m->sp, d, m->mn_cse, d, d, d, m->mmaf, m->sp, m->mmef, m->sp, m->in_cse);
	if (r == CLI_OK)
		r = write_text(m, "node-b.ini", 0600,
		    "[cse]\ntype = asn\nid = /id-b\nname = cse-b\nsp = %s\nadmin = /id-in/CAdmin\nstate = %s/node-b\n\n"
		    "[https]\nlisten = 127.0.0.1:%u\n\n[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/node-b.pem\nkey = %s/tls/node-b.key\n\n" FUNCTIONS "\n"
		    "[registrar]\nurl = https://127.0.0.1:%u\nid = /id-in\n\n"
		    "[zigbee]\nmef = https://127.0.0.1:%u\nmef_identity = mef.%s\nkey_file = %s/node-b.key\n",
		    m->sp, d, m->node_b, d, d, d, m->mmaf, m->sp, m->mmef, m->sp, m->in_cse, m->mmef, m->sp, d);
	return r;
}

/* An AE of the IN-CSE. Without [tokens] it gives grants. */
static int make_das(const struct making *m)
{
	const char *d = m->dir;

	return write_text(m, "das.ini", 0600,
	    "[das]\nid = //%s/id-in/Cdas\nsp = %s\nstate = %s/das\nlisten = 127.0.0.1:%u\n\n"
	    "[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/das.pem\nkey = %s/tls/das.key\n\n" FUNCTIONS "\n"
	    "[registrar]\nurl = https://127.0.0.1:%u\n",
	    m->sp, m->sp, d, m->das, d, d, d, m->mmaf, m->sp, m->mmef, m->sp, m->in_cse);
}

static int make_gateway(const struct making *m)
{
	char extended[HEX_SIZE(8)], eui64[EUI64_SIZE];
	const char *d = m->dir;

	hex_print(extended, m->extended_pan_id, 8);
	eui64_print(eui64, m->gateway);
	return write_text(m, "gateway.ini", 0600,
	    "[gateway]\nname = gw1\neui64 = %s\npan_id = 0x%04x\nextended_pan_id = %s\nchannel = 15\nstate = %s/gateway\n\n"
	    "[radio]\nconnect = %s\n\n[egp]\nconnect = tls:127.0.0.1:%u\nidentity = mef.%s\n\n"
	    "[tls]\nca = %s/tls/ca.pem\ncert = %s/tls/gw1.pem\nkey = %s/tls/gw1.key\n\n"
	    "[cse]\nurl = https://127.0.0.1:%u\nidentity = id-mn.id-in.%s\nid = /id-mn\nname = cse-mn\n\n"
	    "[ipe]\nae_id = Cgw1\nname = gw1\nlisten = 127.0.0.1:%u\n",
	    eui64, m->pan_id, extended, d, m->radio, m->egp_tls, m->sp, d, d, d, m->mn_cse, m->sp, m->ipe);
}

static int make_plant_json(const struct making *m)
{
	const struct {
		const char *id, *name, *identity;
		unsigned port;
	} cses[] = {
		{"/id-in", "cse-in", "id-in.", m->in_cse},
		{"/id-mn", "cse-mn", "id-mn.id-in.", m->mn_cse},
		{"/id-b", "cse-b", "id-b.id-in.", m->node_b},
	};
	struct wr w = wr_new(PLANT_JSON_MAX);
	struct json_out o = json_out(&w);
	char text[PLANT_PATH + 64], eui64[EUI64_SIZE];
	struct rd json;
	int r;

#define PUT(name, ...) (snprintf(text, sizeof text, __VA_ARGS__), json_put_string(&o, name, text))
	eui64_print(eui64, m->gateway);
	json_object(&o, NULL);
	json_put_string(&o, "sp", m->sp);
	PUT("adminSocket", "%s/mef/admin.sock", m->dir);
	json_object(&o, "operator");
	json_put_string(&o, "originator", "/id-in/CAdmin");
	PUT("ca", "%s/tls/ca.pem", m->dir);
	PUT("cert", "%s/tls/operator.pem", m->dir);
	PUT("key", "%s/tls/operator.key", m->dir);
	json_close(&o);
	json_array(&o, "cses");
	for (size_t i = 0; i < sizeof cses / sizeof cses[0]; i++) {
		json_object(&o, NULL);
		json_put_string(&o, "id", cses[i].id);
		json_put_string(&o, "name", cses[i].name);
		PUT("url", "https://127.0.0.1:%u", cses[i].port);
		PUT("identity", "%s%s", cses[i].identity, m->sp);
		json_close(&o);
	}
	json_close(&o);
	json_array(&o, "gateways");
	json_object(&o, NULL);
	json_put_string(&o, "name", "gw1");
	json_put_string(&o, "eui64", eui64);
	json_put_string(&o, "relay", "/id-mn/cse-mn/gw1");
	PUT("identity", "m2m://%s/id-mn/Cgw1", m->sp);
	json_close(&o);
	json_close(&o);
	json_close(&o);
#undef PUT
	r = wr_done(&w, &json) ? write_text(m, "plant.json", 0600, "%.*s\n", (int)json.left, (const char *)json.at) : cli_fail("out of memory");
	wr_free(&w);
	return r;
}

int plant_create(const struct plant_options *o)
{
	struct making m = {.sp = o->sp ? o->sp : "keyway.example"};
	unsigned *const ports[] = {&m.mmef, &m.egp_tls, &m.egp_psk, &m.in_cse, &m.mn_cse, &m.node_b, &m.ipe};
	struct rng rng = rng_system();
	char path[PLANT_PATH + 32];
	int r;

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
		*ports[i] = o->base_port ? o->base_port + (unsigned)i : plant_free_port();
	m.mmaf = o->base_port ? o->base_port + 8 : plant_free_port(); /* behind the radio's */
	m.das = o->base_port ? o->base_port + 11 : plant_free_port(); /* behind those of bootstrapping */
	if (o->radio)
		snprintf(m.radio, sizeof m.radio, "%s", o->radio);
	else
		snprintf(m.radio, sizeof m.radio, "tcp:127.0.0.1:%u", o->base_port ? o->base_port + 7 : plant_free_port());
	m.gateway = 0x02124b0000000000U | rng_u32(&rng); /* locally administered */
	m.pan_id = (uint16_t)(0x1000 + rng_below(&rng, 0xd000));
	rng_fill(&rng, m.extended_pan_id, sizeof m.extended_pan_id);
	if (mkdir(o->dir, 0700) != 0 && errno != EEXIST)
		return cli_fail("%s cannot be made: %s", o->dir, strerror(errno));
	if (!realpath(o->dir, m.dir))
		return cli_fail("%s: %s", o->dir, strerror(errno));
	snprintf(path, sizeof path, "%s/plant.json", m.dir);
	if (access(path, F_OK) == 0)
		return cli_fail("there is a plant in %s already; `keyway init` never overwrites one", m.dir);
	snprintf(path, sizeof path, "%s/mef/admin.sock", m.dir);
	if (strlen(path) >= sizeof ((struct sockaddr_un *)0)->sun_path)
		return cli_fail("%s: the path is too long for the administration socket in it; choose a shorter one", m.dir);
	r = make_directories(&m);
	if (r == CLI_OK)
		r = make_credentials(&m);
	if (r == CLI_OK)
		r = make_psk(&m);
	if (r == CLI_OK)
		r = make_servers(&m);
	if (r == CLI_OK)
		r = make_das(&m);
	if (r == CLI_OK)
		r = make_gateway(&m);
	return r == CLI_OK ? make_plant_json(&m) : r;
}
