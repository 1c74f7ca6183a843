/* Any notification of the registrar CSE: a message is taken only for the device, of a type that node B sends, once however often it is notified, and a
 * frame never for longer than it says. Before the containers were looked at, nothing is taken from a notification. */
#include <string.h>

#include "gateway/relay.h"
#include "../fuzz.h"

#define DEVICE 0x00124b0000000001ULL

static void on_ready(void *ctx, uint64_t device)
{
	(void)ctx;
	(void)device;
	MUST(false); /* no CSE has answered */
}

static void on_message(void *ctx, const struct egp_message *m)
{
	(void)ctx;
	(void)m;
	MUST(false);
}

static void check(const struct egp_message *m)
{
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

/* At several times of the CSE, and as a retrieval. */
static void take(const struct json *instance)
{
	static const uint64_t clocks[] = {0, 1, 1767225600, 1767225610, UINT64_MAX / 2};
	uint8_t octets[EGP_MESSAGE_MAX];
	struct egp_message m, again;
	struct down d;

	for (size_t i = 0; i < 2 * sizeof clocks / sizeof clocks[0]; i++) {
		bool retrieved = i % 2;
		uint64_t clock = clocks[i / 2];
		enum err e;

		down_init(&d, DEVICE, "");
		e = down_take(&d, instance, clock, retrieved, octets, &m);
		MUST(e == OK || e == ERR_TIMEOUT || e == ERR_NOT_PERMITTED || e == ERR_MALFORMED);
		if (e != OK && e != ERR_TIMEOUT)
			continue;
		check(&m);
		MUST(m.type == EGP_DOWNLINK ? (m.downlink.validity_ms == 0) == (e == ERR_TIMEOUT) : e == OK);
		MUST(e == OK || clock != 0 || retrieved);
		MUST(memchr(d.last, '\0', sizeof d.last) && !strpbrk(d.last, " \n\r"));
		MUST(down_take(&d, instance, clock, retrieved, octets, &again) == ERR_DUPLICATE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_config config = {"http://127.0.0.1:9", "", "/id-mn", "cse-mn", "Cgw1", "gw1", "http://127.0.0.1:9", 1};
	static const struct relay_events events = {on_ready, on_message};
	static struct relay *relay; /* asks a CSE that never answers: the loop does not run */
	struct json_arena *a;
	const struct json *doc;

	if (size > 8 * FUZZ_INPUT_MAX)
		return 0;
	if (!relay) {
		struct loop *loop = loop_new();

		relay = relay_new(loop, http_client_new(loop, NULL), &config, &events, NULL);
	}
	relay_device(relay, DEVICE, "/id-b", NULL);
	relay_notified(relay, rd_of(data, size));
	relay_remove(relay, DEVICE);
	relay_notified(relay, rd_of(data, size));
	a = json_arena_new();
	MUST(a);
	if (json_parse(a, rd_of(data, size), NULL, &doc) == OK)
		take(json_path(doc, "m2m:sgn.nev.rep.m2m:cin"));
	json_arena_free(a);
	return 0;
}
