/* IP addresses as text. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

bool ip_is_within(struct rd address, struct rd network)
{
	char own[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN];
	uint8_t is[16], net[16];
	uint64_t bits = 128;
	struct rd host;
	int family;

	if (!rd_until(&network, '/', &host))
		host = network;
	else if (!rd_decimal(network, &bits))
		return false;
	if (!rd_text(address, own, sizeof own) || !rd_text(host, text, sizeof text))
		return false;
	family = strchr(own, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, net) != 1 || inet_pton(family, own, is) != 1)
		return false;
	if (bits > (family == AF_INET ? 32U : 128U))
		bits = family == AF_INET ? 32 : 128;
	for (uint64_t i = 0; i < bits; i++)
		if (((net[i / 8] ^ is[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}
