/* Identities: one that stands for an ID may use it, in all its forms, and no other; a CSE has no slash in its ID but the first.
 * Times: see below. Input: identity, From, and a time, each
 * behind a line end. */
#include <stdio.h>
#include <string.h>

#include "onem2m/identity.h"
#include "onem2m/timestamp.h"
#include "../fuzz.h"

#define SP "keyway.example"
#define AT "/id-mn"

static void identities(struct rd identity_text, struct rd from)
{
	char identity[FUZZ_INPUT_MAX], id[IDENTITY_MAX], claim[2 * IDENTITY_MAX];
	bool any;

	if (!rd_text(identity_text, identity, sizeof identity))
		return;
	any = identity_to_id(identity, SP, id, sizeof id);
	if (!any) {
		MUST(!identity_may_be(identity, SP, AT, from));
		return;
	}
	MUST(id[0] == '/' && id[1] != '/' && memchr(id, '\0', sizeof id));
	MUST(strncmp(identity, "m2m://", 6) == 0 || !strchr(id + 1, '/'));
	MUST(identity_may_be(identity, SP, AT, rd_str(id)));
	snprintf(claim, sizeof claim, "//%s%s", SP, id);
	if (strlen(claim) < IDENTITY_MAX)
		MUST(identity_may_be(identity, SP, AT, rd_str(claim)));
	snprintf(claim, sizeof claim, "%s1", id);
	MUST(!identity_may_be(identity, SP, AT, rd_str(claim)));
	if (identity_may_be(identity, SP, AT, from)) {
		MUST(from.left > 0 && from.left <= strlen(id) + 2 + strlen(SP));
		MUST(memcmp(from.at + from.left - 1, id + strlen(id) - 1, 1) == 0);
	}
}

/* Times: what is read as a time stamp is printed as the same second again. */
static void times(struct rd text)
{
	char printed[TIMESTAMP_SIZE];
	uint64_t ms, again;

	if (!timestamp_parse(text, &ms))
		return;
	timestamp_print(printed, ms);
	MUST(timestamp_parse(rd_str(printed), &again) && again == ms - ms % 1000);
	timestamp_print_precise(printed, ms);
	MUST(timestamp_parse(rd_str(printed), &again) && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size), identity, from;
	uint64_t ms;

	if (size <= FUZZ_INPUT_MAX && rd_line(&in, &identity) && rd_line(&in, &from)) {
		identities(identity, from);
		times(in);
		if (timestamp_parse_abs_rel(in, 1000000, &ms))
			MUST(in.left > 0);
	}
	return 0;
}
