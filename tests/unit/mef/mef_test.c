/* The whole MEF on real sockets: nodes B over HTTPS with certificates, gateways over TLS, TLS-PSK, a pty and plain TCP, the operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "keys/secret_octets.h"
#include "mef/admin.h"
#include "mef/egp_server.h"
#include "mef/migrate.h"
#include "mef/mmef.h"
#include "pki/pki.h"
#include "spinel/hdlc.h"
#include "zigbee/security/install_code.h"
#include "zigbee/security/link_key.h"

#define PATIENCE_MS 30000
#define GATEWAY 0x0200000000000001ULL
#define GATEWAY2 0x0200000000000002ULL
#define DEVICE 0x00124b0001020304ULL
#define DEVICE_TEXT "00124b0001020304"
#define CODE "83FED3407A939723A5C639B26916D505C3B5"
#define SHORT 0xbeef

static char dir[64];
static struct loop *loop;
static struct rng rng;
static struct secret *file_key;
static struct mef_store *store;
static struct registry *registry;
static struct audit *audit;
static struct tls_credentials *server_tls, *psk_tls;
static struct mef *mef;
static struct mmef *mmef;
static struct egp_server *egp;
static struct admin *admin;
static uint16_t tls_port, psk_port, tcp_port;
static struct json_arena *arena;

static const char *in_dir(const char *name)
{
	static char paths[8][128];
	static unsigned turn;
	char *p = paths[turn++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static struct tls_credentials *credentials(const char *name)
{
	struct tls_credentials *c;
	char cert[32], key[32];

	snprintf(cert, sizeof cert, "%s.pem", name);
	snprintf(key, sizeof key, "%s.key", name);
	assert_int_equal(tls_certificates(in_dir("ca.pem"), in_dir(cert), in_dir(key), &c), OK);
	return c;
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(in_dir(name), 0600);
}

/* ---- the service ---- */

static void start(void)
{
	const struct mef_config c = {
		.id = "mef.keyway.example",
		.sp = "keyway.example",
		.device_per_minute = 50,
		.gateway_per_second = 100,
		.require_unique_link_key = true,
		.answer_requests = true,
	};
	struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = c.id, .sp = c.sp, .client_lifetime_s = REGISTRY_CLIENT_LIFETIME_MAX,
		.key_lifetime_s = REGISTRY_KEY_LIFETIME_MAX};
	const char *detail;
	uint64_t line;

	assert_int_equal(mef_store_open(in_dir("mef.db"), file_key, &rng, &store, &detail), OK);
	assert_int_equal(audit_open(in_dir("audit.log"), &audit, &line), OK);
	k.store_key = file_key;
	k.rng = &rng;
	k.audit = audit;
	assert_int_equal(registry_open(in_dir("registry.db"), &k, &registry, &detail), OK);
	assert_int_equal(mef_migrate(in_dir("mef.db"), registry), OK);
	assert_int_equal(mef_new(loop, &c, store, registry, audit, &rng, &mef), OK);
	assert_int_equal(mmef_new(mef, "127.0.0.1:0", server_tls, &mmef), OK);
	assert_int_equal(egp_server_new(mef, &egp), OK);
	assert_int_equal(egp_server_listen(egp, "127.0.0.1:0", server_tls, false, &tls_port), OK);
	assert_int_equal(egp_server_listen(egp, "127.0.0.1:0", psk_tls, true, &psk_port), OK);
	assert_int_equal(egp_server_listen(egp, "127.0.0.1:0", NULL, false, &tcp_port), OK);
	assert_int_equal(admin_new(mef, egp, in_dir("admin.sock"), &admin), OK);
}

static void stop(void)
{
	admin_free(admin);
	egp_server_free(egp);
	mmef_free(mmef);
	mef_free(mef);
	registry_close(registry);
	audit_close(audit);
	mef_store_close(store);
}

static int make_plant(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-mef-XXXXXX");
	rng = rng_system();
	file_key = secret_random(&rng, 32);
	if (!mkdtemp(dir) || mkdir(in_dir("other"), 0700) != 0 || pki_ca_create(dir, "test CA", 2) != OK ||
	    pki_issue(dir, "mef", "mef.keyway.example", 1) != OK || pki_issue(dir, "b", "id-b.id-in.keyway.example", 1) != OK ||
	    pki_issue(dir, "b2", "id-b2.id-in.keyway.example", 1) != OK || pki_issue(dir, "gw1", "m2m://keyway.example/id-mn/Cgw1", 1) != OK ||
	    pki_issue(dir, "stranger", "m2m://keyway.example/id-mn/Cstranger", 1) != OK || pki_issue(dir, "foreign", "id-b.elsewhere.example", 1) != OK ||
	    pki_issue(dir, "psk-like", "gw2", 1) != OK || pki_ca_create(in_dir("other"), "another CA", 2) != OK ||
	    pki_issue(in_dir("other"), "evil", "id-b.id-in.keyway.example", 1) != OK)
		return -1;
	write_text("psk", "gw2:000102030405060708090a0b0c0d0e0f\n");
	write_text("psk.wrong", "gw2:ff0102030405060708090a0b0c0d0e0f\n");
	loop = loop_new();
	arena = json_arena_new();
	server_tls = credentials("mef");
	return tls_psk_server(in_dir("psk"), &psk_tls) == OK ? 0 : -1;
}

static int remove_plant(void **state)
{
	char command[128];

	(void)state;
	tls_credentials_free(server_tls);
	tls_credentials_free(psk_tls);
	json_arena_free(arena);
	loop_free(loop);
	secret_free(file_key);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

/* ---- the operator ---- */

static const struct json *operate(const char *request)
{
	static uint8_t buffer[65536];
	struct wr w = wr_of(buffer, sizeof buffer);
	const struct json *doc;
	struct rd text;

	admin_answer(mef, egp, rd_str(request), &w);
	assert_true(wr_done(&w, &text));
	assert_int_equal(json_parse(arena, text, NULL, &doc), OK);
	return doc;
}

static bool ok(const struct json *doc)
{
	bool b = false;

	return json_bool(json_get(doc, "ok"), &b) && b;
}

static void register_all(void)
{
	assert_true(ok(operate("{\"cmd\":\"gateway.add\",\"name\":\"gw1\",\"eui64\":\"0200000000000001\",\"relay\":\"/id-mn/cse-mn/gw1\","
			       "\"identity\":\"m2m://keyway.example/id-mn/Cgw1\"}")));
	assert_true(ok(operate("{\"cmd\":\"gateway.add\",\"name\":\"gw2\",\"eui64\":\"0200000000000002\",\"relay\":\"/id-mn/cse-mn/gw2\","
			       "\"identity\":\"m2m://keyway.example/id-mn/Cgw2\"}")));
	assert_true(ok(operate("{\"cmd\":\"device.add\",\"device\":\"" DEVICE_TEXT "\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\","
			       "\"application\":\"cold room\"}")));
}

static void expect_state(const char *state_name)
{
	const struct json *doc = operate("{\"cmd\":\"device.show\",\"device\":\"" DEVICE_TEXT "\"}");
	char text[32];

	assert_true(json_text(json_path(doc, "device.state"), text, sizeof text));
	assert_string_equal(text, state_name);
}

static int setup(void **state)
{
	(void)state;
	json_arena_reset(arena);
	start();
	register_all();
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"mef.db", "mef.db-wal", "mef.db-shm", "audit.log", "registry.db", "registry.db-wal", "registry.db-shm"};

	(void)state;
	stop();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	return 0;
}

/* ---- nodes B ---- */

struct node {
	struct tls_credentials *tls;
	struct http_client *client;
	const char *id;
	char cmd[128];
};

struct call {
	bool done;
	enum err error;
	unsigned status;
	unsigned rsc;
	char body[4096];
	const struct json *doc;
};

static void on_done(void *ctx, const struct http_result *r)
{
	struct call *c = ctx;
	const char *rsc = r->error == OK ? http_result_header(r, "X-M2M-RSC") : NULL;

	c->done = true;
	c->error = r->error;
	c->status = r->status;
	c->rsc = rsc ? (unsigned)strtoul(rsc, NULL, 10) : 0;
	if (r->error == OK)
		assert_true(rd_text(r->body, c->body, sizeof c->body));
}

static void until(const bool *done)
{
	uint64_t end = clock_ms() + PATIENCE_MS;

	while (!*done && clock_ms() < end)
		loop_once(loop, 100);
	assert_true(*done);
}

static void begin(struct node *n, struct call *c, const char *method, const char *path, const char *from, const char *body)
{
	const struct http_header headers[] = {
		{"X-M2M-Origin", from},
		{"X-M2M-RI", "r1"},
		{"X-M2M-RVI", "3"},
		{"Content-Type", "application/json"},
		{NULL, NULL},
	};
	char url[256];
	struct http_call_options o = {
		.method = method,
		.url = url,
		.peer = "mef.keyway.example",
		.headers = headers,
		.body = rd_str(body),
		.timeout_ms = PATIENCE_MS,
	};

	memset(c, 0, sizeof *c);
	snprintf(url, sizeof url, "https://127.0.0.1:%u%s", mmef_port(mmef), path);
	(void)http_call(n->client, &o, on_done, c);
}

static void end(struct call *c)
{
	until(&c->done);
	if (c->error == OK && c->body[0])
		assert_int_equal(json_parse(arena, rd_str(c->body), NULL, &c->doc), OK);
}

static void ask_as(struct node *n, struct call *c, const char *method, const char *path, const char *from, const char *body)
{
	begin(n, c, method, path, from, body);
	end(c);
}

static void ask(struct node *n, struct call *c, const char *method, const char *path, const char *body)
{
	ask_as(n, c, method, path, n->id, body);
}

static struct node node_new(const char *name, const char *id)
{
	struct node n = {.tls = credentials(name), .id = id};

	n.client = http_client_new(loop, n.tls);
	return n;
}

static void node_free(struct node *n)
{
	http_client_free(n->client);
	tls_credentials_free(n->tls);
}

static void node_register(struct node *n)
{
	struct call c;

	ask(n, &c, "POST", "/mef", "{\"sec:mefClientReg\":{\"fqdn\":\"mef.keyway.example\",\"et\":\"20990101T000000\",\"adminFQDN\":\"keyway.example\"}}");
	assert_int_equal(c.rsc, 2001);
	assert_true(json_text(json_path(c.doc, "sec:mefClientReg.cmd"), n->cmd, sizeof n->cmd));
}

static uint64_t number(const struct json *doc, const char *path)
{
	uint64_t n = UINT64_MAX;

	assert_true(json_uint(json_path(doc, path), &n));
	return n;
}

/* Reports on the command in `c`; the next one is in c afterwards. */
static void report(struct node *n, struct call *c, unsigned status)
{
	char body[128];

	snprintf(body, sizeof body, "{\"sec:mefClientCmd\":{\"cmdID\":%llu,\"cmdStatusCode\":%u}}", (unsigned long long)number(c->doc, "sec:mefClientCmd.cmdID"), status);
	ask(n, c, "PUT", n->cmd, body);
	assert_int_equal(c->rsc, 2004);
}

/* ---- gateways ---- */

struct gateway {
	struct stream *stream;
	struct tls_credentials *tls;
	bool open, closed, got;
	struct egp_message last;
	uint8_t octets[EGP_MESSAGE_MAX];
	unsigned received[256];
};

static struct rd encoded(const struct egp_message *m)
{
	static uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	assert_int_equal(egp_encode(m, &w), OK);
	assert_true(wr_done(&w, &octets));
	return octets;
}

static void gw_message(struct gateway *g, struct rd octets)
{
	struct egp_message ack = {.type = EGP_ACK, .acked_type = EGP_JOIN_POLICY};

	memcpy(g->octets, octets.at, octets.left);
	assert_int_equal(egp_decode(rd_of(g->octets, octets.left), &g->last), OK);
	g->received[g->last.type]++;
	g->got = true;
	ack.transaction = g->last.transaction;
	if (g->last.type == EGP_JOIN_POLICY && g->stream) /* or it would be repeated */
		stream_write(g->stream, encoded(&ack));
}

static void gw_open(void *ctx)
{
	((struct gateway *)ctx)->open = true;
}

static size_t gw_data(void *ctx, struct rd in)
{
	size_t len;

	if (egp_length(in, &len) != OK || len > in.left)
		return 0;
	gw_message(ctx, rd_of(in.at, len));
	return len;
}

static void gw_closed(void *ctx, enum err why)
{
	struct gateway *g = ctx;

	(void)why;
	g->closed = true;
	stream_free(g->stream);
	g->stream = NULL;
}

static const struct stream_events gw_events = {gw_open, gw_data, gw_closed};

static void gw_connect(struct gateway *g, const char *scheme, uint16_t port, struct tls_credentials *tls)
{
	char address[64];

	memset(g, 0, sizeof *g);
	g->tls = tls;
	snprintf(address, sizeof address, "%s:127.0.0.1:%u", scheme, port);
	assert_int_equal(stream_open(loop, address, tls, "mef.keyway.example", &gw_events, g, &g->stream), OK);
}

static void gw_free(struct gateway *g)
{
	stream_free(g->stream);
	tls_credentials_free(g->tls);
}

static void gw_send(struct gateway *g, const struct egp_message *m)
{
	g->got = false;
	stream_write(g->stream, encoded(m));
}

static struct egp_message hello(uint64_t eui64)
{
	const struct egp_message m = {
		.type = EGP_HELLO,
		.transaction = 1,
		.hello = {.gateway = eui64, .pan_id = 0x1a62, .extended_pan_id = 0xdddddddddddddddd, .channel = 15, .highest_version = 1, .epoch = 3},
	};

	return m;
}

static struct egp_message eg_request(uint64_t gateway, uint64_t device, uint32_t transaction)
{
	const struct egp_message m = {
		.type = EGP_REQUEST,
		.transaction = transaction,
		.request = {.gateway = gateway, .device = device, .device_short = SHORT, .pan_id = 0x1a62, .channel = 15, .capability = 0x80},
	};

	return m;
}

/* HELLO until the policy is there. */
static void greet(struct gateway *g, uint64_t eui64)
{
	struct egp_message m = hello(eui64);
	uint64_t until_ms = clock_ms() + PATIENCE_MS;

	until(&g->open);
	gw_send(g, &m);
	while (g->received[EGP_JOIN_POLICY] == 0 && clock_ms() < until_ms)
		loop_once(loop, 100);
	assert_int_equal(g->received[EGP_HELLO_ACK], 1);
	assert_int_equal(g->received[EGP_JOIN_POLICY], 1);
}

static void expect_error(struct gateway *g, enum egp_error_code code)
{
	until(&g->got);
	assert_int_equal(g->last.type, EGP_ERROR);
	assert_int_equal(g->last.error.code, code);
}

/* ---- one device's hand-over ---- */

static void permit(void)
{
	assert_true(ok(operate("{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":60}")));
}

/* B takes the key that waits; its path and value are left in path and key. */
static void take_key(struct node *b, struct call *c, char path[static 64], struct secret **key)
{
	struct call fetched;
	uint8_t octets[16];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd text;

	assert_int_equal(number(c->doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_MO_NODE);
	assert_true(json_text(json_path(c->doc, "sec:mefClientCmd.cmdDescription.cmdArgs.objectPath"), path, 64));
	ask(b, &fetched, "GET", path, "");
	assert_int_equal(fetched.rsc, 2000);
	assert_true(json_string(json_path(fetched.doc, "sec:symmKeyReg.keyValue"), &text) && base64_parse(text, &w));
	assert_int_equal(w.len, 16);
	assert_int_equal(number(fetched.doc, "sec:symmKeyReg.SUID"), 24);
	assert_int_equal(number(fetched.doc, "sec:symmKeyReg.zigbee.short"), SHORT);
	assert_int_equal(number(fetched.doc, "sec:symmKeyReg.zigbee.panID"), 0x1a62);
	assert_true(json_is_string(json_path(fetched.doc, "sec:symmKeyReg.zigbee.relay"), "/id-mn/cse-mn/gw1/" DEVICE_TEXT));
	assert_true(json_is_string(json_path(fetched.doc, "sec:symmKeyReg.zigbee.application"), "cold room"));
	*key = secret_take(octets, sizeof octets);
}

static struct link_key_set install_keys(void)
{
	struct secret *code, *link;
	struct link_key_set set;

	assert_int_equal(install_code_parse(rd_str(CODE), &code), OK);
	assert_int_equal(install_code_link_key(code, &link), OK);
	secret_free(code);
	assert_int_equal(link_key_set_take(&set, link), OK);
	return set;
}

/* The device's side: the key in the packet. */
static struct secret *unpack(struct rd packet, const struct link_key_set *link, uint8_t *sequence, uint32_t *counter)
{
	uint8_t plain[NWK_FRAME_MAX], key[16];
	struct aps_command c;
	struct aux_header aux;
	struct nwk_frame nwk;
	struct aps_frame aps;
	struct rd payload;

	assert_int_equal(nwk_frame_decode(packet, &nwk), OK);
	assert_int_equal(nwk.destination, SHORT);
	assert_int_equal(aps_frame_decode(nwk.payload, &aps), OK);
	assert_int_equal(aps_open_set(link, GATEWAY, &aps, &aux, plain, &payload), OK);
	assert_int_equal(aps_command_decode(payload, &c), OK);
	memcpy(key, c.transport_key.key_octets.at, sizeof key);
	*sequence = c.transport_key.sequence;
	*counter = aux.frame_counter;
	return secret_take(key, sizeof key);
}

struct enrolled {
	struct node b;
	struct gateway g;
	char path[64];
	struct secret *network;
	uint32_t counter;
};

/* To the Transport-Key at the gateway: by association with the install code's key, or by an unsecured rejoin with `unique`. */
static void enrol_by(struct enrolled *e, uint32_t transaction, uint8_t sequence_wanted, const struct link_key_set *unique)
{
	struct egp_message m = eg_request(GATEWAY, DEVICE, transaction);
	struct link_key_set install = install_keys();
	struct secret *inside;
	struct call poll;
	uint8_t sequence;

	m.request.kind = unique ? EGP_JOIN_UNSECURED_REJOIN : EGP_JOIN_ASSOCIATION;
	begin(&e->b, &poll, "GET", strcat(strcpy((char[160]){0}, e->b.cmd), "?wait=20"), e->b.id, "");
	while (!registration_server_waits(mmef_server(mmef), "/id-b"))
		loop_once(loop, 100);
	gw_send(&e->g, &m);
	end(&poll);
	take_key(&e->b, &poll, e->path, &e->network);
	assert_int_equal(e->g.received[EGP_RESPONSE], transaction - 2); /* not before B is ready */
	report(&e->b, &poll, 20);
	until(&e->g.got);
	assert_int_equal(e->g.last.type, EGP_RESPONSE);
	assert_int_equal(e->g.last.transaction, transaction);
	assert_true(rd_is(e->g.last.owner, "/id-b"));
	assert_true(rd_is(e->g.last.relay_target, "/id-mn/cse-mn/gw1/" DEVICE_TEXT "/up"));
	inside = unpack(e->g.last.response.packet, unique ? unique : &install, &sequence, &e->counter);
	assert_true(secret_equal(inside, e->network));
	assert_int_equal(sequence, sequence_wanted);
	secret_free(inside);
	link_key_set_clear(&install);
	expect_state("offered");
}

static void enrol(struct enrolled *e, uint32_t transaction, uint8_t sequence_wanted)
{
	enrol_by(e, transaction, sequence_wanted, NULL);
}

static void connect_both(struct enrolled *e)
{
	memset(e, 0, sizeof *e);
	e->b = node_new("b", "/id-b");
	node_register(&e->b);
	gw_connect(&e->g, "tls", tls_port, credentials("gw1"));
	greet(&e->g, GATEWAY);
	permit();
}

static void disconnect_both(struct enrolled *e)
{
	secret_free(e->network);
	node_free(&e->b);
	gw_free(&e->g);
}

static const char *leaf(const char *path, const char *name)
{
	static char text[96];

	snprintf(text, sizeof text, "%s/%s", path, name);
	return text;
}

static void event(struct enrolled *e, const char *name)
{
	struct call c;
	char body[128];

	snprintf(body, sizeof body, "{\"kw:event\":{\"event\":\"%s\",\"short\":%u,\"capability\":128}}", name, SHORT);
	ask(&e->b, &c, "POST", leaf(e->path, "event"), body);
	assert_int_equal(c.rsc, 2000);
}

/* ---- tests ---- */

static void hands_a_key_to_its_node_and_then_to_the_device(void **state)
{
	struct enrolled e;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	expect_state("joined");
	disconnect_both(&e);
}

static void gives_the_key_to_its_target_alone(void **state)
{
	struct node b2 = node_new("b2", "/id-b2"), foreign = node_new("foreign", "/id-b");
	struct enrolled e;
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	node_register(&b2);
	ask(&b2, &c, "GET", e.path, "");
	assert_int_equal(c.rsc, 4103);
	assert_int_equal(c.status, 403);
	assert_null(strstr(c.body, "keyValue"));
	ask_as(&b2, &c, "GET", e.path, "/id-b", "");
	assert_int_equal(c.rsc, 4106);
	assert_null(strstr(c.body, "keyValue"));
	ask(&b2, &c, "GET", e.b.cmd, "");
	assert_int_equal(c.rsc, 4103);
	ask(&b2, &c, "POST", leaf(e.path, "aps"), "{\"kw:aps\":{\"counter\":1,\"frame\":\"\"}}");
	assert_int_equal(c.rsc, 4103);
	ask(&b2, &c, "POST", leaf(e.path, "event"), "{\"kw:event\":{\"event\":\"left\"}}");
	assert_int_equal(c.rsc, 4103);
	ask(&foreign, &c, "GET", e.path, "");
	assert_int_equal(c.rsc, 4107);
	ask(&e.b, &c, "GET", "/mef/00000000000000000000000000000000", "");
	assert_int_equal(c.rsc, 4004);
	ask(&e.b, &c, "DELETE", e.path, ""); /* only its source, which is the MEF */
	assert_int_equal(c.rsc, 4103);
	ask(&e.b, &c, "PATCH", e.path, "");
	assert_int_equal(c.rsc, 4005);
	ask(&e.b, &c, "GET", e.path, ""); /* the target still may */
	assert_int_equal(c.rsc, 2000);
	node_free(&b2);
	node_free(&foreign);
	disconnect_both(&e);
}

/* libcurl in a child of its own, without a certificate or with one of another CA. Exit status: 2 no TLS session, 1 HTTP 403 (no more than
 * that is told), 0 an answer of the Mmef. */
static int stranger(const char *cert, const char *key)
{
	char url[128];
	long status = 0;
	CURL *c = curl_easy_init();

	snprintf(url, sizeof url, "https://127.0.0.1:%u/mef", mmef_port(mmef));
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (cert) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, cert);
		curl_easy_setopt(c, CURLOPT_SSLKEY, key);
	}
	if (curl_easy_perform(c) != CURLE_OK)
		return 2;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return status == 403;
}

static int stranger_in_child(const char *cert, const char *key)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(stranger(cert, key));
	while (waitpid(pid, &status, WNOHANG) == 0)
		loop_once(loop, 20);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void refuses_clients_without_a_certificate_of_the_plant(void **state)
{
	(void)state;
	assert_int_equal(stranger_in_child(in_dir("b.pem"), in_dir("b.key")), 0); /* this way it works */
	assert_in_range(stranger_in_child(NULL, NULL), 1, 2);
	assert_in_range(stranger_in_child(in_dir("other/evil.pem"), in_dir("other/evil.key")), 1, 2);
	assert_int_equal(audit_last(audit), 3); /* what register_all did, and nothing else reached the Mmef */
}

static void refuses_requests_that_are_incomplete(void **state)
{
	struct node b = node_new("b", "/id-b");
	struct call c;

	(void)state;
	ask_as(&b, &c, "POST", "/mef", "", "{}");
	assert_int_equal(c.rsc / 1000, 4);
	ask(&b, &c, "POST", "/mef", "not JSON");
	assert_int_equal(c.rsc, 4000);
	ask(&b, &c, "POST", "/mef", "{\"sec:mefClientReg\":{\"fqdn\":\"mef.elsewhere.example\",\"adminFQDN\":\"x\"}}");
	assert_int_equal(c.rsc, 4000);
	ask(&b, &c, "GET", "/mef/abc/cmd", "");
	assert_int_equal(c.rsc, 4004); /* not registered */
	ask(&b, &c, "GET", "/elsewhere", "");
	assert_int_equal(c.rsc, 4004);
	node_free(&b);
}

static void refuses_the_gateway_while_the_node_is_away(void **state)
{
	struct egp_message m = eg_request(GATEWAY, DEVICE, 2);
	struct gateway g;

	(void)state;
	gw_connect(&g, "tls", tls_port, credentials("gw1"));
	greet(&g, GATEWAY);
	gw_send(&g, &m);
	expect_error(&g, EGP_ERROR_NOT_PERMITTED); /* joining is closed */
	permit();
	until(&g.got);
	m.transaction = 3;
	g.got = false;
	while (g.received[EGP_JOIN_POLICY] < 2)
		loop_once(loop, 100);
	gw_send(&g, &m);
	expect_error(&g, EGP_ERROR_NOT_PERMITTED);
	assert_int_equal(g.last.error.retry_after_s, MEF_RETRY_S);
	assert_int_equal(g.received[EGP_RESPONSE], 0);
	m = eg_request(GATEWAY, DEVICE + 1, 4);
	gw_send(&g, &m);
	expect_error(&g, EGP_ERROR_UNKNOWN_DEVICE);
	expect_state("registered");
	gw_free(&g);
}

/* B is there but does not report within 3 s; the key that never left serves the next try. */
static void refuses_the_gateway_when_the_node_is_slow(void **state)
{
	struct egp_message m = eg_request(GATEWAY, DEVICE, 2);
	struct secret *first = NULL;
	struct enrolled e;
	struct call poll;

	(void)state;
	connect_both(&e);
	begin(&e.b, &poll, "GET", strcat(strcpy((char[160]){0}, e.b.cmd), "?wait=20"), e.b.id, "");
	while (!registration_server_waits(mmef_server(mmef), "/id-b"))
		loop_once(loop, 100);
	while (e.g.received[EGP_JOIN_POLICY] < 2)
		loop_once(loop, 100);
	gw_send(&e.g, &m);
	end(&poll);
	take_key(&e.b, &poll, e.path, &first);
	expect_error(&e.g, EGP_ERROR_NOT_PERMITTED);
	assert_int_equal(e.g.last.error.retry_after_s, MEF_RETRY_S);
	report(&e.b, &poll, 20); /* too late: nothing leaves */
	assert_int_equal(e.g.received[EGP_RESPONSE], 0);
	e.g.received[EGP_RESPONSE] = 1; /* enrol counts transactions from 2 on */
	enrol(&e, 3, 0);
	assert_true(secret_equal(first, e.network));
	secret_free(first);
	disconnect_both(&e);
}

static void binds_a_credential_to_one_gateway(void **state)
{
	struct egp_message m = hello(GATEWAY2);
	struct gateway g;

	(void)state;
	gw_connect(&g, "tls", tls_port, credentials("gw1"));
	until(&g.open);
	gw_send(&g, &m);
	expect_error(&g, EGP_ERROR_NOT_AUTHORISED);
	greet(&g, GATEWAY);
	permit();
	while (g.received[EGP_JOIN_POLICY] < 2)
		loop_once(loop, 100);
	m = eg_request(GATEWAY2, DEVICE, 5);
	gw_send(&g, &m);
	expect_error(&g, EGP_ERROR_NOT_AUTHORISED);
	gw_free(&g);
}

/* Neither an unregistered certificate may name itself by HELLO, nor a certificate pass for a pre-shared key's name. */
static void refuses_gateways_that_are_not_registered(void **state)
{
	static const char *const names[] = {"stranger", "psk-like"};
	struct egp_message m = hello(GATEWAY);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gateway g;

		gw_connect(&g, "tls", tls_port, credentials(names[i]));
		until(&g.got);
		expect_error(&g, EGP_ERROR_NOT_AUTHORISED);
		m.hello.gateway = i == 0 ? GATEWAY : GATEWAY2;
		gw_send(&g, &m);
		expect_error(&g, EGP_ERROR_NOT_AUTHORISED);
		assert_int_equal(g.received[EGP_HELLO_ACK], 0);
		gw_free(&g);
	}
}

static void serves_a_gateway_with_a_pre_shared_key(void **state)
{
	struct tls_credentials *right, *wrong;
	struct gateway g, evil;
	const struct json *doc;
	bool connected = false;

	(void)state;
	assert_int_equal(tls_psk_client("gw2", in_dir("psk"), &right), OK);
	assert_int_equal(tls_psk_client("gw2", in_dir("psk.wrong"), &wrong), OK);
	gw_connect(&g, "psk", psk_port, right);
	greet(&g, GATEWAY2);
	doc = operate("{\"cmd\":\"gateway.list\"}");
	for (const struct json *v = json_get(doc, "gateways")->first; v; v = v->next)
		if (json_is_string(json_get(v, "name"), "gw2"))
			assert_true(json_bool(json_get(v, "connected"), &connected));
	assert_true(connected);
	gw_connect(&evil, "psk", psk_port, wrong);
	until(&evil.closed);
	assert_int_equal(evil.received[EGP_HELLO_ACK], 0);
	gw_free(&evil);
	gw_free(&g);
}

static void serves_plain_tcp_on_loopback_only(void **state)
{
	struct gateway g;
	uint16_t port;

	(void)state;
	assert_int_equal(egp_server_listen(egp, "0.0.0.0:0", NULL, false, &port), ERR_CONFIG);
	gw_connect(&g, "tcp", tcp_port, NULL);
	greet(&g, GATEWAY2);
	gw_free(&g);
}

/* It may ask as often as it likes, but not fill the disk with it. */
static void a_gateway_can_not_flood_the_audit_log(void **state)
{
	struct gateway g;

	(void)state;
	gw_connect(&g, "tls", tls_port, credentials("gw1"));
	greet(&g, GATEWAY);
	for (uint32_t i = 0; i < 300; i++) {
		struct egp_message m = eg_request(GATEWAY, 0x1000 + i, i);

		gw_send(&g, &m);
		if (i % 20 == 19)
			until(&g.got);
	}
	while (g.received[EGP_ERROR] < 300)
		loop_once(loop, 100);
	assert_in_range(audit_last(audit), 10, 60);
	gw_free(&g);
}

/* ---- a pty ---- */

struct line {
	int fd;
	struct hdlc_decoder decoder;
	struct gateway g;
};

static void on_line(void *ctx, unsigned events)
{
	struct line *line = ctx;
	uint8_t buffer[512];
	ssize_t n = read(line->fd, buffer, sizeof buffer);
	struct rd frame;

	(void)events;
	for (ssize_t i = 0; i < n; i++)
		if (hdlc_octet(&line->decoder, buffer[i], &frame))
			gw_message(&line->g, frame);
}

static void line_send(struct line *line, const struct egp_message *m, bool spoil)
{
	uint8_t buffer[2 * EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	hdlc_encode(encoded(m), &w);
	if (spoil)
		buffer[w.len / 2] ^= 1;
	line->g.got = false;
	assert_int_equal(write(line->fd, buffer, w.len), w.len);
}

static void serves_a_gateway_on_a_serial_line(void **state)
{
	struct egp_message m = hello(GATEWAY), ping = {.type = EGP_PING, .transaction = 9};
	struct line line = {.fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)};
	struct loop_io *io;

	(void)state;
	assert_true(line.fd >= 0 && grantpt(line.fd) == 0 && unlockpt(line.fd) == 0);
	hdlc_init(&line.decoder);
	assert_int_equal(egp_server_serial(egp, ptsname(line.fd), "gw1", NULL), OK);
	io = loop_io_new(loop, line.fd, LOOP_READ, on_line, &line);
	line_send(&line, &m, true); /* a spoilt frame is dropped */
	line_send(&line, &m, false);
	while (line.g.received[EGP_JOIN_POLICY] == 0)
		loop_once(loop, 100);
	assert_int_equal(line.g.received[EGP_HELLO_ACK], 1);
	line_send(&line, &ping, false);
	until(&line.g.got);
	assert_int_equal(line.g.last.type, EGP_PONG);
	loop_io_free(io);
	close(line.fd);
}

/* ---- life of a device ---- */

/* Brings the deadline of what the device waits for forward to now. */
static void lapse(void)
{
	struct mef_device *d = mef_device_find(mef, DEVICE);

	assert_true(d->deadline.place != 0);
	mef_device_wait(mef, d, clock_ms());
	mef_pump(mef);
	while (d->deadline.place != 0 && d->deadline.at <= clock_ms())
		loop_once(loop, 10);
}

/* A policy names 126: the others' turn comes when these have joined. */
static void lets_three_hundred_devices_in(void **state)
{
	struct mef_device *d;
	struct enrolled e;
	char request[200];
	unsigned rounds = 0, in = 0;

	(void)state;
	for (unsigned i = 0; i < 299; i++) {
		snprintf(request, sizeof request, "{\"cmd\":\"device.add\",\"device\":\"00124b00ff%06x\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", i);
		assert_true(ok(operate(request)));
	}
	connect_both(&e);
	while (e.g.received[EGP_JOIN_POLICY] < 2)
		loop_once(loop, 100);
	while (in < 300 && rounds < 10) {
		unsigned policies = e.g.received[EGP_JOIN_POLICY];

		if (rounds++ == 0)
			assert_true(ok(operate("{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":600}")));
		else
			mef_permit_more(mef, mef_gateway_find(mef, "gw1"));
		mef_pump(mef);
		while (e.g.received[EGP_JOIN_POLICY] == policies)
			loop_once(loop, 10);
		assert_int_equal(e.g.last.type, EGP_JOIN_POLICY);
		assert_int_equal(e.g.last.join_policy.count, EGP_POLICY_DEVICES_MAX);
		for (unsigned i = 0; i < e.g.last.join_policy.count; i++) {
			d = mef_device_find(mef, e.g.last.join_policy.devices[i]);
			assert_non_null(d);
			in += d->state != DEVICE_VERIFIED;
			d->state = DEVICE_VERIFIED;
		}
	}
	assert_int_equal(in, 300);
	assert_int_equal(rounds, 3);
	disconnect_both(&e);
}

static void learns_that_an_install_code_is_wrong(void **state)
{
	struct enrolled e;
	char reason[200];

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	lapse();
	expect_state("failed");
	assert_true(json_text(json_path(operate("{\"cmd\":\"device.show\",\"device\":\"" DEVICE_TEXT "\"}"), "device.reason"), reason, sizeof reason));
	assert_non_null(strstr(reason, "wrong install code"));
	/* It may try again, with a new key. */
	secret_free(e.network);
	e.network = NULL;
	enrol(&e, 3, 1);
	event(&e, "joined");
	expect_state("joined");
	disconnect_both(&e);
}

/* An association in a living device's name, never completed: the device goes on under its own key. */
static void a_forged_association_does_not_lock_a_device_out(void **state)
{
	struct mef_device *d;
	struct enrolled e;
	char first[64];
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	strcpy(first, e.path);
	secret_free(e.network);
	e.network = NULL;
	enrol(&e, 3, 1);
	assert_string_not_equal(first, e.path);
	lapse();
	expect_state("joined");
	ask(&e.b, &c, "GET", first, ""); /* the former key is there still */
	assert_int_equal(c.rsc, 2000);
	/* Once the device uses a new key, the former one goes. */
	secret_free(e.network);
	e.network = NULL;
	enrol(&e, 4, 2);
	event(&e, "joined");
	d = mef_device_find(mef, DEVICE);
	assert_null(d->former);
	ask(&e.b, &c, "GET", first, "");
	assert_int_equal(c.rsc, 4004);
	disconnect_both(&e);
}

static struct rd sealed_request(const struct link_key_set *link, uint32_t counter, uint8_t buffer[static 128])
{
	static const uint8_t command[] = {APS_REQUEST_KEY, APS_REQUEST_TC_LINK};
	struct aps_frame f = {.type = APS_COMMAND, .counter = 5, .payload = rd_of(command, sizeof command)};
	struct wr w = wr_of(buffer, 128);
	struct rd frame;

	assert_int_equal(aps_seal(link->link, AUX_KEY_DATA, 0, true, DEVICE, counter, &f, &w), OK);
	assert_true(wr_done(&w, &frame));
	return frame;
}

/* Posts a frame to the relay; the answer's frame, if any, goes to `answer`. */
static void relay(struct enrolled *e, struct call *c, struct rd frame, struct wr *answer)
{
	uint8_t body[512];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd text;

	json_object(&o, NULL);
	json_object(&o, "kw:aps");
	json_put_uint(&o, "counter", 0x42);
	json_put_base64(&o, "frame", frame);
	json_close(&o);
	json_close(&o);
	wr_u8(&w, 0);
	ask(&e->b, c, "POST", leaf(e->path, "aps"), (const char *)body);
	assert_int_equal(c->rsc, 2000);
	if (json_string(json_path(c->doc, "kw:aps.frame"), &text))
		assert_true(base64_parse(text, answer));
}

static struct link_key_set unique_key(const struct link_key_set *install, struct rd answer)
{
	uint8_t plain[NWK_FRAME_MAX], key[16];
	struct link_key_set set;
	struct aps_command c;
	struct aux_header aux;
	struct aps_frame f;
	struct rd payload;

	assert_int_equal(aps_frame_decode(answer, &f), OK);
	assert_int_equal(f.counter, 0x42);
	assert_int_equal(aps_open_set(install, GATEWAY, &f, &aux, plain, &payload), OK);
	assert_int_equal(aux.key_id, AUX_KEY_LOAD);
	assert_int_equal(aps_command_decode(payload, &c), OK);
	memcpy(key, c.transport_key.key_octets.at, sizeof key);
	assert_int_equal(link_key_set_take(&set, secret_take(key, sizeof key)), OK);
	return set;
}

static struct rd verify_frame(const struct link_key_set *unique, uint8_t buffer[static 128])
{
	struct aps_command c = {.id = APS_VERIFY_KEY, .verify_key = {.type = APS_KEY_TC_LINK, .source = DEVICE}};
	struct aps_frame f = {.type = APS_COMMAND, .counter = 6};
	uint8_t plain[64];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, 128);
	struct rd frame;

	link_key_verify_hash(unique->link, c.verify_key.hash);
	assert_int_equal(aps_command_encode(&c, &p), OK);
	assert_true(wr_done(&p, &f.payload));
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	assert_true(wr_done(&w, &frame));
	return frame;
}

static void restart(struct enrolled *e)
{
	/* The gateway and the node see their connections end; nothing else survives than what is on disk. */
	http_client_free(e->b.client);
	stop();
	while (!e->g.closed)
		loop_once(loop, 20);
	start();
	e->b.client = http_client_new(loop, e->b.tls);
}

/* Request-Key, a restart, Request-Key again: the same key; Verify-Key, a restart: still verified. */
static void the_trust_centre_goes_on_after_a_restart(void **state)
{
	struct link_key_set install = install_keys(), unique, again;
	uint8_t frame[128], octets[128];
	struct wr w = wr_of(octets, sizeof octets);
	struct enrolled e;
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	relay(&e, &c, sealed_request(&install, 7, frame), &w);
	assert_true(json_is_string(json_path(c.doc, "kw:aps.outcome"), "answer"));
	unique = unique_key(&install, rd_of(octets, w.len));
	restart(&e);
	relay(&e, &c, sealed_request(&install, 7, frame), &w); /* a replay, also after the restart */
	assert_true(json_is_string(json_path(c.doc, "kw:aps.outcome"), "ignored"));
	w = wr_of(octets, sizeof octets);
	relay(&e, &c, sealed_request(&install, 8, frame), &w);
	again = unique_key(&install, rd_of(octets, w.len));
	assert_true(secret_equal(unique.link, again.link));
	w = wr_of(octets, sizeof octets);
	relay(&e, &c, verify_frame(&unique, frame), &w);
	assert_true(json_is_string(json_path(c.doc, "kw:aps.outcome"), "answer"));
	expect_state("verified");
	restart(&e);
	expect_state("verified");
	/* Confirm-Key was lost: again, under the same key, with a greater counter. */
	w = wr_of(octets, sizeof octets);
	relay(&e, &c, verify_frame(&unique, frame), &w);
	{
		uint8_t plain[NWK_FRAME_MAX];
		struct aps_frame f;
		struct aux_header aux;
		struct rd payload;

		assert_int_equal(aps_frame_decode(rd_of(octets, w.len), &f), OK);
		assert_int_equal(aps_open_set(&unique, GATEWAY, &f, &aux, plain, &payload), OK);
		assert_true(aux.frame_counter >= 2 * MEF_COUNTER_BLOCK); /* two restarts */
	}
	link_key_set_clear(&install);
	link_key_set_clear(&unique);
	link_key_set_clear(&again);
	disconnect_both(&e);
}

/* R22 4.6.3.3.2: without its unique key an unsecured rejoin gets nothing; with it a new network key, sealed under the unique one, also when
 * joining is closed. */
static void an_unsecured_rejoin_needs_the_unique_key(void **state)
{
	struct egp_message m = eg_request(GATEWAY, DEVICE, 50);
	struct link_key_set install = install_keys(), unique;
	uint8_t frame[128], octets[128];
	struct wr w = wr_of(octets, sizeof octets);
	struct enrolled e;
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	assert_true(ok(operate("{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":0}")));
	while (e.g.received[EGP_JOIN_POLICY] < 3)
		loop_once(loop, 100);
	m.request.kind = EGP_JOIN_UNSECURED_REJOIN;
	gw_send(&e.g, &m);
	expect_error(&e.g, EGP_ERROR_NOT_PERMITTED);
	relay(&e, &c, sealed_request(&install, 1, frame), &w);
	unique = unique_key(&install, rd_of(octets, w.len));
	w = wr_of(octets, sizeof octets);
	relay(&e, &c, verify_frame(&unique, frame), &w);
	expect_state("verified");
	secret_free(e.network);
	e.network = NULL;
	enrol_by(&e, 3, 1, &unique);
	event(&e, "joined");
	expect_state("verified");
	link_key_set_clear(&install);
	link_key_set_clear(&unique);
	disconnect_both(&e);
}

static void expels_a_device_that_keeps_its_install_code(void **state)
{
	struct enrolled e;
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	lapse();
	expect_state("failed");
	ask(&e.b, &c, "GET", e.b.cmd, "");
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_ZIGBEE_APS_PENDING);
	report(&e.b, &c, 20);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_ZIGBEE_FORGET);
	report(&e.b, &c, 20);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_NO_MORE);
	assert_null(mef_device_find(mef, DEVICE)->present);
	disconnect_both(&e);
}

static void removes_a_device_with_its_keys(void **state)
{
	struct link_key_set install = install_keys();
	uint8_t octets[128], plain[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct aps_command command;
	struct aux_header aux;
	struct aps_frame f;
	struct enrolled e;
	struct rd payload;
	struct call c;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	assert_true(ok(operate("{\"cmd\":\"device.remove\",\"device\":\"" DEVICE_TEXT "\"}")));
	expect_state("removed");
	assert_false(ok(operate("{\"cmd\":\"device.add\",\"device\":\"" DEVICE_TEXT "\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}")));
	ask(&e.b, &c, "GET", e.b.cmd, "");
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdStatusCode"), COMMAND_ISSUED);
	ask(&e.b, &c, "GET", e.b.cmd, ""); /* B crashed in between */
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdStatusCode"), COMMAND_REISSUED);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_ZIGBEE_APS_PENDING);
	{
		struct call a;

		relay(&e, &a, rd_of(octets, 0), &w);
		assert_true(json_is_string(json_path(a.doc, "kw:aps.outcome"), "answer"));
	}
	assert_int_equal(aps_frame_decode(rd_of(octets, w.len), &f), OK);
	assert_int_equal(aps_open_set(&install, GATEWAY, &f, &aux, plain, &payload), OK);
	assert_int_equal(aps_command_decode(payload, &command), OK);
	assert_int_equal(command.id, APS_REMOVE_DEVICE);
	report(&e.b, &c, 20);
	report(&e.b, &c, 20);
	assert_null(mef_device_find(mef, DEVICE));
	/* Registered again, its counter goes on: the same install code gives the same keys. */
	assert_true(ok(operate("{\"cmd\":\"device.add\",\"device\":\"" DEVICE_TEXT "\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\","
			       "\"application\":\"cold room\"}")));
	permit();
	secret_free(e.network);
	e.network = NULL;
	{
		uint32_t before = e.counter;

		enrol(&e, 3, 0);
		assert_true(e.counter > before);
	}
	link_key_set_clear(&install);
	disconnect_both(&e);
}

/* ---- the operator ---- */

/* TS-0003 8.3.9: each class comes with its arguments, in order, and is done with when its client has reported, whatever it reports. */
static void carries_the_operators_commands_to_clients(void **state)
{
	struct node b = node_new("b", "/id-b");
	struct call c;

	(void)state;
	assert_false(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"DEV_CFG\",\"protocol\":3,\"uri\":\"coaps://dm\"}")));
	node_register(&b);
	ask(&b, &c, "GET", b.cmd, "");
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_NO_MORE);
	assert_true(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"CERT_PROV\",\"protocol\":1,\"uri\":\"https://mef/est\","
			       "\"subject_type\":2,\"subject\":\"//keyway.example/id-b\"}")));
	assert_true(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"DEV_CFG\",\"protocol\":3,\"uri\":\"coaps://dm\"}")));
	assert_true(ok(operate("{\"cmd\":\"client.command\",\"client\":\"//keyway.example/id-b\",\"class\":\"MO_NODE\",\"path\":\"/mo/1\",\"object\":1,\"suid\":22}")));
	assert_false(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"MO_NODE\",\"path\":\"/mo/1\",\"object\":1}")));
	assert_false(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"MO_NODE\",\"path\":\"/mo/1\",\"object\":2,\"suid\":22}")));
	assert_false(ok(operate("{\"cmd\":\"client.command\",\"client\":\"/id-b\",\"class\":\"DEV_CFG\",\"protocol\":5,\"uri\":\"coaps://dm\"}")));
	ask(&b, &c, "GET", b.cmd, "");
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdStatusCode"), COMMAND_ISSUED);
	ask(&b, &c, "GET", b.cmd, "");
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdStatusCode"), COMMAND_REISSUED);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_CERT_PROV);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdArgs.certProvProtocolID"), COMMAND_EST);
	report(&b, &c, COMMAND_CERT_SERVER_ERROR);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_DEV_CFG);
	assert_true(json_is_string(json_path(c.doc, "sec:mefClientCmd.cmdDescription.cmdArgs.deviceConfigURI"), "3:coaps://dm"));
	report(&b, &c, COMMAND_OK);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_MO_NODE);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdArgs.objectTypeSpecificArgs.SUID"), 22);
	report(&b, &c, COMMAND_MO_INCONSISTENT);
	assert_int_equal(number(c.doc, "sec:mefClientCmd.cmdDescription.cmdClassID"), COMMAND_NO_MORE);
	node_free(&b);
}

static void configures_a_client(void **state)
{
	struct node b = node_new("b", "/id-b"), b2 = node_new("b2", "/id-b2");
	char path[160];
	struct call c;

	(void)state;
	node_register(&b);
	snprintf(path, sizeof path, "%.*s", (int)(strlen(b.cmd) - 4), b.cmd); /* without /cmd */
	ask(&b, &c, "GET", path, "");
	assert_int_equal(c.rsc, 4004); /* none is set */
	assert_true(ok(operate("{\"cmd\":\"client.configure\",\"client\":\"/id-b\",\"config\":{\"keyRegCfg\":{\"adminFQDN\":\"a.example\",\"SUID\":22}}}")));
	ask(&b, &c, "GET", path, "");
	assert_int_equal(c.rsc, 2000);
	assert_int_equal(number(c.doc, "sec:mefClientReg.clientCfg.keyRegCfg.SUID"), 22);
	ask(&b2, &c, "GET", path, "");
	assert_int_equal(c.rsc, 4103);
	assert_true(json_at(json_get(operate("{\"cmd\":\"client.list\"}"), "clients"), 0) != NULL);
	ask(&b, &c, "PUT", path, "{\"sec:mefClientReg\":{\"labels\":[\"x\"]}}");
	assert_int_equal(c.rsc, 2004);
	ask(&b, &c, "DELETE", path, "");
	assert_int_equal(c.rsc, 2002);
	ask(&b, &c, "GET", b.cmd, "");
	assert_int_equal(c.rsc, 4004);
	node_free(&b);
	node_free(&b2);
}

/* A key that a client supplies, fetched by its target over HTTPS. */
static void registers_a_key_for_another_client(void **state)
{
	static const char order[] = "{\"sec:symmKeyReg\":{\"fqdn\":\"mef.keyway.example\",\"et\":\"20991231T235959\",\"adminFQDN\":\"a.example\",\"SUID\":22,"
				    "\"targetIDs\":[\"//keyway.example/id-b2\"],\"keyValue\":\"AAECAwQFBgcICQoLDA0ODw==\"}}";
	struct node b = node_new("b", "/id-b"), b2 = node_new("b2", "/id-b2");
	char path[64], fetch[160], id[REGISTRY_ID_SIZE];
	struct call c;

	(void)state;
	ask(&b, &c, "POST", "/mef", order);
	assert_int_equal(c.rsc, 4103); /* not registered */
	node_register(&b);
	ask(&b, &c, "POST", "/mef", order);
	assert_int_equal(c.rsc, 2001);
	assert_null(strstr(c.body, "keyValue"));
	assert_true(json_text(json_path(c.doc, "sec:symmKeyReg.ri"), id, sizeof id));
	snprintf(path, sizeof path, "/mef/%s", id);
	ask(&b, &c, "GET", path, "");
	assert_int_equal(c.rsc, 4103);
	ask(&b2, &c, "GET", path, "");
	assert_int_equal(c.rsc, 2000);
	assert_true(json_is_string(json_path(c.doc, "sec:symmKeyReg.keyValue"), "AAECAwQFBgcICQoLDA0ODw=="));
	assert_true(json_is_string(json_path(c.doc, "sec:symmKeyReg.sourceClientID"), "/id-b"));
	assert_null(json_path(c.doc, "sec:symmKeyReg.zigbee"));
	/* The older form of the same, 8.3.2.1: by KeID and usage. */
	snprintf(fetch, sizeof fetch, "/fetchCredentials/%s@mef.keyway.example/22", id);
	ask(&b2, &c, "GET", fetch, "");
	assert_int_equal(c.rsc, 2000);
	assert_true(json_is_string(json_get(c.doc, "Credential"), "AAECAwQFBgcICQoLDA0ODw==") && json_is_string(json_get(c.doc, "EnroleeID"), "/id-b"));
	snprintf(fetch, sizeof fetch, "/fetchCredentials/%s%%40mef.keyway.example/22", id);
	ask(&b2, &c, "GET", fetch, "");
	assert_int_equal(c.rsc, 2000);
	ask(&b, &c, "GET", fetch, ""); /* no target */
	assert_int_equal(c.rsc, 4103);
	assert_null(json_get(c.doc, "Credential"));
	snprintf(fetch, sizeof fetch, "/fetchCredentials/%s@mef.keyway.example/21", id); /* another usage */
	ask(&b2, &c, "GET", fetch, "");
	assert_int_equal(c.rsc, 4103);
	snprintf(fetch, sizeof fetch, "/fetchCredentials/%s@other.example/22", id);
	ask(&b2, &c, "GET", fetch, "");
	assert_int_equal(c.rsc, 4000);
	ask(&b2, &c, "GET", "/fetchCredentials/22", "");
	assert_int_equal(c.rsc, 4000);
	ask(&b2, &c, "PUT", path, "{\"sec:symmKeyReg\":{\"targetIDs\":[\"/id-b\"]}}");
	assert_int_equal(c.rsc, 4103);
	ask(&b, &c, "PUT", path, "{\"sec:symmKeyReg\":{\"targetIDs\":[\"/id-b\"]}}");
	assert_int_equal(c.rsc, 2004);
	ask(&b2, &c, "GET", path, "");
	assert_int_equal(c.rsc, 4103);
	ask(&b, &c, "DELETE", path, "");
	assert_int_equal(c.rsc, 2002);
	ask(&b, &c, "GET", path, "");
	assert_int_equal(c.rsc, 4004);
	node_free(&b);
	node_free(&b2);
}

static void expect_complaint(const char *request, const char *code, const char *advice)
{
	const struct json *doc = operate(request);
	char text[256];

	assert_false(ok(doc));
	assert_true(json_is_string(json_get(doc, "code"), code));
	assert_true(json_text(json_get(doc, "error"), text, sizeof text));
	if (!strstr(text, advice))
		fail_msg("`%s` does not say `%s`", text, advice);
}

static void says_what_is_wrong_and_what_to_do(void **state)
{
	(void)state;
	expect_complaint("nonsense", "ERR_MALFORMED", "JSON object");
	expect_complaint("{\"cmd\":\"fly\"}", "ERR_UNSUPPORTED", "no such `cmd`");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"00124b0001020305\",\"code\":\"83FED3407A939723A5C639B26916D5054195\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}",
	    "ERR_BAD_CRC", "compare it with the label");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"00124b0001020305\",\"code\":\"11223344556677884AF7\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}",
	    "ERR_NOT_PERMITTED", "short_install_codes");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"00124b0001020305\",\"code\":\"12\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", "ERR_MALFORMED", "36 hexadecimal");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"00124b0001020305\",\"code\":\"83FE D34O\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", "ERR_MALFORMED", "character 9");
	expect_complaint("{\"cmd\":\"device.check\",\"device\":\"00124b0001020305\",\"code\":\"83FED3407A939723A5C639B26916D5054195\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}",
	    "ERR_BAD_CRC", "device 00124b0001020305");
	assert_true(ok(operate("{\"cmd\":\"device.check\",\"device\":\"00124b0001020305\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}")));
	expect_complaint("{\"cmd\":\"device.show\",\"device\":\"00124b0001020305\"}", "ERR_NOT_FOUND", "device list"); /* it was only checked */
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"" DEVICE_TEXT "\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", "ERR_EXISTS", "remove it first");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"12\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", "ERR_BAD_VALUE", "16 hexadecimal");
	expect_complaint("{\"cmd\":\"device.add\",\"device\":\"00124b0001020305\",\"code\":\"" CODE "\",\"owner\":\"/id-b\",\"gateway\":\"gw9\"}", "ERR_NOT_FOUND", "gateway add");
	expect_complaint("{\"cmd\":\"device.show\",\"device\":\"00124b0001020305\"}", "ERR_NOT_FOUND", "device list");
	expect_complaint("{\"cmd\":\"permit\",\"gateway\":\"gw9\",\"seconds\":5}", "ERR_NOT_FOUND", "gateway list");
	expect_complaint("{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":65536}", "ERR_BAD_VALUE", "65535");
	expect_complaint("{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":5,\"devices\":[\"00124b0001020305\"]}", "ERR_NOT_FOUND", "not registered at this gateway");
	expect_complaint("{\"cmd\":\"gateway.add\",\"name\":\"gw1\",\"eui64\":\"0200000000000009\",\"relay\":\"/id-mn/x\",\"identity\":\"y\"}", "ERR_EXISTS", "registered already");
}

static void serves_the_operator_on_its_socket(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[4096] = "";
	struct admin *second;
	struct stat info;
	size_t len = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	strcpy(address.sun_path, in_dir("admin.sock"));
	assert_int_equal(stat(address.sun_path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(admin_new(mef, egp, address.sun_path, &second), ERR_EXISTS);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(send(fd, "{\"cmd\":\"status\"}\n{\"cmd\":", 24, 0), 24);
	while (!strchr(answer, '\n') && len < sizeof answer - 1) {
		ssize_t n = recv(fd, answer + len, sizeof answer - 1 - len, MSG_DONTWAIT);

		len += n > 0 ? (size_t)n : 0;
		loop_once(loop, 20);
	}
	assert_non_null(strstr(answer, "\"ok\":true"));
	assert_int_equal(send(fd, "1}\n", 3, 0), 3);
	for (len = 0, answer[0] = '\0'; !strchr(answer, '\n') && len < sizeof answer - 1;) {
		ssize_t n = recv(fd, answer + len, sizeof answer - 1 - len, MSG_DONTWAIT);

		len += n > 0 ? (size_t)n : 0;
		loop_once(loop, 20);
	}
	assert_non_null(strstr(answer, "\"ok\":false"));
	close(fd);
	loop_once(loop, 20);
}

/* Whatever the operator asks and whatever is logged: no key, no install code. */
static void no_answer_and_no_audit_line_holds_a_key(void **state)
{
	static const char *const requests[] = {"{\"cmd\":\"device.list\"}", "{\"cmd\":\"device.show\",\"device\":\"" DEVICE_TEXT "\"}",
	    "{\"cmd\":\"gateway.list\"}", "{\"cmd\":\"status\"}", "{\"cmd\":\"audit\"}"};
	struct link_key_set install = install_keys();
	char hex[3][HEX_SIZE(16)], lower[sizeof CODE];
	struct enrolled e;

	(void)state;
	connect_both(&e);
	enrol(&e, 2, 0);
	event(&e, "joined");
	hex_print(hex[0], secret_octets(e.network), 16);
	hex_print(hex[1], secret_octets(install.link), 16);
	hex_print(hex[2], secret_octets(install.transport), 16);
	for (size_t i = 0; i < sizeof CODE; i++)
		lower[i] = (char)(CODE[i] >= 'A' && CODE[i] <= 'Z' ? CODE[i] + 32 : CODE[i]);
	for (size_t r = 0; r < sizeof requests / sizeof requests[0]; r++) {
		static uint8_t buffer[65536];
		struct wr w = wr_of(buffer, sizeof buffer);

		admin_answer(mef, egp, rd_str(requests[r]), &w);
		wr_u8(&w, 0);
		assert_non_null(strstr((char *)buffer, "\"ok\":true"));
		for (size_t i = 0; i < 3; i++)
			assert_null(strstr((char *)buffer, hex[i]));
		assert_null(strcasestr((char *)buffer, lower));
	}
	link_key_set_clear(&install);
	disconnect_both(&e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hands_a_key_to_its_node_and_then_to_the_device),
		TEST(gives_the_key_to_its_target_alone),
		TEST(refuses_clients_without_a_certificate_of_the_plant),
		TEST(refuses_requests_that_are_incomplete),
		TEST(refuses_the_gateway_while_the_node_is_away),
		TEST(refuses_the_gateway_when_the_node_is_slow),
		TEST(binds_a_credential_to_one_gateway),
		TEST(refuses_gateways_that_are_not_registered),
		TEST(serves_a_gateway_with_a_pre_shared_key),
		TEST(serves_plain_tcp_on_loopback_only),
		TEST(a_gateway_can_not_flood_the_audit_log),
		TEST(serves_a_gateway_on_a_serial_line),
		TEST(lets_three_hundred_devices_in),
		TEST(learns_that_an_install_code_is_wrong),
		TEST(a_forged_association_does_not_lock_a_device_out),
		TEST(the_trust_centre_goes_on_after_a_restart),
		TEST(an_unsecured_rejoin_needs_the_unique_key),
		TEST(expels_a_device_that_keeps_its_install_code),
		TEST(removes_a_device_with_its_keys),
		TEST(carries_the_operators_commands_to_clients),
		TEST(configures_a_client),
		TEST(registers_a_key_for_another_client),
		TEST(says_what_is_wrong_and_what_to_do),
		TEST(serves_the_operator_on_its_socket),
		TEST(no_answer_and_no_audit_line_holds_a_key),
	};

	return cmocka_run_group_tests(tests, make_plant, remove_plant);
}
