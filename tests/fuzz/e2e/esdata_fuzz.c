/* Sealed data under any octets: what its maker did not seal with our keys does not open, in any form and for any policy, and a genuine one that was
 * changed on its way gives what was sealed or nothing. What is read as contentInfo is written the same again. */
#include "../edits.h"

#include <string.h>

#include "e2e/esdata.h"

#define ENC_KID "00112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define WRAP_KID "11112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define SIG_KID "22112233445566778899AABBCCDDEEFF@maf.keyway.example"
#define DATA "21.5 C"

static struct rng rng;
static struct esdata_key keys[3];

static void prepare(void)
{
	static const struct {
		enum suid suid;
		const char *kid;
		enum jose_alg alg;
	} kinds[] = {{SUID_MAF_ESDATA_ENC, ENC_KID, JOSE_DIR}, {SUID_RSPF_ESDATA_ENC, WRAP_KID, JOSE_A256KW}, {SUID_MAF_ESDATA_SIG, SIG_KID, JOSE_HS256}};

	rng = rng_seeded(1);
	for (size_t i = 0; i < 3; i++) {
		struct secret *s = secret_random(&rng, 32);

		MUST(s && esdata_key_symmetric(&keys[i], kinds[i].suid, kinds[i].kid, s, kinds[i].alg) == OK);
		secret_free(s);
	}
}

static const struct esdata_key *find(void *ctx, struct rd kid, bool encrypted)
{
	(void)ctx;
	for (size_t i = 0; i < 3; i++)
		if (rd_is(kid, keys[i].kid) && (i < 2) == encrypted)
			return &keys[i];
	return NULL;
}

static enum err open(enum content_security security, struct rd con, struct wr *data)
{
	const struct esdata_policy policy = {.find = find, .rng = &rng};
	struct esdata_verdict v;
	enum err e = esdata_open(security, con, &policy, &v, data);

	MUST(e != OK || v.was_encrypted || v.was_signed);
	MUST(e == OK || data->len == 0);
	return e;
}

static void foreign(struct rd text)
{
	for (int s = CONTENT_SECURITY_NONE; s <= CONTENT_SECURITY_XML_BASE64; s++) {
		struct wr data = wr_new(1 << 16);

		MUST(open((enum content_security)s, text, &data) != OK);
		wr_free(&data);
	}
}

static void edited(uint8_t choice, struct rd edits)
{
	struct esdata_making how = {.security = (enum content_security)(CONTENT_SECURITY_JOSE_COMPACT + choice % 3), .enc = JOSE_A256GCM};
	struct wr con = wr_new(1 << 16), data = wr_new(1 << 16);
	struct rd out;
	bool changed;
	enum err e;

	how.sealers = &keys[choice / 3 % 2];
	how.count = choice / 6 % 3 != 0;
	how.signer = choice / 6 % 3 != 1 ? &keys[2] : NULL;
	MUST(esdata_seal(&how, rd_str(DATA), &rng, &con) == OK);
	changed = edits_apply(edits, con.octets, con.len);
	MUST(wr_done(&con, &out));
	e = open(how.security, out, &data);
	MUST(changed || e == OK);
	if (e == OK)
		MUST(data.len == strlen(DATA) && memcmp(data.octets, DATA, data.len) == 0);
	wr_free(&con);
	wr_free(&data);
}

static void content_info(struct rd text)
{
	struct content_info a, b;
	char once[CONTENT_INFO_MAX], twice[CONTENT_INFO_MAX];

	if (content_info_parse(text, &a) != OK)
		return;
	MUST(content_info_print(&a, once) == OK && content_info_parse(rd_str(once), &b) == OK);
	MUST(rd_equal(a.media, b.media) && a.encoding == b.encoding && a.security == b.security);
	MUST(content_info_print(&b, twice) == OK && strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	uint8_t choice;

	if (!keys[0].kid[0])
		prepare();
	foreign(in);
	content_info(in);
	if (rd_u8(&in, &choice))
		edited(choice, in);
	return 0;
}
