/* The store of credentials as a server's psk_source: answers at once. */
#ifndef KEYWAY_ENROLEE_CREDENTIALS_PSK_H
#define KEYWAY_ENROLEE_CREDENTIALS_PSK_H

#include "credentials/credentials.h"
#include "tls/psk_source.h"

/* Borrowed as long as the source is used. */
struct credentials_psk {
	struct credentials *store;
	const char *sp;
	unsigned kinds; /* which may open an association here: CREDENTIALS_PSK(KIND_KM) | ... */
};
#define CREDENTIALS_PSK(kind) (1U << (kind))

struct psk_source credentials_psk_source(struct credentials_psk *c);
/* What a source answers with a credential; takes its key over. False: its entity is none. */
bool credentials_psk_answer(struct credential *c, const char *sp, struct psk_answer *a) MUST_CHECK;

#endif
