/* EST over HTTPS. */
#include "mef/est_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "est/est.h"
#include "key_registry/client_id.h"
#include "loop/log.h"

struct est_port {
	struct mef *mef;
	struct est *est;
};

/* Each name that the handshake proved may have been sent for certificates under other names by a command. And a client with a pre-shared key,
 * which says that it is /id-mn, may have one under its own domain name or URI (TS-0003 8.3.6: the identity that was authenticated). */
static bool grants(void *ctx, const struct est_asker *who, const char *name, const char **why)
{
	struct mef *m = ((const struct est_port *)ctx)->mef;
	char subject[ENTITY_MAX], client[ENTITY_MAX];
	struct rd names = rd_str(who->names), one;

	*why = "the certificate may be for the authenticated client, or for what a CERT_PROV command named";
	if (!client_id_of(rd_str(name), m->config.sp, subject)) /* of a node or a device */
		snprintf(subject, sizeof subject, "%s", name);
	while (names.left > 0) {
		if (!rd_until(&names, ' ', &one))
			one = rd_rest(&names);
		if (!client_id_of(one, m->config.sp, client))
			continue;
		if ((!who->by_certificate && subject[0] == '/' && strcmp(client, subject) == 0 && strcmp(name, m->config.id) != 0) ||
		    registry_certificate_granted(m->registry, client, subject))
			return true;
	}
	return false;
}

static enum err issued(void *ctx, const struct est_asker *who, const char *name)
{
	log_line(LOG_LEVEL_INFO, "certificate issued", "name=%s client=%s", log_quote(rd_str(name)), log_quote(rd_str(who->names)));
	return mef_audit(((const struct est_port *)ctx)->mef, "certificate", 0, NULL, who->names, name);
}

enum err est_port_new(struct mef *m, const char *ca_dir, unsigned days, bool demand_binding, struct est_port **out)
{
	struct est_port *p = calloc(1, sizeof *p);
	const struct est_policy policy = {.days = days, .demand_binding = demand_binding, .grants = grants, .issued = issued, .ctx = p};
	enum err e;

	if (!p)
		return ERR_NO_MEMORY;
	p->mef = m;
	e = est_new(ca_dir, &policy, &p->est);
	if (e != OK)
		free(p);
	else
		*out = p;
	return e;
}

void est_port_free(struct est_port *p)
{
	if (!p)
		return;
	est_free(p->est);
	free(p);
}

static void send_answer(struct http_exchange *x, const struct est_answer *a)
{
	struct http_header headers[5] = {{"Content-Type", a->type}};
	size_t n = 1;
	struct rd body;

	if (a->base64)
		headers[n++] = (struct http_header){"Content-Transfer-Encoding", "base64"};
	if (a->allow)
		headers[n++] = (struct http_header){"Allow", a->allow};
	headers[n] = (struct http_header){NULL, NULL};
	if (wr_done(&a->body, &body))
		http_answer(x, a->status, headers, body);
	else
		http_answer(x, 500, NULL, (struct rd){NULL, 0});
}

bool est_port_serve(struct est_port *p, struct http_exchange *x, const struct http_request *rq)
{
	struct est_request request = {.method = rq->method, .path = rq->path, .body = rq->body};
	struct est_asker who = {.names = rq->peer};
	struct est_answer a;

	if (!est_serves(rq->path))
		return false;
	request.type = http_request_header(x, "Content-Type");
	who.by_certificate = rq->tls_peer && rq->tls_peer->method == TLS_METHOD_CERTIFICATE;
	est_bindings(http_request_tls(x), &who);
	est_answer_init(&a);
	est_serve(p->est, &request, &who, &a);
	if (a.status >= 400 && mef_noise_permits(p->mef, &p->mef->noise, NULL))
		log_line(LOG_LEVEL_WARNING, "enrolment refused", "client=%s status=%u", log_quote(rd_str(rq->peer)), a.status);
	send_answer(x, &a);
	est_answer_clear(&a);
	return true;
}
