/* The three header fields of Digest AKA: what is read is written again so that it reads the same. */
#include <string.h>

#include "../fuzz.h"
#include "gba/digest_aka.h"

static struct rd written(struct wr *w)
{
	struct rd r;

	MUST(wr_done(w, &r));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char octets[4 * DIGEST_HEADER_MAX];
	struct rd in = rd_of(data, size);
	struct digest_challenge c, c2;
	struct digest_credentials cr, cr2;
	struct digest_info i, i2;
	struct wr w;

	if (digest_challenge_parse(in, &c) == OK) {
		w = wr_of(octets, sizeof octets);
		c2 = c;
		digest_challenge_print(&w, &c2);
		MUST(digest_challenge_parse(written(&w), &c2) == OK);
		MUST(strcmp(c.realm, c2.realm) == 0 && strcmp(c.opaque, c2.opaque) == 0);
		MUST(memcmp(c.rand, c2.rand, AKA_RAND) == 0 && memcmp(c.autn, c2.autn, AKA_AUTN) == 0);
	}
	if (digest_credentials_parse(in, &cr) == OK) {
		w = wr_of(octets, sizeof octets);
		digest_credentials_print(&w, &cr);
		MUST(digest_credentials_parse(written(&w), &cr2) == OK);
		if (cr.nonce[0] || cr.response[0])
			MUST(memcmp(&cr, &cr2, sizeof cr) == 0);
		else
			MUST(strcmp(cr.username, cr2.username) == 0 && strcmp(cr.uri, cr2.uri) == 0 && strcmp(cr.realm, cr2.realm) == 0);
	}
	if (digest_info_parse(in, &i) == OK) {
		w = wr_of(octets, sizeof octets);
		digest_info_print(&w, &i);
		MUST(digest_info_parse(written(&w), &i2) == OK && memcmp(&i, &i2, sizeof i) == 0);
	}
	return 0;
}
