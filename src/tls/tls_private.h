/* What the files of this folder share. */
#ifndef KEYWAY_TLS_TLS_PRIVATE_H
#define KEYWAY_TLS_TLS_PRIVATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/stat.h>

#include "base/wr.h"
#include "security/tls_hello.h"
#include "tls/psk_source.h"
#include "tls/tls.h"
#include "tls/tls_session.h"

#define TLS_NAME_MAX 512        /* of one subjectAltName */
#define TLS_CHAIN_MAX 8         /* certificates that a peer may send */
#define TLS_PRIORITIES 32       /* server, datagram, raw public key wanted, PSK, TLS 1.2 alone */

/* ---- files that are read again when they change ---- */

struct tls_file {
	char *path; /* NULL: none */
	struct stat seen;
	bool gone, bad; /* not there; it was there, changed, and what it says now could not be used */
};

bool tls_file_changed(struct tls_file *f); /* since it was asked last; true the first time */
bool tls_file_private(const char *path);   /* nobody but its owner may read it */

/* ---- credentials ---- */

struct tls_pin {
	char name[TLS_NI_MAX]; /* "ni:///sha-256;..." with any of the three algorithms */
	char entity[ENTITY_MAX];
	uint64_t expires_at;
};

struct tls_ocsp_memory; /* answers of responders */

/* What pauses for keys; only of credentials with a psk_source, so that a program without one holds no key code. */
struct tls_psk_ops {
	bool (*ask)(struct tls_session *s, const char *identity); /* true: the answer comes later */
	void (*forget)(struct tls_session *s);                    /* cancels and wipes */
};

struct tls_retired {
	struct tls_retired *next;
	gnutls_certificate_credentials_t certificates;
};

struct tls_credentials {
	unsigned holds;
	/* own */
	gnutls_certificate_credentials_t certificates; /* NULL: neither has nor trusts any */
	bool has_x509, has_raw, trusts_x509;
	char **names;                                  /* in own certificate, ends with NULL: what SNI may ask for */
	struct tls_file cert, staple;
	char *key_path, *raw_key_path;
	struct tls_retired *retired;                   /* former own certificates: sessions that began under them may still need them */
	gnutls_psk_client_credentials_t psk_client;
	char *psk_identity;
	gnutls_psk_server_credentials_t psk_server;
	struct psk_source psk_source;
	struct tls_session *under_keys;                /* open ones of this server under pre-shared keys */
	const struct tls_psk_ops *psk_ops;
	void *psk_file; /* owned, with what frees it: tls_psk_server's */
	void (*psk_file_free)(void *f);
	/* trust */
	gnutls_x509_trust_list_t trust;
	gnutls_x509_crl_t *crls;  /* those of `trust`, once more */
	unsigned crl_count;
	struct tls_file ca, crl, pin_file;
	struct tls_pin *pins;
	size_t pin_count;
	char *ocsp_url;
	struct tls_ocsp_asker ocsp;
	bool ocsp_soft;
	struct tls_ocsp_memory *ocsp_memory;
	struct tls_trust state;
	bool told; /* that trouble, or that there is none any more */
	bool legacy_suites, guests;
	gnutls_priority_t priorities[TLS_PRIORITIES];
};

/* tls_trust.c and tls_trouble.c: anchors, lists and pins as the files are now. False at the first time only, when one cannot be used; later the last good ones stay. */
bool tls_trust_load(struct tls_credentials *c, char why[static TLS_WHY_MAX]);
void tls_trust_refresh(struct tls_credentials *c);
void tls_trouble_look(struct tls_credentials *c); /* after it: what there is to tell */
void tls_trust_free(struct tls_credentials *c);

/* tls_credentials.c: the own certificate as its file is now; one that does not fit its key yet is left until its file changes again. */
void tls_own_refresh(struct tls_credentials *c);

/* ---- names ---- */

/* The names in a certificate's subjectAltName, joined by blanks as in tls_peer.identity. False: one of them is no name (a zero octet, a blank or a
 * wildcard inside, too long), or there are too many. */
bool tls_names_of(gnutls_x509_crt_t crt, char names[static TLS_IDENTITIES_MAX]) MUST_CHECK;
/* RFC 6920 name of a SubjectPublicKeyInfo, by sha-256 cut to `bits` (256, 128, 120). */
void tls_ni(const gnutls_datum_t *spki, unsigned bits, char name[static TLS_NI_MAX]);
bool tls_ni_is(const gnutls_datum_t *spki, const char *name);
/* Credential-ID of a peer with these names, or of this raw public key (spki not NULL): TS-0003 clause 10.4. */
void tls_credential_of(const char *names, const gnutls_datum_t *spki, char credential[static CREDENTIAL_ID_MAX]);

/* ---- sessions ---- */

enum tls_psk_state { TLS_PSK_UNASKED, TLS_PSK_ASKED, TLS_PSK_KNOWN, TLS_PSK_UNKNOWN, TLS_PSK_EXPIRED };

struct tls_psk {
	enum tls_psk_state state;
	void *handle;     /* of find */
	bool finding;     /* within find */
	char identity[PSK_IDENTITY_MAX + 1];
	char entity[ENTITY_MAX];
	char credential[CREDENTIAL_ID_MAX];
	uint64_t expires_at;
	struct secret *key;
	char key_name[33];
};

#define TLS_QUEUE_MAX 8 /* datagrams that wait while a key is asked for; more are lost, as datagrams may be */

/* Needed until the peer is verified, and freed then. */
struct tls_handshake {
	struct tls_hello hello;
	bool looks;               /* at what arrives, for an identity */
	struct wr held;           /* streams: octets that arrived; the first `ready` of them are GnuTLS's, of which it took `taken` */
	size_t ready, taken;
	size_t waiting;           /* of the record whose identity is being asked for */
	struct wr queue[TLS_QUEUE_MAX]; /* datagrams, the oldest first */
	size_t queued;
	struct tls_psk psk;
	char *expected;
	bool paused;              /* for a key */
	unsigned sealed, unopened; /* datagrams: see tls_handshake.c */
	bool shaken;              /* GnuTLS is done, the peer is being verified */
	/* OCSP */
	void *ocsp_handle;
	bool ocsp_asking, ocsp_pending, ocsp_answered;
	gnutls_x509_crt_t leaf, issuer;
	struct wr ocsp_answer;
};

struct tls_session {
	gnutls_session_t tls;
	struct tls_credentials *credentials;
	struct tls_session_options o;
	enum tls_step step;
	bool busy;             /* within tls_session_handshake */
	struct tls_handshake *hs;
	struct tls_peer *peer;
	struct tls_session *next, **link; /* in under_keys; link NULL: in none */
	char key_name[33];     /* of the pre-shared key, a server's */
	bool over;             /* that is gone */
	char why[160];
};

/* tls_transport.c */
void tls_transport_set(struct tls_session *s);
void tls_transport_examine(struct tls_session *s); /* moves hs->ready over what GnuTLS may have */
void tls_transport_enqueue(struct tls_handshake *hs, struct rd datagram);
bool tls_transport_reads_sealed(const struct tls_session *s); /* the peer said ChangeCipherSpec: what comes is to be opened by the keys of this handshake */

void tls_handshake_free(struct tls_session *s);
void tls_session_list(struct tls_session *s, struct tls_session **list); /* puts it into a list of open ones */
void tls_session_unlist(struct tls_session *s);
void tls_session_explain(struct tls_session *s, const char *why);
void tls_session_wake(struct tls_session *s); /* a pause ended */

enum tls_verdict { TLS_GOOD, TLS_WAIT, TLS_BAD };
/* Fills s->peer. TLS_WAIT: call again when woken. TLS_BAD: s->why, and the alert for the other side. */
enum tls_verdict tls_verify(struct tls_session *s, gnutls_alert_description_t *alert);

/* tls_ocsp.c. begin keeps what is needed when a responder or a staple is to be looked at; check is the status of hs->leaf. */
enum tls_verdict tls_ocsp_begin(struct tls_session *s, gnutls_x509_crt_t leaf, gnutls_x509_crt_t issuer);
enum tls_verdict tls_ocsp_check(struct tls_session *s);
void tls_ocsp_forget(struct tls_session *s);
void tls_ocsp_memory_free(struct tls_ocsp_memory *m);

/* tls_priority.c; NULL when GnuTLS refuses. psk: this session has PSK credentials. */
gnutls_priority_t tls_priority(struct tls_credentials *c, bool server, bool datagram, bool raw_wanted, bool only_12);

#endif
