/* File methods below those of the store, over SQLite's own: they count calls, the n-th write or flush fails, and flushing does not wait for the disk.
 * Each test program has them as the default from its main on, before the first store is opened. */
#ifndef KEYWAY_TESTS_FAILING_FILES_H
#define KEYWAY_TESTS_FAILING_FILES_H

#include <stdbool.h>
#include <stddef.h>

void failing_files_install(void);

/* The call after `calls` more of them fails, once, with this result of SQLite; below 0: none does. A failing write writes half of its octets before. */
void failing_files_fail(int calls, int result);
bool failing_files_failed(void); /* since then */

/* Of the journal, since the last time. */
struct journal_calls {
	size_t writes, flushes, sizes;
	size_t zeros; /* of the writes: of nothing else */
};
struct journal_calls failing_files_calls(void);

#endif
