/* CoAP messages: RFC 7252 section 3, and the block options of RFC 7959. Pure; the layout is in docs/protocols/coap.md.
 *
 *	struct coap_message m;
 *	if (coap_message_decode(datagram, &m) == OK && (o = coap_option_find(&m, COAP_URI_PATH)) != NULL)
 *		...
 *
 * A decoded message borrows from its datagram. */
#ifndef KEYWAY_COAP_COAP_MESSAGE_H
#define KEYWAY_COAP_COAP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

enum coap_type { COAP_CON, COAP_NON, COAP_ACK, COAP_RST };

/* A code is written class.detail: COAP_CODE(4, 4) is 4.04. */
#define COAP_CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
#define COAP_EMPTY 0
#define COAP_GET COAP_CODE(0, 1)
#define COAP_POST COAP_CODE(0, 2)
#define COAP_PUT COAP_CODE(0, 3)
#define COAP_DELETE COAP_CODE(0, 4)
#define COAP_CREATED COAP_CODE(2, 1)
#define COAP_DELETED COAP_CODE(2, 2)
#define COAP_CHANGED COAP_CODE(2, 4)
#define COAP_CONTENT COAP_CODE(2, 5)
#define COAP_CONTINUE COAP_CODE(2, 31)
#define COAP_BAD_REQUEST COAP_CODE(4, 0)
#define COAP_BAD_OPTION COAP_CODE(4, 2)
#define COAP_INCOMPLETE COAP_CODE(4, 8)
#define COAP_TOO_LARGE COAP_CODE(4, 13)
#define COAP_INTERNAL_ERROR COAP_CODE(5, 0)
#define COAP_UNAVAILABLE COAP_CODE(5, 3)

enum coap_option_number {
	COAP_IF_MATCH = 1,
	COAP_URI_HOST = 3,
	COAP_ETAG = 4,
	COAP_IF_NONE_MATCH = 5,
	COAP_OBSERVE = 6,
	COAP_URI_PORT = 7,
	COAP_LOCATION_PATH = 8,
	COAP_URI_PATH = 11,
	COAP_CONTENT_FORMAT = 12,
	COAP_MAX_AGE = 14,
	COAP_URI_QUERY = 15,
	COAP_ACCEPT = 17,
	COAP_LOCATION_QUERY = 20,
	COAP_BLOCK2 = 23,
	COAP_BLOCK1 = 27,
	COAP_SIZE2 = 28,
	COAP_PROXY_URI = 35,
	COAP_PROXY_SCHEME = 39,
	COAP_SIZE1 = 60,
};

#define COAP_TOKEN_MAX 8
#define COAP_OPTIONS_MAX 96       /* a path of 40 segments, a query of 30 fields and every option of oneM2M: more is refused */
#define COAP_DATAGRAM_MAX 65507

struct coap_option {
	uint16_t number;
	struct rd value;
};

struct coap_message {
	enum coap_type type;
	uint8_t code;
	uint16_t id;
	uint8_t token[COAP_TOKEN_MAX];
	size_t token_len;
	struct coap_option options[COAP_OPTIONS_MAX]; /* decoded: in order of their numbers */
	size_t option_count;
	struct rd payload;
};

/* ERR_SHORT, ERR_VERSION (to be ignored), ERR_MALFORMED, ERR_TOO_LONG (options). type, code and id are right whenever the first four
 * octets were there and the version was, so that the message can be rejected. */
enum err coap_message_decode(struct rd in, struct coap_message *m) MUST_CHECK;
/* The options are put in order; those of one number stay in theirs. ERR_TOO_LONG when w has not room enough. */
enum err coap_message_encode(struct coap_message *m, struct wr *w) MUST_CHECK;

/* The first of this number, or NULL. */
const struct coap_option *coap_option_find(const struct coap_message *m, uint16_t number);
/* Adds one that borrows its value; false when there is no room. */
bool coap_option_add(struct coap_message *m, uint16_t number, struct rd value) MUST_CHECK;

/* Numbers are as short as can be, RFC 7252 section 3.2; octets must live as long as the value returned. */
struct rd coap_uint_print(uint8_t octets[static 4], uint32_t n);
bool coap_uint_parse(struct rd value, uint32_t *n) MUST_CHECK; /* at most four octets */

/* RFC 7959 section 2.2: number, whether more follow, and a size of 1 << (szx + 4) octets. */
#define COAP_SZX_MAX 6
struct coap_block {
	uint32_t number;
	bool more;
	unsigned szx;
};
static inline size_t coap_block_size(unsigned szx)
{
	return (size_t)1 << (szx + 4);
}
struct rd coap_block_print(uint8_t octets[static 4], struct coap_block b);
bool coap_block_parse(struct rd value, struct coap_block *b) MUST_CHECK;

#endif
