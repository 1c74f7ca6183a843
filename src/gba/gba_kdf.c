/* Names and derivations of GBA. */
#include "gba/gba_kdf.h"

#include <string.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "crypto/kdf_3gpp.h"

#define FC_NAF 0x01       /* TS 33.220 Annex B.3 */
#define FC_AKA_PRIME 0x20 /* TS 33.402 Annex A.2 */
#define SQN_XOR_AK 6
#define KEY 16

struct secret *gba_ks(const struct secret *ck, const struct secret *ik)
{
	return secret_join(ck, ik);
}

enum err gba_naf_key(enum naf_key kind, const struct secret *ks, const uint8_t rand[static AKA_RAND], const char *impi, const char *fqdn,
    const uint8_t ua[static UA_ID], struct secret **out)
{
	uint8_t octets[NAF_FQDN_SIZE + UA_ID];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd naf_id, parameters[4];

	wr_str(&w, fqdn);
	wr_copy(&w, ua, UA_ID);
	if (!wr_done(&w, &naf_id))
		return ERR_TOO_LONG;
	parameters[0] = rd_str(kind == KS_INT_NAF ? "gba-u" : "gba-me");
	parameters[1] = rd_of(rand, AKA_RAND);
	parameters[2] = rd_str(impi);
	parameters[3] = naf_id;
	return kdf_3gpp(ks, FC_NAF, parameters, 4, out);
}

bool btid_print(char text[static BTID_SIZE], const uint8_t rand[static AKA_RAND], const char *bsf)
{
	struct wr w = wr_of(text, BTID_SIZE);
	struct rd done;

	base64_print(&w, rd_of(rand, AKA_RAND));
	wr_u8(&w, '@');
	wr_str(&w, bsf);
	wr_u8(&w, '\0');
	return wr_done(&w, &done);
}

struct rd btid_of_psk_identity(struct rd identity, bool *uicc)
{
	*uicc = rd_starts(identity, PSK_IDENTITY_PREFIX_UICC);
	if (*uicc && !rd_skip(&identity, sizeof PSK_IDENTITY_PREFIX_UICC - 1))
		identity.left = 0;
	else if (rd_starts(identity, PSK_IDENTITY_PREFIX) && !rd_skip(&identity, sizeof PSK_IDENTITY_PREFIX - 1))
		identity.left = 0;
	return identity;
}

bool btid_parse(struct rd text, uint8_t rand[static AKA_RAND], char bsf[static NAF_FQDN_SIZE])
{
	uint8_t octets[AKA_RAND];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd random, done;

	if (!rd_until(&text, '@', &random) || !base64_parse(random, &w) || !wr_done(&w, &done) || done.left != AKA_RAND || !fqdn_normalise(text, bsf))
		return false;
	memcpy(rand, octets, AKA_RAND);
	return true;
}

bool fqdn_normalise(struct rd text, char fqdn[static NAF_FQDN_SIZE])
{
	if (text.left == 0 || text.left >= NAF_FQDN_SIZE)
		return false;
	for (size_t i = 0; i < text.left; i++) {
		char c = (char)text.at[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
			return false;
		fqdn[i] = c;
	}
	fqdn[text.left] = '\0';
	return true;
}

enum err aka_prime_keys(const struct secret *ck, const struct secret *ik, const char *network, const uint8_t autn[static AKA_AUTN],
    struct secret **ck_prime, struct secret **ik_prime)
{
	const struct rd parameters[2] = {rd_str(network), rd_of(autn, SQN_XOR_AK)};
	struct secret *both = secret_join(ck, ik), *derived = NULL, *c, *i;
	enum err e = both ? kdf_3gpp(both, FC_AKA_PRIME, parameters, 2, &derived) : ERR_NO_MEMORY;

	secret_free(both);
	if (e != OK)
		return e;
	c = secret_part(derived, 0, KEY);
	i = secret_part(derived, KEY, KEY);
	secret_free(derived);
	if (!c || !i) {
		secret_free(c);
		secret_free(i);
		return ERR_NO_MEMORY;
	}
	*ck_prime = c;
	*ik_prime = i;
	return OK;
}
