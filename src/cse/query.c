/* Query arguments. */
#include "cse/private.h"

static bool hex(uint8_t c, uint8_t *v)
{
	if (c >= '0' && c <= '9')
		*v = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*v = (uint8_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*v = (uint8_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

static bool decode(struct json_arena *a, struct rd in, struct rd *out)
{
	uint8_t *room = json_arena_alloc(a, in.left + 1), c, high, low;
	size_t n = 0;

	if (!room)
		return false;
	while (rd_u8(&in, &c)) {
		if (c == '%') {
			uint8_t x, y;

			if (!rd_u8(&in, &x) || !rd_u8(&in, &y) || !hex(x, &high) || !hex(y, &low))
				return false;
			c = (uint8_t)(high << 4 | low);
		}
		room[n++] = c;
	}
	*out = rd_of(room, n);
	return true;
}

bool query_next(struct json_arena *a, struct query *q, struct rd *name, struct rd *value)
{
	struct rd pair, raw;

	while (q->text.left > 0) {
		if (!rd_until(&q->text, '&', &pair))
			pair = rd_rest(&q->text);
		if (!rd_until(&pair, '=', &raw)) {
			raw = pair;
			pair = rd_of("", 0);
		}
		if (raw.left > 0 && decode(a, raw, name) && decode(a, pair, value))
			return true;
	}
	return false;
}

bool query_get(struct exchange *x, const char *wanted, struct rd *value)
{
	struct query q = {x->rq->filter};
	struct rd name;

	while (query_next(x->arena, &q, &name, value))
		if (rd_is(name, wanted))
			return true;
	return false;
}
