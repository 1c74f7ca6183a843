/* What CSEs and AEs ask of keyway-das: each for itself, by its own association. */
#ifndef KEYWAY_DAS_QUESTIONS_H
#define KEYWAY_DAS_QUESTIONS_H

#include "cse/cse.h"
#include "das/das.h"

struct das_questions {
	struct das *das;
	const char *sp;
	uint64_t refusals_since, refusals; /* of the log */
};
/* A cse_submit_fn; `questions` is a struct das_questions. */
void das_questions_answer(void *questions, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
