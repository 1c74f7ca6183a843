/* What the files of access control share. */
#ifndef KEYWAY_CSE_ACCESS_H
#define KEYWAY_CSE_ACCESS_H

#include "cse/private.h"

struct access_question {
	unsigned acop;
	struct resource *object; /* what the operation is on */
	int child_type;          /* of a CREATE */
};

bool access_permits(struct exchange *x, const struct access_question *q);                                     /* access.c: the whole decision */
bool access_rules_permit(struct exchange *x, const struct json *privileges, const struct access_question *q); /* access_rules.c: m2m:setOfAcrs */

/* The policies that decide about a resource: a list of their addresses and, as a new reference, the resource whose list it is; NULL: it has none. */
const struct json *access_policies_of(struct cse *c, struct resource *r, struct resource **whose);
struct resource *access_policy(struct cse *c, const struct json *address); /* a new reference, or NULL */

/* access_token.c: roles that are asked for and assigned, or that a token gives; privileges of tokens. */
bool access_has_role(struct exchange *x, struct rd role);
bool access_tokens_permit(struct exchange *x, const struct access_question *q);
bool access_role_is_assigned(struct cse *c, const char *holder, struct rd role, uint64_t when); /* there is a <role> that says so */
bool access_token_is_held(struct cse *c, const char *holder, struct rd id, uint64_t when);      /* and a <token> of this tokenID */
/* access_jwt.c: the claims of a JSON Web Token that holds for this request at this moment; NULL otherwise. They live as long as the exchange. */
const struct json *access_jwt_claims(struct exchange *x, struct rd token, uint64_t when);
bool access_jwt_is_time(const struct json *claims, uint64_t when);
bool access_jwt_is_from(struct cse *c, const struct json *claims, const char *issuer);
bool access_jwt_end(const struct json *claims, uint64_t *unix_ms);
bool access_lists(struct rd list, struct rd wanted); /* a list joined by '+', perhaps with percent escapes, has it */
/* "lti:tkid" of each token that came with the request, joined by '+'; empty when none. For the response. */
struct rd access_assigned(struct exchange *x);

/* access_kept.c: tokens that a server of dynamic authorisation gave. */
void access_token_keep(struct exchange *x, const struct json *claims, int64_t consultation, uint64_t until); /* for its originator */
size_t access_kept_claims(struct exchange *x, uint64_t when, const struct json **claims, size_t most);      /* that count for it; as long as it lives */
bool access_is_kept(struct exchange *x, struct rd id);                                                      /* of this tokenID, for its originator */
void access_kept_assigned(struct exchange *x, struct wr *w);                                                /* as access_assigned, behind what is there */
void access_kept_forget(struct cse *c, int64_t consultation);

/* access_points.c: what others decide, or have policies about. */
enum access_point { ACCESS_DECISION, ACCESS_POLICY, ACCESS_INFORMATION, ACCESS_ELSEWHERE, ACCESS_POINTS }; /* ELSEWHERE: no point, but a policy at another CSE */
#define ACCESS_POINTS_MOST 8    /* of a kind */
#define ACCESS_POLICIES_MOST 32
struct access_asked {
	const char *to;          /* SP-relative, by its resource ID */
	int64_t object;          /* 0: it is not here */
	unsigned acop;
	int child_type;
};
/* For one request, or one decision: kept no longer, since nothing says how long it holds. */
struct access_found {
	int64_t object;          /* what it is about */
	unsigned acop;
	int child_type;
	bool permit;             /* a point of decision says so, of this operation */
	bool roles;              /* the roles of the request are assigned to its originator */
	bool in_use;
	const struct json *policies[ACCESS_POLICIES_MOST]; /* m2m:setOfAcrs */
	size_t count;
};
/* Asks the points that the policies of `linked` name, of these kinds (1 << ACCESS_DECISION, ...). True: there are some, x->found gets what they say, and done
 * is called once, perhaps before this returns. */
bool access_points_ask(struct exchange *x, struct resource *linked, const struct access_asked *q, unsigned kinds, void (*done)(void *ctx), void *ctx);
bool access_found_permits(struct exchange *x, const struct access_question *q); /* access.c; q->object NULL: what is not here, by policies alone */
struct rd access_unescaped(struct rd text, char room[static CSE_ID_MAX]);        /* access_token.c: one of a list, without percent escapes */

/* access_grant.c: what dynamic authorisation granted, for a while. */
bool access_granted(struct exchange *x, const struct access_question *q);
void access_grant(struct cse *c, int64_t object, int64_t consultation, const struct json *privileges, uint64_t until);
void access_forget(struct cse *c, int64_t consultation);                                   /* its grants end */
/* A moment ago, with the same roles and tokens. */
bool access_was_refused(struct exchange *x);
void access_note_refusal(struct exchange *x);

#endif
