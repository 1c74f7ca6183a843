/* IPE-OCI's shell: wires the core to the MEF, to the gateway's containers and to this CSE's resources. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "oci/node_group.h"

const char *node_name(uint64_t eui64)
{
	static char text[4][EUI64_SIZE];
	static unsigned turn;
	char *t = text[turn++ % 4];

	eui64_print(t, eui64);
	return t;
}

void node_send_down(struct oci_node *n, const struct oci_effect *e)
{
	struct egp_message m = {.type = EGP_DOWNLINK};

	m.downlink.device = e->eui64;
	m.downlink.validity_ms = e->validity_ms;
	m.downlink.flags = e->broadcast ? EGP_DOWNLINK_BROADCAST : 0;
	m.downlink.frame = rd_of(e->octets, e->len);
	if (e->len > 0)
		relay_down(n, e->eui64, &m);
}

static void child(struct oci_node *n, const struct oci_effect *e, enum egp_type type)
{
	struct egp_message m = {.type = type};

	if (type == EGP_CHILD_DROP) {
		m.child_drop.device = e->eui64;
	} else {
		m.child_set.device = e->eui64;
		m.child_set.short_address = e->short_address;
		m.child_set.capability = e->capability;
		m.child_set.timeout_s = e->timeout_s;
	}
	relay_down(n, e->eui64, &m);
}

static void act(struct oci_node *n, const struct oci_effect *e)
{
	struct oci_device *d = oci_core_device(n->core, e->eui64);

	switch (e->type) {
	case OCI_DOWNLINK:
		if (e->when_kept)
			held_take(n, e);
		else
			node_send_down(n, e);
		break;
	case OCI_CHILD_SET:
		child(n, e, EGP_CHILD_SET);
		break;
	case OCI_CHILD_DROP:
		child(n, e, EGP_CHILD_DROP);
		break;
	case OCI_PRESENCE:
		if (d)
			mgmt_presence(n, d);
		break;
	case OCI_APS_RELAY:
		if (d)
			mef_aps(n, e->eui64, d->present.id, e->counter, rd_of(e->octets, e->len));
		break;
	case OCI_EVENT:
		if (d)
			mef_event(n, e->eui64, d->present.id, e->text, e->short_address, e->capability);
		break;
	case OCI_DESCRIBED:
		if (d)
			mirror_device(n, d);
		break;
	case OCI_VALUE:
		mirror_value(n, e);
		break;
	case OCI_RAW:
		mirror_raw(n, e);
		break;
	case OCI_OTA:
		firmware_told(n, e);
		break;
	case OCI_GROUP:
		scenes_changed(n, e->group);
		break;
	case OCI_SCENE:
		scenes_done(n, e);
		break;
	case OCI_LOG:
		log_line(LOG_LEVEL_NOTICE, "device", "device=%s note=%s", node_name(e->eui64), log_quote(rd_str(e->text)));
		break;
	}
}

void node_pump(struct oci_node *n)
{
	struct oci_effect e;

	if (n->pumping)
		return;
	n->pumping = true;
	while (oci_core_output(n->core, &e))
		act(n, &e);
	held_release(n);
	n->pumping = false;
	loop_timer_at(n->timer, oci_core_deadline(n->core));
}

static void on_time(void *ctx)
{
	struct oci_node *n = ctx;

	oci_core_tick(n->core, clock_ms());
	node_pump(n);
}

static void on_notify(void *ctx, const struct onem2m_request *rq, cse_done *done, void *done_ctx)
{
	static const struct onem2m_response ok = {.rsc = RSC_OK};
	struct oci_node *n = ctx;

	/* Of our own resources this CSE alone tells us; of the relays, the gateways' CSEs. What anybody else says is nothing to us. */
	if (!rd_is(rq->from, n->config.cse_id) || !watch_notify(n, rq->content))
		relay_notify(n, rq->from, rq->content);
	done(done_ctx, &ok);
	node_pump(n);
}

static void restore_group(void *ctx, const struct oci_group *g)
{
	struct oci_node *n = ctx;

	if (oci_core_group_restore(n->core, g) != OK)
		abort();
}

static void restore(void *ctx, const struct oci_device *d)
{
	struct oci_node *n = ctx;

	if (!oci_core_restore(n->core, clock_ms(), d))
		abort();
	relay_open(n, d->eui64);
	node_pump(n); /* a plant has more devices than the core keeps effects */
}

/* ---- the store ---- */

static void on_alive(void *ctx)
{
	struct oci_node *n = ctx;

	if (oci_store_alive(n->store) != OK)
		log_line(LOG_LEVEL_ERROR, "oci.db can't be written", "advice=\"is the disk full?\"");
	loop_timer_in(n->alive, DATABASE_ALIVE_S * 1000);
}

static enum err store_start(struct oci_node *n)
{
	enum err e = oci_store_open(n->config.state, n->config.key_file, &n->store);
	const struct database_gap *gap;

	if (e == ERR_STATE)
		log_line(LOG_LEVEL_ERROR, "oci.db is an old copy, and is of later than now", "advice=\"set the clock: how many frame counters are to be skipped follows from it\"");
	if (e != OK)
		return e;
	gap = oci_store_gap(n->store);
	if (gap->copied)
		log_line(LOG_LEVEL_WARNING, "an old copy of oci.db was put back", "in_use_until=%llu frame_counters_skipped=%u consequence=\"all network keys are replaced\"",
		    (unsigned long long)gap->since, gap->by);
	else if (gap->by)
		log_line(LOG_LEVEL_NOTICE, "oci.db was not in use for a while", "in_use_until=%llu frame_counters_skipped=%u", (unsigned long long)gap->since, gap->by);
	n->alive = loop_timer_new(n->loop, on_alive, n);
	loop_timer_in(n->alive, DATABASE_ALIVE_S * 1000);
	return OK;
}

enum err oci_start(struct loop *l, struct cse *c, const struct oci_config *config)
{
	struct oci_node *n = calloc(1, sizeof *n);
	struct oci_core_config core;
	enum err e;

	if (!n)
		return ERR_NO_MEMORY;
	n->loop = l;
	n->cse = c;
	n->config = *config;
	n->rng = rng_system();
	n->transaction = rng_u32(&n->rng);
	snprintf(n->ae, sizeof n->ae, "%s/%s", config->cse_id, NODE_AE);
	e = store_start(n);
	if (e != OK)
		return e;
	n->descriptions = config->descriptions;
	core = (struct oci_core_config){&n->rng, config->answer_commissioning, config->descriptions, oci_store_save, n->store, config->link_status_ms, config->link_status_broadcast,
	    oci_store_gap(n->store)->floor};
	n->core = oci_core_new(&core);
	if (!n->core)
		return ERR_NO_MEMORY;
	n->timer = loop_timer_new(l, on_time, n);
	jobs_start(n);
	held_start(n);
	groups_make(n);
	oci_core_groupcast_patience(n->core, config->groupcast_wait_ms);
	oci_core_keep_groups(n->core, oci_store_save_group, n->store);
	e = cse_internal_ae(c, NODE_AE, "oci", on_notify, n);
	if (e == OK)
		e = oci_store_each(n->store, restore, n);
	if (e == OK)
		e = oci_store_each_group(n->store, restore_group, n);
	if (e != OK)
		return e;
	groups_start(n);
	witness_start(n);
	mef_start(n);
	node_pump(n);
	return OK;
}
