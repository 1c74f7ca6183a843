/* ESCertKE at a receiver: exchanges under way, by From, and the keys that came of them. Both are bounded: the oldest exchange ends for a new one, and a key
 * that finds no room is refused. */
#ifndef KEYWAY_BINDING_ESPRIM_AGREEMENT_H
#define KEYWAY_BINDING_ESPRIM_AGREEMENT_H

#include "escertke/escertke.h"
#include "onem2m/rsc.h"
#include "tls/psk_source.h"

#define AGREEMENTS_UNDER_WAY 64   /* about 40 KiB each */
#define AGREEMENT_MS 30000        /* between the two messages of an originator */
#define AGREED_KEYS_MAX 1024
#define AGREED_PER_ENTITY_MAX 8   /* its oldest makes way */
#define AGREED_S 86400

struct agreement;
struct agreement *agreement_new(struct tls_credentials *c, const char *fqdn); /* both borrowed */
void agreement_free(struct agreement *g); /* accepts NULL */

/* A message of `from`. RSC_OK: the answer is in out, and kid names the key when it was the last one. 4000: no exchange that it belongs to; 4106: the other
 * side is not who may have a key; 5210: no room. */
enum onem2m_rsc agreement_step(struct agreement *g, const char *from, struct rd in, uint64_t now_ms, char kid[static KEY_ID_MAX], struct wr *out);
/* Answers by done when it has the key, with the entity of the certificate. */
bool agreement_find(struct agreement *g, const char *kid, uint64_t now_s, psk_done *done, void *ctx);
/* The youngest key of an entity, an SP-relative ID at this service provider, but the one that it did not know. */
bool agreement_key_for(struct agreement *g, const char *sp, const char *entity, const char *except, uint64_t now_s, char kid[static KEY_ID_MAX],
    struct secret **key) MUST_CHECK;
/* Whether one of the names, joined by blanks, is that of an entity; *id the first one that is. */
bool agreement_entity(const char *names, const char *sp, char id[static ENTITY_MAX]) MUST_CHECK;

#endif
