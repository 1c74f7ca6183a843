/* `keyway bench cse`: starts a CSE and the references, runs the measurements, cleans up. */
#include "cli/bench_cse.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define START_PATIENCE_MS 600000 /* a store that is checked may take its time; it is measured, not refused */
#define LOG_MAX 65536

static const char usage[] =
    "usage: keyway bench cse [options]\n\n"
    "Measures a CSE of its own, in a process of its own with a store of its own, over HTTP at 127.0.0.1. Both are removed at the end.\n\n"
    "  --only NAME           one measurement: latest, path, create, notify, discover or start\n"
    "  --binding NAME        retrieve by coap, ws or mqtt instead, against libcoap's server, HTTP, or an echo through the same broker\n"
    "  --connections N,N...  instead of 1,8,64\n"
    "  --seconds N           of counting in each measurement, instead of 5\n"
    "  --instances N         for `start`, instead of 1000000\n"
    "  --cse PROGRAM         instead of the keyway-cse beside this program\n"
    "  --state DIR           where the stores go for the time being; otherwise $TMPDIR or /var/tmp. Should be a disk\n"
    "  --quick               a few seconds, small trees: shows that it runs, the figures mean little\n"
    "  --keep                leave the stores and the logs\n"
    "  --json                for a script\n"
    "\nExamples:\n"
    "  keyway bench cse --only create --connections 1,64 --state /var/tmp\n"
    "  keyway bench cse --quick --json\n";

static struct bench bench;

static void on_signal(int number)
{
	(void)number;
	bench.stop = 1;
}

bool bench_fail(struct bench *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(b->error, sizeof b->error, fmt, args);
	va_end(args);
	return false;
}

/* ---- processes ---- */

/* The port in the line "ready ... http=PORT" behind the word, "http=" say; 0 when there is none. */
static uint16_t ready_port(const struct process *p, const char *binding)
{
	char *text = calloc(1, LOG_MAX);
	const char *at = NULL;
	unsigned port = 0;
	FILE *f = fopen(p->log, "r");

	if (f && text && fseek(f, p->log_from, SEEK_SET) == 0 && fread(text, 1, LOG_MAX - 1, f) > 0)
		at = strstr(text, "ready ");
	at = at ? strstr(at, binding) : NULL;
	if (!at || sscanf(at + strlen(binding), "%u", &port) != 1 || port > UINT16_MAX)
		port = 0;
	if (f)
		fclose(f);
	free(text);
	return (uint16_t)port;
}

static bool write_configuration(struct bench *b, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return bench_fail(b, "%s: %s", path, strerror(errno));
	fprintf(f, "[cse]\ntype = in\nid = /id-in\nname = cse-in\nadmin = CAdmin\nstate = %s/state\n[http]\nlisten = 127.0.0.1:0\n", b->dir);
	if (b->o.binding && strcmp(b->o.binding, "coap") == 0)
		fprintf(f, "[coap]\nlisten = 127.0.0.1:0\n");
	if (b->broker_port)
		fprintf(f, "[mqtt]\nbroker = mqtt://127.0.0.1:%u\n", b->broker_port);
	return fclose(f) == 0 || bench_fail(b, "%s: %s", path, strerror(errno));
}

bool bench_cse_start(struct bench *b)
{
	char configuration[300];
	const char *const argv[] = {b->o.cse ? b->o.cse : "keyway-cse", "--config", configuration, NULL};

	snprintf(configuration, sizeof configuration, "%s/cse.ini", b->dir);
	if (b->o.binding && strcmp(b->o.binding, "mqtt") == 0 && !bench_broker_start(b))
		return false;
	if (!write_configuration(b, configuration))
		return false;
	b->cse = process_start(&b->set, "cse", argv);
	if (!b->cse || !process_wait_line(b->cse, "ready ", START_PATIENCE_MS))
		return bench_fail(b, "keyway-cse does not start; its log is %s/cse.log", b->dir);
	b->port = ready_port(b->cse, " http=");
	b->coap_port = ready_port(b->cse, " coap=");
	return b->port != 0 || bench_fail(b, "keyway-cse does not say which port it has");
}

void bench_cse_stop(struct bench *b, bool kill_it)
{
	if (kill_it && b->cse && process_alive(b->cse))
		kill(b->cse->pid, SIGKILL);
	if (!process_stop_all(&b->set))
		b->crashed = true;
	b->cse = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

bool bench_cse_fresh(struct bench *b)
{
	char path[300];

	bench_cse_stop(b, false);
	snprintf(path, sizeof path, "%s/state", b->dir);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return bench_cse_start(b);
}

uint16_t bench_reference_start(struct bench *b, const char *get, const char *post, pid_t *pid)
{
	const char *const argv[] = {"/proc/self/exe", "bench", "reference-http", get, post, NULL};
	struct process *p = process_start(&b->set, "reference", argv);

	if (!p || !process_wait_line(p, "ready ", START_PATIENCE_MS))
		return 0;
	*pid = p->pid;
	return ready_port(p, " http=");
}

/* ---- one request ---- */

bool bench_ask(struct bench *b, const char *head, const char *body, unsigned expect, struct wr *answer)
{
	static struct load_template t;
	static struct load_result r;
	struct wr own = wr_new(1024 * 1024);
	struct load_options o = {
		.port = b->port,
		.connections = 1,
		.count = 1,
		.expect = expect,
		.make = load_template_make,
		.ctx = &t,
		.answer = answer ? answer : &own,
		.beside = sink_descriptor(b->sink),
		.on_beside = sink_run,
		.beside_ctx = b->sink,
		.stop = &b->stop,
	};
	enum err e = load_template_init(&t, head, body) ? load_run(&o, &r) : ERR_TOO_LONG;
	bool ok = e == OK && r.answers == 1;

	if (!ok && e != OK)
		bench_fail(b, "%.60s: %s", head, err_text(e));
	else if (!ok)
		bench_fail(b, "%.*s: status %u: %.*s", (int)strcspn(head, "\r"), head, r.error_status, (int)(o.answer->len < 300 ? o.answer->len : 300),
		    o.answer->octets ? (const char *)o.answer->octets : "");
	wr_free(&own);
	return ok;
}

/* ---- options ---- */

static bool connections_parse(struct bench_options *o, const char *text)
{
	struct rd r = rd_str(text), part;
	uint64_t n;

	o->connection_count = 0;
	while (r.left > 0) {
		if (!rd_until(&r, ',', &part))
			part = rd_rest(&r);
		if (!rd_decimal(part, &n) || n == 0 || n > LOAD_CONNECTIONS_MAX || o->connection_count == BENCH_CONNECTION_COUNTS)
			return false;
		o->connections[o->connection_count++] = (unsigned)n;
	}
	return o->connection_count > 0;
}

static bool known(const char *name)
{
	for (const struct bench_case *c = bench_cases; c->name; c++)
		if (!name || strcmp(c->name, name) == 0)
			return true;
	return false;
}

static bool options_parse(int argc, char **argv, struct bench_options *o, const char **state)
{
	const char *connections, *seconds, *instances;
	uint64_t n = 0;

	o->json = cli_flag(&argc, argv, "--json");
	o->quick = cli_flag(&argc, argv, "--quick");
	o->keep = cli_flag(&argc, argv, "--keep");
	o->only = cli_option(&argc, argv, "--only");
	o->cse = cli_option(&argc, argv, "--cse");
	o->binding = cli_option(&argc, argv, "--binding");
	*state = cli_option(&argc, argv, "--state");
	connections = cli_option(&argc, argv, "--connections");
	seconds = cli_option(&argc, argv, "--seconds");
	instances = cli_option(&argc, argv, "--instances");
	o->seconds = o->quick ? 0.1 : 5;
	o->instances = o->quick ? 1000 : 1000000;
	o->few_resources = 1000;
	o->many_resources = o->quick ? 2000 : 100000;
	if (!connections_parse(o, connections ? connections : o->quick ? "1,8" : "1,8,64"))
		return false;
	if (seconds && (!rd_decimal(rd_str(seconds), &n) || n == 0 || n > 600))
		return false;
	if (seconds)
		o->seconds = (double)n;
	if (instances && (!rd_decimal(rd_str(instances), &o->instances) || o->instances == 0))
		return false;
	return argc == 1 && known(o->only) && (!o->binding || (!o->only && bench_binding_known(o->binding)));
}

/* ---- surroundings ---- */

static bool prepare(struct bench *b, const char *state)
{
	const char *tmp = state ? state : getenv("TMPDIR");
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!process_find_programs(&b->set))
		return bench_fail(b, "the programs cannot be found");
	snprintf(b->dir, sizeof b->dir, "%s/keyway-bench-XXXXXX", tmp && tmp[0] ? tmp : "/var/tmp");
	if (!mkdtemp(b->dir)) {
		bench_fail(b, "%s: %s", b->dir, strerror(errno));
		b->dir[0] = '\0';
		return false;
	}
	snprintf(b->set.out, sizeof b->set.out, "%s", b->dir);
	return sink_new(&b->sink) == OK || bench_fail(b, "no port for a subscriber");
}

static void clean_up(struct bench *b)
{
	bench_cse_stop(b, false);
	sink_free(b->sink);
	if (b->dir[0] && b->o.keep)
		fprintf(stderr, "stores and logs: %s\n", b->dir);
	else if (b->dir[0])
		nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool run(struct bench *b)
{
	if (b->o.binding)
		return bench_binding_run(b);
	for (const struct bench_case *c = bench_cases; c->name; c++)
		if ((!b->o.only || strcmp(b->o.only, c->name) == 0) && (b->stop || !c->run(b)))
			return false;
	return true;
}

int bench_cse_main(int argc, char **argv)
{
	struct bench *b = &bench;
	const char *state = NULL;
	bool ok;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cli_help(usage);
	if (!options_parse(argc, argv, &b->o, &state))
		return cli_misuse(usage, "an option is none, or its value is none of its kind");
	ok = prepare(b, state) && run(b);
	clean_up(b);
	if (b->stop)
		return cli_fail("stopped");
	if (!ok)
		return cli_fail("%s", b->error);
	if (b->crashed)
		return cli_fail("the CSE did not survive; --keep keeps its log");
	bench_report(b);
	return CLI_OK;
}
