/* Members of requests. */
#include "key_registry/order.h"

#include <string.h>

#include "key_registry/key_carrier.h"
#include "onem2m/timestamp.h"

static bool is_plain(struct rd text)
{
	uint8_t c;

	if (text.left == 0)
		return false;
	while (rd_u8(&text, &c))
		if (c < 0x20 || c == 0x7f)
			return false;
	return true;
}

/* An array of strings into text with newlines between. */
static bool list(const struct json *v, size_t most, char *text, size_t size, size_t *count)
{
	struct wr w = wr_of(text, size - 1);
	const struct json *item;
	struct rd s;

	*count = 0;
	text[0] = '\0';
	if (v->type != JSON_ARRAY)
		return false;
	for (size_t i = 0; (item = json_at(v, i)) != NULL; i++) {
		if (i == most || !json_string(item, &s) || !is_plain(s))
			return false;
		if (i > 0)
			wr_u8(&w, '\n');
		wr_rd(&w, s);
		(*count)++;
	}
	if (w.spoilt)
		return false;
	text[w.len] = '\0';
	return true;
}

static bool targets(const struct json *v, struct order *o)
{
	struct rd rest, item;

	if (!list(v, ORDER_TARGETS, o->targets, sizeof o->targets, &o->target_count))
		return false;
	rest = rd_str(o->targets);
	while (order_list_next(&rest, &item))
		if (!entity_valid(item))
			return false;
	return true;
}

static bool domain(const struct json *v, char name[static FQDN_MAX])
{
	return json_text(v, name, FQDN_MAX) && fqdn_valid(rd_str(name));
}

static bool time_of(const struct json *v, uint64_t *s)
{
	struct rd text;
	uint64_t ms;

	if (!json_string(v, &text) || !timestamp_parse(text, &ms))
		return false;
	*s = ms / 1000;
	return true;
}

static bool suid_of(const struct json *v, enum suid *suid)
{
	uint64_t n;

	return json_uint(v, &n) && suid_parse(n, suid) == OK && *suid != SUID_NONE;
}

static bool members(const struct json *b, struct order *o, const char **reason)
{
	const struct json *v;
	size_t n;

	*reason = "fqdn is no domain name";
	if ((v = json_get(b, "fqdn")) != NULL && !domain(v, o->fqdn))
		return false;
	*reason = "adminFQDN is no domain name";
	if ((v = json_get(b, "adminFQDN")) != NULL && !domain(v, o->admin))
		return false;
	*reason = "et is no time stamp";
	if ((v = json_get(b, "et")) != NULL && !(o->has_expiry = time_of(v, &o->expires_at)))
		return false;
	*reason = "labels are not a list of texts, or too many";
	if ((v = json_get(b, "labels")) != NULL && !(o->has_labels = list(v, ORDER_LABELS, o->labels, sizeof o->labels, &n)))
		return false;
	*reason = "targetIDs are not a list of IDs, or too many";
	if ((v = json_get(b, "targetIDs")) != NULL && !(o->has_targets = targets(v, o)))
		return false;
	*reason = "SUID is none that there is";
	if ((v = json_get(b, "SUID")) != NULL && !(o->has_suid = suid_of(v, &o->suid)))
		return false;
	*reason = "keyValue is not 16 to 64 octets in base64"; /* the last one: what it makes needs clearing */
	return (v = json_get(b, "keyValue")) == NULL || key_carried(v, &o->key);
}

bool order_parse(const struct json *body, struct order *o, const char **reason)
{
	memset(o, 0, sizeof *o);
	return members(body, o, reason);
}

void order_clear(struct order *o)
{
	secret_free(o->key);
	o->key = NULL;
}

bool order_list_next(struct rd *rest, struct rd *item)
{
	if (rest->left == 0)
		return false;
	if (!rd_until(rest, '\n', item))
		*item = rd_rest(rest);
	return true;
}

void order_list_put(struct json_out *o, const char *name, const char *text)
{
	struct rd rest = rd_str(text), item;

	json_array(o, name);
	while (order_list_next(&rest, &item))
		json_put_rd(o, NULL, item);
	json_close(o);
}
