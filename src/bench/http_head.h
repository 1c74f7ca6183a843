/* The head of an HTTP message, as far as a load generator and a sink need it. */
#ifndef KEYWAY_BENCH_HTTP_HEAD_H
#define KEYWAY_BENCH_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"

struct http_head {
	unsigned status;       /* of an answer; 0 in a request */
	uint64_t length;       /* Content-Length; 0 when absent */
	struct rd request_id;  /* X-M2M-RI, borrowed; empty when absent */
};

enum http_head_found { HTTP_HEAD_MORE, HTTP_HEAD_DONE, HTTP_HEAD_BAD };
/* Takes a whole head from `in`, which is then at the body. HTTP_HEAD_MORE leaves it as it was: more octets are needed. */
enum http_head_found http_head_take(struct rd *in, struct http_head *h);

#endif
