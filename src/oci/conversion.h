/* Values of ZCL attributes as oneM2M members and back, as a point's description says. Pure. */
#ifndef KEYWAY_OCI_CONVERSION_H
#define KEYWAY_OCI_CONVERSION_H

#include "oci/description.h"
#include "zigbee/zcl.h"

/* What the device told once: values are raw * multiplier / divisor. */
struct factors {
	double multiplier, divisor;
};

/* The JSON text of the member that these inputs make; false when one of them stands for nothing: 0x8000, 0xffff, out of its valid range, not in the map. */
bool conversion_value(const struct point *p, const struct zcl_value inputs[INPUTS_MAX], const struct factors *f, struct wr *w) MUST_CHECK;

/* What an UPDATE wants, for a command's payload or an attribute. */
struct wanted {
	uint64_t value; /* raw; signed types: as int64_t */
	uint16_t x, y;
	uint8_t hue, saturation;
};
/* False: the member cannot have this value. rgb: the module's three colours after the UPDATE, for points of a colour. */
bool conversion_wanted(const struct point *p, const struct json *v, const uint8_t rgb[3], const struct factors *f, struct wanted *wanted) MUST_CHECK;
/* The write that is for this value: its first that has no `when`, or has this one. NULL: none. */
const struct point_write *conversion_write(const struct point *p, const struct json *v);
void conversion_payload(const struct payload *p, const struct wanted *wanted, struct wr *w);

/* Colours at full brightness: the brightest channel is 255. sRGB primaries, white point D65; x and y as ZCL has them, 65536 times CIE 1931's. */
void colour_from_xy(uint16_t x, uint16_t y, uint8_t rgb[3]);
void colour_to_xy(const uint8_t rgb[3], uint16_t *x, uint16_t *y);
void colour_from_hs(uint8_t hue, uint8_t saturation, uint8_t rgb[3]); /* 0 to 254 stand for 0 to 360 degrees, and for nothing to all */
void colour_to_hs(const uint8_t rgb[3], uint8_t *hue, uint8_t *saturation);

#endif
