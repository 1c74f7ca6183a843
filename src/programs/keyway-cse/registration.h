/* Registration of this CSE with its registrar, again and again: the registrar may have lost its store, or learn a new point of access. */
#ifndef KEYWAY_CSE_REGISTRATION_H
#define KEYWAY_CSE_REGISTRATION_H

#include "binding/http/http_binding.h"
#include "loop/loop.h"

struct registration {
	struct http_sender *sender;
	const char *type, *id, *name, *poa, *registrar_url, *registrar_id;
	struct loop_timer *timer;
	bool registered;
	struct onem2m_request rq;
	char body[1024], to[256];
};

void registration_start(struct loop *l, struct registration *r);

#endif
