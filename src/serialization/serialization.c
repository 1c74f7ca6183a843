/* Which serialisation, and that what comes out of one is JSON. */
#include "serialization/serialization.h"

#include <string.h>
#include <strings.h>

#include "serialization/private.h"

static const char *const names[SERIALIZATION_COUNT] = {
	[SERIALIZATION_JSON] = "json", [SERIALIZATION_XML] = "xml", [SERIALIZATION_CBOR] = "cbor"};
static const char *const media_types[SERIALIZATION_COUNT] = {
	[SERIALIZATION_JSON] = "application/json", [SERIALIZATION_XML] = "application/xml", [SERIALIZATION_CBOR] = "application/cbor"};

const char *serialization_name(enum serialization s)
{
	return names[s];
}

const char *serialization_media_type(enum serialization s)
{
	return media_types[s];
}

/* ---- media types: TS-0004 clause 6.7 ---- */

static bool is_like(struct rd text, const char *word)
{
	return text.left == strlen(word) && strncasecmp((const char *)text.at, word, text.left) == 0;
}

static bool begins_like(struct rd text, const char *word)
{
	return text.left >= strlen(word) && strncasecmp((const char *)text.at, word, strlen(word)) == 0;
}

static bool is_vendor_type(struct rd stem)
{
	static const char *const kinds[] = {"res", "ntfy", "preq", "prsp"};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (is_like(stem, kinds[i]))
			return true;
	return false;
}

bool serialization_of_media_type(struct rd type, enum serialization *s)
{
	static const char vendor[] = "application/vnd.onem2m-";
	struct rd bare, stem;

	if (!rd_until(&type, ';', &bare))
		bare = rd_rest(&type);
	while (bare.left > 0 && (bare.at[bare.left - 1] == ' ' || bare.at[bare.left - 1] == '\t'))
		bare.left--;
	if (begins_like(bare, vendor)) {
		if (!rd_skip(&bare, sizeof vendor - 1) || !rd_until(&bare, '+', &stem) || !is_vendor_type(stem))
			return false;
		for (size_t i = 0; i < SERIALIZATION_COUNT; i++) {
			if (is_like(bare, names[i])) {
				*s = (enum serialization)i;
				return true;
			}
		}
		return false;
	}
	for (size_t i = 0; i < SERIALIZATION_COUNT; i++) {
		if (is_like(bare, media_types[i])) {
			*s = (enum serialization)i;
			return true;
		}
	}
	return false;
}

/* ---- there and back ---- */

/* Duplicate names and depth are judged here, once for every serialisation. */
static enum err check(struct rd text, struct complaint *c)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	enum err e = a ? json_parse(a, text, NULL, &doc) : ERR_NO_MEMORY;

	json_arena_free(a);
	if (e == ERR_TOO_LONG)
		return complain(c, e, "the content is nested too deeply, or has too many members");
	return e == OK ? OK : complain(c, e, "the content has a name twice, or text that is no UTF-8");
}

enum err serialization_to_json(enum serialization s, struct rd in, struct wr *json, char *why, size_t size)
{
	struct complaint c = {why, size};
	size_t start = json->len;
	enum err e = OK;
	struct rd all;

	if (size > 0)
		why[0] = '\0';
	switch (s) {
	case SERIALIZATION_JSON:
		wr_rd(json, in);
		break;
	case SERIALIZATION_XML:
		e = xml_to_json(in, json, &c);
		break;
	case SERIALIZATION_CBOR:
		e = cbor_to_json(in, json, &c);
		break;
	}
	if (json->spoilt)
		return complain(&c, ERR_TOO_LONG, "the content is too long, or nested too deeply");
	if (e != OK || s == SERIALIZATION_JSON)
		return e;
	if (!wr_done(json, &all) || !rd_skip(&all, start))
		return complain(&c, ERR_INTERNAL, "the content was lost");
	return check(all, &c);
}

enum err serialization_from_json(enum serialization s, struct rd json, struct wr *out)
{
	struct json_arena *a;
	const struct json *doc;
	enum err e;

	if (s == SERIALIZATION_JSON) {
		wr_rd(out, json);
		return out->spoilt ? ERR_TOO_LONG : OK;
	}
	a = json_arena_new();
	if (!a)
		return ERR_NO_MEMORY;
	e = json_parse(a, json, NULL, &doc);
	if (e == OK)
		e = s == SERIALIZATION_XML ? xml_from_json(doc, out) : cbor_from_json(doc, out);
	if (e == OK && out->spoilt)
		e = ERR_TOO_LONG;
	json_arena_free(a);
	return e;
}
