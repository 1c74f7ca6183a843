/* What `keyway credentials remove` means for what was registered under a key. */
#ifndef KEYWAY_CREDENTIALS_STANDING_H
#define KEYWAY_CREDENTIALS_STANDING_H

#include "credentials/credentials.h"

/* For struct registry_config's `stands` of the function with this FQDN: whether a credential is still one. Only keys of its own, of this type and with its
 * name, are in its store; others are not its to judge: OK. ERR_NOT_FOUND: it is not in the store, or over. Anything else: the store can't be read. key_name: "" for what is not its to judge. */
enum err credentials_stand(struct credentials *store, enum credential_type type, const char *fqdn, uint64_t now_s, const char *credential, char key_name[static 33]) MUST_CHECK;

#endif
