/* Zigbee Cluster Library: frame header, data types, foundation commands. Source: ZCL specification 07-5123 revision 6 and later, chapter 2. */
#ifndef KEYWAY_ZIGBEE_ZCL_H
#define KEYWAY_ZIGBEE_ZCL_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

enum zcl_frame_type { ZCL_GLOBAL = 0, ZCL_CLUSTER = 1 };

struct zcl_frame {
	enum zcl_frame_type type;
	bool manufacturer_specific;
	bool from_server;
	bool disable_default_response;
	uint16_t manufacturer;
	uint8_t sequence;
	uint8_t command;
	struct rd payload; /* borrowed */
};

enum err zcl_decode(struct rd in, struct zcl_frame *f) MUST_CHECK;
enum err zcl_encode(const struct zcl_frame *f, struct wr *w) MUST_CHECK;

enum zcl_global_command {
	ZCL_READ = 0x00,
	ZCL_READ_RESPONSE = 0x01,
	ZCL_WRITE = 0x02,
	ZCL_WRITE_UNDIVIDED = 0x03,
	ZCL_WRITE_RESPONSE = 0x04,
	ZCL_WRITE_NO_RESPONSE = 0x05,
	ZCL_CONFIGURE_REPORTING = 0x06,
	ZCL_CONFIGURE_REPORTING_RESPONSE = 0x07,
	ZCL_READ_REPORTING = 0x08,
	ZCL_READ_REPORTING_RESPONSE = 0x09,
	ZCL_REPORT = 0x0a,
	ZCL_DEFAULT_RESPONSE = 0x0b,
	ZCL_DISCOVER_ATTRIBUTES = 0x0c,
	ZCL_DISCOVER_ATTRIBUTES_RESPONSE = 0x0d,
};

enum zcl_status {
	ZCL_SUCCESS = 0x00,
	ZCL_FAILURE = 0x01,
	ZCL_MALFORMED_COMMAND = 0x80,
	ZCL_UNSUP_CLUSTER_COMMAND = 0x81,
	ZCL_UNSUP_GENERAL_COMMAND = 0x82,
	ZCL_INVALID_FIELD = 0x85,
	ZCL_UNSUPPORTED_ATTRIBUTE = 0x86,
	ZCL_INVALID_VALUE = 0x87,
	ZCL_READ_ONLY = 0x88,
	ZCL_INSUFFICIENT_SPACE = 0x89,
	ZCL_DUPLICATE_EXISTS = 0x8a,
	ZCL_NOT_FOUND = 0x8b,
	ZCL_INVALID_DATA_TYPE = 0x8d,
	ZCL_UNREPORTABLE_ATTRIBUTE = 0x8c,
	ZCL_TIMEOUT = 0x94,
	ZCL_UNSUPPORTED_CLUSTER = 0xc3,
};

enum zcl_type {
	ZCL_NO_DATA = 0x00,
	ZCL_DATA8 = 0x08,
	ZCL_BOOL = 0x10,
	ZCL_BITMAP8 = 0x18,
	ZCL_BITMAP16 = 0x19,
	ZCL_BITMAP32 = 0x1b,
	ZCL_UINT8 = 0x20,
	ZCL_UINT16 = 0x21,
	ZCL_UINT24 = 0x22,
	ZCL_UINT32 = 0x23,
	ZCL_UINT48 = 0x25,
	ZCL_UINT64 = 0x27,
	ZCL_INT8 = 0x28,
	ZCL_INT16 = 0x29,
	ZCL_INT24 = 0x2a,
	ZCL_INT32 = 0x2b,
	ZCL_INT64 = 0x2f,
	ZCL_ENUM8 = 0x30,
	ZCL_ENUM16 = 0x31,
	ZCL_SINGLE = 0x39,
	ZCL_DOUBLE = 0x3a,
	ZCL_OCTET_STRING = 0x41,
	ZCL_CHAR_STRING = 0x42,
	ZCL_LONG_OCTET_STRING = 0x43,
	ZCL_LONG_CHAR_STRING = 0x44,
	ZCL_EUI64 = 0xf0,
	ZCL_KEY128 = 0xf1,
};

/* Octets of a fixed-size type; 0 for strings and unknown types. */
size_t zcl_type_size(uint8_t type);
bool zcl_type_is_discrete(uint8_t type); /* no reportable change field */
bool zcl_type_is_signed(uint8_t type);

struct zcl_value {
	uint8_t type;
	uint64_t number;   /* types of up to 8 octets; signed ones sign-extended */
	struct rd octets;  /* strings: content, borrowed; others: as on air */
};
bool zcl_value_read(struct rd *in, uint8_t type, struct zcl_value *v) MUST_CHECK;
void zcl_value_write(const struct zcl_value *v, struct wr *w); /* without the type */
int64_t zcl_value_int(const struct zcl_value *v);

/* Records of foundation commands: each _next takes one and is false at the end or at the first malformed one (then !rd_end). */
struct zcl_record {
	uint16_t attribute;
	uint8_t status;          /* responses */
	struct zcl_value value;  /* report; read response with status 0; write */
	uint8_t direction, type; /* reporting configuration */
	uint16_t minimum_s, maximum_s;
	struct zcl_value change;
};
bool zcl_read_next(struct rd *in, struct zcl_record *r) MUST_CHECK;
bool zcl_read_response_next(struct rd *in, struct zcl_record *r) MUST_CHECK;
bool zcl_report_next(struct rd *in, struct zcl_record *r) MUST_CHECK; /* also WRITE */
bool zcl_configure_next(struct rd *in, struct zcl_record *r) MUST_CHECK;
void zcl_report_put(struct wr *w, uint16_t attribute, const struct zcl_value *v); /* also WRITE */
void zcl_read_response_put(struct wr *w, uint16_t attribute, uint8_t status, const struct zcl_value *v);
void zcl_configure_put(struct wr *w, uint16_t attribute, uint8_t type, uint16_t minimum_s, uint16_t maximum_s, uint64_t change);

/* Clusters. */
enum zcl_cluster_id {
	ZCL_BASIC = 0x0000,
	ZCL_POWER = 0x0001,
	ZCL_IDENTIFY = 0x0003,
	ZCL_GROUPS = 0x0004,
	ZCL_SCENES = 0x0005,
	ZCL_ON_OFF = 0x0006,
	ZCL_LEVEL = 0x0008,
	ZCL_OTA = 0x0019,
	ZCL_POLL_CONTROL = 0x0020,
	ZCL_DOOR_LOCK = 0x0101,
	ZCL_WINDOW_COVERING = 0x0102,
	ZCL_THERMOSTAT = 0x0201,
	ZCL_COLOUR = 0x0300,
	ZCL_ILLUMINANCE = 0x0400,
	ZCL_TEMPERATURE = 0x0402,
	ZCL_PRESSURE = 0x0403,
	ZCL_HUMIDITY = 0x0405,
	ZCL_OCCUPANCY = 0x0406,
	ZCL_IAS_ZONE = 0x0500,
	ZCL_IAS_WD = 0x0502,
	ZCL_METERING = 0x0702,
	ZCL_ELECTRICAL = 0x0b04,
};
#define ZCL_ON_OFF_OFF 0x00
#define ZCL_ON_OFF_ON 0x01
#define ZCL_ON_OFF_TOGGLE 0x02
#define ZCL_DOOR_LOCK_LOCK 0x00       /* and the response to it */
#define ZCL_DOOR_LOCK_UNLOCK 0x01     /* and the response to it */
#define ZCL_IAS_STATUS_CHANGE 0x00     /* from server */
#define ZCL_IAS_ENROLL_REQUEST 0x01    /* from server */
#define ZCL_IAS_ENROLL_RESPONSE 0x00   /* to server */

#endif
