/* Network keys in node B's store: each sealed under the key file, with its counter's limit; shared by the devices whose rows refer to it. */
#include <stdio.h>
#include <string.h>

#include "keys/sealed.h"
#include "oci/oci_store_private.h"

static void id_of(char id[static OCI_STORE_ID], const struct oci_network *n)
{
	snprintf(id, OCI_STORE_ID, "%s %s %llu", n->policy == OCI_POLICY_GROUP ? "group" : "device", n->name, (unsigned long long)n->generation);
}

/* A label a key, so that none can be put in another's place. */
static void label_of(char label[static OCI_STORE_ID], const struct oci_network *n)
{
	snprintf(label, OCI_STORE_ID, "oci:%s:%s:network:%llu", n->policy == OCI_POLICY_GROUP ? "group" : "device", n->name, (unsigned long long)n->generation);
}

static enum err network_add(struct oci_store *s, const char *id, const struct oci_network *n)
{
	uint8_t buffer[SEALED_SIZE(SECRET_MAX)];
	struct wr w = wr_of(buffer, sizeof buffer);
	sqlite3_stmt *q = s->statements[NETWORK_PUT];
	char label[OCI_STORE_ID];

	label_of(label, n);
	if (secret_seal(s->file_key, label, n->key, &s->rng, &w) != OK)
		return ERR_CRYPTO;
	oci_store_bind(q, 1, id);
	sqlite3_bind_int(q, 2, (int)n->policy);
	oci_store_bind(q, 3, n->name);
	sqlite3_bind_int64(q, 4, (sqlite3_int64)n->generation);
	sqlite3_bind_int(q, 5, n->sequence);
	sqlite3_bind_blob(q, 6, w.octets, (int)w.len, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 7, n->out_reserved);
	return oci_store_done(q) ? OK : ERR_STORE;
}

enum err oci_store_network_put(struct oci_store *s, const struct oci_network *n)
{
	sqlite3_stmt *q = s->statements[NETWORK];
	sqlite3_int64 reserved = 0;
	bool wiped = false;
	char id[OCI_STORE_ID];
	int r;

	id_of(id, n);
	oci_store_bind(q, 1, id);
	r = sqlite3_step(q);
	if (r == SQLITE_ROW) {
		wiped = sqlite3_column_type(q, 4) == SQLITE_NULL;
		reserved = sqlite3_column_int64(q, 5);
	}
	sqlite3_reset(q);
	if (r == SQLITE_DONE)
		return network_add(s, id, n);
	if (r != SQLITE_ROW)
		return ERR_STORE;
	if (wiped || reserved > n->out_reserved)
		return ERR_REPLAY;
	if (reserved == n->out_reserved)
		return OK;
	sqlite3_bind_int64(s->statements[NETWORK_RESERVE], 1, n->out_reserved);
	oci_store_bind(s->statements[NETWORK_RESERVE], 2, id);
	return oci_store_done(s->statements[NETWORK_RESERVE]) ? OK : ERR_STORE;
}

struct oci_store_references oci_store_references(struct oci_store *s, const char *eui64)
{
	sqlite3_stmt *q = s->statements[REFERENCES];
	struct oci_store_references r = {{"", ""}};

	oci_store_bind(q, 1, eui64);
	if (sqlite3_step(q) == SQLITE_ROW)
		for (int i = 0; i < 2; i++)
			oci_store_text(q, i, r.id[i], sizeof r.id[i]);
	sqlite3_reset(q);
	return r;
}

/* A key that no device refers to is wiped. */
static bool network_release(struct oci_store *s, const char *id)
{
	bool group = strncmp(id, "group ", 6) == 0, used = false;
	sqlite3_stmt *q = s->statements[group ? NETWORK_WIPE : NETWORK_DROP];

	if (group) {
		oci_store_bind(s->statements[NETWORK_USED], 1, id);
		used = sqlite3_step(s->statements[NETWORK_USED]) != SQLITE_ROW || sqlite3_column_int(s->statements[NETWORK_USED], 0) > 0;
		sqlite3_reset(s->statements[NETWORK_USED]);
	}
	oci_store_bind(q, 1, id);
	return used || oci_store_done(q);
}

bool oci_store_networks_release(struct oci_store *s, const char *eui64, const struct oci_store_references *before)
{
	struct oci_store_references now = oci_store_references(s, eui64);

	for (int i = 0; i < 2; i++)
		if (before->id[i][0] && strcmp(before->id[i], now.id[0]) != 0 && strcmp(before->id[i], now.id[1]) != 0 && !network_release(s, before->id[i]))
			return false;
	return true;
}

void oci_store_bind_network(sqlite3_stmt *q, int column, const struct oci_network *n)
{
	char id[OCI_STORE_ID];

	if (!n) {
		sqlite3_bind_null(q, column);
		return;
	}
	id_of(id, n);
	oci_store_bind(q, column, id);
}

struct oci_network *oci_store_network(struct oci_store *s, const char *id)
{
	sqlite3_stmt *q = s->statements[NETWORK];
	struct oci_network n = {.key = NULL}, *out = NULL;
	char label[OCI_STORE_ID];

	oci_store_bind(q, 1, id);
	if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_type(q, 4) != SQLITE_NULL) {
		n.policy = sqlite3_column_int(q, 0) ? OCI_POLICY_GROUP : OCI_POLICY_DEVICE;
		oci_store_text(q, 1, n.name, sizeof n.name);
		n.generation = (uint64_t)sqlite3_column_int64(q, 2);
		label_of(label, &n);
		if (secret_unseal(s->file_key, label, rd_of(sqlite3_column_blob(q, 4), (size_t)sqlite3_column_bytes(q, 4)), &n.key) == OK)
			out = oci_network_new(n.policy, n.name, n.generation, (uint8_t)sqlite3_column_int(q, 3), n.key, (uint32_t)sqlite3_column_int64(q, 5));
		if (out)
			out->worn = sqlite3_column_int(q, 6);
	}
	sqlite3_reset(q);
	return out;
}
