/* What the files of the dispatcher share. */
#ifndef KEYWAY_CSE_PRIVATE_H
#define KEYWAY_CSE_PRIVATE_H

#include "cse/cse.h"
#include "json/json.h"
#include "onem2m/types.h"
#include "store/store.h"

#define CSE_ID_MAX 256
#define CSE_PATH_MAX 1024 /* bounds how deep resources nest */
#define CSE_DEPTH_MAX 24   /* of a resource; answers and notifications put more around it, below JSON_DEPTH_MAX */
#define CSE_BODY_MAX (1024 * 1024)
#define CSE_INTERNAL_AES 8

/* Access control operations, TS-0004 table 6.3.4.2.29-1. */
#define ACOP_CREATE 1
#define ACOP_RETRIEVE 2
#define ACOP_UPDATE 4
#define ACOP_DELETE 8
#define ACOP_NOTIFY 16
#define ACOP_DISCOVERY 32

struct internal_ae {
	char id[STORE_NAME];
	cse_internal_notify *fn;
	void *ctx;
};

struct outbox;

struct cse {
	struct cse_config config;
	struct store *store;
	struct cse_transport transport;
	struct store_row base;
	struct internal_ae internals[CSE_INTERNAL_AES];
	size_t internal_count;
	struct pending *pending, **pending_last; /* answers that wait for the commit */
	bool commit_due;
	struct outbox *outboxes;
	uint64_t requests;
	struct cse_counts counts;
};

/* One request on its way through the dispatcher. */
struct exchange {
	struct cse *cse;
	const struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
	char from[STORE_NAME];        /* SP-relative ID of the originator */
	bool privileged;              /* the administrator, or a part of this CSE */
	struct json_arena *arena;
	struct store_row target;
	bool virtual_la, virtual_ol;
};

/* Answers and frees the exchange. Writes wait for the commit. */
void exchange_answer(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location);
void exchange_fail(struct exchange *x, enum onem2m_rsc rsc, const char *fmt, ...) PRINTF_LIKE(3, 4); /* with m2m:dbg */

/* operations */
void cse_create(struct exchange *x);
void cse_retrieve(struct exchange *x);
void cse_discover(struct exchange *x);
void cse_update(struct exchange *x);
void cse_delete(struct exchange *x);
void cse_notify(struct exchange *x);
void cse_forward(struct exchange *x, const char *cse_id);

/* addressing */
/* The rest of `to` at this CSE ("" is the CSEBase), or false with the CSE-ID of another in other. */
bool cse_is_local(const struct cse *c, struct rd to, struct rd *rest, char *other, size_t size);
enum err cse_find(struct cse *c, struct rd rest, struct store_row *row, bool *latest, bool *oldest) MUST_CHECK;
bool cse_path(struct cse *c, const struct store_row *row, char *path, size_t size); /* "cse-in/a/b" */
bool cse_sp_relative(const struct cse *c, struct rd id, char *out, size_t size);    /* "/id-in/Cx" */

/* access control */
bool cse_permits(struct exchange *x, const struct store_row *row, unsigned acop);

/* filter criteria and other query arguments; values are percent-decoded into the arena */
struct query {
	struct rd text;
};
bool query_next(struct json_arena *a, struct query *q, struct rd *name, struct rd *value);
bool query_get(struct exchange *x, const char *name, struct rd *value);

/* content */
void content_of(const struct store_row *row, struct wr *w);                              /* {"root":body} */
void content_partial(struct exchange *x, const struct store_row *row, struct rd atrl, struct wr *w);
struct rd uint_attribute_set(struct cse *c, const struct store_row *row, const char *const names[], const uint64_t values[], size_t n, struct wr *w);

/* notification */
enum cse_event { EVENT_UPDATE = 1, EVENT_DELETE = 2, EVENT_CHILD_CREATE = 3, EVENT_CHILD_DELETE = 4 };
void cse_event(struct cse *c, const struct store_row *subject, enum cse_event event, const struct store_row *shown);
void cse_deliver(struct cse *c, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx);
void cse_outboxes_flush(struct cse *c);
void cse_outboxes_tick(struct cse *c, uint64_t now);
void cse_outboxes_free(struct cse *c);

#endif
