/* keyway-sim: the simulated world: radio, devices, cards. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"air", air_main, "the radio medium: relays frames, with loss, delay and duplication; writes a capture"},
	{"device", device_main, "a strict Zigbee 3.0 end device: thermometer, plug, contact or vibration sensor"},
	{"rcp", rcp_main, "a Spinel radio co-processor on TCP or a pty"},
	{"sniff", sniff_main, "print what anybody in range sees of each frame"},
	{"ue", ue_main, "a device with a card in it: bootstraps, and registers with a CSE that it never met"},
	{"usim", usim_main, "a subscriber's card, and the reader in which eapol_test finds it"},
};

static void usage(FILE *f)
{
	fprintf(f, "usage: keyway-sim COMMAND [--help]\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].help);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("keyway-sim " KEYWAY_VERSION);
		return 0;
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		usage(stdout);
		return 0;
	}
	if (argc > 1)
		fprintf(stderr, "keyway-sim: there is no command `%s`\n", argv[1]);
	usage(stderr);
	return 2;
}
