/* Requests for certificates as others would write them, good and bad. */
#ifndef TEST_EST_REQUEST_H
#define TEST_EST_REQUEST_H

#include <gnutls/x509.h>

#include "base/rd.h"

struct request_plan {
	const char *dns, *uri, *second_dns, *device; /* device: value of an otherName 1.3.6.1.4.1.99999.7 */
	const char *common_name, *challenge;
	gnutls_pk_algorithm_t pk; /* 0: ECDSA */
	unsigned bits;            /* 0: secp256r1 */
	gnutls_digest_algorithm_t hash; /* 0: SHA-256 */
	bool ip;
};
#define REQUEST_MAX 4096
struct rd request_make(const struct request_plan *p, uint8_t der[static REQUEST_MAX]);
/* A directory of its own with a CA in it; removed by directory_remove. */
char *directory_make(void);
void directory_remove(char *dir);

#endif
