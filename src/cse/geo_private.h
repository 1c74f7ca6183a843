/* What the two files about geometry share. */
#ifndef KEYWAY_CSE_GEO_PRIVATE_H
#define KEYWAY_CSE_GEO_PRIVATE_H

#include <stddef.h>

#include "cse/geo.h"

struct position {
	double x, y;
};

/* A point is a chain of one, a ring one whose last position is its first. */
struct chain {
	struct position *at;
	size_t count;
};

struct polygon {
	struct chain *rings; /* the outer one, then holes */
	size_t count;
};

struct geo {
	struct chain *points, *lines;
	struct polygon *polygons;
	size_t point_count, line_count, polygon_count;
	size_t edges;        /* of lines and rings together */
	struct position low, high;
};

#endif
