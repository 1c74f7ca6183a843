/* One name for each client, however it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "key_registry/client_id.h"

#define SP "sp.example"

static void knows_one_name_for_each_client(void **state)
{
	static const struct {
		const char *text, *id, *entity, *fqdn;
	} good[] = {
		{"/id-b", "/id-b", "id-b.sp.example", "id-b.sp.example"},
		{"//sp.example/id-b", "/id-b", "id-b.sp.example", "id-b.sp.example"},
		{"id-b.sp.example", "/id-b", "id-b.sp.example", "id-b.sp.example"},
		{"id-b.id-in.sp.example", "/id-b", "id-b.sp.example", "id-b.sp.example"},
		{"m2m://sp.example/id-b/Cx", "/id-b/Cx", "m2m://sp.example/id-b/Cx", "Cx.id-b.sp.example"},
		{"/id-b/Cx", "/id-b/Cx", "m2m://sp.example/id-b/Cx", "Cx.id-b.sp.example"},
		{"//sp.example/id-b/Cx", "/id-b/Cx", "m2m://sp.example/id-b/Cx", "Cx.id-b.sp.example"},
		{"//other.example/id-b/Cx", "//other.example/id-b/Cx", "m2m://other.example/id-b/Cx", "Cx.id-b.other.example"},
		{"m2m://other.example/id-b/Cx", "//other.example/id-b/Cx", "m2m://other.example/id-b/Cx", "Cx.id-b.other.example"},
		{"//other.example/id-b", "//other.example/id-b", "m2m://other.example/id-b", "id-b.other.example"},
		{"maf.elsewhere.example", "maf.elsewhere.example", "maf.elsewhere.example", "maf.elsewhere.example"},
		{"maf.sp.example", "/maf", "maf.sp.example", "maf.sp.example"},
	};
	static const char *const bad[] = {"", "/", "//", "//sp.example", "//sp.example/", "/id-b/", "Cx", "C x", "/id b", "//other.example", "m2m://", "m2m://x", "a@b.c"};
	char id[ENTITY_MAX], other[ENTITY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(client_id_of(rd_str(good[i].text), SP, id));
		assert_string_equal(id, good[i].id);
		assert_true(client_id_entity(id, SP, other));
		assert_string_equal(other, good[i].entity);
		assert_true(client_id_fqdn(id, SP, other));
		assert_string_equal(other, good[i].fqdn);
		assert_true(client_id_equal(rd_str(good[i].text), rd_str(good[i].id), SP));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(client_id_of(rd_str(bad[i]), SP, id));
	assert_false(client_id_equal(rd_str("/id-b"), rd_str("/id-c"), SP));
	assert_true(client_id_of(rd_str("/id-b.id-in"), SP, id)); /* a CSE-ID as good as any, but "id-b.id-in.sp.example" is /id-b */
	assert_false(client_id_entity(id, SP, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(knows_one_name_for_each_client)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
