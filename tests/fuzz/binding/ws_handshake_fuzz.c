/* The opening handshake. An answer of any server is taken only with the accept value of our key, and what follows its head is what followed; header
 * fields of any client lead to a refusal with a sentence, or to 101; a URL that is taken has no character that a request could not carry. */
#include <string.h>

#include "../fuzz.h"
#include "binding/websocket/ws_handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static void answer(struct rd in)
{
	enum serialization s;
	struct rd rest;

	if (ws_response_read(in, KEY, &s, &rest) == OK)
		MUST(memmem(in.at, in.left, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) && (int)s < SERIALIZATION_COUNT && rest.at + rest.left == in.at + in.left && rest.left < in.left);
}

static void opening(struct rd in)
{
	struct ws_opening o = {.protocol = SERIALIZATION_JSON};
	const char *why = NULL;
	struct rd line, name;
	unsigned status;

	while (rd_line(&in, &line)) {
		char *n, *v;

		if (!rd_until(&line, ':', &name) || memchr(line.at, 0, line.left) || memchr(name.at, 0, name.left))
			continue;
		n = rd_strdup(name);
		v = rd_strdup(line);
		ws_opening_header(&o, n, v);
		o.origin = NULL; /* borrowed */
		free(n);
		free(v);
	}
	status = ws_opening_status(&o, &why);
	MUST(why && (status == 101) == (why[0] == '\0'));
	MUST(status != 101 || (strlen(o.accept) == WS_ACCEPT_SIZE - 1 && o.chosen));
}

static void url(struct rd in)
{
	char text[256], host_port[64], path[128];
	bool secure;

	if (!rd_text(in, text, sizeof text) || !ws_url_parse(text, &secure, host_port, sizeof host_port, path, sizeof path))
		return;
	MUST(path[0] == '/' && strchr(host_port, ':'));
	for (const char *c = host_port; *c; c++)
		MUST(*c > ' ' && *c < 0x7f);
	for (const char *c = path; *c; c++)
		MUST(*c > ' ' && *c < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);

	if (size > FUZZ_INPUT_MAX)
		return 0;
	answer(in);
	opening(in);
	url(in);
	return 0;
}
