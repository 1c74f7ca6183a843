/* A card: its file as text, and lines of events at its reader. What a file says is written again so that it reads the same; an event is answered with one
 * line or not at all, and the sequence numbers only go up. */
#include <string.h>

#include "../fuzz.h"
#include "gba/net/usim_file.h"
#include "gba/usim_line.h"

static struct secret *key(uint8_t first)
{
	uint8_t octets[16] = {first};

	return secret_take(octets, sizeof octets);
}

static void file(struct rd in)
{
	char text[USIM_FILE_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct usim u, again;
	struct rd r;

	if (usim_text_parse(in, &u) != OK)
		return;
	usim_text_print(&w, &u);
	MUST(wr_done(&w, &r) && usim_text_parse(r, &again) == OK);
	MUST(secret_equal(u.k, again.k) && secret_equal(u.opc, again.opc) && strcmp(u.imsi, again.imsi) == 0);
	MUST(memcmp(&u.window, &again.window, sizeof u.window) == 0);
	usim_clear(&again);
	usim_clear(&u);
}

static void event(struct usim *u, struct rd line)
{
	char text[USIM_LINE_MAX];
	struct wr w = wr_of(text, sizeof text);
	struct sqn_window before = u->window;
	enum usim_line what;
	struct rd r;

	if (usim_line_answer(u, line, &w, &what) != OK)
		return;
	MUST(wr_done(&w, &r) && (what != USIM_LINE_OTHER) == rd_starts(r, "CTRL-RSP-SIM-"));
	for (size_t i = 0; i < SQN_SLOTS; i++)
		MUST(u->window.seq[i] == before.seq[i] || (what == USIM_LINE_ACCEPTED && u->window.seq[i] > before.seq[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size), line;
	struct usim u;

	file(in);
	memset(&u, 0, sizeof u);
	u.k = key(1);
	u.opc = key(2);
	for (unsigned n = 0; n < 16 && rd_line(&in, &line); n++)
		event(&u, line);
	usim_clear(&u);
	return 0;
}
