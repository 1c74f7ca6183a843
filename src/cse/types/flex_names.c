/* Names of custom attributes that flexContainers here have had: what tells a filter on one from a typing error. In memory, made anew at the
 * start; a name stays after its last flexContainer went. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

#define NAMES_MOST 4096 /* of them; with more, a query may name anything */
#define SLOTS (2 * NAMES_MOST)

struct names {
	char *slots[SLOTS];
	size_t count;
};

static size_t slot_of(const struct names *n, struct rd name)
{
	size_t i = 5381;

	for (size_t k = 0; k < name.left; k++)
		i = i * 33 ^ name.at[k];
	for (i %= SLOTS; n->slots[i] && !rd_is(name, n->slots[i]); i = (i + 1) % SLOTS)
		;
	return i;
}

static void names_free(struct cse *c, void *state)
{
	struct names *n = state;

	(void)c;
	for (size_t i = 0; i < SLOTS; i++)
		free(n->slots[i]);
	free(n);
}

static void add(struct cse *c, struct rd name)
{
	struct names *n = c->services[SERVICE_FLEX_NAMES];
	size_t i;

	if (!n) {
		n = calloc(1, sizeof *n);
		if (!n)
			abort();
		cse_service_set(c, SERVICE_FLEX_NAMES, n, names_free);
	}
	i = slot_of(n, name);
	if (n->slots[i] || n->count == NAMES_MOST)
		return;
	n->slots[i] = rd_strdup(name);
	if (!n->slots[i])
		abort();
	n->count++;
}

void flex_names_note(struct cse *c, struct resource *r)
{
	const struct json *all = resource_attributes(r);

	for (const struct json *m = all ? all->first : NULL; m; m = m->next)
		if (!schema_is_attribute_name(m->key))
			add(c, m->key);
}

bool flex_container_knows(struct cse *c, struct rd attribute)
{
	const struct names *n = c->services[SERVICE_FLEX_NAMES];

	return n && (n->count == NAMES_MOST || n->slots[slot_of(n, attribute)]);
}
