/* Opening a serial line or pty as a raw, non-blocking descriptor. */
#ifndef KEYWAY_LOOP_SERIAL_H
#define KEYWAY_LOOP_SERIAL_H

#include "base/err.h"

/* "PATH" or "PATH:BAUD" (default 115200); 8N1, no flow control. A PATH may have colons, but must not end with one and a number.
 * ERR_CONFIG: no such baud rate; ERR_IO: no such line. */
enum err serial_open(const char *path_baud, int *fd) MUST_CHECK;

#endif
