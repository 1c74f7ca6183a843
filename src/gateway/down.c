/* What node B sends. */
#include "gateway/down.h"

#include <string.h>

#include "base/bytes.h"
#include "onem2m/timestamp.h"

/* A resource ID that can be remembered: it becomes a word of the file of children. */
static bool id_of(const struct json *resource, const char *name, char id[static DOWN_ID])
{
	char text[DOWN_ID];

	if (!json_text(json_get(resource, name), text, sizeof text) || text[0] == '\0')
		return false;
	for (size_t i = 0; text[i]; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memcpy(id, text, sizeof text);
	return true;
}

void down_init(struct down *d, uint64_t device, const char *last)
{
	memset(d, 0, sizeof *d);
	d->device = device;
	if (strlen(last) < sizeof d->last)
		memcpy(d->last, last, strlen(last) + 1);
}

static bool message_of(const struct json *instance, uint8_t octets[static EGP_MESSAGE_MAX], struct egp_message *m, uint64_t *device)
{
	struct wr w = wr_of(octets, EGP_MESSAGE_MAX);
	struct rd con, message;

	if (!json_string(json_get(instance, "con"), &con) || !base64_parse(con, &w) || !wr_done(&w, &message) || egp_decode(message, m) != OK)
		return false;
	switch (m->type) {
	case EGP_DOWNLINK:
		*device = m->downlink.device;
		return true;
	case EGP_CHILD_SET:
		*device = m->child_set.device;
		return true;
	case EGP_CHILD_DROP:
		*device = m->child_drop.device;
		return true;
	case EGP_HELLO:
	case EGP_HELLO_ACK:
	case EGP_JOIN_POLICY:
	case EGP_ACK:
	case EGP_REQUEST:
	case EGP_RESPONSE:
	case EGP_ERROR:
	case EGP_DEVICE_GONE:
	case EGP_DEVICE_REMOVE:
	case EGP_PING:
	case EGP_PONG:
	case EGP_UPLINK:
	case EGP_DELIVERY:
	case EGP_CHILD_EVENT:
		break;
	}
	return false;
}

bool down_device(const struct json *instance, uint64_t *device)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct egp_message m;

	return message_of(instance, octets, &m, device);
}

const struct json *down_first_new(const struct down *d, const struct json *list)
{
	const struct json *first = list ? list->first : NULL;

	if (d->last[0])
		for (const struct json *i = first; i; i = i->next)
			if (json_is_string(json_get(i, "ri"), d->last))
				return i->next;
	return first; /* the last is not there any more: all these came after it */
}

/* Its owner may write into its own device's container alone, so that what is in another's was written by another's owner. A CSE may write the ID of the
 * same container with its own ID in front. */
static bool from_own_container(const struct down *d, const struct json *instance)
{
	size_t len = strlen(d->container);
	struct rd parent, tail;

	if (len == 0 || !json_string(json_get(instance, "pi"), &parent))
		return true;
	if (parent.left < len)
		return false;
	tail = parent;
	if (!rd_skip(&tail, parent.left - len) || !rd_is(tail, d->container))
		return false;
	return parent.left == len || parent.at[parent.left - len - 1] == '/';
}

static bool seen_before(struct down *d, uint32_t transaction)
{
	size_t n = d->seen_count < DOWN_SEEN ? d->seen_count : DOWN_SEEN;

	for (size_t i = 0; i < n; i++)
		if (d->seen[i] == transaction)
			return true;
	d->seen[d->seen_count++ % DOWN_SEEN] = transaction;
	return false;
}

/* What a DOWNLINK has left; 0: nothing. */
static uint32_t validity_left(const struct json *instance, const struct egp_message *m, uint64_t cse_s, bool retrieved)
{
	uint32_t validity_ms = m->downlink.validity_ms ? m->downlink.validity_ms : DOWN_VALIDITY_MS;
	uint64_t made_ms, age_ms;
	struct rd text;

	if (cse_s == 0 || !json_string(json_get(instance, "ct"), &text) || !timestamp_parse(text, &made_ms))
		return retrieved ? 0 : validity_ms;
	age_ms = cse_s > made_ms / 1000 ? (cse_s - made_ms / 1000) * 1000 : 0;
	return age_ms < validity_ms ? validity_ms - (uint32_t)age_ms : 0;
}

enum err down_take(struct down *d, const struct json *instance, uint64_t cse_s, bool retrieved, uint8_t octets[static EGP_MESSAGE_MAX], struct egp_message *m)
{
	uint64_t device;

	if (!from_own_container(d, instance))
		return ERR_NOT_PERMITTED;
	if (!message_of(instance, octets, m, &device))
		return ERR_MALFORMED;
	if (device != d->device)
		return ERR_NOT_PERMITTED;
	if (seen_before(d, m->transaction))
		return ERR_DUPLICATE;
	(void)id_of(instance, "ri", d->last);
	if (m->type != EGP_DOWNLINK)
		return OK;
	m->downlink.validity_ms = validity_left(instance, m, cse_s, retrieved);
	return m->downlink.validity_ms ? OK : ERR_TIMEOUT;
}
