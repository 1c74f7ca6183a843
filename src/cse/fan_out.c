/* fanOutPoint: one request becomes one for each member, their answers one aggregated response. TS-0004 clause 7.4.14.3, TS-0001 clause 10.2.7. */
#include "cse/fan_out.h"
#include "cse/types/multicast_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fan_member {
	struct fan_out *fan;
	char *to;                     /* where its request goes */
	bool answered;
	enum onem2m_rsc rsc;
	struct wr content;
};

struct fan_out {
	struct cse *cse;
	struct exchange *x;           /* NULL after the answer */
	struct fan_member *members;
	size_t count, left;           /* left: requests that are not done; one more while they are being sent */
	char gid[128], rqet[TIMESTAMP_SIZE];
	uint64_t until;               /* unix ms */
	struct rd content;            /* while the requests are being sent */
	struct cse_timer timer;
	struct multicast_call *multicast; /* one more, which asks several members; NULL: none */
};

/* ---- the answer ---- */

static void put_response(struct fan_out *f, const struct fan_member *m, struct json_out *o)
{
	json_object(o, NULL);
	json_put_int(o, "rsc", m->rsc);
	json_put_rd(o, "rqi", f->x->rq->request_id);
	json_put_string(o, "fr", m->to);
	json_put_content(o, "pc", rd_of(m->content.octets, m->content.len));
	json_close(o);
}

static void answer(struct fan_out *f)
{
	struct exchange *x = f->x;
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	size_t answered = 0;
	struct rd content;

	json_object(&o, NULL);
	json_object(&o, "m2m:agr");
	json_array(&o, "m2m:rsp");
	for (size_t i = 0; i < f->count; i++) {
		if (!f->members[i].answered)
			continue;
		put_response(f, &f->members[i], &o);
		answered++;
	}
	json_close(&o);
	json_close(&o);
	json_close(&o);
	f->x = NULL;
	cse_timer_cancel(f->cse, &f->timer);
	if (answered == 0 && f->count > 0)
		exchange_fail(x, RSC_GROUP_MEMBERS_NOT_RESPONDED, "no member of the group answered");
	else if (wr_done(&w, &content))
		exchange_answer(x, RSC_OK, content, rd_str(""));
	else
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the members' answers together are too large");
	wr_free(&w);
}

static void fan_out_end(struct fan_out *f)
{
	for (size_t i = 0; i < f->count; i++) {
		wr_free(&f->members[i].content);
		free(f->members[i].to);
	}
	free(f->members);
	free(f);
}

/* One of the requests is done, or all were sent. */
static void one_less(struct fan_out *f)
{
	if (--f->left > 0)
		return;
	if (f->x)
		answer(f);
	fan_out_end(f);
}

static bool is_no_answer(const struct onem2m_response *rsp)
{
	return rsp->rsc == RSC_TARGET_NOT_REACHABLE || rsp->rsc == RSC_REQUEST_TIMEOUT;
}

static void on_member(void *ctx, const struct onem2m_response *rsp)
{
	struct fan_member *m = ctx;

	if (m->fan->x && !is_no_answer(rsp)) {
		m->answered = true;
		m->rsc = rsp->rsc;
		wr_rd(&m->content, rsp->content);
	}
	one_less(m->fan);
}

/* Who has not answered by now is left out. What still comes ends the rest. */
static void on_time(struct cse *c, struct cse_timer *t)
{
	struct fan_out *f = (struct fan_out *)(void *)((char *)t - offsetof(struct fan_out, timer));

	(void)c;
	if (f->x)
		answer(f);
	if (f->multicast) {
		multicast_call_end(f->multicast);
		f->multicast = NULL;
		one_less(f);
	}
}

/* ---- the requests ---- */

static struct onem2m_request request_to(const struct fan_out *f, struct rd to, struct rd id)
{
	struct onem2m_request rq = *f->x->rq;

	rq.to = to;
	rq.from = rd_str(f->x->from);
	rq.request_id = id;
	rq.content = f->content;
	rq.gid = rd_str(f->gid);
	rq.rqet = rd_str(f->rqet);
	rq.rt = ONEM2M_RT_ABSENT;
	rq.rt_nu = rq.oet = rq.rp = rd_of(NULL, 0);
	rq.multicast = false;
	rq.genuine = true;
	return rq;
}

static void send_one(struct fan_member *m)
{
	struct fan_out *f = m->fan;
	struct onem2m_request rq;
	char id[64];

	snprintf(id, sizeof id, "f%llx-%llx", (unsigned long long)cse_now(f->cse), (unsigned long long)++f->cse->numbers);
	rq = request_to(f, rd_str(m->to), rd_str(id));
	cse_request(f->cse, &rq, on_member, m);
}

/* ---- by multicast ---- */

static void on_multicast_answer(void *ctx, const char *to, enum onem2m_rsc rsc, struct rd content)
{
	struct fan_out *f = ctx;

	for (size_t i = 0; f->x && i < f->count; i++) {
		struct fan_member *m = &f->members[i];

		if (m->answered || strcmp(m->to, to) != 0)
			continue;
		m->answered = true;
		m->rsc = rsc;
		wr_rd(&m->content, content);
		return;
	}
}

static void on_multicast_done(void *ctx)
{
	struct fan_out *f = ctx;

	f->multicast = NULL;
	one_less(f);
}

/* Those of a group of this CSE; all that it reaches would get it, so not when some are wanted only. */
static void send_multicast(struct fan_out *f)
{
	struct exchange *x = f->x;
	char suffix[CSE_PATH_MAX];
	struct onem2m_request rq;

	if (x->target->type != TY_GROUP || x->filter.target_member_count > 0)
		return;
	snprintf(suffix, sizeof suffix, "%s%.*s", x->suffix.left ? "/" : "", (int)x->suffix.left, (const char *)x->suffix.at);
	rq = request_to(f, rd_str(suffix), rd_of("", 0));
	f->multicast = multicast_call_new(f->cse, x->target->id, &rq, on_multicast_answer, on_multicast_done, f);
	if (f->multicast)
		f->left++;
}

/* Of a group among the members of another type, its members are meant. */
static bool is_subgroup(struct exchange *x, struct rd id)
{
	uint64_t type = resource_uint(x->target, "mt", 0);
	struct resource *r;
	bool yes;

	if (type == 0 || type == TY_GROUP)
		return false;
	r = cse_find_address(x->cse, id);
	yes = r && r->type == TY_GROUP;
	resource_unref(r);
	return yes;
}

/* Two addresses of one resource here. */
static bool is_same(struct exchange *x, struct rd a, struct rd b)
{
	struct resource *first = cse_find_address(x->cse, a), *second = first ? cse_find_address(x->cse, b) : NULL;
	bool same = second && first->id == second->id;

	resource_unref(first);
	resource_unref(second);
	return same;
}

static void add(struct fan_out *f, struct rd id)
{
	struct exchange *x = f->x;
	struct fan_member *m = &f->members[f->count];
	bool within = is_subgroup(x, id);
	size_t size = id.left + x->suffix.left + 16;

	m->to = malloc(size);
	if (!m->to)
		abort();
	snprintf(m->to, size, "%.*s%s%s%.*s", (int)id.left, (const char *)id.at, within ? "/fopt" : "", x->suffix.left ? "/" : "", (int)x->suffix.left,
	    (const char *)x->suffix.at);
	if (!fan_out_note(f->cse, rd_str(f->gid), m->to, f->until)) {
		free(m->to); /* another group has asked it */
		return;
	}
	m->fan = f;
	m->content = wr_new(CSE_BODY_MAX * 4);
	f->count++;
}

/* The members' requests end before the originator's does, so that what came in time is told. */
static void set_times(struct fan_out *f)
{
	uint64_t now = cse_now(f->cse), life = f->x->expires_ms ? f->x->expires_ms - now : cse_request_life(f->cse);

	f->until = now + life;
	timestamp_print_precise(f->rqet, f->until);
	f->timer.fn = on_time;
	cse_timer_at(f->cse, &f->timer, cse_mono(f->cse) + life - life / 10);
}

static struct fan_out *fan_out_new(struct exchange *x, const struct json *mid)
{
	struct fan_out *f = calloc(1, sizeof *f);

	if (!f || (f->members = calloc(mid->count, sizeof *f->members)) == NULL)
		abort();
	f->cse = x->cse;
	f->x = x;
	if (!rd_text(x->rq->gid, f->gid, sizeof f->gid) || f->gid[0] == '\0')
		snprintf(f->gid, sizeof f->gid, "%.60s-%llx-%llx", x->cse->config.id + 1, (unsigned long long)cse_now(x->cse), (unsigned long long)++x->cse->numbers);
	set_times(f);
	return f;
}

/* macp says who may reach the members through the group; without it, the group's own policies do. */
static bool may_fan_out(struct exchange *x)
{
	static const unsigned operations[] = {
		[ONEM2M_CREATE] = ACOP_CREATE, [ONEM2M_RETRIEVE] = ACOP_RETRIEVE, [ONEM2M_UPDATE] = ACOP_UPDATE, [ONEM2M_DELETE] = ACOP_DELETE, [ONEM2M_NOTIFY] = ACOP_NOTIFY};
	unsigned acop = filter_discovers(&x->filter) ? ACOP_DISCOVERY : operations[x->rq->operation];
	const struct json *macp = resource_get(x->target, "macp");

	return macp && macp->first ? cse_policies_permit(x, macp, x->target, acop, x->rq->type) :
	       acop == ACOP_CREATE ? cse_permits_child(x, x->target, x->rq->type) : cse_permits(x, x->target, acop);
}

/* Group Request Target Members (gtm): these alone. TS-0004 clause 7.4.14.2.4 */
static bool is_wanted(struct exchange *x, struct rd member)
{
	const struct filter *f = &x->filter;

	for (size_t i = 0; i < f->target_member_count; i++)
		if (rd_equal(f->target_members[i], member) || is_same(x, f->target_members[i], member))
			return true;
	return f->target_member_count == 0;
}

static bool members_are_known(struct exchange *x, const struct json *mid)
{
	const struct filter *f = &x->filter;

	for (size_t i = 0; i < f->target_member_count; i++) {
		const struct json *m = mid->first;

		while (m && !(m->type == JSON_STRING && (rd_equal(m->text, f->target_members[i]) || is_same(x, f->target_members[i], m->text))))
			m = m->next;
		if (!m)
			return false;
	}
	return true;
}

static void send_all(struct fan_out *f, const struct json *mid)
{
	f->content = fan_out_content(f->x);
	for (const struct json *m = mid->first; m; m = m->next)
		if (m->type == JSON_STRING && is_wanted(f->x, m->text))
			add(f, m->text);
	f->left = f->count + 1;
	send_multicast(f);
	for (size_t i = 0; i < f->count; i++) {
		if (f->multicast && multicast_call_asks(f->multicast, f->members[i].to))
			f->left--;
		else
			send_one(&f->members[i]);
	}
	one_less(f);
}

void group_fan_out(struct exchange *x)
{
	const struct json *mid = resource_get(x->target, "mid");
	struct fan_out *f;

	if (group_gathers(x))
		return;
	if (!may_fan_out(x)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not do this with the group's members", x->from);
		return;
	}
	if (x->virtual_child == VIRTUAL_SEMANTIC_FAN_OUT) {
		semantic_fan_out(x);
		return;
	}
	if (!mid || !mid->first) {
		exchange_fail(x, RSC_NO_MEMBERS, "the group has no members");
		return;
	}
	if (!members_are_known(x, mid)) {
		exchange_fail(x, RSC_BAD_REQUEST, "`gtm` in the query names what is no member of the group");
		return;
	}
	f = fan_out_new(x, mid);
	if (!fan_out_note(x->cse, rd_str(f->gid), x->target->ri, f->until)) {
		cse_timer_cancel(x->cse, &f->timer);
		fan_out_end(f);
		exchange_fail(x, RSC_GROUP_REQUEST_IDENTIFIER_EXISTS, "this request was here before: the groups contain each other");
		return;
	}
	send_all(f, mid);
}

/* The group that means them is at another CSE, which has said who may use it; each member has its own policies. */
void multicast_fan_out(struct exchange *x)
{
	const struct json *members = resource_get(x->target, "mli");

	if (x->rq->multicast)
		multicast_reply(x);
	if (!members || !members->first)
		exchange_fail(x, RSC_NO_MEMBERS, "the group has no members");
	else
		send_all(fan_out_new(x, members), members);
}
