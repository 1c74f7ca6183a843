/* Log lines on standard error. */
#include "loop/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const level_names[] = {"error", "warn", "notice", "info", "debug"};
static const char *const level_words[] = {"error", "warning", "notice", "info", "debug"};
static const char *program_name = "keyway";
static enum log_level threshold = LOG_LEVEL_INFO;

void log_start(const char *program, enum log_level most)
{
	const char *wanted = getenv("KEYWAY_LOG");

	program_name = program;
	threshold = most;
	for (size_t i = 0; wanted && i < sizeof level_words / sizeof level_words[0]; i++)
		if (strcmp(wanted, level_words[i]) == 0)
			threshold = (enum log_level)i;
}

void log_line(enum log_level level, const char *sentence, const char *fmt, ...)
{
	char line[2048], stamp[32];
	uint64_t now = clock_unix_ms();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	va_list args;
	int n, m = 0;

	if (level > threshold)
		return;
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
	n = snprintf(line, sizeof line - 1, "%s.%03uZ %-6s %s %s%s", stamp, (unsigned)(now % 1000), level_names[level], program_name,
	    sentence, fmt ? " " : "");
	if (n < 0 || (size_t)n >= sizeof line - 1)
		return;
	if (fmt) {
		va_start(args, fmt);
		m = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, args);
		va_end(args);
	}
	if (m > 0)
		n = (size_t)(n + m) < sizeof line - 1 ? n + m : (int)sizeof line - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere left to complain */
}

const char *log_quote(struct rd text)
{
	static char buffers[4][160];
	static unsigned turn;
	char *out = buffers[turn++ % 4];
	size_t n = 0;
	uint8_t c;

	out[n++] = '"';
	while (n < sizeof buffers[0] - 8 && rd_u8(&text, &c)) {
		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c < 0x20 || c >= 0x7f) {
			n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	if (text.left > 0) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}
