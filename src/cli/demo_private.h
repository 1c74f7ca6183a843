/* What the files of `keyway demo` share. */
#ifndef KEYWAY_CLI_DEMO_PRIVATE_H
#define KEYWAY_CLI_DEMO_PRIVATE_H

#include "base/bytes.h"
#include "cli/cli.h"
#include "cli/process.h"

#define DEMO_DEVICES 3
#define DEMO_CODE_TEXT 40

struct demo_device {
	const char *role, *kind, *title;
	const char *power;      /* "--sleepy" or "--always-on" */
	const char *root;       /* module class that holds the reading */
	const char *attribute;  /* and its attribute */
	const char *unit;
	char eui64[EUI64_SIZE], code[DEMO_CODE_TEXT];
	char resource[256];     /* of the module class at node B */
	char reading[64];
	bool enrolled, read;
};

struct demo {
	struct process_set set;
	struct demo_device devices[DEMO_DEVICES];
	struct plant plant;
	struct m2m_client client;
	char dir[400], pcap[512], plant_dir[512], air_address[64];
	const char *loss;
	unsigned air_port, rcp_port;
	bool switched, client_open;
	uint64_t started;
};

/* demo.c */
bool demo_interrupted(void);

/* demo_tell.c: what the reader sees, and what stays in files */
void demo_step(const char *fmt, ...) PRINTF_LIKE(1, 2);
void demo_good(const struct demo *d, const char *fmt, ...) PRINTF_LIKE(2, 3); /* with the time since the start */
void demo_heading(const char *text);
void demo_tell_who_saw_what(void);
void demo_tell_how_to_play(const struct demo *d);
bool demo_write_summary(struct demo *d, bool success);
int demo_export_keys(struct demo *d, const char *path);

/* demo_plant.c: the folder, and the programs; CLI_OK, or what was wrong is told */
int demo_prepare_out(struct demo *d, const char *out);
int demo_start_radio(struct demo *d);
int demo_start_plant(struct demo *d);

/* demo_devices.c: from the label to a reading and a command */
void demo_make_devices(struct demo *d);
int demo_register_all(struct demo *d);
int demo_start_devices(struct demo *d);
int demo_enrol(struct demo *d);
int demo_switch_plug(struct demo *d);

#endif
