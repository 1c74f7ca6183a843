/* The NAF: a CSE or MAF to whom enrolees come with a B-TID as PSK identity. It asks the BSF over Zn for Ks_NAF, and says whose key that is, as a psk_source:
 *
 *	naf_new(l, http, &config, &naf);
 *	psk_chain_add(chain, &source)      with source = naf_psk_source(naf)
 *
 * Identities are the B-TID alone (TS-0003: the PSK identity is KeID) or behind "3GPP-bootstrapping;" (TS 33.222). Those of other BSFs are unknown here. Nothing
 * is kept: each handshake asks, so that a key that the BSF forgot is gone here too. Anybody can make up identities: what is asked for at once, and in a second,
 * is bounded. A key is for one Ua protocol, because NAF_Id names it; which of
 * them is configured, since a PSK must be chosen before the cipher suite is known. */
#ifndef KEYWAY_GBA_NET_NAF_H
#define KEYWAY_GBA_NET_NAF_H

#include "gba/zn.h"
#include "loop/http.h"
#include "tls/psk_source.h"

#define NAF_UA_TLS "0100000007"  /* shared key TLS 1.3, TS 33.220 Annex H */
#define NAF_UA_DTLS "010001c0a8" /* shared key TLS with TLS_PSK_WITH_AES_128_CCM_8 */

#define NAF_AT_ONCE 64
#define NAF_PER_SECOND 200
#define NAF_LINES_A_MINUTE 60 /* of the log, about keys that there are not */

struct naf;
struct naf_config {
	const char *bsf; /* its FQDN, as behind the '@' of its B-TIDs and in its certificate */
	const char *url; /* of Zn: "https://mef.keyway.example:9450" */
	const char *ua;  /* NULL: NAF_UA_TLS */
};
/* http has the credentials whose certificate says who this NAF is; borrowed. ERR_BAD_VALUE. */
enum err naf_new(struct http_client *http, const struct naf_config *c, struct naf **out) MUST_CHECK;
void naf_free(struct naf *n); /* accepts NULL; nothing may be under way */
struct psk_source naf_psk_source(struct naf *n);

#endif
