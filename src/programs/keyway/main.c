/* keyway: the operator's command line. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"demo", demo_main, "run a whole plant on this machine and watch devices join it"},
	{"init", init_main, "make a plant: certificates, keys, configuration"},
	{"device", device_command_main, "add, import, list, show, remove Zigbee devices"},
	{"gateway", gateway_command_main, "add and list gateways"},
	{"application", application_main, "devices that share a network key"},
	{"client", client_command_main, "list clients of the enrolment function, configure and command them"},
	{"subscriber", subscriber_main, "add, list, remove subscribers of keyway-hss, and say who gets keys of theirs"},
	{"das", das_main, "rules of keyway-das: who gets grants and tokens for what"},
	{"permit", permit_main, "open joining at a gateway for a while"},
	{"status", status_main, "what the enrolment function knows: gateways, devices, nodes"},
	{"get", get_main, "retrieve a oneM2M resource"},
	{"create", create_main, "create one"},
	{"update", update_main, "update one: switches a plug, for instance"},
	{"delete", delete_main, "delete one"},
	{"discover", discover_main, "find resources by label, type, ..."},
	{"watch", watch_main, "print notifications of a resource as they come"},
	{"decode", decode_main, "print a Zigbee frame or capture layer by layer"},
	{"backup", backup_main, "copy the store of a CSE, or all that a program keeps, while it runs"},
	{"restore", restore_main, "put such a copy into an empty state directory"},
	{"check", check_main, "check the store of a CSE"},
	{"credentials", credentials_main, "list, add, remove keys of a program; rotate what seals them"},
	{"esdata", esdata_main, "seal, sign and open content end to end"},
	{"enrol", enrol_main, "get a key for a CSE from the MEF, or from the MAF"},
	{"certificate", certificate_main, "issue, sign, list, revoke certificates of the plant's CA"},
	{"bench", bench_main, "measure"},
};

static void usage(FILE *f)
{
	fputs("usage: keyway COMMAND [--help]\n\n", f);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(f, "  %s%-11s%s %s\n", style(STYLE_BOLD), commands[i].name, style(STYLE_PLAIN), commands[i].help);
	fputs("\n`keyway COMMAND --help` tells the rest; `keyway --version` the version. Begin with `keyway demo`.\n"
	      "The plant is in ./plant, or where --plant DIR or KEYWAY_PLANT says. Exit status: 0 done, 1 it failed, 2 it was not understood.\n", f);
}

int main(int argc, char **argv)
{
	static char help[] = "--help";

	if (argc > 2 && strcmp(argv[1], "help") == 0) { /* keyway help COMMAND */
		argv[1] = argv[2];
		argv[2] = help;
	}
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-h") == 0)
			argv[i] = help;
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? CLI_USAGE : CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("keyway " KEYWAY_VERSION);
		return CLI_OK;
	}
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	fprintf(stderr, "keyway: there is no command `%s`; `keyway --help` lists them\n", argv[1]);
	return CLI_USAGE;
}
