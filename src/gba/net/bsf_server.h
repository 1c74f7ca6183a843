/* The BSF on the network: Ub over HTTPS whose server alone has a certificate, Zn over HTTPS with certificates on both sides, Zh at keyway-hss.
 * In oneM2M's words it is a part of the MEF, and runs in keyway-mef. docs/protocols/gba.md */
#ifndef KEYWAY_GBA_NET_BSF_SERVER_H
#define KEYWAY_GBA_NET_BSF_SERVER_H

#include "gba/bsf.h"
#include "loop/http.h"
#include "tls/psk_source.h"

struct bsf_server;
struct bsf_server_config {
	const char *fqdn;               /* of the BSF, which is the MEF: as in its certificate. Borrowed */
	uint32_t lifetime_s;            /* of Ks; 0: a day */
	unsigned challenges_per_minute; /* for one identity; 0: 20 */
	const char *zh_socket;
	const char *ub_listen;
	struct tls_credentials *ub_tls; /* asks clients for nothing */
	const char *zn_listen;          /* NULL: no NAFs elsewhere */
	struct tls_credentials *zn_tls; /* demands a certificate */
};
/* *which: what could not be. ERR_BAD_VALUE (fqdn), and those of http_server_new. */
enum err bsf_server_new(struct loop *l, const struct bsf_server_config *c, struct bsf_server **out, const char **which) MUST_CHECK;
void bsf_server_free(struct bsf_server *s); /* accepts NULL */
uint16_t bsf_server_ub_port(const struct bsf_server *s);
uint16_t bsf_server_zn_port(const struct bsf_server *s); /* 0: none */
struct bsf *bsf_server_core(struct bsf_server *s);
/* The MEF itself as NAF: its own clients may come with a B-TID, where their subscription names the MEF. Answers at once; Ua as NAF_UA_TLS. */
struct psk_source bsf_server_psk_source(struct bsf_server *s);

#endif
