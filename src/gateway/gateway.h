/* The gateway's shell: wires radio, coordinator, EGP and IPE-NI together on the loop. */
#ifndef KEYWAY_GATEWAY_GATEWAY_H
#define KEYWAY_GATEWAY_GATEWAY_H

#include "egp/egp_seal.h"
#include "gateway/coordinator.h"
#include "loop/loop.h"
#include "tls/tls.h"

struct gateway_config {
	struct coordinator_config radio;
	const char *radio_address;              /* "tcp:..." or "serial:..." */
	bool set_tx_power;
	int8_t tx_power_dbm;
	const char *egp_address, *egp_identity; /* "tls:...", "psk:...", "serial:...", "tcp:..." */
	struct tls_credentials *egp_tls;        /* NULL for serial and tcp */
	struct egp_seal *egp_seal;              /* of a serial line; NULL: messages go as they are. Taken over by gateway_start */
	struct tls_credentials *tls;            /* for the CSE and for notifications */
	const char *cse_url, *cse_identity, *cse_id, *cse_name;
	const char *ae_id, *ae_name, *listen;
	const char *state;
};

enum err gateway_start(struct loop *l, const struct gateway_config *c) MUST_CHECK;

#endif
