/* UDP sockets on the loop. */
#ifndef KEYWAY_LOOP_UDP_H
#define KEYWAY_LOOP_UDP_H

#include <netinet/in.h>

#include "base/rd.h"
#include "loop/loop.h"

struct udp;
typedef void udp_fn(void *ctx, struct rd datagram, const struct sockaddr_in *from);

enum err udp_open(struct loop *l, const char *host_port, udp_fn *fn, void *ctx, struct udp **out) MUST_CHECK; /* port 0 picks one */
uint16_t udp_port(const struct udp *u);
enum err udp_send(struct udp *u, struct rd datagram, const struct sockaddr_in *to) MUST_CHECK;
void udp_free(struct udp *u);
enum err address_parse(const char *host_port, struct sockaddr_in *out) MUST_CHECK; /* "127.0.0.1:17754" or "localhost:..." */
#define ADDRESS_TEXT_MAX 64
void address_print(const struct sockaddr_in *a, char text[static ADDRESS_TEXT_MAX]); /* "127.0.0.1:17754" */

#endif
