/* A USIM in software. */
#include "gba/usim.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "crypto/gba_u.h"
#include "crypto/milenage.h"

#define IMSI_LEAST 6

void usim_clear(struct usim *u)
{
	secret_free(u->k);
	secret_free(u->opc);
	secret_free(u->ks);
	memset(u, 0, sizeof *u);
}

bool imsi_is_good(struct rd text)
{
	bool good = text.left >= IMSI_LEAST && text.left < IMSI_SIZE;

	for (size_t i = 0; i < text.left; i++)
		good = good && text.at[i] >= '0' && text.at[i] <= '9';
	return good;
}

bool impi_of_imsi(const char *imsi, unsigned mnc_digits, char impi[static IMPI_SIZE])
{
	if (!imsi_is_good(rd_str(imsi)) || (mnc_digits != 2 && mnc_digits != 3))
		return false;
	return snprintf(impi, IMPI_SIZE, "%s@ims.mnc%s%.*s.mcc%.3s.3gppnetwork.org", imsi, mnc_digits == 2 ? "0" : "", (int)mnc_digits, imsi + 3, imsi) <
	       IMPI_SIZE;
}

void usim_answer_clear(struct usim_answer *a)
{
	secret_free(a->res);
	secret_free(a->ck);
	secret_free(a->ik);
	memset(a, 0, sizeof *a);
}

static uint64_t sqn_xor(uint64_t sqn, const uint8_t ak[static MILENAGE_AK])
{
	for (size_t i = 0; i < MILENAGE_AK; i++)
		sqn ^= (uint64_t)ak[i] << (40 - 8 * i);
	return sqn;
}

static void sync_failure(const struct usim *u, const uint8_t rand[static AKA_RAND], struct usim_answer *a)
{
	const struct milenage m = {u->k, u->opc};
	uint8_t ak[MILENAGE_AK], mac_a[MILENAGE_MAC], mac_s[MILENAGE_MAC];
	struct wr w = wr_of(a->auts, sizeof a->auts);
	uint64_t sqn = sqn_highest(&u->window), hidden;

	milenage_ak_star(&m, rand, ak);
	milenage_mac(&m, rand, sqn, 0, mac_a, mac_s);
	hidden = sqn_xor(sqn, ak);
	wr_be16(&w, (uint16_t)(hidden >> 32));
	wr_be32(&w, (uint32_t)hidden);
	wr_copy(&w, mac_s, sizeof mac_s);
	bytes_wipe(ak, sizeof ak);
	a->verdict = USIM_SYNC_FAILURE;
}

static enum err authenticate(struct usim *u, const uint8_t rand[static AKA_RAND], const uint8_t autn[static AKA_AUTN], bool gba_u, struct usim_answer *a)
{
	const struct milenage m = {u->k, u->opc};
	uint8_t mac[MILENAGE_MAC], mac_a[MILENAGE_MAC], mac_s[MILENAGE_MAC];
	struct rd r = rd_of(autn, AKA_AUTN);
	struct milenage_keys keys;
	uint64_t sqn;
	uint16_t high, amf;
	uint32_t low;
	enum err e;

	memset(a, 0, sizeof *a);
	if (!rd_be16(&r, &high) || !rd_be32(&r, &low) || !rd_be16(&r, &amf) || !rd_copy(&r, mac, sizeof mac) || !rd_end(&r))
		return ERR_SHORT;
	e = milenage_keys(&m, rand, &keys);
	if (e != OK)
		return e;
	sqn = sqn_xor((uint64_t)high << 32 | low, keys.ak);
	milenage_mac(&m, rand, sqn, amf, mac_a, mac_s);
	if (gba_u)
		gba_u_mac(keys.ik, mac);
	if (!bytes_equal_ct(mac, mac_a, sizeof mac)) {
		a->verdict = USIM_MAC_FAILURE;
	} else if (!sqn_fresh(&u->window, sqn)) {
		sync_failure(u, rand, a);
	} else {
		sqn_accept(&u->window, sqn);
		a->verdict = USIM_ACCEPTED;
		a->res = keys.res;
		a->ck = keys.ck;
		a->ik = keys.ik;
		memset(&keys, 0, sizeof keys);
	}
	milenage_keys_clear(&keys);
	return OK;
}

enum err usim_authenticate(struct usim *u, const uint8_t rand[static AKA_RAND], const uint8_t autn[static AKA_AUTN], struct usim_answer *a)
{
	return authenticate(u, rand, autn, false, a);
}

enum err usim_bootstrap(struct usim *u, const uint8_t rand[static AKA_RAND], const uint8_t autn[static AKA_AUTN], struct usim_answer *a)
{
	struct secret *res, *ks;
	enum err e;

	memset(a, 0, sizeof *a);
	if (!u->gba_u)
		return ERR_UNSUPPORTED;
	e = authenticate(u, rand, autn, true, a);
	if (e != OK || a->verdict != USIM_ACCEPTED)
		return e;
	res = gba_u_res(a->res);
	ks = gba_ks(a->ck, a->ik);
	usim_answer_clear(a);
	if (!res || !ks) {
		secret_free(res);
		secret_free(ks);
		return ERR_NO_MEMORY;
	}
	a->verdict = USIM_ACCEPTED;
	a->res = res;
	secret_free(u->ks);
	u->ks = ks;
	memcpy(u->ks_rand, rand, AKA_RAND);
	return OK;
}

enum err usim_naf_key(const struct usim *u, enum naf_key kind, const char *naf, const uint8_t ua[static UA_ID], struct secret **key)
{
	if (!u->ks)
		return ERR_STATE;
	return kind == KS_NAF ? ERR_NOT_PERMITTED : gba_naf_key(kind, u->ks, u->ks_rand, u->impi, naf, ua, key);
}

enum err usim_gsm(const struct usim *u, const uint8_t rand[static AKA_RAND], struct sim_triplet *t)
{
	const struct milenage m = {u->k, u->opc};
	struct milenage_keys keys;
	enum err e = milenage_keys(&m, rand, &keys);

	if (e != OK)
		return e;
	e = milenage_gsm(&keys, &t->sres, &t->kc);
	milenage_keys_clear(&keys);
	if (e == OK)
		memcpy(t->rand, rand, AKA_RAND);
	return e;
}
