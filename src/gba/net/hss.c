/* The HSS's store. */
#include "gba/net/hss.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/database.h"
#include "keys/sealed.h"

#define LABEL_MAX 64
#define SEALED_MAX SEALED_SIZE(SECRET_MAX)
#define GUSS_MAX 16384
#define RECENT_SIZE ((size_t)AUC_RECENT * AKA_RAND)

struct hss {
	sqlite3 *db;
	const struct secret *store_key;
	struct rng *rng;
	uint64_t minute; /* of the refusals that were told */
	unsigned told;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS subscribers (imsi TEXT PRIMARY KEY, impi TEXT NOT NULL UNIQUE, k BLOB NOT NULL, opc BLOB NOT NULL,"
    " amf INTEGER NOT NULL, sqn INTEGER NOT NULL, turn INTEGER NOT NULL, recent BLOB NOT NULL, guss TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS nobody (id INTEGER PRIMARY KEY CHECK (id = 1), asked INTEGER NOT NULL, recent BLOB NOT NULL);"
    "INSERT OR IGNORE INTO nobody VALUES (1, 0, x'');";
#define COLUMNS "imsi, impi, k, opc, amf, sqn, turn, recent, guss"

void hss_close(struct hss *h)
{
	if (!h)
		return;
	sqlite3_close(h->db);
	free(h);
}

/* ---- statements ---- */

/* kinds: one letter a value: i int64_t, s const char *, b struct rd (by pointer). */
static sqlite3_stmt *query(struct hss *h, const char *sql, const char *kinds, ...)
{
	const struct rd *blob;
	sqlite3_stmt *s;
	va_list args;
	int n = 1;

	if (sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) != SQLITE_OK)
		return NULL;
	va_start(args, kinds);
	for (; *kinds; kinds++, n++) {
		if (*kinds == 'i') {
			sqlite3_bind_int64(s, n, va_arg(args, int64_t));
		} else if (*kinds == 's') {
			sqlite3_bind_text(s, n, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else {
			blob = va_arg(args, const struct rd *);
			sqlite3_bind_blob(s, n, blob->at, (int)blob->left, SQLITE_TRANSIENT);
		}
	}
	va_end(args);
	return s;
}

/* Steps a statement that gives no row, and frees it. ERR_NOT_FOUND: it changed nothing. */
static enum err finish(struct hss *h, sqlite3_stmt *s)
{
	int result = s ? sqlite3_step(s) : SQLITE_ERROR;

	sqlite3_finalize(s);
	if (result == SQLITE_CONSTRAINT || (result & 0xff) == SQLITE_CONSTRAINT)
		return ERR_EXISTS;
	if (result != SQLITE_DONE)
		return ERR_STORE;
	return sqlite3_changes(h->db) > 0 ? OK : ERR_NOT_FOUND;
}

static struct rd column_rd(sqlite3_stmt *s, int n)
{
	const void *octets = sqlite3_column_blob(s, n);

	return rd_of(octets ? octets : "", octets ? (size_t)sqlite3_column_bytes(s, n) : 0);
}

/* ---- a row ---- */

static enum err guss_of(struct rd text, struct guss *g)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	enum err e = ERR_NO_MEMORY;

	if (arena)
		e = json_parse(arena, text, NULL, &doc) == OK && guss_read(doc, g) == OK ? OK : ERR_STORE;
	json_arena_free(arena);
	return e;
}

static enum err public_row(sqlite3_stmt *s, struct hss_subscriber *out)
{
	if (!rd_text(column_rd(s, 0), out->imsi, sizeof out->imsi) || !rd_text(column_rd(s, 1), out->impi, sizeof out->impi))
		return ERR_STORE;
	out->amf = (uint16_t)sqlite3_column_int(s, 4);
	out->sqn = (uint64_t)sqlite3_column_int64(s, 5);
	return guss_of(column_rd(s, 8), &out->guss);
}

static void label_of(char label[static LABEL_MAX], const char *imsi, const char *kind)
{
	snprintf(label, LABEL_MAX, "subscribers:%s:%s", imsi, kind);
}

static enum err secret_row(struct hss *h, sqlite3_stmt *s, const char *imsi, struct auc_subscriber *a)
{
	char label[LABEL_MAX];
	struct rd recent = column_rd(s, 7);
	enum err e;

	memset(a, 0, sizeof *a);
	a->amf = (uint16_t)sqlite3_column_int(s, 4);
	a->sqn = (uint64_t)sqlite3_column_int64(s, 5);
	a->turn = (uint32_t)sqlite3_column_int64(s, 6);
	if (a->sqn > SQN_MAX || !rd_copy(&recent, a->recent, RECENT_SIZE) || !rd_end(&recent))
		return ERR_STORE;
	label_of(label, imsi, "k");
	e = secret_unseal(h->store_key, label, column_rd(s, 2), &a->k);
	label_of(label, imsi, "opc");
	if (e == OK)
		e = secret_unseal(h->store_key, label, column_rd(s, 3), &a->opc);
	if (e == OK && (secret_len(a->k) != SECRET_AES128 || secret_len(a->opc) != SECRET_AES128))
		e = ERR_STORE;
	if (e != OK)
		auc_subscriber_clear(a);
	return e;
}

/* Either may be NULL. */
static enum err find(struct hss *h, const char *name, struct hss_subscriber *out, struct auc_subscriber *a)
{
	sqlite3_stmt *s = query(h, "SELECT " COLUMNS " FROM subscribers WHERE imsi=?1 OR impi=?1", "s", name);
	int result = s ? sqlite3_step(s) : SQLITE_ERROR;
	struct hss_subscriber row;
	enum err e;

	e = result == SQLITE_ROW ? public_row(s, &row) : result == SQLITE_DONE ? ERR_NOT_FOUND
									       : ERR_STORE;
	if (e == OK && a)
		e = secret_row(h, s, row.imsi, a);
	sqlite3_finalize(s);
	if (e == OK && out)
		*out = row;
	return e;
}

enum err hss_find(struct hss *h, const char *name, struct hss_subscriber *s)
{
	return find(h, name, s, NULL);
}

/* Opens the first row's keys: that the key is the right one is to be known at the start. */
static enum err try_key(struct hss *h)
{
	sqlite3_stmt *s = query(h, "SELECT imsi FROM subscribers LIMIT 1", "");
	int result = s ? sqlite3_step(s) : SQLITE_ERROR;
	struct auc_subscriber a = {.sqn = 0};
	char imsi[IMSI_SIZE];
	enum err e = result == SQLITE_ROW || result == SQLITE_DONE ? OK : ERR_STORE;

	if (result == SQLITE_ROW)
		e = rd_text(column_rd(s, 0), imsi, sizeof imsi) ? find(h, imsi, NULL, &a) : ERR_STORE;
	sqlite3_finalize(s);
	auc_subscriber_clear(&a);
	return e;
}

enum err hss_open(const char *path, const struct secret *store_key, struct rng *rng, struct hss **out, const char **detail)
{
	struct hss *h = calloc(1, sizeof *h);
	enum err e;

	if (!h)
		return ERR_NO_MEMORY;
	h->store_key = store_key;
	h->rng = rng;
	e = database_open(path, schema, &h->db, detail);
	if (e == OK)
		e = try_key(h);
	if (e == ERR_BAD_MIC)
		*detail = "it was sealed under another key";
	if (e == OK)
		*out = h;
	else
		hss_close(h);
	return e;
}

/* ---- vectors ---- */

static enum err store_counters(struct hss *h, const char *imsi, const struct auc_subscriber *a)
{
	const struct rd recent = rd_of(a->recent, RECENT_SIZE);

	return finish(h, query(h, "UPDATE subscribers SET sqn=?, turn=?, recent=? WHERE imsi=?", "iibs", (int64_t)a->sqn, (int64_t)a->turn, &recent, imsi));
}

/* Whoever asks for a subscriber that does not exist waits as long as for one that does: a vector under a random key, and a write to the disk. */
static enum err vector_of_nobody(struct hss *h)
{
	struct auc_subscriber a = {.k = secret_random(h->rng, SECRET_AES128), .opc = secret_random(h->rng, SECRET_AES128)};
	struct rd recent = rd_of(a.recent, RECENT_SIZE);
	struct aka_vector v;

	if (a.k && a.opc && auc_vector(&a, h->rng, &v) == OK)
		aka_vector_clear(&v);
	auc_subscriber_clear(&a);
	return finish(h, query(h, "UPDATE nobody SET asked=asked+1, recent=?", "b", &recent));
}

enum err hss_vector(struct hss *h, const char *name, struct aka_vector *v, struct guss *g)
{
	struct auc_subscriber a;
	struct hss_subscriber s;
	struct aka_vector made;
	enum err e = find(h, name, &s, &a);

	if (e == ERR_NOT_FOUND && vector_of_nobody(h) != OK)
		e = ERR_STORE; /* as for one that does */
	if (e != OK)
		return e;
	e = auc_vector(&a, h->rng, &made);
	if (e == OK && (e = store_counters(h, s.imsi, &a)) != OK)
		aka_vector_clear(&made);
	auc_subscriber_clear(&a);
	if (e != OK)
		return e;
	*v = made;
	*g = s.guss;
	return OK;
}

enum err hss_resynchronise(struct hss *h, const char *name, const uint8_t rand[static AKA_RAND], const uint8_t auts[static AKA_AUTS])
{
	struct auc_subscriber a;
	struct hss_subscriber s;
	enum err e = find(h, name, &s, &a);

	if (e != OK)
		return e;
	e = auc_resynchronise(&a, rand, auts);
	if (e == OK)
		e = store_counters(h, s.imsi, &a);
	auc_subscriber_clear(&a);
	return e;
}

enum err hss_triplets(struct hss *h, const char *name, struct sim_triplet *t, size_t count)
{
	struct auc_subscriber a;
	enum err e = find(h, name, NULL, &a);
	size_t made = 0;

	if (e != OK)
		return e;
	while (e == OK && made < count) {
		e = auc_triplet(&a, h->rng, &t[made]);
		made += e == OK;
	}
	while (e != OK && made > 0)
		sim_triplet_clear(&t[--made]);
	auc_subscriber_clear(&a);
	return e;
}

/* ---- subscribers ---- */

static enum err seal(struct hss *h, const char *imsi, const char *kind, const struct secret *s, struct wr *w, struct rd *sealed)
{
	char label[LABEL_MAX];
	enum err e;

	label_of(label, imsi, kind);
	e = secret_seal(h->store_key, label, s, h->rng, w);
	return e == OK && !wr_done(w, sealed) ? ERR_TOO_LONG : e;
}

static bool guss_text(const struct guss *g, char *text, size_t size)
{
	struct wr w = wr_of(text, size);
	struct json_out o = json_out(&w);
	struct rd done;

	guss_write(&o, NULL, g);
	wr_u8(&w, '\0');
	return wr_done(&w, &done);
}

enum err hss_add(struct hss *h, const struct hss_subscriber *s, const struct secret *k, const struct secret *opc)
{
	static const uint8_t never[RECENT_SIZE];
	const struct rd recent = rd_of(never, RECENT_SIZE);
	uint8_t k_octets[SEALED_MAX], opc_octets[SEALED_MAX];
	struct wr k_out = wr_of(k_octets, sizeof k_octets), opc_out = wr_of(opc_octets, sizeof opc_octets);
	struct rd k_sealed, opc_sealed;
	char guss[GUSS_MAX];
	enum err e;

	if (!imsi_is_good(rd_str(s->imsi)) || s->impi[0] == '\0' || s->sqn > SQN_MAX || secret_len(k) != SECRET_AES128 ||
	    secret_len(opc) != SECRET_AES128 || !guss_text(&s->guss, guss, sizeof guss))
		return ERR_BAD_VALUE;
	/* One's IMSI must not be another's IMPI. */
	if (find(h, s->imsi, NULL, NULL) != ERR_NOT_FOUND || find(h, s->impi, NULL, NULL) != ERR_NOT_FOUND)
		return ERR_EXISTS;
	if ((e = seal(h, s->imsi, "k", k, &k_out, &k_sealed)) != OK || (e = seal(h, s->imsi, "opc", opc, &opc_out, &opc_sealed)) != OK)
		return e;
	return finish(h, query(h, "INSERT INTO subscribers (" COLUMNS ") VALUES (?,?,?,?,?,?,0,?,?)", "ssbbiibs", s->imsi, s->impi, &k_sealed, &opc_sealed,
			     (int64_t)s->amf, (int64_t)s->sqn, &recent, guss));
}

enum err hss_remove(struct hss *h, const char *name)
{
	return finish(h, query(h, "DELETE FROM subscribers WHERE imsi=?1 OR impi=?1", "s", name));
}

enum err hss_set_guss(struct hss *h, const char *name, const struct guss *g)
{
	char text[GUSS_MAX];

	if (!guss_text(g, text, sizeof text))
		return ERR_TOO_LONG;
	return finish(h, query(h, "UPDATE subscribers SET guss=?2 WHERE imsi=?1 OR impi=?1", "ss", name, text));
}

enum err hss_each(struct hss *h, bool (*fn)(void *ctx, const struct hss_subscriber *s), void *ctx)
{
	sqlite3_stmt *s = query(h, "SELECT " COLUMNS " FROM subscribers ORDER BY imsi", "");
	int result = SQLITE_ERROR;
	struct hss_subscriber row;
	enum err e = s ? OK : ERR_STORE;

	while (e == OK && (result = sqlite3_step(s)) == SQLITE_ROW) {
		e = public_row(s, &row);
		if (e == OK && !fn(ctx, &row)) {
			result = SQLITE_DONE;
			break;
		}
	}
	sqlite3_finalize(s);
	return e == OK && result != SQLITE_DONE ? ERR_STORE : e;
}

uint64_t hss_count(struct hss *h)
{
	sqlite3_stmt *s = query(h, "SELECT count(*) FROM subscribers", "");
	uint64_t n = s && sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;

	sqlite3_finalize(s);
	return n;
}

bool hss_tells(struct hss *h, uint64_t now_ms)
{
	if (h->minute != now_ms / 60000) {
		h->minute = now_ms / 60000;
		h->told = 0;
	}
	return h->told++ < HSS_REFUSALS_A_MINUTE;
}
