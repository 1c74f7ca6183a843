/* The NAF's end of Zn, against a BSF that is a handler of this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gba/net/naf.h"
#include "loop/log.h"

#define BSF "mef.keyway.example"
#define BTID "I1U8vpY3qJ0hiuZNrke/NQ==@" BSF
#define GRANT "{\"key\":\"mjUM/wxZoEJ16bUlzd2r6Bylw3pramn4YY1Hd1aes8c=\",\"expires\":1795305600,\"bootstrapped\":1795219200,\"entity\":\"m2m://keyway.example/id-in/C1\"}"

static struct loop *l;
static struct http_server *server;
static struct http_client *http;
static struct naf *naf;
static struct psk_source source;
static unsigned asked, status;
static const char *answer;
static bool silent;
static struct http_exchange *unanswered[NAF_AT_ONCE];

static void on_zn(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct zn_ask ask;

	(void)ctx;
	assert_string_equal(rq->path, "/zn");
	assert_int_equal(zn_ask_parse(rq->body, &ask), OK);
	assert_string_equal(ask.btid, BTID);
	assert_memory_equal(ask.ua, "\1\0\0\0\7", UA_ID);
	if (silent)
		unanswered[asked] = x;
	else
		http_answer(x, status, NULL, rd_str(answer));
	asked++;
}

static int begin(void **state)
{
	struct naf_config c = {.bsf = "MEF.keyway.example"};
	char url[64];

	(void)state;
	log_start("naf_test", LOG_LEVEL_ERROR);
	l = loop_new();
	assert_int_equal(http_server_new(l, "127.0.0.1:0", NULL, on_zn, NULL, &server), OK);
	http = http_client_new(l, NULL);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(server));
	c.url = url;
	assert_int_equal(naf_new(http, &c, &naf), OK);
	source = naf_psk_source(naf);
	asked = 0;
	status = 200;
	answer = GRANT;
	silent = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	http_client_free(http);
	naf_free(naf);
	for (unsigned i = 0; silent && i < asked; i++)
		http_answer(unanswered[i], 503, NULL, rd_of("", 0));
	http_server_free(server);
	loop_free(l);
	return 0;
}

struct result {
	bool done, known;
	struct psk_answer a;
};

static void on_psk(void *ctx, struct psk_answer *a)
{
	struct result *r = ctx;

	r->done = true;
	r->known = a != NULL;
	if (a)
		r->a = *a;
}

static struct result find(const char *identity)
{
	struct result r = {false, false, {.key = NULL}};

	source.find(source.source, identity, on_psk, &r);
	while (!r.done)
		loop_once(l, 1000);
	return r;
}

static void finds_the_key_of_a_btid(void **state)
{
	static const char *const identities[] = {BTID, "3GPP-bootstrapping;" BTID};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct result r = find(identities[i]);

		assert_true(r.known);
		assert_int_equal(secret_len(r.a.key), 32);
		assert_true(r.a.expires_at == 1795305600);
		assert_string_equal(r.a.entity, "m2m://keyway.example/id-in/C1");
		secret_free(r.a.key);
	}
	assert_int_equal(asked, 2);
}

static void asks_for_nothing_that_is_not_of_its_bsf(void **state)
{
	static const char *const others[] = {"", "x", "0a1b@" BSF, "I1U8vpY3qJ0hiuZNrke/NQ==@other.example", "I1U8vpY3qJ0hiuZNrke/NQ==", "3GPP-bootstrapping;x"};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(find(others[i]).known);
	assert_int_equal(asked, 0);
}

static void takes_no_answer_that_is_none(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "{\"key\":\"AAAA\",\"expires\":1,\"bootstrapped\":1,\"entity\":\"x\"}",
	    "{\"key\":\"mjUM/wxZoEJ16bUlzd2r6Bylw3pramn4YY1Hd1aes8c=\",\"expires\":1,\"bootstrapped\":1,\"entity\":\"a b\"}"};
	static const unsigned refusals[] = {403, 404, 400, 503};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		answer = bad[i];
		assert_false(find(BTID).known);
	}
	answer = GRANT;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		status = refusals[i];
		assert_false(find(BTID).known);
	}
	http_server_free(server);
	assert_false(find(BTID).known);
	assert_int_equal(http_server_new(l, "127.0.0.1:0", NULL, on_zn, NULL, &server), OK);
}

static void a_search_can_be_given_up(void **state)
{
	struct result r = {false, false, {.key = NULL}};
	void *handle;

	(void)state;
	silent = true;
	handle = source.find(source.source, BTID, on_psk, &r);
	assert_non_null(handle);
	while (asked == 0)
		loop_once(l, 1000);
	source.cancel(source.source, handle);
	assert_false(r.done);
}

static void strangers_make_it_ask_no_more_than_so_much(void **state)
{
	struct result r[NAF_AT_ONCE + 1] = {{false, false, {.key = NULL}}};
	void *handles[NAF_AT_ONCE];

	(void)state;
	silent = true;
	for (size_t i = 0; i < NAF_AT_ONCE; i++) {
		handles[i] = source.find(source.source, BTID, on_psk, &r[i]);
		assert_non_null(handles[i]);
	}
	assert_null(source.find(source.source, BTID, on_psk, &r[NAF_AT_ONCE]));
	assert_true(r[NAF_AT_ONCE].done && !r[NAF_AT_ONCE].known);
	for (size_t i = 0; i < NAF_AT_ONCE; i++)
		source.cancel(source.source, handles[i]);
	silent = false;
	assert_true(find(BTID).known);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(finds_the_key_of_a_btid),
	    TEST(asks_for_nothing_that_is_not_of_its_bsf),
	    TEST(takes_no_answer_that_is_none),
	    TEST(a_search_can_be_given_up),
	    TEST(strangers_make_it_ask_no_more_than_so_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
