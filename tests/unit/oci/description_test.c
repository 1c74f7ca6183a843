/* Descriptions of devices: the built-in ones, what a person gets to read about a wrong one, and which goes before which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "oci/description.h"

static char why[300];

static enum err read_text(struct descriptions *d, const char *text)
{
	why[0] = '\0';
	return descriptions_read(d, "x.json", rd_str(text), why, sizeof why);
}

static const struct module *module_of(const struct descriptions *d, const struct model *model, const char *name)
{
	const struct module *m;

	for (size_t i = 0; (m = descriptions_module(d, model, i)) != NULL; i++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static void the_built_in_ones_have_every_row_of_the_table(void **state)
{
	static const char *const names[] = {"binSh", "brigs", "color", "colSn", "tempe", "heaZe", "relHy", "baror", "illuminance", "motSr", "watSr", "smoSr", "dooSs", "impSr",
		"fauDn", "alaSr", "lock", "opeLl", "eneCn", "bat", "pusBn"};
	struct descriptions *d = descriptions_built_in();
	size_t count = 0;

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(module_of(d, NULL, names[i]));
	while (descriptions_module(d, NULL, count))
		count++;
	assert_int_equal(count, sizeof names / sizeof names[0]);
	assert_string_equal(descriptions_class(d, 0x0051)->root, "cod:deSPg");
	assert_string_equal(descriptions_class(d, 0x7777)->root, "cod:devSh");
	assert_null(descriptions_model(d, "Nobody", "Nothing"));
	descriptions_free(d);
}

/* The first words of the sentence are what a person needs: where. */
static void a_wrong_file_is_refused_with_its_place(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *begins; } cases[] = {
		{"{", "x.json: is no JSON"},
		{"[]", "x.json: must be an object"},
		{"{\"modles\":[]}", "x.json: modles: is not known here"},
		{"{\"modules\":{}}", "x.json: modules: must be a list"},
		{"{\"modules\":[{}]}", "x.json: modules[0].name: is missing"},
		{"{\"modules\":[{\"name\":\"a/b\"}]}", "x.json: modules[0].name: must be a text"},
		{"{\"modules\":[{\"name\":\"a\"}]}", "x.json: modules[0].root: is missing"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\"}]}", "x.json: modules[0].points: must be a list"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"points\":[{\"member\":\"m\"}]}]}", "x.json: modules[0].points[0].cluster: is missing"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":\"0x10000\",\"points\":[{\"member\":\"m\"}]}]}", "x.json: modules[0].cluster: must be a number"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\"}]}]}", "x.json: modules[0].points[0]: is neither"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0}]}]}", "x.json: modules[0].points[0].type: is missing"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint7\"}]}]}", "x.json: modules[0].points[0].type: must be one of"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"scale\":0}]}]}", "x.json: modules[0].points[0].scale: must not be 0"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"kind\":\"boolean\"}]}]}", "x.json: modules[0].points[0].kind: does not fit"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"formula\":\"map\"}]}]}", "x.json: modules[0].points[0].map: is missing"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"formula\":\"pulse\",\"kind\":\"boolean\"}]}]}", "x.json: modules[0].points[0].received: goes with"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"report\":[5,4,1]}]}]}", "x.json: modules[0].points[0].report: must be three"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"write\":[{\"command\":300}]}]}]}", "x.json: modules[0].points[0].write[0].command: must be"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\",\"write\":[{\"command\":3,\"payload\":\"u8=256\"}]}]}]}", "x.json: modules[0].points[0].write[0].payload: has a field"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":[0,1],\"type\":\"uint8\"}]}]}", "x.json: modules[0].points[0].attribute: has two"},
		{"{\"modules\":[{\"name\":\"a\",\"root\":\"x:a\",\"class\":\"c.a\",\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":[0,1,2],\"type\":\"uint8\"}]}]}", "x.json: modules[0].points[0].attribute: has more"},
		{"{\"modules\":[{\"name\":\"c\",\"container\":true,\"cluster\":6,\"points\":[{\"member\":\"m\",\"attribute\":0,\"type\":\"uint8\"}]}]}", "x.json: modules[0].points[0].member: of a container"},
		{"{\"devices\":[{\"root\":\"a:b\",\"class\":\"c\"}]}", "x.json: devices[0].device: is missing"},
		{"{\"models\":[{\"manufacturer\":\"a\"}]}", "x.json: models[0]: wants"},
		{"{\"models\":[{\"manufacturer\":\"a\",\"model\":\"b\",\"reporting\":false}]}", "x.json: models[0].poll_s: is missing"},
		{"{\"models\":[{\"manufacturer\":\"a\",\"model\":\"b\",\"modules\":[{}]}]}", "x.json: models[0].modules[0].name: is missing"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct descriptions *d = descriptions_new();

		assert_int_not_equal(read_text(d, cases[i].text), OK);
		if (strncmp(why, cases[i].begins, strlen(cases[i].begins)) != 0)
			fail_msg("case %zu says `%s`, not `%s`", i, why, cases[i].begins);
		descriptions_free(d);
	}
}

static void there_is_an_end_to_everything(void **state)
{
	struct descriptions *d = descriptions_new();
	struct wr w = wr_new(DESCRIPTION_FILE_MAX);

	(void)state;
	wr_str(&w, "{\"modules\":[");
	for (int i = 0; i <= DESCRIPTION_MODULES; i++)
		wr_fmt(&w, "%s{\"name\":\"m%d\",\"root\":\"a:m\",\"class\":\"c\",\"cluster\":6,\"points\":[{\"member\":\"x\",\"attribute\":0,\"type\":\"uint8\"}]}", i ? "," : "", i);
	wr_str(&w, "]}");
	assert_int_equal(descriptions_read(d, "many.json", rd_of(w.octets, w.len), why, sizeof why), ERR_FULL);
	assert_true(strncmp(why, "many.json: modules[512]: there are more", 39) == 0);
	descriptions_free(d);
	wr_free(&w);
}

#define MODULE(name, member) "{\"name\":\"" name "\",\"root\":\"a:b\",\"class\":\"c.d\",\"cluster\":6,\"points\":[{\"member\":\"" member "\",\"attribute\":0,\"type\":\"uint8\"}]}"

static void two_modules_of_one_file_have_two_names(void **state)
{
	struct descriptions *d = descriptions_new();

	(void)state;
	assert_int_equal(read_text(d, "{\"modules\":[" MODULE("a", "x") "," MODULE("a", "y") "]}"), ERR_BAD_VALUE);
	assert_string_equal(why, "x.json: modules[1].name: is that of another module");
	descriptions_free(d);
}

static void what_is_read_later_and_of_the_model_goes_before(void **state)
{
	struct descriptions *d = descriptions_built_in();
	const struct model *m;
	uint32_t before = descriptions_fingerprint(d);

	(void)state;
	assert_int_equal(read_text(d, "{\"modules\":[" MODULE("lock", "mine") "],\"models\":[{\"manufacturer\":\"Make*\",\"model\":\"M-1\",\"ignore\":[1,\"0x0b04\"],"
	                              "\"modules\":[" MODULE("binSh", "own") "]},{\"manufacturer\":\"*\",\"model\":\"N\",\"reporting\":false,\"poll_s\":30}]}"), OK);
	assert_int_not_equal(descriptions_fingerprint(d), before);
	assert_string_equal(module_of(d, NULL, "lock")->points[0].member, "mine");
	assert_string_equal(module_of(d, NULL, "binSh")->points[0].member, "state");
	m = descriptions_model(d, "Makers", "M-1");
	assert_non_null(m);
	assert_string_equal(module_of(d, m, "binSh")->points[0].member, "own");
	assert_string_equal(module_of(d, m, "lock")->points[0].member, "mine");
	assert_true(model_ignores(m, 0x0b04) && !model_ignores(m, 6) && !model_ignores(NULL, 1));
	assert_null(descriptions_model(d, "Makers", "M-10"));
	m = descriptions_model(d, "anybody", "N");
	assert_true(m && m->no_reporting && m->poll_s == 30);
	descriptions_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_built_in_ones_have_every_row_of_the_table),
		cmocka_unit_test(a_wrong_file_is_refused_with_its_place),
		cmocka_unit_test(there_is_an_end_to_everything),
		cmocka_unit_test(two_modules_of_one_file_have_two_names),
		cmocka_unit_test(what_is_read_later_and_of_the_model_goes_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
