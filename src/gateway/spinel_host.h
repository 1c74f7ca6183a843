/* The host's side of Spinel, pure: resets and configures a radio co-processor, transmits one frame at a time, receives, keeps the source-match
 * table, and configures all again when the radio reports a reset or stops answering. Stock OpenThread RCP firmware and `keyway-sim rcp` alike.
 *
 *	spinel_host_input(h, now, octets);  spinel_host_tick(h, now);
 *	while (spinel_host_output(h, &effect)) ...;  sleep until spinel_host_deadline(h) */
#ifndef KEYWAY_GATEWAY_SPINEL_HOST_H
#define KEYWAY_GATEWAY_SPINEL_HOST_H

#include "base/err.h"
#include "base/rd.h"
#include "ieee802154/mac_frame.h"
#include "spinel/hdlc.h"

struct spinel_host_config {
	uint64_t eui64;
	uint16_t pan_id, short_address;
	uint8_t channel;
};

enum spinel_host_effect_type {
	SPINEL_HOST_WRITE,    /* octets for the serial line */
	SPINEL_HOST_READY,    /* configured; the source-match table is empty */
	SPINEL_HOST_RECEIVED, /* frame */
	SPINEL_HOST_SENT,     /* token, status */
	SPINEL_HOST_LOST,     /* the radio does not answer, or was reset: READY follows */
};

struct spinel_host_effect {
	enum spinel_host_effect_type type;
	uint8_t octets[512];
	size_t len;
	int8_t rssi;
	uint8_t lqi;
	uint32_t token;
	bool acked, busy; /* SENT: acknowledged, or else channel busy, or else no acknowledgement */
};

struct spinel_host;
struct spinel_host *spinel_host_new(const struct spinel_host_config *c);
void spinel_host_free(struct spinel_host *h);
void spinel_host_start(struct spinel_host *h, uint64_t now_ms); /* the line is open (again) */
void spinel_host_stop(struct spinel_host *h);                   /* the line is gone */
void spinel_host_input(struct spinel_host *h, uint64_t now_ms, struct rd octets);
enum err spinel_host_transmit(struct spinel_host *h, uint64_t now_ms, struct rd frame, uint32_t token) MUST_CHECK; /* ERR_NOT_READY, ERR_FULL, ERR_SHORT, ERR_TOO_LONG */
void spinel_host_match_short(struct spinel_host *h, uint16_t short_address, bool add);
void spinel_host_match_extended(struct spinel_host *h, uint64_t eui64, bool add);
void spinel_host_tick(struct spinel_host *h, uint64_t now_ms);
bool spinel_host_output(struct spinel_host *h, struct spinel_host_effect *e) MUST_CHECK;
uint64_t spinel_host_deadline(const struct spinel_host *h);

#endif
