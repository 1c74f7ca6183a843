/* `keyway bench`. */
#include <string.h>

#include "bench/handshake.h"
#include "bench/reference.h"
#include "cli/bench_cse.h"
#include "cli/bench_security.h"
#include "cli/bench_zigbee.h"
#include "cli/cli.h"
#ifdef KEYWAY_HAVE_EG_BENCH
#include "mef/bench_eg.h"
#endif

static const char usage[] =
    "usage: keyway bench cse [--help] [options]\n"
    "       keyway bench security [--json] [--seconds N] [--state DIR]\n"
    "       keyway bench zigbee [--json] [--seconds N] [--devices N] [--state DIR]\n"
    "       keyway bench eg [--json] [--seconds N] [--devices N] [--state DIR]\n"
    "       keyway bench eg --registered N [--gateways N] [--json] [--state DIR]\n\n"
    "  cse  requests a second to a CSE, their times and costs, against a bare HTTP server and a bare store\n"
    "  security  handshakes a second of keyway-maf and keyway-mef, against a bare GnuTLS loop, and durable key registrations\n"
    "  zigbee  enrolments, commands and sealed frames a second through a whole plant; --help tells more\n"
    "  eg   Transport-Key packets a second with durable counters, and as a ratio to the bare CCM* operations in them\n"
    "       or, with so many devices registered, its start, its memory and the cost of an EG-REQUEST, as a ratio to that with 100 devices\n\n"
    "  --seconds N  how long each part runs (default 3)\n"
    "  --devices N  among how many devices (default 64)\n"
    "  --state DIR  where the counters are stored: what is measured is this disk (default a new folder in /tmp)\n"
    "  --json       the figures as one JSON object\n"
    "\nExamples:\n"
    "  keyway bench eg --seconds 10 --state /var/tmp\n"
    "  keyway bench cse\n";

int bench_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "cse") == 0)
		return bench_cse_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "security") == 0)
		return bench_security_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "zigbee") == 0)
		return bench_zigbee_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "reference-tls") == 0) /* bench security starts it */
		return reference_tls_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "reference-http") == 0) /* bench cse starts it */
		return reference_http_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "reference-mqtt") == 0)
		return reference_mqtt_main(argc - 1, argv + 1);
	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
#ifdef KEYWAY_HAVE_EG_BENCH
	if (argc > 1 && strcmp(argv[1], "eg") == 0)
		return bench_eg_main(argc - 1, argv + 1);
#endif
	return cli_misuse(usage, "`%s` cannot be measured", argc > 1 ? argv[1] : "");
}
