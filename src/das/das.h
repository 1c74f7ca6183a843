/* Dynamic Authorisation System (TS-0003 clause 7.3.2): who gets which privileges for what, decided by rules of the operator. Durable (SQLite), without
 * network and clock; tokens are put into their form by whoever is named in the configuration (das/das_token.h).
 *
 *	rsc = das_ask(d, now_ms, "/id-in", content, &answer);
 *
 * Two kinds of askers, by their authenticated IDs:
 *	a CSE   direct dynamic authorisation: about a resource of its own, for whomever. Gets a grant with its end, or a token; and tokens that it knows by
 *	        their tokenIDs alone.
 *	an AE   indirect: for itself, about any resource. Gets a token that names it as holder and the resource's CSE as audience.
 *
 * The first rule in the order of their numbers that fits decides; without one nothing is granted. */
#ifndef KEYWAY_DAS_DAS_H
#define KEYWAY_DAS_DAS_H

#include "base/err.h"
#include "base/rng.h"
#include "json/json.h"
#include "onem2m/rsc.h"

struct audit;
struct das;

#define DAS_ID_MAX 256
#define DAS_LIFETIME_MAX (365ULL * 86400) /* seconds: no policy may go beyond */
#define DAS_RULES_MAX 10000
#define DAS_TOKENS_MAX 100000             /* that have not ended: more are refused */
#define DAS_TOKEN_MAX 16384               /* octets of a token's text */
#define DAS_ANSWER_MAX (1024U * 1024)

struct das_config {
	const char *id;      /* issuer of the tokens: a domain name, or an absolute AE-ID */
	const char *sp;      /* "keyway.example" */
	uint64_t longest_s;  /* of grants and tokens, at most DAS_LIFETIME_MAX */
	struct rng *rng;
	struct audit *audit; /* may be NULL */
	/* Puts claims into the form in which the CSE ("/id-in") takes them; NULL: there are no tokens. */
	enum err (*seal)(void *ctx, struct rd claims, const char *cse, struct wr *token);
	void *ctx;
};

/* ERR_CONFIG, ERR_STORE; `detail` is a sentence. What c points to stays the caller's. */
enum err das_open(const char *path, const struct das_config *c, struct das **out, const char **detail) MUST_CHECK;
void das_close(struct das *d); /* accepts NULL */

/* ---- rules ---- */

enum das_way {
	DAS_GRANT = 1, /* privileges, to the CSE that asks: they end there */
	DAS_TOKEN = 2, /* a token, to the CSE or to its holder */
};
struct das_rule {
	int64_t id;
	char originator[DAS_ID_MAX]; /* SP-relative ID; `*` stands for any characters but `/` */
	char resource[DAS_ID_MAX];   /* "/id-in/cnt42" or a pattern, as CSEs name it: CSE-ID and resource ID */
	unsigned operations;         /* m2m:accessControlOperations: 1 to 63 */
	enum das_way way;
	char role[DAS_ID_MAX];       /* "name@domain": the token gives this role instead of the privileges; "" */
	uint64_t lifetime_s;
};

/* ERR_BAD_VALUE: no pattern, no operation, no lifetime or one beyond the configuration's, a role without token, a token where there are none; ERR_FULL. */
enum err das_rule_add(struct das *d, uint64_t now_ms, const struct das_rule *r, int64_t *id) MUST_CHECK;
/* Tokens that it gave are forgotten: nobody gets them by their IDs any more. ERR_NOT_FOUND. */
enum err das_rule_remove(struct das *d, uint64_t now_ms, int64_t id) MUST_CHECK;
enum err das_rules_each(struct das *d, void (*fn)(void *ctx, const struct das_rule *r), void *ctx) MUST_CHECK;

/* ---- tokens ---- */

struct das_token {
	int64_t rule;
	char id[DAS_ID_MAX], holder[DAS_ID_MAX], resource[DAS_ID_MAX], cse[DAS_ID_MAX];
	uint64_t expires_at; /* Unix seconds */
};
/* Those that have not ended. */
enum err das_tokens_each(struct das *d, uint64_t now_ms, void (*fn)(void *ctx, const struct das_token *t), void *ctx) MUST_CHECK;
/* As above: it is not given out again; whoever has its text keeps it until its end. ERR_NOT_FOUND. */
enum err das_token_forget(struct das *d, uint64_t now_ms, const char *id) MUST_CHECK;

/* ---- questions ---- */

/* content: m2m:seci with dreq, as JSON. OK: `answer` gets m2m:seci with dres, which grants nothing when no rule fits; everything that it gives is durable
 * and in the audit. Otherwise 4000, 4103 (the asker may not ask this) or 5000; das_reason says why. */
enum onem2m_rsc das_ask(struct das *d, uint64_t now_ms, const char *asker, struct rd content, struct wr *answer) MUST_CHECK;
const char *das_reason(const struct das *d); /* of the last refusal; never NULL */

/* ---- the operator ---- */

/* One line of JSON, {"cmd":"das.allow",...}, and its answer: docs/protocols/das.md. */
void das_admin(struct das *d, uint64_t now_ms, struct rd line, struct wr *answer);

#endif
