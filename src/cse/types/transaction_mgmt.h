/* The run of a transactionMgmt: its phases, here and at the other CSEs that take part. */
#ifndef KEYWAY_CSE_TYPES_TRANSACTION_MGMT_H
#define KEYWAY_CSE_TYPES_TRANSACTION_MGMT_H

#include "cse/types/transaction.h"

#define LIFE_MS 60000    /* until a transaction without tept is given up */
#define RETRY_MS 1000
#define TELLING_MOST 120 /* tries to tell another CSE of a commit, RETRY_MS apart; its resource lives that much longer, too */

enum phase { PHASE_IDLE, PHASE_LOCK, PHASE_EXECUTE, PHASE_COMMIT, PHASE_TELL };

struct party {
	struct run *run;
	char *to;                     /* the target at another CSE; NULL: it is here */
	bool locked, done;            /* its <transaction> exists; and has answered the last step well */
	struct wr response;           /* m2m:responsePrimitive */
};

struct run {
	struct run *next;
	struct cse *cse;
	int64_t id;
	char from[CSE_ID_MAX];        /* its creator */
	char name[160];               /* of its resources at other CSEs, but for the number */
	enum phase phase;
	enum transaction_control wanted;
	bool by_itself;               /* CSE-controlled */
	bool recovered;               /* from before a restart: others may have what it does not know of */
	bool failed;
	bool ended;                   /* decided, or deleted: what still answers is not heard */
	unsigned waits, tries, told;
	uint64_t since;               /* unix ms: the first lock */
	struct cse_timer timer;
	struct party *parties;
	size_t count;
};

/* ---- bookkeeping, and what is done at this CSE (transaction_runs.c) ---- */
struct run *management_find(struct cse *c, int64_t id); /* NULL: none is under way */
struct run *management_run(struct cse *c, int64_t id);  /* makes it, if there is none */
void management_drop(struct run *r);                    /* nobody waits for it any more */
void management_soon(struct run *r, uint64_t in_ms);    /* its next step */
uint64_t management_time(struct resource *m, const char *name);
uint64_t management_end(const struct run *r, struct resource *m); /* when it is given up, undecided */
void management_take_parties(struct run *r, struct resource *m);
bool management_set_state(struct run *r, enum transaction_state state, const struct wr *responses);
bool management_run_here(struct run *r, struct resource *m, bool rehearse, struct wr *responses);
bool management_lock_here(struct run *r, struct resource *m);

/* ---- the others (transaction_parties.c): each request counts in r->waits ---- */
void management_lock_there(struct run *r, struct resource *m);
void management_control_all(struct run *r, enum transaction_control what);
void management_abort_there(struct run *r);
void management_one_less(struct run *r);

/* ---- phases (transaction_phases.c) ---- */
void management_on_time(struct cse *c, struct cse_timer *t);
void management_phase_done(struct run *r);              /* everybody has answered */
void management_begin(struct cse *c, int64_t id, uint64_t at);                     /* a CSE-controlled one: runs by itself from then on */
void management_control(struct cse *c, int64_t id, enum transaction_control what); /* one step, soon */
bool management_is_busy(struct cse *c, int64_t id);                                /* a step is under way */
void management_recover(struct cse *c, int64_t id, enum transaction_state state);  /* after a restart */
void management_gone(struct cse *c, struct resource *r);                           /* it is being deleted: what it had begun is aborted */

#endif
