/* Security associations and what may be sent over them. */
#include "security/association.h"

#include <stdio.h>
#include <string.h>

#include "onem2m/identity.h"

/* The next name of a list joined by blanks. */
static bool next_name(const char **list, char *name, size_t size)
{
	size_t len;

	*list += strspn(*list, " ");
	len = strcspn(*list, " ");
	if (len == 0)
		return false;
	if (len < size) {
		memcpy(name, *list, len);
		name[len] = '\0';
	} else {
		name[0] = '\0'; /* nobody */
	}
	*list += len;
	return true;
}

bool association_names(const char *list, const char *name)
{
	char one[IDENTITY_MAX];

	while (next_name(&list, one, sizeof one))
		if (strcmp(one, name) == 0 && name[0])
			return true;
	return false;
}

static bool is_ae(const char *id)
{
	return id[0] && strchr(id + 1, '/') != NULL;
}

/* "/id-mn" of "/id-mn/Cmeter" and of "/id-mn". */
static void host_of(const char *id, char *host, size_t size)
{
	snprintf(host, size, "/%.*s", (int)strcspn(id + 1, "/"), id + 1);
}

struct who {
	size_t aes, cses;
	bool claimed;                 /* From is one of its AE-IDs */
	char cse[IDENTITY_MAX];       /* the last of its CSE-IDs, and AE-IDs */
	char ae[IDENTITY_MAX];
};

static struct who who_of(const struct association *a, const char *from)
{
	const char *list = a->peer;
	char name[IDENTITY_MAX], id[IDENTITY_MAX];
	struct who w = {0};

	while (next_name(&list, name, sizeof name)) {
		if (!identity_to_id(name, a->sp, id, sizeof id))
			continue;
		if (is_ae(id)) {
			w.aes++;
			w.claimed = w.claimed || strcmp(id, from) == 0;
			memcpy(w.ae, id, sizeof w.ae);
		} else {
			w.cses++;
			memcpy(w.cse, id, sizeof w.cse);
		}
	}
	return w;
}

/* A transit hop is not checked against From (TS-0003 clause 7.2.1), but nobody speaks for those whose own associations end here. */
static bool may_pass_on(const struct association *a, const struct association_knowledge *k, const char *cse, const char *from)
{
	char host[IDENTITY_MAX];

	if (from[0] != '/')
		return strcmp(cse, a->own_id) != 0; /* of another service provider */
	host_of(from, host, sizeof host);
	if (strcmp(cse, a->own_id) == 0 || strcmp(host, a->own_id) == 0)
		return false;
	return strcmp(host, cse) == 0 || !k->is_registree(k->ctx, host);
}

enum association_verdict association_check(const struct association *a, const struct association_knowledge *k, const char *from)
{
	struct who w = who_of(a, from);
	char host[IDENTITY_MAX];

	if (w.claimed)
		return ASSOCIATION_GOOD;
	if (w.cses > 0)
		return may_pass_on(a, k, w.cse, from) ? ASSOCIATION_GOOD : ASSOCIATION_NOT_AUTHENTICATED;
	if (w.aes > 0)
		return ASSOCIATION_NOT_AUTHENTICATED;
	if (a->credential[0])
		return is_ae(from) && k->allows(k->ctx, a->credential, from) ? ASSOCIATION_GOOD : ASSOCIATION_NOT_AUTHENTICATED;
	if (!is_ae(from))
		return ASSOCIATION_REQUIRED;
	host_of(from, host, sizeof host);
	return strcmp(host, a->own_id) == 0 && k->is_registered(k->ctx, from) ? ASSOCIATION_GOOD : ASSOCIATION_NOT_AUTHENTICATED;
}

bool association_registers_as(const struct association *a, char *stem, size_t size)
{
	struct who w = who_of(a, "");
	const char *name = strrchr(w.ae, '/');

	return w.aes == 1 && w.cses == 0 && name && (size_t)snprintf(stem, size, "%s", name + 1) < size;
}
