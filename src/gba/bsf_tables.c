/* Challenges that wait, and keys that were agreed. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "gba/bsf_private.h"

/* RANDs are random already. */
static size_t bucket_of(const uint8_t rand[static AKA_RAND])
{
	return ((size_t)rand[0] << 8 | rand[1]) % BUCKETS;
}

/* ---- challenges ---- */

void bsf_pending_drop(struct pending *p)
{
	struct queue *q = p->queue;

	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	*(p->older ? &p->older->newer : &q->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &q->newest) = p->older;
	q->count--;
	aka_vector_clear(&p->vector);
	free(p->uss);
	free(p);
}

static void queue_expire(struct queue *q, uint64_t now_ms)
{
	while (q->oldest && (q->oldest->since_ms + BSF_PENDING_MS <= now_ms || q->count > q->most))
		bsf_pending_drop(q->oldest);
}

static void pendings_expire(struct bsf *b, uint64_t now_ms)
{
	queue_expire(&b->waiting, now_ms);
	queue_expire(&b->decoys, now_ms);
}

struct pending *bsf_pending_add(struct bsf *b, uint64_t now_ms, const struct bsf_ask *ask, struct aka_vector *v, const struct guss *g)
{
	struct pending *p = calloc(1, sizeof *p), **bucket = &b->pendings[bucket_of(v->rand)];
	struct queue *q = g ? &b->waiting : &b->decoys;

	if (!p || (g && !(p->uss = calloc(g->count + 1, sizeof *p->uss)))) {
		free(p);
		return NULL;
	}
	if (g) {
		memcpy(p->uss, g->uss, g->count * sizeof *p->uss);
		p->uss_count = g->count;
		p->lifetime_s = g->lifetime_s;
		p->gba_u = g->gba_u;
	}
	p->decoy = g == NULL;
	memcpy(p->impi, ask->impi, sizeof p->impi);
	p->since_ms = now_ms;
	p->vector = *v;
	p->link = bucket;
	p->next = *bucket;
	if (p->next)
		p->next->link = &p->next;
	*bucket = p;
	p->queue = q;
	p->older = q->newest;
	*(q->newest ? &q->newest->newer : &q->oldest) = p;
	q->newest = p;
	q->count++;
	pendings_expire(b, now_ms);
	return p;
}

struct pending *bsf_pending_find(struct bsf *b, uint64_t now_ms, const struct digest_credentials *c)
{
	uint8_t octets[AKA_RAND + AKA_AUTN];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd done;
	struct pending *p = NULL;

	pendings_expire(b, now_ms);
	if (!base64_parse(rd_str(c->nonce), &w) || !wr_done(&w, &done) || done.left != sizeof octets)
		return NULL;
	for (p = b->pendings[bucket_of(octets)]; p; p = p->next)
		if (memcmp(p->vector.rand, octets, AKA_RAND) == 0 && memcmp(p->vector.autn, octets + AKA_RAND, AKA_AUTN) == 0)
			break;
	return p;
}

/* ---- keys ---- */

static void bootstrap_free(struct bootstrap *s)
{
	if (!s)
		return;
	secret_free(s->ks);
	free(s->uss);
	free(s);
}

void bsf_bootstraps_sweep(struct bsf *b, uint64_t now_s, const char *impi)
{
	struct bootstrap **soonest = NULL, *gone;

	for (size_t i = 0; i < BUCKETS; i++) {
		struct bootstrap **at = &b->bootstraps[i];

		while (*at) {
			if ((*at)->expires_at <= now_s || (impi && strcmp((*at)->impi, impi) == 0)) {
				gone = *at;
				*at = gone->next;
				bootstrap_free(gone);
				b->count--;
				continue;
			}
			if (!soonest || (*at)->expires_at < (*soonest)->expires_at)
				soonest = at;
			at = &(*at)->next;
		}
	}
	if (b->count >= BSF_BOOTSTRAPS_MAX && soonest) {
		gone = *soonest;
		*soonest = gone->next;
		bootstrap_free(gone);
		b->count--;
	}
}

struct bootstrap *bsf_bootstrap_find(struct bsf *b, const uint8_t rand[static AKA_RAND])
{
	struct bootstrap *s = b->bootstraps[bucket_of(rand)];

	while (s && memcmp(s->rand, rand, AKA_RAND) != 0)
		s = s->next;
	return s;
}

enum err bsf_bootstrap_add(struct bsf *b, uint64_t now_s, struct pending *p, struct bootstrap **out)
{
	uint32_t lifetime_s = p->lifetime_s && p->lifetime_s < b->lifetime_s ? p->lifetime_s : b->lifetime_s;
	struct bootstrap *s = calloc(1, sizeof *s), **bucket = &b->bootstraps[bucket_of(p->vector.rand)];

	if (!s || !(s->ks = gba_ks(p->vector.ck, p->vector.ik))) {
		bootstrap_free(s);
		return ERR_NO_MEMORY;
	}
	bsf_bootstraps_sweep(b, now_s, p->impi);
	memcpy(s->impi, p->impi, sizeof s->impi);
	memcpy(s->rand, p->vector.rand, AKA_RAND);
	s->uss = p->uss;
	s->uss_count = p->uss_count;
	p->uss = NULL;
	p->uss_count = 0;
	s->gba_u = p->gba_u;
	s->bootstrapped_at = now_s;
	s->expires_at = now_s + lifetime_s;
	s->next = *bucket;
	*bucket = s;
	b->count++;
	*out = s;
	return OK;
}
