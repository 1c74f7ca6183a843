/* Rand objects of ESPrim (TS-0003 8.4.2, TS-0004 6.3.5.50 and 51): what both sides add to the key that they share, so that each pair of objects has a
 * session key of its own.
 *
 *	receiver's    {"esri":"s1...","esrv":"v...","esrx":"20270101T000000","esks":[1],"espa":[10,12]}
 *	originator's  the same, but one algorithm: "esk":1
 *
 * The octets of an object go into the derivation as they were carried (project convention: TS-0003 gives no serialisation). Ours are written in the
 * order of the schema without white space, which a hop that has them in XML or CBOR restores. The value is NCName by the schema: a letter and
 * hexadecimal digits here. */
#ifndef KEYWAY_E2E_RAND_OBJECT_H
#define KEYWAY_E2E_RAND_OBJECT_H

#include "base/wr.h"
#include "jose/jose.h"

#define RAND_OBJECT_MAX 512 /* octets */
#define RAND_ID_MAX 64

#define RAND_KEY_GEN_HMAC_SHA256 1 /* esprimKeyGenAlgID */

struct rand_object {
	bool is_receivers;
	char id[RAND_ID_MAX];
	uint64_t expires_ms;  /* Unix time */
	bool hmac_sha256;     /* among the key generation algorithms */
	uint32_t encs;        /* JOSE_MAY of esprimProtocolAndAlgIDs 10, 11, 12 */
	bool other_encs;      /* it names algorithms that we do not know */
	size_t len;
	char text[RAND_OBJECT_MAX];
};

/* How IDs tell who may use an object (TS-0003 8.4.2): shared ones anybody, unshared ones who asked for them. Project convention for ours: the first letter. */
bool rand_object_is_shared(const char *id);

/* A new object: random value, and an ID that is unique because it holds 64 random bits. */
enum err rand_object_make(struct rand_object *o, bool is_receivers, bool is_shared, uint64_t expires_ms, uint32_t encs, struct rng *rng) MUST_CHECK;
/* ERR_MALFORMED, ERR_TOO_LONG. A relative expiry counts from now. */
enum err rand_object_parse(struct rand_object *o, struct rd text, bool is_receivers, uint64_t now_ms) MUST_CHECK;
struct rd rand_object_text(const struct rand_object *o);

/* The algorithm's number, 10, 11 or 12, and back; JOSE_NO_ENC for another one. */
enum jose_enc rand_object_enc(uint64_t number);

#endif
