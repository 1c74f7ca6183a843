/* The plant of `keyway bench zigbee`, until all its devices are there. */
#include "cli/bench_zigbee_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/rng.h"
#include "cli/device.h"

#define ENROL_MS 120000

const char *zigbee_bench_in(const struct zigbee_bench *b, const char *name)
{
	static char paths[8][PATH_SIZE + 64];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", b->dir, name);
	return path;
}

bool zigbee_bench_ready(struct process *p, const char *role)
{
	if (p && process_wait_line(p, " ready", START_MS))
		return true;
	cli_fail("%s did not start; its log is %s", role, p ? p->log : "missing");
	return false;
}

bool zigbee_bench_start(struct zigbee_bench *b)
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

	if (!zigbee_bench_ready(process_start(&b->set, "air", air), "air") || !zigbee_bench_ready(process_start(&b->set, "rcp", rcp), "rcp"))
		return false;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		const char *const argv[] = {servers[i].program, "--config", zigbee_bench_in(b, servers[i].config), NULL};

		if (!zigbee_bench_ready(process_start(&b->set, servers[i].role, argv), servers[i].role))
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

bool zigbee_bench_register(struct zigbee_bench *b)
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
		device_random_code(&rng, code);
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

bool zigbee_bench_enrol(struct zigbee_bench *b)
{
	const char *const argv[] = {"keyway-sim", "device", "--devices", b->csv, "--kind", "plug", "--always-on", "--end-device", "--air", b->air, NULL};
	uint64_t begin = clock_ms(), end = begin + ENROL_MS;
	unsigned count = 0;

	fprintf(stderr, "enrolment of %u devices ...\n", b->devices);
	b->sim = process_start(&b->set, "devices", argv);
	while (count < b->devices && clock_ms() < end && !zigbee_bench_stopped) {
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

bool zigbee_bench_wait(const struct zigbee_bench *b, struct m2m_client *c)
{
	uint64_t end = clock_ms() + ENROL_MS;
	unsigned done = 0;

	while (done < b->devices && clock_ms() < end && !zigbee_bench_stopped) {
		if (interviewed(c, done))
			done++;
		else
			usleep(100000);
	}
	return done == b->devices || (cli_fail("%u of %u devices have their resources at node B", done, b->devices), false);
}

/* ---- all of it, and its end ---- */

bool zigbee_bench_make(struct zigbee_bench *b)
{
	const char *folder = zigbee_bench_in(b, "plant");
	char radio[80];
	struct plant_options o = {.dir = folder, .radio = radio};

	snprintf(b->air, sizeof b->air, "127.0.0.1:%u", plant_free_port());
	snprintf(b->radio, sizeof b->radio, "127.0.0.1:%u", plant_free_port());
	snprintf(radio, sizeof radio, "tcp:%s", b->radio);
	snprintf(b->pcap, sizeof b->pcap, "%s/air.pcap", b->dir);
	snprintf(b->csv, sizeof b->csv, "%s/devices.csv", b->dir);
	return plant_create(&o) == CLI_OK && plant_open(folder, &b->plant);
}
