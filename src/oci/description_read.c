/* Reading descriptions of devices from JSON: modules, device classes, models. */
#include "oci/description_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_new_name(struct reader *r, const struct module *m)
{
	for (const struct module *other = r->all->modules; other; other = other->next)
		if (other != m && other->file == m->file && other->model == m->model && strcmp(other->name, m->name) == 0)
			return WRONG(r, "name", "is that of another module");
	return true;
}

static bool read_module(struct reader *r, const struct json *v, const struct model *model)
{
	uint16_t cluster = UINT16_MAX, manufacturer = 0;
	struct point common = {.module = NULL};
	struct module *m;

	if (r->all->module_count == DESCRIPTION_MODULES)
		return reader_fail(r, ERR_FULL, "", "there are more than %d modules", DESCRIPTION_MODULES);
	m = calloc(1, sizeof *m);
	if (!m)
		return reader_fail(r, ERR_NO_MEMORY, "", "no memory");
	m->next = *r->module_place;
	*r->module_place = m;
	r->module_place = &m->next;
	r->all->module_count++;
	m->model = model;
	m->file = r->all->files;
	if (!reader_knows(r, v, "name root class container cluster manufacturer zone points actions") || !reader_name(r, v, "name", "-_", true, m->name, sizeof m->name) ||
	    !reader_bool(r, v, "container", &m->container) || !reader_name(r, v, "root", ":_", !m->container, m->root, sizeof m->root) ||
	    !reader_name(r, v, "class", ".:_-", !m->container, m->definition, sizeof m->definition) || !reader_u16(r, v, "cluster", false, &cluster) ||
	    !reader_u16(r, v, "manufacturer", false, &manufacturer) || !reader_u16s(r, v, "zone", common.zones, ZONES_MAX, &common.zone_count))
		return false;
	if (m->container && m->root[0])
		return WRONG(r, "root", "is not for containers");
	return is_new_name(r, m) && points_read(r, v, cluster, manufacturer, &common, m) && actions_read(r, v, cluster == UINT16_MAX ? 0 : cluster, manufacturer, m);
}

static bool read_modules(struct reader *r, const struct json *object, const struct model *model)
{
	const struct json *list = json_get(object, "modules"), *v;
	size_t i = 0;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return WRONG(r, "modules", "must be a list");
	for (v = list->first; v; v = v->next, i++) {
		size_t len = reader_enter(r, "modules", i);

		if (!read_module(r, v, model))
			return false;
		reader_leave(r, len);
	}
	return true;
}

static bool read_class(struct reader *r, const struct json *v)
{
	struct device_class *c;

	if (r->all->class_count == DESCRIPTION_CLASSES)
		return reader_fail(r, ERR_FULL, "", "there are more than %d", DESCRIPTION_CLASSES);
	c = calloc(1, sizeof *c);
	if (!c)
		return reader_fail(r, ERR_NO_MEMORY, "", "no memory");
	c->next = *r->class_place;
	*r->class_place = c;
	r->class_place = &c->next;
	r->all->class_count++;
	return reader_knows(r, v, "device root class") && reader_u16(r, v, "device", true, &c->device) && reader_name(r, v, "root", ":_", true, c->root, sizeof c->root) &&
	    reader_name(r, v, "class", ".:_-", true, c->definition, sizeof c->definition);
}

static bool read_model(struct reader *r, const struct json *v)
{
	bool reporting = true;
	const struct json *report;
	uint64_t least, most;
	struct model *m;

	if (r->all->model_count == DESCRIPTION_MODELS)
		return reader_fail(r, ERR_FULL, "", "there are more than %d", DESCRIPTION_MODELS);
	m = calloc(1, sizeof *m);
	if (!m)
		return reader_fail(r, ERR_NO_MEMORY, "", "no memory");
	m->next = *r->model_place;
	*r->model_place = m;
	r->model_place = &m->next;
	r->all->model_count++;
	if (!reader_knows(r, v, "manufacturer model reporting poll_s check_in_s ignore report modules"))
		return false;
	if (!json_text(json_get(v, "manufacturer"), m->manufacturer, sizeof m->manufacturer) || !json_text(json_get(v, "model"), m->name, sizeof m->name))
		return WRONG(r, "", "wants \"manufacturer\" and \"model\", texts of up to 32 characters as the Basic cluster has them; `*` at the end: and whatever follows");
	if (!reader_bool(r, v, "reporting", &reporting) || !reader_u16(r, v, "poll_s", !reporting, &m->poll_s) ||
	    !reader_u16(r, v, "check_in_s", false, &m->check_in_s) ||
	    !reader_u16s(r, v, "ignore", m->ignored, IGNORED_MAX, &m->ignored_count))
		return false;
	m->no_reporting = !reporting;
	report = json_get(v, "report");
	if (report) {
		if (report->type != JSON_ARRAY || report->count != 2 || !json_uint(json_at(report, 0), &least) || !json_uint(json_at(report, 1), &most) || least > most ||
		    most == 0 || most >= 0xffff)
			return WRONG(r, "report", "must be two numbers: least and most seconds between two reports");
		m->has_reporting = true;
		m->minimum_s = (uint16_t)least;
		m->maximum_s = (uint16_t)most;
	}
	return read_modules(r, v, m);
}

static bool read_list(struct reader *r, const struct json *doc, const char *name, bool (*read)(struct reader *r, const struct json *v))
{
	const struct json *list = json_get(doc, name), *v;
	size_t i = 0;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return WRONG(r, name, "must be a list");
	for (v = list->first; v; v = v->next, i++) {
		size_t len = reader_enter(r, name, i);

		if (!read(r, v))
			return false;
		reader_leave(r, len);
	}
	return true;
}

static void mark(struct descriptions *d, struct rd text)
{
	uint8_t octet;

	while (rd_u8(&text, &octet))
		d->fingerprint = (d->fingerprint ^ octet) * 16777619U;
}

enum err descriptions_read(struct descriptions *d, const char *file, struct rd text, char *why, size_t why_size)
{
	struct reader r = {.all = d, .file = file, .why = why, .why_size = why_size, .e = OK, .module_place = &d->modules, .model_place = &d->models, .class_place = &d->classes};
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	size_t where = 0;
	enum err e = arena ? OK : ERR_NO_MEMORY;

	if (e == OK && text.left > DESCRIPTION_FILE_MAX) {
		(void)reader_fail(&r, ERR_TOO_LONG, "", "is longer than %d octets", DESCRIPTION_FILE_MAX);
	} else if (e == OK && (e = json_parse(arena, text, &where, &doc)) != OK) {
		(void)reader_fail(&r, e, "", "is no JSON: wrong at octet %zu", where);
	} else if (e == OK) {
		d->files++;
		mark(d, text);
		(void)(reader_knows(&r, doc, "about modules devices models") && read_modules(&r, doc, NULL) && read_list(&r, doc, "devices", read_class) &&
		    read_list(&r, doc, "models", read_model));
	}
	json_arena_free(arena);
	return e != OK ? e : r.e;
}
