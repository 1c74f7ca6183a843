/* What the files of the store share: the database (oci_store.c), devices (oci_store_device.c), network keys (oci_store_network.c), Zigbee groups (oci_store_group.c). */
#ifndef KEYWAY_OCI_OCI_STORE_PRIVATE_H
#define KEYWAY_OCI_OCI_STORE_PRIVATE_H

#include "database/origin.h"
#include "oci/oci_store.h"

#define OCI_STORE_GROUPS \
	"CREATE TABLE IF NOT EXISTS zigbee_group(id INTEGER PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, network TEXT NOT NULL," \
	" barred INTEGER NOT NULL, members BLOB NOT NULL, scenes BLOB NOT NULL);"

enum oci_store_statement { PUT, DROP, REFERENCES, NETWORK, NETWORK_PUT, NETWORK_RESERVE, NETWORK_USED, NETWORK_DROP, NETWORK_WIPE, GROUP_PUT, GROUP_DROP, STATEMENTS };

struct oci_store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct secret *file_key;
	struct rng rng;
	struct database_gap gap;
};

#define OCI_STORE_ID (OCI_NAME + 40) /* of a network's row */

/* Which networks a device's row refers to; "" where there is none. */
struct oci_store_references {
	char id[2][OCI_STORE_ID];
};

/* oci_store.c */
bool oci_store_sql(struct oci_store *s, const char *text);
bool oci_store_done(sqlite3_stmt *q) MUST_CHECK; /* steps one that has no rows, and resets it */
void oci_store_bind(sqlite3_stmt *q, int column, const char *text); /* copied */
void oci_store_text(sqlite3_stmt *q, int column, char *to, size_t size); /* "" for NULL */
/* oci_store_network.c */
/* As it stands; ERR_REPLAY: its counter's limit would go back, for that only grows, or its key was wiped and does not come back. */
enum err oci_store_network_put(struct oci_store *s, const struct oci_network *n) MUST_CHECK;
/* The key as it stands in its row, of its own; NULL: there is none, or it is not what it should be. */
struct oci_network *oci_store_network(struct oci_store *s, const char *id);
void oci_store_bind_network(sqlite3_stmt *q, int column, const struct oci_network *n); /* its ID, or NULL */
struct oci_store_references oci_store_references(struct oci_store *s, const char *eui64);
/* What the row referred to before and does not now: a key that no device refers to any more is wiped. */
bool oci_store_networks_release(struct oci_store *s, const char *eui64, const struct oci_store_references *before) MUST_CHECK;

#endif
