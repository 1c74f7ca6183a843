/* Sealing what leaves: the verdict, and each request on its way. */
#include "binding/esprim/sender_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/esprim/security_info.h"
#include "binding/primitive/envelope.h"

#define TRIES 4 /* its rand object, ours, and the key may each turn out to be forgotten */

/* One request on its way. */
struct esprim_sending {
	struct esprim_sending *next;
	struct esprim_sender *s;
	struct esprim_partner *partner;
	const struct onem2m_request *rq;
	bool known, waits;         /* waits: for the partner's rand object */
	unsigned tries;
	cse_done *done;
	void *ctx;
	struct esprim_session session;
	struct onem2m_request outer;
	struct wr content;
	char id[40];
};

bool esprim_policy_parse(const char *text, enum esprim_policy *p)
{
	static const char *const names[] = {[ESPRIM_NEVER] = "never", [ESPRIM_OFFERED] = "offered", [ESPRIM_REQUIRED] = "required"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*p = (enum esprim_policy)i;
			return true;
		}
	return false;
}

static uint64_t now_ms(const struct esprim_sender *s)
{
	return s->config.unix_ms(s->config.ctx);
}

static void tell(struct esprim_sender *s, const char *entity, const char *kid, enum onem2m_rsc rsc)
{
	if (s->config.tell)
		s->config.tell(s->config.ctx, entity, kid, rsc);
}

/* ---- the verdict ---- */

static enum cse_sealing otherwise(struct esprim_sender *s, const char *entity)
{
	if (s->config.policy != ESPRIM_REQUIRED)
		return CSE_IN_THE_CLEAR;
	if (strcmp(s->refused, entity) != 0) {
		snprintf(s->refused, sizeof s->refused, "%s", entity);
		tell(s, entity, "", RSC_ESPRIM_ENCRYPTION_ERROR);
	}
	return CSE_NOT_AT_ALL;
}

enum cse_sealing esprim_sender_judge(struct esprim_sender *s, const char *entity, struct rd info, bool known)
{
	const struct esprim_partner *p;

	if (s->config.policy == ESPRIM_NEVER)
		return CSE_IN_THE_CLEAR;
	if (known && !security_info_takes_esprim(info)) /* without a look at the keys: most AEs take none */
		return otherwise(s, entity);
	p = esprim_partner_of(s, entity);
	if (!p)
		return otherwise(s, entity);
	if (!known && !p->proved && p->deaf_until_ms > now_ms(s))
		return otherwise(s, entity);
	return CSE_SEALED;
}

/* ---- ends ---- */

static struct esprim_sending *take_out(struct esprim_sending *q)
{
	struct esprim_sending **at = &q->s->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->partner->sending--;
	return q;
}

static void sending_free(struct esprim_sending *q)
{
	esprim_session_clear(&q->session);
	wr_free(&q->content);
	free(q);
}

static void end(struct esprim_sending *q, const struct onem2m_response *rsp)
{
	cse_done *done = q->done;
	void *ctx = q->ctx;

	if (rsp->rsc >= RSC_BAD_REQUEST && q->s->config.tell && rsp->rsc != RSC_TARGET_NOT_REACHABLE)
		tell(q->s, q->partner->entity, q->partner->o.kid, rsp->rsc);
	sending_free(take_out(q));
	done(ctx, rsp);
}

static void fail(struct esprim_sending *q, enum onem2m_rsc rsc)
{
	end(q, &(const struct onem2m_response){.rsc = rsc});
}

/* What the entity does not take sealed, where that is permitted. */
static void in_the_clear(struct esprim_sending *q)
{
	struct esprim_sender *s = q->s;
	const struct onem2m_request *rq = q->rq;
	cse_done *done = q->done;
	void *ctx = q->ctx;

	sending_free(take_out(q));
	s->config.submit(s->config.to, rq, done, ctx);
}

/* ---- what is sent ---- */

static void step(struct esprim_sending *q);

static void submit(struct esprim_sending *q, cse_done *done)
{
	struct esprim_sender *s = q->s;
	struct rd content;

	if (!wr_done(&q->content, &content)) {
		fail(q, RSC_ESPRIM_ENCRYPTION_ERROR);
		return;
	}
	snprintf(q->id, sizeof q->id, "e%08x%llu", s->seed, (unsigned long long)++s->numbers);
	q->outer = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.to = q->rq->to,
		.from = rd_str(s->config.id),
		.request_id = rd_str(q->id),
		.release = q->rq->release,
		.rcn = ONEM2M_RCN_ABSENT,
		.content = content,
		.ec = q->rq->ec,
		.peer = "",
		.internal = true,
	};
	s->config.submit(s->config.to, &q->outer, done, q);
}

/* Everybody who waits for the object of this partner: until one has to ask again. */
static void resume(struct esprim_sender *s, struct esprim_partner *p)
{
	struct esprim_sending *q = s->first;

	p->sending++; /* it stays while this goes on */
	while (q && !p->asking) {
		if (q->partner == p && q->waits) {
			q->waits = false;
			step(q);
			q = s->first;
		} else {
			q = q->next;
		}
	}
	p->sending--;
}

static bool may_come_later(enum onem2m_rsc rsc)
{
	return rsc == RSC_TARGET_NOT_REACHABLE || rsc == RSC_REMOTE_ENTITY_NOT_REACHABLE || rsc == RSC_NOT_FOUND || rsc == RSC_REQUEST_TIMEOUT ||
	    rsc == RSC_INTERNAL_SERVER_ERROR;
}

/* It gave none: all who wait go the same way. */
static void gave_none(struct esprim_sender *s, struct esprim_partner *p, enum onem2m_rsc rsc)
{
	bool later = may_come_later(rsc);
	struct esprim_sending *q = s->first;

	if (!later)
		p->deaf_until_ms = now_ms(s) + ESPRIM_DEAF_MS;
	p->sending++;
	while (q) {
		struct esprim_sending *this = q;

		q = q->next;
		if (this->partner != p || !this->waits)
			continue;
		if (!later && s->config.policy == ESPRIM_OFFERED && !this->known && !p->proved)
			in_the_clear(this);
		else
			fail(this, rsc >= RSC_BAD_REQUEST ? rsc : RSC_ESPRIM_ENCRYPTION_ERROR);
		q = s->first; /* who was told may have begun or ended others */
	}
	p->sending--;
}

static void on_object(void *ctx, const struct onem2m_response *rsp)
{
	struct esprim_sending *q = ctx;
	struct esprim_sender *s = q->s;
	struct esprim_partner *p = q->partner;
	struct security_info i;
	bool got = false;

	p->asking = false;
	if (rsp->rsc == RSC_OK && security_info_read(rsp->content, &i)) {
		got = i.sit == SIT_RAND_ANSWER && esprim_originator_take(&p->o, i.ero, now_ms(s)) == OK;
		security_info_clear(&i);
	}
	if (got)
		resume(s, p);
	else
		gave_none(s, p, rsp->rsc);
}

/* One asks for all. */
static void ask_object(struct esprim_sending *q)
{
	q->waits = true;
	if (q->partner->asking)
		return;
	q->partner->asking = true;
	wr_reset(&q->content);
	security_info_write(&q->content, SIT_RAND_REQUEST, NULL, rd_str(""));
	submit(q, on_object);
}

static void answered(struct esprim_sending *q, struct rd jwe)
{
	struct esprim_partner *p = q->partner;
	struct wr inner = wr_new(JOSE_TEXT_MAX);
	struct envelope *v = NULL;
	char why[ENVELOPE_FAULT_SIZE];
	struct rd text;

	/* Who changed it could have dropped it as well: so it is tried again, as if nobody had answered. */
	if (esprim_open_response(&p->o, &q->session, now_ms(q->s), jwe, q->s->config.rng, &inner) != OK || !wr_done(&inner, &text) ||
	    envelope_read(SERIALIZATION_JSON, text, &v, why, sizeof why) != OK || !v->is_response) {
		tell(q->s, p->entity, p->o.kid, RSC_ESPRIM_BAD_MAC);
		fail(q, RSC_TARGET_NOT_REACHABLE);
	} else {
		p->proved = true;
		end(q, &v->rsp);
	}
	envelope_free(v);
	wr_free(&inner);
}

/* It knows this key no more, after a restart perhaps: there may be another one. */
static bool other_key(struct esprim_sending *q)
{
	struct esprim_partner *p = q->partner;
	char entity[ENTITY_MAX];

	memcpy(p->unknown, p->o.kid, sizeof p->unknown);
	memcpy(entity, p->entity, sizeof entity);
	return esprim_partner_of(q->s, entity) == p;
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct esprim_sending *q = ctx;
	struct security_info i;

	if (rsp->rsc == RSC_OK && security_info_read(rsp->content, &i)) {
		answered(q, i.sit == SIT_ESPRIM ? i.epo : rd_str(""));
		security_info_clear(&i);
	} else if (rsp->rsc == RSC_OK) {
		answered(q, rd_str(""));
	} else if (q->tries < TRIES && esprim_originator_refused(&q->partner->o, rsp->rsc)) {
		step(q);
	} else if (q->tries < TRIES && rsp->rsc == RSC_ESPRIM_UNKNOWN_KEY_ID && other_key(q)) {
		step(q);
	} else {
		end(q, &(const struct onem2m_response){.rsc = rsp->rsc});
	}
}

static enum err seal(struct esprim_sending *q)
{
	struct esprim_sender *s = q->s;
	struct wr inner = wr_new(JOSE_TEXT_MAX), jwe = wr_new(2 * JOSE_TEXT_MAX);
	struct rd text;
	enum err e = envelope_write_request(SERIALIZATION_JSON, q->rq, &inner);

	esprim_session_clear(&q->session);
	wr_reset(&q->content);
	if (e == OK)
		e = wr_done(&inner, &text) ? esprim_seal_request(&q->partner->o, now_ms(s), text, s->config.rng, &jwe, &q->session) : ERR_TOO_LONG;
	if (e == OK && wr_done(&jwe, &text))
		security_info_write(&q->content, SIT_ESPRIM, "epo", text);
	else if (e == OK)
		e = ERR_TOO_LONG;
	wr_free(&inner);
	wr_free(&jwe);
	return e;
}

static void step(struct esprim_sending *q)
{
	enum err e = ++q->tries <= TRIES + 1 ? seal(q) : ERR_STATE;

	if (e == OK)
		submit(q, on_answer);
	else if (e == ERR_NOT_READY)
		ask_object(q);
	else
		fail(q, RSC_ESPRIM_ENCRYPTION_ERROR);
}

void esprim_sender_send(struct esprim_sender *s, const char *entity, struct rd info, bool known, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct esprim_partner *p = esprim_partner_of(s, entity);
	struct esprim_sending *q = p ? calloc(1, sizeof *q) : NULL;
	struct security_info i;

	if (!q) {
		done(ctx, &(const struct onem2m_response){.rsc = RSC_ESPRIM_ENCRYPTION_ERROR});
		return;
	}
	q->s = s;
	q->partner = p;
	q->rq = rq;
	q->known = known;
	q->done = done;
	q->ctx = ctx;
	q->content = wr_new(2 * JOSE_TEXT_MAX);
	q->next = s->first;
	s->first = q;
	p->sending++;
	if ((!p->o.has_receivers || p->o.receivers.expires_ms <= now_ms(s)) && known && security_info_parse(info, &i)) {
		if (i.esro.left > 0 && esprim_originator_take(&p->o, i.esro, now_ms(s)) != OK)
			p->o.has_receivers = false; /* expired, or not for us: it is asked for one */
		security_info_clear(&i);
	}
	step(q);
}

struct esprim_sender *esprim_sender_new(const struct esprim_sender_config *config)
{
	struct esprim_sender *s = calloc(1, sizeof *s);

	if (s) {
		s->config = *config;
		s->seed = rng_u32(config->rng);
		s->refused[0] = '-'; /* nobody's ID */
	}
	return s;
}

void esprim_sender_free(struct esprim_sender *s)
{
	if (!s)
		return;
	while (s->first)
		sending_free(take_out(s->first));
	esprim_partners_free(s);
	free(s);
}
