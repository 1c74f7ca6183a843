/* A topic that can be read is written as it was, but for a type that was left out; its parts hold no wildcard and no slash; an ID that can be a part is
 * read back from it as it was, but for the slash that a CSE-relative one gets. */
#include <string.h>

#include "binding/mqtt/mqtt_topic.h"
#include "../fuzz.h"

static void check_topic(struct rd in)
{
	char text[MQTT_TOPIC_MAX + 16];
	struct wr w = wr_of(text, sizeof text);
	struct mqtt_topic t;
	struct rd out;

	if (!mqtt_topic_parse(in, &t))
		return;
	MUST(t.originator.left > 0 && t.receiver.left > 0);
	for (size_t i = 0; i < 3; i++)
		MUST(!memchr(t.originator.at, "/+#"[i], t.originator.left) && !memchr(t.receiver.at, "/+#"[i], t.receiver.left));
	mqtt_topic_print(&t, &w);
	MUST(wr_done(&w, &out));
	MUST(rd_equal(out, in) || (t.s == SERIALIZATION_JSON && out.left == in.left + 5 && rd_is(rd_of(out.at + in.left, 5), "/json") && memcmp(out.at, in.at, in.left) == 0));
}

static void check_id(struct rd id)
{
	char part[MQTT_TOPIC_MAX], back[MQTT_TOPIC_MAX + 1];
	struct wr w = wr_of(part, sizeof part), b = wr_of(back, sizeof back);
	struct rd text, again;
	bool relative = !rd_starts(id, "/");

	if (!mqtt_part_print(id, &w) || !wr_done(&w, &text))
		return;
	MUST(mqtt_part_parse(text, &b) && wr_done(&b, &again));
	MUST((!relative || rd_skip(&again, 1)) && rd_equal(again, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_topic(rd_of(data, size));
	check_id(rd_of(data, size));
	return 0;
}
