/* oneM2M time stamps. */
#include "onem2m/timestamp.h"

#include <time.h>

void timestamp_print(char text[static TIMESTAMP_SIZE], uint64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, TIMESTAMP_SIZE, "%Y%m%dT%H%M%S", &utc);
}
