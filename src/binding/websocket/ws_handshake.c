/* The opening handshake's text. */
#include "binding/websocket/ws_handshake.h"

#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 clause 1.3 */
#define KEY_OCTETS 16

static const char *const protocols[SERIALIZATION_COUNT] = {
	[SERIALIZATION_JSON] = "oneM2M.json", [SERIALIZATION_XML] = "oneM2M.xml", [SERIALIZATION_CBOR] = "oneM2M.cbor"};

const char *ws_protocol_name(enum serialization s)
{
	return protocols[s];
}

static struct rd trim(struct rd text)
{
	while (text.left > 0 && (text.at[0] == ' ' || text.at[0] == '\t') && rd_skip(&text, 1))
		;
	while (text.left > 0 && (text.at[text.left - 1] == ' ' || text.at[text.left - 1] == '\t'))
		text.left--;
	return text;
}

static struct rd next_of_list(struct rd *list)
{
	struct rd one;

	if (!rd_until(list, ',', &one))
		one = rd_rest(list);
	return trim(one);
}

static bool is_like(struct rd text, const char *word)
{
	return text.left == strlen(word) && strncasecmp((const char *)text.at, word, text.left) == 0;
}

static bool list_has(struct rd list, const char *word)
{
	while (list.left > 0)
		if (is_like(next_of_list(&list), word))
			return true;
	return false;
}

/* Names of sub-protocols are compared as they are (RFC 6455 clause 11.5). */
static bool protocol_of(struct rd name, enum serialization *s)
{
	for (size_t i = 0; i < SERIALIZATION_COUNT; i++) {
		if (rd_is(name, protocols[i])) {
			*s = (enum serialization)i;
			return true;
		}
	}
	return false;
}

static bool is_key(struct rd key)
{
	uint8_t octets[KEY_OCTETS + 3];
	struct wr w = wr_of(octets, sizeof octets);

	return key.left == WS_KEY_SIZE - 1 && base64_parse(key, &w) && w.len == KEY_OCTETS;
}

static void accept_of(struct rd key, char accept[static WS_ACCEPT_SIZE])
{
	struct sha1_ctx sha;
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct wr w = wr_of(accept, WS_ACCEPT_SIZE);

	sha1_init(&sha);
	sha1_update(&sha, key.left, key.at);
	sha1_update(&sha, sizeof GUID - 1, (const uint8_t *)GUID);
	sha1_digest(&sha, sizeof digest, digest);
	base64_print(&w, rd_of(digest, sizeof digest));
	wr_u8(&w, '\0');
}

/* ---- server ---- */

void ws_opening_header(struct ws_opening *o, const char *name, const char *value)
{
	struct rd text = trim(rd_str(value)), list = text;

	if (strcmp(name, "upgrade") == 0) {
		o->upgrade = o->upgrade || list_has(text, "websocket");
	} else if (strcmp(name, "connection") == 0) {
		o->connection = o->connection || list_has(text, "upgrade");
	} else if (strcmp(name, "sec-websocket-version") == 0) {
		o->has_version = true;
		o->version = rd_is(text, "13");
	} else if (strcmp(name, "sec-websocket-key") == 0) {
		o->twice = o->twice || o->accept[0];
		o->key = is_key(text);
		accept_of(text, o->accept);
	} else if (strcmp(name, "sec-websocket-protocol") == 0) {
		while (list.left > 0 && !o->chosen)
			o->chosen = protocol_of(next_of_list(&list), &o->protocol);
	} else if (strcmp(name, "origin") == 0) {
		o->origin = value;
	}
}

bool ws_opening_is_meant(const struct ws_opening *o)
{
	return o->upgrade && o->connection;
}

unsigned ws_opening_status(const struct ws_opening *o, const char **why)
{
	if (!o->version) {
		*why = "Sec-WebSocket-Version must be 13\n";
		return o->has_version ? 426 : 400;
	}
	if (!o->key || o->twice) {
		*why = "Sec-WebSocket-Key must be 16 octets in base64, once\n";
		return 400;
	}
	if (!o->chosen) {
		*why = "Sec-WebSocket-Protocol must name one of oneM2M.json, oneM2M.cbor, oneM2M.xml\n";
		return 400;
	}
	*why = "";
	return 101;
}

/* ---- client ---- */

void ws_request_key(struct rng *rng, char key[static WS_KEY_SIZE])
{
	uint8_t octets[KEY_OCTETS];
	struct wr w = wr_of(key, WS_KEY_SIZE);

	rng_fill(rng, octets, sizeof octets);
	base64_print(&w, rd_of(octets, sizeof octets));
	wr_u8(&w, '\0');
}

void ws_request_write(struct wr *w, const char *host_port, const char *path, const char *key, enum serialization first)
{
	wr_fmt(w, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", path, host_port, key);
	wr_fmt(w, "Sec-WebSocket-Protocol: %s", protocols[first]);
	for (size_t i = 0; i < SERIALIZATION_COUNT; i++)
		if (i != (size_t)first)
			wr_fmt(w, ", %s", protocols[i]);
	wr_str(w, "\r\n\r\n");
}

/* The octets behind the empty line; false when there is none yet. */
static bool split_head(struct rd octets, struct rd *head, struct rd *rest)
{
	const uint8_t *end = octets.left ? memmem(octets.at, octets.left, "\r\n\r\n", 4) : NULL;

	if (!end)
		return false;
	*rest = octets;
	return rd_sub(rest, (size_t)(end - octets.at) + 2, head) && rd_skip(rest, 2);
}

struct answer {
	bool upgrade, connection, accepted, bad;
	unsigned protocols;
	enum serialization protocol;
};

static void answer_header(struct answer *a, struct rd name, struct rd value, const char *accept)
{
	value = trim(value);
	if (is_like(name, "upgrade")) {
		a->upgrade = is_like(value, "websocket");
	} else if (is_like(name, "connection")) {
		a->connection = list_has(value, "upgrade");
	} else if (is_like(name, "sec-websocket-accept")) {
		a->accepted = rd_is(value, accept);
	} else if (is_like(name, "sec-websocket-protocol")) {
		a->protocols++;
		a->bad = a->bad || !protocol_of(value, &a->protocol);
	} else if (is_like(name, "sec-websocket-extensions")) {
		a->bad = true; /* none was offered */
	}
}

enum err ws_response_read(struct rd octets, const char *key, enum serialization *protocol, struct rd *rest)
{
	char accept[WS_ACCEPT_SIZE];
	struct answer a = {.protocols = 0};
	struct rd head, line, name;

	if (!split_head(octets, &head, rest))
		return octets.left < WS_HEAD_MAX ? ERR_SHORT : ERR_TOO_LONG;
	accept_of(rd_str(key), accept);
	if (!rd_line(&head, &line) || !rd_starts(line, "HTTP/1.1 101") || (line.left > 12 && line.at[12] != ' '))
		return ERR_NOT_PERMITTED;
	while (rd_line(&head, &line))
		if (rd_until(&line, ':', &name))
			answer_header(&a, name, line, accept);
	if (!a.upgrade || !a.connection || !a.accepted || a.bad || a.protocols != 1)
		return ERR_MALFORMED;
	*protocol = a.protocol;
	return OK;
}

bool ws_url_parse(const char *url, bool *secure, char *host_port, size_t host_size, char *path, size_t path_size)
{
	struct rd rest = rd_str(url), host;
	const char *port;

	if (strncasecmp(url, "ws://", 5) == 0)
		*secure = false;
	else if (strncasecmp(url, "wss://", 6) == 0)
		*secure = true;
	else
		return false;
	if (!rd_skip(&rest, *secure ? 6 : 5))
		return false;
	if (!rd_until(&rest, '/', &host))
		host = rd_rest(&rest);
	port = host.left && memchr(host.at, ':', host.left) ? "" : *secure ? ":443" : ":80";
	for (size_t i = 0; i < host.left; i++)
		if (host.at[i] <= ' ' || host.at[i] >= 0x7f)
			return false;
	for (size_t i = 0; i < rest.left; i++)
		if (rest.at[i] <= ' ' || rest.at[i] >= 0x7f)
			return false;
	return host.left > 0 && (size_t)snprintf(host_port, host_size, "%.*s%s", (int)host.left, (const char *)host.at, port) < host_size &&
	    (size_t)snprintf(path, path_size, "/%.*s", (int)rest.left, (const char *)rest.at) < path_size;
}
