/* The EG's half of an S2 inclusion for s2_test.py, which carries the frames:
 *	s2_peer HOME OWN PEER DSK PERMITTED
 * Lines in: "heard HEX", "ready", "tick MS". Lines out: "send HEX", "key CLASS HEX" (the test compares it with what the device got), "refused REASON" for
 * a frame without effect, "enrolled TEXT" or "failed TEXT" at the end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "eg/s2_inclusion.h"
#include "keys/secret_octets.h"

static void print_hex(const char *what, const uint8_t *octets, size_t len)
{
	char text[HEX_SIZE(TIER_FRAME_MAX)];

	hex_print(text, octets, len);
	printf("%s %s\n", what, text);
}

static bool put_out(struct tier_exchange *x)
{
	struct tier_effect e;
	bool over = false;

	while (x->protocol->output(x->state, &e)) {
		if (e.type == TIER_SEND) {
			print_hex("send", e.octets, e.len);
		} else if (e.type == TIER_KEY) {
			printf("key %u ", e.key_class);
			print_hex("is", secret_octets(e.key), secret_len(e.key));
		} else {
			printf("%s %s\n", e.type == TIER_ENROLLED ? "enrolled" : "failed", e.text);
			over = true;
		}
	}
	fflush(stdout);
	return over;
}

int main(int argc, char **argv)
{
	struct rng rng = rng_system();
	struct s2_inclusion_config c = {.rng = &rng};
	struct tier_exchange x;
	uint64_t now = 0;
	char line[2 * TIER_FRAME_MAX + 16];
	bool over;

	if (argc != 6 || s2_dsk_parse(rd_str(argv[4]), c.dsk) != OK)
		return 2;
	c.link = (struct s2_link){(uint32_t)strtoul(argv[1], NULL, 10), (uint8_t)atoi(argv[2]), (uint8_t)atoi(argv[3])};
	c.permitted = (uint8_t)atoi(argv[5]);
	if (s2_inclusion_begin(&c, now, &x) != OK)
		return 3;
	over = put_out(&x);
	while (!over && fgets(line, sizeof line, stdin)) {
		struct rd text = rd_str(line);
		uint8_t octets[TIER_FRAME_MAX];
		struct rd word;
		size_t n;

		if (!rd_line(&text, &text) || !rd_until(&text, ' ', &word))
			word = text;
		if (rd_is(word, "heard") && hex_parse_loose(text, octets, sizeof octets, &n)) {
			enum err e = x.protocol->input(x.state, now, rd_of(octets, n));

			if (e != OK)
				printf("refused %s\n", err_text(e));
		} else if (rd_is(word, "ready")) {
			x.protocol->ready(x.state, now);
		} else if (rd_is(word, "tick")) {
			uint64_t ms;

			if (rd_decimal(text, &ms))
				now += ms;
			x.protocol->tick(x.state, now);
		}
		over = put_out(&x);
	}
	x.protocol->free(x.state);
	return over ? 0 : 1;
}
