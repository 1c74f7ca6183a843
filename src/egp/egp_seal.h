/* EGP messages sealed on a serial line whose both ends share a key: AES-128-CCM under keys of a session, with a counter that rises. Pure; the octets are laid
 * out in docs/protocols/egp.md.
 *
 * A session begins with each HELLO of the gateway: both sides bring eight random octets, so that its keys have never been used before, nothing of a former
 * session opens under them, and nobody has to keep a counter over a restart. Whoever has not the key can cut the line, and delay what passes; he can't read,
 * change, repeat or make a message.
 *
 *	egp_seal_send(s, message);                                     a message that is to go out
 *	if (egp_seal_receive(s, frame, &message) == OK && message.left)  a frame that came in
 *		...
 *	while (egp_seal_output(s, &frame))                             after each of them: what is to be written
 *		...
 *
 * The key goes to GnuTLS at once, so that a program that holds no other keys needs no code for them. */
#ifndef KEYWAY_EGP_EGP_SEAL_H
#define KEYWAY_EGP_EGP_SEAL_H

#include "base/err.h"
#include "base/rd.h"
#include "base/rng.h"

#define EGP_SEAL_KEY_LEAST 16 /* octets of the shared key */
#define EGP_SEAL_OVERHEAD 21  /* kind, counter and tag around a message */

enum egp_seal_role { EGP_SEAL_GATEWAY, EGP_SEAL_EG };

struct egp_seal;
/* NULL: the key is too short, or there is no memory. The key is copied; rng is borrowed. */
struct egp_seal *egp_seal_new(enum egp_seal_role role, struct rd key, struct rng *rng);
void egp_seal_free(struct egp_seal *s); /* accepts NULL */

/* Without a session the message is lost, as on any line; a gateway's HELLO waits for the session that it begins. */
void egp_seal_send(struct egp_seal *s, struct rd message);
/* OK: *message, borrowed until the next call, is what the other side said, or is empty. ERR_BAD_MIC: not sealed by the other side in a session that stands;
 * ERR_REPLAY: its counter was seen; ERR_MALFORMED: no sealed frame. Nothing has changed then. */
enum err egp_seal_receive(struct egp_seal *s, struct rd frame, struct rd *message) MUST_CHECK;
/* The next frame to write, borrowed until the next call. */
bool egp_seal_output(struct egp_seal *s, struct rd *frame) MUST_CHECK;

#endif
