/* Pre-shared keys in a text file, as a psk_source: lines
 *
 *	IDENTITY:HEXKEY [ENTITY [EXPIRES]]
 *
 * where ENTITY is whose key it is (IDENTITY itself when absent) and EXPIRES Unix seconds; '#' begins a comment line. The file is read for every
 * handshake, so that a line added or taken away counts at once. Nobody but its owner may read it. */
#ifndef KEYWAY_TLS_PSK_FILE_H
#define KEYWAY_TLS_PSK_FILE_H

#include "tls/psk_source.h"

#define PSK_KEY_MIN 16

struct psk_file;

enum err psk_file_new(const char *path, struct psk_file **out) MUST_CHECK; /* ERR_CONFIG: not there, or others may read it */
void psk_file_free(struct psk_file *f);                                    /* accepts NULL */
struct psk_source psk_file_source(struct psk_file *f);                     /* answers at once */

/* Several sources one after another: the first that knows the identity answers. */
struct psk_chain;
struct psk_chain *psk_chain_new(void);
void psk_chain_add(struct psk_chain *c, const struct psk_source *s); /* stays the caller's */
void psk_chain_free(struct psk_chain *c);
struct psk_source psk_chain_source(struct psk_chain *c);

#endif
