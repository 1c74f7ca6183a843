/* Which suites there are: TS-0003 clause 10.2, RFC 7252 section 9.1.3, and what is better than both. */
#include "tls/tls_private.h"

#define KX_CERTIFICATE "+ECDHE-ECDSA:"
/* GnuTLS has no TLS 1.3 without one, even where only pre-shared keys are used. */
#define SIGNATURES "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP384R1-SHA384:"
#define KX_PSK "+ECDHE-PSK:+PSK:"
#define CIPHERS "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CCM:+AES-256-CCM:+AEAD:"
/* The short tag is what RFC 7252 demands of CoAP, and TS-0003 of DTLS; over TLS it has no excuse. */
#define CCM_8 "+AES-128-CCM-8:"
/* TLS_PSK_WITH_AES_128_CBC_SHA256 and TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, which clause 10.2 makes mandatory. GnuTLS's MAC check is as constant in
 * time as CBC lets it be, and encrypt-then-MAC is used where the other side has it. */
#define CBC "+AES-128-CBC:+SHA256:"
#define GROUPS "+GROUP-SECP256R1:+GROUP-X25519:+GROUP-SECP384R1:+COMP-NULL:%SERVER_PRECEDENCE"

gnutls_priority_t tls_priority(struct tls_credentials *c, bool server, bool datagram, bool raw_wanted, bool only_12)
{
	bool psk = server ? c->psk_server != NULL : c->psk_client != NULL;
	bool trusts_raw = c->pin_count > 0 || c->pin_file.path || raw_wanted, own = c->has_x509 || c->has_raw;
	bool certificate = own ? c->trusts_x509 || trusts_raw || (server && c->guests) : !server && (c->trusts_x509 || trusts_raw) && !psk;
	/* what we show and what we take, as client or as server */
	bool client_x509 = server ? c->trusts_x509 : c->has_x509, client_raw = server ? trusts_raw : c->has_raw;
	bool server_x509 = server ? c->has_x509 : c->trusts_x509, server_raw = server ? c->has_raw : trusts_raw;
	unsigned index = (server ? 1U : 0U) | (datagram ? 2U : 0U) | (raw_wanted ? 4U : 0U) | (psk ? 8U : 0U) | (only_12 ? 16U : 0U);
	char text[1024];
	struct wr w = wr_of(text, sizeof text - 1);

	if (c->priorities[index])
		return c->priorities[index];
	if (!certificate && !psk)
		return NULL;
	wr_str(&w, datagram ? "NONE:+VERS-DTLS1.2:" : only_12 ? "NONE:+VERS-TLS1.2:" : "NONE:+VERS-TLS1.3:+VERS-TLS1.2:");
	if (psk) /* first: who offers it has a key, but may offer everything else that its library can do too */
		wr_str(&w, KX_PSK);
	if (certificate)
		wr_str(&w, KX_CERTIFICATE);
	wr_str(&w, SIGNATURES CIPHERS);
	if (datagram || c->legacy_suites)
		wr_str(&w, CCM_8);
	if (c->legacy_suites && !datagram)
		wr_str(&w, CBC);
	if (certificate) {
		wr_str(&w, client_x509 || !client_raw ? "+CTYPE-CLI-X509:" : "");
		wr_str(&w, client_raw ? "+CTYPE-CLI-RAWPK:" : "");
		wr_str(&w, server_x509 ? "+CTYPE-SRV-X509:" : "");
		wr_str(&w, server_raw ? "+CTYPE-SRV-RAWPK:" : "");
	}
	wr_str(&w, GROUPS);
	if (w.spoilt)
		return NULL;
	text[w.len] = '\0';
	if (gnutls_priority_init(&c->priorities[index], text, NULL) != 0)
		c->priorities[index] = NULL;
	return c->priorities[index];
}
