/* Attributes that are being put together. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

static struct attribute *find(const struct attributes *a, struct rd name)
{
	for (size_t i = 0; i < a->count; i++)
		if (rd_equal(a->items[i].name, name))
			return &a->items[i];
	return NULL;
}

#define FEW 256 /* octets of most strings as JSON: they are put together where they stay */

static uint8_t *room_for(struct attributes *a, size_t len)
{
	uint8_t *room = json_arena_alloc(a->arena, len);

	if (!room)
		abort();
	return room;
}

static struct rd keep(struct attributes *a, const void *octets, size_t len)
{
	uint8_t *room = room_for(a, len + 1);

	memcpy(room, octets, len);
	return rd_of(room, len);
}

static struct attribute *append(struct attributes *a, struct rd name)
{
	if (a->count == a->room) {
		size_t room = a->room ? a->room * 2 : 12; /* an instance has about ten */
		struct attribute *items = json_arena_alloc(a->arena, room * sizeof *items);

		if (!items)
			abort();
		if (a->count)
			memcpy(items, a->items, a->count * sizeof *items);
		a->items = items;
		a->room = room;
	}
	a->items[a->count] = (struct attribute){.name = name};
	return &a->items[a->count++];
}

void attributes_init(struct attributes *a, struct json_arena *arena, const struct json *object)
{
	*a = (struct attributes){.arena = arena};
	if (object && object->type == JSON_OBJECT)
		for (const struct json *m = object->first; m; m = m->next)
			append(a, m->key)->raw = m->source;
}

bool attributes_get(const struct attributes *a, const char *name, struct rd *raw)
{
	const struct attribute *t = find(a, rd_str(name));

	if (!t || t->removed)
		return false;
	*raw = t->raw;
	return true;
}

const struct json *attributes_value(const struct attributes *a, const char *name)
{
	const struct json *v;
	struct rd raw;

	return attributes_get(a, name, &raw) && json_parse(a->arena, raw, NULL, &v) == OK ? v : NULL;
}

/* The attribute, which changes, and a writer of `size` octets for its value. A new one's name is kept in the same piece of memory. */
static struct attribute *change(struct attributes *a, const char *name, size_t size, struct wr *value)
{
	struct rd wanted = rd_str(name);
	struct attribute *t = find(a, wanted);
	size_t before = t ? 0 : wanted.left;

	*value = wr_of(room_for(a, before + size), before + size);
	if (!t) {
		wr_rd(value, wanted);
		t = append(a, rd_of(value->octets, before));
		*value = wr_of(value->octets + before, size);
	}
	t->removed = false;
	t->changed = true;
	return t;
}

void attributes_set_raw(struct attributes *a, const char *name, struct rd json)
{
	struct wr nothing;

	change(a, name, 0, &nothing)->raw = json;
}

void attributes_set_json(struct attributes *a, const char *name, const struct json *v)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);

	json_put(&o, NULL, v);
	attributes_set_raw(a, name, keep(a, w.octets, w.len));
	wr_free(&w);
}

static void set_long_string(struct attributes *a, const char *name, struct rd text)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);

	json_put_rd(&o, NULL, text);
	attributes_set_raw(a, name, keep(a, w.octets, w.len));
	wr_free(&w);
}

void attributes_set_string(struct attributes *a, const char *name, const char *text)
{
	struct rd string = rd_str(text);
	struct attribute *t;
	struct json_out o;
	struct wr w;

	if (string.left > FEW / 6) {
		set_long_string(a, name, string);
		return;
	}
	t = change(a, name, 6 * string.left + 2, &w); /* an octet becomes six at most */
	o = json_out(&w);
	json_put_rd(&o, NULL, string);
	t->raw = rd_of(w.octets, w.len);
}

void attributes_set_uint(struct attributes *a, const char *name, uint64_t n)
{
	struct wr w;
	struct attribute *t = change(a, name, 20, &w);

	wr_decimal(&w, n);
	t->raw = rd_of(w.octets, w.len);
}

void attributes_set_bool(struct attributes *a, const char *name, bool b)
{
	attributes_set_raw(a, name, rd_str(b ? "true" : "false"));
}

void attributes_set_time(struct attributes *a, const char *name, uint64_t unix_ms)
{
	char stamp[TIMESTAMP_SIZE];
	struct wr w;
	struct attribute *t = change(a, name, TIMESTAMP_SIZE + 2, &w);

	timestamp_print_precise(stamp, unix_ms);
	wr_u8(&w, '"');
	wr_str(&w, stamp);
	wr_u8(&w, '"');
	t->raw = rd_of(w.octets, w.len);
}

void attributes_remove(struct attributes *a, const char *name)
{
	struct attribute *t = find(a, rd_str(name));

	if (t && !t->removed) {
		t->removed = true;
		t->changed = true;
	}
}

void attributes_forget(struct attributes *a, const char *name)
{
	struct attribute *t = find(a, rd_str(name));

	if (t) {
		memmove(t, t + 1, (size_t)(a->items + a->count - t - 1) * sizeof *t);
		a->count--;
	}
}

void attributes_write(const struct attributes *a, struct wr *w)
{
	bool comma = false;

	wr_u8(w, '{');
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].removed)
			continue;
		if (comma)
			wr_u8(w, ',');
		comma = true;
		wr_u8(w, '"');
		wr_rd(w, a->items[i].name); /* attribute names have nothing that would need an escape: the schema and name_is_plain saw to it */
		wr_copy(w, "\":", 2);
		wr_rd(w, a->items[i].raw);
	}
	wr_u8(w, '}');
}

size_t attributes_labels(const struct attributes *a, const struct rd **labels)
{
	const struct json *lbl = attributes_value(a, "lbl");
	struct rd *list;
	size_t n = 0;

	*labels = NULL;
	if (!lbl || lbl->type != JSON_ARRAY || lbl->count == 0)
		return 0;
	list = json_arena_alloc(a->arena, lbl->count * sizeof *list);
	if (!list)
		abort();
	for (const struct json *l = lbl->first; l; l = l->next)
		if (l->type == JSON_STRING)
			list[n++] = l->text;
	*labels = list;
	return n;
}
