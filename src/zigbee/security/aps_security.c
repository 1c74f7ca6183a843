/* APS layer security. */
#include "zigbee/security/aps_security.h"

#include "zigbee/security/link_key.h"
#include "zigbee/security/nonce.h"

enum err link_key_set_take(struct link_key_set *set, struct secret *link_key)
{
	const struct link_key_set empty = {NULL, NULL, NULL};
	enum err e;

	*set = empty;
	set->link = link_key;
	e = link_key_transport(link_key, &set->transport);
	if (e == OK)
		e = link_key_load(link_key, &set->load);
	if (e != OK)
		link_key_set_clear(set);
	return e;
}

void link_key_set_clear(struct link_key_set *set)
{
	secret_free(set->link);
	secret_free(set->transport);
	secret_free(set->load);
	set->link = set->transport = set->load = NULL;
}

enum err aps_seal(const struct secret *key, enum aux_key_id key_id, uint8_t key_sequence, bool extended_nonce, uint64_t source,
    uint32_t frame_counter, const struct aps_frame *f, struct wr *w)
{
	const struct aux_header aux = {
		.key_id = key_id,
		.extended_nonce = extended_nonce,
		.frame_counter = frame_counter,
		.source = source,
		.key_sequence = key_sequence,
	};
	uint8_t buffer[SECURITY_HEADERS_MAX];
	struct wr header = wr_of(buffer, sizeof buffer);
	struct aps_frame secured = *f;
	struct rd octets;
	enum err e;

	secured.security = true;
	e = aps_header_encode(&secured, &header);
	if (e != OK)
		return e;
	if (!wr_done(&header, &octets))
		return ERR_TOO_LONG;
	return security_seal(key, &aux, source, octets, f->payload, w);
}

enum err aps_open(const struct secret *key, uint64_t sender, const struct aps_frame *f, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	if (!f->security)
		return ERR_MALFORMED;
	return security_open(key, sender, f->header, f->payload, aux, plain, payload);
}

enum err aps_open_set(const struct link_key_set *set, uint64_t sender, const struct aps_frame *f, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct rd sealed = f->payload;

	if (!f->security)
		return ERR_MALFORMED;
	if (!aux_header_decode(&sealed, aux))
		return ERR_SHORT;
	switch (aux->key_id) {
	case AUX_KEY_DATA:
		return aps_open(set->link, sender, f, aux, plain, payload);
	case AUX_KEY_TRANSPORT:
		return aps_open(set->transport, sender, f, aux, plain, payload);
	case AUX_KEY_LOAD:
		return aps_open(set->load, sender, f, aux, plain, payload);
	case AUX_KEY_NETWORK:
		break;
	}
	return ERR_UNKNOWN_KEY;
}
