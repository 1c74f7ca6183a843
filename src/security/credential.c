/* Credential-IDs, usage identifiers and key identifiers. */
#include "security/credential.h"

#include <string.h>

#include "base/bytes.h"

enum family { LETTER = 1, DIGIT = 2, DOT_LINE = 4, AT = 8, BASE64 = 16 };

static unsigned family_of(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return LETTER;
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c == '.' || c == '_' || c == '-')
		return DOT_LINE;
	if (c == '@')
		return AT;
	return c == '+' || c == '/' || c == '=' ? BASE64 : 0;
}

static bool made_of(struct rd text, unsigned families)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		if (!(family_of(c) & families))
			return false;
	return true;
}

static bool is_ascii(struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		if (c >= 0x80)
			return false;
	return true;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool equal_any_case(struct rd a, struct rd b)
{
	uint8_t ca, cb;

	if (a.left != b.left)
		return false;
	while (rd_u8(&a, &ca) && rd_u8(&b, &cb))
		if (lower(ca) != lower(cb))
			return false;
	return true;
}

static bool is_hex_id(struct rd text)
{
	uint8_t octets[KEY_ID_RELATIVE_OCTETS];

	return hex_parse(text, octets, sizeof octets);
}

bool fqdn_valid(struct rd text)
{
	uint8_t c, before = '.';
	size_t label = 0;

	if (text.left == 0 || text.left >= FQDN_MAX)
		return false;
	while (rd_u8(&text, &c)) {
		if (c == '.' ? before == '.' || before == '-' : !(family_of(c) & (LETTER | DIGIT)) && (c != '-' || before == '.'))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
		before = c;
	}
	return before != '.' && before != '-';
}

bool fqdn_equal(struct rd a, struct rd b)
{
	return equal_any_case(a, b);
}

bool entity_valid(struct rd text)
{
	uint8_t c;

	if (text.left == 0 || text.left >= ENTITY_MAX)
		return false;
	while (rd_u8(&text, &c))
		if (c <= 0x20 || c >= 0x7f)
			return false;
	return true;
}

static bool type_known(uint64_t type)
{
	return (type >= CREDENTIAL_KPM && type <= CREDENTIAL_ESDATA_HMAC) || (type >= CREDENTIAL_RAW_KEY && type <= CREDENTIAL_NODE_CERT) ||
	    (type >= CREDENTIAL_ENC_RAW_KEY && type <= CREDENTIAL_ENC_NODE_CERT) ||
	    (type >= CREDENTIAL_SIG_RAW_KEY && type <= CREDENTIAL_SIG_NODE_CERT);
}

enum err credential_id_parse(struct rd text, struct credential_id *id)
{
	struct rd type, value = text;
	uint64_t number;

	if (text.left >= CREDENTIAL_ID_MAX)
		return ERR_TOO_LONG;
	/* Two digits: "012-x" would be a second name for "12-x". */
	if (!rd_until(&value, '-', &type) || type.left != 2 || !rd_decimal(type, &number) || value.left == 0 ||
	    !made_of(value, LETTER | DIGIT | DOT_LINE | AT))
		return ERR_MALFORMED;
	if (!type_known(number))
		return ERR_UNSUPPORTED;
	*id = (struct credential_id){(enum credential_type)number, value};
	return OK;
}

static enum err finish(struct wr *w, char *text)
{
	struct rd out;

	wr_u8(w, 0);
	if (!wr_done(w, &out))
		return ERR_TOO_LONG;
	memcpy(text, out.at, out.left);
	return OK;
}

enum err credential_id_print(enum credential_type type, struct rd value, char text[static CREDENTIAL_ID_MAX])
{
	char buffer[CREDENTIAL_ID_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (!type_known((uint64_t)type) || value.left == 0 || !made_of(value, LETTER | DIGIT | DOT_LINE | AT))
		return ERR_BAD_VALUE;
	wr_fmt(&w, "%d-", (int)type);
	wr_rd(&w, value);
	return finish(&w, text);
}

enum err credential_id_of_key(enum credential_type type, struct rd text_id, char text[static CREDENTIAL_ID_MAX])
{
	char buffer[KEY_ID_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd value;
	struct key_id id;
	uint8_t c;
	enum err e = key_id_split(text_id, &id);

	if (e != OK)
		return e;
	while (rd_u8(&id.relative, &c))
		if (c != '=')
			wr_u8(&w, c == '+' ? '-' : c == '/' ? '_' : c);
	wr_u8(&w, '@');
	wr_rd(&w, id.fqdn);
	if (!wr_done(&w, &value))
		return ERR_TOO_LONG;
	return credential_id_print(type, value, text);
}

bool credential_id_equal(struct rd a, struct rd b)
{
	struct credential_id x, y;
	struct key_id i;

	if (credential_id_parse(a, &x) != OK || credential_id_parse(b, &y) != OK || x.type != y.type)
		return false;
	return key_id_split(x.value, &i) == OK ? key_id_equal(x.value, y.value, x.type == CREDENTIAL_KM) : rd_equal(x.value, y.value);
}

static const struct {
	enum suid suid;
	enum suid_family family;
	enum suid_usage usage;
	const char *text;
} suids[] = {
	{SUID_PPSK_MEF, SUID_FAMILY_PPSK, SUID_USAGE_MEF, "pre-provisioned key for the MEF"},
	{SUID_PPSK_MAF, SUID_FAMILY_PPSK, SUID_USAGE_MAF, "pre-provisioned key for the MAF"},
	{SUID_PPSK_SAEF, SUID_FAMILY_PPSK, SUID_USAGE_SAEF, "pre-provisioned key for security associations"},
	{SUID_PPSK_ESPRIM, SUID_FAMILY_PPSK, SUID_USAGE_ESPRIM, "pre-provisioned key for ESPrim"},
	{SUID_PPSK_ESDATA_ENC, SUID_FAMILY_PPSK, SUID_USAGE_ESDATA_ENC, "pre-provisioned key for ESData encryption"},
	{SUID_PPSK_ESDATA_SIG, SUID_FAMILY_PPSK, SUID_USAGE_ESDATA_SIG, "pre-provisioned key for ESData signatures"},
	{SUID_RSPF_MAF, SUID_FAMILY_RSPF, SUID_USAGE_MAF, "key from the MEF for the MAF"},
	{SUID_RSPF_SAEF, SUID_FAMILY_RSPF, SUID_USAGE_SAEF, "key from the MEF for security associations"},
	{SUID_RSPF_ESPRIM, SUID_FAMILY_RSPF, SUID_USAGE_ESPRIM, "key from the MEF for ESPrim"},
	{SUID_RSPF_ESDATA_ENC, SUID_FAMILY_RSPF, SUID_USAGE_ESDATA_ENC, "key from the MEF for ESData encryption"},
	{SUID_RSPF_ESDATA_SIG, SUID_FAMILY_RSPF, SUID_USAGE_ESDATA_SIG, "key from the MEF for ESData signatures"},
	{SUID_MAF_SAEF, SUID_FAMILY_MAF, SUID_USAGE_SAEF, "key from the MAF for security associations"},
	{SUID_MAF_ESPRIM, SUID_FAMILY_MAF, SUID_USAGE_ESPRIM, "key from the MAF for ESPrim"},
	{SUID_MAF_ESDATA_ENC, SUID_FAMILY_MAF, SUID_USAGE_ESDATA_ENC, "key from the MAF for ESData encryption"},
	{SUID_MAF_ESDATA_SIG, SUID_FAMILY_MAF, SUID_USAGE_ESDATA_SIG, "key from the MAF for ESData signatures"},
	{SUID_CERT_MEF, SUID_FAMILY_CERT, SUID_USAGE_MEF, "certificate for the MEF"},
	{SUID_CERT_MAF, SUID_FAMILY_CERT, SUID_USAGE_MAF, "certificate for the MAF"},
	{SUID_CERT_SAEF, SUID_FAMILY_CERT, SUID_USAGE_SAEF, "certificate for security associations"},
	{SUID_CERT_ESPRIM, SUID_FAMILY_CERT, SUID_USAGE_ESPRIM, "certificate for ESPrim"},
	{SUID_CERT_ESDATA_ENC, SUID_FAMILY_CERT, SUID_USAGE_ESDATA_ENC, "certificate for ESData encryption"},
	{SUID_CERT_ESDATA_SIG, SUID_FAMILY_CERT, SUID_USAGE_ESDATA_SIG, "certificate for ESData signatures"},
};
#define SUIDS (sizeof suids / sizeof *suids)

enum err suid_parse(uint64_t number, enum suid *suid)
{
	for (size_t i = 0; i < SUIDS; i++)
		if (number == (uint64_t)suids[i].suid) {
			*suid = suids[i].suid;
			return OK;
		}
	return ERR_BAD_VALUE;
}

enum suid_family suid_family(enum suid suid)
{
	for (size_t i = 0; i < SUIDS; i++)
		if (suids[i].suid == suid)
			return suids[i].family;
	return SUID_FAMILY_NONE;
}

enum suid_usage suid_usage(enum suid suid)
{
	for (size_t i = 0; i < SUIDS; i++)
		if (suids[i].suid == suid)
			return suids[i].usage;
	return SUID_USAGE_NONE;
}

const char *suid_text(enum suid suid)
{
	for (size_t i = 0; i < SUIDS; i++)
		if (suids[i].suid == suid)
			return suids[i].text;
	return "no usage";
}

bool suid_targets_fit(enum suid suid, size_t targets)
{
	switch (suid_usage(suid)) {
	case SUID_USAGE_SAEF:
	case SUID_USAGE_ESPRIM:
		return targets == 1;
	case SUID_USAGE_ESDATA_ENC:
	case SUID_USAGE_ESDATA_SIG:
		return targets >= 1;
	case SUID_USAGE_NONE:
	case SUID_USAGE_MEF:
	case SUID_USAGE_MAF:
		break;
	}
	return true;
}

bool suid_credential_type(enum suid suid, enum credential_type *type)
{
	if (suid_family(suid) == SUID_FAMILY_CERT)
		return false;
	switch (suid_usage(suid)) {
	case SUID_USAGE_MEF:
		*type = CREDENTIAL_KPM;
		return true;
	case SUID_USAGE_MAF:
		*type = CREDENTIAL_KM;
		return true;
	case SUID_USAGE_SAEF:
		*type = CREDENTIAL_KPSA_OR_KC;
		return true;
	case SUID_USAGE_ESPRIM:
		*type = CREDENTIAL_ESPRIM;
		return true;
	case SUID_USAGE_ESDATA_ENC:
		*type = CREDENTIAL_ESDATA_DIRECT;
		return true;
	case SUID_USAGE_ESDATA_SIG:
		*type = CREDENTIAL_ESDATA_HMAC;
		return true;
	case SUID_USAGE_NONE:
		break;
	}
	return false;
}

enum err key_id_split(struct rd text, struct key_id *id)
{
	struct rd relative, fqdn = text;

	if (!is_ascii(text))
		return ERR_BAD_VALUE;
	if (text.left >= KEY_ID_MAX)
		return ERR_TOO_LONG;
	if (!rd_until(&fqdn, '@', &relative) || relative.left == 0 || !made_of(relative, LETTER | DIGIT | DOT_LINE | BASE64) || !fqdn_valid(fqdn))
		return ERR_MALFORMED;
	*id = (struct key_id){relative, fqdn};
	return OK;
}

enum err key_id_print(const uint8_t relative[static KEY_ID_RELATIVE_OCTETS], struct rd fqdn, char text[static KEY_ID_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	struct rd octets = rd_of(relative, KEY_ID_RELATIVE_OCTETS);
	char buffer[KEY_ID_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint8_t octet;

	if (!fqdn_valid(fqdn))
		return ERR_BAD_VALUE;
	while (rd_u8(&octets, &octet)) {
		wr_u8(&w, (uint8_t)digits[octet >> 4]);
		wr_u8(&w, (uint8_t)digits[octet & 15]);
	}
	wr_u8(&w, '@');
	wr_rd(&w, fqdn);
	return finish(&w, text);
}

bool key_id_octets(const struct key_id *id, uint8_t relative[static KEY_ID_RELATIVE_OCTETS])
{
	return hex_parse(id->relative, relative, KEY_ID_RELATIVE_OCTETS);
}

bool key_id_equal(struct rd a, struct rd b, bool any_case)
{
	struct key_id x, y;

	if (key_id_split(a, &x) != OK || key_id_split(b, &y) != OK || !fqdn_equal(x.fqdn, y.fqdn))
		return false;
	return any_case || (is_hex_id(x.relative) && is_hex_id(y.relative)) ? equal_any_case(x.relative, y.relative)
	                                                                   : rd_equal(x.relative, y.relative);
}
