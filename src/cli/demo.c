/* `keyway demo`: a whole plant on this machine, each program its own process, over real sockets with TLS. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/demo_private.h"

static const char usage[] =
    "usage: keyway demo [--once] [--out DIR] [--export-keys FILE] [--loss PERCENT]\n\n"
    "Starts MEF with Enrolment Gateway, IN-CSE, the gateway's MN-CSE, node B, simulated air and radio, the gateway, and three Zigbee devices;\n"
    "enrols the devices, reads them and switches the plug by oneM2M. Stays up until Ctrl-C.\n\n"
    "  --once              end afterwards, with status 0 if all worked and 1 if not\n"
    "  --out DIR           logs, plant, summary.json, pids.json, factory.pcap (default demo-out/; emptied at the start)\n"
    "  --export-keys FILE  the run's keys in Wireshark's zigbee_pc_keys format, learnt from the capture and the install codes\n"
    "  --loss PERCENT      frames that the air loses\n"
    "\nExamples:\n"
    "  keyway demo\n"
    "  keyway demo --once --loss 10 --export-keys keys.txt\n";

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

bool demo_interrupted(void)
{
	return interrupted;
}

static int run(struct demo *d, const char *keys)
{
	struct plant_options o = {.dir = d->plant_dir};
	char radio[64], pids[600];

	d->air_port = plant_free_port();
	d->rcp_port = plant_free_port();
	snprintf(radio, sizeof radio, "tcp:127.0.0.1:%u", d->rcp_port);
	o.radio = radio;
	demo_heading("A plant on this machine");
	if (plant_create(&o) != CLI_OK || !plant_open(d->plant_dir, &d->plant) || demo_start_radio(d) != CLI_OK || demo_start_plant(d) != CLI_OK)
		return CLI_FAILED;
	if (!m2m_open(&d->client, &d->plant, NULL))
		return CLI_FAILED;
	d->client_open = true;
	demo_heading("Three closed, unmodified Zigbee 3.0 devices");
	demo_make_devices(d);
	if (demo_register_all(d) != CLI_OK || demo_start_devices(d) != CLI_OK)
		return CLI_FAILED;
	snprintf(pids, sizeof pids, "%s/pids.json", d->dir);
	if (!process_write_pids(&d->set, pids))
		return cli_fail("%s cannot be written", pids);
	demo_heading("They join through a gateway that holds no key");
	if (demo_enrol(d) != CLI_OK)
		return CLI_FAILED;
	demo_heading("A command, by plain oneM2M to node B");
	if (demo_switch_plug(d) != CLI_OK)
		return CLI_FAILED;
	if (keys && demo_export_keys(d, keys) != CLI_OK)
		return CLI_FAILED;
	demo_tell_who_saw_what();
	return CLI_OK;
}

int demo_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), once = cli_flag(&argc, argv, "--once");
	const char *out = cli_option(&argc, argv, "--out"), *keys = cli_option(&argc, argv, "--export-keys");
	struct sigaction action = {.sa_handler = on_interrupt};
	static struct demo d;
	uint64_t loss;
	sigset_t set;
	int r;

	d.loss = cli_option(&argc, argv, "--loss");
	if (help)
		return cli_help(usage);
	r = cli_operands(usage, argc, argv, 0, 0);
	if (r != CLI_OK)
		return r;
	if (d.loss && (!rd_decimal(rd_str(d.loss), &loss) || loss > 99))
		return cli_misuse(usage, "--loss wants a percentage from 0 to 99, not `%s`", d.loss);
	d.started = clock_ms();
	if (!process_find_programs(&d.set))
		return cli_fail("the programs cannot be found");
	r = demo_prepare_out(&d, out ? out : "demo-out");
	if (r != CLI_OK)
		return r;
	signal(SIGPIPE, SIG_IGN);
	r = run(&d, keys);
	if (!demo_write_summary(&d, r == CLI_OK))
		r = cli_fail("summary.json cannot be written");
	if (r == CLI_OK && !once) {
		demo_tell_how_to_play(&d);
		fflush(stdout);
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigemptyset(&set);
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_UNBLOCK, &set, NULL); /* the client's loop had blocked them */
		while (!interrupted)
			pause();
	}
	if (d.client_open)
		m2m_close(&d.client);
	if (!process_stop_all(&d.set))
		r = CLI_FAILED;
	printf("\n%s%s%s; logs and summary.json in %s\n", style(r == CLI_OK ? STYLE_GREEN : STYLE_RED), r == CLI_OK ? "All worked" : "Something failed", style(STYLE_PLAIN), d.dir);
	return r;
}
