/* What node B reports of a device. docs/protocols/key-registration.md, "Events". */
#include "mef/life_private.h"

#include "base/clock.h"
#include "loop/log.h"

void life_used(struct mef *m, struct mef_device *d, struct mef_generation *g, const char *event)
{
	bool verified;

	if (g != d->present)
		return; /* the former key is in use while another is offered: nothing new */
	if (!g->joined) {
		if (g->rotation) {
			mef_rotation_adopt(d);
			mef_rotation_end(m, d);
			m->statistics.rotated++;
		} else {
			m->statistics.joined++;
		}
		g->joined = g->offered = true;
		if (mef_store_generation_put(m->store, d, g) != OK)
			log_line(LOG_LEVEL_ERROR, "state of a key could not be stored", "device=%016llx", (unsigned long long)d->eui64);
		generation_drop(m, d, d->former);
		d->former = NULL;
		mef_device_moved(m, d);
		(void)mef_audit(m, g->rotation ? "network key rotated" : "device joined", d->eui64, d->gateway, d->owner, NULL);
		log_line(LOG_LEVEL_INFO, g->rotation ? "network key rotated" : "device joined", "device=%016llx owner=%s", (unsigned long long)d->eui64, d->owner);
	}
	verified = g->tc.base_unique || g->tc.state == TRUST_VERIFIED;
	life_state(m, d, verified ? DEVICE_VERIFIED : DEVICE_JOINED, event, "");
	mef_device_wait(m, d, life_must_verify(m, d) ? clock_ms() + MEF_VERIFY_MS : CLOCK_NEVER);
	mef_group_joined(m, d);
}

static void joined(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	life_used(m, d, g, "joined");
}

static void on_rotated(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	life_used(m, d, g, "rotated");
}

/* Node B says that a frame counter under this key has come far. */
static void on_counter_high(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	char message[256] = "";

	if (g == d->present && mef_rotate(m, d, "frame counter near its end", message) != OK)
		log_line(LOG_LEVEL_WARNING, "a network key is nearly used up, and could not be rotated", "device=%016llx reason=\"%s\"", (unsigned long long)d->eui64, message);
}

static void noted(struct mef *m, struct mef_device *d, const char *event)
{
	life_state(m, d, d->state, event, d->reason);
}

static void on_announced(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "announced");
}

static void on_rejoined(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	d->router = 0; /* node B tells of those that the gateway hears */
	(void)mef_audit(m, "device rejoined", d->eui64, d->gateway, d->owner, NULL);
	noted(m, d, "rejoined");
}

static void on_left(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	if (g != mef_generation_in_use(d))
		return;
	(void)mef_audit(m, "device left", d->eui64, d->gateway, d->owner, NULL);
	log_line(LOG_LEVEL_INFO, "device left", "device=%016llx", (unsigned long long)d->eui64);
	mef_device_wait(m, d, CLOCK_NEVER);
	life_state(m, d, DEVICE_REGISTERED, "left", "the device left the network; it may join again");
}

static void on_lost(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	log_line(LOG_LEVEL_WARNING, "device is silent", "device=%016llx", (unsigned long long)d->eui64);
	noted(m, d, "lost");
}

static void on_heard(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "heard");
}

static void on_interviewed(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	(void)g;
	noted(m, d, "interviewed");
}

static const struct {
	const char *name;
	void (*act)(struct mef *m, struct mef_device *d, struct mef_generation *g);
	bool addresses; /* carries the device's present short address and capability */
} events[] = {
	{"joined", joined, true},
	{"rotated", on_rotated, true},
	{"counter-high", on_counter_high, false},
	{"announced", on_announced, true},
	{"rejoined", on_rejoined, true},
	{"left", on_left, false},
	{"lost", on_lost, false},
	{"heard", on_heard, true},
	{"interviewed", on_interviewed, false},
};

enum err mef_event(struct mef *m, struct mef_device *d, struct mef_generation *g, struct rd event, uint16_t short_address, uint8_t capability)
{
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (!rd_is(event, events[i].name))
			continue;
		if (d->state == DEVICE_REMOVED)
			return OK; /* nothing brings it back */
		if (events[i].addresses && short_address != 0) {
			d->short_address = short_address;
			d->capability = capability;
		}
		events[i].act(m, d, g);
		mef_pump(m);
		return OK;
	}
	return ERR_BAD_VALUE;
}
