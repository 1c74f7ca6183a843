/* A simulated USIM in a file, as the card's own memory: JSON, mode 0600, replaced as a whole and synced, so that no sequence number that was
 * accepted is forgotten.
 *	{"imsi":"...","impi":"...","k":"...","opc":"...","seq":[...]}         k and opc in hexadecimal */
#ifndef KEYWAY_GBA_NET_USIM_FILE_H
#define KEYWAY_GBA_NET_USIM_FILE_H

#include "base/wr.h"
#include "gba/usim.h"

#define USIM_FILE_MAX 4096

/* ERR_NOT_FOUND; ERR_CONFIG: others may read it, or it is no USIM. */
enum err usim_file_read(const char *path, struct usim *u) MUST_CHECK;
enum err usim_file_write(const char *path, const struct usim *u) MUST_CHECK; /* ERR_IO */

/* The text alone. */
enum err usim_text_parse(struct rd text, struct usim *u) MUST_CHECK; /* ERR_MALFORMED */
void usim_text_print(struct wr *w, const struct usim *u);

#endif
