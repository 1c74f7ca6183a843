/* IPv4 addresses with ports. */
#ifndef KEYWAY_LOOP_ADDRESS_H
#define KEYWAY_LOOP_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"

enum err address_parse(const char *host_port, struct sockaddr_in *out) MUST_CHECK; /* "127.0.0.1:17754" or "localhost:..."; ERR_CONFIG */
#define ADDRESS_TEXT_MAX 64
void address_print(const struct sockaddr_in *a, char text[static ADDRESS_TEXT_MAX]); /* "127.0.0.1:17754" */
uint16_t address_port(int fd); /* that a socket is bound to, when it asked for any */

#endif
