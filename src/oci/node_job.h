/* Requests of IPE-OCI to its own CSE, which carries them out in their order: what is created comes before what is below it, and values come in their order. */
#ifndef KEYWAY_OCI_NODE_JOB_H
#define KEYWAY_OCI_NODE_JOB_H

#include "oci/node_request.h"

#define JOB_TO_MAX 300
#define JOB_BODY_MAX 4096

/* Once, when it was answered. ctx is freed afterwards. */
typedef void job_done(struct oci_node *n, void *ctx, const struct onem2m_response *rsp);

void jobs_start(struct oci_node *n);
/* ctx: NULL or of the heap, taken over. done, ctx may be NULL. What is there already, or gone already, is no fault. */
void node_job(struct oci_node *n, enum onem2m_operation operation, const char *to, int type, struct rd body, job_done *done, void *ctx);
/* When all jobs before this one have been answered. kept: what they wrote is on disk. Not so: the CSE failed (5000 and above; no room on its disk, say) at one of
 * those that write since the last such call. While an answer is missing nobody is called. ctx: of the heap, taken over. */
typedef void job_after(struct oci_node *n, void *ctx, bool kept);
void node_job_after(struct oci_node *n, job_after *after, void *ctx);
/* UPDATEs a member of a resource; together with the last one in the queue when that is of the same resource and has no such member, so that a colour's
 * three channels change at once. */
void node_job_member(struct oci_node *n, const char *to, const char *root, const char *member, const char *json);

#endif
