/* Install codes: 6, 8, 12 or 16 octets and a CRC-16/X-25, low octet first.
 * Source: Zigbee Base Device Behaviour 3.0, clause 10.1. */
#ifndef KEYWAY_ZIGBEE_SECURITY_INSTALL_CODE_H
#define KEYWAY_ZIGBEE_SECURITY_INSTALL_CODE_H

#include "base/err.h"
#include "base/rd.h"
#include "keys/secret.h"

#define INSTALL_CODE_MAX 18 /* with CRC */

/* The code with its CRC as a secret of 8, 10, 14 or 18 octets. Text: hexadecimal digits with any of ' ', ':', '-' between.
 * ERR_MALFORMED: not hexadecimal or of no permitted length; ERR_BAD_CRC: its last two octets are not its CRC. */
enum err install_code_parse(struct rd text, struct secret **code) MUST_CHECK;
/* MMO over code and CRC. */
enum err install_code_link_key(const struct secret *code, struct secret **link_key) MUST_CHECK;

#endif
