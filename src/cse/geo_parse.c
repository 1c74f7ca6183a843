/* Coordinates out of JSON. */
#include <math.h>

#include "cse/geo_private.h"

struct reading {
	struct json_arena *arena;
	struct geo *g;
	size_t positions;
	bool open_rings; /* may be closed here */
};

static bool read_position(struct reading *r, const struct json *v, struct position *p)
{
	struct geo *g = r->g;

	if (!v || v->type != JSON_ARRAY || v->count < 2 || v->count > 3 || !json_double(v->first, &p->x) || !json_double(v->first->next, &p->y) || !isfinite(p->x) ||
	    !isfinite(p->y) || fabs(p->x) > 1e6 || fabs(p->y) > 1e6)
		return false;
	if (r->positions == 0)
		g->low = g->high = *p;
	g->low.x = p->x < g->low.x ? p->x : g->low.x;
	g->low.y = p->y < g->low.y ? p->y : g->low.y;
	g->high.x = p->x > g->high.x ? p->x : g->high.x;
	g->high.y = p->y > g->high.y ? p->y : g->high.y;
	return ++r->positions <= GEO_POSITIONS_MAX;
}

static bool read_chain(struct reading *r, const struct json *v, size_t least, bool ring, struct chain *c)
{
	if (!v || v->type != JSON_ARRAY || v->count == 0 || v->count > GEO_POSITIONS_MAX)
		return false;
	c->at = json_arena_alloc(r->arena, (v->count + 1) * sizeof *c->at);
	if (!c->at)
		return false;
	for (const struct json *e = v->first; e; e = e->next)
		if (!read_position(r, e, &c->at[c->count++]))
			return false;
	if (ring && (c->at[0].x != c->at[c->count - 1].x || c->at[0].y != c->at[c->count - 1].y)) {
		if (!r->open_rings)
			return false;
		c->at[c->count++] = c->at[0];
	}
	r->g->edges += c->count - 1;
	return c->count >= least;
}

static struct chain *read_chains(struct reading *r, const struct json *v, size_t least, bool ring, size_t *count)
{
	struct chain *list;

	if (!v || v->type != JSON_ARRAY || v->count == 0 || v->count > GEO_POSITIONS_MAX)
		return NULL;
	list = json_arena_alloc(r->arena, v->count * sizeof *list);
	if (!list)
		return NULL;
	for (const struct json *e = v->first; e; e = e->next)
		if (!read_chain(r, e, least, ring, &list[(*count)++]))
			return NULL;
	return list;
}

/* How deep the first number lies. */
static unsigned depth_of(const struct json *v)
{
	unsigned n = 0;

	for (; v && v->type == JSON_ARRAY; v = v->first)
		n++;
	return n;
}

/* Rings, or one ring alone. */
static bool read_polygon(struct reading *r, const struct json *v, struct polygon *p)
{
	if (depth_of(v) == 2) {
		p->rings = json_arena_alloc(r->arena, sizeof *p->rings);
		p->count = 1;
		return p->rings && read_chain(r, v, 4, true, p->rings);
	}
	p->rings = read_chains(r, v, 4, true, &p->count);
	return p->rings != NULL;
}

static bool read_polygons(struct reading *r, const struct json *v, bool one)
{
	struct geo *g = r->g;
	size_t count = one ? 1 : v->count;

	if (count == 0 || count > GEO_POSITIONS_MAX)
		return false;
	g->polygons = json_arena_alloc(r->arena, count * sizeof *g->polygons);
	if (!g->polygons)
		return false;
	if (one)
		return read_polygon(r, v, &g->polygons[g->polygon_count++]);
	for (const struct json *e = v->first; e; e = e->next)
		if (!read_polygon(r, e, &g->polygons[g->polygon_count++]))
			return false;
	return true;
}

static bool read_points(struct reading *r, const struct json *v, bool one)
{
	struct geo *g = r->g;
	size_t count = one ? 1 : v->count;

	if (count == 0 || count > GEO_POSITIONS_MAX)
		return false;
	g->points = json_arena_alloc(r->arena, count * sizeof *g->points);
	if (!g->points)
		return false;
	for (const struct json *e = one ? v : v->first; e; e = one ? NULL : e->next) {
		struct chain *c = &g->points[g->point_count++];

		c->at = json_arena_alloc(r->arena, sizeof *c->at);
		c->count = 1;
		if (!c->at || !read_position(r, e, c->at))
			return false;
	}
	return true;
}

static bool read_lines(struct reading *r, const struct json *v, bool one)
{
	struct geo *g = r->g;

	if (!one) {
		g->lines = read_chains(r, v, 2, false, &g->line_count);
		return g->lines != NULL;
	}
	g->lines = json_arena_alloc(r->arena, sizeof *g->lines);
	g->line_count = 1;
	return g->lines && read_chain(r, v, 2, false, g->lines);
}

static bool read_type(struct reading *r, enum geo_type type, const struct json *v)
{
	if (!v || v->type != JSON_ARRAY)
		return false;
	switch (type) {
	case GEO_POINT:
	case GEO_POINTS:
		return read_points(r, v, type == GEO_POINT);
	case GEO_LINE:
	case GEO_LINES:
		return read_lines(r, v, type == GEO_LINE);
	case GEO_POLYGON:
	case GEO_POLYGONS:
		return read_polygons(r, v, type == GEO_POLYGON);
	}
	return false;
}

static const struct geo *read(struct json_arena *a, enum geo_type type, const struct json *v, bool open_rings)
{
	struct reading r = {.arena = a, .g = json_arena_alloc(a, sizeof *r.g), .open_rings = open_rings};

	return r.g && read_type(&r, type, v) ? r.g : NULL;
}

const struct geo *geo_parse(struct json_arena *a, enum geo_type type, struct rd coordinates)
{
	const struct json *v;

	return json_parse(a, coordinates, NULL, &v) == OK ? read(a, type, v, false) : NULL;
}

const struct geo *geo_parse_object(struct json_arena *a, const struct json *object)
{
	static const char *const names[] = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"};
	const struct json *coordinates = json_get(object, "coordinates");
	struct rd name;
	int64_t type = 0;

	if (json_string(json_get(object, "type"), &name)) {
		for (int i = 0; i < 6; i++)
			if (rd_is(name, names[i]))
				type = i + 1;
	} else if (json_int(json_get(object, "typ"), &type)) {
		coordinates = json_get(object, "crd");
	}
	if (type < GEO_POINT || type > GEO_POLYGONS || !coordinates)
		return NULL;
	if (coordinates->type == JSON_STRING && json_parse(a, coordinates->text, NULL, &coordinates) != OK)
		return NULL;
	return read(a, (enum geo_type)type, coordinates, true);
}
