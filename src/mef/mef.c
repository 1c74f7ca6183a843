/* Effects of the EG's core, timers, audit. */
#include "mef/mef.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"

enum err mef_audit(struct mef *m, const char *event, uint64_t device, const char *gateway, const char *client, const char *detail)
{
	const struct audit_entry entry = {event, device, gateway, client, detail};
	enum err e = audit_append(m->audit, clock_unix_ms() / 1000, &entry);

	if (e == OK)
		e = registry_anchor(m->registry);
	if (e != OK)
		log_line(LOG_LEVEL_ERROR, "the audit log can't be written; check the disk", "error=%s", err_name(e));
	return e;
}

bool mef_noise_init(struct mef_noise *n)
{
	n->suppressed = 0;
	return rate_init(&n->rate, MEF_NOISE, MEF_NOISE_MS);
}

bool mef_noise_permits(struct mef *m, struct mef_noise *n, const char *gateway)
{
	uint64_t retry_ms, count = n->suppressed;
	char detail[48];

	if (!rate_take(&n->rate, clock_ms(), &retry_ms)) {
		n->suppressed++;
		return false;
	}
	if (count == 0)
		return true;
	n->suppressed = 0;
	snprintf(detail, sizeof detail, "%llu entries", (unsigned long long)count);
	log_line(LOG_LEVEL_WARNING, "too many events; some were not written", "gateway=%s count=%llu", gateway ? gateway : "-", (unsigned long long)count);
	(void)mef_audit(m, "too many events; some were not written", 0, gateway, NULL, detail);
	return true;
}

/* The core asks what the registry knows. */
static bool lookup(void *ctx, uint64_t eui64, struct eg_admission *a)
{
	struct mef *m = ctx;
	struct mef_device *d = mef_device_find(m, eui64);
	struct mef_gateway *g = d ? mef_gateway_find(m, d->gateway) : NULL;

	if (!d || !g || d->state == DEVICE_REMOVED)
		return false;
	a->known = true;
	a->gateway = g->eui64;
	a->may_rejoin = d->state == DEVICE_VERIFIED;
	return true;
}

/* ---- effects ---- */

static struct mef_gateway *gateway_of(struct mef *m, const struct eg_gateway *eg)
{
	return mef_gateway_by_eui64(m, eg_gateway_eui64(eg));
}

static void greeted(struct mef *m, struct mef_gateway *g, const struct egp_message *hello, const char *event)
{
	bool same = g->epoch == hello->hello.epoch && g->pan_id == hello->hello.pan_id && g->channel == hello->hello.channel &&
	    g->extended_pan_id == hello->hello.extended_pan_id;
	char detail[96];

	g->epoch = hello->hello.epoch;
	g->pan_id = hello->hello.pan_id;
	g->extended_pan_id = hello->hello.extended_pan_id;
	g->channel = hello->hello.channel;
	if (!same && mef_store_gateway_put(m->store, g) != OK)
		log_line(LOG_LEVEL_ERROR, "gateway could not be stored", "gateway=%s", g->name);
	if (!mef_noise_permits(m, &g->noise, g->name))
		return;
	snprintf(detail, sizeof detail, "epoch %u, PAN 0x%04x, channel %u", g->epoch, g->pan_id, g->channel);
	log_line(LOG_LEVEL_INFO, event, "gateway=%s epoch=%u pan=0x%04x channel=%u", g->name, g->epoch, g->pan_id, g->channel);
	(void)mef_audit(m, event, 0, g->name, NULL, detail);
}

/* Which of the messages that a tell may be about names a device. */
static uint64_t device_in(const struct egp_message *msg)
{
	if (msg->type == EGP_REQUEST)
		return msg->request.device;
	return msg->type == EGP_DEVICE_GONE ? msg->gone.device : 0;
}

static void told(struct mef *m, struct mef_gateway *g, const struct eg_effect *e)
{
	const char *event = eg_event_text(e->event);
	uint64_t device = device_in(&e->message);
	const char *detail = NULL;

	if (e->event == EG_EVENT_REMOVED) {
		mef_gateway_forgot(m, g, e->message.remove.device);
		log_line(LOG_LEVEL_INFO, event, "device=%016llx gateway=%s", (unsigned long long)e->message.remove.device, g->name);
		return;
	}
	if (e->event == EG_EVENT_REFUSED)
		m->statistics.refused++;
	if (e->event == EG_EVENT_REPEATED)
		m->statistics.repeats++;
	if (e->event != EG_EVENT_ANSWERED && e->event != EG_EVENT_GREETED && e->event != EG_EVENT_EPOCH_BACK &&
	    !mef_noise_permits(m, &g->noise, g->name))
		return;
	switch (e->event) {
	case EG_EVENT_GREETED:
	case EG_EVENT_EPOCH_BACK:
		greeted(m, g, &e->message, event);
		return;
	case EG_EVENT_ANSWERED:
		m->statistics.transport_keys++;
		log_line(LOG_LEVEL_INFO, event, "device=%016llx gateway=%s", (unsigned long long)device, g->name);
		return; /* in the audit log since before it left */
	case EG_EVENT_REMOVED:
	case EG_EVENT_REPEATED:
		break;
	case EG_EVENT_REFUSED:
		detail = egp_error_text(e->code);
		break;
	case EG_EVENT_WRONG_GATEWAY:
	case EG_EVENT_GONE:
	case EG_EVENT_UNEXPECTED:
	case EG_EVENT_MALFORMED:
		break;
	}
	log_line(e->event == EG_EVENT_GONE || e->event == EG_EVENT_REPEATED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, event,
	    "device=%016llx gateway=%s%s%s%s", (unsigned long long)device, g->name, detail ? " reason=\"" : "", detail ? detail : "", detail ? "\"" : "");
	(void)mef_audit(m, event, device, g->name, NULL, detail);
}

static void carry_out(struct mef *m, const struct eg_effect *e)
{
	struct mef_gateway *g = gateway_of(m, e->gateway);

	if (!g)
		return;
	switch (e->type) {
	case EG_SEND:
		if (m->egp_send)
			m->egp_send(m->egp_ctx, g, e->octets);
		break;
	case EG_PREPARE:
		m->statistics.requests++;
		mef_prepare(m, g, &e->message);
		break;
	case EG_TELL:
		told(m, g, e);
		break;
	}
}

/* What is overdue, because there was too much of it, comes in the next round: others have their turn before. */
static void set_timer(struct mef *m)
{
	uint64_t first = eg_deadline(m->eg), next_round = clock_ms() + 1;
	const struct timer_node *n = timers_first(&m->deadlines);

	if (n && n->at < first)
		first = n->at;
	if (m->refresh_at < first)
		first = m->refresh_at;
	if (m->rotate_at < first)
		first = m->rotate_at;
	if (m->alive_at < first)
		first = m->alive_at;
	if (m->more_at < first)
		first = m->more_at;
	loop_timer_at(m->timer, first < next_round ? next_round : first);
}

void mef_pump(struct mef *m)
{
	struct eg_effect e;

	if (m->pumping)
		return; /* the outer call goes on with what was added */
	m->pumping = true;
	while (eg_output(m->eg, &e))
		carry_out(m, &e);
	m->pumping = false;
	set_timer(m);
}

static void on_timer(void *ctx)
{
	struct mef *m = ctx;
	uint64_t now = clock_ms();
	struct timer_node *n;

	for (unsigned done = 0; done < MEF_AT_ONCE && (n = timers_first(&m->deadlines)) != NULL && n->at <= now; done++)
		mef_device_timeout(m, table_owner(n, struct mef_device, deadline)); /* which takes it out or puts it off */
	if (now >= m->refresh_at) {
		m->refresh_at = now + MEF_REFRESH_MS;
		if (mef_keys_refresh(m) != OK)
			log_line(LOG_LEVEL_ERROR, "keys of devices could not be prolonged; check the disk", NULL);
	}
	if (now >= m->rotate_at)
		mef_rotation_schedule(m);
	if (now >= m->alive_at) {
		m->alive_at = now + DATABASE_ALIVE_S * 1000;
		if (mef_store_alive(m->store) != OK)
			log_line(LOG_LEVEL_ERROR, "mef.db can't be written; check the disk", NULL);
	}
	if (now >= m->more_at) {
		m->more_at = CLOCK_NEVER;
		mef_groups_go_on(m);
		mef_rotations_go_on(m);
	}
	eg_tick(m->eg, now);
	mef_pump(m);
}

/* ---- start and end ---- */

static enum err load_devices(struct mef *m)
{
	struct mef_device *list = NULL;
	enum err e = mef_store_devices(m->store, &list);

	while (e == OK && list) {
		struct mef_device *d = list;

		list = d->next;
		mef_device_link(m, d);
		mef_device_restarted(m, d, clock_ms());
	}
	return e;
}

static enum err load(struct mef *m)
{
	enum err e = mef_store_applications(m->store, &m->applications);

	if (e == OK)
		e = load_devices(m);
	if (e == OK)
		e = mef_store_gateways(m->store, &m->gateways);
	if (e == OK)
		e = mef_keys_refresh(m);
	m->refresh_at = clock_ms() + MEF_REFRESH_MS;
	m->rotate_at = clock_ms();
	m->alive_at = clock_ms() + DATABASE_ALIVE_S * 1000;
	for (struct mef_gateway *g = m->gateways; e == OK && g; g = g->next) {
		g->eg = eg_gateway_add(m->eg, g->eui64);
		if (!g->eg || !mef_noise_init(&g->noise))
			return ERR_NO_MEMORY;
		mef_gateway_link(m, g);
		if (g->epoch)
			eg_gateway_restore(g->eg, g->epoch);
		e = mef_removals_resume(m, g);
		if (e == OK)
			e = mef_permit_resume(m, g);
	}
	return e;
}

enum err mef_new(struct loop *l, const struct mef_config *c, struct mef_store *store, struct registry *registry, struct audit *audit, struct rng *rng,
    struct mef **out)
{
	struct mef *m = calloc(1, sizeof *m);
	const struct eg_config eg = {c->device_per_minute, c->gateway_per_second, lookup, m};
	enum err e = ERR_NO_MEMORY;

	if (!m)
		return ERR_NO_MEMORY;
	m->loop = l;
	m->config = *c;
	m->store = store;
	m->registry = registry;
	m->audit = audit;
	m->rng = rng;
	m->timer = loop_timer_new(l, on_timer, m);
	m->more_at = CLOCK_NEVER;
	m->eg = eg_new(&eg);
	if (m->eg && mef_noise_init(&m->noise))
		e = load(m);
	if (e != OK) {
		mef_free(m);
		return e;
	}
	set_timer(m);
	*out = m;
	return OK;
}

void mef_free(struct mef *m)
{
	if (!m)
		return;
	for (struct mef_device *d = mef_device_next(m, NULL), *next; d; d = next) {
		next = mef_device_next(m, d);
		mef_device_free(d);
	}
	table_clear(&m->devices);
	table_clear(&m->keys);
	timers_free(&m->deadlines);
	table_clear(&m->gateways_by_name);
	table_clear(&m->gateways_by_eui64);
	table_clear(&m->gateways_by_identity);
	while (m->gateways) {
		struct mef_gateway *next = m->gateways->next;

		mef_gateway_free(m->gateways);
		m->gateways = next;
	}
	while (m->applications) {
		struct mef_application *next = m->applications->next;

		mef_application_free(m->applications);
		m->applications = next;
	}
	eg_free(m->eg);
	rate_clear(&m->noise.rate);
	loop_timer_free(m->timer);
	free(m);
}
