/* What the certificate in a PEM file says of itself: from when until when, and for whom. */
#ifndef KEYWAY_EST_CERTIFICATE_LIFE_H
#define KEYWAY_EST_CERTIFICATE_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define CERTIFICATE_NAME_MAX 512

struct certificate_life {
	uint64_t from, until;            /* Unix seconds */
	char name[CERTIFICATE_NAME_MAX]; /* the first domain name or URI of its subjectAltName; "" for none */
	char fingerprint[65];            /* SHA-256, lower-case hexadecimal */
};
/* Of the first certificate in the file. ERR_NOT_FOUND: there is no file; ERR_MALFORMED. */
enum err certificate_life_read(const char *path, struct certificate_life *l) MUST_CHECK;
/* When it is to be renewed: after two thirds of its life, so that a MEF may be away for a third of it. */
uint64_t certificate_life_due(const struct certificate_life *l);
/* Splits "DIR/FILE.pem", whose key must be "DIR/FILE.key", as est_order wants them. False: other names. */
bool certificate_files_split(const char *cert, const char *key, char *dir, char *file, size_t size) MUST_CHECK;

#endif
