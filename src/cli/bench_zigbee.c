/* `keyway bench zigbee`: a whole plant, from the simulated air to an application's oneM2M request, measured at its two ends. */
#include "cli/bench_zigbee_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DEVICES 20
#define DEVICES_MAX 126 /* that join at a time */

static const char usage[] =
    "usage: keyway bench zigbee [--json] [--seconds N] [--devices N] [--state DIR]\n\n"
    "Starts a plant (simulated air and radio, gateway, IN-CSE, MN-CSE, node B, MEF with Enrolment Gateway, N simulated plugs) and measures:\n"
    "enrolments a second; the time from an application's oneM2M request until the plug has switched, one at a time; and commands and sealed frames a\n"
    "second, up and down, with four applications at once.\n\n"
    "  --seconds N  how long each of the last two runs (default 8)\n"
    "  --devices N  plugs, 1 to 126 (default 20)\n"
    "  --state DIR  where the plant is: what is measured is this disk (default a new folder in /tmp)\n"
    "  --json       the figures as one JSON object\n\n"
    "Air time is computed from the octets that were on the air: 32 us each with 6 of the PHY, an acknowledgement and 192 us where one was asked for, and\n"
    "1440 us of CSMA-CA (mean first back-off, channel assessment, turnaround). The simulated air itself takes no time: a ratio of 0.5 says that the plant\n"
    "adds half of what the frames alone would take. A command's frames are all of its exchange, answers and reports that follow too.\n"
    "\nExample:\n"
    "  keyway bench zigbee --devices 50 --json\n";

volatile sig_atomic_t zigbee_bench_stopped;

static void on_signal(int number)
{
	(void)number;
	zigbee_bench_stopped = 1;
}

/* ---- telling ---- */

static double ms(const struct histogram *h, double percent)
{
	return (double)histogram_at(h, percent) / 1e6;
}

/* What cannot be spared: its frames on a real air, and one exchange with nothing behind it. */
static double least_ms(const struct zigbee_bench *b)
{
	return b->air_us / 1000 + ms(&b->http, 50);
}

static void tell_json(const struct zigbee_bench *b)
{
	uint8_t buffer[4096];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd text;

	json_object(&o, NULL);
	json_put_string(&o, "bench", "zigbee");
	json_put_uint(&o, "devices", b->devices);
	json_put_double(&o, "enrolment_seconds", b->enrol_s);
	json_put_double(&o, "first_enrolment_seconds", b->first_enrol_s);
	json_put_double(&o, "enrolments_per_second", b->devices / b->enrol_s);
	json_put_uint(&o, "commands", b->commands);
	json_put_double(&o, "command_p50_ms", ms(&b->latency, 50));
	json_put_double(&o, "command_p99_ms", ms(&b->latency, 99));
	json_put_double(&o, "air_ms", b->air_us / 1000);
	json_put_double(&o, "http_p50_ms", ms(&b->http, 50));
	json_put_double(&o, "p50_ratio", ms(&b->latency, 50) / least_ms(b));
	json_put_double(&o, "p99_ratio", ms(&b->latency, 99) / least_ms(b));
	json_put_uint(&o, "flood_commands", b->flood_commands);
	json_put_uint(&o, "flood_failed", b->flood_failed);
	json_put_double(&o, "flood_commands_per_second", (double)b->flood_commands / b->flood_s);
	json_put_double(&o, "frames_up_per_second", (double)b->up / b->flood_s);
	json_put_double(&o, "frames_down_per_second", (double)b->down / b->flood_s);
	json_close(&o);
	if (wr_done(&w, &text))
		cli_print_json(text);
}

static void tell(const struct zigbee_bench *b)
{
	printf("enrolments, all %u devices at once        %8.1f /s   (all after %.1f s; the first after %.1f s, which are mostly Zigbee's own waits)\n", b->devices,
	    b->devices / b->enrol_s, b->enrol_s, b->first_enrol_s);
	printf("a command, request until it has switched  %8.1f ms  p50, %.1f ms p99, of %llu\n", ms(&b->latency, 50), ms(&b->latency, 99), (unsigned long long)b->commands);
	printf("its frames on a real air                  %8.1f ms  and %.2f ms a bare loopback HTTP exchange\n", b->air_us / 1000, ms(&b->http, 50));
	printf("ratio to both                             %8.2f     p50, %.2f p99\n", ms(&b->latency, 50) / least_ms(b), ms(&b->latency, 99) / least_ms(b));
	printf("commands, %d applications at once          %8.0f /s   (%llu failed)\n", AT_ONCE, (double)b->flood_commands / b->flood_s, (unsigned long long)b->flood_failed);
	printf("sealed frames meanwhile                   %8.0f /s up, %.0f /s down\n", (double)b->up / b->flood_s, (double)b->down / b->flood_s);
}

/* ---- the run ---- */

static bool run(struct zigbee_bench *b)
{
	static struct m2m_client c;
	bool good;

	if (!zigbee_bench_make(b) || !zigbee_bench_start(b) || !zigbee_bench_register(b) || !zigbee_bench_enrol(b) || !m2m_open(&c, &b->plant, NULL))
		return false;
	good = zigbee_bench_wait(b, &c) && zigbee_bench_commands(b, &c);
	m2m_close(&c);
	return good && zigbee_bench_flood(b) && zigbee_bench_http(b);
}

int bench_zigbee_main(int argc, char **argv)
{
	static struct zigbee_bench b;
	const char *state, *seconds, *devices;
	uint64_t number = DEVICES;
	bool good;
	int r;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	state = cli_option(&argc, argv, "--state");
	seconds = cli_option(&argc, argv, "--seconds");
	devices = cli_option(&argc, argv, "--devices");
	b.json = cli_flag(&argc, argv, "--json");
	b.seconds = seconds ? strtod(seconds, NULL) : 8;
	r = cli_operands(usage, argc, argv, 0, 0);
	if (r != CLI_OK)
		return r;
	if (b.seconds < 0.1 || b.seconds > 600)
		return cli_misuse(usage, "--seconds wants a number from 0.1 to 600");
	if (devices && (!rd_decimal(rd_str(devices), &number) || number == 0 || number > DEVICES_MAX))
		return cli_misuse(usage, "--devices wants a number from 1 to %d", DEVICES_MAX);
	b.devices = (unsigned)number;
	snprintf(b.dir, sizeof b.dir, "%s/keyway-bench-XXXXXX", state ? state : "/tmp");
	if (strchr(b.dir, '\'') || !mkdtemp(b.dir) || !process_find_programs(&b.set))
		return cli_fail("%s cannot be made", b.dir);
	snprintf(b.set.out, sizeof b.set.out, "%.250s", b.dir);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	good = run(&b);
	good = process_stop_all(&b.set) && good;
	if (good && b.json)
		tell_json(&b);
	else if (good)
		tell(&b);
	else
		cli_fail("the logs are in %s", b.dir);
	if (good || zigbee_bench_stopped)
		process_remove_folder(b.dir);
	return good ? CLI_OK : CLI_FAILED;
}
