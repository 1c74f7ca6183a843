/* Derived resource IDs: "cnt_1k", and "cin_1k-9z" for an instance of parent 1k. */
#include "cse/tree_private.h"

static char *base36(char *end, uint64_t n)
{
	*--end = '\0';
	do {
		*--end = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
		n /= 36;
	} while (n > 0);
	return end;
}

void tree_ri(char *ri, size_t size, int type, int64_t parent, int64_t id, bool instance)
{
	const struct schema_type *t = schema_type(type);
	struct wr w = wr_of(ri, size - 1);
	char digits[16];

	wr_str(&w, t && t->sn ? t->sn : "r");
	wr_u8(&w, '_');
	if (instance) {
		wr_str(&w, base36(digits + sizeof digits, (uint64_t)parent));
		wr_u8(&w, '-');
	}
	wr_str(&w, base36(digits + sizeof digits, (uint64_t)id));
	ri[w.len] = '\0';
}

static bool from_base36(struct rd text, int64_t *n)
{
	uint8_t c;

	if (text.left == 0 || text.left > 12)
		return false;
	*n = 0;
	while (rd_u8(&text, &c)) {
		if (c >= '0' && c <= '9')
			*n = *n * 36 + (c - '0');
		else if (c >= 'a' && c <= 'z')
			*n = *n * 36 + (c - 'a' + 10);
		else
			return false;
	}
	return true;
}

bool tree_parse_ri(struct rd ri, int64_t *parent, int64_t *id)
{
	struct rd part;

	*parent = 0;
	if (!rd_until(&ri, '_', &part))
		return false;
	if (rd_until(&ri, '-', &part) && !from_base36(part, parent))
		return false;
	return from_base36(ri, id);
}
