/* Transactions: locks on resources, and lists of requests that are carried out all or not at all. */
#ifndef KEYWAY_CSE_TYPES_TRANSACTION_H
#define KEYWAY_CSE_TYPES_TRANSACTION_H

#include "cse/private.h"

/* m2m:transactionState, m2m:transactionControl, m2m:transactionMode, m2m:transactionMgmtHandling, m2m:transactionLockType. */
enum transaction_state { TRANSACTION_INITIAL = 1, TRANSACTION_LOCKED = 2, TRANSACTION_EXECUTED = 3, TRANSACTION_COMMITTED = 4, TRANSACTION_ERROR = 5, TRANSACTION_ABORTED = 6 };
enum transaction_control { CONTROL_INITIAL = 1, CONTROL_LOCK = 2, CONTROL_EXECUTE = 3, CONTROL_COMMIT = 4, CONTROL_ABORT = 5 };

/* ---- locks (transaction_lock.c): in memory; the resources of those that hold them say who they are, also after a restart ---- */
/* False: another transaction has it. owner: the transaction's resource; who: its creator, who may still retrieve. */
bool transaction_lock(struct cse *c, int64_t resource, int64_t owner, const char *who, bool retrieves) MUST_CHECK;
void transaction_unlock(struct cse *c, int64_t owner); /* all that it has */

/* DELETE of a transaction or transactionMgmt waits for its end: TS-0004 clauses 7.4.60.2.4 and 7.4.61.2.4. transaction.c */
enum hook_result transaction_remove(struct exchange *x, struct resource *r);

/* ---- requests (transaction_run.c) ---- */
struct transaction_job {
	const struct json *const *requests; /* m2m:requestPrimitive each */
	size_t count;
	const char *from;             /* who asks, unless a request says so itself */
	int64_t owner;                /* whose locks do not count */
	bool rehearse;                /* try, and undo it: nobody hears of it */
	bool trusted;                 /* privileges were checked when it was rehearsed */
	struct wr *responses;         /* [m2m:responsePrimitive ...] */
	char *why;                    /* of a failure */
	size_t size;
};
/* One savepoint: true when every request succeeded; otherwise, and after a rehearsal, nothing has changed. Snapshots of resources that the caller
 * holds are stale afterwards. */
bool transaction_run(struct cse *c, struct transaction_job *job) MUST_CHECK;
/* Whether a request can be part of a transaction at this CSE at all; false with a sentence. */
bool transaction_may_contain(const struct json *request, char *why, size_t size) MUST_CHECK;
/* Who a request is from: what it says, or `from`; false when it says somebody else than who gives it. */
bool transaction_originator_is_good(struct exchange *x, const struct json *request) MUST_CHECK;

#endif
