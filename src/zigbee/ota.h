/* Over-the-air upgrade: the file and the commands of its cluster. Source: ZCL 07-5123 revision 6 and later, chapter 11 (formerly 095264). */
#ifndef KEYWAY_ZIGBEE_OTA_H
#define KEYWAY_ZIGBEE_OTA_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define OTA_MAGIC 0x0beef11eU
#define OTA_HEADER_LEAST 56
#define OTA_NAME 33
#define OTA_IMAGE_MAX (4U << 20) /* octets: no Zigbee device has room for more */
#define OTA_ANY_TYPE 0xffff

/* What an image is, and for whom. */
struct ota_image {
	uint16_t manufacturer, type;
	uint32_t version;
};

/* magic(4) header version(2) header length(2) field control(2) manufacturer(2) type(2) version(4) stack version(2) name(32) total size(4)
 * [credential(1)] [destination(8)] [least(2) and greatest(2) hardware version]; least significant octet first */
struct ota_header {
	uint16_t length;
	struct ota_image image;
	uint16_t stack_version;
	char name[OTA_NAME]; /* printable part */
	uint32_t size;       /* of the whole file */
	bool has_destination, has_hardware;
	uint64_t destination;
	uint16_t hardware_least, hardware_most;
};
/* `file` is all of it: its size has to be what it says. ERR_SHORT, ERR_MALFORMED, ERR_UNSUPPORTED (header version), ERR_TOO_LONG. */
enum err ota_header_decode(struct rd file, struct ota_header *h) MUST_CHECK;
enum err ota_header_encode(const struct ota_header *h, struct wr *w) MUST_CHECK;

enum ota_command {
	OTA_IMAGE_NOTIFY = 0x00,    /* from the server, as are the even ones below but 0x04 and 0x06 */
	OTA_QUERY_REQUEST = 0x01,
	OTA_QUERY_RESPONSE = 0x02,
	OTA_BLOCK_REQUEST = 0x03,
	OTA_PAGE_REQUEST = 0x04,
	OTA_BLOCK_RESPONSE = 0x05,  /* from the server */
	OTA_END_REQUEST = 0x06,
	OTA_END_RESPONSE = 0x07,    /* from the server */
};
#define OTA_ABORT 0x95
#define OTA_INVALID_IMAGE 0x96
#define OTA_WAIT_FOR_DATA 0x97
#define OTA_NO_IMAGE 0x98

/* The payload of any of them; which members mean something depends on the command, and for responses on the status. */
struct ota_message {
	uint8_t status;             /* responses, OTA_END_REQUEST */
	uint8_t jitter;             /* OTA_IMAGE_NOTIFY */
	struct ota_image image;
	bool has_hardware;          /* OTA_QUERY_REQUEST */
	uint16_t hardware;
	uint32_t size;              /* OTA_QUERY_RESPONSE */
	uint32_t offset;
	uint8_t most;               /* OTA_BLOCK_REQUEST: octets that it takes */
	struct rd data;             /* OTA_BLOCK_RESPONSE; borrowed */
	uint32_t now, then;         /* OTA_END_RESPONSE, OTA_WAIT_FOR_DATA */
};
/* ERR_UNSUPPORTED for a command that is not in the list or that nobody here uses (OTA_PAGE_REQUEST). */
enum err ota_decode(uint8_t command, struct rd in, struct ota_message *m) MUST_CHECK;
enum err ota_encode(uint8_t command, const struct ota_message *m, struct wr *w) MUST_CHECK;

#endif
