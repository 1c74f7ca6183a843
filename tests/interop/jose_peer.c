/* One JOSE operation for jose_test.py, which does the other half with jwcrypto:
 *	jose_peer make|take ALG ENC FORM KEY < content or text > text or content
 * KEY is 64 or fewer hexadecimal octets, or a PEM file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "jose/jose.h"

static char input[1 << 20];

static struct jose_key *key_of(const char *text)
{
	uint8_t octets[SECRET_MAX];
	struct jose_key *k = NULL;
	size_t n;

	if (hex_parse_loose(rd_str(text), octets, sizeof octets, &n)) {
		struct secret *s = secret_take(octets, n);

		k = jose_key_secret(s);
		secret_free(s);
	} else {
		static char pem[JOSE_KEY_TEXT_MAX];
		FILE *f = fopen(text, "r");

		n = f ? fread(pem, 1, sizeof pem, f) : 0;
		if (f)
			fclose(f);
		if (jose_key_parse(rd_of(pem, n), &k) != OK)
			return NULL;
	}
	return k;
}

static enum err make(enum jose_alg alg, enum jose_enc enc, enum jose_form form, const struct jose_key *k, struct rd content, struct rng *rng, struct wr *out)
{
	struct jose_party party = {alg, rd_str("peer"), k};
	struct jose_making how = {form, enc, &party, 1, NULL, NULL, rd_str("")};

	return enc == JOSE_NO_ENC ? jose_sign(&how, content, out) : jose_encrypt(&how, content, rng, out);
}

static enum err take(enum jose_alg alg, enum jose_enc enc, const struct jose_key *k, struct rd text, struct rng *rng, struct wr *out)
{
	struct jose_allowed only = {JOSE_MAY(alg), JOSE_MAY(enc)};
	struct jose *j = NULL;
	struct rd payload;
	enum err e = jose_parse(text, &j);

	if (e == OK && jose_is_encrypted(j)) {
		e = jose_open(j, 0, k, &only, rng, out);
	} else if (e == OK) {
		e = jose_verify(j, 0, k, &only, &payload);
		if (e == OK)
			wr_rd(out, payload);
	}
	jose_free(j);
	return e;
}

int main(int argc, char **argv)
{
	struct wr out = wr_new(1 << 20);
	struct rng rng = rng_system();
	size_t n = fread(input, 1, sizeof input, stdin);
	struct jose_key *k = argc == 6 ? key_of(argv[5]) : NULL;
	struct rd done;
	enum jose_form form;
	enum err e;

	if (!k)
		return 2;
	form = strcmp(argv[4], "compact") == 0 ? JOSE_COMPACT : strcmp(argv[4], "flattened") == 0 ? JOSE_FLATTENED : JOSE_GENERAL;
	e = strcmp(argv[1], "make") == 0 ? make(jose_alg_of(rd_str(argv[2])), jose_enc_of(rd_str(argv[3])), form, k, rd_of(input, n), &rng, &out)
	                                 : take(jose_alg_of(rd_str(argv[2])), jose_enc_of(rd_str(argv[3])), k, rd_of(input, n), &rng, &out);
	if (e == OK && wr_done(&out, &done))
		fwrite(done.at, 1, done.left, stdout);
	else
		fprintf(stderr, "%s\n", err_name(e));
	jose_key_free(k);
	wr_free(&out);
	return e == OK ? 0 : 1;
}
