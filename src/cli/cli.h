/* What the subcommands of `keyway` share: the plant that they work on, the MEF's administration socket, a oneM2M client that waits, and
 * words for a person or for a script. */
#ifndef KEYWAY_CLI_CLI_H
#define KEYWAY_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "json/json.h"
#include "keyway/client.h"

#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

/* ---- words ---- */
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_YELLOW, STYLE_RED, STYLE_CYAN };
const char *style(enum style s); /* escape sequence, or "" when standard output is no terminal or NO_COLOR is set */
int cli_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);  /* "keyway: ..." on standard error; returns CLI_FAILED */
int cli_help(const char *usage);                        /* on standard output; returns CLI_OK */
/* "keyway: ..." and the synopsis (usage up to its first empty line) on standard error; returns CLI_USAGE. */
int cli_misuse(const char *usage, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_print_json(struct rd json);   /* as it is, and a line end */
void cli_print_pretty(struct rd json); /* for a person: one member a line */

/* Options: "--name value" and "--flag" are taken out of argv, so that what is left are the operands.
 * cli_option: NULL when absent. Then cli_operands says what of the rest cannot be. */
const char *cli_option(int *argc, char **argv, const char *name);
bool cli_flag(int *argc, char **argv, const char *name);
/* CLI_OK: what is left are least to most operands behind argv[0]. Otherwise says what is wrong, with the synopsis, and returns CLI_USAGE. */
int cli_operands(const char *usage, int argc, char **argv, int least, int most) MUST_CHECK;
#define CLI_MANY 1000

/* ---- the plant ---- */
#define PLANT_PATH 512
#define PLANT_CSES 8

struct plant_cse {
	char id[64], name[64], url[128], identity[128];
};

struct plant {
	char dir[PLANT_PATH];
	char sp[128];
	char admin_socket[PLANT_PATH];
	char originator[128];
	char ca[PLANT_PATH], cert[PLANT_PATH], key[PLANT_PATH]; /* operator's credential */
	struct plant_cse cses[PLANT_CSES];
	size_t cse_count;
};

/* dir NULL: $KEYWAY_PLANT, otherwise "plant". Prints what is wrong. */
bool plant_open(const char *dir, struct plant *p) MUST_CHECK;

struct plant_options {
	const char *dir;
	const char *sp;        /* "keyway.example" */
	unsigned base_port;    /* 0: free ports */
	const char *radio;     /* gateway's radio: "tcp:127.0.0.1:N"; NULL: a free port */
};
/* Makes directory, CA, credentials, key files and configuration of mef, in-cse, mn-cse, node-b and gateway. */
int plant_create(const struct plant_options *o);
unsigned plant_free_port(void);
/* Adds keyway-hss, and what the others need to take devices that come with a USIM. dir is absolute; ub and zn are ports. */
int plant_add_usim(const char *dir, const char *sp, unsigned ub, unsigned zn);

/* ---- the MEF's administration socket ---- */
struct admin_answer {
	struct json_arena *arena;
	char *text;
	const struct json *doc; /* the whole answer */
	bool ok;
	char error[512];
};
/* Sends one request (a JSON object) and waits for its answer. False when the socket does not answer; prints nothing. */
bool admin_ask(const char *socket_path, struct rd request, struct admin_answer *a) MUST_CHECK;
void admin_answer_clear(struct admin_answer *a);
/* The same for what is in w, which is wiped and freed. Says what went wrong; a needs no clearing then. */
bool plant_ask(const struct plant *p, struct wr *w, struct admin_answer *a) MUST_CHECK;

/* ---- oneM2M ---- */
/* What a person may say on the command line about whom to ask, and as whom. NULL: not said. */
struct m2m_words {
	const char *from, *via, *ca, *cert, *key, *psk_identity, *psk_file, *server, *cse, *serialization;
	const char *credentials; /* a store: the key for the CSE is there, instead of a certificate */
	const char *esprim, *esprim_name; /* the CSE-ID with which everything is sealed, by a key of the store or by certificates: its name in its own */
};
void m2m_words_take(struct m2m_words *w, int *argc, char **argv);
/* The plant that a target is asked in: a URL needs none, but takes its credentials from one that is there. *out: p, or NULL. Says what is wrong. */
bool m2m_plant(const char *dir, const char *target, struct plant *p, const struct plant **out) MUST_CHECK;

#define M2M_CONNECTIONS 4
struct m2m_client {
	const struct plant *plant;     /* NULL: none; then targets are URLs */
	struct m2m_words words;
	const struct plant_cse *entry; /* NULL: by the target's CSE-ID, otherwise the first one */
	enum keyway_serialization serialization;
	struct m2m_connection {
		char url[256];
		struct keyway *client;
	} connections[M2M_CONNECTIONS];
	size_t connection_count;
	char why[KEYWAY_WHY_SIZE];
};
struct m2m_answer {
	bool ok;                  /* carried out */
	int rsc;                  /* 0: no answer */
	char detail[KEYWAY_WHY_SIZE]; /* what to tell a person when it is not ok */
	char *body;               /* zero-terminated, owned */
	struct json_arena *arena;
	const struct json *doc;   /* NULL when the body is no JSON */
};
/* words may be NULL: the operator's. p may be NULL. False: says what is wrong. */
bool m2m_open(struct m2m_client *c, const struct plant *p, const struct m2m_words *words) MUST_CHECK;
void m2m_close(struct m2m_client *c);
/* The connection for a target, "/id-b/cse-b/x", "cse-in/x" or "ws://127.0.0.1:8080/cse-in/x", and the address of the resource there, which has room
 * for size octets. NULL: c->why. The client is c's. */
struct keyway *m2m_connection(struct m2m_client *c, const char *target, char *to, size_t size);
int m2m_ask(struct m2m_client *c, struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a); /* keyway_call, sealed where --esprim says so */
/* query may be NULL; ty is 0 unless a CREATE; body may be NULL. Waits for the answer. */
void m2m_call(struct m2m_client *c, enum keyway_operation operation, const char *target, const char *query, int ty, const char *body, struct m2m_answer *a);
void m2m_answer_clear(struct m2m_answer *a);

/* ---- certificates (certificate_enrol.c) ---- */
struct enrol_options {
	const char *est, *mef, *name, *dir, *file;
	const char *ca, *cert, *key;              /* as whom, by certificate */
	const char *psk_identity, *psk_file;      /* or by a pre-shared key */
	bool renew;
};
int certificate_enrol(const struct enrol_options *o);

/* ---- subcommands: one file each ---- */
int init_main(int argc, char **argv);
int client_command_main(int argc, char **argv);
int device_command_main(int argc, char **argv);
int device_list(const struct plant *p, bool json); /* also the end of `keyway status` */
int application_main(int argc, char **argv);
int gateway_command_main(int argc, char **argv);
int permit_main(int argc, char **argv);
int status_main(int argc, char **argv);
int get_main(int argc, char **argv);
int create_main(int argc, char **argv);
int update_main(int argc, char **argv);
int delete_main(int argc, char **argv);
int discover_main(int argc, char **argv);
int watch_main(int argc, char **argv);
int decode_main(int argc, char **argv);
int demo_main(int argc, char **argv);
int backup_main(int argc, char **argv);
int check_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int credentials_main(int argc, char **argv);
int esdata_main(int argc, char **argv);
int enrol_main(int argc, char **argv);
int certificate_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int subscriber_main(int argc, char **argv);
int das_main(int argc, char **argv);

#endif
