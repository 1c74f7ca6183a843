/* `keyway-sim device`: a simulated Zigbee device on the air, or many of them in one process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "sim/air_client.h"
#include "sim/device_type.h"
#include "sim/sim.h"
#include "zigbee/security/install_code.h"

#define MEMORY_MAX 8192
#define DEVICES_MAX 1000 /* of one process */
#define TIME_SCALE_MAX 100
#define TIMEOUT "3" /* 8 minutes */
#define TIMEOUT_MAX 14

static const char usage[] =
    "usage: keyway-sim device --eui64 EUI64 --install-code CODE | --link-key HEX | --devices FILE [--type TYPE]\n"
    "                         [--sleepy | --always-on] [--router | --end-device] [--air 127.0.0.1:17754] [--channel 15 | --channels 11,15,20-26] [--poll-ms 2000]\n"
    "                         [--report-interval S] [--ack-wait MS] [--temperature 21.5] [--state FILE] [--seed N] [--json]\n\n"
    "A strict Zigbee 3.0 end device or router. Tells what happens as JSON lines; takes commands as lines on standard input:\n"
    "open, close, vibrate, on, off, toggle, temperature 23.5, leave, rejoin, conflict (of its short address), factory-reset, permit 60,\n"
    "deaf ADDRESS (whose frames it does not receive from now on), hear (all again).\n"
    "zone BITS (status of its alarm zone), set [ENDPOINT/]CLUSTER/ATTRIBUTE VALUE, press [ENDPOINT/]CLUSTER/COMMAND.\n\n"
    "  --type TYPE          what it is, see below; also --kind\n"
    "  --install-code CODE  as on a label, with its CRC; or --link-key HEX, the link key itself\n"
    "  --sleepy             polls its parent every --poll-ms; --always-on (default) listens\n"
    "  --router             routes: wants link status and routes from its coordinator, and lets others in when told; a plug does unless\n"
    "                       --end-device or --sleepy\n"
    "  --broadcast-link-status  a router that takes link status as MAC broadcast alone, as the letter of the standard has it\n"
    "  --time-scale N       a router's periods of 15 s are N times shorter; radio and acknowledgements keep their time\n"
    "  --deaf ADDRESS       a short address, such as the gateway's 0, that is out of its range\n"
    "  --channels LIST      which it scans\n"
    "  --timeout N          end-device time-out that it asks for: 0 is 10 s, N is 2^N minutes; default 3\n"
    "  --report-interval S  reports at least so often, whatever the reporting configuration says\n"
    "  --ack-wait MS        how long its radio waits for an acknowledgement (default 60: the air is between processes)\n"
    "  --temperature T      at the start, of a thermometer\n"
    "  --devices FILE       many, all of one type: a line is EUI64,CODE, as `keyway device import` takes it. They hear the same frames, but not one\n"
    "                       another. A command is for one (EUI64 on), or for each (all toggle); --state names a folder\n"
    "  --state FILE         its non-volatile memory; without one it is factory-new at every start\n"
    "  --seed N             of the randomness; without it the system's\n"
    "  --json               is taken and changes nothing: events are always JSON\n\n"
    "Examples:\n"
    "  keyway-sim device --eui64 00124B0001020304 --install-code 83FED3407A939723A5C639B26916D505C3B5 --type thermometer --sleepy\n"
    "  keyway-sim device --devices labels.csv --type plug --state plugs\n";

struct world {
	struct loop *loop;
	struct air_client *air; /* one place on the air for all */
	struct loop_io *input;
	struct program *programs;
	size_t count;
	char line[256];
	size_t line_len;
};

/* A device. */
struct program {
	struct world *world;
	struct sim_device *device;
	struct loop_timer *timer;
	struct rng rng;
	char path[560];
	char eui64[EUI64_SIZE];
};

/* Written beside, synced and renamed: the memory is never half of one and half of another. */
static enum err save(void *ctx, struct rd text)
{
	struct program *p = ctx;
	char temporary[600];
	int fd;
	bool ok;

	if (!p->path[0])
		return OK;
	snprintf(temporary, sizeof temporary, "%s.new", p->path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;
	ok = write(fd, text.at, text.left) == (ssize_t)text.left && fsync(fd) == 0;
	close(fd);
	return ok && rename(temporary, p->path) == 0 ? OK : ERR_IO;
}

static void pump(struct program *p)
{
	struct sim_device_effect e;

	while (sim_device_output(p->device, &e)) {
		switch (e.type) {
		case SIM_DEVICE_SEND:
			air_client_send(p->world->air, rd_of(e.octets, e.len));
			break;
		case SIM_DEVICE_CHANNEL:
			air_client_channel(p->world->air, e.channel);
			break;
		case SIM_DEVICE_EVENT:
			printf("{\"time\":%llu,\"device\":\"%s\",\"event\":\"%s\"%s%s}\n", (unsigned long long)clock_unix_ms(), p->eui64, e.name, e.detail[0] ? "," : "", e.detail);
			fflush(stdout);
			break;
		}
	}
	loop_timer_at(p->timer, sim_device_deadline(p->device));
}

static void on_time(void *ctx)
{
	struct program *p = ctx;

	sim_device_tick(p->device, clock_ms());
	pump(p);
}

static void on_air(void *ctx, struct rd psdu, uint8_t channel, uint8_t lqi)
{
	const struct world *w = ctx;

	(void)channel;
	(void)lqi;
	for (size_t i = 0; i < w->count; i++) {
		sim_device_input(w->programs[i].device, clock_ms(), psdu);
		pump(&w->programs[i]);
	}
}

static void command(struct program *p, const char *text)
{
	if (!sim_device_command(p->device, clock_ms(), text))
		printf("{\"device\":\"%s\",\"event\":\"unknown-command\"}\n", p->eui64);
	pump(p);
}

static void on_line(struct world *w)
{
	const char *blank, *text = w->line;
	size_t word;

	w->line[w->line_len] = '\0';
	w->line_len = 0;
	blank = strchr(text, ' ');
	word = blank ? (size_t)(blank - text) : 0;
	if (!text[0])
		return;
	if (w->count == 1) {
		command(&w->programs[0], text);
		return;
	}
	for (size_t i = 0; blank && i < w->count; i++)
		if (strncmp(text, "all ", 4) == 0 || (word == strlen(w->programs[i].eui64) && strncmp(text, w->programs[i].eui64, word) == 0))
			command(&w->programs[i], blank + 1);
}

static void on_input(void *ctx, unsigned events)
{
	struct world *w = ctx;
	char octets[128];
	ssize_t n = read(STDIN_FILENO, octets, sizeof octets);

	(void)events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			loop_io_free(w->input);
			w->input = NULL;
		}
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (octets[i] == '\n')
			on_line(w);
		else if (w->line_len < sizeof w->line - 1)
			w->line[w->line_len++] = octets[i];
	}
}

/* What kinds there are, one a line. */
static void list_kinds(void)
{
	printf("\nTypes:\n");
	for (int i = 0; i < SIM_KINDS; i++)
		printf("  %-12s %s\n", sim_kind_name((enum sim_kind)i), device_type((enum sim_kind)i)->what);
}

static int fail(const char *text)
{
	fprintf(stderr, "keyway-sim device: %s\n", text);
	return 1;
}

/* "15", "11,15,20-26". */
static bool read_channels(const char *text, uint32_t *mask)
{
	struct rd in = rd_str(text), part;
	bool more = true;

	*mask = 0;
	while (more) {
		uint64_t first, last;
		struct rd low;

		more = rd_until(&in, ',', &part);
		if (!more)
			part = rd_rest(&in);
		low = part;
		if (rd_until(&part, '-', &low) ? !rd_decimal(low, &first) || !rd_decimal(part, &last) : !rd_decimal(part, &first) || (last = first) == 0)
			return false;
		if (first < SIM_CHANNEL_FIRST || last > SIM_CHANNEL_LAST || first > last)
			return false;
		for (uint64_t c = first; c <= last; c++)
			*mask |= 1U << c;
	}
	return true;
}

static int read_code(struct rd text, struct secret **link_key)
{
	struct secret *code = NULL;
	enum err e = install_code_parse(text, &code);

	if (e != OK)
		return fail(e == ERR_BAD_CRC ? "the install code's CRC is wrong" : "--install-code wants the code and its CRC in hexadecimal");
	e = install_code_link_key(code, link_key);
	secret_free(code);
	return e == OK ? 0 : fail(err_text(e));
}

static int read_key(int argc, char **argv, struct secret **link_key)
{
	const char *code_text = sim_option(argc, argv, "--install-code", NULL), *key_text = sim_option(argc, argv, "--link-key", NULL);
	uint8_t octets[SECRET_AES128];

	if (!code_text == !key_text)
		return fail("give either --install-code or --link-key");
	if (key_text) {
		if (!hex_parse(rd_str(key_text), octets, sizeof octets))
			return fail("--link-key wants 32 hexadecimal digits");
		*link_key = secret_take(octets, sizeof octets);
		return *link_key ? 0 : fail("out of memory");
	}
	return read_code(rd_str(code_text), link_key);
}

static bool read_number(int argc, char **argv, const char *name, const char *otherwise, uint32_t *v)
{
	uint64_t number;

	if (!rd_decimal(rd_str(sim_option(argc, argv, name, otherwise)), &number) || number > UINT32_MAX)
		return false;
	*v = (uint32_t)number;
	return true;
}

/* What all devices have in common. */
static int configure(int argc, char **argv, struct sim_device_config *c)
{
	const char *channel = sim_option(argc, argv, "--channel", "15");
	uint32_t timeout, deaf;

	if (!sim_kind_find(sim_option(argc, argv, "--type", sim_option(argc, argv, "--kind", "thermometer")), &c->kind))
		return fail("--type wants one of the types that --help lists");
	if (!read_channels(sim_option(argc, argv, "--channels", channel), &c->channels))
		return fail("--channel and --channels want 11 to 26, such as 15 or 11,15,20-26");
	if (!read_number(argc, argv, "--poll-ms", "2000", &c->poll_ms) || c->poll_ms < 10)
		return fail("--poll-ms wants a number from 10");
	if (!read_number(argc, argv, "--report-interval", "0", &c->report_s))
		return fail("--report-interval wants seconds");
	if (!read_number(argc, argv, "--ack-wait", "0", &c->ack_wait_ms))
		return fail("--ack-wait wants milliseconds");
	if (sim_has(argc, argv, "--sleepy") && sim_has(argc, argv, "--always-on"))
		return fail("--sleepy or --always-on, not both");
	if (sim_has(argc, argv, "--router") && (sim_has(argc, argv, "--sleepy") || sim_has(argc, argv, "--end-device")))
		return fail("--router goes with neither --sleepy nor --end-device");
	if (!read_number(argc, argv, "--timeout", TIMEOUT, &timeout) || timeout > TIMEOUT_MAX)
		return fail("--timeout wants a number from 0 to 14");
	c->timeout = (uint8_t)timeout;
	if (!read_number(argc, argv, "--time-scale", "1", &c->time_scale) || c->time_scale == 0 || c->time_scale > TIME_SCALE_MAX)
		return fail("--time-scale wants a number from 1 to 100");
	if (!read_number(argc, argv, "--deaf", "65535", &deaf) || deaf > UINT16_MAX)
		return fail("--deaf wants a short address");
	c->is_deaf = deaf != UINT16_MAX;
	c->deaf_to = (uint16_t)deaf;
	c->sleepy = sim_has(argc, argv, "--sleepy");
	c->router = sim_has(argc, argv, "--router") || (c->kind == SIM_PLUG && !c->sleepy && !sim_has(argc, argv, "--end-device"));
	c->broadcast_link_status = sim_has(argc, argv, "--broadcast-link-status");
	c->save = save;
	return 0;
}

static uint8_t lowest_channel(uint32_t mask)
{
	uint8_t channel = SIM_CHANNEL_FIRST;

	while (channel < SIM_CHANNEL_LAST && !(mask >> channel & 1))
		channel++;
	return channel;
}

/* What the device remembers; false when there is a file that cannot be read. */
static bool recall(const char *path, char *memory, size_t size, size_t *len)
{
	FILE *f = path[0] ? fopen(path, "r") : NULL;
	bool ok;

	*len = 0;
	if (!f)
		return !path[0] || errno == ENOENT;
	*len = fread(memory, 1, size, f);
	ok = !ferror(f) && *len < size;
	fclose(f);
	return ok;
}

static bool simulate(struct program *p, int argc, char **argv)
{
	const char *temperature = sim_option(argc, argv, "--temperature", NULL);
	char command[64];

	if (!temperature)
		return true;
	snprintf(command, sizeof command, "temperature %s", temperature);
	return sim_device_command(p->device, clock_ms(), command);
}

/* c is what all devices have in common, with this one's address and key. */
static int begin(struct world *w, int argc, char **argv, struct sim_device_config c, bool many)
{
	static char memory[MEMORY_MAX];
	const char *seed = sim_option(argc, argv, "--seed", NULL), *state = sim_option(argc, argv, "--state", NULL);
	struct program *p = &w->programs[w->count];
	uint64_t seeded = 0;
	size_t len = 0;

	if (seed && !rd_decimal(rd_str(seed), &seeded))
		return fail("--seed wants a number");
	eui64_print(p->eui64, c.eui64);
	if (state)
		snprintf(p->path, sizeof p->path, many ? "%s/%s" : "%s", state, p->eui64);
	p->world = w;
	p->rng = seed ? rng_seeded(seeded + w->count) : rng_system();
	c.rng = &p->rng;
	c.save_ctx = p;
	if (!recall(p->path, memory, sizeof memory, &len))
		return fail("the state file cannot be read");
	p->timer = loop_timer_new(w->loop, on_time, p);
	p->device = sim_device_new(&c, rd_of(memory, len), clock_ms());
	bytes_wipe(memory, sizeof memory);
	if (!p->device)
		return fail("the state file is damaged; delete it for a factory-new device");
	if (!simulate(p, argc, argv))
		return fail("--temperature wants degrees Celsius");
	w->count++;
	return 0;
}

/* "EUI64,CODE" and what `keyway device import` reads behind it. */
static int begin_line(struct world *w, int argc, char **argv, struct sim_device_config *c, struct rd line)
{
	struct rd eui64, code;
	int r;

	if (!rd_until(&line, ',', &eui64) || !eui64_parse(eui64, &c->eui64))
		return fail("a line of --devices is EUI64,CODE");
	if (!rd_until(&line, ',', &code))
		code = line;
	r = read_code(code, &c->link_key);
	return r ? r : begin(w, argc, argv, *c, true);
}

static int begin_many(struct world *w, int argc, char **argv, struct sim_device_config *c, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];
	int r = 0;

	if (!f)
		return fail("the file of --devices cannot be read");
	w->programs = calloc(DEVICES_MAX, sizeof *w->programs);
	while (r == 0 && w->programs && w->count < DEVICES_MAX && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			r = begin_line(w, argc, argv, c, rd_str(line));
	}
	bytes_wipe(line, sizeof line);
	fclose(f);
	return r == 0 && w->count == 0 ? fail("the file of --devices names none") : r;
}

static int begin_one(struct world *w, int argc, char **argv, struct sim_device_config *c)
{
	int r;

	if (!eui64_parse(rd_str(sim_option(argc, argv, "--eui64", "")), &c->eui64))
		return fail("--eui64 wants 16 hexadecimal digits");
	w->programs = calloc(1, sizeof *w->programs);
	r = w->programs ? read_key(argc, argv, &c->link_key) : fail("out of memory");
	return r ? r : begin(w, argc, argv, *c, false);
}

int device_main(int argc, char **argv)
{
	static struct world w;
	struct sim_device_config c = {.eui64 = 0};
	const char *devices;
	int r = sim_begin(argc, argv, usage,
	    "--devices= --eui64= --install-code= --link-key= --type= --kind= --sleepy --always-on --router --end-device --broadcast-link-status --time-scale= --deaf= --air= --channel= --channels= --poll-ms= --timeout= --report-interval= --ack-wait= --temperature= --state= --seed= --json");

	if (r == 0)
		list_kinds();
	if (r != SIM_GO_ON)
		return r;
	r = configure(argc, argv, &c);
	if (r)
		return r;
	devices = sim_option(argc, argv, "--devices", NULL);
	if (devices && (c.channels & (c.channels - 1)))
		return fail("--devices goes with one channel");
	log_start("device", LOG_LEVEL_INFO);
	w.loop = loop_new();
	r = devices ? begin_many(&w, argc, argv, &c, devices) : begin_one(&w, argc, argv, &c);
	if (r)
		return r;
	if (air_client_new(w.loop, sim_option(argc, argv, "--air", "127.0.0.1:17754"), lowest_channel(c.channels), on_air, &w, &w.air) != OK)
		return fail("--air wants HOST:PORT");
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) < 0) /* not a file: a pipe or a terminal, which epoll takes */
		w.input = loop_io_new(w.loop, STDIN_FILENO, LOOP_READ, on_input, &w);
	for (size_t i = 0; i < w.count; i++)
		pump(&w.programs[i]);
	loop_run(w.loop);
	return 0;
}
