/* `keyway bench security`. */
#ifndef KEYWAY_CLI_BENCH_SECURITY_H
#define KEYWAY_CLI_BENCH_SECURITY_H

int bench_security_main(int argc, char **argv);

#endif
