/* Signing and encrypting of tokens. */
#include "das/das_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "jose/jose.h"

#define KID_MAX 256
#define ID_MAX 256
#define PATH_SIZE 1024
#define TOKEN_MAX 16384

struct recipient {
	char cse[ID_MAX], kid[KID_MAX];
	struct jose_key *key;
	enum jose_alg alg;
};
struct das_sealer {
	struct rng *rng;
	struct jose_key *key;
	enum jose_alg alg;
	char kid[KID_MAX];
	struct recipient recipients[DAS_RECIPIENTS_MAX];
	size_t count;
};

/* ---- keys ---- */

static bool key_read(const char *path, struct jose_key **key)
{
	char pem[JOSE_KEY_TEXT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(pem, 1, sizeof pem, f) : 0;
	bool good = f && jose_key_parse(rd_of(pem, n), key) == OK;

	if (f)
		fclose(f);
	bytes_wipe(pem, sizeof pem);
	return good;
}

/* The first algorithm that takes this key. */
static enum jose_alg fitting(const struct jose_key *key, const enum jose_alg *algs)
{
	while (*algs != JOSE_NO_ALG && !jose_key_fits(key, *algs))
		algs++;
	return *algs;
}

static enum err sign(const struct das_sealer *s, struct rd claims, struct wr *token)
{
	const struct jose_party party = {s->alg, rd_str(s->kid), s->key};
	const struct jose_making how = {.form = JOSE_COMPACT, .parties = &party, .count = 1, .typ = "JWT"};

	return jose_sign(&how, claims, token);
}

/* Whether the key has its private half: a certificate would be found out at the first token only. */
static bool signs(const struct das_sealer *s)
{
	struct wr w = wr_new(TOKEN_MAX);
	bool good = s->alg != JOSE_NO_ALG && sign(s, rd_str("{}"), &w) == OK;

	wr_free(&w);
	return good;
}

/* ---- files ---- */

static bool take_line(struct das_sealer *s, const char *line)
{
	static const enum jose_alg algs[] = {JOSE_ECDH_ES_A256KW, JOSE_RSA_OAEP_256, JOSE_NO_ALG};
	struct recipient *r = &s->recipients[s->count];
	char path[PATH_SIZE], more[2];
	int n;

	if (s->count == DAS_RECIPIENTS_MAX)
		return false;
	n = sscanf(line, "%255s %255s %1023s %1s", r->cse, r->kid, path, more);
	if (n <= 0 || r->cse[0] == '#')
		return true;
	if (n != 3 || r->cse[0] != '/' || !key_read(path, &r->key))
		return false;
	s->count++;
	r->alg = fitting(r->key, algs);
	return r->alg != JOSE_NO_ALG;
}

static bool recipients_read(struct das_sealer *s, const char *path, char why[static DAS_WHY_MAX])
{
	char line[2 * PATH_SIZE];
	FILE *f = fopen(path, "r");
	unsigned number = 0;
	bool good = f != NULL;

	while (good && fgets(line, sizeof line, f)) {
		number++;
		good = take_line(s, line);
	}
	if (f)
		fclose(f);
	if (!good)
		snprintf(why, DAS_WHY_MAX, "%s: line %u must be CSE-ID KID FILE, with a certificate or public key that can be read", path, number);
	return good;
}

enum err das_sealer_new(const struct das_token_files *files, struct rng *rng, struct das_sealer **out, char why[static DAS_WHY_MAX])
{
	static const enum jose_alg algs[] = {JOSE_ES256, JOSE_ES384, JOSE_ES512, JOSE_RS256, JOSE_NO_ALG};
	struct das_sealer *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NO_MEMORY;
	s->rng = rng;
	if (!rd_text(rd_str(files->kid), s->kid, sizeof s->kid) || s->kid[0] == '\0') {
		snprintf(why, DAS_WHY_MAX, "the name of the key (kid) is empty or too long");
	} else if (!key_read(files->key, &s->key) || (s->alg = fitting(s->key, algs)) == JOSE_NO_ALG || !signs(s)) {
		snprintf(why, DAS_WHY_MAX, "%s: must be a private key, PEM, of P-256, P-384, P-521 or RSA", files->key);
	} else if (!files->recipients || recipients_read(s, files->recipients, why)) {
		*out = s;
		return OK;
	}
	das_sealer_free(s);
	return ERR_CONFIG;
}

void das_sealer_free(struct das_sealer *s)
{
	if (!s)
		return;
	jose_key_free(s->key);
	for (size_t i = 0; i < DAS_RECIPIENTS_MAX; i++)
		jose_key_free(s->recipients[i].key);
	free(s);
}

/* ---- tokens ---- */

static const struct recipient *recipient_of(const struct das_sealer *s, const char *cse)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->recipients[i].cse, cse) == 0)
			return &s->recipients[i];
	return NULL;
}

enum err das_seal(void *ctx, struct rd claims, const char *cse, struct wr *token)
{
	const struct das_sealer *s = ctx;
	const struct recipient *r = recipient_of(s, cse);
	struct wr signed_ = wr_new(TOKEN_MAX);
	struct jose_party party;
	struct jose_making how = {.form = JOSE_COMPACT, .enc = JOSE_A256GCM, .parties = &party, .count = 1, .cty = "JWT"};
	struct rd text;
	enum err e;

	if (!r)
		return sign(s, claims, token);
	party = (struct jose_party){r->alg, rd_str(r->kid), r->key};
	e = sign(s, claims, &signed_);
	if (e == OK)
		e = wr_done(&signed_, &text) ? jose_encrypt(&how, text, s->rng, token) : ERR_TOO_LONG;
	wr_free(&signed_);
	return e;
}
