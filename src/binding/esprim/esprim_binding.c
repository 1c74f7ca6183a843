/* Sealed primitives in and out. */
#include "binding/esprim/esprim_binding.h"

#include <stdlib.h>
#include <string.h>

#include "binding/esprim/agreement.h"
#include "binding/esprim/security_info.h"
#include "binding/primitive/envelope.h"
#include "base/bytes.h"
#include "json/json.h"

#define LIFE_MS 3600000
#define ASKING_MAX 1024 /* sealed requests under way */

struct esprim_binding {
	struct esprim_binding_config config;
	struct esprim *receiver;
	struct asking *first;
	size_t asking;
	struct agreement *agreement; /* ESCertKE; NULL: it is not offered */
	struct esprim_sender *sender;
};

/* One sealed request on its way. */
struct asking {
	struct asking *next;
	struct esprim_binding *b;
	char from[ENTITY_MAX];
	char kid[KEY_ID_MAX];
	char *text;                 /* the JWE */
	cse_done *done;
	void *ctx;
	void *finding;              /* of the key, while it is looked for */
	struct esprim_session session;
	struct wr inner;
	struct envelope *envelope;  /* the inner request */
};

static uint64_t now_ms(const struct esprim_binding *b)
{
	return b->config.unix_ms(b->config.ctx);
}

static void answer_text(cse_done *done, void *ctx, enum onem2m_rsc rsc, struct rd content)
{
	const struct onem2m_response rsp = {.rsc = rsc, .content = content};

	done(ctx, &rsp);
}

static void answer_plain(cse_done *done, void *ctx, enum onem2m_rsc rsc)
{
	answer_text(done, ctx, rsc, rd_str(""));
}

/* ---- the life of a sealed request ---- */

static struct asking *asking_new(struct esprim_binding *b, const char *from, struct rd text, cse_done *done, void *ctx)
{
	struct asking *a = b->asking < ASKING_MAX ? calloc(1, sizeof *a) : NULL;

	if (!a)
		return NULL;
	a->b = b;
	a->text = rd_strdup(text);
	a->done = done;
	a->ctx = ctx;
	a->inner = wr_new(JOSE_TEXT_MAX);
	if (!a->text || !rd_text(rd_str(from), a->from, sizeof a->from)) {
		free(a->text);
		free(a);
		return NULL;
	}
	a->next = b->first;
	b->first = a;
	b->asking++;
	return a;
}

static void asking_free(struct asking *a)
{
	struct asking **at = &a->b->first;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	a->b->asking--;
	esprim_session_clear(&a->session);
	envelope_free(a->envelope);
	wr_free(&a->inner);
	free(a->text);
	free(a);
}

/* Ends it before a session was there: the answer is in the clear and says no more than why. */
static void refuse(struct asking *a, enum onem2m_rsc rsc)
{
	cse_done *done = a->done;
	void *ctx = a->ctx;

	if (a->b->config.tell)
		a->b->config.tell(a->b->config.ctx, a->from, a->kid, rsc);
	asking_free(a);
	answer_plain(done, ctx, rsc);
}

static bool wrap(struct rd jwe, struct wr *w)
{
	struct rd text;

	security_info_write(w, SIT_ESPRIM, "epo", jwe);
	return wr_done(w, &text);
}

/* The inner request's answer, sealed under the same session. */
static void on_inner(void *ctx, const struct onem2m_response *rsp)
{
	struct asking *a = ctx;
	struct esprim_binding *b = a->b;
	struct envelope_about about = {.id = rd_str("")};
	struct wr inner = wr_new(JOSE_TEXT_MAX), jwe = wr_new(2 * JOSE_TEXT_MAX), content = wr_new(2 * JOSE_TEXT_MAX);
	struct rd text = rd_str("");
	enum onem2m_rsc rsc = RSC_ESPRIM_ENCRYPTION_ERROR;

	if (a->envelope) {
		about.id = a->envelope->rq.request_id;
		about.release = a->envelope->rq.release;
		about.from = rd_str(b->config.id);
	}
	if (envelope_write_response(SERIALIZATION_JSON, rsp, &about, &inner) == OK && wr_done(&inner, &text) &&
	    esprim_seal(&a->session, text, rd_str(""), b->config.rng, &jwe) == OK && wr_done(&jwe, &text) && wrap(text, &content) && wr_done(&content, &text))
		rsc = RSC_OK;
	if (rsc == RSC_OK) {
		if (b->config.tell)
			b->config.tell(b->config.ctx, a->from, a->kid, rsc);
		answer_text(a->done, a->ctx, rsc, text);
		asking_free(a);
	} else {
		refuse(a, rsc);
	}
	wr_free(&inner);
	wr_free(&jwe);
	wr_free(&content);
}

/* The inner From, as the same: absolute, SP-relative, or relative to this CSE. */
static bool is_entity(const struct esprim_binding *b, struct rd from, const char *id)
{
	struct rd sp;
	size_t own = strlen(b->config.id);

	if (rd_starts(from, "//")) {
		if (!rd_skip(&from, 2) || !rd_until(&from, '/', &sp) || !fqdn_equal(sp, rd_str(b->config.sp)))
			return false;
		return from.left + 1 == strlen(id) && rd_equal(from, rd_str(id + 1));
	}
	if (rd_starts(from, "/"))
		return rd_is(from, id);
	return strncmp(id, b->config.id, own) == 0 && id[own] == '/' && rd_is(from, id + own + 1);
}

static void submit(struct asking *a, const char *id)
{
	char why[ENVELOPE_FAULT_SIZE];
	struct envelope *v = NULL;
	struct rd text;

	if (!wr_done(&a->inner, &text) || envelope_read(SERIALIZATION_JSON, text, &v, why, sizeof why) != OK || v->is_response) {
		envelope_free(v);
		refuse(a, RSC_ESPRIM_DECRYPTION_ERROR);
		return;
	}
	a->envelope = v;
	if (!is_entity(a->b, v->rq.from, id)) {
		refuse(a, RSC_ESPRIM_IMPERSONATION_ERROR);
		return;
	}
	if (v->fault[0] || v->rq.to.left == 0) {
		on_inner(a, &(const struct onem2m_response){.rsc = RSC_BAD_REQUEST});
		return;
	}
	if (v->rq.rt != ONEM2M_RT_ABSENT && v->rq.rt != ONEM2M_BLOCKING) {
		on_inner(a, &(const struct onem2m_response){.rsc = RSC_NON_BLOCKING_SYNCH_REQUEST_NOT_SUPPORTED});
		return;
	}
	v->rq.genuine = true;
	v->rq.peer = "";
	a->b->config.submit(a->b->config.to, &v->rq, on_inner, a);
}

static void on_key(void *ctx, struct psk_answer *found)
{
	struct asking *a = ctx;
	struct esprim_binding *b = a->b;
	char id[ENTITY_MAX];
	struct esprim_key key = {NULL, id};
	uint64_t now = now_ms(b);
	enum onem2m_rsc rsc;

	a->finding = NULL;
	if (found && (found->expires_at == 0 || found->expires_at > now / 1000) && agreement_entity(found->entity, b->config.sp, id))
		key.key = found->key;
	rsc = esprim_open(b->receiver, now, rd_str(a->text), key.key ? &key : NULL, &a->session, &a->inner);
	if (found)
		secret_free(found->key);
	if (rsc != RSC_OK)
		refuse(a, rsc);
	else
		submit(a, id);
}

static void take_sealed(struct esprim_binding *b, const char *from, struct rd text, cse_done *done, void *ctx)
{
	struct asking *a;
	enum onem2m_rsc rsc;
	void *finding;

	if (text.left == 0) {
		answer_plain(done, ctx, RSC_BAD_REQUEST);
		return;
	}
	a = asking_new(b, from, text, done, ctx);
	if (!a) {
		answer_plain(done, ctx, RSC_ESPRIM_DECRYPTION_ERROR);
		return;
	}
	rsc = esprim_peek(text, a->kid);
	if (rsc != RSC_OK) {
		refuse(a, rsc);
		return;
	}
	if (b->agreement && agreement_find(b->agreement, a->kid, now_ms(b) / 1000, on_key, a))
		return;
	if (!b->config.keys.find) {
		on_key(a, NULL);
		return;
	}
	/* a may be gone when this returns: only a search that goes on gives a handle. */
	finding = b->config.keys.find(b->config.keys.source, a->kid, on_key, a);
	if (finding)
		a->finding = finding;
}

/* ---- rand objects ---- */

static void give_object(struct esprim_binding *b, const char *from, cse_done *done, void *ctx)
{
	char buffer[RAND_OBJECT_MAX + 128];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd object, text;
	enum err e = esprim_unshared(b->receiver, now_ms(b), from, &object);

	if (e != OK) {
		answer_plain(done, ctx, e == ERR_FULL ? RSC_NOT_ACCEPTABLE : RSC_INTERNAL_SERVER_ERROR);
		return;
	}
	security_info_write(&w, SIT_RAND_ANSWER, "ero", object);
	if (wr_done(&w, &text))
		answer_text(done, ctx, RSC_OK, text);
	else
		answer_plain(done, ctx, RSC_INTERNAL_SERVER_ERROR);
}

/* ---- ESCertKE ---- */

static void agree(struct esprim_binding *b, const char *from, struct rd message, cse_done *done, void *ctx)
{
	struct wr octets = wr_new(ESCERTKE_MESSAGE_MAX), answer = wr_new(ESCERTKE_MESSAGE_MAX), content = wr_new(4 * ESCERTKE_MESSAGE_MAX);
	struct json_out o = json_out(&content);
	char kid[KEY_ID_MAX] = "";
	struct rd text, in, out;
	enum onem2m_rsc rsc = RSC_BAD_REQUEST;

	if (message.left > 0 && base64_parse(message, &octets) && wr_done(&octets, &in))
		rsc = agreement_step(b->agreement, from, in, now_ms(b), kid, &answer);
	if (rsc == RSC_OK && wr_done(&answer, &out)) {
		json_object(&o, NULL);
		json_object(&o, "m2m:seci");
		json_put_uint(&o, "sit", SIT_ESCERTKE);
		json_put_base64(&o, "eckm", out);
		json_close(&o);
		json_close(&o);
	}
	if (b->config.tell && (rsc != RSC_OK || kid[0]))
		b->config.tell(b->config.ctx, from, kid, rsc);
	answer_text(done, ctx, rsc, wr_done(&content, &text) ? text : rd_str(""));
	wr_free(&octets);
	wr_free(&answer);
	wr_free(&content);
}

/* ---- what the CSE calls ---- */

static void notify(void *security, const char *from, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct esprim_binding *b = security;
	struct security_info i;

	if (!security_info_read(rq->content, &i)) {
		answer_plain(done, ctx, RSC_BAD_REQUEST);
		return;
	}
	if (i.sit == SIT_RAND_REQUEST)
		give_object(b, from, done, ctx);
	else if (i.sit == SIT_ESPRIM)
		take_sealed(b, from, i.epo, done, ctx);
	else if (i.sit == SIT_ESCERTKE && b->agreement)
		agree(b, from, i.eckm, done, ctx);
	else
		answer_plain(done, ctx, RSC_NOT_IMPLEMENTED);
	security_info_clear(&i);
}

/* m2m:e2eSecInfo: which keys ESPrim is offered with, and the object that everybody may use. */
static bool describe(void *security, struct wr *w)
{
	static const enum suid offered[] = {SUID_PPSK_ESPRIM, SUID_RSPF_ESPRIM, SUID_MAF_ESPRIM};
	struct esprim_binding *b = security;
	struct json_out o = json_out(w);
	struct rd object, text;

	if (esprim_shared(b->receiver, now_ms(b), &object) != OK)
		return false;
	json_object(&o, NULL);
	json_array(&o, "esf");
	for (size_t i = 0; b->config.keys.find && i < sizeof offered / sizeof *offered; i++)
		json_put_uint(&o, NULL, offered[i]);
	if (b->agreement || b->config.certified)
		json_put_uint(&o, NULL, SUID_CERT_ESPRIM);
	json_close(&o);
	json_put_raw(&o, "esro", object);
	json_close(&o);
	return wr_done(w, &text);
}

/* ---- what leaves ---- */

/* The keys of certificates first: they are the youngest. */
static bool key_for(void *ctx, const char *entity, const char *except, char kid[static KEY_ID_MAX], struct secret **key)
{
	struct esprim_binding *b = ctx;

	if (b->agreement && agreement_key_for(b->agreement, b->config.sp, entity, except, now_ms(b) / 1000, kid, key))
		return true;
	return b->config.key_for && b->config.key_for(b->config.ctx, entity, except, kid, key);
}

static uint64_t sender_ms(void *ctx)
{
	return now_ms(ctx);
}

static void sender_tell(void *ctx, const char *entity, const char *kid, enum onem2m_rsc rsc)
{
	struct esprim_binding *b = ctx;

	if (b->config.tell)
		b->config.tell(b->config.ctx, entity, kid, rsc);
}

static enum cse_sealing judge(void *security, const char *entity, struct rd info, bool known)
{
	return esprim_sender_judge(((struct esprim_binding *)security)->sender, entity, info, known);
}

static void send_sealed(void *security, const char *entity, struct rd info, bool known, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	esprim_sender_send(((struct esprim_binding *)security)->sender, entity, info, known, rq, done, ctx);
}

struct cse_security esprim_binding_security(struct esprim_binding *b)
{
	return (struct cse_security){.notify = notify, .describe = describe, .judge = judge, .send = send_sealed, .security = b};
}

static struct esprim_sender *sender_new(struct esprim_binding *b, uint32_t encs, uint64_t life_ms)
{
	const struct esprim_sender_config c = {.submit = b->config.submit, .to = b->config.to, .id = b->config.id, .policy = b->config.policy,
		.key_for = key_for, .unix_ms = sender_ms, .tell = sender_tell, .ctx = b, .rng = b->config.rng, .encs = encs, .life_ms = life_ms / 2};

	return esprim_sender_new(&c);
}

enum err esprim_binding_new(const struct esprim_binding_config *config, struct esprim_binding **out)
{
	const struct esprim_config receiver = {config->encs ? config->encs : JOSE_MAY_EVERY_ENC, config->life_ms ? config->life_ms : LIFE_MS};
	struct esprim_binding *b = calloc(1, sizeof *b);

	if (b)
		b->receiver = esprim_new(&receiver, config->rng);
	if (!b || !b->receiver) {
		free(b);
		return ERR_NO_MEMORY;
	}
	b->config = *config;
	if (config->tls)
		b->agreement = agreement_new(config->tls, config->fqdn);
	b->sender = sender_new(b, receiver.encs, receiver.life_ms);
	if (!b->sender || (config->tls && !b->agreement)) {
		esprim_binding_free(b);
		return ERR_NO_MEMORY;
	}
	*out = b;
	return OK;
}

void esprim_binding_free(struct esprim_binding *b)
{
	if (!b)
		return;
	while (b->first) {
		if (b->first->finding)
			b->config.keys.cancel(b->config.keys.source, b->first->finding);
		asking_free(b->first);
	}
	esprim_sender_free(b->sender);
	agreement_free(b->agreement);
	esprim_free(b->receiver);
	free(b);
}
