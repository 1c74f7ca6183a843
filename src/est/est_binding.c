/* Channel bindings of an association, as challengePassword carries them. */
#include "base/bytes.h"
#include "est/est.h"
#include "tls/tls_peer.h"

static void print(struct tls_session *s, enum tls_binding kind, char text[static EST_BINDING_MAX])
{
	uint8_t octets[TLS_BINDING_MAX];
	struct wr w = wr_of(text, EST_BINDING_MAX - 1);
	size_t len;

	if (tls_channel_binding(s, kind, octets, &len) == OK)
		base64_print(&w, rd_of(octets, len));
	text[w.spoilt ? 0 : w.len] = '\0';
}

void est_bindings(struct tls_session *session, struct est_asker *who)
{
	print(session, TLS_BINDING_UNIQUE, who->bindings[0]);
	print(session, TLS_BINDING_EXPORTER, who->bindings[1]);
}
