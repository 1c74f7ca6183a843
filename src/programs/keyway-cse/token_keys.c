/* Keys for tokens: files, and the credential store. */
#include "programs/keyway-cse/token_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "credentials/credentials.h"
#include "jose/jwt.h"
#include "loop/log.h"
#include "security/derive.h"

#define KEYS_MAX 64
#define LINE_SIZE 1024
#define KID_MAX 256

struct token_key {
	bool opens;
	char kid[KID_MAX], issuer[CSE_ISSUER_MAX];
	struct jose_key *key;
};

struct token_keys {
	struct rng rng;
	struct credentials *store; /* or NULL */
	struct token_key keys[KEYS_MAX];
	size_t count;
};

/* ---- one token ---- */

struct opening {
	const struct token_keys *keys;
	struct jose_key *made[2];                   /* of the credential store: to verify, to open */
	char issuer[2][CSE_ISSUER_MAX];
	bool symmetric[2];
};

static bool is_for(enum credential_kind kind, bool encrypted)
{
	return encrypted ? kind == KIND_ESDATA || kind == KIND_ESDATA_WRAP : kind == KIND_ESDATA_HMAC;
}

/* What of the key this header's algorithm takes. */
static struct jose_key *used(const struct secret *key, const struct jose_header *h)
{
	size_t octets = h->alg == JOSE_DIR ? jose_enc_octets(h->enc) : jose_alg_octets(h->alg);
	struct secret *part = NULL;
	struct jose_key *k = NULL;

	if (octets > 0 && derive_for_use(key, octets, &part) == OK)
		k = jose_key_secret(part);
	secret_free(part);
	return k;
}

static const struct jose_key *stored(struct opening *o, const char *kid, const struct jose_header *h, bool encrypted)
{
	struct credential c;

	if (!o->keys->store || credentials_find(o->keys->store, kid, &c) != OK)
		return NULL;
	if (is_for(c.kind, encrypted) && !credential_expired(&c, clock_unix_ms() / 1000) &&
	    rd_text(rd_str(c.entity), o->issuer[encrypted], sizeof o->issuer[encrypted])) {
		jose_key_free(o->made[encrypted]);
		o->made[encrypted] = used(c.key, h);
		o->symmetric[encrypted] = true;
	}
	credential_clear(&c);
	return o->made[encrypted];
}

static const struct jose_key *find(void *ctx, const struct jose_header *h, bool encrypted)
{
	struct opening *o = ctx;
	char kid[KID_MAX];

	if (!rd_text(h->kid, kid, sizeof kid) || kid[0] == '\0')
		return NULL;
	for (size_t i = 0; i < o->keys->count; i++) {
		const struct token_key *k = &o->keys->keys[i];

		if (k->opens == encrypted && strcmp(k->kid, kid) == 0) {
			memcpy(o->issuer[encrypted], k->issuer, sizeof k->issuer);
			return k->key;
		}
	}
	return stored(o, kid, h, encrypted);
}

static enum err open_token(void *tokens, struct rd token, struct wr *claims, char issuer[CSE_ISSUER_MAX])
{
	struct token_keys *t = tokens;
	struct opening o = {.keys = t};
	const struct jwt_policy policy = {
		.allowed = {JOSE_MAY_SIGN_PUBLIC | JOSE_MAY_SIGN_SYMMETRIC | JOSE_MAY_WRAP | JOSE_MAY_ENCRYPT_PUBLIC | JOSE_MAY(JOSE_DIR), JOSE_MAY_EVERY_ENC},
		.find = find, .ctx = &o, .rng = &t->rng};
	struct jwt jwt;
	struct rd done;
	enum err e = jwt_open(token, &policy, &jwt);

	if (e == OK) {
		bool sealed_alone = !jwt.is_signed;

		wr_rd(claims, jwt.claims->source);
		if (sealed_alone && !o.symmetric[true])
			e = ERR_NOT_AUTHORISED;
		else if (!wr_done(claims, &done))
			e = ERR_TOO_LONG;
		else
			memcpy(issuer, o.issuer[sealed_alone], CSE_ISSUER_MAX);
		jwt_clear(&jwt);
	}
	jose_key_free(o.made[false]);
	jose_key_free(o.made[true]);
	if (e != OK)
		log_line(LOG_LEVEL_NOTICE, "token refused", "why=%s", err_name(e));
	return e;
}

/* ---- the file of issuers ---- */

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

static bool take_line(struct token_keys *t, const char *line)
{
	struct token_key *k = &t->keys[t->count];
	char verb[16], kid[KID_MAX], path[LINE_SIZE], issuer[CSE_ISSUER_MAX] = "", more[2];
	int n = sscanf(line, "%15s %255s %1023s %255s %1s", verb, kid, path, issuer, more);

	if (n <= 0 || verb[0] == '#')
		return true;
	if (t->count == KEYS_MAX || !(strcmp(verb, "verify") == 0 ? n == 4 : strcmp(verb, "open") == 0 && n == 3) || !key_read(path, &k->key))
		return false;
	k->opens = n == 3;
	memcpy(k->kid, kid, sizeof kid);
	memcpy(k->issuer, issuer, sizeof issuer);
	t->count++;
	return true;
}

static bool file_read(struct token_keys *t, const char *path)
{
	char line[2 * LINE_SIZE];
	FILE *f = fopen(path, "r");
	unsigned number = 0;
	bool good = f != NULL;

	if (!f)
		log_line(LOG_LEVEL_ERROR, "issuers", "file=%s why=\"it cannot be read\"", log_quote(rd_str(path)));
	while (good && fgets(line, sizeof line, f)) {
		number++;
		good = take_line(t, line);
		if (!good)
			log_line(LOG_LEVEL_ERROR, "issuers", "file=%s line=%u why=\"verify KID FILE ISSUER, or open KID FILE, with a key that can be used\"",
			    log_quote(rd_str(path)), number);
	}
	if (f)
		fclose(f);
	return good;
}

enum err token_keys_start(const struct options *o, struct cse *c, struct token_keys **out)
{
	struct token_keys *t;
	struct credentials_options place = {.path = o->token_credentials, .kek = o->token_kek, .must_exist = true};
	struct cse_tokens tokens = {open_token, NULL};
	const char *detail = "";

	*out = NULL;
	if (!o->token_issuers && !o->token_credentials)
		return OK;
	t = calloc(1, sizeof *t);
	if (!t)
		return ERR_NO_MEMORY;
	t->rng = rng_system();
	place.rng = &t->rng;
	if (o->token_issuers && !file_read(t, o->token_issuers)) {
		token_keys_free(t);
		return ERR_CONFIG;
	}
	if (o->token_credentials && credentials_open(&place, &t->store, &detail) != OK) {
		log_line(LOG_LEVEL_ERROR, "credentials", "path=%s why=%s", log_quote(rd_str(o->token_credentials)), log_quote(rd_str(detail)));
		token_keys_free(t);
		return ERR_CONFIG;
	}
	tokens.tokens = t;
	cse_use_tokens(c, &tokens);
	*out = t;
	return OK;
}

void token_keys_free(struct token_keys *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		jose_key_free(t->keys[i].key);
	credentials_close(t->store);
	free(t);
}
