/* What the files of the MQTT binding share. */
#ifndef KEYWAY_BINDING_MQTT_MQTT_PRIVATE_H
#define KEYWAY_BINDING_MQTT_MQTT_PRIVATE_H

#include "binding/mqtt/mqtt_binding.h"
#include "binding/mqtt/mqtt_topic.h"
#include "binding/primitive/envelope.h"
#include "loop/stream.h"
#include "mqtt/mqtt_session.h"

#define LINKS_MAX 8         /* brokers */
#define SENDING_BUCKETS 1024
#define SENDING_MAX 10000   /* requests of ours without an answer */
#define SHORT_NAMES 512
#define SHORT_NAME_SIZE 64

/* A broker. */
struct mqtt_link {
	struct mqtt_link *next;
	struct mqtt_binding *binding;
	char address[160];        /* as stream_open has it: "tls:127.0.0.1:8883" */
	struct tls_credentials *tls;
	char client_id[320];
	bool configured;          /* kept up, and where requests come; the others only while they are needed, and for answers */
	bool was_ready;
	char trouble[160];        /* why the connection was lost, or not made, the last time */
	struct stream *stream;
	struct mqtt_session *session;
	struct secret *password; /* while it connects */
	struct loop_timer *deadline, *again, *repeat;
	uint64_t backoff_ms, repeat_ms;
};

/* A request that waits for its answer. */
struct mqtt_asked {
	struct mqtt_asked *older, *newer;
	struct mqtt_link *link;
	struct envelope *v;
	struct mqtt_receipt receipt;
	bool acknowledged;
	uint64_t at;
	enum serialization s;
	char *peer, *credential;
	size_t topic_len;
	uint8_t topic[];          /* of the answer */
};

/* A request of ours. */
struct mqtt_sending {
	struct mqtt_sending *next;
	struct mqtt_link *link;
	uint64_t number;          /* in its request identifier */
	uint64_t publication;     /* in the session */
	uint64_t at;              /* when it was published */
	struct loop_timer *timer;
	cse_done *done;
	void *ctx;
	bool one_way;             /* to a topic of somebody's own, where no answer is defined */
	uint64_t until;           /* when the broker must have taken it; monotonic ms */
	struct wr topic, payload;
};

struct mqtt_binding {
	struct mqtt_binding_config config;
	struct loop *loop;
	struct once *once;
	struct mqtt_link *links;
	unsigned links_made;
	bool leaving;             /* no connection is made any more */
	char part[256], client_id[300], filters[3][320];
	const char *filter_list[3]; /* the first is that of answers */
	struct mqtt_asked *oldest, *newest; /* that are not acknowledged */
	struct loop_timer *acknowledge;
	struct mqtt_sending *sending[SENDING_BUCKETS];
	size_t sending_count;
	uint64_t sent;            /* counts */
	char prefix[16];          /* of our request identifiers, another in each run: receivers remember them */
	char short_names[SHORT_NAMES][SHORT_NAME_SIZE]; /* AEs of ours that call themselves in topics by their AE-ID alone */
};

/* The URL of a broker, or of a topic there. */
struct mqtt_url {
	bool secure;
	char host_port[128]; /* "localhost" is 127.0.0.1, and the port is always there */
	struct rd path;      /* with its slash; empty when there is none */
};

/* mqtt_link.c */
bool mqtt_url_parse(const char *url, struct mqtt_url *u) MUST_CHECK;
struct mqtt_link *mqtt_link_to(struct mqtt_binding *b, const struct mqtt_url *u, bool configured); /* NULL: too many, or no credentials */
void mqtt_link_free(struct mqtt_link *k);
uint64_t mqtt_link_publish(struct mqtt_link *k, struct rd topic, struct rd payload); /* as mqtt_session_publish */
/* mqtt_server_side.c */
void mqtt_request(struct mqtt_link *k, const struct mqtt_topic *t, const struct mqtt_publish *p, struct mqtt_receipt receipt);
void mqtt_acknowledge_late(void *binding); /* a loop_timer_fn */
void mqtt_asked_free_all(struct mqtt_binding *b);
struct rd mqtt_short_name(struct mqtt_binding *b, struct rd part); /* its place in the table */
/* mqtt_client_side.c */
void mqtt_response(struct mqtt_link *k, const struct mqtt_topic *t, struct rd payload);
void mqtt_sending_again(struct mqtt_link *k, uint64_t before); /* what was published before that, and the broker took; it may have forgotten it */
void mqtt_sending_failed(struct mqtt_link *k);  /* nobody is there */
bool mqtt_sending_any(const struct mqtt_link *k);
void mqtt_sending_free_all(struct mqtt_binding *b);

/* mqtt_login.c: name and password, for the configured broker alone. */
bool mqtt_login_take(struct mqtt_link *k) MUST_CHECK; /* false: there should be a password, and is none */
bool mqtt_login_of(void *link, struct mqtt_login *login);
void mqtt_login_forget(struct mqtt_link *k);

#endif
