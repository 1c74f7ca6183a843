/* Lines of the administration socket against a MEF whose state is in memory: every answer is one JSON object with `ok`, without line ends,
 * a refusal names a code and a sentence, and nothing that goes in makes an answer that holds an install code. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loop/log.h"
#include "mef/admin.h"

#define CODE_FIELD "\"code\":\""
#define CODE_HEAD "83fed3407a939723" /* of 83fed3407a939723a5c639b26916d505c3b5, the code of the corpus */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was echoed to one may be listed by the other only: requests that show the code as something else go to a MEF of their own. */
static struct mef *mefs[2];

static void require(bool b)
{
	if (!b)
		abort();
}

static struct mef *start(void)
{
	static const struct mef_config c = {.id = "mef.example", .sp = "example", .device_per_minute = 5, .gateway_per_second = 10};
	static struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = "mef.example", .sp = "example", .client_lifetime_s = 86400, .key_lifetime_s = 86400};
	static struct rng rng;
	struct registry *registry;
	uint8_t octets[32] = {1};
	struct secret *key = secret_take(octets, sizeof octets);
	struct mef_store *store = NULL;
	struct audit *audit;
	const char *detail;
	struct mef *mef;
	char path[64];
	uint64_t line;

	log_start("fuzz", LOG_LEVEL_ERROR);
	rng = rng_seeded(1);
	require(key && mef_store_open(":memory:", key, &rng, &store, &detail) == OK);
	snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("audit", 0));
	require(audit_open(path, &audit, &line) == OK);
	k.store_key = key;
	k.rng = &rng;
	require(registry_open(":memory:", &k, &registry, &detail) == OK);
	require(mef_new(loop_new(), &c, store, registry, audit, &rng, &mef) == OK);
	return mef;
}

/* Says whether the code stands in the request only as an install code: a name or an identity that repeats it is no secret, and is echoed. */
static bool code_is_secret(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size, *at = data;
	size_t field = sizeof CODE_FIELD - 1;

	if (memchr(data, '\\', size))
		return false;
	while ((at = memmem(at, (size_t)(end - at), CODE_HEAD, sizeof CODE_HEAD - 1))) {
		if ((size_t)(at - data) < field || memcmp(at - field, CODE_FIELD, field) != 0)
			return false;
		at += sizeof CODE_HEAD - 1;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct wr w = wr_new(ADMIN_ANSWER_MAX);
	bool ok = false, secret = code_is_secret(data, size);
	struct mef **mef = &mefs[secret];
	const struct json *doc;
	struct rd text;

	if (!*mef)
		*mef = start();
	admin_answer(*mef, NULL, rd_of(data, size), &w);
	require(wr_done(&w, &text) && json_parse(arena, text, NULL, &doc) == OK && json_bool(json_get(doc, "ok"), &ok));
	require(!memchr(text.at, '\n', text.left));
	require(!secret || !memmem(text.at, text.left, CODE_HEAD, sizeof CODE_HEAD - 1));
	if (!ok)
		require(json_get(doc, "error") && json_get(doc, "code"));
	wr_free(&w);
	json_arena_free(arena);
	return 0;
}
