/* A request that comes again - because a connection broke, because a network repeats, because its originator did not get the answer - is answered
 * again and not executed again. Stands between the bindings whose networks do that (CoAP, MQTT, WebSocket) and the dispatcher. Pure but for the
 * dispatcher; bounded in number, octets and time.
 *
 *	struct once *o = once_new(cse_entry, cse, seed);
 *	once_submit(o, now, &rq, who, false, done, ctx);      in the place of cse_submit
 *
 * A request is the same when its sender, From, request identifier (TS-0004 clause 6.4.1: unique) and what it asks (operation, target, query, content)
 * are. One that comes again while the first is under way gets that one's answer; afterwards it gets the answer that was given, for ONCE_MS. A RETRIEVE
 * changes nothing: once answered it is executed again, so that nobody reads what is old. */
#ifndef KEYWAY_BINDING_ONCE_ONCE_H
#define KEYWAY_BINDING_ONCE_ONCE_H

#include "cse/cse.h"

#define ONCE_MAX 65536                       /* answers that are kept; beyond it the oldest are forgotten */
#define ONCE_OCTETS_MAX ((size_t)32 << 20)   /* and what they may occupy */
#define ONCE_MS 300000                       /* CoAP's EXCHANGE_LIFETIME is 247 s */
#define ONCE_AGAIN_MS 3600000                /* where the network says itself that it has given this before: a broker that was away */

struct once;

struct once *once_new(cse_submit_fn *submit, void *to, uint64_t seed); /* cse_entry and the CSE; seed: anything that senders do not know */
void once_free(struct once *o);                        /* accepts NULL; after the cse: nothing is under way any more */
/* As cse_submit. `who` tells those apart who do not say who they are: From is empty, or asks for an identifier ("C", "S"). `again`: the network says
 * that it has given this before. */
void once_submit(struct once *o, uint64_t now_ms, const struct onem2m_request *rq, struct rd who, bool again, cse_done *done, void *ctx);

#endif
