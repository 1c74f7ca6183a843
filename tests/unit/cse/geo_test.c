/* Relations of geometries, by a table; and that they agree with one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cse/geo.h"

#define SQUARE "[[[0,0],[10,0],[10,10],[0,10],[0,0]]]"
#define RING "[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]"
#define LEFT_AND_RIGHT "[[[[0,0],[5,0],[5,10],[0,10],[0,0]]],[[[5,0],[10,0],[10,10],[5,10],[5,0]]]]"
#define TWO_APART "[[[[0,0],[4,0],[4,10],[0,10],[0,0]]],[[[6,0],[10,0],[10,10],[6,10],[6,0]]]]"

static const struct {
	enum geo_type a_type;
	const char *a;
	enum geo_type b_type;
	const char *b;
	bool within, contains, intersects;
} cases[] = {
	/* clang-format off */
	{GEO_POINT, "[1,2]", GEO_POINT, "[1,2]", true, true, true},
	{GEO_POINT, "[1,2]", GEO_POINT, "[1,3]", false, false, false},
	{GEO_POINT, "[5,5]", GEO_POINTS, "[[1,2],[5,5]]", true, false, true},
	{GEO_POINTS, "[[1,2],[5,5]]", GEO_POINTS, "[[5,5],[1,2]]", true, true, true},
	{GEO_POINTS, "[[1,2],[5,5]]", GEO_POINTS, "[[5,5],[3,3]]", false, false, true},

	{GEO_POINT, "[1.5,1.5]", GEO_LINE, "[[1,1],[2,2]]", true, false, true},
	{GEO_POINT, "[1,1]", GEO_LINE, "[[1,1],[2,2]]", false, false, true},      /* an end */
	{GEO_POINT, "[1.5,1.6]", GEO_LINE, "[[1,1],[2,2]]", false, false, false},
	{GEO_POINT, "[2,2]", GEO_LINES, "[[[1,1],[2,2]],[[2,2],[3,1]]]", true, false, true}, /* where two lines meet is no end */
	{GEO_POINT, "[0,0]", GEO_LINE, "[[0,0],[1,0],[1,1],[0,0]]", true, false, true}, /* closed: no end */
	{GEO_POINT, "[1.55,1.55]", GEO_LINES, "[[[1.5,1.5],[1.6,1.6]],[[1.7,1.7],[1.8,1.8]]]", true, false, true},

	{GEO_LINE, "[[1,1],[2,2]]", GEO_LINE, "[[1,1],[2,2]]", true, true, true},
	{GEO_LINE, "[[1,1],[2,2]]", GEO_LINE, "[[0,0],[1.5,1.5],[3,3]]", true, false, true},
	{GEO_LINE, "[[1,1],[2,2],[3,2]]", GEO_LINE, "[[0,0],[3,3]]", false, false, true},
	{GEO_LINE, "[[0,0],[10,10]]", GEO_LINE, "[[0,10],[10,0]]", false, false, true},
	{GEO_LINE, "[[0,0],[10,10]]", GEO_LINE, "[[20,0],[30,0]]", false, false, false},
	{GEO_LINE, "[[0,0],[1,0]]", GEO_LINE, "[[0,1],[1,1]]", false, false, false}, /* parallel */
	{GEO_LINE, "[[0,0],[1,0]]", GEO_LINE, "[[2,0],[3,0]]", false, false, false}, /* in line */
	{GEO_LINE, "[[0,0],[2,0]]", GEO_LINE, "[[1,0],[3,0]]", false, false, true},
	{GEO_LINE, "[[0,0],[1,0]]", GEO_LINE, "[[1,0],[1,1]]", false, false, true},  /* they touch */
	{GEO_LINES, "[[[0,0],[1,0]],[[2,0],[3,0]]]", GEO_LINE, "[[0,0],[3,0]]", true, false, true},

	{GEO_POINT, "[5,5]", GEO_POLYGON, SQUARE, true, false, true},
	{GEO_POINT, "[0,5]", GEO_POLYGON, SQUARE, false, false, true},            /* on the edge */
	{GEO_POINT, "[0,0]", GEO_POLYGON, SQUARE, false, false, true},
	{GEO_POINT, "[50,5]", GEO_POLYGON, SQUARE, false, false, false},
	{GEO_POINT, "[5,5]", GEO_POLYGON, RING, false, false, false},             /* in the hole */
	{GEO_POINT, "[2,5]", GEO_POLYGON, RING, true, false, true},
	{GEO_POINT, "[4,5]", GEO_POLYGON, RING, false, false, true},
	{GEO_POINTS, "[[50,50],[5,5]]", GEO_POLYGON, SQUARE, false, false, true},
	{GEO_POINTS, "[[0,5],[5,5]]", GEO_POLYGON, SQUARE, true, false, true},    /* one inside is enough where the other is on the edge */
	{GEO_POINT, "[8,5]", GEO_POLYGONS, TWO_APART, true, false, true},
	{GEO_POINT, "[5,5]", GEO_POLYGONS, TWO_APART, false, false, false},

	{GEO_LINE, "[[1,1],[9,9]]", GEO_POLYGON, SQUARE, true, false, true},
	{GEO_LINE, "[[1,1],[9,9]]", GEO_POLYGON, RING, false, false, true},
	{GEO_LINE, "[[5,4.5],[5,5.5]]", GEO_POLYGON, RING, false, false, false},
	{GEO_LINE, "[[-5,5],[15,5]]", GEO_POLYGON, SQUARE, false, false, true},
	{GEO_LINE, "[[-5,15],[15,15]]", GEO_POLYGON, SQUARE, false, false, false},
	{GEO_LINE, "[[0,0],[10,0]]", GEO_POLYGON, SQUARE, false, false, true},    /* along the edge: no interior */
	{GEO_LINE, "[[0,0],[5,5],[10,0]]", GEO_POLYGON, SQUARE, true, false, true},
	{GEO_LINE, "[[1,5],[9,5]]", GEO_POLYGONS, LEFT_AND_RIGHT, true, false, true},
	{GEO_LINE, "[[1,5],[9,5]]", GEO_POLYGONS, TWO_APART, false, false, true},

	{GEO_POLYGON, SQUARE, GEO_POLYGON, SQUARE, true, true, true},
	{GEO_POLYGON, "[[[5,5],[6,5],[6,6],[5,6],[5,5]]]", GEO_POLYGON, SQUARE, true, false, true},
	{GEO_POLYGON, "[[[0,0],[2,0],[2,2],[0,2],[0,0]]]", GEO_POLYGON, SQUARE, true, false, true}, /* edges in common */
	{GEO_POLYGON, "[[[5,5],[15,5],[15,15],[5,15],[5,5]]]", GEO_POLYGON, SQUARE, false, false, true},
	{GEO_POLYGON, "[[[50,50],[60,50],[60,60],[50,50]]]", GEO_POLYGON, SQUARE, false, false, false},
	{GEO_POLYGON, "[[[10,0],[20,0],[20,10],[10,10],[10,0]]]", GEO_POLYGON, SQUARE, false, false, true}, /* side by side */
	{GEO_POLYGON, "[[[3,3],[7,3],[7,7],[3,7],[3,3]]]", GEO_POLYGON, RING, false, false, true},          /* round the hole */
	{GEO_POLYGON, "[[[4.5,4.5],[5.5,4.5],[5.5,5.5],[4.5,5.5],[4.5,4.5]]]", GEO_POLYGON, RING, false, false, false},
	{GEO_POLYGON, "[[[1,1],[2,1],[2,2],[1,2],[1,1]]]", GEO_POLYGON, RING, true, false, true},
	{GEO_POLYGON, RING, GEO_POLYGON, SQUARE, true, false, true},
	{GEO_POLYGON, "[[[1,1],[9,1],[9,9],[1,9],[1,1]]]", GEO_POLYGONS, LEFT_AND_RIGHT, true, false, true}, /* across a common edge */
	{GEO_POLYGON, "[[[1,1],[9,1],[9,9],[1,9],[1,1]]]", GEO_POLYGONS, TWO_APART, false, false, true},
	{GEO_POLYGON, SQUARE, GEO_POLYGONS, LEFT_AND_RIGHT, true, true, true},
	{GEO_POLYGONS, TWO_APART, GEO_POLYGON, SQUARE, true, false, true},
	{GEO_POLYGON, "[[[4.5,0],[5.5,0],[5.5,1],[4.5,1],[4.5,0]]]", GEO_POLYGONS, TWO_APART, false, false, false},
	{GEO_POLYGON, "[[0,0],[10,0],[10,10],[0,10],[0,0]]", GEO_POLYGON, SQUARE, true, true, true}, /* the ring alone */
	{GEO_POLYGONS, "[[[0,0],[10,0],[10,10],[0,10],[0,0]]]", GEO_POLYGON, SQUARE, true, true, true},
	/* clang-format on */
};

static void relate_as_the_table_says_and_the_other_way_round(void **state)
{
	struct json_arena *arena = json_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct geo *a = geo_parse(arena, cases[i].a_type, rd_str(cases[i].a)), *b = geo_parse(arena, cases[i].b_type, rd_str(cases[i].b));

		assert_non_null(a);
		assert_non_null(b);
		if (geo_relate(a, GEO_WITHIN, b) != cases[i].within || geo_relate(a, GEO_CONTAINS, b) != cases[i].contains ||
		    geo_relate(a, GEO_INTERSECTS, b) != cases[i].intersects)
			fail_msg("%s and %s: within %d, contains %d, intersects %d", cases[i].a, cases[i].b, geo_relate(a, GEO_WITHIN, b), geo_relate(a, GEO_CONTAINS, b),
			    geo_relate(a, GEO_INTERSECTS, b));
		assert_int_equal(geo_relate(b, GEO_CONTAINS, a), cases[i].within);
		assert_int_equal(geo_relate(b, GEO_WITHIN, a), cases[i].contains);
		assert_int_equal(geo_relate(b, GEO_INTERSECTS, a), cases[i].intersects);
	}
	json_arena_free(arena);
}

static void refuses_what_is_no_such_geometry(void **state)
{
	static const struct {
		enum geo_type type;
		const char *text;
	} bad[] = {
		{GEO_POINT, "[1]"}, {GEO_POINT, "[1,2,3,4]"}, {GEO_POINT, "[[1,2]]"}, {GEO_POINT, "1"}, {GEO_POINT, "[1,"}, {GEO_POINT, "[1,\"2\"]"}, {GEO_POINT, "[1e9,0]"},
		{GEO_LINE, "[[1,2]]"}, {GEO_LINE, "[1,2]"}, {GEO_POLYGON, "[[1,2],[3,4],[5,6]]"}, {GEO_POLYGON, "[[1,2],[3,4],[1,2]]"}, {GEO_POLYGON, "[]"},
		{GEO_POLYGON, "[[[0,0],[1,0],[1,1],[0,1]]]"}, {GEO_POINTS, "[1,2]"}, {GEO_POINTS, "[]"}, {GEO_LINES, "[[1,2],[3,4]]"}, {GEO_POLYGONS, "[[1,2]]"},
	};
	struct json_arena *arena = json_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (geo_parse(arena, bad[i].type, rd_str(bad[i].text)))
			fail_msg("%s", bad[i].text);
	json_arena_free(arena);
}

static void refuses_more_positions_than_it_takes(void **state)
{
	struct json_arena *arena = json_arena_new();
	static char text[GEO_POSITIONS_MAX * 6 + 16];

	(void)state;
	for (size_t n = GEO_POSITIONS_MAX; n <= GEO_POSITIONS_MAX + 1; n++) {
		strcpy(text, "[");
		for (size_t i = 0, at = 1; i < n; i++, at += 6)
			strcpy(text + at, i + 1 < n ? "[1,2]," : "[1,2]]");
		assert_int_equal(geo_parse(arena, GEO_POINTS, rd_str(text)) != NULL, n == GEO_POSITIONS_MAX);
	}
	json_arena_free(arena);
}

static void reads_objects_of_both_kinds(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} objects[] = {
		{"{\"type\":\"Point\",\"coordinates\":[1,2]}", true},
		{"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1]]]}", true},
		{"{\"typ\":1,\"crd\":\"[1,2]\"}", true},
		{"{\"typ\":1,\"crd\":[1,2]}", true},
		{"{\"type\":\"Sphere\",\"coordinates\":[1,2]}", false},
		{"{\"typ\":0,\"crd\":[1,2]}", false},
		{"{\"typ\":1}", false},
		{"\"wrong\"", false},
		{"{\"typ\":1,\"crd\":\"[1\"}", false},
	};
	struct json_arena *arena = json_arena_new();
	const struct json *v;

	(void)state;
	for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
		assert_int_equal(json_parse(arena, rd_str(objects[i].text), NULL, &v), OK);
		assert_int_equal(geo_parse_object(arena, v) != NULL, objects[i].ok);
	}
	json_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relate_as_the_table_says_and_the_other_way_round),
		cmocka_unit_test(refuses_what_is_no_such_geometry),
		cmocka_unit_test(refuses_more_positions_than_it_takes),
		cmocka_unit_test(reads_objects_of_both_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
