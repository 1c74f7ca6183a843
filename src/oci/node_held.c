/* Acknowledgements that wait until what they are for is on disk. A device does not say again what was acknowledged: a reading that is lost then is lost for
 * good. What the CSE could not keep is not acknowledged, nor is what it never answers for; the device repeats it. */
#include <stdlib.h>

#include "loop/log.h"
#include "oci/node_job.h"

struct waiting {
	struct waiting *next;
	struct oci_effect frame;
};

struct held {
	struct waiting *first, **last; /* whose jobs are being asked for */
	size_t count;                  /* of these, and of those behind their jobs */
	bool losing;                   /* the last was not kept: the log has it */
};

void held_start(struct oci_node *n)
{
	n->held = calloc(1, sizeof *n->held);
	if (!n->held)
		abort();
	n->held->last = &n->held->first;
}

static void not_kept(struct oci_node *n, const struct oci_effect *frame, const char *reason)
{
	if (!n->held->losing)
		log_line(LOG_LEVEL_WARNING, "what devices say is not acknowledged, so that they say it again", "device=%s reason=\"%s\"", node_name(frame->eui64), reason);
	n->held->losing = true;
	(void)!oci_core_kept(n->core, frame, false);
}

static void on_answered(struct oci_node *n, void *ctx, bool kept)
{
	const struct waiting *w = ctx;

	n->held->count--;
	if (!kept) {
		not_kept(n, &w->frame, "the CSE could not keep it");
		return;
	}
	n->held->losing = false;
	if (oci_core_kept(n->core, &w->frame, true))
		node_send_down(n, &w->frame);
}

size_t held_waiting(const struct oci_node *n)
{
	return n->held->count;
}

void held_take(struct oci_node *n, const struct oci_effect *acknowledgement)
{
	struct held *h = n->held;
	struct waiting *w;

	if (h->count == HELD_MAX) {
		not_kept(n, acknowledgement, "too many wait for the CSE");
		return;
	}
	w = malloc(sizeof *w);
	if (!w)
		abort();
	*w = (struct waiting){.frame = *acknowledgement};
	*h->last = w;
	h->last = &w->next;
	h->count++;
}

void held_release(struct oci_node *n)
{
	struct waiting *w = n->held->first;

	n->held->first = NULL;
	n->held->last = &n->held->first;
	while (w) {
		struct waiting *next = w->next;

		node_job_after(n, on_answered, w);
		w = next;
	}
}
