/* The other ends of Zh and Zn, and user security settings: what they read is written again so that it reads the same. */
#include <string.h>

#include "../fuzz.h"
#include "gba/zh.h"
#include "gba/zn.h"

static struct rd written(struct wr *w)
{
	struct rd r;

	MUST(wr_done(w, &r));
	return r;
}

static void zh(struct rd in)
{
	static char text[2 * ZH_LINE_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct json_out o = json_out(&w);
	struct aka_vector v, v2;
	struct guss g, g2;

	if (zh_answer_parse(in, &v, &g) != OK)
		return;
	json_object(&o, NULL);
	json_put_bool(&o, "ok", true);
	zh_answer_print(&o, &v, &g);
	json_close(&o);
	MUST(zh_answer_parse(written(&w), &v2, &g2) == OK);
	MUST(secret_equal(v.res, v2.res) && secret_equal(v.ck, v2.ck) && secret_equal(v.ik, v2.ik) && memcmp(v.autn, v2.autn, AKA_AUTN) == 0);
	MUST(memcmp(v.rand, v2.rand, AKA_RAND) == 0 && g.count == g2.count && g.lifetime_s == g2.lifetime_s);
	for (size_t i = 0; i < g.count; i++)
		MUST(strcmp(g.uss[i].naf, g2.uss[i].naf) == 0 && strcmp(g.uss[i].entity, g2.uss[i].entity) == 0);
	aka_vector_clear(&v);
	aka_vector_clear(&v2);
}

static void zn(struct rd in)
{
	static char text[4 * ZN_BODY_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct naf_grant g, g2;
	struct zn_ask a, a2;

	if (zn_answer_parse(in, &g) == OK) {
		zn_answer_print(&w, &g);
		MUST(zn_answer_parse(written(&w), &g2) == OK);
		MUST(secret_equal(g.key, g2.key) && g.expires_at == g2.expires_at && strcmp(g.entity, g2.entity) == 0);
		secret_free(g.key);
		secret_free(g2.key);
	}
	if (zn_ask_parse(in, &a) == OK) {
		w = wr_of(text, sizeof text);
		zn_ask_print(&w, &a);
		MUST(zn_ask_parse(written(&w), &a2) == OK && strcmp(a.btid, a2.btid) == 0 && memcmp(a.ua, a2.ua, UA_ID) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	zh(rd_of(data, size));
	zn(rd_of(data, size));
	return 0;
}
