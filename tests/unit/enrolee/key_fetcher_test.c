/* What a target takes of a function's answer, and what it forgets when the function says so: against a server that answers as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrolee/key_watch.h"

#define MAF "maf.keyway.example"
#define RELATIVE "00112233445566778899AABBCCDDEEFF"
#define IDENTITY RELATIVE "@" MAF
#define PATIENCE_MS 20000
#define ANSWER(id, suid, end) "{\"sec:symmKeyReg\":{\"ri\":\"" id "\",\"et\":\"" end "\",\"sourceClientID\":\"/id-in/Cother\",\"adminFQDN\":\"" MAF \
	"\",\"SUID\":" suid ",\"targetIDs\":[\"/id-in\"],\"keyValue\":\"AAECAwQFBgcICQoLDA0ODw==\"}}"
#define FAR "20991231T235959"

static struct {
	struct loop *loop;
	struct rng rng;
	struct credentials *store;
	struct http_server *server;
	struct key_fetcher_config config;
	char dir[64], path[96], url[64];
	const char *answer, *rsc;
	unsigned status, asked, done, changed;
	char query[32];
	struct psk_answer got;
	bool has;
} w;

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const struct http_header headers[] = {{"X-M2M-RSC", w.rsc}, {"Content-Type", "application/json"}, {NULL, NULL}};

	(void)ctx;
	assert_string_equal(rq->path, "/maf/" RELATIVE);
	snprintf(w.query, sizeof w.query, "%s", rq->query);
	w.asked++;
	http_answer(x, w.status, headers, rd_str(w.answer));
}

static void says(unsigned status, const char *rsc, const char *text)
{
	w.status = status;
	w.rsc = rsc;
	w.answer = text;
}

static int setup(void **state)
{
	const struct credentials_options o = {.path = w.path, .rng = &w.rng};
	struct credential km = {.kind = KIND_KM, .expires_at = UINT64_MAX, .identity = "km@" MAF, .peer = MAF};
	const char *detail;

	(void)state;
	memset(&w, 0, sizeof w);
	w.rng = rng_system();
	w.loop = loop_new();
	strcpy(w.dir, "/tmp/keyway-key-fetcher-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof w.path, "%s/credentials.db", w.dir);
	assert_int_equal(credentials_open(&o, &w.store, &detail), OK);
	km.key = secret_random(&w.rng, 32);
	assert_int_equal(credentials_put(w.store, &km, true), OK);
	credential_clear(&km);
	assert_int_equal(http_server_new(w.loop, "127.0.0.1:0", NULL, on_request, NULL, &w.server), OK);
	snprintf(w.url, sizeof w.url, "http://127.0.0.1:%u", http_server_port(w.server));
	w.config = (struct key_fetcher_config){.loop = w.loop, .store = w.store, .sp = "keyway.example", .origin = "/id-in", .function_count = 1,
		.functions = {{{REGISTRY_MAF, w.url, MAF}, KEY_FETCHER_SUID(SUID_MAF_SAEF)}}};
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	secret_free(w.got.key);
	http_server_free(w.server);
	credentials_close(w.store);
	loop_free(w.loop);
	snprintf(command, sizeof command, "rm -rf '%s'", w.dir);
	return system(command);
}

static void until(const unsigned *count, unsigned wanted)
{
	uint64_t end = clock_ms() + PATIENCE_MS;

	while (*count < wanted && clock_ms() < end)
		loop_once(w.loop, 100);
	assert_true(*count >= wanted);
}

static void on_done(void *ctx, struct psk_answer *a)
{
	(void)ctx;
	w.done++;
	w.has = a != NULL;
	if (a) {
		secret_free(w.got.key);
		w.got = *a;
	}
}

/* Another fetcher each time, which remembers no refusal. */
static bool fetched(const char *answer)
{
	struct key_fetcher *f = key_fetcher_new(&w.config);
	struct psk_source s = key_fetcher_source(f);

	says(200, "2000", answer);
	w.done = 0;
	s.find(s.source, IDENTITY, on_done, NULL);
	until(&w.done, 1);
	key_fetcher_free(f);
	return w.has;
}

static bool is_kept(void)
{
	struct credential c = {.key = NULL};
	bool there = credentials_find(w.store, IDENTITY, &c) == OK;

	credential_clear(&c);
	return there;
}

static void takes_no_other_key_than_it_asked_for(void **state)
{
	(void)state;
	assert_false(fetched(ANSWER("FF112233445566778899AABBCCDDEEFF", "32", FAR)));
	assert_false(fetched(ANSWER(RELATIVE "00", "32", FAR)));
	assert_false(fetched(ANSWER(RELATIVE, "33", FAR))); /* for ESPrim */
	assert_false(fetched(ANSWER(RELATIVE, "22", FAR))); /* a MEF's */
	assert_false(fetched(ANSWER(RELATIVE, "32", "20200101T000000")));
	assert_false(fetched("{}"));
	assert_false(is_kept());
	assert_true(fetched(ANSWER("00112233445566778899aabbccddeeff", "32", FAR))); /* as hexadecimal digits compare */
	assert_string_equal(w.got.entity, "m2m://keyway.example/id-in/Cother");
	assert_true(is_kept());
}

static void on_changed(void *ctx)
{
	(void)ctx;
	w.changed++;
}

static void forgets_a_key_when_the_function_says_so_and_not_before(void **state)
{
	struct key_watch *watch;

	(void)state;
	assert_true(fetched(ANSWER(RELATIVE, "32", FAR)));
	watch = key_watch_new(&w.config, 1, on_changed, NULL);
	w.asked = 0;
	until(&w.asked, 1);
	assert_string_equal(w.query, "rcn=0");
	says(500, "5000", "{}"); /* it has trouble of its own */
	until(&w.asked, 2);
	says(200, "2000", "no JSON");
	until(&w.asked, 4);
	assert_true(is_kept() && w.changed == 0);
	says(404, "4004", "{}");
	until(&w.changed, 1);
	assert_false(is_kept());
	key_watch_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_no_other_key_than_it_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(forgets_a_key_when_the_function_says_so_and_not_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
