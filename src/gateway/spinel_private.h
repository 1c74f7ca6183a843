/* What the files of the host's side of Spinel share. */
#ifndef KEYWAY_GATEWAY_SPINEL_PRIVATE_H
#define KEYWAY_GATEWAY_SPINEL_PRIVATE_H

#include "gateway/spinel_host.h"
#include "spinel/spinel.h"

#define HOST_EFFECTS_MAX 256
#define HOST_QUEUE_MAX 64
#define HOST_ANSWER_MS 5000
/* What is awaited has a transaction number of its own, so that the late answer to a change of the source-match table is never taken for it. */
#define HOST_AWAITED_TRANSACTION 14

enum host_state { HOST_STOPPED, HOST_RESETTING, HOST_STARTING, HOST_RUNNING, HOST_SCANNING, HOST_REFUSED };

struct queued {
	uint8_t frame[MAC_FRAME_MAX];
	size_t len;
	uint32_t token;
	bool urgent;
};

struct scan {
	uint32_t left;     /* channels */
	uint8_t channel;
	uint16_t period_ms;
	unsigned step;
	bool measuring;    /* the scan itself runs */
};

struct spinel_host {
	struct spinel_host_config config;
	struct radio_info radio;
	enum host_state state;
	struct hdlc_decoder hdlc;
	unsigned step;               /* of the start */
	unsigned resets;             /* without an answer */
	uint8_t next_transaction;    /* of what is not awaited */
	bool awaiting;               /* the answer to a step, or to the transmission in flight */
	uint32_t awaited_property;
	uint64_t deadline;
	struct scan scan;
	uint16_t inserting;          /* transaction numbers, a bit each, that put something into the source-match table */
	unsigned matches;
	bool match_off;
	struct queued queue[HOST_QUEUE_MAX];
	size_t first, count;
	struct spinel_host_effect *effects;
	size_t effect_first, effect_count;
};

/* spinel_host.c */
struct spinel_host_effect *host_effect(struct spinel_host *h, enum spinel_host_effect_type type);
void host_command(struct spinel_host *h, uint32_t command, uint32_t property, struct rd value);
void host_command_awaited(struct spinel_host *h, uint64_t now, uint32_t command, uint32_t property, struct rd value);
void host_fail_queue(struct spinel_host *h);
void host_transmit_next(struct spinel_host *h, uint64_t now);

/* spinel_start.c */
void host_reset(struct spinel_host *h, uint64_t now);
void host_was_reset(struct spinel_host *h, uint64_t now);
void host_start_answer(struct spinel_host *h, uint64_t now, const struct spinel_frame *f, uint32_t status);

/* spinel_scan.c */
void host_scan_answer(struct spinel_host *h, uint64_t now, uint32_t status);
void host_scan_told(struct spinel_host *h, uint64_t now, uint32_t property, struct rd value);

#endif
