/* What the system knows of a process. */
#include "bench/process_figures.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t process_cpu_us(pid_t pid)
{
	unsigned long long user = 0, kernel = 0;
	char path[64], text[1024] = "";
	const char *behind;
	long ticks = sysconf(_SC_CLK_TCK);
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof text, f))
		text[0] = '\0';
	fclose(f);
	behind = strrchr(text, ')'); /* the name may hold anything */
	if (!behind || ticks <= 0 || sscanf(behind, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) != 2)
		return 0;
	return (user + kernel) * 1000000U / (unsigned long long)ticks;
}

uint64_t process_memory(pid_t pid)
{
	unsigned long long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "RssAnon: %llu", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024U;
}
