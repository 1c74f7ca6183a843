/* APS layer security with link keys, key-transport and key-load keys: Zigbee specification 05-3474 R22, clause 4.4.
 * The caller gives the link key; the key identifier selects the derived one. */
#ifndef KEYWAY_ZIGBEE_SECURITY_APS_SECURITY_H
#define KEYWAY_ZIGBEE_SECURITY_APS_SECURITY_H

#include "keys/secret.h"
#include "zigbee/aps_frame.h"
#include "zigbee/nwk_frame.h"

/* A link key with its derived keys, so that they are computed once. */
struct link_key_set {
	struct secret *link;      /* AUX_KEY_DATA */
	struct secret *transport; /* AUX_KEY_TRANSPORT */
	struct secret *load;      /* AUX_KEY_LOAD */
};
enum err link_key_set_take(struct link_key_set *set, struct secret *link_key) MUST_CHECK; /* takes link_key, also on failure */
void link_key_set_clear(struct link_key_set *set);

/* Seals a whole APS frame: header, auxiliary header with extended nonce if `extended_nonce`, ciphertext, MIC. f->payload is the
 * plaintext; f->security need not be set. `key` for AUX_KEY_NETWORK is the network key and key_sequence counts; otherwise they don't. */
enum err aps_seal(const struct secret *key, enum aux_key_id key_id, uint8_t key_sequence, bool extended_nonce, uint64_t source,
    uint32_t frame_counter, const struct aps_frame *f, struct wr *w) MUST_CHECK;
/* As nwk_open. The nonce's source is the auxiliary header's, or `sender` where it has none. */
enum err aps_open(const struct secret *key, uint64_t sender, const struct aps_frame *f, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload) MUST_CHECK;
/* Selects the key of a set by the identifier in the frame's auxiliary header (not AUX_KEY_NETWORK) and opens. */
enum err aps_open_set(const struct link_key_set *set, uint64_t sender, const struct aps_frame *f, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload) MUST_CHECK;

#endif
