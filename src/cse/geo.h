/* Geometry of locations: m2m:geoCoordinates and geo queries. Coordinates are those of GeoJSON (RFC 7946), [longitude, latitude] in degrees, on
 * a plane: what lies across the antimeridian is given in parts, as RFC 7946 clause 3.1.9 asks.
 *
 * Relations are those of OGC 06-103r4 clause 6.1.15: `within` means that no point lies outside and that the interiors meet, so that a point
 * is not within a line that begins at it. */
#ifndef KEYWAY_CSE_GEO_H
#define KEYWAY_CSE_GEO_H

#include <stdbool.h>

#include "base/rd.h"
#include "json/json.h"

#define GEO_POSITIONS_MAX 256 /* of one geometry: each piece of an edge is compared with every edge, so that a relation may take the third power of it */

enum geo_type { GEO_POINT = 1, GEO_LINE, GEO_POLYGON, GEO_POINTS, GEO_LINES, GEO_POLYGONS }; /* m2m:geometryType */
enum geo_function { GEO_WITHIN = 1, GEO_CONTAINS, GEO_INTERSECTS };                          /* m2m:geoSpatialFunctionType */

struct geo;

/* Coordinates as JSON text: of a polygon its rings, or its one ring alone, as clients write it. NULL when they are not of the type, when
 * there are too many, or without memory. Lives as long as the arena. */
const struct geo *geo_parse(struct json_arena *a, enum geo_type type, struct rd coordinates);
/* A GeoJSON object {"type": "Point", "coordinates": ...}, or {"typ", "crd"} as oneM2M names them; of a polygon the ring may be open. */
const struct geo *geo_parse_object(struct json_arena *a, const struct json *object);
/* a within b, a contains b, a and b have a point in common. */
bool geo_relate(const struct geo *a, enum geo_function f, const struct geo *b);

#endif
