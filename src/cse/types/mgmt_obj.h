/* Triggers of management objects, for who pulls them besides managers: commands. */
#ifndef KEYWAY_CSE_TYPES_MGMT_OBJ_H
#define KEYWAY_CSE_TYPES_MGMT_OBJ_H

#include "cse/private.h"

/* mgmtDefinition, TS-0004 table 6.3.4.2.7-1 */
#define MGD_FIRMWARE 1001
#define MGD_SOFTWARE 1002
#define MGD_AREA_NETWORK 1004
#define MGD_AREA_DEVICE 1005
#define MGD_DEVICE_CAPABILITY 1008
#define MGD_REBOOT 1009
#define MGD_EVENT_LOG 1010
#define MGD_CMDH_POLICY 1011
#define MGD_ACTIVE_CMDH_POLICY 1012
#define MGD_CMDH_DEFAULTS 1013
#define MGD_CMDH_DEF_EC_VALUE 1014
#define MGD_CMDH_EC_DEF_PARAM_VALUES 1015
#define MGD_CMDH_LIMITS 1016
#define MGD_CMDH_NETWORK_ACCESS_RULES 1017
#define MGD_CMDH_NW_ACCESS_RULE 1018
#define MGD_CMDH_BUFFER 1019
#define MGD_DATA_COLLECTION 1021
#define MGD_WIFI_CLIENT 1028

/* Sets a trigger, with its status In_Process; or takes it back. */
void mgmt_obj_set(struct attributes *a, int mgd, const char *trigger, bool on);
/* Whether the device is done with it; `well`: without reporting a failure. */
bool mgmt_obj_is_done(struct resource *object, const char *trigger, bool *well);

/* cmdh.c: activeCmdhPolicies are counted, and a node has one. False after a refusal. */
void cmdh_count(struct cse *c, const struct resource *object, bool there);
bool cmdh_is_alone(struct creation *cr);
/* area_network.c: a management object was made (was NULL), changed, or is about to go (is NULL). */
void area_device_changed(struct cse *c, struct resource *was, struct resource *is);

#endif
