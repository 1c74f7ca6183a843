/* A simulated Zigbee 3.0 (R22) end device or router, pure: from the scan to reporting, as strict as real ones. It joins a centralised network with its
 * install code, asks for end-device time-out, node descriptor, a unique Trust Centre link key and its confirmation, retries, and leaves when it
 * is not served. When its parent is gone it looks for the network again and rejoins. Sources: Zigbee specification 05-3474 R22; Base Device
 * Behaviour 3.0 chapter 8.
 *
 *	sim_device_input(d, now, psdu);  sim_device_command(d, now, "open");
 *	while (sim_device_output(d, &effect)) ...
 *	sleep until sim_device_deadline(d), then sim_device_tick(d, now)
 *
 *	SCANNING -> ASSOCIATING -> ASKING -> AWAITING_KEY -> NEGOTIATING -> ASKING_NODE -> ASKING_KEY -> VERIFYING -> COMMISSIONED
 *	COMMISSIONED -> SEEKING (scan for the same network) -> REJOINING -> COMMISSIONED
 *	each but the last two -> OFF (after a time-out, a refusal, a leave), and OFF -> SCANNING after a while */
#ifndef KEYWAY_SIM_DEVICE_H
#define KEYWAY_SIM_DEVICE_H

#include "base/rng.h"
#include "keys/secret.h"
#include "sim/radio.h"

#define SIM_CHANNEL_FIRST 11
#define SIM_CHANNEL_LAST 26

enum sim_kind {
	SIM_THERMOMETER, SIM_PLUG, SIM_CONTACT, SIM_VIBRATION, SIM_SMOKE, SIM_WATER, SIM_MOTION, SIM_OCCUPANCY, SIM_ILLUMINANCE, SIM_PRESSURE, SIM_LIGHT,
	SIM_DIMMER, SIM_THERMOSTAT, SIM_LOCK, SIM_COVERING, SIM_SIREN, SIM_BUTTON, SIM_STRIP, SIM_OWN, SIM_KINDS
};
#define SIM_OWN_CLUSTER 0xfc11 /* of the simulated manufacturer, SIM_MANUFACTURER */
#define SIM_MANUFACTURER 0x1234
bool sim_kind_find(const char *name, enum sim_kind *kind) MUST_CHECK; /* "thermometer" */
const char *sim_kind_name(enum sim_kind kind);

struct sim_device_config {
	uint64_t eui64;
	enum sim_kind kind;
	bool sleepy;
	bool router;                 /* and not sleepy: device_router.c says what that asks of its coordinator */
	bool broadcast_link_status;  /* takes no link status that comes as a MAC unicast */
	uint32_t time_scale;         /* of a router: its periods of 15 s are so many times shorter; 0 is 1 */
	bool is_deaf;                /* it does not receive the frames of this short address: */
	uint16_t deaf_to;
	uint32_t channels;           /* to scan: bit n is channel n, 11 to 26 */
	uint32_t poll_ms;            /* of a sleepy device that has nothing to do */
	uint8_t timeout;             /* End_Device_Timeout_request: 0 is 10 s, n is 2^n minutes (R22 3.4.11.3.1) */
	uint32_t ack_wait_ms;        /* of the radio; 0: RADIO_ACK_WAIT_MS */
	uint32_t report_s;           /* at least this often, once reporting is configured; 0: as configured */
	struct secret *link_key;     /* from the install code; taken over when sim_device_new succeeds */
	/* Non-volatile memory: text to be on disk when it returns OK. A number of a frame counter is used only after that. */
	enum err (*save)(void *ctx, struct rd text);
	void *save_ctx;
	struct rng *rng;
};

enum sim_device_effect_type {
	SIM_DEVICE_SEND,    /* psdu for the air */
	SIM_DEVICE_CHANNEL, /* tune to `channel`; before the frames that follow */
	SIM_DEVICE_EVENT,   /* name, and detail: JSON members without braces, or "" */
};

struct sim_device_effect {
	enum sim_device_effect_type type;
	uint8_t octets[MAC_PSDU_MAX];
	size_t len;
	uint8_t channel;
	char name[40], detail[200];
};

struct sim_device;
/* `memory` is what save got last, or empty for a new device. NULL when it is damaged. */
struct sim_device *sim_device_new(const struct sim_device_config *c, struct rd memory, uint64_t now_ms);
void sim_device_free(struct sim_device *d);
void sim_device_input(struct sim_device *d, uint64_t now_ms, struct rd psdu);
void sim_device_tick(struct sim_device *d, uint64_t now_ms);
uint64_t sim_device_deadline(const struct sim_device *d);
bool sim_device_output(struct sim_device *d, struct sim_device_effect *e) MUST_CHECK;
/* "open", "close", "vibrate", "toggle", "on", "off", "temperature 23.5", "zone BITS" (IAS zone status), "set [ENDPOINT/]CLUSTER/ATTRIBUTE VALUE" (of
 * what it measures), "press [ENDPOINT/]CLUSTER/COMMAND" (of a button), "leave", "rejoin", "rejoin-tc", "factory-reset", "permit 60", "deaf 0", "hear"; false for another word. */
bool sim_device_command(struct sim_device *d, uint64_t now_ms, const char *command);
bool sim_device_commissioned(const struct sim_device *d);

#endif
