/* Any text as a device's memory: it is refused, or the device lives with it, sends only what it may, and stores what it can read again. */
#include <string.h>

#include "sim/device.h"
#include "../fuzz.h"

#define MEMORY 16384

struct memory {
	char text[MEMORY];
	size_t len;
};

static enum err on_save(void *ctx, struct rd text)
{
	struct memory *m = ctx;

	MUST(text.left <= sizeof m->text);
	memcpy(m->text, text.at, text.left);
	m->len = text.left;
	return OK;
}

static struct sim_device *device(struct rng *rng, struct memory *m, struct rd text)
{
	uint8_t octets[SECRET_AES128] = {1};
	struct secret *key = secret_take(octets, sizeof octets);
	const struct sim_device_config c = {
		.eui64 = 1,
		.kind = SIM_PLUG,
		.channels = 1U << 15,
		.poll_ms = 1000,
		.link_key = key,
		.save = on_save,
		.save_ctx = m,
		.rng = rng,
	};
	struct sim_device *d = sim_device_new(&c, text, 1000);

	if (!d)
		secret_free(key);
	return d;
}

static void live(struct sim_device *d)
{
	struct sim_device_effect e;
	struct mac_frame f;
	struct rd frame;

	(void)sim_device_command(d, 1000, "toggle");
	for (uint64_t now = 1000; now < 20000; now += 500) {
		sim_device_tick(d, now);
		while (sim_device_output(d, &e)) {
			if (e.type == SIM_DEVICE_SEND)
				MUST(mac_fcs_check(rd_of(e.octets, e.len), &frame) == OK && mac_frame_decode(frame, &f) == OK);
			else if (e.type == SIM_DEVICE_CHANNEL)
				MUST(e.channel >= SIM_CHANNEL_FIRST && e.channel <= SIM_CHANNEL_LAST);
		}
	}
	MUST(sim_device_command(d, 20000, "factory-reset"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory m;
	struct rng rng = rng_seeded(1);
	struct sim_device *d, *again;

	if (size > 4 * FUZZ_INPUT_MAX)
		return 0;
	m.len = 0;
	d = device(&rng, &m, rd_of(data, size));
	if (!d)
		return 0;
	live(d);
	MUST(m.len > 0);
	again = device(&rng, &m, rd_of(m.text, m.len));
	MUST(again);
	sim_device_free(again);
	sim_device_free(d);
	return 0;
}
