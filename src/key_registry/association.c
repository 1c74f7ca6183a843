/* TLS associations of requests. */
#include "key_registry/association.h"

#include <stdio.h>
#include <string.h>

#include "tls/tls_peer.h"

/* Clients are of our service provider: an ID of another one begins with two slashes, a foreign domain name with none. */
static bool is_own(const char *id)
{
	return id[0] == '/' && id[1] != '/';
}

static enum err export(void *ctx, const char *label, size_t n, struct secret **out)
{
	return tls_export(http_request_tls(ctx), label, n, out);
}

bool association_of(struct http_exchange *x, const struct http_request *rq, const char *sp, struct rd claimed, struct association_peer *out)
{
	struct rd names = rd_str(rq->peer), name;
	char id[ENTITY_MAX], from[ENTITY_MAX];
	bool any = false;

	memset(out, 0, sizeof *out);
	out->peer.client = out->client;
	out->peer.credential = out->credential;
	if (rq->tls_peer) {
		snprintf(out->credential, sizeof out->credential, "%s", rq->tls_peer->credential);
		out->peer.expires_at = rq->tls_peer->expires_at;
		out->peer.export = export;
		out->peer.ctx = x;
	}
	if (!rq->tls || !client_id_of(claimed, sp, from))
		from[0] = '\0';
	while (rq->tls && names.left > 0) {
		if (!rd_until(&names, ' ', &name))
			name = rd_rest(&names);
		if (!client_id_of(name, sp, id) || !is_own(id))
			continue;
		any = true;
		if (strcmp(id, from) == 0)
			memcpy(out->client, id, sizeof out->client);
	}
	return any;
}
