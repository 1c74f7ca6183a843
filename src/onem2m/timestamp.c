/* oneM2M time stamps. */
#include "onem2m/timestamp.h"

#include <string.h>
#include <time.h>

static char *two(char *at, unsigned n)
{
	at[0] = (char)('0' + n / 10 % 10);
	at[1] = (char)('0' + n % 10);
	return at + 2;
}

/* A day's date is looked up once: time stamps of one day follow each other, such as now, and when what is made now expires. */
static char *date(char *at, uint64_t day)
{
	static _Thread_local struct {
		uint64_t day;
		char text[8];
	} known[2] = {{UINT64_MAX, ""}, {UINT64_MAX, ""}};
	static _Thread_local unsigned oldest;
	unsigned i = day == known[0].day ? 0 : 1;

	if (day != known[i].day) {
		const struct timestamp_fields t = timestamp_break_down(day * 86400000);

		i = oldest;
		oldest = 1 - oldest;
		two(two(two(two(known[i].text, t.year / 100), t.year % 100), t.month), t.day);
		known[i].day = day;
	}
	memcpy(at, known[i].text, sizeof known[i].text);
	return at + sizeof known[i].text;
}

static char *print(char *at, uint64_t unix_ms)
{
	unsigned second = (unsigned)(unix_ms / 1000 % 86400);

	at = date(at, unix_ms / 86400000);
	*at++ = 'T';
	return two(two(two(at, second / 3600), second / 60 % 60), second % 60);
}

void timestamp_print(char text[static TIMESTAMP_SIZE], uint64_t unix_ms)
{
	*print(text, unix_ms) = '\0';
}

void timestamp_print_precise(char text[static TIMESTAMP_SIZE], uint64_t unix_ms)
{
	unsigned ms = (unsigned)(unix_ms % 1000);
	char *at = print(text, unix_ms);

	*at++ = ',';
	*at++ = (char)('0' + ms / 100);
	at = two(at, ms % 100);
	memcpy(at, "000", 4);
}

struct timestamp_fields timestamp_break_down(uint64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	return (struct timestamp_fields){(unsigned)utc.tm_sec, (unsigned)utc.tm_min, (unsigned)utc.tm_hour, (unsigned)utc.tm_mday, (unsigned)utc.tm_mon + 1,
		(unsigned)utc.tm_wday, (unsigned)utc.tm_year + 1900};
}

/* Takes exactly `digits` decimal digits. */
static bool number(struct rd *in, size_t digits, int *value)
{
	struct rd part;
	uint64_t n;

	if (!rd_sub(in, digits, &part) || !rd_decimal(part, &n))
		return false;
	*value = (int)n;
	return true;
}

static bool fraction(struct rd *in, uint64_t *ms)
{
	uint64_t scale = 100;
	uint8_t c;

	*ms = 0;
	if (in->left == 0)
		return false;
	while (rd_u8(in, &c)) {
		if (c < '0' || c > '9')
			return false;
		*ms += (uint64_t)(c - '0') * scale;
		scale /= 10;
	}
	return true;
}

bool timestamp_parse(struct rd text, uint64_t *unix_ms)
{
	struct tm utc = {0}, back;
	uint64_t ms = 0;
	time_t seconds;
	uint8_t c;

	if (!number(&text, 4, &utc.tm_year) || !number(&text, 2, &utc.tm_mon) || !number(&text, 2, &utc.tm_mday) || !rd_u8(&text, &c) || c != 'T' ||
	    !number(&text, 2, &utc.tm_hour) || !number(&text, 2, &utc.tm_min) || !number(&text, 2, &utc.tm_sec))
		return false;
	if (text.left > 0 && (!rd_u8(&text, &c) || c != ',' || !fraction(&text, &ms)))
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	back = utc;
	seconds = timegm(&back);
	/* timegm mends impossible dates; what it had to mend was none */
	if (utc.tm_year < 70 || back.tm_year != utc.tm_year || back.tm_mon != utc.tm_mon || back.tm_mday != utc.tm_mday || back.tm_hour != utc.tm_hour ||
	    back.tm_min != utc.tm_min || (back.tm_sec != utc.tm_sec && utc.tm_sec != 60))
		return false;
	*unix_ms = (uint64_t)seconds * 1000 + ms;
	return true;
}

static const struct unit {
	char letter;
	bool time;
	uint64_t ms;
} units[] = {
	{'Y', false, 365ULL * 86400000}, {'M', false, 30ULL * 86400000}, {'W', false, 7ULL * 86400000}, {'D', false, 86400000},
	{'H', true, 3600000}, {'M', true, 60000}, {'S', true, 1000},
};

static const struct unit *unit_of(uint8_t letter, bool time, const struct unit *after)
{
	for (const struct unit *u = after; u < units + sizeof units / sizeof units[0]; u++)
		if ((uint8_t)u->letter == letter && u->time == time)
			return u;
	return NULL;
}

bool duration_parse(struct rd text, uint64_t *ms)
{
	const struct unit *next = units;
	bool time = false, any = false;
	uint64_t total = 0;
	uint8_t c;

	if (!rd_u8(&text, &c) || c != 'P')
		return false;
	while (text.left > 0) {
		uint64_t n = 0, part = 0;
		size_t digits = 0;
		const struct unit *u;

		if (text.at[0] == 'T') {
			if (time || !rd_skip(&text, 1) || text.left == 0)
				return false;
			time = true;
			continue;
		}
		while (rd_u8(&text, &c) && c >= '0' && c <= '9' && ++digits < 12)
			n = n * 10 + (uint64_t)(c - '0');
		if (digits == 0 || digits >= 12)
			return false;
		if (c == '.' || c == ',') {
			struct rd decimals = text;
			size_t k = 0;

			while (rd_u8(&text, &c) && c >= '0' && c <= '9')
				k++;
			decimals.left = k;
			if (c != 'S' || !fraction(&decimals, &part))
				return false;
		}
		u = unit_of(c, time, next);
		if (!u)
			return false;
		total += n * u->ms + part;
		next = u + 1;
		any = true;
	}
	*ms = total;
	return any;
}

/* Clients compute milliseconds: "1500.0" is what they then say. */
static struct rd without_decimals(struct rd text)
{
	struct rd decimals = text, whole;
	uint64_t n;

	return rd_until(&decimals, '.', &whole) && decimals.left < 12 && rd_decimal(decimals, &n) ? whole : text;
}

bool timestamp_parse_abs_rel(struct rd text, uint64_t now_ms, uint64_t *unix_ms)
{
	uint64_t n;

	if (rd_starts(text, "P")) {
		if (!duration_parse(text, &n))
			return false;
		*unix_ms = now_ms + n;
		return true;
	}
	if (timestamp_parse(text, unix_ms))
		return true;
	text = without_decimals(text);
	if (rd_starts(text, "-") && rd_skip(&text, 1) && rd_decimal(text, &n)) {
		*unix_ms = n < now_ms ? now_ms - n : 0;
		return true;
	}
	if (text.left > 12 || !rd_decimal(text, &n))
		return false;
	*unix_ms = now_ms + n;
	return true;
}
