/* An enrolee: an AE, a CSE or a MAF's client that begins with nothing but Kpm, and ends with a key towards a CSE that it never met. TS-0003 8.3 (PPSK
 * RSPF), 8.2.2.3 and 8.8.2 (through a MAF).
 *
 *	through a MEF                                      through a MEF and a MAF
 *	1 Client Registration at the MEF under Kpm         1 the same
 *	2 Key Registration {22, [CSE]}: Ke by exporter     2 Key Registration {21, [MAF]}: Ke by exporter
 *	  key = HMAC(Ke, ... 22 || CSE's FQDN)               Km' = HMAC(Ke, ... 21 || MAF's FQDN)
 *	                                                   3 Client Registration at the MAF under KeID and Km': KmID is assigned
 *	                                                   4 Key Registration {32, [CSE]} under KmID: Kc by exporter
 *
 * What it gets is in its store of credentials: Km, and the key for the CSE with the CSE-ID as peer. Steps whose key is there already are left out;
 * with a Km from elsewhere it begins at step 4. */
#ifndef KEYWAY_ENROLEE_ENROLEE_H
#define KEYWAY_ENROLEE_ENROLEE_H

#include "credentials/credentials.h"
#include "enrolee/function_client.h"

struct enrolee_config {
	struct loop *loop;
	struct credentials *store;        /* with Kpm, peer = the MEF's FQDN */
	const char *sp, *origin;          /* own ID: "/id-in/Cmeter", "/id-mn" */
	const char *admin_fqdn;           /* who administers; NULL: the function's own FQDN */
	struct tls_credentials *tls;      /* certificate RSPF: own certificate towards the MEF, instead of Kpm. NULL: Kpm */
	struct function_peer mef, maf;    /* url NULL: none */
	const char *target;               /* CSE-ID, "/id-b" */
	enum suid_usage usage;            /* of the key: association (SAEF; also 0), ESPrim, ESData encryption or signature; 22 and 32 become 23 and 33, ...
	                                     With SUID_USAGE_MAF it ends at step 3: Km is what was wanted, and target is not needed */
	bool fresh_master;                /* a new Km, though there is one */
	uint64_t lifetime_s;              /* asked for; the functions may grant less */
};

struct enrolee_result {
	enum err error;
	unsigned rsc;                     /* of the function that refused; 0 for none */
	const char *step;                 /* a sentence: at which step it ended */
	const char *detail;
	char identity[KEY_ID_MAX];        /* of the key for the CSE, as in the store */
	uint64_t expires_at;
};
typedef void enrolee_done(void *ctx, const struct enrolee_result *r);

struct enrolee;
/* Everything in c stays the caller's until done. done is called from the loop, once. */
struct enrolee *enrolee_start(const struct enrolee_config *c, enrolee_done *done, void *ctx);
void enrolee_free(struct enrolee *e); /* accepts NULL; before done, no callback */

#endif
