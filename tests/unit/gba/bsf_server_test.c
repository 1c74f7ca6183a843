/* UE, BSF and HSS on sockets of one loop: Ub here without TLS (the scenario test gba has it with), Zh as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "gba/net/bsf_server.h"
#include "gba/net/hss_server.h"
#include "gba/net/naf.h"
#include "gba/net/ue_client.h"
#include "loop/log.h"

#define BSF "mef.keyway.example"
#define NAF "id-in.keyway.example"
#define IMSI "232010000000000"

static char dir[64], zh_path[96], admin_path[96];
static struct rng rng;
static struct loop *l;
static struct secret *file_key;
static struct hss *hss;
static struct hss_server *doors;
static struct bsf_server *bsf;
static struct http_client *http;
static struct usim usim;
static struct ue ue;
static char url[64];
static int saved;
static enum err save_fails;
static struct {
	bool done;
	enum err e;
	char detail[128];
} result;

static struct secret *key(uint8_t first)
{
	uint8_t octets[16] = {first, 1, 2, 3};

	return secret_take(octets, sizeof octets);
}

static void hss_open_doors(void)
{
	const struct hss_server_config c = {.zh_socket = zh_path, .admin_socket = admin_path};
	const char *which;

	assert_int_equal(hss_server_new(l, hss, &c, &doors, &which), OK);
}

static int begin(void **state)
{
	struct hss_subscriber s = {.imsi = IMSI, .impi = "u@ims", .amf = AKA_AMF_SEPARATION, .guss = {.count = 1, .uss = {{NAF, "m2m://keyway.example/id-in/C1"}}}};
	struct bsf_server_config c = {.fqdn = BSF, .zh_socket = zh_path, .ub_listen = "127.0.0.1:0", .zn_listen = "127.0.0.1:0"};
	uint8_t octets[32] = {7};
	const char *detail;

	(void)state;
	log_start("bsf_server_test", LOG_LEVEL_ERROR);
	strcpy(dir, "/tmp/keyway-bsf-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(zh_path, sizeof zh_path, "%s/zh", dir);
	snprintf(admin_path, sizeof admin_path, "%s/admin", dir);
	rng = rng_seeded(11);
	l = loop_new();
	file_key = secret_take(octets, sizeof octets);
	assert_int_equal(hss_open(":memory:", file_key, &rng, &hss, &detail), OK);
	usim.k = key(1);
	usim.opc = key(2);
	snprintf(usim.impi, sizeof usim.impi, "u@ims");
	assert_int_equal(hss_add(hss, &s, usim.k, usim.opc), OK);
	hss_open_doors();
	assert_int_equal(bsf_server_new(l, &c, &bsf, &detail), OK);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", bsf_server_ub_port(bsf));
	http = http_client_new(l, NULL);
	assert_int_equal(ue_init(&ue, &usim, BSF), OK);
	saved = 0;
	save_fails = OK;
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	ue_clear(&ue);
	usim_clear(&usim);
	http_client_free(http);
	bsf_server_free(bsf);
	hss_server_free(doors);
	hss_close(hss);
	secret_free(file_key);
	loop_free(l);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static enum err on_save(void *ctx, const struct usim *u)
{
	(void)ctx;
	assert_ptr_equal(u, &usim);
	saved++;
	return save_fails;
}

static void on_done(void *ctx, enum err e, const char *detail)
{
	(void)ctx;
	result.done = true;
	result.e = e;
	snprintf(result.detail, sizeof result.detail, "%s", detail);
}

static enum err bootstrap(void)
{
	result.done = false;
	assert_non_null(ue_client_new(http, &ue, &rng, url, on_save, on_done, NULL));
	while (!result.done)
		loop_once(l, 1000);
	return result.e;
}

static void bootstraps_over_sockets(void **state)
{
	static const uint8_t ua[UA_ID] = {1, 0, 0, 0, 7};
	struct naf_grant g;
	struct secret *mine;

	(void)state;
	assert_int_equal(bootstrap(), OK);
	assert_int_equal(saved, 1);
	assert_int_equal(bsf_naf_key(bsf_server_core(bsf), clock_unix_ms(), NAF, rd_str(ue.info.btid), ua, false, &g), OK);
	assert_int_equal(ue_naf_key(&ue, clock_unix_ms() / 1000, KS_NAF, NAF, ua, &mine), OK);
	assert_true(secret_equal(mine, g.key));
	secret_free(mine);
	secret_free(g.key);
}

static void resynchronises_over_sockets(void **state)
{
	(void)state;
	for (size_t i = 0; i < SQN_SLOTS; i++)
		usim.window.seq[i] = 5000;
	assert_int_equal(bootstrap(), OK);
	assert_int_equal(saved, 2);
}

static void nothing_leaves_a_card_that_could_not_be_saved(void **state)
{
	(void)state;
	save_fails = ERR_IO;
	assert_int_equal(bootstrap(), ERR_IO);
	assert_int_equal(bsf_count(bsf_server_core(bsf)), 0);
}

static void tells_of_another_key(void **state)
{
	(void)state;
	secret_free(usim.k);
	usim.k = key(3);
	assert_int_equal(bootstrap(), ERR_BAD_MIC);
	assert_non_null(strstr(result.detail, "does not have the key"));
}

/* As to a card with another key: whether the identity exists is not told. */
static void challenges_an_unknown_subscriber_like_any_other(void **state)
{
	(void)state;
	snprintf(usim.impi, sizeof usim.impi, "other@ims");
	assert_int_equal(bootstrap(), ERR_BAD_MIC);
	assert_non_null(strstr(result.detail, "does not have the key"));
}

static void goes_on_when_the_hss_comes_back(void **state)
{
	(void)state;
	assert_int_equal(bootstrap(), OK);
	hss_server_free(doors);
	doors = NULL;
	assert_int_equal(bootstrap(), ERR_NOT_READY);
	assert_non_null(strstr(result.detail, "503"));
	hss_open_doors();
	assert_int_equal(bootstrap(), OK);
}

static struct psk_answer answered;
static bool known;

static void on_psk(void *ctx, struct psk_answer *a)
{
	(void)ctx;
	known = a != NULL;
	if (a)
		answered = *a;
}

static void the_mef_itself_may_be_the_naf(void **state)
{
	struct psk_source source = bsf_server_psk_source(bsf);
	char identity[BTID_SIZE + 32], admin[512];
	struct wr w = wr_of(admin, sizeof admin);
	struct secret *mine;
	uint8_t ua[UA_ID];

	(void)state;
	assert_int_equal(bootstrap(), OK);
	assert_null(source.find(source.source, ue.info.btid, on_psk, NULL));
	assert_false(known); /* not permitted */
	hss_admin_answer(hss, rd_str("{\"cmd\":\"subscriber.permit\",\"subscriber\":\"" IMSI "\",\"naf\":\"" BSF "\",\"entity\":\"m2m://keyway.example/id-in/C1\"}"), &w);
	assert_int_equal(bootstrap(), OK);
	assert_true(ua_parse(rd_str(NAF_UA_TLS), ua));
	assert_int_equal(ue_naf_key(&ue, clock_unix_ms() / 1000, KS_NAF, BSF, ua, &mine), OK);
	for (int i = 0; i < 2; i++) {
		snprintf(identity, sizeof identity, "%s%s", i ? PSK_IDENTITY_PREFIX : "", ue.info.btid);
		source.find(source.source, identity, on_psk, NULL);
		assert_true(known && secret_equal(mine, answered.key) && answered.expires_at == ue.info.expires_at);
		assert_string_equal(answered.entity, "m2m://keyway.example/id-in/C1");
		secret_free(answered.key);
	}
	secret_free(mine);
	source.find(source.source, "kpm-1@" BSF, on_psk, NULL);
	assert_false(known);
}

struct told {
	bool done;
	unsigned status;
};

static void on_zn_answer(void *ctx, const struct http_result *r)
{
	struct told *t = ctx;

	assert_int_equal(r->error, OK);
	t->status = r->status;
	t->done = true;
}

static void gives_no_key_to_who_shows_no_certificate(void **state)
{
	char zn[64], body[512];
	struct http_call_options o = {.method = "POST", .url = zn};
	struct told t = {false, 0};

	(void)state;
	assert_int_equal(bootstrap(), OK);
	snprintf(zn, sizeof zn, "http://127.0.0.1:%u/zn", bsf_server_zn_port(bsf));
	snprintf(body, sizeof body, "{\"btid\":\"%s\",\"ua\":\"0100000007\"}", ue.info.btid);
	o.body = rd_str(body);
	http_call(http, &o, on_zn_answer, &t);
	while (!t.done)
		loop_once(l, 1000);
	assert_int_equal(t.status, 403);
}

static void ends_while_somebody_waits(void **state)
{
	struct ue_client *c;

	(void)state;
	result.done = false;
	c = ue_client_new(http, &ue, &rng, url, on_save, on_done, NULL);
	assert_non_null(c);
	loop_once(l, 100);
	ue_client_free(c);
	assert_false(result.done);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(bootstraps_over_sockets),
	    TEST(resynchronises_over_sockets),
	    TEST(nothing_leaves_a_card_that_could_not_be_saved),
	    TEST(tells_of_another_key),
	    TEST(challenges_an_unknown_subscriber_like_any_other),
	    TEST(goes_on_when_the_hss_comes_back),
	    TEST(the_mef_itself_may_be_the_naf),
	    TEST(gives_no_key_to_who_shows_no_certificate),
	    TEST(ends_while_somebody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
