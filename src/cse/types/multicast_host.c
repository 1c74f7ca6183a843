/* Multicast groups of this CSE's groups: which there are, and what the other CSEs make of them. TS-0004 clause 7.5.3. */
#include "cse/types/multicast_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES_LEAST 2 /* for fewer it is not worth it */
#define MULTICAST_IP 2 /* m2m:multicastCapability */

struct site *multicast_add_site(struct hosted *h, const char *csi)
{
	struct site *s;

	h->sites = realloc(h->sites, (h->count + 1) * sizeof *h->sites);
	if (!h->sites)
		abort();
	s = &h->sites[h->count++];
	*s = (struct site){.members = NULL};
	snprintf(s->csi, sizeof s->csi, "%s", csi);
	return s;
}

void multicast_hosted_free(struct hosted *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->sites[i].members);
	free(h->sites);
	free(h);
}

static void hosting_free(struct cse *c, void *state)
{
	struct hosting *s = state;

	cse_timer_cancel(c, &s->timer);
	while (s->calls)
		multicast_call_done(s->calls);
	while (s->first) {
		struct hosted *h = s->first;

		s->first = h->next;
		multicast_hosted_free(h);
	}
	multicast_leaving_free(c, s);
	free(s->due);
	free(s);
	c->services[SERVICE_MULTICAST_HOST] = NULL;
}

static void on_due(struct cse *c, struct cse_timer *t);

struct hosting *multicast_hosting(struct cse *c)
{
	struct hosting *s = c->services[SERVICE_MULTICAST_HOST];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->timer.fn = on_due;
	cse_service_set(c, SERVICE_MULTICAST_HOST, s, hosting_free);
	return s;
}

struct hosted *multicast_find(struct cse *c, int64_t group)
{
	struct hosting *s = c->services[SERVICE_MULTICAST_HOST];
	struct hosted *h = s ? s->first : NULL;

	while (h && h->group != group)
		h = h->next;
	return h;
}

/* ---- localMulticastGroups at the other CSEs ---- */

void multicast_ask(struct cse *c, enum onem2m_operation operation, const char *to, struct rd content, cse_done *done, void *ctx)
{
	struct onem2m_request rq = {.operation = operation, .type = operation == ONEM2M_CREATE ? TY_LOCAL_MULTICAST_GROUP : 0, .rcn = operation == ONEM2M_CREATE ? ONEM2M_RCN_ABSENT : 0, .content = content, .internal = true};
	char id[32];

	snprintf(id, sizeof id, "m%llu", (unsigned long long)++c->numbers);
	rq.to = rd_str(to);
	rq.from = rd_str(c->config.id);
	rq.request_id = rd_str(id);
	rq.release = rd_str("3");
	cse_request(c, &rq, done, ctx);
}

/* Forgets it, here and there. */
static void tear_down(struct cse *c, struct hosted *h)
{
	struct hosting *s = multicast_hosting(c);
	struct hosted **at = &s->first;

	for (struct multicast_call *k = s->calls; k; k = k->next)
		if (k->hosted == h)
			k->hosted = NULL;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	for (size_t i = 0; i < h->count; i++)
		if (h->sites[i].made[0])
			multicast_leave(c, h->sites[i].made);
	multicast_keep(c, h->group, NULL);
	multicast_hosted_free(h);
}

struct making {
	struct cse *cse;
	int64_t group;
	char target[CSE_ID_MAX + 48], csi[CSE_ID_MAX];
};

static bool address_of(const struct making *m, const struct onem2m_response *rsp, char *address, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	char ri[128];
	bool ok = a && rsp->rsc == RSC_CREATED && json_parse(a, rsp->content, NULL, &doc) == OK && json_text(json_get(doc->first, "ri"), ri, sizeof ri) &&
	    (size_t)snprintf(address, size, "%s/%s", m->csi, ri[0] == '/' ? strrchr(ri, '/') + 1 : ri) < size;

	json_arena_free(a);
	return ok;
}

/* All have answered: those that did not join are left out. */
static void settle(struct cse *c, struct hosted *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->count; i++) {
		if (h->sites[i].made[0])
			h->sites[kept++] = h->sites[i];
		else
			free(h->sites[i].members);
	}
	h->count = kept;
	if (h->count < SITES_LEAST) {
		tear_down(c, h);
		return;
	}
	h->ready = true;
	multicast_keep(c, h->group, h);
}

static void on_made(void *ctx, const struct onem2m_response *rsp)
{
	struct making *m = ctx;
	struct hosting *s = m->cse->services[SERVICE_MULTICAST_HOST];
	struct hosted *h = s ? multicast_find(m->cse,  m->group) : NULL;
	char address[CSE_ID_MAX];
	bool made = address_of(m, rsp, address, sizeof address);

	if (h && strcmp(h->target, m->target) == 0) {
		for (size_t i = 0; made && i < h->count; i++)
			if (strcmp(h->sites[i].csi, m->csi) == 0)
				snprintf(h->sites[i].made, sizeof h->sites[i].made, "%s", address);
		if (--h->waits == 0)
			settle(m->cse, h);
	} else if (made && s) {
		multicast_leave(m->cse, address); /* the group is another by now */
	}
	free(m);
}

static void make_one(struct cse *c, const struct hosted *h, const struct site *site, const char *group_ri)
{
	struct making *m = calloc(1, sizeof *m);
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	char text[CSE_ID_MAX * 2];
	struct rd content = rd_of("", 0);

	if (!m)
		abort();
	*m = (struct making){.cse = c, .group = h->group};
	snprintf(m->target, sizeof m->target, "%s", h->target);
	snprintf(m->csi, sizeof m->csi, "%s", site->csi);
	json_object(&o, NULL);
	json_object(&o, "m2m:lmg");
	json_object(&o, "mad");
	json_put_string(&o, "ip4", h->address);
	json_close(&o);
	json_put_string(&o, "mgft", h->target);
	json_put_raw(&o, "mli", rd_str(site->members));
	snprintf(text, sizeof text, "%s/%s", c->config.id, group_ri);
	json_put_string(&o, "rstt", text);
	json_close(&o);
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	snprintf(text, sizeof text, "%s/-", site->csi); /* its CSEBase, whatever its name */
	multicast_ask(c, ONEM2M_CREATE, text, content, on_made, m);
	wr_free(&w);
}

/* ---- which members are asked so ---- */

/* "/id-mn" of "/id-mn/cnt_1". */
static bool csi_of(const struct json *member, char *csi, size_t size)
{
	char text[CSE_ID_MAX], *slash;

	if (!json_text(member, text, sizeof text) || text[0] != '/' || text[1] == '/' || (slash = strchr(text + 1, '/')) == NULL)
		return false;
	*slash = '\0';
	return (size_t)snprintf(csi, size, "%s", text) < size;
}

static bool takes_multicast(struct cse *c, const char *csi)
{
	struct resource *hop = cse_next_hop(c, csi);
	bool yes = hop && resource_is(hop, "csi", csi) && resource_uint(hop, "mtcc", 0) == MULTICAST_IP && !resource_is(hop, "csi", c->config.registrar_id ? c->config.registrar_id : "");

	resource_unref(hop);
	return yes;
}

static char *members_at(const struct json *mid, const char *csi)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	char other[CSE_ID_MAX];
	struct rd text;
	char *members;

	json_array(&o, NULL);
	for (const struct json *m = mid->first; m; m = m->next)
		if (csi_of(m, other, sizeof other) && strcmp(other, csi) == 0)
			json_put(&o, NULL, m);
	json_close(&o);
	members = multicast_text(wr_done(&w, &text) ? text : rd_str("[]"));
	wr_free(&w);
	return members;
}

static struct hosted *plan(struct cse *c, struct resource *group)
{
	const struct json *mid = resource_get(group, "mid");
	struct hosted *h = calloc(1, sizeof *h);
	char csi[CSE_ID_MAX];

	if (!h)
		abort();
	h->group = group->id;
	for (const struct json *m = mid ? mid->first : NULL; m && h->count < MULTICAST_SITES_MOST; m = m->next) {
		size_t i = 0;

		if (!csi_of(m, csi, sizeof csi))
			continue;
		while (i < h->count && strcmp(h->sites[i].csi, csi) != 0)
			i++;
		if (i == h->count && takes_multicast(c, csi))
			multicast_add_site(h, csi)->members = members_at(mid, csi);
	}
	return h;
}

static bool is_same(const struct hosted *a, const struct hosted *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->sites[i].csi, b->sites[i].csi) != 0 || strcmp(a->sites[i].members, b->sites[i].members) != 0)
			return false;
	return true;
}

/* An address of those that an organisation may give as it likes (RFC 2365, 239.255.0.0/16). Two groups with one address are told apart by their targets. */
static void name(struct cse *c, struct hosted *h)
{
	uint32_t n = 2166136261U;

	snprintf(h->target, sizeof h->target, "%s/fan%llx-%llx", c->config.id, (unsigned long long)h->group, (unsigned long long)cse_now(c));
	for (const char *p = h->target; *p; p++)
		n = (n ^ (unsigned char)*p) * 16777619U;
	snprintf(h->address, sizeof h->address, "239.255.%u.%u", (unsigned)(n >> 16 & 255), (unsigned)(n >> 24));
}

static void look_at(struct cse *c, int64_t id)
{
	struct hosting *s = multicast_hosting(c);
	struct resource *group = tree_by_id(c->tree, id);
	struct hosted *old = multicast_find(c,  id), *h = group ? plan(c, group) : NULL;

	if (h && old && is_same(h, old)) {
		multicast_hosted_free(h);
		resource_unref(group);
		return;
	}
	if (old)
		tear_down(c, old);
	if (h && h->count >= SITES_LEAST) {
		name(c, h);
		h->next = s->first;
		s->first = h;
		h->waits = (unsigned)h->count + 1;
		for (size_t i = 0; i < h->count; i++)
			make_one(c, h, &h->sites[i], group->ri);
		if (--h->waits == 0)
			settle(c, h);
	} else if (h) {
		multicast_hosted_free(h);
	}
	resource_unref(group);
}

static void on_due(struct cse *c, struct cse_timer *t)
{
	struct hosting *s = (struct hosting *)t;

	while (s->due_count > 0)
		look_at(c, s->due[--s->due_count]);
}

/* After the operation: it may be undone still. */
void multicast_group_changed(struct cse *c, const struct resource *group)
{
	struct hosting *s;

	if (!c->config.multicast_send || c->rehearsing)
		return;
	s = multicast_hosting(c);
	if (s->due_count == s->due_room) {
		s->due_room = s->due_room ? s->due_room * 2 : 16;
		s->due = realloc(s->due, s->due_room * sizeof *s->due);
		if (!s->due)
			abort();
	}
	s->due[s->due_count++] = group->id;
	cse_timer_at(c, &s->timer, cse_mono(c));
}

