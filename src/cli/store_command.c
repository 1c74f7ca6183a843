/* `keyway backup`, `keyway check`: the store of a CSE, beside the CSE that has it open, or without one. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/store.h"

#define PATH_SIZE 1024

static const char backup_usage[] =
    "usage: keyway backup --out FILE [--state DIR] [--json]\n\n"
    "Copies the store of a CSE, as of one moment, while the CSE goes on. The copy is checked and on disk before it is named FILE; nothing\n"
    "of that name may be there. To restore it: stop the CSE, put the copy in the place of DIR/cse.db, remove DIR/cse.db-wal and DIR/cse.db-shm.\n\n"
    "  --out FILE   the copy\n"
    "  --state DIR  the CSE's state directory (default: that of a keyway-cse of this user)\n"
    "  --json       the answer as one JSON object\n";
static const char check_usage[] =
    "usage: keyway check [--state DIR] [--json]\n\n"
    "Checks the whole store of a CSE: structure, parents, labels, names, counts. The CSE may go on meanwhile. Status 1 when something is wrong.\n\n"
    "  --state DIR  the CSE's state directory (default: that of a keyway-cse of this user)\n"
    "  --json       the answer as one JSON object\n";

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
	int r;

	if (help)
		return cli_help(backup_usage);
	if (argc == 1 && !out)
		return cli_misuse(backup_usage, "--out is missing");
	r = begin(backup_usage, argc, argv, state, path, sizeof path);
	if (r != CLI_OK)
		return r;
	e = store_backup(path, out, terminal && !json ? show_progress : NULL, NULL, &detail);
	if (terminal && !json)
		fputs("\r     \r", stderr);
	return e == OK ? print_backup(path, out, json) : cli_fail("%s", detail);
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
