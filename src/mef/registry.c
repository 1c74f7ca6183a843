/* Devices and gateways as the operator registers them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mef.h"
#include "zigbee/security/install_code.h"

#define MESSAGE 256
#define FULL_CODE 18 /* 16 octets and the CRC; BDB 3.0 clause 10.1 */

void mef_key_link(struct mef *m, struct mef_device *d, struct mef_generation *g)
{
	g->device = d;
	table_add(&m->keys, &g->by_key, table_hash_octets(g->key_id, strlen(g->key_id)));
}

void mef_key_unlink(struct mef *m, struct mef_generation *g)
{
	if (g->device)
		table_remove(&m->keys, &g->by_key);
	g->device = NULL;
}

void mef_device_link(struct mef *m, struct mef_device *d)
{
	table_add(&m->devices, &d->by_eui64, table_hash(d->eui64));
	if (d->present)
		mef_key_link(m, d, d->present);
	if (d->former)
		mef_key_link(m, d, d->former);
	mef_member_link(m, d);
}

struct mef_device *mef_device_next(const struct mef *m, const struct mef_device *d)
{
	return table_owner(table_each(&m->devices, d ? &d->by_eui64 : NULL), struct mef_device, by_eui64);
}

void mef_device_wait(struct mef *m, struct mef_device *d, uint64_t at_ms)
{
	if (at_ms == CLOCK_NEVER)
		timers_unset(&m->deadlines, &d->deadline);
	else
		timers_set(&m->deadlines, &d->deadline, at_ms);
}

struct mef_device *mef_device_find(struct mef *m, uint64_t eui64)
{
	struct table_node *n = table_find(&m->devices, table_hash(eui64)); /* of 64 bits no two have the same hash */

	return table_owner(n, struct mef_device, by_eui64);
}

bool mef_key_find(struct mef *m, struct rd key_id, struct mef_device **d, struct mef_generation **g)
{
	for (struct table_node *n = table_find(&m->keys, table_hash_octets(key_id.at, key_id.left)); n; n = table_find_next(n)) {
		*g = table_owner(n, struct mef_generation, by_key);
		*d = (*g)->device;
		if (rd_is(key_id, (*g)->key_id))
			return true;
	}
	return false;
}

static uint64_t text_hash(const char *text)
{
	return table_hash_octets(text, strlen(text));
}

void mef_gateway_link(struct mef *m, struct mef_gateway *g)
{
	table_add(&m->gateways_by_name, &g->by_name, text_hash(g->name));
	table_add(&m->gateways_by_eui64, &g->by_eui64, table_hash(g->eui64));
	table_add(&m->gateways_by_identity, &g->by_identity, text_hash(g->identity));
}

struct mef_gateway *mef_gateway_find(struct mef *m, const char *name)
{
	struct table_node *n = table_find(&m->gateways_by_name, text_hash(name));

	while (n && strcmp(table_owner(n, struct mef_gateway, by_name)->name, name) != 0)
		n = table_find_next(n);
	return table_owner(n, struct mef_gateway, by_name);
}

struct mef_gateway *mef_gateway_by_eui64(struct mef *m, uint64_t eui64)
{
	struct table_node *n = table_find(&m->gateways_by_eui64, table_hash(eui64));

	return table_owner(n, struct mef_gateway, by_eui64);
}

struct mef_gateway *mef_gateway_by_identity(struct mef *m, const char *identity)
{
	struct table_node *n = table_find(&m->gateways_by_identity, text_hash(identity));

	while (n && strcmp(table_owner(n, struct mef_gateway, by_identity)->identity, identity) != 0)
		n = table_find_next(n);
	return table_owner(n, struct mef_gateway, by_identity);
}

bool mef_name_parse(struct rd text, char *dst, size_t size, const char *marks)
{
	struct rd rest = text;
	uint8_t c;

	while (rd_u8(&rest, &c))
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(marks, c))))
			return false;
	return text.left > 0 && rd_text(text, dst, size);
}

/* ---- devices ---- */

/* Says where an install code is wrong without repeating it: it is a secret. */
static void code_malformed(uint64_t eui64, struct rd text, char message[static MESSAGE])
{
	size_t digits = 0, place = 0;
	uint8_t c;

	while (rd_u8(&text, &c)) {
		place++;
		if (c == ' ' || c == ':' || c == '-' || c == '\t')
			continue;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
			snprintf(message, MESSAGE, "device %016llx: character %zu of the install code is no hexadecimal digit; the code has 36 of them (16 octets and "
						   "the checksum), spaces, ':' and '-' between them don't matter",
			    (unsigned long long)eui64, place);
			return;
		}
		digits++;
	}
	snprintf(message, MESSAGE, "device %016llx: the install code has %zu digits where it needs 36 hexadecimal digits, 16 octets and the checksum, as on the label "
				   "(older devices: 16, 20 or 28)",
	    (unsigned long long)eui64, digits);
}

static enum err code_error(enum err e, uint64_t eui64, struct rd text, char message[static MESSAGE])
{
	if (e == ERR_BAD_CRC)
		snprintf(message, MESSAGE, "device %016llx: the install code's checksum is wrong: its last four digits don't match those before them; compare it with "
					   "the label, digit by digit",
		    (unsigned long long)eui64);
	else
		code_malformed(eui64, text, message);
	return e;
}

/* The code itself is gone when this returns. */
static enum err install_key(const struct mef *m, uint64_t eui64, struct rd text, struct secret **link_key, char message[static MESSAGE])
{
	struct secret *code = NULL;
	enum err e = install_code_parse(text, &code);

	if (e != OK)
		return code_error(e, eui64, text, message);
	if (secret_len(code) < FULL_CODE && !m->config.short_install_codes) {
		snprintf(message, MESSAGE, "device %016llx: short install codes (%zu octets) are refused because they can be guessed; if the device has no other, set "
					   "`short_install_codes = yes` in [policy] of the MEF's configuration",
		    (unsigned long long)eui64, secret_len(code) - 2);
		e = ERR_NOT_PERMITTED;
	} else {
		e = install_code_link_key(code, link_key);
	}
	secret_free(code);
	return e;
}

static enum err order_check(struct mef *m, const struct mef_device_order *o, struct mef_device *d, char message[static MESSAGE])
{
	const struct mef_application *group;
	const struct mef_device *there;

	if (!eui64_parse(o->device, &d->eui64) || d->eui64 == 0 || d->eui64 == UINT64_MAX) {
		snprintf(message, MESSAGE, "`device` is not an EUI-64: it needs 16 hexadecimal digits, such as 00124b0001020304");
		return ERR_BAD_VALUE;
	}
	if (!mef_name_parse(o->owner, d->owner, sizeof d->owner, "-_.") && !(rd_starts(o->owner, "/") && mef_name_parse(o->owner, d->owner, sizeof d->owner, "/-_."))) {
		snprintf(message, MESSAGE, "`owner` is not a CSE-ID: give the node that may talk to the device, such as /id-b");
		return ERR_BAD_VALUE;
	}
	if (!mef_name_parse(o->gateway, d->gateway, sizeof d->gateway, "-_.") || !mef_gateway_find(m, d->gateway)) {
		snprintf(message, MESSAGE, "the gateway is not registered; register it first: `keyway gateway add NAME`");
		return ERR_NOT_FOUND;
	}
	if (o->application.left > 0 && !mef_name_parse(o->application, d->application, sizeof d->application, "-_. ")) {
		snprintf(message, MESSAGE, "`application` may hold letters, digits, '-', '_', '.' and spaces, at most %d", MEF_NAME_MAX - 1);
		return ERR_BAD_VALUE;
	}
	group = mef_application_find(m, d->application);
	if (group && group->policy == MEF_POLICY_GROUP && strcmp(group->owner, d->owner) != 0) {
		snprintf(message, MESSAGE, "the devices of this application share a key, and %s owns them all: give it as `owner`", group->owner);
		return ERR_NOT_PERMITTED;
	}
	there = mef_device_find(m, d->eui64);
	if (there) {
		snprintf(message, MESSAGE, there->state == DEVICE_REMOVED
			? "device %016llx is being removed and its node has not confirmed it yet; try again in a moment"
			: "device %016llx is registered already; remove it first if its install code or owner changed",
		    (unsigned long long)d->eui64);
		return ERR_EXISTS;
	}
	return OK;
}

enum err mef_device_check(struct mef *m, const struct mef_device_order *o, char message[static MESSAGE])
{
	struct mef_device d = {.eui64 = 0};
	struct secret *link_key = NULL;
	enum err e = order_check(m, o, &d, message);

	if (e == OK)
		e = install_key(m, d.eui64, o->code, &link_key, message);
	secret_free(link_key);
	return e;
}

enum err mef_device_add(struct mef *m, const struct mef_device_order *o, struct mef_device **out, char message[static MESSAGE])
{
	struct mef_device *d = calloc(1, sizeof *d);
	uint32_t reserved = 0;
	enum err e;

	snprintf(message, MESSAGE, "the device could not be stored; look into the MEF's log");
	if (!d)
		return ERR_NO_MEMORY;
	d->registered_at = clock_unix_ms() / 1000;
	d->replaces = o->replaces;
	e = order_check(m, o, d, message);
	if (e == OK)
		e = install_key(m, d->eui64, o->code, &d->install, message);
	if (e == OK)
		e = mef_store_counter(m->store, d->eui64, &reserved);
	counter_init(&d->out, reserved, MEF_COUNTER_BLOCK);
	if (e == OK)
		e = mef_audit(m, "device registered", d->eui64, d->gateway, d->owner, d->application[0] ? d->application : NULL);
	if (e == OK)
		e = mef_store_device_put(m->store, d);
	if (e != OK) {
		mef_device_free(d);
		return e;
	}
	log_line(LOG_LEVEL_INFO, "device registered", "device=%016llx owner=%s gateway=%s", (unsigned long long)d->eui64, d->owner, d->gateway);
	mef_device_link(m, d);
	*out = d;
	return OK;
}

/* ---- gateways ---- */

static bool identity_parse(struct rd text, char identity[static MEF_IDENTITY_MAX])
{
	return mef_name_parse(text, identity, MEF_IDENTITY_MAX, "-_.:/@");
}

enum err mef_gateway_register(struct mef *m, const struct mef_gateway_order *o, struct mef_gateway **out, char message[static MESSAGE])
{
	struct mef_gateway *g = calloc(1, sizeof *g);
	enum err e = ERR_BAD_VALUE;

	snprintf(message, MESSAGE, "the gateway could not be stored; look into the MEF's log");
	if (!g)
		return ERR_NO_MEMORY;
	if (!mef_name_parse(o->name, g->name, sizeof g->name, "-_."))
		snprintf(message, MESSAGE, "`name` is needed: letters, digits, '-', '_' and '.'");
	else if (!eui64_parse(o->eui64, &g->eui64) || g->eui64 == 0 || g->eui64 == UINT64_MAX)
		snprintf(message, MESSAGE, "`eui64` is not an EUI-64: it needs 16 hexadecimal digits");
	else if (!rd_starts(o->relay, "/") || !mef_name_parse(o->relay, g->relay, sizeof g->relay, "/-_."))
		snprintf(message, MESSAGE, "`relay` is needed: the SP-relative ID of the gateway's AE, such as /id-mn/cse-mn/gw1");
	else if (!identity_parse(o->identity, g->identity))
		snprintf(message, MESSAGE, "`identity` is needed: what stands in the gateway's certificate, or its PSK identity");
	else if (mef_gateway_find(m, g->name) || mef_gateway_by_eui64(m, g->eui64) || mef_gateway_by_identity(m, g->identity)) {
		snprintf(message, MESSAGE, "a gateway with this name, EUI-64 or identity is registered already");
		e = ERR_EXISTS;
	} else {
		e = mef_audit(m, "gateway registered", 0, g->name, "operator", g->identity);
		if (e == OK)
			e = mef_store_gateway_put(m->store, g);
		g->eg = e == OK ? eg_gateway_add(m->eg, g->eui64) : NULL;
		if (e == OK && (!g->eg || !mef_noise_init(&g->noise)))
			e = ERR_NO_MEMORY;
	}
	if (e != OK) {
		mef_gateway_free(g);
		return e;
	}
	log_line(LOG_LEVEL_INFO, "gateway registered", "gateway=%s eui64=%016llx identity=%s", g->name, (unsigned long long)g->eui64, g->identity);
	g->next = m->gateways;
	m->gateways = g;
	mef_gateway_link(m, g);
	*out = g;
	return OK;
}
