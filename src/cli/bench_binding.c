/* `keyway bench cse --binding coap|ws|mqtt`: retrieving by another binding, against the bare library in the same run. */
#include "cli/bench_cse.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/exchange.h"
#include "cli/cli.h"

#define RESOURCE "cse-in/bench/values/la"
#define PATIENCE_MS 10000
#define ANSWER_MAX 65536
#define BODY_MAX 1000 /* in one CoAP message */

static struct exchange_options options_of(struct bench *b, const struct exchange_protocol *protocol, void *ctx, uint16_t port, unsigned connections, pid_t server)
{
	return (struct exchange_options){
		.protocol = protocol,
		.ctx = ctx,
		.port = port,
		.connections = connections,
		.warm_ms = (uint64_t)(b->o.seconds * 200),
		.time_ms = (uint64_t)(b->o.seconds * 1000),
		.server = server,
		.stop = &b->stop,
	};
}

static bool measure(struct bench *b, const char *name, const struct exchange_options *o)
{
	static struct load_result r;
	enum err e;

	fprintf(stderr, "%s, %u connections ...\n", name, o->connections);
	e = exchange_run(o, &r);
	if (e != OK)
		return bench_fail(b, "%s: %s", name, err_text(e));
	bench_row_add(b, name, o->connections, &r);
	return true;
}

static void compare(struct bench *b, const char *name, const char *reference, unsigned connections)
{
	const struct bench_row *a = bench_row_find(b, reference, connections);
	struct bench_row *row = (struct bench_row *)(uintptr_t)bench_row_find(b, name, connections);

	if (row && a && a->rate > 0)
		row->to_http = row->rate / a->rate;
}

/* What the CSE answers by HTTP, without its head. */
static bool content_of(struct bench *b, char *body, size_t size)
{
	struct wr answer = wr_new(ANSWER_MAX);
	const uint8_t *end;
	bool ok = bench_retrieve_latest(b, &answer);

	end = ok ? memmem(answer.octets, answer.len, "\r\n\r\n", 4) : NULL;
	ok = ok && end && rd_text(rd_of(end + 4, answer.len - (size_t)(end + 4 - answer.octets)), body, size);
	wr_free(&answer);
	return ok || bench_fail(b, "the CSE's own answer cannot be had by HTTP");
}

/* ---- CoAP: libcoap's server, with the same octets ---- */

static bool coap(struct bench *b)
{
	static struct exchange_coap own, bare;
	char port[16], body[BODY_MAX];
	const char *const argv[] = {"/usr/bin/coap-server-gnutls", "-A", "127.0.0.1", "-p", port, "-d", "2", NULL};
	struct process *reference = NULL;
	uint16_t bare_port = (uint16_t)plant_free_port();

	if (!content_of(b, body, sizeof body))
		return false;
	snprintf(port, sizeof port, "%u", bare_port);
	if (access(argv[0], X_OK) == 0)
		reference = process_start(&b->set, "libcoap", argv);
	else
		fprintf(stderr, "no %s (package libcoap3-bin): nothing to compare with\n", argv[0]);
	if (reference && exchange_coap_put(bare_port, "bench", rd_str(body), PATIENCE_MS) != OK)
		return bench_fail(b, "libcoap's server takes no resource; its log is %s/libcoap.log", b->dir);
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct exchange_options o = options_of(b, &exchange_coap, &own, b->coap_port, b->o.connections[i], b->cse->pid), r = o;

		own = (struct exchange_coap){.path = RESOURCE, .onem2m = true};
		bare = (struct exchange_coap){.path = "bench"};
		r.ctx = &bare;
		r.port = bare_port;
		r.server = reference ? reference->pid : 0;
		if ((reference && !measure(b, "libcoap", &r)) || !measure(b, "coap", &o))
			return false;
		compare(b, "coap", "libcoap", o.connections);
	}
	return true;
}

/* ---- WebSocket: the CSE's own HTTP ---- */

static bool websocket(struct bench *b)
{
	static struct exchange_websocket own;

	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct exchange_options o = options_of(b, &exchange_websocket, &own, b->port, b->o.connections[i], b->cse->pid);

		memset(&own, 0, sizeof own);
		own.to = RESOURCE;
		if (!bench_measure_latest(b, "http", o.connections) || !measure(b, "ws", &o))
			return false;
		compare(b, "ws", "http", o.connections);
	}
	return true;
}

/* ---- MQTT: a client that answers with the same octets, through the same broker ---- */

static bool write_answer(struct bench *b, char *path, size_t size)
{
	char body[BODY_MAX];
	FILE *f;

	if (!content_of(b, body, sizeof body))
		return false;
	snprintf(path, size, "%s/mqtt-answer", b->dir);
	f = fopen(path, "w");
	if (!f)
		return bench_fail(b, "%s cannot be written", path);
	fprintf(f, "{\"rsc\":2000,\"rqi\":\"1234567\",\"rvi\":\"3\",\"to\":\"CAdmin\",\"fr\":\"/id-in\",\"pc\":%s}", body);
	return fclose(f) == 0;
}

static bool mqtt(struct bench *b)
{
	static struct exchange_mqtt own = {.receiver = "id-in", .to = RESOURCE}, bare = {.receiver = "echo", .to = RESOURCE};
	char port[16], answer[300];
	const char *const argv[] = {"/proc/self/exe", "bench", "reference-mqtt", port, answer, NULL};
	struct process *reference;

	snprintf(port, sizeof port, "%u", b->broker_port);
	if (!write_answer(b, answer, sizeof answer))
		return false;
	reference = process_start(&b->set, "echo", argv);
	if (!reference || !process_wait_line(reference, "ready", PATIENCE_MS) || !process_wait_line(b->cse, "mqtt connected", PATIENCE_MS))
		return bench_fail(b, "the echo, or the CSE, does not reach the broker; see %s/echo.log and cse.log", b->dir);
	for (size_t i = 0; i < b->o.connection_count; i++) {
		struct exchange_options o = options_of(b, &exchange_mqtt, &own, b->broker_port, b->o.connections[i], b->cse->pid), r = o;

		r.ctx = &bare;
		r.server = reference->pid;
		if (!measure(b, "mqtt-echo", &r) || !measure(b, "mqtt", &o))
			return false;
		compare(b, "mqtt", "mqtt-echo", o.connections);
	}
	return true;
}

bool bench_broker_start(struct bench *b)
{
	char path[300];
	const char *const argv[] = {access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "/usr/bin/mosquitto", "-c", path, NULL};
	struct process *p;
	FILE *f;

	b->broker_port = (uint16_t)plant_free_port();
	snprintf(path, sizeof path, "%s/mosquitto.conf", b->dir);
	f = fopen(path, "w");
	if (!f)
		return bench_fail(b, "%s cannot be written", path);
	fprintf(f, "listener %u 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n%s", b->broker_port, geteuid() == 0 ? "user root\n" : "");
	if (fclose(f) != 0 || access(argv[0], X_OK) != 0)
		return bench_fail(b, "there is no mosquitto: install it");
	p = process_start(&b->set, "broker", argv);
	return (p && process_wait_line(p, "running", PATIENCE_MS)) || bench_fail(b, "the broker does not start; its log is %s/broker.log", b->dir);
}

static const struct {
	const char *name, *reference, *target, *legend;
	double limit;
	bool (*run)(struct bench *b);
} bindings[] = {
	{"coap", "libcoap", "CoAP retrieve, of libcoap's server, worst of all connections", "(a) libcoap: coap-server-gnutls answering the same octets.", 0.5, coap},
	{"ws", "http", "WebSocket retrieve, of HTTP's rate, worst of all connections", "(a) http: the same CSE by HTTP.", 1.0, websocket},
	{"mqtt", "mqtt-echo", "MQTT retrieve, of an echo through the same broker, worst of all connections",
	    "(a) mqtt-echo: a client of the same broker that answers the same octets; each request and each answer goes through the broker.", 0.5, mqtt},
};
#define BINDINGS (sizeof bindings / sizeof bindings[0])

bool bench_binding_known(const char *name)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (strcmp(bindings[i].name, name) == 0)
			return true;
	return false;
}

bool bench_binding_run(struct bench *b)
{
	for (size_t i = 0; i < BINDINGS; i++)
		if (strcmp(bindings[i].name, b->o.binding) == 0)
			return bench_prepare_latest(b) && bindings[i].run(b);
	return false;
}

struct bench_target bench_binding_target(const struct bench *b, const char **legend)
{
	struct bench_target t = {.unit = "", .value = 1e9};

	for (size_t i = 0; i < BINDINGS; i++) {
		if (strcmp(bindings[i].name, b->o.binding) != 0)
			continue;
		t.name = bindings[i].target;
		t.limit = bindings[i].limit;
		*legend = bindings[i].legend;
		for (size_t r = 0; r < b->row_count; r++) {
			if (strcmp(b->rows[r].name, b->o.binding) != 0 || b->rows[r].to_http <= 0)
				continue;
			t.measured = true;
			t.value = b->rows[r].to_http < t.value ? b->rows[r].to_http : t.value;
		}
	}
	t.met = t.measured && t.value >= t.limit;
	return t;
}
