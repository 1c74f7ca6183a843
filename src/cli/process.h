/* The processes of a demo: started with a log each, found again by name, ended by id. */
#ifndef KEYWAY_CLI_PROCESS_H
#define KEYWAY_CLI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_ARGS 32
#define PROCESSES_MAX 32

struct process {
	char role[32];
	pid_t pid;
	char log[512];       /* standard output and error */
	int input;           /* its standard input, for the devices' commands */
	long log_from;       /* where the last start's lines begin */
	bool crashed;        /* of its own accord, in whichever of its lives */
};

struct process_set {
	char out[256];       /* where the logs go */
	char programs[256];  /* where the programs are */
	struct process all[PROCESSES_MAX];
	size_t count;
};

bool process_find_programs(struct process_set *set); /* beside this one; false when the system does not tell where that is */
void process_remove_folder(const char *dir);         /* of logs and stores; dir has no ' in it. A failure is told */
/* argv[0] is the name of one of our programs, or the path of another; ends with NULL. */
struct process *process_start(struct process_set *set, const char *role, const char *const argv[]);
/* Waits until a line of the log holds `text`; false after timeout_ms, or when the process ended. */
bool process_wait_line(struct process *p, const char *text, unsigned timeout_ms);
bool process_has_line(const struct process *p, const char *text);
bool process_alive(struct process *p);
void process_tell(struct process *p, const char *line); /* writes a line to its standard input */
bool process_stop_all(struct process_set *set);          /* SIGTERM, then SIGKILL after 3 s; last started first. false: one has crashed, now or before, which was told */
bool process_write_pids(const struct process_set *set, const char *path);

#endif
