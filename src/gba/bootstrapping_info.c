/* The body of a bootstrapping's last answer. */
#include "gba/bootstrapping_info.h"

#include <string.h>

#define DAY_S 86400
#define YEAR_LEAST 1970
#define YEAR_MOST 9999
#define TAG_MAX 256

/* ---- xsd:dateTime in UTC ---- */

/* Days since 1970-01-01 of a date in the Gregorian calendar, counted in eras of 400 years that begin in March. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month + (month > 2 ? -3U : 9U)) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365, of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

static void time_print(struct wr *w, uint64_t at)
{
	unsigned month, day, second = (unsigned)(at % DAY_S);
	int64_t year;

	date_of((int64_t)(at / DAY_S), &year, &month, &day);
	wr_fmt(w, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)year, month, day, second / 3600, second / 60 % 60, second % 60);
}

static bool number(struct rd *r, size_t digits, uint64_t most, uint64_t *n)
{
	struct rd part;

	return rd_sub(r, digits, &part) && rd_decimal(part, n) && *n <= most;
}

static bool character(struct rd *r, char c)
{
	uint8_t octet;

	return rd_u8(r, &octet) && octet == (uint8_t)c;
}

/* A fraction of a second is dropped: a key that ends a moment early does no harm. */
static bool time_parse(struct rd r, uint64_t *at)
{
	uint64_t year, month, day, hour, minute, second;
	unsigned check_month, check_day;
	int64_t days, check_year;
	uint8_t c = 0;

	if (!number(&r, 4, YEAR_MOST, &year) || !character(&r, '-') || !number(&r, 2, 12, &month) || !character(&r, '-') || !number(&r, 2, 31, &day) ||
	    !character(&r, 'T') || !number(&r, 2, 23, &hour) || !character(&r, ':') || !number(&r, 2, 59, &minute) || !character(&r, ':') ||
	    !number(&r, 2, 59, &second) || year < YEAR_LEAST || month == 0 || day == 0)
		return false;
	days = days_of((int64_t)year, (unsigned)month, (unsigned)day);
	date_of(days, &check_year, &check_month, &check_day);
	if (check_day != day) /* the 30th of February */
		return false;
	if (!rd_u8(&r, &c))
		return false;
	if (c == '.') {
		bool any = false;

		while (rd_u8(&r, &c) && c >= '0' && c <= '9')
			any = true;
		if (!any)
			return false;
	}
	*at = (uint64_t)days * DAY_S + hour * 3600 + minute * 60 + second;
	return c == 'Z' && rd_end(&r);
}

/* ---- the little of XML that it needs ---- */

static void spaces(struct rd *r)
{
	uint8_t c;

	while (r->left > 0 && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n') && rd_u8(r, &c))
		;
}

/* The name in a start or end tag, without its namespace prefix. */
static struct rd local_name(struct rd tag)
{
	struct rd name = tag, prefix;
	size_t n = 0;

	while (n < tag.left && tag.at[n] > ' ' && tag.at[n] != '/')
		n++;
	name.left = n;
	if (rd_until(&name, ':', &prefix))
		return name;
	return rd_of(tag.at, n);
}

/* "<...>": what stands between. Attribute values with '>' are not for us. */
static bool tag(struct rd *r, struct rd *inside)
{
	spaces(r);
	return character(r, '<') && rd_until(r, '>', inside) && inside->left > 0 && inside->left <= TAG_MAX && !memchr(inside->at, '<', inside->left);
}

/* <name>text</name>, or the end tag of the root: *end. */
static bool element(struct rd *r, struct rd *name, struct rd *text, bool *end)
{
	struct rd start, stop;

	if (!tag(r, &start) || *start.at == '!' || *start.at == '?')
		return false;
	*end = *start.at == '/';
	if (*end) {
		*name = local_name(rd_of(start.at + 1, start.left - 1));
		return true;
	}
	*name = local_name(start);
	*text = rd_of("", 0);
	if (start.at[start.left - 1] == '/')
		return true;
	if (!rd_until(r, '<', text) || memchr(text->at, '&', text->left) || !rd_until(r, '>', &stop) || stop.left < 2 || *stop.at != '/')
		return false;
	return rd_equal(local_name(rd_of(stop.at + 1, stop.left - 1)), *name);
}

static struct rd trimmed(struct rd text)
{
	spaces(&text);
	while (text.left > 0 && text.at[text.left - 1] <= ' ')
		text.left--;
	return text;
}

void bootstrapping_info_print(struct wr *w, const struct bootstrapping_info *i)
{
	wr_str(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BootstrappingInfo xmlns=\"uri:3gpp-gba\"><btid>");
	wr_str(w, i->btid);
	wr_str(w, "</btid><lifetime>");
	time_print(w, i->expires_at);
	wr_str(w, "</lifetime></BootstrappingInfo>\n");
}

enum err bootstrapping_info_parse(struct rd xml, struct bootstrapping_info *i)
{
	bool has_btid = false, has_lifetime = false, end = false;
	uint8_t rand[AKA_RAND];
	char bsf[NAF_FQDN_SIZE];
	struct rd inside, name, text;

	if (xml.left > BOOTSTRAPPING_INFO_MAX)
		return ERR_TOO_LONG;
	if (!tag(&xml, &inside) || (*inside.at == '?' && !tag(&xml, &inside)) || !rd_is(local_name(inside), "BootstrappingInfo") ||
	    inside.at[inside.left - 1] == '/')
		return ERR_MALFORMED;
	while (!end) {
		if (!element(&xml, &name, &text, &end))
			return ERR_MALFORMED;
		if (!end && rd_is(name, "btid")) {
			if (has_btid || !btid_parse(trimmed(text), rand, bsf) || !rd_text(trimmed(text), i->btid, sizeof i->btid))
				return ERR_MALFORMED;
			has_btid = true;
		} else if (!end && rd_is(name, "lifetime")) {
			if (has_lifetime || !time_parse(trimmed(text), &i->expires_at))
				return ERR_MALFORMED;
			has_lifetime = true;
		}
	}
	spaces(&xml);
	return rd_is(name, "BootstrappingInfo") && has_btid && has_lifetime && rd_end(&xml) ? OK : ERR_MALFORMED;
}
