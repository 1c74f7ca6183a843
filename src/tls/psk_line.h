/* Lines of a file of pre-shared keys, see tls/psk_file.h. */
#ifndef KEYWAY_TLS_PSK_LINE_H
#define KEYWAY_TLS_PSK_LINE_H

#include "tls/psk_source.h"

#define PSK_LINE_MAX 1024
#define PSK_KEY_MAX 64

struct psk_line {
	uint8_t key[PSK_KEY_MAX]; /* the caller wipes it */
	size_t key_len;
	char entity[ENTITY_MAX];
	uint64_t expires_at;
};

bool psk_line_parse(struct rd line, const char *identity, struct psk_line *out) MUST_CHECK;
/* Nobody but its owner may read the file. */
bool tls_file_is_private(const char *path);
/* Every line that is one, in turn; fn must not keep it. False: the file can't be read. */
bool psk_lines_each(const char *path, void (*fn)(void *ctx, const char *identity, const struct psk_line *line), void *ctx) MUST_CHECK;
/* The first line that is neither IDENTITY:HEXKEY, nor empty, nor a comment, from 1 on; 0: there is none, or the file can't be read. */
unsigned psk_lines_wrong(const char *path);
/* The line of `identity` in the file. */
bool psk_line_find(const char *path, const char *identity, struct psk_line *out) MUST_CHECK;

#endif
