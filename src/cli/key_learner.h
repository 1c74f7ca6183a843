/* Learns a network's keys from a capture and the install codes: whoever holds the label and hears the whole join needs no more. For Wireshark, and for
 * `keyway decode`. */
#ifndef KEYWAY_CLI_KEY_LEARNER_H
#define KEYWAY_CLI_KEY_LEARNER_H

#include <stdio.h>

#include "base/err.h"
#include "base/rd.h"
#include "zigbee/security/aps_security.h"

#define LEARNER_KEYS 128

struct key_learner {
	struct link_key_set links[LEARNER_KEYS]; /* install-code keys, and unique ones learnt */
	size_t link_count;
	struct secret *networks[LEARNER_KEYS];
	size_t network_count;
};

/* What a frame held once it was opened. */
struct opened_frame {
	bool nwk_opened, aps_opened;
	uint8_t nwk_plain[NWK_FRAME_MAX], aps_plain[NWK_FRAME_MAX];
	struct rd nwk, aps; /* payloads: of NWK, and of APS */
	bool has_aps;
	struct aps_frame aps_frame;
	enum aux_key_id aps_key;
};

void key_learner_init(struct key_learner *k);
void key_learner_clear(struct key_learner *k);
enum err key_learner_install_code(struct key_learner *k, const char *code) MUST_CHECK;
enum err key_learner_key(struct key_learner *k, const char *hex) MUST_CHECK; /* of unknown kind: tried as both */
/* Opens a NWK frame as far as the keys go, and learns the keys that it carries. False when it is no NWK frame. */
bool key_learner_frame(struct key_learner *k, const struct nwk_frame *f, struct opened_frame *o);
/* Every frame of a capture of LINKTYPE_IEEE802_15_4_WITHFCS (195) or _NOFCS (230). fn gets frames without FCS. ERR_NOT_FOUND, ERR_MALFORMED. */
typedef bool capture_fn(void *ctx, size_t number, double seconds, struct rd frame, bool fcs_right);
enum err capture_each(const char *path, capture_fn *fn, void *ctx) MUST_CHECK;
/* Reads a capture twice (a key may come after a frame that it opens) and writes Wireshark's zigbee_pc_keys lines. */
enum err key_learner_capture(struct key_learner *k, const char *path) MUST_CHECK;
enum err key_learner_write(const struct key_learner *k, const char *path) MUST_CHECK;
enum err key_learner_export(const char *pcap, const char *const codes[], size_t count, const char *path) MUST_CHECK;

#endif
