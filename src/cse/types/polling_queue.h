/* Requests that wait to be fetched from a polling channel, and polls that wait for them. */
#ifndef KEYWAY_CSE_TYPES_POLLING_QUEUE_H
#define KEYWAY_CSE_TYPES_POLLING_QUEUE_H

#include "cse/private.h"

struct polling_item {
	struct polling_item *next;
	struct polling_channel *channel;
	char id[40];              /* rqi by which the answer comes back */
	struct wr primitive;      /* the object below m2m:rqp */
	bool fetched;
	struct cse_timer timer;
	cse_done *done;
	void *ctx;
};

struct polling_poll {
	struct polling_poll *next;
	struct polling_channel *channel;
	struct exchange *x;
	struct cse_timer timer;
};

struct polling_channel {
	struct polling_channel *next;
	struct cse *cse;
	int64_t id;               /* of the pollingChannel */
	struct polling_item *items;       /* in the order of their coming */
	size_t count;
	struct polling_poll *polls;
};

struct polling_channel *polling_channel_find(struct cse *c, int64_t id); /* NULL: nothing has happened there yet */
struct polling_channel *polling_channel_of(struct cse *c, int64_t id);
void polling_item_new(struct polling_channel *h, const struct onem2m_request *rq, cse_done *done, void *ctx);
void polling_item_end(struct polling_item *i, const struct onem2m_response *rsp); /* takes it out and tells its sender */
void polling_wait(struct polling_channel *h, struct exchange *x);
struct exchange *polling_take(struct polling_poll *p); /* takes it out: the caller answers */
void polling_match(struct polling_channel *h);         /* gives requests to polls while there are both */

#endif
