/* Failures and refusals in words: what happened, and what can be done about it. */
#include <stdio.h>
#include <string.h>

#include "client/client_private.h"
#include "json/json.h"

enum keyway_failure client_failure(enum err e)
{
	if (e == OK)
		return KEYWAY_OK;
	if (e == ERR_TIMEOUT)
		return KEYWAY_TIMEOUT;
	if (e == ERR_TLS || e == ERR_NOT_AUTHORISED)
		return KEYWAY_UNTRUSTED;
	if (e == ERR_CLOSED || e == ERR_SHORT)
		return KEYWAY_LOST;
	if (e == ERR_TOO_LONG || e == ERR_CONFIG || e == ERR_BAD_VALUE || e == ERR_UNSUPPORTED || e == ERR_FULL)
		return KEYWAY_INVALID;
	return KEYWAY_UNREACHABLE;
}

const char *client_why_failed(struct keyway *k, enum err failure, const char *detail)
{
	const char *what = detail ? detail : err_text(failure);

	switch (client_failure(failure)) {
	case KEYWAY_OK:
		k->why[0] = '\0';
		break;
	case KEYWAY_INVALID:
		snprintf(k->why, sizeof k->why, "the request cannot be sent to %s: %s", k->url, what);
		break;
	case KEYWAY_UNREACHABLE:
		snprintf(k->why, sizeof k->why, "%s cannot be reached (%s): does it run, and is this its address?", k->url, what);
		break;
	case KEYWAY_TIMEOUT:
		snprintf(k->why, sizeof k->why, "%s did not answer within %u ms (%s): the request may have been executed", k->url, k->timeout_ms, what);
		break;
	case KEYWAY_UNTRUSTED:
		snprintf(k->why, sizeof k->why, "TLS with %s failed (%s): is its certificate one of `%s`, signed by %s, and does it know who signed ours?", k->url, what, k->server,
		    k->ca ? k->ca : "nobody");
		break;
	case KEYWAY_LOST:
		snprintf(k->why, sizeof k->why, "the connection to %s ended before the answer came (%s): the request may have been executed", k->url, what);
		break;
	}
	return k->why;
}

const char *client_why_refused(struct keyway *k, enum onem2m_rsc rsc, struct rd content)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	char said[300] = "";

	k->why[0] = '\0';
	if ((int)rsc >= 4000) {
		if (a && json_parse(a, content, NULL, &doc) == OK && !json_text(json_get(doc, "m2m:dbg"), said, sizeof said))
			said[0] = '\0';
		snprintf(k->why, sizeof k->why, "%d %s%s%s", (int)rsc, rsc_text(rsc), said[0] ? ": " : "", said);
	}
	json_arena_free(a);
	return k->why;
}
