/* ZEP version 2. */
#include "zep/zep.h"

#define VERSION 2
#define TYPE_DATA 1
#define MODE_CRC 1
#define RESERVED 10
#define PSDU_MAX 127
#define NTP_EPOCH 2208988800U /* seconds from 1900 to 1970 */

enum err zep_decode(struct rd in, struct zep *z)
{
	uint8_t e, x, version, type, mode, len;

	if (!rd_u8(&in, &e) || !rd_u8(&in, &x) || !rd_u8(&in, &version) || !rd_u8(&in, &type))
		return ERR_SHORT;
	if (e != 'E' || x != 'X')
		return ERR_MALFORMED;
	if (version != VERSION || type != TYPE_DATA)
		return ERR_UNSUPPORTED;
	if (!rd_u8(&in, &z->channel) || !rd_be16(&in, &z->device) || !rd_u8(&in, &mode) || !rd_u8(&in, &z->lqi) || !rd_be64(&in, &z->ntp_time) ||
	    !rd_be32(&in, &z->sequence) || !rd_skip(&in, RESERVED) || !rd_u8(&in, &len) || !rd_sub(&in, len, &z->psdu))
		return ERR_SHORT;
	if (mode != MODE_CRC || len > PSDU_MAX)
		return ERR_MALFORMED;
	return rd_end(&in) ? OK : ERR_MALFORMED;
}

enum err zep_encode(const struct zep *z, struct wr *w)
{
	static const uint8_t reserved[RESERVED];

	if (z->psdu.left > PSDU_MAX)
		return ERR_TOO_LONG;
	wr_str(w, "EX");
	wr_u8(w, VERSION);
	wr_u8(w, TYPE_DATA);
	wr_u8(w, z->channel);
	wr_be16(w, z->device);
	wr_u8(w, MODE_CRC);
	wr_u8(w, z->lqi);
	wr_be64(w, z->ntp_time);
	wr_be32(w, z->sequence);
	wr_copy(w, reserved, sizeof reserved);
	wr_u8(w, (uint8_t)z->psdu.left);
	wr_rd(w, z->psdu);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

uint64_t zep_ntp(uint64_t unix_ms)
{
	return (unix_ms / 1000 + NTP_EPOCH) << 32 | ((unix_ms % 1000) << 32) / 1000;
}
