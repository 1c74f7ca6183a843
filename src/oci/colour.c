/* Colours: CIE 1931 x and y, hue and saturation, and RGB (IEC 61966-2-1). */
#include <math.h>

#include "oci/conversion.h"

#define XY_UNIT 65536.0
#define XY_MOST 0xfeff /* ZCL 5.2.2.2.1.4 */
#define HUE_MOST 254
#define LEAST 1e-6

static double linear_of(uint8_t channel)
{
	double v = channel / 255.0;

	return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static uint8_t channel_of(double linear)
{
	double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;

	return (uint8_t)(v <= 0 ? 0 : v >= 1 ? 255 : v * 255 + 0.5);
}

void colour_from_xy(uint16_t x16, uint16_t y16, uint8_t rgb[3])
{
	double x = x16 / XY_UNIT, y = y16 / XY_UNIT, most = 0, linear[3];
	double X, Z;

	if (y < LEAST)
		y = LEAST;
	X = x / y;
	Z = (1 - x - y) / y;
	linear[0] = 3.2404542 * X - 1.5371385 - 0.4985314 * Z;
	linear[1] = -0.9692660 * X + 1.8760108 + 0.0415560 * Z;
	linear[2] = 0.0556434 * X - 0.2040259 + 1.0572252 * Z;
	for (int i = 0; i < 3; i++) {
		if (linear[i] < 0)
			linear[i] = 0; /* no screen has that colour: the nearest edge */
		if (linear[i] > most)
			most = linear[i];
	}
	for (int i = 0; i < 3; i++)
		rgb[i] = channel_of(most > LEAST ? linear[i] / most : 0);
}

void colour_to_xy(const uint8_t rgb[3], uint16_t *x16, uint16_t *y16)
{
	double r = linear_of(rgb[0]), g = linear_of(rgb[1]), b = linear_of(rgb[2]);
	double X, Y, Z, sum;

	if (r + g + b < LEAST)
		r = g = b = 1; /* black has no colour: that of white */
	X = 0.4124564 * r + 0.3575761 * g + 0.1804375 * b;
	Y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
	Z = 0.0193339 * r + 0.1191920 * g + 0.9503041 * b;
	sum = X + Y + Z;
	X = X / sum * XY_UNIT + 0.5;
	Y = Y / sum * XY_UNIT + 0.5;
	*x16 = (uint16_t)(X > XY_MOST ? XY_MOST : X);
	*y16 = (uint16_t)(Y > XY_MOST ? XY_MOST : Y);
}

void colour_from_hs(uint8_t hue, uint8_t saturation, uint8_t rgb[3])
{
	double h = (hue > HUE_MOST ? HUE_MOST : hue) * 6.0 / HUE_MOST, s = (saturation > HUE_MOST ? HUE_MOST : saturation) / (double)HUE_MOST;
	static const double shift[3] = {5, 3, 1};

	for (int i = 0; i < 3; i++) {
		double k = fmod(shift[i] + h, 6), part = k < 4 - k ? k : 4 - k;

		part = part < 0 ? 0 : part > 1 ? 1 : part;
		rgb[i] = (uint8_t)(255 * (1 - s * part) + 0.5);
	}
}

void colour_to_hs(const uint8_t rgb[3], uint8_t *hue, uint8_t *saturation)
{
	double r = rgb[0], g = rgb[1], b = rgb[2];
	double most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b), span = most - least, h = 0;

	*saturation = most > 0 ? (uint8_t)(span / most * HUE_MOST + 0.5) : 0;
	if (span > 0) {
		if (most <= r)
			h = fmod((g - b) / span + 6, 6);
		else if (most <= g)
			h = (b - r) / span + 2;
		else
			h = (r - g) / span + 4;
	}
	*hue = (uint8_t)(h * HUE_MOST / 6 + 0.5);
}
