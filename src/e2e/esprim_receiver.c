/* ESPrim: the receiver, its rand objects, and what it remembers of originators. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "e2e/private.h"


struct receivers_object {
	struct rand_object object;
	char entity[ENTITY_MAX]; /* "": everybody's */
};

/* What one originator's object did with one of ours. Lives as long as ours, although the originator's may end before: its tags must not be forgotten. */
struct remembered {
	char kid[KEY_ID_MAX], rri[RAND_ID_MAX];
	uint64_t until_ms; /* of our object */
	struct rand_object object;
	uint64_t *tags;
	size_t count, room;
};

struct esprim {
	struct esprim_config config;
	struct rng *rng;
	struct receivers_object shared[2]; /* the present one, and the one before */
	bool has_shared;
	struct receivers_object *unshared;
	size_t unshared_count, unshared_room;
	struct remembered **sessions;
	size_t session_count, session_room, tags;
};

struct esprim *esprim_new(const struct esprim_config *config, struct rng *rng)
{
	struct esprim *r = calloc(1, sizeof *r);

	if (r) {
		r->config = *config;
		r->config.encs &= JOSE_MAY_EVERY_ENC;
		r->rng = rng;
	}
	return r;
}

static void forget(struct esprim *r, size_t i)
{
	struct remembered *m = r->sessions[i];

	r->tags -= m->count;
	free(m->tags);
	free(m);
	r->sessions[i] = r->sessions[--r->session_count];
}

void esprim_free(struct esprim *r)
{
	if (!r)
		return;
	while (r->session_count > 0)
		forget(r, 0);
	free(r->sessions);
	free(r->unshared);
	free(r);
}

struct esprim_counts esprim_counts(const struct esprim *r)
{
	return (struct esprim_counts){r->session_count, r->tags, r->unshared_count};
}

static void sweep(struct esprim *r, uint64_t now_ms)
{
	for (size_t i = r->session_count; i > 0; i--)
		if (r->sessions[i - 1]->until_ms <= now_ms)
			forget(r, i - 1);
	for (size_t i = r->unshared_count; i > 0; i--)
		if (r->unshared[i - 1].object.expires_ms <= now_ms)
			r->unshared[i - 1] = r->unshared[--r->unshared_count];
}

/* ---- our objects ---- */

enum err esprim_shared(struct esprim *r, uint64_t now_ms, struct rd *object)
{
	struct receivers_object *now = &r->shared[0];
	struct rand_object fresh;
	enum err e;

	if (!r->has_shared || now->object.expires_ms < now_ms + r->config.life_ms / 3) {
		e = rand_object_make(&fresh, true, true, now_ms + r->config.life_ms, r->config.encs, r->rng);
		if (e != OK)
			return e;
		r->shared[1] = r->shared[0];
		*now = (struct receivers_object){.object = fresh};
		r->has_shared = true;
	}
	*object = rand_object_text(&now->object);
	return OK;
}

static bool make_room(struct esprim *r)
{
	size_t room = r->unshared_room ? r->unshared_room * 2 : 16;
	struct receivers_object *more;

	if (r->unshared_count < r->unshared_room)
		return true;
	if (r->unshared_count >= ESPRIM_UNSHARED_MAX)
		return false;
	more = realloc(r->unshared, room * sizeof *more);
	if (!more)
		return false;
	r->unshared = more;
	r->unshared_room = room;
	return true;
}

/* Its entity's oldest makes way when it has several. */
static struct receivers_object *unshared_place(struct esprim *r, const char *entity)
{
	struct receivers_object *oldest = NULL;
	size_t own = 0;

	for (size_t i = 0; i < r->unshared_count; i++) {
		struct receivers_object *u = &r->unshared[i];

		if (strcmp(u->entity, entity) != 0)
			continue;
		own++;
		if (!oldest || u->object.expires_ms < oldest->object.expires_ms)
			oldest = u;
	}
	if (own >= ESPRIM_UNSHARED_PER_ENTITY)
		return oldest;
	return make_room(r) ? &r->unshared[r->unshared_count++] : NULL;
}

enum err esprim_unshared(struct esprim *r, uint64_t now_ms, const char *entity, struct rd *object)
{
	struct receivers_object *u, made = {0};
	enum err e;

	if (!entity_valid(rd_str(entity)))
		return ERR_BAD_VALUE;
	memcpy(made.entity, entity, strlen(entity) + 1);
	e = rand_object_make(&made.object, true, false, now_ms + r->config.life_ms, r->config.encs, r->rng);
	if (e != OK)
		return e;
	sweep(r, now_ms);
	u = unshared_place(r, entity);
	if (!u)
		return ERR_FULL;
	*u = made;
	*object = rand_object_text(&u->object);
	return OK;
}

static bool is_good(const struct receivers_object *o, const char *id, const char *entity, uint64_t now_ms)
{
	return strcmp(o->object.id, id) == 0 && o->object.expires_ms > now_ms && (o->entity[0] == 0 || strcmp(o->entity, entity) == 0);
}

static const struct rand_object *own_object(const struct esprim *r, const char *id, const char *entity, uint64_t now_ms)
{
	for (size_t i = 0; i < 2; i++)
		if (is_good(&r->shared[i], id, entity, now_ms))
			return &r->shared[i].object;
	for (size_t i = 0; i < r->unshared_count; i++)
		if (is_good(&r->unshared[i], id, entity, now_ms))
			return &r->unshared[i].object;
	return NULL;
}

/* ---- originators' objects ---- */

/* The object that ori names under this key; *m: what it did with ours, when it did. */
static const struct rand_object *known_object(const struct esprim *r, const char *kid, const char *ori, const char *rri, struct remembered **m)
{
	const struct rand_object *found = NULL;

	*m = NULL;
	for (size_t i = 0; i < r->session_count; i++) {
		struct remembered *s = r->sessions[i];

		if (strcmp(s->object.id, ori) != 0 || !key_id_equal(rd_str(s->kid), rd_str(kid), false))
			continue;
		found = &s->object;
		if (strcmp(s->rri, rri) == 0)
			*m = s;
	}
	return found;
}

static struct remembered *remember(struct esprim *r, const char *kid, const struct rand_object *ours, const struct rand_object *theirs)
{
	struct remembered *m, **more;
	size_t of_key = 0, room = r->session_room ? r->session_room * 2 : 16;

	for (size_t i = 0; i < r->session_count; i++)
		of_key += key_id_equal(rd_str(r->sessions[i]->kid), rd_str(kid), false);
	if (r->session_count >= ESPRIM_ORIGINATORS_MAX || of_key >= ESPRIM_PER_KEY_MAX)
		return NULL;
	if (r->session_count == r->session_room) {
		more = realloc(r->sessions, room * sizeof(struct remembered *));
		if (!more)
			return NULL;
		r->sessions = more;
		r->session_room = room;
	}
	m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	memcpy(m->kid, kid, strlen(kid) + 1);
	memcpy(m->rri, ours->id, sizeof m->rri);
	m->until_ms = ours->expires_ms;
	m->object = *theirs;
	r->sessions[r->session_count++] = m;
	return m;
}

/* The last part of a compact JWE is its tag. It was decoded before, so it is there. */
static uint64_t tag_of(struct rd text)
{
	uint8_t octets[16];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd part, tag;
	uint64_t v = 0;

	while (rd_until(&text, '.', &part))
		;
	if (!base64url_parse(text, &w) || !wr_done(&w, &tag) || !rd_be64(&tag, &v))
		return 0;
	return v;
}

static bool was_seen(const struct remembered *m, uint64_t tag)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->tags[i] == tag)
			return true;
	return false;
}

static bool note_tag(struct esprim *r, struct remembered *m, uint64_t tag)
{
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 8;
		uint64_t *more = realloc(m->tags, room * sizeof *more);

		if (!more)
			return false;
		m->tags = more;
		m->room = room;
	}
	m->tags[m->count++] = tag;
	r->tags++;
	return true;
}

/* ---- opening ---- */

static enum onem2m_rsc parse(struct rd text, struct jose **j)
{
	const struct jose_header *h;
	struct key_id id;
	enum err e = jose_parse(text, j);

	if (e != OK)
		return e == ERR_UNSUPPORTED ? RSC_ESPRIM_UNSUPPORTED_OPTION : e == ERR_NO_MEMORY ? RSC_ESPRIM_DECRYPTION_ERROR : RSC_BAD_REQUEST;
	h = jose_header(*j, 0);
	if (!jose_is_encrypted(*j) || !jose_is_compact(*j))
		return RSC_BAD_REQUEST;
	/* The inner primitive is JSON: another content type is another option. */
	if (h->alg != JOSE_DIR || (h->cty.left > 0 && !rd_is(h->cty, "json") && !rd_is(h->cty, "application/vnd.onem2m-prsp+json")))
		return RSC_ESPRIM_UNSUPPORTED_OPTION;
	return key_id_split(h->kid, &id) == OK ? RSC_OK : RSC_ESPRIM_UNSUPPORTED_OPTION;
}

enum onem2m_rsc esprim_peek(struct rd text, char kid[static KEY_ID_MAX])
{
	struct jose *j = NULL;
	enum onem2m_rsc rsc = parse(text, &j);

	if (rsc == RSC_OK && !rd_text(jose_header(j, 0)->kid, kid, KEY_ID_MAX))
		rsc = RSC_ESPRIM_UNSUPPORTED_OPTION;
	jose_free(j);
	return rsc;
}

struct opening {
	char kid[KEY_ID_MAX], ori[RAND_ID_MAX], rri[RAND_ID_MAX];
	const struct rand_object *ours;
	struct rand_object theirs;
	struct remembered *m;
};

/* 4114, then 4113. */
static enum onem2m_rsc find_objects(const struct esprim *r, uint64_t now_ms, const struct jose *j, const char *entity, struct opening *o)
{
	const struct json *header = jose_header(j, 0)->protected, *oro = json_get(header, "oro");
	const struct rand_object *known;

	if (!json_text(json_get(header, "rri"), o->rri, sizeof o->rri))
		return RSC_ESPRIM_UNKNOWN_RECV_RAND_ID;
	o->ours = own_object(r, o->rri, entity, now_ms);
	if (!o->ours)
		return RSC_ESPRIM_UNKNOWN_RECV_RAND_ID;
	if (!json_text(json_get(header, "ori"), o->ori, sizeof o->ori) || o->ori[0] == 0)
		return RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID;
	known = known_object(r, o->kid, o->ori, o->rri, &o->m);
	if (known)
		o->theirs = *known;
	else if (!oro || rand_object_parse(&o->theirs, oro->source, false, now_ms) != OK || strcmp(o->theirs.id, o->ori) != 0)
		return RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID;
	/* An ID that comes with another object than before is another's (or the same one's mistake). */
	if (known && oro && !rd_equal(oro->source, rand_object_text(known)))
		return RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID;
	return o->theirs.expires_ms > now_ms && o->theirs.expires_ms <= o->ours->expires_ms ? RSC_OK : RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID;
}

/* 4111 */
static bool options_agree(const struct opening *o, enum jose_enc enc)
{
	return o->ours->hmac_sha256 && o->theirs.hmac_sha256 && !o->theirs.other_encs && !(o->theirs.encs & ~o->ours->encs) && enc != JOSE_NO_ENC &&
	    (o->theirs.encs & JOSE_MAY(enc));
}

/* After its text verified: it is remembered, unless it came before or there is no room. */
static enum onem2m_rsc accept(struct esprim *r, struct opening *o, struct rd text)
{
	uint64_t tag = tag_of(text);

	if (o->m && was_seen(o->m, tag))
		return RSC_ESPRIM_BAD_MAC;
	if (o->m && o->m->count >= ESPRIM_REQUESTS_MAX)
		return RSC_ESPRIM_UNKNOWN_ORIG_RAND_ID;
	if (!o->m)
		o->m = remember(r, o->kid, o->ours, &o->theirs);
	return o->m && r->tags < ESPRIM_TAGS_MAX && note_tag(r, o->m, tag) ? RSC_OK : RSC_ESPRIM_DECRYPTION_ERROR;
}

static enum onem2m_rsc open_parsed(struct esprim *r, uint64_t now_ms, const struct jose *j, struct rd text, const struct esprim_key *key,
    struct esprim_session *s, struct wr *inner)
{
	const struct jose_header *h = jose_header(j, 0);
	struct opening o = {.m = NULL};
	size_t before = inner->len;
	enum onem2m_rsc rsc;
	enum err e;

	if (!key || !rd_text(h->kid, o.kid, sizeof o.kid))
		return RSC_ESPRIM_UNKNOWN_KEY_ID;
	sweep(r, now_ms);
	if ((rsc = find_objects(r, now_ms, j, key->entity, &o)) != RSC_OK)
		return rsc;
	if (!options_agree(&o, h->enc))
		return RSC_ESPRIM_UNSUPPORTED_OPTION;
	if (session_new(key->key, o.kid, o.ours, &o.theirs, h->enc, s) != OK)
		return RSC_ESPRIM_DECRYPTION_ERROR;
	e = session_open(s, j, r->rng, inner);
	rsc = e == OK ? accept(r, &o, text) : e == ERR_BAD_MIC || e == ERR_MALFORMED ? RSC_ESPRIM_BAD_MAC : RSC_ESPRIM_DECRYPTION_ERROR;
	if (rsc != RSC_OK) {
		inner->len = before;
		esprim_session_clear(s);
	}
	return rsc;
}

enum onem2m_rsc esprim_open(struct esprim *r, uint64_t now_ms, struct rd text, const struct esprim_key *key, struct esprim_session *session,
    struct wr *inner)
{
	struct jose *j = NULL;
	enum onem2m_rsc rsc = parse(text, &j);

	*session = (struct esprim_session){0};
	if (rsc == RSC_OK)
		rsc = open_parsed(r, now_ms, j, text, key, session, inner);
	jose_free(j);
	return rsc;
}
