/* A simulated IEEE 802.15.4 radio, pure: address filter, frame check sequence, acknowledgement with frame pending from a source-match table,
 * one transmission at a time with acknowledgement wait and retries. The same core is in `keyway-sim rcp` and in `keyway-sim device`: what real
 * hardware does below its host. Source: IEEE 802.15.4-2006 clauses 7.5.6.2 (filter), 7.5.6.4 (acknowledgement).
 *
 *	radio_input(r, now, psdu);  radio_transmit(r, now, frame, token);
 *	while (radio_output(r, &effect)) ...
 *	sleep until radio_deadline(r), then radio_tick(r, now) */
#ifndef KEYWAY_SIM_RADIO_H
#define KEYWAY_SIM_RADIO_H

#include "base/rng.h"
#include "ieee802154/mac_frame.h"

#define RADIO_MATCHES_MAX 64
#define RADIO_QUEUE_MAX 32
#define RADIO_ACK_WAIT_MS 60 /* unless it is set; 0.864 ms in silicon, but the air here is UDP between processes */
#define RADIO_RETRIES 3

enum radio_status { RADIO_OK, RADIO_NO_ACK, RADIO_CHANNEL_BUSY };

enum radio_effect_type {
	RADIO_SEND,     /* put psdu on the air */
	RADIO_RECEIVED, /* a frame for us, without FCS */
	RADIO_SENT,     /* a transmission has ended */
};

struct radio_effect {
	enum radio_effect_type type;
	uint8_t octets[MAC_PSDU_MAX];
	size_t len;
	uint32_t token;
	enum radio_status status;
	bool frame_pending; /* of the acknowledgement */
	bool acked_pending; /* RADIO_RECEIVED: our acknowledgement said that more is pending */
};

struct radio;

struct radio *radio_new(struct rng *rng);
void radio_free(struct radio *r);

void radio_set_ack_wait(struct radio *r, uint32_t ms);
void radio_set_pan(struct radio *r, uint16_t pan_id);
void radio_set_short(struct radio *r, uint16_t short_address);
void radio_set_extended(struct radio *r, uint64_t eui64);
void radio_set_receiver(struct radio *r, bool on);
void radio_set_promiscuous(struct radio *r, bool on);
void radio_set_coordinator(struct radio *r, bool on); /* takes frames without destination for its PAN */
/* Source matching off (the start): every acknowledgement of a Data Request says that frames are pending. */
void radio_match_enable(struct radio *r, bool on);
bool radio_match_short(struct radio *r, uint16_t short_address, bool add);
bool radio_match_extended(struct radio *r, uint64_t eui64, bool add);
void radio_match_clear_short(struct radio *r);
void radio_match_clear_extended(struct radio *r);

void radio_input(struct radio *r, uint64_t now_ms, struct rd psdu);
/* Queues a frame without FCS; RADIO_SENT with the token follows. ERR_FULL, ERR_TOO_LONG. */
enum err radio_transmit(struct radio *r, uint64_t now_ms, struct rd frame, uint32_t token) MUST_CHECK;
void radio_tick(struct radio *r, uint64_t now_ms);
bool radio_output(struct radio *r, struct radio_effect *e) MUST_CHECK;
uint64_t radio_deadline(const struct radio *r);

#endif
