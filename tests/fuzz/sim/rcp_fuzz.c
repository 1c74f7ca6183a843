/* A host that sends any octets, and an air with any frames: every Spinel command is answered once under its number, a transmission in the end; what
 * goes to the host is Spinel, what goes on the air has its frame check sequence; and no time-out lies in the past for long. */
#include <string.h>

#include "base/clock.h"
#include "sim/rcp.h"
#include "spinel/spinel.h"
#include "../fuzz.h"

#define TRANSACTIONS 16

struct world {
	struct rcp *rcp;
	struct rng rng;
	uint64_t now;
	struct hdlc_decoder in, out;
	uint32_t asked[TRANSACTIONS], answered[TRANSACTIONS]; /* number 0 too: there is nothing unasked for but frames and resets */
	bool reset;
};

static void commanded(struct world *w, struct rd octets)
{
	struct spinel_frame f;
	struct rd frame;
	uint8_t octet;

	while (rd_u8(&octets, &octet)) {
		if (!hdlc_octet(&w->in, octet, &frame) || spinel_decode(frame, &f) != OK)
			continue;
		if (f.command == SPINEL_RESET && f.value.left <= RCP_VALUE_MAX) {
			/* transmissions that were under way are forgotten */
			memset(w->asked, 0, sizeof w->asked);
			memset(w->answered, 0, sizeof w->answered);
			w->reset = true;
		} else {
			w->asked[f.transaction]++;
		}
	}
}

static void to_host(struct world *w, struct rd octets)
{
	struct spinel_receive rx;
	struct spinel_frame f;
	unsigned frames = 0;
	struct rd frame;
	uint8_t octet;

	while (rd_u8(&octets, &octet)) {
		if (!hdlc_octet(&w->out, octet, &frame))
			continue;
		frames++;
		MUST(spinel_decode(frame, &f) == OK && f.command >= SPINEL_PROP_IS && f.command <= SPINEL_PROP_REMOVED);
		if (f.transaction == 0 && f.property == SPINEL_STREAM_RAW)
			MUST(spinel_receive_decode(f.value, &rx) == OK && rx.frame.left <= MAC_FRAME_MAX);
		else if (f.transaction == 0 && w->reset && f.property == SPINEL_LAST_STATUS)
			w->reset = false;
		else
			w->answered[f.transaction]++;
		MUST(w->answered[f.transaction] <= w->asked[f.transaction]);
	}
	MUST(frames == 1);
}

static void drain(struct world *w)
{
	static struct rcp_effect e;
	struct rd frame;

	while (rcp_output(w->rcp, &e)) {
		switch (e.type) {
		case RCP_HOST:
			to_host(w, rd_of(e.octets, e.len));
			break;
		case RCP_AIR:
			MUST(e.len <= MAC_PSDU_MAX && mac_fcs_check(rd_of(e.octets, e.len), &frame) == OK);
			break;
		case RCP_CHANNEL:
			MUST(e.channel >= RCP_CHANNEL_FIRST && e.channel <= RCP_CHANNEL_LAST);
			break;
		}
	}
}

static void line(struct world *w, struct rd octets)
{
	bool more = true;

	while (more) {
		struct rd before = octets;

		more = rcp_input(w->rcp, w->now, &octets);
		commanded(w, rd_of(before.at, before.left - octets.left));
		drain(w);
	}
}

static void command(struct world *w, uint8_t transaction, uint32_t what, uint32_t property, struct rd value)
{
	const struct spinel_frame f = {.transaction = transaction & 15, .command = what, .property = property, .value = value};
	uint8_t plain[600], framed[1300];
	struct wr p = wr_of(plain, sizeof plain), l = wr_of(framed, sizeof framed);
	struct rd content, out;

	spinel_encode(&f, &p);
	if (!wr_done(&p, &content))
		return;
	hdlc_encode(content, &l);
	if (wr_done(&l, &out))
		line(w, out);
}

static void transmit(struct world *w, uint8_t transaction, uint8_t channel, struct rd frame)
{
	const struct spinel_transmit t = {.frame = frame, .channel = channel, .csma = true};
	uint8_t value[300];
	struct wr v = wr_of(value, sizeof value);
	struct rd out;

	spinel_transmit_encode(&t, &v);
	if (wr_done(&v, &out))
		command(w, transaction, SPINEL_PROP_SET, SPINEL_STREAM_RAW, out);
}

static void air(struct world *w, struct rd frame, bool right)
{
	uint8_t octets[300];
	struct wr out = wr_of(octets, sizeof octets);
	struct rd psdu = frame;

	if (right)
		mac_fcs_append(&out, frame);
	if (!right || wr_done(&out, &psdu))
		rcp_air(w->rcp, w->now, psdu);
	drain(w);
}

static void passed(struct world *w, uint64_t ms)
{
	w->now += ms;
	rcp_tick(w->rcp, w->now);
	drain(w);
}

/* Ready for frames, as a host makes it. */
static void configure(struct world *w)
{
	static const uint8_t one[] = {1}, channel[] = {15}, pan[] = {0x62, 0x1a}, address[] = {0, 0}, eui64[] = {0, 0x12, 0x4b, 0, 0, 0, 0, 9};

	command(w, 1, SPINEL_PROP_SET, SPINEL_PHY_ENABLED, rd_of(one, 1));
	command(w, 2, SPINEL_PROP_SET, SPINEL_PHY_CHAN, rd_of(channel, 1));
	command(w, 3, SPINEL_PROP_SET, SPINEL_MAC_15_4_PANID, rd_of(pan, 2));
	command(w, 4, SPINEL_PROP_SET, SPINEL_MAC_15_4_SADDR, rd_of(address, 2));
	command(w, 5, SPINEL_PROP_SET, SPINEL_MAC_15_4_LADDR, rd_of(eui64, 8));
	command(w, 6, SPINEL_PROP_SET, SPINEL_MAC_RAW_STREAM_ENABLED, rd_of(one, 1));
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t a = 0, b = 0, len = 0;
	struct rd octets = rd_of("", 0);
	uint32_t property = 0;

	(void)!rd_u8(in, &a);
	(void)!rd_u8(in, &b);
	if (rd_u8(in, &len) && !rd_sub(in, len, &octets))
		octets = rd_rest(in);
	switch (what % 7) {
	case 0:
		line(w, octets);
		break;
	case 1:
		(void)!rd_packed_uint(&octets, &property);
		command(w, a, b % 10, property, octets);
		break;
	case 2:
		transmit(w, a, b & 1 ? 15 : b, octets);
		break;
	case 3:
		air(w, octets, a & 1);
		break;
	case 4:
		passed(w, a);
		break;
	case 5:
		configure(w);
		break;
	case 6:
		rcp_restart(w->rcp);
		hdlc_init(&w->in);
		memset(w->asked, 0, sizeof w->asked);
		memset(w->answered, 0, sizeof w->answered);
		break;
	}
}

static void end(struct world *w)
{
	for (unsigned n = 0; rcp_deadline(w->rcp) != CLOCK_NEVER; n++) {
		MUST(n < 1000);
		passed(w, rcp_deadline(w->rcp) > w->now ? rcp_deadline(w->rcp) - w->now : 0);
	}
	for (unsigned t = 0; t < TRANSACTIONS; t++)
		MUST(w->asked[t] == w->answered[t]);
	MUST(!w->reset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct rd in = rd_of(data, size);
	uint8_t what;

	if (size > 2 * FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.rng = rng_seeded(1);
	w.now = 1000;
	hdlc_init(&w.in);
	hdlc_init(&w.out);
	w.rcp = rcp_new(&w.rng);
	MUST(w.rcp);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	end(&w);
	rcp_free(w.rcp);
	return 0;
}
