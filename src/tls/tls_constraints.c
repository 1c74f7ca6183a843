/* nameConstraints. */
#include "tls/tls_constraints.h"

#include <string.h>
#include <strings.h>

#include "tls/tls_private.h"

/* Between "://" and the port, without user information. */
static bool host_of(struct rd uri, struct rd *host)
{
	struct rd scheme, authority, before;
	size_t len = 0;

	if (!rd_until(&uri, ':', &scheme) || !rd_starts(uri, "//") || !rd_skip(&uri, 2))
		return false;
	while (len < uri.left && !memchr("/?#", uri.at[len], 3))
		len++;
	if (!rd_sub(&uri, len, &authority))
		return false;
	if (memchr(authority.at, '@', authority.left) && !rd_until(&authority, '@', &before))
		return false;
	if (!rd_until(&authority, ':', host))
		*host = authority;
	return host->left > 0;
}

bool tls_constraint_has_uri(struct rd constraint, struct rd uri)
{
	struct rd host, tail;

	if (!host_of(uri, &host))
		return false;
	if (!rd_starts(constraint, "."))
		return host.left == constraint.left && strncasecmp((const char *)host.at, (const char *)constraint.at, host.left) == 0;
	if (host.left <= constraint.left || !rd_skip(&host, host.left - constraint.left))
		return false;
	tail = host;
	return strncasecmp((const char *)tail.at, (const char *)constraint.at, tail.left) == 0;
}

static bool uri_is_permitted(gnutls_x509_name_constraints_t nc, struct rd uri)
{
	bool constrained = false, permitted = false;
	gnutls_datum_t name;
	unsigned type;

	for (unsigned i = 0; gnutls_x509_name_constraints_get_excluded(nc, i, &type, &name) == 0; i++)
		if (type == GNUTLS_SAN_URI && tls_constraint_has_uri(rd_of(name.data, name.size), uri))
			return false;
	for (unsigned i = 0; gnutls_x509_name_constraints_get_permitted(nc, i, &type, &name) == 0; i++) {
		if (type != GNUTLS_SAN_URI)
			continue;
		constrained = true;
		permitted = permitted || tls_constraint_has_uri(rd_of(name.data, name.size), uri);
	}
	return !constrained || permitted;
}

static bool name_is_permitted(gnutls_x509_name_constraints_t nc, int type, const gnutls_datum_t *name)
{
	if (type == GNUTLS_SAN_URI)
		return uri_is_permitted(nc, rd_of(name->data, name->size));
	/* what GnuTLS does not know it refuses when there is a constraint of that kind */
	return gnutls_x509_name_constraints_check(nc, (gnutls_x509_subject_alt_name_t)type, name) != 0;
}

static bool is_within(gnutls_x509_name_constraints_t nc, gnutls_x509_crt_t crt)
{
	char value[TLS_NAME_MAX];
	int type;

	for (unsigned i = 0;; i++) {
		size_t len = sizeof value;
		gnutls_datum_t name = {(unsigned char *)value, 0};

		type = gnutls_x509_crt_get_subject_alt_name(crt, i, value, &len, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return gnutls_x509_name_constraints_check_crt(nc, GNUTLS_SAN_DN, crt) != 0;
		name.size = (unsigned)(len > 0 && type != GNUTLS_SAN_OTHERNAME && value[len - 1] == '\0' ? len - 1 : len);
		if (type < 0 || !name_is_permitted(nc, type, &name))
			return false;
	}
}

bool tls_constraints_hold(const gnutls_x509_crt_t *path, unsigned count)
{
	gnutls_x509_name_constraints_t nc;
	bool ok = true;
	int r;

	if (gnutls_x509_name_constraints_init(&nc) != 0)
		return false;
	for (unsigned i = count - 1; ok && i > 0; i--) {
		r = gnutls_x509_crt_get_name_constraints(path[i], nc, GNUTLS_NAME_CONSTRAINTS_FLAG_APPEND, NULL);
		ok = (r == 0 || r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) && is_within(nc, path[i - 1]);
	}
	gnutls_x509_name_constraints_deinit(nc);
	return ok;
}
