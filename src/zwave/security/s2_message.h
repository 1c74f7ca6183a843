/* S2's Message Encapsulation between two nodes: AES-128-CCM with an 8-octet code under nonces that both sides draw from one generator (the SPAN).
 * Source: SDS13783, clauses on the SPAN and on Message Encapsulation.
 *
 *	state       what is known                                        a message may
 *	S2_NOTHING                                                       neither be sent nor opened
 *	S2_REMOTE   the other side's entropy (its Nonce Report)          be sent: it carries our entropy, and the SPAN is made
 *	S2_LOCAL    our own entropy (our Nonce Report)                   be opened, when it carries the sender's entropy
 *	S2_SYNCED   the SPAN                                             be sent and opened, each with the next nonce
 *
 * A nonce serves one message. One that does not open is tried with the next few: the sender may have sent what we did not hear. */
#ifndef KEYWAY_ZWAVE_SECURITY_S2_MESSAGE_H
#define KEYWAY_ZWAVE_SECURITY_S2_MESSAGE_H

#include "base/wr.h"
#include "zwave/security/s2_keys.h"

#define S2_AHEAD 5 /* nonces that are tried */

struct s2_link {
	uint32_t home;     /* Home ID of the network */
	uint8_t own, peer; /* Node IDs */
};

enum s2_span_state { S2_NOTHING, S2_REMOTE, S2_LOCAL, S2_SYNCED };

struct s2_span {
	enum s2_span_state state;
	struct s2_entropy entropy; /* the other side's or ours */
	struct ctr_drbg nonces;
	uint8_t sequence;          /* of the next message or nonce command that we send */
	bool heard;
	uint8_t last;              /* sequence number of the last message that opened */
};

void s2_span_begin(struct s2_span *s, struct rng *rng); /* nothing known, a random sequence number */
void s2_span_free(struct s2_span *s);
/* Forgets the SPAN, keeps counting. */
void s2_span_reset(struct s2_span *s);
/* The other side's Nonce Report came. */
void s2_span_remote(struct s2_span *s, const struct s2_entropy *entropy);
/* New entropy for a Nonce Report of ours. */
void s2_span_local(struct s2_span *s, struct rng *rng);

/* ERR_STATE: the other side's entropy is needed first. */
enum err s2_message_seal(struct s2_span *s, const struct s2_keys *keys, const struct s2_link *link, struct rng *rng, struct rd plain, struct wr *w) MUST_CHECK;
/* Writes what is inside. ERR_STATE: a Nonce Report of ours is needed first. ERR_BAD_MIC: the state is as before. ERR_DUPLICATE: heard before.
 * ERR_SHORT, ERR_MALFORMED, ERR_UNSUPPORTED (an extension that must be understood and is not, or a multicast). */
enum err s2_message_open(struct s2_span *s, const struct s2_keys *keys, const struct s2_link *link, struct rd message, struct wr *plain) MUST_CHECK;

#endif
