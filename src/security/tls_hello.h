/* What a TLS client says in the clear of the pre-shared key that it wants to use. GnuTLS cannot wait inside its PSK callback, so the server reads the
 * handshake's records first, asks for the key, and gives them to GnuTLS when the key, or the refusal, is there.
 *
 * Nothing here is trusted: what is found only decides which identity is asked for. GnuTLS parses the same octets itself, and a session whose identity
 * is not the one that was found here gets a key that fits nobody.
 *
 *	tls_hello_init(&h, datagram);
 *	while ((found = tls_hello_record(&h, &octets)) != TLS_HELLO_SHORT)
 *		TLS_HELLO_PASS: nothing to ask for in this record; TLS_HELLO_IDENTITY: h.identity; TLS_HELLO_END: no need to look any further */
#ifndef KEYWAY_SECURITY_TLS_HELLO_H
#define KEYWAY_SECURITY_TLS_HELLO_H

#include <stdbool.h>

#include "base/rd.h"
#include "base/wr.h"

#define TLS_HELLO_IDENTITY_MAX 320   /* longer ones are nobody's */
#define TLS_HELLO_MESSAGE_MAX 16384  /* of a ClientHello over several records; longer ones are not looked into */

enum tls_hello_found {
	TLS_HELLO_SHORT,    /* the record is not whole yet; nothing was taken */
	TLS_HELLO_PASS,
	TLS_HELLO_IDENTITY,
	TLS_HELLO_END,      /* encrypted from here on, or nothing that TLS knows */
};

struct tls_hello {
	bool datagram;
	struct wr message;                        /* handshake messages that are not whole yet */
	size_t message_len;                       /* datagrams: of the message whose fragments come */
	unsigned message_type, message_seq;
	char identity[TLS_HELLO_IDENTITY_MAX + 1]; /* "" when it is too long, or no text */
};

void tls_hello_init(struct tls_hello *h, bool datagram);
void tls_hello_clear(struct tls_hello *h);
/* Takes one record off `in`. */
enum tls_hello_found tls_hello_record(struct tls_hello *h, struct rd *in);

#endif
