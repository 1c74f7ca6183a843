/* What the files of sealed sending share: requests on their way (esprim_sender.c), and the entities that they go to (esprim_partner.c). */
#ifndef KEYWAY_BINDING_ESPRIM_SENDER_PRIVATE_H
#define KEYWAY_BINDING_ESPRIM_SENDER_PRIVATE_H

#include "binding/esprim/esprim_sender.h"

struct esprim_sending;

/* An entity under one key. */
struct esprim_partner {
	struct esprim_partner *next;
	char entity[ENTITY_MAX];
	struct esprim_originator o;
	bool proved;               /* it answered sealed: nothing goes to it in the clear any more */
	bool asking;               /* for a rand object */
	uint64_t deaf_until_ms;
	char unknown[KEY_ID_MAX];  /* the key that it said it does not know */
	unsigned sending;
};

struct esprim_sender {
	struct esprim_sender_config config;
	struct esprim_partner *partners;  /* the one that was used last is the first */
	size_t partner_count;
	struct esprim_sending *first;
	uint64_t numbers;
	uint32_t seed;
	char refused[ENTITY_MAX];  /* who was told of last */
};

/* The entity under its key as that is now: one that was removed or expired is used no more, and a new one begins anew, also under the name of the former.
 * NULL: there is none, or no room. It stays while its `sending` is above 0. */
struct esprim_partner *esprim_partner_of(struct esprim_sender *s, const char *entity);
void esprim_partners_free(struct esprim_sender *s);

#endif
