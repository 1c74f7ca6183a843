/* Whatever a broker says, in whatever pieces, over however many connections: nothing that was published is lost before it is acknowledged, nothing
 * that a broker's acknowledgement was seen for is sent again, and every packet that leaves can be read.
 *
 * The input is a list of events: 0 length(2) octets of the broker; 1 publish; 2 the connection is lost and another opens; 3 time passes; 4 the last
 * message is acknowledged. */
#include <string.h>

#include "mqtt/mqtt_session.h"
#include "../fuzz.h"

static struct mqtt_receipt receipt;
static size_t published;

static void on_write(void *ctx, struct rd octets)
{
	struct mqtt_head h;
	struct mqtt_publish p;
	struct rd body;

	(void)ctx;
	while (octets.left > 0) {
		MUST(mqtt_head_decode(&octets, &h) == OK && rd_sub(&octets, h.length, &body));
		MUST(h.type == MQTT_CONNECT || h.type == MQTT_SUBSCRIBE || h.type == MQTT_PUBACK || h.type == MQTT_PINGREQ || h.type == MQTT_PUBLISH);
		MUST(h.type != MQTT_PUBLISH || (mqtt_publish_decode(&h, body, &p) == OK && p.id != 0));
	}
}

static void on_ready(void *ctx, bool present)
{
	(void)ctx;
	(void)present;
}

static void on_message(void *ctx, const struct mqtt_publish *p, struct mqtt_receipt r)
{
	(void)ctx;
	MUST(p->topic.left + p->payload.left <= 512);
	receipt = r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const filters[] = {"/oneM2M/req/+/id-in/#", "/oneM2M/resp/id-in/#"};
	const struct mqtt_session_config c = {"C::id-in", false, 60, 512, filters, 2, on_write, on_ready, on_message, NULL, NULL, NULL};
	struct mqtt_session *s = mqtt_session_new(&c);
	struct rd in = rd_of(data, size), octets;
	uint64_t now = 0;
	uint16_t len;
	uint8_t event;
	bool open = false;

	MUST(s);
	published = 0;
	while (rd_u8(&in, &event)) {
		switch (event % 5) {
		case 0:
			if (open && rd_be16(&in, &len) && rd_sub(&in, len, &octets) && mqtt_session_input(s, now, octets) != OK) {
				mqtt_session_lost(s);
				open = false;
			}
			break;
		case 1:
			published += mqtt_session_publish(s, now, rd_str("/oneM2M/resp/x/id-in/json"), rd_of(data, size < 64 ? size : 64)) != 0;
			break;
		case 2:
			mqtt_session_lost(s);
			mqtt_session_connected(s, now);
			open = true;
			break;
		case 3:
			now += event * 100U;
			if (mqtt_session_tick(s, now) != OK) {
				mqtt_session_lost(s);
				open = false;
			}
			break;
		case 4:
			mqtt_session_acknowledge(s, now, receipt);
		}
		MUST(mqtt_session_pending(s) <= published);
	}
	mqtt_session_free(s);
	return 0;
}
