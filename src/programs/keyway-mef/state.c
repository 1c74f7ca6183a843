/* What keyway-mef keeps: its audit log, credentials.db, and what is sealed under keys in that (registry.db, mef.db). */
#include <stdio.h>

#include "base/clock.h"
#include "credentials/standing.h"
#include "credentials/store_key.h"
#include "keys/sealed.h"
#include "loop/log.h"
#include "loop/startup.h"
#include "mef/migrate.h"
#include "programs/keyway-mef/program.h"

bool state_path(char path[static STATE_PATH], const char *dir, const char *name)
{
	return snprintf(path, STATE_PATH, "%s/%s", dir, name) < STATE_PATH;
}

static bool audit_start(struct service *s)
{
	char path[STATE_PATH];
	uint64_t line;
	enum err e = state_path(path, options.state, "audit.log") ? audit_open(path, &s->audit, &line) : ERR_TOO_LONG;

	if (e == ERR_BAD_MIC)
		log_line(LOG_LEVEL_ERROR, "the audit log was changed", "first_bad_line=%llu", (unsigned long long)line);
	return e == OK || program_fail("audit.log can't be used", "keep it as evidence, move it away, and start once with --accept-audit-log", e);
}

/* A Kpm that the operator has taken away: what its holder registered goes with it. */
static enum err kpm_stands(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME])
{
	const struct service *s = ctx;

	return credentials_stand(s->credentials, CREDENTIAL_KPM, options.id, clock_unix_ms() / 1000, credential, key_name);
}

/* registry.db, sealed under a key in credentials.db. */
static bool registry_start(struct service *s)
{
	char path[STATE_PATH];
	struct credentials_options o = {.path = path, .kek = options.kek, .rng = &s->rng};
	struct registry_config c = {
		.kind = REGISTRY_MEF,
		.fqdn = options.id,
		.sp = options.sp,
		.client_lifetime_s = options.client_days * 86400,
		.key_lifetime_s = options.key_days * 86400,
		.rng = &s->rng,
		.audit = s->audit,
		.audit_accept_s = options.accept_audit_log ? clock_unix_ms() / 1000 : 0,
		.stands = kpm_stands,
		.ctx = s,
	};
	const char *detail = "";
	enum err e = state_path(path, options.state, "credentials.db") ? credentials_open(&o, &s->credentials, &detail) : ERR_TOO_LONG;

	if (e == OK)
		e = store_key_get(s->credentials, "registry", options.id, clock_unix_ms() / 1000, &s->rng, &s->registry_key);
	if (e != OK)
		return program_fail("credentials.db can't be opened", detail, e);
	c.store_key = s->registry_key;
	c.audit_anchored = store_key_is_marked(s->credentials, "registry", options.id);
	e = state_path(path, options.state, "registry.db") ? registry_open(path, &c, &s->registry, &detail) : ERR_TOO_LONG;
	if (e != OK)
		return program_fail("registry.db can't be opened", detail, e);
	e = store_key_mark(s->credentials, "registry", options.id);
	if (e != OK)
		return program_fail("credentials.db can't be written", "is the disk full?", e);
	e = state_path(path, options.state, "mef.db") ? mef_migrate(path, s->registry) : ERR_TOO_LONG;
	return e == OK || program_fail("clients can't be moved from mef.db to registry.db", "is the disk full, or mef.db damaged?", e);
}

/* mef.db, sealed under another key in credentials.db. */
static bool store_start(struct service *s)
{
	struct secret *former = NULL;
	char path[STATE_PATH];
	const char *detail = "";
	bool moved = false;
	enum err e = options.key_file ? key_file_read(options.key_file, &former) : OK;

	if (e != OK)
		return program_fail("the key file can't be used", "it must hold 64 hexadecimal digits and be readable by its owner alone (chmod 600)", e);
	e = store_key_get(s->credentials, "mef", options.id, clock_unix_ms() / 1000, &s->rng, &s->mef_key);
	if (e == OK)
		e = state_path(path, options.state, "mef.db") ? mef_store_rekey(path, former, s->mef_key, &s->rng, &moved, &detail) : ERR_TOO_LONG;
	secret_free(former);
	if (moved)
		log_line(LOG_LEVEL_NOTICE, "mef.db is sealed under credentials.db now", "hint=\"take key_file out of [mef], and destroy that file\"");
	if (e == OK)
		e = mef_store_open(path, s->mef_key, &s->rng, &s->store, &detail);
	return e == OK || program_fail("mef.db can't be opened", detail, e);
}

bool state_open(struct service *s)
{
	if (!startup_state(options.state))
		return false;
	return audit_start(s) && registry_start(s) && store_start(s);
}

bool state_gap_tell(struct service *s)
{
	const struct database_gap *gap = mef_store_gap(s->store);
	char detail[96];

	if (!gap->copied) {
		if (gap->by)
			log_line(LOG_LEVEL_NOTICE, "mef.db was not in use for a while", "in_use_until=%llu frame_counters_skipped=%u", (unsigned long long)gap->since, gap->by);
		return true;
	}
	snprintf(detail, sizeof detail, "in use until %llu, %u frame counters skipped", (unsigned long long)gap->since, gap->by);
	log_line(LOG_LEVEL_WARNING, "an old copy of mef.db was put back", "in_use_until=%llu frame_counters_skipped=%u advice=\"devices that were added, or joined anew, since have to enrol again\"",
	    (unsigned long long)gap->since, gap->by);
	return mef_audit(s->mef, "old copy of mef.db put back", 0, NULL, NULL, detail) == OK;
}
