/* Bounds-checked reading of octets that someone else owns. Nothing else in the tree does arithmetic on
 * pointers into a message.
 *
 *	struct rd r = rd_of(frame, len);
 *	if (!rd_u8(&r, &control) || !rd_le32(&r, &counter) || !rd_end(&r))
 *		return ERR_SHORT;
 *
 * A read checks what is left, moves the place on success, and leaves the place and the output as they
 * were on failure. */
#ifndef KEYWAY_BASE_RD_H
#define KEYWAY_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct rd {
	const uint8_t *at;
	size_t left;
};

static inline struct rd rd_of(const void *octets, size_t len)
{
	struct rd r = {octets, len};

	return r;
}
/* Text without the terminating zero. Here and below in the header, so that the length of a literal is known to the compiler. */
static inline struct rd rd_str(const char *text)
{
	return rd_of(text, strlen(text));
}

static inline MUST_CHECK bool rd_u8(struct rd *r, uint8_t *v)
{
	if (r->left == 0)
		return false;
	*v = *r->at++;
	r->left--;
	return true;
}
bool rd_be16(struct rd *r, uint16_t *v) MUST_CHECK; /* network order */
bool rd_be32(struct rd *r, uint32_t *v) MUST_CHECK;
bool rd_be64(struct rd *r, uint64_t *v) MUST_CHECK;
bool rd_le16(struct rd *r, uint16_t *v) MUST_CHECK; /* radio order */
bool rd_le24(struct rd *r, uint32_t *v) MUST_CHECK;
bool rd_le32(struct rd *r, uint32_t *v) MUST_CHECK;
bool rd_le48(struct rd *r, uint64_t *v) MUST_CHECK;
bool rd_le64(struct rd *r, uint64_t *v) MUST_CHECK;
bool rd_copy(struct rd *r, void *dst, size_t len) MUST_CHECK;
static inline MUST_CHECK bool rd_skip(struct rd *r, size_t len)
{
	if (len > r->left)
		return false;
	r->at += len;
	r->left -= len;
	return true;
}
/* Takes the octets that the set has, as many as there are; the number of them. */
size_t rd_run(struct rd *r, const bool set[static 256]);
/* The same of ASCII but control characters, `"` and `\`: what stands for itself in a string of JSON. DEL does. */
struct rd rd_plain(struct rd *r);
bool rd_sub(struct rd *r, size_t len, struct rd *sub) MUST_CHECK; /* a borrowed slice */
/* Takes everything that is left, except `tail` octets at the end. */
bool rd_sub_but(struct rd *r, size_t tail, struct rd *sub) MUST_CHECK;
struct rd rd_rest(struct rd *r);          /* all that is left; r is at its end afterwards */
bool rd_end(const struct rd *r) MUST_CHECK; /* nothing is left */

/* Text: everything before the first `c`; the separator is consumed too. False when there is none. */
bool rd_until(struct rd *r, char c, struct rd *part) MUST_CHECK;
/* A line without its LF or CRLF; the last line may lack one. False only at the end. */
bool rd_line(struct rd *r, struct rd *line) MUST_CHECK;
static inline bool rd_equal(struct rd a, struct rd b)
{
	return a.left == b.left && (a.left == 0 || (*a.at == *b.at && memcmp(a.at, b.at, a.left) == 0)); /* most texts differ in length or at once */
}
static inline bool rd_is(struct rd a, const char *text)
{
	return rd_equal(a, rd_str(text));
}
static inline bool rd_starts(struct rd a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.left >= len && (len == 0 || memcmp(a.at, prefix, len) == 0);
}
/* A zero-terminated copy into dst of `size` octets; false when it does not fit or holds a zero octet. */
/* An ASCII control character other than a tab: what no header field's value may have (RFC 9110 clause 5.5). Octets beyond ASCII are the business of who
 * reads the text. */
bool rd_has_control(struct rd a);
bool rd_text(struct rd a, char *dst, size_t size) MUST_CHECK;
/* A zero-terminated heap copy, owned by the caller; NULL without memory. */
char *rd_strdup(struct rd a);
/* Decimal without sign; false on anything else or on overflow. */
bool rd_decimal(struct rd a, uint64_t *v) MUST_CHECK;

#endif
