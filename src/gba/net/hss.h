/* The HSS: subscribers on disk, and vectors from them. SQLite in WAL mode with synchronous=FULL; each key is sealed under the store key and bound to its
 * subscriber; the sequence number of a vector is on disk before the vector is handed out. An old copy of the file does no lasting harm: USIMs refuse what
 * repeats, and resynchronise it.
 *
 * A subscriber is named by his IMSI, or his private identity (IMPI). */
#ifndef KEYWAY_GBA_NET_HSS_H
#define KEYWAY_GBA_NET_HSS_H

#include "gba/bsf.h"
#include "gba/usim.h"

struct hss;

/* Makes the file (mode 0600) when there is none. store_key and rng are borrowed as long as it lives. *detail is a sentence (static). ERR_STORE; ERR_BAD_MIC:
 * another key sealed it. */
enum err hss_open(const char *path, const struct secret *store_key, struct rng *rng, struct hss **out, const char **detail) MUST_CHECK;
void hss_close(struct hss *h); /* accepts NULL */

/* ERR_NOT_FOUND; ERR_COUNTER_EXHAUSTED; ERR_STORE: then nothing was handed out. */
enum err hss_vector(struct hss *h, const char *name, struct aka_vector *v, struct guss *g) MUST_CHECK;
/* As auc_resynchronise; ERR_NOT_FOUND. */
enum err hss_resynchronise(struct hss *h, const char *name, const uint8_t rand[static AKA_RAND], const uint8_t auts[static AKA_AUTS]) MUST_CHECK;
enum err hss_triplets(struct hss *h, const char *name, struct sim_triplet *t, size_t count) MUST_CHECK;

struct hss_subscriber {
	char imsi[IMSI_SIZE], impi[IMPI_SIZE];
	uint16_t amf;
	uint64_t sqn;
	struct guss guss;
};
/* k and opc are borrowed. ERR_EXISTS: the IMSI or the IMPI is there already. ERR_BAD_VALUE. */
enum err hss_add(struct hss *h, const struct hss_subscriber *s, const struct secret *k, const struct secret *opc) MUST_CHECK;
enum err hss_remove(struct hss *h, const char *name) MUST_CHECK; /* ERR_NOT_FOUND */
enum err hss_find(struct hss *h, const char *name, struct hss_subscriber *s) MUST_CHECK;
/* By IMSI; false ends the walk. fn may not change the store. */
enum err hss_each(struct hss *h, bool (*fn)(void *ctx, const struct hss_subscriber *s), void *ctx) MUST_CHECK;
enum err hss_set_guss(struct hss *h, const char *name, const struct guss *g) MUST_CHECK;
uint64_t hss_count(struct hss *h);

/* False: another refusal need not be told in the log. Strangers bring them about, through hostapd and the BSF. */
#define HSS_REFUSALS_A_MINUTE 120
bool hss_tells(struct hss *h, uint64_t now_ms);

#endif
