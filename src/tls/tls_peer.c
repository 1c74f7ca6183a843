/* The other side of an association. */
#include "tls/tls_peer.h"

#include "security/association.h"

bool tls_peer_has(const struct tls_peer *p, const char *name)
{
	return association_names(p->identity, name);
}
