/* Where a CSE keeps its resources. Rows have integer keys; attributes are one JSON object as they are answered, so that a retrieval copies
 * octets. Writes of one round of the loop share a transaction: begin with the first, commit once, acknowledge then (group commit). */
#ifndef KEYWAY_STORE_STORE_H
#define KEYWAY_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"

#define STORE_NAME 128

struct store;

struct store_row {
	int64_t id;
	int64_t parent;            /* 0 for the CSEBase */
	int type;                  /* ty */
	char ri[STORE_NAME];       /* resourceID, unstructured */
	char rn[STORE_NAME];       /* resourceName */
	char root[STORE_NAME];     /* "m2m:cnt", "cod:binSh" */
	char creator[STORE_NAME];  /* SP-relative ID of who made it */
	struct rd body;            /* JSON object of all attributes; owned by the row, see store_row_clear */
};
void store_row_clear(struct store_row *row);

/* path ":memory:" keeps nothing. */
enum err store_open(const char *path, struct store **out) MUST_CHECK;
void store_close(struct store *s);

/* ERR_NOT_FOUND, ERR_STORE. The row is filled on OK only, and to be cleared. */
enum err store_by_id(struct store *s, int64_t id, struct store_row *row) MUST_CHECK;
enum err store_by_ri(struct store *s, const char *ri, struct store_row *row) MUST_CHECK;
enum err store_by_name(struct store *s, int64_t parent, const char *rn, struct store_row *row) MUST_CHECK;
/* The newest or oldest child of a type. */
enum err store_edge_child(struct store *s, int64_t parent, int type, bool newest, struct store_row *row) MUST_CHECK;

/* Children in the order of creation, of one type or of all (type 0). fn may not write; false from it ends. */
typedef bool store_each(void *ctx, const struct store_row *row);
enum err store_children(struct store *s, int64_t parent, int type, store_each *fn, void *ctx) MUST_CHECK;

/* Writes belong to the open transaction, which the first of them begins. insert fills row->id; ERR_EXISTS for a name or ri that is taken. */
enum err store_insert(struct store *s, struct store_row *row) MUST_CHECK;
enum err store_update(struct store *s, int64_t id, struct rd body) MUST_CHECK;
enum err store_delete(struct store *s, int64_t id) MUST_CHECK; /* with all descendants */
bool store_dirty(const struct store *s);                        /* a transaction is open */
enum err store_commit(struct store *s) MUST_CHECK;              /* on disk when OK */

uint64_t store_next_number(struct store *s); /* for resource IDs: unique in this store */
uint64_t store_count(struct store *s);

#endif
