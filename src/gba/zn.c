/* Zn in JSON. */
#include "gba/zn.h"

#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define KEY 32

bool ua_parse(struct rd text, uint8_t ua[static UA_ID])
{
	size_t len;

	return hex_parse_loose(text, ua, UA_ID, &len) && len == UA_ID;
}

void zn_ask_print(struct wr *w, const struct zn_ask *ask)
{
	struct json_out o = json_out(w);
	char ua[HEX_SIZE(UA_ID)];

	hex_print(ua, ask->ua, UA_ID);
	json_object(&o, NULL);
	json_put_string(&o, "btid", ask->btid);
	json_put_string(&o, "ua", ua);
	if (ask->uicc)
		json_put_bool(&o, "uicc", true);
	json_close(&o);
}

enum err zn_ask_parse(struct rd body, struct zn_ask *ask)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	struct rd ua;
	enum err e = ERR_NO_MEMORY;

	ask->uicc = false;
	if (arena)
		e = json_parse(arena, body, NULL, &doc) == OK && json_text(json_get(doc, "btid"), ask->btid, sizeof ask->btid) &&
			    json_string(json_get(doc, "ua"), &ua) && ua_parse(ua, ask->ua) && (!json_get(doc, "uicc") || json_bool(json_get(doc, "uicc"), &ask->uicc))
			? OK
			: ERR_MALFORMED;
	json_arena_free(arena);
	return e;
}

void zn_answer_print(struct wr *w, const struct naf_grant *g)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_base64(&o, "key", rd_of(secret_octets(g->key), secret_len(g->key)));
	json_put_uint(&o, "expires", g->expires_at);
	json_put_uint(&o, "bootstrapped", g->bootstrapped_at);
	json_put_string(&o, "entity", g->entity);
	json_close(&o);
}

static enum err answer_read(const struct json *doc, struct naf_grant *g)
{
	uint8_t octets[KEY];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd text, done;
	enum err e = ERR_MALFORMED;

	memset(g, 0, sizeof *g);
	if (json_string(json_get(doc, "key"), &text) && base64_parse(text, &w) && wr_done(&w, &done) && done.left == KEY &&
	    json_uint(json_get(doc, "expires"), &g->expires_at) && json_uint(json_get(doc, "bootstrapped"), &g->bootstrapped_at) &&
	    json_string(json_get(doc, "entity"), &text) && uss_entity_is_good(text) && rd_text(text, g->entity, sizeof g->entity)) {
		g->key = secret_take(octets, sizeof octets);
		e = g->key ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(octets, sizeof octets);
	return e;
}

enum err zn_answer_parse(struct rd body, struct naf_grant *g)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	enum err e = ERR_NO_MEMORY;

	if (arena)
		e = json_parse(arena, body, NULL, &doc) == OK ? answer_read(doc, g) : ERR_MALFORMED;
	json_arena_free(arena);
	return e;
}
