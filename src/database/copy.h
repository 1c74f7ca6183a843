/* A copy of a database that another process may have open, as of one moment. */
#ifndef KEYWAY_DATABASE_COPY_H
#define KEYWAY_DATABASE_COPY_H

#include "base/attr.h"
#include "base/err.h"

/* `to` must not exist; it is one file of mode 0600, checked, and on disk. On failure nothing of it is left, and *detail (static, or SQLite's) says why.
 * ERR_STORE, ERR_FULL. */
enum err database_copy(const char *from, const char *to, const char **detail) MUST_CHECK;
/* Whether the file is a whole database. */
enum err database_check(const char *path, const char **detail) MUST_CHECK;

#endif
