/* Keys over the wire. */
#include "key_registry/key_carrier.h"

#include "base/bytes.h"
#include "keys/secret_octets.h"

void key_carry(struct json_out *o, const char *name, const struct secret *key)
{
	json_put_base64(o, name, rd_of(secret_octets(key), secret_len(key)));
}

bool key_carried(const struct json *v, struct secret **key)
{
	uint8_t octets[SECRET_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd text;
	bool good = json_string(v, &text) && base64_parse(text, &w) && !w.spoilt && w.len >= KEY_CARRIER_LEAST;

	*key = good ? secret_take(octets, w.len) : NULL;
	bytes_wipe(octets, sizeof octets);
	return *key != NULL;
}
