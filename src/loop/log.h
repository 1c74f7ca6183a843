/* Log lines of servers, on standard error:
 *
 *	2026-11-21T04:11:00.123Z info  keyway-mef device registered device=00124b0001020304 owner=/id-b
 *
 * A fixed sentence, then key=value. Values from outside are quoted and escaped. Never a key, a token or a body.
 * Levels follow syslog: error, warning, notice, info, debug; the default shows info and above. */
#ifndef KEYWAY_LOOP_LOG_H
#define KEYWAY_LOOP_LOG_H

#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_start(const char *program, enum log_level most); /* most: KEYWAY_LOG=debug in the environment wins */
/* log_line(LOG_LEVEL_INFO, "device registered", "device=%016llx owner=%s", ...); a NULL format means no fields. */
void log_line(enum log_level level, const char *sentence, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Quotes and escapes outside text for a log line; returns one of a few static buffers. */
const char *log_quote(struct rd text);

#endif
