/* The key encryption key (KEK) of a credential store: from a key file, or in a PKCS#11 token that wraps and unwraps and never lets it out.
 * What it encrypts is one data key; the rows are sealed under that.
 *
 * A reference says where it is: the path of a key file (keys/sealed.h), or a PKCS#11 URI (RFC 7512) such as
 * "pkcs11:token=keyway;object=maf?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/keyway/pin". One token may hold the KEKs of
 * many stores: each is found by its CKA_ID, which the store remembers. */
#ifndef KEYWAY_CREDENTIALS_KEK_H
#define KEYWAY_CREDENTIALS_KEK_H

#include "base/wr.h"
#include "keys/secret.h"

#define KEK_REFERENCE_MAX 1024
#define KEK_ID_SIZE 33 /* 16 octets in hexadecimal, and the zero */
#define KEK_DATA_KEY 32
#define KEK_WRAPPED_MAX 128

struct kek;

bool kek_is_token(const char *reference);
/* The KEK of this ID. ERR_NOT_FOUND, ERR_CONFIG (file readable by others, wrong PIN, no such token: *detail says it), ERR_BAD_MIC (another key is there). */
enum err kek_open(const char *reference, const char *id, struct kek **out, const char **detail) MUST_CHECK;
/* Makes one. Where a key file is already, the new one is FILE.new until kek_settle. */
enum err kek_create(const char *reference, struct rng *rng, struct kek **out, const char **detail) MUST_CHECK;
/* Takes the key file that is there, unlike kek_create, for the first store under it. Of a token it makes a new key. */
enum err kek_first(const char *reference, struct rng *rng, struct kek **out, const char **detail) MUST_CHECK;
/* A token's key that kek_create is to make has this ID: so that the store can write it down before there is anything to forget. */
enum err kek_create_as(const char *reference, const char *id, struct kek **out, const char **detail) MUST_CHECK;
/* The store is now under this key: FILE.new becomes FILE. To be repeated after a crash; kek_open does it too. */
enum err kek_settle(const struct kek *k) MUST_CHECK;
/* Destroys a key that no store is under. OK when there is none. */
enum err kek_destroy(const char *reference, const char *id) MUST_CHECK;
void kek_free(struct kek *k); /* accepts NULL; logs out of the token */

const char *kek_id(const struct kek *k);
const char *kek_reference(const struct kek *k);
enum err kek_wrap(struct kek *k, const struct secret *data_key, struct rng *rng, struct wr *wrapped) MUST_CHECK;
/* ERR_BAD_MIC: wrapped by another key, or changed. */
enum err kek_unwrap(struct kek *k, struct rd wrapped, struct secret **data_key) MUST_CHECK;

#endif
