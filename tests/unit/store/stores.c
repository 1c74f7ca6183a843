/* What the tests of the store share. */
#include "stores.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/keyway-store-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int folder_remove(void **state)
{
	char path[sizeof folder + 300];
	DIR *d = opendir(folder);
	const struct dirent *entry;

	(void)state;
	if (!d)
		return -1;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
			remove(path);
		}
	closedir(d);
	return rmdir(folder);
}

const char *file_in(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

void write_database(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

size_t read_file(const char *path, uint8_t **octets)
{
	FILE *f = fopen(path, "r");
	struct stat info;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &info), 0);
	*octets = malloc((size_t)info.st_size);
	assert_non_null(*octets);
	assert_int_equal(fread(*octets, 1, (size_t)info.st_size, f), (size_t)info.st_size);
	fclose(f);
	return (size_t)info.st_size;
}

static struct store *open_with(const struct store_options *o)
{
	struct store *s = NULL;
	const char *detail = "";

	if (store_open(o, &s, &detail) != OK)
		fail_msg("%s", detail);
	return s;
}

struct store *opened(const char *path)
{
	return open_with(&(struct store_options){.path = path});
}

struct store *opened_to_read(const char *path)
{
	return open_with(&(struct store_options){.path = path, .read_only = true});
}

const char *refusal(const char *path, bool check)
{
	struct store *s = NULL;
	const char *detail = NULL;

	assert_int_not_equal(store_open(&(struct store_options){.path = path, .check = check}, &s, &detail), OK);
	assert_null(s);
	assert_non_null(detail);
	return detail;
}

void assert_says(const char *sentence, const char *part)
{
	if (!strstr(sentence, part))
		fail_msg("\"%s\" does not say \"%s\"", sentence, part);
}

static int64_t insert(struct store *s, struct store_row row, const char *label)
{
	struct rd labels[1] = {rd_str(label ? label : "")};

	row.id = store_new_id(s);
	row.root = "m2m:any";
	row.creator = "CAdmin";
	row.body = rd_str("{}");
	assert_true(row.id > 0);
	assert_int_equal(store_insert(s, &row, labels, label ? 1 : 0), OK);
	return row.id;
}

int64_t put(struct store *s, int64_t parent, int type, const char *rn)
{
	return insert(s, (struct store_row){.parent = parent, .type = type, .rn = rn}, NULL);
}

int64_t put_labelled(struct store *s, int64_t parent, int type, const char *label)
{
	return insert(s, (struct store_row){.parent = parent, .type = type, .instance = type == 4}, label);
}

int64_t put_instance(struct store *s, int64_t parent, const char *rn)
{
	return insert(s, (struct store_row){.parent = parent, .type = 4, .instance = true, .rn = rn}, NULL);
}

void commit(struct store *s)
{
	if (store_commit(s) != OK)
		fail_msg("%s", store_detail(s));
	assert_false(store_dirty(s));
}

static void print_fault(void *ctx, const char *text)
{
	(void)ctx;
	print_error("%s\n", text);
}

void assert_sound(struct store *s)
{
	assert_int_equal(store_check(s, print_fault, NULL), OK);
}

bool see(void *ctx, const struct store_row *row)
{
	struct seen *seen = ctx;

	assert_true(seen->count < SEEN_MAX);
	seen->ids[seen->count++] = row->id;
	return seen->count != seen->most;
}

void assert_ids(const struct seen *seen, size_t count, ...)
{
	va_list args;

	assert_int_equal(seen->count, count);
	va_start(args, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(seen->ids[i], va_arg(args, int64_t));
	va_end(args);
}
