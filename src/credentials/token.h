/* A wrapping key in a PKCS#11 token. Used by kek.c alone. */
#ifndef KEYWAY_CREDENTIALS_TOKEN_H
#define KEYWAY_CREDENTIALS_TOKEN_H

#include "base/wr.h"
#include "keys/secret.h"

struct token;

/* Logs in. *detail says what is wrong. */
enum err token_open(const char *uri, struct token **out, const char **detail) MUST_CHECK;
void token_close(struct token *t); /* accepts NULL */
/* AES-256, sensitive, not extractable, for wrapping only. ERR_EXISTS when the ID is taken. */
enum err token_generate(struct token *t, struct rd id) MUST_CHECK;
enum err token_select(struct token *t, struct rd id) MUST_CHECK; /* ERR_NOT_FOUND */
enum err token_destroy(struct token *t, struct rd id) MUST_CHECK; /* ERR_NOT_FOUND */
/* With the key that was selected or generated last. RFC 3394 (CKM_AES_KEY_WRAP), which is authenticated. */
enum err token_wrap(struct token *t, const struct secret *data_key, struct wr *wrapped) MUST_CHECK;
enum err token_unwrap(struct token *t, struct rd wrapped, size_t len, struct secret **data_key) MUST_CHECK;

#endif
