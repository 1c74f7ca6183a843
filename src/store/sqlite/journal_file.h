/* How a store writes its journal (PATH-wal). SQLite writes each frame of it in two calls, 24 octets and a page; and a journal that grows costs each commit a
 * second wait for the disk, as its length must get there too. So between SQLite and its own file methods lies a layer that
 *
 * - gathers the frames of a transaction and writes them in one call, or one for each 127 KiB;
 * - lengthens the journal ahead, up to 1 MiB of zeros, which are no valid frames. Written over later, its length stays.
 *
 * What holds with SQLite's own methods holds with these:
 *
 * - A frame that completes a transaction is written, with all before it, within the call that brings it: an error is that call's, and SQLite gives the
 *   transaction up. So nothing that any connection is told of waits in memory, whether or not a flush follows (PRAGMA synchronous).
 * - Frames that wait are those of a transaction that is not complete. They are written before this connection reads, flushes or shortens the journal or
 *   writes elsewhere in it. When that fails, all that it does with the journal fails from then on until the transaction has ended: it may be
 *   that SQLite undoes one statement alone, and has been told that the frames of others are written.
 * - When SQLite gives up its lock on writing, what still waits was undone, and is forgotten: the place is another's from then on.
 * - Zeros are written within that lock, when a transaction has been flushed, behind it and the end of the file: they replace nothing of anybody's.
 *   Failing to lengthen is no error: the frames that would need the room say so.
 *
 * All other files, and all else that SQLite does with these, go straight to the default methods. Nothing of it shows in the file: any program that
 * uses SQLite may read and write the store beside us. */
#ifndef KEYWAY_STORE_SQLITE_JOURNAL_FILE_H
#define KEYWAY_STORE_SQLITE_JOURNAL_FILE_H

#include <sqlite3.h>
#include <stdint.h>

/* Once in a process, before the first connection: makes the layer over the methods that are the default then. Its name for sqlite3_open_v2; NULL (the
 * default methods) when there is no memory for it. */
const char *journal_file_register(void);

/* The journal of a connection made through the layer is lengthened up to so many octets. 0, as at first: not at all. */
void journal_file_lengthen_to(sqlite3 *db, int64_t octets);

#endif
