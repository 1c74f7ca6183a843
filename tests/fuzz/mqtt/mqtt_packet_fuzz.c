/* A PUBLISH that can be read is written again as it was; a length that could be shorter is written shorter. The same for CONNACK: nothing is read that
 * is not there, and a head says how much follows. */
#include "mqtt/mqtt_packet.h"
#include "../fuzz.h"

#define ROOM 4096

static size_t length_octets(uint32_t length)
{
	return length < 1U << 7 ? 1 : length < 1U << 14 ? 2 : length < 1U << 21 ? 3 : 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size), body, out;
	uint8_t octets[ROOM];
	struct wr w = wr_of(octets, sizeof octets);
	struct mqtt_connack c;
	struct mqtt_publish p;
	struct mqtt_head h;
	size_t head;

	if (size > FUZZ_INPUT_MAX || mqtt_head_decode(&in, &h) != OK)
		return 0;
	head = size - in.left;
	MUST(h.length < 1U << 28 && head >= 2 && head <= 5);
	if (!rd_sub(&in, h.length, &body))
		return 0;
	if (h.type == MQTT_CONNACK && mqtt_connack_decode(body, &c) == OK)
		MUST(body.left == 2 && body.at[0] == c.session_present && body.at[1] == c.code && mqtt_connack_text(c.code));
	if (h.type != MQTT_PUBLISH || mqtt_publish_decode(&h, body, &p) != OK)
		return 0;
	if (!(h.flags & 6)) /* an id belongs to QoS 1 */
		MUST(p.id == 0 && p.qos == 0);
	MUST(mqtt_publish_encode(&p, &w) == OK && wr_done(&w, &out));
	MUST(out.left == 1 + length_octets(h.length) + h.length && out.at[0] == data[0]);
	MUST(rd_skip(&out, out.left - h.length) && rd_equal(out, body));
	return 0;
}
