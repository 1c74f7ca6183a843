/* `keyway bench zigbee`. */
#ifndef KEYWAY_CLI_BENCH_ZIGBEE_H
#define KEYWAY_CLI_BENCH_ZIGBEE_H

int bench_zigbee_main(int argc, char **argv);

#endif
