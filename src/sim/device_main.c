/* `keyway-sim device`: one simulated Zigbee device on the air. */
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
#define TIME_SCALE_MAX 100
#define TIMEOUT "3" /* 8 minutes */
#define TIMEOUT_MAX 14

static const char usage[] =
    "usage: keyway-sim device --eui64 EUI64 --install-code CODE | --link-key HEX [--type TYPE]\n"
    "                         [--sleepy | --always-on] [--router | --end-device] [--air 127.0.0.1:17754] [--channel 15 | --channels 11,15,20-26] [--poll-ms 2000]\n"
    "                         [--report-interval S] [--temperature 21.5] [--state FILE] [--seed N] [--json]\n\n"
    "A strict Zigbee 3.0 end device or router. Tells what happens as JSON lines; takes commands as lines on standard input:\n"
    "open, close, vibrate, on, off, toggle, temperature 23.5, leave, rejoin, factory-reset, permit 60.\n"
    "zone BITS (status of its alarm zone), set [ENDPOINT/]CLUSTER/ATTRIBUTE VALUE, press [ENDPOINT/]CLUSTER/COMMAND.\n\n"
    "  --type TYPE          what it is, see below; also --kind\n"
    "  --install-code CODE  as on a label, with its CRC; or --link-key HEX, the link key itself\n"
    "  --sleepy             polls its parent every --poll-ms; --always-on (default) listens\n"
    "  --router             routes: wants link status and routes from its coordinator, and lets others in when told; a plug does unless\n"
    "                       --end-device or --sleepy\n"
    "  --broadcast-link-status  a router that takes link status as MAC broadcast alone, as the letter of the standard has it\n"
    "  --time-scale N       a router's periods of 15 s are N times shorter; radio and acknowledgements keep their time\n"
    "  --channels LIST      which it scans\n"
    "  --timeout N          end-device time-out that it asks for: 0 is 10 s, N is 2^N minutes; default 3\n"
    "  --report-interval S  reports at least so often, whatever the reporting configuration says\n"
    "  --temperature T      at the start, of a thermometer\n"
    "  --state FILE         its non-volatile memory; without one it is factory-new at every start\n"
    "  --seed N             of the randomness; without it the system's\n"
    "  --json               is taken and changes nothing: events are always JSON\n";

struct program {
	struct loop *loop;
	struct air_client *air;
	struct sim_device *device;
	struct loop_timer *timer;
	struct loop_io *input;
	struct rng rng;
	const char *path;
	char eui64[EUI64_SIZE];
	char line[256];
	size_t line_len;
};

/* Written beside, synced and renamed: the memory is never half of one and half of another. */
static enum err save(void *ctx, struct rd text)
{
	struct program *p = ctx;
	char temporary[600];
	int fd;
	bool ok;

	if (!p->path)
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
			air_client_send(p->air, rd_of(e.octets, e.len));
			break;
		case SIM_DEVICE_CHANNEL:
			air_client_channel(p->air, e.channel);
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
	struct program *p = ctx;

	(void)channel;
	(void)lqi;
	sim_device_input(p->device, clock_ms(), psdu);
	pump(p);
}

static void on_line(struct program *p)
{
	p->line[p->line_len] = '\0';
	p->line_len = 0;
	if (p->line[0] && !sim_device_command(p->device, clock_ms(), p->line))
		printf("{\"device\":\"%s\",\"event\":\"unknown-command\"}\n", p->eui64);
	pump(p);
}

static void on_input(void *ctx, unsigned events)
{
	struct program *p = ctx;
	char octets[128];
	ssize_t n = read(STDIN_FILENO, octets, sizeof octets);

	(void)events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			loop_io_free(p->input);
			p->input = NULL;
		}
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (octets[i] == '\n')
			on_line(p);
		else if (p->line_len < sizeof p->line - 1)
			p->line[p->line_len++] = octets[i];
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

static int read_key(int argc, char **argv, struct secret **link_key)
{
	const char *code_text = sim_option(argc, argv, "--install-code", NULL), *key_text = sim_option(argc, argv, "--link-key", NULL);
	uint8_t octets[SECRET_AES128];
	struct secret *code = NULL;
	enum err e;

	if (!code_text == !key_text)
		return fail("give either --install-code or --link-key");
	if (key_text) {
		if (!hex_parse(rd_str(key_text), octets, sizeof octets))
			return fail("--link-key wants 32 hexadecimal digits");
		*link_key = secret_take(octets, sizeof octets);
		return *link_key ? 0 : fail("out of memory");
	}
	e = install_code_parse(rd_str(code_text), &code);
	if (e != OK)
		return fail(e == ERR_BAD_CRC ? "the install code's CRC is wrong" : "--install-code wants the code and its CRC in hexadecimal");
	e = install_code_link_key(code, link_key);
	secret_free(code);
	return e == OK ? 0 : fail(err_text(e));
}

static bool read_number(int argc, char **argv, const char *name, const char *otherwise, uint32_t *v)
{
	uint64_t number;

	if (!rd_decimal(rd_str(sim_option(argc, argv, name, otherwise)), &number) || number > UINT32_MAX)
		return false;
	*v = (uint32_t)number;
	return true;
}

static int configure(struct program *p, int argc, char **argv, struct sim_device_config *c)
{
	const char *channel = sim_option(argc, argv, "--channel", "15"), *seed = sim_option(argc, argv, "--seed", NULL);
	uint64_t seeded = 0;
	uint32_t timeout;

	if (!eui64_parse(rd_str(sim_option(argc, argv, "--eui64", "")), &c->eui64))
		return fail("--eui64 wants 16 hexadecimal digits");
	if (!sim_kind_find(sim_option(argc, argv, "--type", sim_option(argc, argv, "--kind", "thermometer")), &c->kind))
		return fail("--type wants one of the types that --help lists");
	if (!read_channels(sim_option(argc, argv, "--channels", channel), &c->channels))
		return fail("--channel and --channels want 11 to 26, such as 15 or 11,15,20-26");
	if (!read_number(argc, argv, "--poll-ms", "2000", &c->poll_ms) || c->poll_ms < 10)
		return fail("--poll-ms wants a number from 10");
	if (!read_number(argc, argv, "--report-interval", "0", &c->report_s))
		return fail("--report-interval wants seconds");
	if (seed && !rd_decimal(rd_str(seed), &seeded))
		return fail("--seed wants a number");
	if (sim_has(argc, argv, "--sleepy") && sim_has(argc, argv, "--always-on"))
		return fail("--sleepy or --always-on, not both");
	if (sim_has(argc, argv, "--router") && (sim_has(argc, argv, "--sleepy") || sim_has(argc, argv, "--end-device")))
		return fail("--router goes with neither --sleepy nor --end-device");
	if (!read_number(argc, argv, "--timeout", TIMEOUT, &timeout) || timeout > TIMEOUT_MAX)
		return fail("--timeout wants a number from 0 to 14");
	c->timeout = (uint8_t)timeout;
	if (!read_number(argc, argv, "--time-scale", "1", &c->time_scale) || c->time_scale == 0 || c->time_scale > TIME_SCALE_MAX)
		return fail("--time-scale wants a number from 1 to 100");
	c->sleepy = sim_has(argc, argv, "--sleepy");
	c->router = sim_has(argc, argv, "--router") || (c->kind == SIM_PLUG && !c->sleepy && !sim_has(argc, argv, "--end-device"));
	c->broadcast_link_status = sim_has(argc, argv, "--broadcast-link-status");
	eui64_print(p->eui64, c->eui64);
	p->path = sim_option(argc, argv, "--state", NULL);
	p->rng = seed ? rng_seeded(seeded) : rng_system();
	c->rng = &p->rng;
	c->save = save;
	c->save_ctx = p;
	return read_key(argc, argv, &c->link_key);
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
	FILE *f = path ? fopen(path, "r") : NULL;
	bool ok;

	*len = 0;
	if (!f)
		return !path || errno == ENOENT;
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

int device_main(int argc, char **argv)
{
	static struct program p;
	static char memory[MEMORY_MAX];
	struct sim_device_config c = {.eui64 = 0};
	size_t len = 0;
	int r = sim_begin(argc, argv, usage,
	    "--eui64= --install-code= --link-key= --type= --kind= --sleepy --always-on --router --end-device --broadcast-link-status --time-scale= --air= --channel= --channels= --poll-ms= --timeout= --report-interval= --temperature= --state= --seed= --json");

	if (r == 0)
		list_kinds();
	if (r != SIM_GO_ON)
		return r;
	r = configure(&p, argc, argv, &c);
	if (r)
		return r;
	if (!recall(p.path, memory, sizeof memory, &len))
		return fail("the state file cannot be read");
	log_start("device", LOG_LEVEL_INFO);
	p.loop = loop_new();
	p.timer = loop_timer_new(p.loop, on_time, &p);
	p.device = sim_device_new(&c, rd_of(memory, len), clock_ms());
	bytes_wipe(memory, sizeof memory);
	if (!p.device)
		return fail("the state file is damaged; delete it for a factory-new device");
	if (!simulate(&p, argc, argv))
		return fail("--temperature wants degrees Celsius");
	if (air_client_new(p.loop, sim_option(argc, argv, "--air", "127.0.0.1:17754"), lowest_channel(c.channels), on_air, &p, &p.air) != OK)
		return fail("--air wants HOST:PORT");
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) < 0) /* not a file: a pipe or a terminal, which epoll takes */
		p.input = loop_io_new(p.loop, STDIN_FILENO, LOOP_READ, on_input, &p);
	pump(&p);
	loop_run(p.loop);
	return 0;
}
