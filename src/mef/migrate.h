/* State of former versions. */
#ifndef KEYWAY_MEF_MIGRATE_H
#define KEYWAY_MEF_MIGRATE_H

#include "key_registry/registry.h"

/* Until version 0.1 clients and commands were tables of mef.db. Moves them into the registry, where there are any; may be killed and repeated.
 * ERR_STORE. OK when there is no such file. */
enum err mef_migrate(const char *mef_db, struct registry *r) MUST_CHECK;

#endif
