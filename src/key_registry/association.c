/* TLS associations of requests. */
#include "key_registry/association.h"

#include <string.h>

/* Clients are of our service provider: an ID of another one begins with two slashes, a foreign domain name with none. */
static bool is_own(const char *id)
{
	return id[0] == '/' && id[1] != '/';
}

bool association_of(struct http_exchange *x, const struct http_request *rq, const char *sp, struct rd claimed, struct association_peer *out)
{
	struct rd names = rd_str(rq->peer), name;
	char id[ENTITY_MAX], from[ENTITY_MAX];
	bool any = false;

	(void)x;
	memset(out, 0, sizeof *out);
	out->peer.client = out->client;
	out->peer.credential = out->credential;
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
