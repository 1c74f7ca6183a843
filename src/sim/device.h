/* A simulated Zigbee 3.0 (R22) end device, pure: from the scan to reporting, as strict as real ones. It joins a centralised network with its
 * install code, asks for node descriptor, end-device time-out, a unique Trust Centre link key and its confirmation, retries, and leaves when it
 * is not served. Sources: docs/protocols/zigbee.md; Base Device Behaviour 3.0 chapter 8. */
#ifndef KEYWAY_SIM_DEVICE_H
#define KEYWAY_SIM_DEVICE_H

#include "base/rng.h"
#include "keys/secret.h"
#include "sim/radio.h"

enum sim_kind { SIM_THERMOMETER, SIM_PLUG, SIM_CONTACT, SIM_VIBRATION };

struct sim_device_config {
	uint64_t eui64;
	enum sim_kind kind;
	bool sleepy;
	uint8_t channel;
	uint32_t poll_ms;            /* of a sleepy device that has nothing to do */
	uint32_t report_s;           /* at least this often, once reporting is configured */
	struct secret *link_key;     /* from the install code; taken over */
	/* Non-volatile memory: text to be on disk when it returns OK. */
	enum err (*save)(void *ctx, struct rd text);
	void *save_ctx;
	struct rng *rng;
};

enum sim_device_effect_type {
	SIM_DEVICE_SEND,  /* psdu for the air */
	SIM_DEVICE_EVENT, /* name, and detail: JSON members without braces, or "" */
};

struct sim_device_effect {
	enum sim_device_effect_type type;
	uint8_t octets[MAC_PSDU_MAX];
	size_t len;
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
/* "open", "close", "toggle", "on", "off", "temperature 23.5", "leave", "factory-reset"; false for another word. */
bool sim_device_command(struct sim_device *d, uint64_t now_ms, const char *command);
bool sim_device_commissioned(const struct sim_device *d);

#endif
