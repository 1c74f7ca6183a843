/* What the gateway knows of its children and their owners, over restarts: those that it has stored, and those that only their containers tell of. */
#include "gateway/gateway_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/children_file.h"
#include "loop/log.h"

#define STRAY_FIRST_MS 10000 /* its owner was told that we started, and has answered by then if it is there */
#define STRAY_EVERY_MS 30000

/* Together with what the owner's messages have changed: none of them is carried out again after a restart, but for what follows a frame that still waits. */
static void gather(void *ctx)
{
	struct gateway *g = ctx;
	struct child *child;

	for (size_t i = 0; (child = coordinator_child_at(g->coordinator, i)) != NULL; i++) {
		const char *last = relay_last(g->relay, child->eui64);

		if (last && !coordinator_holds(g->coordinator, child->eui64))
			snprintf(child->down, sizeof child->down, "%s", last);
	}
}

void gateway_child_event(struct gateway *g, uint64_t device, enum egp_child_event event)
{
	struct child *child = coordinator_child(g->coordinator, device);
	struct egp_message m = {.type = EGP_CHILD_EVENT};

	m.child_event.device = device;
	m.child_event.event = event;
	m.child_event.short_address = child ? child->short_address : MAC_BROADCAST;
	m.child_event.capability = child ? child->capability : 0;
	m.child_event.epoch = g->epoch;
	relay_up(g->relay, device, &m);
}

static void keep_packet(struct gateway *g, const struct egp_message *m)
{
	struct packet *p;

	for (p = g->packets; p && p->device != m->response.device; p = p->next)
		;
	if (m->response.packet.left > sizeof p->octets)
		return;
	if (!p) {
		p = calloc(1, sizeof *p);
		if (!p)
			abort();
		p->device = m->response.device;
		p->next = g->packets;
		g->packets = p;
	}
	memcpy(p->octets, m->response.packet.at, m->response.packet.left);
	p->len = m->response.packet.left;
}

/* A device that joins through a router gets its key there. But it may be in our range as well, or come into it: its owner gets its containers. */
static void introduced(struct gateway *g, const struct egp_message *m)
{
	char owner[CHILD_NAME];

	if (m->owner.left == 0 || !rd_text(m->owner, owner, sizeof owner))
		return;
	for (struct stray *s = g->strays; s; s = s->next)
		if (s->device == m->response.device)
			return;
	log_line(LOG_LEVEL_INFO, "a device joins through a router", "device=%s owner=%s", gateway_name(m->response.device), owner);
	gateway_found(g, m->response.device, owner);
}

/* The Transport-Key packet: first the containers that its owner will read, then the device. */
void gateway_packet(struct gateway *g, const struct egp_message *m)
{
	struct child *child = coordinator_child(g->coordinator, m->response.device);
	struct rd relay = m->relay_target;

	if (m->response.packet.left == 0) {
		introduced(g, m);
		return;
	}
	if (!child || m->owner.left == 0 || !rd_text(m->owner, child->owner, sizeof child->owner)) {
		log_line(LOG_LEVEL_WARNING, "packet for nobody", "device=%s", gateway_name(m->response.device));
		return;
	}
	if (relay.left >= 3 && memcmp(relay.at + relay.left - 3, "/up", 3) == 0)
		relay.left -= 3;
	if (!rd_text(relay, child->relay, sizeof child->relay))
		child->relay[0] = '\0';
	keep_packet(g, m);
	relay_device(g->relay, child->eui64, child->owner, NULL);
	children_changed(g->keeper);
}

void gateway_relay_ready(void *ctx, uint64_t device)
{
	struct gateway *g = ctx;
	struct packet **link = &g->packets, *p;

	while (*link && (*link)->device != device)
		link = &(*link)->next;
	p = *link;
	if (!p)
		return;
	*link = p->next;
	gateway_child_event(g, device, EGP_CHILD_ASSOCIATED);
	coordinator_rejoin_granted(g->coordinator, clock_ms(), device);
	coordinator_send(g->coordinator, clock_ms(), device, COORDINATOR_TRANSPORT_KEY, 0, 0, rd_of(p->octets, p->len));
	log_line(LOG_LEVEL_INFO, "transport key relayed", "device=%s octets=%zu", gateway_name(device), p->len);
	free(p);
	gateway_pump(g);
}

/* Its owner says that it is our child: what it says of others makes no children. */
void gateway_stray_home(struct gateway *g, const struct egp_message *m)
{
	struct child child = {.eui64 = m->child_set.device, .short_address = m->child_set.short_address, .capability = m->child_set.capability, .confirmed = true};
	struct stray **link = &g->strays, *s;

	while (*link && (*link)->device != child.eui64)
		link = &(*link)->next;
	s = *link;
	if (!s)
		return;
	snprintf(child.owner, sizeof child.owner, "%s", s->owner);
	snprintf(child.relay, sizeof child.relay, "%.40s/%.40s/%.30s/%s", g->config.cse_id, g->config.cse_name, g->config.ae_name, gateway_name(child.eui64));
	if (!coordinator_child(g->coordinator, child.eui64) && !coordinator_restore(g->coordinator, &child))
		return;
	log_line(LOG_LEVEL_INFO, "child known again", "device=%s short=%04x owner=%s", gateway_name(child.eui64), child.short_address, child.owner);
	*link = s->next;
	free(s);
}

void gateway_found(void *ctx, uint64_t device, const char *owner)
{
	struct gateway *g = ctx;
	struct stray *s;

	if (coordinator_child(g->coordinator, device))
		return; /* it has associated anew already */
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->device = device;
	s->told_at = clock_ms() + STRAY_FIRST_MS - STRAY_EVERY_MS;
	snprintf(s->owner, sizeof s->owner, "%s", owner);
	s->next = g->strays;
	g->strays = s;
	relay_device(g->relay, device, owner, NULL);
	gateway_child_event(g, device, EGP_CHILD_GATEWAY_RESTARTED);
}

/* Somebody takes us for its parent: a stray, perhaps. Only its owner can tell by the address. */
void gateway_unknown(struct gateway *g, const struct coordinator_effect *e)
{
	uint64_t now = clock_ms();

	log_line(LOG_LEVEL_DEBUG, "unknown device polls", "short=%04x", e->short_address);
	for (struct stray *s = g->strays; s; s = s->next) {
		struct egp_message m = {.type = EGP_CHILD_EVENT};

		if ((e->eui64 && e->eui64 != s->device) || (int64_t)(now - s->told_at) < STRAY_EVERY_MS)
			continue;
		s->told_at = now;
		m.child_event.device = s->device;
		m.child_event.event = EGP_CHILD_POLLED_UNKNOWN;
		m.child_event.short_address = e->short_address;
		m.child_event.epoch = g->epoch;
		relay_up(g->relay, s->device, &m);
	}
}

enum err gateway_children_start(struct gateway *g)
{
	char path[512];
	enum err e;

	snprintf(path, sizeof path, "%s/children", g->config.state);
	e = children_load(path, g->coordinator, &g->epoch);
	if (e != OK)
		return e;
	g->epoch++;
	e = children_save(path, g->coordinator, g->epoch);
	if (e == OK)
		g->keeper = children_keeper_new(g->loop, path, g->coordinator, g->epoch, gather, g);
	return e;
}

void gateway_children_resume(struct gateway *g)
{
	struct child *child;

	for (size_t i = 0; (child = coordinator_child_at(g->coordinator, i)) != NULL; i++) {
		if (child->owner[0] == '\0')
			continue;
		relay_device(g->relay, child->eui64, child->owner, child->down);
		gateway_child_event(g, child->eui64, EGP_CHILD_GATEWAY_RESTARTED);
		if (child->removed)
			coordinator_child_remove(g->coordinator, clock_ms(), child->eui64);
	}
}
