/* What the MEF answers to node B, from JSON to values, pure. docs/protocols/key-registration.md. What is not as it must be is refused whole: paths that do not
 * begin with a slash, names with control characters, addresses that no device can have. */
#ifndef KEYWAY_OCI_MEF_ANSWER_H
#define KEYWAY_OCI_MEF_ANSWER_H

#include "json/json.h"
#include "keys/secret.h"
#include "oci/oci_core.h"

#define MEF_PATH 300
#define MEF_COMMAND_ID 32
#define MEF_REASON 128

/* The path of the commands of a registration. */
bool mef_registration_parse(const struct json *doc, char path[static MEF_PATH]) MUST_CHECK;

struct mef_order {
	uint64_t class;              /* enum command_class, or a number that we do not know */
	char id[MEF_COMMAND_ID];     /* JSON: a number or a string, to be sent back as it is */
	char object[MEF_PATH];       /* what it is about; "" when there is nothing */
	bool has_device;
	uint64_t device;
	bool has_heir;               /* its resources stay: another device gets them */
};
bool mef_order_parse(const struct json *doc, struct mef_order *o) MUST_CHECK;

struct mef_key {
	uint64_t device, gateway;
	uint16_t short_address;
	uint8_t capability, sequence;
	uint64_t generation;
	bool rotation;           /* for a device that stays on the network */
	uint64_t router;         /* through which it joins; 0: none, the gateway hears it */
	uint64_t replaces;       /* whose resources it gets; 0: its own */
	char relay[OCI_NAME], application[OCI_NAME], id[OCI_KEY_ID];
	char network[OCI_NAME];  /* the application group whose members share the key; "": the device alone has it */
	uint64_t network_generation;
	struct secret *key; /* the caller's, when the parse was right */
};
bool mef_key_parse(const struct json *doc, struct mef_key *k) MUST_CHECK;

struct mef_aps_reply {
	uint8_t frame[NWK_FRAME_MAX];
	size_t len;              /* 0: nothing to send to the device */
	bool ack;
	char reason[MEF_REASON]; /* why the frame was ignored, or "" */
	uint64_t tunnel;         /* the router that the frame goes to, in a Tunnel; 0: it goes to the device itself */
	bool has_child;          /* what the device said of another, as a router */
	struct oci_child child;
};
bool mef_aps_parse(const struct json *doc, struct mef_aps_reply *r) MUST_CHECK;

#define MEF_HASH_TEXT 64

struct mef_witness {
	bool fits;       /* what the MEF was told of its log is in it */
	uint64_t seq;    /* of the log's last line; 0: it has none */
	char hash[MEF_HASH_TEXT + 1];
};
bool mef_witness_parse(const struct json *doc, struct mef_witness *w) MUST_CHECK;
bool mef_hash_is_good(const char *text) MUST_CHECK; /* hexadecimal digits in lower case */

#endif
