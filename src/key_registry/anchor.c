/* The end of the audit log, kept in registry.db: sealed, and written in the transaction that the log's lines are about, after they are on disk. So the log
 * may hold more lines than the anchor knows (a crash between the two), and never fewer. */
#include <string.h>

#include "audit/audit.h"
#include "key_registry/private.h"
#include "keys/sealed.h"

#define LABEL "registry:audit head"
#define HEAD_OCTETS (8 + 32)

static struct secret *head_secret(const struct audit_head *h)
{
	uint8_t octets[HEAD_OCTETS];
	struct wr w = wr_of(octets, sizeof octets);

	wr_be64(&w, h->last);
	wr_copy(&w, h->hash, sizeof h->hash);
	return w.spoilt ? NULL : secret_take(octets, sizeof octets);
}

enum err registry_anchor_put(struct registry *r)
{
	uint8_t octets[SEALED_SIZE(HEAD_OCTETS)];
	struct wr w = wr_of(octets, sizeof octets);
	struct audit_head h;
	struct secret *s;
	struct rd sealed;
	enum err e;

	audit_head(r->config.audit, &h);
	if (r->anchored && r->anchor == h.last)
		return OK;
	s = head_secret(&h);
	if (!s)
		return ERR_NO_MEMORY;
	e = secret_seal(r->config.store_key, LABEL, s, r->config.rng, &w);
	secret_free(s);
	if (e == OK)
		e = wr_done(&w, &sealed) ? registry_write(r, registry_bind(r, ANCHOR_PUT, "ib", (int64_t)h.last, &sealed)) : ERR_TOO_LONG;
	if (e == OK) {
		r->anchored = true;
		r->anchor = h.last;
	}
	return e;
}

/* OK: the log holds what it held. */
static enum err compare(struct registry *r, uint64_t last, struct rd sealed)
{
	struct secret *was = NULL, *is = NULL;
	struct audit_head h;
	enum err e = secret_unseal(r->config.store_key, LABEL, sealed, &was);

	if (e == OK)
		e = audit_head_at(r->config.audit, last, &h);
	if (e == OK) {
		is = head_secret(&h);
		e = is && secret_equal(was, is) ? OK : ERR_BAD_MIC;
	}
	secret_free(was);
	secret_free(is);
	return e == ERR_NOT_FOUND || e == ERR_SHORT || e == ERR_MALFORMED ? ERR_BAD_MIC : e;
}

static enum err check(struct registry *r)
{
	sqlite3_stmt *s = registry_bind(r, ANCHOR_GET, "");
	enum err e = r->config.audit_anchored ? ERR_BAD_MIC : OK; /* without one */

	if (sqlite3_step(s) == SQLITE_ROW)
		e = compare(r, (uint64_t)sqlite3_column_int64(s, 0), rd_of(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1)));
	registry_done(s);
	return e;
}

enum err registry_anchor_check(struct registry *r, const char **detail)
{
	enum err e;

	if (!r->config.audit)
		return OK;
	e = check(r);
	if (e == ERR_BAD_MIC && r->config.audit_accept_s)
		e = registry_audit(r, r->config.audit_accept_s, "audit log accepted as it is", "operator", "it was not what it had been before");
	if (e == OK)
		e = registry_anchor(r);
	if (e == ERR_BAD_MIC)
		*detail = "lines of audit.log are missing at its end, or it is another log; keep both as evidence, and start once with --accept-audit-log";
	else if (e != OK)
		*detail = "the end of audit.log can't be written down";
	return e;
}

enum err registry_anchor(struct registry *r)
{
	enum err e;

	if (!r->config.audit)
		return OK;
	e = registry_touch(r);
	return e == OK ? registry_commit(r) : e;
}
