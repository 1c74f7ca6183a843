/* Requests to members by IP multicast, and their results. TS-0001 clause 10.2.7.13.2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/multicast_private.h"

void multicast_call_done(struct multicast_call *k)
{
	multicast_done *done = k->done;
	void *ctx = k->ctx;

	multicast_call_end(k);
	done(ctx);
}

struct multicast_call *multicast_call_new(struct cse *c, int64_t group, const struct onem2m_request *rq, multicast_answer *answer, multicast_done *done, void *ctx)
{
	struct hosted *h = multicast_find(c,  group);
	struct onem2m_request own = *rq;
	struct multicast_call *k;
	char to[CSE_PATH_MAX];

	if (!h || !h->ready || (size_t)snprintf(to, sizeof to, "%s%.*s", h->target, (int)rq->to.left, (const char *)rq->to.at) >= sizeof to)
		return NULL;
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	*k = (struct multicast_call){.cse = c, .hosted = h, .left = h->count, .answer = answer, .done = done, .ctx = ctx};
	snprintf(k->id, sizeof k->id, "g%llx-%llx", (unsigned long long)cse_now(c), (unsigned long long)++c->numbers);
	own.to = rd_str(to);
	own.request_id = rd_str(k->id);
	if (!c->config.multicast_send(c->config.multicast_ctx, h->address, &own)) {
		free(k);
		return NULL;
	}
	k->next = multicast_hosting(c)->calls;
	multicast_hosting(c)->calls = k;
	return k;
}

static size_t site_of(const struct hosted *h, const char *address)
{
	size_t i;

	for (i = 0; i < h->count; i++) {
		size_t n = strlen(h->sites[i].csi);

		if (strncmp(address, h->sites[i].csi, n) == 0 && (address[n] == '/' || address[n] == '\0'))
			break;
	}
	return i;
}

bool multicast_call_asks(const struct multicast_call *k, const char *member)
{
	return k->hosted && site_of(k->hosted, member) < k->hosted->count;
}

void multicast_call_end(struct multicast_call *k)
{
	struct hosting *s;
	struct multicast_call **at;

	if (!k)
		return;
	s = multicast_hosting(k->cse);
	for (at = &s->calls; *at != k; at = &(*at)->next)
		;
	*at = k->next;
	free(k);
}

/* The results of a CSE's members: those of its own fan-out, or one failure for all. */
static void take_results(struct multicast_call *k, const struct json *rsp)
{
	const struct json *pc = json_get(rsp, "pc"), *list = json_get(json_get(pc, "m2m:agr"), "m2m:rsp");

	for (const struct json *r = list ? list->first : NULL; r; r = r->next) {
		const struct json *content = json_get(r, "pc");
		char to[CSE_PATH_MAX];
		uint64_t rsc;

		if (json_text(json_get(r, "fr"), to, sizeof to) && json_uint(json_get(r, "rsc"), &rsc))
			k->answer(k->ctx, to, (enum onem2m_rsc)rsc, content ? content->source : rd_of("", 0));
	}
}

bool multicast_answered(struct exchange *x)
{
	struct hosting *s = x->cse->services[SERVICE_MULTICAST_HOST];
	struct multicast_call *k = s ? s->calls : NULL;
	const struct json *doc, *rsp;
	char id[64];
	size_t i;

	if (x->target->type != TY_GROUP || json_parse(x->arena, x->rq->content, NULL, &doc) != OK || (rsp = json_get(doc, "m2m:rsp")) == NULL)
		return false;
	if (!json_text(json_get(rsp, "rqi"), id, sizeof id))
		id[0] = '\0';
	while (k && !(strcmp(k->id, id) == 0 && k->hosted && k->hosted->group == x->target->id))
		k = k->next;
	/* what comes too late, or a second time, is nobody's */
	i = k ? site_of(k->hosted, x->from) : 0;
	if (k && i < k->hosted->count && strcmp(k->hosted->sites[i].csi, x->from) == 0 && !k->answered[i]) {
		k->answered[i] = true;
		take_results(k, rsp);
		if (--k->left == 0)
			multicast_call_done(k);
	}
	exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	return true;
}
