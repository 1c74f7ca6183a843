/* `keyway credentials list`: of one store, or of everything that has keys. */
#ifndef KEYWAY_CLI_CREDENTIALS_LIST_H
#define KEYWAY_CLI_CREDENTIALS_LIST_H

#include "base/wr.h"
#include "cli/credentials_place.h"
#include "json/json.h"

struct credentials_listing {
	bool json;
	uint64_t until_s; /* only what ends before; UINT64_MAX: all */
	/* of the listing itself */
	bool several;     /* stores: each row names its own */
	const char *program, *path;
	const char *kind, *peer; /* of what is no row of a store: in the place of its own; NULL */
	struct wr room;
	struct json_out out;
	uint64_t now_s;
	unsigned rows;
};

int credentials_list(struct credentials_listing *l, struct credentials_place *p);
/* Every store that the configurations of the plant name, then `more`: state directories or stores. */
int credentials_list_all(struct credentials_listing *l, const char *plant, char **more, size_t count);

/* ---- between the two files ---- */
void credentials_list_begin(struct credentials_listing *l);
void credentials_list_row(void *listing, const struct credential *c);
/* The rows of a store without its keys. */
int credentials_list_store(struct credentials_listing *l, struct credentials *s, const char *path);
/* Ends what was begun; prints it when r is CLI_OK. r, or what went wrong then. */
int credentials_list_end(struct credentials_listing *l, int r);

#endif
