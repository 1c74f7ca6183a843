/* A program that enrols by itself: it gets its certificate by EST and its keys from MEF and MAF (enrolee.h) when they are missing, renews them after two
 * thirds of their life, and carries out what the MEF commands: certificates, the client configuration, objects of management (TS-0003 8.3.4, 8.3.9).
 *
 *	e = enrolment_start(&config);
 *	config.told is called after each round of work, for the first time when everything that can be had is there or was refused.
 *
 * What fails is logged, and tried again: after a second, then twice as late each time, at most 5 minutes. What is there is used until it ends. */
#ifndef KEYWAY_ENROLEE_ENROLMENT_H
#define KEYWAY_ENROLEE_ENROLMENT_H

#include "enrolee/client_command.h"
#include "enrolee/enrolee.h"

struct enrolment_config {
	struct loop *loop;
	struct credentials *store;
	const char *sp, *origin, *admin_fqdn; /* as in struct enrolee_config */
	struct function_peer mef, maf;        /* maf: url NULL for none */
	bool by_certificate;                  /* towards the MEF: the own certificate; otherwise Kpm */
	const char *ca, *cert, *key;          /* own files; NULL: none. DIR/FILE.pem and DIR/FILE.key when the certificate is enrolled */
	const char *est;                      /* estBaseURI: the certificate comes from there; NULL: it is the operator's matter */
	const char *name;                     /* of the certificate; NULL with est NULL */
	const char *target;                   /* CSE-ID of the registrar, with which an association key is wanted; NULL: none */
	bool through_maf;                     /* that key comes from the MAF */
	uint64_t lifetime_s;                  /* of keys and registrations, asked for */
	/* After each round; complete: the certificate and the key for `target` are there. May be NULL. */
	void (*told)(void *ctx, bool complete);
	/* A MO_NODE command: what is to be done is the program's to find out. It answers by enrolment_done, at once or later, or takes what it needs by
	 * enrolment_obtain before. NULL: class not supported. */
	void (*object)(void *ctx, const struct client_command *c);
	void *ctx;
};

struct enrolment;
struct enrolment *enrolment_start(const struct enrolment_config *c); /* what c points to stays the caller's */
void enrolment_free(struct enrolment *e);                            /* accepts NULL */
bool enrolment_has_certificate(const struct enrolment *e);           /* it is there and has not expired, or none is wanted */

/* ---- commands ---- */
/* Where the outcome of a command goes. */
typedef void enrolment_reported(void *ctx, enum command_status status);
/* Waits for commands itself ... */
void enrolment_poll(struct enrolment *e);
/* ... or is given them by a part of the program that has another reason to poll. One at a time; reported may come at once. registration: clientRegID. */
void enrolment_carry_out(struct enrolment *e, const char *registration, const struct client_command *c, enrolment_reported *reported, void *ctx);
/* Ends the command that `object` was called for. */
void enrolment_done(struct enrolment *e, enum command_status status);
/* For it: a key for this use and target, from the MEF (SUID 21 to 25) or the MAF (32 to 35), now and kept fresh from now on; enrolment_done comes by itself,
 * with COMMAND_MO_EXECUTION_ERROR when it was refused. */
void enrolment_obtain(struct enrolment *e, const struct client_config_key *want);

#endif
