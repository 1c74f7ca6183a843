/* INI configuration (inih): every key that a program knows is in a table; unknown sections, unknown keys and bad values are errors that
 * name file and line. See docs/configuration.md. */
#ifndef KEYWAY_LOOP_CONFIG_H
#define KEYWAY_LOOP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum config_type { CONFIG_STRING, CONFIG_BOOL, CONFIG_UINT, CONFIG_EUI64 };

struct config_key {
	const char *section, *name;
	enum config_type type;
	void *value; /* char ** (heap copy; free with config_free), bool *, uint64_t *, uint64_t * */
	bool required;
	const char *help;
};

/* keys ends with an entry whose section is NULL. Strings keep their default (NULL or a heap copy) when absent.
 * On an error one line for a person is in message: "plant/mef.ini:12: unknown key `lisen` in [mmef]; did you mean `listen`?" */
enum err config_read(const char *path, const struct config_key *keys, char *message, size_t size) MUST_CHECK;
void config_free(const struct config_key *keys);

#endif
