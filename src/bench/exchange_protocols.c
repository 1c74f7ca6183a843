/* CoAP, WebSocket and MQTT, as far as a load generator needs them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/exchange.h"
#include "coap/coap_message.h"
#include "mqtt/mqtt_packet.h"

/* ---- CoAP ---- */

#define ONEM2M_RVI 271
#define ONEM2M_FR 279
#define ONEM2M_RQI 283
#define ATTEMPT_MS 100

static void add(struct coap_message *m, uint16_t number, struct rd value)
{
	if (!coap_option_add(m, number, value))
		m->option_count = 0; /* a path of a bench fits */
}

static void add_path(struct coap_message *m, const char *path)
{
	struct rd rest = rd_str(path), part;

	while (rest.left > 0) {
		if (!rd_until(&rest, '/', &part))
			part = rd_rest(&rest);
		add(m, COAP_URI_PATH, part);
	}
}

static void coap_request(void *ctx, unsigned client, uint64_t number, struct wr *out)
{
	struct exchange_coap *c = ctx;
	struct coap_message m = {.type = COAP_CON, .code = COAP_GET, .id = ++c->ids[client], .token = {'b'}, .token_len = 1};
	char id[24];

	add_path(&m, c->path);
	if (c->onem2m) {
		snprintf(id, sizeof id, "%llu", (unsigned long long)number);
		add(&m, ONEM2M_RVI, rd_str("3"));
		add(&m, ONEM2M_FR, rd_str("CAdmin"));
		add(&m, ONEM2M_RQI, rd_str(id));
	}
	if (coap_message_encode(&m, out) != OK)
		wr_reset(out);
}

static enum exchange_found coap_take(void *ctx, unsigned client, struct rd *in, struct wr *out)
{
	struct exchange_coap *c = ctx;
	struct coap_message m;
	bool whole = coap_message_decode(rd_rest(in), &m) == OK;

	(void)out;
	if (!whole)
		return EXCHANGE_BROKEN;
	if (m.id != c->ids[client] || m.code == COAP_EMPTY)
		return EXCHANGE_NOTHING;
	return m.code == COAP_CONTENT && m.payload.left > 0 ? EXCHANGE_GOOD : EXCHANGE_BAD;
}

const struct exchange_protocol exchange_coap = {.datagrams = true, .request = coap_request, .take = coap_take};

enum err exchange_coap_put(uint16_t port, const char *path, struct rd body, uint64_t patience_ms)
{
	struct coap_message m = {.type = COAP_CON, .code = COAP_PUT, .id = 1, .token = {'p'}, .token_len = 1, .payload = body}, answer;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval wait = {.tv_usec = ATTEMPT_MS * 1000};
	uint8_t octets[2048], room[2048], format[4];
	struct wr w = wr_of(room, sizeof room);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum err e = ERR_TIMEOUT;

	add_path(&m, path);
	add(&m, COAP_CONTENT_FORMAT, coap_uint_print(format, 50));
	if (coap_message_encode(&m, &w) != OK || fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		e = ERR_IO;
	else
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	for (uint64_t waited = 0; e == ERR_TIMEOUT && waited < patience_ms; waited += ATTEMPT_MS) {
		ssize_t n = send(fd, room, w.len, MSG_NOSIGNAL) > 0 ? recv(fd, octets, sizeof octets, 0) : -1;

		if (n > 0)
			e = coap_message_decode(rd_of(octets, (size_t)n), &answer) == OK && answer.code >> 5 == 2 ? OK : ERR_NOT_PERMITTED;
		else
			usleep(ATTEMPT_MS * 1000);
	}
	if (fd >= 0)
		close(fd);
	return e;
}

/* ---- WebSocket ---- */

static void websocket_open(void *ctx, unsigned client, struct wr *out)
{
	(void)ctx;
	(void)client;
	wr_str(out, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: oneM2M.json\r\n\r\n");
}

/* Masked with zeros, which is a mask too. */
static void websocket_request(void *ctx, unsigned client, uint64_t number, struct wr *out)
{
	const struct exchange_websocket *c = ctx;
	char text[1024];
	int n = snprintf(text, sizeof text, "{\"op\":2,\"to\":\"%s\",\"fr\":\"CAdmin\",\"rqi\":\"%llu\",\"rvi\":\"3\"}", c->to, (unsigned long long)number);

	(void)client;
	wr_u8(out, 0x81);
	if (n < 126) {
		wr_u8(out, (uint8_t)(0x80 | n));
	} else {
		wr_u8(out, 0xfe);
		wr_be16(out, (uint16_t)n);
	}
	wr_be32(out, 0);
	wr_copy(out, text, (size_t)n);
}

static bool has(struct rd octets, const char *text)
{
	return octets.left > 0 && memmem(octets.at, octets.left, text, strlen(text)) != NULL;
}

static enum exchange_found websocket_take(void *ctx, unsigned client, struct rd *in, struct wr *out)
{
	struct exchange_websocket *c = ctx;
	struct rd r = *in, message;
	uint8_t head, short_len;
	uint16_t len = 0;
	const uint8_t *end;

	(void)out;
	if (!c->open[client]) {
		end = memmem(in->at, in->left, "\r\n\r\n", 4);
		if (!end)
			return EXCHANGE_MORE;
		if (!rd_starts(*in, "HTTP/1.1 101") || !rd_skip(in, (size_t)(end - in->at) + 4))
			return EXCHANGE_BROKEN;
		c->open[client] = true;
		return EXCHANGE_OPEN;
	}
	if (!rd_u8(&r, &head) || !rd_u8(&r, &short_len) || (short_len == 126 && !rd_be16(&r, &len)))
		return EXCHANGE_MORE;
	if (short_len == 127 || (head != 0x81 && head != 0x89))
		return EXCHANGE_BROKEN;
	if (!rd_sub(&r, short_len < 126 ? short_len : len, &message))
		return EXCHANGE_MORE;
	*in = r;
	if (head == 0x89)
		return EXCHANGE_NOTHING; /* a ping: not within the time of a bench */
	return has(message, "\"rsc\":2000") ? EXCHANGE_GOOD : EXCHANGE_BAD;
}

const struct exchange_protocol exchange_websocket = {.open = websocket_open, .request = websocket_request, .take = websocket_take};

/* ---- MQTT ---- */

static void mqtt_open(void *ctx, unsigned client, struct wr *out)
{
	char id[32], filter[80];
	const char *filters[] = {filter};

	(void)ctx;
	snprintf(id, sizeof id, "A::bench%u", client);
	snprintf(filter, sizeof filter, "/oneM2M/resp/id-in:Cbench%u/#", client);
	mqtt_connect_encode(id, true, 600, NULL, out);
	mqtt_subscribe_encode(1, filters, 1, out);
}

static void mqtt_request(void *ctx, unsigned client, uint64_t number, struct wr *out)
{
	const struct exchange_mqtt *c = ctx;
	char topic[128], text[1024];
	struct mqtt_publish p = {.qos = 1, .id = (uint16_t)(number % 65535 + 1)};

	snprintf(topic, sizeof topic, "/oneM2M/req/id-in:Cbench%u/%s/json", client, c->receiver);
	snprintf(text, sizeof text, "{\"op\":2,\"to\":\"%s\",\"fr\":\"CAdmin\",\"rqi\":\"%llu\",\"rvi\":\"3\"}", c->to, (unsigned long long)number);
	p.topic = rd_str(topic);
	p.payload = rd_str(text);
	if (mqtt_publish_encode(&p, out) != OK)
		wr_reset(out);
}

static enum exchange_found mqtt_take(void *ctx, unsigned client, struct rd *in, struct wr *out)
{
	struct rd r = *in, body;
	struct mqtt_publish p;
	struct mqtt_head h;
	enum err e = mqtt_head_decode(&r, &h);

	(void)ctx;
	(void)client;
	if (e == ERR_SHORT || (e == OK && !rd_sub(&r, h.length, &body)))
		return EXCHANGE_MORE;
	if (e != OK)
		return EXCHANGE_BROKEN;
	*in = r;
	if (h.type == MQTT_SUBACK)
		return EXCHANGE_OPEN;
	if (h.type != MQTT_PUBLISH)
		return EXCHANGE_NOTHING;
	if (mqtt_publish_decode(&h, body, &p) != OK)
		return EXCHANGE_BROKEN;
	if (p.qos == 1)
		mqtt_puback_encode(p.id, out);
	return has(p.payload, "\"rsc\":2000") ? EXCHANGE_GOOD : EXCHANGE_BAD;
}

const struct exchange_protocol exchange_mqtt = {.open = mqtt_open, .request = mqtt_request, .take = mqtt_take};
