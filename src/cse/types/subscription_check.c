/* What a subscription may ask for. */
#include "cse/types/subscription_check.h"

#include "cse/notify/criteria.h"
#include "cse/types/targets.h"

static bool is_blocking(const struct json *enc)
{
	return criteria_has(json_get(enc, "net"), EVENT_BLOCKING_UPDATE);
}

struct resource *subscription_blocking(struct cse *c, struct resource *r, const struct json *given, int64_t but)
{
	const int64_t *ids;
	size_t n = tree_subscriptions(c->tree, r, &ids);

	for (size_t i = 0; i < n; i++) {
		struct resource *sub = ids[i] == but ? NULL : tree_by_id(c->tree, ids[i]);
		const struct json *enc = sub ? resource_get(sub, "enc") : NULL;

		if (is_blocking(enc) && (!given || criteria_touches(enc, given)))
			return sub;
		resource_unref(sub);
	}
	return NULL;
}

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

static bool content_type_fits(struct exchange *x, const struct attributes *a, const struct json *enc)
{
	uint64_t nct = 0;
	unsigned net;

	if (!json_uint(attributes_value(a, "nct"), &nct) || criteria_content_fits(enc, nct, &net))
		return true;
	return REFUSE(x, "`nct`: %llu does not go with notificationEventType %u", (unsigned long long)nct, net);
}

static bool child_types_fit(struct exchange *x, const struct resource *parent, const struct json *enc)
{
	const struct json *chty = json_get(enc, "chty");
	uint64_t ty;

	for (const struct json *t = chty ? chty->first : NULL; t; t = t->next)
		if (json_uint(t, &ty) && (ty > 100000 || !parent->schema || !schema_child(parent->schema, (int)ty)))
			return REFUSE(x, "`enc.chty`: %llu is no child type of what is subscribed to", (unsigned long long)ty);
	return true;
}

/* A blocking update has one target, which is asked, and no policies of delivery. */
static bool blocking_is_alone(struct exchange *x, const struct attributes *a, const struct json *enc)
{
	static const char *const others[] = {"exc", "gpi", "nfu", "bn", "rl", "psn", "pn", "nsp", "ln", "nec", "acrs", "ma"};
	const struct json *nu = attributes_value(a, "nu");
	struct rd raw;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (attributes_get(a, others[i], &raw))
			return REFUSE(x, "`%s`: does not go with a blocking update", others[i]);
	for (const struct json *m = enc->first; m; m = m->next)
		if (!rd_is(m->key, "net") && !rd_is(m->key, "atr"))
			return REFUSE(x, "`enc`: only `atr` goes with a blocking update");
	if (json_get(enc, "net")->count != 1)
		return REFUSE(x, "`enc.net`: a blocking update goes with no other event");
	if (!nu || nu->count != 1 || nu->first->type != JSON_STRING)
		return REFUSE(x, "`nu`: a blocking update asks exactly one target");
	return true;
}

static bool blocking_fits(struct exchange *x, struct resource *parent, const struct attributes *a, const struct json *enc, int64_t own)
{
	struct resource *other;

	if (!is_blocking(enc))
		return true;
	if (!blocking_is_alone(x, a, enc))
		return false;
	other = subscription_blocking(x->cse, parent, NULL, own);
	resource_unref(other);
	if (!other)
		return true;
	exchange_fail(x, RSC_BLOCKING_SUBSCRIPTION_ALREADY_EXISTS, "another subscription blocks updates of this already");
	return false;
}

/* Who may block is decided when the subscription is made: TS-0004 clause 7.4.8.2.3. */
bool subscription_check_update(struct exchange *x, const struct json *enc)
{
	if (is_blocking(enc))
		return REFUSE(x, "`enc.net`: an UPDATE cannot ask for a blocking update");
	return true;
}

static bool missing_data_fits(struct exchange *x, const struct resource *parent, const struct json *enc)
{
	if (!criteria_has(json_get(enc, "net"), EVENT_MISSING_DATA))
		return true;
	if (parent->type != TY_TIME_SERIES)
		return REFUSE(x, "`enc.net`: only a timeSeries misses data");
	if (!json_get(enc, "md"))
		return REFUSE(x, "`enc.md`: is needed for a report on missing data");
	return true;
}

static bool batch_fits(struct exchange *x, const struct attributes *a)
{
	const struct json *bn = attributes_value(a, "bn");

	if (bn && !json_get(bn, "num") && !json_get(bn, "dur"))
		return REFUSE(x, "`bn`: needs a number or a duration");
	return true;
}

static bool monitors_fit(struct exchange *x, const struct json *enc)
{
	const struct json *om = json_get(enc, "om");

	if (json_get(enc, "net") && om)
		return REFUSE(x, "`enc`: `net` and `om` exclude each other");
	/* both members are optional, so that one without any means everything by everybody; suites take it for a mistake */
	for (const struct json *m = om && x->cse->config.testbench ? om->first : NULL; m; m = m->next)
		if (m->count == 0)
			return REFUSE(x, "`enc.om`: each needs operations or an originator");
	return true;
}

bool subscription_check(struct exchange *x, struct resource *parent, const struct attributes *a, int64_t own)
{
	const struct json *enc = attributes_value(a, "enc");

	return monitors_fit(x, enc) && content_type_fits(x, a, enc) && child_types_fit(x, parent, enc) && missing_data_fits(x, parent, enc) && batch_fits(x, a) &&
	    blocking_fits(x, parent, a, enc, own);
}
