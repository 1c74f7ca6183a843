/* Compiler attributes that the whole tree uses. */
#ifndef KEYWAY_BASE_ATTR_H
#define KEYWAY_BASE_ATTR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
