/* What the files of the DAS share. */
#ifndef KEYWAY_DAS_PRIVATE_H
#define KEYWAY_DAS_PRIVATE_H

#include <sqlite3.h>

#include "das/das.h"

enum das_statement {
	RULE_ADD, RULE_DELETE, RULES_ALL, RULES_COUNT,
	TOKEN_ADD, TOKEN_GET, TOKEN_OF, TOKEN_DELETE, TOKENS_OF_RULE_DELETE, TOKENS_ALL, TOKENS_COUNT, TOKENS_SWEEP, DAS_STATEMENTS,
};
struct das {
	struct das_config config;
	sqlite3 *db;
	sqlite3_stmt *statements[DAS_STATEMENTS];
	const char *reason;
};

/* "i": int64_t, "s": const char *, "r": const struct rd *. */
sqlite3_stmt *das_bind(struct das *d, enum das_statement which, const char *kinds, ...);
void das_done(sqlite3_stmt *s);
enum err das_write(struct das *d, sqlite3_stmt *s) MUST_CHECK; /* within das_begin and das_end */
enum err das_begin(struct das *d) MUST_CHECK;
enum err das_end(struct das *d, enum err e) MUST_CHECK; /* commits when e is OK, otherwise undoes; e, or what went wrong then */
bool das_column(sqlite3_stmt *s, int column, char *dst, size_t size) MUST_CHECK;
bool das_rule_read(sqlite3_stmt *s, struct das_rule *r) MUST_CHECK;   /* a row of RULES_ALL */
/* By statement and its whole row; false: no row. */
bool das_count(struct das *d, enum das_statement which, int64_t now_s, uint64_t *n) MUST_CHECK;
enum err das_note(struct das *d, uint64_t now_ms, const char *event, const char *client, const char *detail) MUST_CHECK;

#endif
