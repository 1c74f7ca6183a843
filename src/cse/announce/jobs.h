/* What the files of this folder share about jobs. */
#ifndef KEYWAY_CSE_ANNOUNCE_JOBS_H
#define KEYWAY_CSE_ANNOUNCE_JOBS_H

#include "cse/announce/announce.h"

#define ANNOUNCE_PATIENCE_MS 4000 /* an answer to the originator waits no longer for other CSEs */
#define ANNOUNCE_WAITS 8

struct announce_job {
	struct announce_job *next;
	struct cse *cse;
	struct announce_original original;
	char csi[CSE_ID_MAX];         /* of the other CSE */
	char address[CSE_ID_MAX];     /* of the double that is to go; "": it shall be as the original says */
	char *gone;                   /* names joined by ' ' */
	bool ready;                   /* with the next commit */
	bool in_flight, again;        /* again: changed while a request was under way */
	bool parent_is_base;          /* of the CREATE under way */
	bool elsewhere;               /* the place of an S-type AE is taken */
	unsigned tries;
	struct cse_timer timer;
	struct announce_wait *waits[ANNOUNCE_WAITS];
	size_t wait_count;
};

struct announcer {
	struct announce_job *jobs;
	bool any_ready;
	struct announce_wait *collecting; /* the deletion that is under way waits for what is ordered now */
};

struct announcer *announcer_of(struct cse *c);
struct announce_job *announce_job_new(struct cse *c, const struct announce_original *o, const char *csi, const char *address);
void announce_job_key(const struct announce_job *j, char *key, size_t size);
void announce_job_run(struct announce_job *j);    /* steps.c: the next request, or the end */
void announce_job_done(struct announce_job *j);   /* both sides agree; frees it */
void announce_job_failed(struct announce_job *j); /* later again */
void announce_job_again(struct announce_job *j);  /* at once again, with another step */

#endif
