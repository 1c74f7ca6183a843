/* The bootstrapping server in keyway-mef: [bsf] of its configuration. */
#ifndef KEYWAY_PROGRAMS_MEF_BSF_H
#define KEYWAY_PROGRAMS_MEF_BSF_H

#include "gba/net/bsf_server.h"

struct bsf_options {
	char *listen, *zn_listen, *hss;
	uint64_t lifetime_s, challenges_per_minute;
};

struct mef_bsf {
	struct bsf_server *server;
	struct tls_credentials *ub;
};
/* Says what is wrong in the log. False then; also true when nothing of it is configured. mutual: the MEF's own credentials. */
bool mef_bsf_start(struct mef_bsf *b, struct loop *l, const struct bsf_options *o, const char *id, const char *cert, const char *key, struct tls_credentials *mutual) MUST_CHECK;
void mef_bsf_stop(struct mef_bsf *b);

#endif
