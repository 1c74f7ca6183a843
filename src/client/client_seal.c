/* Sealed requests: the originator of ESPrim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/esprim/security_info.h"
#include "binding/primitive/envelope.h"
#include "client/client_private.h"
#include "e2e/esprim.h"
#include "keys/sealed.h"
#include "onem2m/query.h"

#define LIFE_MS 1800000 /* of our rand objects: half of what receivers give theirs */
#define TRIES 3         /* a receiver that forgot our object, or its own, says so */

struct sealing {
	struct esprim_originator originator;
	struct esprim_session session;
	struct rng rng;
	char receiver[ENTITY_MAX];
};

void client_seal_free(struct sealing *s)
{
	if (!s)
		return;
	esprim_originator_clear(&s->originator);
	esprim_session_clear(&s->session);
	free(s);
}

int client_seal_with(struct keyway *k, const char *receiver, const char *key_id, const struct secret *key, bool certified, char *why, size_t why_size)
{
	struct sealing *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->rng = rng_system();
	if (k->from[0] != '/' && !k->cse[1]) {
		snprintf(why, why_size, "a sealed request says who asks in full: give `cse`, or an SP-relative `from` such as /id-in/Cmeter");
	} else if (receiver[0] != '/' || !rd_text(rd_str(receiver), s->receiver, sizeof s->receiver)) {
		snprintf(why, why_size, "`%.40s` is no CSE-ID such as /id-in", receiver);
	} else if (esprim_originator_init(&s->originator, key, key_id, JOSE_MAY_EVERY_ENC, LIFE_MS) != OK) {
		snprintf(why, why_size, "`%s` is no key identifier such as 0a1b@maf.example", key_id);
	} else {
		client_seal_free(k->sealing);
		k->sealing = s;
		client_open_key(k, receiver, key_id, key, certified);
		return 0;
	}
	client_seal_free(s);
	return -1;
}

int keyway_seal(struct keyway *k, const struct keyway_sealing *given, char *why, size_t why_size)
{
	struct secret *key = NULL;
	int r = -1;

	if (!given->receiver || !given->key_id || !given->key_file)
		snprintf(why, why_size, "`receiver`, a CSE-ID such as /id-in, `key_id` and `key_file` are needed");
	else if (key_file_read(given->key_file, &key) != OK)
		snprintf(why, why_size, "the key %s cannot be had: is it there, with mode 0600 and 64 hexadecimal digits?", given->key_file);
	else
		r = client_seal_with(k, given->receiver, given->key_id, key, false, why, why_size);
	secret_free(key);
	return r;
}

/* ---- answers ---- */

static int end(struct keyway *k, struct keyway_answer *a, enum keyway_failure failure, const char *sentence)
{
	struct keyway_answer no = {.failure = failure, .content = "", .location = "", .why = k->why};

	snprintf(k->why, sizeof k->why, "%s", sentence);
	client_keep_answer(k, &no);
	*a = k->answer;
	return 0;
}

/* The inner response, out of what came. */
static int take(struct keyway *k, struct rd text, struct keyway_answer *a)
{
	struct envelope *v = NULL;
	char why[ENVELOPE_FAULT_SIZE], *content;
	struct keyway_answer inner = {.failure = KEYWAY_OK, .location = ""};

	if (envelope_read(SERIALIZATION_JSON, text, &v, why, sizeof why) != OK || !v->is_response) {
		envelope_free(v);
		return end(k, a, KEYWAY_UNTRUSTED, "what was sealed is no response");
	}
	content = rd_strdup(v->rsp.content);
	if (!content)
		abort();
	inner.rsc = (int)v->rsp.rsc;
	inner.content = content;
	inner.content_len = v->rsp.content.left;
	inner.why = client_why_refused(k, v->rsp.rsc, v->rsp.content);
	client_keep_answer(k, &inner);
	free(content);
	envelope_free(v);
	*a = k->answer;
	return a->rsc;
}

/* ---- what is sent ---- */

static int notify(struct keyway *k, const struct keyway_request *rq, const struct wr *content, struct keyway_answer *a)
{
	struct keyway_request outer = {.operation = KEYWAY_NOTIFY, .to = k->sealing->receiver, .from = rq->from};
	struct rd text;
	char *copy = wr_done(content, &text) ? rd_strdup(text) : NULL;
	int rsc;

	if (!copy)
		return end(k, a, KEYWAY_INVALID, "the request is too long");
	outer.content = copy;
	rsc = keyway_call(k, &outer, a);
	free(copy);
	return rsc;
}

/* The receiver's object for us. 0 when there is none, and *a says why. */
static int ask_object(struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a)
{
	struct wr w = wr_new(256);
	struct security_info i;
	int rsc, r = 0;

	security_info_write(&w, SIT_RAND_REQUEST, NULL, rd_str(""));
	rsc = notify(k, rq, &w, a);
	if (rsc == RSC_OK && security_info_read(rd_of(a->content, a->content_len), &i)) {
		r = esprim_originator_take(&k->sealing->originator, i.ero, clock_unix_ms()) == OK;
		security_info_clear(&i);
	}
	if (!r && rsc == RSC_OK)
		(void)end(k, a, KEYWAY_UNTRUSTED, "the receiver gave no rand object that can be used");
	wr_free(&w);
	return r;
}

static enum err seal(struct keyway *k, struct rd inner, struct wr *content)
{
	struct sealing *s = k->sealing;
	struct wr jwe = wr_new(2 * JOSE_TEXT_MAX);
	struct rd text;
	enum err e;

	esprim_session_clear(&s->session);
	e = esprim_seal_request(&s->originator, clock_unix_ms(), inner, &s->rng, &jwe, &s->session);
	if (e == OK && wr_done(&jwe, &text))
		security_info_write(content, SIT_ESPRIM, "epo", text);
	wr_free(&jwe);
	return e;
}

static int open_answer(struct keyway *k, struct keyway_answer *a)
{
	struct sealing *s = k->sealing;
	struct wr inner = wr_new(JOSE_TEXT_MAX);
	struct security_info i = {.epo = rd_str("")};
	struct rd text;
	int r;

	if (!security_info_read(rd_of(a->content, a->content_len), &i) ||
	    esprim_open_response(&s->originator, &s->session, clock_unix_ms(), i.epo, &s->rng, &inner) != OK || !wr_done(&inner, &text))
		r = end(k, a, KEYWAY_UNTRUSTED, "the answer does not verify: somebody on the way made it, or changed it");
	else
		r = take(k, text, a);
	security_info_clear(&i);
	wr_free(&inner);
	return r;
}

/* The request as it is inside, in JSON. */
static bool write_inner(struct keyway *k, const struct keyway_request *given, struct wr *w)
{
	struct onem2m_request rq;
	char id[40];

	snprintf(id, sizeof id, "%s-%llu", k->prefix, (unsigned long long)++k->numbers);
	rq = (struct onem2m_request){
		.operation = (enum onem2m_operation)given->operation,
		.to = rd_str(given->to),
		.from = rd_str(given->from ? given->from : k->self),
		.request_id = rd_str(id),
		.release = rd_str(k->release),
		.type = given->operation == KEYWAY_CREATE ? given->type : 0,
		.rcn = ONEM2M_RCN_ABSENT,
		.filter = rd_str(given->query ? given->query : ""),
		.content = rd_str(given->content ? given->content : ""),
		.peer = "",
	};
	return query_parameters(&rq) && envelope_write_request(SERIALIZATION_JSON, &rq, w) == OK;
}

static int call(struct keyway *k, const struct keyway_request *rq, struct rd inner, struct keyway_answer *a)
{
	int rsc = 0;

	for (int tries = 0; tries < TRIES; tries++) {
		struct wr content = wr_new(4 * JOSE_TEXT_MAX);
		enum err e = seal(k, inner, &content);

		if (e == OK)
			rsc = notify(k, rq, &content, a);
		wr_free(&content);
		if (e == ERR_NOT_READY) {
			if (!ask_object(k, rq, a))
				return a->rsc;
			continue;
		}
		if (e != OK)
			return end(k, a, KEYWAY_INVALID, e == ERR_TOO_LONG ? "the request is too long" : err_text(e));
		if (rsc == RSC_OK)
			return open_answer(k, a);
		if (!esprim_originator_refused(&k->sealing->originator, (enum onem2m_rsc)rsc))
			return rsc;
	}
	return rsc;
}

int keyway_call_sealed(struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a)
{
	struct wr inner = wr_new(JOSE_TEXT_MAX);
	struct rd text;
	int r;

	if (!k->sealing)
		r = end(k, a, KEYWAY_INVALID, "with which key? keyway_seal comes first");
	else if (rq->operation < KEYWAY_CREATE || rq->operation > KEYWAY_NOTIFY || !rq->to || !rq->to[0] || !write_inner(k, rq, &inner) || !wr_done(&inner, &text))
		r = end(k, a, KEYWAY_INVALID, "the request is none: operation, to, type or query");
	else
		r = call(k, rq, text, a);
	wr_free(&inner);
	return r;
}
