/* `keyway bench`. */
#include <string.h>

#include "cli/cli.h"
#ifdef KEYWAY_HAVE_EG_BENCH
#include "mef/bench_eg.h"
#endif

static const char usage[] =
    "usage: keyway bench eg [--json] [--seconds N] [--devices N] [--state DIR]\n\n"
    "  eg   Transport-Key packets a second with durable counters, and as a ratio to the bare CCM* operations in them\n\n"
    "  --seconds N  how long each part runs (default 3)\n"
    "  --devices N  among how many devices (default 64)\n"
    "  --state DIR  where the counters are stored: what is measured is this disk (default a new folder in /tmp)\n"
    "  --json       the figures as one JSON object\n";

int bench_main(int argc, char **argv)
{
	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
#ifdef KEYWAY_HAVE_EG_BENCH
	if (argc > 1 && strcmp(argv[1], "eg") == 0)
		return bench_eg_main(argc - 1, argv + 1);
#endif
	return cli_misuse(usage, "`%s` cannot be measured", argc > 1 ? argv[1] : "");
}
