/* Lines to the doors of an HSS in memory; the first character of a line says to which: 'h' hostapd's, 'z' Zh, anything else the operator's. Each answer is one
 * line: hostapd's of words, the others one JSON object with `ok`; the operator never sees the key of the one subscriber. */
#include <string.h>

#include "../fuzz.h"
#include "base/bytes.h"
#include "gba/net/hss_server.h"
#include "loop/log.h"

#define K "465b5ce8b199b49faa5f0a2ee238a6bc"
#define ADD "{\"cmd\":\"subscriber.add\",\"imsi\":\"232010000000000\",\"k\":\"" K "\",\"opc\":\"" K "\"}"

static struct hss *start(void)
{
	static struct rng rng;
	static struct secret *key;
	uint8_t octets[32] = {1};
	const char *detail;
	struct hss *h = NULL;

	log_start("fuzz", LOG_LEVEL_ERROR);
	rng = rng_seeded(1);
	if (!key)
		key = secret_take(octets, sizeof octets);
	MUST(key && hss_open(":memory:", key, &rng, &h, &detail) == OK);
	return h;
}

static void check_json(struct rd text)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	bool ok;

	MUST(arena && json_parse(arena, text, NULL, &doc) == OK && json_bool(json_get(doc, "ok"), &ok));
	MUST(ok || (json_get(doc, "code") && json_get(doc, "error")));
	json_arena_free(arena);
}

static void serve(struct hss *h, struct rd line, bool secret)
{
	struct wr w = wr_new(1 << 20);
	struct rd text;
	uint8_t which;

	if (!rd_u8(&line, &which))
		return;
	if (which == 'h') {
		hss_hostapd_answer(h, line, &w);
		MUST(wr_done(&w, &text));
		for (size_t i = 0; i < text.left; i++)
			MUST(text.at[i] >= ' ' && text.at[i] < 0x7f);
		MUST(text.left == 0 || rd_starts(text, "AKA-RESP-AUTH ") || rd_starts(text, "SIM-RESP-AUTH "));
	} else if (which == 'z') {
		hss_zh_answer(h, line, &w);
		MUST(wr_done(&w, &text));
		check_json(text);
	} else {
		hss_admin_answer(h, line, &w);
		MUST(wr_done(&w, &text) && !memchr(text.at, '\n', text.left));
		check_json(text);
		MUST(!secret || !memmem(text.at, text.left, K, sizeof K - 1));
	}
	wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size), line;
	struct hss *h = start();
	/* Who writes the key into a name may read it there. */
	bool secret = !memmem(data, size, "465b", 4) && !memmem(data, size, "\\", 1);

	serve(h, rd_str("a" ADD), false);
	for (unsigned n = 0; n < 16 && rd_line(&in, &line); n++)
		serve(h, line, secret);
	hss_close(h);
	return 0;
}
