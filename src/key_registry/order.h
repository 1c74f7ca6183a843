/* What a client asks of a MEF or MAF in a registration or an update: the members of the request (TS-0003 8.3.5.2, 8.8.2), from JSON to values,
 * pure. Which of them a procedure needs is the registry's business. */
#ifndef KEYWAY_KEY_REGISTRY_ORDER_H
#define KEYWAY_KEY_REGISTRY_ORDER_H

#include "json/json.h"
#include "keys/secret.h"
#include "security/credential.h"

#define ORDER_LABELS 32        /* members; more label nothing any more */
#define ORDER_TARGETS 64       /* members; who shares data with more uses a group key of its own */
#define ORDER_LABELS_MAX 1024  /* octets, with a newline between two */
#define ORDER_TARGETS_MAX 4096

/* Several texts with a newline between two, which can't be in any of them; "" for none. */
struct order {
	char fqdn[FQDN_MAX], admin[FQDN_MAX]; /* "" when absent */
	bool has_expiry, has_labels, has_targets, has_suid;
	uint64_t expires_at; /* Unix seconds */
	char labels[ORDER_LABELS_MAX];
	char targets[ORDER_TARGETS_MAX];
	size_t target_count;
	enum suid suid;
	struct secret *key;  /* keyValue; NULL when absent */
};

/* False: *reason says which member is wrong; nothing needs to be cleared then. NULL body: everything is absent. */
bool order_parse(const struct json *body, struct order *o, const char **reason) MUST_CHECK;
void order_clear(struct order *o); /* frees the key */

/* The next of a list; false at its end. */
bool order_list_next(struct rd *list, struct rd *item) MUST_CHECK;
void order_list_put(struct json_out *o, const char *name, const char *list); /* as a JSON array */

#endif
