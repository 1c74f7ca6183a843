/* Any notification of the registrar CSE: the relay passes on a message only for a device whose containers it made, of a type that node B sends,
 * and once, however often it is notified. */
#include <string.h>

#include "gateway/relay.h"
#include "../fuzz.h"

#define DEVICE 0x00124b0000000001ULL

static unsigned messages;

static void on_ready(void *ctx, uint64_t device)
{
	(void)ctx;
	(void)device;
	MUST(false); /* no CSE has answered */
}

static void on_message(void *ctx, const struct egp_message *m)
{
	(void)ctx;
	messages++;
	switch (m->type) {
	case EGP_DOWNLINK:
		MUST(m->downlink.device == DEVICE && m->downlink.frame.left <= EGP_BODY_MAX);
		break;
	case EGP_CHILD_SET:
		MUST(m->child_set.device == DEVICE);
		break;
	case EGP_CHILD_DROP:
		MUST(m->child_drop.device == DEVICE);
		break;
	case EGP_HELLO:
	case EGP_HELLO_ACK:
	case EGP_JOIN_POLICY:
	case EGP_ACK:
	case EGP_REQUEST:
	case EGP_RESPONSE:
	case EGP_ERROR:
	case EGP_DEVICE_GONE:
	case EGP_DEVICE_REMOVE:
	case EGP_PING:
	case EGP_PONG:
	case EGP_UPLINK:
	case EGP_DELIVERY:
	case EGP_CHILD_EVENT:
		MUST(false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_config config = {"http://127.0.0.1:9", "", "/id-mn", "cse-mn", "Cgw1", "gw1", "http://127.0.0.1:9", 1};
	static const struct relay_events events = {on_ready, on_message};
	static struct relay *relay; /* asks a CSE that never answers: the loop does not run */

	if (size > 8 * FUZZ_INPUT_MAX)
		return 0;
	if (!relay) {
		struct loop *loop = loop_new();

		relay = relay_new(loop, http_client_new(loop, NULL), &config, &events, NULL);
	}
	messages = 0;
	relay_device(relay, DEVICE, "/id-b");
	relay_notified(relay, rd_of(data, size));
	relay_notified(relay, rd_of(data, size));
	MUST(messages <= 1);
	relay_forget(relay, DEVICE);
	relay_notified(relay, rd_of(data, size));
	MUST(messages <= 1);
	return 0;
}
