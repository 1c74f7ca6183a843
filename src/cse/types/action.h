/* What the files about actions share. */
#ifndef KEYWAY_CSE_TYPES_ACTION_H
#define KEYWAY_CSE_TYPES_ACTION_H

#include "cse/private.h"

enum eval_mode { EVAL_OFF, EVAL_ONCE, EVAL_PERIODIC, EVAL_CONTINUOUS }; /* m2m:evalMode */

/* The resource whose change starts the evaluation: sri, or the parent; of an action of a process' state what the process is about. A new
 * reference, or NULL. `sri` NULL: absent. */
struct resource *action_subject(struct cse *c, const struct json *sri, struct resource *parent);

/* action_run.c: carries it out, soon, in the order of actionPriority. */
void action_enqueue(struct cse *c, struct resource *action);
void action_reset(struct cse *c, const struct resource *action);  /* its mode was set anew */
void action_forget(struct cse *c, const struct resource *action);
bool action_may_evaluate(struct cse *c, struct resource *action); /* by its mode and the evaluations before; counts it */
bool action_may_run(struct cse *c, struct resource *action);      /* by its mode and what ran before; notes that it does */

#endif
