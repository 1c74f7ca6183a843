/* Answers of MEF and MAF. */
#include "enrolee/function_answer.h"

#include <string.h>

#include "key_registry/key_carrier.h"
#include "onem2m/timestamp.h"

static bool is_hex(const char *text)
{
	return text[0] && strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

bool function_answer_end(const struct json *doc, struct function_answer *a)
{
	struct rd text;
	uint64_t ms;

	if (!json_string(json_get(json_get(doc, REGISTRATION_KEY), "et"), &text) || !timestamp_parse(text, &ms))
		return false;
	a->expires_at = ms / 1000;
	return true;
}

/* ri and et, which all of them have. */
static bool common(const struct json *v, struct function_answer *a)
{
	struct rd text;
	uint64_t ms;

	memset(a, 0, sizeof *a);
	if (!json_text(json_get(v, "ri"), a->id, sizeof a->id) || !is_hex(a->id) || !json_string(json_get(v, "et"), &text) || !timestamp_parse(text, &ms))
		return false;
	a->expires_at = ms / 1000;
	return true;
}

static bool assigned(const struct json *v, struct function_answer *a)
{
	struct key_id id;

	return !v || (json_text(v, a->assigned, sizeof a->assigned) && key_id_split(rd_str(a->assigned), &id) == OK);
}

static bool commands(const struct json *v, struct function_answer *a)
{
	return !v || (json_text(v, a->commands, sizeof a->commands) && a->commands[0] == '/' && entity_valid(rd_str(a->commands)));
}

bool function_answer_client(const struct json *doc, const char *root, struct function_answer *a)
{
	const struct json *v = json_get(doc, root);

	return common(v, a) && assigned(json_get(v, "assignedSymmKeyID"), a) && commands(json_get(v, "cmd"), a);
}

bool function_answer_key(const struct json *doc, bool valued, struct function_answer *a)
{
	const struct json *v = json_get(doc, REGISTRATION_KEY);
	uint64_t suid;

	if (!common(v, a) || !json_uint(json_get(v, "SUID"), &suid) || suid_parse(suid, &a->suid) != OK ||
	    !json_text(json_get(v, "sourceClientID"), a->source, sizeof a->source) || !entity_valid(rd_str(a->source)))
		return false;
	return !valued || key_carried(json_get(v, "keyValue"), &a->key);
}

void function_answer_clear(struct function_answer *a)
{
	secret_free(a->key);
	a->key = NULL;
}
