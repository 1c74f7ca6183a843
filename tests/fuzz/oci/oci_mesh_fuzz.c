/* Node B's core and an application group with a router that may say anything, in its own and in others' names, beside a device under a key of its own: no
 * number is sealed with twice under a key; whatever is sealed under the group's key goes by way of a member, and what is for the lone device does not; a source
 * route has relays and begins at its end; nobody but members is told of to the MEF by what the router says; addresses are a device's; a device is never
 * its own parent's parent without end; and no time-out lies in the past. */
#include <string.h>

#include "base/clock.h"
#include "oci/oci_core.h"
#include "zigbee/security/nwk_security.h"
#include "../fuzz.h"

#define ROUTER 0x00124b0000000001ULL
#define DEVICES 4
#define LONE (ROUTER + 3) /* under a key of its own */
#define GATEWAY 0x0200000000000001ULL
#define ADDRESS 0x1111    /* of the first; the next have multiples */

struct world {
	struct oci_core *core;
	struct rng rng;
	uint64_t now;
	struct secret *group, *own;
	bool sent[2];
	uint32_t last[2], counters[DEVICES];
	uint8_t sequence;
	bool from_router; /* what comes out is by its word */
};

static enum err on_save(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	MUST(d->eui64 >= ROUTER && d->eui64 < ROUTER + DEVICES);
	return OK;
}

static uint16_t address(size_t index)
{
	return (uint16_t)(ADDRESS * (index + 1));
}

static void offer(struct world *w, size_t index, uint8_t capability)
{
	bool lone = ROUTER + index == LONE;
	const struct oci_key_order o = {ROUTER + index, GATEWAY, address(index), capability, "/mn/x", lone ? "default" : "pumps",
		secret_dup(lone ? w->own : w->group), 0, 1, "k", false, lone ? NULL : "pumps", lone ? 0 : 1};

	MUST(oci_core_key(w->core, w->now, &o) == OK);
}

static void on_downlink(struct world *w, const struct oci_effect *e)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;
	bool own;

	if (e->len == 0)
		return;
	MUST(nwk_frame_decode(rd_of(e->octets, e->len), &f) == OK && f.security && f.source == NWK_COORDINATOR);
	own = nwk_open(w->own, &f, &aux, plain, &payload) == OK;
	MUST(own || nwk_open(w->group, &f, &aux, plain, &payload) == OK);
	MUST(own == (e->eui64 == LONE) && aux.source == GATEWAY && (!w->sent[own] || aux.frame_counter > w->last[own]));
	MUST(!f.source_route || (f.relay_count > 0 && f.relay_count <= OCI_RELAYS && f.relay_index == f.relay_count - 1 && !own && !e->broadcast));
	w->sent[own] = true;
	w->last[own] = aux.frame_counter;
}

static void drain(struct world *w)
{
	struct oci_effect e;

	while (oci_core_output(w->core, &e)) {
		MUST(e.eui64 >= ROUTER && e.eui64 < ROUTER + DEVICES);
		MUST(!w->from_router || e.type == OCI_DOWNLINK || e.type == OCI_LOG || e.eui64 != LONE);
		if (e.type == OCI_DOWNLINK)
			on_downlink(w, &e);
		else if (e.type == OCI_CHILD_SET)
			MUST(nwk_address_is_device(e.short_address));
	}
	for (const struct oci_device *d = oci_core_devices(w->core); d; d = d->next)
		MUST(d->parent != d->eui64 && d->route.count <= OCI_RELAYS && (d->eui64 != LONE || d->parent == 0));
}

/* One of them seals it, whoever is said to have made it. */
static void sealed(struct world *w, size_t hop, enum nwk_frame_type type, uint16_t source, uint8_t how, struct rd payload)
{
	const struct nwk_frame f = {.type = type, .protocol_version = 2, .source = source, .radius = 9, .sequence = how & 1 ? w->sequence : ++w->sequence,
		.destination = how & 2 ? NWK_BROADCAST_RX_ON : NWK_COORDINATOR, .has_source_eui64 = how & 4, .source_eui64 = ROUTER + (how >> 4) % (DEVICES + 1), .payload = payload};
	uint64_t eui64 = ROUTER + hop;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd octets;

	w->from_router = eui64 == ROUTER;
	if (nwk_seal(eui64 == LONE ? w->own : w->group, 0, eui64, w->counters[hop]++, &f, &out) == OK && wr_done(&out, &octets))
		(void)oci_core_uplink(w->core, w->now, eui64, octets);
	drain(w);
	w->from_router = false;
}

static void route_record(struct world *w, size_t hop, size_t of, struct rd relays)
{
	struct nwk_command m = {.id = NWK_ROUTE_RECORD};
	uint8_t buffer[2 + 2 * NWK_RELAYS_MAX], which;
	struct wr out = wr_of(buffer, sizeof buffer);
	struct rd payload;

	while (m.route_record.count < NWK_RELAYS_MAX && rd_u8(&relays, &which))
		m.route_record.relays[m.route_record.count++] = address(which % DEVICES);
	if (nwk_command_encode(&m, &out) == OK && wr_done(&out, &payload))
		sealed(w, hop, NWK_COMMAND, address(of), 0, payload);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t a = 0, b = 0, len = 0;
	struct rd octets = rd_of("", 0);

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	if (rd_u8(in, &len) && !rd_sub(in, len, &octets))
		octets = rd_rest(in);
	switch (what % 8) {
	case 0:
	case 1:
		sealed(w, a % DEVICES, what & 1 ? NWK_COMMAND : NWK_DATA, address((a >> 4) % (DEVICES + 1)), b, octets);
		break;
	case 2:
		route_record(w, a % DEVICES, (a >> 4) % DEVICES, octets);
		break;
	case 3: {
		const struct oci_child child = {ROUTER + b % (DEVICES + 1), octets.left > 1 ? (uint16_t)(octets.at[0] << 8 | octets.at[1]) : address(b % DEVICES),
			(enum oci_child_status)(b >> 6)};

		oci_core_child(w->core, w->now, ROUTER + a % DEVICES, &child);
		break;
	}
	case 4:
		oci_core_tunnel(w->core, w->now, ROUTER + a % DEVICES, ROUTER + b % DEVICES, octets);
		break;
	case 5:
		oci_core_aps(w->core, w->now, ROUTER + a % DEVICES, octets, b & 1, b);
		break;
	case 6:
		oci_core_unknown(w->core, w->now, ROUTER + a % DEVICES, address(b % DEVICES), b & 0x80);
		break;
	case 7:
		w->now += a * 100ULL + 1;
		oci_core_tick(w->core, w->now);
		drain(w);
		MUST(oci_core_deadline(w->core) > w->now);
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct descriptions *descriptions;
	static struct world w;
	struct oci_core_config c = {.rng = &w.rng, .answer_commissioning = true, .save = on_save, .save_ctx = &w, .link_status_ms = 15000};
	struct rd in = rd_of(data, size);
	uint8_t what;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now = 100000;
	if (!descriptions)
		descriptions = descriptions_built_in();
	c.descriptions = descriptions;
	w.core = oci_core_new(&c);
	MUST(w.core);
	w.group = secret_random(&w.rng, SECRET_AES128);
	w.own = secret_random(&w.rng, SECRET_AES128);
	for (size_t i = 0; i < DEVICES; i++)
		offer(&w, i, i == 2 ? 0x80 : 0x8e);
	drain(&w);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	oci_core_free(w.core);
	secret_free(w.group);
	secret_free(w.own);
	return 0;
}
