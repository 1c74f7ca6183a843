/* EGP version 1: messages between a gateway and the Enrolment Gateway, and between IPE-NI and node B.
 * Source: docs/protocols/egp.md. Decoding rejects what it cannot parse to the last octet. */
#ifndef KEYWAY_EGP_EGP_H
#define KEYWAY_EGP_EGP_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define EGP_MAGIC 0x4547
#define EGP_VERSION 1
#define EGP_HEADER 10
#define EGP_BODY_MAX 1024
#define EGP_MESSAGE_MAX (EGP_HEADER + EGP_BODY_MAX)
#define EGP_POLICY_DEVICES_MAX 126
#define EGP_UNTIL_CHANGED 0xffff

enum egp_type {
	EGP_HELLO = 0x01,
	EGP_HELLO_ACK = 0x02,
	EGP_JOIN_POLICY = 0x03,
	EGP_ACK = 0x04,
	EGP_REQUEST = 0x10,
	EGP_RESPONSE = 0x11,
	EGP_ERROR = 0x12,
	EGP_DEVICE_GONE = 0x13,
	EGP_DEVICE_REMOVE = 0x14,
	EGP_PING = 0x20,
	EGP_PONG = 0x21,
	EGP_UPLINK = 0x30,
	EGP_DOWNLINK = 0x31,
	EGP_DELIVERY = 0x32,
	EGP_CHILD_SET = 0x33,
	EGP_CHILD_EVENT = 0x34,
	EGP_CHILD_DROP = 0x35,
};

enum egp_error_code {
	EGP_ERROR_UNKNOWN_DEVICE = 1,
	EGP_ERROR_NOT_PERMITTED = 2,
	EGP_ERROR_RATE_LIMITED = 3,
	EGP_ERROR_MALFORMED = 4,
	EGP_ERROR_NOT_AUTHORISED = 5,
	EGP_ERROR_COUNTER_EXHAUSTED = 6,
	EGP_ERROR_INTERNAL = 7,
	EGP_ERROR_VERSION = 8,
};

enum egp_join_kind { EGP_JOIN_ASSOCIATION = 0, EGP_JOIN_UNSECURED_REJOIN = 1 };
enum egp_gone_reason { EGP_GONE_LEFT = 1, EGP_GONE_AGED = 2, EGP_GONE_REPLACED = 3 };
enum egp_delivery_status {
	EGP_DELIVERED = 0,
	EGP_NO_ACK = 1,
	EGP_EXPIRED = 2,
	EGP_NO_SUCH_DEVICE = 3,
	EGP_CHANNEL_BUSY = 4,
};
enum egp_child_event {
	EGP_CHILD_ASSOCIATED = 1,
	EGP_CHILD_LOST = 2,
	EGP_CHILD_POLLED_UNKNOWN = 3,
	EGP_CHILD_GATEWAY_RESTARTED = 4,
	EGP_CHILD_REJOIN_SEEN = 5,
};

#define EGP_TLV_OWNER 0x01
#define EGP_TLV_RELAY_TARGET 0x02
#define EGP_TLV_TEXT 0x03
#define EGP_TLV_SOFTWARE 0x81
#define EGP_DOWNLINK_BROADCAST 0x01

struct egp_message {
	enum egp_type type;
	uint32_t transaction;
	union {
		struct {
			uint64_t gateway;
			uint16_t pan_id;
			uint64_t extended_pan_id;
			uint8_t channel;
			uint8_t highest_version;
			uint32_t epoch;
		} hello;
		struct {
			uint8_t version;
			uint64_t time; /* Unix seconds */
		} hello_ack;
		struct {
			uint16_t duration_s;
			uint8_t count;
			uint64_t devices[EGP_POLICY_DEVICES_MAX];
		} join_policy;
		uint8_t acked_type;
		struct {
			uint64_t gateway;
			uint16_t gateway_short;
			uint64_t device;
			uint16_t device_short;
			uint16_t pan_id;
			uint64_t extended_pan_id;
			uint8_t channel;
			uint8_t capability;
			enum egp_join_kind kind;
			uint64_t router; /* not on the wire: the EG's own note of where the device came to; 0: the gateway that asks */
		} request;
		struct {
			uint64_t device;
			struct rd packet; /* borrowed */
		} response;
		struct {
			uint64_t device;
			enum egp_error_code code;
			uint16_t retry_after_s;
		} error;
		struct {
			uint64_t device;
			enum egp_gone_reason reason;
		} gone;
		struct {
			uint64_t device;
		} remove, child_drop;
		struct {
			uint64_t device;
			uint16_t short_address;
			uint8_t lqi;
			int8_t rssi_dbm;
			struct rd frame; /* borrowed */
		} uplink;
		struct {
			uint64_t device;
			uint32_t validity_ms;
			uint8_t flags;
			struct rd frame; /* borrowed */
		} downlink;
		struct {
			uint64_t device;
			enum egp_delivery_status status;
		} delivery;
		struct {
			uint64_t device;
			uint16_t short_address;
			uint8_t capability;
			uint32_t timeout_s;
		} child_set;
		struct {
			uint64_t device;
			enum egp_child_event event;
			uint16_t short_address;
			uint8_t capability;
			uint32_t epoch;
		} child_event;
	};
	/* TLVs; empty (left == 0) when absent; borrowed UTF-8 */
	struct rd owner, relay_target, text, software;
};

/* One whole message. ERR_VERSION: right magic, another version. */
enum err egp_decode(struct rd in, struct egp_message *m) MUST_CHECK;
enum err egp_encode(const struct egp_message *m, struct wr *w) MUST_CHECK;
/* Length of the message at the start of a byte stream: ERR_SHORT when the header is not complete yet, ERR_MALFORMED for a wrong
 * magic or too long a body (close the connection). */
enum err egp_length(struct rd stream, size_t *len) MUST_CHECK;
const char *egp_type_name(enum egp_type t);          /* "EG-REQUEST"; never NULL */
const char *egp_error_text(enum egp_error_code c);   /* "unknown device"; never NULL */

#endif
