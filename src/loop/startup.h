/* What servers have in common when they start: a state directory that is theirs alone, and words for what can't be. */
#ifndef KEYWAY_LOOP_STARTUP_H
#define KEYWAY_LOOP_STARTUP_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Makes the directory (mode 0700) when it is not there, and holds it until this process ends: two that hand out the same counters can't know of each
 * other. When it can't be used, or another process holds it, this logs whose it is and what to do, and gives false. */
bool startup_state(const char *path) MUST_CHECK;
/* Logs an error when the first certificate of this file has ended or is not valid yet, a warning when it ends soon: peers will refuse it, or this clock is
 * wrong. The program may well go on: a certificate can be renewed. */
void startup_certificate(const char *path);
/* Logs a warning when there is a line in it that gives no key. NULL is no file. */
void startup_psk_file(const char *path);
/* Logs why nobody can be served at this address, such as "HTTPS for clients can't listen". False. */
bool startup_cannot_listen(const char *what, const char *address, enum err e);

#endif
