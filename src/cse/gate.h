/* The gate before the store. A commit may run on another thread (struct cse_worker); until it is done requests, answers of others and the
 * clock wait here, and go on in the order in which they came. Meanwhile the loop reads requests and sends answers, and more of
 * them share the next commit. Without a worker the gate is always open.
 *
 * What passes is the plain contentInstance of a container that nobody subscribed to and that has room. It needs nothing but the cache, is
 * written late, and nobody but its originator hears of it, so that it belongs to the next commit alone. (The store itself waits if something of it needs the
 * database after all.) When the commit under way fails, those that passed fail with it: they counted on it. And notifications of this CSE's own to AEs that
 * have a point of access here pass, as do their answers while all goes well: what they tell was on disk before, and the store need not hear of it. */
#ifndef KEYWAY_CSE_GATE_H
#define KEYWAY_CSE_GATE_H

#include "cse/private.h"

void gate_open(struct cse *c); /* the commit is done */
bool gate_holds_request(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx); /* true: it waits */
/* A request that passed so far, with its target, then with its content (parsed): true: it is none of those, and waits. */
bool gate_holds_target(struct exchange *x);
bool gate_holds_content(struct exchange *x, const struct json *given);
bool gate_holds_tick(struct cse *c);
bool gate_holds(struct cse *c, void (*fn)(struct cse *c, void *ctx), void *ctx); /* a call from outside; true: fn comes later */
/* Puts the gate before an answer that may come at any time: done and ctx become those to hand out. */
void gate_answer(struct cse *c, cse_done **done, void **ctx);
/* cse_transport.send with the gate before its answer. */
void cse_send(struct cse *c, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* The same, and an answer of which `passes` says so when it comes does not wait: its done must not need the store then, nor tell anybody who might. */
void cse_send_passing(struct cse *c, const char *url, const char *target_id, const struct onem2m_request *rq, gate_passes *passes, cse_done *done, void *ctx);
/* Over the target's own connection; false when it has none. */
bool cse_send_connected(struct cse *c, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
