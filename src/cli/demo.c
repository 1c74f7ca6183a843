/* `keyway demo`: a whole plant on this machine, each program its own process, over real sockets with TLS. */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/crc.h"
#include "base/rng.h"
#include "cli/cli.h"
#include "cli/process.h"
#ifdef KEYWAY_HAVE_LEARNER
#include "cli/key_learner.h"
#endif

#define DEVICES 3
#define START_MS 30000
#define ENROL_MS 120000
#define COMMAND_MS 60000
#define CODE_TEXT 40

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

struct demo_device {
	const char *role, *kind, *title;
	const char *power;      /* "--sleepy" or "--always-on" */
	const char *root;       /* module class that holds the reading */
	const char *attribute;  /* and its attribute */
	const char *unit;
	char eui64[EUI64_SIZE], code[CODE_TEXT];
	char resource[256];     /* of the module class at node B */
	char reading[64];
	bool enrolled, read;
};

struct demo {
	struct process_set set;
	struct demo_device devices[DEVICES];
	struct plant plant;
	struct m2m_client client;
	char dir[400], pcap[512], plant_dir[512], air_address[64];
	const char *loss;
	unsigned air_port, rcp_port;
	bool switched, client_open;
	uint64_t started;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void step(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void step(const char *fmt, ...)
{
	va_list args;

	printf("%s  •%s ", style(STYLE_CYAN), style(STYLE_PLAIN));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void good(const struct demo *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void good(const struct demo *d, const char *fmt, ...)
{
	va_list args;

	printf("%s  ✓%s ", style(STYLE_GREEN), style(STYLE_PLAIN));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" %s(%.1f s)%s\n", style(STYLE_DIM), (double)(clock_ms() - d->started) / 1000, style(STYLE_PLAIN));
	fflush(stdout);
}

static void heading(const char *text)
{
	printf("\n%s%s%s\n", style(STYLE_BOLD), text, style(STYLE_PLAIN));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Empties a directory that an earlier demo made; leaves anything else alone. */
static int prepare_out(struct demo *d, const char *out)
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

static bool find_programs(struct demo *d)
{
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(d->set.programs, sizeof d->set.programs, "%s", path);
	return true;
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

static int start_radio(struct demo *d)
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

static int start_plant(struct demo *d)
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
		good(d, "%-8s pid %-6d %s", servers[i].role, (int)p->pid, servers[i].what);
	}
	return CLI_OK;
}

/* A random install code with its CRC, as a label has it. */
static void make_code(struct demo_device *dev, struct rng *rng)
{
	uint8_t octets[18];
	uint16_t crc;

	rng_fill(rng, octets, 16);
	crc = crc16_x25(octets, 16);
	octets[16] = (uint8_t)crc;
	octets[17] = (uint8_t)(crc >> 8);
	hex_print(dev->code, octets, sizeof octets);
	bytes_wipe(octets, sizeof octets);
}

static void make_devices(struct demo *d)
{
	static const struct demo_device kinds[DEVICES] = {
		{.role = "device-1", .kind = "thermometer", .title = "temperature sensor, sleepy", .power = "--sleepy", .root = "cod:tempe", .attribute = "curT0", .unit = " °C"},
		{.role = "device-2", .kind = "plug", .title = "smart plug", .power = "--always-on", .root = "cod:binSh", .attribute = "state", .unit = ""},
		{.role = "device-3", .kind = "contact", .title = "door contact, sleepy", .power = "--sleepy", .root = "cod:dooSs", .attribute = "dooSe", .unit = ""},
	};
	struct rng rng = rng_system();

	for (size_t i = 0; i < DEVICES; i++) {
		d->devices[i] = kinds[i];
		eui64_print(d->devices[i].eui64, 0x00124b0000000000U | (uint64_t)rng_u32(&rng) << 4 | i);
		make_code(&d->devices[i], &rng);
	}
}

/* Asks the MEF's administration socket; prints the reason of a refusal. */
static bool admin(struct demo *d, const char *request, struct admin_answer *a)
{
	if (!admin_ask(d->plant.admin_socket, rd_str(request), a)) {
		cli_fail("the MEF does not answer on %s", d->plant.admin_socket);
		return false;
	}
	if (!a->ok)
		cli_fail("%s", a->error);
	return a->ok;
}

static bool admin_do(struct demo *d, const char *request)
{
	struct admin_answer a;
	bool ok = admin(d, request, &a);

	admin_answer_clear(&a);
	return ok;
}

static int run_command(int (*command)(int argc, char **argv), const char *const words[], const char *plant)
{
	char *argv[16];
	int argc = 0;

	for (; words[argc] && argc < 12; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	argv[argc++] = (char *)(uintptr_t)"--plant";
	argv[argc++] = (char *)(uintptr_t)plant;
	argv[argc] = NULL;
	return command(argc, argv);
}

static int register_all(struct demo *d)
{
	const char *gateway[] = {"gateway", "add", "gw1", NULL};
	char request[512];

	if (run_command(gateway_command_main, gateway, d->plant_dir) != CLI_OK)
		return CLI_FAILED;
	for (size_t i = 0; i < DEVICES; i++) {
		struct demo_device *dev = &d->devices[i];

		snprintf(request, sizeof request, "{\"cmd\":\"device.add\",\"device\":\"%s\",\"code\":\"%s\",\"owner\":\"/id-b\",\"gateway\":\"gw1\",\"application\":\"demo\"}",
		    dev->eui64, dev->code);
		if (!admin_do(d, request))
			return CLI_FAILED;
		good(d, "registered %s, %s: install code to the MEF, owner /id-b", dev->eui64, dev->title);
	}
	if (!admin_do(d, "{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":600}"))
		return CLI_FAILED;
	step("joining is open at gw1, for these three only");
	return CLI_OK;
}

static int start_devices(struct demo *d)
{
	for (size_t i = 0; i < DEVICES; i++) {
		struct demo_device *dev = &d->devices[i];
		char state[700];
		const char *argv[] = {"keyway-sim", "device", "--air", d->air_address, "--channel", "15", "--eui64", dev->eui64, "--install-code", dev->code,
		    "--kind", dev->kind, dev->power, "--report-interval", "5", "--state", state, "--json", NULL};

		snprintf(state, sizeof state, "%s/%s.state", d->dir, dev->role);
		if (!process_start(&d->set, dev->role, argv))
			return cli_fail("%s cannot be started", dev->role);
	}
	return CLI_OK;
}

static bool device_state_is(struct demo *d, const struct demo_device *dev, const char *wanted, char *state, size_t size)
{
	struct admin_answer a;
	char request[128];
	bool is = false;

	snprintf(request, sizeof request, "{\"cmd\":\"device.show\",\"device\":\"%s\"}", dev->eui64);
	state[0] = '\0';
	if (admin_ask(d->plant.admin_socket, rd_str(request), &a)) {
		if (!json_text(json_path(a.doc, "device.state"), state, size))
			state[0] = '\0';
		is = strcmp(state, wanted) == 0;
	}
	admin_answer_clear(&a);
	return is;
}

/* The module class resource of a device at node B, found by its label. */
static bool find_resource(struct demo *d, struct demo_device *dev)
{
	char query[256], target[256];
	struct m2m_answer a;
	const struct json *list;

	snprintf(query, sizeof query, "fu=1&ty=28&lbl=eui64/%s", dev->eui64);
	m2m_call(&d->client, KEYWAY_RETRIEVE, "/id-b/cse-b", query, 0, NULL, &a);
	list = a.ok ? json_get(a.doc, "m2m:uril") : NULL;
	for (const struct json *u = list ? list->first : NULL; u && !dev->resource[0]; u = u->next) {
		struct m2m_answer r;

		if (!rd_text(u->text, target, sizeof target))
			continue;
		m2m_call(&d->client, KEYWAY_RETRIEVE, target, NULL, 0, NULL, &r);
		if (json_get(r.doc, dev->root))
			snprintf(dev->resource, sizeof dev->resource, "%s", target);
		m2m_answer_clear(&r);
	}
	m2m_answer_clear(&a);
	return dev->resource[0] != '\0';
}

static bool read_attribute(struct demo *d, const struct demo_device *dev, char *value, size_t size)
{
	struct m2m_answer a;
	const struct json *v;
	bool ok = false;

	m2m_call(&d->client, KEYWAY_RETRIEVE, dev->resource, NULL, 0, NULL, &a);
	v = json_get(json_get(a.doc, dev->root), dev->attribute);
	if (v && v->type != JSON_NULL)
		ok = rd_text(v->source, value, size);
	m2m_answer_clear(&a);
	return ok;
}

static void pause_a_little(struct demo *d)
{
	(void)d;
	usleep(100000);
}

/* Each device: MEF says verified, node B has its resource, the resource has a reading. */
static int enrol(struct demo *d)
{
	uint64_t end = clock_ms() + ENROL_MS;
	size_t done = 0;

	while (done < DEVICES && clock_ms() < end && !interrupted) {
		for (size_t i = 0; i < DEVICES; i++) {
			struct demo_device *dev = &d->devices[i];
			char state[32];

			if (!dev->enrolled && device_state_is(d, dev, "verified", state, sizeof state)) {
				dev->enrolled = true;
				good(d, "%s enrolled: network key under its install code, own Trust Centre link key verified", dev->title);
			}
			if (dev->enrolled && !dev->read && (dev->resource[0] || find_resource(d, dev)) && read_attribute(d, dev, dev->reading, sizeof dev->reading)) {
				dev->read = true;
				done++;
				good(d, "%s reads %s%s%s%s  %s", dev->title, style(STYLE_BOLD), dev->reading, dev->unit, style(STYLE_PLAIN), dev->resource);
			}
		}
		pause_a_little(d);
	}
	for (size_t i = 0; i < DEVICES; i++) {
		char state[32];

		if (!d->devices[i].read) {
			device_state_is(d, &d->devices[i], "", state, sizeof state);
			cli_fail("%s: %s; the MEF's state of it is `%s`", d->devices[i].title, d->devices[i].enrolled ? "enrolled, but no reading" : "not enrolled", state);
		}
	}
	return done == DEVICES ? CLI_OK : CLI_FAILED;
}

static int switch_plug(struct demo *d)
{
	struct demo_device *plug = &d->devices[1];
	struct process *process = NULL;
	uint64_t end = clock_ms() + COMMAND_MS;
	char value[64] = "";
	struct m2m_answer a;

	for (size_t i = 0; i < d->set.count; i++)
		if (strcmp(d->set.all[i].role, plug->role) == 0)
			process = &d->set.all[i];
	step("UPDATE %s state=true", plug->resource);
	m2m_call(&d->client, KEYWAY_UPDATE, plug->resource, NULL, 0, "{\"cod:binSh\":{\"state\":true}}", &a);
	if (!a.ok) {
		cli_fail("node B refused: %.300s", a.detail);
		m2m_answer_clear(&a);
		return CLI_FAILED;
	}
	m2m_answer_clear(&a);
	while (clock_ms() < end && !interrupted) {
		if (process && process_has_line(process, "\"on\":true") && read_attribute(d, plug, value, sizeof value) && strcmp(value, "true") == 0) {
			d->switched = true;
			good(d, "the plug is on; it says so itself");
			return CLI_OK;
		}
		pause_a_little(d);
	}
	return cli_fail("the plug did not switch; see %s", process ? process->log : "its log");
}

static uint64_t count_frames(const char *pcap)
{
	FILE *f = fopen(pcap, "rb");
	uint8_t header[24];
	uint64_t n = 0;

	if (!f || fread(header, 1, 24, f) != 24) {
		if (f)
			fclose(f);
		return 0;
	}
	while (fread(header, 1, 16, f) == 16) {
		struct rd r = rd_of(header + 8, 4);
		uint32_t len;

		if (!rd_le32(&r, &len) || fseek(f, (long)len, SEEK_CUR) != 0)
			break;
		n++;
	}
	fclose(f);
	return n;
}

static bool write_summary(struct demo *d, bool success)
{
	struct wr w = wr_new(65536);
	struct json_out o = json_out(&w);
	char path[600];
	struct rd text;
	FILE *f;
	bool ok;

	json_object(&o, NULL);
	json_put_bool(&o, "success", success);
	json_put_double(&o, "seconds", (double)(clock_ms() - d->started) / 1000);
	json_array(&o, "devices");
	for (size_t i = 0; i < DEVICES; i++) {
		const struct demo_device *dev = &d->devices[i];

		json_object(&o, NULL);
		json_put_string(&o, "role", dev->role);
		json_put_string(&o, "eui64", dev->eui64);
		json_put_string(&o, "kind", dev->kind);
		json_put_bool(&o, "enrolled", dev->enrolled);
		json_put_string(&o, "resource", dev->resource);
		json_put_string(&o, "attribute", dev->attribute);
		if (dev->read)
			json_put_raw(&o, "reading", rd_str(dev->reading));
		else
			json_put_null(&o, "reading");
		json_close(&o);
	}
	json_close(&o);
	json_put_bool(&o, "plugSwitched", d->switched);
	json_put_uint(&o, "framesOnAir", count_frames(d->pcap));
	json_close(&o);
	snprintf(path, sizeof path, "%s/summary.json", d->dir);
	f = fopen(path, "w");
	ok = f && wr_done(&w, &text) && fwrite(text.at, 1, text.left, f) == text.left && fputc('\n', f) != EOF;
	if (f)
		fclose(f);
	wr_free(&w);
	return ok;
}

static int export_keys(struct demo *d, const char *path)
{
#ifdef KEYWAY_HAVE_LEARNER
	const char *codes[DEVICES];

	for (size_t i = 0; i < DEVICES; i++)
		codes[i] = d->devices[i].code;
	if (key_learner_export(d->pcap, codes, DEVICES, path) != OK)
		return cli_fail("the keys could not be learnt from %s", d->pcap);
	good(d, "keys of this run in %s, for Wireshark's zigbee_pc_keys table", path);
	return CLI_OK;
#else
	(void)d;
	return cli_fail("%s: this build cannot learn keys from a capture", path);
#endif
}

static void tell_who_saw_what(void)
{
	heading("Who could see what");
	printf("  device A   its install code, its network key, its link key\n"
	       "  MEF + EG   install codes, link keys, network keys; no application data\n"
	       "  node B     the network keys of its own devices; no install code, no link key\n"
	       "  gateway    addresses, lengths, counters, times. %sNo key, no plaintext.%s\n"
	       "  IN, MN     the same sealed frames as the gateway, inside contentInstances\n"
	       "  the air    everything above the MAC sealed; see factory.pcap\n",
	    style(STYLE_GREEN), style(STYLE_PLAIN));
}

static void tell_how_to_play(const struct demo *d)
{
	heading("Play with it (in another terminal)");
	printf("  export PATH=%s:$PATH KEYWAY_PLANT=%s\n"
	       "  keyway status\n"
	       "  keyway discover /id-b/cse-b ty=28\n"
	       "  keyway watch  %s\n"
	       "  keyway update %s state=false\n"
	       "  keyway decode %s\n"
	       "Ctrl-C ends the plant.\n",
	    d->set.programs, d->plant_dir, d->devices[0].resource, d->devices[1].resource, d->pcap);
}

static int run(struct demo *d, const char *keys)
{
	struct plant_options o = {.dir = d->plant_dir};
	char radio[64], pids[600];

	d->air_port = plant_free_port();
	d->rcp_port = plant_free_port();
	snprintf(radio, sizeof radio, "tcp:127.0.0.1:%u", d->rcp_port);
	o.radio = radio;
	heading("A plant on this machine");
	if (plant_create(&o) != CLI_OK || !plant_open(d->plant_dir, &d->plant) || start_radio(d) != CLI_OK || start_plant(d) != CLI_OK)
		return CLI_FAILED;
	if (!m2m_open(&d->client, &d->plant, NULL))
		return CLI_FAILED;
	d->client_open = true;
	heading("Three closed, unmodified Zigbee 3.0 devices");
	make_devices(d);
	if (register_all(d) != CLI_OK || start_devices(d) != CLI_OK)
		return CLI_FAILED;
	snprintf(pids, sizeof pids, "%s/pids.json", d->dir);
	if (!process_write_pids(&d->set, pids))
		return cli_fail("%s cannot be written", pids);
	heading("They join through a gateway that holds no key");
	if (enrol(d) != CLI_OK)
		return CLI_FAILED;
	heading("A command, by plain oneM2M to node B");
	if (switch_plug(d) != CLI_OK)
		return CLI_FAILED;
	if (keys && export_keys(d, keys) != CLI_OK)
		return CLI_FAILED;
	tell_who_saw_what();
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
	if (!find_programs(&d))
		return cli_fail("the programs cannot be found");
	r = prepare_out(&d, out ? out : "demo-out");
	if (r != CLI_OK)
		return r;
	signal(SIGPIPE, SIG_IGN);
	r = run(&d, keys);
	if (!write_summary(&d, r == CLI_OK))
		r = cli_fail("summary.json cannot be written");
	if (r == CLI_OK && !once) {
		tell_how_to_play(&d);
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
	process_stop_all(&d.set);
	printf("\n%s%s%s; logs and summary.json in %s\n", style(r == CLI_OK ? STYLE_GREEN : STYLE_RED), r == CLI_OK ? "All worked" : "Something failed", style(STYLE_PLAIN), d.dir);
	return r;
}
