/* A plant's certificate authority and the certificates that it signs: ECDSA on secp256r1 with SHA-256, TS-0003 clause 10.1.
 * Files are PEM; private keys have mode 0600. Used by `keyway init`. */
#ifndef KEYWAY_PKI_PKI_H
#define KEYWAY_PKI_PKI_H

#include "base/err.h"

/* Makes ca.pem and ca.key in dir. ERR_EXISTS when there is a CA: nothing is overwritten. */
enum err pki_ca_create(const char *dir, const char *common_name, unsigned days) MUST_CHECK;
/* Makes NAME.pem and NAME.key in dir, signed by the CA there. identity becomes the subjectAltName, written as in
 * pki/ca.h. Works as client and server certificate. ERR_EXISTS, ERR_NOT_FOUND (no CA), ERR_IO. */
enum err pki_issue(const char *dir, const char *name, const char *identity, unsigned days) MUST_CHECK;

#endif
