/* Every vector of tests/vectors/zigbee.json: hashes, install codes, CCM*, FCS, beacons, single frames and two whole joins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/mmo.h"
#include "crypto/ccm_star.h"
#include "ieee802154/mac_frame.h"
#include "json/json.h"
#include "keys/secret_octets.h"
#include "zigbee/beacon.h"
#include "zigbee/security/aps_security.h"
#include "zigbee/security/install_code.h"
#include "zigbee/security/link_key.h"
#include "zigbee/security/nwk_security.h"

#define OCTETS_MAX 256

static char *file;
static struct json_arena *arena;
static const struct json *vectors;

struct octets {
	uint8_t at[OCTETS_MAX];
	size_t len;
};

static bool has(const struct json *v, const char *path)
{
	const struct json *m = json_path(v, path);

	return m && m->type != JSON_NULL;
}

static struct octets hex(const struct json *v, const char *path)
{
	struct octets o = {.len = 0};
	struct rd text;

	if (!json_string(json_path(v, path), &text) || !hex_parse_loose(text, o.at, sizeof o.at, &o.len))
		fail_msg("vector has no hexadecimal `%s`", path);
	return o;
}

static struct secret *key_of(const struct json *v, const char *path)
{
	struct octets o = hex(v, path);

	return secret_take(o.at, o.len);
}

static struct rd rd_hex(const struct octets *o)
{
	return rd_of(o->at, o->len);
}

static struct rd json_string_of(const struct json *v)
{
	struct rd text = {NULL, 0};

	assert_true(json_string(v, &text));
	return text;
}

static uint64_t number(const struct json *v, const char *path)
{
	uint64_t n = 0;

	assert_true(json_uint(json_path(v, path), &n));
	return n;
}

static void equal(struct rd got, const struct octets *want, const struct json *v)
{
	char name[160] = "?";

	if (!json_text(json_get(v, "name"), name, sizeof name))
		name[0] = '?';
	if (!rd_equal(got, rd_hex(want)))
		fail_msg("%s: octets differ", name);
}

#define EACH(v, list) for (const struct json *v = json_get(vectors, list)->first; v; v = v->next)

static void hashes(void **state)
{
	(void)state;
	EACH(v, "mmo")
	{
		struct octets in = hex(v, "in"), out = hex(v, "out");
		uint8_t digest[MMO_SIZE];

		mmo_hash(rd_hex(&in), digest);
		equal(rd_of(digest, sizeof digest), &out, v);
	}
	EACH(v, "keyed_hash")
	{
		struct octets in = hex(v, "input"), out = hex(v, "out");
		struct secret *key = key_of(v, "key");
		uint8_t digest[MMO_SIZE];

		mmo_hmac(key, rd_hex(&in), digest);
		equal(rd_of(digest, sizeof digest), &out, v);
		secret_free(key);
	}
}

static void install_codes(void **state)
{
	(void)state;
	EACH(v, "install_code")
	{
		struct octets link = hex(v, "link_key"), transport = hex(v, "key_transport_key"), load = hex(v, "key_load_key"), verify = hex(v, "verify_key_hash");
		struct secret *code = NULL, *key = NULL, *derived = NULL;
		uint8_t hash[16];
		char text[80], crc[8];
		bool good = false;

		assert_true(json_text(json_get(v, "install_code"), text, sizeof text) && json_text(json_get(v, "crc_le_on_label"), crc, sizeof crc));
		strcat(text, crc);
		assert_true(json_bool(json_get(v, "crc_ok"), &good));
		assert_int_equal(install_code_parse(rd_str(text), &code), good ? OK : ERR_BAD_CRC);
		if (!good)
			continue;
		assert_int_equal(install_code_link_key(code, &key), OK);
		equal(rd_of(secret_octets(key), 16), &link, v);
		assert_int_equal(link_key_transport(key, &derived), OK);
		equal(rd_of(secret_octets(derived), 16), &transport, v);
		secret_free(derived);
		assert_int_equal(link_key_load(key, &derived), OK);
		equal(rd_of(secret_octets(derived), 16), &load, v);
		secret_free(derived);
		link_key_verify_hash(key, hash);
		equal(rd_of(hash, sizeof hash), &verify, v);
		secret_free(key);
		secret_free(code);
	}
}

static void refuses_install_codes_of_other_lengths(void **state)
{
	struct secret *code;

	(void)state;
	assert_int_equal(install_code_parse(rd_str("83FED3407A939723A5C639B26916D505C3B5"), &code), OK);
	secret_free(code);
	assert_int_equal(install_code_parse(rd_str("83:FE:D3:40:7A:93:97:23:A5:C6:39:B2:69:16:D5:05:C3:B5"), &code), OK);
	secret_free(code);
	assert_int_equal(install_code_parse(rd_str("83FED3407A939723A5C639B26916D505"), &code), ERR_MALFORMED);
	assert_int_equal(install_code_parse(rd_str("83FED3407A939723A5C639B26916D505C3B50000"), &code), ERR_MALFORMED);
	assert_int_equal(install_code_parse(rd_str(""), &code), ERR_MALFORMED);
	assert_int_equal(install_code_parse(rd_str("zz"), &code), ERR_MALFORMED);
}

static void ccm_star(void **state)
{
	(void)state;
	EACH(v, "ccm_star")
	{
		struct octets nonce = hex(v, "nonce"), aad = hex(v, "aad"), plain = hex(v, "plain"), out = hex(v, "out");
		struct secret *key = key_of(v, "key");
		size_t mic = (size_t)number(v, "M");
		uint8_t buffer[OCTETS_MAX];

		assert_int_equal(ccm_star_seal(key, nonce.at, rd_hex(&aad), rd_hex(&plain), mic, buffer), OK);
		equal(rd_of(buffer, plain.len + mic), &out, v);
		assert_int_equal(ccm_star_open(key, nonce.at, rd_hex(&aad), rd_hex(&out), mic, buffer), OK);
		equal(rd_of(buffer, plain.len), &plain, v);
		for (size_t i = 0; i < out.len; i++) {
			out.at[i] ^= 1;
			assert_int_equal(ccm_star_open(key, nonce.at, rd_hex(&aad), rd_hex(&out), mic, buffer), ERR_BAD_MIC);
			out.at[i] ^= 1;
		}
		secret_free(key);
	}
}

static void check_fcs(const struct json *v, const char *frame_name)
{
	struct octets frame = hex(v, frame_name), fcs = hex(v, "fcs_le");
	uint8_t buffer[OCTETS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd psdu, back;

	mac_fcs_append(&w, rd_hex(&frame));
	assert_true(wr_done(&w, &psdu));
	equal(rd_of(buffer + frame.len, 2), &fcs, v);
	assert_int_equal(mac_fcs_check(psdu, &back), OK);
	buffer[0] ^= 1;
	assert_int_equal(mac_fcs_check(psdu, &back), ERR_BAD_CRC);
}

static void frame_check_sequences(void **state)
{
	(void)state;
	EACH(v, "fcs")
		check_fcs(v, "frame_nofcs");
	EACH(v, "beacon")
		check_fcs(v, "mac_frame_nofcs");
	EACH(v, "frames")
		if (has(v, "fcs_le"))
			check_fcs(v, "mac_frame_nofcs");
}

/* Decodes a MAC frame, encodes it again to the same octets, and tries every shorter form from a block of just that size. */
static void check_mac(const struct octets *frame, struct mac_frame *f, const struct json *v)
{
	uint8_t buffer[OCTETS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd again;

	assert_int_equal(mac_frame_decode(rd_hex(frame), f), OK);
	assert_int_equal(mac_frame_encode(f, &w), OK);
	assert_true(wr_done(&w, &again));
	equal(again, frame, v);
	for (size_t n = 0; n < frame->len; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct mac_frame shorter;
		struct nwk_frame nwk;
		struct aps_frame aps;

		memcpy(exact, frame->at, n);
		if (mac_frame_decode(rd_of(exact, n), &shorter) == OK && nwk_frame_decode(shorter.payload, &nwk) == OK && !nwk.security &&
		    aps_frame_decode(nwk.payload, &aps) == OK)
			assert_true(aps.payload.left <= n);
		free(exact);
	}
}

static void check_beacon(const struct mac_frame *mac, const struct json *v)
{
	struct octets want = hex(v, "beacon_payload");
	uint8_t buffer[OCTETS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zigbee_beacon z;
	struct mac_beacon b;
	struct rd again;

	assert_int_equal(mac_beacon_decode(mac->payload, &b), OK);
	equal(b.payload, &want, v);
	assert_int_equal(mac_beacon_encode(&b, &w), OK);
	assert_true(wr_done(&w, &again) && rd_equal(again, mac->payload));
	assert_int_equal(zigbee_beacon_decode(b.payload, &z), OK);
	wr_reset(&w);
	assert_int_equal(zigbee_beacon_encode(&z, &w), OK);
	assert_true(wr_done(&w, &again));
	equal(again, &want, v);
	for (size_t n = 0; n < b.payload.left; n++)
		assert_int_equal(zigbee_beacon_decode(rd_of(b.payload.at, n), &z), ERR_SHORT);
}

static void beacons(void **state)
{
	(void)state;
	EACH(v, "beacon")
	{
		struct octets frame = hex(v, "mac_frame_nofcs");
		struct mac_frame mac;

		check_mac(&frame, &mac, v);
		check_beacon(&mac, v);
	}
}

/* The security of one layer as a vector describes it: nwk_layer or aps_layer. */
static void check_nwk_security(const struct nwk_frame *nwk, const struct octets *whole, struct rd mac_payload, const struct json *v, uint8_t *plain, struct rd *payload)
{
	struct octets want = hex(v, "nwk_layer.plaintext");
	struct secret *key = key_of(v, "nwk_layer.key");
	uint8_t buffer[OCTETS_MAX], tampered[OCTETS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f = *nwk;
	struct aux_header aux;
	struct rd again, nothing;

	(void)whole;
	assert_int_equal(nwk_open(key, nwk, &aux, plain, payload), OK);
	equal(*payload, &want, v);
	assert_int_equal(aux.frame_counter, number(v, "nwk_layer.frame_counter"));
	f.payload = *payload;
	assert_int_equal(nwk_seal(key, aux.key_sequence, aux.source, aux.frame_counter, &f, &w), OK);
	assert_true(wr_done(&w, &again) && rd_equal(again, mac_payload));
	/* one wrong bit anywhere behind the two first octets of the header must be noticed */
	for (size_t i = 2; i < mac_payload.left; i++) {
		uint8_t scratch[NWK_FRAME_MAX];

		memcpy(tampered, mac_payload.at, mac_payload.left);
		tampered[i] ^= 0x10;
		if (nwk_frame_decode(rd_of(tampered, mac_payload.left), &f) == OK && f.security)
			assert_int_not_equal(nwk_open(key, &f, &aux, scratch, &nothing), OK);
	}
	secret_free(key);
}

static void check_aps(struct rd octets, const struct json *v)
{
	uint8_t buffer[OCTETS_MAX], plain[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct octets fc = hex(v, "aps_fc");
	struct aps_command c;
	struct aps_frame f;
	struct rd again, payload;

	assert_int_equal(aps_frame_decode(octets, &f), OK);
	assert_int_equal(octets.at[0], fc.at[0]);
	assert_int_equal(f.counter, number(v, "aps_counter"));
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	assert_true(wr_done(&w, &again) && rd_equal(again, octets));
	payload = f.payload;
	if (has(v, "aps_layer")) {
		struct secret *key = key_of(v, "aps_layer.key");
		struct octets want = hex(v, "aps_layer.plaintext"), nonce = hex(v, "aps_layer.nonce");
		struct rd source = rd_of(nonce.at, 8);
		struct aux_header aux;
		uint64_t sender = 0;

		assert_true(rd_le64(&source, &sender));
		assert_int_equal(aps_open(key, sender, &f, &aux, plain, &payload), OK);
		equal(payload, &want, v);
		assert_int_equal(aux.key_id, number(v, "aps_layer.key_id"));
		f.payload = payload;
		wr_reset(&w);
		assert_int_equal(aps_seal(key, aux.key_id, aux.key_sequence, aux.extended_nonce, sender, aux.frame_counter, &f, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, octets));
		secret_free(key);
	}
	if (f.type == APS_COMMAND && has(v, "aps_cmd_payload")) {
		struct octets want = hex(v, "aps_cmd_payload");

		equal(payload, &want, v);
		assert_int_equal(aps_command_decode(payload, &c), OK);
		wr_reset(&w);
		assert_int_equal(aps_command_encode(&c, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, payload));
	} else if (f.type == APS_DATA && has(v, "aps_payload")) {
		struct octets want = hex(v, "aps_payload"), cluster = hex(v, "aps_cluster"), profile = hex(v, "aps_profile");

		equal(payload, &want, v);
		assert_int_equal(f.cluster, cluster.at[0] << 8 | cluster.at[1]);
		assert_int_equal(f.profile, profile.at[0] << 8 | profile.at[1]);
	}
}

static void check_nwk(const struct mac_frame *mac, const struct octets *frame, const struct json *v)
{
	uint8_t plain[NWK_FRAME_MAX], buffer[OCTETS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct octets fcf = hex(v, "nwk_fcf");
	struct nwk_command c;
	struct nwk_frame nwk;
	struct rd payload, again;

	assert_int_equal(nwk_frame_decode(mac->payload, &nwk), OK);
	assert_int_equal(mac->payload.at[0] | mac->payload.at[1] << 8, fcf.at[0] << 8 | fcf.at[1]);
	assert_int_equal(nwk.radius, number(v, "nwk_radius"));
	assert_int_equal(nwk_frame_encode(&nwk, &w), OK);
	assert_true(wr_done(&w, &again) && rd_equal(again, mac->payload));
	payload = nwk.payload;
	if (nwk.security) {
		if (!has(v, "nwk_layer"))
			return;
		check_nwk_security(&nwk, frame, mac->payload, v, plain, &payload);
	}
	if (nwk.type == NWK_COMMAND) {
		assert_int_equal(nwk_command_decode(payload, &c), OK);
		wr_reset(&w);
		assert_int_equal(nwk_command_encode(&c, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, payload));
	} else if (has(v, "aps_fc")) {
		check_aps(payload, v);
	}
}

static void check_frame(const struct json *v)
{
	struct octets frame = hex(v, "mac_frame_nofcs");
	struct mac_frame mac;

	check_mac(&frame, &mac, v);
	if (mac.type == MAC_COMMAND) {
		uint8_t buffer[OCTETS_MAX];
		struct wr w = wr_of(buffer, sizeof buffer);
		struct mac_command c;
		struct rd again;

		assert_int_equal(mac_command_decode(mac.payload, &c), OK);
		assert_int_equal(mac_command_encode(&c, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, mac.payload));
	} else if (mac.type == MAC_BEACON && has(v, "beacon_payload")) {
		check_beacon(&mac, v);
	} else if (mac.type == MAC_DATA && has(v, "nwk_fcf")) {
		check_nwk(&mac, &frame, v);
	}
}

static void single_frames(void **state)
{
	(void)state;
	EACH(v, "frames")
		check_frame(v);
}

static void whole_joins(void **state)
{
	size_t frames = 0;

	(void)state;
	EACH(j, "joins")
	for (const struct json *v = json_get(j, "frames")->first; v; v = v->next, frames++)
		check_frame(v);
	assert_true(frames > 20);
}

/* What someone learns who has a join's link keys that were there before it, and listens. */
struct listener {
	struct link_key_set links[4];
	size_t link_count;
	struct secret *network;
	size_t opened;
};

static void learn_link(struct listener *l, struct secret *key)
{
	assert_true(key && l->link_count < 4);
	assert_int_equal(link_key_set_take(&l->links[l->link_count++], key), OK);
}

/* The sender of an APS frame without extended nonce is the one of its NWK frame. */
static bool listener_opens(const struct listener *l, uint64_t sender, const struct aps_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct aux_header aux;

	for (size_t i = l->link_count; i-- > 0;)
		if (aps_open_set(&l->links[i], sender, f, &aux, plain, payload) == OK)
			return true;
	return false;
}

static void hear_command(struct listener *l, struct rd payload)
{
	uint8_t octets[SECRET_AES128];
	struct aps_command c;

	assert_int_equal(aps_command_decode(payload, &c), OK);
	if (c.id != APS_TRANSPORT_KEY)
		return;
	assert_true(rd_copy(&c.transport_key.key_octets, octets, sizeof octets));
	if (c.transport_key.type == APS_KEY_TC_LINK) {
		learn_link(l, secret_take(octets, sizeof octets));
	} else {
		assert_int_equal(c.transport_key.type, APS_KEY_STANDARD_NETWORK);
		assert_null(l->network);
		l->network = secret_take(octets, sizeof octets);
	}
}

static void hear_aps(struct listener *l, uint64_t sender, struct rd octets, const struct json *v)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_frame f;
	struct rd payload;

	assert_int_equal(aps_frame_decode(octets, &f), OK);
	payload = f.payload;
	if (f.security) {
		struct octets want = hex(v, "aps_layer.plaintext");

		assert_true(listener_opens(l, sender, &f, plain, &payload));
		equal(payload, &want, v);
	}
	if (f.type == APS_COMMAND)
		hear_command(l, payload);
}

static void hear(struct listener *l, const struct json *v)
{
	struct octets frame = hex(v, "mac_frame_nofcs");
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux = {.source = 0};
	struct mac_frame mac;
	struct nwk_frame nwk;
	struct rd payload;

	assert_int_equal(mac_frame_decode(rd_hex(&frame), &mac), OK);
	if (mac.type != MAC_DATA)
		return;
	assert_int_equal(nwk_frame_decode(mac.payload, &nwk), OK);
	payload = nwk.payload;
	if (nwk.security) {
		struct octets want = hex(v, "nwk_layer.plaintext");

		if (!l->network)
			return; /* from before the device had the key */
		assert_int_equal(nwk_open(l->network, &nwk, &aux, plain, &payload), OK);
		equal(payload, &want, v);
		l->opened++;
	}
	if (nwk.type == NWK_DATA)
		hear_aps(l, aux.source, payload, v);
}

/* The whole chain: link key, key-transport key, network key, key-load key, fresh link key; nothing but the first is given. */
static void a_join_opens_with_its_first_link_key_alone(void **state)
{
	(void)state;
	EACH(j, "joins")
	{
		struct listener l = {.link_count = 0};
		struct octets first, network;
		size_t sealed = 0;

		assert_true(hex_parse_loose(json_string_of(json_get(j, "link_keys")->first), first.at, sizeof first.at, &first.len));
		assert_true(hex_parse_loose(json_string_of(json_get(j, "nwk_keys")->first), network.at, sizeof network.at, &network.len));
		learn_link(&l, secret_take(first.at, first.len));
		for (const struct json *v = json_get(j, "frames")->first; v; v = v->next) {
			hear(&l, v);
			sealed += has(v, "nwk_layer");
		}
		equal(rd_of(secret_octets(l.network), SECRET_AES128), &network, j);
		assert_true(l.opened + 2 >= sealed && l.opened > 4);
		assert_int_equal(l.link_count, 2);
		for (size_t i = 0; i < l.link_count; i++)
			link_key_set_clear(&l.links[i]);
		secret_free(l.network);
	}
}

static int load(void **state)
{
	FILE *f = fopen(TEST_SOURCE_ROOT "/tests/vectors/zigbee.json", "rb");
	size_t n;

	(void)state;
	file = calloc(1, 1 << 20);
	if (!f || !file)
		return -1;
	n = fread(file, 1, 1 << 20, f);
	fclose(f);
	arena = json_arena_new();
	return json_parse(arena, rd_of(file, n), NULL, &vectors) == OK ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_arena_free(arena);
	free(file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(install_codes),
		cmocka_unit_test(refuses_install_codes_of_other_lengths),
		cmocka_unit_test(ccm_star),
		cmocka_unit_test(frame_check_sequences),
		cmocka_unit_test(beacons),
		cmocka_unit_test(single_frames),
		cmocka_unit_test(whole_joins),
		cmocka_unit_test(a_join_opens_with_its_first_link_key_alone),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
