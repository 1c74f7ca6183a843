/* The demo's devices: their labels, how they are registered and join, what they read, and a command. */
#include "cli/demo_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "cli/device.h"

#define ENROL_MS 120000
#define COMMAND_MS 60000

void demo_make_devices(struct demo *d)
{
	static const struct demo_device kinds[DEMO_DEVICES] = {
		{.role = "device-1", .kind = "thermometer", .title = "temperature sensor, sleepy", .power = "--sleepy", .root = "cod:tempe", .attribute = "curT0", .unit = " °C"},
		{.role = "device-2", .kind = "plug", .title = "smart plug", .power = "--always-on", .root = "cod:binSh", .attribute = "state", .unit = ""},
		{.role = "device-3", .kind = "contact", .title = "door contact, sleepy", .power = "--sleepy", .root = "cod:dooSs", .attribute = "dooSe", .unit = ""},
	};
	struct rng rng = rng_system();

	for (size_t i = 0; i < DEMO_DEVICES; i++) {
		d->devices[i] = kinds[i];
		eui64_print(d->devices[i].eui64, 0x00124b0000000000U | (uint64_t)rng_u32(&rng) << 4 | i);
		device_random_code(&rng, d->devices[i].code);
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

int demo_register_all(struct demo *d)
{
	const char *gateway[] = {"gateway", "add", "gw1", NULL};
	char request[512];

	if (run_command(gateway_command_main, gateway, d->plant_dir) != CLI_OK)
		return CLI_FAILED;
	for (size_t i = 0; i < DEMO_DEVICES; i++) {
		struct demo_device *dev = &d->devices[i];

		snprintf(request, sizeof request, "{\"cmd\":\"device.add\",\"device\":\"%s\",\"code\":\"%s\",\"owner\":\"/id-b\",\"gateway\":\"gw1\",\"application\":\"demo\"}",
		    dev->eui64, dev->code);
		if (!admin_do(d, request))
			return CLI_FAILED;
		demo_good(d, "registered %s, %s: install code to the MEF, owner /id-b", dev->eui64, dev->title);
	}
	if (!admin_do(d, "{\"cmd\":\"permit\",\"gateway\":\"gw1\",\"seconds\":600}"))
		return CLI_FAILED;
	demo_step("joining is open at gw1, for these three only");
	return CLI_OK;
}

int demo_start_devices(struct demo *d)
{
	for (size_t i = 0; i < DEMO_DEVICES; i++) {
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
int demo_enrol(struct demo *d)
{
	uint64_t end = clock_ms() + ENROL_MS;
	size_t done = 0;

	while (done < DEMO_DEVICES && clock_ms() < end && !demo_interrupted()) {
		for (size_t i = 0; i < DEMO_DEVICES; i++) {
			struct demo_device *dev = &d->devices[i];
			char state[32];

			if (!dev->enrolled && device_state_is(d, dev, "verified", state, sizeof state)) {
				dev->enrolled = true;
				demo_good(d, "%s enrolled: network key under its install code, own Trust Centre link key verified", dev->title);
			}
			if (dev->enrolled && !dev->read && (dev->resource[0] || find_resource(d, dev)) && read_attribute(d, dev, dev->reading, sizeof dev->reading)) {
				dev->read = true;
				done++;
				demo_good(d, "%s reads %s%s%s%s  %s", dev->title, style(STYLE_BOLD), dev->reading, dev->unit, style(STYLE_PLAIN), dev->resource);
			}
		}
		pause_a_little(d);
	}
	for (size_t i = 0; i < DEMO_DEVICES; i++) {
		char state[32];

		if (!d->devices[i].read) {
			device_state_is(d, &d->devices[i], "", state, sizeof state);
			cli_fail("%s: %s; the MEF's state of it is `%s`", d->devices[i].title, d->devices[i].enrolled ? "enrolled, but no reading" : "not enrolled", state);
		}
	}
	return done == DEMO_DEVICES ? CLI_OK : CLI_FAILED;
}

int demo_switch_plug(struct demo *d)
{
	struct demo_device *plug = &d->devices[1];
	struct process *process = NULL;
	uint64_t end = clock_ms() + COMMAND_MS;
	char value[64] = "";
	struct m2m_answer a;

	for (size_t i = 0; i < d->set.count; i++)
		if (strcmp(d->set.all[i].role, plug->role) == 0)
			process = &d->set.all[i];
	demo_step("UPDATE %s state=true", plug->resource);
	m2m_call(&d->client, KEYWAY_UPDATE, plug->resource, NULL, 0, "{\"cod:binSh\":{\"state\":true}}", &a);
	if (!a.ok) {
		cli_fail("node B refused: %.300s", a.detail);
		m2m_answer_clear(&a);
		return CLI_FAILED;
	}
	m2m_answer_clear(&a);
	while (clock_ms() < end && !demo_interrupted()) {
		if (process && process_has_line(process, "\"on\":true") && read_attribute(d, plug, value, sizeof value) && strcmp(value, "true") == 0) {
			d->switched = true;
			demo_good(d, "the plug is on; it says so itself");
			return CLI_OK;
		}
		pause_a_little(d);
	}
	return cli_fail("the plug did not switch; see %s", process ? process->log : "its log");
}
