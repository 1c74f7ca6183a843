/* What the files about multicast groups of this CSE's groups share. */
#ifndef KEYWAY_CSE_TYPES_MULTICAST_PRIVATE_H
#define KEYWAY_CSE_TYPES_MULTICAST_PRIVATE_H

#include "cse/types/multicast_host.h"

#define MULTICAST_SITES_MOST 64

/* A CSE that hosts members. */
struct site {
	char csi[CSE_ID_MAX];
	char made[CSE_ID_MAX];   /* its localMulticastGroup, "/id-mn/lmg_1"; "": none */
	char *members;           /* JSON array */
};

struct hosted {
	struct hosted *next;
	int64_t group;
	char address[16], target[CSE_ID_MAX + 48]; /* mad, mgft */
	struct site *sites;
	size_t count;
	unsigned waits;          /* localMulticastGroups that are being made */
	bool ready;
};

struct multicast_call {
	struct multicast_call *next;
	struct cse *cse;
	const struct hosted *hosted;
	char id[64];             /* request identifier */
	bool answered[MULTICAST_SITES_MOST];
	size_t left;
	multicast_answer *answer;
	multicast_done *done;
	void *ctx;
};

struct hosting {
	struct cse_timer timer;
	struct hosted *first;
	struct multicast_call *calls;
	struct leaving *leaving;
	int64_t *due;            /* groups to look at */
	size_t due_count, due_room;
};

/* multicast_host.c */
struct hosting *multicast_hosting(struct cse *c);            /* made when it is first needed */
struct hosted *multicast_find(struct cse *c, int64_t group); /* NULL: none */
struct site *multicast_add_site(struct hosted *h, const char *csi);
void multicast_hosted_free(struct hosted *h);
void multicast_ask(struct cse *c, enum onem2m_operation operation, const char *to, struct rd content, cse_done *done, void *ctx); /* by this CSE itself */
/* multicast_leave.c */
void multicast_leave(struct cse *c, const char *made); /* ends a localMulticastGroup of another CSE */
void multicast_leaving_free(struct cse *c, struct hosting *s);
/* multicast_keep.c: in the store; h NULL: no more */
void multicast_keep(struct cse *c, int64_t group, const struct hosted *h);
char *multicast_text(struct rd r); /* to be freed */
/* multicast_call.c: as if all had answered */
void multicast_call_done(struct multicast_call *k);

#endif
