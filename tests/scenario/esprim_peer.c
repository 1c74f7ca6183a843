/* An originator of ESPrim for esprim_test.py, which carries what it says. Lines in, lines out:
 *	object JSON     the receiver's rand object           -> ok | NAME OF THE ERROR
 *	seal JSON       an inner request                     -> JWE
 *	open JWE        the answer to what was sealed last   -> JSON
 *	refused RSC     the receiver's refusal               -> again | no
 * Arguments: the key in hexadecimal, and its identifier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "e2e/esprim.h"

static struct esprim_originator originator;
static struct esprim_session session;
static struct rng rng;

static void say(enum err e, const struct wr *w)
{
	struct rd out;

	if (e == OK && w && wr_done(w, &out))
		printf("%.*s\n", (int)out.left, (const char *)out.at);
	else
		puts(e == OK ? "ok" : err_name(e));
	fflush(stdout);
}

static void obey(struct rd line)
{
	struct wr w = wr_new(1 << 20);
	struct rd verb;
	uint64_t rsc;

	if (!rd_until(&line, ' ', &verb)) {
		say(ERR_MALFORMED, NULL);
	} else if (rd_is(verb, "object")) {
		say(esprim_originator_take(&originator, line, clock_unix_ms()), NULL);
	} else if (rd_is(verb, "seal")) {
		esprim_session_clear(&session);
		say(esprim_seal_request(&originator, clock_unix_ms(), line, &rng, &w, &session), &w);
	} else if (rd_is(verb, "open")) {
		say(esprim_open_response(&originator, &session, clock_unix_ms(), line, &rng, &w), &w);
	} else if (rd_is(verb, "refused") && rd_decimal(line, &rsc)) {
		puts(esprim_originator_refused(&originator, (enum onem2m_rsc)rsc) ? "again" : "no");
		fflush(stdout);
	} else {
		say(ERR_MALFORMED, NULL);
	}
	wr_free(&w);
}

int main(int argc, char **argv)
{
	static char line[1 << 20];
	uint8_t octets[32];
	struct secret *key;

	if (argc != 3 || !hex_parse(rd_str(argv[1]), octets, sizeof octets))
		return 2;
	rng = rng_system();
	key = secret_take(octets, sizeof octets);
	if (esprim_originator_init(&originator, key, argv[2], JOSE_MAY_EVERY_ENC, 600000) != OK)
		return 2;
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(rd_str(line));
	}
	esprim_session_clear(&session);
	esprim_originator_clear(&originator);
	secret_free(key);
	return 0;
}
