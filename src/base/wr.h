/* Writing of octets. A writer over a fixed buffer, or a growing one with a maximum. A write that does not
 * fit spoils the writer; the encoder asks once at the end, with wr_done().
 *
 *	uint8_t buf[127];
 *	struct wr w = wr_of(buf, sizeof buf);
 *	wr_u8(&w, control);
 *	wr_le32(&w, counter);
 *	if (!wr_done(&w, &out))
 *		return ERR_TOO_LONG; */
#ifndef KEYWAY_BASE_WR_H
#define KEYWAY_BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/rd.h"

struct wr {
	uint8_t *octets;
	size_t len;      /* written so far */
	size_t capacity; /* of octets */
	size_t maximum;  /* growing writers: never more than this; 0 for a fixed buffer */
	size_t written;  /* growing writers: the most that was ever written, which wr_free wipes */
	bool spoilt;
};

static inline struct wr wr_of(void *buffer, size_t size)
{
	struct wr w = {buffer, 0, size, 0, 0, false};

	return w;
}
/* A growing writer; wr_free wipes and releases it. */
struct wr wr_new(size_t maximum);
void wr_free(struct wr *w);
void wr_reset(struct wr *w); /* empty and unspoilt again, memory kept */

/* Room for len octets that the caller fills; NULL when it does not fit (the writer is spoilt then). */
uint8_t *wr_room(struct wr *w, size_t len);
static inline void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *room;

	if (w->len < w->capacity && !w->spoilt)
		w->octets[w->len++] = v;
	else if ((room = wr_room(w, 1)) != NULL)
		*room = v;
}
void wr_be16(struct wr *w, uint16_t v);
void wr_be32(struct wr *w, uint32_t v);
void wr_be64(struct wr *w, uint64_t v);
void wr_le16(struct wr *w, uint16_t v);
void wr_le24(struct wr *w, uint32_t v);
void wr_le32(struct wr *w, uint32_t v);
void wr_le48(struct wr *w, uint64_t v);
void wr_le64(struct wr *w, uint64_t v);
static inline void wr_copy(struct wr *w, const void *octets, size_t len)
{
	uint8_t *room = NULL;

	if (len > 0 && len <= w->capacity - w->len && !w->spoilt) {
		room = w->octets + w->len;
		w->len += len;
	} else if (len > 0) {
		room = wr_room(w, len);
	}
	if (room)
		memcpy(room, octets, len);
}
static inline void wr_rd(struct wr *w, struct rd r)
{
	wr_copy(w, r.at, r.left);
}
static inline void wr_str(struct wr *w, const char *text) /* without the zero */
{
	wr_copy(w, text, strlen(text));
}
void wr_decimal(struct wr *w, uint64_t v);
void wr_fmt(struct wr *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What was written, borrowed from the writer; false when a write did not fit. */
bool wr_done(const struct wr *w, struct rd *out) MUST_CHECK;

#endif
