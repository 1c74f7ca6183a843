/* Conversion of values. */
#include "oci/conversion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LUX_STEP 10000.0 /* ZCL 4.2.2.2.1: MeasuredValue = 10 000 log10(illuminance) + 1 */

/* What stands for "not known" in its type, and what is no number (ZCL clause 2.6.2, table 2-10). */
static bool invalid(const struct zcl_value *v)
{
	size_t bits = 8 * zcl_type_size(v->type);
	uint64_t all = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX, n = v->number & all;

	if (bits == 0 || bits > 64)
		return true;
	if (zcl_type_is_signed(v->type))
		return n == 1ULL << (bits - 1);
	if (v->type == ZCL_BOOL || v->type == ZCL_ENUM8 || v->type == ZCL_ENUM16 || (v->type >= ZCL_UINT8 && v->type <= ZCL_UINT64))
		return n == all;
	return false;
}

/* False for what is no number at all. */
static bool number_of(const struct zcl_value *v, double *n)
{
	if (v->type == ZCL_SINGLE) {
		uint32_t bits = (uint32_t)v->number;
		float f;

		memcpy(&f, &bits, sizeof f);
		*n = (double)f;
	} else if (v->type == ZCL_DOUBLE) {
		memcpy(n, &v->number, sizeof *n);
	} else {
		*n = zcl_type_is_signed(v->type) ? (double)zcl_value_int(v) : (double)v->number;
	}
	return isfinite(*n) && v->type != 0x38; /* semi-precision: nobody has it */
}

static bool usable(const struct point *p, const struct zcl_value *v, double *n)
{
	return !invalid(v) && number_of(v, n) && (!p->limited || (*n >= p->least && *n <= p->most));
}

/* 1/100 is no binary number; 100 is, so that 57 hundredths are 0.57 and not 0.5700000000000001. */
static double scaled(double n, double scale)
{
	double inverse = nearbyint(1 / scale);

	return fabs(scale) < 1 && fabs(scale * inverse - 1) < 1e-12 ? n / inverse : n * scale;
}

static double unscaled(double n, double scale)
{
	double inverse = nearbyint(1 / scale);

	return fabs(scale) < 1 && fabs(scale * inverse - 1) < 1e-12 ? n * inverse : n / scale;
}

static double linear(const struct point *p, const struct factors *f, double n)
{
	if (p->has_multiplier)
		n *= f->multiplier;
	if (p->has_divisor && f->divisor != 0)
		n /= f->divisor;
	return scaled(n, p->scale) + p->offset;
}

static bool put_number(const struct point *p, double n, struct json_out *o)
{
	if (!isfinite(n) || fabs(n) > 1e15)
		return false;
	if (p->kind != POINT_FLOAT || floor(n) >= n)
		json_put_int(o, NULL, (int64_t)floor(p->kind == POINT_FLOAT ? n : n + 0.5)); /* 10, not 1e+01 */
	else
		json_put_double(o, NULL, n);
	return true;
}

static bool put_mapped(const struct point *p, int64_t raw, struct json_out *o)
{
	for (size_t i = 0; i < p->map_count; i++) {
		if (p->map[i].raw == raw) {
			json_put_raw(o, NULL, rd_str(p->map[i].json));
			return true;
		}
	}
	return false;
}

static double lux(double raw)
{
	double v = raw < 1 ? 0 : pow(10, (raw - 1) / LUX_STEP);

	return v < 10 ? floor(v * 100 + 0.5) / 100 : floor(v * 10 + 0.5) / 10; /* as fine as the logarithm lets it be seen */
}

bool conversion_value(const struct point *p, const struct zcl_value inputs[INPUTS_MAX], const struct factors *f, struct wr *w)
{
	struct json_out o = json_out(w);
	double n[INPUTS_MAX] = {0};
	uint8_t rgb[3];
	bool ok = true, bit;

	for (size_t i = 0; i < p->input_count; i++)
		if (!usable(p, &inputs[i], &n[i]))
			return false;
	switch (p->formula) {
	case FORMULA_LINEAR:
		ok = p->input_count == 1 && put_number(p, linear(p, f, n[0]), &o);
		break;
	case FORMULA_BIT:
		bit = (inputs[0].number >> p->bit & 1) != p->invert;
		if (p->map_count > 0)
			ok = put_mapped(p, bit, &o);
		else if (p->kind == POINT_BOOLEAN)
			json_put_bool(&o, NULL, bit);
		else
			json_put_int(&o, NULL, bit);
		break;
	case FORMULA_MAP:
		ok = put_mapped(p, (int64_t)n[0], &o);
		break;
	case FORMULA_LUX:
		ok = put_number(p, lux(n[0]), &o);
		break;
	case FORMULA_XY:
	case FORMULA_HS:
		if (p->formula == FORMULA_XY)
			colour_from_xy((uint16_t)inputs[0].number, (uint16_t)inputs[1].number, rgb);
		else
			colour_from_hs((uint8_t)inputs[0].number, (uint8_t)inputs[1].number, rgb);
		json_put_int(&o, NULL, rgb[p->channel]);
		break;
	case FORMULA_PULSE:
		ok = false;
		break;
	}
	return ok && !w->spoilt;
}

/* ---- back ---- */

static bool fits_type(uint8_t type, double n)
{
	size_t bits = 8 * zcl_type_size(type);
	double whole = bits >= 64 ? 18446744073709551616.0 : (double)(1ULL << bits);

	if (type == ZCL_NO_DATA)
		return n >= 0 && n < 4294967296.0;
	if (zcl_type_is_signed(type))
		return n > -whole / 2 && n < whole / 2;
	return n >= 0 && n < whole;
}

static bool text_is(const struct json *v, const char *text)
{
	return v->type == JSON_TRUE ? strcmp(text, "true") == 0 : v->type == JSON_FALSE ? strcmp(text, "false") == 0 : v->type == JSON_NUMBER && rd_is(v->text, text);
}

/* Integers of JSON may be written 1 and 1.0. */
static bool same(const struct json *v, const char *text)
{
	double n, m;
	char end;

	return text_is(v, text) || (json_double(v, &n) && sscanf(text, "%lf%c", &m, &end) == 1 && n == m);
}

static bool raw_of(const struct point *p, const struct json *v, const struct factors *f, double *raw)
{
	double n;
	bool b;

	for (size_t i = 0; i < p->map_count; i++) {
		if (same(v, p->map[i].json)) {
			*raw = (double)p->map[i].raw;
			return true;
		}
	}
	if (json_bool(v, &b) && p->kind == POINT_BOOLEAN && p->map_count == 0) {
		*raw = b != p->invert;
		return true;
	}
	if (!json_double(v, &n) || p->map_count > 0 || p->kind == POINT_BOOLEAN)
		return false;
	n = unscaled(n - p->offset, p->scale);
	if (p->has_divisor)
		n *= f->divisor;
	if (p->has_multiplier && f->multiplier != 0)
		n /= f->multiplier;
	*raw = floor(n + 0.5);
	return (!p->limited || (*raw >= p->least && *raw <= p->most)) && fits_type(p->type, *raw);
}

bool conversion_wanted(const struct point *p, const struct json *v, const uint8_t rgb[3], const struct factors *f, struct wanted *wanted)
{
	double n = 0;
	struct wanted none = {.value = 0};

	*wanted = none;
	if (p->formula == FORMULA_XY || p->formula == FORMULA_HS) {
		colour_to_xy(rgb, &wanted->x, &wanted->y);
		colour_to_hs(rgb, &wanted->hue, &wanted->saturation);
		return v->type == JSON_NUMBER;
	}
	if (!raw_of(p, v, f, &n))
		return false;
	wanted->value = n < 0 ? (uint64_t)(int64_t)n : (uint64_t)n;
	return true;
}

const struct point_write *conversion_write(const struct point *p, const struct json *v)
{
	for (size_t i = 0; i < p->write_count; i++)
		if (!p->writes[i].when[0] || same(v, p->writes[i].when))
			return &p->writes[i];
	return NULL;
}

void conversion_payload(const struct payload *p, const struct wanted *wanted, struct wr *w)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct payload_field *f = &p->fields[i];
		uint64_t v = 0;

		switch (f->source) {
		case FIELD_CONSTANT:
			v = f->constant;
			break;
		case FIELD_VALUE:
			v = wanted->value;
			break;
		case FIELD_X:
			v = wanted->x;
			break;
		case FIELD_Y:
			v = wanted->y;
			break;
		case FIELD_HUE:
			v = wanted->hue;
			break;
		case FIELD_SATURATION:
			v = wanted->saturation;
			break;
		}
		for (unsigned k = 0; k < f->size; k++)
			wr_u8(w, (uint8_t)(v >> (8 * k)));
	}
}
