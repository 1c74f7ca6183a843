/* What NWK and APS security have in common. */
#include "zigbee/security/nonce.h"

void security_nonce(const struct aux_header *aux, uint64_t source, uint8_t nonce[static CCM_STAR_NONCE])
{
	struct wr w = wr_of(nonce, CCM_STAR_NONCE);

	wr_le64(&w, source);
	wr_le32(&w, aux->frame_counter);
	wr_u8(&w, (uint8_t)(SECURITY_LEVEL | (unsigned)aux->key_id << 3 | (aux->extended_nonce ? 0x20U : 0U)));
}

/* What is authenticated: the header, and the auxiliary header with the level put in. */
static bool additional_data(struct rd header, const struct aux_header *aux, struct wr *w, struct rd *aad)
{
	struct aux_header with_level = *aux;

	with_level.level = SECURITY_LEVEL;
	wr_rd(w, header);
	aux_header_encode(&with_level, w);
	return wr_done(w, aad);
}

enum err security_seal(const struct secret *key, const struct aux_header *aux, uint64_t source, struct rd header, struct rd plain, struct wr *w)
{
	uint8_t nonce[CCM_STAR_NONCE], buffer[SECURITY_HEADERS_MAX], *room;
	struct wr headers = wr_of(buffer, sizeof buffer);
	struct rd aad;

	if (!additional_data(header, aux, &headers, &aad))
		return ERR_TOO_LONG;
	security_nonce(aux, source, nonce);
	wr_rd(w, header);
	aux_header_encode(aux, w);
	room = wr_room(w, plain.left + NWK_MIC);
	return room ? ccm_star_seal(key, nonce, aad, plain, NWK_MIC, room) : ERR_TOO_LONG;
}

enum err security_open(const struct secret *key, uint64_t sender, struct rd header, struct rd sealed, struct aux_header *aux,
    uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	uint8_t nonce[CCM_STAR_NONCE], buffer[SECURITY_HEADERS_MAX];
	struct wr headers = wr_of(buffer, sizeof buffer);
	struct rd aad;
	enum err e;

	if (!aux_header_decode(&sealed, aux))
		return ERR_SHORT;
	if (aux->level != 0 && aux->level != SECURITY_LEVEL)
		return ERR_MALFORMED;
	if (sealed.left < NWK_MIC)
		return ERR_SHORT;
	if (sealed.left - NWK_MIC > NWK_FRAME_MAX || !additional_data(header, aux, &headers, &aad))
		return ERR_TOO_LONG;
	security_nonce(aux, aux->extended_nonce ? aux->source : sender, nonce);
	e = ccm_star_open(key, nonce, aad, sealed, NWK_MIC, plain);
	if (e == OK)
		*payload = rd_of(plain, sealed.left - NWK_MIC);
	return e;
}
