/* Reading and writing security information. */
#include "binding/esprim/security_info.h"

#include <string.h>

#include "security/credential.h"

static struct rd source_of(const struct json *v)
{
	return v ? v->source : rd_str("");
}

static struct rd string_of(const struct json *v)
{
	struct rd text;

	return json_string(v, &text) ? text : rd_str("");
}

static bool begin(struct rd text, struct security_info *i, const struct json **doc)
{
	*i = (struct security_info){.arena = text.left > 0 ? json_arena_new() : NULL, .ero = rd_str(""), .epo = rd_str(""), .eckm = rd_str(""), .esro = rd_str("")};
	if (i->arena && json_parse(i->arena, text, NULL, doc) == OK && (*doc)->type == JSON_OBJECT)
		return true;
	security_info_clear(i);
	return false;
}

bool security_info_read(struct rd content, struct security_info *i)
{
	const struct json *doc, *info;

	if (!begin(content, i, &doc))
		return false;
	info = json_get(doc, "m2m:seci");
	if (!json_uint(json_get(info, "sit"), &i->sit)) {
		security_info_clear(i);
		return false;
	}
	i->ero = source_of(json_get(info, "ero"));
	i->epo = string_of(json_get(info, "epo"));
	i->eckm = string_of(json_get(info, "eckm"));
	return true;
}

bool security_info_parse(struct rd e2e, struct security_info *i)
{
	const struct json *doc, *features;
	uint64_t n;
	enum suid suid;

	if (!begin(e2e, i, &doc))
		return false;
	features = json_get(doc, "esf");
	for (const struct json *f = features ? features->first : NULL; f; f = f->next)
		if (json_uint(f, &n) && suid_parse(n, &suid) == OK && suid_usage(suid) == SUID_USAGE_ESPRIM)
			i->esprim = true;
	i->esro = source_of(json_get(doc, "esro"));
	return true;
}

void security_info_clear(struct security_info *i)
{
	json_arena_free(i->arena);
	*i = (struct security_info){.arena = NULL};
}

bool security_info_takes_esprim(struct rd e2e)
{
	struct security_info i;
	bool yes;

	if (!security_info_parse(e2e, &i))
		return false;
	yes = i.esprim;
	security_info_clear(&i);
	return yes;
}

void security_info_write(struct wr *w, unsigned sit, const char *name, struct rd value)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, "m2m:seci");
	json_put_uint(&o, "sit", sit);
	if (name && strcmp(name, "ero") == 0)
		json_put_raw(&o, name, value);
	else if (name)
		json_put_rd(&o, name, value);
	json_close(&o);
	json_close(&o);
}
