/* What the files of IPE-NI share. */
#ifndef KEYWAY_GATEWAY_RELAY_PRIVATE_H
#define KEYWAY_GATEWAY_RELAY_PRIVATE_H

#include "base/bytes.h"
#include "base/table.h"
#include "gateway/relay.h"
#include "json/json.h"

#define RELAY_RETRY_MS 500
#define RELAY_BODY_MAX 4096

struct waiting {
	struct waiting *next;
	bool numbered; /* it went once, and keeps its number */
	uint8_t octets[EGP_MESSAGE_MAX];
	size_t len;
};

enum channel_step { STEP_ACP_UP, STEP_ACP_DOWN, STEP_DEVICE, STEP_UP, STEP_LATEST, STEP_DOWN, STEP_SUBSCRIBE, STEP_CATCH_UP, STEP_DONE };

struct channel {
	struct channel *next;
	struct table_node by_device;
	struct relay *relay;
	uint64_t device;
	char name[EUI64_SIZE], owner[128];
	enum channel_step step;
	bool calling, told;
	bool update;      /* the access control policy is there already, with an owner perhaps that is not the owner any more */
	bool start_over;  /* another owner */
	bool again;       /* a notification came while what is there was on its way to us */
	struct waiting *first, **last;
	size_t count;
	uint32_t transaction;
	struct down down;
	struct loop_timer *retry;
	bool gone;
};

struct relay {
	struct loop *loop;
	struct http_client *http;
	struct relay_config config;
	const struct relay_events *events;
	void *ctx;
	struct channel *channels;
	struct channel *asking; /* the CSE does not answer: this one tries, all others wait; NULL: it does */
	struct table by_device;
	struct loop_timer *retry;
	bool registered, calling;
	unsigned sequence;
	bool clock_known;
	int64_t cse_ahead_s; /* the CSE's clock against ours */
};

/* relay.c */
void channel_go(struct channel *c);                                                    /* the next step, or the next message in its queue */
void channel_free(struct channel *c);
void channel_reap(struct channel *gone);
void channel_carry_out(struct channel *c, const struct json *instance, bool retrieved); /* a message of node B; may end the channel */

/* relay_ae.c: the AE itself, and every request that it makes */
void relay_call(struct relay *r, const char *method, const char *path, int ty, const char *body, http_done *done, void *ctx);
void relay_note_clock(struct relay *r, const struct http_result *res);
uint64_t relay_cse_clock_s(const struct relay *r);  /* 0: not known */
bool relay_made(const struct http_result *res);     /* 2xx, or there already: that is the same to us */
void relay_register(struct relay *r);
void relay_register_again(struct relay *r);         /* it may be there: the present point of access */

/* relay_containers.c */
void channel_make_step(struct channel *c); /* what c->step says */
void channel_delete(struct relay *r, uint64_t device); /* the containers of a device, with what stands in them, and who may use them */

#endif
