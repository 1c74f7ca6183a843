/* hostapd's questions to an authentication centre. */
#include "gba/hostapd_line.h"

#include "base/bytes.h"
#include "keys/secret_octets.h"

static bool word(struct rd *r, struct rd *w)
{
	if (rd_end(r))
		return false;
	if (!rd_until(r, ' ', w))
		*w = rd_rest(r);
	return w->left > 0;
}

enum err hostapd_request_parse(struct rd line, struct hostapd_request *rq)
{
	struct rd question, imsi, a, b;
	uint64_t n;

	if (line.left > 0 && line.at[line.left - 1] == '\n')
		line.left--;
	if (!word(&line, &question) || !word(&line, &imsi))
		return ERR_MALFORMED;
	if (rd_is(question, "SIM-REQ-AUTH")) {
		rq->question = HOSTAPD_SIM;
		if (!word(&line, &a) || !rd_decimal(a, &n) || n < 2 || n > HOSTAPD_TRIPLETS_MAX)
			return ERR_MALFORMED;
		rq->triplets = (unsigned)n;
	} else if (rd_is(question, "AKA-REQ-AUTH")) {
		rq->question = HOSTAPD_AKA;
	} else if (rd_is(question, "AKA-AUTS")) {
		rq->question = HOSTAPD_AUTS;
		if (!word(&line, &a) || !word(&line, &b) || !hex_parse(a, rq->auts, sizeof rq->auts) || !hex_parse(b, rq->rand, sizeof rq->rand))
			return ERR_MALFORMED;
	} else {
		return ERR_UNSUPPORTED;
	}
	return rd_end(&line) && imsi_is_good(imsi) && rd_text(imsi, rq->imsi, sizeof rq->imsi) ? OK : ERR_MALFORMED;
}

static void hex(struct wr *w, const void *octets, size_t len)
{
	char text[HEX_SIZE(SECRET_MAX)];

	hex_print(text, octets, len);
	wr_str(w, text);
	bytes_wipe(text, sizeof text);
}

static void hex_secret(struct wr *w, const struct secret *s)
{
	hex(w, secret_octets(s), secret_len(s));
}

void hostapd_sim_print(struct wr *w, const char *imsi, const struct sim_triplet *t, size_t count)
{
	wr_fmt(w, "SIM-RESP-AUTH %s", imsi);
	for (size_t i = 0; i < count; i++) {
		wr_str(w, " ");
		hex_secret(w, t[i].kc);
		wr_str(w, ":");
		hex_secret(w, t[i].sres);
		wr_str(w, ":");
		hex(w, t[i].rand, AKA_RAND);
	}
}

void hostapd_aka_print(struct wr *w, const char *imsi, const struct aka_vector *v)
{
	wr_fmt(w, "AKA-RESP-AUTH %s ", imsi);
	hex(w, v->rand, AKA_RAND);
	wr_str(w, " ");
	hex(w, v->autn, AKA_AUTN);
	wr_str(w, " ");
	hex_secret(w, v->ik);
	wr_str(w, " ");
	hex_secret(w, v->ck);
	wr_str(w, " ");
	hex_secret(w, v->res);
}

void hostapd_failure_print(struct wr *w, const struct hostapd_request *rq)
{
	if (rq->question != HOSTAPD_AUTS)
		wr_fmt(w, "%s-RESP-AUTH %s FAILURE", rq->question == HOSTAPD_SIM ? "SIM" : "AKA", rq->imsi);
}
