/* A MEF with its stores in a folder of their own, without a socket: gateway gw1, and whatever a test registers. May be stopped and started again. */
#ifndef KEYWAY_TESTS_MEF_RIG_H
#define KEYWAY_TESTS_MEF_RIG_H

#include "mef/mef.h"

#define COORDINATOR 0x0200000000000001ULL
#define CODE "83FED3407A939723A5C639B26916D505C3B5"

extern struct mef *mef;
extern struct mef_config rig_config; /* what the next start has; back to its beginning at each rig_setup */
extern struct rng rng;

const char *in_dir(const char *name);
void start(void);
void stop(void);
void turn(void); /* one round of the loop */
int rig_setup(void **state); /* the folder, the MEF, gw1 */
int rig_teardown(void **state);

void application(const char *name, const char *policy, enum err expected);
/* 00124b000000 and four digits; on an error NULL */
struct mef_device *device(uint64_t n, const char *application_name, const char *owner, enum err expected);
struct mef_device *member(uint64_t n);
void offer(uint64_t n);                      /* it associates, and is given a key */
void tell(uint64_t n, const char *event);    /* node B does */
void node_b(void);                           /* /id-b registers */
/* The command that node B gets next; false: none. */
bool command(struct registry_command *c);
void report(const struct registry_command *c, unsigned status);

#endif
