/* Answers of the MEF: what is taken of a key is in range, and the same when it is written and read again; a path begins with a slash; what goes back
 * into JSON is JSON. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret.h"
#include "key_registry/registration_codes.h"
#include "oci/mef_answer.h"
#include "../fuzz.h"

static const char key_text[] = "AAECAwQFBgcICQoLDA0ODw==";

static void is_path(const char *text, size_t size)
{
	MUST(text[0] == '/' && memchr(text, '\0', size) && !strpbrk(text, " \n\r\t"));
}

static void registration(const struct json *doc)
{
	char path[MEF_PATH];

	if (mef_registration_parse(doc, path))
		is_path(path, sizeof path);
}

static void witness(const struct json *doc)
{
	struct mef_witness w;

	if (mef_witness_parse(doc, &w))
		MUST(memchr(w.hash, '\0', sizeof w.hash) && mef_hash_is_good(w.hash));
}

static void order(struct json_arena *arena, const struct json *doc)
{
	const struct json *id;
	struct mef_order o;

	if (!mef_order_parse(doc, &o))
		return;
	MUST(json_parse(arena, rd_str(o.id), NULL, &id) == OK && (id->type == JSON_NUMBER || id->type == JSON_STRING));
	if (o.object[0])
		is_path(o.object, sizeof o.object);
}

static void put(struct json_out *o, const struct mef_key *k)
{
	char device[EUI64_SIZE], gateway[EUI64_SIZE];

	eui64_print(device, k->device);
	eui64_print(gateway, k->gateway);
	json_object(o, NULL);
	json_object(o, REGISTRATION_KEY);
	json_put_string(o, "ri", k->id);
	json_put_string(o, "keyValue", key_text); /* the key itself has no way out of its type */
	json_object(o, "zigbee");
	json_put_string(o, "device", device);
	json_put_string(o, "gateway", gateway);
	json_put_string(o, "relay", k->relay);
	json_put_string(o, "application", k->application);
	json_put_uint(o, "short", k->short_address);
	json_put_uint(o, "capability", k->capability);
	json_put_uint(o, "keySequence", k->sequence);
	json_put_uint(o, "generation", k->generation);
	if (k->network[0]) {
		json_object(o, "network");
		json_put_string(o, "name", k->network);
		json_put_uint(o, "generation", k->network_generation);
		json_close(o);
	}
	if (k->router) {
		eui64_print(device, k->router);
		json_put_string(o, "router", device);
	}
	json_close(o);
	json_close(o);
	json_close(o);
}

static void key(struct json_arena *arena, const struct json *doc)
{
	uint8_t buffer[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct mef_key k, again;
	struct rd text;

	if (!mef_key_parse(doc, &k))
		return;
	MUST(secret_len(k.key) == SECRET_AES128 && nwk_address_is_device(k.short_address));
	is_path(k.relay, sizeof k.relay);
	put(&o, &k);
	MUST(wr_done(&w, &text) && json_parse(arena, text, NULL, &doc) == OK && mef_key_parse(doc, &again));
	MUST(k.router == again.router && k.device == again.device && k.gateway == again.gateway && k.short_address == again.short_address && k.capability == again.capability);
	MUST(k.sequence == again.sequence && k.generation == again.generation && strcmp(k.id, again.id) == 0);
	MUST(strcmp(k.relay, again.relay) == 0 && strcmp(k.application, again.application) == 0);
	MUST(strcmp(k.network, again.network) == 0 && k.network_generation == again.network_generation && !k.network[0] == !k.network_generation);
	secret_free(k.key);
	secret_free(again.key);
}

static void aps(const struct json *doc)
{
	struct mef_aps_reply r;

	if (!mef_aps_parse(doc, &r))
		return;
	MUST(!r.has_child || r.child.status <= OCI_CHILD_TRUST_CENTRE_REJOIN);
	MUST(r.len <= sizeof r.frame && memchr(r.reason, '\0', sizeof r.reason));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;

	if (size <= FUZZ_INPUT_MAX && json_parse(arena, rd_of(data, size), NULL, &doc) == OK) {
		registration(doc);
		witness(doc);
		order(arena, doc);
		key(arena, doc);
		aps(doc);
	}
	json_arena_free(arena);
	return 0;
}
