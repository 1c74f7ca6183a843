/* What the files of the store share: devices and networks (oci_store.c), Zigbee groups (oci_store_group.c). */
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

#endif
