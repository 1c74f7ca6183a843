/* `keyway bench`. */
#include <string.h>

#include "bench/reference.h"
#include "cli/bench_cse.h"
#include "cli/cli.h"
#ifdef KEYWAY_HAVE_EG_BENCH
#include "mef/bench_eg.h"
#endif

static const char usage[] =
    "usage: keyway bench cse [--help] [options]\n"
    "       keyway bench eg [--json]\n\n"
    "  cse  requests a second to a CSE, their times and costs, against a bare HTTP server and a bare store\n"
    "  eg   Transport-Key packets a second with durable counters, and as a ratio to the bare CCM* operations in them\n";

int bench_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "cse") == 0)
		return bench_cse_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "reference-http") == 0) /* bench cse starts it */
		return reference_http_main(argc - 1, argv + 1);
#ifdef KEYWAY_HAVE_EG_BENCH
	if (argc > 1 && strcmp(argv[1], "eg") == 0)
		return bench_eg_main(argc - 1, argv + 1);
#endif
	return cli_usage(usage, argc > 1 && strcmp(argv[1], "--help") == 0);
}
