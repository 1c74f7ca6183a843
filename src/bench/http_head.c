/* The head of an HTTP message. */
#include "bench/http_head.h"

#include <string.h>
#include <strings.h>

static bool named(struct rd line, const char *name, struct rd *value)
{
	size_t len = strlen(name);
	struct rd part;

	if (line.left <= len || strncasecmp((const char *)line.at, name, len) != 0 || !rd_sub(&line, len, &part))
		return false;
	while (line.left > 0 && line.at[0] == ' ')
		if (!rd_skip(&line, 1))
			return false;
	*value = line;
	return true;
}

static bool status_of(struct rd line, unsigned *status)
{
	struct rd part;
	uint64_t n;

	if (!rd_starts(line, "HTTP/1."))
		return false;
	if (!rd_until(&line, ' ', &part) || !rd_sub(&line, line.left < 3 ? line.left : 3, &part) || !rd_decimal(part, &n))
		return false;
	*status = (unsigned)n;
	return true;
}

enum http_head_found http_head_take(struct rd *in, struct http_head *h)
{
	struct rd r = *in, line, value;
	bool first = true, bad = false;

	*h = (struct http_head){.status = 0};
	while (rd_until(&r, '\n', &line)) {
		if (line.left > 0 && line.at[line.left - 1] == '\r')
			line.left--;
		if (line.left == 0) {
			*in = r;
			return bad || first ? HTTP_HEAD_BAD : HTTP_HEAD_DONE;
		}
		if (first && rd_starts(line, "HTTP/"))
			bad = !status_of(line, &h->status);
		else if ((line.at[0] | 0x20) == 'c' && named(line, "content-length:", &value))
			bad = bad || !rd_decimal(value, &h->length);
		else if ((line.at[0] | 0x20) == 'x' && named(line, "x-m2m-ri:", &value))
			h->request_id = value;
		else if ((line.at[0] | 0x20) == 't' && named(line, "transfer-encoding:", &value))
			bad = true; /* nobody here sends chunks */
		first = false;
	}
	return HTTP_HEAD_MORE;
}
