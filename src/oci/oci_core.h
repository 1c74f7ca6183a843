/* The Zigbee coordinator's upper layers in node B, pure: the only sealer of NWK frames under its devices' network keys, the answers that keep a
 * device on the network, its interview, reports and commands. Time and random octets are arguments, effects are data; what must be durable before
 * anything happens goes through `save`.
 *
 * A device has a present key and perhaps a pending one: the pending becomes present at the first frame whose integrity code is right under it, so
 * that a forged association cannot lock out a living device. The outgoing frame counter is the key's (struct oci_network): it begins anew with each
 * key, and with nothing else. */
#ifndef KEYWAY_OCI_OCI_CORE_H
#define KEYWAY_OCI_OCI_CORE_H

#include "base/rng.h"
#include "keys/counter.h"
#include "keys/secret.h"
#include "oci/conversion.h"
#include "zigbee/aps_fragment.h"
#include "zigbee/aps_frame.h"
#include "zigbee/nwk_frame.h"
#include "zigbee/ota.h"
#include "zigbee/zdo.h"

#define OCI_KEY_ID 64
#define OCI_NAME 128
#define OCI_ENDPOINTS 8    /* of a device; the largest switches have as many */
#define OCI_CLUSTERS 16    /* of an endpoint, in each direction */
#define OCI_PLACES 64      /* members of a device's modules */
#define OCI_ATTRIBUTES 96  /* of a device, that something is made of */
#define OCI_COMMANDS 8     /* that wait for their confirmation */
#define OCI_TEXT 32        /* a JSON value */
#define OCI_SENDING 16
#define OCI_DUPLICATES 32

enum oci_policy {
	OCI_POLICY_DEVICE, /* each device has a network of its own */
	OCI_POLICY_GROUP,  /* the devices of an application group share one */
};

/* A network key, who shares it, and the one frame counter that there is under it: whatever is sealed for whichever of its users takes its number
 * here, for all is sealed with the coordinator's EUI-64, and a number that is used twice gives two frames away. The next generation of the key
 * is another of these, of the same name. What a user counted is in its oci_key: incoming counters are the sealer's own. */
struct oci_network {
	struct oci_network *next;   /* of those that are shared */
	enum oci_policy policy;
	char name[OCI_NAME];        /* the device's EUI-64 or the application's name */
	uint64_t generation;
	uint8_t sequence;
	struct secret *key;
	struct counter out;
	uint32_t out_reserved;      /* what save stores: the durable limit */
	bool worn;                  /* time for another key, wherever the counter is */
	unsigned users;             /* keys of devices that refer to it */
	/* of a group's; not stored */
	uint8_t many_id;            /* of the last many-to-one route request */
	bool many_sent;
	uint64_t many_at;
};

/* Takes over the key, also on failure; NULL without memory or key. One that nobody uses yet. */
struct oci_network *oci_network_new(enum oci_policy policy, const char *name, uint64_t generation, uint8_t sequence, struct secret *key,
    uint32_t out_reserved);
struct oci_network *oci_network_dup(const struct oci_network *n); /* accepts NULL */
void oci_network_free(struct oci_network *n);                     /* accepts NULL */

/* What a device has of a network key. */
struct oci_key {
	struct oci_network *network; /* NULL: none */
	uint64_t generation;        /* of this device's keys */
	char id[OCI_KEY_ID];        /* RelativeKeyID at the MEF: each member of a network has its own */
	bool rotation;              /* for a device that stays: nothing but the key changes */
	bool told;                  /* of a rotation: the EG has said something since it was handed over. Not stored */
	bool probing;               /* of a rotation, behind a router: it was asked something since the router has changed, by this APS counter. Not stored */
	uint8_t probe;
	bool counter_told;          /* the MEF knows that its counters have come far */
	struct counter_in in;
};

/* An APS frame on its way to the device: it waits for its APS acknowledgement. */
struct oci_sending {
	bool used, waits;           /* waits: until the sleeper shows that it is awake */
	uint8_t held;               /* how often it did */
	uint8_t counter;
	unsigned tries;
	uint64_t again;
	uint8_t octets[NWK_FRAME_MAX];
	size_t len;
};

enum oci_interview {
	OCI_INTERVIEW_WAITING, /* for the device to finish its commissioning */
	OCI_INTERVIEW_ENDPOINTS,
	OCI_INTERVIEW_SIMPLE,
	OCI_INTERVIEW_BASIC,
	OCI_INTERVIEW_ZONE,    /* zone type, CIE address */
	OCI_INTERVIEW_BIND,
	OCI_INTERVIEW_REPORTING,
	OCI_INTERVIEW_READ,
	OCI_INTERVIEW_DONE,
};

/* What keeps a router on the network. */
struct oci_router {
	bool served;            /* heard: its place at the gateway is sure, and it gets link status */
	bool closed, announced; /* told to let nobody in; that we are a concentrator */
	uint8_t lqi;            /* of its last frame, as the gateway says; 0: not known */
	uint8_t outgoing_cost;  /* how it hears us, as it says; 0: it does not */
	uint8_t request_id;
	uint64_t status_at, announced_at;
};

/* An endpoint of the device, by its simple descriptor. */
struct oci_endpoint {
	uint8_t id;
	uint16_t device;            /* ZCL device identifier */
	uint16_t zone_type;         /* of its IAS zone; 0: none or not known */
	uint8_t in_count, out_count;
	uint16_t in[OCI_CLUSTERS], out[OCI_CLUSTERS]; /* server, client */
};

/* A member of a module that stands for something of an endpoint. */
struct oci_place {
	const struct point *point;
	uint8_t endpoint;           /* index */
};

/* What the device said of an attribute last. */
struct oci_attribute {
	uint8_t endpoint;           /* ID */
	uint16_t cluster, id;
	bool known, refused;        /* refused: it has no such attribute */
	uint8_t type;
	uint64_t number;
};

/* An UPDATE on its way to the device. */
struct oci_command {
	const struct oci_place *place; /* NULL: none */
	const struct oci_place *ended; /* what a command was about that waits no more; NULL: none */
	uint64_t ended_at;
	const struct point_write *write;
	bool unheard;               /* it went as a groupcast, which nobody acknowledges: unless the device reports in time, it is told by itself */
	char text[OCI_TEXT];        /* the JSON value that is wanted */
	struct wanted wanted;
	bool by_attribute;
	uint8_t sequence;
	uint64_t until;
};

/* An image for over-the-air upgrade: the whole file. */
struct oci_image {
	struct ota_header header;
	struct rd octets;
};

/* An upgrade of a device under way. */
struct oci_ota {
	const struct oci_image *image; /* borrowed; NULL: none */
	bool begun;                 /* it asked for it and was told of it */
	uint32_t offset;            /* of what it asked for last */
	unsigned told;              /* per cent in the log */
	uint64_t heard_at;
};

#define OCI_RELAYS 10

/* The routers between a device and the gateway, the device's own one first: R22 3.4.5, 3.6.3.3. */
struct oci_route {
	uint8_t count;
	uint16_t relays[OCI_RELAYS];
};

struct oci_device {
	struct oci_device *next;
	uint64_t role;              /* EUI-64 under which its resources are: of the first device in its role, perhaps its own; 0 before that is known */
	uint64_t eui64, gateway; /* gateway: the coordinator's EUI-64, which frames are sealed from */
	uint16_t short_address;
	uint8_t capability;
	char relay[OCI_NAME], application[OCI_NAME];
	struct oci_key present, pending;
	uint64_t parent;            /* the router that it is behind; 0: the gateway hears it */
	uint32_t uplink;            /* transaction number of the last message from the gateway */
	bool joined;                /* told the MEF of this generation */
	bool silent;                /* its gateway says that it was not heard for longer than its time-out */
	uint32_t timeout_s;         /* that it asked for; 0: it never ages */
	uint8_t aps_counter;        /* after a restart it goes on well ahead: a device drops what has a counter that it saw lately */
	/* not stored: */
	uint8_t nwk_sequence, zdo_sequence, zcl_sequence;
	uint8_t zcl_first;          /* where zcl_sequence began */
	struct oci_sending sending[OCI_SENDING];
	size_t sending_count;       /* of them in use: most of many devices have none, and are looked at at every tick */
	struct { bool used; uint8_t counter; uint64_t at, content; } duplicates[OCI_DUPLICATES];
	size_t duplicate_next;
	uint32_t losses;            /* how often something that it said could not be kept */
	struct aps_reassembler fragments; /* one fragmented message at a time */
	uint64_t last_heard;
	uint64_t fast_until;        /* it polls fast, by our wish; 0: not */
	uint8_t fast_endpoint;
	uint64_t called_at;         /* told to come back, or to take another address; 0: never */
	struct oci_router router;
	struct oci_route route;     /* of its last route record; count 0: by its parent, and that one's */
	uint16_t coming_as;         /* the address that a router, coming_to, has given it, before it was heard there; 0: none */
	uint64_t coming_to;
	/* what the interview found; stored */
	enum oci_interview interview;
	size_t item, part;          /* cluster or endpoint that it is at, and how far it is there */
	struct oci_endpoint endpoints[OCI_ENDPOINTS];
	size_t endpoint_count;
	char manufacturer[33], model[33], software[33];
	uint8_t hardware;
	uint16_t poll_s;            /* it does not report: asked so often; 0: not */
	uint32_t described_by;      /* fingerprint of the descriptions that it was interviewed with */
	/* not stored: the running question */
	uint64_t step_at, asked_at;
	unsigned step_tries;
	uint8_t asked_sequence;     /* ZDO or ZCL sequence */
	size_t asked_parts;         /* how much of the item it is about */
	bool polling;               /* interviewed before: its values are read again */
	bool in_turn;               /* it is one of those that are being interviewed now */
	/* what the descriptions make of it */
	const struct model *kind;
	struct oci_place places[OCI_PLACES];
	size_t place_count;
	struct oci_attribute attributes[OCI_ATTRIBUTES];
	size_t attribute_count;
	struct oci_command commands[OCI_COMMANDS];
	size_t command_count;       /* of them that wait */
	struct oci_ota ota;
	uint32_t bad_mic, replays;
};

/* ---- Zigbee groups ---- */

#define OCI_GROUP_MEMBERS 512
#define OCI_GROUPS 256
#define OCI_GROUP_NAME 17
#define OCI_SOURCE 64
#define OCI_SCENES 16      /* of a group; devices have room for as many in all */

enum oci_member_state {
	OCI_MEMBER_WANTED,  /* to be told */
	OCI_MEMBER_IN,      /* it says that it is */
	OCI_MEMBER_LEAVING, /* is to forget the group; until it says so, it may act on what goes to it */
	OCI_MEMBER_UNABLE,  /* no Groups cluster, or no room */
};
enum oci_scene_order { OCI_SCENE_NONE, OCI_SCENE_STORE, OCI_SCENE_REMOVE, OCI_SCENE_RECALL };

struct oci_member {
	uint64_t eui64;
	uint8_t endpoint;
	enum oci_member_state state;
	/* not stored: */
	unsigned tries;
	uint64_t asked_at, again;   /* when it is told (once more) */
	bool ordered;               /* the group's order, which it has not answered yet */
	unsigned order_tries;
	uint64_t order_again;
	uint8_t recall;             /* the scene that it is to be told by itself; 0: none */
	bool unheard;               /* only if it is not heard until then: it went as a groupcast */
	uint64_t recalled_at, recall_again;
};

struct oci_scene {
	uint8_t id;
	char name[OCI_GROUP_NAME];
};

/* A Zigbee group: endpoints of devices that share a network. It stands for a oneM2M group, or for those of its members that are in that network. */
struct oci_group {
	struct oci_group *next;
	uint16_t id;
	char source[OCI_SOURCE];    /* resource ID of the oneM2M group */
	char name[OCI_GROUP_NAME];
	char network[OCI_NAME];
	uint64_t barred;            /* up to this generation of the network's key somebody may still listen who is no member any more */
	struct oci_member *members;
	size_t count;
	struct oci_scene scenes[OCI_SCENES];
	size_t scene_count;
	/* not stored: a scene that is being stored or removed */
	enum oci_scene_order order;
	struct oci_scene ordered;
	uint8_t order_status;
	unsigned order_tally;
};

enum oci_effect_type {
	OCI_DOWNLINK,   /* octets: a sealed NWK frame; validity_ms */
	OCI_CHILD_SET,  /* short_address, capability, timeout_s */
	OCI_CHILD_DROP,
	OCI_PRESENCE,   /* whether it is silent, or its short address, is another */
	OCI_APS_RELAY,  /* counter; octets: whole APS frame, to the MEF */
	OCI_EVENT,      /* text: event for the MEF */
	OCI_DESCRIBED,  /* the device's clusters are known: make its resources */
	OCI_VALUE,      /* point, name of its module's resource, text: JSON value */
	OCI_RAW,        /* raw; octets: the payload of a ZCL frame that nothing else shows, or not whole */
	OCI_OTA,        /* ota: how an upgrade came on; text */
	OCI_GROUP,      /* group: it, or who is in it, has changed; of no device */
	OCI_SCENE,      /* group, order, counter: the scene; status: 0, or of the last member that refused; tally: how many did it. Of no device */
	OCI_LOG,        /* text */
};

enum oci_ota_state { OCI_OTA_STARTED, OCI_OTA_DONE, OCI_OTA_FAILED };

/* A ZCL frame as it is, without its sequence number. */
struct oci_raw {
	uint8_t endpoint;           /* the device's */
	uint16_t cluster, manufacturer;
	bool global;                /* a command of the foundation, not of the cluster */
	bool from_server;
	uint8_t command;
};

struct oci_effect {
	enum oci_effect_type type;
	uint64_t eui64;
	uint8_t octets[NWK_FRAME_MAX];
	size_t len;
	uint32_t validity_ms, timeout_s;
	bool broadcast; /* OCI_DOWNLINK: as a MAC broadcast */
	bool when_kept; /* OCI_DOWNLINK: acknowledges what is in effects behind it, and goes when that is on disk: oci_core_kept; counter: of the acknowledged */
	uint32_t losses; /* of the device when it was made */
	uint16_t short_address;
	uint8_t capability, counter;
	const struct point *point;
	char name[32];
	struct oci_raw raw;
	enum oci_ota_state ota;
	uint16_t group;
	enum oci_scene_order order;
	uint8_t status;
	unsigned tally;
	char text[160];
};

struct oci_core_config {
	struct rng *rng;
	bool answer_commissioning;
	const struct descriptions *descriptions; /* live as long as the core */
	/* The device as it stands and its networks, on disk together when OK. */
	enum err (*save)(void *ctx, const struct oci_device *d);
	void *save_ctx;
	uint32_t link_status_ms;    /* between two link status to a router (R22: 15000); 0: none, and it loses its route */
	bool link_status_broadcast; /* as MAC broadcasts, which all other routers hear and cannot open */
	uint32_t counter_floor;     /* where the counter of a key begins that the store does not know; above 0 the store once was an old copy */
};

struct oci_core;
struct oci_core *oci_core_new(const struct oci_core_config *c);
void oci_core_free(struct oci_core *c);
struct oci_device *oci_core_device(struct oci_core *c, uint64_t eui64); /* NULL when unknown */
struct oci_device *oci_core_devices(struct oci_core *c);                /* a list */
/* A device from the store; takes over its networks, of which those that other devices have too become one. NULL: without memory, or the key of a
 * network is not what another member has. */
struct oci_device *oci_core_restore(struct oci_core *c, uint64_t now_ms, const struct oci_device *d);
/* A key from the MEF. */
struct oci_key_order {
	uint64_t eui64, gateway;
	uint16_t short_address;
	uint8_t capability;
	const char *relay, *application;
	struct secret *key;
	uint8_t sequence;
	uint64_t generation;
	const char *key_id;
	bool rotation;
	const char *network;        /* the application group whose members share the key; NULL: the device alone has it */
	uint64_t network_generation;
};
/* Pending from now on (present, if there was none). Takes over the key, also on failure. ERR_EXISTS: this generation of the network has another key, or
 * the device had this key as another generation of its own: counters would begin anew under it. */
enum err oci_core_key(struct oci_core *c, uint64_t now_ms, const struct oci_key_order *o) MUST_CHECK;
void oci_core_forget(struct oci_core *c, uint64_t now_ms, uint64_t eui64); /* NWK Leave, and no more */

/* A NWK frame from the gateway. Every reason for which it is refused is an error here and an OCI_LOG. */
enum err oci_core_uplink(struct oci_core *c, uint64_t now_ms, uint64_t eui64, struct rd frame);
void oci_core_heard(struct oci_core *c, uint64_t eui64, uint8_t lqi); /* link quality of the frame that comes next */
/* What this acknowledgement (when_kept) is for was written (kept), or not, or there is no room to wait for that. True: it goes. False: it must not, the device says
 * it again, and then it is no repeat; and of the acknowledgements that wait already none goes, for some may be of repeats of it. */
bool oci_core_kept(struct oci_core *c, const struct oci_effect *acknowledgement, bool kept) MUST_CHECK;
/* What the gateway says of its child, as a hint. oci_life.c. lost: silent beyond its time-out. unknown: the gateway does not have it (any more), and gets
 * its place anew; polled: the device is there and takes it for its parent, and is told to rejoin. short_address: what it polls by, or none. */
void oci_core_lost(struct oci_core *c, uint64_t now_ms, uint64_t eui64);
void oci_core_unknown(struct oci_core *c, uint64_t now_ms, uint64_t eui64, uint16_t short_address, bool polled);
/* Its resources are those of another device, which it has the role of. ERR_UNKNOWN_DEVICE, ERR_STORE. */
enum err oci_core_role(struct oci_core *c, uint64_t eui64, uint64_t role) MUST_CHECK;
/* It is to join at another gateway: it gets a Leave, through the one where it is. */
void oci_core_move(struct oci_core *c, uint64_t now_ms, uint64_t eui64);
/* A sealed APS frame from the EG; acknowledgement: of the frame that it answers, when that asked for one. */
void oci_core_aps(struct oci_core *c, uint64_t now_ms, uint64_t eui64, struct rd aps, bool ack, uint8_t ack_counter);
/* What a router said of a device that came to it, or left; the EG alone could read it. Nothing unless both are of one group. */
enum oci_child_status { OCI_CHILD_SECURED_REJOIN, OCI_CHILD_JOIN, OCI_CHILD_LEFT, OCI_CHILD_TRUST_CENTRE_REJOIN }; /* R22 table 4-40 */
struct oci_child {
	uint64_t eui64;
	uint16_t short_address;
	enum oci_child_status status;
};
void oci_core_child(struct oci_core *c, uint64_t now_ms, uint64_t router, const struct oci_child *child);
/* A sealed APS frame from the EG for a device that has no network key yet: to its router, which takes it out of a Tunnel (R22 4.4.8). */
void oci_core_tunnel(struct oci_core *c, uint64_t now_ms, uint64_t router, uint64_t eui64, struct rd aps);
uint8_t oci_core_lend_counter(struct oci_core *c, uint64_t eui64); /* for an APS frame that the EG has waiting */
/* An application's UPDATE of a module's resource: `name` is the resource's, `members` what is in it afterwards (JSON). What differs from what the
 * device said last, and can be written, becomes commands; a member that cannot be is set back by an OCI_VALUE. */
void oci_core_update(struct oci_core *c, uint64_t now_ms, uint64_t eui64, const char *name, const struct json *members);
/* Several UPDATEs that were made at once, as a group's fan-out point makes them. What all members of a Zigbee group are to do goes to those that listen as
 * one groupcast, and to each of the others as it would alone. */
struct oci_update {
	uint64_t eui64;
	const char *name;
	const struct json *members;
};
void oci_core_updates(struct oci_core *c, uint64_t now_ms, const struct oci_update *updates, size_t count);
/* An application's UPDATE of an action's resource, such as the toggle of binarySwitch. */
void oci_core_action(struct oci_core *c, uint64_t now_ms, uint64_t eui64, const char *name, const struct action *a);
/* A ZCL frame as it is. ERR_UNKNOWN_DEVICE, ERR_TOO_LONG. */
enum err oci_core_raw(struct oci_core *c, uint64_t now_ms, uint64_t eui64, const struct oci_raw *raw, struct rd payload) MUST_CHECK;
/* Offers the device an image, which lives until an OCI_OTA says that it is done or failed, or until NULL is offered. ERR_UNKNOWN_DEVICE, ERR_UNSUPPORTED
 * (it takes none), ERR_NOT_PERMITTED (it is for another). */
enum err oci_core_ota(struct oci_core *c, uint64_t now_ms, uint64_t eui64, const struct oci_image *image) MUST_CHECK;
bool oci_device_upgrades(const struct oci_device *d); /* it has a client for upgrades */
/* The name of the resource of this place's module: that of the module, and behind it the endpoint where an earlier endpoint has one too. */
void oci_place_name(const struct oci_device *d, const struct oci_place *p, const struct module *m, char name[32]);

/* ---- Zigbee groups: oci_group.c ---- */

/* The group as it stands, on disk when OK; count and source empty: it is gone. Without this groups are not kept. */
void oci_core_keep_groups(struct oci_core *c, enum err (*save)(void *ctx, const struct oci_group *g), void *ctx);
/* How long who was told by a groupcast may take to report, before it is told by itself. 5000 without this. */
void oci_core_groupcast_patience(struct oci_core *c, uint64_t ms);
/* A group from the store; its members are copied. Devices come first. */
enum err oci_core_group_restore(struct oci_core *c, const struct oci_group *g) MUST_CHECK;
/* The endpoints that the oneM2M group with this resource ID stands for: all of them; none: it is gone. For those that share a network there is a Zigbee
 * group as soon as there are two; they are told, as soon as they can be. ERR_FULL, ERR_NO_MEMORY: not all of it. ERR_STORE: in
 * memory alone. */
struct oci_endpoint_of {
	uint64_t eui64;
	uint8_t endpoint;
};
enum err oci_core_group(struct oci_core *c, uint64_t now_ms, const char *source, const char *name, const struct oci_endpoint_of *members, size_t count) MUST_CHECK;
const struct oci_group *oci_core_groups(const struct oci_core *c); /* a list */
const struct oci_group *oci_core_group_of(const struct oci_core *c, uint16_t id); /* NULL: none */
bool oci_core_grouped(const struct oci_core *c, uint64_t eui64);   /* it is in a group, or is to be */
/* A scene of a group: stored from what its members do now, recalled, or removed. How it ends is an OCI_SCENE, but of a recall. ERR_UNKNOWN_DEVICE: no such
 * group. ERR_BAD_VALUE: the scene's number is not 1 to 254. ERR_FULL. ERR_NOT_FOUND: no such scene. ERR_NOT_READY: the former order is not done yet. */
enum err oci_core_scene(struct oci_core *c, uint64_t now_ms, uint16_t group, enum oci_scene_order order, uint8_t scene, const char *name) MUST_CHECK;

void oci_core_tick(struct oci_core *c, uint64_t now_ms);
uint64_t oci_core_deadline(const struct oci_core *c);
bool oci_core_output(struct oci_core *c, struct oci_effect *e) MUST_CHECK;

#endif
