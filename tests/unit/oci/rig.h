/* Node B's core with one device around it, in simulated time: the device's frames are sealed and the core's are opened under the key that both hold.
 * The store is in memory and can refuse.
 *
 *	rig_init(&r, sleepy); rig_join(&r);
 *	assert_int_equal(rig_zcl(&r, ...), OK);
 *	assert_non_null(rig_effect(&r, OCI_VALUE, 0)); */
#ifndef KEYWAY_TESTS_OCI_RIG_H
#define KEYWAY_TESTS_OCI_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "oci/oci_core.h"
#include "zigbee/zcl.h"

#define RIG_DEVICE 0xf0124b0000000001ULL /* the top bit: SQLite's integers are signed */
#define RIG_GATEWAY 0x0200000000000001ULL
#define RIG_SHORT 0x7b31
#define RIG_SEQUENCE 3
#define RIG_EFFECTS 300
#define RIG_LISTENS 0x8c
#define RIG_ROUTES 0x8e
#define RIG_SLEEPS 0x80

struct rig {
	struct oci_core *core;
	struct rng rng;
	struct secret *key;          /* what the device seals and opens with */
	uint8_t key_sequence, capability;
	uint64_t generation, now;
	uint32_t counter;            /* of the device's next frame */
	uint16_t short_address;
	uint8_t nwk_sequence, aps_counter, zdo_sequence, zcl_sequence;
	uint8_t endpoint;            /* that its ZCL frames come from */
	bool answer_commissioning;
	bool rotation;               /* the next key offered is for a device that stays */
	uint32_t link_status_ms;
	/* the store */
	enum err save_answer;
	unsigned saves;
	struct oci_device stored;    /* keys in it are the core's */
	/* what came out since the last input */
	struct oci_effect effects[RIG_EFFECTS];
	size_t count;
};

/* A frame from the core, opened. */
struct rig_down {
	struct nwk_frame nwk;
	struct aux_header aux;
	struct nwk_command command; /* when nwk.type is NWK_COMMAND */
	struct aps_frame aps;       /* otherwise; its payload is in plain */
	struct zdo_message zdo;     /* aps.profile is ZDP */
	struct zcl_frame zcl;       /* aps.profile is Home Automation */
	uint8_t octets[NWK_FRAME_MAX], plain[NWK_FRAME_MAX];
};

const struct descriptions *rig_descriptions(void); /* the built-in ones */
void rig_init(struct rig *r, bool sleepy);
void rig_clear(struct rig *r);
void rig_core(struct rig *r); /* a new core, after other settings; the former must be freed */
/* The core ends as in a crash and starts again from what was stored. */
void rig_restart(struct rig *r);
enum err rig_offer(struct rig *r, const struct secret *key, uint8_t sequence, uint64_t generation);
void rig_join(struct rig *r); /* offers the key and sends a first frame, with nothing in it to answer */
struct oci_device *rig_device(struct rig *r);

/* From the device; the effects are collected afterwards. */
size_t rig_seal(struct rig *r, enum nwk_frame_type type, struct rd payload, uint8_t octets[static NWK_FRAME_MAX]); /* takes a counter */
enum err rig_octets(struct rig *r, struct rd frame);
enum err rig_nwk(struct rig *r, enum nwk_frame_type type, struct rd payload);
enum err rig_command(struct rig *r, const struct nwk_command *c);
enum err rig_aps(struct rig *r, const struct aps_frame *f); /* with the counter in it */
enum err rig_zdo(struct rig *r, const struct zdo_message *m);
enum err rig_zcl(struct rig *r, uint16_t cluster, enum zcl_frame_type type, uint8_t command, uint8_t sequence, struct rd payload);
enum err rig_report(struct rig *r, uint16_t cluster, uint16_t attribute, uint8_t type, uint64_t number);
void rig_update(struct rig *r, const char *name, const char *json); /* an application's, of a module's resource */
void rig_run(struct rig *r, uint64_t ms);  /* time passes; every deadline is kept; effects of all of it are collected */

/* What came out. */
void rig_collect(struct rig *r);           /* empties the list first */
const struct oci_effect *rig_effect(const struct rig *r, enum oci_effect_type type, size_t index); /* NULL: no more */
size_t rig_effects(const struct rig *r, enum oci_effect_type type);
bool rig_text(const struct rig *r, enum oci_effect_type type, const char *text); /* one of that type says this */
/* The index-th frame down; asserts that it opens. False: no more. */
bool rig_down(struct rig *r, size_t index, struct rig_down *d);
/* The first frame down that is no acknowledgement. */
bool rig_asked(struct rig *r, struct rig_down *d);

#endif
