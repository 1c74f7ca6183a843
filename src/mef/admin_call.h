/* One request of the administration socket, for the files that answer them. */
#ifndef KEYWAY_MEF_ADMIN_CALL_H
#define KEYWAY_MEF_ADMIN_CALL_H

#include "mef/mef.h"

#define ADMIN_MESSAGE 256

struct egp_server;

struct call {
	struct mef *mef;
	const struct egp_server *egp;
	const struct json *request;
	struct json_out *out;
	char message[ADMIN_MESSAGE];
};

struct rd admin_member(const struct call *c, const char *name); /* a text; empty when absent */
enum err admin_wrong(struct call *c, enum err e, const char *message);

#endif
