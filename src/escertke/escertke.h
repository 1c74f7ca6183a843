/* End-to-End Security Certificate-based Key Establishment (TS-0003 8.7): a TLS 1.2 handshake with certificates on both sides, whose records travel in
 * four NOTIFY primitives, and of which only the exporter's output stays: pairwiseE2EKey and its identifier.
 *
 *	originator:  step(k, empty)     -> message 1 (ClientHello)
 *	receiver:    step(k, message 1) -> message 2 (ServerHello .. ServerHelloDone)
 *	originator:  step(k, message 2) -> message 3 (Certificate .. Finished)
 *	receiver:    step(k, message 3) -> message 4 (ChangeCipherSpec, Finished); done
 *	originator:  step(k, message 4) -> nothing; done
 *
 * Octets in, octets out: no socket. Who carries them learns certificates and no more. A revocation that would have to be asked for over the network
 * fails the exchange: lists and staples are looked at. */
#ifndef KEYWAY_ESCERTKE_ESCERTKE_H
#define KEYWAY_ESCERTKE_ESCERTKE_H

#include "base/wr.h"
#include "security/credential.h"
#include "tls/tls.h"

#define ESCERTKE_MESSAGE_MAX 32768 /* a flight with a chain of certificates */
#define ESCERTKE_STEPS_MAX 3       /* of one side */

struct escertke;

/* A receiver is `server`; an originator says whose certificate it `expects`, as tls_peer.identity has it. The credentials are held.
 * NULL: they have no certificate, or trust none. */
struct escertke *escertke_new(struct tls_credentials *c, bool server, const char *expected);
void escertke_free(struct escertke *k); /* accepts NULL */

/* Takes the other side's message and appends what is to be sent, perhaps nothing. *done: the key is there. ERR_TLS: it failed, escertke_why; what was
 * appended is an alert for the other side. ERR_TOO_LONG, ERR_STATE (too many messages, or after the end). */
enum err escertke_step(struct escertke *k, struct rd in, struct wr *out, bool *done) MUST_CHECK;
const char *escertke_why(const struct escertke *k);

/* Once done: who the other side is. */
const struct tls_peer *escertke_peer(const struct escertke *k);
/* pairwiseE2EKey and its identifier, hexBinary(RelativeKeyID)@FQDN of the receiver (project convention: TS-0003 gives only the relative part). */
enum err escertke_key(const struct escertke *k, struct rd receiver_fqdn, char kid[static KEY_ID_MAX], struct secret **key) MUST_CHECK;

#endif
