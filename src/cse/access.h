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

/* access_token.c: roles that are asked for and assigned, or that a token gives; privileges of tokens. */
bool access_has_role(struct exchange *x, struct rd role);
bool access_tokens_permit(struct exchange *x, const struct access_question *q);
bool access_role_is_assigned(struct cse *c, const char *holder, struct rd role, uint64_t when); /* there is a <role> that says so */
bool access_token_is_held(struct cse *c, const char *holder, struct rd id, uint64_t when);      /* and a <token> of this tokenID */
/* access_jwt.c: the claims of a JSON Web Token that holds for this request at this moment; NULL otherwise. They live as long as the exchange. */
const struct json *access_jwt_claims(struct exchange *x, struct rd token, uint64_t when);
/* "lti:tkid" of each token that came with the request, joined by '+'; empty when none. For the response. */
struct rd access_assigned(struct exchange *x);

/* access_grant.c: what dynamic authorisation granted, for a while. */
bool access_granted(struct exchange *x, const struct access_question *q);
void access_grant(struct cse *c, int64_t object, int64_t consultation, const struct json *privileges, uint64_t until);
void access_forget(struct cse *c, int64_t consultation);                                   /* its grants end */
bool access_was_refused(struct cse *c, int64_t object, const char *from, unsigned acop);   /* a moment ago */
void access_note_refusal(struct cse *c, int64_t object, const char *from, unsigned acop);

#endif
