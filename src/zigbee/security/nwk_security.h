/* Network layer security: level 5 (encryption and a 4-octet MIC), key identifier 1, extended nonce.
 * Source: Zigbee specification 05-3474 R22, clause 4.3. Frame counters are the caller's: it gives a fresh one to seal, and
 * compares the one of an opened frame with the last that it accepted, after the MIC was right. */
#ifndef KEYWAY_ZIGBEE_SECURITY_NWK_SECURITY_H
#define KEYWAY_ZIGBEE_SECURITY_NWK_SECURITY_H

#include "keys/secret.h"
#include "zigbee/nwk_frame.h"

/* Writes the whole sealed frame. f->payload is the plaintext; f->security need not be set. */
enum err nwk_seal(const struct secret *key, uint8_t key_sequence, uint64_t source, uint32_t frame_counter,
    const struct nwk_frame *f, struct wr *w) MUST_CHECK;
/* f is a decoded frame with security set. aux gets the clear header, plain (NWK_FRAME_MAX octets) the plaintext, and payload points
 * into plain. ERR_BAD_MIC; ERR_MALFORMED: not key identifier 1, no extended nonce, or a level on air other than 0 or 5.
 * On failure plain holds nothing of the frame. */
enum err nwk_open(const struct secret *key, const struct nwk_frame *f, struct aux_header *aux, uint8_t plain[static NWK_FRAME_MAX],
    struct rd *payload) MUST_CHECK;

#endif
