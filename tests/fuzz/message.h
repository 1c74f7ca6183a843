/* An HTTP message that a fuzz target makes of its input, without HTTP: a first line, headers up to an empty line, and a body up to a line "---". */
#ifndef KEYWAY_TESTS_FUZZ_MESSAGE_H
#define KEYWAY_TESTS_FUZZ_MESSAGE_H

#include "base/rd.h"
#include "fuzz.h"

#define MESSAGE_HEADERS 16

struct message {
	char *first; /* line */
	char *names[MESSAGE_HEADERS], *values[MESSAGE_HEADERS];
	size_t count;
	struct rd body; /* borrowed from the input */
};

/* Takes one message off the input. */
void message_of(struct rd *in, struct message *m);
void message_clear(struct message *m);
const char *message_header(const struct message *m, const char *name); /* NULL when absent */

#endif
