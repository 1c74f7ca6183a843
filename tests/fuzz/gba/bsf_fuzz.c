/* Lists of Authorization header fields, a line each, sent to a BSF; "@N" instead lets N seconds pass, "!" is what a genuine UE sends next. Nobody
 * gets a key but by what the genuine UE sent, unchanged. */
#include <stdio.h>
#include <string.h>

#include "../fuzz.h"
#include "gba/bsf.h"
#include "gba/ue.h"

static struct secret *key(uint8_t first)
{
	uint8_t octets[16] = {first};

	return secret_take(octets, sizeof octets);
}

struct world {
	struct bsf *bsf;
	struct auc_subscriber subscriber;
	struct usim usim;
	struct ue ue;
	struct rng rng;
	uint64_t now_ms;
	char next[DIGEST_HEADER_MAX]; /* what the genuine UE sends */
	struct bsf_answer answer;
	bool answers; /* its last message was an answer with RES */
};

static void send(struct world *w, const char *authorization)
{
	const struct bsf_request rq = {.method = "GET", .path = "/", .authorization = authorization};
	struct aka_vector v = {{0}, {0}, NULL, NULL, NULL};
	static const struct guss guss = {.lifetime_s = 100};
	struct bsf_ask ask;
	enum err e = ERR_NOT_FOUND;

	if (bsf_input(w->bsf, w->now_ms, &rq, &ask, &w->answer) == BSF_ANSWER)
		return;
	if (strcmp(ask.impi, w->usim.impi) == 0)
		e = ask.resync ? auc_resynchronise(&w->subscriber, ask.rand, ask.auts) : OK;
	if (e == OK)
		e = auc_vector(&w->subscriber, &w->rng, &v);
	bsf_vector(w->bsf, w->now_ms, &ask, e, &v, &guss, &w->answer);
	MUST(w->answer.status != 200);
}

static void begin(struct world *w)
{
	struct wr out = wr_of(w->next, sizeof w->next - 1);
	struct rd r;

	ue_begin(&w->ue, "/", &out);
	MUST(wr_done(&out, &r));
	w->next[r.left] = '\0';
	w->answers = false;
}

/* The genuine UE's turn. */
static void genuine(struct world *w)
{
	struct wr out = wr_of(w->next, sizeof w->next - 1);
	struct rd r;
	bool answers = w->answers;

	send(w, w->next);
	if (answers && w->answer.status == 200)
		MUST(ue_finish(&w->ue, rd_str(w->answer.value), rd_str(w->answer.body), w->now_ms / 1000) == OK);
	else
		MUST(w->answer.status != 200);
	if (w->answer.status != 401 || ue_challenged(&w->ue, &w->rng, "GET", "/", rd_of("", 0), rd_str(w->answer.value), &out) != OK) {
		begin(w);
		return;
	}
	MUST(wr_done(&out, &r));
	w->next[r.left] = '\0';
	w->answers = !w->ue.resynchronises;
}

static void line(struct world *w, struct rd text)
{
	char authorization[DIGEST_HEADER_MAX + 8];
	uint64_t seconds;

	if (rd_is(text, "!")) {
		genuine(w);
	} else if (rd_starts(text, "@") && rd_skip(&text, 1) && rd_decimal(text, &seconds)) {
		w->now_ms += (seconds % 1000) * 1000;
	} else if (rd_text(text, authorization, sizeof authorization)) {
		/* A line that the genuine UE would send just now counts as its. */
		bool same = strcmp(authorization, w->next) == 0;

		send(w, authorization);
		MUST(same || w->answer.status != 200);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bsf_config c = {.fqdn = "bsf.example", .lifetime_s = 50};
	struct rd in = rd_of(data, size), text;
	struct world w;

	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now_ms = 1795219200000ULL;
	c.rng = &w.rng;
	w.bsf = bsf_new(&c);
	w.subscriber.k = key(1);
	w.subscriber.opc = key(2);
	w.usim.k = key(1);
	w.usim.opc = key(2);
	snprintf(w.usim.impi, sizeof w.usim.impi, "u@ims");
	MUST(w.bsf && ue_init(&w.ue, &w.usim, "bsf.example") == OK);
	begin(&w);
	for (unsigned n = 0; n < 64 && rd_line(&in, &text); n++)
		line(&w, text);
	ue_clear(&w.ue);
	bsf_free(w.bsf);
	usim_clear(&w.usim);
	auc_subscriber_clear(&w.subscriber);
	return 0;
}
