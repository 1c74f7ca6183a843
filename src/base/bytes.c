/* Wiping, comparison, hexadecimal and EUI-64 text. */
#include "base/bytes.h"

#include <string.h>

void bytes_wipe(void *octets, size_t len)
{
	if (len > 0)
		explicit_bzero(octets, len);
}

bool bytes_equal_ct(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t different = 0;

	for (size_t i = 0; i < len; i++)
		different |= (uint8_t)(x[i] ^ y[i]);
	return different == 0;
}

static size_t utf8_expected(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

size_t utf8_length(struct rd text)
{
	uint8_t low = 0x80, high = 0xbf, first, c;
	size_t len;

	if (!rd_u8(&text, &first))
		return 0;
	len = utf8_expected(first);
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < len; i++) {
		if (!rd_u8(&text, &c) || c < low || c > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

/* Octets of ASCII that text begins with; most text is nothing else, so eight at a time. */
static size_t ascii_run(struct rd text)
{
	uint64_t eight;
	size_t n = 0;

	for (; text.left - n >= sizeof eight; n += sizeof eight) {
		memcpy(&eight, text.at + n, sizeof eight);
		if (eight & 0x8080808080808080ULL)
			break;
	}
	while (n < text.left && text.at[n] < 0x80)
		n++;
	return n;
}

bool utf8_is(struct rd text)
{
	while (text.left > 0) {
		size_t n = ascii_run(text);

		if (n == 0)
			n = utf8_length(text);
		if (n == 0 || !rd_skip(&text, n))
			return false;
	}
	return true;
}

void hex_print(char *text, const void *octets, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *o = octets;

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[o[i] >> 4];
		text[2 * i + 1] = digits[o[i] & 15];
	}
	text[2 * len] = '\0';
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool octet(struct rd *text, uint8_t *v)
{
	int high, low;

	if (text->left < 2 || (high = digit(text->at[0])) < 0 || (low = digit(text->at[1])) < 0)
		return false;
	*v = (uint8_t)(high << 4 | low);
	return rd_skip(text, 2);
}

bool hex_parse(struct rd text, void *octets, size_t len)
{
	uint8_t *o = octets;

	if (text.left != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!octet(&text, &o[i]))
			return false;
	return true;
}

bool hex_parse_loose(struct rd text, uint8_t *octets, size_t capacity, size_t *len)
{
	size_t n = 0;

	while (text.left > 0) {
		uint8_t c = text.at[0];

		if (c == ' ' || c == ':' || c == '-' || c == '\t') {
			if (!rd_skip(&text, 1))
				return false;
			continue;
		}
		if (n == capacity || !octet(&text, &octets[n]))
			return false;
		n++;
	}
	*len = n;
	return true;
}

void eui64_print(char text[static EUI64_SIZE], uint64_t eui64)
{
	uint8_t octets[8];

	for (size_t i = 0; i < 8; i++)
		octets[i] = (uint8_t)(eui64 >> (56 - 8 * i));
	hex_print(text, octets, sizeof octets);
}

bool eui64_parse(struct rd text, uint64_t *eui64)
{
	uint8_t octets[8];
	struct rd r;
	size_t len;

	if (rd_starts(text, "0x") || rd_starts(text, "0X"))
		if (!rd_skip(&text, 2))
			return false;
	if (!hex_parse_loose(text, octets, sizeof octets, &len) || len != sizeof octets)
		return false;
	r = rd_of(octets, sizeof octets);
	return rd_be64(&r, eui64);
}
