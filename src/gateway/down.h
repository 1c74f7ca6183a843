/* What node B sends, pure: the contentInstances of a device's `down` container, by notification and by retrieval. Each message is taken once, only
 * from the device's own container, and a frame only while it is worth sending: a plug must not switch minutes after its command was given up.
 * The age of an instance is counted on the CSE's own clock. */
#ifndef KEYWAY_GATEWAY_DOWN_H
#define KEYWAY_GATEWAY_DOWN_H

#include "egp/egp.h"
#include "json/json.h"

#define DOWN_ID 96             /* resource IDs longer than this are not remembered */
#define DOWN_SEEN 64
#define DOWN_VALIDITY_MS 7680  /* of a frame that does not say: macTransactionPersistenceTime */

struct down {
	uint64_t device;
	char container[DOWN_ID]; /* resource ID of `down`; "" while it is not known */
	char last[DOWN_ID];      /* of the instance that was taken last; "" for none */
	uint32_t seen[DOWN_SEEN];
	size_t seen_count;
};

/* last: what a former run had come to, or "". */
void down_init(struct down *d, uint64_t device, const char *last);
/* The device that an instance (m2m:cin) speaks of; false: it holds no message of node B's. */
bool down_device(const struct json *instance, uint64_t *device) MUST_CHECK;
/* The first of a list of instances, oldest first, that was not there when the last was taken; NULL: none. */
const struct json *down_first_new(const struct down *d, const struct json *list);
/* An instance in its turn. cse_s: what the CSE's clock shows, Unix seconds; 0: not known. retrieved: it was not notified; then a frame of unknown age is too old.
 * OK: m is to be carried out, and the validity of a frame is what is left of it. ERR_TIMEOUT: a frame that is too old, m is filled. ERR_DUPLICATE. ERR_NOT_PERMITTED: out
 * of another device's container, or about another device. ERR_MALFORMED: no message of node B's. m borrows from octets. */
enum err down_take(struct down *d, const struct json *instance, uint64_t cse_s, bool retrieved, uint8_t octets[static EGP_MESSAGE_MAX],
    struct egp_message *m) MUST_CHECK;

#endif
