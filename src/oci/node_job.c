/* Requests of IPE-OCI to its own CSE. They are made in their order, which is the order in which the CSE carries them out; some at a time, so that they share a
 * commit. What is deleted, or has somebody who waits for its answer, is by itself. */
#include "oci/node_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "loop/log.h"

#define AT_ONCE 32

struct job {
	struct job *next;
	struct jobs *queue;
	bool barrier;  /* no request: it waits for those before it */
	bool started, answered, failed;
	enum onem2m_operation operation;
	int type, rcn;
	char to[JOB_TO_MAX];
	struct wr body;
	job_done *done;
	job_after *after; /* of a barrier */
	void *ctx; /* heap */
};

struct jobs {
	struct oci_node *node;
	struct job *first, **last;
	size_t running;
	bool going;
	bool failed, told; /* a write since the last barrier; a barrier has heard of it, and those next to it are to hear of it too */
};

void jobs_start(struct oci_node *n)
{
	n->jobs = calloc(1, sizeof *n->jobs);
	if (!n->jobs)
		abort();
	n->jobs->node = n;
	n->jobs->last = &n->jobs->first;
}

static bool expected(enum onem2m_rsc rsc)
{
	return rsc == RSC_CREATED || rsc == RSC_UPDATED || rsc == RSC_DELETED || rsc == RSC_OK || rsc == RSC_CONFLICT || rsc == RSC_NOT_FOUND;
}

/* Ours, not the request's: it would go another time. */
static bool lost(const struct job *j, enum onem2m_rsc rsc)
{
	return (j->operation == ONEM2M_CREATE || j->operation == ONEM2M_UPDATE) && rsc >= RSC_INTERNAL_SERVER_ERROR;
}

static void go_on(struct jobs *q);

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct job *j = ctx;
	struct jobs *q = j->queue;

	if (!expected(rsp->rsc))
		log_line(LOG_LEVEL_WARNING, "resource not written", "to=%s rsc=%d", j->to, (int)rsp->rsc);
	if (j->done)
		j->done(q->node, j->ctx, rsp);
	j->answered = true;
	j->failed = lost(j, rsp->rsc);
	q->running--;
	go_on(q);
}

static void job_free(struct job *j)
{
	wr_free(&j->body); /* wiped: it may be of a PIN table */
	free(j->ctx);
	free(j);
}

/* What is answered from the first on is gone, and whoever waited for it has its turn. */
static void reap(struct jobs *q)
{
	while (q->first && (q->first->answered || q->first->barrier)) {
		struct job *j = q->first;

		q->first = j->next;
		if (!q->first)
			q->last = &q->first;
		if (j->barrier) {
			q->told = true;
			j->after(q->node, j->ctx, !q->failed);
		} else {
			q->failed = j->failed || (q->failed && !q->told);
			q->told = false;
		}
		job_free(j);
	}
}

static bool alone(const struct job *j)
{
	return j->operation == ONEM2M_DELETE || j->done;
}

/* NULL: none, for now. */
static struct job *startable(const struct jobs *q)
{
	struct job *j = q->first;

	while (j && (j->barrier || j->answered || (j->started && !alone(j))))
		j = j->next;
	if (!j || j->started || q->running >= AT_ONCE || (alone(j) && q->running > 0))
		return NULL;
	return j;
}

static void start(struct jobs *q, struct job *j)
{
	bool brief = j->rcn == 0;

	j->started = true;
	q->running++;
	wr_u8(&j->body, '\0');
	node_request(q->node, j->operation, j->to, j->type, brief ? 0 : ONEM2M_RCN_ABSENT, brief ? "rcn=0" : NULL, j->body.len > 1 ? (const char *)j->body.octets : NULL, on_done, j);
}

/* An answer may come before node_request returns, and what is called may have jobs of its own. */
static void go_on(struct jobs *q)
{
	struct job *j;

	if (q->going)
		return;
	q->going = true;
	do {
		reap(q);
		j = startable(q);
		if (j)
			start(q, j);
	} while (j);
	q->going = false;
}

static struct job *job_new(struct oci_node *n, job_done *done, void *ctx)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	j->queue = n->jobs;
	j->done = done;
	j->ctx = ctx;
	return j;
}

static void append(struct jobs *q, struct job *j)
{
	*q->last = j;
	q->last = &j->next;
	go_on(q);
}

void node_job(struct oci_node *n, enum onem2m_operation operation, const char *to, int type, struct rd body, job_done *done, void *ctx)
{
	struct job *j = job_new(n, done, ctx);

	j->operation = operation;
	j->type = type;
	j->rcn = done && operation != ONEM2M_DELETE && operation != ONEM2M_UPDATE ? 1 : 0;
	j->body = wr_new(JOB_BODY_MAX + 1);
	if (!rd_text(rd_str(to), j->to, sizeof j->to) || body.left > JOB_BODY_MAX) {
		log_line(LOG_LEVEL_WARNING, "resource not written: its name or content is too long", "to=%s", to);
		job_free(j);
		return;
	}
	wr_rd(&j->body, body);
	append(n->jobs, j);
}

void node_job_after(struct oci_node *n, job_after *after, void *ctx)
{
	struct job *j = job_new(n, NULL, ctx);

	j->barrier = true;
	j->after = after;
	append(n->jobs, j);
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
	if (last && !last->started && !last->barrier && last->operation == ONEM2M_UPDATE && !last->done && strcmp(last->to, to) == 0 && merge(last, member, json))
		return;
	snprintf(body, sizeof body, "{\"%s\":{\"%s\":%s}}", root, member, json);
	node_job(n, ONEM2M_UPDATE, to, 0, rd_str(body), NULL, NULL);
}
