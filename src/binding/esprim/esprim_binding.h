/* ESPrim as a binding: request primitives for this CSE that come sealed inside NOTIFYs, and leave it sealed again (TS-0003 8.4, TS-0004 7.5.1.2).
 *
 *	esprim_binding_new(&config, &b);
 *	struct cse_security s = esprim_binding_security(b);
 *	cse_use_security(cse, &s);
 *
 * An AE uses the same, with itself in the place of the CSE (src/client).
 *
 * securityInfo 3 asks for a receiver's rand object of one's own and gets a 4; 5 holds a sealed request and gets a sealed response. Who asks is whom
 * the key belongs to: the inner From must be it (4116), and the dispatcher then takes the request as authenticated (accessControlAuthenticationFlag),
 * with no privilege beyond what the policies say. 6 carries ESCertKE (escertke/escertke.h), whose keys open sealed requests afterwards, until their
 * certificate ends, and a day at most. The inner request is answered on the spot: what would leave later, and in the clear, is refused
 * (5206, sealed). */
#ifndef KEYWAY_BINDING_ESPRIM_ESPRIM_BINDING_H
#define KEYWAY_BINDING_ESPRIM_ESPRIM_BINDING_H

#include "binding/esprim/esprim_sender.h"
#include "cse/cse.h"
#include "e2e/esprim.h"
#include "escertke/escertke.h"
#include "tls/psk_source.h"

struct esprim_binding;

struct esprim_binding_config {
	cse_submit_fn *submit;    /* cse_entry and the CSE: for what was sealed, and to send what is */
	void *to;
	const char *sp, *id;      /* borrowed: "keyway.example", "/id-in"; of an AE that has no CSE its own ID */
	struct psk_source keys;   /* pairwiseESPrimKeys by their identifiers; find NULL: none */
	enum esprim_policy policy; /* of what leaves: esprim_sender.h */
	/* As in struct esprim_sender_config, of the keys that are not of ESCertKE here; may be NULL. */
	bool (*key_for)(void *ctx, const char *entity, const char *except, char kid[static KEY_ID_MAX], struct secret **key);
	bool certified;           /* keys of ESCertKE are among `keys` */
	struct tls_credentials *tls; /* for ESCertKE, borrowed; NULL: it is not offered */
	const char *fqdn;         /* own public domain name, borrowed: behind the `@` of ESCertKE's key identifiers */
	uint64_t (*unix_ms)(void *ctx);
	void *ctx;
	struct rng *rng;          /* borrowed */
	uint32_t encs;            /* JOSE_MAY of what it takes; 0: every one */
	uint64_t life_ms;         /* of rand objects; 0: an hour */
	/* What became of a sealed request, for the log; may be NULL. kid "" when there was none to read. */
	void (*tell)(void *ctx, const char *from, const char *kid, enum onem2m_rsc rsc);
};

enum err esprim_binding_new(const struct esprim_binding_config *config, struct esprim_binding **out) MUST_CHECK;
void esprim_binding_free(struct esprim_binding *b); /* accepts NULL; after the CSE's end */
struct cse_security esprim_binding_security(struct esprim_binding *b);

#endif
