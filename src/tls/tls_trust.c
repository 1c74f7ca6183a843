/* Whom an endpoint trusts: anchors, revocation lists and pinned raw public keys, as their files are now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_private.h"

#define PIN_LINE_MAX 512
#define PINS_MAX 100000

static void free_crls(gnutls_x509_crl_t *crls, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crl_deinit(crls[i]);
	gnutls_free(crls);
}

static bool load_trust(const struct tls_credentials *c, gnutls_x509_trust_list_t *out, gnutls_x509_crl_t **own, unsigned *own_count, const char **why)
{
	gnutls_x509_trust_list_t list;
	gnutls_datum_t pem = {0};
	gnutls_x509_crl_t *crls = NULL;
	unsigned count = 0;
	bool ok;

	if (gnutls_x509_trust_list_init(&list, 0) != 0)
		return false;
	*why = c->ca.path;
	ok = gnutls_x509_trust_list_add_trust_file(list, c->ca.path, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0;
	if (ok && c->crl.path) {
		*why = c->crl.path;
		ok = gnutls_load_file(c->crl.path, &pem) == 0 && gnutls_x509_crl_list_import2(&crls, &count, &pem, GNUTLS_X509_FMT_PEM, 0) >= 0 &&
		    /* only lists that one of the anchors signed; the trust list owns them */
		    gnutls_x509_trust_list_add_crls(list, crls, count, GNUTLS_TL_VERIFY_CRL, 0) > 0 &&
		    gnutls_x509_crl_list_import2(own, own_count, &pem, GNUTLS_X509_FMT_PEM, 0) >= 0;
		gnutls_free(pem.data);
		gnutls_free(crls);
	}
	if (ok)
		*out = list;
	else
		gnutls_x509_trust_list_deinit(list, 1);
	return ok;
}

/* NAME ENTITY [EXPIRES] */
static bool parse_pin(char *line, struct tls_pin *pin)
{
	char *rest = NULL, *name = strtok_r(line, " \t\r\n", &rest), *entity = strtok_r(NULL, " \t\r\n", &rest), *expires = strtok_r(NULL, " \t\r\n", &rest);

	memset(pin, 0, sizeof *pin);
	if (!name || !entity || strncmp(name, "ni:///sha-256", 13) != 0 || strlen(name) >= sizeof pin->name || strlen(entity) >= sizeof pin->entity)
		return false;
	memcpy(pin->name, name, strlen(name) + 1);
	memcpy(pin->entity, entity, strlen(entity) + 1);
	return !expires || rd_decimal(rd_str(expires), &pin->expires_at);
}

static bool load_pins(const char *path, struct tls_pin **out, size_t *out_count)
{
	FILE *f = fopen(path, "r");
	struct tls_pin *pins = NULL;
	size_t count = 0;
	char line[PIN_LINE_MAX];
	bool ok = f != NULL;

	while (ok && fgets(line, sizeof line, f)) {
		struct tls_pin *more;

		if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
			continue;
		more = count < PINS_MAX ? realloc(pins, (count + 1) * sizeof *pins) : NULL;
		if (more)
			pins = more;
		ok = more && parse_pin(line, &pins[count]);
		count++;
	}
	if (f)
		fclose(f);
	if (!ok) {
		free(pins);
		return false;
	}
	*out = pins;
	*out_count = count;
	return true;
}

static bool load(struct tls_credentials *c, const char **why)
{
	bool ca = tls_file_changed(&c->ca), crl = tls_file_changed(&c->crl), ok = true;
	gnutls_x509_trust_list_t list;
	gnutls_x509_crl_t *crls = NULL;
	unsigned crl_count = 0;
	struct tls_pin *pins;
	size_t count;

	if (c->ca.path && (ca || crl || !c->trust)) {
		ok = load_trust(c, &list, &crls, &crl_count, why);
		c->ca.bad = !ok && *why == c->ca.path;
		c->crl.bad = !ok && *why == c->crl.path;
		if (ok) {
			if (c->trust)
				gnutls_x509_trust_list_deinit(c->trust, 1);
			c->trust = list;
			free_crls(c->crls, c->crl_count);
			c->crls = crls;
			c->crl_count = crl_count;
		}
	}
	if (c->pin_file.path && tls_file_changed(&c->pin_file)) {
		if (load_pins(c->pin_file.path, &pins, &count)) {
			free(c->pins);
			c->pins = pins;
			c->pin_count = count;
			c->pin_file.bad = false;
		} else {
			c->pin_file.bad = true;
			*why = c->pin_file.path;
			ok = false;
		}
	}
	return ok;
}

bool tls_trust_load(struct tls_credentials *c, char why[static TLS_WHY_MAX])
{
	const char *file = "";

	if (load(c, &file) && (!c->ca.path || c->trust) && (!c->crl.path || c->crl.seen.st_ino) && (!c->pin_file.path || c->pin_file.seen.st_ino))
		return true;
	if (!file[0])
		file = c->crl.path ? c->crl.path : c->pin_file.path ? c->pin_file.path : c->ca.path;
	snprintf(why, TLS_WHY_MAX, "%s cannot be used", file);
	return false;
}

void tls_trust_refresh(struct tls_credentials *c)
{
	const char *file = "";

	(void)load(c, &file);
	/* GnuTLS frees the old answer when it has the new one; one that cannot be read stays away */
	if (tls_file_changed(&c->staple))
		c->staple.bad = gnutls_certificate_set_ocsp_status_request_file(c->certificates, c->staple.path, 0) != 0;
	tls_trouble_look(c);
}

void tls_trust_free(struct tls_credentials *c)
{
	if (c->trust)
		gnutls_x509_trust_list_deinit(c->trust, 1);
	free_crls(c->crls, c->crl_count);
	free(c->pins);
}
