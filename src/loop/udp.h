/* UDP sockets on the loop. */
#ifndef KEYWAY_LOOP_UDP_H
#define KEYWAY_LOOP_UDP_H

#include <netinet/in.h>

#include "base/rd.h"
#include "loop/address.h"
#include "loop/loop.h"

struct udp;
typedef void udp_fn(void *ctx, struct rd datagram, const struct sockaddr_in *from);

enum err udp_open(struct loop *l, const char *host_port, udp_fn *fn, void *ctx, struct udp **out) MUST_CHECK; /* port 0 picks one */
/* IP multicast, RFC 1112: what is sent to "239.255.1.2" and this port and comes by the interface of that address. Several may have the same. */
enum err udp_open_group(struct loop *l, const char *group, uint16_t port, const char *interface, udp_fn *fn, void *ctx, struct udp **out) MUST_CHECK;
enum err udp_multicast_by(struct udp *u, const char *interface) MUST_CHECK; /* what is sent to groups leaves by it; it comes back to this host too */
uint16_t udp_port(const struct udp *u);
enum err udp_send(struct udp *u, struct rd datagram, const struct sockaddr_in *to) MUST_CHECK;
void udp_free(struct udp *u);

#endif
