/* Making and reading rand objects. */
#include "e2e/rand_object.h"

#include <string.h>

#include "base/bytes.h"
#include "onem2m/timestamp.h"

static const struct {
	unsigned number;
	enum jose_enc enc;
} protocols[] = {{10, JOSE_A128GCM}, {11, JOSE_A192GCM}, {12, JOSE_A256GCM}};
#define PROTOCOLS (sizeof protocols / sizeof *protocols)

enum jose_enc rand_object_enc(uint64_t number)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].number == number)
			return protocols[i].enc;
	return JOSE_NO_ENC;
}

bool rand_object_is_shared(const char *id)
{
	return id[0] == 's';
}

struct rd rand_object_text(const struct rand_object *o)
{
	return rd_of(o->text, o->len);
}

static void put_random(struct json_out *o, const char *name, char first, size_t octets, struct rng *rng, char *keep)
{
	uint8_t random[16];
	char text[2 + 2 * sizeof random];

	rng_fill(rng, random, octets);
	text[0] = first;
	hex_print(text + 1, random, octets);
	json_put_string(o, name, text);
	if (keep)
		memcpy(keep, text, strlen(text) + 1);
}

enum err rand_object_make(struct rand_object *o, bool is_receivers, bool is_shared, uint64_t expires_ms, uint32_t encs, struct rng *rng)
{
	struct rand_object r = {.is_receivers = is_receivers, .expires_ms = expires_ms, .hmac_sha256 = true, .encs = encs};
	struct wr w = wr_of(r.text, sizeof r.text);
	struct json_out j = json_out(&w);
	char stamp[TIMESTAMP_SIZE];
	struct rd done;

	json_object(&j, NULL);
	put_random(&j, "esri", is_shared ? 's' : 'u', 8, rng, r.id);
	put_random(&j, "esrv", 'v', 16, rng, NULL);
	timestamp_print(stamp, expires_ms);
	r.expires_ms = expires_ms / 1000 * 1000; /* what the text says */
	json_put_string(&j, "esrx", stamp);
	if (is_receivers) {
		json_array(&j, "esks");
		json_put_uint(&j, NULL, RAND_KEY_GEN_HMAC_SHA256);
		json_close(&j);
	} else {
		json_put_uint(&j, "esk", RAND_KEY_GEN_HMAC_SHA256);
	}
	json_array(&j, "espa");
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (encs & JOSE_MAY(protocols[i].enc))
			json_put_uint(&j, NULL, protocols[i].number);
	json_close(&j);
	json_close(&j);
	if (!wr_done(&w, &done))
		return ERR_TOO_LONG;
	r.len = done.left;
	*o = r;
	return OK;
}

static bool read_key_generation(struct rand_object *o, const struct json *doc)
{
	const struct json *one = json_get(doc, "esk"), *list = json_get(doc, "esks");
	uint64_t n;

	if (!o->is_receivers) {
		if (list || !json_uint(one, &n))
			return false;
		o->hmac_sha256 = n == RAND_KEY_GEN_HMAC_SHA256;
		return true;
	}
	if (one || !list || list->type != JSON_ARRAY || list->count == 0)
		return false;
	for (const struct json *k = list->first; k; k = k->next) {
		if (!json_uint(k, &n))
			return false;
		o->hmac_sha256 |= n == RAND_KEY_GEN_HMAC_SHA256;
	}
	return true;
}

static bool read_protocols(struct rand_object *o, const struct json *list)
{
	uint64_t n;

	if (!list || list->type != JSON_ARRAY || list->count == 0)
		return false;
	for (const struct json *p = list->first; p; p = p->next) {
		if (!json_uint(p, &n))
			return false;
		if (rand_object_enc(n) == JOSE_NO_ENC)
			o->other_encs = true;
		else
			o->encs |= JOSE_MAY(rand_object_enc(n));
	}
	return true;
}

/* TS-0003 asks for 128 random bits; how they are written is not ours to say, but it cannot take less than 16 octets. */
static bool is_value(const struct json *v)
{
	struct rd text;

	return json_string(v, &text) && text.left >= 16 && text.left <= 128;
}

enum err rand_object_parse(struct rand_object *o, struct rd text, bool is_receivers, uint64_t now_ms)
{
	struct rand_object r = {.is_receivers = is_receivers, .len = text.left};
	struct json_arena *arena;
	const struct json *doc;
	struct rd expiry;
	enum err e;

	if (text.left > sizeof r.text)
		return ERR_TOO_LONG;
	arena = json_arena_new();
	if (!arena)
		return ERR_NO_MEMORY;
	e = json_parse(arena, text, NULL, &doc);
	if (e == OK && (doc->type != JSON_OBJECT || !json_text(json_get(doc, "esri"), r.id, sizeof r.id) || r.id[0] == 0 || !is_value(json_get(doc, "esrv")) ||
	        !json_string(json_get(doc, "esrx"), &expiry) || !timestamp_parse_abs_rel(expiry, now_ms, &r.expires_ms) ||
	        !read_key_generation(&r, doc) || !read_protocols(&r, json_get(doc, "espa"))))
		e = ERR_MALFORMED;
	json_arena_free(arena);
	if (e != OK)
		return e;
	memcpy(r.text, text.at, text.left);
	*o = r;
	return OK;
}
