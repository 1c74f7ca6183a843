/* The host's side of Spinel, pure: resets a radio co-processor, asks what it is, configures it, transmits one frame at a time, receives, keeps the
 * source-match table, scans for energy, and begins anew when the radio reports a reset, stops answering, or has forgotten what it was told.
 * Stock OpenThread RCP firmware and `keyway-sim rcp` alike.
 *
 *	spinel_host_input(h, now, octets);  spinel_host_tick(h, now);
 *	while (spinel_host_output(h, &effect)) ...;  sleep until spinel_host_deadline(h) */
#ifndef KEYWAY_GATEWAY_SPINEL_HOST_H
#define KEYWAY_GATEWAY_SPINEL_HOST_H

#include "base/err.h"
#include "base/rd.h"
#include "gateway/radio_info.h"
#include "ieee802154/mac_frame.h"
#include "spinel/hdlc.h"

#define SPINEL_HOST_CHANNELS 0x07fff800U /* 11 to 26, a bit each */

struct spinel_host_config {
	uint64_t eui64;
	uint16_t pan_id, short_address;
	uint8_t channel;
	bool set_tx_power;
	int8_t tx_power_dbm; /* the radio may know a lower limit */
};

enum spinel_host_effect_type {
	SPINEL_HOST_WRITE,      /* octets for the serial line */
	SPINEL_HOST_READY,      /* configured; the source-match table is empty; spinel_host_radio tells what it is */
	SPINEL_HOST_RECEIVED,   /* frame */
	SPINEL_HOST_SENT,       /* token, status */
	SPINEL_HOST_LOST,       /* the radio does not answer, or was reset: READY follows */
	SPINEL_HOST_REFUSED,    /* text: it will not do. Tried again each minute: its firmware may be changed */
	SPINEL_HOST_MATCH_FULL, /* the source-match table is: every poll is told that frames wait, until the table is empty */
	SPINEL_HOST_ENERGY,     /* channel, rssi: the strongest that was heard while it listened */
	SPINEL_HOST_SCANNED,    /* the end of a scan; channels that the radio would not scan are missing */
};

struct spinel_host_effect {
	enum spinel_host_effect_type type;
	uint8_t octets[512];
	size_t len;
	int8_t rssi;
	uint8_t lqi, channel;
	uint32_t token;
	bool acked, busy; /* SENT: acknowledged, or else channel busy, or else no acknowledgement */
	const char *text; /* fixed */
};

struct spinel_host;
struct spinel_host *spinel_host_new(const struct spinel_host_config *c);
void spinel_host_free(struct spinel_host *h);
void spinel_host_start(struct spinel_host *h, uint64_t now_ms); /* the line is open (again) */
void spinel_host_stop(struct spinel_host *h);                   /* the line is gone */
void spinel_host_input(struct spinel_host *h, uint64_t now_ms, struct rd octets);
enum err spinel_host_transmit(struct spinel_host *h, uint64_t now_ms, struct rd frame, uint32_t token) MUST_CHECK; /* ERR_NOT_READY, ERR_FULL, ERR_SHORT, ERR_TOO_LONG */
/* The same, but before what is queued with the former: who is to hear it listens for a moment only. */
enum err spinel_host_transmit_urgent(struct spinel_host *h, uint64_t now_ms, struct rd frame, uint32_t token) MUST_CHECK;
void spinel_host_match_short(struct spinel_host *h, uint16_t short_address, bool add);
void spinel_host_match_extended(struct spinel_host *h, uint64_t eui64, bool add);
/* Listens on each channel of the mask, then returns to its own. ERR_NOT_READY: not configured, or something is being sent; ERR_BAD_VALUE: no channel. */
enum err spinel_host_scan(struct spinel_host *h, uint64_t now_ms, uint32_t channels, uint16_t period_ms) MUST_CHECK;
/* Another channel from now on, for what is queued behind this call too. ERR_NOT_READY as above. */
enum err spinel_host_tune(struct spinel_host *h, uint64_t now_ms, uint8_t channel) MUST_CHECK;
const struct radio_info *spinel_host_radio(const struct spinel_host *h);
void spinel_host_tick(struct spinel_host *h, uint64_t now_ms);
bool spinel_host_output(struct spinel_host *h, struct spinel_host_effect *e) MUST_CHECK;
uint64_t spinel_host_deadline(const struct spinel_host *h);

#endif
