/* Reference for MQTT: a client of the broker that answers every request with the same octets, and nothing behind it. */
#include "bench/reference.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqtt/mqtt_packet.h"

#define IN_MAX (1 << 20)
#define OUT_MAX (1 << 20)
#define PAYLOAD_MAX 65536

struct echo {
	int fd;
	uint16_t id;
	size_t have, payload_len;
	uint8_t in[IN_MAX], out[OUT_MAX], payload[PAYLOAD_MAX];
};

static struct echo echo;

/* "/oneM2M/req/X/echo/json" is answered at "/oneM2M/resp/X/echo/json". */
static void answer(const struct mqtt_publish *p, struct wr *w)
{
	char topic[256];
	struct mqtt_publish a = {.qos = 1, .payload = rd_of(echo.payload, echo.payload_len)};
	size_t skip = strlen("/oneM2M/req");

	if (p->qos == 1)
		mqtt_puback_encode(p->id, w);
	if (p->topic.left < skip)
		return;
	snprintf(topic, sizeof topic, "/oneM2M/resp%.*s", (int)(p->topic.left - skip), (const char *)p->topic.at + skip);
	echo.id = echo.id == UINT16_MAX ? 1 : (uint16_t)(echo.id + 1);
	a.id = echo.id;
	a.topic = rd_str(topic);
	if (mqtt_publish_encode(&a, w) != OK)
		abort();
}

/* One read, and one write of all that it asks for. */
static bool round_of(void)
{
	ssize_t n = recv(echo.fd, echo.in + echo.have, IN_MAX - echo.have, 0);
	struct wr w = wr_of(echo.out, OUT_MAX);
	struct mqtt_publish p;
	struct mqtt_head h;
	struct rd in, body, octets;

	if (n <= 0)
		return false;
	echo.have += (size_t)n;
	for (in = rd_of(echo.in, echo.have);;) {
		struct rd r = in;

		if (mqtt_head_decode(&r, &h) != OK || !rd_sub(&r, h.length, &body))
			break;
		in = r;
		if (h.type == MQTT_SUBACK)
			fprintf(stderr, "ready mqtt=1\n");
		else if (h.type == MQTT_PUBLISH && mqtt_publish_decode(&h, body, &p) == OK)
			answer(&p, &w);
	}
	memmove(echo.in, in.at, in.left);
	echo.have = in.left;
	return w.len == 0 || (wr_done(&w, &octets) && send(echo.fd, octets.at, octets.left, MSG_NOSIGNAL) == (ssize_t)octets.left);
}

int reference_mqtt_main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *filters[] = {"/oneM2M/req/+/echo/#"};
	struct wr w = wr_of(echo.out, OUT_MAX);
	FILE *f = argc == 3 ? fopen(argv[2], "r") : NULL;
	int one = 1;

	if (!f) {
		fputs("usage: reference-mqtt PORT ANSWER-FILE\n", stderr);
		return 2;
	}
	echo.payload_len = fread(echo.payload, 1, PAYLOAD_MAX, f);
	fclose(f);
	a.sin_port = htons((uint16_t)atoi(argv[1]));
	echo.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (echo.fd < 0 || connect(echo.fd, (struct sockaddr *)&a, sizeof a) != 0)
		return 1;
	setsockopt(echo.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	mqtt_connect_encode("echo", true, 600, NULL, &w);
	mqtt_subscribe_encode(1, filters, 1, &w);
	if (send(echo.fd, echo.out, w.len, MSG_NOSIGNAL) != (ssize_t)w.len)
		return 1;
	while (round_of())
		;
	return 1;
}
