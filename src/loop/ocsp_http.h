/* Asks OCSP responders by HTTP POST, RFC 6960 appendix A.1. */
#ifndef KEYWAY_LOOP_OCSP_HTTP_H
#define KEYWAY_LOOP_OCSP_HTTP_H

#include "loop/loop.h"
#include "tls/tls.h"

struct ocsp_http;

struct ocsp_http *ocsp_http_new(struct loop *l);
void ocsp_http_free(struct ocsp_http *o);                    /* after the credentials that use it */
struct tls_ocsp_asker ocsp_http_asker(struct ocsp_http *o);

#endif
