/* Zigbee Cluster Library foundation. */
#include "zigbee/zcl.h"

#define FC_TYPE 0x03
#define FC_MANUFACTURER 0x04
#define FC_FROM_SERVER 0x08
#define FC_NO_DEFAULT_RESPONSE 0x10
#define INVALID_SHORT_STRING 0xff
#define INVALID_LONG_STRING 0xffff

enum err zcl_decode(struct rd in, struct zcl_frame *f)
{
	const struct zcl_frame empty = {.type = ZCL_GLOBAL};
	uint8_t control;

	*f = empty;
	if (!rd_u8(&in, &control))
		return ERR_SHORT;
	if ((control & FC_TYPE) > ZCL_CLUSTER)
		return ERR_UNSUPPORTED;
	f->type = (enum zcl_frame_type)(control & FC_TYPE);
	f->manufacturer_specific = control & FC_MANUFACTURER;
	f->from_server = control & FC_FROM_SERVER;
	f->disable_default_response = control & FC_NO_DEFAULT_RESPONSE;
	if ((f->manufacturer_specific && !rd_le16(&in, &f->manufacturer)) || !rd_u8(&in, &f->sequence) || !rd_u8(&in, &f->command))
		return ERR_SHORT;
	f->payload = rd_rest(&in);
	return OK;
}

enum err zcl_encode(const struct zcl_frame *f, struct wr *w)
{
	wr_u8(w, (uint8_t)((unsigned)f->type | (f->manufacturer_specific ? FC_MANUFACTURER : 0U) | (f->from_server ? FC_FROM_SERVER : 0U) |
	    (f->disable_default_response ? FC_NO_DEFAULT_RESPONSE : 0U)));
	if (f->manufacturer_specific)
		wr_le16(w, f->manufacturer);
	wr_u8(w, f->sequence);
	wr_u8(w, f->command);
	wr_rd(w, f->payload);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

size_t zcl_type_size(uint8_t type)
{
	if ((type >= 0x08 && type <= 0x0f) || (type >= 0x18 && type <= 0x1f) || (type >= 0x20 && type <= 0x27) || (type >= 0x28 && type <= 0x2f))
		return (size_t)(type & 7) + 1;
	switch (type) {
	case ZCL_BOOL:
	case ZCL_ENUM8:
		return 1;
	case ZCL_ENUM16:
	case 0x38: /* semi-precision */
	case 0xe8: /* cluster ID */
	case 0xe9: /* attribute ID */
		return 2;
	case ZCL_SINGLE:
	case 0xe0: /* time of day */
	case 0xe1: /* date */
	case 0xe2: /* UTC */
	case 0xea: /* BACnet OID */
		return 4;
	case ZCL_DOUBLE:
	case ZCL_EUI64:
		return 8;
	case ZCL_KEY128:
		return 16;
	default:
		return 0;
	}
}

bool zcl_type_is_signed(uint8_t type)
{
	return type >= 0x28 && type <= 0x2f;
}

bool zcl_type_is_discrete(uint8_t type)
{
	return !((type >= 0x20 && type <= 0x2f) || (type >= 0x38 && type <= 0x3a) || (type >= 0xe0 && type <= 0xe2));
}

static bool string_read(struct rd *in, uint8_t type, struct zcl_value *v)
{
	uint16_t len16;
	uint8_t len8;

	if (type == ZCL_OCTET_STRING || type == ZCL_CHAR_STRING) {
		if (!rd_u8(in, &len8))
			return false;
		return rd_sub(in, len8 == INVALID_SHORT_STRING ? 0 : len8, &v->octets);
	}
	if (type != ZCL_LONG_OCTET_STRING && type != ZCL_LONG_CHAR_STRING)
		return false; /* arrays and structures: nothing that we ask for has them */
	return rd_le16(in, &len16) && rd_sub(in, len16 == INVALID_LONG_STRING ? 0 : len16, &v->octets);
}

bool zcl_value_read(struct rd *in, uint8_t type, struct zcl_value *v)
{
	size_t size = zcl_type_size(type);
	struct rd octets;

	v->type = type;
	v->number = 0;
	v->octets = rd_of(NULL, 0);
	if (type == ZCL_NO_DATA)
		return true;
	if (size == 0)
		return string_read(in, type, v);
	if (!rd_sub(in, size, &v->octets))
		return false;
	octets = v->octets;
	for (size_t i = 0; i < size && i < 8; i++) {
		uint8_t octet = 0;

		if (!rd_u8(&octets, &octet))
			return false;
		v->number |= (uint64_t)octet << (8 * i);
	}
	if (zcl_type_is_signed(type) && size < 8 && v->number >> (8 * size - 1) & 1)
		v->number |= UINT64_MAX << (8 * size);
	return true;
}

void zcl_value_write(const struct zcl_value *v, struct wr *w)
{
	size_t size = zcl_type_size(v->type);

	if (v->type == ZCL_OCTET_STRING || v->type == ZCL_CHAR_STRING) {
		if (v->octets.left >= INVALID_SHORT_STRING)
			w->spoilt = true;
		wr_u8(w, (uint8_t)v->octets.left);
		wr_rd(w, v->octets);
	} else if (v->type == ZCL_LONG_OCTET_STRING || v->type == ZCL_LONG_CHAR_STRING) {
		wr_le16(w, (uint16_t)v->octets.left);
		wr_rd(w, v->octets);
	} else if (size > 8) {
		wr_rd(w, v->octets);
	} else {
		for (size_t i = 0; i < size; i++)
			wr_u8(w, (uint8_t)(v->number >> (8 * i)));
	}
}

int64_t zcl_value_int(const struct zcl_value *v)
{
	return (int64_t)v->number;
}

bool zcl_read_next(struct rd *in, struct zcl_record *r)
{
	return rd_le16(in, &r->attribute);
}

bool zcl_report_next(struct rd *in, struct zcl_record *r)
{
	struct rd copy = *in;
	uint8_t type;

	if (!rd_le16(&copy, &r->attribute) || !rd_u8(&copy, &type) || !zcl_value_read(&copy, type, &r->value))
		return false;
	r->type = type;
	*in = copy;
	return true;
}

bool zcl_read_response_next(struct rd *in, struct zcl_record *r)
{
	struct rd copy = *in;

	if (!rd_le16(&copy, &r->attribute) || !rd_u8(&copy, &r->status))
		return false;
	if (r->status == ZCL_SUCCESS && (!rd_u8(&copy, &r->type) || !zcl_value_read(&copy, r->type, &r->value)))
		return false;
	*in = copy;
	return true;
}

bool zcl_configure_next(struct rd *in, struct zcl_record *r)
{
	struct rd copy = *in;

	if (!rd_u8(&copy, &r->direction) || !rd_le16(&copy, &r->attribute))
		return false;
	if (r->direction != 0) {
		if (!rd_le16(&copy, &r->maximum_s)) /* a time-out period, for reports that we receive */
			return false;
	} else if (!rd_u8(&copy, &r->type) || !rd_le16(&copy, &r->minimum_s) || !rd_le16(&copy, &r->maximum_s) ||
	    (!zcl_type_is_discrete(r->type) && !zcl_value_read(&copy, r->type, &r->change))) {
		return false;
	}
	*in = copy;
	return true;
}

void zcl_report_put(struct wr *w, uint16_t attribute, const struct zcl_value *v)
{
	wr_le16(w, attribute);
	wr_u8(w, v->type);
	zcl_value_write(v, w);
}

void zcl_read_response_put(struct wr *w, uint16_t attribute, uint8_t status, const struct zcl_value *v)
{
	wr_le16(w, attribute);
	wr_u8(w, status);
	if (status == ZCL_SUCCESS) {
		wr_u8(w, v->type);
		zcl_value_write(v, w);
	}
}

void zcl_configure_put(struct wr *w, uint16_t attribute, uint8_t type, uint16_t minimum_s, uint16_t maximum_s, uint64_t change)
{
	const struct zcl_value v = {.type = type, .number = change};

	wr_u8(w, 0);
	wr_le16(w, attribute);
	wr_u8(w, type);
	wr_le16(w, minimum_s);
	wr_le16(w, maximum_s);
	if (!zcl_type_is_discrete(type))
		zcl_value_write(&v, w);
}
