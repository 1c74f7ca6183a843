/* Timers of the endpoint: a binary heap, the earliest at its top. */
#include <stdlib.h>

#include "coap/coap_private.h"

static void put(struct coap_timers *h, size_t place, struct coap_timer *t)
{
	h->heap[place] = t;
	t->place = place;
}

static void up(struct coap_timers *h, size_t place)
{
	struct coap_timer *t = h->heap[place];

	for (; place > 1 && h->heap[place / 2]->at > t->at; place /= 2)
		put(h, place, h->heap[place / 2]);
	put(h, place, t);
}

static void down(struct coap_timers *h, size_t place)
{
	struct coap_timer *t = h->heap[place];

	for (size_t child; (child = 2 * place) <= h->count; place = child) {
		if (child < h->count && h->heap[child + 1]->at < h->heap[child]->at)
			child++;
		if (h->heap[child]->at >= t->at)
			break;
		put(h, place, h->heap[child]);
	}
	put(h, place, t);
}

void coap_timer_stop(struct coap_endpoint *e, struct coap_timer *t)
{
	struct coap_timers *h = &e->timers;
	size_t place = t->place;
	struct coap_timer *last;

	if (place == 0)
		return;
	t->place = 0;
	last = h->heap[h->count--];
	if (last == t)
		return;
	put(h, place, last);
	up(h, place);
	down(h, last->place);
}

void coap_timer_at(struct coap_endpoint *e, struct coap_timer *t, uint64_t at)
{
	struct coap_timers *h = &e->timers;

	coap_timer_stop(e, t);
	if (h->count + 2 > h->room) {
		h->room = h->room ? 2 * h->room : 64;
		h->heap = realloc(h->heap, h->room * sizeof *h->heap);
		if (!h->heap)
			abort();
	}
	t->at = at;
	put(h, ++h->count, t);
	up(h, h->count);
}
