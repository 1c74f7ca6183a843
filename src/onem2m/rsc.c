/* Names and HTTP statuses of response status codes. */
#include "onem2m/rsc.h"

#include <stddef.h>

#define ENTRY(name, code, http, text) {code, http, text},
static const struct {
	unsigned code, http;
	const char *text;
} table[] = {ONEM2M_RSC_LIST(ENTRY)};

bool rsc_parse(struct rd text, enum onem2m_rsc *rsc)
{
	uint64_t n;

	if (!rd_decimal(text, &n))
		return false;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (table[i].code == n) {
			*rsc = (enum onem2m_rsc)n;
			return true;
		}
	}
	return false;
}

const char *rsc_text(enum onem2m_rsc rsc)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].code == (unsigned)rsc)
			return table[i].text;
	return "unknown response status code";
}

unsigned rsc_http_status(enum onem2m_rsc rsc)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].code == (unsigned)rsc)
			return table[i].http;
	return 500;
}
