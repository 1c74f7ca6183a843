/* An originator of ESPrim for esprim_test.py, which carries what it says. Lines in, lines out:
 *	object JSON     the receiver's rand object           -> ok | NAME OF THE ERROR
 *	seal JSON       an inner request                     -> JWE
 *	open JWE        the answer to what was sealed last   -> JSON
 *	refused RSC     the receiver's refusal               -> again | no
 *	certke CA CERT KEY RECEIVER   begins ESCertKE         -> the first message in base64
 *	certke-next BASE64            the receiver's message  -> the next one, or `key` and the identifier: that key is used from now on
 * Arguments: the key in hexadecimal, and its identifier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "e2e/esprim.h"
#include "escertke/escertke.h"

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

/* ---- ESCertKE ---- */

static struct escertke *exchange;
static char expected[ENTITY_MAX];

static void begin(char *words)
{
	char *ca = strtok(words, " "), *cert = strtok(NULL, " "), *key = strtok(NULL, " "), *receiver = strtok(NULL, " "), why[TLS_WHY_MAX];
	const struct tls_config c = {.ca = ca, .cert = cert, .key = key};
	struct tls_credentials *tls;

	escertke_free(exchange);
	exchange = NULL;
	if (!receiver || tls_credentials_new(&c, why, &tls) != OK)
		return;
	snprintf(expected, sizeof expected, "%s", receiver);
	exchange = escertke_new(tls, false, expected);
	tls_credentials_free(tls);
}

static enum err use_key(struct wr *text)
{
	struct secret *key = NULL;
	char kid[KEY_ID_MAX];
	enum err e = escertke_key(exchange, rd_str(expected), kid, &key);

	if (e == OK) {
		esprim_originator_clear(&originator);
		e = esprim_originator_init(&originator, key, kid, JOSE_MAY_EVERY_ENC, 600000);
		wr_fmt(text, "key %s", kid);
	}
	secret_free(key);
	return e;
}

static void step(struct rd base64)
{
	struct wr in = wr_new(65536), out = wr_new(65536), text = wr_new(1 << 18);
	struct rd octets;
	bool done = false;
	enum err e = ERR_MALFORMED;

	if (exchange && base64_parse(base64, &in) && wr_done(&in, &octets))
		e = escertke_step(exchange, octets, &out, &done);
	if (e == OK && done)
		e = use_key(&text);
	else if (e == OK && wr_done(&out, &octets))
		base64_print(&text, octets);
	say(e, &text);
	wr_free(&in);
	wr_free(&out);
	wr_free(&text);
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
	} else if (rd_is(verb, "certke")) {
		char words[1024];

		if (rd_text(line, words, sizeof words))
			begin(words);
		step(rd_str(""));
	} else if (rd_is(verb, "certke-next")) {
		step(line);
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
	escertke_free(exchange);
	esprim_session_clear(&session);
	esprim_originator_clear(&originator);
	secret_free(key);
	return 0;
}
