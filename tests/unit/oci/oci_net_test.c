/* NWK and APS of node B: what is refused, what is answered, what is repeated, and what keeps a device on the network. */
#include "rig.h"

#include <string.h>

#include "zigbee/security/nwk_security.h"

static struct rig r;

static int sleeper(void **state)
{
	(void)state;
	rig_init(&r, true);
	rig_join(&r);
	return 0;
}

static int listener(void **state)
{
	(void)state;
	rig_init(&r, false);
	rig_join(&r);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	rig_init(&r, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

static struct nwk_command timeout_request(uint8_t timeout)
{
	const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {timeout, 0}};

	return c;
}

/* A report that the core acknowledges and that shows as a value. */
static struct aps_frame on_report(uint8_t counter, uint8_t octets[static 16], bool on)
{
	const struct zcl_value v = {.type = ZCL_BOOL, .number = on};
	uint8_t inner[8];
	struct wr iw = wr_of(inner, sizeof inner), w = wr_of(octets, 16);
	struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .command = ZCL_REPORT};
	struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = 1,
		.source_endpoint = 2,
		.cluster = ZCL_ON_OFF,
		.profile = APS_PROFILE_HOME_AUTOMATION,
		.counter = counter,
	};

	zcl_report_put(&iw, 0, &v);
	z.payload = rd_of(iw.octets, iw.len);
	assert_int_equal(zcl_encode(&z, &w), OK);
	f.payload = rd_of(w.octets, w.len);
	return f;
}

/* ---- joining ---- */

static void the_first_good_frame_joins_and_no_other(void **state)
{
	const struct nwk_command c = timeout_request(2);

	(void)state;
	assert_int_equal(rig_offer(&r, r.key, r.key_sequence, 1), OK);
	assert_false(rig_device(&r)->joined);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_true(rig_text(&r, OCI_EVENT, "joined"));
	assert_int_equal(rig_effect(&r, OCI_EVENT, 0)->short_address, RIG_SHORT);
	assert_true(r.stored.joined);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_false(rig_text(&r, OCI_EVENT, "joined"));
}

static void a_frame_of_an_unknown_device_is_refused(void **state)
{
	uint8_t octets[NWK_FRAME_MAX];
	size_t len = rig_seal(&r, NWK_DATA, rd_of("x", 1), octets);

	(void)state;
	assert_int_equal(rig_octets(&r, rd_of(octets, len)), ERR_UNKNOWN_DEVICE);
	assert_int_equal(r.count, 0);
}

static void the_device_announces_itself(void **state)
{
	struct zdo_message m = {.cluster = ZDO_DEVICE_ANNCE, .short_address = 0x1234, .eui64 = RIG_DEVICE, .capability = RIG_LISTENS};
	struct rig_down d;

	(void)state;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_text(&r, OCI_EVENT, "announced"));
	assert_int_equal(rig_effect(&r, OCI_EVENT, 0)->short_address, 0x1234);
	assert_int_equal(rig_device(&r)->short_address, 0x1234);
	assert_int_equal(rig_device(&r)->capability, RIG_LISTENS);
	/* from then on it is addressed so */
	r.short_address = 0x1234;
	{
		const struct nwk_command c = timeout_request(2);

		assert_int_equal(rig_command(&r, &c), OK);
	}
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.nwk.destination, 0x1234);
}

/* ---- what is refused ---- */

static void refused(const uint8_t *octets, size_t len, enum err why)
{
	unsigned saves = r.saves;
	uint32_t last = rig_device(&r)->present.in.last;
	enum err e = rig_octets(&r, rd_of(octets, len));

	if (why != OK)
		assert_int_equal(e, why);
	assert_int_not_equal(e, OK);
	assert_int_equal(r.saves, saves);
	assert_int_equal(rig_device(&r)->present.in.last, last);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG)); /* nothing but a line for the log */
	assert_true(r.count > 0);
}

static void a_frame_with_any_bit_changed_is_refused(void **state)
{
	uint8_t octets[NWK_FRAME_MAX], inner[16];
	struct aps_frame f = on_report(9, inner, true);
	uint8_t plain[NWK_FRAME_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	size_t len;

	(void)state;
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	len = rig_seal(&r, NWK_DATA, rd_of(w.octets, w.len), octets);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
		refused(octets, len, OK);
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t n = 0; n < len; n++)
		refused(octets, n, OK);
	assert_int_equal(rig_octets(&r, rd_of(octets, len)), OK); /* as it was sent, it is fine */
	assert_non_null(rig_effect(&r, OCI_RAW, 0));
	assert_true(rig_device(&r)->bad_mic > 8 * 20);
}

static void a_replayed_frame_is_refused(void **state)
{
	uint8_t inner[16], plain[NWK_FRAME_MAX], first[NWK_FRAME_MAX], second[NWK_FRAME_MAX];
	struct aps_frame f = on_report(9, inner, true);
	struct wr w = wr_of(plain, sizeof plain);
	size_t len;

	(void)state;
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	len = rig_seal(&r, NWK_DATA, rd_of(w.octets, w.len), first);
	(void)rig_seal(&r, NWK_DATA, rd_of(w.octets, w.len), second);
	assert_int_equal(rig_octets(&r, rd_of(second, len)), OK);
	refused(second, len, ERR_REPLAY);
	refused(first, len, ERR_REPLAY); /* never seen, but it came too late */
	assert_int_equal(rig_device(&r)->replays, 2);
	rig_restart(&r);
	refused(second, len, ERR_REPLAY);
	refused(first, len, ERR_REPLAY);
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of(w.octets, w.len)), OK);
}

static void an_unsealed_frame_is_refused(void **state)
{
	const struct nwk_frame f = {.type = NWK_COMMAND, .protocol_version = 2, .source = RIG_SHORT, .radius = 1, .has_source_eui64 = true,
		.source_eui64 = RIG_DEVICE, .payload = rd_of("\x04\x00", 2)}; /* Leave */
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	(void)state;
	assert_int_equal(nwk_frame_encode(&f, &w), OK);
	refused(octets, w.len, ERR_NOT_AUTHORISED);
}

/* The right key is not enough: in a plant with one key for many, each speaks for itself. */
static void a_frame_of_another_sealer_or_for_another_is_refused(void **state)
{
	struct nwk_frame f = {.type = NWK_DATA, .protocol_version = 2, .source = RIG_SHORT, .radius = 30, .payload = rd_of("x", 1)};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	(void)state;
	assert_int_equal(nwk_seal(r.key, r.key_sequence, RIG_DEVICE + 1, 1000, &f, &w), OK);
	refused(octets, w.len, ERR_NOT_AUTHORISED);
	w = wr_of(octets, sizeof octets);
	assert_int_equal(nwk_seal(r.key, r.key_sequence, RIG_GATEWAY, 1000, &f, &w), OK); /* our own, thrown back */
	refused(octets, w.len, ERR_NOT_AUTHORISED);
	w = wr_of(octets, sizeof octets);
	f.destination = 0x4444;
	assert_int_equal(nwk_seal(r.key, r.key_sequence, RIG_DEVICE, 1000, &f, &w), OK);
	refused(octets, w.len, ERR_NOT_PERMITTED);
	w = wr_of(octets, sizeof octets);
	f.destination = NWK_COORDINATOR;
	assert_int_equal(nwk_seal(r.key, (uint8_t)(r.key_sequence + 1), RIG_DEVICE, 1000, &f, &w), OK);
	refused(octets, w.len, ERR_UNKNOWN_KEY);
}

static void a_frame_has_no_effect_before_its_counter_is_on_disk(void **state)
{
	uint8_t inner[16];
	struct aps_frame f = on_report(9, inner, true);

	(void)state;
	r.save_answer = ERR_STORE;
	assert_int_equal(rig_aps(&r, &f), ERR_STORE);
	assert_int_equal(r.count, 0);
	r.save_answer = OK;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_non_null(rig_effect(&r, OCI_RAW, 0));
	assert_int_equal(r.stored.present.in.last, r.counter - 1);
}

/* ---- the next key ---- */

static void a_pending_key_replaces_the_present_one_at_its_first_frame_and_not_before(void **state)
{
	struct secret *former = secret_dup(r.key), *next = secret_random(&r.rng, SECRET_AES128);
	uint8_t octets[NWK_FRAME_MAX];
	struct rig_down d;
	size_t len;

	(void)state;
	assert_int_equal(rig_offer(&r, next, RIG_SEQUENCE + 1, 2), OK); /* somebody associated in its name, perhaps */
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	assert_int_equal(rig_device(&r)->present.generation, 1);
	assert_true(secret_equal(rig_device(&r)->present.network->key, former));
	rig_restart(&r); /* both survive */
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	len = rig_seal(&r, NWK_DATA, rd_of("x", 1), octets);

	secret_free(r.key);
	r.key = secret_dup(next);
	r.key_sequence++;
	r.counter = 0; /* it counts from the beginning under a new key */
	{
		const struct nwk_command c = timeout_request(2);

		assert_int_equal(rig_command(&r, &c), OK);
	}
	assert_true(rig_text(&r, OCI_EVENT, "joined"));
	assert_true(rig_down(&r, 0, &d)); /* opens under the new key */
	assert_int_equal(rig_device(&r)->present.generation, 2);
	assert_string_equal(rig_device(&r)->present.id, "key2");
	assert_null(rig_device(&r)->pending.network);
	assert_int_equal(r.stored.present.generation, 2);
	refused(octets, len, ERR_UNKNOWN_KEY);
	secret_free(former);
	secret_free(next);
}

static void a_wrong_frame_does_not_make_the_pending_key_the_present_one(void **state)
{
	struct secret *next = secret_random(&r.rng, SECRET_AES128), *other = secret_random(&r.rng, SECRET_AES128), *former;
	uint8_t octets[NWK_FRAME_MAX];
	size_t len;

	(void)state;
	assert_int_equal(rig_offer(&r, next, RIG_SEQUENCE, 2), OK); /* the same sequence number: both keys are tried */
	former = r.key;
	r.key = other;
	r.counter += 100;
	len = rig_seal(&r, NWK_DATA, rd_of("x", 1), octets);
	refused(octets, len, ERR_BAD_MIC);
	assert_int_equal(rig_device(&r)->present.generation, 1);
	r.key = former;
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	secret_free(next);
	secret_free(other);
}

static void the_same_key_offered_again_changes_no_counter(void **state)
{
	uint32_t last;

	(void)state;
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	last = rig_device(&r)->present.in.last;
	assert_int_equal(rig_offer(&r, r.key, r.key_sequence, 1), OK);
	assert_true(rig_device(&r)->present.in.any);
	assert_int_equal(rig_device(&r)->present.in.last, last);
	assert_null(rig_device(&r)->pending.network);
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
}

/* Messages of a gateway are numbered by it. */
static void a_device_at_another_gateway_is_counted_anew(void **state)
{
	struct oci_key_order o = {RIG_DEVICE, RIG_GATEWAY + 1, RIG_SHORT, RIG_SLEEPS, "/id-mn2/cse-mn2/gw2/f0124b0000000001", "cold room", NULL, 0, 2, "key2", false, NULL, 0};

	(void)state;
	rig_device(&r)->uplink = 500;
	assert_int_equal(rig_offer(&r, r.key, r.key_sequence, 1), OK);
	assert_int_equal(rig_device(&r)->uplink, 500);
	o.key = secret_dup(r.key);
	assert_int_equal(oci_core_key(r.core, r.now, &o), OK);
	assert_int_equal(rig_device(&r)->uplink, 0);
	assert_int_equal(r.stored.uplink, 0);
}

/* ---- APS: acknowledgements, duplicates, repeats, fragments ---- */

/* What a device is told to be received it will not send again. */
static void an_acknowledgement_goes_when_what_it_is_for_is_on_disk(void **state)
{
	const struct zdo_message question = {.cluster = ZDO_POWER_DESC, .sequence = 5};
	uint8_t inner[16];
	struct aps_frame f = on_report(40, inner, true);

	(void)state;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.effects[0].type, OCI_DOWNLINK);
	assert_true(r.effects[0].when_kept);
	assert_non_null(rig_effect(&r, OCI_RAW, 0));
	assert_int_equal(rig_aps(&r, &f), OK); /* a repeat: the former may be on its way to the disk */
	assert_int_equal(r.count, 1);
	assert_true(r.effects[0].when_kept);
	assert_int_equal(rig_zdo(&r, &question), OK); /* nothing of it is kept */
	assert_false(rig_effect(&r, OCI_DOWNLINK, 0)->when_kept);
}

/* The disk was full: the device says it again, and then it is taken as if for the first time. */
static void what_could_not_be_kept_is_no_repeat_when_it_comes_again(void **state)
{
	uint8_t inner[16], second[16];
	struct aps_frame f = on_report(40, inner, true), other = on_report(41, second, false);
	struct oci_effect first, repeat, kept;

	(void)state;
	assert_int_equal(rig_aps(&r, &other), OK);
	kept = r.effects[0];
	assert_true(oci_core_kept(r.core, &kept, true));
	assert_int_equal(rig_aps(&r, &f), OK);
	first = r.effects[0];
	assert_int_equal(rig_aps(&r, &f), OK);
	repeat = r.effects[0];
	assert_int_equal(rig_effects(&r, OCI_RAW), 0);
	assert_false(oci_core_kept(r.core, &first, false));
	assert_false(oci_core_kept(r.core, &repeat, true)); /* of what is lost: what was kept meanwhile is another's */
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_RAW), 1);
	assert_true(r.effects[0].when_kept);
	assert_true(oci_core_kept(r.core, &r.effects[0], true));
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_RAW), 0); /* now it is one */
	assert_int_equal(rig_aps(&r, &other), OK);     /* and the other is one still */
	assert_int_equal(rig_effects(&r, OCI_RAW), 0);
	assert_true(oci_core_kept(r.core, &r.effects[0], true));
	first.eui64++;
	assert_false(oci_core_kept(r.core, &first, true)); /* it has gone */
}

/* The last fragment's acknowledgement is the message's: without it that fragment alone is sent again. */
static void a_last_fragment_that_could_not_be_kept_brings_the_message_again(void **state)
{
	uint8_t inner[16];
	struct aps_frame f = on_report(40, inner, true);
	const struct rd whole = f.payload;

	(void)state;
	f.extended_header = true;
	f.fragmentation = APS_FIRST_FRAGMENT;
	f.block = 2;
	f.payload = rd_of(whole.at, 4);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_false(r.effects[0].when_kept);
	f.fragmentation = APS_FRAGMENT;
	f.block = 1;
	f.payload = rd_of(whole.at + 4, whole.left - 4);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rig_aps(&r, &f), OK);
		assert_int_equal(rig_effects(&r, OCI_RAW), i != 1);
		assert_true(r.effects[0].when_kept); /* of the second too, which is a repeat */
		if (i == 1)
			assert_false(oci_core_kept(r.core, &r.effects[0], false));
	}
	assert_true(oci_core_kept(r.core, &r.effects[0], true));
}

static void a_frame_that_asks_is_acknowledged_each_time_and_acted_on_once(void **state)
{
	uint8_t inner[16];
	struct aps_frame f = on_report(77, inner, true);
	struct rig_down d;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rig_aps(&r, &f), OK); /* the same APS frame in a new NWK frame: our acknowledgement was lost */
		assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1);
		assert_true(rig_down(&r, 0, &d));
		assert_int_equal(d.aps.type, APS_ACK);
		assert_int_equal(d.aps.counter, 77);
		assert_int_equal(d.aps.cluster, ZCL_ON_OFF);
		assert_int_equal(d.aps.profile, APS_PROFILE_HOME_AUTOMATION);
		assert_int_equal(d.aps.destination_endpoint, 2);
		assert_int_equal(d.aps.source_endpoint, 1);
		assert_int_equal(rig_effects(&r, OCI_RAW), i == 0);
		assert_int_equal(oci_core_deadline(r.core) < r.now + 2000, false); /* an acknowledgement awaits none */
	}
	r.now += 20001;
	assert_int_equal(rig_aps(&r, &f), OK); /* eight bits come round again */
	assert_int_equal(rig_effects(&r, OCI_RAW), 1);
	f.ack_request = false;
	f.counter++;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_int_equal(rig_effects(&r, OCI_RAW), 1);
	f.ack_request = true;
	f.delivery = APS_BROADCAST;
	f.counter++;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
}

/* Asks for the coordinator's power descriptor; the answer wants an acknowledgement. */
static void make_it_answer(struct rig_down *d)
{
	const struct zdo_message m = {.cluster = ZDO_POWER_DESC, .sequence = 5};

	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_true(rig_asked(&r, d));
	assert_true(d->aps.ack_request);
	assert_int_equal(d->zdo.sequence, 5);
}

/* The device's commissioning is over and it has nothing to be asked: only what the test sends is repeated. */
static void quiet(void)
{
	rig_device(&r)->interview = OCI_INTERVIEW_DONE;
	rig_device(&r)->step_at = CLOCK_NEVER;
}

static void what_is_not_acknowledged_is_repeated_under_new_counters_and_then_given_up(void **state)
{
	struct rig_down first, again;
	uint32_t counter;

	(void)state;
	quiet();
	make_it_answer(&first);
	counter = first.aux.frame_counter;
	rig_run(&r, 60000);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(rig_down(&r, i, &again));
		assert_int_equal(again.aps.counter, first.aps.counter);
		assert_true(again.aux.frame_counter > counter);
		assert_int_not_equal(again.nwk.sequence, first.nwk.sequence);
		counter = again.aux.frame_counter;
	}
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void an_acknowledgement_ends_the_repeats_of_its_own_frame(void **state)
{
	struct aps_frame ack;
	struct rig_down d;

	(void)state;
	quiet();
	make_it_answer(&d);
	aps_ack_for(&d.aps, &ack);
	ack.counter++;
	assert_int_equal(rig_aps(&r, &ack), OK); /* another's */
	assert_true(oci_core_deadline(r.core) < CLOCK_NEVER);
	ack.counter--;
	assert_int_equal(rig_aps(&r, &ack), OK);
	assert_int_equal(r.count, 0);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void a_sleeper_gets_longer_to_acknowledge(void **state)
{
	struct rig_down d;

	(void)state;
	quiet();
	make_it_answer(&d);
	assert_true(oci_core_deadline(r.core) >= r.now + 5000);
}

static void a_message_in_fragments_is_put_together_in_any_order(void **state)
{
	uint8_t inner[16];
	struct aps_frame f = on_report(40, inner, true);
	const struct rd whole = f.payload;
	static const uint8_t order[] = {2, 0, 2, 1};
	struct rig_down d;

	(void)state;
	f.extended_header = true;
	for (size_t i = 0; i < sizeof order; i++) {
		uint8_t block = order[i];

		f.fragmentation = block == 0 ? APS_FIRST_FRAGMENT : APS_FRAGMENT;
		f.block = block == 0 ? 3 : block;
		f.payload = rd_of(whole.at + 2 * block, block == 2 ? whole.left - 4 : 2);
		assert_int_equal(rig_aps(&r, &f), OK);
		assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1);
		assert_true(rig_down(&r, 0, &d));
		assert_int_equal(d.aps.type, APS_ACK);
		assert_int_equal(d.aps.counter, 40);
		assert_true(d.aps.extended_header);
		assert_int_equal(d.aps.block, block);
		assert_true(d.aps.ack_bitfield & 1);
		assert_int_equal(rig_effects(&r, OCI_RAW), i == 3);
	}
	assert_int_equal(rig_effect(&r, OCI_RAW, 0)->len, 4);
}

static void fragments_out_of_bounds_or_sealed_are_refused(void **state)
{
	uint8_t inner[16];
	struct aps_frame f = on_report(41, inner, true);

	(void)state;
	f.extended_header = true;
	f.fragmentation = APS_FIRST_FRAGMENT;
	f.block = 0; /* of none */
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG));
	f.block = 200;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG));
	f.block = 2;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1);
	f.fragmentation = APS_FRAGMENT;
	f.block = 2; /* of 0 and 1 */
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG));
	f.block = 1;
	f.security = true;
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG));
	f.security = false;
	f.counter++; /* another message while this one is open */
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, rig_effects(&r, OCI_LOG));
}

/* ---- what keeps a device ---- */

static void an_end_device_timeout_request_is_answered(void **state)
{
	(void)state;
	for (uint8_t n = 0; n <= 15; n++) {
		const struct nwk_command c = timeout_request(n);
		const struct oci_effect *e;
		struct rig_down d;

		assert_int_equal(rig_command(&r, &c), OK);
		assert_true(rig_down(&r, 0, &d));
		assert_int_equal(d.nwk.type, NWK_COMMAND);
		assert_int_equal(d.nwk.destination, RIG_SHORT);
		assert_int_equal(d.nwk.radius, 1);
		assert_true(d.nwk.has_destination_eui64 && d.nwk.destination_eui64 == RIG_DEVICE);
		assert_true(d.nwk.has_source_eui64 && d.nwk.source_eui64 == RIG_GATEWAY);
		assert_int_equal(d.command.id, NWK_END_DEVICE_TIMEOUT_RESPONSE);
		assert_int_equal(d.command.timeout_response.status, n == 15);
		assert_int_equal(d.command.timeout_response.parent_information & 1, 1);
		e = rig_effect(&r, OCI_CHILD_SET, 0);
		if (n == 15) {
			assert_null(e); /* out of range: nothing changes */
			continue;
		}
		assert_non_null(e);
		assert_int_equal(e->short_address, RIG_SHORT);
		assert_int_equal(e->timeout_s, n == 0 ? 10 : (60U << n)); /* clause 3.4.11.3.1 */
	}
}

static void nothing_of_commissioning_is_answered_when_told_so(void **state)
{
	const struct nwk_command c = timeout_request(2);
	const struct zdo_message node = {.cluster = ZDO_NODE_DESC};
	const struct aps_frame f = {.type = APS_COMMAND, .counter = 1, .payload = rd_of("\x08\x04", 2)};

	(void)state;
	r.answer_commissioning = false;
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	rig_restart(&r);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_zdo(&r, &node), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_int_equal(r.count, 0);
}

static void a_secured_rejoin_is_answered_at_the_address_it_came_from(void **state)
{
	const struct nwk_command c = {.id = NWK_REJOIN_REQUEST, .rejoin_request = {RIG_SLEEPS}};
	struct rig_down d;

	(void)state;
	r.short_address = 0x4711;
	assert_int_equal(rig_command(&r, &c), OK);
	assert_true(rig_text(&r, OCI_EVENT, "rejoined"));
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.command.id, NWK_REJOIN_RESPONSE);
	assert_int_equal(d.command.rejoin_response.short_address, 0x4711);
	assert_int_equal(d.command.rejoin_response.status, 0);
	assert_int_equal(d.nwk.destination, 0x4711);
	/* The gateway learns the address before it is to deliver there. */
	assert_int_equal(r.effects[0].type, OCI_CHILD_SET);
	assert_int_equal(r.effects[0].short_address, 0x4711);
	assert_int_equal(r.effects[0].capability, RIG_SLEEPS);
	assert_int_equal(rig_device(&r)->capability, RIG_SLEEPS);
}

static void a_leaving_device_is_dropped_and_its_frames_with_it(void **state)
{
	const struct nwk_command asked = {.id = NWK_LEAVE, .leave = {.request = true}}, c = {.id = NWK_LEAVE};
	struct rig_down d;

	(void)state;
	quiet();
	make_it_answer(&d);
	assert_int_equal(rig_command(&r, &asked), OK); /* only we may ask that */
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_true(rig_text(&r, OCI_EVENT, "left"));
	assert_non_null(rig_effect(&r, OCI_CHILD_DROP, 0));
	assert_false(rig_device(&r)->joined);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
	rig_restart(&r);
	assert_false(rig_device(&r)->joined);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

/* Leave with the rejoin flag: it comes back under the same key, and must find its place. */
static void a_device_that_leaves_to_rejoin_keeps_its_place(void **state)
{
	const struct nwk_command c = {.id = NWK_LEAVE, .leave = {.rejoin = true}};

	(void)state;
	assert_int_equal(rig_command(&r, &c), OK);
	assert_null(rig_effect(&r, OCI_CHILD_DROP, 0));
	assert_null(rig_effect(&r, OCI_EVENT, 0));
	assert_true(rig_device(&r)->joined);
}

static void commands_that_a_star_does_not_need_are_taken_in_silence(void **state)
{
	const struct nwk_command others[] = {
		{.id = NWK_ROUTE_REQUEST, .route_request = {.id = 1}},
		{.id = NWK_ROUTE_REPLY},
		{.id = NWK_ROUTE_RECORD},
		{.id = NWK_NETWORK_REPORT, .other = rd_of("\0\1\0\0", 4)},
		{.id = NWK_NETWORK_UPDATE, .other = rd_of("\0\1\0\0", 4)},
	};
	const struct nwk_command link = {.id = NWK_LINK_STATUS, .link_status = {.first = true, .last = true, .count = 1, .links = {{0, 1, 1}}}};
	const struct nwk_command status = {.id = NWK_NETWORK_STATUS, .network_status = {.status = 9}};

	(void)state;
	assert_int_equal(rig_command(&r, &link), OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(rig_device(&r)->present.in.last, r.counter - 1); /* its counter is taken all the same */
	assert_int_equal(rig_command(&r, &status), OK);
	assert_int_equal(r.count, 0);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_int_equal(rig_command(&r, &others[i]), OK);
		assert_int_equal(r.count, 0);
	}
}

/* ---- the Trust Centre's frames ---- */

static void aps_commands_go_up_with_a_counter_lent(void **state)
{
	struct aps_frame f = {.type = APS_COMMAND, .ack_request = true, .counter = 8, .payload = rd_of("\x08\x04", 2)};
	const struct oci_effect *e;
	struct rig_down d;
	uint8_t lent;

	(void)state;
	assert_int_equal(rig_aps(&r, &f), OK); /* Request-Key is not APS-sealed */
	e = rig_effect(&r, OCI_APS_RELAY, 0);
	assert_non_null(e);
	lent = e->counter;
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1);
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.aps.type, APS_ACK);
	assert_true(d.aps.ack_format);
	assert_int_equal(rig_aps(&r, &f), OK); /* repeated: acknowledged, not passed up again */
	assert_null(rig_effect(&r, OCI_APS_RELAY, 0));
	assert_non_null(rig_effect(&r, OCI_DOWNLINK, 0));
	f.security = true;
	f.counter++;
	assert_int_equal(rig_aps(&r, &f), OK); /* sealed: whether it is genuine only the EG can tell, so no acknowledgement from us */
	e = rig_effect(&r, OCI_APS_RELAY, 0);
	assert_non_null(e);
	assert_int_equal(e->counter, (uint8_t)(lent + 1));
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_int_equal(oci_core_lend_counter(r.core, RIG_DEVICE), (uint8_t)(lent + 2));
}

static void a_frame_of_the_trust_centre_goes_down_as_it_is(void **state)
{
	const struct aps_frame f = {.type = APS_COMMAND, .security = true, .ack_request = true, .counter = 200, .payload = rd_of("sealed elsewhere", 16)};
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame ack = {.type = APS_ACK, .ack_format = true, .counter = 200};
	struct rig_down d;

	(void)state;
	quiet();
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of(w.octets, w.len), true, 8);
	rig_collect(&r);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 2);
	assert_true(rig_down(&r, 0, &d)); /* first the acknowledgement of what it answers */
	assert_int_equal(d.aps.type, APS_ACK);
	assert_int_equal(d.aps.counter, 8);
	assert_true(rig_down(&r, 1, &d));
	assert_int_equal(d.aps.counter, 200);
	assert_true(d.aps.security);
	assert_true(rd_is(d.aps.payload, "sealed elsewhere"));
	rig_run(&r, 10000);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1); /* repeated as it is */
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.aps.counter, 200);
	assert_int_equal(rig_aps(&r, &ack), OK);
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
	oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of("\xff", 1), false, 0); /* no APS frame */
	oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of(NULL, 0), false, 0);   /* the EG had nothing to say */
	rig_collect(&r);
	assert_int_equal(r.count, 0);
}

static void a_forgotten_device_is_told_to_leave_and_is_unknown_afterwards(void **state)
{
	struct rig_down d;

	(void)state;
	rig_device(&r)->capability = RIG_LISTENS;
	oci_core_forget(r.core, r.now, RIG_DEVICE);
	rig_collect(&r);
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.command.id, NWK_LEAVE);
	assert_true(d.command.leave.request);
	assert_false(d.command.leave.rejoin);
	assert_int_equal(rig_effect(&r, OCI_DOWNLINK, 0)->validity_ms, 20000);
	assert_non_null(rig_effect(&r, OCI_CHILD_DROP, 0));
	assert_null(oci_core_device(r.core, RIG_DEVICE));
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), ERR_UNKNOWN_DEVICE);
	oci_core_forget(r.core, r.now, RIG_DEVICE);
	rig_collect(&r);
	assert_int_equal(r.count, 0);
}

static void its_leave_waits_for_a_sleeper_as_long_as_that_may_sleep(void **state)
{
	(void)state;
	rig_device(&r)->capability = RIG_SLEEPS;
	rig_device(&r)->timeout_s = 7680;
	oci_core_forget(r.core, r.now, RIG_DEVICE);
	rig_collect(&r);
	assert_int_equal(rig_effect(&r, OCI_DOWNLINK, 0)->validity_ms, 7680000);
	assert_int_equal(rig_effect(&r, OCI_CHILD_DROP, 0)->type, OCI_CHILD_DROP);
}

/* ---- counters down ---- */

static void counters_rise_by_one_and_stay_below_what_is_on_disk(void **state)
{
	const struct nwk_command c = timeout_request(2);
	uint32_t expected = 0;
	struct rig_down d;

	(void)state;
	for (unsigned i = 0; i < 2500; i++) {
		assert_int_equal(rig_command(&r, &c), OK);
		assert_true(rig_down(&r, 0, &d));
		assert_int_equal(d.aux.frame_counter, expected++);
		assert_true(d.aux.frame_counter < r.stored.present.network->out_reserved);
	}
	rig_restart(&r);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_true(rig_down(&r, 0, &d));
	assert_true(d.aux.frame_counter >= expected);
	assert_true(d.aux.frame_counter < expected + 1024); /* skips what is left of one block, no more */
}

static void without_a_durable_counter_nothing_is_sent(void **state)
{
	struct rig_down d;

	(void)state;
	quiet();
	/* the first frame down of this device: nothing is reserved yet */
	r.save_answer = ERR_STORE;
	oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of(NULL, 0), true, 1);
	rig_collect(&r);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_int_equal(rig_effects(&r, OCI_LOG), 1);
	r.save_answer = OK;
	oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of(NULL, 0), true, 1);
	rig_collect(&r);
	assert_true(rig_down(&r, 0, &d));
	assert_true(d.aux.frame_counter < r.stored.present.network->out_reserved);
}

static void an_exhausted_counter_sends_nothing_and_never_wraps(void **state)
{
	struct rig_down d;
	unsigned sent = 0;

	(void)state;
	quiet();
	r.stored.present.network->out_reserved = COUNTER_LIMIT - 3;
	rig_restart(&r);
	for (unsigned i = 0; i < 10; i++) {
		oci_core_aps(r.core, r.now, RIG_DEVICE, rd_of(NULL, 0), true, 1);
		rig_collect(&r);
		if (!rig_down(&r, 0, &d))
			continue;
		assert_int_equal(d.aux.frame_counter, COUNTER_LIMIT - 3 + sent);
		sent++;
	}
	assert_int_equal(sent, 3);
}

#define CROWD 700

static void crowd(uint64_t first, uint8_t capability, enum oci_interview interview)
{
	quiet();
	for (uint64_t i = 0; i < CROWD; i++) {
		struct oci_device d = r.stored;

		d.eui64 = first + i;
		d.capability = capability;
		d.interview = interview;
		d.present.network = oci_network_dup(d.present.network);
		d.joined = true;
		assert_non_null(oci_core_restore(r.core, r.now, &d));
		rig_collect(&r);
	}
}

/* Frames of all that is due now. */
static size_t crowd_told(void)
{
	size_t n = 0;

	for (unsigned round = 0; round < 100 && oci_core_deadline(r.core) <= r.now; round++) {
		oci_core_tick(r.core, r.now);
		rig_collect(&r);
		n += rig_effects(&r, OCI_DOWNLINK);
	}
	return n;
}

/* Many devices at one moment: what does not fit into the list of effects waits, and nothing is lost. */
static void a_crowd_of_devices_loses_no_frame(void **state)
{
	const struct oci_raw raw = {.endpoint = 1, .cluster = ZCL_ON_OFF, .command = 1};

	(void)state;
	crowd(1000, 0x8c, OCI_INTERVIEW_DONE);
	for (uint64_t i = 0; i < CROWD; i++) {
		assert_int_equal(oci_core_raw(r.core, r.now, 1000 + i, &raw, rd_of(NULL, 0)), OK);
		rig_collect(&r);
	}
	r.now = oci_core_deadline(r.core); /* nobody has acknowledged it */
	assert_int_equal(crowd_told(), CROWD);
}

/* The way to the gateway is for those that still wait for their keys, and the channel for who has something to say. */
static void a_crowd_is_interviewed_some_at_a_time(void **state)
{
	(void)state;
	crowd(1000, 0x8c, OCI_INTERVIEW_WAITING);
	crowd(2000, 0x80, OCI_INTERVIEW_WAITING);
	r.now += 1000;
	assert_int_equal(crowd_told(), 8 + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_good_frame_joins_and_no_other, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_frame_of_an_unknown_device_is_refused, fresh, teardown),
		cmocka_unit_test_setup_teardown(the_device_announces_itself, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_frame_with_any_bit_changed_is_refused, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_replayed_frame_is_refused, sleeper, teardown),
		cmocka_unit_test_setup_teardown(an_unsealed_frame_is_refused, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_frame_of_another_sealer_or_for_another_is_refused, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_frame_has_no_effect_before_its_counter_is_on_disk, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_pending_key_replaces_the_present_one_at_its_first_frame_and_not_before, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_frame_does_not_make_the_pending_key_the_present_one, sleeper, teardown),
		cmocka_unit_test_setup_teardown(the_same_key_offered_again_changes_no_counter, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_device_at_another_gateway_is_counted_anew, sleeper, teardown),
		cmocka_unit_test_setup_teardown(an_acknowledgement_goes_when_what_it_is_for_is_on_disk, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_frame_that_asks_is_acknowledged_each_time_and_acted_on_once, sleeper, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_acknowledged_is_repeated_under_new_counters_and_then_given_up, listener, teardown),
		cmocka_unit_test_setup_teardown(an_acknowledgement_ends_the_repeats_of_its_own_frame, listener, teardown),
		cmocka_unit_test_setup_teardown(a_sleeper_gets_longer_to_acknowledge, sleeper, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_kept_is_no_repeat_when_it_comes_again, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_last_fragment_that_could_not_be_kept_brings_the_message_again, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_message_in_fragments_is_put_together_in_any_order, sleeper, teardown),
		cmocka_unit_test_setup_teardown(fragments_out_of_bounds_or_sealed_are_refused, sleeper, teardown),
		cmocka_unit_test_setup_teardown(an_end_device_timeout_request_is_answered, sleeper, teardown),
		cmocka_unit_test_setup_teardown(nothing_of_commissioning_is_answered_when_told_so, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_secured_rejoin_is_answered_at_the_address_it_came_from, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_leaving_device_is_dropped_and_its_frames_with_it, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_leaves_to_rejoin_keeps_its_place, sleeper, teardown),
		cmocka_unit_test_setup_teardown(commands_that_a_star_does_not_need_are_taken_in_silence, listener, teardown),
		cmocka_unit_test_setup_teardown(aps_commands_go_up_with_a_counter_lent, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_frame_of_the_trust_centre_goes_down_as_it_is, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_forgotten_device_is_told_to_leave_and_is_unknown_afterwards, sleeper, teardown),
		cmocka_unit_test_setup_teardown(its_leave_waits_for_a_sleeper_as_long_as_that_may_sleep, sleeper, teardown),
		cmocka_unit_test_setup_teardown(counters_rise_by_one_and_stay_below_what_is_on_disk, sleeper, teardown),
		cmocka_unit_test_setup_teardown(without_a_durable_counter_nothing_is_sent, sleeper, teardown),
		cmocka_unit_test_setup_teardown(an_exhausted_counter_sends_nothing_and_never_wraps, sleeper, teardown),
		cmocka_unit_test_setup_teardown(a_crowd_of_devices_loses_no_frame, listener, teardown),
		cmocka_unit_test_setup_teardown(a_crowd_is_interviewed_some_at_a_time, listener, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
