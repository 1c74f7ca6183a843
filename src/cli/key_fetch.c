/* Keys out of MAF and MEF. */
#include "cli/key_fetch.h"

#include "cli/cli.h"

int key_fetch_take(struct key_fetch *f, int *argc, char **argv, const char *usage)
{
	const char *sp = cli_option(argc, argv, "--sp");

	f->origin = cli_option(argc, argv, "--id");
	f->maf = cli_option(argc, argv, "--maf");
	f->maf_id = cli_option(argc, argv, "--maf-id");
	f->mef = cli_option(argc, argv, "--mef");
	f->mef_id = cli_option(argc, argv, "--mef-id");
	f->sp = sp ? sp : "keyway.example";
	if (!f->maf != !f->maf_id || !f->mef != !f->mef_id)
		return cli_misuse(usage, "--maf and --maf-id belong together, --mef and --mef-id too");
	if ((f->maf || f->mef) && !f->origin)
		return cli_misuse(usage, "as whom? --id is missing");
	return CLI_OK;
}

bool key_fetch_may(const struct key_fetch *f, const char *identity)
{
	struct key_id id;

	return key_id_split(rd_str(identity), &id) == OK && ((f->maf_id && fqdn_equal(id.fqdn, rd_str(f->maf_id))) || (f->mef_id && fqdn_equal(id.fqdn, rd_str(f->mef_id))));
}

void key_fetch_config(const struct key_fetch *f, struct loop *loop, struct credentials *store, uint64_t suids, struct key_fetcher_config *c)
{
	*c = (struct key_fetcher_config){.loop = loop, .store = store, .sp = f->sp, .origin = f->origin};
	if (f->maf)
		c->functions[c->function_count++] = (struct key_fetcher_function){{REGISTRY_MAF, f->maf, f->maf_id}, suids};
	if (f->mef)
		c->functions[c->function_count++] = (struct key_fetcher_function){{REGISTRY_MEF, f->mef, f->mef_id}, suids};
}

struct fetching {
	bool done, there;
};

static void on_key(void *ctx, struct psk_answer *a)
{
	struct fetching *w = ctx;

	w->done = true;
	w->there = a != NULL;
	if (a)
		secret_free(a->key);
}

bool key_fetch_now(const struct key_fetch *f, struct credentials *store, const char *identity, uint64_t suids)
{
	struct loop *loop = loop_new();
	struct fetching w = {.done = false};
	struct key_fetcher_config c;
	struct key_fetcher *fetcher;
	struct psk_source source;

	key_fetch_config(f, loop, store, suids, &c);
	fetcher = key_fetcher_new(&c);
	source = key_fetcher_source(fetcher);
	source.find(source.source, identity, on_key, &w);
	while (!w.done)
		loop_once(loop, 1000);
	key_fetcher_free(fetcher);
	loop_once(loop, 0);
	loop_free(loop);
	return w.there;
}
