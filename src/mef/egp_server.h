/* EGP's carriers at the Enrolment Gateway: TLS with certificates, TLS with PSK, a serial line, and plain TCP on loopback when the
 * configuration says so. A connection belongs to the gateway that its credential names; on plain TCP the first HELLO tells. */
#ifndef KEYWAY_MEF_EGP_SERVER_H
#define KEYWAY_MEF_EGP_SERVER_H

#include "egp/egp_seal.h"
#include "loop/stream.h"
#include "mef/mef.h"

struct egp_server;

enum err egp_server_new(struct mef *m, struct egp_server **out) MUST_CHECK;
void egp_server_free(struct egp_server *s); /* accepts NULL; closes every connection */

/* Credentials are borrowed; psk says of which kind they are. `tls` NULL: plain TCP, ERR_CONFIG unless host_port is on loopback. */
enum err egp_server_listen(struct egp_server *s, const char *host_port, struct tls_credentials *tls, bool psk, uint16_t *port) MUST_CHECK;
/* The line is opened again every 2 s when it fails. ERR_NOT_FOUND: no gateway of this name is registered yet (tried again too). seal: what both ends seal
 * messages with, taken over; NULL: they go as they are. */
enum err egp_server_serial(struct egp_server *s, const char *path_baud, const char *gateway, struct egp_seal *seal) MUST_CHECK;

bool egp_server_connected(const struct egp_server *s, const struct mef_gateway *g);

#endif
