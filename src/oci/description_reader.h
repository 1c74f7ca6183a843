/* What the files that read descriptions share. Whatever is not understood is an error that names file and member: a typing error must not become a device
 * that is silent. Each function that is bool says false when it has told of an error. */
#ifndef KEYWAY_OCI_DESCRIPTION_READER_H
#define KEYWAY_OCI_DESCRIPTION_READER_H

#include "oci/description_private.h"

#define PATH_MAX_TEXT 200

struct reader {
	struct descriptions *all;
	const char *file;
	char *why;
	size_t why_size;
	char path[PATH_MAX_TEXT]; /* "modules[3].points[0]" */
	enum err e;
	struct module **module_place; /* where the next of this file goes */
	struct model **model_place;
	struct device_class **class_place;
};

struct word {
	const char *name;
	int value;
};
#define WORDS(list) list, sizeof list / sizeof list[0]

/* description_member.c */
bool reader_fail(struct reader *r, enum err e, const char *member, const char *fmt, ...) PRINTF_LIKE(4, 5); /* false */
#define WRONG(r, member, ...) reader_fail(r, ERR_BAD_VALUE, member, __VA_ARGS__)
size_t reader_enter(struct reader *r, const char *name, size_t index); /* a member of the path; gives what reader_leave takes */
void reader_leave(struct reader *r, size_t len);
bool reader_knows(struct reader *r, const struct json *object, const char *names); /* every member is one of these, which are separated by spaces */
/* A member that is not there and not required leaves what is in its place. */
bool reader_u16(struct reader *r, const struct json *object, const char *name, bool required, uint16_t *n);
bool reader_u8(struct reader *r, const struct json *object, const char *name, uint8_t most, bool required, uint8_t *n);
bool reader_double(struct reader *r, const struct json *object, const char *name, double *d);
bool reader_bool(struct reader *r, const struct json *object, const char *name, bool *b);
bool reader_name(struct reader *r, const struct json *object, const char *name, const char *others, bool required, char *text, size_t size);
bool reader_u16s(struct reader *r, const struct json *object, const char *name, uint16_t *list, size_t most, size_t *count);
bool reader_word(struct reader *r, const struct json *object, const char *name, const struct word *words, size_t count, int *value);
bool reader_type(struct reader *r, const struct json *object, uint8_t *type); /* a ZCL data type */
bool word_find(const struct word *words, size_t count, struct rd text, int *value);
bool scalar_print(const struct json *v, char *text, size_t size); /* of a JSON value that a member can have: true, 2, -1.5 */

/* description_point.c */
bool points_read(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, const struct point *common, struct module *m);
bool actions_read(struct reader *r, const struct json *object, uint16_t cluster, uint16_t manufacturer, struct module *m);

#endif
