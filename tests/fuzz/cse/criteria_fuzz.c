/* eventNotificationCriteria that the schema accepts, against every event of a container and of an instance: what is told when all conditions must
 * hold is told too when one suffices; the content type that is the default goes with a single event; and a criterion that is taken away
 * never silences a subscription whose conditions must all hold. */
#include <string.h>

#include "cse/notify/criteria.h"
#include "fuzz.h"

static void send_nothing(void *t, const char *url, const char *id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	(void)t;
	(void)url;
	(void)id;
	(void)rq;
	(void)done;
	(void)ctx;
}
static uint64_t clock_zero(void *t)
{
	(void)t;
	return 1800000000000ULL;
}
static void defer_never(void *t, void (*fn)(void *), void *ctx)
{
	(void)t;
	(void)fn;
	(void)ctx;
}
static void wake_never(void *t, uint64_t at)
{
	(void)t;
	(void)at;
}

struct scene {
	struct cse *cse;
	struct resource *container, *instance;
};

static struct resource *make(struct cse *c, const struct resource *parent, int type, const char *root, bool instance, const char *text)
{
	struct resource_new n = {.parent = parent, .type = type, .instance = instance, .root = root, .creator = "/id-in/Ca", .text = rd_str(text)};
	struct resource *r;
	char ri[64];

	n.id = tree_new_id(c->tree);
	tree_ri(ri, sizeof ri, type, parent ? parent->id : 0, n.id, instance);
	n.ri = n.rn = ri;
	MUST(tree_insert(c->tree, &n, &r) == OK);
	return r;
}

static const struct scene *scene(void)
{
	static struct scene s;
	static const struct cse_config config = {.type = CSE_IN, .id = "/id-in", .name = "cse-in", .sp = "sp"};
	static const struct cse_transport transport = {send_nothing, clock_zero, clock_zero, defer_never, wake_never, NULL};
	const struct store_options options = {.path = ":memory:"};
	struct resource *base;
	struct store *store;
	const char *detail;

	if (s.cse)
		return &s;
	MUST(store_open(&options, &store, &detail) == OK);
	MUST(cse_new(&config, store, &transport, &s.cse) == OK);
	base = tree_by_id(s.cse->tree, s.cse->base_id);
	s.container = make(s.cse, base, TY_CONTAINER, "m2m:cnt", false,
	    "{\"ct\":\"20270101T000000\",\"lt\":\"20270102T000000\",\"et\":\"20280101T000000\",\"st\":3,\"lbl\":[\"a\"]}");
	s.instance = make(s.cse, s.container, TY_CONTENT_INSTANCE, "m2m:cin", true, "{\"ct\":\"20270103T000000\",\"lt\":\"20270103T000000\",\"con\":\"x\",\"cs\":1}");
	resource_unref(base);
	return &s;
}

/* The criteria with another fo, and without the member `but`. */
static const struct json *variant(struct json_arena *a, const struct json *enc, int fo, const char *but)
{
	struct wr w = wr_new(65536);
	struct json_out o = json_out(&w);
	const struct json *doc = NULL;
	uint8_t *copy;

	json_object(&o, NULL);
	for (const struct json *m = enc->first; m; m = m->next) {
		char name[64];

		if (!rd_is(m->key, "fo") && rd_text(m->key, name, sizeof name) && !(but && strcmp(but, name) == 0))
			json_put(&o, name, m);
	}
	json_put_int(&o, "fo", fo);
	json_close(&o);
	copy = json_arena_alloc(a, w.len);
	MUST(copy);
	memcpy(copy, w.octets, w.len);
	MUST(json_parse(a, rd_of(copy, w.len), NULL, &doc) == OK);
	wr_free(&w);
	return doc;
}

static void check_event(const struct scene *s, struct json_arena *a, const struct json *enc, const struct event *e)
{
	static const char *const conditions[] = {"crb", "cra", "ms", "us", "exb", "exa", "sts", "stb", "sza", "szb"};
	const struct json *all = variant(a, enc, 1, NULL), *any = variant(a, enc, 2, NULL), *monitor;
	bool told = criteria_match(s->cse, all, e, &monitor);

	MUST(!told || (monitor != NULL) == (e->kind == EVENT_OPERATION));
	if (!told)
		return;
	MUST(criteria_match(s->cse, any, e, NULL));
	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
		MUST(criteria_match(s->cse, variant(a, enc, 1, conditions[i]), e, NULL));
}

static void check(struct json_arena *a, const struct json *enc)
{
	const struct scene *s = scene();
	const struct json *net = json_get(enc, "net");
	struct attribute changed[] = {{.name = rd_str("lbl"), .raw = rd_str("[]"), .changed = true}, {.name = rd_str("mni"), .raw = rd_str("1")}};
	const struct attributes modified = {.items = changed, .count = 2};
	unsigned kind;

	if (net && net->count == 1)
		MUST(criteria_content_fits(enc, criteria_content_default(enc), &kind));
	for (kind = 0; kind <= 8; kind++) {
		bool child = kind == EVENT_CHILD_CREATE || kind == EVENT_CHILD_DELETE;

		for (unsigned operation = ONEM2M_CREATE; operation <= ONEM2M_NOTIFY; operation++)
			check_event(s, a, enc, &(const struct event){
			    .kind = (enum cse_event)kind,
			    .subject = s->container,
			    .shown = child ? s->instance : s->container,
			    .modified = kind == EVENT_UPDATE ? &modified : NULL,
			    .operation = (enum onem2m_operation)operation,
			    .originator = "/id-in/Ca",
			});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	const struct schema_datatype *type = schema_datatype("m2m:eventNotificationCriteria");
	struct schema_fault fault;
	const struct json *enc;

	if (a && type && size <= FUZZ_INPUT_MAX && json_parse(a, rd_of(data, size), NULL, &enc) == OK && schema_check_value(type, enc, "enc", &fault))
		check(a, enc);
	json_arena_free(a);
	return 0;
}
