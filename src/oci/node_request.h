/* A oneM2M request of IPE-OCI's own, whose octets live until it is answered. */
#ifndef KEYWAY_OCI_NODE_REQUEST_H
#define KEYWAY_OCI_NODE_REQUEST_H

#include "oci/node_private.h"

/* Sends as /id-b/Coci. body, filter may be NULL; rcn ONEM2M_RCN_ABSENT for the default. */
void node_request(struct oci_node *n, enum onem2m_operation operation, const char *to, int type, int rcn, const char *filter, const char *body,
    cse_done *done, void *ctx);

#endif
