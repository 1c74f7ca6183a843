/* What the files of the simulated device share. */
#ifndef KEYWAY_SIM_DEVICE_PRIVATE_H
#define KEYWAY_SIM_DEVICE_PRIVATE_H

#include "keys/counter.h"
#include "sim/device.h"
#include "zigbee/aps_frame.h"
#include "zigbee/security/aps_security.h"
#include "zigbee/zcl.h"
#include "zigbee/zdo.h"

#define DEVICE_EFFECTS 64
#define DEVICE_UNACKED 8
#define DEVICE_DUPLICATES 16
#define DEVICE_BINDINGS 16
#define DEVICE_REPORTS 16
#define DEVICE_ENDPOINT 1

enum device_state {
	DEVICE_OFF,            /* waits to scan again */
	DEVICE_SCANNING,
	DEVICE_ASSOCIATING,    /* request sent */
	DEVICE_ASKING,         /* polls for the association response */
	DEVICE_AWAITING_KEY,
	DEVICE_NEGOTIATING,    /* end-device time-out */
	DEVICE_ASKING_NODE,    /* node descriptor of the coordinator */
	DEVICE_ASKING_KEY,     /* unique Trust Centre link key */
	DEVICE_VERIFYING,
	DEVICE_COMMISSIONED,
	DEVICE_REJOINING,
};

/* An APS frame that waits for its acknowledgement. */
struct unacked {
	bool used;
	uint8_t counter;
	unsigned tries;
	uint64_t again;
	uint8_t octets[NWK_FRAME_MAX]; /* the APS frame */
	size_t len;
};

struct binding {
	uint16_t cluster;
	uint64_t destination;
	uint8_t destination_endpoint;
};

struct reporting {
	uint16_t cluster, attribute;
	uint8_t type;
	uint16_t minimum_s, maximum_s;
	uint64_t change, last_value, last_at;
	bool ever;
};

struct sim_device {
	struct sim_device_config config;
	struct radio *radio;
	enum device_state state;
	uint64_t now, step_at, poll_at, window_until, busy_until;
	unsigned tries, missed_polls, failures;
	bool have_beacon;
	uint16_t pan_id, short_address, parent;
	uint64_t extended_pan_id;
	struct link_key_set link;       /* the present link key */
	struct secret *unique;          /* received, not yet confirmed */
	bool link_is_unique;
	struct secret *network_key, *next_network_key;
	uint8_t network_key_sequence, next_network_key_sequence;
	uint64_t trust_centre;
	struct counter nwk_out, aps_out;
	struct counter_in nwk_in, aps_in;
	uint8_t mac_sequence, nwk_sequence, aps_counter, zdo_sequence, zcl_sequence;
	struct unacked unacked[DEVICE_UNACKED];
	struct { uint8_t counter; uint64_t at; bool used; } duplicates[DEVICE_DUPLICATES];
	size_t duplicate_next;
	uint32_t token, poll_token;
	struct sim_device_effect effects[DEVICE_EFFECTS];
	size_t effect_first, effect_count;
	/* application */
	struct binding bindings[DEVICE_BINDINGS];
	size_t binding_count;
	struct reporting reports[DEVICE_REPORTS];
	size_t report_count;
	bool on, alarm, enrolled;
	uint64_t cie;
	int16_t temperature; /* hundredths of a degree */
	uint16_t humidity;
	uint64_t energy;     /* watt hours */
	uint64_t drift_at, counted_at;
};

/* device.c */
void device_event(struct sim_device *d, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void device_save(struct sim_device *d);
void device_state_set(struct sim_device *d, enum device_state s, uint64_t step_in_ms);
void device_leave(struct sim_device *d, const char *reason, bool tell);
enum err device_reserve_nwk(void *ctx, uint32_t limit);
enum err device_reserve_aps(void *ctx, uint32_t limit);
void device_mac_data(struct sim_device *d, struct rd nwk);
/* device_net.c */
void device_nwk_send(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload);
void device_aps_send(struct sim_device *d, uint16_t destination, const struct aps_frame *f, bool seal_with_link_key);
void device_net_input(struct sim_device *d, struct rd nwk);
void device_net_tick(struct sim_device *d);
uint64_t device_net_deadline(const struct sim_device *d);
void device_commission_step(struct sim_device *d); /* the state's step is due */
void device_zdo_send(struct sim_device *d, uint16_t destination, const struct zdo_message *m, bool ack);
void device_announce(struct sim_device *d);
void device_node_known(struct sim_device *d, const struct zdo_message *m);
/* device_app.c */
void device_zdo_input(struct sim_device *d, const struct aps_frame *f, struct rd payload);
void device_zcl_input(struct sim_device *d, const struct aps_frame *f, struct rd payload);
void device_app_tick(struct sim_device *d);
uint64_t device_app_deadline(const struct sim_device *d);
void device_changed(struct sim_device *d, uint16_t cluster, uint16_t attribute);
void device_alarm(struct sim_device *d, bool alarm);

#endif
