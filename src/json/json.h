/* JSON (RFC 8259): a strict reader into an arena, and a writer. Numbers keep their text, so that integers stay integers of any size.
 *
 *	struct json_arena *a = json_arena_new();
 *	const struct json *doc;
 *	if ((e = json_parse(a, body, &where, &doc)) == OK)
 *		doc = json_path(doc, "m2m:cin.con");
 *	json_arena_free(a);
 *
 * A tree lives as long as its arena and the text that it was parsed from (strings without escapes are borrowed). */
#ifndef KEYWAY_JSON_JSON_H
#define KEYWAY_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

/* jansson, which the JOSE library brings into some programs, has functions of these names too: ours get others at link time. */
#define json_string keyway_json_string
#define json_equal keyway_json_equal
#define json_object keyway_json_object
#define json_array keyway_json_array

#define JSON_DEPTH_MAX 32     /* nesting of any oneM2M primitive stays far below; bounds the recursion */
#define JSON_MEMBERS_MAX 1024 /* of one object: each name is compared with all before it, which a long list would make slow */

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	struct rd text;             /* JSON_NUMBER: as written; JSON_STRING: the value in UTF-8, escapes resolved */
	struct rd key;              /* when this is a member of an object */
	const struct json *next;    /* next element or member */
	const struct json *first;   /* first element or member */
	size_t count;               /* of elements or members */
	struct rd source;           /* the octets that this value was parsed from */
};

struct json_arena;
struct json_arena *json_arena_new(void); /* NULL without memory */
/* With just the memory that the tree of this text takes, in one piece: for trees that stay. */
struct json_arena *json_arena_for(struct rd text);
size_t json_arena_octets(const struct json_arena *a); /* all that it holds; accepts NULL */
void json_arena_reset(struct json_arena *a);
void json_arena_free(struct json_arena *a);
void *json_arena_alloc(struct json_arena *a, size_t size); /* aligned, zeroed; NULL without memory */

/* One value and nothing behind it. ERR_MALFORMED (also: duplicate names in an object, invalid UTF-8, a lone surrogate),
 * ERR_TOO_LONG (depth, members), ERR_NO_MEMORY. `where`, if given, gets the offset of the error. */
enum err json_parse(struct json_arena *a, struct rd text, size_t *where, const struct json **doc) MUST_CHECK;

/* Looking around: all accept NULL and then answer NULL or false. */
const struct json *json_member(const struct json *object, struct rd name);
static inline const struct json *json_get(const struct json *object, const char *name)
{
	return json_member(object, rd_str(name));
}
const struct json *json_path(const struct json *doc, const char *path); /* names joined by '.' */
const struct json *json_at(const struct json *array, size_t index);
bool json_is_string(const struct json *v, const char *text);
bool json_string(const struct json *v, struct rd *text) MUST_CHECK;
bool json_text(const struct json *v, char *dst, size_t size) MUST_CHECK; /* a string, zero-terminated */
bool json_int(const struct json *v, int64_t *n) MUST_CHECK;              /* an integer in range, written without fraction or exponent */
bool json_uint(const struct json *v, uint64_t *n) MUST_CHECK;
bool json_double(const struct json *v, double *d) MUST_CHECK;
bool json_bool(const struct json *v, bool *b) MUST_CHECK;
unsigned json_depth(const struct json *v); /* levels of nesting: 0 for a string, 1 for {} */
bool json_equal(const struct json *a, const struct json *b); /* numbers by value, objects in any order */

/* Writing: commas are put in by themselves.
 *
 *	struct json_out o = json_out(&w);
 *	json_object(&o, NULL);
 *	json_put_string(&o, "rn", "cin1");
 *	json_close(&o);
 *
 * `name` is NULL inside arrays and at the top. What does not fit spoils the writer. */
struct json_out {
	struct wr *w;
	unsigned depth;
	bool comma;
	char closers[JSON_DEPTH_MAX];
};
struct json_out json_out(struct wr *w);
void json_object(struct json_out *o, const char *name);
void json_array(struct json_out *o, const char *name);
void json_close(struct json_out *o);
void json_put_string(struct json_out *o, const char *name, const char *text);
void json_put_rd(struct json_out *o, const char *name, struct rd text); /* a string of these octets; what is no UTF-8 becomes U+FFFD */
void json_put_int(struct json_out *o, const char *name, int64_t n);
void json_put_uint(struct json_out *o, const char *name, uint64_t n);
void json_put_double(struct json_out *o, const char *name, double d); /* fewest digits that read back; null for NaN and infinities */
void json_put_bool(struct json_out *o, const char *name, bool b);
void json_put_null(struct json_out *o, const char *name);
void json_put_raw(struct json_out *o, const char *name, struct rd json); /* octets that are JSON already */
void json_put(struct json_out *o, const char *name, const struct json *v); /* a parsed value */
void json_put_base64(struct json_out *o, const char *name, struct rd octets);

#endif
