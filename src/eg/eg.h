/* The Enrolment Gateway's side of EGP, without keys and without I/O: sessions, join policy, admission, limits, repeats.
 * Source: docs/protocols/egp.md.
 *
 *	struct eg *eg = eg_new(&config);
 *	struct eg_gateway *g = eg_gateway_add(eg, eui64);
 *	eg_connect(g);
 *	eg_input(g, now, unix_s, octets);
 *	while (eg_output(eg, &effect))
 *		... EG_SEND: write it; EG_PREPARE: get node B ready, then eg_answer or eg_refuse; EG_TELL: log and audit ...
 *
 *	state      on                          do                          then
 *	CLOSED     connect                                                 NEW
 *	NEW        HELLO, own name             HELLO-ACK, JOIN-POLICY      GREETED
 *	NEW        anything else               nothing, tell               NEW
 *	GREETED    HELLO, own name             HELLO-ACK, JOIN-POLICY      GREETED
 *	any        HELLO, another's name       EG-ERROR 5, tell            NEW
 *	GREETED    EG-REQUEST                  decide                      GREETED
 *	GREETED    DEVICE-GONE                 ACK, tell                   GREETED
 *	GREETED    PING                        PONG                        GREETED
 *	GREETED    ACK of the JOIN-POLICY      no more repeats of it       GREETED
 *	GREETED    other ACK, PONG                                         GREETED
 *	GREETED    2, 4, ... 32 s without it   JOIN-POLICY as it is now    GREETED
 *	any        disconnect                                              CLOSED */
#ifndef KEYWAY_EG_EG_H
#define KEYWAY_EG_EG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "egp/egp.h"

#define EG_REPEAT_MS 10000  /* the same transaction within this time gets the same packet */
#define EG_ANSWER_MS 8000   /* an EG_PREPARE that nobody completed is answered with code 7 */

struct eg;
struct eg_gateway;

/* What the registry says of a device. */
struct eg_admission {
	bool known;
	uint64_t gateway;  /* EUI-64 of the one gateway where it may join */
	bool may_rejoin;   /* it has a verified unique link key: an unsecured rejoin may be served outside the permit window */
};

struct eg_config {
	unsigned device_per_minute, gateway_per_second;
	/* False: unknown. A look into data, not an action. */
	bool (*lookup)(void *ctx, uint64_t device, struct eg_admission *a);
	void *ctx;
};

enum eg_event {
	EG_EVENT_GREETED,       /* epoch, pan_id, extended_pan_id, channel in `message` */
	EG_EVENT_EPOCH_BACK,    /* a HELLO with an older epoch: another box uses the gateway's credential, or it lost its state */
	EG_EVENT_WRONG_GATEWAY, /* named another gateway than its credential's */
	EG_EVENT_REFUSED,       /* EG-REQUEST answered with `code` */
	EG_EVENT_GONE,          /* DEVICE-GONE */
	EG_EVENT_UNEXPECTED,    /* a message that this state does not take */
	EG_EVENT_MALFORMED,     /* not a message; close the connection when it came over a byte stream */
	EG_EVENT_ANSWERED,      /* the packet left */
	EG_EVENT_REPEATED,      /* the same packet left again */
	EG_EVENT_REMOVED,       /* DEVICE-REMOVE was acknowledged, or is of no use any more; its device is in `message.remove` */
};
const char *eg_event_text(enum eg_event e);

enum eg_effect_type { EG_SEND, EG_PREPARE, EG_TELL };

struct eg_effect {
	enum eg_effect_type type;
	struct eg_gateway *gateway;
	struct rd octets;           /* EG_SEND: one whole message; borrowed until the next call of eg_output */
	struct egp_message message; /* EG_PREPARE: the EG-REQUEST; EG_TELL: what it is about, without borrowed parts */
	enum eg_event event;        /* EG_TELL */
	enum egp_error_code code;   /* EG_EVENT_REFUSED */
};

struct eg *eg_new(const struct eg_config *c); /* NULL without memory */
void eg_free(struct eg *eg);

/* A gateway stays until eg_free, connected or not. NULL without memory. */
struct eg_gateway *eg_gateway_add(struct eg *eg, uint64_t eui64);
void eg_gateway_restore(struct eg_gateway *g, uint32_t epoch); /* the last epoch that it greeted with, before a restart of the EG */
uint64_t eg_gateway_eui64(const struct eg_gateway *g);
bool eg_gateway_greeted(const struct eg_gateway *g);

void eg_connect(struct eg_gateway *g);    /* a new carrier; what the former one was told is forgotten, except repeats */
void eg_disconnect(struct eg_gateway *g);
void eg_input(struct eg_gateway *g, uint64_t now_ms, uint64_t unix_s, struct rd octets);

/* Opens (or with 0 closes) joining for these devices, at most EGP_POLICY_DEVICES_MAX; told at once and after every HELLO.
 * ERR_TOO_LONG: too many. */
enum err eg_permit(struct eg_gateway *g, uint64_t now_ms, uint16_t duration_s, const uint64_t *devices, size_t count) MUST_CHECK;
/* Seconds that joining stays open, 0 when closed, EGP_UNTIL_CHANGED. */
uint16_t eg_permitted(const struct eg_gateway *g, uint64_t now_ms);

/* A device that came to a router, as that router says: what is asked for is its key, and admission and limits are those of a gateway's request. 0: an
 * EG_PREPARE follows, or is in flight; its answer has no packet, and makes the gateway ready for the device. Otherwise an enum egp_error_code, and an EG_TELL. */
struct eg_newcomer {
	uint64_t device, router;
	uint16_t short_address;
	uint8_t capability;
	enum egp_join_kind kind;
};
unsigned eg_join_through(struct eg_gateway *g, uint64_t now_ms, const struct eg_newcomer *n) MUST_CHECK;

/* Completes an EG_PREPARE. False: it is not in flight any more, nothing was sent. */
bool eg_answer(struct eg_gateway *g, uint64_t now_ms, uint64_t device, struct rd packet, const char *owner, const char *relay_target);
bool eg_refuse(struct eg_gateway *g, uint64_t device, enum egp_error_code code, uint16_t retry_after_s, const char *text);
/* Forgets what was remembered of a device, and whether it may join: it is to go. */
void eg_bar(struct eg_gateway *g, uint64_t device);
/* The same, and tells the gateway to forget it: again and again, and after every HELLO, until the gateway answers or the device joins there once more.
 * EG_EVENT_REMOVED follows. ERR_NO_MEMORY. */
enum err eg_remove(struct eg_gateway *g, uint64_t now_ms, uint64_t device) MUST_CHECK;

/* When to call eg_tick; CLOCK_NEVER. */
uint64_t eg_deadline(const struct eg *eg);
void eg_tick(struct eg *eg, uint64_t now_ms);

bool eg_output(struct eg *eg, struct eg_effect *e);

#endif
