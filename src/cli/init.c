/* `keyway init`. */
#include <stdlib.h>

#include "cli/cli.h"

static const char usage[] =
    "usage: keyway init [DIR] [--sp DOMAIN] [--base-port N] [--radio tcp:HOST:PORT|serial:PATH[:BAUD]]\n\n"
    "Makes a plant in DIR (default `plant`): a certificate authority, a credential for every program, key files,\n"
    "and the configuration of keyway-mef, three keyway-cse (IN, MN, node B) and keyway-gateway. Overwrites nothing.\n\n"
    "  --sp DOMAIN      M2M service provider (default keyway.example)\n"
    "  --base-port N    servers listen on 127.0.0.1 from port N on (default 9440)\n"
    "  --radio ADDRESS  the gateway's Spinel radio co-processor\n";

int init_main(int argc, char **argv)
{
	struct plant_options o = {.base_port = 9440};
	bool help = cli_flag(&argc, argv, "--help");
	const char *port = cli_option(&argc, argv, "--base-port");
	int r;

	o.sp = cli_option(&argc, argv, "--sp");
	o.radio = cli_option(&argc, argv, "--radio");
	if (help || cli_leftover(argc, argv) || argc > 2)
		return cli_usage(usage, help);
	if (port)
		o.base_port = (unsigned)strtoul(port, NULL, 10);
	if (o.base_port == 0 || o.base_port > 65000)
		return cli_fail("--base-port wants a number from 1 to 65000, not `%s`", port);
	o.dir = argc == 2 ? argv[1] : "plant";
	r = plant_create(&o);
	if (r != CLI_OK)
		return r;
	printf("Plant made in %s%s%s. Start its programs, each in its own terminal or as a service:\n\n"
	       "  keyway-mef     --config %s/mef.ini\n"
	       "  keyway-cse     --config %s/in-cse.ini\n"
	       "  keyway-cse     --config %s/mn-cse.ini\n"
	       "  keyway-cse     --config %s/node-b.ini\n"
	       "  keyway-gateway --config %s/gateway.ini\n\n"
	       "then register the gateway and your devices:\n\n"
	       "  keyway gateway add gw1\n"
	       "  keyway device add 'Z:<eui64>$I:<install code>' --owner /id-b --gateway gw1\n"
	       "  keyway permit gw1 180\n",
	    style(STYLE_BOLD), o.dir, style(STYLE_PLAIN), o.dir, o.dir, o.dir, o.dir, o.dir);
	return CLI_OK;
}
