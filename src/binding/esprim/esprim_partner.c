/* The entities that sealed requests go to, each under one key: a bounded set, of which the one that was used longest ago goes. */
#include <stdlib.h>
#include <string.h>

#include "binding/esprim/sender_private.h"

static void drop_idle(struct esprim_sender *s)
{
	struct esprim_partner **at, **last = NULL;

	for (at = &s->partners; *at; at = &(*at)->next)
		if ((*at)->sending == 0)
			last = at;
	if (last) {
		struct esprim_partner *p = *last;

		*last = p->next;
		s->partner_count--;
		esprim_originator_clear(&p->o);
		free(p);
	}
}

static struct esprim_partner *partner_find(struct esprim_sender *s, const char *entity)
{
	struct esprim_partner **at = &s->partners, *p;

	while (*at && strcmp((*at)->entity, entity) != 0)
		at = &(*at)->next;
	p = *at;
	if (p) {
		*at = p->next;
		p->next = s->partners;
		s->partners = p;
	}
	return p;
}

static struct esprim_partner *partner_new(struct esprim_sender *s, const char *entity)
{
	struct esprim_partner *p;

	if (s->partner_count >= ESPRIM_PARTNERS_MAX)
		drop_idle(s);
	p = s->partner_count < ESPRIM_PARTNERS_MAX ? calloc(1, sizeof *p) : NULL;
	if (!p || !rd_text(rd_str(entity), p->entity, sizeof p->entity)) {
		free(p);
		return NULL;
	}
	p->next = s->partners;
	s->partners = p;
	s->partner_count++;
	return p;
}

struct esprim_partner *esprim_partner_of(struct esprim_sender *s, const char *entity)
{
	struct esprim_partner *p = partner_find(s, entity);
	struct secret *key = NULL;
	char kid[KEY_ID_MAX];
	enum err e = OK;

	if (!entity[0] || !s->config.key_for(s->config.ctx, entity, p ? p->unknown : "", kid, &key))
		return NULL;
	if (!p)
		p = partner_new(s, entity);
	if (p && (!p->o.pairwise || strcmp(p->o.kid, kid) != 0 || !secret_equal(p->o.pairwise, key))) {
		esprim_originator_clear(&p->o);
		e = esprim_originator_init(&p->o, key, kid, s->config.encs, s->config.life_ms);
	}
	secret_free(key);
	return e == OK ? p : NULL;
}

void esprim_partners_free(struct esprim_sender *s)
{
	while (s->partners) {
		struct esprim_partner *p = s->partners;

		s->partners = p->next;
		esprim_originator_clear(&p->o);
		free(p);
	}
}
