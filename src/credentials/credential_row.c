/* One credential: its kind, its end, its row. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "credentials/private.h"

/* ---- kinds ---- */

static const struct {
	const char *name;
	enum credential_kind kind;
} kinds[] = { /* the first name of a kind is the one that is printed */
	{"kpm", KIND_KPM},
	{"km", KIND_KM},
	{"kpsa", KIND_KPSA},
	{"kc", KIND_KPSA},
	{"esprim", KIND_ESPRIM},
	{"esdata", KIND_ESDATA},
	{"esdata-wrap", KIND_ESDATA_WRAP},
	{"esdata-hmac", KIND_ESDATA_HMAC},
	{"ke", KIND_KE},
	{"store-key", KIND_STORE_KEY},
	{"password", KIND_PASSWORD},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

bool credential_kind_parse(struct rd text, enum credential_kind *kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (rd_is(text, kinds[i].name)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

enum credential_kind credential_kind_of(enum suid suid)
{
	switch (suid_usage(suid)) {
	case SUID_USAGE_MAF:
		return KIND_KM;
	case SUID_USAGE_ESPRIM:
		return KIND_ESPRIM;
	case SUID_USAGE_ESDATA_ENC:
		return KIND_ESDATA;
	case SUID_USAGE_ESDATA_SIG:
		return KIND_ESDATA_HMAC;
	case SUID_USAGE_NONE:
	case SUID_USAGE_MEF:
	case SUID_USAGE_SAEF:
		break;
	}
	return KIND_KPSA;
}

const char *credential_kind_name(enum credential_kind kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

bool credential_expired(const struct credential *c, uint64_t now_s)
{
	return c->expires_at <= now_s;
}

void credential_clear(struct credential *c)
{
	secret_free(c->key);
	c->key = NULL;
}

/* ---- rows ---- */

/* Newlines can't be in any of the parts (is_plain), so that no two rows have the same label. */
void credential_label(const struct credential *c, char label[static CREDENTIALS_LABEL_MAX])
{
	char identity[CREDENTIAL_IDENTITY_MAX];

	for (size_t i = 0; i < sizeof identity; i++) /* as it compares: without case */
		identity[i] = c->identity[i] >= 'A' && c->identity[i] <= 'Z' ? (char)(c->identity[i] - 'A' + 'a') : c->identity[i];
	snprintf(label, CREDENTIALS_LABEL_MAX, "credential:\n%s\n%d\n%u\n%s\n%s\n%" PRIu64, identity, (int)c->kind, c->suid, c->entity, c->peer, c->expires_at);
}

bool credentials_column(sqlite3_stmt *s, int n, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, n);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, n)), dst, size);
}

bool credential_row(sqlite3_stmt *s, struct credential *c, struct rd *sealed)
{
	memset(c, 0, sizeof *c);
	c->kind = (enum credential_kind)sqlite3_column_int(s, 1);
	c->suid = (unsigned)sqlite3_column_int(s, 2);
	c->expires_at = (uint64_t)sqlite3_column_int64(s, 5);
	c->expires_at = c->expires_at == INT64_MAX ? UINT64_MAX : c->expires_at;
	c->added_at = (uint64_t)sqlite3_column_int64(s, 6);
	*sealed = rd_of(sqlite3_column_blob(s, 7), (size_t)sqlite3_column_bytes(s, 7));
	return credentials_column(s, 0, c->identity, sizeof c->identity) && credentials_column(s, 3, c->entity, sizeof c->entity) && credentials_column(s, 4, c->peer, sizeof c->peer);
}
