/* What the files of the interview share: its steps (oci_interview.c), its questions (oci_interview_question.c), and the answers (oci_interview_answer.c). A
 * device's `interview` is the step, `item` the endpoint or cluster that it is at, and `part` how far it is there. */
#ifndef KEYWAY_OCI_INTERVIEW_PRIVATE_H
#define KEYWAY_OCI_INTERVIEW_PRIVATE_H

#include "oci/core_private.h"

/* A cluster of an endpoint that the descriptions have a use for. */
struct oci_pair {
	const struct oci_endpoint *endpoint;
	uint16_t cluster;
	bool client; /* it sends commands: it is bound, and there is nothing to read */
};

/* oci_interview.c: each goes on with the next question */
void oci_interview_to(struct oci_core *c, struct oci_device *d, enum oci_interview next);
void oci_interview_next_item(struct oci_core *c, struct oci_device *d);
void oci_interview_next_part(struct oci_core *c, struct oci_device *d); /* behind asked_parts */
void oci_interview_zone_over(struct oci_core *c, struct oci_device *d); /* one of its two questions is */
/* oci_interview_question.c: each sets asked_sequence */
bool oci_interview_pair_at(const struct oci_device *d, size_t item, struct oci_pair *pair) MUST_CHECK; /* the item-th; false behind the last */
void oci_interview_ask_zdo(struct oci_core *c, struct oci_device *d, uint16_t cluster);
void oci_interview_ask_attributes(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e, uint16_t cluster, const uint16_t *attributes, size_t n);
void oci_interview_ask_bind(struct oci_core *c, struct oci_device *d, const struct oci_pair *pair);
/* As many attributes as fit into a frame, from the part-th on, of one manufacturer code: their values, or that they are reported. Sets asked_parts; with nothing
 * to ask it goes on to the next item. */
void oci_interview_ask_needs(struct oci_core *c, struct oci_device *d, const struct oci_pair *pair, bool reports);
void oci_interview_write_cie(struct oci_core *c, struct oci_device *d, const struct oci_endpoint *e); /* where alarms go: the device enrols its zone when it knows */

#endif
