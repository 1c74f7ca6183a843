/* What the files of the bootstrapping server share. */
#ifndef KEYWAY_GBA_BSF_PRIVATE_H
#define KEYWAY_GBA_BSF_PRIVATE_H

#include "gba/bsf.h"

#define BUCKETS 4096
#define RATE_SLOTS 1024

/* Challenges by age. Those of identities that do not exist have a queue of their own, so that naming such takes no room from anybody. */
struct queue {
	struct pending *oldest, *newest;
	size_t count, most;
};

/* A challenge that waits for its answer. */
struct pending {
	struct queue *queue;
	struct pending *next, **link; /* in the bucket of its RAND */
	struct pending *older, *newer;
	char impi[IMPI_SIZE];
	uint64_t since_ms;
	struct aka_vector vector;
	uint32_t lifetime_s; /* 0: as the BSF says */
	struct uss *uss;
	size_t uss_count;
	bool gba_u;
	bool decoy; /* there is no such subscriber: RAND and AUTN are random, and no answer is right */
};

struct bootstrap {
	struct bootstrap *next; /* in the bucket of its RAND */
	char impi[IMPI_SIZE];
	uint8_t rand[AKA_RAND];
	struct secret *ks;
	bool gba_u; /* the card keeps it */
	uint64_t bootstrapped_at, expires_at; /* Unix seconds */
	struct uss *uss;
	size_t uss_count;
};

/* How many challenges an identity got in its minute; identities that share a slot share the limit. */
struct rate {
	uint64_t minute;
	unsigned count;
};

struct bsf {
	const char *fqdn;
	uint32_t lifetime_s;
	unsigned challenges_per_minute;
	struct rng *rng;
	struct pending *pendings[BUCKETS];
	struct queue waiting, decoys;
	struct bootstrap *bootstraps[BUCKETS];
	size_t count;
	struct rate rates[RATE_SLOTS];
};

/* g NULL: a decoy. Takes v over. NULL: no memory. */
struct pending *bsf_pending_add(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct aka_vector *v, const struct guss *g);
struct pending *bsf_pending_find(struct bsf *b, uint64_t now_ms, const struct digest_credentials *c); /* the challenge that this nonce is */
void bsf_pending_drop(struct pending *p);
/* Takes the settings over from the challenge. */
enum err bsf_bootstrap_add(struct bsf *b, uint64_t now_s, struct pending *p, struct bootstrap **out) MUST_CHECK;
struct bootstrap *bsf_bootstrap_find(struct bsf *b, const uint8_t rand[static AKA_RAND]);
/* Drops the keys of impi (or of nobody when NULL) and those that have ended; the soonest of the others as well when there are too many. */
void bsf_bootstraps_sweep(struct bsf *b, uint64_t now_s, const char *impi);

#endif
