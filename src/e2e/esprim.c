/* ESPrim: what both sides share, and the originator. */
#include "e2e/private.h"

#include <string.h>

#include "security/derive.h"

void esprim_session_clear(struct esprim_session *s)
{
	secret_free(s->key);
	*s = (struct esprim_session){0};
}

enum err session_new(const struct secret *pairwise, const char *kid, const struct rand_object *receivers, const struct rand_object *originators,
    enum jose_enc enc, struct esprim_session *out)
{
	struct esprim_session s = {.enc = enc};
	enum err e = derive_session_esprim(pairwise, rand_object_text(receivers), rand_object_text(originators), &s.key);

	if (e != OK)
		return e;
	memcpy(s.kid, kid, strlen(kid) + 1);
	memcpy(s.ori, originators->id, sizeof s.ori);
	memcpy(s.rri, receivers->id, sizeof s.rri);
	*out = s;
	return OK;
}

/* HMAC gives 32 octets; A128GCM and A192GCM take the first that they need (TS-0003 8.8.1's rule of the first half). */
struct jose_key *session_jose_key(const struct esprim_session *s)
{
	struct secret *used = NULL;
	struct jose_key *k;

	if (derive_for_use(s->key, jose_enc_octets(s->enc), &used) != OK)
		return NULL;
	k = jose_key_secret(used);
	secret_free(used);
	return k;
}

/* name and object: the rand object that goes along, or none. */
static enum err seal(const struct esprim_session *s, struct rd inner, const char *name, struct rd object, struct rng *rng, struct wr *text)
{
	char members[2 * RAND_ID_MAX * 2 + RAND_OBJECT_MAX + 64];
	struct wr w = wr_of(members, sizeof members);
	struct json_out o = json_out(&w);
	struct jose_key *key = session_jose_key(s);
	struct jose_party party = {JOSE_DIR, rd_str(s->kid), key};
	struct jose_making how = {.form = JOSE_COMPACT, .enc = s->enc, .parties = &party, .count = 1};
	uint8_t brace;
	enum err e = ERR_NO_MEMORY;

	json_object(&o, NULL);
	json_put_string(&o, "ori", s->ori);
	json_put_string(&o, "rri", s->rri);
	if (object.left > 0)
		json_put_raw(&o, name, object);
	if (!wr_done(&w, &how.members) || !rd_u8(&how.members, &brace))
		e = ERR_TOO_LONG;
	else if (key)
		e = jose_encrypt(&how, inner, rng, text);
	jose_key_free(key);
	return e;
}

enum err esprim_seal(const struct esprim_session *s, struct rd inner, struct rd refresh, struct rng *rng, struct wr *text)
{
	return seal(s, inner, "rro", refresh, rng, text);
}

enum err session_open(const struct esprim_session *s, const struct jose *j, struct rng *rng, struct wr *inner)
{
	struct jose_allowed only = {JOSE_MAY(JOSE_DIR), JOSE_MAY(s->enc)};
	struct jose_key *key = session_jose_key(s);
	enum err e = key ? jose_open(j, 0, key, &only, rng, inner) : ERR_NO_MEMORY;

	jose_key_free(key);
	return e;
}

/* ---- originator ---- */

enum err esprim_originator_init(struct esprim_originator *o, const struct secret *pairwise, const char *kid, uint32_t encs, uint64_t life_ms)
{
	struct key_id id;

	*o = (struct esprim_originator){.encs = encs & JOSE_MAY_EVERY_ENC, .life_ms = life_ms};
	if (key_id_split(rd_str(kid), &id) != OK || !o->encs || secret_len(pairwise) != DERIVE_KEY_OCTETS)
		return ERR_BAD_VALUE;
	memcpy(o->kid, kid, strlen(kid) + 1);
	o->pairwise = secret_dup(pairwise);
	return o->pairwise ? OK : ERR_NO_MEMORY;
}

void esprim_originator_clear(struct esprim_originator *o)
{
	secret_free(o->pairwise);
	*o = (struct esprim_originator){0};
}

enum err esprim_originator_take(struct esprim_originator *o, struct rd object, uint64_t now_ms)
{
	struct rand_object r;
	enum err e = rand_object_parse(&r, object, true, now_ms);

	if (e != OK)
		return e;
	if (r.expires_ms <= now_ms)
		return ERR_BAD_VALUE;
	if (!r.hmac_sha256 || !(r.encs & o->encs))
		return ERR_UNSUPPORTED;
	o->receivers = r;
	o->has_receivers = true;
	o->has_own = false;
	return OK;
}

static enum jose_enc strongest(uint32_t encs)
{
	return encs & JOSE_MAY(JOSE_A256GCM) ? JOSE_A256GCM : encs & JOSE_MAY(JOSE_A192GCM) ? JOSE_A192GCM : JOSE_A128GCM;
}

static enum err renew_own(struct esprim_originator *o, uint64_t now_ms, struct rng *rng)
{
	uint64_t until = now_ms + o->life_ms;
	enum err e;

	if (o->has_own && o->own.expires_ms > now_ms && o->used < ESPRIM_REQUESTS_MAX)
		return OK;
	if (until > o->receivers.expires_ms)
		until = o->receivers.expires_ms;
	e = rand_object_make(&o->own, false, false, until, o->encs & o->receivers.encs, rng);
	if (e != OK)
		return e;
	o->has_own = true;
	o->confirmed = false;
	o->used = 0;
	return o->own.expires_ms > now_ms ? OK : ERR_NOT_READY;
}

enum err esprim_seal_request(struct esprim_originator *o, uint64_t now_ms, struct rd inner, struct rng *rng, struct wr *text,
    struct esprim_session *session)
{
	struct esprim_session s = {0};
	enum err e;

	if (!o->has_receivers || o->receivers.expires_ms <= now_ms)
		return ERR_NOT_READY;
	if ((e = renew_own(o, now_ms, rng)) != OK)
		return e;
	e = session_new(o->pairwise, o->kid, &o->receivers, &o->own, strongest(o->own.encs), &s);
	if (e == OK)
		e = seal(&s, inner, "oro", o->confirmed ? rd_str("") : rand_object_text(&o->own), rng, text);
	if (e != OK) {
		esprim_session_clear(&s);
		return e;
	}
	o->used++;
	*session = s;
	return OK;
}

bool header_is(const struct jose *j, const char *name, const char *value)
{
	return json_is_string(json_get(jose_header(j, 0)->protected, name), value);
}

enum err esprim_open_response(struct esprim_originator *o, const struct esprim_session *session, uint64_t now_ms, struct rd text, struct rng *rng,
    struct wr *inner)
{
	const struct json *refresh;
	struct jose *j = NULL;
	enum err e = jose_parse(text, &j);

	if (e != OK)
		return e;
	if (!jose_is_encrypted(j) || !jose_is_compact(j))
		e = ERR_MALFORMED;
	else if (!rd_is(jose_header(j, 0)->kid, session->kid) || !header_is(j, "ori", session->ori) || !header_is(j, "rri", session->rri) ||
	         jose_header(j, 0)->enc != session->enc)
		e = ERR_BAD_VALUE;
	else
		e = session_open(session, j, rng, inner);
	if (e == OK) {
		if (o->has_own && strcmp(o->own.id, session->ori) == 0)
			o->confirmed = true;
		refresh = json_get(jose_header(j, 0)->protected, "rro");
		if (refresh && esprim_originator_take(o, refresh->source, now_ms) != OK)
			o->has_receivers = o->has_receivers && o->receivers.expires_ms > now_ms; /* the former goes on as long as it lives */
	}
	jose_free(j);
	return e;
}

bool esprim_originator_refused(struct esprim_originator *o, enum onem2m_rsc rsc)
{
	if (rsc == RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID)
		o->has_own = false;
	else if (rsc == RSC_ESPRIM_UNKNOWN_RECV_RAND_ID)
		o->has_receivers = false;
	else
		return false;
	return true;
}
