/* Topics of TS-0010 clause 6.4.2, and IDs as their parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "binding/mqtt/mqtt_binding.h"
#include "binding/mqtt/mqtt_topic.h"

static void reads_and_writes_topics(void **state)
{
	static const struct {
		const char *text;
		enum mqtt_topic_kind kind;
		const char *originator, *receiver;
		enum serialization s;
	} cases[] = {
		{"/oneM2M/req/id-in:Cae/id-in/json", MQTT_TOPIC_REQUEST, "id-in:Cae", "id-in", SERIALIZATION_JSON},
		{"/oneM2M/resp/id-mn/id-in/cbor", MQTT_TOPIC_RESPONSE, "id-mn", "id-in", SERIALIZATION_CBOR},
		{"/oneM2M/reg_req/10-3ace/id-in/xml", MQTT_TOPIC_REGISTRATION, "10-3ace", "id-in", SERIALIZATION_XML},
		{"/oneM2M/reg_resp/x/:sp:id-in/json", MQTT_TOPIC_REGISTRATION_RESPONSE, "x", ":sp:id-in", SERIALIZATION_JSON},
	};
	struct mqtt_topic t;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[128];
		struct wr w = wr_of(text, sizeof text);
		struct rd out;

		assert_true(mqtt_topic_parse(rd_str(cases[i].text), &t));
		assert_int_equal(t.kind, cases[i].kind);
		assert_true(rd_is(t.originator, cases[i].originator) && rd_is(t.receiver, cases[i].receiver));
		assert_int_equal(t.s, cases[i].s);
		mqtt_topic_print(&t, &w);
		assert_true(wr_done(&w, &out) && rd_is(out, cases[i].text));
	}
	assert_true(mqtt_topic_parse(rd_str("/oneM2M/req/a/b"), &t)); /* without a type: JSON */
	assert_int_equal(t.s, SERIALIZATION_JSON);
}

static void refuses_other_topics(void **state)
{
	static const char *const others[] = {"", "/", "oneM2M/req/a/b/json", "/oneM2M/req/a", "/oneM2M/req/a/", "/oneM2M/req//b/json", "/oneM2M/req/a//json", "/oneM2M/re/a/b/json",
		"/oneM2M/req/a/b/", "/oneM2M/req/a/b/JSON", "/oneM2M/req/a/b/json/", "/oneM2M/req/a/b/json/x", "/oneM2M/req/+/b/json", "/oneM2M/req/a/#", "/onem2m/req/a/b/json",
		"/oneM2M/req/a\n/b/json"};
	struct mqtt_topic t;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(mqtt_topic_parse(rd_str(others[i]), &t));
}

static void writes_ids_as_parts(void **state)
{
	static const struct {
		const char *id, *part, *back;
	} cases[] = {{"/id-in", "id-in", "/id-in"}, {"/id-in/Cae", "id-in:Cae", "/id-in/Cae"}, {"//sp.example/id-in", ":sp.example:id-in", "//sp.example/id-in"}, {"Cae", "Cae", "/Cae"}};
	static const char *const wrong[] = {"", "/", "/id-in:x", "/id+in", "/id#", "a\tb"};
	char text[64];
	struct rd out;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr w = wr_of(text, sizeof text);

		assert_true(mqtt_part_print(rd_str(cases[i].id), &w) && wr_done(&w, &out) && rd_is(out, cases[i].part));
		w = wr_of(text, sizeof text);
		assert_true(mqtt_part_parse(rd_str(cases[i].part), &w) && wr_done(&w, &out) && rd_is(out, cases[i].back));
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct wr w = wr_of(text, sizeof text);

		assert_false(mqtt_part_print(rd_str(wrong[i]), &w));
	}
}

static void knows_the_url_of_a_broker(void **state)
{
	static const char *const good[] = {"mqtt://127.0.0.1:1883", "mqtt://127.0.0.1", "mqtts://10.0.0.1:8883", "mqtt://localhost", "mqtt://localhost:1/"};
	static const char *const bad[] = {"", "mqtt://", "mqtt:127.0.0.1", "http://127.0.0.1", "mqtt://127.0.0.1:0", "mqtt://127.0.0.1:65536", "mqtt://127.0.0.1:x", "mqtt://:1883",
		"mqtt://broker.example:1883", "mqtt://127.0.0.1:1883/oneM2M/req/a/b/json", "mqttx://127.0.0.1"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(mqtt_broker_is_good(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(mqtt_broker_is_good(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_topics),
		cmocka_unit_test(refuses_other_topics),
		cmocka_unit_test(writes_ids_as_parts),
		cmocka_unit_test(knows_the_url_of_a_broker),
	};

	return cmocka_run_group_tests_name("mqtt_topic", tests, NULL, NULL);
}
