/* The look into a handshake. The first octet says whether it is datagrams. Properties: how the octets are cut does not change what is found; an identity
 * stands in the octets as it is said; a record is taken whole or not at all. */
#include "fuzz.h"
#include "security/tls_hello.h"

#include <string.h>

#define FOUND_MAX 64

struct result {
	size_t count;
	char identities[FOUND_MAX][TLS_HELLO_IDENTITY_MAX + 1];
};

static bool contains(struct rd all, const char *text)
{
	return memmem(all.at, all.left, text, strlen(text)) != NULL;
}

static void look(bool datagram, struct rd in, size_t step, struct result *r)
{
	struct tls_hello h;
	size_t have = 0, taken = 0;
	enum tls_hello_found found = TLS_HELLO_SHORT;

	memset(r, 0, sizeof *r);
	tls_hello_init(&h, datagram);
	while (found != TLS_HELLO_END && have < in.left) {
		have = in.left - have < step ? in.left : have + step;
		do {
			struct rd rest = rd_of(in.at + taken, have - taken);
			size_t before = rest.left;

			found = tls_hello_record(&h, &rest);
			MUST(rest.left <= before);
			MUST(found != TLS_HELLO_SHORT || rest.left == before);
			taken += before - rest.left;
			if (found == TLS_HELLO_IDENTITY && r->count < FOUND_MAX)
				memcpy(r->identities[r->count++], h.identity, sizeof h.identity);
		} while (found == TLS_HELLO_PASS || found == TLS_HELLO_IDENTITY);
	}
	tls_hello_clear(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
	static struct result whole, pieces;
	struct rd in = rd_of(octets, len);
	uint8_t kind;

	if (!rd_u8(&in, &kind) || in.left == 0)
		return 0;
	look(kind & 1, in, in.left, &whole);
	look(kind & 1, in, 1 + (kind >> 1) % 7, &pieces);
	MUST(whole.count == pieces.count);
	for (size_t i = 0; i < whole.count; i++) {
		MUST(strcmp(whole.identities[i], pieces.identities[i]) == 0);
		/* one over several records of a stream is interrupted by their heads */
		MUST(!(kind & 1) || strlen(whole.identities[i]) > 200 || whole.identities[i][0] == '\0' || in.left > 300 || contains(in, whole.identities[i]));
	}
	return 0;
}
