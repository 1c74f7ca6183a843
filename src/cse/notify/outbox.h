/* Outgoing notifications: one queue (outbox) a sender and target, in order, the next after the former was answered. TS-0001 clause 10.2.10.
 *
 * A sender is a subscription or crossResourceSubscription, named by its resourceID; cse_notify_target sends without one. Its policy says
 * when what waits may go: schedule, batches, rate, and what becomes of it while the target cannot be reached.
 *
 * What survives a crash. A notification that can be sent at once lives in memory alone: it is sent right after the commit of the
 * write that caused it, and a crash in these milliseconds loses it. What stays back is written to the store: in the same transaction as the
 * write where the policy holds it back (a batch, a rate limit, a closed schedule, a target that did not answer before), or asks for pending
 * notifications (pn); and all that waits for a target from the moment on when it fails to answer. So a target that
 * answers costs the store nothing, and a kept notification may come twice after a crash, but is never lost. Kept and not, a target has at
 * most OUTBOX_MAX notifications and OUTBOX_OCTETS_MAX octets waiting, all targets together OUTBOXES_OCTETS_MAX: the oldest go first, those
 * of the lowest notificationStoragePriority before others.
 *
 * A target that cannot be reached is tried again, with growing pauses. Without pendingNotification the CSE gives up after OUTBOX_TRIES; with it
 * notifications stay until the subscription ends: all (2), or the latest (1). */
#ifndef KEYWAY_CSE_NOTIFY_OUTBOX_H
#define KEYWAY_CSE_NOTIFY_OUTBOX_H

#include "cse/private.h"

#define OUTBOX_MAX 100000
#define OUTBOX_OCTETS_MAX (64u << 20)
#define OUTBOXES_OCTETS_MAX (256u << 20)
#define OUTBOX_TRIES 200
#define OUTBOX_BATCH_MAX 100       /* notifications in an aggregate without a number, */
#define OUTBOX_BATCH_MOST 1000     /* with one, */
#define OUTBOX_BATCH_OCTETS (CSE_BODY_MAX / 2) /* and their octets, so that it stays a message that others take */
#define OUTBOX_BATCH_MS 60000      /* bn without a duration: TS-0001 table 9.6.8-2 leaves the default to the CSE */

#define CATEGORY_IMMEDIATE 2
#define CATEGORY_LATEST 4

struct outbox_policy {
	bool retry;                /* tried again while the target cannot be reached */
	unsigned pending;          /* pn: 0 absent, 1 latest, 2 all */
	bool latest;               /* ln: only the newest of what waits is sent */
	bool batch;                /* bn */
	uint64_t batch_number, batch_ms;
	bool limited;              /* rl */
	uint64_t rate_most, rate_ms;
	uint64_t priority;         /* nsp */
	uint64_t category;         /* ec of the request; 0: none */
	bool counted;              /* nse */
	int64_t schedule;          /* its notificationSchedule, when that binds; otherwise 0 */
};
/* What a subscription or crossResourceSubscription asks for. */
void outbox_policy_of(struct cse *c, struct resource *sub, struct outbox_policy *p);
bool outbox_policy_is_open(struct cse *c, const struct outbox_policy *p); /* its schedule lets notifications out now */

/* content is copied once for all targets that get it: see outbox_content. */
struct outbox_content;
struct outbox_content *outbox_content(struct rd text); /* to be released by outbox_content_free; posting takes a share of it */
void outbox_content_free(struct outbox_content *k);
void outbox_post(struct cse *c, const char *sender, const char *target, const struct outbox_policy *p, struct outbox_content *k);
/* The sender changed: its policy, and the targets that it still has (a JSON list). */
void outbox_change(struct cse *c, const char *sender, const struct outbox_policy *p, const struct json *targets);
void outbox_change_policy(struct cse *c, const char *sender, const struct outbox_policy *p); /* with the targets that it has */
/* The sender ends: what waits goes out at once, is tried twice more when that fails, and `last` (NULL: nothing) follows to `to`. */
void outbox_close(struct cse *c, const char *sender, const char *to, struct rd last);
size_t outbox_waiting(struct cse *c, const char *sender, const char *target);

/* done and ctx are those of a notification of an outbox, and it may hear of this answer while a commit is under way (gate.h). */
bool outbox_may_hear(cse_done *done, void *ctx, const struct onem2m_response *rsp);

/* A schedule below a subscription came. */
void outbox_note_schedule(struct cse *c, int64_t sub, int64_t schedule);

/* Undoing: what was posted after the mark was never committed. */
uint64_t outbox_mark(struct cse *c);
uint64_t outbox_committed(struct cse *c); /* the mark of the last commit */
void outbox_undo(struct cse *c, uint64_t mark);

#endif
