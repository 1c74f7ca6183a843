/* Objects of management. */
#include "programs/keyway-cse/mo_node.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "est/certificate_life.h"
#include "loop/log.h"
#include "onem2m/timestamp.h"

#define ID_MAX 256
#define NI "ni:///sha-256;"
#define NI_SIZE (sizeof NI + 44)
#define PEM_MAX 65536

struct mo {
	const struct mo_node_config *config;
	struct client_command command;
	struct onem2m_request rq;
	char to[CLIENT_COMMAND_TEXT];
	struct json_arena *arena, *siblings_arena;
	char *text, *siblings_text;
	const struct json *object;           /* the object's attributes */
	const struct json *siblings;         /* its node, with child resources */
};

static void finish(struct mo *m, enum command_status status, const char *why)
{
	struct enrolment *e = m->config->enrolment;

	if (why)
		log_line(LOG_LEVEL_WARNING, "object of management not carried out", "object=%s reason=\"%s\"", log_quote(rd_str(m->command.path)), why);
	json_arena_free(m->arena);
	json_arena_free(m->siblings_arena);
	free(m->text);
	free(m->siblings_text);
	free(m);
	enrolment_done(e, status);
}

/* A key that the enrolment gets; it ends the command. */
static void obtain(struct mo *m, const struct client_config_key *want)
{
	struct enrolment *e = m->config->enrolment;

	json_arena_free(m->arena);
	json_arena_free(m->siblings_arena);
	free(m->text);
	free(m->siblings_text);
	free(m);
	enrolment_obtain(e, want);
}

/* ---- looking ---- */

static void retrieve(struct mo *m, const char *to, int rcn, cse_done *done)
{
	snprintf(m->to, sizeof m->to, "%s", to);
	m->rq = (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .to = rd_str(m->to), .from = rd_str(m->config->options->id), .request_id = rd_str("mo"),
		.release = rd_str("3"), .rcn = rcn, .filter = rd_str(""), .content = rd_str(""), .peer = "", .internal = true};
	cse_submit(m->config->cse, &m->rq, done, m);
}

/* What was answered, kept. */
static const struct json *keep(const struct onem2m_response *rsp, struct json_arena **arena, char **text)
{
	const struct json *doc;

	*arena = json_arena_new();
	*text = rd_strdup(rsp->content);
	return rsp->rsc == RSC_OK && *arena && *text && json_parse(*arena, rd_str(*text), NULL, &doc) == OK && doc->type == JSON_OBJECT ? doc->first : NULL;
}

/* A child of the node whose root is `root`, and whose member has this value (NULL: any). */
static const struct json *sibling(const struct mo *m, const char *root, const char *member, const char *value)
{
	const struct json *list = json_get(m->siblings, root);

	for (const struct json *v = list && list->type == JSON_ARRAY ? list->first : NULL; v; v = v->next)
		if (!value || json_is_string(json_get(v, member), value))
			return v;
	return NULL;
}

/* ---- fingerprints: RFC 6920 names of the certificate's octets ---- */

static void ni_of(const uint8_t digest[static 32], char ni[static NI_SIZE])
{
	struct wr w = wr_of((uint8_t *)ni, NI_SIZE - 1);

	wr_str(&w, NI);
	base64url_print(&w, rd_of(digest, 32));
	ni[w.spoilt ? 0 : w.len] = '\0';
}

/* Whether one of the certificates in a PEM file has this name. */
static bool file_has(const char *path, const char *name)
{
	gnutls_x509_crt_t *list = NULL;
	gnutls_datum_t pem = {0};
	unsigned count = 0;
	bool found = false;

	if (!path || gnutls_load_file(path, &pem) != 0)
		return false;
	if (gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0) >= 0) {
		for (unsigned i = 0; i < count; i++) {
			uint8_t digest[32];
			size_t len = sizeof digest;
			char ni[NI_SIZE];

			if (gnutls_x509_crt_get_fingerprint(list[i], GNUTLS_DIG_SHA256, digest, &len) == 0) {
				ni_of(digest, ni);
				found |= strcmp(ni, name) == 0;
			}
			gnutls_x509_crt_deinit(list[i]);
		}
		gnutls_free(list);
	}
	gnutls_free(pem.data);
	return found;
}

/* ---- trustAnchorCred ---- */

static bool write_all(const char *path, struct rd a, struct rd b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write(fd, a.at, a.left) == (ssize_t)a.left && write(fd, b.at, b.left) == (ssize_t)b.left && fsync(fd) == 0;

	if (fd >= 0 && close(fd) != 0)
		ok = false;
	return ok;
}

/* Behind the anchors that there are; whole, or not at all. TLS rereads the file. */
static bool anchor_add(const char *path, gnutls_x509_crt_t crt)
{
	gnutls_datum_t old = {0}, pem = {0};
	char fresh[1024];
	bool ok = false;

	if (snprintf(fresh, sizeof fresh, "%s.new", path) < (int)sizeof fresh && gnutls_load_file(path, &old) == 0 &&
	    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) == 0)
		ok = write_all(fresh, rd_of(old.data, old.size), rd_of(pem.data, pem.size)) && rename(fresh, path) == 0;
	gnutls_free(old.data);
	gnutls_free(pem.data);
	return ok;
}

/* A CA's certificate, DER or PEM, with the fingerprint that the object names. */
static const char *anchor_take(const struct mo *m, struct rd body)
{
	gnutls_datum_t data = {NULL, (unsigned)body.left};
	uint8_t digest[32];
	size_t len = sizeof digest;
	gnutls_x509_crt_t crt;
	char ni[NI_SIZE];
	const char *why = NULL;

	if (body.left == 0 || body.left > PEM_MAX || gnutls_x509_crt_init(&crt) != 0)
		return "what is at its URI is no certificate";
	data.data = malloc(body.left);
	if (!data.data)
		abort();
	memcpy(data.data, body.at, body.left);
	if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) != 0 && gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) != 0) {
		why = "what is at its URI is no certificate";
	} else if (gnutls_x509_crt_get_ca_status(crt, NULL) <= 0 || gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len) != 0) {
		why = "what is at its URI is no certificate of a CA";
	} else {
		ni_of(digest, ni);
		if (!json_is_string(json_get(m->object, "cfp"), ni))
			why = "the certificate at its URI has another fingerprint";
		else if (!anchor_add(m->config->options->ca, crt))
			why = "the file of [tls] ca can't be written";
	}
	free(data.data);
	gnutls_x509_crt_deinit(crt);
	return why;
}

static void on_anchor(void *ctx, const struct http_result *r)
{
	struct mo *m = ctx;
	const char *why = r->error != OK ? r->detail : r->status != 200 ? "its URI was refused" : anchor_take(m, r->body);

	finish(m, why ? COMMAND_MO_EXECUTION_ERROR : COMMAND_OK, why);
}

static void trust_anchor(struct mo *m)
{
	char fingerprint[NI_SIZE + 8], uri[CLIENT_COMMAND_TEXT], host[CLIENT_COMMAND_TEXT];

	if (!json_text(json_get(m->object, "cfp"), fingerprint, sizeof fingerprint) || !json_text(json_get(m->object, "uri"), uri, sizeof uri) ||
	    strncmp(uri, "https://", 8) != 0 || !m->config->options->ca) {
		finish(m, COMMAND_MO_INCONSISTENT, "it wants certFingerprint, ni:///sha-256;..., and URI, https://...; and this CSE [tls] ca");
		return;
	}
	if (file_has(m->config->options->ca, fingerprint)) {
		finish(m, COMMAND_OK, NULL);
		return;
	}
	snprintf(host, sizeof host, "%.*s", (int)strcspn(uri + 8, ":/"), uri + 8);
	http_call(m->config->http, &(const struct http_call_options){.method = "GET", .url = uri, .peer = host}, on_anchor, m);
}

/* ---- authenticationProfile ---- */

/* One of the two suites that TS-0003 10.2 demands with pre-shared keys, or with certificates. Written as "C0A8", with or without 0x. */
static bool has_suite(const struct mo *m, const char *const suites[2])
{
	const struct json *list = json_get(m->object, "tlcs");
	char text[32];

	for (const struct json *v = list ? list->first : NULL; v; v = v->next) {
		const char *hex = text;

		if (!json_text(v, text, sizeof text))
			continue;
		if (strncasecmp(hex, "0x", 2) == 0)
			hex += 2;
		if (strcasecmp(hex, suites[0]) == 0 || strcasecmp(hex, suites[1]) == 0)
			return true;
	}
	return false;
}

/* The CSE-ID in "/id-in/cse-in/x", "//sp/id-in/...": of a path below this CSE, its own. */
static void cse_of(const struct mo *m, const char *path, char id[static ENTITY_MAX])
{
	if (strncmp(path, "//", 2) == 0) {
		const char *slash = strchr(path + 2, '/');

		path = slash ? slash : "";
	}
	if (path[0] == '/')
		snprintf(id, ENTITY_MAX, "/%.*s", (int)strcspn(path + 1, "/"), path + 1);
	else
		snprintf(id, ENTITY_MAX, "%s", m->config->options->id);
}

/* Whom the key is for, as the object above says: by what its SUID is for. */
static bool target_of(const struct mo *m, char target[static ENTITY_MAX])
{
	char path[CLIENT_COMMAND_TEXT];
	const struct json *above;

	switch (suid_usage(m->command.suid)) {
	case SUID_USAGE_MAF:
		return json_text(json_get(sibling(m, "dcfg:macrc", NULL, NULL), "fq"), target, ENTITY_MAX);
	case SUID_USAGE_SAEF:
		above = sibling(m, "dcfg:reg", NULL, NULL);
		if (json_text(json_get(above, "csi"), target, ENTITY_MAX))
			return target[0] == '/';
		if (!json_text(json_get(above, "cb"), path, sizeof path))
			return false;
		cse_of(m, path, target);
		return true;
	case SUID_USAGE_ESPRIM:
		if (!json_text(json_get(sibling(m, "dcfg:datc", NULL, NULL), "cntp"), path, sizeof path))
			return false;
		cse_of(m, path, target);
		return true;
	case SUID_USAGE_NONE:
	case SUID_USAGE_MEF:
	case SUID_USAGE_ESDATA_ENC:
	case SUID_USAGE_ESDATA_SIG:
		break;
	}
	return false;
}

static void local_key(struct mo *m)
{
	struct credential c = {.key = NULL};
	char text[CREDENTIAL_ID_MAX], *identity = text;
	bool there;

	if (!json_text(json_get(m->object, "ski"), text, sizeof text)) {
		finish(m, COMMAND_MO_INCONSISTENT, "it wants symmKeyID");
		return;
	}
	if (strspn(text, "0123456789") > 0 && text[strspn(text, "0123456789")] == '-')
		identity = text + strspn(text, "0123456789") + 1; /* Credential-ID: type, and the key's identifier */
	there = credentials_find(m->config->store, identity, &c) == OK && !credential_expired(&c, clock_unix_ms() / 1000);
	credential_clear(&c);
	finish(m, there ? COMMAND_OK : COMMAND_MO_EXECUTION_ERROR, there ? NULL : "its key is not in the store of credentials");
}

static void own_certificate(struct mo *m)
{
	static const char *const suites[2] = {"C023", "C0AE"};
	char fingerprint[NI_SIZE + 8];
	bool there;

	if (!json_text(json_get(m->object, "mcfp"), fingerprint, sizeof fingerprint) || !has_suite(m, suites)) {
		finish(m, COMMAND_MO_INCONSISTENT, "it wants myCertFingerprint, and TLSCiphersuites with C023 or C0AE");
		return;
	}
	there = file_has(m->config->options->cert, fingerprint);
	finish(m, there ? COMMAND_OK : COMMAND_MO_EXECUTION_ERROR, there ? NULL : "[tls] cert is another certificate");
}

/* A key of MEF or MAF: registered there, and kept fresh from now on. */
static void registered_key(struct mo *m, const char *root, const char *fqdn)
{
	struct client_config_key want = {.suid = m->command.suid};
	struct rd duration;
	uint64_t ms;

	if (!json_string(json_get(m->object, "krd"), &duration) || !duration_parse(duration, &ms) || ms < 1000) {
		finish(m, COMMAND_MO_INCONSISTENT, "it wants keyRegDuration");
	} else if (!fqdn || !sibling(m, root, "fq", fqdn)) {
		finish(m, COMMAND_MO_INCONSISTENT, "there is no MEFClientRegCfg or MAFClientRegCfg beside it that names the MEF or MAF of this CSE");
	} else if (!target_of(m, want.target)) {
		finish(m, COMMAND_MO_INCONSISTENT, "there is no registration, dataCollection or MAFClientRegCfg beside it that names a target");
	} else {
		want.lifetime_s = ms / 1000;
		obtain(m, &want);
	}
}

static void profile(struct mo *m)
{
	static const char *const psk_suites[2] = {"00AE", "C0A8"};
	enum suid_usage usage = suid_usage(m->command.suid);
	enum suid_family family = suid_family(m->command.suid);
	uint64_t suid;

	if (!json_uint(json_get(m->object, "suid"), &suid) || suid != (uint64_t)m->command.suid) {
		finish(m, COMMAND_MO_UNACCEPTABLE_ARGUMENTS, "its SUID is another one");
		return;
	}
	if (usage != SUID_USAGE_MAF && usage != SUID_USAGE_SAEF && usage != SUID_USAGE_ESPRIM) {
		finish(m, COMMAND_MO_UNACCEPTABLE_ARGUMENTS, "an SUID for MAF, association or ESPrim is wanted");
		return;
	}
	if (family != SUID_FAMILY_CERT && usage != SUID_USAGE_ESPRIM && !has_suite(m, psk_suites)) {
		finish(m, COMMAND_MO_INCONSISTENT, "it wants TLSCiphersuites with 00AE or C0A8");
		return;
	}
	switch (family) {
	case SUID_FAMILY_PPSK:
		local_key(m);
		return;
	case SUID_FAMILY_RSPF:
		registered_key(m, "dcfg:mecrc", m->config->options->mef_id);
		return;
	case SUID_FAMILY_MAF:
		registered_key(m, "dcfg:macrc", m->config->options->maf_id);
		return;
	case SUID_FAMILY_CERT:
		own_certificate(m);
		return;
	case SUID_FAMILY_NONE:
		break;
	}
	finish(m, COMMAND_MO_UNACCEPTABLE_ARGUMENTS, "no such SUID");
}

/* ---- MAFClientRegCfg: to be a client of that MAF, with a Km from the MEF ---- */

static void maf_client(struct mo *m)
{
	struct client_config_key want = {.suid = SUID_RSPF_MAF};

	if (!json_text(json_get(m->object, "fq"), want.target, sizeof want.target) || !m->config->options->maf_id || strcmp(want.target, m->config->options->maf_id) != 0)
		finish(m, COMMAND_MO_INCONSISTENT, "it names another MAF than this CSE's configuration");
	else
		obtain(m, &want);
}

/* ---- the object ---- */

static const struct {
	uint64_t object;
	const char *root;
	void (*act)(struct mo *m);
} kinds[] = {
	{COMMAND_AUTHENTICATION_PROFILE, "dcfg:autp", profile},
	{COMMAND_TRUST_ANCHOR, "dcfg:tac", trust_anchor},
	{COMMAND_MAF_CLIENT_REG, "dcfg:macrc", maf_client},
};

static void on_siblings(void *ctx, const struct onem2m_response *rsp)
{
	struct mo *m = ctx;

	m->siblings = keep(rsp, &m->siblings_arena, &m->siblings_text);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].object == m->command.object) {
			kinds[i].act(m);
			return;
		}
	}
	finish(m, COMMAND_MO_TYPE_CONFLICT, NULL);
}

static void on_object(void *ctx, const struct onem2m_response *rsp)
{
	struct mo *m = ctx;
	char parent[ID_MAX];
	bool fits = false;

	m->object = keep(rsp, &m->arena, &m->text);
	if (!m->object) {
		finish(m, COMMAND_MO_NOT_FOUND, "there is no such resource");
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fits |= kinds[i].object == m->command.object && rd_is(m->object->key, kinds[i].root);
	if (!fits || !json_text(json_get(m->object, "pi"), parent, sizeof parent))
		finish(m, COMMAND_MO_TYPE_CONFLICT, "the resource is another kind of object");
	else
		retrieve(m, parent, 4, on_siblings);
}

void mo_node_carry_out(const struct mo_node_config *config, const struct client_command *c)
{
	struct mo *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	m->config = config;
	m->command = *c;
	retrieve(m, c->path, ONEM2M_RCN_ABSENT, on_object);
}
