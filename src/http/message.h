/* What a server of HTTP/1.1 reads (RFC 9112): the head of a request, and the framing of its body. What two readers of the same octets might
 * understand differently is refused, not guessed, so that nobody in between is made to see other requests than we do. */
#ifndef KEYWAY_HTTP_MESSAGE_H
#define KEYWAY_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"

#define HTTP_HEAD_MAX ((size_t)16384) /* with its request line; beyond it 414 or 431. A token of access is a few KiB */
#define HTTP_FIELDS_MAX 128           /* twice what browsers and proxies together send */
#define HTTP_CHUNK_LINE_MAX 256       /* a chunk's size, and extensions that nobody uses */
#define HTTP_TRAILERS_MAX 8192        /* fields behind the last chunk, which are dropped */

struct http_field {
	struct rd name, value; /* the name as sent, the value without space around it */
};

enum http_taken {
	HTTP_MORE,    /* the octets are not all there: ask again with more */
	HTTP_WHOLE,
	HTTP_REFUSED, /* with a status; where the next request begins nobody knows */
};

struct http_request_head {
	struct rd method, path, query; /* as sent; of a target in absolute form without scheme and authority; query behind '?', or empty */
	bool old;                      /* HTTP/1.0 */
	bool keep_alive;               /* the connection may be used again */
	bool chunked;
	bool has_length;
	bool expects;                  /* to be told 100 before it sends its body */
	uint64_t length;               /* of the body; 0 when chunked */
	size_t field_count;
	struct http_field fields[HTTP_FIELDS_MAX];
	unsigned status;               /* of a refusal: 400, 414, 431, 501, 505 */
	const char *why;               /* of a refusal: a sentence for its body */
};

/* Takes a head, with empty lines before it. What is in h is borrowed from the octets. MORE takes nothing. */
enum http_taken http_request_take(struct rd *in, struct http_request_head *h) MUST_CHECK;

/* The state of a body in chunks; begins as zeros. */
struct http_chunks {
	enum { HTTP_CHUNK_SIZE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_TRAILERS, HTTP_CHUNK_DONE } at;
	uint64_t left;   /* of this chunk */
	size_t trailers; /* octets of trailers that were dropped */
};
/* Takes what there is up to the end of one piece of data, which is empty when none comes yet. WHOLE: there is nothing behind that piece. MORE: ask
 * again, with more unless *data holds some. */
enum http_taken http_chunks_take(struct http_chunks *c, struct rd *in, struct rd *data) MUST_CHECK;

/* What a field's name is: RFC 9110 clause 5.6.2. (What its value is not: rd_has_control.) */
bool http_is_token(struct rd text);
/* A name in small letters, as many as it has. */
void http_token_small(struct rd name, uint8_t *small);

#endif
