/* The simulated device's non-volatile memory: lines of a name and values. Frame counters are stored ahead, so that a device that is switched
 * off at any moment skips numbers and repeats none. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"
#include "sim/device_private.h"

#define MEMORY_MAX 8192
#define LINE_MAX 200

static void put_key(struct wr *w, const char *name, const struct secret *key)
{
	char hex[HEX_SIZE(SECRET_AES128)];

	hex_print(hex, secret_octets(key), SECRET_AES128);
	wr_fmt(w, "%s %s\n", name, hex);
	bytes_wipe(hex, sizeof hex);
}

/* Incoming counters as the lowest number that is still fresh. */
static uint32_t fresh_from(const struct counter_in *in)
{
	return in->any ? in->last + 1 : 0;
}

static void put_network(const struct sim_device *d, struct wr *w)
{
	put_key(w, "network", d->network.key);
	wr_fmt(w, "sequence %u\nnwk-in %u\n", d->network.sequence, fresh_from(&d->network.in));
	if (d->alternate.key) {
		put_key(w, "alternate", d->alternate.key);
		wr_fmt(w, "alternate-state %u %u %u\n", d->alternate.sequence, fresh_from(&d->alternate.in), d->alternate.newer);
	}
	wr_fmt(w, "channel %u\npan %u\nshort %u\nparent %u\nextended-pan %llu\ntrust-centre %llu\n", d->channel, d->pan_id, d->short_address, d->parent,
	    (unsigned long long)d->extended_pan_id, (unsigned long long)d->trust_centre);
	wr_fmt(w, "parent-eui64 %llu\n", (unsigned long long)d->parent_eui64);
	if (d->config.router)
		device_parent_write(d, w);
	wr_fmt(w, "commissioned %d\n", d->state >= DEVICE_COMMISSIONED || (d->state == DEVICE_AWAITING_KEY && d->unsecured_rejoin));
}

static void put_pin(struct wr *w, size_t user, const struct device_pin *p)
{
	char digits[HEX_SIZE(DEVICE_PIN_MAX)];

	hex_print(digits, p->digits, p->len);
	if (p->len > 0)
		wr_fmt(w, "pin%zu %s\n", user, digits);
	bytes_wipe(digits, sizeof digits);
}

static void put_application(const struct sim_device *d, struct wr *w)
{
	wr_fmt(w, "cie %llu\nenrolled %d\nalarm %u\n", (unsigned long long)d->cie, d->enrolled, d->zone_status);
	wr_fmt(w, "energy %llu\ncheck-in %u\n", (unsigned long long)d->energy, d->check_in_quarters);
	wr_fmt(w, "version %u\n", (unsigned)d->version);
	device_values_write(d, w);
	device_groups_write(d, w);
	for (size_t i = 0; i < DEVICE_PINS; i++)
		put_pin(w, i, &d->pins[i]);
	for (size_t i = 0; i < d->binding_count; i++)
		wr_fmt(w, "bind %u %llu %u %u\n", d->bindings[i].cluster, (unsigned long long)d->bindings[i].destination, d->bindings[i].destination_endpoint, d->bindings[i].endpoint);
	for (size_t i = 0; i < d->report_count; i++)
		wr_fmt(w, "report %u %u %u %u %u %llu %u\n", d->reports[i].cluster, d->reports[i].attribute, d->reports[i].type, d->reports[i].minimum_s,
		    d->reports[i].maximum_s, (unsigned long long)d->reports[i].change, d->reports[i].endpoint);
}

static enum err save_with(struct sim_device *d, uint32_t nwk, uint32_t aps)
{
	struct wr w = wr_new(MEMORY_MAX);
	struct rd text;
	enum err e = ERR_NO_MEMORY;

	wr_fmt(&w, "nwk-out %u\naps-out %u\n", nwk, aps);
	put_key(&w, "link", d->link.set.link);
	wr_fmt(&w, "unique %d\naps-in %u\n", d->link_is_unique, fresh_from(&d->link.in));
	if (device_joined(d))
		put_network(d, &w);
	put_application(d, &w);
	wr_fmt(&w, "end 0\n");
	if (wr_done(&w, &text))
		e = d->config.save(d->config.save_ctx, text);
	if (w.octets)
		bytes_wipe(w.octets, w.len);
	wr_free(&w);
	return e;
}

void device_save(struct sim_device *d)
{
	if (save_with(d, d->nwk_out.reserved, d->aps_out.reserved) != OK)
		device_event(d, "memory-failed", "%s", "");
}

enum err device_reserve_nwk(void *ctx, uint32_t limit)
{
	struct sim_device *d = ctx;

	return save_with(d, limit, d->aps_out.reserved);
}

enum err device_reserve_aps(void *ctx, uint32_t limit)
{
	struct sim_device *d = ctx;

	return save_with(d, d->nwk_out.reserved, limit);
}

/* ---- recall ---- */

#define VALUES_MAX 7

struct recalled {
	struct sim_device *d;
	struct secret *link;
	bool *commissioned;
	bool end; /* the last line was there */
};

static bool get_key(const char *hex, struct secret **key)
{
	uint8_t octets[SECRET_AES128];

	if (!hex_parse(rd_str(hex), octets, sizeof octets))
		return false;
	secret_free(*key);
	*key = secret_take(octets, sizeof octets);
	return *key != NULL;
}

static void set_fresh_from(struct counter_in *in, unsigned long long v)
{
	if (v > 0)
		counter_in_accept(in, (uint32_t)v - 1);
}

static void recall_network(struct recalled *r, const char *name, const unsigned long long v[static VALUES_MAX])
{
	struct sim_device *d = r->d;

	if (strcmp(name, "sequence") == 0) {
		d->network.sequence = (uint8_t)v[0];
	} else if (strcmp(name, "nwk-in") == 0) {
		set_fresh_from(&d->network.in, v[0]);
	} else if (strcmp(name, "alternate-state") == 0) {
		d->alternate.sequence = (uint8_t)v[0];
		set_fresh_from(&d->alternate.in, v[1]);
		d->alternate.newer = v[2];
	} else if (strcmp(name, "channel") == 0) {
		d->channel = (uint8_t)v[0];
	} else if (strcmp(name, "pan") == 0) {
		d->pan_id = (uint16_t)v[0];
	} else if (strcmp(name, "short") == 0) {
		d->short_address = (uint16_t)v[0];
	} else if (strcmp(name, "parent") == 0) {
		d->parent = (uint16_t)v[0];
	} else if (strcmp(name, "parent-eui64") == 0) {
		d->parent_eui64 = v[0];
	} else if (strcmp(name, "depth") == 0) {
		d->router.depth = (uint8_t)v[0];
	} else if (strcmp(name, "child") == 0) {
		device_parent_recall(d, v[0], (uint16_t)v[1], (uint8_t)v[2], (uint32_t)v[3]);
	} else if (strcmp(name, "extended-pan") == 0) {
		d->extended_pan_id = v[0];
	} else if (strcmp(name, "trust-centre") == 0) {
		d->trust_centre = v[0];
	} else if (strcmp(name, "commissioned") == 0) {
		*r->commissioned = v[0];
	}
}

static void recall_version(struct sim_device *d, uint32_t version)
{
	d->version = version;
	if (version > 1)
		snprintf(d->build, sizeof d->build, "%u", (unsigned)version);
}

static void recall_application(struct sim_device *d, const char *name, int n, const unsigned long long v[static VALUES_MAX])
{
	if (strcmp(name, "cie") == 0)
		d->cie = v[0];
	else if (strcmp(name, "enrolled") == 0)
		d->enrolled = v[0];
	else if (strcmp(name, "value") == 0 && n == 4)
		device_value_recall(d, v[0], v[1], v[2], v[3]);
	else if (strcmp(name, "group") == 0 && n == 2)
		device_group_recall(d, v[0], v[1]);
	else if (strcmp(name, "scene") == 0 && n == 4)
		device_scene_recall(d, v[0], v[1], v[2], v[3]);
	else if (strcmp(name, "scene-part") == 0 && n == 5)
		device_scene_part_recall(d, v[0], v[1], v[2], v[3], v[4]);
	else if (strcmp(name, "version") == 0)
		recall_version(d, (uint32_t)v[0]);
	else if (strcmp(name, "alarm") == 0)
		d->zone_status = (uint16_t)v[0];
	else if (strcmp(name, "energy") == 0)
		d->energy = v[0];
	else if (strcmp(name, "check-in") == 0)
		d->check_in_quarters = (uint32_t)v[0];
	else if (strcmp(name, "bind") == 0 && n == 4 && d->binding_count < DEVICE_BINDINGS)
		d->bindings[d->binding_count++] = (struct binding){(uint8_t)v[3], (uint16_t)v[0], v[1], (uint8_t)v[2]};
	else if (strcmp(name, "report") == 0 && n == 7 && d->report_count < DEVICE_REPORTS)
		d->reports[d->report_count++] = (struct reporting){.endpoint = (uint8_t)v[6], .cluster = (uint16_t)v[0], .attribute = (uint16_t)v[1], .type = (uint8_t)v[2], .minimum_s = (uint16_t)v[3], .maximum_s = (uint16_t)v[4], .change = v[5]};
}

static bool get_pin(struct sim_device *d, const char *name, const char *hex)
{
	uint64_t user;
	size_t len;

	if (!rd_decimal(rd_str(name + 3), &user) || user >= DEVICE_PINS || !hex_parse_loose(rd_str(hex), d->pins[user].digits, DEVICE_PIN_MAX, &len))
		return false;
	d->pins[user].len = (uint8_t)len;
	return true;
}

static bool recall_line(struct recalled *r, const char *line)
{
	struct sim_device *d = r->d;
	char name[32], text[80];
	unsigned long long v[VALUES_MAX] = {0};
	bool ok = true;
	int n;

	if (sscanf(line, "%31s %79s", name, text) != 2)
		return false;
	if (strcmp(name, "link") == 0)
		ok = get_key(text, &r->link);
	else if (strcmp(name, "network") == 0)
		ok = get_key(text, &d->network.key);
	else if (strcmp(name, "alternate") == 0)
		ok = get_key(text, &d->alternate.key);
	else if (strncmp(name, "pin", 3) == 0)
		ok = get_pin(d, name, text);
	else if ((n = sscanf(line, "%*s %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6])) < 1)
		ok = false;
	else if (strcmp(name, "nwk-out") == 0)
		counter_init(&d->nwk_out, (uint32_t)v[0], DEVICE_COUNTER_BLOCK);
	else if (strcmp(name, "aps-out") == 0)
		counter_init(&d->aps_out, (uint32_t)v[0], DEVICE_COUNTER_BLOCK);
	else if (strcmp(name, "unique") == 0)
		d->link_is_unique = v[0];
	else if (strcmp(name, "aps-in") == 0)
		set_fresh_from(&d->link.in, v[0]);
	else if (strcmp(name, "end") == 0)
		r->end = true;
	else {
		recall_network(r, name, v);
		recall_application(d, name, n, v);
	}
	bytes_wipe(text, sizeof text);
	return ok;
}

static bool channel_is_right(const struct sim_device *d)
{
	return (d->channel == 0 && !d->network.key) || (d->channel >= SIM_CHANNEL_FIRST && d->channel <= SIM_CHANNEL_LAST);
}

bool device_recall(struct sim_device *d, struct rd memory, bool *commissioned)
{
	struct recalled r = {.d = d, .commissioned = commissioned, .end = memory.left == 0};
	char text[LINE_MAX];
	struct rd line;
	bool ok = true;

	while (ok && rd_line(&memory, &line))
		ok = rd_text(line, text, sizeof text) && recall_line(&r, text);
	bytes_wipe(text, sizeof text);
	if (r.link && ok) {
		link_key_set_clear(&d->link.set);
		ok = link_key_set_take(&d->link.set, r.link) == OK;
	} else {
		secret_free(r.link);
	}
	return ok && r.end && channel_is_right(d);
}
