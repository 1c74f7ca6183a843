/* Base64, RFC 4648 sections 4 and 5. */
#include "base/bytes.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(struct wr *w, struct rd octets)
{
	while (octets.left > 0) {
		size_t n = octets.left < 3 ? octets.left : 3;
		uint8_t in[3] = {0, 0, 0};
		uint8_t *out = wr_room(w, 4);
		uint32_t v;

		if (!out || !rd_copy(&octets, in, n))
			return;
		v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		for (size_t i = 0; i < 4; i++)
			out[i] = i <= n ? (uint8_t)alphabet[v >> (18 - 6 * i) & 63] : '=';
		bytes_wipe(in, sizeof in);
	}
}

static int sextet(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

bool base64_parse(struct rd text, struct wr *octets)
{
	if (text.left % 4 != 0)
		return false;
	while (text.left > 0) {
		uint8_t quad[4];
		uint32_t v = 0;
		size_t n;

		if (!rd_copy(&text, quad, sizeof quad))
			return false;
		n = quad[3] != '=' ? 3 : quad[2] != '=' ? 2 : 1;
		if (n < 3 && text.left > 0)
			return false;
		for (size_t i = 0; i < 4; i++) {
			int s = i <= n ? sextet(quad[i]) : 0;

			if (s < 0 || (i > n && quad[i] != '='))
				return false;
			v = v << 6 | (uint32_t)s;
		}
		if ((n == 1 && (v & 0xffff)) || (n == 2 && (v & 0xff)))
			return false; /* stray bits: another text for the same octets */
		for (size_t i = 0; i < n; i++)
			wr_u8(octets, (uint8_t)(v >> (16 - 8 * i)));
	}
	return true;
}

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_print(struct wr *w, struct rd octets)
{
	while (octets.left > 0) {
		size_t n = octets.left < 3 ? octets.left : 3;
		uint8_t in[3] = {0, 0, 0};
		uint8_t *out = wr_room(w, n + 1);
		uint32_t v;

		if (!out || !rd_copy(&octets, in, n))
			return;
		v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		for (size_t i = 0; i <= n; i++)
			out[i] = (uint8_t)url_alphabet[v >> (18 - 6 * i) & 63];
		bytes_wipe(in, sizeof in);
	}
}

static int url_sextet(uint8_t c)
{
	return c == '-' ? 62 : c == '_' ? 63 : c == '+' || c == '/' ? -1 : sextet(c);
}

bool base64url_parse(struct rd text, struct wr *octets)
{
	while (text.left > 0) {
		size_t n = text.left < 4 ? text.left : 4;
		uint8_t quad[4];
		uint32_t v = 0;

		if (n == 1 || !rd_copy(&text, quad, n))
			return false;
		for (size_t i = 0; i < 4; i++) {
			int s = i < n ? url_sextet(quad[i]) : 0;

			if (s < 0)
				return false;
			v = v << 6 | (uint32_t)s;
		}
		if ((n == 2 && (v & 0xffff)) || (n == 3 && (v & 0xff)))
			return false; /* stray bits: another text for the same octets */
		for (size_t i = 0; i + 1 < n; i++)
			wr_u8(octets, (uint8_t)(v >> (16 - 8 * i)));
	}
	return true;
}
