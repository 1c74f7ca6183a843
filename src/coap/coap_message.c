/* CoAP messages as octets. */
#include "coap/coap_message.h"

#define VERSION 1
#define PAYLOAD_MARKER 0xff

/* The nibble says the number up to 12, or that one (13) or two (14) octets follow; 15 is the payload marker's. */
static bool extended_decode(struct rd *in, unsigned nibble, uint32_t *n)
{
	uint8_t one;
	uint16_t two;

	switch (nibble) {
	case 13:
		if (!rd_u8(in, &one))
			return false;
		*n = one + 13U;
		return true;
	case 14:
		if (!rd_be16(in, &two))
			return false;
		*n = two + 269U;
		return true;
	case 15:
		return false;
	default:
		*n = nibble;
		return true;
	}
}

/* delta(4 bits) length(4 bits) [delta(1..2)] [length(1..2)] value(length) */
static enum err options_decode(struct rd *in, struct coap_message *m)
{
	uint32_t number = 0, delta, length;
	uint8_t head;

	while (in->left > 0) {
		struct coap_option *o = &m->options[m->option_count];

		if (!rd_u8(in, &head))
			return ERR_SHORT;
		if (head == PAYLOAD_MARKER) {
			m->payload = rd_rest(in);
			return m->payload.left > 0 ? OK : ERR_MALFORMED;
		}
		if (m->option_count == COAP_OPTIONS_MAX)
			return ERR_TOO_LONG;
		if (!extended_decode(in, head >> 4, &delta) || !extended_decode(in, head & 15, &length) || !rd_sub(in, length, &o->value))
			return ERR_MALFORMED;
		number += delta;
		if (number > UINT16_MAX)
			return ERR_MALFORMED;
		o->number = (uint16_t)number;
		m->option_count++;
	}
	return OK;
}

/* version(2 bits) type(2) token length(4) code(1) id(2) token(0..8) options [0xff payload] */
enum err coap_message_decode(struct rd in, struct coap_message *m)
{
	uint8_t head;

	m->option_count = 0;
	m->token_len = 0;
	m->payload = rd_of("", 0);
	if (!rd_u8(&in, &head) || !rd_u8(&in, &m->code) || !rd_be16(&in, &m->id))
		return ERR_SHORT;
	if (head >> 6 != VERSION)
		return ERR_VERSION;
	m->type = (enum coap_type)(head >> 4 & 3);
	if ((head & 15) > COAP_TOKEN_MAX)
		return ERR_MALFORMED;
	if (m->code == COAP_EMPTY)
		return (head & 15) == 0 && rd_end(&in) ? OK : ERR_MALFORMED;
	if (!rd_copy(&in, m->token, head & 15))
		return ERR_SHORT;
	m->token_len = head & 15;
	return options_decode(&in, m);
}

static unsigned nibble_of(uint32_t n)
{
	return n < 13 ? n : n < 269 ? 13 : 14;
}

static void extended_encode(struct wr *w, uint32_t n)
{
	if (n >= 269)
		wr_be16(w, (uint16_t)(n - 269));
	else if (n >= 13)
		wr_u8(w, (uint8_t)(n - 13));
}

/* Few, and nearly in order. */
static void sort(struct coap_message *m)
{
	for (size_t i = 1; i < m->option_count; i++) {
		struct coap_option o = m->options[i];
		size_t at = i;

		for (; at > 0 && m->options[at - 1].number > o.number; at--)
			m->options[at] = m->options[at - 1];
		m->options[at] = o;
	}
}

enum err coap_message_encode(struct coap_message *m, struct wr *w)
{
	uint32_t before = 0;
	struct rd out;

	sort(m);
	wr_u8(w, (uint8_t)(VERSION << 6 | m->type << 4 | (m->token_len & 15)));
	wr_u8(w, m->code);
	wr_be16(w, m->id);
	wr_copy(w, m->token, m->token_len);
	for (size_t i = 0; i < m->option_count; i++) {
		const struct coap_option *o = &m->options[i];
		uint32_t delta = o->number - before, length = (uint32_t)o->value.left;

		if (o->value.left > UINT16_MAX)
			return ERR_TOO_LONG;
		wr_u8(w, (uint8_t)(nibble_of(delta) << 4 | nibble_of(length)));
		extended_encode(w, delta);
		extended_encode(w, length);
		wr_rd(w, o->value);
		before = o->number;
	}
	if (m->payload.left > 0) {
		wr_u8(w, PAYLOAD_MARKER);
		wr_rd(w, m->payload);
	}
	return wr_done(w, &out) ? OK : ERR_TOO_LONG;
}

const struct coap_option *coap_option_find(const struct coap_message *m, uint16_t number)
{
	for (size_t i = 0; i < m->option_count; i++)
		if (m->options[i].number == number)
			return &m->options[i];
	return NULL;
}

bool coap_option_add(struct coap_message *m, uint16_t number, struct rd value)
{
	if (m->option_count == COAP_OPTIONS_MAX)
		return false;
	m->options[m->option_count++] = (struct coap_option){number, value};
	return true;
}

struct rd coap_uint_print(uint8_t octets[static 4], uint32_t n)
{
	struct wr w = wr_of(octets, 4);

	for (int shift = 24; shift >= 0; shift -= 8)
		if (w.len > 0 || n >> shift != 0)
			wr_u8(&w, (uint8_t)(n >> shift));
	return rd_of(octets, w.len);
}

bool coap_uint_parse(struct rd value, uint32_t *n)
{
	uint32_t v = 0;
	uint8_t octet;

	if (value.left > 4)
		return false;
	while (rd_u8(&value, &octet))
		v = v << 8 | octet;
	*n = v;
	return true;
}

struct rd coap_block_print(uint8_t octets[static 4], struct coap_block b)
{
	return coap_uint_print(octets, b.number << 4 | (b.more ? 8U : 0U) | b.szx);
}

bool coap_block_parse(struct rd value, struct coap_block *b)
{
	uint32_t n;

	if (value.left > 3 || !coap_uint_parse(value, &n) || (n & 7) > COAP_SZX_MAX)
		return false;
	*b = (struct coap_block){n >> 4, (n & 8) != 0, n & 7};
	return true;
}
