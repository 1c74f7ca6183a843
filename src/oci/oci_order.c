/* UPDATEs of a device's resources: the frames that they come to, and for which members. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

static bool json_to_text(const struct json *v, char text[OCI_TEXT])
{
	struct wr w = wr_of(text, OCI_TEXT - 1);
	struct json_out o = json_out(&w);
	double n;

	if (json_double(v, &n) && n > -1e15 && n < 1e15 && floor(n) >= n)
		json_put_int(&o, NULL, (int64_t)n); /* 20.0 is 20 */
	else
		json_put(&o, NULL, v);
	text[w.len] = '\0';
	return !w.spoilt && v->type <= JSON_NUMBER && v->type != JSON_NULL;
}

/* The colour after the UPDATE. */
static void rgb_of(const struct json *members, uint8_t rgb[3])
{
	static const char *const names[] = {"red", "green", "blue"};

	for (int i = 0; i < 3; i++) {
		const struct json *v = json_get(members, names[i]);
		double n = 0;

		rgb[i] = 0;
		if (json_double(v, &n))
			rgb[i] = (uint8_t)(n < 0 ? 0 : n > 255 ? 255 : n);
	}
}

bool oci_write_payload(const struct point_write *write, const struct wanted *wanted, struct wr *w)
{
	const struct zcl_value v = {.type = write->type, .number = wanted->value};

	if (write->by_attribute)
		zcl_report_put(w, write->attribute, &v);
	else
		conversion_payload(&write->payload, wanted, w);
	return !w->spoilt;
}

struct zcl_frame oci_frame_zcl(const struct oci_frame *f, uint8_t sequence)
{
	return (struct zcl_frame){
		.type = f->by_attribute ? ZCL_GLOBAL : ZCL_CLUSTER,
		.manufacturer_specific = f->point->manufacturer != 0,
		.manufacturer = f->point->manufacturer,
		.sequence = sequence,
		.command = f->by_attribute ? (uint8_t)ZCL_WRITE : f->command,
		.payload = rd_of(f->payload, f->len),
	};
}

bool oci_frame_equal(const struct oci_device *d, const struct oci_frame *a, const struct oci_device *e, const struct oci_frame *b)
{
	return (d != e || a->endpoint == b->endpoint) && a->point->cluster == b->point->cluster && a->point->manufacturer == b->point->manufacturer &&
	    a->by_attribute == b->by_attribute && a->command == b->command && rd_equal(rd_of(a->payload, a->len), rd_of(b->payload, b->len));
}

/* What the device has already, or is being told, is not said again: members are there that the application did not name. */
static bool is_news(const struct oci_core *c, struct oci_device *d, const struct oci_place *p, const char *text)
{
	const struct oci_command *m = oci_command_of(d, p);
	char now[OCI_TEXT] = "";
	struct wr w = wr_of(now, sizeof now - 1);

	if (m)
		return strcmp(m->text, text) != 0;
	return !oci_place_value(d, p, &w) || strcmp(now, text) != 0 || oci_command_doubtful(c, d, p, text);
}

static void refuse(struct oci_core *c, struct oci_device *d, const struct oci_update *u, const struct oci_place *p)
{
	oci_log(c, d, "%s.%s cannot have this value", u->name, p->point->member);
	oci_value_show(c, d, p);
}

static size_t frame_add(struct oci_order *o, const struct oci_frame *f)
{
	for (size_t i = 0; i < o->frame_count; i++)
		if (oci_frame_equal(o->d, &o->frames[i], o->d, f))
			return i;
	o->frames[o->frame_count] = *f;
	return o->frame_count++;
}

/* False: the member cannot have this value. */
static bool change_make(struct oci_order *o, const struct oci_update *u, const struct oci_place *p, const struct json *v, struct oci_change *k, struct oci_frame *f)
{
	struct wr w = wr_of(f->payload, sizeof f->payload);
	struct factors factors = {1, 1};
	uint8_t rgb[3];

	k->write = conversion_write(p->point, v);
	rgb_of(u->members, rgb);
	if (!k->write || !oci_place_factors(o->d, p, &factors) || !conversion_wanted(p->point, v, rgb, &factors, &k->wanted) || !oci_write_payload(k->write, &k->wanted, &w))
		return false;
	f->endpoint = p->endpoint;
	f->point = p->point;
	f->by_attribute = k->write->by_attribute;
	f->command = k->write->command;
	f->len = w.len;
	return true;
}

static void place_order(struct oci_core *c, struct oci_order *o, const struct oci_update *u, const struct oci_place *p)
{
	const struct json *v = json_get(u->members, p->point->member);
	struct oci_change k = {.place = p};
	struct oci_frame f = {.endpoint = 0};

	if (!v || v->type == JSON_NULL || o->change_count == POINTS_MAX)
		return;
	if (!json_to_text(v, k.text)) {
		refuse(c, o->d, u, p);
		return;
	}
	k.news = is_news(c, o->d, p, k.text);
	if (!change_make(o, u, p, v, &k, &f)) {
		if (k.news)
			refuse(c, o->d, u, p);
		return;
	}
	k.frame = frame_add(o, &f);
	o->frames[k.frame].news = o->frames[k.frame].news || k.news;
	o->changes[o->change_count++] = k;
}

void oci_order_make(struct oci_core *c, const struct oci_update *u, struct oci_order *o)
{
	struct oci_device *d = oci_core_device(c, u->eui64);

	o->d = d;
	o->frame_count = o->change_count = 0;
	for (size_t i = 0; d && i < d->place_count; i++) {
		const struct oci_place *p = &d->places[i];
		char own[32];

		oci_place_name(d, p, p->point->module, own);
		if (p->point->write_count > 0 && strcmp(own, u->name) == 0 && oci_place_serves(d, p))
			place_order(c, o, u, p);
	}
}

void oci_order_sent(struct oci_core *c, struct oci_order *o, size_t frame, uint8_t sequence, bool unheard, uint64_t until)
{
	o->frames[frame].news = false;
	oci_groups_told(c, o->d);
	for (size_t i = 0; i < o->change_count; i++) {
		const struct oci_change *k = &o->changes[i];
		struct oci_command *m;

		if (k->frame != frame || !k->news)
			continue;
		m = oci_command_make(o->d, k->place);
		snprintf(m->text, sizeof m->text, "%s", k->text);
		m->wanted = k->wanted;
		m->write = k->write;
		m->by_attribute = k->write->by_attribute;
		m->sequence = sequence;
		m->unheard = unheard;
		m->until = until;
	}
}

void oci_order_send(struct oci_core *c, struct oci_order *o)
{
	for (size_t i = 0; i < o->frame_count; i++) {
		const struct oci_frame *f = &o->frames[i];
		struct zcl_frame z;

		if (!f->news)
			continue;
		z = oci_frame_zcl(f, o->d->zcl_sequence++);
		(void)oci_zcl_send(c, o->d, o->d->endpoints[f->endpoint].id, f->point->cluster, &z);
		oci_order_sent(c, o, i, z.sequence, false, c->now + oci_poll_patience(o->d, OCI_COMMAND_MS));
	}
}

void oci_core_update(struct oci_core *c, uint64_t now, uint64_t eui64, const char *name, const struct json *members)
{
	const struct oci_update u = {eui64, name, members};
	struct oci_order o;

	c->now = now;
	oci_order_make(c, &u, &o);
	oci_order_send(c, &o);
}
