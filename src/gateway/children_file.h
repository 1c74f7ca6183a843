/* What a gateway remembers over a restart: its children and its epoch. No secrets. A text file, replaced atomically and synced. */
#ifndef KEYWAY_GATEWAY_CHILDREN_FILE_H
#define KEYWAY_GATEWAY_CHILDREN_FILE_H

#include "gateway/coordinator.h"

enum err children_load(const char *path, struct coordinator *c, uint32_t *epoch) MUST_CHECK; /* OK also when there is no file yet */
enum err children_save(const char *path, struct coordinator *c, uint32_t epoch) MUST_CHECK;

#endif
