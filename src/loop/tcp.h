/* TCP sockets, before there is a stream or a server: non-blocking, and not for programs that this one starts. */
#ifndef KEYWAY_LOOP_TCP_H
#define KEYWAY_LOOP_TCP_H

#include <stdbool.h>

#include "base/err.h"

/* ERR_CONFIG: no such address; ERR_IO: it is not ours, or somebody has the port. `backlog`: connections that wait to be accepted. */
enum err tcp_listen(const char *host_port, int backlog, int *out) MUST_CHECK;
/* Under way when this is OK; *refused becomes true when it has failed already, as on loopback: the socket tells nothing more then. */
enum err tcp_connect(const char *host_port, int *out, bool *refused) MUST_CHECK;

#endif
