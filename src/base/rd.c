/* Bounds-checked reading. */
#include "base/rd.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

static bool take(struct rd *r, size_t len, const uint8_t **octets)
{
	if (r->left < len)
		return false;
	*octets = r->at;
	if (len > 0)
		r->at += len;
	r->left -= len;
	return true;
}

static uint64_t little(const uint8_t *o, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | o[n];
	return v;
}

static uint64_t big(const uint8_t *o, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | o[i];
	return v;
}

#define READ(name, octets, order, type)             \
	bool name(struct rd *r, type *v)            \
	{                                           \
		const uint8_t *o;                   \
                                                    \
		if (!take(r, octets, &o))           \
			return false;               \
		*v = (type)order(o, octets);        \
		return true;                        \
	}

READ(rd_be16, 2, big, uint16_t)
READ(rd_be32, 4, big, uint32_t)
READ(rd_be64, 8, big, uint64_t)
READ(rd_le16, 2, little, uint16_t)
READ(rd_le24, 3, little, uint32_t)
READ(rd_le32, 4, little, uint32_t)
READ(rd_le48, 6, little, uint64_t)
READ(rd_le64, 8, little, uint64_t)

bool rd_copy(struct rd *r, void *dst, size_t len)
{
	const uint8_t *o;

	if (!take(r, len, &o))
		return false;
	if (len > 0)
		memcpy(dst, o, len);
	return true;
}

size_t rd_run(struct rd *r, const bool set[static 256])
{
	size_t n = 0;

	while (n < r->left && set[r->at[n]])
		n++;
	r->at += n;
	r->left -= n;
	return n;
}

bool rd_sub(struct rd *r, size_t len, struct rd *sub)
{
	const uint8_t *o;

	if (!take(r, len, &o))
		return false;
	*sub = rd_of(o, len);
	return true;
}

bool rd_sub_but(struct rd *r, size_t tail, struct rd *sub)
{
	return r->left >= tail && rd_sub(r, r->left - tail, sub);
}

struct rd rd_rest(struct rd *r)
{
	struct rd all = *r;

	if (r->left > 0)
		r->at += r->left;
	r->left = 0;
	return all;
}

bool rd_end(const struct rd *r)
{
	return r->left == 0;
}

bool rd_until(struct rd *r, char c, struct rd *part)
{
	const uint8_t *found = r->left ? memchr(r->at, c, r->left) : NULL;
	const uint8_t *o;

	if (!found)
		return false;
	*part = rd_of(r->at, (size_t)(found - r->at));
	return take(r, part->left + 1, &o);
}

bool rd_line(struct rd *r, struct rd *line)
{
	if (r->left == 0)
		return false;
	if (!rd_until(r, '\n', line))
		*line = rd_rest(r);
	if (line->left > 0 && line->at[line->left - 1] == '\r')
		line->left--;
	return true;
}

bool rd_text(struct rd a, char *dst, size_t size)
{
	if (a.left >= size || (a.left > 0 && memchr(a.at, 0, a.left)))
		return false;
	if (a.left > 0)
		memcpy(dst, a.at, a.left);
	dst[a.left] = '\0';
	return true;
}

char *rd_strdup(struct rd a)
{
	char *copy = malloc(a.left + 1);

	if (!copy)
		return NULL;
	if (a.left > 0)
		memcpy(copy, a.at, a.left);
	copy[a.left] = '\0';
	return copy;
}

bool rd_decimal(struct rd a, uint64_t *v)
{
	uint64_t n = 0;

	if (a.left == 0)
		return false;
	for (size_t i = 0; i < a.left; i++) {
		uint8_t digit = (uint8_t)(a.at[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*v = n;
	return true;
}

/* ---- All that comes and goes over HTTP passes here, and nearly all of it is good: eight octets at a time are told to be, and the others are looked at. ---- */

#define EACH 0x0101010101010101ULL /* times an octet: eight of it */
#define HIGH (EACH * 0x80)

/* The first octet is the lowest: a borrow goes from an octet to those behind it. */
static uint64_t eight(const uint8_t *octets)
{
	uint64_t v;

	memcpy(&v, octets, sizeof v);
	return le64toh(v);
}

/* Some of the high bits are set: one of the eight is below a space. What is beyond ASCII is not. */
static uint64_t below_space(uint64_t v)
{
	return (v - EACH * 0x20) & ~v & HIGH;
}

static uint64_t equal(uint64_t v, uint8_t c)
{
	v ^= EACH * c;
	return (v - EACH) & ~v & HIGH;
}

static bool eight_suspicious(const uint8_t *octets)
{
	uint64_t v = eight(octets);

	return below_space(v) | equal(v, 0x7f);
}

/* The lowest high bit that is set is that of the first octet that is not plain; 0: all are. */
static uint64_t eight_not_plain(const uint8_t *octets)
{
	uint64_t v = eight(octets);

	return (v & HIGH) | below_space(v) | equal(v, '"') | equal(v, '\\');
}

static size_t plain_run(struct rd in)
{
	uint64_t not_plain;
	size_t n = 0;

	for (; in.left - n >= 8; n += 8)
		if ((not_plain = eight_not_plain(in.at + n)) != 0)
			return n + (size_t)__builtin_ctzll(not_plain) / 8;
	while (n < in.left && in.at[n] >= 0x20 && in.at[n] < 0x80 && in.at[n] != '"' && in.at[n] != '\\')
		n++;
	return n;
}

struct rd rd_plain(struct rd *r)
{
	const struct rd all = *r;
	size_t n = plain_run(all);

	if (n > 0)
		r->at += n;
	r->left -= n;
	return rd_of(all.at, n);
}

bool rd_has_control(struct rd a)
{
	for (size_t i = 0; i < a.left; i++) {
		while (a.left - i >= 8 && !eight_suspicious(a.at + i))
			i += 8;
		if (i < a.left && (uint8_t)(a.at[i] - 0x20) >= 0x5f && a.at[i] < 0x80 && a.at[i] != '\t')
			return true;
	}
	return false;
}
