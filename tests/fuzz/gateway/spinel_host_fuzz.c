/* Any octets from a radio, any times, and a radio that answers late: what the host writes is Spinel in HDLC-lite; each frame that it takes is
 * reported once, in order, as the radio answered that very frame; frames are passed up only while it runs; and no time-out lies in the past. */
#include <string.h>

#include "gateway/spinel_host.h"
#include "spinel/spinel.h"
#include "../fuzz.h"

#define QUEUE 256
#define ASKED 64

struct asked {
	uint8_t transaction;
	bool transmit;
	uint32_t property;
};

struct world {
	struct spinel_host *h;
	uint64_t now;
	bool running, honest; /* honest: the radio has answered everything, rightly and in order, since the last reset */
	uint32_t tokens[QUEUE], next;
	size_t first, count;
	struct asked asked[ASKED]; /* what the radio has not answered yet */
	size_t asked_count;
	struct hdlc_decoder line;
	bool answering, acked; /* the radio's answer to a transmission is being taken */
	struct rd air;         /* what the radio says that it heard */
};

static void asks(struct world *w, const struct spinel_frame *f)
{
	struct spinel_transmit t;

	MUST(f->transaction >= 1 && f->transaction <= 14);
	if (f->command == SPINEL_RESET) {
		w->asked_count = 0;
		return;
	}
	MUST(f->command >= SPINEL_PROP_GET && f->command <= SPINEL_PROP_REMOVE);
	if (f->property == SPINEL_STREAM_RAW)
		MUST(w->running && spinel_transmit_decode(f->value, &t) == OK && t.frame.left <= MAC_FRAME_MAX);
	if (w->asked_count == ASKED) {
		memmove(w->asked, w->asked + 1, --w->asked_count * sizeof w->asked[0]);
		w->honest = false;
	}
	w->asked[w->asked_count++] = (struct asked){f->transaction, f->property == SPINEL_STREAM_RAW, f->property};
}

static void written(struct world *w, struct rd octets)
{
	struct spinel_frame f;
	struct rd frame;
	uint8_t octet;
	unsigned n = 0;

	while (rd_u8(&octets, &octet))
		if (hdlc_octet(&w->line, octet, &frame)) {
			MUST(spinel_decode(frame, &f) == OK);
			asks(w, &f);
			n++;
		}
	MUST(n == 1);
}

static void acted(struct world *w, const struct spinel_host_effect *e)
{
	switch (e->type) {
	case SPINEL_HOST_WRITE:
		written(w, rd_of(e->octets, e->len));
		break;
	case SPINEL_HOST_READY:
		w->running = true;
		break;
	case SPINEL_HOST_RECEIVED:
		MUST(w->running && e->len <= MAC_FRAME_MAX);
		if (w->honest && w->air.left > 0)
			MUST(rd_equal(rd_of(e->octets, e->len), w->air));
		break;
	case SPINEL_HOST_SENT:
		MUST(w->count > 0 && e->token == w->tokens[w->first % QUEUE]);
		if (w->honest && w->answering && w->running)
			MUST(e->acked == w->acked);
		else if (w->honest && w->running)
			MUST(!e->acked);
		w->first++;
		w->count--;
		break;
	case SPINEL_HOST_LOST:
		w->running = false;
		break;
	case SPINEL_HOST_REFUSED:
		MUST(!w->running && e->text);
		break;
	case SPINEL_HOST_ENERGY:
		MUST(w->running && e->channel >= 11 && e->channel <= 26);
		break;
	case SPINEL_HOST_MATCH_FULL:
	case SPINEL_HOST_SCANNED:
		MUST(w->running);
		break;
	}
}

static void drain(struct world *w)
{
	struct spinel_host_effect e;

	while (spinel_host_output(w->h, &e))
		acted(w, &e);
}

static void says(struct world *w, const struct spinel_frame *f)
{
	uint8_t plain[600], framed[1300];
	struct wr p = wr_of(plain, sizeof plain), l = wr_of(framed, sizeof framed);
	struct rd content, line;

	spinel_encode(f, &p);
	MUST(wr_done(&p, &content));
	hdlc_encode(content, &l);
	MUST(wr_done(&l, &line));
	spinel_host_input(w->h, w->now, line);
	drain(w);
}

/* The oldest question is answered. */
static void answers(struct world *w, uint8_t status)
{
	static const uint8_t version[] = {4, 3};
	const struct asked a = w->asked[0];
	struct spinel_frame f = {.transaction = a.transaction, .command = SPINEL_PROP_IS, .property = a.property, .value = rd_of(&status, 1)};

	if (w->asked_count == 0)
		return;
	memmove(w->asked, w->asked + 1, --w->asked_count * sizeof w->asked[0]);
	status &= 0x1f;
	if (a.transmit || status != SPINEL_STATUS_OK)
		f.property = SPINEL_LAST_STATUS;
	else if (a.property == SPINEL_PROTOCOL_VERSION)
		f.value = rd_of(version, sizeof version);
	else if (a.property == SPINEL_CAPS || a.property == SPINEL_RADIO_CAPS || a.property == SPINEL_INTERFACE_TYPE)
		f.value.left = 0; /* not told */
	w->answering = a.transmit;
	w->acked = status == SPINEL_STATUS_OK;
	says(w, &f);
	w->answering = false;
}

static void hears(struct world *w, struct rd frame)
{
	const struct spinel_receive rx = {.frame = frame, .rssi = -50, .channel = 15};
	struct spinel_frame f = {.command = SPINEL_PROP_IS, .property = SPINEL_STREAM_RAW};
	uint8_t value[300];
	struct wr v = wr_of(value, sizeof value);

	spinel_receive_encode(&rx, &v);
	if (!wr_done(&v, &f.value))
		return;
	w->air = frame;
	says(w, &f);
	w->air.left = 0;
}

static void resets(struct world *w)
{
	const uint8_t status = SPINEL_STATUS_RESET_SOFTWARE;
	const struct spinel_frame f = {.command = SPINEL_PROP_IS, .property = SPINEL_LAST_STATUS, .value = rd_of(&status, 1)};

	w->asked_count = 0;
	w->honest = true;
	says(w, &f);
}

static void transmit(struct world *w, struct rd frame)
{
	enum err e = spinel_host_transmit(w->h, w->now, frame, w->next);

	MUST(w->running || e == ERR_NOT_READY);
	if (e != OK)
		return;
	MUST(w->count < QUEUE);
	w->tokens[(w->first + w->count++) % QUEUE] = w->next++;
}

static void passed(struct world *w, uint64_t ms)
{
	w->now += ms;
	if (spinel_host_deadline(w->h) <= w->now)
		w->honest = false; /* it will be asked again, and may answer twice */
	spinel_host_tick(w->h, w->now);
	drain(w);
	MUST(spinel_host_deadline(w->h) > w->now);
}

static void stop(struct world *w)
{
	spinel_host_stop(w->h);
	w->honest = false;
	drain(w);
	w->running = false;
	MUST(w->count == 0);
}

static void step(struct world *w, uint8_t what, struct rd *in)
{
	uint8_t a = 0, b = 0;
	struct rd octets;

	(void)!rd_u8(in, &a);
	switch (what % 12) {
	case 0:
		w->honest = false;
		if (rd_sub(in, a, &octets))
			spinel_host_input(w->h, w->now, octets);
		break;
	case 1:
		answers(w, a);
		break;
	case 2:
		for (unsigned n = 0; n < 20 && w->honest; n++)
			answers(w, 0);
		break;
	case 3:
		if (rd_sub(in, a, &octets))
			hears(w, octets);
		break;
	case 4:
		resets(w);
		break;
	case 5:
		if (rd_sub(in, a, &octets))
			transmit(w, octets);
		break;
	case 6:
		(void)!rd_u8(in, &b);
		if (b & 1)
			spinel_host_match_short(w->h, a, b & 2);
		else
			spinel_host_match_extended(w->h, a, b & 2);
		break;
	case 7:
		passed(w, a * 40ULL);
		break;
	case 8:
		stop(w);
		break;
	case 9:
		stop(w);
		spinel_host_start(w->h, w->now);
		break;
	case 10:
		MUST(spinel_host_scan(w->h, w->now, (uint32_t)a << 11, a) != OK || w->running);
		break;
	case 11:
		MUST(spinel_host_tune(w->h, w->now, a) != OK || w->running);
		break;
	}
	drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static const struct spinel_host_config config = {.eui64 = 0x0200000000000001ULL, .pan_id = 0x1a62, .channel = 15};
	static struct world w;
	struct rd in = rd_of(octets, size);
	uint8_t what;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	memset(&w, 0, sizeof w);
	w.now = 1000;
	hdlc_init(&w.line);
	w.h = spinel_host_new(&config);
	MUST(w.h);
	spinel_host_start(w.h, w.now);
	drain(&w);
	while (rd_u8(&in, &what))
		step(&w, what, &in);
	stop(&w);
	spinel_host_free(w.h);
	return 0;
}
