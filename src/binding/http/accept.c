/* Media ranges. */
#include "binding/http/accept.h"

#include <string.h>
#include <strings.h>

#define QUALITY_MOST 1000

/* TS-0004 clause 6.7: what a response may be called beside its plain name. */
static const char *const vendor_types[] = {
	"application/vnd.onem2m-res+json", "application/vnd.onem2m-res+xml", "application/vnd.onem2m-res+cbor",
	"application/vnd.onem2m-prsp+json", "application/vnd.onem2m-prsp+xml", "application/vnd.onem2m-prsp+cbor",
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

/* What an answer is called that is of this type: as it was asked for, if that is the name of a response. */
static const char *name_of(struct rd type, enum serialization s)
{
	const char *plain = serialization_media_type(s);

	if (is_like(type, plain))
		return plain;
	for (size_t i = 0; i < sizeof vendor_types / sizeof vendor_types[0]; i++)
		if (is_like(type, vendor_types[i]))
			return vendor_types[i];
	return plain;
}

static void range(struct accept *a, struct rd type, unsigned quality)
{
	unsigned wild = is_like(type, "*/*") || is_like(type, "*") ? 1 : is_like(type, "application/*") ? 2 : 0;
	enum serialization s;

	for (size_t i = 0; wild && i < SERIALIZATION_COUNT; i++)
		note(&a->of[i], wild, quality, serialization_media_type((enum serialization)i));
	if (!wild && serialization_of_media_type(type, &s))
		note(&a->of[s], 3, quality, name_of(type, s));
}

void accept_add(struct accept *a, struct rd field)
{
	while (field.left > 0) {
		struct rd one = part(&field, ','), type = part(&one, ';');
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
