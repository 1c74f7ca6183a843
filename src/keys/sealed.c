/* Secrets at rest, and the key file that seals them. */
#include "keys/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define VERSION 1
#define NONCE 12
#define TAG 16
#define FILE_KEY 32

enum err key_file_read(const char *path, struct secret **key)
{
	char text[2 * FILE_KEY + 2];
	uint8_t octets[FILE_KEY];
	enum err e = ERR_CONFIG;
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_CONFIG;
	n = read(fd, text, sizeof text);
	if (fstat(fd, &st) == 0 && (st.st_mode & 077) == 0 && (n == 2 * FILE_KEY || (n == 2 * FILE_KEY + 1 && text[2 * FILE_KEY] == '\n')) &&
	    hex_parse(rd_of(text, 2 * FILE_KEY), octets, FILE_KEY)) {
		*key = secret_take(octets, sizeof octets);
		e = *key ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(text, sizeof text);
	bytes_wipe(octets, sizeof octets);
	close(fd);
	return e;
}

/* A name is durable when its folder is: a sealed row must not outlive the key that opens it. */
static bool folder_sync(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) + 1 : 0;
	bool good;
	int fd;

	if (length >= (int)sizeof folder)
		return false;
	snprintf(folder, sizeof folder, "%.*s", slash ? length : 1, slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = fsync(fd) == 0;
	close(fd);
	return good;
}

enum err key_file_create(const char *path, struct rng *rng)
{
	char text[HEX_SIZE(FILE_KEY)];
	uint8_t octets[FILE_KEY];
	enum err e = ERR_IO;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? ERR_EXISTS : ERR_IO;
	rng_fill(rng, octets, sizeof octets);
	hex_print(text, octets, sizeof octets);
	text[2 * FILE_KEY] = '\n';
	if (write(fd, text, sizeof text) == (ssize_t)sizeof text && fsync(fd) == 0 && folder_sync(path))
		e = OK;
	else
		unlink(path); /* half a key would be refused at each start */
	bytes_wipe(text, sizeof text);
	bytes_wipe(octets, sizeof octets);
	close(fd);
	return e;
}

static void start(struct gcm_aes256_ctx *gcm, const struct secret *file_key, const uint8_t nonce[NONCE], const char *label)
{
	gcm_aes256_set_key(gcm, secret_octets(file_key));
	gcm_aes256_set_iv(gcm, NONCE, nonce);
	gcm_aes256_update(gcm, strlen(label), (const uint8_t *)label);
}

enum err secret_seal(const struct secret *file_key, const char *label, const struct secret *s, struct rng *rng, struct wr *out)
{
	struct gcm_aes256_ctx gcm;
	uint8_t nonce[NONCE], cipher[SECRET_MAX], tag[TAG];
	struct rd done;

	if (secret_len(file_key) != FILE_KEY)
		return ERR_BAD_VALUE;
	rng_fill(rng, nonce, sizeof nonce);
	start(&gcm, file_key, nonce, label);
	gcm_aes256_encrypt(&gcm, secret_len(s), cipher, secret_octets(s));
	gcm_aes256_digest(&gcm, TAG, tag);
	bytes_wipe(&gcm, sizeof gcm);
	wr_u8(out, VERSION);
	wr_copy(out, nonce, NONCE);
	wr_copy(out, cipher, secret_len(s));
	wr_copy(out, tag, TAG);
	return wr_done(out, &done) ? OK : ERR_TOO_LONG;
}

enum err secret_unseal(const struct secret *file_key, const char *label, struct rd sealed, struct secret **s)
{
	struct gcm_aes256_ctx gcm;
	uint8_t version, nonce[NONCE], plain[SECRET_MAX], tag[TAG], expected[TAG];
	struct rd cipher;
	enum err e = ERR_BAD_MIC;

	if (!rd_u8(&sealed, &version) || !rd_copy(&sealed, nonce, NONCE) || !rd_sub_but(&sealed, TAG, &cipher) || !rd_copy(&sealed, expected, TAG))
		return ERR_SHORT;
	if (version != VERSION || cipher.left == 0 || cipher.left > SECRET_MAX || secret_len(file_key) != FILE_KEY)
		return ERR_MALFORMED;
	start(&gcm, file_key, nonce, label);
	gcm_aes256_decrypt(&gcm, cipher.left, plain, cipher.at);
	gcm_aes256_digest(&gcm, TAG, tag);
	bytes_wipe(&gcm, sizeof gcm);
	if (bytes_equal_ct(tag, expected, TAG)) {
		*s = secret_take(plain, cipher.left);
		e = *s ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(plain, sizeof plain);
	return e;
}

void secret_name(const struct secret *s, char name[static 33])
{
	static const uint8_t label[] = "keyway key name";
	struct hmac_sha256_ctx hmac;
	uint8_t digest[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&hmac, secret_len(s), secret_octets(s));
	hmac_sha256_update(&hmac, sizeof label - 1, label);
	hmac_sha256_digest(&hmac, sizeof digest, digest);
	hex_print(name, digest, 16);
	bytes_wipe(&hmac, sizeof hmac);
}
