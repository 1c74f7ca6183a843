/* The codec of S2's inclusion commands. */
#include "zwave/security/s2_frame.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define KEX_ECHO 0x01
#define KEX_CSA 0x02
#define NONCE_SOS 0x01
#define NONCE_MOS 0x02
#define REPORT_INCLUDING 0x01
#define END_COMPLETE 0x01
#define END_VERIFIED 0x02
#define NETWORK_KEY 16

const char *s2_fail_text(uint8_t fail)
{
	switch (fail) {
	case S2_FAIL_KEY:
		return "no class of keys in common";
	case S2_FAIL_SCHEME:
		return "no key exchange scheme in common";
	case S2_FAIL_CURVE:
		return "no curve in common";
	case S2_FAIL_DECRYPT:
		return "could not decrypt";
	case S2_FAIL_CANCEL:
		return "cancelled";
	case S2_FAIL_AUTH:
		return "the echo differs from what was said in clear";
	case S2_FAIL_GET:
		return "asked for a key that was not granted";
	case S2_FAIL_VERIFY:
		return "the key was not verified";
	case S2_FAIL_REPORT:
		return "got a key that it did not ask for";
	}
	return "for a reason unknown here";
}

const char *s2_command_text(enum s2_command c)
{
	switch (c) {
	case S2_NONCE_GET:
		return "Nonce Get";
	case S2_NONCE_REPORT:
		return "Nonce Report";
	case S2_ENCAPSULATION:
		return "Message Encapsulation";
	case S2_KEX_GET:
		return "KEX Get";
	case S2_KEX_REPORT:
		return "KEX Report";
	case S2_KEX_SET:
		return "KEX Set";
	case S2_KEX_FAIL:
		return "KEX Fail";
	case S2_PUBLIC_KEY_REPORT:
		return "Public Key Report";
	case S2_NETWORK_KEY_GET:
		return "Network Key Get";
	case S2_NETWORK_KEY_REPORT:
		return "Network Key Report";
	case S2_NETWORK_KEY_VERIFY:
		return "Network Key Verify";
	case S2_TRANSFER_END:
		return "Transfer End";
	}
	return "an unknown command";
}

static bool single_bit(uint8_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

static enum err decode_nonce_report(struct rd *r, struct s2_frame *f)
{
	uint8_t flags;

	if (!rd_u8(r, &f->sequence) || !rd_u8(r, &flags))
		return ERR_SHORT;
	f->sos = flags & NONCE_SOS;
	f->mos = flags & NONCE_MOS;
	if ((flags & ~(NONCE_SOS | NONCE_MOS)) != 0 || (!f->sos && !f->mos))
		return ERR_MALFORMED;
	return !f->sos || rd_copy(r, f->entropy.octets, S2_ENTROPY) ? OK : ERR_SHORT;
}

static enum err decode_kex(struct rd *r, struct s2_kex *k)
{
	uint8_t flags;

	if (!rd_u8(r, &flags) || !rd_u8(r, &k->schemes) || !rd_u8(r, &k->curves) || !rd_u8(r, &k->keys))
		return ERR_SHORT;
	k->echo = flags & KEX_ECHO;
	k->csa = flags & KEX_CSA;
	k->reserved = flags & (uint8_t)~(KEX_ECHO | KEX_CSA);
	return OK;
}

static enum err decode_public_key(struct rd *r, struct s2_frame *f)
{
	uint8_t flags;

	if (!rd_u8(r, &flags) || !rd_copy(r, f->point.octets, X25519_SIZE))
		return ERR_SHORT;
	f->including = flags & REPORT_INCLUDING;
	return flags & ~REPORT_INCLUDING ? ERR_MALFORMED : OK;
}

static enum err decode_network_key(struct rd *r, struct s2_frame *f)
{
	uint8_t key[NETWORK_KEY];

	if (!rd_u8(r, &f->key) || r->left < sizeof key)
		return ERR_SHORT;
	if (!single_bit(f->key) || r->left > sizeof key)
		return ERR_MALFORMED;
	if (!rd_copy(r, key, sizeof key))
		return ERR_SHORT;
	f->network_key = secret_take(key, sizeof key);
	return f->network_key ? OK : ERR_NO_MEMORY;
}

static enum err decode_body(struct rd *r, struct s2_frame *f)
{
	uint8_t flags;

	switch (f->command) {
	case S2_NONCE_GET:
		return rd_u8(r, &f->sequence) ? OK : ERR_SHORT;
	case S2_NONCE_REPORT:
		return decode_nonce_report(r, f);
	case S2_KEX_REPORT:
	case S2_KEX_SET:
		return decode_kex(r, &f->kex);
	case S2_KEX_FAIL:
		return rd_u8(r, &f->fail) ? OK : ERR_SHORT;
	case S2_PUBLIC_KEY_REPORT:
		return decode_public_key(r, f);
	case S2_NETWORK_KEY_GET:
		if (!rd_u8(r, &f->key))
			return ERR_SHORT;
		return single_bit(f->key) ? OK : ERR_MALFORMED;
	case S2_NETWORK_KEY_REPORT:
		return decode_network_key(r, f);
	case S2_TRANSFER_END:
		if (!rd_u8(r, &flags))
			return ERR_SHORT;
		f->complete = flags & END_COMPLETE;
		f->verified = flags & END_VERIFIED;
		return flags & ~(END_COMPLETE | END_VERIFIED) ? ERR_MALFORMED : OK;
	case S2_KEX_GET:
	case S2_NETWORK_KEY_VERIFY:
		return OK;
	case S2_ENCAPSULATION:
		break;
	}
	return ERR_UNSUPPORTED;
}

enum err s2_frame_decode(struct rd r, struct s2_frame *f)
{
	uint8_t class, command;
	enum err e;

	memset(f, 0, sizeof *f);
	if (!rd_u8(&r, &class) || !rd_u8(&r, &command))
		return ERR_SHORT;
	if (class != S2_CLASS)
		return ERR_UNSUPPORTED;
	f->command = command;
	e = decode_body(&r, f);
	if (e == OK && !rd_end(&r))
		e = ERR_MALFORMED;
	if (e != OK)
		s2_frame_free(f);
	return e;
}

void s2_frame_encode(const struct s2_frame *f, struct wr *w)
{
	wr_u8(w, S2_CLASS);
	wr_u8(w, f->command);
	switch (f->command) {
	case S2_NONCE_GET:
		wr_u8(w, f->sequence);
		break;
	case S2_NONCE_REPORT:
		wr_u8(w, f->sequence);
		wr_u8(w, (uint8_t)((f->sos ? NONCE_SOS : 0) | (f->mos ? NONCE_MOS : 0)));
		if (f->sos)
			wr_copy(w, f->entropy.octets, S2_ENTROPY);
		break;
	case S2_KEX_REPORT:
	case S2_KEX_SET:
		wr_u8(w, (uint8_t)(f->kex.reserved | (f->kex.csa ? KEX_CSA : 0) | (f->kex.echo ? KEX_ECHO : 0)));
		wr_u8(w, f->kex.schemes);
		wr_u8(w, f->kex.curves);
		wr_u8(w, f->kex.keys);
		break;
	case S2_KEX_FAIL:
		wr_u8(w, f->fail);
		break;
	case S2_PUBLIC_KEY_REPORT:
		wr_u8(w, f->including ? REPORT_INCLUDING : 0);
		wr_copy(w, f->point.octets, X25519_SIZE);
		break;
	case S2_NETWORK_KEY_GET:
		wr_u8(w, f->key);
		break;
	case S2_NETWORK_KEY_REPORT:
		wr_u8(w, f->key);
		wr_copy(w, secret_octets(f->network_key), secret_len(f->network_key));
		break;
	case S2_TRANSFER_END:
		wr_u8(w, (uint8_t)((f->complete ? END_COMPLETE : 0) | (f->verified ? END_VERIFIED : 0)));
		break;
	case S2_KEX_GET:
	case S2_NETWORK_KEY_VERIFY:
	case S2_ENCAPSULATION:
		break;
	}
}

void s2_frame_free(struct s2_frame *f)
{
	secret_free(f->network_key);
	f->network_key = NULL;
}

enum err s2_dsk_parse(struct rd text, uint8_t dsk[static S2_DSK])
{
	for (size_t i = 0; i < S2_DSK; i += 2) {
		struct rd group;
		uint64_t v;

		if (i + 2 < S2_DSK ? !rd_until(&text, '-', &group) : !rd_sub(&text, text.left, &group))
			return ERR_MALFORMED;
		if (group.left != 5 || !rd_decimal(group, &v) || v > UINT16_MAX)
			return ERR_MALFORMED;
		dsk[i] = (uint8_t)(v >> 8);
		dsk[i + 1] = (uint8_t)v;
	}
	return OK;
}

void s2_dsk_print(const uint8_t dsk[static S2_DSK], char text[static S2_DSK_TEXT])
{
	for (size_t i = 0; i < S2_DSK; i += 2)
		snprintf(text + i * 3, S2_DSK_TEXT - i * 3, "%05u%s", (unsigned)dsk[i] << 8 | dsk[i + 1], i + 2 < S2_DSK ? "-" : "");
}
