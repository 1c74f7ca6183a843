/* Who asks, and the answer. */
#include "programs/keyway-das/questions.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"
#include "onem2m/identity.h"

#define LOG_TEXT_MAX 200
#define REFUSALS_LOGGED 30 /* in REFUSALS_MS */
#define REFUSALS_MS 10000

static bool may_log(struct das_questions *s)
{
	uint64_t now = clock_ms();

	if (now - s->refusals_since >= REFUSALS_MS) {
		s->refusals_since = now;
		s->refusals = 0;
	}
	return s->refusals++ < REFUSALS_LOGGED;
}

static void refuse(struct das_questions *s, const struct onem2m_request *rq, enum onem2m_rsc rsc, const char *why, cse_done *done, void *ctx)
{
	char body[512];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct onem2m_response rsp = {.rsc = rsc};

	if (may_log(s))
		log_line(LOG_LEVEL_NOTICE, "refused", "peer=%s from=%s rsc=%d why=\"%s\"", log_quote(rd_str(rq->peer)),
		    log_quote(rd_of(rq->from.at, rq->from.left < LOG_TEXT_MAX ? rq->from.left : LOG_TEXT_MAX)), (int)rsc, why);
	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", why);
	json_close(&o);
	if (!wr_done(&w, &rsp.content))
		rsp.content = rd_of("", 0);
	done(ctx, &rsp);
}

/* Who asks: From, which must be one of the names of its association. A CSE's and an AE's name alike: nobody passes questions on for others. */
static bool asker_of(const char *sp, const struct onem2m_request *rq, char id[static IDENTITY_MAX])
{
	struct rd names = rd_str(rq->peer), name;
	char identity[IDENTITY_MAX], at[IDENTITY_MAX];
	const char *end;

	while (names.left > 0) {
		if (!rd_until(&names, ' ', &name))
			name = rd_rest(&names);
		if (!rd_text(name, identity, sizeof identity) || !identity_to_id(identity, sp, id, IDENTITY_MAX))
			continue;
		end = strchr(id + 1, '/');
		snprintf(at, sizeof at, "%.*s", (int)(end ? end - id : (long)strlen(id)), id);
		if (identity_may_be(identity, sp, at, rq->from))
			return true;
	}
	return false;
}

void das_questions_answer(void *questions, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct das_questions *s = questions;
	struct wr answer = wr_new(DAS_ANSWER_MAX);
	struct onem2m_response rsp = {.rsc = RSC_OK};
	char asker[IDENTITY_MAX];

	if (rq->operation != ONEM2M_NOTIFY) {
		refuse(s, rq, RSC_OPERATION_NOT_ALLOWED, "only NOTIFY is answered here", done, ctx);
	} else if (!asker_of(s->sp, rq, asker)) {
		refuse(s, rq, RSC_ORIGINATOR_NOT_AUTHENTICATED, "the originator is not the one whose certificate or key this is", done, ctx);
	} else {
		rsp.rsc = das_ask(s->das, clock_unix_ms(), asker, rq->content, &answer);
		if (rsp.rsc == RSC_OK && wr_done(&answer, &rsp.content))
			done(ctx, &rsp);
		else
			refuse(s, rq, rsp.rsc, das_reason(s->das), done, ctx);
	}
	wr_free(&answer);
}
