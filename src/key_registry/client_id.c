/* Names of clients. */
#include "key_registry/client_id.h"

#include <stdio.h>
#include <string.h>

#include "onem2m/identity.h"

static bool slashed(const char *text, const char *sp, char id[static ENTITY_MAX])
{
	size_t sp_len = strlen(sp);
	const char *part = text;

	if (strncmp(text, "//", 2) == 0 && strncmp(text + 2, sp, sp_len) == 0 && text[2 + sp_len] == '/')
		part = text + 2 + sp_len;
	else if (strncmp(text, "//", 2) == 0)
		part = strchr(text + 2, '/');
	if (!part || part[0] != '/' || part[1] == '\0' || part[1] == '/' || part[strlen(part) - 1] == '/')
		return false;
	snprintf(id, ENTITY_MAX, "%s", strncmp(text, "//", 2) == 0 && part != text + 2 + sp_len ? text : part);
	return true;
}

bool client_id_of(struct rd from, const char *sp, char id[static ENTITY_MAX])
{
	char text[ENTITY_MAX];

	if (!entity_valid(from) || !rd_text(from, text, sizeof text))
		return false;
	if (text[0] == '/')
		return slashed(text, sp, id);
	if (identity_to_id(text, sp, id, ENTITY_MAX))
		return true;
	if (strncmp(text, "m2m://", 6) == 0) /* of another service provider */
		return slashed(text + 4, sp, id);
	if (!fqdn_valid(from) || !strchr(text, '.'))
		return false;
	memcpy(id, text, sizeof text);
	return true;
}

bool client_id_equal(struct rd a, struct rd b, const char *sp)
{
	char one[ENTITY_MAX], other[ENTITY_MAX];

	return client_id_of(a, sp, one) && client_id_of(b, sp, other) && strcmp(one, other) == 0;
}

bool client_id_entity(const char *id, const char *sp, char entity[static ENTITY_MAX])
{
	int n;

	if (strncmp(id, "//", 2) == 0)
		n = snprintf(entity, ENTITY_MAX, "m2m:%s", id);
	else if (id[0] != '/')
		n = snprintf(entity, ENTITY_MAX, "%s", id);
	else if (strchr(id + 1, '/'))
		n = snprintf(entity, ENTITY_MAX, "m2m://%s%s", sp, id);
	else if (strchr(id, '.')) /* "/id-b.id-in" would have the name that /id-b has when it is registered at /id-in */
		return false;
	else
		n = snprintf(entity, ENTITY_MAX, "%s.%s", id + 1, sp);
	return n > 0 && n < ENTITY_MAX;
}

bool client_id_fqdn(const char *id, const char *sp, char fqdn[static ENTITY_MAX])
{
	const char *path = id, *domain = sp, *stem;
	int domain_len = (int)strlen(sp), n;

	if (id[0] != '/') {
		n = snprintf(fqdn, ENTITY_MAX, "%s", id);
		return n > 0 && n < ENTITY_MAX;
	}
	if (strncmp(id, "//", 2) == 0) {
		domain = id + 2;
		path = strchr(domain, '/');
		if (!path)
			return false;
		domain_len = (int)(path - domain);
	}
	stem = strchr(path + 1, '/');
	if (stem)
		n = snprintf(fqdn, ENTITY_MAX, "%s.%.*s.%.*s", stem + 1, (int)(stem - path) - 1, path + 1, domain_len, domain);
	else
		n = snprintf(fqdn, ENTITY_MAX, "%s.%.*s", path + 1, domain_len, domain);
	return n > 0 && n < ENTITY_MAX;
}
