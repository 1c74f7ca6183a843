/* Entry points of `keyway-sim`'s subcommands. */
#ifndef KEYWAY_SIM_SIM_H
#define KEYWAY_SIM_SIM_H

int air_main(int argc, char **argv);
int rcp_main(int argc, char **argv);
int device_main(int argc, char **argv);
int sniff_main(int argc, char **argv);

/* The value behind "--name" (taken out of nothing; the last one wins), or `otherwise`. */
const char *sim_option(int argc, char **argv, const char *name, const char *otherwise);
int sim_has(int argc, char **argv, const char *name);

#endif
