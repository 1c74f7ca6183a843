/* Zh in JSON. */
#include "gba/zh.h"

#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define RES_LEAST 4 /* TS 33.102 clause 6.3.7: 4 to 16 octets */
#define RES_MOST 16
#define KEY 16

static bool octets_of(const struct json *v, uint8_t *octets, size_t size, size_t *len)
{
	struct wr w = wr_of(octets, size);
	struct rd text, done;

	if (!json_string(v, &text) || !base64_parse(text, &w) || !wr_done(&w, &done))
		return false;
	*len = done.left;
	return true;
}

static bool exactly(const struct json *v, uint8_t *octets, size_t size)
{
	size_t len;

	return octets_of(v, octets, size, &len) && len == size;
}

static struct secret *secret_of(const struct json *v, size_t least, size_t most)
{
	uint8_t octets[SECRET_MAX];
	struct secret *s = NULL;
	size_t len;

	if (octets_of(v, octets, most, &len) && len >= least)
		s = secret_take(octets, len);
	bytes_wipe(octets, sizeof octets);
	return s;
}

void zh_ask_print(struct wr *w, const struct bsf_ask *ask)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "cmd", "vector");
	json_put_string(&o, "impi", ask->impi);
	if (ask->resync) {
		json_put_base64(&o, "rand", rd_of(ask->rand, AKA_RAND));
		json_put_base64(&o, "auts", rd_of(ask->auts, AKA_AUTS));
	}
	json_close(&o);
}

enum err zh_ask_parse(const struct json *v, struct bsf_ask *ask)
{
	const struct json *rand = json_get(v, "rand"), *auts = json_get(v, "auts");

	memset(ask, 0, sizeof *ask);
	if (!json_text(json_get(v, "impi"), ask->impi, sizeof ask->impi) || ask->impi[0] == '\0' || (rand != NULL) != (auts != NULL))
		return ERR_MALFORMED;
	ask->resync = rand != NULL;
	return !ask->resync || (exactly(rand, ask->rand, AKA_RAND) && exactly(auts, ask->auts, AKA_AUTS)) ? OK : ERR_MALFORMED;
}

static void put_secret(struct json_out *o, const char *name, const struct secret *s)
{
	json_put_base64(o, name, rd_of(secret_octets(s), secret_len(s)));
}

void zh_answer_print(struct json_out *o, const struct aka_vector *v, const struct guss *g)
{
	json_put_base64(o, "rand", rd_of(v->rand, AKA_RAND));
	json_put_base64(o, "autn", rd_of(v->autn, AKA_AUTN));
	put_secret(o, "res", v->res);
	put_secret(o, "ck", v->ck);
	put_secret(o, "ik", v->ik);
	guss_write(o, "guss", g);
}

static enum err refusal(const struct json *doc)
{
	static const enum err known[] = {ERR_NOT_FOUND, ERR_BAD_MIC, ERR_UNKNOWN_KEY};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (json_is_string(json_get(doc, "code"), err_name(known[i])))
			return known[i];
	return ERR_NOT_READY;
}

static enum err answer_read(const struct json *doc, struct aka_vector *v, struct guss *g)
{
	bool ok;
	enum err e;

	memset(v, 0, sizeof *v);
	if (!json_bool(json_get(doc, "ok"), &ok))
		return ERR_MALFORMED;
	if (!ok)
		return refusal(doc);
	if (!exactly(json_get(doc, "rand"), v->rand, AKA_RAND) || !exactly(json_get(doc, "autn"), v->autn, AKA_AUTN))
		return ERR_MALFORMED;
	e = guss_read(json_get(doc, "guss"), g);
	if (e != OK)
		return e;
	v->res = secret_of(json_get(doc, "res"), RES_LEAST, RES_MOST);
	v->ck = secret_of(json_get(doc, "ck"), KEY, KEY);
	v->ik = secret_of(json_get(doc, "ik"), KEY, KEY);
	if (v->res && v->ck && v->ik)
		return OK;
	aka_vector_clear(v);
	return ERR_MALFORMED;
}

enum err zh_answer_parse(struct rd line, struct aka_vector *v, struct guss *g)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	enum err e = arena ? json_parse(arena, line, NULL, &doc) : ERR_NO_MEMORY;

	if (e == OK)
		e = answer_read(doc, v, g);
	json_arena_free(arena); /* strings without escapes stay in the line, which its owner wipes */
	return e;
}
