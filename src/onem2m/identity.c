/* Certificate identities and the oneM2M identifiers that they stand for. */
#include "onem2m/identity.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "m2m://"

/* "id-mn.id-in.keyway.example" -> "/id-mn": the first label names the CSE, the second at most its IN-CSE. */
static bool cse_from_dns(const char *identity, const char *sp, char *id, size_t size)
{
	size_t len = strlen(identity), sp_len = strlen(sp), dots = 0;
	const char *dot = strchr(identity, '.');

	if (strchr(identity, '/') || len <= sp_len + 1 || strcmp(identity + len - sp_len, sp) != 0 || identity[len - sp_len - 1] != '.' || !dot)
		return false;
	for (const char *c = identity; c < identity + len - sp_len; c++)
		dots += *c == '.';
	if (dots < 1 || dots > 2 || dot == identity)
		return false;
	return (size_t)snprintf(id, size, "/%.*s", (int)(dot - identity), identity) < size;
}

bool identity_to_id(const char *identity, const char *sp, char *id, size_t size)
{
	size_t sp_len = strlen(sp);

	if (strncmp(identity, SCHEME, sizeof SCHEME - 1) == 0) {
		const char *rest = identity + sizeof SCHEME - 1;

		if (strncmp(rest, sp, sp_len) != 0 || rest[sp_len] != '/' || rest[sp_len + 1] == '\0' || rest[sp_len + 1] == '/')
			return false;
		return (size_t)snprintf(id, size, "%s", rest + sp_len) < size;
	}
	return cse_from_dns(identity, sp, id, size);
}

/* From in SP-relative form: absolute ones of this SP lose it, CSE-relative ones get `at`. */
static bool sp_relative(struct rd from, const char *sp, const char *at, char *id, size_t size)
{
	char text[IDENTITY_MAX];
	size_t sp_len = strlen(sp);

	if (!rd_text(from, text, sizeof text) || text[0] == '\0')
		return false;
	if (strncmp(text, "//", 2) == 0) {
		if (strncmp(text + 2, sp, sp_len) != 0 || text[2 + sp_len] != '/')
			return false;
		return (size_t)snprintf(id, size, "%s", text + 2 + sp_len) < size;
	}
	return (size_t)snprintf(id, size, "%s%s%s", text[0] == '/' ? "" : at, text[0] == '/' ? "" : "/", text) < size;
}

bool identity_may_be(const char *identity, const char *sp, const char *at, struct rd from)
{
	char own[IDENTITY_MAX], claimed[IDENTITY_MAX];

	return identity_to_id(identity, sp, own, sizeof own) && sp_relative(from, sp, at, claimed, sizeof claimed) && strcmp(own, claimed) == 0;
}

void identity_of_target(const struct identity_self *self, const char *target, char *identity, size_t size)
{
	bool registrar = self->registrar_id && strcmp(target, self->registrar_id) == 0;

	if (target[0] == '\0')
		identity[0] = '\0';
	else if (target[0] != '/')
		snprintf(identity, size, "%s", target);
	else if (strchr(target + 1, '/'))
		snprintf(identity, size, "m2m://%s%s", self->sp, target);
	else if (registrar && self->registrar_identity)
		snprintf(identity, size, "%s", self->registrar_identity);
	else if (registrar)
		snprintf(identity, size, "%s.%s", target + 1, self->sp);
	else
		snprintf(identity, size, "%s.%s.%s", target + 1, self->own_id + 1, self->sp);
}

bool identity_matches(const char *pattern, const char *id)
{
	const char *star = NULL, *swallowed = NULL; /* the last star of this segment, and the end of what it stands for */

	while (*id || *pattern) {
		if (*pattern == '*') {
			star = pattern++;
			swallowed = id;
		} else if (*id && *pattern == *id) {
			if (*id == '/')
				star = NULL; /* an earlier segment is settled: a star cannot reach beyond it */
			pattern++;
			id++;
		} else if (star && *swallowed && *swallowed != '/') {
			pattern = star + 1;
			id = ++swallowed;
		} else {
			return false;
		}
	}
	return true;
}
