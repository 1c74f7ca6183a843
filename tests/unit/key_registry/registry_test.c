/* The procedures of MEF and MAF: who may do what, until when, and what is on disk afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "key_registry/registry.h"
#include "security/derive.h"

#define NOW 1800000000ULL
#define DAY 86400ULL
#define KEYS_MOST 300
#define SP "sp.example"

static char dir[64], path[96], log_path[96];
static struct rng rng;
static struct secret *store_key;
static struct audit *audit;
static struct registry *r;
static uint8_t session; /* what the exporter gives: the number of a TLS session, repeated */
static char assigned_credential[CREDENTIAL_ID_MAX];

static enum err export(void *ctx, const char *label, size_t n, struct secret **out)
{
	uint8_t octets[SECRET_MAX];

	assert_string_equal(label, ctx);
	memset(octets, session, n);
	*out = secret_take(octets, n);
	return *out ? OK : ERR_NO_MEMORY;
}

static char bootstrap[] = DERIVE_LABEL_BOOTSTRAP, connection[] = DERIVE_LABEL_CONNECTION;
static enum registry_kind kind;

static struct registry_peer peer(const char *client)
{
	struct registry_peer p = {.client = client, .credential = "11-x@maf.sp.example", .export = export, .ctx = kind == REGISTRY_MEF ? bootstrap : connection};

	return p;
}

static enum err assign(void *ctx, const char *client, const char *credential, uint64_t expires_at, char km_id[static KEY_ID_MAX])
{
	(void)ctx;
	(void)client;
	assert_true(expires_at > NOW);
	if (strcmp(credential, assigned_credential) == 0)
		snprintf(km_id, KEY_ID_MAX, "fresh@maf.sp.example");
	return OK;
}

static bool credential_is_gone;

#define CERTIFICATE "32-id-c.id-in.sp.example"
static enum err trouble;

static const char *key_now;

static enum err stands(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME])
{
	(void)ctx;
	key_name[0] = '\0';
	if (strcmp(credential, CERTIFICATE) == 0)
		return OK;
	snprintf(key_name, REGISTRY_KEY_NAME, "%s", key_now);
	assert_string_equal(credential, "11-x@maf.sp.example");
	return trouble != OK ? trouble : credential_is_gone ? ERR_NOT_FOUND : OK;
}

static void open_registry(void)
{
	struct registry_config c = {.kind = kind, .fqdn = kind == REGISTRY_MEF ? "mef.sp.example" : "maf.sp.example", .sp = SP, .client_lifetime_s = 30 * DAY,
		.key_lifetime_s = 10 * DAY, .store_key = store_key, .rng = &rng, .audit = audit, .assign = assign, .stands = stands, .keys_per_client = KEYS_MOST};
	const char *detail;

	assert_int_equal(registry_open(path, &c, &r, &detail), OK);
}

static void start(enum registry_kind k)
{
	uint64_t line;

	strcpy(dir, "/tmp/keyway-registry-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/registry.db", dir);
	snprintf(log_path, sizeof log_path, "%s/audit.log", dir);
	rng = rng_seeded(7);
	store_key = secret_random(&rng, 32);
	session = 0;
	kind = k;
	strcpy(assigned_credential, "none");
	credential_is_gone = false;
	trouble = OK;
	key_now = "first";
	assert_int_equal(audit_open(log_path, &audit, &line), OK);
	open_registry();
}

static int start_mef(void **state)
{
	(void)state;
	start(REGISTRY_MEF);
	return 0;
}

static int start_maf(void **state)
{
	(void)state;
	start(REGISTRY_MAF);
	return 0;
}

static int stop(void **state)
{
	char command[128];

	(void)state;
	registry_close(r);
	audit_close(audit);
	secret_free(store_key);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

static void again(void)
{
	registry_close(r);
	open_registry();
}

/* ---- the end of the audit log ---- */

static enum err reopened(bool anchored, bool accept)
{
	struct registry_config c = {.kind = kind, .fqdn = "mef.sp.example", .sp = SP, .client_lifetime_s = 30 * DAY, .key_lifetime_s = 10 * DAY,
		.store_key = store_key, .rng = &rng, .audit_anchored = anchored, .audit_accept_s = accept ? 1 : 0};
	const char *detail = "";
	uint64_t line;
	enum err e;

	registry_close(r);
	audit_close(audit);
	r = NULL;
	audit = NULL;
	e = audit_open(log_path, &audit, &line);
	c.audit = audit;
	if (e == OK)
		e = registry_open(path, &c, &r, &detail);
	assert_true(e != ERR_BAD_MIC || strstr(detail, "--accept-audit-log"));
	return e;
}

static void audited(const char *event)
{
	const struct audit_entry entry = {.event = event};

	assert_int_equal(audit_append(audit, 1, &entry), OK);
}

/* Takes the last n lines of the log away, and gives back how long it was. */
static long cut(int lines)
{
	char text[16384];
	FILE *f = fopen(log_path, "r");
	size_t len = fread(text, 1, sizeof text - 1, f);
	long was = (long)len;

	fclose(f);
	text[len] = '\0';
	while (lines-- > 0 && len > 0) {
		len--;
		while (len > 0 && text[len - 1] != '\n')
			len--;
	}
	assert_int_equal(truncate(log_path, (off_t)len), 0);
	return was;
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void lines_that_are_cut_off_the_end_are_missed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		audited("something");
		assert_int_equal(registry_anchor(r), OK);
	}
	assert_int_equal(reopened(true, false), OK);
	for (int lines = 1; lines <= 3; lines++) {
		audited("more");
		assert_int_equal(registry_anchor(r), OK);
		registry_close(r);
		r = NULL;
		cut(lines);
		assert_int_equal(reopened(true, false), ERR_BAD_MIC);
		assert_int_equal(reopened(false, false), ERR_BAD_MIC); /* the anchor is there, and counts */
		assert_int_equal(reopened(true, true), OK); /* by the operator's word, which is the next line */
		assert_int_equal(reopened(true, false), OK);
	}
}

static void another_log_of_the_same_length_is_not_taken(void **state)
{
	char other[160];
	struct audit *a;
	uint64_t line;
	const struct audit_entry entry = {.event = "another past"};

	(void)state;
	audited("something");
	assert_int_equal(registry_anchor(r), OK);
	snprintf(other, sizeof other, "%s/other.log", dir);
	assert_int_equal(audit_open(other, &a, &line), OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(audit_append(a, 1, &entry), OK);
	audit_close(a);
	registry_close(r);
	r = NULL;
	assert_int_equal(rename(other, log_path), 0);
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
}

static void a_crash_between_the_log_and_its_anchor_is_no_tampering(void **state)
{
	(void)state;
	audited("anchored");
	assert_int_equal(registry_anchor(r), OK);
	audited("on disk, and nothing after it");
	audited("likewise");
	assert_int_equal(reopened(true, false), OK);
	registry_close(r); /* now they are anchored, too */
	r = NULL;
	cut(1);
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
}

static void an_anchor_can_not_be_taken_away_or_changed(void **state)
{
	(void)state;
	audited("something");
	audited("something else");
	assert_int_equal(registry_anchor(r), OK);
	registry_close(r);
	r = NULL;
	cut(1);
	sql("UPDATE anchor SET last = 1");
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
	sql("UPDATE anchor SET sealed = x'00'");
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
	sql("DELETE FROM anchor");
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
	assert_int_equal(reopened(false, false), OK); /* a file from before there were anchors */
}

/* ---- orders ---- */

static struct order order(const char *json)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	const char *reason = "";
	struct order o;

	assert_int_equal(json_parse(a, rd_str(json), NULL, &doc), OK);
	if (!order_parse(doc, &o, &reason))
		fail_msg("%s: %s", json, reason);
	json_arena_free(a);
	return o;
}

/* 20270115T080000 is NOW. */
#define TOMORROW "\"20270116T080000\""
#define IN_FIVE_DAYS "\"20270120T080000\""
#define FAR "\"20991231T235959\""
#define YESTERDAY "\"20270114T080000\""
#define CLIENT(et) "{\"fqdn\":\"mef.sp.example\",\"et\":" et ",\"adminFQDN\":\"admin.example\",\"labels\":[\"a\",\"b c\"]}"
#define KEY(suid, targets) "{\"fqdn\":\"mef.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"SUID\":" suid ",\"targetIDs\":" targets "}"

static void registered(const char *client)
{
	struct registry_peer p = peer(client);
	struct order o = order(kind == REGISTRY_MEF ? CLIENT(FAR) : "{\"fqdn\":\"maf.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\"}");
	struct registry_client c;

	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_int_equal(registry_commit(r), OK);
}

/* What a procedure writes, and where the log ends, are one transaction. */
static void an_anchor_goes_with_what_its_lines_are_about(void **state)
{
	(void)state;
	registered("/id-b");
	registry_close(r);
	r = NULL;
	cut(1);
	assert_int_equal(reopened(true, false), ERR_BAD_MIC);
}

static struct registry_key key(const char *client, const char *json)
{
	struct registry_peer p = peer(client);
	struct order o = order(json);
	struct registry_key k;

	session++;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_CREATED);
	assert_int_equal(registry_commit(r), OK);
	order_clear(&o);
	return k;
}

static enum onem2m_rsc retrieve(const char *client, const char *id, uint64_t now, struct secret **value)
{
	struct registry_peer p = peer(client);
	struct registry_key k;
	enum onem2m_rsc rsc = registry_key_retrieve(r, &p, now, rd_str(id), &k);

	*value = rsc == RSC_OK ? k.value : NULL;
	assert_int_equal(registry_commit(r), OK);
	return rsc;
}

static struct secret *session_key(void)
{
	uint8_t octets[DERIVE_KEY_OCTETS];

	memset(octets, session, sizeof octets);
	return secret_take(octets, sizeof octets);
}

/* ---- clients ---- */

static void registers_a_client_once_for_each_administrator(void **state)
{
	struct registry_peer p = peer("/id-b");
	struct order o = order(CLIENT(FAR)), other = order("{\"fqdn\":\"MEF.sp.example\",\"et\":" TOMORROW ",\"adminFQDN\":\"second.example\"}");
	struct registry_client c, d;
	char id[REGISTRY_ID_SIZE];

	(void)state;
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_true(c.expires_at == NOW + 30 * DAY); /* policy, not what was asked for */
	assert_string_equal(c.labels, "a\nb c");
	memcpy(id, c.id, sizeof id);
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_string_equal(c.id, id);
	assert_int_equal(registry_client_register(r, &p, NOW, &other, &d), RSC_CREATED);
	assert_string_not_equal(d.id, id);
	assert_true(d.expires_at == NOW + DAY);
	assert_int_equal(registry_commit(r), OK);
	again();
	assert_int_equal(registry_client_retrieve(r, &p, NOW, rd_str(id), &c), RSC_OK);
	assert_string_equal(c.admin, "admin.example");
	p = peer("/id-c");
	assert_int_equal(registry_client_retrieve(r, &p, NOW, rd_str(id), &c), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(registry_client_deregister(r, &p, NOW, rd_str(id)), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
}

static void refuses_a_registration_that_lacks_something(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"et\":" FAR ",\"adminFQDN\":\"admin.example\"}",
		"{\"fqdn\":\"other.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\"}",
		"{\"fqdn\":\"mef.sp.example\",\"adminFQDN\":\"admin.example\"}",
		"{\"fqdn\":\"mef.sp.example\",\"et\":" FAR "}",
		"{\"fqdn\":\"mef.sp.example\",\"et\":" YESTERDAY ",\"adminFQDN\":\"admin.example\"}",
	};
	struct registry_peer p = peer("/id-b");
	struct registry_client c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct order o = order(bad[i]);

		assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_BAD_REQUEST);
		assert_true(registry_reason(r)[0] != '\0');
	}
	assert_false(registry_client_find(r, "/id-b", NOW, &c));
}

static void updates_configures_and_forgets_a_client(void **state)
{
	struct registry_peer p = peer("/id-b");
	struct order o = order(CLIENT(FAR)), shorter = order("{\"et\":" TOMORROW "}"), labels = order("{\"labels\":[]}"), none = order("{}");
	struct registry_client c;
	char id[REGISTRY_ID_SIZE];

	(void)state;
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	memcpy(id, c.id, sizeof id);
	assert_int_equal(registry_client_configure(r, rd_str(id), rd_str("{\"keyRegCfg\":{}}")), OK);
	assert_int_equal(registry_client_configure(r, rd_str("0000"), rd_str("{}")), ERR_NOT_FOUND);
	assert_int_equal(registry_client_update(r, &p, NOW, rd_str(id), &none, &c), RSC_BAD_REQUEST);
	assert_int_equal(registry_client_update(r, &p, NOW, rd_str(id), &shorter, &c), RSC_UPDATED);
	assert_int_equal(registry_client_update(r, &p, NOW, rd_str(id), &labels, &c), RSC_UPDATED);
	assert_int_equal(registry_commit(r), OK);
	again();
	assert_int_equal(registry_client_retrieve(r, &p, NOW, rd_str(id), &c), RSC_OK);
	assert_true(c.expires_at == NOW + DAY && c.labels[0] == '\0');
	assert_string_equal(c.config, "{\"keyRegCfg\":{}}");
	assert_int_equal(registry_client_retrieve(r, &p, NOW + DAY, rd_str(id), &c), RSC_NOT_FOUND); /* over */
	assert_int_equal(registry_client_deregister(r, &p, NOW, rd_str(id)), RSC_DELETED);
	assert_int_equal(registry_commit(r), OK);
	assert_int_equal(registry_client_retrieve(r, &p, NOW, rd_str(id), &c), RSC_NOT_FOUND);
}

static void gives_a_name_to_a_key_that_a_mef_provisioned(void **state)
{
	struct registry_peer p = peer("/id-b/Cx");
	struct order o = order("{\"fqdn\":\"maf.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\"}");
	struct registry_client c;

	(void)state;
	strcpy(assigned_credential, p.credential);
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_string_equal(c.assigned, "fresh@maf.sp.example");
	strcpy(assigned_credential, "none");
	credential_is_gone = false;
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_string_equal(c.assigned, "fresh@maf.sp.example"); /* stays */
}

/* ---- keys ---- */

static void hands_an_exported_key_to_its_target_alone(void **state)
{
	struct registry_key k;
	struct secret *value, *kc;

	(void)state;
	registered("/id-a");
	k = key("/id-a", "{\"fqdn\":\"maf.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"SUID\":32,\"targetIDs\":[\"//sp.example/id-b\"]}");
	assert_string_equal(k.id, "01010101010101010101010101010101");
	assert_null(k.value);
	assert_true(k.expires_at == NOW + 10 * DAY);
	again();
	kc = session_key();
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_OK);
	assert_true(secret_equal(value, kc)); /* Kc itself, at a MAF */
	secret_free(value);
	secret_free(kc);
	assert_int_equal(retrieve("/id-c", k.id, NOW, &value), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(retrieve("/id-a", k.id, NOW, &value), RSC_ORIGINATOR_HAS_NO_PRIVILEGE); /* not even its source */
	assert_int_equal(retrieve("/id-b", "02", NOW, &value), RSC_NOT_FOUND);
	assert_int_equal(retrieve("/id-b", k.id, NOW + 10 * DAY, &value), RSC_NOT_FOUND);
	assert_int_equal(registry_key_access(r, "/id-b", NOW, rd_str(k.id), NULL), REGISTRY_TARGET);
	assert_int_equal(registry_key_access(r, "/id-c", NOW, rd_str(k.id), NULL), REGISTRY_NO_TARGET);
	assert_int_equal(registry_key_access(r, "/id-b", NOW, rd_str("aa"), NULL), REGISTRY_NO_KEY);
}

/* The MEF keeps Ke, and gives each target what is derived for it and for this use. */
static void hands_out_no_key_whose_source_lost_its_credential(void **state)
{
	struct registry_key k;
	struct secret *value;

	(void)state;
	registered("/id-a");
	k = key("/id-a", "{\"fqdn\":\"maf.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"SUID\":32,\"targetIDs\":[\"/id-b\"]}");
	again();
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_OK);
	secret_free(value);
	credential_is_gone = true;
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
	assert_int_equal(retrieve("/id-c", k.id, NOW, &value), RSC_ORIGINATOR_HAS_NO_PRIVILEGE); /* who is no target learns nothing */
	credential_is_gone = false;
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_OK);
	secret_free(value);
}

static void never_hands_out_an_enrolment_key(void **state)
{
	struct registry_key k;
	struct secret *value, *ke, *derived;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("21", "[\"maf.sp.example\"]"));
	ke = session_key();
	assert_int_equal(derive_usage_key(ke, SUID_RSPF_MAF, rd_str("maf.sp.example"), &derived), OK);
	assert_int_equal(retrieve("/maf", k.id, NOW, &value), RSC_OK); /* as its certificate maf.sp.example is understood */
	assert_true(secret_equal(value, derived));
	assert_false(secret_equal(value, ke));
	secret_free(value);
	secret_free(derived);
	secret_free(ke);
	k = key("/id-a", KEY("24", "[\"/id-b\",\"/id-c\"]"));
	ke = session_key();
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_OK);
	assert_true(secret_equal(value, ke)); /* several targets share it */
	secret_free(value);
	secret_free(ke);
}

static void takes_a_key_that_the_client_made(void **state)
{
	struct registry_key k;
	struct secret *value;
	struct order o;

	(void)state;
	registered("/id-a");
	k = key("/id-a", "{\"fqdn\":\"mef.sp.example\",\"et\":" IN_FIVE_DAYS ",\"adminFQDN\":\"admin.example\",\"SUID\":22,\"targetIDs\":[\"/id-b\"],"
			 "\"keyValue\":\"AAECAwQFBgcICQoLDA0ODw==\",\"labels\":[\"x\"]}");
	assert_true(k.expires_at == NOW + 5 * DAY && !k.exported);
	o = order("{\"keyValue\":\"AAECAwQFBgcICQoLDA0ODw==\"}");
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_OK);
	assert_true(secret_equal(value, o.key));
	secret_free(value);
	order_clear(&o);
}

static void refuses_keys_by_usage_targets_and_state(void **state)
{
	static const struct {
		const char *json;
		enum onem2m_rsc rsc;
	} bad[] = {
		{KEY("32", "[\"/id-b\"]"), RSC_BAD_REQUEST},             /* a MAF's usage */
		{KEY("12", "[\"/id-b\"]"), RSC_BAD_REQUEST},
		{KEY("22", "[\"/id-b\",\"/id-c\"]"), RSC_BAD_REQUEST},   /* one target */
		{KEY("23", "[]"), RSC_BAD_REQUEST},
		{KEY("24", "[]"), RSC_BAD_REQUEST},
		{KEY("21", "[\"maf.sp.example\",\"maf2.sp.example\"]"), RSC_BAD_REQUEST},
		{KEY("22", "[\"Cx\"]"), RSC_BAD_REQUEST},                /* no absolute ID */
		{"{\"fqdn\":\"mef.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"SUID\":22}", RSC_BAD_REQUEST},
		{"{\"fqdn\":\"mef.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"targetIDs\":[\"/id-b\"]}", RSC_BAD_REQUEST},
		{"{\"fqdn\":\"mef.sp.example\",\"et\":" YESTERDAY ",\"adminFQDN\":\"a.example\",\"SUID\":22,\"targetIDs\":[\"/id-b\"]}", RSC_BAD_REQUEST},
		{"{\"fqdn\":\"maf.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"a.example\",\"SUID\":22,\"targetIDs\":[\"/id-b\"]}", RSC_BAD_REQUEST},
	};
	struct registry_peer p = peer("/id-a");
	struct order o = order(KEY("22", "[\"/id-b\"]"));
	struct registry_key k;

	(void)state;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_ORIGINATOR_HAS_NO_PRIVILEGE); /* not registered */
	registered("/id-a");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct order b = order(bad[i].json);

		assert_int_equal(registry_key_register(r, &p, NOW, &b, &k), bad[i].rsc);
	}
	p.export = NULL;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_BAD_REQUEST);
	p.export = export;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_CREATED);
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_CONFLICT); /* one TLS session, one key */
	assert_int_equal(registry_key_register(r, &p, NOW + 31 * DAY, &o, &k), RSC_ORIGINATOR_HAS_NO_PRIVILEGE); /* the registration is over */
}

static void lets_no_key_outlive_the_credential_it_came_under(void **state)
{
	struct registry_peer p = peer("/id-a");
	struct order o = order(KEY("22", "[\"/id-b\"]"));
	struct registry_key k;

	(void)state;
	registered("/id-a");
	p.expires_at = NOW + 3600;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_CREATED);
	assert_true(k.expires_at == NOW + 3600);
	p.expires_at = NOW;
	session++;
	assert_int_equal(registry_key_register(r, &p, NOW, &o, &k), RSC_BAD_REQUEST);
}

static void changes_keys_for_their_source_alone(void **state)
{
	struct registry_peer a = peer("/id-a"), b = peer("/id-b");
	struct order targets = order("{\"targetIDs\":[\"/id-c\"]}"), two = order("{\"targetIDs\":[\"/id-c\",\"/id-d\"]}"), shorter = order("{\"et\":" TOMORROW "}"),
		     none = order("{}");
	struct registry_key k, changed;
	struct secret *value;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	assert_int_equal(registry_key_update(r, &b, NOW, rd_str(k.id), &targets, &changed), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(registry_key_update(r, &a, NOW, rd_str(k.id), &none, &changed), RSC_BAD_REQUEST);
	assert_int_equal(registry_key_update(r, &a, NOW, rd_str(k.id), &two, &changed), RSC_BAD_REQUEST);
	assert_int_equal(registry_key_update(r, &a, NOW, rd_str(k.id), &targets, &changed), RSC_UPDATED);
	assert_int_equal(registry_key_update(r, &a, NOW, rd_str(k.id), &shorter, &changed), RSC_UPDATED);
	assert_int_equal(registry_commit(r), OK);
	again();
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(retrieve("/id-c", k.id, NOW, &value), RSC_OK);
	secret_free(value);
	assert_int_equal(retrieve("/id-c", k.id, NOW + DAY, &value), RSC_NOT_FOUND);
	assert_int_equal(registry_key_deregister(r, &b, NOW, rd_str(k.id)), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(registry_key_deregister(r, &a, NOW, rd_str(k.id)), RSC_DELETED);
	assert_int_equal(registry_commit(r), OK);
	assert_int_equal(retrieve("/id-c", k.id, NOW, &value), RSC_NOT_FOUND);
	assert_int_equal(registry_key_deregister(r, &a, NOW, rd_str(k.id)), RSC_NOT_FOUND);
}

static void forgets_keys_with_the_last_registration_of_their_client(void **state)
{
	struct registry_peer a = peer("/id-a");
	struct registry_client c;
	struct registry_key k;
	struct secret *value;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	assert_true(registry_client_find(r, "/id-a", NOW, &c));
	assert_int_equal(registry_client_deregister(r, &a, NOW, rd_str(c.id)), RSC_DELETED);
	assert_int_equal(registry_commit(r), OK);
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
}

/* The procedure itself, under another credential than the usual one. */
static void registered_by_certificate(const char *client)
{
	struct registry_peer p = peer(client);
	struct order o = order(CLIENT(FAR));
	struct registry_client c;

	p.credential = CERTIFICATE;
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_int_equal(registry_commit(r), OK);
}

static uint64_t purged(void)
{
	uint64_t n = 99;

	assert_int_equal(registry_purge(r, NOW, &n), OK);
	assert_int_equal(registry_commit(r), OK);
	return n;
}

static enum onem2m_rsc standing(const char *client, const char *id)
{
	struct registry_peer p = peer(client);
	uint64_t expires_at = 0;
	enum onem2m_rsc rsc = registry_key_standing(r, &p, NOW, rd_str(id), &expires_at);

	assert_true((rsc == RSC_OK) == (expires_at > NOW));
	assert_false(registry_is_dirty(r)); /* it leaves no trace, however often it is asked */
	return rsc;
}

static void ends_what_was_registered_under_a_credential_that_is_gone(void **state)
{
	struct registry_client c;
	struct registry_key k;
	struct secret *value;

	(void)state;
	registered("/id-a");
	registered_by_certificate("/id-c");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	again();
	assert_int_equal(standing("/id-b", k.id), RSC_OK);
	assert_int_equal(standing("/id-c", k.id), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(standing("/id-b", "aa"), RSC_NOT_FOUND);
	assert_int_equal(purged(), 0);
	trouble = ERR_STORE; /* what cannot be told ends nothing */
	assert_int_equal(purged(), 0);
	assert_int_equal(standing("/id-b", k.id), RSC_NOT_FOUND);
	trouble = OK;
	credential_is_gone = true;
	assert_int_equal(standing("/id-b", k.id), RSC_NOT_FOUND);
	assert_int_equal(purged(), 2);
	assert_int_equal(purged(), 0);
	credential_is_gone = false; /* and does not come again */
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
	assert_false(registry_client_find(r, "/id-a", NOW, &c));
	assert_true(registry_client_find(r, "/id-c", NOW, &c));
}

/* Another key under the same name is another credential: what was made with the former may be somebody else's work. */
static void ends_what_was_registered_under_a_key_that_was_replaced(void **state)
{
	struct registry_key k, after;
	struct secret *value;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	key_now = "second";
	assert_int_equal(standing("/id-b", k.id), RSC_NOT_FOUND);
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
	registered("/id-a"); /* the rightful one is here again before anybody looked */
	after = key("/id-a", KEY("22", "[\"/id-b\"]"));
	assert_int_equal(purged(), 1);
	assert_int_equal(retrieve("/id-b", after.id, NOW, &value), RSC_OK);
	secret_free(value);
	key_now = "first";
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
}

/* From before keys had names there: what is in such a file stays until its credential is gone. */
static void takes_a_file_without_names_of_keys(void **state)
{
	struct registry_key k;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	registry_close(r);
	sql("ALTER TABLE origins DROP COLUMN key_name");
	open_registry();
	key_now = "second";
	assert_int_equal(purged(), 0);
	assert_int_equal(standing("/id-b", k.id), RSC_OK);
	credential_is_gone = true;
	assert_int_equal(purged(), 2);
}

/* Who came by a certificate later is there by that; but the key that was made under the other one ends. */
static void the_last_credential_of_a_client_counts(void **state)
{
	struct registry_client c;
	struct registry_key k;
	struct secret *value;

	(void)state;
	registered("/id-c");
	k = key("/id-c", KEY("22", "[\"/id-b\"]"));
	registered_by_certificate("/id-c");
	credential_is_gone = true;
	assert_int_equal(purged(), 1);
	assert_true(registry_client_find(r, "/id-c", NOW, &c));
	credential_is_gone = false;
	assert_int_equal(retrieve("/id-b", k.id, NOW, &value), RSC_NOT_FOUND);
}

static void refuses_a_row_that_was_changed(void **state)
{
	struct registry_key k;
	struct secret *value;
	sqlite3 *db;

	(void)state;
	registered("/id-a");
	k = key("/id-a", KEY("22", "[\"/id-b\"]"));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE keys SET targets='/id-c'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(retrieve("/id-c", k.id, NOW, &value), RSC_INTERNAL_SERVER_ERROR);
}

static enum onem2m_rsc key_refused_or_not(const char *client)
{
	struct registry_peer p = peer(client);
	struct order o = order("{\"fqdn\":\"mef.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"admin.example\",\"SUID\":22,\"targetIDs\":[\"/id-b\"],\"keyValue\":\"AAECAwQFBgcICQoLDA0ODw==\"}");
	struct registry_key k;
	enum onem2m_rsc rsc = registry_key_register(r, &p, NOW, &o, &k);

	order_clear(&o);
	return rsc;
}

static void note_id(void *ctx, const char *id)
{
	memcpy(ctx, id, REGISTRY_ID_SIZE);
}

/* One that wants to fill the disk. Others are not concerned. */
static void gives_no_client_more_than_its_share(void **state)
{
	struct registry_peer p = peer("/id-a");
	struct registry_client c;
	char text[128], id[REGISTRY_ID_SIZE];

	(void)state;
	registered("/id-a");
	registered("/id-c");
	for (unsigned n = 0; n < KEYS_MOST; n++)
		assert_int_equal(key_refused_or_not("/id-a"), RSC_CREATED);
	assert_int_equal(key_refused_or_not("/id-a"), RSC_NOT_ACCEPTABLE);
	assert_int_equal(key_refused_or_not("/id-c"), RSC_CREATED);
	assert_int_equal(registry_commit(r), OK);
	again(); /* it is counted, not only remembered */
	assert_int_equal(key_refused_or_not("/id-a"), RSC_NOT_ACCEPTABLE);
	assert_int_equal(registry_keys_each(r, "/id-a", note_id, id), OK);
	assert_int_equal(registry_key_deregister(r, &p, NOW, rd_str(id)), RSC_DELETED);
	assert_int_equal(key_refused_or_not("/id-a"), RSC_CREATED);
	assert_int_equal(key_refused_or_not("/id-a"), RSC_NOT_ACCEPTABLE);
	for (unsigned n = 1; n <= REGISTRY_ADMINS_PER_CLIENT; n++) {
		struct order o;

		snprintf(text, sizeof text, "{\"fqdn\":\"mef.sp.example\",\"et\":" FAR ",\"adminFQDN\":\"a%u.example\"}", n);
		o = order(text);
		assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), n < REGISTRY_ADMINS_PER_CLIENT ? RSC_CREATED : RSC_NOT_ACCEPTABLE);
	}
	registered("/id-a"); /* what is there already may be renewed */
	assert_int_equal(registry_commit(r), OK);
}

static void sweeps_what_is_over(void **state)
{
	struct registry_client c;
	uint64_t n;

	(void)state;
	registered("/id-a");
	key("/id-a", KEY("22", "[\"/id-b\"]"));
	assert_int_equal(registry_sweep(r, NOW + 9 * DAY, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(registry_sweep(r, NOW + 10 * DAY, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(registry_sweep(r, NOW + 30 * DAY, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(registry_commit(r), OK);
	assert_false(registry_client_find(r, "/id-a", NOW, &c));
}

/* What was not committed did not happen, in the registry or in the audit log. */
static void forgets_what_was_not_committed(void **state)
{
	struct registry_peer p = peer("/id-b");
	struct order o = order(CLIENT(FAR));
	struct registry_client c;

	(void)state;
	assert_int_equal(registry_client_register(r, &p, NOW, &o, &c), RSC_CREATED);
	assert_true(registry_is_dirty(r));
	again();
	assert_false(registry_client_find(r, "/id-b", NOW, &c));
}

static void holds_policy_under_the_hard_maximum(void **state)
{
	struct registry_config c = *registry_config(r);
	struct registry *other;
	const char *detail;

	(void)state;
	c.key_lifetime_s = REGISTRY_KEY_LIFETIME_MAX + 1;
	assert_int_equal(registry_open(":memory:", &c, &other, &detail), ERR_CONFIG);
	c.key_lifetime_s = REGISTRY_KEY_LIFETIME_MAX;
	c.client_lifetime_s = 0;
	assert_int_equal(registry_open(":memory:", &c, &other, &detail), ERR_CONFIG);
}

/* ---- commands ---- */

static void expect_args(struct wr *w, const char *json)
{
	struct rd text;

	assert_true(wr_done(w, &text));
	assert_true(rd_is(text, json));
	wr_reset(w);
}

static void writes_the_arguments_of_each_class(void **state)
{
	uint8_t buffer[512];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	command_args_no_more(&w, "PT0S");
	expect_args(&w, "{\"retryDuration\":\"PT0S\"}");
	command_args_cert_prov(&w, COMMAND_EST, "https://mef/est", COMMAND_SUBJECT_AE, "//sp.example/id-b/Cx");
	expect_args(&w, "{\"certProvProtocolID\":1,\"URI\":\"https://mef/est\",\"certSubjectType\":3,\"certSubjectID\":\"//sp.example/id-b/Cx\"}");
	command_args_dev_cfg(&w, COMMAND_LWM2M, "coaps://dm.example");
	expect_args(&w, "{\"deviceConfigURI\":\"3:coaps://dm.example\"}");
	command_args_mo_node(&w, "/mef/ab", COMMAND_AUTHENTICATION_PROFILE, SUID_RSPF_SAEF);
	expect_args(&w, "{\"objectPath\":\"/mef/ab\",\"objectTypeID\":1,\"objectTypeSpecificArgs\":{\"SUID\":22}}");
	command_args_mo_node(&w, "/mef/ab", COMMAND_TRUST_ANCHOR, SUID_NONE);
	expect_args(&w, "{\"objectPath\":\"/mef/ab\",\"objectTypeID\":2}");
	assert_string_equal(command_status_name(304), "MO_NODE_INCONSISTENT_CONFIG");
	assert_null(command_status_name(21));
}

static void queues_commands_and_discards_wrong_reports(void **state)
{
	struct registry_command one = {.class = COMMAND_MO_NODE, .about = 7, .object = "/mef/AB", .args = "{}"}, two = {.class = COMMAND_DEV_CFG, .args = "{}"}, c;
	struct registry_client client;

	(void)state;
	registered("/id-b");
	assert_true(registry_client_find(r, "/id-b", NOW, &client));
	memcpy(one.registration, client.id, sizeof one.registration);
	memcpy(two.registration, client.id, sizeof two.registration);
	assert_int_equal(registry_command_add(r, &one), OK);
	assert_int_equal(registry_command_add(r, &two), OK);
	assert_true(two.id > one.id);
	assert_true(registry_command_waits(r, client.id, COMMAND_MO_NODE, "/mef/ab"));
	assert_true(registry_commands_about(r, client.id, 7));
	assert_false(registry_command_report(r, client.id, one.id, &c)); /* never issued */
	assert_true(registry_command_first(r, client.id, &c) && c.id == one.id && !c.issued);
	assert_int_equal(registry_command_issued(r, one.id), OK);
	assert_int_equal(registry_commit(r), OK);
	again();
	assert_true(registry_command_first(r, client.id, &c) && c.id == one.id && c.issued);
	assert_false(registry_command_report(r, client.id, two.id, &c));
	assert_false(registry_command_report(r, "00", one.id, &c)); /* another's */
	assert_true(registry_command_report(r, client.id, one.id, &c) && c.about == 7);
	assert_true(registry_command_first(r, client.id, &c) && c.id == two.id);
	assert_int_equal(registry_commands_withdraw(r, client.id, COMMAND_DEV_CFG, 0), OK);
	assert_false(registry_command_first(r, client.id, &c));
	assert_int_equal(registry_command_add(r, &one), OK);
	assert_true(one.id > two.id); /* no number twice */
	assert_int_equal(registry_commit(r), OK);
}

#define MEF_TEST(f) cmocka_unit_test_setup_teardown(f, start_mef, stop)
#define MAF_TEST(f) cmocka_unit_test_setup_teardown(f, start_maf, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEF_TEST(lines_that_are_cut_off_the_end_are_missed),
		MEF_TEST(another_log_of_the_same_length_is_not_taken),
		MEF_TEST(a_crash_between_the_log_and_its_anchor_is_no_tampering),
		MEF_TEST(an_anchor_can_not_be_taken_away_or_changed),
		MEF_TEST(an_anchor_goes_with_what_its_lines_are_about),
		MEF_TEST(registers_a_client_once_for_each_administrator),
		MEF_TEST(refuses_a_registration_that_lacks_something),
		MEF_TEST(updates_configures_and_forgets_a_client),
		MAF_TEST(gives_a_name_to_a_key_that_a_mef_provisioned),
		MAF_TEST(hands_an_exported_key_to_its_target_alone),
		MAF_TEST(hands_out_no_key_whose_source_lost_its_credential),
		MEF_TEST(never_hands_out_an_enrolment_key),
		MEF_TEST(takes_a_key_that_the_client_made),
		MEF_TEST(refuses_keys_by_usage_targets_and_state),
		MEF_TEST(lets_no_key_outlive_the_credential_it_came_under),
		MEF_TEST(changes_keys_for_their_source_alone),
		MEF_TEST(forgets_keys_with_the_last_registration_of_their_client),
		MEF_TEST(ends_what_was_registered_under_a_credential_that_is_gone),
		MEF_TEST(ends_what_was_registered_under_a_key_that_was_replaced),
		MEF_TEST(takes_a_file_without_names_of_keys),
		MEF_TEST(the_last_credential_of_a_client_counts),
		MEF_TEST(refuses_a_row_that_was_changed),
		MEF_TEST(gives_no_client_more_than_its_share),
		MEF_TEST(sweeps_what_is_over),
		MEF_TEST(forgets_what_was_not_committed),
		MEF_TEST(holds_policy_under_the_hard_maximum),
		MEF_TEST(writes_the_arguments_of_each_class),
		MEF_TEST(queues_commands_and_discards_wrong_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
