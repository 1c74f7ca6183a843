/* What the files of the dispatcher share: the CSE, one request on its way, and the hooks of resource types.
 *
 * A request passes: cse_submit (dispatch.c: checks, routing) -> the operation's file (create.c, retrieve.c, update.c, delete.c,
 * notify.c) -> hooks of the type (types/) -> the tree -> exchange_answer, which holds answers to writes back until the commit. */
#ifndef KEYWAY_CSE_PRIVATE_H
#define KEYWAY_CSE_PRIVATE_H

#include "cse/cse.h"
#include "cse/filter.h"
#include "cse/tree.h"
#include "json/json.h"
#include "onem2m/schema.h"
#include "onem2m/timestamp.h"
#include "store/store.h"

#define CSE_SERIALIZATIONS "application/json,application/xml,application/cbor" /* csz: what the bindings translate */
#define CSE_ID_MAX 256
#define CSE_PATH_MAX 2048 /* bounds how deep resources nest */
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
	char id[128];
	cse_internal_notify *fn;
	void *ctx;
};

/* Something that happens at a time: services link one into cse->timers by cse_timer_at. Owned by its service. */
struct cse_timer {
	struct cse_timer *next;
	uint64_t at; /* monotonic ms; 0: not armed */
	void (*fn)(struct cse *c, struct cse_timer *t);
};
void cse_timer_at(struct cse *c, struct cse_timer *t, uint64_t at);
void cse_timer_cancel(struct cse *c, struct cse_timer *t);

/* State that files of services keep: c->services. */
enum cse_service {
	SERVICE_REQUEST, SERVICE_POLLING, SERVICE_TIME_SERIES, SERVICE_CRS, SERVICE_ACTION, SERVICE_BEACON, SERVICE_ANNOUNCE, SERVICE_SEMANTICS,
	SERVICE_TRANSACTION, SERVICE_STATS, SERVICE_NOTIFICATION, SERVICE_BLOCKING, SERVICE_LOCATION, SERVICE_GROUP, SERVICE_FAN_OUT, SERVICE_FLEX_NAMES,
	SERVICE_REGISTRATION, SERVICE_MISSING_DATA, SERVICE_WATCHES, SERVICE_SCHEDULE, SERVICE_MANAGEMENT_COMMAND, SERVICE_SWEEP,
	SERVICE_ACCESS, SERVICE_ACCESS_TOKENS, SERVICE_PROFILE, SERVICE_TRANSACTION_MGMT, SERVICE_TRIGGER, SERVICE_MULTICAST, SERVICE_MULTICAST_HOST,
	SERVICE_PRIMITIVE_PROFILE, SERVICE_CONTACTS, SERVICE_SLICES, SERVICE_CMDH, SERVICE_PLAYED_NETWORK, SERVICE_COUNT,
};

struct cse {
	struct cse_config config;
	struct store *store;
	struct tree *tree;
	struct cse_transport transport;
	char admin[CSE_ID_MAX];       /* SP-relative ID of the administrator, or "" */
	cse_send_over *send_over;     /* or NULL */
	struct cse_security security; /* notify NULL: none */
	struct cse_tokens tokens;     /* open NULL: none */
	void (*group_changed)(void *ctx, const char *id); /* or NULL */
	void *group_changed_ctx;
	int64_t base_id;
	struct internal_ae internals[CSE_INTERNAL_AES];
	size_t internal_count;
	struct pending *pending, **pending_last; /* answers that wait for the commit */
	struct exchange *spare;       /* exchanges for use again */
	unsigned spare_count;
	bool commit_due;
	struct cse_worker worker;     /* run NULL: none */
	bool committing;              /* on another thread: see gate.h */
	enum err committed;           /* of the commit under way */
	struct pending *unanswered;   /* whose answers it decides */
	size_t pending_count, unanswered_count;
	struct pending *parting, **parting_last; /* those that wait for farewells */
	struct cse_timer parting_timer;
	unsigned farewells;           /* of ended subscriptions, on their way */
	size_t pending_seen;          /* at the end of the last round, if the commit was put off then */
	size_t batch;                 /* so many answers are enough for a commit */
	struct held *held, **held_last;
	size_t held_count;            /* of them those that may write: no answers */
	bool tick_held;
	bool rehearsing;              /* what is done now is undone: nobody hears of it */
	bool orphans;                 /* there may be some */
	uint64_t orphans_end;         /* with this many commits there are none; 0: there are */
	bool round_broken;            /* the store failed in the midst of an operation: nothing of this round is committed */
	struct later *later, **later_last; /* work for the end of the round */
	struct cse_timer *timers;
	uint64_t numbers;             /* for request identifiers of this run */
	uint64_t short_request_ms;    /* 0, or what the upper tester set: life of a request without rqet */
	struct cse_timer expiry;
	void *services[SERVICE_COUNT];           /* state of src/cse/types files and services, index enum cse_service */
	void (*service_free[SERVICE_COUNT])(struct cse *c, void *state); /* by cse_service_set */
	struct cse_counts counts;
};

void cse_put_security(struct cse *c, struct json_out *o); /* e2eSecInfo, `esi`, when there is any */

/* State of a service with its end. The CSE calls free at its own. */
void cse_service_set(struct cse *c, enum cse_service s, void *state, void (*free)(struct cse *c, void *state));

/* ---- time ---- */
uint64_t cse_now(const struct cse *c);  /* unix ms */
uint64_t cse_mono(const struct cse *c); /* monotonic ms */

uint64_t cse_longest_life(const struct cse *c); /* of a new resource, ms */
uint64_t cse_request_life(const struct cse *c); /* of a blocking request that does not say it (rqet), ms */

/* ---- resources of the CSE's own ---- */
struct own_resource {
	struct resource *parent;
	int type;
	const char *ri, *rn;          /* NULL: derived */
	const char *creator;
	uint64_t expires;             /* unix ms */
	struct attributes *attributes; /* the common ones are added */
	struct counters counters;     /* of a container: used, with or without state tag */
};
struct resource *cse_make_resource(struct cse *c, const struct own_resource *o); /* a new reference; NULL: the store failed. Without events */
void cse_make_fixed(struct cse *c);
bool cse_is_fixed(const struct cse *c, const struct resource *r);
bool cse_is_undeletable(const struct cse *c, const struct resource *r); /* whoever asks */

/* ---- one request ---- */
enum cse_virtual { VIRTUAL_NONE, VIRTUAL_LATEST, VIRTUAL_OLDEST, VIRTUAL_FAN_OUT, VIRTUAL_SEMANTIC_FAN_OUT, VIRTUAL_POLLING_URI,
	VIRTUAL_SELF_REFERENCE /* ntsr */, VIRTUAL_SEMANTIC_VALIDATION /* smv */ };

#define ONEM2M_RCN_SEMANTIC 10

struct exchange {
	struct cse *cse;
	const struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
	char from[CSE_ID_MAX];        /* SP-relative ID of the originator: "/id-in/Cx"; "" before an AE has one */
	bool privileged;              /* the administrator, or a part of this CSE */
	bool registration;            /* From is still to be assigned */
	struct json_arena *arena;
	struct resource *target;      /* the resource; of a virtual one its parent */
	enum cse_virtual virtual_child;
	struct rd suffix;             /* behind a fanOutPoint: "" or "a/b" */
	uint64_t expires_ms;          /* rqet, unix ms; 0: none */
	int rcn;                      /* as asked, or ONEM2M_RCN_ABSENT */
	int cts;                      /* contentStatus of the answer */
	uint64_t cto;
	bool composed;                /* what it is answered with was put together here: onem2m_response.composed */
	bool saved;                   /* a savepoint is open: a failure undoes the operation's writes */
	uint64_t mark;                /* and the notifications that were posted since */
	struct sparql *query;         /* of smf; NULL without one */
	struct exchange *next_spare;
	struct wr room;               /* exchange_room's; kept with a spare exchange */
	struct access_tokens *tokens; /* those of the request that hold; NULL: none, or not looked at yet */
	uint64_t when;                /* unix ms: the moment of a decision about another time; 0: now */
	const struct json *limited;   /* the last permission was for these attributes alone (aca); NULL: for all */
	int64_t denied;               /* the resource of the last refusal, with what was asked of it */
	unsigned denied_acop;
	int denied_type, denied_child;
	int64_t within;               /* the transaction of which it is a part; 0: none. Answered at once: the transaction commits */
	struct exchange **running;    /* of a part: NULL there when it ends */
	bool farewell;                /* it ended subscriptions that someone is told of */
	bool abandoned;               /* its transaction went on without it: it may not write any more */
	enum { CONSULTED_NOBODY, CONSULTED_POINTS, CONSULTED_ALL } consulted; /* who was asked about a refusal: nobody is a second time */
	struct access_found *found;   /* what points of authorisation said; NULL: nothing */
	struct filter filter;         /* last: filter_parse sets what counts of it */
};

/* Answers and frees the exchange. Writes wait for the commit. */
struct exchange *exchange_new(struct cse *c);    /* never NULL; ends by exchange_answer or exchange_fail */
void exchange_spares_free(struct cse *c);
/* A writer, empty, for what is put together on the way; what was written last is good until exchange_room is asked again or the exchange ends. Content
 * that lies there exchange_answer need not copy. */
struct wr *exchange_room(struct exchange *x);
/* A copy, with a zero behind it, that lives as long as the exchange. */
const char *exchange_text(struct exchange *x, struct rd text);
void exchange_answer(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location);
/* The same with content that was written by json_out from what was parsed or made here, and not passed on unread. */
void exchange_answer_composed(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location);
void exchange_fail(struct exchange *x, enum onem2m_rsc rsc, const char *fmt, ...) PRINTF_LIKE(3, 4); /* with m2m:dbg */
void exchange_store_failed(struct exchange *x, enum err e); /* 5000-class, and undoes what the operation wrote */
/* The content's single root member, or NULL after a failure was answered. `root` NULL: any. */
const struct json *exchange_content(struct exchange *x, const char *root, const struct json **doc);

/* ---- attributes being put together: of a new resource, or of one that is updated ---- */
struct attribute {
	struct rd name;
	struct rd raw;                /* JSON text of the value */
	bool removed, changed;
};
struct attributes {
	struct json_arena *arena;
	struct attribute *items;
	size_t count, room;
};
void attributes_init(struct attributes *a, struct json_arena *arena, const struct json *object); /* object may be NULL */
bool attributes_get(const struct attributes *a, const char *name, struct rd *raw);              /* JSON text */
const struct json *attributes_value(const struct attributes *a, const char *name);              /* parsed; NULL when absent */
void attributes_set_raw(struct attributes *a, const char *name, struct rd json);  /* the text must live as long as the arena */
void attributes_set_json(struct attributes *a, const char *name, const struct json *v);
void attributes_set_string(struct attributes *a, const char *name, const char *text);
void attributes_set_uint(struct attributes *a, const char *name, uint64_t n);
void attributes_set_bool(struct attributes *a, const char *name, bool b);
void attributes_set_time(struct attributes *a, const char *name, uint64_t unix_ms);
void attributes_remove(struct attributes *a, const char *name);
void attributes_forget(struct attributes *a, const char *name); /* as if it had never been given */
void attributes_write(const struct attributes *a, struct wr *w);                  /* the object */
/* Labels of the index, borrowed from the arena. */
size_t attributes_labels(const struct attributes *a, const struct rd **labels);

/* ---- creation and update, as the hooks see them ---- */
struct creation {
	struct exchange *x;
	const struct schema_type *type;
	const struct json *given;     /* content below its root */
	const char *root;
	const char *parent_path;      /* "cse-in/a" */
	struct attributes attributes; /* what will be stored: hooks add and change */
	struct counters counters;
	char ri[128], rn[128];        /* "" : derived */
	const char *creator;          /* SP-relative; the exchange's `from`, or a text as long-lived */
	uint64_t expires, now;
	int64_t id;
	bool instance;
	bool own_ri;                  /* ri was chosen by a hook, not derived */
	bool resumed;                 /* a check was under way in the meantime */
	bool announced;               /* it has `at` */
	struct resource *made;        /* after the insertion */
	void *hook;                   /* a hook's own memory, from x->arena */
	const struct json *limited;   /* the attributes that the originator may see; NULL: all */
	unsigned waits;               /* asynchronous checks under way */
	bool refused;
};
struct updating {
	struct exchange *x;
	const struct json *given;
	struct attributes attributes;
	uint64_t now, expires;
	bool labels_changed;
	struct resource *old;         /* == x->target */
	struct resource *made;        /* after the replacement */
	void *hook;
	const struct json *limited;   /* as of a creation */
	unsigned waits;
	bool refused;
	bool resumed;                 /* a check was under way in the meantime */
};

/* A hook says GO, or FAILED after it called exchange_fail (the exchange is gone then), or WAIT: it will call creation_resume/
 * updating_resume once, which goes on with the insertion/replacement. */
enum hook_result { HOOK_GO, HOOK_FAILED, HOOK_WAIT };

/* What a type does beyond its table. NULL members: nothing. */
struct type_hooks {
	int type;
	enum hook_result (*create)(struct creation *cr);  /* before the insertion: check, complete attributes */
	enum hook_result (*created)(struct creation *cr); /* after it, in the same transaction. WAIT: after exchange_keep; creation_finish follows */
	enum hook_result (*child_create)(struct creation *cr);  /* of the parent's type: x->target is the parent */
	enum hook_result (*child_created)(struct creation *cr);
	void (*child_removed)(struct cse *c, struct resource *parent, struct resource *child); /* a child was deleted by itself */
	enum hook_result (*update)(struct updating *u);
	enum hook_result (*updated)(struct updating *u);
	enum hook_result (*remove)(struct exchange *x, struct resource *r); /* before; x may be NULL (expiry). FAILED only with x */
	void (*removed)(struct cse *c, struct resource *r);                  /* of each resource of a deleted subtree, before its row goes */
	enum hook_result (*retrieve)(struct exchange *x);  /* before; may change what is there (statistics ...) */
	enum hook_result (*retrieved)(struct exchange *x); /* when its representation was written, before the answer */
	void (*represent)(struct cse *c, struct resource *r, struct json_out *o); /* adds attributes that are made at reading */
	void (*start)(struct cse *c, struct resource *r);  /* for each resource of the type at the start of the CSE: timers */
};
const struct type_hooks *type_hooks(int type); /* never NULL */
void creation_resume(struct creation *cr);
void creation_finish(struct creation *cr); /* the event of the creation and its answer */
void updating_resume(struct updating *u);
bool updating_again(struct updating *u); /* after a wait: the request upon the resource as it is now. False: it was answered, as the resource is gone */

/* ---- operations ---- */
/* A part of a transaction: here, now, past its locks. *running is the exchange if it did not end at once. */
void cse_submit_within(struct cse *c, const struct onem2m_request *rq, int64_t transaction, cse_done *done, void *ctx, struct exchange **running);
void exchange_farewell_begins(struct cse *c); /* exchange.c: a notification of a subscription's end is posted; DELETEs wait for its end */
void exchange_farewell_ends(struct cse *c);
void exchange_abandon(struct exchange *x); /* it may end when it likes, in vain */
void exchange_route(struct exchange *x);   /* to the CSE that has the target, or exchange_perform */
void exchange_perform(struct exchange *x); /* after the checks of cse_submit: finds the target and does the operation */
bool exchange_save(struct exchange *x);    /* begins what a failure undoes, unless it is begun; false after a failure was answered */
void exchange_keep(struct exchange *x);    /* ends it: the writes stand */
void cse_create(struct exchange *x);
void cse_retrieve(struct exchange *x);
void cse_discover(struct exchange *x);
bool discover_ask_ipe(struct exchange *x, cse_done *done, void *ctx); /* false: it cannot be asked this */
void cse_update(struct exchange *x);
void cse_delete(struct exchange *x);
void cse_notify(struct exchange *x);
void cse_forward(struct exchange *x, const char *cse_id);
void exchange_retarget(struct exchange *x, struct rd to); /* the same operation on another address, which answers x */
void cse_expire(struct cse *c);
void cse_expire_at(struct cse *c, uint64_t unix_ms);      /* something expires then; 0: never */
/* orphans.c: of a deleted resource with very many below it, they wait as orphans until they are deleted in portions, over a restart too. */
enum err orphans_note(struct cse *c, int64_t parent) MUST_CHECK; /* what is below has lost its parent, in the open transaction */
enum err orphans_sweep(struct cse *c) MUST_CHECK;                /* a portion */
bool orphans_wait(const struct cse *c);
enum err orphans_start(struct cse *c) MUST_CHECK;
enum err cse_delete_orphan(struct cse *c, struct resource *r) MUST_CHECK;
void cse_sweep_later(struct cse *c);                      /* sweep.c: deletes what is gone in the store, in portions */
void cse_trim_later(struct cse *c, int64_t id, int64_t until); /* and the oldest instances of a container beyond its limits, and all up to `until` */
/* Deletes a resource with all below it, with events; within the open transaction. by: the originator's exchange or NULL. */
enum err cse_delete_subtree(struct cse *c, struct resource *r, bool parent_event) MUST_CHECK;
/* Changes attributes of a resource from inside (no access control, no hooks; `notify`: with events). */
typedef void cse_edit(void *ctx, struct attributes *a);
enum err cse_edit_resource(struct cse *c, int64_t id, bool notify, cse_edit *fn, void *ctx) MUST_CHECK;
enum err cse_edit_snapshot(struct cse *c, struct resource *r, bool notify, cse_edit *fn, void *ctx) MUST_CHECK; /* of an instance too */
/* Writes of an internal cause (timers, answers): commits at the end of the round. */
void cse_commit_later(struct cse *c);
/* Work that an operation causes elsewhere, such as deletions: done at the end of the round in the same transaction. The operation may have been
 * undone by then, so fn looks whether there is something to do. id and text are for fn; text is copied. */
typedef void cse_later(struct cse *c, int64_t id, const char *text);
void cse_before_commit(struct cse *c, cse_later *fn, int64_t id, const char *text);
void cse_later_free(struct cse *c);

/* ---- addressing ---- */
/* The rest of `to` at this CSE ("" is the CSEBase), or false with the CSE-ID of another in other. */
bool cse_is_local(const struct cse *c, struct rd to, struct rd *rest, char *other, size_t size);
/* A new reference, or NULL. `suffix` and `kind` may be NULL when virtual children are not wanted. */
struct resource *cse_find(struct cse *c, struct rd rest, enum cse_virtual *kind, struct rd *suffix);
struct resource *cse_apply_path(struct cse *c, struct resource *r, struct rd path); /* what names lead to from r: "a/b", "a/la"; a new reference, or NULL */
struct resource *cse_find_address(struct cse *c, struct rd address); /* any form; NULL too when it is of another CSE */
const char *cse_relative(const struct cse *c, const char *sp_relative); /* "Cx" of an ID of this CSE, otherwise the ID itself */
bool cse_sp_relative(const struct cse *c, struct rd id, char *out, size_t size);    /* "/id-in/Cx" */
/* For results: CSE-relative for who is registered here, SP-relative for others; structured or not. */
bool cse_address_for(struct exchange *x, struct resource *r, bool structured, char *out, size_t size);
bool cse_address_below(struct exchange *x, const char *parent, const char *name, char *out, size_t size); /* structured; parent as of tree_path */
/* val of an m2m:childResourceRef; an unstructured one is SP-relative for everybody, as the references are that the CSE makes of its own (rrats). */
bool cse_reference_for(struct exchange *x, struct resource *r, char *out, size_t size);
bool cse_is_below(struct cse *c, const struct resource *r, int64_t ancestor, unsigned *depth);

/* ---- access control ---- */
bool cse_permits(struct exchange *x, struct resource *r, unsigned acop);
bool cse_policies_exist(struct exchange *x, const struct json *acpi); /* of a CREATE or UPDATE; false after a failure was answered */
bool cse_consultations_fit(struct exchange *x, const struct json *daci);
bool cse_is_administrator(const struct cse *c, const char *from); /* or this CSE itself */
bool cse_permits_child(struct exchange *x, struct resource *parent, int child_type); /* CREATE */
bool cse_policies_permit(struct exchange *x, const struct json *acpi, struct resource *object, unsigned acop, int child_type); /* these alone */
bool cse_pattern_matches(const char *pattern, const char *text);    /* '*' stands for any characters */
bool cse_id_matches(const char *pattern, const char *id);           /* '*' stands for any characters but '/' */
bool cse_name_is_good(struct rd rn);                                /* of a resource, or an AE-ID-Stem */
bool cse_list_matches(const char *patterns, const char *text);  /* comma separated */

/* ---- representation ---- */
/* {"root": attributes}, with what `represent` adds. */
void represent(struct cse *c, struct resource *r, struct wr *w);
void represent_members(struct cse *c, struct resource *r, struct json_out *o); /* without root and braces */
/* {"root": attributes} as far as `limited` lists them; NULL: all. */
void represent_limited(struct cse *c, struct resource *r, const struct json *limited, struct wr *w);
bool access_shows(const struct json *limited, struct rd name);
void represent_partial(struct cse *c, struct resource *r, const struct rd *names, size_t count, struct wr *w);

/* ---- events and notification ---- */
enum cse_event {
	EVENT_OPERATION = 0,     /* no event type: an operation is asked for (enc.om) */
	EVENT_UPDATE = 1,
	EVENT_DELETE = 2,
	EVENT_CHILD_CREATE = 3,
	EVENT_CHILD_DELETE = 4,
	EVENT_RETRIEVE_NECR = 5, /* retrieve of a container child that is not there */
	EVENT_TRIGGER = 6,
	EVENT_BLOCKING_UPDATE = 7,
	EVENT_MISSING_DATA = 8,
};
struct event {
	enum cse_event kind;
	struct resource *subject;            /* whose subscriptions are asked */
	struct resource *shown;              /* what the notification represents */
	const struct attributes *modified;   /* of an update: `changed` says which */
	enum onem2m_operation operation;     /* for enc.om; 0 unknown */
	const char *originator;
	struct rd raw;                       /* kind MISSING_DATA: m2m:tsn object text; kind TRIGGER: the payload */
	bool discovery;                      /* a RETRIEVE that discovers */
	bool untold;                         /* no subscription hears of it */
	int64_t subscription;                /* only this one of the subject's is meant; 0: all */
};
void cse_event(struct cse *c, const struct event *e);
void cse_monitor(struct exchange *x);                           /* the operation is about to be tried: for enc.om */
void cse_monitors(struct cse *c, const struct json *enc);       /* a subscription has these criteria */
void cse_count_down(struct cse *c, struct resource *sub);       /* exc of a subscription or crossResourceSubscription; the last one ends it */
/* One NOTIFY to a target: a URL, or the address of a resource (AE, CSE, here or elsewhere). `content` is copied; in order per target. */
void cse_notify_target(struct cse *c, const char *target, struct rd content, cse_done *done, void *ctx);
/* passes: whether an answer may go on while a commit is under way, as for cse_send_passing (gate.h); NULL: it may not. */
typedef bool gate_passes(void *ctx, const struct onem2m_response *rsp);
void cse_deliver(struct cse *c, struct resource *ae, const struct onem2m_request *rq, gate_passes *passes, cse_done *done, void *ctx);
/* The release in which a CSE or AE is spoken to, deliver.c: the request's if it has it, otherwise one of its own, whose text goes into `release`. */
void target_release(struct resource *target, struct onem2m_request *rq, char *release, size_t size);
enum serialization target_serialization(struct resource *target); /* that it reads: JSON, unless it does not */
void cse_outboxes_start(struct cse *c);
void cse_outboxes_flush(struct cse *c); /* after a commit */
void cse_outboxes_free(struct cse *c);

/* ---- what type files offer the dispatcher ---- */
void polling_channel_request(struct exchange *x);           /* types/polling_channel.c */
bool polling_channel_send(struct cse *c, struct resource *owner, const struct onem2m_request *rq, cse_done *done, void *ctx); /* true: it goes that way */
void group_fan_out(struct exchange *x);                     /* fan_out.c */
void semantic_fan_out(struct exchange *x);                  /* types/semantic_query.c: RETRIEVE of a group's sfop, after access was granted */
void group_resource_gone(struct cse *c, const struct resource *r); /* types/group_members.c */
void group_before_commit(struct cse *c);
void subscription_self_reference(struct exchange *x);       /* types/subscription.c */
bool subscription_blocks_update(struct updating *u);        /* true: a blocking subscription took it over and calls updating_resume */
bool request_is_non_blocking(struct exchange *x); /* types/request.c: true when it took the exchange; exchange_route comes later, if so */
bool crs_notified(struct exchange *x);                      /* types/cross_window.c: a NOTIFY that the CSE itself takes */
const struct schema_type *flex_container_schema(struct rd root, const struct json *cnd); /* types/flex_container.c: NULL when they do not go together */
bool flex_container_knows(struct cse *c, struct rd attribute); /* types/flex_names.c: some flexContainer here has such a custom attribute */
void location_before_latest(struct cse *c, const struct resource *container);    /* types/location_policy.c: before the latest is looked up */
void location_container_removed(struct cse *c, const struct resource *container);
/* types/node.c: what a node hosts was made (was NULL), changed or is about to go (is NULL); other types cost nothing */
void node_links_changed(struct cse *c, struct resource *was, struct resource *is);
void cmdh_next_cse_is_there(struct cse *c, const char *csi); /* types/cmdh_buffer.c: it answers again: what backs off from it need not wait */
/* types/contacts.c: references to AEs elsewhere, of which the IN-CSE hears; as node_links_changed */
void contacts_changed(struct cse *c, struct resource *was, struct resource *is);
bool contacts_notified(struct exchange *x);                 /* true: a NOTIFY about them, which is answered */
enum err contacts_start(struct cse *c) MUST_CHECK;
/* types/ae_moves.c: an AE, or at the IN-CSE its AEAnnc, is there or active again; one that registered elsewhere meanwhile */
void ae_is_registered(struct cse *c, struct resource *r);
bool ae_has_moved(struct resource *ae);
void ae_deliver_where_it_is(struct cse *c, const struct resource *ae, const struct onem2m_request *rq, cse_done *done, void *ctx);
bool moves_notified(struct exchange *x);                    /* true: a NOTIFY about one, which is answered */
void command_object_changed(struct cse *c, struct resource *object); /* types/exec_instance.c: a mgmtObj on which a command may wait */
void stats_count(struct exchange *x, size_t octets);        /* types/stats.c: a request that went well, with so much in its answer */
bool remote_cse_is_its_own(struct exchange *x, const struct json *given); /* types/remote_cse.c: who registers is who it says; false after a refusal */
bool subscription_covers(struct exchange *x, const char *csi); /* types/service_profile.c: a CSE that registers; false after a refusal */
bool app_rules_permit(struct creation *cr);                /* types/service_profile.c: of an AE; false after a refusal */
bool app_rules_allow(struct cse *c, const char *credential, const char *ae); /* ae NULL: any */
bool node_is_reachable(struct cse *c, struct resource *hosted); /* types/node_schedule.c: an AE, a remoteCSE, by the schedules of its node (nl) */
void watches_event(struct cse *c, const struct event *e);    /* types/watches.c: actions and processes that watch the subject */
struct resource *multicast_group_of(struct cse *c, struct rd to, struct rd *suffix); /* types/multicast_group.c: that has this fan-out target, or NULL */
void primitive_profiles_apply(struct exchange *x);          /* types/primitive_profile.c: x->rq is another afterwards, if one is for it */
void beacon_check(struct exchange *x);                      /* types/time_sync_beacon.c: the originating timestamp shows whose clock is wrong */
bool semantic_check(struct exchange *x);                    /* types/semantic_query.c: smf and sqi; false after a failure was answered */
bool transaction_refuses(struct exchange *x);               /* types/transaction_lock.c: true after it was answered */
void semantic_retrieve(struct exchange *x);                 /* rcn 10 */
void semantic_validation(struct exchange *x);               /* types/semantic_check.c: smv */
bool filter_semantics_match(const struct filter *f, struct cse *c, struct resource *r);
bool access_consult(struct exchange *x, const char *why);   /* access_consult.c: what was refused is asked of somebody else; true: it took the exchange */
/* children.c: the target with what is below it, for rcn 4, 5, 6 and 8, put together in slices. `then` has the content, or w spoilt, and ends x. */
void children_put(struct exchange *x, int rcn, void (*then)(struct exchange *x, struct wr w));
/* announce/: what creation, update and deletion tell it. Those with `then` call it later if they say true. */
bool announce_check(struct exchange *x, const struct schema_type *t, const struct json *given, struct attributes *a, struct resource *old); /* false: failed */
bool announce_created(struct exchange *x, struct resource *made, void (*then)(void *ctx), void *ctx);
bool announce_updated(struct exchange *x, struct resource *old, struct resource *made, const struct attributes *a, void (*then)(void *ctx), void *ctx);
void announce_edited(struct cse *c, struct resource *old, struct resource *made, const struct attributes *a);
void announce_gone(struct cse *c, struct resource *r);
void announce_delete(struct exchange *x, struct wr content); /* deletes the target and answers; takes content over */
bool announce_may_make_base(struct exchange *x);
bool announce_may_place(struct exchange *x);        /* the double of an S-type AE, right below the base; the rest says */
bool announce_placed_well(struct creation *cr);     /* false: failed */
bool announce_may_take_place(struct exchange *x, struct resource *r, unsigned acop);
bool announce_relinks_well(struct updating *u);     /* false: failed */
bool announce_has_double(struct exchange *x, struct resource *r, unsigned acop);
bool announce_sends_back(struct exchange *x, const struct json *given); /* true: the original is updated instead, which answers x */
struct resource *announce_policy(struct cse *c, struct rd address);     /* a new reference, or NULL */
struct resource *announce_double(struct cse *c, struct rd address);     /* the same of any type, as its own CSE announced it */
void announce_cse_is_there(struct cse *c, const char *csi);             /* it registered, or answers again */
void announce_flush(struct cse *c);                                     /* after a commit */
enum err announce_start(struct cse *c) MUST_CHECK;
/* An AE-ID of the service provider, "/Sxyz": true when that AE is registered here, otherwise `other` is the CSE where it is, if its AEAnnc tells. */
bool cse_s_type_ae(struct cse *c, struct rd to, struct rd *rest, char *other, size_t size);
void announce_s_type_ae(struct creation *cr); /* an AE-ID that is unique within the service provider is made known to the IN-CSE */
bool cse_knows(struct cse *c, const char *csi);                         /* forward.c: a request for it leaves this CSE, or it is this one */
struct resource *cse_next_hop(struct cse *c, const char *csi); /* the remoteCSE on the way to a CSE; NULL: not known here */
bool cse_poa(struct resource *r, char *poa, size_t size);

/* ---- requests of this CSE's own ---- */
/* To a local or remote resource; everything in rq is copied. done may be NULL. */
void cse_request(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* A copy with all its texts, in one block. */
struct onem2m_request *request_copy(const struct onem2m_request *rq);
void request_copy_free(struct onem2m_request *rq);
/* The query without the parameters of these names (the list ends with NULL), in room of at least its length. */
struct rd query_without(struct rd query, const char *const *names, char *room);
/* What somebody sent as content: JSON as it is, nothing for nothing, anything else as a string where it can be one. */
void json_put_content(struct json_out *o, const char *name, struct rd content);

#endif
