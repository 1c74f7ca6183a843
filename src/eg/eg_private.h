/* What the files of the EG's core share. */
#ifndef KEYWAY_EG_EG_PRIVATE_H
#define KEYWAY_EG_EG_PRIVATE_H

#include "base/table.h"
#include "base/timers.h"
#include "eg/eg.h"
#include "eg/rate.h"

#define AGAIN_FIRST_MS 2000 /* what a gateway did not acknowledge is said again */
#define AGAIN_MOST_MS 32000

enum session { SESSION_CLOSED, SESSION_NEW, SESSION_GREETED };

/* A request that is being prepared, or the last one that was answered. */
struct pending {
	bool in_flight;
	struct egp_message request;
	uint64_t since; /* of the request while in flight, of the answer afterwards */
	uint8_t *answer;
	size_t answer_len;
};

struct known {
	struct table_node by_device;
	struct timer_node timer; /* its request's end, or its answer's */
	struct eg_gateway *gateway;
	uint64_t device;
	struct rate rate;
	struct pending pending;
};

struct queued {
	struct queued *next;
	struct eg_effect effect;
	size_t len;
	uint8_t octets[];
};

/* A DEVICE-REMOVE without an answer. */
struct removal {
	struct removal *next;
	uint64_t device;
	uint32_t transaction; /* the last that it went with */
};

struct eg_gateway {
	struct eg_gateway *next;
	struct eg *eg;
	uint64_t eui64;
	enum session session;
	struct rate rate;
	bool seen;
	uint32_t epoch, transaction;
	struct timer_node policy_again; /* when to repeat a JOIN-POLICY that was not acknowledged */
	uint64_t policy_wait;           /* and how long that is after the last */
	uint32_t policy_transaction;
	uint64_t permit_until;
	size_t permit_count;
	uint64_t permitted[EGP_POLICY_DEVICES_MAX];
	struct removal *removals;
	struct timer_node removals_again;
	uint64_t removals_wait;
};

struct eg {
	struct eg_config config;
	struct eg_gateway *gateways;
	struct table known;
	struct timers answers, policies, removals; /* of known devices, of gateways */
	struct queued *first, **last, *given;
};

/* eg_effects.c */
void eg_queue(struct eg *eg, const struct eg_effect *e, struct rd octets);
void eg_send_octets(struct eg_gateway *g, struct rd octets);
bool eg_send(struct eg_gateway *g, const struct egp_message *m); /* false: the message does not fit; nothing is sent */
void eg_tell(struct eg_gateway *g, enum eg_event event, const struct egp_message *m, enum egp_error_code code);
void eg_send_error(struct eg_gateway *g, uint32_t transaction, uint64_t device, enum egp_error_code code, uint16_t retry_s, const char *text);
void eg_refuse_request(struct eg_gateway *g, const struct egp_message *request, enum egp_error_code code, uint16_t retry_s);

/* eg_policy.c */
bool eg_permits(const struct eg_gateway *g, uint64_t now_ms, uint64_t device);
void eg_send_policy(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms);

/* eg_removal.c */
void eg_removals_send(struct eg_gateway *g, uint64_t now_ms, uint64_t wait_ms); /* all that have no answer */
void eg_removals_free(struct eg_gateway *g);
void eg_removals_again(struct eg *eg, uint64_t now_ms);                         /* what is due */
void eg_removal_answered(struct eg_gateway *g, uint32_t transaction);
void eg_removal_cancel(struct eg_gateway *g, uint64_t device);                  /* it joins there again */

/* eg_known.c */
struct known *eg_known(struct eg_gateway *g, uint64_t device, bool make); /* one record a registered device and gateway; NULL: none, or no memory */
void eg_known_free(struct known *k);
void eg_known_wait(struct eg *eg, struct known *k); /* for what its request or answer waits for */
void eg_forget_answer(struct pending *p);
unsigned eg_admit(const struct eg_gateway *g, uint64_t now_ms, const struct egp_message *m); /* OK (0) when it may go on */
/* True: dealt with as a repeat or as a second request of a device that has one in flight. */
bool eg_repeat(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m);
void eg_prepare(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m);

#endif
