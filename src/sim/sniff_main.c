/* `keyway-sim sniff`: one line for each frame on the air, without any key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "ieee802154/mac_frame.h"
#include "loop/log.h"
#include "sim/air_client.h"
#include "sim/pcap_file.h"
#include "sim/sim.h"
#include "zigbee/nwk_frame.h"

static const char usage[] =
    "usage: keyway-sim sniff [--air 127.0.0.1:17754] [--channel 15] [--pcap FILE]\n\n"
    "Prints what anybody in range can see of each frame: addresses, kinds, counters, lengths. `keyway decode` opens captures with keys.\n\n"
    "  --air HOST:PORT  `keyway-sim air`\n"
    "  --channel N      11 to 26\n"
    "  --pcap FILE      a capture too\n"
    "\nExample:\n"
    "  keyway-sim sniff --channel 15 --pcap sniffed.pcap\n";

struct sniffer {
	int pcap;
	uint64_t number;
};

static const char *who(const struct mac_address *a)
{
	static char text[4][24];
	static unsigned turn;
	char *t = text[turn++ % 4];

	switch (a->mode) {
	case MAC_ADDRESS_NONE:
		return "-";
	case MAC_ADDRESS_SHORT:
		snprintf(t, sizeof text[0], "%04x", a->short_address);
		break;
	case MAC_ADDRESS_EXTENDED:
		eui64_print(t, a->extended);
		break;
	}
	return t;
}

static void print_nwk(struct rd payload)
{
	struct nwk_frame f;
	struct aux_header aux;

	if (nwk_frame_decode(payload, &f) != OK) {
		printf(" not a NWK frame");
		return;
	}
	printf(" nwk %s %04x->%04x", f.type == NWK_DATA ? "data" : "command", f.source, f.destination);
	if (f.security && aux_header_decode(&f.payload, &aux))
		printf(" sealed counter=%u key=%u, %zu octets", aux.frame_counter, aux.key_sequence, f.payload.left);
}

static void on_air(void *ctx, struct rd psdu, uint8_t channel, uint8_t lqi)
{
	static const char *const types[] = {"beacon", "data", "ack", "command"};
	struct sniffer *s = ctx;
	struct mac_command c;
	struct mac_frame f;
	struct timeval t;
	struct rd frame;

	gettimeofday(&t, NULL);
	if (s->pcap >= 0 && pcap_file_write(s->pcap, (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec, psdu) != OK)
		s->pcap = -1;
	printf("%6llu ch%u lqi%u %3zu ", (unsigned long long)++s->number, channel, lqi, psdu.left);
	if (mac_fcs_check(psdu, &frame) != OK) {
		printf("frame check sequence wrong\n");
	} else if (mac_frame_decode(frame, &f) != OK) {
		printf("not a frame of ours\n");
	} else {
		printf("%-7s %s->%s", types[f.type], who(&f.source), who(&f.destination));
		if (f.type == MAC_COMMAND && mac_command_decode(f.payload, &c) == OK)
			printf(" command %02x", c.id);
		else if (f.type == MAC_DATA)
			print_nwk(f.payload);
		printf("\n");
	}
	fflush(stdout);
}

int sniff_main(int argc, char **argv)
{
	const char *pcap = sim_option(argc, argv, "--pcap", NULL);
	int r = sim_begin(argc, argv, usage, "--air= --channel= --pcap=");
	uint64_t channel;
	struct sniffer s = {.pcap = -1};
	struct air_client *air;
	struct loop *l;

	if (r != SIM_GO_ON)
		return r;
	if (!sim_number(argc, argv, "--channel", "15", 26, &channel))
		return 2;
	log_start("sniff", LOG_LEVEL_INFO);
	l = loop_new();
	if (channel < 11 || channel > 26 || (pcap && pcap_file_open(pcap, &s.pcap) != OK) ||
	    air_client_new(l, sim_option(argc, argv, "--air", "127.0.0.1:17754"), (uint8_t)channel, on_air, &s, &air) != OK) {
		fputs("keyway-sim sniff: --channel is from 11 to 26, --air HOST:PORT, and --pcap a file that can be written\n", stderr);
		return 2;
	}
	log_line(LOG_LEVEL_INFO, "ready", "channel=%u", (unsigned)channel);
	loop_run(l);
	return 0;
}
