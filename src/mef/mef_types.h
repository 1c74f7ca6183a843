/* What the MEF knows: devices with the generations of their keys, and gateways. Clients are in the registry. */
#ifndef KEYWAY_MEF_MEF_TYPES_H
#define KEYWAY_MEF_MEF_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "base/timers.h"
#include "eg/rate.h"
#include "eg/trust_centre.h"
#include "egp/egp.h"
#include "keys/counter.h"
#include "keys/secret.h"

#define MEF_NAME_MAX 64       /* of a gateway or an application */
#define MEF_ID_MAX 128        /* a CSE-ID, a resource ID */
#define MEF_IDENTITY_MAX 256  /* as in certificates */
#define MEF_REASON_MAX 160
#define MEF_KEY_ID_SIZE 33    /* RelativeKeyID: 16 random octets in hexadecimal, and the zero */
#define MEF_COUNTER_BLOCK 1024 /* one durable write for so many packets; so many numbers a restart may skip */

enum device_state {
	DEVICE_REGISTERED, /* nothing was sent */
	DEVICE_OFFERED,    /* Transport-Key sent */
	DEVICE_JOINED,     /* B opened a frame under the key */
	DEVICE_VERIFIED,   /* and the device has its unique link key */
	DEVICE_FAILED,     /* `reason` says why */
	DEVICE_REMOVED,    /* waits for B to forget it */
};

/* A new network key on its way to a device that stays: docs/protocols/zigbee.md, "Rotation". */
enum mef_rotation {
	MEF_ROTATION_NONE,
	MEF_ROTATION_KEY,       /* node B fetches it */
	MEF_ROTATION_TRANSPORT, /* node B fetches the Transport-Key */
	MEF_ROTATION_PAUSE,     /* the device gets it: a sleeper at its next poll */
	MEF_ROTATION_SWITCH,    /* node B fetches the Switch-Key */
	MEF_ROTATION_PROOF,     /* the first frame under the new key */
};

/* One network key of a device and what belongs to it. The former one lives until the device uses the present one, so that a forged
 * association can't lock out a living device. */
struct mef_generation {
	struct table_node by_key; /* of its device, once it is one of the two */
	struct mef_device *device;
	uint32_t number;
	char key_id[MEF_KEY_ID_SIZE];
	uint32_t of_group;      /* which generation of the application group's key it is; 0: the device's own key */
	uint8_t sequence;       /* key sequence number: that generation's number, of the group's key or else of this one, - 1, modulo 256 */
	bool offered;           /* a Transport-Key with it left: it may be known to the device */
	bool rotation;          /* made for a device that stays on the network: rotation.c */
	bool joined;
	uint64_t registered_at; /* Unix seconds */
	struct secret *network;
	struct trust_centre tc;
};

enum mef_policy {
	MEF_POLICY_DEVICE, /* each device has a network key of its own */
	MEF_POLICY_GROUP,  /* the devices of the application share one */
};

/* An application group; one that is not registered is of policy `device`. */
struct mef_application {
	struct mef_application *next;
	char name[MEF_NAME_MAX], owner[MEF_ID_MAX];
	enum mef_policy policy;
	uint32_t generation;        /* of the key that is given out now; 0: none was yet */
	uint32_t required;          /* members under an earlier one get another */
	uint64_t required_at;       /* Unix seconds */
	struct secret *network;
	/* not stored */
	struct mef_device *members; /* those that are registered: policy `group` */
	struct mef_device *follow;  /* who is looked at next, of those that may have to be rotated; NULL: all were */
};

struct mef_device {
	struct mef_device *next; /* while it is read from the store */
	struct table_node by_eui64;
	struct mef_application *group; /* whose key it shares; NULL: it has its own */
	struct mef_device *next_member;
	uint64_t eui64;
	char owner[MEF_ID_MAX], gateway[MEF_NAME_MAX], application[MEF_NAME_MAX];
	enum device_state state;
	uint16_t short_address;
	uint8_t capability;
	uint64_t registered_at, last_event_at; /* Unix seconds */
	char last_event[32];
	char reason[MEF_REASON_MAX];
	uint64_t replaces;      /* whose resources it gets at node B: EUI-64 of the first device in its role, 0: its own */
	char former_gateway[MEF_NAME_MAX]; /* where it still is until it has joined at `gateway`; "" */
	uint64_t router;        /* that it is behind, by what was heard last; 0: none, the gateway hears it */
	struct secret *install; /* link key of the install code; the code itself is never kept */
	struct counter out;     /* outgoing APS frame counter: one for all link keys, never reset */
	struct mef_generation *present, *former;
	/* not stored */
	bool again;             /* behind a router, it has asked for the key that it has: by a Trust Centre rejoin */
	bool preparing;
	uint64_t preparing_command; /* its MO_NODE */
	struct timer_node deadline; /* of what `state`, `preparing` or `rotation` waits for: mef_device_wait */
	enum mef_rotation rotation;
	unsigned rotation_tries;    /* rounds begun */
	uint64_t rotation_begun;    /* monotonic ms */
	uint64_t rotation_command;  /* that node B carries out for it */
};

/* What a peer can make happen as often as it likes is written down only so often; the rest is counted. */
struct mef_noise {
	struct rate rate;
	uint64_t suppressed;
};

struct mef_gateway {
	struct mef_gateway *next;
	struct table_node by_name, by_eui64, by_identity;
	char name[MEF_NAME_MAX], relay[MEF_ID_MAX], identity[MEF_IDENTITY_MAX];
	uint64_t eui64;
	uint32_t epoch;
	uint16_t pan_id;
	uint64_t extended_pan_id;
	uint8_t channel;
	/* not stored */
	struct eg_gateway *eg;
	struct mef_noise noise;
	bool permit_more; /* more devices may join than one policy holds: the next ones when these have */
};

#define MEF_PERMIT_UNTIL_CHANGED UINT64_MAX

/* For whom the operator opened joining at a gateway. */
struct mef_permit {
	uint64_t until;   /* Unix seconds; 0: closed */
	uint16_t seconds; /* for how long it was opened */
	bool all;         /* devices that are registered there, whichever those are */
	size_t count;
	uint64_t devices[EGP_POLICY_DEVICES_MAX];
};

const char *device_state_name(enum device_state s); /* "registered"; never NULL */
void mef_generation_free(struct mef_generation *g);  /* accepts NULL */
void mef_device_free(struct mef_device *d);
void mef_application_free(struct mef_application *a); /* accepts NULL */
void mef_gateway_free(struct mef_gateway *g);

#endif
