/* The gateway's side of EGP, pure: HELLO, join policy, EG-REQUEST with its repeats, keep-alive. docs/protocols/egp.md.
 * It holds on a line that loses messages: HELLO is said every 2 s until it is answered, and again when a PING or an EG-REQUEST is not. */
#ifndef KEYWAY_GATEWAY_EGP_CLIENT_H
#define KEYWAY_GATEWAY_EGP_CLIENT_H

#include "base/rng.h"
#include "egp/egp.h"

struct egp_client_config {
	uint64_t gateway;
	uint16_t pan_id;
	uint64_t extended_pan_id;
	uint8_t channel;
	uint32_t epoch;
};

enum egp_client_effect_type {
	EGP_CLIENT_WRITE,    /* octets: one message */
	EGP_CLIENT_UP,       /* the EG has answered HELLO; comes again when the EG was started anew */
	EGP_CLIENT_POLICY,   /* message.join_policy */
	EGP_CLIENT_PACKET,   /* message.response, with owner and relay target: deliver it to the device */
	EGP_CLIENT_REFUSED,  /* message.error; no more tries */
	EGP_CLIENT_REMOVE,   /* message.remove */
	EGP_CLIENT_CLOSE,    /* the peer breaks the protocol: close and connect again */
};

struct egp_client_effect {
	enum egp_client_effect_type type;
	uint8_t octets[EGP_MESSAGE_MAX]; /* WRITE; and what message borrows from */
	size_t len;
	struct egp_message message;
};

struct egp_client;
struct egp_client *egp_client_new(const struct egp_client_config *c, struct rng *rng);
void egp_client_free(struct egp_client *c);
void egp_client_connected(struct egp_client *c, uint64_t now_ms);
void egp_client_disconnected(struct egp_client *c);
void egp_client_message(struct egp_client *c, uint64_t now_ms, struct rd message);
/* Asks for a device's Transport-Key; a device that is asked for already starts over. */
void egp_client_request(struct egp_client *c, uint64_t now_ms, uint64_t device, uint16_t short_address, uint8_t capability, enum egp_join_kind kind);
void egp_client_tick(struct egp_client *c, uint64_t now_ms);
uint64_t egp_client_deadline(const struct egp_client *c);
bool egp_client_output(struct egp_client *c, struct egp_client_effect *e) MUST_CHECK;

#endif
