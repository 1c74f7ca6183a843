/* A CSE on a bench: in-memory store, a clock that the test moves, and a transport that keeps what is sent. JSON is written with ' for ".
 *
 *	struct rig *g = rig_new();
 *	const struct answer *a = rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a'}}");
 *
 *	assert_rsc(a, RSC_CREATED);
 *	assert_value(a, "m2m:cnt.rn", "'a'");
 *	rig_free(g);
 *
 * Text and answers live as long as the rig. Its CSE: IN, "/id-in", "cse-in", SP "acme.example.com", administrator CAdmin; subscriptions are
 * verified; testbench commands are taken. Rounds of the loop run inside of each call until nothing is left to do at this moment. */
#ifndef KEYWAY_TESTS_CSE_HARNESS_H
#define KEYWAY_TESTS_CSE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cse/private.h"

#define RIG_START_UNIX 1800000000000ULL /* 2027-01-15T08:00:00 UTC, a Friday */
#define RIG_START_MONO 1000000ULL
#define RIG_SENT_MAX 4096

struct answer {
	bool come;
	unsigned times;              /* more than once is a defect, and rig_free says so */
	enum onem2m_rsc rsc;
	const char *content;         /* "" when empty */
	const char *location;
	const char *ati;             /* assigned token identifiers */
	int cts;
	uint64_t cto;
	const struct json *doc;      /* content parsed; NULL when empty */
};

/* What left the CSE by the transport. */
struct sent {
	const char *url, *target_id;
	struct onem2m_request rq;    /* texts copied; peer "" */
	const char *to, *from, *content;
	const struct json *doc;      /* content parsed; NULL when empty */
	cse_done *done;              /* NULL after the answer */
	void *ctx;
};

struct rig {
	struct cse *cse;
	struct store *store;
	struct json_arena *arena;
	struct cse_config config;    /* change and rig_restart */
	uint64_t unix_ms, mono_ms, wake;
	/* what the network does: the first rule whose url is a prefix of the target's */
	struct {
		const char *url;
		bool hold;           /* the test answers itself by rig_reply */
		enum onem2m_rsc rsc;
	} rules[16];
	size_t rule_count;
	struct sent sent[RIG_SENT_MAX];
	size_t sent_count;
	struct {
		void (*fn)(void *);
		void *ctx;
	} deferred[64];
	size_t deferred_count;
	struct answer *answers[4096];
	size_t answer_count;
	uint64_t numbers;
};

struct rig *rig_new(void);
/* With another identity: a second CSE beside the first ("/id-mn", "cse-mn", CSE_MN). */
struct rig *rig_new_as(enum cse_type type, const char *id, const char *name);
void rig_free(struct rig *g);
/* As after a SIGKILL: what was not committed is lost, timers and queues are gone, the CSE starts again on the same store. */
void rig_restart(struct rig *g);

/* ---- time ---- */
void rig_settle(struct rig *g);                    /* rounds until nothing is due now; called by all that follows */
void rig_advance(struct rig *g, uint64_t ms);      /* in the steps in which the CSE wants to be woken */
const char *rig_time(struct rig *g, int64_t ms);   /* time stamp of now + ms */

/* ---- requests; `from` NULL: none. An answer that has not come yet (blocking on somebody) fills in later ---- */
const char *rig_json(struct rig *g, const char *text);          /* ' becomes " */
const char *rig_fmt(struct rig *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
const struct answer *rig_create(struct rig *g, const char *from, const char *to, int ty, const char *json);
const struct answer *rig_retrieve(struct rig *g, const char *from, const char *to); /* "cse-in/a?rcn=4": the query may follow */
const struct answer *rig_update(struct rig *g, const char *from, const char *to, const char *json);
const struct answer *rig_delete(struct rig *g, const char *from, const char *to);
const struct answer *rig_notify(struct rig *g, const char *from, const char *to, const char *json);
/* Any request: operation, to and what else is wanted; from, release and request_id are filled in where empty ("CAdmin"). content as it is. */
const struct answer *rig_ask(struct rig *g, struct onem2m_request rq);
/* Registers an AE "CAe1" under name "ae1"; more are further members ("'poa':['http://ae1']"), or "". Asserts success. */
void rig_ae(struct rig *g, const char *ae_id, const char *name, const char *more);
const char *rig_ri(struct rig *g, const char *to); /* the resourceID of what is there */

/* ---- the network: by default every request is answered with OK in the next round ---- */
void rig_network(struct rig *g, const char *url, enum onem2m_rsc rsc); /* answer so; RSC_TARGET_NOT_REACHABLE: nobody is there */
void rig_hold(struct rig *g, const char *url);                         /* leave unanswered */
void rig_reply(struct rig *g, size_t index, enum onem2m_rsc rsc, const char *json); /* answer sent[index] */
void rig_forget_sent(struct rig *g);                                   /* sent_count 0; open ones must have been answered */
size_t rig_count_sent(const struct rig *g, const char *url);           /* to this url (prefix) */
const struct sent *rig_last_sent(const struct rig *g, const char *url); /* NULL: none */

/* ---- asserting ---- */
void assert_rsc_at(const struct answer *a, enum onem2m_rsc rsc, const char *file, int line);
#define assert_rsc(a, rsc) assert_rsc_at(a, rsc, __FILE__, __LINE__)
/* path as json_path takes it; expected JSON with '; NULL: must be absent */
void assert_json_at(const struct json *doc, const char *path, const char *expected, const char *file, int line);
#define assert_value(a, path, expected) assert_json_at((a)->doc, path, expected, __FILE__, __LINE__)
#define assert_json(doc, path, expected) assert_json_at(doc, path, expected, __FILE__, __LINE__)

#endif
