/* S2 inclusion, granting side. */
#include "eg/s2_inclusion.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

#define EFFECTS 8
#define CLASSES 2
#define AGAIN_MAX 3

_Static_assert(S2_FRAME_MAX <= TIER_FRAME_MAX, "an S2 frame fits into an effect");

enum state { REPORT, POINT, ECHO, GET, READY, VERIFY, NONCE, END };

/* A class that this device gets: its network key and what is derived from it. */
struct granted {
	uint8_t class;
	bool verified;
	struct secret *key;
	struct s2_keys keys;
};

struct inclusion {
	struct s2_inclusion_config config;
	enum state state;
	uint64_t deadline;
	struct s2_kex asked, granted;      /* the device's KEX Report, our KEX Set */
	struct s2_keys temporary;
	struct s2_span span;
	struct granted classes[CLASSES];
	struct granted *current;           /* that is asked for and verified now */
	struct s2_frame last;              /* that we sealed, to seal it again; its network key is borrowed from current */
	unsigned again;
	struct tier_effect effects[EFFECTS];
	size_t first, count;
};

static struct tier_effect *effect(struct inclusion *x, enum tier_effect_type type)
{
	struct tier_effect *e = &x->effects[(x->first + x->count) % EFFECTS];

	if (x->count == EFFECTS) /* the caller takes effects out after each input, which makes three at most */
		return NULL;
	x->count++;
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

static void send_octets(struct inclusion *x, struct rd octets)
{
	struct tier_effect *e = effect(x, TIER_SEND);
	struct wr w;

	if (!e)
		return;
	w = wr_of(e->octets, sizeof e->octets);
	wr_rd(&w, octets);
	e->len = w.len;
}

static void send_plain(struct inclusion *x, const struct s2_frame *f)
{
	uint8_t octets[S2_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	s2_frame_encode(f, &w);
	send_octets(x, rd_of(octets, w.len));
}

static void end(struct inclusion *x, enum tier_effect_type type, const char *text)
{
	struct tier_effect *e;

	x->state = END;
	x->deadline = CLOCK_NEVER;
	e = effect(x, type);
	if (e)
		e->text = text;
}

/* Under the keys that are in use, or in clear where there is nothing to seal with. */
static enum err seal(struct inclusion *x, const struct s2_frame *f)
{
	uint8_t plain[S2_FRAME_MAX], octets[S2_FRAME_MAX];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(octets, sizeof octets);
	enum err e;

	s2_frame_encode(f, &p);
	e = s2_message_seal(&x->span, &x->temporary, &x->config.link, x->config.rng, rd_of(plain, p.len), &w);
	bytes_wipe(plain, sizeof plain);
	if (e == OK)
		send_octets(x, rd_of(octets, w.len));
	return e;
}

static void fail(struct inclusion *x, enum s2_fail reason, const char *text)
{
	struct s2_frame f = {.command = S2_KEX_FAIL, .fail = (uint8_t)reason};

	if (x->span.state != S2_SYNCED || !x->temporary.ccm || seal(x, &f) != OK)
		send_plain(x, &f);
	end(x, TIER_FAILED, text);
}

static void enter(struct inclusion *x, uint64_t now, enum state state)
{
	x->state = state;
	x->deadline = now + S2_WAIT_MS;
	x->again = 0;
}

/* Seals a command that may have to be sealed again, when the device says that it lost step. */
static void say(struct inclusion *x, uint64_t now, const struct s2_frame *f, enum state then)
{
	x->last = *f;
	if (seal(x, f) == OK)
		enter(x, now, then);
	else
		fail(x, S2_FAIL_CANCEL, "the EG could not seal a command");
}

static void nonce_report(struct inclusion *x)
{
	struct s2_frame f = {.command = S2_NONCE_REPORT, .sos = true};

	f.sequence = x->span.sequence++;
	s2_span_local(&x->span, x->config.rng);
	f.entropy = x->span.entropy;
	send_plain(x, &f);
}

static struct granted *class_of(struct inclusion *x, uint8_t class)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (x->classes[i].class == class && class != 0)
			return &x->classes[i];
	return NULL;
}

/* The network keys, a random one for each class. */
static enum err make_keys(struct inclusion *x, uint8_t classes)
{
	struct granted *g = x->classes;
	enum err e = OK;

	for (uint8_t bit = S2_ACCESS_CONTROL; e == OK && bit >= S2_AUTHENTICATED; bit >>= 1) {
		if (!(classes & bit))
			continue;
		g->class = bit;
		g->key = secret_random(x->config.rng, SECRET_AES128);
		e = g->key ? s2_keys_network(g->key, &g->keys) : ERR_NO_MEMORY;
		g++;
	}
	return e;
}

static void on_report(struct inclusion *x, uint64_t now, const struct s2_kex *k)
{
	struct s2_frame set = {.command = S2_KEX_SET};
	uint8_t classes = k->keys & x->config.permitted;

	if (k->echo) {
		fail(x, S2_FAIL_AUTH, "the device sent an echo before it was asked anything");
	} else if (!(k->schemes & S2_SCHEME_1)) {
		fail(x, S2_FAIL_SCHEME, "the device offers no key exchange scheme that is known here");
	} else if (!(k->curves & S2_CURVE25519)) {
		fail(x, S2_FAIL_CURVE, "the device does not offer Curve25519");
	} else if (classes == 0) {
		fail(x, S2_FAIL_KEY, "the device asks for no class of keys that it is permitted");
	} else if (make_keys(x, classes) != OK) {
		fail(x, S2_FAIL_CANCEL, "the EG could not make network keys");
	} else {
		x->asked = *k;
		set.kex = (struct s2_kex){.schemes = S2_SCHEME_1, .curves = S2_CURVE25519, .keys = classes};
		x->granted = set.kex;
		send_plain(x, &set);
		enter(x, now, POINT);
	}
}

/* The device leaves out the head of its key that a person is to type in; the label gave us all that proves it. */
static bool fits_label(const struct s2_inclusion_config *c, struct x25519_point *p)
{
	static const uint8_t left_out[2];

	if (!bytes_equal_ct(p->octets, left_out, sizeof left_out) && !bytes_equal_ct(p->octets, c->dsk, sizeof left_out))
		return false;
	memcpy(p->octets, c->dsk, sizeof left_out);
	return bytes_equal_ct(p->octets, c->dsk, S2_DSK);
}

static enum err agree(struct inclusion *x, const struct x25519_point *joining, struct x25519_point *own_point)
{
	struct secret *own = NULL, *shared = NULL;
	enum err e = x25519_make(x->config.rng, &own, own_point);

	if (e == OK)
		e = x25519_agree(own, joining, &shared);
	if (e == OK)
		e = s2_keys_temporary(shared, own_point, joining, &x->temporary);
	secret_free(own);
	secret_free(shared);
	return e;
}

static void on_point(struct inclusion *x, uint64_t now, const struct s2_frame *f)
{
	struct s2_frame answer = {.command = S2_PUBLIC_KEY_REPORT, .including = true};
	struct x25519_point joining = f->point;

	if (f->including || !fits_label(&x->config, &joining)) {
		fail(x, S2_FAIL_CANCEL, "the device's public key does not fit the DSK on its label");
	} else if (agree(x, &joining, &answer.point) != OK) {
		fail(x, S2_FAIL_CANCEL, "no secret could be agreed with the device's public key");
	} else {
		send_plain(x, &answer);
		enter(x, now, ECHO);
	}
}

static bool same_kex(const struct s2_kex *a, const struct s2_kex *b)
{
	return a->csa == b->csa && a->reserved == b->reserved && a->schemes == b->schemes && a->curves == b->curves && a->keys == b->keys;
}

static void on_echo(struct inclusion *x, uint64_t now, const struct s2_kex *k)
{
	struct s2_frame report = {.command = S2_KEX_REPORT};

	if (!k->echo || !same_kex(k, &x->granted)) {
		fail(x, S2_FAIL_AUTH, "what the device heard differs from what it was told: somebody stands between");
		return;
	}
	report.kex = x->asked;
	report.kex.echo = true;
	say(x, now, &report, GET);
}

static void on_get(struct inclusion *x, uint64_t now, uint8_t class)
{
	struct granted *g = class_of(x, class);
	struct tier_effect *e;

	if (!g || g->verified) {
		fail(x, S2_FAIL_GET, "the device asked for a key that was not granted");
		return;
	}
	x->current = g;
	enter(x, now, READY);
	e = effect(x, TIER_KEY);
	if (e) {
		e->key_class = g->class;
		e->key = g->key;
	}
}

static void on_ready(void *state, uint64_t now)
{
	struct inclusion *x = state;
	struct s2_frame report = {.command = S2_NETWORK_KEY_REPORT};

	if (x->state != READY)
		return;
	report.key = x->current->class;
	report.network_key = x->current->key;
	say(x, now, &report, VERIFY);
}

static void on_verify(struct inclusion *x, uint64_t now)
{
	struct s2_frame get = {.command = S2_NONCE_GET};

	x->current->verified = true;
	/* What follows is under the temporary key again, with nonces of its own. */
	s2_span_reset(&x->span);
	get.sequence = x->span.sequence++;
	send_plain(x, &get);
	enter(x, now, NONCE);
}

static void on_complete(struct inclusion *x, const struct s2_frame *f)
{
	for (size_t i = 0; i < CLASSES; i++) {
		if (x->classes[i].class != 0 && !x->classes[i].verified) {
			fail(x, S2_FAIL_VERIFY, "the device ended without all keys that it was granted");
			return;
		}
	}
	if (f->complete)
		end(x, TIER_ENROLLED, "the device has all its keys");
	else
		fail(x, S2_FAIL_VERIFY, "the device ended the transfer without completing it");
}

/* The device lost step, or answers our Nonce Get. */
static enum err on_nonce(struct inclusion *x, uint64_t now, const struct s2_frame *f)
{
	struct s2_frame done = {.command = S2_TRANSFER_END, .verified = true};

	if (!f->sos || !x->temporary.ccm)
		return ERR_STATE;
	s2_span_remote(&x->span, &f->entropy);
	if (x->state == NONCE) {
		say(x, now, &done, GET);
		return OK;
	}
	if ((x->state != GET && x->state != VERIFY) || x->again++ == AGAIN_MAX)
		return ERR_STATE;
	return seal(x, &x->last);
}

static enum err on_sealed_frame(struct inclusion *x, uint64_t now, const struct s2_frame *f, bool temporary)
{
	if (f->command == S2_KEX_FAIL) {
		end(x, TIER_FAILED, s2_fail_text(f->fail));
	} else if (x->state == ECHO && f->command == S2_KEX_SET) {
		on_echo(x, now, &f->kex);
	} else if (x->state == GET && f->command == S2_NETWORK_KEY_GET) {
		on_get(x, now, f->key);
	} else if (x->state == GET && f->command == S2_TRANSFER_END) {
		on_complete(x, f);
	} else if (x->state == VERIFY && f->command == S2_NETWORK_KEY_VERIFY && !temporary) {
		on_verify(x, now);
	} else if (x->state == VERIFY && f->command == S2_NETWORK_KEY_GET && temporary && f->key == x->current->class && x->again++ < AGAIN_MAX) {
		return seal(x, &x->last); /* it did not hear our answer */
	} else {
		return ERR_STATE;
	}
	return OK;
}

/* A key just given is proven under nonces of its own; until the device asked for them, the temporary key goes on. */
static enum err on_sealed(struct inclusion *x, uint64_t now, struct rd frame)
{
	uint8_t octets[S2_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	bool temporary = x->state != VERIFY || x->span.state == S2_SYNCED;
	struct s2_frame f;
	enum err e;

	if (!x->temporary.ccm || x->state == READY || x->state == NONCE)
		return ERR_STATE;
	e = s2_message_open(&x->span, temporary ? &x->temporary : &x->current->keys, &x->config.link, frame, &w);
	if (e == ERR_BAD_MIC && x->state == ECHO)
		fail(x, S2_FAIL_DECRYPT, "the device sealed with another key than was agreed: not the device of this label");
	else if (e == ERR_BAD_MIC && !temporary)
		fail(x, S2_FAIL_VERIFY, "the device could not prove that it has its network key");
	else if (e == ERR_BAD_MIC || (e == ERR_STATE && x->state != END))
		nonce_report(x);
	if (e != OK)
		return e;
	e = s2_frame_decode(rd_of(octets, w.len), &f);
	bytes_wipe(octets, sizeof octets);
	if (e != OK)
		return e;
	e = on_sealed_frame(x, now, &f, temporary);
	s2_frame_free(&f);
	return e;
}

static enum err on_clear(struct inclusion *x, uint64_t now, const struct s2_frame *f)
{
	if (f->command == S2_NONCE_GET && x->temporary.ccm && x->state != READY && x->state != NONCE) {
		nonce_report(x);
		return OK;
	}
	if (f->command == S2_NONCE_REPORT)
		return on_nonce(x, now, f);
	if (f->command == S2_KEX_REPORT && x->state == REPORT) {
		on_report(x, now, &f->kex);
	} else if (f->command == S2_PUBLIC_KEY_REPORT && x->state == POINT) {
		on_point(x, now, f);
	} else if (f->command == S2_KEX_FAIL && (!x->temporary.ccm || f->fail == S2_FAIL_DECRYPT || f->fail == S2_FAIL_AUTH)) {
		/* Anybody can send it in clear; later only where the device has nothing to seal it with. */
		end(x, TIER_FAILED, s2_fail_text(f->fail));
	} else {
		return ERR_STATE;
	}
	return OK;
}

static enum err input(void *state, uint64_t now, struct rd frame)
{
	struct inclusion *x = state;
	struct rd head = frame;
	uint8_t class, command;
	struct s2_frame f;
	enum err e;

	if (x->state == END)
		return ERR_STATE;
	if (!rd_u8(&head, &class) || !rd_u8(&head, &command))
		return ERR_SHORT;
	if (class == S2_CLASS && command == S2_ENCAPSULATION)
		return on_sealed(x, now, frame);
	e = s2_frame_decode(frame, &f);
	if (e != OK)
		return e;
	e = on_clear(x, now, &f);
	s2_frame_free(&f);
	return e;
}

static void tick(void *state, uint64_t now)
{
	static const char *const silence[] = {
	    [REPORT] = "the device did not say what keys it wants", [POINT] = "the device did not show its public key",
	    [ECHO] = "the device did not confirm what it was granted", [GET] = "the device did not ask for its keys",
	    [READY] = "node B did not confirm that it has the key", [VERIFY] = "the device did not prove that it has its key",
	    [NONCE] = "the device gave no nonce", [END] = "",
	};
	struct inclusion *x = state;

	if (now >= x->deadline)
		fail(x, S2_FAIL_CANCEL, silence[x->state]);
}

static uint64_t deadline(const void *state)
{
	return ((const struct inclusion *)state)->deadline;
}

static bool output(void *state, struct tier_effect *e)
{
	struct inclusion *x = state;

	if (x->count == 0)
		return false;
	*e = x->effects[x->first];
	x->first = (x->first + 1) % EFFECTS;
	x->count--;
	return true;
}

static void inclusion_free(void *state)
{
	struct inclusion *x = state;

	for (size_t i = 0; i < CLASSES; i++) {
		secret_free(x->classes[i].key);
		s2_keys_free(&x->classes[i].keys);
	}
	s2_keys_free(&x->temporary);
	s2_span_free(&x->span);
	free(x);
}

enum err s2_inclusion_begin(const struct s2_inclusion_config *c, uint64_t now, struct tier_exchange *out)
{
	static const struct tier_protocol protocol = {"zwave-s2", input, on_ready, tick, deadline, output, inclusion_free};
	struct s2_frame get = {.command = S2_KEX_GET};
	struct inclusion *x;

	if (c->permitted == 0 || (c->permitted & ~(S2_AUTHENTICATED | S2_ACCESS_CONTROL)))
		return ERR_BAD_VALUE;
	x = calloc(1, sizeof *x);
	if (!x)
		return ERR_NO_MEMORY;
	x->config = *c;
	s2_span_begin(&x->span, c->rng);
	send_plain(x, &get);
	enter(x, now, REPORT);
	*out = (struct tier_exchange){&protocol, x};
	return OK;
}
