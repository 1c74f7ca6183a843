/* The processes of a demo. */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define LOG_MAX (8 * 1024 * 1024)
#define POLL_MS 20

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

bool process_find_programs(struct process_set *set)
{
	ssize_t n = readlink("/proc/self/exe", set->programs, sizeof set->programs - 1);
	char *slash;

	if (n <= 0)
		return false;
	set->programs[n] = '\0';
	slash = strrchr(set->programs, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

void process_remove_folder(const char *dir)
{
	char line[600];

	if (snprintf(line, sizeof line, "rm -rf '%s'", dir) >= (int)sizeof line || system(line) != 0)
		cli_fail("%s could not be removed", dir);
}

static void become(const struct process_set *set, const char *const argv[], int in, int log)
{
	char path[600];
	char *args[PROCESS_ARGS];
	sigset_t none;
	size_t n = 0;

	/* A demo that is killed must not leave its plant behind. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(in, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setpgid(0, 0); /* Ctrl-C is the demo's to handle */
	/* ../keyway-mef/keyway-mef in a build, keyway-mef beside keyway when installed */
	snprintf(path, sizeof path, "%s/../%s/%s", set->programs, argv[0], argv[0]);
	if (strchr(argv[0], '/'))
		snprintf(path, sizeof path, "%s", argv[0]);
	else if (access(path, X_OK) != 0)
		snprintf(path, sizeof path, "%s/%s", set->programs, argv[0]);
	for (; argv[n] && n < PROCESS_ARGS - 1; n++)
		args[n] = (char *)(uintptr_t)argv[n];
	args[n] = NULL;
	execv(path, args);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

struct process *process_start(struct process_set *set, const char *role, const char *const argv[])
{
	struct process *p = NULL;
	int log, pipes[2];

	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->all[i].role, role) == 0)
			p = &set->all[i];
	if (!p) {
		if (set->count == PROCESSES_MAX)
			return NULL;
		p = &set->all[set->count++];
		p->input = -1;
	}
	snprintf(p->role, sizeof p->role, "%s", role);
	snprintf(p->log, sizeof p->log, "%s/%s.log", set->out, role);
	log = open(p->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0 || pipe2(pipes, O_CLOEXEC) != 0)
		return NULL;
	p->log_from = lseek(log, 0, SEEK_END);
	if (p->input >= 0)
		close(p->input);
	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0)
		become(set, argv, pipes[0], log);
	close(pipes[0]);
	close(log);
	p->input = pipes[1];
	return p->pid > 0 ? p : NULL;
}

/* However it goes on: a crash, also one at a program's end, is told, and is a failure of whoever started it. */
static void note_end(struct process *p, int status)
{
	p->pid = -1;
	if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGINT)
		return;
	p->crashed = true;
	cli_fail("%s crashed (%s); its log is %s", p->role, strsignal(WTERMSIG(status)), p->log);
}

bool process_alive(struct process *p)
{
	int status;

	if (p->pid > 0 && waitpid(p->pid, &status, WNOHANG) == p->pid)
		note_end(p, status);
	return p->pid > 0;
}

bool process_has_line(const struct process *p, const char *text)
{
	FILE *f = fopen(p->log, "r");
	char *log = f ? calloc(1, LOG_MAX) : NULL;
	bool found = false;

	if (log && fseek(f, p->log_from, SEEK_SET) == 0 && fread(log, 1, LOG_MAX - 1, f) > 0)
		found = strstr(log, text) != NULL;
	free(log);
	if (f)
		fclose(f);
	return found;
}

bool process_wait_line(struct process *p, const char *text, unsigned timeout_ms)
{
	uint64_t end = clock_ms() + timeout_ms;

	while (clock_ms() < end) {
		bool alive = process_alive(p);

		if (process_has_line(p, text))
			return true;
		if (!alive)
			return false;
		pause_ms(POLL_MS);
	}
	return false;
}

void process_tell(struct process *p, const char *line)
{
	if (write(p->input, line, strlen(line)) < 0 || write(p->input, "\n", 1) < 0)
		return; /* it is gone; whoever waits for its answer will say so */
}

bool process_stop_all(struct process_set *set)
{
	uint64_t end = clock_ms() + 3000;
	bool well = true;

	for (size_t i = set->count; i-- > 0;)
		if (process_alive(&set->all[i]))
			kill(set->all[i].pid, SIGTERM);
	for (size_t i = set->count; i-- > 0;) {
		while (process_alive(&set->all[i]) && clock_ms() < end)
			pause_ms(POLL_MS);
		if (process_alive(&set->all[i])) {
			kill(set->all[i].pid, SIGKILL);
			waitpid(set->all[i].pid, NULL, 0);
			set->all[i].pid = -1;
		}
		well = well && !set->all[i].crashed;
	}
	return well;
}

bool process_write_pids(const struct process_set *set, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	fprintf(f, "{");
	for (size_t i = 0; i < set->count; i++)
		fprintf(f, "%s\n  \"%s\": %d", i ? "," : "", set->all[i].role, (int)set->all[i].pid);
	fprintf(f, "\n}\n");
	return fclose(f) == 0;
}
