/* oneM2M from C: requests to a CSE, by whichever binding the scheme of its address names, and the CSE's notifications.
 *
 *	struct keyway_options o = {
 *		.url = "https://127.0.0.1:8443", .from = "/id-in/CAdmin", .server = "id-in.keyway.example",
 *		.ca = "plant/tls/ca.pem", .cert = "plant/tls/operator.pem", .key = "plant/tls/operator.key",
 *	};
 *	char why[KEYWAY_WHY_SIZE];
 *	struct keyway *k = keyway_open(&o, why, sizeof why);
 *	struct keyway_answer a;
 *
 *	if (!k)
 *		errx(1, "%s", why);
 *	if (keyway_call(k, &(struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = "cse-in"}, &a) == 2000)
 *		puts(a.content);
 *	else
 *		warnx("%s", a.why);
 *	keyway_close(k);
 *
 * Content is JSON with the root that TS-0004 gives it ("m2m:cnt"), whatever travels. Text is UTF-8 and ends with a zero. A struct that the caller fills
 * is to be zeroed first, as initialisers do: what is 0 or NULL is not given.
 *
 * A client belongs to one thread. It does nothing by itself: it works during keyway_call and keyway_step. Its callbacks come from there, and may do
 * anything but keyway_call, keyway_step, keyway_reach and keyway_close. No signal is touched. */
#ifndef KEYWAY_CLIENT_H
#define KEYWAY_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KEYWAY_WHY_SIZE 512

struct keyway;

/* ---- a connection ---- */

enum keyway_serialization { KEYWAY_JSON = 0, KEYWAY_XML, KEYWAY_CBOR }; /* what travels */

/* All borrowed for the call of keyway_open only. */
struct keyway_options {
	/* http, https, coap, coaps, ws, wss: a point of access of the CSE, "ws://127.0.0.1:8080"; the port may be left out where the scheme has one.
	 * mqtt, mqtts: the broker. An IPv4 address or "localhost"; http and https take names as well. */
	const char *url;
	const char *from;         /* originator: an AE-ID ("Cmeter"), or SP-relative ("/id-in/Cmeter"). Empty for who registers as an AE and gets an AE-ID */
	const char *cse;          /* CSE-ID of the CSE, "/id-in": needed with MQTT */
	/* Whose certificate it must be at the other end: one of its names, "id-in.keyway.example". The host of the URL when not given. */
	const char *server;
	const char *ca, *cert, *key;          /* PEM files, for https, coaps, wss and mqtts; the key file must be its owner's alone */
	const char *psk_identity, *psk_file;  /* instead: a file of lines IDENTITY:HEXKEY, its owner's alone */
	enum keyway_serialization serialization;
	const char *release;      /* "3" when not given */
	unsigned timeout_ms;      /* for an answer; 20 000 when not given */
	const char *listen;       /* where notifications by HTTP and CoAP come in, "127.0.0.1:0" when not given; 0 takes a free port */
	int sealed_only;          /* not 0: notifications that do not come sealed (keyway_seal) are refused with 4107 */
};

/* NULL, with what to do about it in `why`. Whether anybody is there shows with the first request. */
struct keyway *keyway_open(const struct keyway_options *o, char *why, size_t why_size);
/* Requests that wait for answers end without them; what keyway_reach made is taken away again, which may take as long as a request. Accepts NULL. */
void keyway_close(struct keyway *k);

/* ---- requests ---- */

enum keyway_operation { KEYWAY_CREATE = 1, KEYWAY_RETRIEVE = 2, KEYWAY_UPDATE = 3, KEYWAY_DELETE = 4, KEYWAY_NOTIFY = 5 };

/* All borrowed for the call only. */
struct keyway_request {
	enum keyway_operation operation;
	const char *to;           /* "cse-in/a" at the CSE that is asked, "/id-mn/cse-mn/a" at any CSE, "//sp/id-mn/..." at another provider's */
	const char *query;        /* parameters and filter criteria as HTTP writes them: "rcn=4", "fu=1&ty=3&lbl=kitchen" */
	int type;                 /* of the resource, with KEYWAY_CREATE */
	const char *content;      /* JSON */
	const char *from;         /* instead of the connection's */
};

/* Why there is no answer. */
enum keyway_failure {
	KEYWAY_OK = 0,            /* there is one */
	KEYWAY_INVALID,           /* the request cannot be sent: it is wrong, or too long for the binding */
	KEYWAY_UNREACHABLE,
	KEYWAY_TIMEOUT,           /* it may have been executed */
	KEYWAY_UNTRUSTED,         /* TLS: the other end is not who it should be, or does not take our credential */
	KEYWAY_LOST               /* the connection ended; it may have been executed */
};

struct keyway_answer {
	enum keyway_failure failure;
	int rsc;                  /* response status code, TS-0004 clause 6.6: 2000, 4004; 0 without an answer */
	const char *content;      /* JSON; "" when there is none */
	size_t content_len;
	const char *location;     /* of a created resource, where the binding tells it; "" */
	const char *why;          /* a sentence when there is no answer, or a refusal; "" otherwise */
};

/* Waits for the answer, which stays until the next keyway_call or keyway_close. Returns its rsc; 0 when there is none. */
int keyway_call(struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a);

/* Does not wait. done comes once, from keyway_step or keyway_call, never from keyway_send itself; a is borrowed for that call. */
typedef void keyway_done(void *ctx, const struct keyway_answer *a);
void keyway_send(struct keyway *k, const struct keyway_request *rq, keyway_done *done, void *ctx);
unsigned keyway_waiting(const struct keyway *k); /* requests without an answer yet */

/* For a program with an event loop: when the descriptor is readable, and after keyway_wait_ms (-1: never) at the latest, call keyway_step(k, 0).
 * Other programs call keyway_step with the milliseconds that it may wait for something to happen; -1: for ever. A signal ends its waiting. */
int keyway_fd(const struct keyway *k);
int keyway_wait_ms(const struct keyway *k);
void keyway_step(struct keyway *k, int wait_ms);

/* ---- sealed requests: ESPrim, TS-0003 clause 8.4 ---- */

/* A CSE with which the originator shares a key. What is asked of it goes sealed through every CSE on the way, and so does the answer. Its notifications come
 * sealed too, once keyway_reach has told it that they may: both directions are under the key. */
struct keyway_sealing {
	const char *receiver;     /* its CSE-ID: "/id-in" */
	const char *key_id;       /* identifier of the key: "0a1b...@maf.example" */
	const char *key_file;     /* 64 hexadecimal digits and a line end, its owner's alone */
};
/* All borrowed for the call. Replaces what was given before. 0, or -1 with what to do about it in `why`. The originator must be known in full: `from` is an
 * SP-relative ID, or `cse` is given. */
int keyway_seal(struct keyway *k, const struct keyway_sealing *s, char *why, size_t why_size);
/* The same with a key that certificates agree on, by four messages through every CSE on the way (ESCertKE, clause 8.7). It ends with the process. */
struct keyway_agreement {
	const char *receiver;     /* "/id-in" */
	const char *name;         /* in its certificate: "id-in.keyway.example" */
	const char *ca, *cert, *key; /* PEM files; the certificate is the AE's */
};
int keyway_agree(struct keyway *k, const struct keyway_agreement *g, char *why, size_t why_size);
/* As keyway_call, sealed; the first one asks the receiver for what it needs. A refusal of the seal itself (4111 to 4116, 5210, 5211) is an answer too. An
 * answer that does not verify is none: KEYWAY_UNTRUSTED; the request may have been executed. */
int keyway_call_sealed(struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a);

/* ---- notifications ---- */

struct keyway_notification {
	const char *from;         /* who sent it */
	const char *content;      /* "m2m:sgn": {...} in JSON */
	size_t content_len;
	int sealed;               /* not 0: it came sealed, and `from` is whom the key belongs to */
};
/* Returns the response status code to answer with: 2000. */
typedef int keyway_notified(void *ctx, const struct keyway_notification *n);

/* After keyway_seal or keyway_agree the originator is registered as an AE with every scheme, with what senders of sealed notifications need (e2eSecInfo), and
 * *target is its AE-ID: a CSE can seal for somebody, not for a URL.
 *
 * Makes this client reachable. *target, the client's, is for `nu` of a subscription: the URL of a port that is opened here, for HTTP and CoAP; the originator's
 * AE-ID for WebSocket and MQTT, where notifications come over the connection: the originator is registered as an AE for that, unless it is one, and the
 * CSE must be the one that it belongs to. Verification requests are answered by the library. 0, or -1 with what to do about it in `why`. */
int keyway_reach(struct keyway *k, keyway_notified *fn, void *ctx, const char **target, char *why, size_t why_size);

/* ---- words ---- */
const char *keyway_rsc_text(int rsc); /* "NOT_FOUND"; "" for a code that does not exist */
const char *keyway_version(void);

#ifdef __cplusplus
}
#endif

#endif
