/* IP addresses as text: IPv4 in dotted decimals, IPv6 as in RFC 4291. */
#ifndef KEYWAY_BASE_IP_H
#define KEYWAY_BASE_IP_H

#include <stdbool.h>

#include "base/rd.h"

/* Whether `address` is `network`, an address or a prefix such as "192.168.1.0/24". False when either is malformed, or they are of two families. */
bool ip_is_within(struct rd address, struct rd network);

#endif
