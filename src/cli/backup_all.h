/* The whole state of a program in a folder, and back. */
#ifndef KEYWAY_CLI_BACKUP_ALL_H
#define KEYWAY_CLI_BACKUP_ALL_H

#include <stdbool.h>

/* Copies what is in the state directory, whose program may go on, to a folder that does not exist; says what is wrong. CLI_OK or CLI_FAILED. */
int backup_all(const char *state, const char *folder, bool with_keys, bool json);
/* Puts such a folder into a state directory that is empty, or not there. */
int restore_all(const char *folder, const char *state, bool json);

#endif
