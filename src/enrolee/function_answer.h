/* What a MEF or MAF answers to its clients, from JSON to values, pure. docs/protocols/key-registration.md. */
#ifndef KEYWAY_ENROLEE_FUNCTION_ANSWER_H
#define KEYWAY_ENROLEE_FUNCTION_ANSWER_H

#include "json/json.h"
#include "keys/secret.h"
#include "key_registry/registration_codes.h"
#include "security/credential.h"

#define FUNCTION_ID_SIZE 65    /* clientRegID, RelativeKeyID: hexadecimal of at most 32 octets, and the zero */
#define FUNCTION_PATH_MAX 300

struct function_answer {
	char id[FUNCTION_ID_SIZE];
	uint64_t expires_at;             /* Unix seconds */
	/* of a client registration */
	char assigned[KEY_ID_MAX];       /* assignedSymmKeyID, or "" */
	char commands[FUNCTION_PATH_MAX]; /* path, or "" */
	/* of a key */
	char source[ENTITY_MAX];         /* Source Client ID */
	enum suid suid;
	struct secret *key;              /* keyValue, or what the session gave; NULL for none */
};
/* root: REGISTRATION_MEF_CLIENT or REGISTRATION_MAF_CLIENT. */
bool function_answer_client(const struct json *doc, const char *root, struct function_answer *a) MUST_CHECK;
/* With `valued` there must be a keyValue. */
bool function_answer_key(const struct json *doc, bool valued, struct function_answer *a) MUST_CHECK;
/* Only the end of a key, whatever else there is of it. */
bool function_answer_end(const struct json *doc, struct function_answer *a) MUST_CHECK;
void function_answer_clear(struct function_answer *a);

#endif
