/* [areaNwkInfo] lists the [areaNwkDeviceInfo]s that name it (areaNwkId): TS-0004 clauses D.6.2.1 and D.6.2.4. */
#include <string.h>

#include "cse/types/mgmt_obj.h"

struct device {
	char id[CSE_ID_MAX];
	bool add;
};

static void change_list(void *ctx, struct attributes *a)
{
	const struct device *d = ctx;
	const struct json *old = attributes_value(a, "ldv"), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *e = old && old->type == JSON_ARRAY ? old->first : NULL; e; e = e->next)
		if (!json_is_string(e, d->id))
			json_put(&o, NULL, e);
	if (d->add)
		json_put_string(&o, NULL, d->id);
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK) {
		if (list->count > 0)
			attributes_set_json(a, "ldv", list);
		else
			attributes_remove(a, "ldv");
	}
	wr_free(&w);
}

/* The network that it is of, if that is here; 0: none. */
static int64_t network_of(struct cse *c, struct resource *device)
{
	struct resource *network;
	int64_t id = 0;
	struct rd awi;

	if (!device || !json_string(resource_get(device, "awi"), &awi))
		return 0;
	network = cse_find_address(c, awi);
	if (network && network->type == TY_MGMT_OBJ && network->schema && network->schema->mgd == MGD_AREA_NETWORK)
		id = network->id;
	resource_unref(network);
	return id;
}

static void edit(struct cse *c, int64_t network, struct resource *device, bool add)
{
	struct device d = {.add = add};
	enum err e;

	if (network == 0 || !rd_text(rd_str(device->ri), d.id, sizeof d.id))
		return;
	e = cse_edit_resource(c, network, true, change_list, &d);
	if (e != OK && e != ERR_NOT_FOUND)
		c->round_broken = true;
}

void area_device_changed(struct cse *c, struct resource *was, struct resource *is)
{
	struct resource *device = is ? is : was;
	int64_t from, to;

	if (!device->schema || device->schema->mgd != MGD_AREA_DEVICE)
		return;
	from = network_of(c, was);
	to = network_of(c, is);
	if (from == to)
		return;
	edit(c, from, device, false);
	edit(c, to, device, true);
}
