/* Any requests at Mmef, by anybody: each is answered once, a held one in the end, with the HTTP status of its response status code, its own X-M2M-RI
 * and JSON; nothing is done for one without a certificate; and a key goes to the node that it is for, and to no other.
 *
 * The input is messages with a line "---" between: "METHOD /path?query", headers, content. The header Peer is the identity in the client's certificate;
 * in a path REG stands for node B's registration and KEY for the identifier of its device's key. This file stands in for the server of loop/http. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/log.h"
#include "mef/mmef.h"
#include "onem2m/rsc.h"
#include "../message.h"

#define NODE "/id-b"
#define DEVICE 0x00124b0001020304ULL
#define REQUESTS 32

struct http_exchange {
	struct message message;
	char *text; /* method, path and query, with zeros between */
	struct http_request rq;
	unsigned answers;
	unsigned status;
	bool key; /* the answer holds one, as a member: a debug text may say its name */
};

static struct http_exchange exchanges[REQUESTS];
static size_t exchange_count;
static http_handler *handler;
static void *handler_ctx;
static struct loop *loop;

/* ---- in the place of loop/http ---- */

enum err http_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, http_handler *fn, void *ctx, struct http_server **out)
{
	(void)l;
	(void)host_port;
	(void)tls;
	handler = fn;
	handler_ctx = ctx;
	*out = NULL;
	return OK;
}

uint16_t http_server_port(const struct http_server *s)
{
	(void)s;
	return 0;
}

void http_server_free(struct http_server *s)
{
	(void)s;
}

struct tls_session *http_request_tls(struct http_exchange *x)
{
	(void)x;
	return NULL;
}

const char *http_request_header(struct http_exchange *x, const char *name)
{
	return message_header(&x->message, name);
}

void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	const char *rsc = NULL, *ri = NULL, *asked = message_header(&x->message, "X-M2M-RI");
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	enum onem2m_rsc code;

	for (; headers->name; headers++) {
		rsc = strcmp(headers->name, "X-M2M-RSC") == 0 ? headers->value : rsc;
		ri = strcmp(headers->name, "X-M2M-RI") == 0 ? headers->value : ri;
		MUST(!strpbrk(headers->value, "\r\n"));
	}
	x->answers++;
	x->status = status;
	x->key = memmem(body.at, body.left, "\"keyValue\"", 10) != NULL || memmem(body.at, body.left, "\"Credential\"", 12) != NULL;
	MUST(x->answers == 1 && rsc && rsc_parse(rd_str(rsc), &code) && rsc_http_status(code) == status);
	MUST(ri ? asked && strcmp(ri, asked) == 0 : !asked || !asked[0] || false);
	MUST(body.left > 0 && json_parse(arena, body, NULL, &doc) == OK && doc->type == JSON_OBJECT);
	json_arena_free(arena);
}

/* ---- a MEF with a node and a device ---- */

struct world {
	struct mef *mef;
	struct mmef *mmef;
	struct mef_store *store;
	struct registry *registry;
	struct audit *audit;
	struct secret *file_key;
	struct rng rng;
	int audit_fd;
	char registration[MEF_KEY_ID_SIZE], key[MEF_KEY_ID_SIZE];
};

static void registry(struct world *w)
{
	const struct mef_gateway_order g = {rd_str("gw1"), rd_str("0200000000000001"), rd_str("/id-mn/cse-mn/gw1"), rd_str("m2m://keyway.example/id-mn/Cgw1")};
	const struct mef_device_order d = {rd_str("00124b0001020304"), rd_str("83FED3407A939723A5C639B26916D505C3B5"), rd_str(NODE), rd_str("gw1"), rd_str("default"), 0};
	struct egp_message rq = {.type = EGP_REQUEST, .transaction = 1};
	struct mef_gateway *gateway;
	struct mef_device *device;
	struct registry_client client = {.client = NODE, .id = "0123456789abcdef0123456789abcdef", .admin = "mef.keyway.example", .expires_at = 4000000000ULL};
	struct registry_command first;
	char message[256];

	MUST(mef_gateway_register(w->mef, &g, &gateway, message) == OK && mef_device_add(w->mef, &d, &device, message) == OK);
	MUST(registry_client_put(w->registry, &client) == OK && registry_commit(w->registry) == OK);
	registration_server_present(mmef_server(w->mmef), NODE, clock_ms());
	rq.request.gateway = gateway->eui64;
	rq.request.device = DEVICE;
	rq.request.device_short = 0xbeef;
	mef_prepare(w->mef, gateway, &rq);
	MUST(device->present && registry_command_first(w->registry, client.id, &first));
	snprintf(w->registration, sizeof w->registration, "%s", client.id);
	snprintf(w->key, sizeof w->key, "%s", device->present->key_id);
}

static void start(struct world *w)
{
	static const struct mef_config c = {.id = "mef.keyway.example", .sp = "keyway.example", .device_per_minute = 5, .gateway_per_second = 10, .answer_requests = true};
	struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = c.id, .sp = c.sp, .client_lifetime_s = 86400, .key_lifetime_s = 86400};
	uint8_t octets[32] = {1};
	const char *detail;
	char path[64];
	uint64_t line;

	if (!loop) {
		loop = loop_new();
		log_start("fuzz", LOG_LEVEL_ERROR);
	}
	w->rng = rng_seeded(1);
	w->file_key = secret_take(octets, sizeof octets);
	w->audit_fd = memfd_create("audit", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", w->audit_fd);
	MUST(w->file_key && w->audit_fd >= 0 && audit_open(path, &w->audit, &line) == OK);
	MUST(mef_store_open(":memory:", w->file_key, &w->rng, &w->store, &detail) == OK);
	k.store_key = w->file_key;
	k.rng = &w->rng;
	MUST(registry_open(":memory:", &k, &w->registry, &detail) == OK);
	MUST(mef_new(loop, &c, w->store, w->registry, w->audit, &w->rng, &w->mef) == OK && mmef_new(w->mef, "", NULL, &w->mmef) == OK);
	registry(w);
}

static void stop(struct world *w)
{
	mmef_free(w->mmef);
	mef_free(w->mef);
	registry_close(w->registry);
	audit_close(w->audit);
	mef_store_close(w->store);
	secret_free(w->file_key);
	close(w->audit_fd);
}

/* ---- requests ---- */

/* "GET /mef/REG/cmd?wait=1" -> three texts, names put in. */
static void line_of(struct world *w, struct http_exchange *x)
{
	static const char *const names[] = {"REG", "KEY"};
	const char *values[] = {w->registration, w->key}, *from = x->message.first;
	size_t size = strlen(from) * sizeof w->key + 1, n = 0;
	char *path, *query;

	x->text = calloc(1, size);
	MUST(x->text);
	while (*from) {
		size_t which = strncmp(from, names[0], 3) == 0 ? 0 : strncmp(from, names[1], 3) == 0 ? 1 : 2;

		if (which < 2) {
			n += (size_t)snprintf(x->text + n, size - n, "%s", values[which]);
			from += 3;
		} else {
			x->text[n++] = *from++;
		}
	}
	x->rq.method = x->text;
	path = strchr(x->text, ' ');
	if (path)
		*path++ = '\0';
	query = path ? strchr(path, '?') : NULL;
	if (query)
		*query++ = '\0';
	x->rq.path = path ? path : "/";
	x->rq.query = query ? query : "";
}

static void request(struct world *w, struct rd *in)
{
	struct http_exchange *x = &exchanges[exchange_count++];
	const char *peer;

	memset(x, 0, sizeof *x);
	message_of(in, &x->message);
	peer = message_header(&x->message, "Peer");
	line_of(w, x);
	x->rq.peer = peer ? peer : "";
	x->rq.tls = peer != NULL;
	x->rq.body = x->message.body;
	handler(handler_ctx, x, &x->rq);
	loop_once(loop, 0);
}

/* One of a peer's names is /id-b, or the public domain name of that, whichever IN-CSE it names: TS-0001 clause 6.5.1.1. A CSE-ID is one in its provider's domain. */
static bool is_node(const char *peer)
{
	const struct rd domain = rd_str(".keyway.example");

	while (*peer) {
		struct rd name = rd_of(peer, strcspn(peer, " "));

		if (rd_is(name, "/id-b") || rd_is(name, "//keyway.example/id-b"))
			return true;
		if (rd_starts(name, "id-b.") && name.left >= domain.left && rd_equal(rd_of(name.at + name.left - domain.left, domain.left), domain))
			return true;
		peer += name.left;
		peer += *peer == ' ';
	}
	return false;
}

static void end(struct http_exchange *x)
{
	bool node = is_node(x->rq.peer);

	MUST(x->answers == 1);
	MUST(x->rq.tls || x->status == 403);
	MUST(!x->key || node);
	message_clear(&x->message);
	free(x->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct rd in = rd_of(data, size);

	if (size > 4 * FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	exchange_count = 0;
	start(&w);
	while (in.left > 0 && exchange_count < REQUESTS)
		request(&w, &in);
	stop(&w);
	for (size_t i = 0; i < exchange_count; i++)
		end(&exchanges[i]);
	return 0;
}
