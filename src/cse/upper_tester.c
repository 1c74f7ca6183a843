/* Test commands, as open CSEs take them from an upper tester. Only a testbench answers them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cse/private.h"

#define DEFAULT_CHECK_S 60
#define DEFAULT_REQUEST_S 10

struct resetting {
	struct resource *list[512];
	size_t count;
};

static bool note(void *ctx, struct resource *r)
{
	struct resetting *k = ctx;

	k->list[k->count++] = resource_ref(r);
	return k->count < sizeof k->list / sizeof k->list[0];
}

static void set_created(void *ctx, struct attributes *a)
{
	const struct cse *c = ctx;

	attributes_set_time(a, "ct", cse_now(c));
	attributes_set_time(a, "lt", cse_now(c));
}

/* Everything below the CSEBase goes; what a CSE makes for itself comes back, and the CSEBase counts as new. */
static bool reset(struct cse *c)
{
	struct resource *base = tree_by_id(c->tree, c->base_id);
	struct resetting *k = malloc(sizeof *k);
	enum err e = OK;

	if (!k || !base)
		abort();
	do {
		k->count = 0;
		e = tree_flush(c->tree);
		if (e == OK)
			e = tree_children(c->tree, base, 0, false, note, k);
		for (size_t i = 0; i < k->count; i++) {
			if (e == OK)
				e = cse_delete_subtree(c, k->list[i], false);
			resource_unref(k->list[i]);
		}
	} while (e == OK && k->count > 0);
	free(k);
	resource_unref(base);
	if (e == OK)
		e = cse_edit_resource(c, c->base_id, false, set_created, c);
	if (e == OK)
		cse_make_fixed(c);
	cse_commit_now(c);
	return e == OK;
}

/* Seconds, also with a fraction: "2", "3.0". */
static bool seconds_of(const char *text, uint64_t *ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds > 0 && seconds < 1e9))
		return false;
	*ms = (uint64_t)(seconds * 1000);
	return *ms > 0;
}

bool cse_upper_tester(struct cse *c, const char *command, char *response, size_t size)
{
	static const char *const types[] = {"", "IN", "MN", "ASN"};
	char verb[64] = "", argument[128] = "";
	uint64_t ms;

	cse_commit_now(c); /* what is under way ends first */
	response[0] = '\0';
	if (!c->config.testbench || sscanf(command, "%63s %127[^\n]", verb, argument) < 1)
		return false;
	if (strcasecmp(verb, "Status") == 0) {
		snprintf(response, size, "RUNNING");
		return true;
	}
	if (strcasecmp(verb, "testCaseStart") == 0 || strcasecmp(verb, "testCaseEnd") == 0)
		return true;
	if (strcasecmp(verb, "Reset") == 0)
		return reset(c);
	if (strcasecmp(verb, "GetConfig") == 0 && strcmp(argument, "cse.type") == 0) {
		snprintf(response, size, "%s", types[c->config.type]);
		return true;
	}
	/* expiry here is by the clock, not by looking now and then: the interval is only told */
	if (strcasecmp(verb, "enableShortResourceExpiration") == 0 && seconds_of(argument, &ms)) {
		snprintf(response, size, "%d,%llu", DEFAULT_CHECK_S, (unsigned long long)(cse_longest_life(c) / 1000));
		return true;
	}
	if (strcasecmp(verb, "disableShortResourceExpiration") == 0)
		return true;
	if (strcasecmp(verb, "enableShortRequestExpiration") == 0 && seconds_of(argument, &ms)) {
		snprintf(response, size, "%llu", (unsigned long long)(c->config.request_life_ms ? c->config.request_life_ms / 1000 : DEFAULT_REQUEST_S));
		c->short_request_ms = ms;
		return true;
	}
	if (strcasecmp(verb, "disableShortRequestExpiration") == 0) {
		c->short_request_ms = 0;
		return true;
	}
	return false;
}
