/* Answers of the MEF. */
#include "oci/mef_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "key_registry/registration_codes.h"

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool name(const struct json *v, char *text, size_t size)
{
	return json_text(v, text, size) && is_plain(text);
}

static bool path(const struct json *v, char *text, size_t size)
{
	return name(v, text, size) && text[0] == '/' && !strchr(text, ' ');
}

static bool eui64(const struct json *v, uint64_t *n)
{
	struct rd text;

	return json_string(v, &text) && eui64_parse(text, n);
}

static bool number(const struct json *v, uint64_t most, uint64_t *n)
{
	return json_uint(v, n) && *n <= most;
}

bool mef_registration_parse(const struct json *doc, char commands[static MEF_PATH])
{
	return path(json_get(json_get(doc, REGISTRATION_MEF_CLIENT), "cmd"), commands, MEF_PATH);
}

/* As JSON, so that a string goes back as a string and a number as a number. */
static void command_id(const struct json *id, char text[static MEF_COMMAND_ID])
{
	if (!id || (id->type != JSON_NUMBER && id->type != JSON_STRING) || !rd_text(id->source, text, MEF_COMMAND_ID))
		snprintf(text, MEF_COMMAND_ID, "0");
}

bool mef_order_parse(const struct json *doc, struct mef_order *o)
{
	const struct json *cmd = json_get(doc, REGISTRATION_COMMAND), *args = json_path(cmd, "cmdDescription.cmdArgs");
	uint64_t heir;

	if (!json_uint(json_path(cmd, "cmdDescription.cmdClassID"), &o->class))
		return false;
	command_id(json_get(cmd, "cmdID"), o->id);
	if (!path(json_get(args, "objectPath"), o->object, sizeof o->object))
		o->object[0] = '\0';
	o->has_device = eui64(json_get(args, "device"), &o->device);
	o->has_heir = eui64(json_get(args, "heir"), &heir);
	return true;
}

static bool key_octets(const struct json *v, struct secret **key)
{
	uint8_t octets[SECRET_AES128];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd text;
	bool ok = json_string(v, &text) && base64_parse(text, &w) && !w.spoilt && w.len == sizeof octets;

	*key = ok ? secret_take(octets, sizeof octets) : NULL;
	bytes_wipe(octets, sizeof octets);
	return *key != NULL;
}

static bool network_of(const struct json *network, struct mef_key *k)
{
	k->network[0] = '\0';
	k->network_generation = 0;
	return !network || (name(json_get(network, "name"), k->network, sizeof k->network) && k->network[0] &&
			       json_uint(json_get(network, "generation"), &k->network_generation) && k->network_generation > 0);
}

bool mef_key_parse(const struct json *doc, struct mef_key *k)
{
	const struct json *reg = json_get(doc, REGISTRATION_KEY), *z = json_get(reg, "zigbee");
	uint64_t address, capability, sequence, router = 0, replaces = 0;

	if (!network_of(json_get(z, "network"), k) ||
	    !eui64(json_get(z, "device"), &k->device) ||
	    !eui64(json_get(z, "gateway"), &k->gateway) ||
	    !path(json_get(z, "relay"), k->relay, sizeof k->relay) ||
	    !name(json_get(z, "application"), k->application, sizeof k->application) ||
	    !name(json_get(reg, "ri"), k->id, sizeof k->id) ||
	    !number(json_get(z, "short"), UINT16_MAX, &address) ||
	    !nwk_address_is_device((uint16_t)address) ||
	    !number(json_get(z, "capability"), UINT8_MAX, &capability) ||
	    !number(json_get(z, "keySequence"), UINT8_MAX, &sequence) ||
	    !json_uint(json_get(z, "generation"), &k->generation) ||
	    (json_get(z, "router") && !eui64(json_get(z, "router"), &router)) ||
	    (json_get(z, "replaces") && !eui64(json_get(z, "replaces"), &replaces)) ||
	    !key_octets(json_get(reg, "keyValue"), &k->key))
		return false;
	k->router = router;
	k->replaces = replaces;
	k->short_address = (uint16_t)address;
	k->capability = (uint8_t)capability;
	k->sequence = (uint8_t)sequence;
	if (!json_bool(json_get(z, "rotation"), &k->rotation))
		k->rotation = false;
	return true;
}

static bool child_parse(const struct json *child, struct mef_aps_reply *r)
{
	uint64_t address, status;

	r->has_child = child != NULL;
	if (!child)
		return true;
	if (!eui64(json_get(child, "device"), &r->child.eui64) || !number(json_get(child, "short"), UINT16_MAX, &address) ||
	    !number(json_get(child, "status"), OCI_CHILD_TRUST_CENTRE_REJOIN, &status))
		return false;
	r->child.short_address = (uint16_t)address;
	r->child.status = (enum oci_child_status)status;
	return true;
}

bool mef_aps_parse(const struct json *doc, struct mef_aps_reply *r)
{
	const struct json *aps = json_get(doc, REGISTRATION_APS), *frame = json_get(aps, "frame");
	struct wr w = wr_of(r->frame, sizeof r->frame);
	char outcome[32];
	struct rd text;

	if (!json_text(json_get(aps, "outcome"), outcome, sizeof outcome) || (frame && (!json_string(frame, &text) || !base64_parse(text, &w) || w.spoilt)))
		return false;
	r->len = w.len;
	r->tunnel = 0;
	if ((json_get(aps, "tunnel") && !eui64(json_get(aps, "tunnel"), &r->tunnel)) || !child_parse(json_get(aps, "child"), r))
		return false;
	if (!json_bool(json_get(aps, "ack"), &r->ack))
		r->ack = false;
	if (!name(json_get(aps, "reason"), r->reason, sizeof r->reason))
		r->reason[0] = '\0';
	return true;
}

bool mef_hash_is_good(const char *text)
{
	return strlen(text) == MEF_HASH_TEXT && strspn(text, "0123456789abcdef") == MEF_HASH_TEXT;
}

bool mef_witness_parse(const struct json *doc, struct mef_witness *w)
{
	const struct json *witness = json_get(doc, REGISTRATION_WITNESS);

	return json_bool(json_get(witness, "fits"), &w->fits) && json_uint(json_get(witness, "seq"), &w->seq) && json_text(json_get(witness, "hash"), w->hash, sizeof w->hash) &&
	    mef_hash_is_good(w->hash);
}
