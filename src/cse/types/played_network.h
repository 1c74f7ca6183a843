/* The network of a testbench: there is none, but triggers go on as if there were. */
#ifndef KEYWAY_CSE_PLAYED_NETWORK_H
#define KEYWAY_CSE_PLAYED_NETWORK_H

#include "cse/private.h"

enum cse_trigger_answer played_network_ask(struct cse *c, enum cse_trigger_step step, const struct cse_trigger *t);

#endif
