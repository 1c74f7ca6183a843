/* Whatever is asked of a DAS: the first octet says who asks. An answer is JSON, a refusal has no content; a CSE never gets anything about another's resource,
 * an AE nothing but tokens with its own name, and no token ever goes to a CSE that is not its audience. */
#include "../fuzz.h"

#include "das/das.h"
#include "onem2m/schema.h"

#define NOW 1800000000000ULL

static struct das *das;
static struct rng rng;
static const char *const askers[] = {"/id-in", "/id-mn", "/id-in/Cx", "/id-mn/Cy"};
static const char *asker;

/* Only for whom the question is. */
static enum err seal(void *ctx, struct rd claims, const char *cse, struct wr *token)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	struct rd holder;

	(void)ctx;
	MUST(a && json_parse(a, claims, NULL, &doc) == OK && json_string(json_get(doc, "azp"), &holder));
	MUST(json_is_string(json_at(json_get(doc, "aud"), 0), cse));
	if (asker[4] && strchr(asker + 1, '/'))
		MUST(rd_starts(holder, "//keyway.example/") && rd_is(rd_of(holder.at + 16, holder.left - 16), asker));
	else
		MUST(strcmp(cse, asker) == 0);
	wr_str(token, "t");
	json_arena_free(a);
	return OK;
}

static void prepare(void)
{
	static const struct das_rule rules[] = {
		{.originator = "/*/C*", .resource = "/id-in/a*", .operations = 2, .way = DAS_GRANT, .lifetime_s = 60},
		{.originator = "/*/*", .resource = "/*/*", .operations = 63, .way = DAS_TOKEN, .lifetime_s = 60},
	};
	const struct das_config c = {.id = "das.keyway.example", .sp = "keyway.example", .longest_s = 86400, .rng = &rng, .seal = seal};
	const char *detail;
	int64_t id;

	rng = rng_seeded(1);
	MUST(das_open(":memory:", &c, &das, &detail) == OK);
	for (size_t i = 0; i < 2; i++)
		MUST(das_rule_add(das, NOW, &rules[i], &id) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wr w = wr_new(DAS_ANSWER_MAX);
	struct json_arena *a = json_arena_new();
	struct rd in = rd_of(data, size), answer;
	struct schema_fault fault;
	const struct json *doc;
	enum onem2m_rsc rsc;
	uint8_t who = 0;

	if (!das)
		prepare();
	if (rd_u8(&in, &who)) {
		asker = askers[who % 4];
		rsc = das_ask(das, NOW, asker, in, &w);
		MUST(wr_done(&w, &answer));
		if (rsc == RSC_OK) {
			MUST(json_parse(a, answer, NULL, &doc) == OK);
			MUST(schema_check_value(schema_datatype("m2m:securityInfo"), json_get(doc, "m2m:seci"), "seci", &fault));
			MUST(who % 4 < 2 || !json_path(doc, "m2m:seci.dres.dai"));
		} else {
			MUST(answer.left == 0 && das_reason(das)[0]);
		}
		wr_reset(&w);
		das_admin(das, NOW, in, &w);
		MUST(wr_done(&w, &answer) && json_parse(a, answer, NULL, &doc) == OK);
	}
	json_arena_free(a);
	wr_free(&w);
	return 0;
}
