/* oneM2M time stamps. */
#include "onem2m/timestamp.h"

#include <time.h>

#define FIRST_YEAR 1970

void timestamp_print(char text[static TIMESTAMP_SIZE], uint64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, TIMESTAMP_SIZE, "%Y%m%dT%H%M%S", &utc);
}

/* A number of so many digits, between two others. */
static bool digits(struct rd *in, size_t len, uint64_t least, uint64_t most, uint64_t *v)
{
	struct rd part;

	return rd_sub(in, len, &part) && rd_decimal(part, v) && *v >= least && *v <= most;
}

static uint64_t days_before(uint64_t year, uint64_t month)
{
	static const uint16_t days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	uint64_t y = month > 2 ? year : year - 1; /* whose leap day has been */

	return (year - FIRST_YEAR) * 365 + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400) + days[month - 1];
}

bool timestamp_parse(struct rd text, uint64_t *unix_s)
{
	uint64_t year, month, day, hour, minute, second, fraction;
	uint8_t octet;

	if (!digits(&text, 4, FIRST_YEAR, 9999, &year) || !digits(&text, 2, 1, 12, &month) || !digits(&text, 2, 1, 31, &day) || !rd_u8(&text, &octet) || octet != 'T' ||
	    !digits(&text, 2, 0, 23, &hour) || !digits(&text, 2, 0, 59, &minute) || !digits(&text, 2, 0, 60, &second))
		return false;
	if (text.left > 0 && (!rd_u8(&text, &octet) || octet != ',' || !rd_decimal(text, &fraction)))
		return false;
	*unix_s = (days_before(year, month) + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}
