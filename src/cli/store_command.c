/* `keyway backup`, `keyway restore`, `keyway check`: the store of a CSE, beside the CSE that has it open, or without one; the whole state of any program. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/backup_all.h"
#include "cli/cli.h"
#include "store/store.h"

#define PATH_SIZE 1024

static const char backup_usage[] =
    "usage: keyway backup --out FILE [--state DIR] [--json]\n"
    "       keyway backup --all FOLDER --state DIR [--with-keys] [--json]\n\n"
    "Copies the store of a CSE to a file, or all that a program keeps to a folder, each database as of one moment, while the program goes on. The copy is\n"
    "checked and on disk before it gets its name; nothing of that name may be there. `keyway restore` brings a folder back. To restore a file: stop the CSE, put it\n"
    "in the place of DIR/cse.db, remove DIR/cse.db-wal and DIR/cse.db-shm.\n\n"
    "  --out FILE    the copy of a CSE's store (cse.db) alone\n"
    "  --all FOLDER  the copy of every database of the state directory, and of the files beside them\n"
    "  --state DIR   the program's state directory, `state` in its configuration (default: that of a keyway-cse of this user)\n"
    "  --with-keys   key files too: whoever has such a copy has the keys\n"
    "  --json        the answer as one JSON object\n\n"
    "Examples:\n"
    "  keyway backup --state plant/node-b --out cse-$(date +%F).db\n"
    "  keyway backup --state plant/mef --all mef-$(date +%F)\n";
static const char restore_usage[] =
    "usage: keyway restore FOLDER --state DIR [--json]\n\n"
    "Puts a folder that `keyway backup` made into a state directory that is empty or not there, as the user of the program. When the program starts, it notices\n"
    "that its databases are old copies: frame counters that may have been used since are skipped, and network keys are replaced. The clock must be right.\n\n"
    "  --state DIR  `state` in the program's configuration\n"
    "  --json       the answer as one JSON object\n\n"
    "Example:\n"
    "  keyway restore mef-2027-01-31 --state plant/mef\n";
static const char check_usage[] =
    "usage: keyway check [--state DIR] [--json]\n\n"
    "Checks the whole store of a CSE: structure, parents, labels, names, counts. The CSE may go on meanwhile. Status 1 when something is wrong.\n\n"
    "  --state DIR  the CSE's state directory (default: that of a keyway-cse of this user)\n"
    "  --json       the answer as one JSON object\n"
    "\nExample:\n"
    "  keyway check --state plant/in-cse\n";

/* The file that keyway-cse with this state directory has. */
static bool store_path(const char *state, char *path, size_t size)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;

	if (state)
		n = snprintf(path, size, "%s/cse.db", state);
	else if (data && data[0])
		n = snprintf(path, size, "%s/keyway/cse.db", data);
	else
		n = snprintf(path, size, "%s/.local/share/keyway/cse.db", home ? home : ".");
	return n > 0 && (size_t)n < size;
}

/* Takes the options that both have. CLI_OK with the path of the store, which is there. */
static int begin(const char *usage, int argc, char **argv, const char *state, char *path, size_t size)
{
	int r = cli_operands(usage, argc, argv, 0, 0);

	if (r != CLI_OK)
		return r;
	if (!store_path(state, path, size))
		return cli_fail("the path of the state directory is too long");
	if (access(path, F_OK) != 0)
		return cli_fail("there is no store %s: is --state the directory of a CSE?", path);
	return CLI_OK;
}

/* ---- backup ---- */

static void show_progress(void *ctx, int percent)
{
	(void)ctx;
	fprintf(stderr, "\r%3d %%", percent);
}

static int print_backup(const char *path, const char *out, bool json)
{
	struct wr w = wr_new(4 * PATH_SIZE);
	struct json_out o = json_out(&w);
	struct stat info = {0};
	struct rd text;

	if (stat(out, &info) != 0) {
		wr_free(&w);
		return cli_fail("%s was made, and is gone", out);
	}
	json_object(&o, NULL);
	json_put_string(&o, "backup", out);
	json_put_uint(&o, "octets", (uint64_t)info.st_size);
	json_close(&o);
	if (json && wr_done(&w, &text))
		cli_print_json(text);
	else
		printf("%s%s%s is a whole copy of %s, %.1f MiB\n", style(STYLE_BOLD), out, style(STYLE_PLAIN), path, (double)info.st_size / (1 << 20));
	wr_free(&w);
	return CLI_OK;
}

int backup_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json"), terminal = isatty(STDERR_FILENO) == 1;
	const char *state = cli_option(&argc, argv, "--state"), *out = cli_option(&argc, argv, "--out"), *detail = "";
	char path[PATH_SIZE];
	enum err e;
	const char *all = cli_option(&argc, argv, "--all");
	bool with_keys = cli_flag(&argc, argv, "--with-keys");
	int r;

	if (help)
		return cli_help(backup_usage);
	if (argc == 1 && !out == !all)
		return cli_misuse(backup_usage, out ? "--out and --all are two ways" : "--out or --all is missing");
	if (argc == 1 && all && !state)
		return cli_misuse(backup_usage, "--state is missing");
	if (argc == 1 && with_keys && !all)
		return cli_misuse(backup_usage, "--with-keys goes with --all");
	if (argc == 1 && all)
		return backup_all(state, all, with_keys, json);
	r = begin(backup_usage, argc, argv, state, path, sizeof path);
	if (r != CLI_OK)
		return r;
	e = store_backup(path, out, terminal && !json ? show_progress : NULL, NULL, &detail);
	if (terminal && !json)
		fputs("\r     \r", stderr);
	return e == OK ? print_backup(path, out, json) : cli_fail("%s", detail);
}

int restore_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *state = cli_option(&argc, argv, "--state");
	int r;

	if (help)
		return cli_help(restore_usage);
	r = cli_operands(restore_usage, argc, argv, 1, 1);
	if (r == CLI_OK && !state)
		return cli_misuse(restore_usage, "--state is missing");
	return r == CLI_OK ? restore_all(argv[1], state, json) : r;
}

/* ---- check ---- */

struct checking {
	const char *path;
	struct json_out *json; /* NULL: for a person */
	uint64_t faults;
};

static void on_fault(void *ctx, const char *text)
{
	struct checking *k = ctx;

	k->faults++;
	if (k->json)
		json_put_string(k->json, NULL, text);
	else
		cli_fail("%s: %s", k->path, text);
}

static int check(struct store *s, const char *path, bool json)
{
	struct wr w = wr_new(1 << 20);
	struct json_out o = json_out(&w);
	struct checking k = {path, json ? &o : NULL, 0};
	struct rd text;
	bool whole;

	json_object(&o, NULL);
	json_put_string(&o, "store", path);
	json_put_uint(&o, "resources", store_count(s));
	json_array(&o, "faults");
	whole = store_check(s, on_fault, &k) == OK && k.faults == 0;
	json_close(&o);
	json_put_bool(&o, "whole", whole);
	json_close(&o);
	if (json && wr_done(&w, &text))
		cli_print_json(text);
	else if (whole)
		printf("%s is whole: %llu resources\n", path, (unsigned long long)store_count(s));
	else
		cli_fail("%s is damaged: stop the CSE and restore a backup", path);
	wr_free(&w);
	return whole ? CLI_OK : CLI_FAILED;
}

int check_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help"), json = cli_flag(&argc, argv, "--json");
	const char *state = cli_option(&argc, argv, "--state"), *detail = "";
	struct store_options o = {.read_only = true};
	char path[PATH_SIZE];
	struct store *s;
	int r;

	if (help)
		return cli_help(check_usage);
	r = begin(check_usage, argc, argv, state, path, sizeof path);
	if (r != CLI_OK)
		return r;
	o.path = path;
	if (store_open(&o, &s, &detail) != OK)
		return cli_fail("%s", detail);
	r = check(s, path, json);
	store_close(s);
	return r;
}
