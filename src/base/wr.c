/* Writing of octets into fixed or growing buffers. */
#include "base/wr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct wr wr_new(size_t maximum)
{
	struct wr w = {NULL, 0, 0, maximum, 0, false};

	return w;
}

void wr_free(struct wr *w)
{
	if (w->maximum > 0 && w->octets) {
		bytes_wipe(w->octets, w->len > w->written ? w->len : w->written);
		free(w->octets);
	}
	w->octets = NULL;
	w->len = w->capacity = w->written = 0;
}

void wr_reset(struct wr *w)
{
	if (w->len > w->written)
		w->written = w->len;
	w->len = 0;
	w->spoilt = false;
}

/* Old copies of a growing buffer are wiped, as wr_free wipes the last: what was written may be a key on its way to whom it is for. */
static bool grow(struct wr *w, size_t need)
{
	size_t capacity = w->capacity ? w->capacity : 512;
	uint8_t *bigger;

	if (w->maximum == 0 || need > w->maximum)
		return false;
	while (capacity < need)
		capacity *= 2;
	if (capacity > w->maximum)
		capacity = w->maximum;
	bigger = malloc(capacity);
	if (!bigger)
		return false;
	if (w->octets) {
		memcpy(bigger, w->octets, w->len);
		bytes_wipe(w->octets, w->len > w->written ? w->len : w->written);
		free(w->octets);
	}
	w->written = 0;
	w->octets = bigger;
	w->capacity = capacity;
	return true;
}

uint8_t *wr_room(struct wr *w, size_t len)
{
	uint8_t *room;

	if (w->spoilt)
		return NULL;
	if ((len > w->capacity - w->len || !w->octets) && (len > SIZE_MAX - w->len || !grow(w, w->len + len))) {
		w->spoilt = true;
		return NULL;
	}
	room = w->octets + w->len;
	w->len += len;
	return room;
}

static void little(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *room = wr_room(w, n);

	for (size_t i = 0; room && i < n; i++)
		room[i] = (uint8_t)(v >> (8 * i));
}

static void big(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *room = wr_room(w, n);

	for (size_t i = 0; room && i < n; i++)
		room[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void wr_be16(struct wr *w, uint16_t v)
{
	big(w, v, 2);
}

void wr_be32(struct wr *w, uint32_t v)
{
	big(w, v, 4);
}

void wr_be64(struct wr *w, uint64_t v)
{
	big(w, v, 8);
}

void wr_le16(struct wr *w, uint16_t v)
{
	little(w, v, 2);
}

void wr_le24(struct wr *w, uint32_t v)
{
	little(w, v, 3);
}

void wr_le32(struct wr *w, uint32_t v)
{
	little(w, v, 4);
}

void wr_le48(struct wr *w, uint64_t v)
{
	little(w, v, 6);
}

void wr_le64(struct wr *w, uint64_t v)
{
	little(w, v, 8);
}

void wr_decimal(struct wr *w, uint64_t v)
{
	char text[20], *at = text + sizeof text;

	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	wr_copy(w, at, (size_t)(text + sizeof text - at));
}

void wr_fmt(struct wr *w, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof text)
		w->spoilt = true;
	else
		wr_copy(w, text, (size_t)n);
}

bool wr_done(const struct wr *w, struct rd *out)
{
	if (w->spoilt)
		return false;
	*out = rd_of(w->octets, w->len);
	return true;
}
