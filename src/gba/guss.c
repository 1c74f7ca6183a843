/* GBA user security settings. */
#include "gba/guss.h"

#include <string.h>

bool uss_naf_is_good(struct rd text, char naf[static NAF_FQDN_SIZE])
{
	struct wr w = wr_of(naf, NAF_FQDN_SIZE);
	bool pattern = rd_starts(text, "*.");
	char fqdn[NAF_FQDN_SIZE];
	struct rd done;

	if ((pattern && !rd_skip(&text, 2)) || !fqdn_normalise(text, fqdn))
		return false;
	wr_str(&w, pattern ? "*." : "");
	wr_str(&w, fqdn);
	wr_u8(&w, '\0');
	return wr_done(&w, &done);
}

bool uss_entity_is_good(struct rd text)
{
	if (text.left == 0 || text.left >= USS_ENTITY)
		return false;
	for (size_t i = 0; i < text.left; i++)
		if (text.at[i] <= 0x20 || text.at[i] >= 0x7f || text.at[i] == '"' || text.at[i] == '\\')
			return false;
	return true;
}

static enum err uss_read(const struct json *v, struct uss *u)
{
	struct rd naf, entity;

	if (!v || v->type != JSON_OBJECT || v->count != 2 || !json_string(json_get(v, "naf"), &naf) || !json_string(json_get(v, "entity"), &entity))
		return ERR_MALFORMED;
	return uss_naf_is_good(naf, u->naf) && uss_entity_is_good(entity) && rd_text(entity, u->entity, sizeof u->entity) ? OK : ERR_BAD_VALUE;
}

enum err guss_read(const struct json *v, struct guss *g)
{
	const struct json *list = json_get(v, "uss"), *lifetime = json_get(v, "lifetime_s"), *uicc = json_get(v, "uicc");
	uint64_t s = 0;
	enum err e;

	memset(g, 0, sizeof *g);
	if (!v || v->type != JSON_OBJECT || !list || list->type != JSON_ARRAY || v->count != 1U + (lifetime != NULL) + (uicc != NULL))
		return ERR_MALFORMED;
	g->gba_u = uicc != NULL && json_is_string(uicc, "GBA_U");
	if (uicc && !g->gba_u)
		return ERR_BAD_VALUE;
	if (lifetime && (!json_uint(lifetime, &s) || s > UINT32_MAX))
		return ERR_BAD_VALUE;
	if (list->count > USS_MAX)
		return ERR_TOO_LONG;
	g->lifetime_s = (uint32_t)s;
	for (const struct json *u = list->first; u; u = u->next)
		if ((e = uss_read(u, &g->uss[g->count++])) != OK)
			return e;
	return OK;
}

void guss_write(struct json_out *o, const char *name, const struct guss *g)
{
	json_object(o, name);
	if (g->gba_u)
		json_put_string(o, "uicc", "GBA_U");
	if (g->lifetime_s)
		json_put_uint(o, "lifetime_s", g->lifetime_s);
	json_array(o, "uss");
	for (size_t i = 0; i < g->count; i++) {
		json_object(o, NULL);
		json_put_string(o, "naf", g->uss[i].naf);
		json_put_string(o, "entity", g->uss[i].entity);
		json_close(o);
	}
	json_close(o);
	json_close(o);
}

/* How well a pattern fits: 0 not at all. */
static size_t fit(const char *pattern, const char *naf)
{
	size_t n = strlen(naf), p = strlen(pattern);

	if (strcmp(pattern, naf) == 0)
		return NAF_FQDN_SIZE;
	if (strncmp(pattern, "*.", 2) != 0 || n < p)
		return 0;
	return strcmp(naf + n - (p - 1), pattern + 1) == 0 ? p : 0;
}

const struct uss *uss_find(const struct uss *list, size_t count, const char *naf)
{
	const struct uss *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t f = fit(list[i].naf, naf);

		if (f > most) {
			most = f;
			best = &list[i];
		}
	}
	return best;
}
