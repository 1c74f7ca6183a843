/* `keyway bench security`: handshakes of MAF and MEF, and durable key registrations. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench/handshake.h"
#include "cli/bench_security.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "credentials/credentials.h"
#include "key_registry/registration_codes.h"

#define PATIENCE_MS 30000
#define CLIENTS 2            /* processes: with the server as many as the target's two cores can feed */
#define REGISTRATIONS_AT_ONCE 64
#define TARGET 0.7
#define SLICES 5             /* the servers take turns, so that what else the machine does strikes all of them */
#define ROWS 16
#define PATH_SIZE 600
#define KEY_OCTETS 32

static const char usage[] =
    "usage: keyway bench security [--json] [--seconds N] [--state DIR]\n\n"
    "TLS handshakes a second of keyway-maf and keyway-mef, with pre-shared keys of their stores and with certificates, and as a ratio to a bare GnuTLS loop\n"
    "in the same run (target 0.7, judged by the servers' CPU time); and key registrations a second that are on disk, with their audit, before they are answered.\n\n"
    "  --seconds N  how long each part runs (default 3)\n"
    "  --state DIR  where the stores are: what is measured is this disk (default a new folder in /tmp)\n"
    "  --json       the figures as one JSON object\n"
    "\nExample:\n"
    "  keyway bench security --seconds 10 --state /var/tmp\n";

static const struct suite {
	const char *name, *priority;
	bool certificate;
} suites[] = {
	{"PSK, TLS 1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK", false},
	{"PSK with ECDHE, TLS 1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:-GROUP-ALL:+GROUP-SECP256R1", false},
	{"ECDHE-ECDSA, TLS 1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1", true},
};
#define SUITES (sizeof suites / sizeof suites[0])

struct row {
	const char *server, *suite;
	struct handshake_result r;
	double rate, cpu_us, of_bare, of_bare_cpu;
};

struct security_bench {
	struct plant_options plant;
	struct process_set set;
	char dir[PATH_SIZE];
	double seconds;
	bool json;
	uint8_t key[KEY_OCTETS];
	struct row rows[ROWS];
	size_t row_count;
	double registrations;   /* a second */
	double registration_cpu_us;
	uint64_t registration_failures;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* ---- the plant ---- */

static const char *in(const struct security_bench *b, const char *name)
{
	static char paths[32][PATH_SIZE + 64]; /* some stay for the whole run: see run() */
	static unsigned turn;
	char *p = paths[turn++ % 32];

	snprintf(p, sizeof paths[0], "%s/%s", b->dir, name);
	return p;
}

static bool give_key(const struct security_bench *b, const char *folder, enum credential_kind kind, const char *identity)
{
	struct rng rng = rng_system();
	const struct credentials_options o = {.path = in(b, folder), .rng = &rng};
	struct credential c = {.kind = kind, .suid = (unsigned)kind, .expires_at = UINT64_MAX, .entity = "/id-in/Cbench"};
	uint8_t copy[KEY_OCTETS];
	struct credentials *s;
	const char *detail = "";
	enum err e;

	memcpy(copy, b->key, sizeof copy);
	c.key = secret_take(copy, sizeof copy);
	snprintf(c.identity, sizeof c.identity, "%s", identity);
	e = credentials_open(&o, &s, &detail);
	if (e == OK) {
		e = credentials_put(s, &c, false);
		credentials_close(s);
	}
	credential_clear(&c);
	if (e != OK)
		cli_fail("%s: %s", o.path, detail);
	return e == OK;
}

static bool write_psk(const struct security_bench *b)
{
	char hex[HEX_SIZE(KEY_OCTETS)];
	FILE *f = fopen(in(b, "psk"), "w");

	if (!f)
		return false;
	chmod(in(b, "psk"), 0600);
	hex_print(hex, b->key, sizeof b->key);
	fprintf(f, "bench@bare.example:%s\n", hex);
	bytes_wipe(hex, sizeof hex);
	return fclose(f) == 0;
}

static uint16_t port_in(const struct process *p, const char *what)
{
	char text[4096] = "", *at;
	FILE *f = fopen(p->log, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	at = strstr(text, what);
	return at ? (uint16_t)strtoul(at + strlen(what), NULL, 10) : 0;
}

/* 0 when it does not start. */
static uint16_t start(struct security_bench *b, const char *role, const char *const argv[], const char *what, pid_t *pid)
{
	struct process *p = process_start(&b->set, role, argv);

	if (!p || !process_wait_line(p, "ready ", PATIENCE_MS)) {
		cli_fail("%s does not start; its log is %s/%s.log", role, b->set.out, role);
		return 0;
	}
	*pid = p->pid;
	return port_in(p, what);
}

/* ---- handshakes ---- */

/* One slice of its time, added to what was measured before. */
static bool measure(struct security_bench *b, struct row *row, const char *server, uint16_t port, pid_t pid, const char *identity, const struct suite *s)
{
	const struct handshake_options o = {
		.port = port,
		.name = strchr(identity, '@') + 1,
		.priority = s->priority,
		.ca = s->certificate ? in(b, "tls/ca.pem") : NULL,
		.cert = s->certificate ? in(b, "tls/operator.pem") : NULL,
		.key = s->certificate ? in(b, "tls/operator.key") : NULL,
		.identity = identity,
		.psk = b->key,
		.clients = CLIENTS,
		.time_ms = (uint64_t)(b->seconds * 1000 / SLICES),
		.server = pid,
		.stop = &stopped,
	};
	struct handshake_result slice;
	enum err e = handshake_run(&o, &slice);

	if (e == ERR_CLOSED)
		return false;
	if (e != OK) {
		cli_fail("%s, %s: no handshake succeeded; the log is %s/%s.log", server, s->name, b->set.out, server);
		return false;
	}
	row->server = server;
	row->suite = s->name;
	row->cpu_us += slice.server_cpu_us * (double)slice.handshakes;
	row->r.handshakes += slice.handshakes;
	row->r.failures += slice.failures;
	row->r.seconds += slice.seconds;
	row->rate = (double)row->r.handshakes / row->r.seconds;
	row->r.server_cpu_us = row->cpu_us / (double)row->r.handshakes;
	return true;
}

static void ratios(struct security_bench *b)
{
	for (size_t i = 0; i < b->row_count; i++) {
		for (size_t k = 0; k < b->row_count; k++) {
			if (strcmp(b->rows[k].server, "bare") != 0 || strcmp(b->rows[k].suite, b->rows[i].suite) != 0)
				continue;
			b->rows[i].of_bare = b->rows[i].rate / b->rows[k].rate;
			if (b->rows[i].r.server_cpu_us > 0)
				b->rows[i].of_bare_cpu = b->rows[k].r.server_cpu_us / b->rows[i].r.server_cpu_us;
		}
	}
}

/* ---- registrations ---- */

/* An HTTP request whose body is `body`. */
static void request_of(char *text, size_t size, const char *body)
{
	snprintf(text, size,
	    "POST " REGISTRATION_BASE_MAF " HTTP/1.1\r\nHost: maf.keyway.example\r\nX-M2M-Origin: /id-in/CAdmin\r\nX-M2M-RI: bench\r\nX-M2M-RVI: 3\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
}

static bool registrations(struct security_bench *b, uint16_t port, pid_t pid)
{
	static const char client[] = "{\"" REGISTRATION_MAF_CLIENT "\":{\"fqdn\":\"maf.keyway.example\",\"et\":\"20991231T235959\",\"adminFQDN\":\"bench.example\"}}";
	static const char key[] = "{\"" REGISTRATION_KEY "\":{\"fqdn\":\"maf.keyway.example\",\"et\":\"20991231T235959\",\"adminFQDN\":\"bench.example\",\"SUID\":32,"
				  "\"targetIDs\":[\"/id-in\"],\"keyValue\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}}";
	char request[1024];
	struct handshake_options o = {
		.port = port,
		.name = "maf.keyway.example",
		.priority = suites[SUITES - 1].priority,
		.ca = in(b, "tls/ca.pem"),
		.cert = in(b, "tls/operator.pem"),
		.key = in(b, "tls/operator.key"),
		.request = request,
		.wanted = "X-M2M-RSC: 2001",
		.clients = 1,
		.time_ms = 1,
		.server = pid,
		.stop = &stopped,
	};
	struct handshake_result r;
	enum err e;

	fprintf(stderr, "key registrations ...\n");
	request_of(request, sizeof request, client);
	e = handshake_run(&o, &r);
	request_of(request, sizeof request, key);
	o.clients = REGISTRATIONS_AT_ONCE;
	o.time_ms = (uint64_t)(b->seconds * 1000);
	if (e == OK)
		e = handshake_run(&o, &r);
	if (e == ERR_CLOSED)
		return false;
	if (e != OK) {
		cli_fail("no key could be registered; the log is %s/maf.log", b->set.out);
		return false;
	}
	b->registrations = (double)r.handshakes / r.seconds;
	b->registration_cpu_us = r.server_cpu_us;
	b->registration_failures = r.failures;
	return true;
}

/* ---- telling ---- */

/* By the server's CPU time: what a core can do, whatever else the machine has to do, and however fast the clients are. */
static double worst(const struct security_bench *b)
{
	double least = 1e9;

	for (size_t i = 0; i < b->row_count; i++)
		if (b->rows[i].of_bare_cpu < least && strcmp(b->rows[i].server, "bare") != 0)
			least = b->rows[i].of_bare_cpu;
	return least;
}

static void tell_json(const struct security_bench *b)
{
	uint8_t buffer[8192];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd text;

	json_object(&o, NULL);
	json_put_string(&o, "bench", "security");
	json_array(&o, "rows");
	for (size_t i = 0; i < b->row_count; i++) {
		json_object(&o, NULL);
		json_put_string(&o, "server", b->rows[i].server);
		json_put_string(&o, "suite", b->rows[i].suite);
		json_put_double(&o, "per_second", b->rows[i].rate);
		json_put_double(&o, "server_cpu_us", b->rows[i].r.server_cpu_us);
		json_put_uint(&o, "failures", b->rows[i].r.failures);
		json_put_double(&o, "of_bare", b->rows[i].of_bare);
		json_put_double(&o, "of_bare_cpu", b->rows[i].of_bare_cpu);
		json_close(&o);
	}
	json_close(&o);
	json_put_double(&o, "target", TARGET);
	json_put_double(&o, "worst", worst(b));
	json_put_bool(&o, "met", worst(b) >= TARGET);
	json_put_double(&o, "key_registrations_per_second", b->registrations);
	json_put_double(&o, "key_registration_cpu_us", b->registration_cpu_us);
	json_put_uint(&o, "key_registration_failures", b->registration_failures);
	json_close(&o);
	if (wr_done(&w, &text))
		cli_print_json(text);
}

static void tell(const struct security_bench *b)
{
	printf("%s%-5s %-25s %12s %12s %9s %9s%s\n", style(STYLE_BOLD), "", "handshake", "a second", "CPU us", "of bare", "CPU", style(STYLE_PLAIN));
	for (size_t i = 0; i < b->row_count; i++)
		printf("%-5s %-25s %12.0f %12.0f %9.2f %9.2f%s\n", b->rows[i].server, b->rows[i].suite, b->rows[i].rate, b->rows[i].r.server_cpu_us, b->rows[i].of_bare,
		    b->rows[i].of_bare_cpu, b->rows[i].r.failures ? "  some failed" : "");
	printf("\nworst of MAF and MEF, by CPU time: %.2f of bare GnuTLS; the target of %.1f is %s\n", worst(b), TARGET, worst(b) >= TARGET ? "met" : "NOT met");
	printf("durable key registrations at the MAF, %d at once: %.0f a second, %.0f us CPU each%s\n", REGISTRATIONS_AT_ONCE, b->registrations,
	    b->registration_cpu_us, b->registration_failures ? "; some failed" : "");
}

/* ---- the run ---- */

static bool run(struct security_bench *b)
{
	const char *const bare[] = {"/proc/self/exe", "bench", "reference-tls", in(b, "tls/ca.pem"), in(b, "tls/mef.pem"), in(b, "tls/mef.key"), in(b, "psk"), NULL};
	const char *const mef[] = {"keyway-mef", "--config", in(b, "mef.ini"), NULL}, *const maf[] = {"keyway-maf", "--config", in(b, "maf.ini"), NULL};
	struct {
		const char *name, *identity;
		uint16_t port;
		pid_t pid;
	} servers[] = {{"bare", "bench@bare.example", 0, 0}, {"mef", "bench@mef.keyway.example", 0, 0}, {"maf", "bench@maf.keyway.example", 0, 0}};

	if (!write_psk(b) || !give_key(b, "mef/credentials.db", KIND_KPM, servers[1].identity) || !give_key(b, "maf/credentials.db", KIND_KM, servers[2].identity))
		return false;
	servers[0].port = start(b, "bare", bare, "ready tls=", &servers[0].pid);
	servers[1].port = start(b, "mef", mef, "ready mmef=", &servers[1].pid);
	servers[2].port = start(b, "maf", maf, "ready mmaf=", &servers[2].pid);
	for (size_t k = 0; k < SUITES; k++) {
		fprintf(stderr, "%s ...\n", suites[k].name);
		for (size_t n = 0; n < SLICES * 3; n++) {
			size_t i = n % 3;

			if (servers[i].port == 0 ||
			    !measure(b, &b->rows[3 * k + i], servers[i].name, servers[i].port, servers[i].pid, servers[i].identity, &suites[k]))
				return false;
		}
	}
	b->row_count = 3 * SUITES;
	ratios(b);
	return registrations(b, servers[2].port, servers[2].pid);
}

int bench_security_main(int argc, char **argv)
{
	static struct security_bench b;
	const char *state, *seconds;
	struct rng rng = rng_system();
	bool good;
	int r;

	if (cli_flag(&argc, argv, "--help"))
		return cli_help(usage);
	state = cli_option(&argc, argv, "--state");
	seconds = cli_option(&argc, argv, "--seconds");
	b.json = cli_flag(&argc, argv, "--json");
	b.seconds = seconds ? strtod(seconds, NULL) : 3;
	r = cli_operands(usage, argc, argv, 0, 0);
	if (r != CLI_OK)
		return r;
	if (b.seconds < 0.1 || b.seconds > 600)
		return cli_misuse(usage, "--seconds wants a number from 0.1 to 600");
	snprintf(b.dir, sizeof b.dir, "%s/keyway-bench-XXXXXX", state ? state : "/tmp");
	if (strchr(b.dir, '\'') || !mkdtemp(b.dir) || !process_find_programs(&b.set))
		return cli_fail("%s cannot be made", b.dir);
	snprintf(b.set.out, sizeof b.set.out, "%.255s", b.dir);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	rng_fill(&rng, b.key, sizeof b.key);
	b.plant.dir = b.dir;
	b.plant.sp = "keyway.example";
	good = plant_create(&b.plant) == CLI_OK && run(&b);
	good = process_stop_all(&b.set) && good;
	if (good && b.json)
		tell_json(&b);
	else if (good)
		tell(&b);
	bytes_wipe(b.key, sizeof b.key);
	if (good || stopped)
		process_remove_folder(b.dir);
	return good ? CLI_OK : CLI_FAILED;
}
