/* The authentication centre. */
#include "gba/auc.h"

#include <string.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "crypto/milenage.h"
#include "gba/sqn.h"

#define AMF_RESYNC 0 /* TS 33.102 clause 6.3.3: AMF* of MAC-S */

void auc_subscriber_clear(struct auc_subscriber *s)
{
	secret_free(s->k);
	secret_free(s->opc);
	memset(s, 0, sizeof *s);
}

void aka_vector_clear(struct aka_vector *v)
{
	secret_free(v->res);
	secret_free(v->ck);
	secret_free(v->ik);
	memset(v, 0, sizeof *v);
}

void sim_triplet_clear(struct sim_triplet *t)
{
	secret_free(t->sres);
	secret_free(t->kc);
	memset(t, 0, sizeof *t);
}

static uint64_t sqn_hidden(uint64_t sqn, const uint8_t ak[static MILENAGE_AK])
{
	for (size_t i = 0; i < MILENAGE_AK; i++)
		sqn ^= (uint64_t)ak[i] << (40 - 8 * i);
	return sqn;
}

static enum err vector_for(const struct auc_subscriber *s, uint64_t sqn, const uint8_t rand[static AKA_RAND], struct aka_vector *v)
{
	const struct milenage m = {s->k, s->opc};
	uint8_t mac_a[MILENAGE_MAC], mac_s[MILENAGE_MAC];
	struct wr w = wr_of(v->autn, sizeof v->autn);
	struct milenage_keys keys;
	enum err e = milenage_keys(&m, rand, &keys);
	uint64_t hidden;

	if (e != OK)
		return e;
	milenage_mac(&m, rand, sqn, s->amf, mac_a, mac_s);
	hidden = sqn_hidden(sqn, keys.ak);
	wr_be16(&w, (uint16_t)(hidden >> 32));
	wr_be32(&w, (uint32_t)hidden);
	wr_be16(&w, s->amf);
	wr_copy(&w, mac_a, sizeof mac_a);
	memcpy(v->rand, rand, AKA_RAND);
	v->res = keys.res;
	v->ck = keys.ck;
	v->ik = keys.ik;
	bytes_wipe(keys.ak, sizeof keys.ak);
	return OK;
}

enum err auc_vector(struct auc_subscriber *s, struct rng *rng, struct aka_vector *v)
{
	uint8_t rand[AKA_RAND];
	uint64_t sqn;
	enum err e = sqn_next(s->sqn, &sqn);

	if (e != OK)
		return e;
	rng_fill(rng, rand, sizeof rand);
	e = vector_for(s, sqn, rand, v);
	if (e != OK)
		return e;
	s->sqn = sqn;
	memcpy(s->recent[s->turn % AUC_RECENT], rand, sizeof rand);
	s->turn = (s->turn + 1) % AUC_RECENT;
	return OK;
}

enum err auc_triplet(const struct auc_subscriber *s, struct rng *rng, struct sim_triplet *t)
{
	const struct milenage m = {s->k, s->opc};
	struct milenage_keys keys;
	uint8_t rand[AKA_RAND];
	enum err e;

	rng_fill(rng, rand, sizeof rand);
	e = milenage_keys(&m, rand, &keys);
	if (e != OK)
		return e;
	e = milenage_gsm(&keys, &t->sres, &t->kc);
	milenage_keys_clear(&keys);
	if (e == OK)
		memcpy(t->rand, rand, sizeof rand);
	return e;
}

static bool was_asked(const struct auc_subscriber *s, const uint8_t rand[static AKA_RAND])
{
	static const uint8_t never[AKA_RAND];
	bool found = false;

	for (size_t i = 0; i < AUC_RECENT; i++)
		found = found || memcmp(s->recent[i], rand, AKA_RAND) == 0;
	return found && memcmp(rand, never, sizeof never) != 0;
}

enum err auc_resynchronise(struct auc_subscriber *s, const uint8_t rand[static AKA_RAND], const uint8_t auts[static AKA_AUTS])
{
	const struct milenage m = {s->k, s->opc};
	uint8_t ak[MILENAGE_AK], mac_a[MILENAGE_MAC], mac_s[MILENAGE_MAC], given[MILENAGE_MAC];
	struct rd r = rd_of(auts, AKA_AUTS);
	uint64_t sqn_ms;
	uint16_t high;
	uint32_t low;

	if (!was_asked(s, rand))
		return ERR_UNKNOWN_KEY;
	if (!rd_be16(&r, &high) || !rd_be32(&r, &low) || !rd_copy(&r, given, sizeof given) || !rd_end(&r))
		return ERR_SHORT;
	milenage_ak_star(&m, rand, ak);
	sqn_ms = sqn_hidden((uint64_t)high << 32 | low, ak);
	milenage_mac(&m, rand, sqn_ms, AMF_RESYNC, mac_a, mac_s);
	bytes_wipe(ak, sizeof ak);
	if (!bytes_equal_ct(mac_s, given, sizeof mac_s))
		return ERR_BAD_MIC;
	s->sqn = sqn_resynchronised(s->sqn, sqn_ms);
	return OK;
}
