/* Keys over the wire of MEF and MAF: base64 in a symmKeyReg, over a mutually authenticated TLS session. The one place where a registered key
 * leaves its registry. */
#ifndef KEYWAY_KEY_REGISTRY_KEY_CARRIER_H
#define KEYWAY_KEY_REGISTRY_KEY_CARRIER_H

#include "json/json.h"
#include "keys/secret.h"

#define KEY_CARRIER_LEAST 16

void key_carry(struct json_out *o, const char *name, const struct secret *key); /* the caller wipes what it wrote to */
/* 16 to SECRET_MAX octets. False: no such key; *key is NULL then. */
bool key_carried(const struct json *v, struct secret **key) MUST_CHECK;

#endif
