/* Requests of IPE-OCI to its own CSE, one after another: what is created comes before what is below it, and values come in their order. */
#include "oci/node_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "loop/log.h"

struct job {
	struct job *next;
	enum onem2m_operation operation;
	int type, rcn;
	char to[JOB_TO_MAX];
	struct wr body;
	job_done *done;
	void *ctx; /* heap */
};

struct jobs {
	struct oci_node *node;
	struct job *first, **last;
	bool busy;
};

void jobs_start(struct oci_node *n)
{
	n->jobs = calloc(1, sizeof *n->jobs);
	if (!n->jobs)
		abort();
	n->jobs->node = n;
	n->jobs->last = &n->jobs->first;
}

static void next(struct jobs *q);

static bool expected(enum onem2m_rsc rsc)
{
	return rsc == RSC_CREATED || rsc == RSC_UPDATED || rsc == RSC_DELETED || rsc == RSC_OK || rsc == RSC_CONFLICT || rsc == RSC_NOT_FOUND;
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct jobs *q = ctx;
	struct job *j = q->first;

	q->busy = false;
	q->first = j->next;
	if (!q->first)
		q->last = &q->first;
	if (!expected(rsp->rsc))
		log_line(LOG_LEVEL_WARNING, "resource not written", "to=%s rsc=%d", j->to, (int)rsp->rsc);
	if (j->done)
		j->done(q->node, j->ctx, rsp);
	wr_free(&j->body); /* wiped: it may be of a PIN table */
	free(j->ctx);
	free(j);
	next(q);
}

static void next(struct jobs *q)
{
	struct job *j = q->first;
	bool brief = j && j->rcn == 0;

	if (q->busy || !j)
		return;
	q->busy = true;
	wr_u8(&j->body, '\0');
	node_request(q->node, j->operation, j->to, j->type, brief ? 0 : ONEM2M_RCN_ABSENT, brief ? "rcn=0" : NULL, j->body.len > 1 ? (const char *)j->body.octets : NULL, on_done, q);
}

void node_job(struct oci_node *n, enum onem2m_operation operation, const char *to, int type, struct rd body, job_done *done, void *ctx)
{
	struct jobs *q = n->jobs;
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	j->operation = operation;
	j->type = type;
	j->rcn = done && operation != ONEM2M_DELETE && operation != ONEM2M_UPDATE ? 1 : 0;
	j->done = done;
	j->ctx = ctx;
	j->body = wr_new(JOB_BODY_MAX + 1);
	if (!rd_text(rd_str(to), j->to, sizeof j->to) || body.left > JOB_BODY_MAX) {
		log_line(LOG_LEVEL_WARNING, "resource not written: its name or content is too long", "to=%s", to);
		wr_free(&j->body);
		free(j->ctx);
		free(j);
		return;
	}
	wr_rd(&j->body, body);
	*q->last = j;
	q->last = &j->next;
	next(q);
}

/* A body is {"root":{...}}; what has no such member yet gets it. */
static bool merge(struct job *j, const char *member, const char *json)
{
	char name[40];

	snprintf(name, sizeof name, "\"%s\":", member);
	if (j->body.len < 4 || memmem(j->body.octets, j->body.len, name, strlen(name)))
		return false;
	j->body.len -= 2;
	wr_fmt(&j->body, ",%s%s}}", name, json);
	return true;
}

void node_job_member(struct oci_node *n, const char *to, const char *root, const char *member, const char *json)
{
	struct jobs *q = n->jobs;
	struct job *last = q->first;
	char body[300];

	while (last && last->next)
		last = last->next;
	if (last && (last != q->first || !q->busy) && last->operation == ONEM2M_UPDATE && !last->done && strcmp(last->to, to) == 0 && merge(last, member, json))
		return;
	snprintf(body, sizeof body, "{\"%s\":{\"%s\":%s}}", root, member, json);
	node_job(n, ONEM2M_UPDATE, to, 0, rd_str(body), NULL, NULL);
}
