/* `keyway init --usim`: what a plant needs for devices that have a card for their only credential. docs/protocols/gba.md */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

static int append(const char *dir, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int append(const char *dir, const char *name, const char *fmt, ...)
{
	char path[PLANT_PATH + 64];
	va_list args;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "a");
	if (!f)
		return cli_fail("%s cannot be written: %s", path, strerror(errno));
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	return fclose(f) == 0 ? CLI_OK : cli_fail("%s cannot be written: %s", path, strerror(errno));
}

int plant_add_usim(const char *dir, const char *sp, unsigned ub, unsigned zn)
{
	static const char *const nafs[] = {"maf.ini", "in-cse.ini", "mn-cse.ini", "node-b.ini"};
	char path[PLANT_PATH + 64];
	int r;

	snprintf(path, sizeof path, "%s/hss", dir);
	if (mkdir(path, 0700) != 0)
		return cli_fail("%s cannot be made: %s", path, strerror(errno));
	r = append(dir, "hss.ini", "[hss]\nstate = %s/hss\n\n[zh]\nsocket = %s/hss/zh.sock\n\n[hostapd]\nsocket = %s/hss/hostapd.sock\n", dir, dir, dir);
	snprintf(path, sizeof path, "%s/hss.ini", dir);
	if (r == CLI_OK && chmod(path, 0600) != 0)
		r = cli_fail("%s: %s", path, strerror(errno));
	if (r == CLI_OK)
		r = append(dir, "mef.ini", "\n[bsf]\nlisten = 127.0.0.1:%u\nzn_listen = 127.0.0.1:%u\nhss = %s/hss/zh.sock\n", ub, zn, dir);
	for (size_t i = 0; r == CLI_OK && i < sizeof nafs / sizeof nafs[0]; i++)
		r = append(dir, nafs[i], "\n[gba]\nbsf = mef.%s\nurl = https://127.0.0.1:%u\n", sp, zn);
	return r;
}
