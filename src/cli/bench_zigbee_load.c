/* What `keyway bench zigbee` measures: commands one at a time, many at once, and a bare exchange beside them. */
#include "cli/bench_zigbee_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/load.h"
#include "ieee802154/mac_frame.h"

#define SWITCH_MS 10000
#define LOG_MAX (32 * 1024 * 1024)
#define PCAP_HEAD 24
#define PCAP_RECORD 16

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

bool zigbee_bench_commands(struct zigbee_bench *b, struct m2m_client *c)
{
	uint64_t end = clock_ms() + (uint64_t)(b->seconds * 1000);
	long from = air_now(b);
	struct air_count n;

	fprintf(stderr, "commands, one at a time ...\n");
	for (unsigned i = 0; clock_ms() < end && !zigbee_bench_stopped; i++) {
		unsigned device = i % b->devices;
		bool on = i / b->devices % 2 == 0;
		uint64_t begin = clock_unix_ms(), patience = clock_ms() + SWITCH_MS, at = 0;

		if (!command(c, device, on))
			return cli_fail("the command for device %016llx was refused", FIRST_DEVICE + device), false;
		while ((at = switched_at(b, device, on)) == 0 && clock_ms() < patience && !zigbee_bench_stopped)
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

bool zigbee_bench_flood(struct zigbee_bench *b)
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

bool zigbee_bench_http(struct zigbee_bench *b)
{
	const char *const argv[] = {"/proc/self/exe", "bench", "reference-http", zigbee_bench_in(b, "answer"), zigbee_bench_in(b, "answer"), NULL};
	static struct load_template t;
	static struct load_result r;
	struct load_options o = {.connections = 1, .warm_ms = 200, .time_ms = 1000, .expect = 200, .make = load_template_make, .ctx = &t, .stop = &zigbee_bench_stopped};
	struct process *p = write_answer(zigbee_bench_in(b, "answer")) ? process_start(&b->set, "reference", argv) : NULL;
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
