/* HTTP Digest. */
#include "crypto/http_digest.h"

#include <nettle/md5.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

static void add(struct md5_ctx *md5, struct rd r)
{
	if (r.left > 0)
		md5_update(md5, r.left, r.at);
}

static void add_after_colon(struct md5_ctx *md5, struct rd r)
{
	md5_update(md5, 1, (const uint8_t *)":");
	add(md5, r);
}

static void finish(struct md5_ctx *md5, char text[static HTTP_DIGEST_SIZE])
{
	uint8_t digest[MD5_DIGEST_SIZE];

	md5_digest(md5, sizeof digest, digest);
	hex_print(text, digest, sizeof digest);
	bytes_wipe(digest, sizeof digest);
	bytes_wipe(md5, sizeof *md5);
}

static void a1(const struct http_digest *d, const struct secret *password, char text[static HTTP_DIGEST_SIZE])
{
	struct md5_ctx md5;

	md5_init(&md5);
	add(&md5, d->username);
	add_after_colon(&md5, d->realm);
	add_after_colon(&md5, password ? rd_of(secret_octets(password), secret_len(password)) : rd_of("", 0));
	finish(&md5, text);
}

static void a2(const struct http_digest *d, char text[static HTTP_DIGEST_SIZE])
{
	char body[HTTP_DIGEST_SIZE];
	struct md5_ctx md5;

	if (d->auth_int) {
		md5_init(&md5);
		add(&md5, d->body);
		finish(&md5, body);
	}
	md5_init(&md5);
	add(&md5, d->method);
	add_after_colon(&md5, d->uri);
	if (d->auth_int)
		add_after_colon(&md5, rd_str(body));
	finish(&md5, text);
}

void http_digest(const struct http_digest *d, const struct secret *password, char text[static HTTP_DIGEST_SIZE])
{
	char first[HTTP_DIGEST_SIZE], second[HTTP_DIGEST_SIZE];
	struct md5_ctx md5;

	a1(d, password, first);
	a2(d, second);
	md5_init(&md5);
	add(&md5, rd_str(first));
	add_after_colon(&md5, d->nonce);
	add_after_colon(&md5, d->nc);
	add_after_colon(&md5, d->cnonce);
	add_after_colon(&md5, rd_str(d->auth_int ? "auth-int" : "auth"));
	add_after_colon(&md5, rd_str(second));
	finish(&md5, text);
	bytes_wipe(first, sizeof first);
}
