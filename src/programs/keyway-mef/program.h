/* What the files of keyway-mef share: its configuration (options.c), what it keeps (state.c), and everything that runs (main.c). */
#ifndef KEYWAY_PROGRAMS_MEF_PROGRAM_H
#define KEYWAY_PROGRAMS_MEF_PROGRAM_H

#include "audit/audit.h"
#include "credentials/credentials.h"
#include "enrolee/credentials_psk.h"
#include "enrolee/key_watch.h"
#include "loop/program.h"
#include "mef/admin.h"
#include "mef/egp_server.h"
#include "mef/mmef.h"
#include "programs/keyway-mef/bsf.h"

struct options {
	char *id, *sp, *state, *key_file, *admin_socket;
	char *ca, *cert, *key;
	char *kek;
	char *mmef_listen;
	uint64_t client_days, key_days;
	char *est_ca;
	uint64_t est_days;
	bool est_binding;
	char *tls_listen, *psk_listen, *psk_file, *serial, *serial_gateway, *serial_psk_file, *insecure_listen, *header_addresses;
	bool insecure;
	uint64_t device_per_minute, gateway_per_second, rotate_days, group_hours;
	bool short_install_codes, require_unique_link_key, answer_requests;
	struct bsf_options bsf;
	bool accept_audit_log;     /* of the command line */
};
extern struct options options;
extern const struct config_key options_keys[];

/* Everything that runs. */
struct service {
	struct loop *loop;
	struct rng rng;
	struct secret *mef_key;
	struct credentials *credentials;
	struct secret *registry_key;
	struct registry *registry;
	struct mef_store *store;
	struct audit *audit;
	struct tls_credentials *certificates, *psk, *mmef_tls;
	struct credentials_psk kpm;
	struct key_watch *watch;
	struct mef *mef;
	struct mmef *mmef;
	struct est_port *est;
	struct egp_server *egp;
	struct admin *admin;
	struct mef_bsf bsf;
	struct psk_chain *mmef_keys;
	enum header_addresses header_addresses;
	uint16_t tls_port, psk_port, insecure_port;
};

/* Each says in the log what is wrong, and is false then. */
bool program_fail(const char *what, const char *advice, enum err e); /* always false */
bool options_check(struct service *s) MUST_CHECK; /* what the file says as a whole, beyond the single values */
bool state_open(struct service *s) MUST_CHECK;
bool state_gap_tell(struct service *s) MUST_CHECK; /* told once, and kept in the log: what was registered or replaced since an old copy is unknown now */

#define STATE_PATH 4096
bool state_path(char path[static STATE_PATH], const char *dir, const char *name) MUST_CHECK; /* false, without a word: it is too long */

#endif
