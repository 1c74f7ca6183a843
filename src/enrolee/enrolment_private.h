/* What the files of enrolment share: rounds (enrolment.c) and what the MEF commands (enrolment_command.c). One thing at a time: `busy` while a round, a
 * commanded certificate or the client configuration is under way. */
#ifndef KEYWAY_ENROLEE_ENROLMENT_PRIVATE_H
#define KEYWAY_ENROLEE_ENROLMENT_PRIVATE_H

#include "enrolee/command_poll.h"
#include "enrolee/enrolment.h"
#include "est/est_client.h"

#define WANTS_MAX 32

/* What failed is tried again later and later, and keeps nothing else waiting. */
struct attempts {
	uint64_t wait_s, not_before; /* Unix seconds */
};

struct want {
	struct client_config_key key;
	struct attempts attempts;
	bool configured;  /* by the MEF's client configuration: replaced with it */
	bool commanded;   /* wanted now, whatever there is */
};

/* none | waits for the round that is under way | is carried out | waits for the keys that it wants */
enum command_state { COMMAND_NONE, COMMAND_WAITS, COMMAND_BEGUN, COMMAND_WANTS };

struct enrolment {
	struct enrolment_config config;
	struct http_client *http;
	struct loop_timer *timer;
	struct command_poll *poll;
	struct want wants[WANTS_MAX];
	size_t want_count;
	/* the round that is under way */
	bool busy, failed;
	size_t at;                       /* the want */
	struct enrolee *enrolee;
	struct est_enrolment *est;
	struct function_call *call;
	struct tls_credentials *tls;     /* of est, enrolee and call */
	struct attempts certificate;
	/* the command that is carried out */
	struct client_command command;
	enum command_state state;
	bool refetch;                    /* the client configuration, when there is time */
	enum err outcome;                /* of the key that the command wanted */
	enrolment_reported *reported;
	void *reported_ctx;
	char registration[FUNCTION_ID_SIZE];
};

/* enrolment.c */
enum err enrolment_own(const struct enrolment *e, struct tls_credentials **out); /* what we show the MEF */
void enrolment_release_tls(struct enrolment *e);
bool enrolment_complete(const struct enrolment *e); /* the certificate and the key for `target` are there */
struct want *enrolment_want_find(struct enrolment *e, enum suid suid, const char *target); /* NULL: it is not wanted */
struct want *enrolment_want_add(struct enrolment *e, const struct client_config_key *k);   /* or the one that is there; NULL: too many */
/* Under the present certificate, or, when there is none or it has ended, under Kpm. False: there is nothing to ask with; done is not called. */
bool enrolment_certificate_start(struct enrolment *e, const char *base, est_enrolled *done);
void enrolment_round(struct enrolment *e);    /* begins one now, when not busy */
void enrolment_schedule(struct enrolment *e); /* the next one, when not busy any more */
/* enrolment_command.c */
void enrolment_commands(struct enrolment *e); /* a round is over: what waited for it goes on */

#endif
