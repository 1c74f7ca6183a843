/* Regular expressions of XPath, without back references: a set of places in the expression is moved over the text, so that the time is the product
 * of both lengths whatever they are. What queries call is regex_match (sparql.h). */
#ifndef KEYWAY_SEMANTICS_REGEX_H
#define KEYWAY_SEMANTICS_REGEX_H

#include "base/rd.h"

#define REGEX_PATTERN 512 /* octets of an expression */
#define REGEX_STEPS 2000
#define REGEX_RANGES 400

enum regex_op { REGEX_CHAR, REGEX_ANY, REGEX_SET, REGEX_BEGIN, REGEX_END, REGEX_SPLIT, REGEX_JUMP, REGEX_MATCH };
struct regex_step {
	enum regex_op op;
	uint32_t c;          /* of CHAR; of SET the first range */
	unsigned count;      /* of SET: ranges; */
	bool negated;
	unsigned a, b;       /* of SPLIT: the first goes before; of JUMP a */
};
struct regex_range {
	uint32_t from, to;
};
struct regex {
	struct regex_step steps[REGEX_STEPS];
	unsigned count;
	struct regex_range ranges[REGEX_RANGES];
	unsigned range_count;
	struct rd in;
	unsigned depth;
	bool fold, bad;
};

/* regex_compile.c: p is all zeroes. False: it is no expression, or one of those that are not taken here; p->count says how much work it was either way. */
bool regex_compile(struct regex *p, struct rd pattern, bool fold) MUST_CHECK;
uint32_t regex_character(struct rd *r); /* takes one; of UTF-8 that is none, an octet. There must be something left */
uint32_t regex_folded(uint32_t c);      /* ASCII, without case */

#endif
