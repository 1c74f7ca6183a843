/* The HSS's store and its doors: durable sequence numbers, sealed keys, and what each door answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "gba/net/hss_server.h"
#include "gba/net/usim_file.h"
#include "gba/usim_line.h"
#include "gba/zh.h"
#include "loop/log.h"

#define IMSI "232010000000000"
#define IMPI IMSI "@ims.mnc001.mcc232.3gppnetwork.org"
#define K "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OPC "cd63cb71954a9f4e48a5994e37a02baf"
#define ADD "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\"}"

static char dir[64], path[96];
static struct rng rng;
static struct secret *file_key;

static struct secret *key_of(const char *hex)
{
	uint8_t octets[32];
	size_t len = strlen(hex) / 2;

	assert_true(hex_parse(rd_str(hex), octets, len));
	return secret_take(octets, len);
}

static int begin(void **state)
{
	(void)state;
	log_start("hss_test", LOG_LEVEL_ERROR);
	strcpy(dir, "/tmp/keyway-hss-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/hss.db", dir);
	rng = rng_seeded(5);
	file_key = key_of("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	secret_free(file_key);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static struct hss *open_it(void)
{
	const char *detail = "";
	struct hss *h = NULL;

	if (hss_open(path, file_key, &rng, &h, &detail) != OK)
		fail_msg("%s", detail);
	return h;
}

typedef void door(struct hss *h, struct rd line, struct wr *answer);

static const char *ask(struct hss *h, door *d, const char *line)
{
	static char text[65536];
	struct wr w = wr_of(text, sizeof text - 1);
	struct rd r;

	d(h, rd_str(line), &w);
	assert_true(wr_done(&w, &r));
	text[r.left] = '\0';
	return text;
}

static void add(struct hss *h)
{
	const char *answer = ask(h, hss_admin_answer, ADD);

	if (!strstr(answer, "\"ok\":true"))
		fail_msg("%s", answer);
}

static struct usim card(void)
{
	struct usim u = {.imsi = IMSI, .impi = IMPI};

	u.k = key_of(K);
	u.opc = key_of(OPC);
	return u;
}

static void gives_no_sequence_number_twice(void **state)
{
	struct hss *h = open_it();
	struct usim u = card();
	struct usim_answer a;
	struct aka_vector v;
	struct guss g;

	(void)state;
	add(h);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hss_vector(h, i % 2 ? IMSI : IMPI, &v, &g), OK);
		assert_int_equal(usim_authenticate(&u, v.rand, v.autn, &a), OK);
		assert_int_equal(a.verdict, USIM_ACCEPTED);
		usim_answer_clear(&a);
		aka_vector_clear(&v);
		hss_close(h); /* nothing is written at the end: as if it had been killed */
		h = open_it();
	}
	hss_close(h);
	usim_clear(&u);
}

static void hands_nothing_out_that_it_could_not_write_down(void **state)
{
	struct hss *h = open_it();
	struct aka_vector v;
	sqlite3 *other;
	struct guss g;

	(void)state;
	add(h);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "CREATE TRIGGER full BEFORE UPDATE ON subscribers BEGIN SELECT RAISE(FAIL, 'no room'); END", NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(hss_vector(h, IMSI, &v, &g), OK);
	assert_string_equal(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH " IMSI), "AKA-RESP-AUTH " IMSI " FAILURE");
	assert_non_null(strstr(ask(h, hss_zh_answer, "{\"cmd\":\"vector\",\"impi\":\"" IMPI "\"}"), "\"ok\":false"));
	assert_int_equal(sqlite3_exec(other, "DROP TRIGGER full", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(hss_vector(h, IMSI, &v, &g), OK);
	aka_vector_clear(&v);
	hss_close(h);
}

/* Who asks for nobody waits for the disk too, and fails when it is full. */
static void a_stranger_costs_what_a_subscriber_does(void **state)
{
	struct hss *h = open_it();
	struct aka_vector v;
	sqlite3 *other;
	sqlite3_stmt *s;
	struct guss g;

	(void)state;
	add(h);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hss_vector(h, "nobody@nowhere", &v, &g), ERR_NOT_FOUND);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT asked FROM nobody", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(s, 0), 3);
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_exec(other, "CREATE TRIGGER full BEFORE UPDATE ON nobody BEGIN SELECT RAISE(FAIL, 'no room'); END", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(hss_vector(h, "nobody@nowhere", &v, &g), ERR_STORE);
	sqlite3_close(other);
	hss_close(h);
}

static bool file_holds(const char *name, const void *octets, size_t len)
{
	static uint8_t text[1 << 20];
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	return memmem(text, n, octets, len) != NULL;
}

static void keys_lie_sealed_and_bound_to_their_subscriber(void **state)
{
	struct hss *h = open_it(), *again = NULL;
	struct secret *other_key = key_of("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	struct aka_vector v;
	uint8_t k[16], opc[16];
	const char *detail = "";
	char wal[104];
	struct stat st;
	struct guss g;
	sqlite3 *db;

	(void)state;
	add(h);
	assert_non_null(strstr(ask(h, hss_admin_answer, "{\"cmd\":\"subscriber.add\",\"imsi\":\"232010000000001\",\"k\":\"" OPC "\",\"op\":\"" K "\"}"), "\"ok\":true"));
	assert_true(hex_parse(rd_str(K), k, sizeof k) && hex_parse(rd_str(OPC), opc, sizeof opc));
	snprintf(wal, sizeof wal, "%s-wal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_true(file_holds(path, IMSI, strlen(IMSI)) || file_holds(wal, IMSI, strlen(IMSI))); /* so this looks at the right octets */
	assert_false(file_holds(path, k, sizeof k) || file_holds(wal, k, sizeof k) || file_holds(path, opc, sizeof opc) || file_holds(wal, opc, sizeof opc));
	hss_close(h);
	assert_int_equal(hss_open(path, other_key, &rng, &again, &detail), ERR_BAD_MIC);
	secret_free(other_key);
	/* a row's keys put under another subscriber */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE subscribers SET k=(SELECT k FROM subscribers WHERE imsi='" IMSI "') WHERE imsi='232010000000001'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	h = open_it();
	assert_int_equal(hss_vector(h, IMSI, &v, &g), OK);
	aka_vector_clear(&v);
	assert_int_equal(hss_vector(h, "232010000000001", &v, &g), ERR_BAD_MIC);
	hss_close(h);
}

static void hostapd_gets_vectors_and_triplets(void **state)
{
	struct hss *h = open_it();
	struct usim u = card();
	char line[USIM_LINE_MAX], text[USIM_LINE_MAX], rand[33], autn[33], ik[33], ck[33], res[33];
	struct wr w = wr_of(text, sizeof text);
	enum usim_line what;
	struct rd r;

	(void)state;
	add(h);
	/* the answer put as the question that wpa_supplicant would ask */
	assert_int_equal(sscanf(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH " IMSI), "AKA-RESP-AUTH " IMSI " %32s %32s %32s %32s %32s", rand, autn, ik, ck, res), 5);
	snprintf(line, sizeof line, "<3>CTRL-REQ-SIM-7:UMTS-AUTH:%s:%s needed for SSID x", rand, autn);
	assert_int_equal(usim_line_answer(&u, rd_str(line), &w, &what), OK);
	assert_int_equal(what, USIM_LINE_ACCEPTED);
	assert_true(wr_done(&w, &r));
	snprintf(line, sizeof line, "CTRL-RSP-SIM-7:UMTS-AUTH:%s:%s:%s", ik, ck, res);
	assert_true(rd_is(r, line));
	/* triplets */
	assert_int_equal(sscanf(ask(h, hss_hostapd_answer, "SIM-REQ-AUTH " IMSI " 3\n"), "SIM-RESP-AUTH " IMSI " %16s", line), 1);
	assert_int_equal(strlen(ask(h, hss_hostapd_answer, "SIM-REQ-AUTH " IMSI " 3")), strlen("SIM-RESP-AUTH " IMSI) + 3 * (1 + 16 + 1 + 8 + 1 + 32));
	/* none */
	assert_string_equal(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH 232010000000009"), "AKA-RESP-AUTH 232010000000009 FAILURE");
	assert_string_equal(ask(h, hss_hostapd_answer, "SIM-REQ-AUTH 232010000000009 2"), "SIM-RESP-AUTH 232010000000009 FAILURE");
	assert_string_equal(ask(h, hss_hostapd_answer, "SIM-REQ-AUTH " IMSI " 4"), "");
	assert_string_equal(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH " IMPI), "");
	assert_string_equal(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH"), "");
	assert_string_equal(ask(h, hss_hostapd_answer, "GSM " IMSI), "");
	usim_clear(&u);
	hss_close(h);
}

static void hostapd_resynchronises(void **state)
{
	struct hss *h = open_it();
	struct usim u = card();
	char line[USIM_LINE_MAX], text[USIM_LINE_MAX], rand[33], autn[33], auts[29];
	struct wr w = wr_of(text, sizeof text - 1);
	enum usim_line what;
	struct rd r;

	(void)state;
	add(h);
	for (size_t i = 0; i < SQN_SLOTS; i++)
		u.window.seq[i] = 777;
	assert_int_equal(sscanf(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH " IMSI), "AKA-RESP-AUTH " IMSI " %32s %32s", rand, autn), 2);
	snprintf(line, sizeof line, "CTRL-REQ-SIM-0:UMTS-AUTH:%s:%s", rand, autn);
	assert_int_equal(usim_line_answer(&u, rd_str(line), &w, &what), OK);
	assert_int_equal(what, USIM_LINE_SYNC_FAILURE);
	assert_true(wr_done(&w, &r));
	text[r.left] = '\0';
	assert_int_equal(sscanf(text, "CTRL-RSP-SIM-0:UMTS-AUTS:%28s", auts), 1);
	snprintf(line, sizeof line, "AKA-AUTS " IMSI " %s %s", auts, rand);
	assert_string_equal(ask(h, hss_hostapd_answer, line), "");
	assert_int_equal(sscanf(ask(h, hss_hostapd_answer, "AKA-REQ-AUTH " IMSI), "AKA-RESP-AUTH " IMSI " %32s %32s", rand, autn), 2);
	snprintf(line, sizeof line, "CTRL-REQ-SIM-0:UMTS-AUTH:%s:%s", rand, autn);
	w = wr_of(text, sizeof text);
	assert_int_equal(usim_line_answer(&u, rd_str(line), &w, &what), OK);
	assert_int_equal(what, USIM_LINE_ACCEPTED);
	usim_clear(&u);
	hss_close(h);
}

static void zh_gives_what_the_bsf_reads(void **state)
{
	struct bsf_ask question = {.impi = IMPI};
	struct hss *h = open_it();
	struct usim u = card();
	struct usim_answer a;
	struct aka_vector v;
	struct guss g;
	char text[1024];
	struct wr w = wr_of(text, sizeof text - 1);
	struct rd r;

	(void)state;
	add(h);
	assert_non_null(strstr(ask(h, hss_admin_answer, "{\"cmd\":\"subscriber.permit\",\"subscriber\":\"" IMSI "\",\"naf\":\"ID-IN.Keyway.Example\",\"entity\":\"m2m://keyway.example/id-in/C1\"}"), "\"ok\":true"));
	zh_ask_print(&w, &question);
	assert_true(wr_done(&w, &r));
	text[r.left] = '\0';
	assert_int_equal(zh_answer_parse(rd_str(ask(h, hss_zh_answer, text)), &v, &g), OK);
	assert_int_equal(g.count, 1);
	assert_string_equal(g.uss[0].naf, "id-in.keyway.example");
	assert_int_equal(usim_authenticate(&u, v.rand, v.autn, &a), OK);
	assert_true(a.verdict == USIM_ACCEPTED && secret_equal(a.res, v.res) && secret_equal(a.ck, v.ck) && secret_equal(a.ik, v.ik));
	usim_answer_clear(&a);
	aka_vector_clear(&v);
	/* AUTS that is none */
	question.resync = true;
	w = wr_of(text, sizeof text - 1);
	zh_ask_print(&w, &question);
	assert_true(wr_done(&w, &r));
	text[r.left] = '\0';
	assert_int_equal(zh_answer_parse(rd_str(ask(h, hss_zh_answer, text)), &v, &g), ERR_UNKNOWN_KEY);
	assert_int_equal(zh_answer_parse(rd_str(ask(h, hss_zh_answer, "{\"cmd\":\"vector\",\"impi\":\"x\"}")), &v, &g), ERR_NOT_FOUND);
	assert_int_equal(zh_answer_parse(rd_str(ask(h, hss_zh_answer, "{\"cmd\":\"other\"}")), &v, &g), ERR_NOT_READY);
	assert_int_equal(zh_answer_parse(rd_str(ask(h, hss_zh_answer, "")), &v, &g), ERR_NOT_READY);
	usim_clear(&u);
	hss_close(h);
}

static void the_operator_sees_no_key(void **state)
{
	static const char *const all[] = {ADD, "{\"cmd\":\"subscriber.list\"}", "{\"cmd\":\"subscriber.show\",\"subscriber\":\"" IMPI "\"}", "{\"cmd\":\"status\"}",
	    "{\"cmd\":\"subscriber.lifetime\",\"subscriber\":\"" IMPI "\",\"seconds\":60}", "{\"cmd\":\"subscriber.refuse\",\"subscriber\":\"" IMPI "\",\"naf\":\"x\"}",
	    ADD, "{\"cmd\":\"subscriber.remove\",\"subscriber\":\"" IMPI "\"}", "{\"cmd\":\"subscriber.remove\",\"subscriber\":\"" IMPI "\"}"};
	static const bool good[] = {true, true, true, true, true, false, false, true, false};
	struct hss *h = open_it();

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		const char *answer = ask(h, hss_admin_answer, all[i]);

		if ((strstr(answer, "\"ok\":true") != NULL) != good[i])
			fail_msg("%s: %s", all[i], answer);
		assert_null(strstr(answer, K));
		assert_null(strstr(answer, OPC));
	}
	hss_close(h);
}

static void refuses_subscribers_that_cannot_be(void **state)
{
	static const char *const bad[] = {
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"12345\",\"k\":\"" K "\",\"opc\":\"" OPC "\"}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"00\",\"opc\":\"" OPC "\"}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\"}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\",\"op\":\"" OPC "\"}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\",\"amf\":\"80\"}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\",\"guss\":{\"uss\":[],\"secret\":1}}",
	    "{\"cmd\":\"subscriber.add\",\"imsi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\",\"guss\":{\"uss\":[{\"naf\":\"a b\",\"entity\":\"c\"}]}}",
	    "{\"cmd\":\"nothing\"}",
	    "[]",
	    "x",
	};
	struct hss *h = open_it();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_non_null(strstr(ask(h, hss_admin_answer, bad[i]), "\"ok\":false,\"code\":\"ERR_"));
	assert_true(hss_count(h) == 0);
	add(h);
	/* one's IMPI may not be another's IMSI */
	assert_non_null(strstr(ask(h, hss_admin_answer, "{\"cmd\":\"subscriber.add\",\"imsi\":\"232010000000001\",\"impi\":\"" IMSI "\",\"k\":\"" K "\",\"opc\":\"" OPC "\"}"), "ERR_EXISTS"));
	hss_close(h);
}

static void a_card_keeps_its_memory(void **state)
{
	struct usim u = card(), again;
	char name[96];

	(void)state;
	snprintf(name, sizeof name, "%s/card.json", dir);
	u.window.seq[31] = SQN_SEQ_MAX;
	assert_int_equal(usim_file_read(name, &again), ERR_NOT_FOUND);
	assert_int_equal(usim_file_write(name, &u), OK);
	u.window.seq[0] = 5;
	assert_int_equal(usim_file_write(name, &u), OK);
	assert_int_equal(usim_file_read(name, &again), OK);
	assert_memory_equal(&u.window, &again.window, sizeof u.window);
	assert_true(secret_equal(u.k, again.k) && secret_equal(u.opc, again.opc));
	assert_string_equal(again.impi, IMPI);
	usim_clear(&again);
	assert_int_equal(chmod(name, 0644), 0);
	assert_int_equal(usim_file_read(name, &again), ERR_CONFIG);
	usim_clear(&u);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(gives_no_sequence_number_twice),
	    TEST(hands_nothing_out_that_it_could_not_write_down),
	    TEST(a_stranger_costs_what_a_subscriber_does),
	    TEST(keys_lie_sealed_and_bound_to_their_subscriber),
	    TEST(hostapd_gets_vectors_and_triplets),
	    TEST(hostapd_resynchronises),
	    TEST(zh_gives_what_the_bsf_reads),
	    TEST(the_operator_sees_no_key),
	    TEST(refuses_subscribers_that_cannot_be),
	    TEST(a_card_keeps_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
