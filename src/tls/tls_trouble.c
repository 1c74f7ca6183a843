/* What is the matter with the files of trust. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tls/tls_private.h"

static void first_update(struct tls_credentials *c)
{
	c->state.crl_until = 0;
	for (unsigned i = 0; i < c->crl_count; i++) {
		time_t next = gnutls_x509_crl_get_next_update(c->crls[i]);

		if (next != (time_t)-1 && (c->state.crl_until == 0 || (uint64_t)next < c->state.crl_until))
			c->state.crl_until = (uint64_t)next;
	}
}

/* The worst first. */
static void explain(const struct tls_credentials *c, char trouble[static TLS_WHY_MAX])
{
	const struct tls_file *files[] = {&c->crl, &c->ca, &c->pin_file, &c->staple};
	bool late = c->state.crl_until && c->state.crl_until < (uint64_t)time(NULL);

	trouble[0] = '\0';
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		const char *what = files[i]->gone ? "is gone" : "cannot be used";

		if (!files[i]->gone && !files[i]->bad && !(i == 0 && late))
			continue;
		if (i == 0 && late)
			snprintf(trouble, TLS_WHY_MAX, "%s %s: certificates are refused", files[i]->path, files[i]->gone || files[i]->bad ? what : "is out of date");
		else
			snprintf(trouble, TLS_WHY_MAX, "%s %s: what it said before stays in force", files[i]->path, what);
		return;
	}
}

void tls_trouble_look(struct tls_credentials *c)
{
	char trouble[TLS_WHY_MAX];

	first_update(c);
	explain(c, trouble);
	if (strcmp(trouble, c->state.trouble) == 0)
		return;
	memcpy(c->state.trouble, trouble, sizeof trouble);
	c->told = false;
}

const struct tls_trust *tls_credentials_trust(struct tls_credentials *c)
{
	if (c->certificates)
		tls_trust_refresh(c);
	return &c->state;
}

const char *tls_session_trouble(struct tls_session *s)
{
	if (s->credentials->told)
		return NULL;
	s->credentials->told = true;
	return s->credentials->state.trouble;
}
