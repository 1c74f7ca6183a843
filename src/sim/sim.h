/* Entry points of `keyway-sim`'s subcommands, and their options. argv[0] is the subcommand's name. */
#ifndef KEYWAY_SIM_SIM_H
#define KEYWAY_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

int air_main(int argc, char **argv);
int rcp_main(int argc, char **argv);
int device_main(int argc, char **argv);
int sniff_main(int argc, char **argv);
int ue_main(int argc, char **argv);
int usim_main(int argc, char **argv);

#define SIM_GO_ON (-1)
/* SIM_GO_ON, or the exit status: 0 when --help was asked for and given, 2 when a word is none of `options`, which are names with blanks between;
 * one that takes a value ends with '='. */
int sim_begin(int argc, char **argv, const char *usage, const char *options);
/* The value behind "--name" (the last one wins), or `otherwise`. */
const char *sim_option(int argc, char **argv, const char *name, const char *otherwise);
bool sim_has(int argc, char **argv, const char *name);
/* False: said on standard error. */
bool sim_number(int argc, char **argv, const char *name, const char *otherwise, uint64_t most, uint64_t *v);

#endif
