/* What the files about management commands share. */
#ifndef KEYWAY_CSE_TYPES_MGMT_CMD_H
#define KEYWAY_CSE_TYPES_MGMT_CMD_H

#include "cse/private.h"

/* m2m:cmdType */
enum command {
	COMMAND_RESET = 1,
	COMMAND_REBOOT,
	COMMAND_UPLOAD,
	COMMAND_DOWNLOAD,
	COMMAND_SOFTWARE_INSTALL,
	COMMAND_SOFTWARE_UNINSTALL,
	COMMAND_SOFTWARE_UPDATE,
};
enum exec_status { EXEC_INITIATED = 1, EXEC_PENDING, EXEC_FINISHED, EXEC_CANCELLING, EXEC_CANCELLED }; /* m2m:execStatusType */
enum exec_mode { EXEC_ONCE = 1, EXEC_REPEAT, EXEC_RANDOM_ONCE, EXEC_RANDOM_REPEAT };                  /* m2m:execModeType */
enum exec_result { EXEC_SUCCESS = 0, EXEC_UNSUPPORTED = 1, EXEC_DENIED = 2, EXEC_INTERNAL_ERROR = 4, EXEC_NOT_FINISHED = 31 }; /* m2m:execResultType */

/* How a command is done: by which object of a node, by which of its triggers, and which argument names the object. */
struct command_way {
	const char *arguments; /* of execReqArgs */
	int mgd;               /* 0: it cannot be done */
	const char *trigger;
	const char *key;       /* the argument that must be ... */
	const char *name;      /* ... this attribute of the object; NULL: any object does */
	bool needed;           /* there must be arguments */
	bool sets_url;         /* from the argument of that name */
};

/* command_way.c */
const struct command_way *command_way(const struct json *cmt); /* NULL: no command */
const struct json *command_arguments(const struct json *exra, const struct command_way *w);
/* References, or NULL: the management object by which this node does the command; the node, or group of nodes, that execTarget names: an
 * address, or an M2M-Node-ID. */
struct resource *command_object(struct cse *c, struct resource *node, const struct command_way *w, const struct json *exra);
struct resource *command_target(struct cse *c, const struct json *ext);

/* exec_instance.c */
void execution_begin(struct cse *c, struct resource *instance);
void execution_tell(struct cse *c, int64_t instance, enum exec_status status, enum exec_result result);

#endif
