/* What a registry.db has, for those who only look: without its key, beside the program that has it open. */
#ifndef KEYWAY_KEY_REGISTRY_LISTING_H
#define KEYWAY_KEY_REGISTRY_LISTING_H

#include "key_registry/registry.h"

struct registry_listed {
	char id[REGISTRY_ID_SIZE]; /* RelativeKeyID */
	char source[ENTITY_MAX], targets[ORDER_TARGETS_MAX];
	enum suid suid;
	bool exported; /* at a MEF: Ke */
	uint64_t expires_at;
};
/* By ID, expired ones too. ERR_NOT_FOUND: there is no such file. ERR_STORE. */
enum err registry_list(const char *path, void (*fn)(void *ctx, const struct registry_listed *k), void *ctx) MUST_CHECK;

#endif
