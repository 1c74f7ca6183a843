/* Relations of geometries. A line lies in a geometry when each of the pieces into which the other's edges cut it does, which its middle tells;
 * a polygon, when its rings do and the other has no edge inside of it with an outside beside it. */
#include <math.h>
#include <stdlib.h>

#include "cse/geo_private.h"

/* Two numbers that differ by less are one: some tenths of a millimetre on the ground, far above the rounding of doubles. */
#define TOLERANCE 1e-9
#define BESIDE 1e-7 /* a step to the side of an edge */

enum where { OUTSIDE, EDGE, INSIDE };

struct edge {
	struct position a, b;
};

/* ---- the plane ---- */

static double cross(struct position o, struct position a, struct position b)
{
	return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static bool same(struct position a, struct position b)
{
	return fabs(a.x - b.x) <= TOLERANCE && fabs(a.y - b.y) <= TOLERANCE;
}

static bool on_edge(struct position p, struct edge e)
{
	double dx = e.b.x - e.a.x, dy = e.b.y - e.a.y, square = dx * dx + dy * dy, off = cross(e.a, e.b, p), along;

	if (same(p, e.a) || same(p, e.b))
		return true;
	along = (p.x - e.a.x) * dx + (p.y - e.a.y) * dy;
	return off * off <= TOLERANCE * TOLERANCE * square && along >= 0 && along <= square;
}

static struct position between(struct edge e, double t)
{
	return (struct position){e.a.x + (e.b.x - e.a.x) * t, e.a.y + (e.b.y - e.a.y) * t};
}

/* ---- edges of a geometry, one after the other: its lines', then its rings' ---- */

struct walk {
	const struct geo *g;
	size_t line, polygon, ring, edge;
};

static bool next_of(const struct chain *c, size_t *i, struct edge *e)
{
	if (*i + 1 >= c->count)
		return false;
	*e = (struct edge){c->at[*i], c->at[*i + 1]};
	++*i;
	return true;
}

static bool next_edge(struct walk *w, struct edge *e)
{
	for (; w->line < w->g->line_count; w->line++, w->edge = 0)
		if (next_of(&w->g->lines[w->line], &w->edge, e))
			return true;
	for (; w->polygon < w->g->polygon_count; w->polygon++, w->ring = 0)
		for (; w->ring < w->g->polygons[w->polygon].count; w->ring++, w->edge = 0)
			if (next_of(&w->g->polygons[w->polygon].rings[w->ring], &w->edge, e))
				return true;
	return false;
}

/* ---- a point and a geometry ---- */

static enum where in_polygon(struct position p, const struct polygon *g)
{
	bool inside = false;
	struct edge e;

	for (size_t r = 0; r < g->count; r++) {
		for (size_t i = 0; next_of(&g->rings[r], &i, &e);) {
			if (on_edge(p, e))
				return EDGE;
			if ((e.a.y > p.y) != (e.b.y > p.y) && p.x < e.a.x + (p.y - e.a.y) * (e.b.x - e.a.x) / (e.b.y - e.a.y))
				inside = !inside;
		}
	}
	return inside ? INSIDE : OUTSIDE;
}

static enum where in_polygons(struct position p, const struct geo *g)
{
	enum where best = OUTSIDE;

	for (size_t i = 0; i < g->polygon_count && best != INSIDE; i++) {
		enum where w = in_polygon(p, &g->polygons[i]);

		best = w > best ? w : best;
	}
	return best;
}

static bool on_lines(struct position p, const struct geo *g)
{
	struct edge e;

	for (size_t l = 0; l < g->line_count; l++)
		for (size_t i = 0; next_of(&g->lines[l], &i, &e);)
			if (on_edge(p, e))
				return true;
	return false;
}

static bool on_points(struct position p, const struct geo *g)
{
	for (size_t i = 0; i < g->point_count; i++)
		if (same(p, g->points[i].at[0]))
			return true;
	return false;
}

static bool covers_point(const struct geo *g, struct position p)
{
	return on_points(p, g) || on_lines(p, g) || in_polygons(p, g) != OUTSIDE;
}

/* Lines end where an odd number of them does. */
static bool is_end(struct position p, const struct geo *g)
{
	unsigned ends = 0;

	for (size_t l = 0; l < g->line_count; l++)
		ends += (unsigned)same(p, g->lines[l].at[0]) + (unsigned)same(p, g->lines[l].at[g->lines[l].count - 1]);
	return ends % 2 == 1;
}

static bool has_in_its_interior(const struct geo *g, struct position p)
{
	return on_points(p, g) || in_polygons(p, g) == INSIDE || (on_lines(p, g) && !is_end(p, g));
}

/* ---- pieces of an edge ---- */

struct pieces {
	double *t; /* room for two cuts an edge of the other, and both ends */
	size_t count;
};

static void cut(struct pieces *k, double t)
{
	if (t > 0 && t < 1)
		k->t[k->count++] = t;
}

static void cut_by(struct pieces *k, struct edge e, struct edge f)
{
	double rx = e.b.x - e.a.x, ry = e.b.y - e.a.y, sx = f.b.x - f.a.x, sy = f.b.y - f.a.y, square = rx * rx + ry * ry, den = rx * sy - ry * sx, t, u;

	if (square == 0)
		return;
	if (den != 0) {
		t = ((f.a.x - e.a.x) * sy - (f.a.y - e.a.y) * sx) / den;
		u = ((f.a.x - e.a.x) * ry - (f.a.y - e.a.y) * rx) / den;
		if (u >= -TOLERANCE && u <= 1 + TOLERANCE)
			cut(k, t);
	}
	if (on_edge(f.a, e))
		cut(k, ((f.a.x - e.a.x) * rx + (f.a.y - e.a.y) * ry) / square);
	if (on_edge(f.b, e))
		cut(k, ((f.b.x - e.a.x) * rx + (f.b.y - e.a.y) * ry) / square);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void cut_by_all(struct pieces *k, struct edge e, const struct geo *g)
{
	struct walk w = {.g = g};
	struct edge f;

	k->count = 0;
	k->t[k->count++] = 0;
	k->t[k->count++] = 1;
	while (next_edge(&w, &f))
		cut_by(k, e, f);
	qsort(k->t, k->count, sizeof k->t[0], by_size);
}

static bool middle_of(const struct pieces *k, size_t i, struct edge e, struct position *p)
{
	if (k->t[i + 1] - k->t[i] <= TOLERANCE)
		return false; /* the same cut twice */
	*p = between(e, (k->t[i] + k->t[i + 1]) / 2);
	return true;
}

/* ---- a geometry and another ---- */

static struct pieces pieces_for(const struct geo *g)
{
	struct pieces k = {malloc((3 * g->edges + 2) * sizeof(double)), 0};

	if (!k.t)
		abort();
	return k;
}

/* Every edge of b lies on a's lines and polygons. */
static bool covers_edges(const struct geo *a, const struct geo *b)
{
	struct pieces k = pieces_for(a);
	struct walk w = {.g = b};
	struct position p;
	struct edge e;
	bool ok = true;

	while (ok && next_edge(&w, &e)) {
		ok = covers_point(a, e.a) && covers_point(a, e.b);
		if (!ok)
			break;
		cut_by_all(&k, e, a);
		for (size_t i = 0; ok && i + 1 < k.count; i++)
			if (middle_of(&k, i, e, &p))
				ok = on_lines(p, a) || in_polygons(p, a) != OUTSIDE;
	}
	free(k.t);
	return ok;
}

static bool covered_on_both_sides(const struct geo *a, struct edge e, struct position p)
{
	double dx = e.b.x - e.a.x, dy = e.b.y - e.a.y, size = fabs(dx) > fabs(dy) ? fabs(dx) : fabs(dy), step = BESIDE / size;
	const struct position left = {p.x - dy * step, p.y + dx * step}, right = {p.x + dy * step, p.y - dx * step};

	return in_polygons(left, a) != OUTSIDE && in_polygons(right, a) != OUTSIDE;
}

/* No edge of a inside of b's polygons has an outside of a beside it: holes, gaps. */
static bool fills(const struct geo *a, const struct geo *b)
{
	struct pieces k = pieces_for(b);
	struct walk w = {.g = a, .line = a->line_count};
	struct position p;
	struct edge e;
	bool ok = true;

	while (ok && next_edge(&w, &e)) {
		cut_by_all(&k, e, b);
		for (size_t i = 0; ok && i + 1 < k.count; i++)
			if (middle_of(&k, i, e, &p) && in_polygons(p, b) == INSIDE)
				ok = covered_on_both_sides(a, e, p);
	}
	free(k.t);
	return ok;
}

static bool covers(const struct geo *a, const struct geo *b)
{
	for (size_t i = 0; i < b->point_count; i++)
		if (!covers_point(a, b->points[i].at[0]))
			return false;
	if (b->polygon_count > 0 && (a->polygon_count == 0 || !fills(a, b)))
		return false;
	return covers_edges(a, b);
}

/* Of what a covers: whether some of it is more than a's edge. */
static bool interiors_meet(const struct geo *a, const struct geo *b)
{
	struct pieces k;
	struct walk w = {.g = b};
	struct position p;
	struct edge e;
	bool met = b->polygon_count > 0;

	for (size_t i = 0; !met && i < b->point_count; i++)
		met = has_in_its_interior(a, b->points[i].at[0]);
	if (met)
		return true;
	k = pieces_for(a);
	while (!met && next_edge(&w, &e)) {
		cut_by_all(&k, e, a);
		for (size_t i = 0; !met && i + 1 < k.count; i++)
			met = middle_of(&k, i, e, &p) && has_in_its_interior(a, p);
	}
	free(k.t);
	return met;
}

static bool contains(const struct geo *a, const struct geo *b)
{
	if (b->low.x < a->low.x - TOLERANCE || b->low.y < a->low.y - TOLERANCE || b->high.x > a->high.x + TOLERANCE || b->high.y > a->high.y + TOLERANCE)
		return false;
	return covers(a, b) && interiors_meet(a, b);
}

static bool edges_meet(struct edge e, struct edge f)
{
	double a = cross(e.a, e.b, f.a), b = cross(e.a, e.b, f.b), c = cross(f.a, f.b, e.a), d = cross(f.a, f.b, e.b);

	if (on_edge(f.a, e) || on_edge(f.b, e) || on_edge(e.a, f) || on_edge(e.b, f))
		return true;
	return (a > 0) != (b > 0) && (c > 0) != (d > 0);
}

/* A position of each part of b lies in a: b's edges need not meet a's for that. */
static bool has_a_part_in(const struct geo *a, const struct geo *b)
{
	for (size_t i = 0; i < b->point_count; i++)
		if (covers_point(a, b->points[i].at[0]))
			return true;
	for (size_t i = 0; i < b->line_count; i++)
		if (covers_point(a, b->lines[i].at[0]))
			return true;
	for (size_t i = 0; i < b->polygon_count; i++)
		if (covers_point(a, b->polygons[i].rings[0].at[0]))
			return true;
	return false;
}

static bool intersects(const struct geo *a, const struct geo *b)
{
	struct walk v = {.g = a}, w;
	struct edge e, f;

	if (b->low.x > a->high.x + TOLERANCE || b->low.y > a->high.y + TOLERANCE || a->low.x > b->high.x + TOLERANCE || a->low.y > b->high.y + TOLERANCE)
		return false;
	if (has_a_part_in(a, b) || has_a_part_in(b, a))
		return true;
	while (next_edge(&v, &e))
		for (w = (struct walk){.g = b}; next_edge(&w, &f);)
			if (edges_meet(e, f))
				return true;
	return false;
}

bool geo_relate(const struct geo *a, enum geo_function f, const struct geo *b)
{
	switch (f) {
	case GEO_WITHIN:
		return contains(b, a);
	case GEO_CONTAINS:
		return contains(a, b);
	case GEO_INTERSECTS:
		return intersects(a, b);
	}
	return false;
}
