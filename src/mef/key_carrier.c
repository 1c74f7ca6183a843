/* Keys over the Mmef wire. */
#include "mef/key_carrier.h"

#include "keys/secret_octets.h"

void key_carry(struct json_out *o, const char *name, const struct secret *key)
{
	json_put_base64(o, name, rd_of(secret_octets(key), secret_len(key)));
}
