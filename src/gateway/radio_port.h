/* A radio co-processor at the end of a line: opens it, opens it again when it is lost, and drives the host's side of Spinel over it. */
#ifndef KEYWAY_GATEWAY_RADIO_PORT_H
#define KEYWAY_GATEWAY_RADIO_PORT_H

#include "gateway/spinel_host.h"
#include "loop/loop.h"

struct radio_port;

struct radio_port_events {
	void (*effect)(void *ctx, const struct spinel_host_effect *e); /* all but SPINEL_HOST_WRITE; may use the host */
	void (*settled)(void *ctx);                                    /* something happened: the owner calls radio_port_drain, now or later */
};

/* Opens "tcp:..." or "serial:...". ERR_CONFIG: the address cannot be; what is not there yet is tried again. */
enum err radio_port_open(struct loop *l, const char *address, const struct spinel_host_config *config, const struct radio_port_events *events, void *ctx,
    struct radio_port **out) MUST_CHECK;
void radio_port_free(struct radio_port *p);
struct spinel_host *radio_port_host(struct radio_port *p);
bool radio_port_drain(struct radio_port *p); /* carries out what the host wants; true when there was something */
/* Logs what is wrong with the radio. False: e is nothing of that kind. */
bool radio_port_complain(const struct radio_port *p, const struct spinel_host_effect *e);

#endif
