/* Opening a serial line or pty as a raw, non-blocking descriptor. */
#ifndef KEYWAY_LOOP_SERIAL_H
#define KEYWAY_LOOP_SERIAL_H

#include "base/err.h"

/* "PATH" or "PATH:BAUD"; 8N1, no flow control. */
enum err serial_open(const char *path_baud, int *fd) MUST_CHECK;

#endif
