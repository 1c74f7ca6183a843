/* The questions of wpa_supplicant to a SIM. */
#include "gba/usim_line.h"

#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define REQUEST "CTRL-REQ-SIM-"
#define RESPONSE "CTRL-RSP-SIM-"
#define TRIPLETS_MAX 3

static void hex(struct wr *w, const struct secret *s)
{
	char text[HEX_SIZE(SECRET_MAX)];

	wr_str(w, ":");
	hex_print(text, secret_octets(s), secret_len(s));
	wr_str(w, text);
	bytes_wipe(text, sizeof text);
}

/* The next of the values that ':' parts. */
static bool value(struct rd *r, struct rd *v)
{
	if (rd_end(r))
		return false;
	if (!rd_until(r, ':', v))
		*v = rd_rest(r);
	return true;
}

static enum err gsm(const struct usim *u, struct rd values, struct wr *answer)
{
	struct rd v;
	unsigned n = 0;

	wr_str(answer, "GSM-AUTH");
	while (value(&values, &v)) {
		uint8_t rand[AKA_RAND];
		struct sim_triplet t;
		enum err e;

		if (++n > TRIPLETS_MAX || !hex_parse(v, rand, sizeof rand))
			return ERR_MALFORMED;
		e = usim_gsm(u, rand, &t);
		if (e != OK)
			return e;
		hex(answer, t.kc);
		hex(answer, t.sres);
		sim_triplet_clear(&t);
	}
	return n > 0 ? OK : ERR_MALFORMED;
}

static enum err umts(struct usim *u, struct rd values, struct wr *answer, enum usim_line *what)
{
	uint8_t rand[AKA_RAND], autn[AKA_AUTN];
	char text[HEX_SIZE(AKA_AUTS)];
	struct usim_answer a;
	struct rd v;
	enum err e;

	if (!value(&values, &v) || !hex_parse(v, rand, sizeof rand) || !value(&values, &v) || !hex_parse(v, autn, sizeof autn) || !rd_end(&values))
		return ERR_MALFORMED;
	e = usim_authenticate(u, rand, autn, &a);
	if (e != OK)
		return e;
	switch (a.verdict) {
	case USIM_ACCEPTED:
		*what = USIM_LINE_ACCEPTED;
		wr_str(answer, "UMTS-AUTH");
		hex(answer, a.ik);
		hex(answer, a.ck);
		hex(answer, a.res);
		break;
	case USIM_SYNC_FAILURE:
		*what = USIM_LINE_SYNC_FAILURE;
		hex_print(text, a.auts, sizeof a.auts);
		wr_fmt(answer, "UMTS-AUTS:%s", text);
		break;
	case USIM_MAC_FAILURE:
		*what = USIM_LINE_MAC_FAILURE;
		wr_str(answer, "UMTS-FAIL");
		break;
	}
	usim_answer_clear(&a);
	return OK;
}

enum err usim_line_answer(struct usim *u, struct rd event, struct wr *answer, enum usim_line *what)
{
	struct rd level, id, kind, values;
	uint64_t n;

	*what = USIM_LINE_OTHER;
	if (rd_starts(event, "<") && !rd_until(&event, '>', &level))
		return OK;
	if (!rd_starts(event, REQUEST) || !rd_skip(&event, sizeof REQUEST - 1))
		return OK;
	if (!rd_until(&event, ':', &id) || !rd_decimal(id, &n) || n > UINT32_MAX || !rd_until(&event, ':', &kind))
		return ERR_MALFORMED;
	if (!rd_until(&event, ' ', &values))
		values = rd_rest(&event);
	wr_fmt(answer, RESPONSE "%u:", (unsigned)n);
	if (rd_is(kind, "GSM-AUTH")) {
		*what = USIM_LINE_GSM;
		return gsm(u, values, answer);
	}
	return rd_is(kind, "UMTS-AUTH") ? umts(u, values, answer, what) : ERR_MALFORMED;
}
