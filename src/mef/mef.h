/* The MEF with its Enrolment Gateway: registry, life of a device, hand-over of keys. What comes over the wire is in mmef.c (node B),
 * egp_server.c (gateways) and admin.c (operator); they call what is declared here, on one loop.
 *
 * Life of a device:
 *
 *	state        on                                    then
 *	REGISTERED   EG-REQUEST, B ready within 3 s        OFFERED    Transport-Key sent
 *	OFFERED      B's event joined                      JOINED
 *	OFFERED      15 s without it                       FAILED     "device did not use the key: wrong install code?"
 *	JOINED       Verify-Key with the right hash        VERIFIED
 *	JOINED       60 s without it (policy)              FAILED     B is told to forget it
 *	any          EG-REQUEST                            OFFERED    with the next generation
 *	any          B's event left                        REGISTERED
 *	JOINED, VERIFIED  B's event rotated                the same, with the next generation
 *	any          device.remove                         REMOVED    deleted when B has forgotten it */
#ifndef KEYWAY_MEF_MEF_H
#define KEYWAY_MEF_MEF_H

#include "eg/eg.h"
#include "eg/transport_key.h"
#include "key_registry/registry.h"
#include "loop/loop.h"
#include "audit/audit.h"
#include "mef/mef_store.h"
#include "mef/mef_types.h"

#define MEF_READY_MS 3000     /* node B's time to fetch and store a key before the EG-REQUEST is refused */
#define MEF_JOIN_MS 15000     /* Transport-Key to first genuine frame: the Trust Centre's join time-out */
#define MEF_VERIFY_MS 60000   /* first frame to verified link key: three rounds of commissioning */
#define MEF_RETRY_S 5         /* what a gateway is told when B was not ready */
#define MEF_REFRESH_MS (24 * 60 * 60 * 1000) /* keys of devices in the registry are prolonged so often */
#define MEF_AT_ONCE 8         /* what needs durable writes for many devices is done for so many in a round of the loop */
#define MEF_NOISE 30          /* entries that one gateway, or all nodes together, can put into log and audit log in MEF_NOISE_MS */
#define MEF_NOISE_MS 10000

struct mef_config {
	const char *id; /* FQDN of the MEF */
	const char *sp;
	unsigned device_per_minute, gateway_per_second;
	enum header_addresses header_addresses;
	bool short_install_codes, require_unique_link_key, answer_requests;
	unsigned rotate_days; /* age at which a network key is replaced; 0: only on demand */
	unsigned group_hours; /* after which a member that was away while the group's key was replaced must enrol again; 0: never */
};

struct mef_statistics {
	uint64_t requests, transport_keys, repeats, refused, aps_answers, aps_ignored, verified, joined, failed, rotated;
};

struct mef {
	struct loop *loop;
	struct loop_timer *timer;
	struct mef_config config;
	struct mef_store *store;
	struct audit *audit;
	struct rng *rng;
	struct eg *eg;
	struct table devices, keys; /* keys: generations by their key ID */
	struct timers deadlines;    /* of devices */
	struct mef_gateway *gateways;
	struct table gateways_by_name, gateways_by_eui64, gateways_by_identity;
	struct mef_application *applications;
	struct registry *registry;
	uint64_t refresh_at, rotate_at, alive_at, more_at; /* monotonic ms; more: what was too much for one round of the loop */
	size_t rotations_left; /* of those that the schedule begins now */
	struct mef_statistics statistics;
	bool pumping;
	struct mef_noise noise; /* of nodes B and unknown gateways */
	/* Hooks of the carriers; NULL until they are there. */
	void (*egp_send)(void *ctx, struct mef_gateway *g, struct rd octets);
	void *egp_ctx;
	void (*client_wake)(void *ctx, const char *client); /* a command waits */
	bool (*client_connected)(void *ctx, const char *client);
	void *client_ctx;
};

/* Loads everything. store, registry, audit and rng are borrowed. */
enum err mef_new(struct loop *l, const struct mef_config *c, struct mef_store *store, struct registry *registry, struct audit *audit, struct rng *rng,
    struct mef **out) MUST_CHECK;
void mef_free(struct mef *m); /* accepts NULL */

/* Carries out what the EG's core decided, and sets the timer. To be called after everything that touches the core. */
void mef_pump(struct mef *m);
/* Writes to the audit log; a failure is logged and returned, and what needs the entry must not happen then. */
enum err mef_audit(struct mef *m, const char *event, uint64_t device, const char *gateway, const char *client, const char *detail);

bool mef_noise_init(struct mef_noise *n) MUST_CHECK; /* false without memory */
/* False: this one is only counted; how many were is written with the next that is true. */
bool mef_noise_permits(struct mef *m, struct mef_noise *n, const char *gateway) MUST_CHECK;

/* ---- witnesses of the audit log (witness.c) ---- */
/* client was told of `known` when it asked last (last 0: it never did), and is told of `now`. False: the log is another one; that is in it now, and logged. */
bool mef_witness(struct mef *m, const char *client, const struct audit_head *known, struct audit_head *now) MUST_CHECK;

/* ---- registry (registry.c) ---- */
struct mef_device *mef_device_find(struct mef *m, uint64_t eui64);
void mef_device_link(struct mef *m, struct mef_device *d); /* puts it, and its keys, where they are looked for; takes it over */
struct mef_device *mef_device_next(const struct mef *m, const struct mef_device *d); /* all, in no order: NULL asks for the first one */
void mef_device_wait(struct mef *m, struct mef_device *d, uint64_t at_ms); /* for mef_device_timeout, at a monotonic time; CLOCK_NEVER */
void mef_key_link(struct mef *m, struct mef_device *d, struct mef_generation *g);
void mef_key_unlink(struct mef *m, struct mef_generation *g); /* also one that is not linked */
void mef_gateway_link(struct mef *m, struct mef_gateway *g);
/* Device and generation of a RelativeKeyID; false when there is none. */
bool mef_key_find(struct mef *m, struct rd key_id, struct mef_device **d, struct mef_generation **g);
struct mef_gateway *mef_gateway_find(struct mef *m, const char *name);
struct mef_gateway *mef_gateway_by_eui64(struct mef *m, uint64_t eui64);
struct mef_gateway *mef_gateway_by_identity(struct mef *m, const char *identity);

/* Names go into logs, JSON and resource paths: letters, digits and a few marks. */
bool mef_name_parse(struct rd text, char *dst, size_t size, const char *marks) MUST_CHECK;

struct mef_device_order {
	struct rd device, code, owner, gateway, application; /* as the operator wrote them */
	uint64_t replaces; /* struct mef_device's */
};
/* Whether mef_device_add would take it; changes nothing. */
enum err mef_device_check(struct mef *m, const struct mef_device_order *o, char message[static 256]) MUST_CHECK;
/* On an error *message (256 octets) is a sentence that says what is wrong and what to do. */
enum err mef_device_add(struct mef *m, const struct mef_device_order *o, struct mef_device **out, char message[static 256]) MUST_CHECK;
/* ---- another device in the same role, another gateway (succession.c) ---- */
/* Registers a device in the place of another one, with its owner, gateway and application, and removes that. */
enum err mef_device_replace(struct mef *m, uint64_t former, struct rd device, struct rd code, struct mef_device **out, char message[static 256]) MUST_CHECK;
/* Whoever takes over what node B has of this device; 0: nobody, and node B deletes it. */
uint64_t mef_device_heir(const struct mef *m, const struct mef_device *d);
/* From now on it joins at this gateway. Node B sends it away from the former one, which forgets it when it has joined at the other. */
enum err mef_device_move(struct mef *m, struct mef_device *d, struct rd gateway, char message[static 256]) MUST_CHECK;
void mef_device_moved(struct mef *m, struct mef_device *d); /* it has joined; stored by who calls */

struct mef_gateway_order {
	struct rd name, eui64, relay, identity;
};
enum err mef_gateway_register(struct mef *m, const struct mef_gateway_order *o, struct mef_gateway **out, char message[static 256]) MUST_CHECK;
/* A device that stays registered is told to leave, and node B forgets its keys. */
void mef_device_expel(struct mef *m, struct mef_device *d, const char *reason);

/* ---- removal (removal.c) ---- */
/* It is told to leave, then node B forgets it, then its gateway. On an error message is a sentence, as of mef_device_add. */
enum err mef_device_remove(struct mef *m, uint64_t eui64, char message[static 256]) MUST_CHECK;
/* Deletes a device for good. */
enum err mef_device_drop(struct mef *m, struct mef_device *d) MUST_CHECK;
/* DEVICE-REMOVE, whatever restarts, until the gateway answers. Once node B has said its last: that goes through the gateway. g may be NULL. */
void mef_gateway_forget(struct mef *m, struct mef_gateway *g, uint64_t eui64);
void mef_gateway_forgot(struct mef *m, const struct mef_gateway *g, uint64_t eui64); /* it has answered */
enum err mef_removals_resume(struct mef *m, struct mef_gateway *g) MUST_CHECK; /* at the start */

/* ---- who may join (permit.c); stored with its end, which restarts do not move ---- */
/* Opens joining for these devices of the gateway, or with 0 seconds closes it. ERR_TOO_LONG: more than a policy holds; ERR_STORE. */
enum err mef_permit(struct mef *m, struct mef_gateway *g, uint16_t seconds, const uint64_t *devices, size_t count) MUST_CHECK;
/* Opens joining for all devices of a gateway: as many at a time as a policy holds, first those that are not on the network. *count: now. */
enum err mef_permit_all(struct mef *m, struct mef_gateway *g, uint16_t seconds, size_t *count) MUST_CHECK;
void mef_permit_more(struct mef *m, struct mef_gateway *g); /* one of them has joined */
enum err mef_permit_resume(struct mef *m, struct mef_gateway *g) MUST_CHECK; /* at the start, when devices and gateways are there */

/* ---- nodes B, their commands and their keys (clients.c); client: an SP-relative ID ---- */
bool mef_client_connected(struct mef *m, const char *client);
bool mef_client_is_registered(struct mef *m, const char *client);
/* On disk when it returns OK. ERR_NOT_FOUND: it is not registered. */
enum err mef_command_add(struct mef *m, const char *client, enum command_class class, uint64_t device, const char *key_id, const char *reason,
    uint64_t *id) MUST_CHECK;
void mef_command_fill(struct registry_command *cmd, enum command_class class, uint64_t device, const char *key_id, const char *reason);
void mef_command_done(struct mef *m, const struct registry_command *cmd, uint64_t status); /* B reports on a command, which is forgotten now */
/* Drops what waits for B about a device in one class. */
void mef_commands_withdraw(struct mef *m, const char *client, enum command_class class, uint64_t device);
bool mef_command_waits(struct mef *m, const char *client, enum command_class class, const char *key_id);
/* A device's key, for its owner to fetch; on disk when it returns OK. */
enum err mef_key_offer(struct mef *m, const struct mef_device *d, const struct mef_generation *g) MUST_CHECK;
void mef_key_withdraw(struct mef *m, const char *key_id);
enum err mef_keys_refresh(struct mef *m) MUST_CHECK; /* the registry has the keys of all devices, and no others of ours */

/* ---- life of a device (life.c) ---- */
void mef_prepare(struct mef *m, struct mef_gateway *g, const struct egp_message *request);
void mef_prepared(struct mef *m, struct mef_device *d, bool ready); /* B's word on MO_NODE */
/* ERR_BAD_VALUE: no such event. */
enum err mef_event(struct mef *m, struct mef_device *d, struct mef_generation *g, struct rd event, uint16_t short_address, uint8_t capability) MUST_CHECK;

struct mef_aps_answer {
	const char *outcome, *reason; /* as in docs/protocols/key-registration.md; reason NULL when there is none */
	bool ack;
	uint8_t octets[128];
	size_t len;
	uint64_t tunnel;            /* the router that the frame goes to, in a Tunnel for the device; 0: it goes to the device itself */
	struct trust_update child;  /* what the router said of another, which node B cannot read; device 0: nothing that it should know */
};
/* An empty frame asks for what waits (Remove-Device). */
enum err mef_aps(struct mef *m, struct mef_device *d, struct mef_generation *g, uint8_t aps_counter, struct rd frame, struct mef_aps_answer *a) MUST_CHECK;
void mef_device_timeout(struct mef *m, struct mef_device *d);
/* Makes the next generation from this key material; what it replaces stays as the former one until the device has used it. */
enum err mef_generation_next(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rotation) MUST_CHECK;
const struct mef_generation *mef_generation_in_use(const struct mef_device *d); /* that the device has shown to use, or else was offered */
struct mef_taking { /* takes an outgoing APS frame counter of the device: struct trust_counter's ctx */
	struct mef *m;
	struct mef_device *d;
};
enum err mef_counter_take(void *taking, uint32_t *number) MUST_CHECK;
void mef_device_restarted(struct mef *m, struct mef_device *d, uint64_t now_ms); /* sets the deadline that its state has */

/* ---- rotation of network keys (rotation.c) ---- */
/* Begins. ERR_STATE: the device is not on the network, or something else is under way with it; message says so. */
enum err mef_rotate(struct mef *m, struct mef_device *d, const char *why, char message[static 256]) MUST_CHECK;
/* Of this device alone: of a group's, to the group's present key. */
enum err mef_rotation_begin(struct mef *m, struct mef_device *d, const char *why, char message[static 256]) MUST_CHECK;
bool mef_rotation_possible(struct mef *m, const struct mef_device *d);
void mef_rotation_resume(struct mef *m, struct mef_device *d); /* after a restart */
void mef_rotation_end(struct mef *m, struct mef_device *d);                   /* done, or overtaken by something else */
bool mef_rotation_timeout(struct mef *m, struct mef_device *d); /* false: it was not for a rotation that the device waited */
void mef_rotation_done(struct mef *m, struct mef_device *d, uint64_t command, bool ok); /* B carried out a command */
/* The APS frame that is due under this generation; false: none. */
bool mef_rotation_frame(struct mef *m, struct mef_device *d, const struct mef_generation *g, uint8_t aps_counter, struct wr *w, enum err *e) MUST_CHECK;
/* The device used the key that it was given: what is known of its link key goes over to it. */
void mef_rotation_adopt(struct mef_device *d);
void mef_rotation_schedule(struct mef *m); /* groups that are behind, then those that are old enough, some at a time */
void mef_rotations_go_on(struct mef *m);   /* with those, at more_at */

/* ---- application groups (group.c) ---- */
struct mef_application_order {
	struct rd name, policy, owner;
};
struct mef_application *mef_application_find(struct mef *m, const char *name);
/* On an error message is a sentence, as of mef_device_add. */
enum err mef_application_add(struct mef *m, const struct mef_application_order *o, struct mef_application **out, char message[static 256]) MUST_CHECK;
void mef_member_link(struct mef *m, struct mef_device *d);   /* into its group, if it has one */
void mef_member_unlink(struct mef_device *d);
/* The group's key is one that this device may be given next; makes a new one when it may not: a device that joins again may count from the start. */
enum err mef_group_key(struct mef *m, struct mef_device *d, bool rotation) MUST_CHECK;
/* All members get the group's present key that do not have it, at once those that can take it. */
enum err mef_group_require(struct mef *m, struct mef_application *a) MUST_CHECK;
/* A new key for all members, at once for those that can take it. */
enum err mef_group_renew(struct mef *m, struct mef_application *a, const char *why) MUST_CHECK;
void mef_group_joined(struct mef *m, struct mef_device *d);  /* it has shown to have its key: the others get that too */
void mef_group_follow(struct mef *m, struct mef_application *a); /* rotates the members that are behind, as far as they can: some now, the others soon */
void mef_groups_go_on(struct mef *m);                        /* with those others, at more_at */
bool mef_group_is_behind(const struct mef_device *d);        /* another key than the one that it uses was made for all, and it stays */
void mef_group_tick(struct mef *m);                          /* the same of all groups, and gives up those that were away for long */
/* Whether members that are awake, or sleep behind this one, still have no Transport-Key of the rotation that this one is in. */
bool mef_group_waits(const struct mef_device *d);
bool mef_device_is_sleepy(const struct mef_device *d);

#endif
