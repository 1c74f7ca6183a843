/* CSEBase: TS-0004 clause 7.4.3. Its row holds what an operator or a peer may change; the rest is said at reading. */
#include "cse/types/types.h"

static void put_list(struct json_out *o, const char *name, const char *list)
{
	struct rd rest = rd_str(list ? list : ""), part;

	json_array(o, name);
	while (rest.left > 0) {
		if (!rd_until(&rest, ',', &part))
			part = rd_rest(&rest);
		json_put_rd(o, NULL, part);
	}
	json_close(o);
}

static void base_represent(struct cse *c, struct resource *r, struct json_out *o)
{
	char stamp[TIMESTAMP_SIZE];

	(void)r;
	json_put_string(o, "csi", c->config.id);
	json_put_int(o, "cst", c->config.type);
	json_array(o, "srt");
	for (const struct schema_type *const *t = schema_types(); *t; t++)
		if ((*t)->mgd == 0 && !(*t)->definition)
			json_put_int(o, NULL, (*t)->ty);
	json_close(o);
	put_list(o, "srv", c->config.releases ? c->config.releases : "2a,3,4,5");
	put_list(o, "poa", c->config.poa);
	put_list(o, "csz", CSE_SERIALIZATIONS);
	timestamp_print_precise(stamp, cse_now(c));
	json_put_string(o, "ctm", stamp);
	cse_put_security(c, o);
}

const struct type_hooks hooks_cse_base = {.type = TY_CSE_BASE, .represent = base_represent};
