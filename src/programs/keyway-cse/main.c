/* keyway-cse: a oneM2M CSE. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "binding/http/http_binding.h"
#include "cse/cse.h"
#include "loop/config.h"
#include "loop/log.h"
#ifdef KEYWAY_HAVE_OCI
#include "oci/oci.h"
#endif
#include "store/store.h"

#define REGISTER_AGAIN_MS 30000
#define REGISTER_RETRY_MS 500

static const char usage[] =
    "usage: keyway-cse [--config FILE]\n\n"
    "A oneM2M CSE. Without a file: an IN-CSE `cse-in`, CSE-ID /id-in, on http://127.0.0.1:8080, with its store in the user's data directory.\n\n"
    "  --config FILE  configuration, see docs/configuration.md (`keyway init` writes one)\n"
    "  --help         this text\n"
    "  --version      version\n\n"
    "KEYWAY_LOG=debug in the environment logs more.\n";

struct program {
	/* configuration */
	char *type, *id, *name, *sp, *admin, *state, *http, *https, *ca, *cert, *key, *registrar_url, *registrar_id;
	char *mef, *mef_identity, *key_file;
	bool answer_commissioning;
	/* parts */
	struct loop *loop;
	struct tls_credentials *tls;
	struct http_client *client;
	struct http_sender sender;
	struct store *store;
	struct cse *cse;
	struct http_binding binding;
	struct loop_timer *wake, *registration;
	uint64_t wake_at;
	char poa[128];
	bool registered;
	struct onem2m_request rq;
	char body[1024], to[256];
};

static int fail(const char *fmt, const char *a, const char *b)
{
	fprintf(stderr, "keyway-cse: ");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(stderr, fmt, a, b);
#pragma GCC diagnostic pop
	fputc('\n', stderr);
	return 1;
}

static void set_default(char **value, const char *text)
{
	if (!*value)
		*value = strdup(text);
}

static bool read_configuration(struct program *p, const char *path)
{
	const struct config_key keys[] = {
		{"cse", "type", CONFIG_STRING, &p->type, true, "in, mn or asn"},
		{"cse", "id", CONFIG_STRING, &p->id, true, "the CSE-ID, such as /id-in"},
		{"cse", "name", CONFIG_STRING, &p->name, true, "resource name of the CSEBase"},
		{"cse", "sp", CONFIG_STRING, &p->sp, false, "M2M service provider"},
		{"cse", "admin", CONFIG_STRING, &p->admin, false, "originator with every privilege"},
		{"cse", "state", CONFIG_STRING, &p->state, true, "directory for the store"},
		{"http", "listen", CONFIG_STRING, &p->http, false, "plain HTTP; loopback only"},
		{"https", "listen", CONFIG_STRING, &p->https, false, "HTTPS with client certificates"},
		{"tls", "ca", CONFIG_STRING, &p->ca, false, ""},
		{"tls", "cert", CONFIG_STRING, &p->cert, false, ""},
		{"tls", "key", CONFIG_STRING, &p->key, false, ""},
		{"registrar", "url", CONFIG_STRING, &p->registrar_url, false, ""},
		{"registrar", "id", CONFIG_STRING, &p->registrar_id, false, ""},
		{"zigbee", "mef", CONFIG_STRING, &p->mef, false, ""},
		{"zigbee", "mef_identity", CONFIG_STRING, &p->mef_identity, false, ""},
		{"zigbee", "key_file", CONFIG_STRING, &p->key_file, false, ""},
		{"zigbee", "answer_commissioning", CONFIG_BOOL, &p->answer_commissioning, false, ""},
		{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
	};
	char message[512];

	if (config_read(path, keys, message, sizeof message) == OK)
		return true;
	fail("%s%s", message, "");
	return false;
}

/* Every directory of a path, like mkdir -p. */
static bool make_directory(const char *path)
{
	char part[512];

	for (size_t i = 1; i <= strlen(path) && i < sizeof part; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)i, path);
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

static void without_file(struct program *p)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char path[512];

	set_default(&p->type, "in");
	set_default(&p->id, "/id-in");
	set_default(&p->name, "cse-in");
	set_default(&p->http, "127.0.0.1:8080");
	if (data && data[0])
		snprintf(path, sizeof path, "%s/keyway", data);
	else
		snprintf(path, sizeof path, "%s/.local/share/keyway", home ? home : ".");
	set_default(&p->state, path);
}

static bool is_loopback(const char *host_port)
{
	return strncmp(host_port, "127.", 4) == 0 || strncmp(host_port, "localhost:", 10) == 0;
}

static int check(const struct program *p)
{
	if (p->id[0] != '/' || p->id[1] == '\0' || strchr(p->id + 1, '/'))
		return fail("the CSE-ID `%s` must be one name behind one `/`%s", p->id, "");
	if (p->http && !is_loopback(p->http))
		return fail("[http] listen = %s: plain HTTP is for loopback only; use [https]%s", p->http, "");
	if (!p->http && !p->https)
		return fail("neither [http] nor [https] says where to listen%s%s", "", "");
	if ((p->https || (p->registrar_url && strncmp(p->registrar_url, "https:", 6) == 0)) && (!p->ca || !p->cert || !p->key))
		return fail("[tls] needs ca, cert and key%s%s", "", "");
	if (!p->registrar_url != !p->registrar_id)
		return fail("[registrar] needs both url and id%s%s", "", "");
	return 0;
}

/* ---- what the CSE asks of its shell; the sender comes first, so that it is its own transport ---- */

static uint64_t now_ms(void *transport)
{
	(void)transport;
	return clock_ms();
}

static uint64_t unix_ms(void *transport)
{
	(void)transport;
	return clock_unix_ms();
}

static struct program *program_of(void *transport)
{
	return (struct program *)(void *)((char *)transport - offsetof(struct program, sender));
}

static void defer(void *transport, void (*fn)(void *), void *ctx)
{
	loop_defer(program_of(transport)->loop, fn, ctx);
}

static void wake_at(void *transport, uint64_t at)
{
	struct program *p = program_of(transport);

	if (at < p->wake_at) {
		p->wake_at = at;
		loop_timer_at(p->wake, at);
	}
}

static void on_wake(void *ctx)
{
	struct program *p = ctx;

	p->wake_at = CLOCK_NEVER;
	cse_tick(p->cse);
}

/* ---- registration with the registrar CSE ---- */

static void registrar_call(struct program *p, enum onem2m_operation operation, cse_done *done)
{
	const char *kind = strcmp(p->type, "mn") == 0 ? "2" : "3";

	if (operation == ONEM2M_CREATE)
		snprintf(p->body, sizeof p->body, "{\"m2m:csr\":{\"rn\":\"%s\",\"csi\":\"%s\",\"cb\":\"%s/%s\",\"cst\":%s,\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"%s\"]}}",
		    p->id + 1, p->id, p->id, p->name, kind, p->poa);
	else
		snprintf(p->body, sizeof p->body, "{\"m2m:csr\":{\"rr\":true,\"poa\":[\"%s\"]}}", p->poa);
	/* "-" is the CSEBase, whatever its name */
	snprintf(p->to, sizeof p->to, operation == ONEM2M_CREATE ? "%s/-" : "%s/-/%s", p->registrar_id, p->id + 1);
	p->rq = (struct onem2m_request){
		.operation = operation,
		.type = operation == ONEM2M_CREATE ? 16 : 0,
		.to = rd_str(p->to),
		.from = rd_str(p->id),
		.request_id = rd_str("registration"),
		.release = rd_str("3"),
		.rcn = 0,
		.filter = rd_str("rcn=0"),
		.content = rd_str(p->body),
	};
	http_binding_send(&p->sender, p->registrar_url, p->registrar_id, &p->rq, done, p);
}

static void on_updated(void *ctx, const struct onem2m_response *rsp);

static void on_created(void *ctx, const struct onem2m_response *rsp)
{
	struct program *p = ctx;

	if (rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED)
		registrar_call(p, ONEM2M_UPDATE, on_updated);
	else
		on_updated(ctx, rsp);
}

static void on_updated(void *ctx, const struct onem2m_response *rsp)
{
	struct program *p = ctx;
	bool good = rsp->rsc == RSC_CREATED || rsp->rsc == RSC_UPDATED;

	if (good && !p->registered)
		log_line(LOG_LEVEL_INFO, "registered", "registrar=%s", p->registrar_id);
	if (!good && rsp->rsc != RSC_TARGET_NOT_REACHABLE)
		log_line(LOG_LEVEL_WARNING, "registrar refused", "registrar=%s rsc=%d", p->registrar_id, (int)rsp->rsc);
	p->registered = good;
	loop_timer_in(p->registration, good ? REGISTER_AGAIN_MS : REGISTER_RETRY_MS);
}

/* Again and again: the registrar may have lost its store, or learn a new point of access. */
static void on_registration(void *ctx)
{
	struct program *p = ctx;

	registrar_call(p, p->registered ? ONEM2M_UPDATE : ONEM2M_CREATE, p->registered ? on_updated : on_created);
}

/* ---- start ---- */

static int start_parts(struct program *p)
{
	char path[600];

	if (!make_directory(p->state))
		return fail("the state directory %s cannot be made: %s", p->state, strerror(errno));
	snprintf(path, sizeof path, "%s/cse.db", p->state);
	if (store_open(path, &p->store) != OK)
		return fail("the store %s cannot be opened; is another keyway-cse using it?%s", path, "");
	if (p->ca && tls_certificates(p->ca, p->cert, p->key, &p->tls) != OK)
		return fail("the TLS credential %s or its key %s cannot be used (the key file must have mode 0600)", p->cert, p->key);
	p->client = http_client_new(p->loop, p->tls);
	p->sender = (struct http_sender){p->client, p->sp, p->id, p->registrar_id};
	p->wake_at = CLOCK_NEVER;
	p->wake = loop_timer_new(p->loop, on_wake, p);
	p->registration = loop_timer_new(p->loop, on_registration, p);
	snprintf(p->poa, sizeof p->poa, "%s://%s", p->https ? "https" : "http", p->https ? p->https : p->http);
	return 0;
}

static int start_cse(struct program *p)
{
	const struct cse_config config = {
		.type = strcmp(p->type, "in") == 0 ? CSE_IN : strcmp(p->type, "mn") == 0 ? CSE_MN : CSE_ASN,
		.id = p->id,
		.name = p->name,
		.sp = p->sp,
		.admin = p->admin,
		.poa = p->poa,
		.registrar_id = p->registrar_id,
		.registrar_poa = p->registrar_url,
		.require_tls = p->https != NULL,
	};
	const struct cse_transport transport = {http_binding_send, now_ms, unix_ms, defer, wake_at, &p->sender};

	if (cse_new(&config, p->store, &transport, &p->cse) != OK)
		return fail("the CSE cannot start from %s%s", p->state, "");
	p->binding.cse = p->cse;
	return 0;
}

static int listen_on(struct program *p)
{
	struct http_server *plain = NULL, *tls = NULL;

	if (p->http && http_server_new(p->loop, p->http, NULL, http_binding_handle, &p->binding, &plain) != OK)
		return fail("cannot listen on %s: is the port taken?%s", p->http, "");
	if (p->https && http_server_new(p->loop, p->https, p->tls, http_binding_handle, &p->binding, &tls) != OK)
		return fail("cannot listen on %s: is the port taken?%s", p->https, "");
	log_line(LOG_LEVEL_INFO, "ready", "cse=%s http=%u https=%u", p->id, plain ? http_server_port(plain) : 0U, tls ? http_server_port(tls) : 0U);
	return 0;
}

static int start_oci(struct program *p)
{
#ifdef KEYWAY_HAVE_OCI
	const struct oci_config config = {
		.mef = p->mef,
		.mef_identity = p->mef_identity,
		.cse_id = p->id,
		.cse_name = p->name,
		.sp = p->sp,
		.state = p->state,
		.key_file = p->key_file,
		.answer_commissioning = p->answer_commissioning,
		.http = p->client,
	};

	if (!p->mef)
		return 0;
	if (!p->mef_identity || !p->key_file)
		return fail("[zigbee] needs mef, mef_identity and key_file%s%s", "", "");
	if (oci_start(p->loop, p->cse, &config) != OK)
		return fail("IPE-OCI cannot start: is the key file %s there, with mode 0600?%s", p->key_file, "");
	return 0;
#else
	return p->mef ? fail("this build has no IPE-OCI: leave [zigbee] out%s%s", "", "") : 0;
#endif
}

int main(int argc, char **argv)
{
	static struct program p;
	const char *config = NULL;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			config = argv[++i];
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("keyway-cse " KEYWAY_VERSION);
			return 0;
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		} else {
			fail("`%s` is no option, or its value is missing; --help tells more%s", argv[i], "");
			return 2;
		}
	}
	p.answer_commissioning = true;
	if (config && !read_configuration(&p, config))
		return 1;
	if (!config)
		without_file(&p);
	set_default(&p.sp, "keyway.example");
	set_default(&p.admin, "CAdmin");
	r = check(&p);
	if (r)
		return r;
	log_start(p.id + 1, LOG_LEVEL_INFO);
	p.loop = loop_new();
	r = start_parts(&p);
	if (r == 0)
		r = start_cse(&p);
	if (r == 0)
		r = start_oci(&p);
	if (r == 0)
		r = listen_on(&p);
	if (r)
		return r;
	if (p.registrar_url)
		on_registration(&p);
	loop_run(p.loop);
	log_line(LOG_LEVEL_INFO, "ended", NULL);
	return 0;
}
