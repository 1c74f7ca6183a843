/* The clusters Groups and Scenes: their commands. Source: ZCL 07-5123 revision 6 and later, clauses 3.6 and 3.7.
 *
 *	if (groups_decode(z.from_server, z.command, z.payload, &m) == OK)
 *		... m.group, m.status of a response
 *
 * What a command has in its payload is a matter of its number and of who sends it; of a response also of its status. Octets behind that are for later
 * revisions and are not looked at. */
#ifndef KEYWAY_ZIGBEE_GROUPS_H
#define KEYWAY_ZIGBEE_GROUPS_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define GROUPS_NAME_MAX 16        /* of a group, of a scene */
#define GROUPS_FIRST 0x0001
#define GROUPS_LAST 0xfff7        /* R22 leaves 0xfff8 to 0xffff to broadcasts */
#define GROUPS_CAPACITY_UNKNOWN 0xff
#define SCENES_GLOBAL_GROUP 0x0000 /* scenes of no group */

enum groups_command {
	GROUPS_ADD = 0x00,                /* and the responses to the first four */
	GROUPS_VIEW = 0x01,
	GROUPS_MEMBERSHIP = 0x02,
	GROUPS_REMOVE = 0x03,
	GROUPS_REMOVE_ALL = 0x04,
	GROUPS_ADD_IF_IDENTIFYING = 0x05,
};

struct groups_message {
	uint8_t status;       /* responses, but GROUPS_MEMBERSHIP */
	uint16_t group;
	struct rd name;       /* borrowed: GROUPS_ADD, GROUPS_ADD_IF_IDENTIFYING, response to GROUPS_VIEW */
	uint8_t capacity;     /* response to GROUPS_MEMBERSHIP */
	struct rd list;       /* borrowed: GROUPS_MEMBERSHIP, for groups_next; empty in the request: all */
};
enum err groups_decode(bool from_server, uint8_t command, struct rd payload, struct groups_message *m) MUST_CHECK;
enum err groups_encode(bool from_server, uint8_t command, const struct groups_message *m, struct wr *w) MUST_CHECK;
bool groups_next(struct rd *list, uint16_t *group) MUST_CHECK;

enum scenes_command {
	SCENES_ADD = 0x00,                /* and the responses, but to SCENES_RECALL */
	SCENES_VIEW = 0x01,
	SCENES_REMOVE = 0x02,
	SCENES_REMOVE_ALL = 0x03,
	SCENES_STORE = 0x04,
	SCENES_RECALL = 0x05,
	SCENES_MEMBERSHIP = 0x06,
};

struct scenes_message {
	uint8_t status;       /* responses */
	uint16_t group;
	uint8_t scene;        /* but SCENES_REMOVE_ALL and SCENES_MEMBERSHIP */
	bool has_transition;  /* SCENES_RECALL: it need not say */
	uint16_t transition;  /* seconds; of SCENES_RECALL tenths of them */
	struct rd name;       /* borrowed: SCENES_ADD, response to SCENES_VIEW, as `fields` */
	struct rd fields;     /* borrowed: for scenes_next_field */
	uint8_t capacity;     /* response to SCENES_MEMBERSHIP */
	struct rd scenes;     /* borrowed: response to SCENES_MEMBERSHIP, one octet each */
};
enum err scenes_decode(bool from_server, uint8_t command, struct rd payload, struct scenes_message *m) MUST_CHECK;
enum err scenes_encode(bool from_server, uint8_t command, const struct scenes_message *m, struct wr *w) MUST_CHECK;

/* An extension field set: values of attributes of one cluster, in the order in which the cluster's scene table extensions have them. */
struct scenes_field {
	uint16_t cluster;
	struct rd values;
};
bool scenes_next_field(struct rd *fields, struct scenes_field *f) MUST_CHECK; /* false: the end, or (then !rd_end) malformed */
void scenes_put_field(struct wr *w, uint16_t cluster, struct rd values);

#endif
