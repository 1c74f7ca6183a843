/* Keys derived from a link key by HMAC-MMO: Zigbee specification, clauses 4.5.3 and 4.4.11 (Verify-Key). */
#ifndef KEYWAY_ZIGBEE_SECURITY_LINK_KEY_H
#define KEYWAY_ZIGBEE_SECURITY_LINK_KEY_H

#include "base/err.h"
#include "keys/secret.h"

enum err link_key_transport(const struct secret *link_key, struct secret **derived) MUST_CHECK; /* 0x00 */
enum err link_key_load(const struct secret *link_key, struct secret **derived) MUST_CHECK;      /* 0x02 */
void link_key_verify_hash(const struct secret *link_key, uint8_t hash[static 16]);              /* 0x03 */

#endif
