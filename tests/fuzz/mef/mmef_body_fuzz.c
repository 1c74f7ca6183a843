/* Bodies of Mmef requests: what decodes is in range, and an APS body encodes again to the same frame. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mef/mmef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void aps_again(struct json_arena *a, const struct mmef_aps_body *b)
{
	uint8_t text[512];
	struct wr w = wr_of(text, sizeof text);
	struct json_out o = json_out(&w);
	struct mmef_aps_body again;
	const struct json *doc;
	struct rd octets;

	json_object(&o, NULL);
	json_object(&o, REGISTRATION_APS);
	json_put_uint(&o, "counter", b->counter);
	json_put_base64(&o, "frame", rd_of(b->frame, b->len));
	json_close(&o);
	json_close(&o);
	if (!wr_done(&w, &octets) || json_parse(a, octets, NULL, &doc) != OK || !mmef_aps_body(doc, &again) || again.counter != b->counter ||
	    again.len != b->len || memcmp(again.frame, b->frame, b->len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *a = json_arena_new();
	struct mmef_event_body event;
	struct mmef_aps_body aps;
	struct audit_head head;
	uint64_t command, status;
	const struct json *doc;

	if (a && json_parse(a, rd_of(data, size), NULL, &doc) == OK) {
		if (mmef_aps_body(doc, &aps)) {
			if (aps.len > sizeof aps.frame)
				abort();
			aps_again(a, &aps);
		}
		if (mmef_event_body(doc, &event) && event.event.left > size)
			abort();
		if (mmef_witness_body(doc, &head) && !json_get(doc, REGISTRATION_WITNESS))
			abort();
		if (registration_report_parse(doc, &command, &status) && !json_get(doc, REGISTRATION_COMMAND))
			abort();
	}
	json_arena_free(a);
	return 0;
}
