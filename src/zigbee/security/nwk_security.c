/* Network layer security. */
#include "zigbee/security/nwk_security.h"

#include "zigbee/security/nonce.h"

enum err nwk_seal(const struct secret *key, uint8_t key_sequence, uint64_t source, uint32_t frame_counter, const struct nwk_frame *f, struct wr *w)
{
	const struct aux_header aux = {
		.key_id = AUX_KEY_NETWORK,
		.extended_nonce = true,
		.frame_counter = frame_counter,
		.source = source,
		.key_sequence = key_sequence,
	};
	uint8_t buffer[SECURITY_HEADERS_MAX];
	struct wr header = wr_of(buffer, sizeof buffer);
	struct nwk_frame secured = *f;
	struct rd octets;
	enum err e;

	secured.security = true;
	e = nwk_header_encode(&secured, &header);
	if (e != OK)
		return e;
	if (!wr_done(&header, &octets))
		return ERR_TOO_LONG;
	return security_seal(key, &aux, source, octets, f->payload, w);
}

enum err nwk_open(const struct secret *key, const struct nwk_frame *f, struct aux_header *aux, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct rd sealed = f->payload;

	if (!f->security)
		return ERR_MALFORMED;
	if (!aux_header_decode(&sealed, aux))
		return ERR_SHORT;
	if (aux->key_id != AUX_KEY_NETWORK || !aux->extended_nonce)
		return ERR_MALFORMED;
	return security_open(key, aux->source, f->header, f->payload, aux, plain, payload);
}
