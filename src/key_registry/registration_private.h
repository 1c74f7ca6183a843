/* What the files of the registry over HTTPS share. */
#ifndef KEYWAY_KEY_REGISTRY_REGISTRATION_PRIVATE_H
#define KEYWAY_KEY_REGISTRY_REGISTRATION_PRIVATE_H

#include "key_registry/association.h"
#include "key_registry/registration_server.h"

#define FETCH_PATH "/fetchCredentials/"
#define PRESENCE_BUCKETS 256

/* An answer that waits for the commit. */
struct pending {
	struct pending *next;
	struct http_exchange *x;
	enum onem2m_rsc rsc;
	uint64_t losses; /* of the registry when it was made */
	char *request_id;
	uint8_t *body;
	size_t len;
};

/* A held Command Retrieve. */
struct poll {
	struct poll *next;
	struct http_exchange *x;
	char client[ENTITY_MAX], registration[REGISTRY_ID_SIZE];
	uint64_t until; /* monotonic ms */
};

struct presence {
	struct presence *next;
	uint64_t seen_at; /* monotonic ms */
	char client[];
};

struct registration_server {
	struct loop *loop;
	struct loop_timer *timer;
	struct http_server *http;
	struct registry *registry;
	struct registration_hooks hooks;
	struct pending *pending, **pending_end;
	unsigned pending_count, last_count; /* answers that wait; that shared the last commit */
	struct loop_timer *gather;
	struct poll *polls;
	struct presence *presence[PRESENCE_BUCKETS];
	uint64_t sweep_at, noise_at;
	unsigned noise;
};

struct registration_call {
	struct registration_server *s;
	struct http_exchange *x;
	const struct http_request *rq;
	struct association_peer peer;
	struct rd name, leaf; /* BASE/NAME/LEAF */
	const struct json *body;
	uint64_t now_s;
};

struct answer_buffer {
	uint8_t octets[REGISTRATION_ANSWER_MAX];
	struct wr w;
	struct json_out o;
};

/* registration_server.c: answers */
void registration_answer_exchange(struct registration_server *s, struct http_exchange *x, enum onem2m_rsc rsc, struct rd body);
struct json_out *registration_answer_begin(struct answer_buffer *b);
void registration_answer_end(struct registration_call *call, struct answer_buffer *b, enum onem2m_rsc rsc);
void registration_refuse_as_registry(struct registration_call *call, enum onem2m_rsc rsc);

/* registration_calls.c: BASE and BASE/NAME */
void registration_create(struct registration_call *call);
void registration_retrieve(struct registration_call *call);
void registration_update(struct registration_call *call);
void registration_delete(struct registration_call *call);
void registration_post_below(struct registration_call *call);
void registration_fetch(struct registration_call *call, struct rd path); /* TS-0003 8.3.2.1 */

/* registration_commands.c */
void registration_command_retrieve(struct registration_call *call);
void registration_command_update(struct registration_call *call);
void registration_polls_end(struct registration_server *s, const char *client, uint64_t until); /* those of a client, or all whose time is over */
void registration_set_timer(struct registration_server *s);

#endif
