/* Requests to a group's members. */
#ifndef KEYWAY_CSE_FAN_OUT_H
#define KEYWAY_CSE_FAN_OUT_H

#include "cse/private.h"

/* False when (gid, to) was noted before, within the life of a request: a group that comes back to itself, or a member that is in it twice. */
bool fan_out_note(struct cse *c, struct rd gid, const char *to, uint64_t until_ms);
/* fan_out_notify.c: what each member gets; a subscription that forwards its notifications sends them to the group. From the arena, or rq's. */
struct rd fan_out_content(struct exchange *x);
bool group_gathers(struct exchange *x); /* true: it was for the place where the group gathers notifications, and is answered */

/* To each of memberList of x->target, a localMulticastGroup. */
void multicast_fan_out(struct exchange *x);

#endif
