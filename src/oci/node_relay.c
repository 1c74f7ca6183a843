/* The way to the gateway: contentInstances in `down`, a subscription to `up`, and the retrieval of what a notification did not bring. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_request.h"

#define SUBSCRIBE_FIRST_MS 100
#define SUBSCRIBE_MOST_MS 2000
#define POST_RETRY_MS 500
#define CATCH_UP_MS 20000
#define DOWN_MAX 200
#define POST_TRIES 20

struct waiting {
	struct waiting *next;
	char body[1200];
	unsigned tries;
};

struct channel {
	struct channel *next;
	struct oci_node *node;
	uint64_t device;
	char relay[OCI_NAME];
	bool subscribed, asking, posting, fetching, fetch_again, closed;
	uint64_t wait;
	struct loop_timer *subscribe, *post, *fetch;
	struct waiting *first, **last;
	size_t count;
};

static void fetch(struct channel *c);

static struct channel *channel_of(struct oci_node *n, uint64_t device)
{
	for (struct channel *c = n->channels; c; c = c->next)
		if (c->device == device && !c->closed)
			return c;
	return NULL;
}

static void path_of(const struct channel *c, const char *rest, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", c->relay, rest);
}

/* ---- up ---- */

static void on_child_event(struct oci_node *n, uint64_t device, const struct egp_message *m)
{
	uint16_t address = m->child_event.short_address;

	if (m->child_event.device != device)
		return;
	switch (m->child_event.event) {
	case EGP_CHILD_LOST:
		oci_core_lost(n->core, clock_ms(), device);
		break;
	case EGP_CHILD_POLLED_UNKNOWN:
		oci_core_unknown(n->core, clock_ms(), device, address, true);
		break;
	case EGP_CHILD_GATEWAY_RESTARTED: /* without its children, when it has no address for this one */
		if (!nwk_address_is_device(address))
			oci_core_unknown(n->core, clock_ms(), device, address, false);
		break;
	case EGP_CHILD_ASSOCIATED: /* what a sealed frame proves soon, or never */
	case EGP_CHILD_REJOIN_SEEN:
		break;
	}
}

/* Takes one message in its turn. False: an earlier one is missing. */
static bool take(struct channel *c, struct rd con, bool in_order)
{
	struct oci_node *n = c->node;
	struct oci_device *d = oci_core_device(n->core, c->device);
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct egp_message m;
	struct rd message;
	enum err e;

	if (!d || !base64_parse(con, &w) || !wr_done(&w, &message) || egp_decode(message, &m) != OK)
		return true;
	/* numbers only grow, and begin again behind 2^32: an instance that was seen is not taken again, by notification or retrieval */
	if (d->uplink != 0 && (int32_t)(m.transaction - d->uplink) <= 0)
		return true;
	if (!in_order && m.transaction != d->uplink + 1)
		return false;
	d->uplink = m.transaction;
	switch (m.type) {
	case EGP_UPLINK:
		if (m.uplink.device != c->device)
			break;
		oci_core_heard(n->core, c->device, m.uplink.lqi);
		e = oci_core_uplink(n->core, clock_ms(), c->device, m.uplink.frame);
		if (e == ERR_STORE)
			log_line(LOG_LEVEL_ERROR, "frame not processed: the store failed", "device=%s", node_name(c->device));
		break;
	case EGP_DELIVERY:
		log_line(LOG_LEVEL_NOTICE, "frame not delivered", "device=%s status=%d", node_name(c->device), (int)m.delivery.status);
		break;
	case EGP_CHILD_EVENT:
		log_line(LOG_LEVEL_INFO, "gateway reports", "device=%s event=%d", node_name(c->device), (int)m.child_event.event);
		on_child_event(n, c->device, &m);
		break;
	case EGP_HELLO:
	case EGP_HELLO_ACK:
	case EGP_JOIN_POLICY:
	case EGP_ACK:
	case EGP_REQUEST:
	case EGP_RESPONSE:
	case EGP_ERROR:
	case EGP_DEVICE_GONE:
	case EGP_DEVICE_REMOVE:
	case EGP_PING:
	case EGP_PONG:
	case EGP_DOWNLINK:
	case EGP_CHILD_SET:
	case EGP_CHILD_DROP:
		break;
	}
	node_pump(n);
	return true;
}

static void on_fetched(void *ctx, const struct onem2m_response *rsp)
{
	struct channel *c = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc, *list;
	struct rd con;

	c->fetching = false;
	if (a && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK) {
		list = json_get(json_get(doc, "m2m:cnt"), "m2m:cin");
		for (const struct json *i = list ? list->first : NULL; i; i = i->next)
			if (json_string(json_get(i, "con"), &con) && !take(c, con, true))
				break;
	}
	json_arena_free(a);
	if (c->fetch_again) {
		c->fetch_again = false;
		fetch(c);
	} else {
		loop_timer_in(c->fetch, rsp->rsc == RSC_OK ? CATCH_UP_MS : SUBSCRIBE_MOST_MS);
	}
}

static void fetch(struct channel *c)
{
	char path[OCI_NAME + 16];

	if (c->fetching) {
		c->fetch_again = true;
		return;
	}
	c->fetching = true;
	path_of(c, "up", path, sizeof path);
	node_request(c->node, ONEM2M_RETRIEVE, path, 0, 8, "rcn=8&ty=4", NULL, on_fetched, c);
}

static void on_fetch_time(void *ctx)
{
	struct channel *c = ctx;

	if (!c->closed)
		fetch(c);
}

static void on_subscribed(void *ctx, const struct onem2m_response *rsp)
{
	struct channel *c = ctx;

	c->asking = false;
	if (rsp->rsc == RSC_CREATED || rsp->rsc == RSC_CONFLICT) {
		if (!c->subscribed)
			log_line(LOG_LEVEL_INFO, "subscribed", "relay=%s", c->relay);
		c->subscribed = true;
		fetch(c);
		return;
	}
	c->wait = c->wait ? c->wait * 2 : SUBSCRIBE_FIRST_MS;
	if (c->wait > SUBSCRIBE_MOST_MS)
		c->wait = SUBSCRIBE_MOST_MS;
	loop_timer_in(c->subscribe, c->wait);
}

/* The containers are made when the device associates: until then this is tried again and again. */
static void on_subscribe_time(void *ctx)
{
	struct channel *c = ctx;
	char path[OCI_NAME + 16], body[300];

	if (c->closed || c->asking)
		return;
	c->asking = true;
	path_of(c, "up", path, sizeof path);
	snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"b-%s\",\"nu\":[\"%s\"],\"nct\":1,\"enc\":{\"net\":[3]}}}", c->node->config.cse_id + 1, c->node->ae);
	node_request(c->node, ONEM2M_CREATE, path, 23, 0, "rcn=0", body, on_subscribed, c);
}

/* ---- down ---- */

static void post(struct channel *c);

static void on_post_time(void *ctx)
{
	post(ctx);
}

static void on_posted(void *ctx, const struct onem2m_response *rsp)
{
	struct channel *c = ctx;
	struct waiting *w = c->first;

	c->posting = false;
	if (!w)
		return;
	if (rsp->rsc != RSC_CREATED && ++w->tries < POST_TRIES) {
		loop_timer_in(c->post, POST_RETRY_MS);
		return;
	}
	if (rsp->rsc != RSC_CREATED)
		log_line(LOG_LEVEL_WARNING, "frame given up: the gateway's CSE does not take it", "device=%s rsc=%d", node_name(c->device), (int)rsp->rsc);
	c->first = w->next;
	if (!c->first)
		c->last = &c->first;
	c->count--;
	free(w);
	post(c);
}

static void post(struct channel *c)
{
	char path[OCI_NAME + 16];

	if (c->posting || !c->first)
		return;
	c->posting = true;
	path_of(c, "down", path, sizeof path);
	node_request(c->node, ONEM2M_CREATE, path, 4, 0, "rcn=0", c->first->body, on_posted, c);
}

void relay_down(struct oci_node *n, uint64_t device, struct egp_message *m)
{
	struct channel *c = channel_of(n, device);
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets), body;
	struct waiting *item;
	struct json_out o;
	struct rd message;

	if (!c)
		return;
	m->transaction = ++n->transaction;
	if (c->count >= DOWN_MAX || egp_encode(m, &w) != OK || !wr_done(&w, &message)) {
		log_line(LOG_LEVEL_WARNING, "frame dropped on its way down", "device=%s waiting=%zu", node_name(device), c->count);
		return;
	}
	item = calloc(1, sizeof *item);
	if (!item)
		abort();
	body = wr_of(item->body, sizeof item->body - 1);
	o = json_out(&body);
	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "cnf", "application/octet-stream:1");
	json_put_base64(&o, "con", message);
	json_close(&o);
	json_close(&o);
	*c->last = item;
	c->last = &item->next;
	c->count++;
	post(c);
}

/* ---- life ---- */

void relay_open(struct oci_node *n, uint64_t device)
{
	struct oci_device *d = oci_core_device(n->core, device);
	struct channel *c = channel_of(n, device);

	if (!d)
		return;
	if (!c) {
		c = calloc(1, sizeof *c);
		if (!c)
			abort();
		c->node = n;
		c->device = device;
		c->last = &c->first;
		c->subscribe = loop_timer_new(n->loop, on_subscribe_time, c);
		c->post = loop_timer_new(n->loop, on_post_time, c);
		c->fetch = loop_timer_new(n->loop, on_fetch_time, c);
		c->next = n->channels;
		n->channels = c;
	}
	snprintf(c->relay, sizeof c->relay, "%s", d->relay);
	c->wait = 0;
	loop_timer_in(c->subscribe, 0);
}

static void on_unsubscribed(void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	(void)rsp; /* that CSE may be gone */
}

/* What is on its way is still answered: the channel stays, closed, until the process ends. */
void relay_close(struct oci_node *n, uint64_t device)
{
	struct channel *c = channel_of(n, device);

	char path[OCI_NAME + 160];

	if (!c)
		return;
	c->closed = true;
	/* what still comes from there must not be taken for what comes from another gateway */
	snprintf(path, sizeof path, "%s/up/b-%s", c->relay, n->config.cse_id + 1);
	node_request(n, ONEM2M_DELETE, path, 0, 0, "rcn=0", NULL, on_unsubscribed, NULL);
}

/* "/id-mn" has "/id-mn/cse-mn/gw1/...". */
static bool hosted_by(const struct channel *c, struct rd cse)
{
	struct rd relay = rd_str(c->relay), host;

	return cse.left > 0 && rd_sub(&relay, cse.left, &host) && rd_equal(host, cse) && rd_starts(relay, "/");
}

/* The notification does not name its container but through the parent's ID: the message names the device itself. */
void relay_notify(struct oci_node *n, struct rd from, struct rd content)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *instance;
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd con, message, body;
	struct channel *c;
	uint64_t device;

	if (!a || json_parse(a, content, NULL, &doc) != OK) {
		json_arena_free(a);
		return;
	}
	instance = json_get(json_get(json_get(json_get(doc, "m2m:sgn"), "nev"), "rep"), "m2m:cin");
	if (json_string(json_get(instance, "con"), &con) && base64_parse(con, &w) && wr_done(&w, &message) && rd_skip(&message, EGP_HEADER)) {
		body = message;
		if (rd_be64(&body, &device) && (c = channel_of(n, device)) != NULL && hosted_by(c, from) && !take(c, con, false))
			fetch(c);
	}
	json_arena_free(a);
}
