/* The one place where a network key leaves the MEF for node B: as base64 in a symmKeyReg, over mutually authenticated TLS. */
#ifndef KEYWAY_MEF_KEY_CARRIER_H
#define KEYWAY_MEF_KEY_CARRIER_H

#include "json/json.h"
#include "keys/secret.h"

void key_carry(struct json_out *o, const char *name, const struct secret *key); /* the caller wipes what it wrote to */

#endif
