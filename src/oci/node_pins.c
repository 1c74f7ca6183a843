/* The PIN table of a door lock, ZCL 7.3.2.17: a container `pins` below the device that only the administrator may use. What is created in `pins/down` goes to the lock
 * and is deleted at once; `pins/table` gets how it ended, without PINs. A PIN is in no log, and nowhere once the lock has it.
 *
 *	pins/down:   {"user": 3, "pin": "4711"} sets, {"user": 3} clears, {"lock": false, "pin": "4711"} locks or unlocks with a PIN
 *	pins/table:  {"user": 3, "set": true, "done": true} */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_watch.h"

#define PIN_MAX 16
#define KEPT 50
#define SET_PIN 0x05
#define GET_PIN 0x06
#define CLEAR_PIN 0x07
#define ENABLED 1
#define UNRESTRICTED 0

static const struct oci_endpoint *lock_of(const struct oci_device *d)
{
	for (size_t i = 0; d && i < d->endpoint_count; i++)
		for (size_t k = 0; k < d->endpoints[i].in_count; k++)
			if (d->endpoints[i].in[k] == ZCL_DOOR_LOCK)
				return &d->endpoints[i];
	return NULL;
}

/* Nobody is in its privileges: who is left is who needs none, the administrator and this part of the CSE. */
void pins_make(struct oci_node *n, const struct oci_device *d, const char *path)
{
	char to[JOB_TO_MAX], body[500];

	if (!lock_of(d))
		return;
	snprintf(body, sizeof body, "{\"m2m:acp\":{\"rn\":\"pins-%016llx\",\"pv\":{\"acr\":[{\"acor\":[\"%s\"],\"acop\":63}]},\"pvs\":{\"acr\":[{\"acor\":[\"%s\"],\"acop\":63}]}}}",
	    (unsigned long long)d->eui64, n->ae, n->ae);
	node_job(n, ONEM2M_CREATE, n->config.cse_name, 1, rd_str(body), NULL, NULL);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"pins", "down", "table"};

		snprintf(to, sizeof to, "%s%s", path, i ? "/pins" : "");
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":%d,\"acpi\":[\"%s/pins-%016llx\"]}}", names[i], i ? KEPT : 0, n->config.cse_name, (unsigned long long)d->eui64);
		node_job(n, ONEM2M_CREATE, to, 3, rd_str(body), NULL, NULL);
	}
	snprintf(to, sizeof to, "%s/pins/down", path);
	watch_make(n, to, WATCH_PINS, d->eui64, "pins", NULL);
}

struct pin_order {
	bool locks, set;   /* locks: an operation of the lock; set: a new PIN */
	bool wanted;       /* of an operation: locked */
	uint64_t user;
	uint8_t pin[PIN_MAX];
	size_t len;
};

static bool order_parse(const struct json *v, struct pin_order *o)
{
	struct rd pin = rd_of(NULL, 0);

	o->locks = json_get(v, "lock") != NULL;
	o->set = json_get(v, "pin") != NULL;
	if (o->set && (!json_string(json_get(v, "pin"), &pin) || pin.left == 0 || pin.left > PIN_MAX))
		return false;
	o->len = pin.left;
	if (o->len > 0)
		memcpy(o->pin, pin.at, o->len);
	return o->locks ? json_bool(json_get(v, "lock"), &o->wanted) && o->set : json_uint(json_get(v, "user"), &o->user) && o->user < UINT16_MAX;
}

static enum err send(struct oci_node *n, uint64_t device, const struct pin_order *o)
{
	const struct oci_endpoint *e = lock_of(oci_core_device(n->core, device));
	struct oci_raw raw = {.endpoint = e ? e->id : 1, .cluster = ZCL_DOOR_LOCK};
	uint8_t buffer[PIN_MAX + 8];
	struct wr w = wr_of(buffer, sizeof buffer);
	enum err result;

	if (o->locks) {
		raw.command = o->wanted ? ZCL_DOOR_LOCK_LOCK : ZCL_DOOR_LOCK_UNLOCK;
	} else {
		raw.command = o->set ? SET_PIN : CLEAR_PIN;
		wr_le16(&w, (uint16_t)o->user);
	}
	if (!o->locks && o->set) {
		wr_u8(&w, ENABLED);
		wr_u8(&w, UNRESTRICTED);
	}
	if (o->set) {
		wr_u8(&w, (uint8_t)o->len);
		wr_copy(&w, o->pin, o->len);
	}
	result = w.spoilt ? ERR_TOO_LONG : oci_core_raw(n->core, clock_ms(), device, &raw, rd_of(buffer, w.len));
	bytes_wipe(buffer, sizeof buffer);
	return result;
}

static void note(struct oci_node *n, uint64_t device, const char *content)
{
	char path[200], to[JOB_TO_MAX], body[300];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd text;

	device_path(n, device, path, sizeof path);
	snprintf(to, sizeof to, "%s/pins/table", path);
	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "con", content);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_CREATE, to, 4, text, NULL, NULL);
}

/* What was created is deleted before anything else is done with it. */
static void forget_instance(struct oci_node *n, const struct json *instance)
{
	char id[100], to[200];

	if (json_text(json_get(instance, "ri"), id, sizeof id)) {
		snprintf(to, sizeof to, "%s/%s", n->config.cse_id, id);
		node_job(n, ONEM2M_DELETE, to, 0, rd_of(NULL, 0), NULL, NULL);
	}
}

void pins_down(struct oci_node *n, uint64_t device, const struct json *instance)
{
	const struct json *con = json_get(instance, "con"), *doc = con;
	struct json_arena *a = json_arena_new();
	struct pin_order order = {.locks = false};
	enum err e = OK;
	struct watch *w;
	struct rd text;

	forget_instance(n, instance);
	if (json_string(con, &text))
		e = json_parse(a, text, NULL, &doc);
	if (e == OK && !order_parse(doc, &order))
		e = ERR_MALFORMED;
	if (e == OK)
		e = send(n, device, &order);
	if (e == OK && !order.locks && (w = watch_find(n, WATCH_PINS, device)) != NULL)
		w->user = order.user;
	if (e != OK)
		log_line(LOG_LEVEL_WARNING, "PIN table not changed", "device=%s reason=%s", node_name(device), log_quote(rd_str(err_text(e))));
	bytes_wipe(&order, sizeof order);
	json_arena_free(a);
}

/* status(1), of a PIN that was set or cleared or came with an operation; or, of one that was asked for, user(2) status(1) and what stays here: the PIN. */
bool pins_up(struct oci_node *n, const struct oci_effect *e)
{
	const struct watch *w = watch_find(n, WATCH_PINS, e->eui64);
	struct rd in = rd_of(e->octets, e->len);
	char content[100];
	uint16_t user;
	uint8_t status;

	if (e->raw.cluster != ZCL_DOOR_LOCK || e->raw.global || !e->raw.from_server || e->raw.manufacturer != 0 || !w)
		return false;
	if (e->raw.command == GET_PIN) {
		if (rd_le16(&in, &user) && rd_u8(&in, &status)) {
			snprintf(content, sizeof content, "{\"user\":%u,\"set\":%s}", user, status ? "true" : "false");
			note(n, e->eui64, content);
		}
		return true;
	}
	if (!rd_u8(&in, &status))
		return false;
	switch (e->raw.command) {
	case SET_PIN:
	case CLEAR_PIN:
		snprintf(content, sizeof content, "{\"user\":%llu,\"set\":%s,\"done\":%s}", (unsigned long long)w->user, e->raw.command == SET_PIN ? "true" : "false",
		    status == ZCL_SUCCESS ? "true" : "false");
		break;
	case ZCL_DOOR_LOCK_LOCK:
	case ZCL_DOOR_LOCK_UNLOCK:
		snprintf(content, sizeof content, "{\"lock\":%s,\"done\":%s}", e->raw.command == ZCL_DOOR_LOCK_LOCK ? "true" : "false", status == ZCL_SUCCESS ? "true" : "false");
		break;
	default:
		return false;
	}
	note(n, e->eui64, content);
	return true;
}
