/* The doors of keyway-hss: hostapd's datagram socket, Zh for the BSF, the operator's socket. Each is a UNIX socket with mode 0600. */
#ifndef KEYWAY_GBA_NET_HSS_SERVER_H
#define KEYWAY_GBA_NET_HSS_SERVER_H

#include "gba/net/hss.h"
#include "loop/loop.h"

struct hss_server;
struct hss_server_config {
	const char *hostapd_socket, *zh_socket; /* NULL: none */
	const char *admin_socket;
};
/* *which: the path that could not be. ERR_EXISTS: somebody listens there; ERR_IO, ERR_TOO_LONG. */
enum err hss_server_new(struct loop *l, struct hss *h, const struct hss_server_config *c, struct hss_server **out, const char **which) MUST_CHECK;
void hss_server_free(struct hss_server *s); /* accepts NULL */

/* What the doors answer, for tests: a line of hostapd's (nothing: no answer), of Zh, of the operator. */
void hss_hostapd_answer(struct hss *h, struct rd line, struct wr *answer);
void hss_zh_answer(struct hss *h, struct rd line, struct wr *answer);
void hss_admin_answer(struct hss *h, struct rd line, struct wr *answer);

#endif
