/* What an EST server answers, RFC 7030 clause 4. */
#include "est/est.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "est/est_message.h"

#define ANSWER_MAX 65536

struct est {
	struct ca *ca;
	struct est_policy policy;
};

enum operation { CACERTS, CSRATTRS, SIMPLEENROLL, SIMPLEREENROLL };

static const struct {
	const char *path, *method;
} operations[] = {
	[CACERTS] = {EST_PATH "/cacerts", "GET"},
	[CSRATTRS] = {EST_PATH "/csrattrs", "GET"},
	[SIMPLEENROLL] = {EST_PATH "/simpleenroll", "POST"},
	[SIMPLEREENROLL] = {EST_PATH "/simplereenroll", "POST"},
};

void est_answer_init(struct est_answer *a)
{
	*a = (struct est_answer){.status = 500, .type = "text/plain", .body = wr_new(ANSWER_MAX)};
}

void est_answer_clear(struct est_answer *a)
{
	wr_free(&a->body);
}

enum err est_new(const char *dir, const struct est_policy *policy, struct est **out)
{
	struct est *e = calloc(1, sizeof *e);
	enum err r;

	if (!e)
		return ERR_NO_MEMORY;
	e->policy = *policy;
	r = ca_open(dir, &e->ca);
	if (r != OK)
		free(e);
	else
		*out = e;
	return r;
}

void est_free(struct est *e)
{
	if (!e)
		return;
	ca_free(e->ca);
	free(e);
}

static void refuse(struct est_answer *a, unsigned status, const char *why)
{
	wr_reset(&a->body);
	a->status = status;
	a->type = "text/plain";
	a->base64 = false;
	wr_str(&a->body, why);
	wr_str(&a->body, "\n");
}

static void answer_der(struct est_answer *a, const char *type, struct rd der)
{
	a->status = 200;
	a->type = type;
	a->base64 = true;
	est_base64(&a->body, der);
}

static void answer_certificate(struct est_answer *a, const char *type, struct rd certificate)
{
	struct wr w = wr_new(ANSWER_MAX);
	struct rd der;

	if (est_certificates(certificate, &w) == OK && wr_done(&w, &der))
		answer_der(a, type, der);
	else
		refuse(a, 500, "the certificate could not be wrapped");
	wr_free(&w);
}

static void csr_attributes(struct est_answer *a)
{
	uint8_t buffer[160];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd der;

	est_attributes(&w, &(const struct est_attributes){true, true, true});
	if (wr_done(&w, &der))
		answer_der(a, "application/csrattrs", der);
}

/* ---- enrolment ---- */

static bool is_own(const char *names, const char *name)
{
	struct rd rest = rd_str(names), one;

	for (;;) {
		bool more = rd_until(&rest, ' ', &one);

		if (!more)
			one = rd_rest(&rest);
		if (rd_is(one, name))
			return true;
		if (!more)
			return false;
	}
}

/* NULL, or why not. */
static const char *objection(const struct est *e, const struct est_asker *who, const struct csr *rq, bool renewal)
{
	const char *why = "the certificate may be for nobody but the authenticated client";
	bool bound = rq->challenge[0] && (strcmp(rq->challenge, who->bindings[0]) == 0 || strcmp(rq->challenge, who->bindings[1]) == 0);

	if (rq->challenge[0] && !bound)
		return "the challengePassword is not that of this association";
	if (e->policy.demand_binding && !bound)
		return "the request is not bound to this association: a challengePassword is missing";
	if (renewal && !who->by_certificate)
		return "a renewal wants the certificate that it renews";
	if (is_own(who->names, rq->name))
		return NULL;
	if (!renewal && e->policy.grants && e->policy.grants(e->policy.ctx, who, rq->name, &why))
		return NULL;
	return renewal ? "a renewal keeps the name" : why;
}

static void sign(struct est *e, const struct est_asker *who, const struct csr *rq, struct est_answer *a)
{
	struct wr crt = wr_new(PKI_DER_MAX);
	struct rd der;

	if (ca_sign(e->ca, rq, e->policy.days, &crt) != OK || !wr_done(&crt, &der))
		refuse(a, 500, "the certificate could not be made");
	else if (e->policy.issued && e->policy.issued(e->policy.ctx, who, rq->name) != OK)
		refuse(a, 500, "the certificate could not be recorded");
	else
		answer_certificate(a, "application/pkcs7-mime; smime-type=certs-only", der);
	wr_free(&crt);
}

static void enrol(struct est *e, const struct est_request *rq, const struct est_asker *who, bool renewal, struct est_answer *a)
{
	struct wr octets = wr_new(PKI_DER_MAX);
	const char *why = "the body is no base64";
	struct rd der;
	struct csr csr;

	if (!rq->type || strncasecmp(rq->type, "application/pkcs10", 18) != 0) {
		refuse(a, 415, "the body has to be application/pkcs10");
	} else if (rq->body.left > EST_BODY_MAX || est_unbase64(rq->body, &octets) != OK || !wr_done(&octets, &der) || csr_read(der, &csr, &why) != OK) {
		refuse(a, 400, why);
	} else {
		why = objection(e, who, &csr, renewal);
		if (why)
			refuse(a, 403, why);
		else
			sign(e, who, &csr, a);
		csr_clear(&csr);
	}
	wr_free(&octets);
}

bool est_serves(const char *path)
{
	return strncmp(path, EST_PATH, strlen(EST_PATH)) == 0 && (path[strlen(EST_PATH)] == '/' || path[strlen(EST_PATH)] == '\0');
}

void est_serve(struct est *e, const struct est_request *rq, const struct est_asker *who, struct est_answer *a)
{
	size_t i = 0, n = sizeof operations / sizeof operations[0];

	while (i < n && strcmp(rq->path, operations[i].path) != 0)
		i++;
	if (i == n) {
		refuse(a, 404, "EST has cacerts, csrattrs, simpleenroll and simplereenroll here");
		return;
	}
	if (strcmp(rq->method, operations[i].method) != 0) {
		refuse(a, 405, "not this method");
		a->allow = operations[i].method;
		return;
	}
	switch ((enum operation)i) {
	case CACERTS:
		answer_certificate(a, "application/pkcs7-mime", ca_certificate(e->ca));
		return;
	case CSRATTRS:
		csr_attributes(a);
		return;
	case SIMPLEENROLL:
	case SIMPLEREENROLL:
		enrol(e, rq, who, i == SIMPLEREENROLL, a);
		return;
	}
}
