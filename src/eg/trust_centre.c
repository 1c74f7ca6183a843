/* The Trust Centre at APS level. */
#include "eg/trust_centre.h"

#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"
#include "zigbee/security/link_key.h"

#define COMMAND_MAX 48
#define STATUS_SUCCESS 0x00
#define STATUS_SECURITY_FAILURE 0xad /* R22 table 2-27 */

enum sealed_under { CLEAR, UNDER_BASE, UNDER_FRESH };

/* One frame on its way through. */
struct passage {
	struct trust_centre *tc;
	struct aps_command command;
	uint8_t aps_counter;
	const struct trust_counter *counter;
	struct rng *rng;
	struct wr *answer;
	struct trust_result *result;
};

static void ignore(struct trust_result *r, const char *reason)
{
	r->outcome = TRUST_IGNORED;
	r->reason = reason;
}

/* Every command asks for an acknowledgement: B repeats what the device did not acknowledge. */
static enum err seal(struct passage *p, const struct secret *key, enum aux_key_id id, const struct aps_command *c)
{
	uint8_t plain[COMMAND_MAX];
	struct wr w = wr_of(plain, sizeof plain);
	struct aps_frame f = {.type = APS_COMMAND, .delivery = APS_UNICAST, .ack_request = true, .counter = p->aps_counter};
	uint32_t number;
	enum err e = aps_command_encode(c, &w);

	if (e == OK)
		e = wr_done(&w, &f.payload) ? OK : ERR_TOO_LONG;
	if (e == OK)
		e = p->counter->take(p->counter->ctx, &number);
	if (e == OK)
		e = aps_seal(key, id, 0, true, p->tc->coordinator, number, &f, p->answer);
	bytes_wipe(plain, sizeof plain);
	return e;
}

static enum err send_fresh(struct passage *p)
{
	uint8_t key[SECRET_AES128];
	const struct aps_command c = {
		.id = APS_TRANSPORT_KEY,
		.transport_key = {.type = APS_KEY_TC_LINK, .key = key, .destination = p->tc->device, .source = p->tc->coordinator},
	};
	enum err e;

	memcpy(key, secret_octets(p->tc->fresh.link), sizeof key);
	e = seal(p, p->tc->base.load, AUX_KEY_LOAD, &c);
	bytes_wipe(key, sizeof key);
	if (e == OK)
		p->result->outcome = TRUST_ANSWER;
	return e;
}

static enum err make_fresh(struct passage *p)
{
	struct secret *key = secret_random(p->rng, SECRET_AES128);

	if (!key)
		return ERR_NO_MEMORY;
	p->tc->attempts = 0;
	p->tc->in_fresh = (struct counter_in){false, 0}; /* R22 4.4.7: a new key counts from zero */
	p->tc->state = TRUST_OFFERED;
	return link_key_set_take(&p->tc->fresh, key);
}

/* Request-Key under base: the same fresh key until it is verified, so that a lost answer can't make the two sides differ. */
static enum err answer_request(struct passage *p)
{
	enum err e = OK;

	if (p->command.request_key.type != APS_REQUEST_TC_LINK) {
		ignore(p->result, "only the Trust Centre link key is given out");
		return OK;
	}
	if (!p->tc->fresh.link)
		e = make_fresh(p);
	if (e != OK)
		return e;
	if (p->tc->attempts >= TRUST_ATTEMPTS_MAX) {
		ignore(p->result, "too many requests for one key");
		return OK;
	}
	p->tc->attempts++;
	p->result->store = true;
	return send_fresh(p);
}

static enum err confirm(struct passage *p, const struct secret *key, uint8_t status)
{
	const struct aps_command c = {
		.id = APS_CONFIRM_KEY,
		.confirm_key = {.status = status, .type = APS_KEY_TC_LINK, .destination = p->tc->device},
	};
	enum err e = seal(p, key, AUX_KEY_DATA, &c);

	if (e == OK)
		p->result->outcome = TRUST_ANSWER;
	return e;
}

static bool proves(const struct aps_command *c, const struct secret *key)
{
	uint8_t hash[16];
	bool same;

	link_key_verify_hash(key, hash);
	same = bytes_equal_ct(hash, c->verify_key.hash, sizeof hash);
	bytes_wipe(hash, sizeof hash);
	return same;
}

/* Verify-Key comes without APS security (R22 4.4.7.1); its hash is the proof. A failure is told under base, the key that both sides have. */
static enum err answer_verify(struct passage *p)
{
	struct trust_centre *tc = p->tc;

	if (p->command.verify_key.type != APS_KEY_TC_LINK || p->command.verify_key.source != tc->device) {
		ignore(p->result, "Verify-Key names another key or device");
		return OK;
	}
	if (tc->fresh.link && proves(&p->command, tc->fresh.link)) {
		p->result->verified_now = tc->state != TRUST_VERIFIED;
		p->result->store = p->result->verified_now;
		tc->state = TRUST_VERIFIED;
		return confirm(p, tc->fresh.link, STATUS_SUCCESS);
	}
	if (tc->base_unique && proves(&p->command, tc->base.link))
		return confirm(p, tc->base.link, STATUS_SUCCESS); /* a late repeat */
	if (!tc->fresh.link && !tc->base_unique) {
		ignore(p->result, "Verify-Key without a key to verify");
		return OK;
	}
	/* An endless stream of wrong guesses would cost frame counters without end. */
	if (tc->attempts >= TRUST_ATTEMPTS_MAX) {
		ignore(p->result, "too many wrong hashes");
		return OK;
	}
	tc->attempts++;
	p->result->store = true;
	p->result->reason = "hash of another key";
	return confirm(p, tc->base.link, STATUS_SECURITY_FAILURE);
}

/* Update-Device, of a router: R22 4.4.4.3. */
static enum err note_update(struct passage *p)
{
	if (p->command.update_device.device == p->tc->device)
		ignore(p->result, "Update-Device about the device itself");
	else if (p->command.update_device.status > TRUST_UNSECURED_REJOIN)
		ignore(p->result, "Update-Device with a status that there is not");
	else
		p->result->update = (struct trust_update){p->command.update_device.device, p->command.update_device.short_address,
			(enum trust_update_status)p->command.update_device.status};
	return OK;
}

static const struct {
	enum aps_command_id command;
	bool sealed; /* must have been */
	enum err (*answer)(struct passage *p);
	const char *name;
} steps[] = {
	{APS_REQUEST_KEY, true, answer_request, "Request-Key"},
	{APS_VERIFY_KEY, false, answer_verify, "Verify-Key"},
	{APS_UPDATE_DEVICE, true, note_update, "Update-Device"},
};

static enum err command_input(struct passage *p, struct rd payload, bool sealed)
{
	enum err e = aps_command_decode(payload, &p->command);

	if (e != OK) {
		ignore(p->result, err_text(e));
		return OK;
	}
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i].command != p->command.id)
			continue;
		p->result->command = steps[i].name;
		if (!steps[i].sealed || sealed)
			return steps[i].answer(p);
		ignore(p->result, "command without APS security");
		return OK;
	}
	ignore(p->result, "command that a device may not send");
	return OK;
}

/* The device has shown that it uses the unique key: nothing under the former one is served any more. */
static void promote(struct trust_centre *tc)
{
	const struct link_key_set none = {NULL, NULL, NULL};

	link_key_set_clear(&tc->base);
	tc->base = tc->fresh;
	tc->fresh = none;
	tc->base_unique = true;
	tc->in_base = tc->in_fresh;
	tc->in_fresh = (struct counter_in){false, 0};
	tc->attempts = 0;
	tc->state = TRUST_BASE;
}

/* Opens under base, else under fresh. CLEAR: neither. */
static enum sealed_under open_frame(const struct trust_centre *tc, const struct aps_frame *f, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	if (tc->base.link && aps_open_set(&tc->base, tc->device, f, aux, plain, payload) == OK)
		return UNDER_BASE;
	if (tc->fresh.link && aps_open_set(&tc->fresh, tc->device, f, aux, plain, payload) == OK)
		return UNDER_FRESH;
	return CLEAR;
}

/* False: ignored, with the reason. Counters are looked at only after the integrity code was right. */
static bool admit(struct trust_centre *tc, enum sealed_under under, const struct aux_header *aux, struct trust_result *r)
{
	struct counter_in *in = under == UNDER_BASE ? &tc->in_base : &tc->in_fresh;

	r->authentic = true;
	if (aux->key_id != AUX_KEY_DATA || (aux->extended_nonce && aux->source != tc->device)) {
		ignore(r, "sealed with a key that the device may not use here");
		return false;
	}
	if (under == UNDER_FRESH && tc->state != TRUST_VERIFIED) {
		ignore(r, "sealed with a key that is not verified yet");
		return false;
	}
	if (!counter_in_fresh(in, aux->frame_counter)) {
		r->genuine = aux->frame_counter == in->last; /* its acknowledgement was lost */
		ignore(r, "replay: frame counter was seen before");
		return false;
	}
	counter_in_accept(in, aux->frame_counter);
	r->genuine = true;
	r->store = true;
	return true;
}

static enum err sealed_input(struct passage *p, const struct aps_frame *f)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct rd payload;
	enum sealed_under under = open_frame(p->tc, f, &aux, plain, &payload);
	enum err e = OK;

	if (under == CLEAR) {
		ignore(p->result, "integrity code is wrong under every key of the device");
	} else if (admit(p->tc, under, &aux, p->result)) {
		if (under == UNDER_FRESH)
			promote(p->tc);
		if (f->type == APS_COMMAND)
			e = command_input(p, payload, true);
		else if (f->type == APS_ACK)
			p->result->command = "acknowledgement";
		else
			ignore(p->result, "application data with APS security");
	}
	bytes_wipe(plain, sizeof plain);
	return e;
}

enum err trust_centre_input(struct trust_centre *tc, struct rd frame, uint8_t aps_counter, const struct trust_counter *counter, struct rng *rng,
    struct wr *answer, struct trust_result *result)
{
	const struct trust_result accepted = {.outcome = TRUST_ACCEPTED};
	struct passage p = {.tc = tc, .aps_counter = aps_counter, .counter = counter, .rng = rng, .answer = answer, .result = result};
	struct aps_frame f;
	enum err e = aps_frame_decode(frame, &f);

	*result = accepted;
	if (e != OK) {
		ignore(result, err_text(e));
		return OK;
	}
	if (f.security)
		return sealed_input(&p, &f);
	if (f.type == APS_COMMAND)
		return command_input(&p, f.payload, false);
	ignore(result, "not a frame for the Trust Centre");
	return OK;
}

static enum err remove_device(struct trust_centre *tc, const struct secret *key, uint64_t target, uint8_t aps_counter, const struct trust_counter *counter,
    struct wr *answer)
{
	const struct aps_command c = {.id = APS_REMOVE_DEVICE, .remove_device = {.target = target}};
	struct trust_result unused;
	struct passage p = {.tc = tc, .aps_counter = aps_counter, .counter = counter, .answer = answer, .result = &unused};

	return seal(&p, key, AUX_KEY_DATA, &c);
}

enum err trust_centre_remove(struct trust_centre *tc, uint8_t aps_counter, const struct trust_counter *counter, struct wr *answer)
{
	return remove_device(tc, tc->state == TRUST_VERIFIED ? tc->fresh.link : tc->base.link, tc->device, aps_counter, counter, answer);
}

/* Whatever key it sealed its Update-Device with is the base now. */
enum err trust_centre_refuse(struct trust_centre *tc, uint64_t child, uint8_t aps_counter, const struct trust_counter *counter, struct wr *answer)
{
	return remove_device(tc, tc->base.link, child, aps_counter, counter, answer);
}

void trust_centre_clear(struct trust_centre *tc)
{
	link_key_set_clear(&tc->base);
	link_key_set_clear(&tc->fresh);
}
