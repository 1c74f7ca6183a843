/* Bodies of CREATE and UPDATE with what must be said of them. */
#ifndef KEYWAY_TESTS_SCHEMA_CASES_H
#define KEYWAY_TESTS_SCHEMA_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct schema_case {
	const char *root; /* or "28" and the like: a type by number */
	bool create;
	const char *body;
	const char *fault; /* NULL: accepted; otherwise the whole fault text */
};
extern const struct schema_case schema_cases[];
extern const size_t schema_case_count;

#endif
