/* What the tests of the store share: a fresh folder for each test, rows in few words, readings as lists. */
#ifndef KEYWAY_TESTS_STORES_H
#define KEYWAY_TESTS_STORES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store.h"

int folder_make(void **state);   /* setup */
int folder_remove(void **state); /* teardown */
const char *file_in(const char *name); /* a path in the folder; four are valid at a time */
void write_database(const char *path, const char *sql);
size_t read_file(const char *path, uint8_t **octets); /* the caller frees them */
void assert_says(const char *sentence, const char *part);

struct store *opened(const char *path);
struct store *opened_to_read(const char *path);
/* The sentence of an opening that fails. */
const char *refusal(const char *path, bool check);

/* A new resource or instance; asserts that it goes. rn may be NULL. */
int64_t put(struct store *s, int64_t parent, int type, const char *rn);
int64_t put_labelled(struct store *s, int64_t parent, int type, const char *label);
int64_t put_instance(struct store *s, int64_t parent, const char *rn);
void commit(struct store *s);
/* Fails the test when store_check has anything to say. */
void assert_sound(struct store *s);

/* ids of a reading, in its order */
#define SEEN_MAX 256
struct seen {
	int64_t ids[SEEN_MAX];
	size_t count;
	size_t most; /* 0: all */
};
bool see(void *ctx, const struct store_row *row);
/* assert_ids(&seen, 3, a, b, c) */
void assert_ids(const struct seen *seen, size_t count, ...);

#endif
