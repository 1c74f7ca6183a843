/* The demo's folder, and the programs of its plant. */
#include "cli/demo_private.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_MS 30000

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Empties a directory that an earlier demo made; leaves anything else alone. */
int demo_prepare_out(struct demo *d, const char *out)
{
	char mark[512];
	FILE *f;

	snprintf(mark, sizeof mark, "%s/.keyway-demo", out);
	if (access(mark, F_OK) == 0)
		nftw(out, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (mkdir(out, 0755) != 0)
		return cli_fail("%s: %s; name a directory that does not exist, or that an earlier demo made, with --out", out, strerror(errno));
	f = fopen(mark, "w");
	if (f)
		fclose(f);
	if (!realpath(out, d->dir))
		return cli_fail("%s: %s", out, strerror(errno));
	snprintf(d->set.out, sizeof d->set.out, "%.250s", d->dir);
	snprintf(d->pcap, sizeof d->pcap, "%s/factory.pcap", d->dir);
	snprintf(d->plant_dir, sizeof d->plant_dir, "%s/plant", d->dir);
	return CLI_OK;
}

static struct process *start_server(struct demo *d, const char *role, const char *program, const char *config)
{
	char path[700];
	const char *argv[] = {program, "--config", path, NULL};

	snprintf(path, sizeof path, "%s/%s", d->plant_dir, config);
	return process_start(&d->set, role, argv);
}

static int must_be_ready(struct process *p, const char *role)
{
	if (p && process_wait_line(p, " ready", START_MS))
		return CLI_OK;
	return cli_fail("%s did not start; its log is %s", role, p ? p->log : "missing");
}

int demo_start_radio(struct demo *d)
{
	char air[64], listen[64], channel_air[64];
	const char *air_argv[] = {"keyway-sim", "air", "--listen", air, "--pcap", d->pcap, "--loss", d->loss ? d->loss : "0", NULL};
	const char *rcp_argv[] = {"keyway-sim", "rcp", "--listen", listen, "--air", channel_air, NULL};

	snprintf(air, sizeof air, "127.0.0.1:%u", d->air_port);
	snprintf(channel_air, sizeof channel_air, "127.0.0.1:%u", d->air_port);
	snprintf(d->air_address, sizeof d->air_address, "127.0.0.1:%u", d->air_port);
	snprintf(listen, sizeof listen, "127.0.0.1:%u", d->rcp_port);
	if (must_be_ready(process_start(&d->set, "air", air_argv), "air") != CLI_OK)
		return CLI_FAILED;
	return must_be_ready(process_start(&d->set, "rcp", rcp_argv), "rcp");
}

int demo_start_plant(struct demo *d)
{
	static const struct {
		const char *role, *program, *config, *what;
	} servers[] = {
		{"mef", "keyway-mef", "mef.ini", "M2M Enrolment Function with the Enrolment Gateway"},
		{"in-cse", "keyway-cse", "in-cse.ini", "IN-CSE, the infrastructure"},
		{"mn-cse", "keyway-cse", "mn-cse.ini", "MN-CSE, the gateway's registrar"},
		{"node-b", "keyway-cse", "node-b.ini", "node B: CSE with IPE-OCI, the only one that may talk to the devices"},
		{"gateway", "keyway-gateway", "gateway.ini", "Zigbee gateway with IPE-NI: radio and MAC, no key"},
	};

	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		struct process *p = start_server(d, servers[i].role, servers[i].program, servers[i].config);

		if (must_be_ready(p, servers[i].role) != CLI_OK)
			return CLI_FAILED;
		demo_good(d, "%-8s pid %-6d %s", servers[i].role, (int)p->pid, servers[i].what);
	}
	return CLI_OK;
}
