/* What the files of this folder share. */
#ifndef KEYWAY_CSE_NOTIFY_SERVICE_H
#define KEYWAY_CSE_NOTIFY_SERVICE_H

#include "cse/notify/outbox.h"

struct outbox_content {
	unsigned shares;
	size_t len;
	uint8_t octets[];
};

struct notification {
	struct notification *next;
	struct outbox_content *content;
	uint64_t number;          /* in the order of posting, over all outboxes; of those kept it survives a restart */
	uint64_t category;
	bool alone;               /* in no batch: the subscription's end */
	bool farewell;            /* that, which a DELETE waits for */
	bool kept;                /* in the store too */
	cse_done *done;           /* may be NULL */
	void *ctx;
};

struct outbox {
	struct cse_timer timer;   /* first, so that its function finds the outbox */
	struct outbox *next;      /* of the flow */
	struct outbox *next_fresh;
	bool fresh;               /* among those that were posted to since the last commit */
	struct flow *flow;
	char *target;
	struct notification *first, **last;
	size_t count, octets;
	bool in_flight;
	size_t sending;           /* how many of the first are on their way */
	unsigned tries;
	uint64_t not_before;      /* after a failure */
	uint64_t batch_until;     /* 0: no batch is under way */
	uint64_t window, in_window; /* rate: begin of the window, sent in it */
	/* of the request on its way */
	struct onem2m_request rq;
	struct wr batch;
	char id[32], category[24];
};

struct flow {
	struct flow *next;        /* hash chain */
	struct cse *cse;
	struct outbox *boxes;
	struct outbox_policy policy;
	bool closing;
	bool has_sender;
	char key[];               /* the sender's resourceID, or the target */
};

struct schedule_below {
	int64_t sub, schedule;
};

struct notifications {
	struct flow **buckets;
	size_t bucket_count, flow_count;
	struct outbox *fresh;
	uint64_t number, committed;
	size_t octets;
	struct schedule_below *schedules;
	size_t schedule_count, schedule_room;
	bool schedules_known;
	bool monitoring;          /* a subscription asks for operations (enc.om) */
	bool free;                /* the CSE ends: nothing is sent any more */
	struct stats *stats;
	struct cse_timer stats_timer;
};
struct notifications *notifications_of(struct cse *c); /* never NULL */

/* flow.c */
struct flow *flow_find(struct cse *c, const char *key, bool has_sender, bool make);
struct outbox *flow_outbox(struct flow *f, const char *target, bool make);
void flow_append(struct outbox *b, struct outbox_content *k, struct notification *n); /* takes n */
/* Takes the one behind `before` (NULL: the first) out, and frees it. rsp NULL: its sender hears nothing. */
void flow_drop(struct outbox *b, struct notification *before, const struct onem2m_response *rsp);
void flow_bound(struct outbox *b);  /* lets the oldest go where there is too much */
bool flow_sweep(struct outbox *b);  /* frees it when it has nothing to do; true when it did */
struct flow *flow_each(struct cse *c, size_t *bucket, struct flow *after);

/* hold.c: 0 when the first may go now, otherwise when to look again (monotonic ms) */
uint64_t hold_until(struct outbox *b);
void hold_sent(struct outbox *b);   /* counts in the rate's window */
size_t hold_batch(const struct outbox *b); /* how many of the first go together; 0: not as a batch */

/* seal.c */
struct seal_target {
	char entity[CSE_ID_MAX];  /* "/id-mn/Cmeter"; "" when it has no ID that could be told */
	bool known;
	struct rd info;           /* of `resource` */
	struct resource *resource;
};
/* Clear it with seal_target_clear, after seal_send at the latest. */
enum cse_sealing seal_judge(struct cse *c, const char *target, bool is_url, struct seal_target *t);
void seal_send(struct cse *c, const struct seal_target *t, const struct onem2m_request *rq, cse_done *done, void *ctx);
void seal_target_clear(struct seal_target *t);

/* keep.c */
void keep_one(struct outbox *b, struct notification *n);
void keep_all(struct outbox *b);
void keep_forget(struct outbox *b, struct notification *n);
void keep_load(struct cse *c);

/* outbox.c */
void outbox_freshen(struct outbox *b);
void outbox_supersede(struct outbox *b); /* of what is not on its way all but the newest goes */
/* outbox_send.c */
void outbox_pump(struct outbox *b); /* sends what may go; the outbox may be gone afterwards */

/* stats.c: notificationStatsInfo. TS-0001 table 9.6.8-2 */
void stats_event(struct cse *c, struct resource *sub);
void stats_sent(struct cse *c, const char *sender, const char *target, size_t n);
void stats_answered(struct cse *c, const char *sender, const char *target, size_t n);
void stats_reset(struct cse *c, const char *sender);
void stats_put(struct cse *c, struct resource *sub, struct json_out *o); /* nsi, when there is one */
void stats_free(struct cse *c);

#endif
