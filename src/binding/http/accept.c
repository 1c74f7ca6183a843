/* Media ranges. */
#include "binding/http/accept.h"

#include <string.h>
#include <strings.h>

#define QUALITY_MOST 1000

/* TS-0004 clause 6.7: what a response may be called beside its plain name. */
static const struct {
	const char *type;
	enum serialization s;
} vendor_types[] = {
	{"application/vnd.onem2m-res+json", SERIALIZATION_JSON}, {"application/vnd.onem2m-res+xml", SERIALIZATION_XML}, {"application/vnd.onem2m-res+cbor", SERIALIZATION_CBOR},
	{"application/vnd.onem2m-prsp+json", SERIALIZATION_JSON}, {"application/vnd.onem2m-prsp+xml", SERIALIZATION_XML}, {"application/vnd.onem2m-prsp+cbor", SERIALIZATION_CBOR},
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct rd trim(struct rd text)
{
	while (text.left > 0 && is_blank(text.at[0]) && rd_skip(&text, 1))
		;
	while (text.left > 0 && is_blank(text.at[text.left - 1]))
		text.left--;
	return text;
}

static bool is_like(struct rd text, const char *word)
{
	return text.left == strlen(word) && strncasecmp((const char *)text.at, word, text.left) == 0;
}

static struct rd part(struct rd *rest, char separator)
{
	struct rd one;

	if (!rd_until(rest, separator, &one))
		one = rd_rest(rest);
	return trim(one);
}

/* "1", "0.5", "0.005" in thousandths. What is none counts as 1, as if it were not there. */
static unsigned quality_of(struct rd text)
{
	static const unsigned places[] = {100, 10, 1};
	unsigned q;
	uint8_t c;

	if (!rd_u8(&text, &c) || (c != '0' && c != '1'))
		return QUALITY_MOST;
	q = c == '1' ? QUALITY_MOST : 0;
	if (!rd_u8(&text, &c) || c != '.')
		return q;
	for (size_t i = 0; i < 3 && rd_u8(&text, &c) && c >= '0' && c <= '9'; i++)
		q += places[i] * (unsigned)(c - '0');
	return q < QUALITY_MOST ? q : QUALITY_MOST;
}

static void note(struct accept_one *o, unsigned specificity, unsigned quality, const char *type)
{
	if (specificity < o->specificity || (specificity == o->specificity && quality <= o->quality))
		return;
	*o = (struct accept_one){specificity, quality, type};
}

static void range(struct accept *a, struct rd type, unsigned quality)
{
	unsigned wild = is_like(type, "*/*") || is_like(type, "*") ? 1 : is_like(type, "application/*") ? 2 : 0;
	enum serialization s;

	for (size_t i = 0; wild && i < SERIALIZATION_COUNT; i++)
		note(&a->of[i], wild, quality, serialization_media_type((enum serialization)i));
	if (wild)
		return;
	for (size_t i = 0; i < sizeof vendor_types / sizeof vendor_types[0]; i++) {
		if (is_like(type, vendor_types[i].type)) {
			note(&a->of[vendor_types[i].s], 3, quality, vendor_types[i].type);
			return;
		}
	}
	if (serialization_of_media_type(type, &s))
		note(&a->of[s], 3, quality, serialization_media_type(s));
}

void accept_add(struct accept *a, const char *field)
{
	struct rd rest = rd_str(field);

	while (rest.left > 0) {
		struct rd one = part(&rest, ','), type = part(&one, ';');
		unsigned quality = QUALITY_MOST;

		if (type.left == 0)
			continue;
		while (one.left > 0) {
			struct rd value = part(&one, ';'), name = part(&value, '=');

			if (is_like(name, "q"))
				quality = quality_of(trim(value));
		}
		a->given = true;
		range(a, type, quality);
	}
}

const char *accept_choose(const struct accept *a, enum serialization preferred, enum serialization *s)
{
	enum serialization best = preferred;

	if (!a->given) {
		*s = preferred;
		return serialization_media_type(preferred);
	}
	for (size_t i = 0; i < SERIALIZATION_COUNT; i++)
		if (a->of[i].quality > a->of[best].quality)
			best = (enum serialization)i;
	if (a->of[best].quality == 0)
		return NULL;
	*s = best;
	return a->of[best].type;
}
