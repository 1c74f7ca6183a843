/* Node B's core: what a restart must not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "oci/oci_core.h"
#include "zigbee/security/nwk_security.h"

#define DEVICE 0x00124b0000000001ULL
#define GATEWAY 0x0200000000000001ULL
#define SHORT 0x7b31
#define REMEMBERED 32 /* counters that a device compares with */

struct node {
	struct rng rng;
	struct oci_core *core;
	struct oci_device stored;
	struct secret *key;
	uint32_t device_counter;
	uint64_t now;
	uint8_t sent[REMEMBERED]; /* APS counters, the latest last */
	size_t sent_count;
};

static enum err save(void *ctx, const struct oci_device *d)
{
	struct node *n = ctx;

	n->stored = *d;
	return OK;
}

static struct oci_core *core_new(struct node *n)
{
	static struct descriptions *descriptions;
	struct oci_core_config c = {&n->rng, true, NULL, save, n, 0, false, 0};
	struct oci_core *core;

	if (!descriptions)
		descriptions = descriptions_built_in();
	c.descriptions = descriptions;
	core = oci_core_new(&c);
	assert_non_null(core);
	return core;
}

/* The device hears what leaves. */
static void hear(struct node *n)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct oci_effect e;

	while (oci_core_output(n->core, &e)) {
		struct aux_header aux;
		struct nwk_frame nwk;
		struct aps_frame aps;
		struct rd payload;

		if (e.type != OCI_DOWNLINK)
			continue;
		assert_int_equal(nwk_frame_decode(rd_of(e.octets, e.len), &nwk), OK);
		assert_int_equal(nwk_open(n->key, &nwk, &aux, plain, &payload), OK);
		assert_int_equal(aps_frame_decode(payload, &aps), OK);
		for (size_t i = 0; i < n->sent_count; i++)
			assert_int_not_equal(n->sent[i], aps.counter);
		if (n->sent_count == REMEMBERED)
			memmove(n->sent, n->sent + 1, --n->sent_count);
		n->sent[n->sent_count++] = aps.counter;
	}
}

static void answer(struct node *n)
{
	const uint8_t acknowledgement[] = {0x02, 0x01, 0x06, 0x00, 0x04, 0x01, 0x01, 0x00};
	const struct nwk_frame f = {.type = NWK_DATA, .protocol_version = 2, .source = SHORT, .radius = 1, .payload = rd_of(acknowledgement, sizeof acknowledgement)};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	assert_int_equal(nwk_seal(n->key, 0, DEVICE, n->device_counter++, &f, &w), OK);
	assert_true(wr_done(&w, &octets));
	assert_int_equal(oci_core_uplink(n->core, n->now, DEVICE, octets), OK);
}

static void restart(struct node *n)
{
	struct oci_device d = n->stored;

	d.present.network = oci_network_dup(d.present.network);
	d.endpoints[0] = (struct oci_endpoint){.id = 1, .in_count = 1, .in = {ZCL_ON_OFF}};
	d.endpoint_count = 1;
	oci_core_free(n->core);
	n->core = core_new(n);
	assert_non_null(oci_core_restore(n->core, n->now, &d));
}

static void update(struct node *n, const char *json)
{
	struct json_arena *a = json_arena_new();
	const struct json *members;

	assert_int_equal(json_parse(a, rd_str(json), NULL, &members), OK);
	oci_core_update(n->core, n->now, DEVICE, "binSh", members);
	json_arena_free(a);
}

static void a_device_takes_no_command_after_a_restart_for_one_before_it(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct node n = {.rng = rng_seeded(seed), .now = 1000};

		struct oci_key_order o = {DEVICE, GATEWAY, SHORT, 0x88, "/r", "a", NULL, 0, 1, "k", false, NULL, 0};

		n.key = secret_random(&n.rng, SECRET_AES128);
		n.core = core_new(&n);
		o.key = secret_dup(n.key);
		assert_int_equal(oci_core_key(n.core, n.now, &o), OK);
		answer(&n);
		restart(&n);
		for (int i = 0; i < 100; i++) {
			update(&n, i & 1 ? "{\"state\":true}" : "{\"state\":false}");
			hear(&n);
			if (i % 7 == 6)
				restart(&n);
			else
				answer(&n);
		}
		oci_core_free(n.core);
		secret_free(n.key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_takes_no_command_after_a_restart_for_one_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
