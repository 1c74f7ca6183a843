/* A client of a MEF that waits for commands (TS-0003 8.3.9): it registers, asks for the next command by long poll, hands it out, and reports what became
 * of it; then comes the next. It registers again when the MEF was away, and before the registration ends.
 *
 *	p = command_poll_new(&config);
 *	carry_out(ctx, command):  ... command_poll_report(p, COMMAND_OK);   at once or later, once for each command */
#ifndef KEYWAY_ENROLEE_COMMAND_POLL_H
#define KEYWAY_ENROLEE_COMMAND_POLL_H

#include "enrolee/client_command.h"
#include "enrolee/function_client.h"

struct command_poll_config {
	struct loop *loop;
	struct function_peer mef;
	const char *origin, *admin_fqdn;
	uint64_t lifetime_s; /* of the registration, asked for */
	/* What the client shows the MEF: asked for at each registration, so that a renewed one is used. Freed by the poll. */
	enum err (*credentials)(void *ctx, struct tls_credentials **out);
	void (*registered)(void *ctx, const char *id); /* clientRegID */
	void (*carry_out)(void *ctx, const struct client_command *c); /* never NO_MORE_COMMANDS, and only with status COMMAND_OK */
	void *ctx;
};

struct command_poll;
struct command_poll *command_poll_new(const struct command_poll_config *c); /* what c points to stays the caller's */
void command_poll_report(struct command_poll *p, enum command_status status);
void command_poll_free(struct command_poll *p); /* accepts NULL */

#endif
