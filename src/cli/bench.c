/* `keyway bench`. */
#include <string.h>

#include "cli/cli.h"
#ifdef KEYWAY_HAVE_EG_BENCH
#include "mef/bench_eg.h"
#endif

static const char usage[] =
    "usage: keyway bench eg [--json]\n\n"
    "  eg   Transport-Key packets a second with durable counters, and as a ratio to the bare CCM* operations in them\n";

int bench_main(int argc, char **argv)
{
#ifdef KEYWAY_HAVE_EG_BENCH
	if (argc > 1 && strcmp(argv[1], "eg") == 0)
		return bench_eg_main(argc - 1, argv + 1);
#endif
	return cli_usage(usage, argc > 1 && strcmp(argv[1], "--help") == 0);
}
