/* What the files of `keyway bench zigbee` share. */
#ifndef KEYWAY_CLI_BENCH_ZIGBEE_PRIVATE_H
#define KEYWAY_CLI_BENCH_ZIGBEE_PRIVATE_H

#include <signal.h>

#include "bench/histogram.h"
#include "cli/bench_zigbee.h"
#include "cli/cli.h"
#include "cli/process.h"

#define PATH_SIZE 300
#define AT_ONCE 4 /* applications in the flood */
#define START_MS 30000
#define FIRST_DEVICE 0x00124b0000000000ULL

/* IEEE 802.15.4-2006 at 2.4 GHz, 62.5 k symbols/s, 2 symbols an octet. */
#define OCTET_US 32.0
#define PHY_OCTETS 6                     /* preamble, delimiter, length: 6.3 */
#define ACK_US ((PHY_OCTETS + 5) * OCTET_US + 192) /* and aTurnaroundTime before it */
#define CSMA_US (3.5 * 320 + 128 + 192)  /* mean of the first back-off (macMinBE 3), CCA, turn to transmit: 7.5.1.4 */

struct zigbee_bench {
	struct process_set set;
	struct plant plant;
	char dir[PATH_SIZE], pcap[PATH_SIZE + 16], air[64], radio[64], csv[PATH_SIZE + 16];
	unsigned devices;
	double seconds;
	bool json;
	struct process *sim;
	long log_at; /* of the devices' log: read so far */
	/* figures */
	double enrol_s, first_enrol_s;
	struct histogram latency; /* ns */
	uint64_t commands;
	double air_us; /* a command's */
	struct histogram http;
	uint64_t flood_commands, flood_failed, up, down;
	double flood_s;
};

extern volatile sig_atomic_t zigbee_bench_stopped; /* by a signal */

/* bench_zigbee_plant.c; false: told why */
const char *zigbee_bench_in(const struct zigbee_bench *b, const char *name); /* a path in its folder; good for seven more calls */
bool zigbee_bench_ready(struct process *p, const char *role);
bool zigbee_bench_start(struct zigbee_bench *b);
bool zigbee_bench_register(struct zigbee_bench *b);
bool zigbee_bench_make(struct zigbee_bench *b);
bool zigbee_bench_enrol(struct zigbee_bench *b);
bool zigbee_bench_wait(const struct zigbee_bench *b, struct m2m_client *c); /* until all devices are known to node B */
/* bench_zigbee_load.c */
bool zigbee_bench_commands(struct zigbee_bench *b, struct m2m_client *c);
bool zigbee_bench_flood(struct zigbee_bench *b);
bool zigbee_bench_http(struct zigbee_bench *b);

#endif
