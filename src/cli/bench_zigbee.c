/* `keyway bench zigbee`: a whole plant, from the simulated air to an application's oneM2M request, measured at its two ends. */
#include "cli/bench_zigbee.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/crc.h"
#include "base/rng.h"
#include "bench/histogram.h"
#include "bench/load.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "ieee802154/mac_frame.h"

#define PATH_SIZE 300
#define DEVICES 20
#define DEVICES_MAX 126 /* that join at a time */
#define START_MS 30000
#define ENROL_MS 120000
#define SWITCH_MS 10000
#define AT_ONCE 4          /* applications in the flood */
#define LOG_MAX (32 * 1024 * 1024)
#define FIRST_DEVICE 0x00124b0000000000ULL
#define PCAP_HEAD 24
#define PCAP_RECORD 16

/* IEEE 802.15.4-2006 at 2.4 GHz, 62.5 k symbols/s, 2 symbols an octet. */
#define OCTET_US 32.0
#define PHY_OCTETS 6                     /* preamble, delimiter, length: 6.3 */
#define ACK_US ((PHY_OCTETS + 5) * OCTET_US + 192) /* and aTurnaroundTime before it */
#define CSMA_US (3.5 * 320 + 128 + 192)  /* mean of the first back-off (macMinBE 3), CCA, turn to transmit: 7.5.1.4 */

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

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static const char *in(const struct zigbee_bench *b, const char *name)
{
	static char paths[8][PATH_SIZE + 64];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", b->dir, name);
	return path;
}

/* ---- the plant ---- */

static bool ready(struct process *p, const char *role)
{
	if (p && process_wait_line(p, " ready", START_MS))
		return true;
	cli_fail("%s did not start; its log is %s", role, p ? p->log : "missing");
	return false;
}

static bool start_servers(struct zigbee_bench *b)
{
	static const struct {
		const char *role, *program, *config;
	} servers[] = {
		{"mef", "keyway-mef", "plant/mef.ini"},
		{"in-cse", "keyway-cse", "plant/in-cse.ini"},
		{"mn-cse", "keyway-cse", "plant/mn-cse.ini"},
		{"node-b", "keyway-cse", "plant/node-b.ini"},
		{"gateway", "keyway-gateway", "plant/gateway.ini"},
	};
	const char *const air[] = {"keyway-sim", "air", "--listen", b->air, "--pcap", b->pcap, NULL};
	const char *const rcp[] = {"keyway-sim", "rcp", "--listen", b->radio, "--air", b->air, NULL};

	if (!ready(process_start(&b->set, "air", air), "air") || !ready(process_start(&b->set, "rcp", rcp), "rcp"))
		return false;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		const char *const argv[] = {servers[i].program, "--config", in(b, servers[i].config), NULL};

		if (!ready(process_start(&b->set, servers[i].role, argv), servers[i].role))
			return false;
	}
	return true;
}

/* False when the MEF refuses, which is told. */
static bool admin(const struct zigbee_bench *b, const char *request, struct admin_answer *a)
{
	if (!admin_ask(b->plant.admin_socket, rd_str(request), a)) {
		cli_fail("the MEF does not answer on %s", b->plant.admin_socket);
		return false;
	}
	if (a->ok)
		return true;
	cli_fail("%s", a->error);
	admin_answer_clear(a);
	return false;
}

static bool admin_do(const struct zigbee_bench *b, const char *request)
{
	struct admin_answer a;

	if (!admin(b, request, &a))
		return false;
	admin_answer_clear(&a);
	return true;
}

static void make_code(struct rng *rng, char code[static HEX_SIZE(18)])
{
	uint8_t octets[18];
	uint16_t crc;

	rng_fill(rng, octets, 16);
	crc = crc16_x25(octets, 16);
	octets[16] = (uint8_t)crc;
	octets[17] = (uint8_t)(crc >> 8);
	hex_print(code, octets, sizeof octets);
	bytes_wipe(octets, sizeof octets);
}

static bool register_all(struct zigbee_bench *b)
{
	char *words[] = {(char *)(uintptr_t)"gateway", (char *)(uintptr_t)"add", (char *)(uintptr_t)"gw1", (char *)(uintptr_t)"--plant", b->plant.dir, NULL};
	char code[HEX_SIZE(18)], request[300];
	struct rng rng = rng_system();
	FILE *csv = fopen(b->csv, "w");
	bool good = csv != NULL;
	FILE *out = stdout;

	stdout = stderr; /* what the command says is not what was asked for */
	good = good && gateway_command_main(5, words) == CLI_OK;
	stdout = out;
	for (unsigned i = 0; good && i < b->devices; i++) {
		make_code(&rng, code);
		snprintf(request, sizeof request, "{\"cmd\":\"device.add\",\"device\":\"%016llx\",\"code\":\"%s\",\"owner\":\"/id-b\",\"gateway\":\"gw1\"}", FIRST_DEVICE + i, code);
		good = fprintf(csv, "%016llx,%s\n", FIRST_DEVICE + i, code) > 0 && admin_do(b, request);
	}
	bytes_wipe(code, sizeof code);
	bytes_wipe(request, sizeof request);
	if (csv && fclose(csv) != 0)
		good = false;
	return good && admin_do(b, "{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":3600}");
}

/* ---- enrolment ---- */

static bool verified(const struct zigbee_bench *b, unsigned *count)
{
	struct admin_answer a;
	uint64_t n = 0;
	bool good;

	if (!admin(b, "{\"cmd\":\"status\"}", &a))
		return false;
	good = json_uint(json_path(a.doc, "counters.verified"), &n);
	admin_answer_clear(&a);
	*count = (unsigned)n;
	return good;
}

static bool interviewed(struct m2m_client *c, unsigned device)
{
	char target[64];
	struct m2m_answer a;
	bool there;

	snprintf(target, sizeof target, "/id-b/cse-b/zb-%016llx/binSh", FIRST_DEVICE + device);
	m2m_call(c, KEYWAY_RETRIEVE, target, NULL, 0, NULL, &a);
	there = a.ok && json_path(a.doc, "cod:binSh.state") != NULL;
	m2m_answer_clear(&a);
	return there;
}

static bool enrol(struct zigbee_bench *b)
{
	const char *const argv[] = {"keyway-sim", "device", "--devices", b->csv, "--kind", "plug", "--always-on", "--end-device", "--air", b->air, NULL};
	uint64_t begin = clock_ms(), end = begin + ENROL_MS;
	unsigned count = 0;

	fprintf(stderr, "enrolment of %u devices ...\n", b->devices);
	b->sim = process_start(&b->set, "devices", argv);
	while (count < b->devices && clock_ms() < end && !stopped) {
		if (!verified(b, &count))
			return false;
		if (count > 0 && b->first_enrol_s == 0)
			b->first_enrol_s = (double)(clock_ms() - begin) / 1000;
		usleep(10000);
	}
	b->enrol_s = (double)(clock_ms() - begin) / 1000;
	if (count < b->devices)
		cli_fail("%u of %u devices were enrolled", count, b->devices);
	return count >= b->devices;
}

static bool wait_interviews(const struct zigbee_bench *b, struct m2m_client *c)
{
	uint64_t end = clock_ms() + ENROL_MS;
	unsigned done = 0;

	while (done < b->devices && clock_ms() < end && !stopped) {
		if (interviewed(c, done))
			done++;
		else
			usleep(100000);
	}
	return done == b->devices || (cli_fail("%u of %u devices have their resources at node B", done, b->devices), false);
}

/* ---- what was on the air ---- */

struct air_count {
	uint64_t frames, up, down;
	double us;
};

static void count_frame(struct rd psdu, struct air_count *n)
{
	size_t octets = psdu.left;
	struct mac_frame f;

	if (mac_frame_decode(psdu, &f) != OK || f.type == MAC_ACK)
		return; /* counted with what it acknowledges */
	n->frames++;
	n->us += CSMA_US + (double)(PHY_OCTETS + octets) * OCTET_US + (f.ack_request ? ACK_US : 0);
	if (f.type != MAC_DATA)
		return;
	if (f.source.mode == MAC_ADDRESS_SHORT && f.source.short_address == 0)
		n->down++;
	else
		n->up++;
}

/* The frames behind this place of the capture. */
static bool count_air(const struct zigbee_bench *b, long from, struct air_count *n)
{
	uint8_t record[PCAP_RECORD], psdu[256];
	FILE *f = fopen(b->pcap, "rb");
	bool good = f && fseek(f, from, SEEK_SET) == 0;

	*n = (struct air_count){0};
	while (good && fread(record, 1, sizeof record, f) == sizeof record) {
		struct rd r = rd_of(record + 8, 4);
		uint32_t len = 0;

		if (!rd_le32(&r, &len) || len > sizeof psdu || fread(psdu, 1, len, f) != len)
			break;
		count_frame(rd_of(psdu, len), n);
	}
	if (f)
		fclose(f);
	return good;
}

static long air_now(const struct zigbee_bench *b)
{
	FILE *f = fopen(b->pcap, "rb");
	long at = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : PCAP_HEAD;

	if (f)
		fclose(f);
	return at;
}

/* ---- commands ---- */

static bool command(struct m2m_client *c, unsigned device, bool on)
{
	char target[64], body[48];
	struct m2m_answer a;
	bool good;

	snprintf(target, sizeof target, "/id-b/cse-b/zb-%016llx/binSh", FIRST_DEVICE + device);
	snprintf(body, sizeof body, "{\"cod:binSh\":{\"state\":%s}}", on ? "true" : "false");
	m2m_call(c, KEYWAY_UPDATE, target, NULL, 0, body, &a);
	good = a.ok;
	if (!good && a.rsc == 0)
		cli_fail("node B does not answer: %.200s", a.detail);
	m2m_answer_clear(&a);
	return good;
}

/* When the device said that it switched, Unix ms; 0: not yet. Reads on in the log where the last call ended. */
static uint64_t switched_at(struct zigbee_bench *b, unsigned device, bool on)
{
	FILE *f = fopen(b->sim->log, "r");
	char line[400], event[80];
	uint64_t at = 0, time;

	snprintf(event, sizeof event, "\"device\":\"%016llx\",\"event\":\"switched\",\"on\":%s", FIRST_DEVICE + device, on ? "true" : "false");
	if (!f || fseek(f, b->log_at, SEEK_SET) != 0) {
		if (f)
			fclose(f);
		return 0;
	}
	while (at == 0 && fgets(line, sizeof line, f) && strchr(line, '\n')) {
		struct rd in_line = rd_str(line), head, number;

		b->log_at = ftell(f);
		if (strstr(line, event) && rd_until(&in_line, ':', &head) && rd_until(&in_line, ',', &number) && rd_decimal(number, &time))
			at = time;
	}
	fclose(f);
	return at;
}

static bool measure_commands(struct zigbee_bench *b, struct m2m_client *c)
{
	uint64_t end = clock_ms() + (uint64_t)(b->seconds * 1000);
	long from = air_now(b);
	struct air_count n;

	fprintf(stderr, "commands, one at a time ...\n");
	for (unsigned i = 0; clock_ms() < end && !stopped; i++) {
		unsigned device = i % b->devices;
		bool on = i / b->devices % 2 == 0;
		uint64_t begin = clock_unix_ms(), patience = clock_ms() + SWITCH_MS, at = 0;

		if (!command(c, device, on))
			return cli_fail("the command for device %016llx was refused", FIRST_DEVICE + device), false;
		while ((at = switched_at(b, device, on)) == 0 && clock_ms() < patience && !stopped)
			usleep(500);
		if (at == 0)
			return cli_fail("device %016llx did not switch", FIRST_DEVICE + device), false;
		histogram_add(&b->latency, (at > begin ? at - begin : 0) * 1000000);
		b->commands++;
	}
	usleep(500000); /* what follows the last one */
	if (!count_air(b, from, &n) || b->commands == 0)
		return false;
	b->air_us = n.us / (double)b->commands;
	return true;
}

/* ---- the flood: processes of their own, as applications are ---- */

struct flood_result {
	uint64_t good, failed;
};

static void flood_one(const struct zigbee_bench *b, unsigned number, int result)
{
	struct flood_result r = {0};
	struct m2m_client c = {0};
	uint64_t end = clock_ms() + (uint64_t)(b->seconds * 1000);

	if (m2m_open(&c, &b->plant, NULL)) {
		for (unsigned i = number; clock_ms() < end; i += AT_ONCE) {
			if (command(&c, i % b->devices, i / b->devices % 2 == 0))
				r.good++;
			else
				r.failed++;
		}
		m2m_close(&c);
	}
	_exit(write(result, &r, sizeof r) == sizeof r ? 0 : 1);
}

static bool measure_flood(struct zigbee_bench *b)
{
	long from = air_now(b);
	uint64_t begin = clock_ms();
	struct air_count n;
	int pipes[2];

	fprintf(stderr, "commands, %d applications at once ...\n", AT_ONCE);
	if (pipe(pipes) != 0)
		return false;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		fflush(NULL);
		if (fork() == 0)
			flood_one(b, i, pipes[1]);
	}
	close(pipes[1]);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct flood_result r;

		if (read(pipes[0], &r, sizeof r) != sizeof r)
			break;
		b->flood_commands += r.good;
		b->flood_failed += r.failed;
	}
	close(pipes[0]);
	b->flood_s = (double)(clock_ms() - begin) / 1000;
	if (!count_air(b, from, &n))
		return false;
	b->up = n.up;
	b->down = n.down;
	return b->flood_commands > 0;
}

/* ---- a bare exchange, in the same run ---- */

static bool write_answer(const char *path)
{
	FILE *f = fopen(path, "w");

	return f && fputs("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", f) >= 0 && fclose(f) == 0;
}

static bool measure_http(struct zigbee_bench *b)
{
	const char *const argv[] = {"/proc/self/exe", "bench", "reference-http", in(b, "answer"), in(b, "answer"), NULL};
	static struct load_template t;
	static struct load_result r;
	struct load_options o = {.connections = 1, .warm_ms = 200, .time_ms = 1000, .expect = 200, .make = load_template_make, .ctx = &t, .stop = &stopped};
	struct process *p = write_answer(in(b, "answer")) ? process_start(&b->set, "reference", argv) : NULL;
	char line[200];
	FILE *f;
	uint64_t port = 0;

	fprintf(stderr, "bare HTTP ...\n");
	if (!p || !process_wait_line(p, "ready ", START_MS) || (f = fopen(p->log, "r")) == NULL)
		return cli_fail("the bare HTTP server did not start"), false;
	while (port == 0 && fgets(line, sizeof line, f)) {
		const char *at = strstr(line, " http=");

		if (at)
			port = strtoul(at + 6, NULL, 10);
	}
	fclose(f);
	o.port = (uint16_t)port;
	if (!load_template_init(&t, "GET /x HTTP/1.1\r\nHost: bench\r\n", NULL) || load_run(&o, &r) != OK || r.answers == 0)
		return cli_fail("the bare HTTP server did not answer"), false;
	b->http = r.latency;
	return true;
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

static bool make_plant(struct zigbee_bench *b)
{
	const char *folder = in(b, "plant");
	char radio[80];
	struct plant_options o = {.dir = folder, .radio = radio};

	snprintf(b->air, sizeof b->air, "127.0.0.1:%u", plant_free_port());
	snprintf(b->radio, sizeof b->radio, "127.0.0.1:%u", plant_free_port());
	snprintf(radio, sizeof radio, "tcp:%s", b->radio);
	snprintf(b->pcap, sizeof b->pcap, "%s/air.pcap", b->dir);
	snprintf(b->csv, sizeof b->csv, "%s/devices.csv", b->dir);
	return plant_create(&o) == CLI_OK && plant_open(folder, &b->plant);
}

static bool run(struct zigbee_bench *b)
{
	static struct m2m_client c;
	bool good;

	if (!make_plant(b) || !start_servers(b) || !register_all(b) || !enrol(b) || !m2m_open(&c, &b->plant, NULL))
		return false;
	good = wait_interviews(b, &c) && measure_commands(b, &c);
	m2m_close(&c);
	return good && measure_flood(b) && measure_http(b);
}

static void clean(const struct zigbee_bench *b)
{
	char command_line[PATH_SIZE + 32];

	snprintf(command_line, sizeof command_line, "rm -rf '%s'", b->dir);
	if (system(command_line) != 0)
		cli_fail("%s could not be removed", b->dir);
}

static bool programs_folder(char folder[static 256])
{
	ssize_t n = readlink("/proc/self/exe", folder, 255);
	char *slash;

	if (n <= 0)
		return false;
	folder[n] = '\0';
	slash = strrchr(folder, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
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
	if (strchr(b.dir, '\'') || !mkdtemp(b.dir) || !programs_folder(b.set.programs))
		return cli_fail("%s cannot be made", b.dir);
	snprintf(b.set.out, sizeof b.set.out, "%.250s", b.dir);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	good = run(&b);
	process_stop_all(&b.set);
	if (good && b.json)
		tell_json(&b);
	else if (good)
		tell(&b);
	else
		cli_fail("the logs are in %s", b.dir);
	if (good || stopped)
		clean(&b);
	return good ? CLI_OK : CLI_FAILED;
}
