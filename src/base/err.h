/* The reasons for which anything in Keyway fails. One list, so that a log line, a status code and a test
 * name the same thing. Bindings map these to their protocol's status in one table each. */
#ifndef KEYWAY_BASE_ERR_H
#define KEYWAY_BASE_ERR_H

#include "base/attr.h"

#define ERR_LIST(X)                                                        \
	X(OK, "ok")                                                        \
	X(ERR_SHORT, "message ends too early")                             \
	X(ERR_MALFORMED, "message is malformed")                           \
	X(ERR_TOO_LONG, "does not fit")                                    \
	X(ERR_UNSUPPORTED, "not supported")                                \
	X(ERR_VERSION, "unsupported version")                              \
	X(ERR_BAD_CRC, "checksum is wrong")                                \
	X(ERR_BAD_MIC, "integrity code is wrong")                          \
	X(ERR_REPLAY, "frame counter was seen before")                     \
	X(ERR_COUNTER_EXHAUSTED, "frame counter is exhausted")             \
	X(ERR_DUPLICATE, "duplicate")                                      \
	X(ERR_UNKNOWN_DEVICE, "unknown device")                            \
	X(ERR_UNKNOWN_KEY, "unknown key")                                  \
	X(ERR_NOT_PERMITTED, "not permitted")                              \
	X(ERR_NOT_AUTHORISED, "not authorised")                            \
	X(ERR_RATE_LIMITED, "rate limited")                                \
	X(ERR_NOT_FOUND, "not found")                                      \
	X(ERR_EXISTS, "exists already")                                    \
	X(ERR_BAD_VALUE, "value is out of range")                          \
	X(ERR_STATE, "not possible in this state")                         \
	X(ERR_NOT_READY, "not ready")                                      \
	X(ERR_TIMEOUT, "timed out")                                        \
	X(ERR_UNREACHABLE, "peer is not reachable")                        \
	X(ERR_CLOSED, "connection closed")                                 \
	X(ERR_TLS, "TLS failed")                                           \
	X(ERR_IO, "input or output failed")                                \
	X(ERR_STORE, "store failed")                                       \
	X(ERR_FULL, "no room left")                                        \
	X(ERR_NO_MEMORY, "out of memory")                                  \
	X(ERR_CONFIG, "configuration is wrong")                            \
	X(ERR_CRYPTO, "cryptographic library failed")                      \
	X(ERR_INTERNAL, "internal error")

#define ERR_ENUM(name, text) name,
enum err { ERR_LIST(ERR_ENUM) };
#undef ERR_ENUM

/* The sentence for a log or a person; never NULL. */
const char *err_text(enum err e);
/* The name as a stable token, such as "ERR_REPLAY"; never NULL. */
const char *err_name(enum err e);

#endif
