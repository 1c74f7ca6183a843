/* End-to-End Security of Primitives (TS-0003 8.4): a request primitive sealed for its receiver, carried by NOTIFYs that any CSE on the way passes on
 * without being able to read it. Both sides' logic, pure: the caller has the primitives, the keys and the time.
 *
 *	receiver:   esprim_peek(text, kid); the key of kid; esprim_open(r, ...); the inner request's answer; esprim_seal(&session, ...)
 *	originator: esprim_originator_take(o, ero, ...); esprim_seal_request(o, ...); ... esprim_open_response(o, &session, ...)
 *
 * The object is a compact JWE, alg `dir`, whose key comes of the key that both share and a rand object of each (rand_object.h):
 *	{"alg":"dir","kid":KEY ID,"enc":...,"ori":ID,"rri":ID,"oro":{...} until it was answered,"rro":{...} in an answer that brings a new one}
 *
 * Replay. An object captured on its way is valid as long as its rand objects are. The receiver therefore remembers the tags that it opened, for
 * as long as its own object of that session lives, and refuses each a second time (4115); a session takes ESPRIM_REQUESTS_MAX requests, then the
 * originator must come with a new rand object (4113 tells it so). Nothing is evicted to make room: what does not fit is refused. A restart
 * forgets the tags and the receiver's objects alike, so nothing opens twice either.
 * A response cannot be taken for another's: the session's nonces are random, and its inner primitive names the request. */
#ifndef KEYWAY_E2E_ESPRIM_H
#define KEYWAY_E2E_ESPRIM_H

#include "e2e/rand_object.h"
#include "onem2m/rsc.h"
#include "security/credential.h"

#define ESPRIM_ORIGINATORS_MAX 4096 /* sessions that a receiver remembers, about 1 KiB each */
#define ESPRIM_PER_KEY_MAX 64       /* of one key, so that its holder cannot fill the table */
#define ESPRIM_REQUESTS_MAX 4096    /* of one session; 8 octets each */
#define ESPRIM_TAGS_MAX (1U << 20)  /* of all sessions together */
#define ESPRIM_UNSHARED_MAX 4096    /* receiver's objects made for somebody who asked */
#define ESPRIM_UNSHARED_PER_ENTITY 4

/* A session key with what names it. Clear it with esprim_session_clear. */
struct esprim_session {
	struct secret *key; /* sessionESPrimKey */
	enum jose_enc enc;
	char kid[KEY_ID_MAX], ori[RAND_ID_MAX], rri[RAND_ID_MAX];
};
void esprim_session_clear(struct esprim_session *s);

/* ---- receiver ---- */

struct esprim;
struct esprim_config {
	uint32_t encs;         /* JOSE_MAY of what it takes */
	uint64_t life_ms;      /* of its rand objects */
};
struct esprim *esprim_new(const struct esprim_config *config, struct rng *rng); /* rng is borrowed */
void esprim_free(struct esprim *r);

/* The object for everybody (e2eSecInfo's esro). A new one is made in time: two thirds into the life of the former, which stays good. */
enum err esprim_shared(struct esprim *r, uint64_t now_ms, struct rd *object) MUST_CHECK; /* until the next call */
/* One for this entity alone (securityInfo 3 and 4). ERR_FULL. */
enum err esprim_unshared(struct esprim *r, uint64_t now_ms, const char *entity, struct rd *object) MUST_CHECK;

/* The pairwise key that kid names, and whose it is (an SP-relative ID). */
struct esprim_key {
	const struct secret *key;
	const char *entity;
};

/* The key that a text wants. RSC_BAD_REQUEST: no JWE; RSC_ESPRIM_UNSUPPORTED_OPTION: another alg, a kid that is no key identifier. */
enum onem2m_rsc esprim_peek(struct rd text, char kid[static KEY_ID_MAX]);
/* The checks of TS-0003 8.4.3 in their order; RSC_OK, or
 *	4112  key NULL: nobody knows kid                      4113  no such originator's object, or it expired or outlives ours, or is used up
 *	4114  no such object of ours, or it expired, or it was made for somebody else
 *	4111  key generation, protocol or enc that were not agreed      4115  does not verify, or came before
 *	5210  no room
 * The caller then compares the inner From with key->entity: 4116. */
enum onem2m_rsc esprim_open(struct esprim *r, uint64_t now_ms, struct rd text, const struct esprim_key *key, struct esprim_session *session,
    struct wr *inner) MUST_CHECK;

/* The answer under the same session. refresh: a receiver's object for what comes next, or empty. */
enum err esprim_seal(const struct esprim_session *s, struct rd inner, struct rd refresh, struct rng *rng, struct wr *text) MUST_CHECK;

struct esprim_counts {
	size_t sessions, tags, unshared;
};
struct esprim_counts esprim_counts(const struct esprim *r);

/* ---- originator, of one receiver under one key ---- */

struct esprim_originator {
	struct secret *pairwise;
	char kid[KEY_ID_MAX];
	uint32_t encs;
	uint64_t life_ms; /* of its rand objects, unless the receiver's ends before */
	struct rand_object receivers, own;
	bool has_receivers, has_own, confirmed;
	unsigned used;
};

/* Copies the key. ERR_BAD_VALUE: kid is no key identifier, no algorithm; ERR_NO_MEMORY. */
enum err esprim_originator_init(struct esprim_originator *o, const struct secret *pairwise, const char *kid, uint32_t encs, uint64_t life_ms) MUST_CHECK;
void esprim_originator_clear(struct esprim_originator *o);
/* The receiver's object, of its e2eSecInfo or its answer to a request for one. ERR_MALFORMED; ERR_BAD_VALUE: expired; ERR_UNSUPPORTED: no algorithm in common. */
enum err esprim_originator_take(struct esprim_originator *o, struct rd object, uint64_t now_ms) MUST_CHECK;
/* ERR_NOT_READY: a receiver's object is wanted first. */
enum err esprim_seal_request(struct esprim_originator *o, uint64_t now_ms, struct rd inner, struct rng *rng, struct wr *text,
    struct esprim_session *session) MUST_CHECK;
/* ERR_BAD_MIC, ERR_BAD_VALUE: of another session; ERR_MALFORMED. */
enum err esprim_open_response(struct esprim_originator *o, const struct esprim_session *session, uint64_t now_ms, struct rd text, struct rng *rng,
    struct wr *inner) MUST_CHECK;
/* The receiver refused. True: the same request may be sealed again and go out once more (after a new receiver's object, if 4114). */
bool esprim_originator_refused(struct esprim_originator *o, enum onem2m_rsc rsc);

#endif
