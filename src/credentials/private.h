/* What the files of the store share. */
#ifndef KEYWAY_CREDENTIALS_PRIVATE_H
#define KEYWAY_CREDENTIALS_PRIVATE_H

#include "credentials/credentials.h"
#include "database/database.h"

#define CREDENTIALS_SEALED_MAX 96 /* SEALED_SIZE(SECRET_MAX), rounded up */
#define CREDENTIALS_LABEL_MAX (CREDENTIAL_IDENTITY_MAX + CREDENTIAL_ENTITY_MAX + CREDENTIAL_PEER_MAX + 96)

enum statement { FIND, FIND_PEER, FIND_ENTITY, PUT, ADD, REMOVE, SWEEP, CHANGES, STATEMENTS };

struct credentials {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct rng *rng;
	bool no_keys;
	char kek[KEK_REFERENCE_MAX];    /* where the key was found */
	char given[KEK_REFERENCE_MAX];  /* by the options, when kek_given; beside otherwise */
	char beside[KEK_REFERENCE_MAX]; /* credentials.key in the store's folder */
	bool kek_given;
	struct secret *data_key;  /* of `generation` */
	int64_t generation;       /* grows with each rotation */
	int64_t changes;          /* SQLite's data_version when it was asked last */
};

bool credentials_column(sqlite3_stmt *s, int n, char *dst, size_t size) MUST_CHECK;
void credentials_rollback(struct credentials *s);
/* What a row's secret is bound to. */
void credential_label(const struct credential *c, char label[static CREDENTIALS_LABEL_MAX]);
/* Reads the row that s is at, without its key; false when it was not written by us. */
bool credential_row(sqlite3_stmt *s, struct credential *c, struct rd *sealed) MUST_CHECK;
#define CREDENTIAL_COLUMNS "identity, kind, suid, entity, peer, expires_at, added_at, sealed"

/* The state of the store's only row in `store`. */
struct credentials_header {
	char kek[KEK_REFERENCE_MAX], kek_id[KEK_ID_SIZE];
	int64_t generation;
	uint8_t wrapped[KEK_WRAPPED_MAX];
	size_t wrapped_len;
};
enum err credentials_header_read(struct credentials *s, struct credentials_header *h) MUST_CHECK;
enum err credentials_header_write(struct credentials *s, const struct credentials_header *h) MUST_CHECK;
/* Gets the data key of what the header says. */
enum err credentials_unlock(struct credentials *s, const struct credentials_header *h, const char **detail) MUST_CHECK;

#endif
