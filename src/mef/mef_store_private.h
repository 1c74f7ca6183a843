/* What the files of the MEF's store share: statements, and keys sealed for their place. */
#ifndef KEYWAY_MEF_MEF_STORE_PRIVATE_H
#define KEYWAY_MEF_MEF_STORE_PRIVATE_H

#include "database/origin.h"
#include "keys/sealed.h"
#include "mef/mef_store.h"

#define LABEL_MAX 96
#define SEALED_MAX SEALED_SIZE(SECRET_MAX)

/* user_version 0: keys lie under a key file of the operator's, as they did until version 0.1. */
#define UNDER_STORE_KEY 1

struct mef_store {
	sqlite3 *db;
	const struct secret *file_key;
	struct rng *rng;
	struct database_gap gap;
	uint32_t generation_floor;
};

struct sealed_octets {
	uint8_t octets[SEALED_MAX];
	struct rd rd;
};

/* mef_store.c */
extern const char mef_schema[];
int64_t mef_sql_number(sqlite3 *db, const char *sql); /* -1: there is none */
/* kinds: one letter a value: i int64_t, s const char *, b struct rd * (NULL pointer: SQL NULL). */
enum err mef_sql_run(struct mef_store *st, const char *sql, const char *kinds, ...) MUST_CHECK;
sqlite3_stmt *mef_sql_query(struct mef_store *st, const char *sql, const char *kinds, ...);
uint64_t mef_sql_u64(sqlite3_stmt *s, int n);
bool mef_sql_text(sqlite3_stmt *s, int n, char *dst, size_t size) MUST_CHECK; /* false when it is longer than its place: not written by us */
struct rd mef_sql_blob(sqlite3_stmt *s, int n);
void mef_label_generation(char label[static LABEL_MAX], uint64_t eui64, uint32_t number, const char *kind);
void mef_label_install(char label[static LABEL_MAX], uint64_t eui64);
enum err mef_seal(struct mef_store *st, const char *label, const struct secret *s, struct sealed_octets *out) MUST_CHECK;

#endif
