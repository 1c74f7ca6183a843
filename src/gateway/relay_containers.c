/* The containers of a device at the registrar CSE: made one after the other, then read, so that nothing is lost and no number is used twice. */
#include "gateway/relay_private.h"

#include <stdio.h>
#include <string.h>

#include "loop/log.h"

#define UP_INSTANCES 500
#define DOWN_INSTANCES 100

/* Numbers only grow, also when we have lost our epoch: behind the latest message that the CSE has. */
static void on_latest(struct channel *c, const struct json *doc)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct egp_message m;
	struct rd con, message;

	if (json_string(json_path(doc, "m2m:cin.con"), &con) && base64_parse(con, &w) && wr_done(&w, &message) && egp_decode(message, &m) == OK &&
	    (int32_t)(m.transaction - c->transaction) > 0)
		c->transaction = m.transaction;
}

static void on_there(struct channel *c, const struct json *doc)
{
	const struct json *container = json_get(doc, "m2m:cnt");
	const struct json *i = down_first_new(&c->down, json_get(container, "m2m:cin"));

	if (!json_text(json_get(container, "ri"), c->down.container, sizeof c->down.container))
		c->down.container[0] = '\0';
	c->calling = true; /* whatever a message leads to, the channel stays until we are through */
	for (; i && !c->gone; i = i->next)
		channel_carry_out(c, i, true);
	c->calling = false;
}

static void on_retrieved(struct channel *c, const struct http_result *res)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (a && res->status < 300 && json_parse(a, res->body, NULL, &doc) == OK) {
		if (c->step == STEP_LATEST)
			on_latest(c, doc);
		else
			on_there(c, doc);
	}
	json_arena_free(a);
}

/* True: go on with the next step. */
static bool step_taken(struct channel *c, const struct http_result *res)
{
	bool policy = c->step == STEP_ACP_UP || c->step == STEP_ACP_DOWN;
	bool retrieval = c->step == STEP_LATEST || c->step == STEP_CATCH_UP;

	if (policy && res->error == OK && res->status == 409 && !c->update) {
		c->update = true;
		channel_go(c);
		return false;
	}
	/* a CSE that does not let us look is not asked again: notifications are what counts */
	if (retrieval && res->error == OK && res->status < 500)
		on_retrieved(c, res);
	else if (!relay_made(res)) {
		if (res->error == OK)
			log_line(LOG_LEVEL_WARNING, "container not made", "device=%s step=%d status=%u", c->name, (int)c->step, res->status);
		loop_timer_in(c->retry, RELAY_RETRY_MS);
		return false;
	}
	return true;
}

static void on_step(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;

	c->calling = false;
	relay_note_clock(c->relay, res);
	if (!c->gone && !c->start_over && !step_taken(c, res))
		return;
	if (c->gone) {
		channel_reap(c);
		return;
	}
	c->update = false;
	if (c->step == STEP_CATCH_UP && c->again)
		c->again = false;
	else
		c->step++;
	channel_go(c);
}

static const char *acp_name(const struct channel *c)
{
	return c->step == STEP_ACP_UP ? "up" : "down";
}

/* up: the owner retrieves, discovers, and subscribes (CREATE); down: it only creates */
static void put_policy(const struct channel *c, char *body, size_t size)
{
	const struct relay_config *k = &c->relay->config;
	char name[64] = "";

	if (!c->update)
		snprintf(name, sizeof name, "\"rn\":\"%s-%s\",", c->name, acp_name(c));
	snprintf(body, size,
	    "{\"m2m:acp\":{%s\"pv\":{\"acr\":[{\"acor\":[\"%s\",\"%s/*\"],\"acop\":%d},{\"acor\":[\"%s/%s\"],\"acop\":63}]},"
	    "\"pvs\":{\"acr\":[{\"acor\":[\"%s/%s\"],\"acop\":63}]}}}",
	    name, c->owner, c->owner, c->step == STEP_ACP_UP ? 35 : 1, k->cse_id, k->ae_id, k->cse_id, k->ae_id);
}

void channel_make_step(struct channel *c)
{
	const struct relay_config *k = &c->relay->config;
	char path[200], body[RELAY_BODY_MAX] = "";
	const char *method = "POST";
	int ty = 3;

	snprintf(path, sizeof path, "/%s", k->name);
	switch (c->step) {
	case STEP_ACP_UP:
	case STEP_ACP_DOWN:
		ty = c->update ? 0 : 1;
		method = c->update ? "PUT" : "POST";
		if (c->update)
			snprintf(path, sizeof path, "/%s/%s-%s", k->name, c->name, acp_name(c));
		put_policy(c, body, sizeof body);
		break;
	case STEP_DEVICE:
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"lbl\":[\"zigbee-relay\"]}}", c->name);
		break;
	case STEP_UP:
	case STEP_DOWN:
		snprintf(path, sizeof path, "/%s/%s", k->name, c->name);
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":%d,\"acpi\":[\"%s/%s/%s-%s\"]}}", c->step == STEP_UP ? "up" : "down",
		    c->step == STEP_UP ? UP_INSTANCES : DOWN_INSTANCES, k->cse_name, k->name, c->name, c->step == STEP_UP ? "up" : "down");
		break;
	case STEP_SUBSCRIBE:
		ty = 23;
		snprintf(path, sizeof path, "/%s/%s/down", k->name, c->name);
		snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"ni\",\"nu\":[\"%s/%s\"],\"nct\":1,\"enc\":{\"net\":[3]}}}", k->cse_id, k->ae_id);
		break;
	case STEP_LATEST:
	case STEP_CATCH_UP:
		ty = 0;
		method = "GET";
		snprintf(path, sizeof path, "/%s/%s/%s", k->name, c->name, c->step == STEP_LATEST ? "up/la" : "down?rcn=4&ty=4");
		break;
	case STEP_DONE:
		return;
	}
	c->calling = true;
	relay_call(c->relay, method, path, ty, body, on_step, c);
}

static void on_deleted(void *ctx, const struct http_result *res)
{
	relay_note_clock(ctx, res);
	if (res->error != OK || (res->status >= 300 && res->status != 404))
		log_line(LOG_LEVEL_WARNING, "resources of a removed device stay", "status=%u reason=%s", res->status, err_name(res->error));
}

void channel_delete(struct relay *r, uint64_t device)
{
	static const char *const kinds[] = {"", "-up", "-down"}; /* the container of both containers; the policies when nothing is under them any more */
	char path[200], name[EUI64_SIZE];

	eui64_print(name, device);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		snprintf(path, sizeof path, "/%s/%s%s?rcn=0", r->config.name, name, kinds[i]);
		relay_call(r, "DELETE", path, 0, NULL, on_deleted, r);
	}
}
