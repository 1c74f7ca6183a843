/* The core of the DAS: rules, questions, tokens, and what survives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "das/das.h"
#include "onem2m/timestamp.h"

#define NOW 1800000000000ULL

struct rig {
	struct das *das;
	struct rng rng;
	struct json_arena *arena;
	struct wr w;
	unsigned sealed; /* tokens that were made */
	bool broken;
};

/* The token is its claims. */
static enum err seal(void *ctx, struct rd claims, const char *cse, struct wr *token)
{
	struct rig *g = ctx;

	g->sealed++;
	if (g->broken)
		return ERR_CRYPTO;
	wr_fmt(token, "%s ", cse);
	wr_rd(token, claims);
	return OK;
}

static void rig_open(struct rig *g, const char *path, bool tokens)
{
	const struct das_config c = {.id = "das.keyway.example", .sp = "keyway.example", .longest_s = 86400, .rng = &g->rng, .seal = tokens ? seal : NULL, .ctx = g};
	const char *detail;

	g->rng = rng_seeded(1);
	g->arena = json_arena_new();
	g->w = wr_new(DAS_ANSWER_MAX);
	assert_int_equal(das_open(path, &c, &g->das, &detail), OK);
}

static void rig_end(struct rig *g)
{
	das_close(g->das);
	json_arena_free(g->arena);
	wr_free(&g->w);
}

static int64_t allow(struct rig *g, const char *originator, const char *resource, unsigned operations, enum das_way way, const char *role, uint64_t life)
{
	struct das_rule r = {.operations = operations, .way = way, .lifetime_s = life};
	int64_t id = 0;

	snprintf(r.originator, sizeof r.originator, "%s", originator);
	snprintf(r.resource, sizeof r.resource, "%s", resource);
	snprintf(r.role, sizeof r.role, "%s", role);
	return das_rule_add(g->das, NOW, &r, &id) == OK ? id : 0;
}

/* ' is ". The answer's dres; NULL when it was refused with `rsc`. */
static const struct json *ask(struct rig *g, uint64_t now, const char *asker, enum onem2m_rsc rsc, const char *dreq)
{
	const struct json *doc;
	char text[2048];
	struct rd answer;

	snprintf(text, sizeof text, "{'m2m:seci':{'sit':1,'dreq':{%s}}}", dreq);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	wr_reset(&g->w);
	assert_int_equal(das_ask(g->das, now, asker, rd_str(text), &g->w), rsc);
	assert_true(wr_done(&g->w, &answer));
	if (rsc != RSC_OK) {
		assert_int_equal(answer.left, 0);
		assert_true(das_reason(g->das)[0]);
		return NULL;
	}
	json_arena_reset(g->arena);
	assert_int_equal(json_parse(g->arena, answer, NULL, &doc), OK);
	return json_path(doc, "m2m:seci.dres");
}

#define READ "'or':'/id-in/Cx','op':2,'trid':'/id-in/box'"

static void grants_until_a_moment_what_the_rule_says(void **state)
{
	struct rig g = {.sealed = 0};
	const struct json *dres;
	uint64_t end, acop;
	struct rd pl;

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_not_equal(allow(&g, "/id-in/C*", "/id-in/box", 2 | 4, DAS_GRANT, "", 600), 0);
	dres = ask(&g, NOW, "/id-in", RSC_OK, READ);
	assert_true(json_string(json_path(dres, "dai.pl"), &pl) && timestamp_parse(pl, &end));
	assert_int_equal(end, NOW + 600000);
	assert_true(json_uint(json_get(json_at(json_path(dres, "dai.gp.acr"), 0), "acop"), &acop));
	assert_int_equal(acop, 6);
	assert_true(json_is_string(json_at(json_get(json_at(json_path(dres, "dai.gp.acr"), 0), "acor"), 0), "/id-in/Cx"));
	assert_null(json_get(dres, "tkns"));
	/* what the CSE proposes bounds it, and nothing makes it longer */
	dres = ask(&g, NOW, "/id-in", RSC_OK, READ ",'ppl':'5000'");
	assert_true(json_string(json_path(dres, "dai.pl"), &pl) && timestamp_parse(pl, &end));
	assert_int_equal(end, NOW + 5000);
	dres = ask(&g, NOW, "/id-in", RSC_OK, READ ",'ppl':'99990101T000000'");
	assert_true(json_string(json_path(dres, "dai.pl"), &pl) && timestamp_parse(pl, &end));
	assert_int_equal(end, NOW + 600000);
	assert_null(json_get(ask(&g, NOW, "/id-in", RSC_OK, READ ",'ppl':'20200101T000000'"), "dai"));
	rig_end(&g);
}

static void grants_nothing_without_a_rule_that_fits(void **state)
{
	struct rig g = {.sealed = 0};

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, READ)->count, 0);
	assert_int_not_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_GRANT, "", 600), 0);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, READ)->count, 1);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, "'or':'/id-in/Cx','op':4,'trid':'/id-in/box'")->count, 0);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, "'or':'/id-in/Cy','op':2,'trid':'/id-in/box'")->count, 0);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, "'or':'/id-in/Cx','op':2,'trid':'/id-in/boxes'")->count, 0);
	/* any way of writing the same entity */
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, "'or':'//keyway.example/id-in/Cx','op':2,'trid':'box'")->count, 1);
	/* a star does not reach over a slash */
	assert_int_not_equal(allow(&g, "/id-mn*", "/id-in/*", 63, DAS_GRANT, "", 600), 0);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, "'or':'/id-mn/Cx','op':2,'trid':'/id-in/box'")->count, 0);
	rig_end(&g);
}

static void answers_each_about_its_own_only(void **state)
{
	struct rig g = {.sealed = 0};

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_not_equal(allow(&g, "/*/*", "/*/*", 63, DAS_TOKEN, "", 600), 0);
	ask(&g, NOW, "/id-mn", RSC_ORIGINATOR_HAS_NO_PRIVILEGE, READ);
	ask(&g, NOW, "/id-in/Cy", RSC_ORIGINATOR_HAS_NO_PRIVILEGE, READ);
	ask(&g, NOW, "/id-in/Cx", RSC_OK, READ);
	ask(&g, NOW, "/id-in/Cx", RSC_OK, "'or':'Cx','op':2,'trid':'/id-mn/box'");
	ask(&g, NOW, "/id-in", RSC_BAD_REQUEST, "'or':'//other.example/id-in/Cx','op':2,'trid':'/id-in/box'");
	ask(&g, NOW, "/id-in", RSC_BAD_REQUEST, "'or':'/id-in/Cx','op':2,'trid':'/id-in/'");
	ask(&g, NOW, "/id-in", RSC_BAD_REQUEST, "'or':'/id-in/Cx','op':9,'trid':'/id-in/box'");
	ask(&g, NOW, "/id-in", RSC_BAD_REQUEST, "'op':2,'trid':'/id-in/box'");
	ask(&g, NOW, "/id-in", RSC_BAD_REQUEST, READ ",'ppl':'soon'");
	assert_int_equal(das_ask(g.das, NOW, "/id-in", rd_str("{\"m2m:seci\":{\"sit\":2}}"), &g.w), RSC_BAD_REQUEST);
	assert_int_equal(das_ask(g.das, NOW, "/id-in", rd_str("{"), &g.w), RSC_BAD_REQUEST);
	rig_end(&g);
}

static const struct json *claims_of(struct rig *g, const struct json *dres)
{
	const struct json *claims, *t = json_at(json_get(dres, "tkns"), 0);
	struct rd text, cse;

	assert_true(json_string(t, &text) && rd_until(&text, ' ', &cse));
	assert_int_equal(json_parse(g->arena, text, NULL, &claims), OK);
	return claims;
}

static void a_token_says_whose_it_is_and_for_whom(void **state)
{
	struct rig g = {.sealed = 0};
	const struct json *c;
	uint64_t n;

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_not_equal(allow(&g, "/id-in/C*", "/id-mn/*", 2, DAS_TOKEN, "", 600), 0);
	c = claims_of(&g, ask(&g, NOW, "/id-in/Cx", RSC_OK, "'or':'/id-in/Cx','op':2,'trid':'/id-mn/box'"));
	assert_true(json_is_string(json_get(c, "azp"), "//keyway.example/id-in/Cx"));
	assert_true(json_is_string(json_get(c, "iss"), "das.keyway.example"));
	assert_true(json_is_string(json_at(json_get(c, "aud"), 0), "/id-mn"));
	assert_true(json_is_string(json_at(json_get(json_at(json_path(c, "tkps.pm"), 0), "ris"), 0), "/id-mn/box"));
	assert_true(json_uint(json_get(c, "exp"), &n) && n == NOW / 1000 + 600);
	assert_true(json_uint(json_get(c, "nbf"), &n) && n <= NOW / 1000);
	/* a grant is for the CSE alone */
	assert_int_not_equal(allow(&g, "/id-in/C*", "/id-in/*", 2, DAS_GRANT, "", 600), 0);
	assert_int_equal(ask(&g, NOW, "/id-in/Cx", RSC_OK, READ)->count, 0);
	/* a role in the place of privileges */
	assert_int_not_equal(allow(&g, "/id-in/C*", "/id-in/*", 2, DAS_TOKEN, "reader@das.keyway.example", 600), 0);
	c = claims_of(&g, ask(&g, NOW, "/id-in/Cx", RSC_OK, READ));
	assert_true(json_is_string(json_at(json_get(json_at(json_path(c, "tkps.pm"), 0), "rids"), 0), "reader@das.keyway.example"));
	assert_null(json_get(json_at(json_path(c, "tkps.pm"), 0), "pv"));
	rig_end(&g);
}

static void take_token(void *ctx, const struct das_token *t)
{
	*(struct das_token *)ctx = *t;
}

static void a_token_is_given_again_and_by_its_id_to_whom_it_is(void **state)
{
	struct rig g = {.sealed = 0};
	struct das_token t = {.rule = 0};
	char dreq[1024];

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_not_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_TOKEN, "", 600), 0);
	ask(&g, NOW, "/id-in", RSC_OK, READ);
	ask(&g, NOW + 1000, "/id-in", RSC_OK, READ);
	assert_int_equal(g.sealed, 1);
	ask(&g, NOW + 301000, "/id-in", RSC_OK, READ); /* less than half of it is left */
	assert_int_equal(g.sealed, 2);
	assert_int_equal(das_tokens_each(g.das, NOW + 301000, take_token, &t), OK);
	assert_string_equal(t.holder, "/id-in/Cx");
	/* by its ID, about another resource */
	snprintf(dreq, sizeof dreq, "'or':'/id-in/Cx','op':2,'trid':'/id-in/other','tids':['%s']", t.id);
	assert_int_equal(json_get(ask(&g, NOW + 302000, "/id-in", RSC_OK, dreq), "tkns")->count, 1);
	snprintf(dreq, sizeof dreq, "'or':'/id-in/Cy','op':2,'trid':'/id-in/other','tids':['%s']", t.id);
	assert_int_equal(json_get(ask(&g, NOW + 302000, "/id-in", RSC_OK, dreq), "tkns")->count, 0);
	snprintf(dreq, sizeof dreq, "'or':'/id-in/Cx','op':2,'trid':'/id-mn/other','tids':['%s']", t.id);
	assert_int_equal(json_get(ask(&g, NOW + 302000, "/id-mn", RSC_OK, dreq), "tkns")->count, 0);
	snprintf(dreq, sizeof dreq, "'or':'/id-in/Cx','op':2,'trid':'/id-in/other','tids':['%s']", t.id);
	assert_int_equal(json_get(ask(&g, NOW + 302000 + 600000, "/id-in", RSC_OK, dreq), "tkns")->count, 0);
	assert_int_equal(das_token_forget(g.das, NOW, t.id), OK);
	assert_int_equal(das_token_forget(g.das, NOW, t.id), ERR_NOT_FOUND);
	assert_int_equal(json_get(ask(&g, NOW + 302000, "/id-in", RSC_OK, dreq), "tkns")->count, 0);
	rig_end(&g);
}

static void what_could_not_be_made_is_not_kept(void **state)
{
	struct rig g = {.broken = true};
	struct das_token t = {.rule = 0};

	(void)state;
	rig_open(&g, ":memory:", true);
	assert_int_not_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_TOKEN, "", 600), 0);
	ask(&g, NOW, "/id-in", RSC_INTERNAL_SERVER_ERROR, READ);
	assert_int_equal(das_tokens_each(g.das, NOW, take_token, &t), OK);
	assert_int_equal(t.rule, 0);
	rig_end(&g);
}

static void refuses_rules_that_are_none(void **state)
{
	struct rig g = {.sealed = 0}, without = {.sealed = 0};

	(void)state;
	rig_open(&g, ":memory:", true);
	rig_open(&without, ":memory:", false);
	assert_int_equal(allow(&g, "Cx", "/id-in/box", 2, DAS_GRANT, "", 600), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "//x/id-in/box", 2, DAS_GRANT, "", 600), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 0, DAS_GRANT, "", 600), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 64, DAS_GRANT, "", 600), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_GRANT, "", 0), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_GRANT, "", 86401), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_GRANT, "r@x", 600), 0);
	assert_int_equal(allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_TOKEN, "nobody", 600), 0);
	assert_int_equal(allow(&without, "/id-in/Cx", "/id-in/box", 2, DAS_TOKEN, "", 600), 0);
	assert_int_not_equal(allow(&g, "/id-in/Cx", "/id-in/box", 63, DAS_TOKEN, "r@x", 86400), 0);
	rig_end(&without);
	rig_end(&g);
}

static void rules_and_tokens_survive_and_go_together(void **state)
{
	char path[] = "/tmp/das-test-XXXXXX", more[sizeof path + 8];
	struct rig g = {.sealed = 0};
	struct das_token t = {.rule = 0};
	int64_t id;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	rig_open(&g, path, true);
	id = allow(&g, "/id-in/Cx", "/id-in/box", 2, DAS_TOKEN, "", 600);
	ask(&g, NOW, "/id-in", RSC_OK, READ);
	rig_end(&g);
	rig_open(&g, path, true);
	assert_int_equal(das_tokens_each(g.das, NOW, take_token, &t), OK);
	assert_int_equal(t.rule, id);
	ask(&g, NOW, "/id-in", RSC_OK, READ);
	assert_int_equal(g.sealed, 1);
	assert_int_equal(das_rule_remove(g.das, NOW, id), OK);
	assert_int_equal(das_rule_remove(g.das, NOW, id), ERR_NOT_FOUND);
	t.rule = 0;
	assert_int_equal(das_tokens_each(g.das, NOW, take_token, &t), OK);
	assert_int_equal(t.rule, 0);
	assert_int_equal(ask(&g, NOW, "/id-in", RSC_OK, READ)->count, 0);
	rig_end(&g);
	for (size_t i = 0; i < 3; i++) {
		snprintf(more, sizeof more, "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);
		unlink(more);
	}
}

static void the_operator_is_told_what_is_wrong(void **state)
{
	static const char *const good[] = {
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":\"rs\",\"lifetime_s\":60}",
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":63,\"token\":true,\"role\":\"r@x\"}",
		"{\"cmd\":\"das.list\"}", "{\"cmd\":\"das.tokens\"}", "{\"cmd\":\"das.remove\",\"rule\":1}"};
	static const char *const bad[] = {
		"", "[]", "{}", "{\"cmd\":\"das.none\"}", "{\"cmd\":\"das.remove\",\"rule\":\"1\"}", "{\"cmd\":\"das.remove\",\"rule\":77}", "{\"cmd\":\"das.forget\"}",
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":\"\"}",
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":64}",
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":\"R\",\"lifetime_s\":\"1\"}",
		"{\"cmd\":\"das.allow\",\"originator\":\"/id-in/Cx\",\"resource\":\"/id-in/box\",\"operations\":\"R\",\"role\":\"r@x\"}"};
	struct rig g = {.sealed = 0};

	(void)state;
	rig_open(&g, ":memory:", true);
	for (size_t i = 0; i < sizeof good / sizeof good[0] + sizeof bad / sizeof bad[0]; i++) {
		bool is_good = i < sizeof good / sizeof good[0], ok;
		const struct json *doc;
		struct rd text;

		wr_reset(&g.w);
		das_admin(g.das, NOW, rd_str(is_good ? good[i] : bad[i - sizeof good / sizeof good[0]]), &g.w);
		assert_true(wr_done(&g.w, &text));
		assert_int_equal(json_parse(g.arena, text, NULL, &doc), OK);
		assert_true(json_bool(json_get(doc, "ok"), &ok));
		assert_int_equal(ok, is_good);
		assert_true(is_good || json_get(doc, "error")->text.left > 0);
	}
	rig_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grants_until_a_moment_what_the_rule_says),
		cmocka_unit_test(grants_nothing_without_a_rule_that_fits),
		cmocka_unit_test(answers_each_about_its_own_only),
		cmocka_unit_test(a_token_says_whose_it_is_and_for_whom),
		cmocka_unit_test(a_token_is_given_again_and_by_its_id_to_whom_it_is),
		cmocka_unit_test(what_could_not_be_made_is_not_kept),
		cmocka_unit_test(refuses_rules_that_are_none),
		cmocka_unit_test(rules_and_tokens_survive_and_go_together),
		cmocka_unit_test(the_operator_is_told_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
