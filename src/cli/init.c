/* `keyway init`. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char usage[] =
    "usage: keyway init [DIR] [--sp DOMAIN] [--base-port N] [--radio tcp:HOST:PORT|serial:PATH[:BAUD]] [--usim]\n\n"
    "Makes a plant in DIR (default `plant`): a certificate authority, a credential for every program, key files,\n"
    "and the configuration of keyway-mef, keyway-maf, three keyway-cse (IN, MN, node B), keyway-gateway and keyway-das. Overwrites nothing.\n\n"
    "  --sp DOMAIN      M2M service provider (default keyway.example)\n"
    "  --base-port N    servers listen on 127.0.0.1 from port N on (default 9440)\n"
    "  --radio ADDRESS  the gateway's Spinel radio co-processor (default tcp:127.0.0.1:N+7)\n"
    "  --usim           also keyway-hss, and bootstrapping from a USIM at ports N+9 and N+10\n"
    "\nExamples:\n"
    "  keyway init plant --radio serial:/dev/ttyACM0\n"
    "  keyway init lab --base-port 10440\n";

/* It goes into certificates, resource names and URLs. */
static bool is_domain(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '.'))
			return false;
	return text[0] != '\0' && strlen(text) < 100;
}

static bool is_radio(const char *address)
{
	return (strncmp(address, "tcp:", 4) == 0 && strchr(address + 4, ':')) || (strncmp(address, "serial:", 7) == 0 && address[7]);
}

int init_main(int argc, char **argv)
{
	struct plant_options o = {.base_port = 9440};
	bool help = cli_flag(&argc, argv, "--help"), usim = cli_flag(&argc, argv, "--usim");
	const char *port = cli_option(&argc, argv, "--base-port");
	char whole[PATH_MAX];
	uint64_t base = 0;
	int r;

	o.sp = cli_option(&argc, argv, "--sp");
	o.radio = cli_option(&argc, argv, "--radio");
	if (help)
		return cli_help(usage);
	r = cli_operands(usage, argc, argv, 0, 1);
	if (r != CLI_OK)
		return r;
	if (port && (!rd_decimal(rd_str(port), &base) || base == 0 || base > 65000))
		return cli_misuse(usage, "--base-port wants a number from 1 to 65000, not `%s`", port);
	if (o.sp && !is_domain(o.sp))
		return cli_misuse(usage, "`%s` is no domain name", o.sp);
	if (o.radio && !is_radio(o.radio))
		return cli_misuse(usage, "`%s` is no radio: it is tcp:HOST:PORT or serial:PATH[:BAUD]", o.radio);
	if (port)
		o.base_port = (unsigned)base;
	o.dir = argc == 2 ? argv[1] : "plant";
	r = plant_create(&o);
	if (r != CLI_OK)
		return r;
	if (!realpath(o.dir, whole))
		return cli_fail("%s: %s", o.dir, strerror(errno));
	if (usim && (r = plant_add_usim(whole, o.sp ? o.sp : "keyway.example", o.base_port + 9, o.base_port + 10)) != CLI_OK)
		return r;
	printf("Plant made in %s%s%s. Start its programs, each in its own terminal or as a service:\n\n"
	       "  keyway-mef     --config %s/mef.ini\n"
	       "  keyway-maf     --config %s/maf.ini   (when keys come from a MAF)\n"
	       "  keyway-cse     --config %s/in-cse.ini\n"
	       "  keyway-cse     --config %s/mn-cse.ini\n"
	       "  keyway-cse     --config %s/node-b.ini\n"
	       "  keyway-gateway --config %s/gateway.ini\n"
	       "  keyway-das     --config %s/das.ini   (when something else than policies grants access)\n\n"
	       "then register the gateway and your devices:\n\n"
	       "  export KEYWAY_PLANT='%s'\n"
	       "  keyway gateway add gw1\n"
	       "  keyway device add 'Z:<eui64>$I:<install code>' --owner /id-b --gateway gw1\n"
	       "  keyway permit gw1 180\n",
	    style(STYLE_BOLD), o.dir, style(STYLE_PLAIN), o.dir, o.dir, o.dir, o.dir, o.dir, o.dir, o.dir, whole);
	if (usim)
		printf("\nDevices with a USIM: start keyway-hss before keyway-mef, and make a subscriber known:\n\n"
		       "  keyway-hss     --config %s/hss.ini\n"
		       "  keyway subscriber add CARD\n",
		    o.dir);
	return CLI_OK;
}
