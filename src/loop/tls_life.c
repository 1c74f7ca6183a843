/* Beginning and end of associations. */
#include "loop/tls_life.h"

#include <stdio.h>

#include "base/clock.h"
#include "loop/log.h"

#define NEVER_S 253402300800ULL /* the year 10000 */
#define LOOK_MS 3600000 /* the wall clock may be set meanwhile */

static void arm(struct tls_life *t)
{
	uint64_t now = clock_unix_ms(), end = t->expires_at > NEVER_S ? NEVER_S * 1000 : t->expires_at * 1000;

	loop_timer_in(t->timer, end <= now ? 0 : end - now < LOOK_MS ? end - now : LOOK_MS);
}

static void on_time(void *ctx)
{
	struct tls_life *t = ctx;

	if (t->expires_at && tls_life_lasts(t->expires_at))
		arm(t);
	else
		t->over(t->ctx);
}

void tls_life_begin(struct tls_life *t, struct loop *l, void (*over)(void *ctx), void *ctx)
{
	t->timer = loop_timer_new(l, on_time, t);
	t->expires_at = 0;
	t->over = over;
	t->ctx = ctx;
	loop_timer_in(t->timer, TLS_HANDSHAKE_MS);
}

void tls_life_trouble(struct tls_session *s)
{
	const char *trouble = tls_session_trouble(s);

	if (trouble && trouble[0])
		log_line(LOG_LEVEL_ERROR, "trust is not what its files say", "trouble=\"%s\"", trouble);
	else if (trouble)
		log_line(LOG_LEVEL_INFO, "trust is what its files say again", "trouble=none");
}

void tls_life_opened(struct tls_life *t, struct tls_session *s)
{
	tls_life_trouble(s);
	t->expires_at = tls_session_peer(s)->expires_at;
	if (t->expires_at)
		arm(t);
	else
		loop_timer_at(t->timer, CLOCK_NEVER);
}

void tls_life_end(struct tls_life *t)
{
	if (t->timer)
		loop_timer_free(t->timer);
	t->timer = NULL;
}

bool tls_life_lasts(uint64_t expires_at)
{
	return expires_at == 0 || expires_at > NEVER_S || clock_unix_ms() < expires_at * 1000;
}

void tls_life_refused(struct tls_session *s, bool server, const char *address)
{
	static uint64_t minute;
	static unsigned count;
	uint64_t now = clock_ms() / 60000;
	const char *why = tls_session_why(s);
	char credential[512];

	tls_life_trouble(s);
	if (now != minute) {
		minute = now;
		count = 0;
	}
	if (++count > TLS_REFUSALS_A_MINUTE)
		return;
	snprintf(credential, sizeof credential, "%s", log_quote(rd_str(tls_session_credential(s))));
	log_line(LOG_LEVEL_WARNING, server ? "association refused" : "association failed", "peer=%s credential=%s reason=\"%s\"%s", address, credential,
	    why[0] ? why : "the handshake took too long", count == TLS_REFUSALS_A_MINUTE ? " more=\"untold this minute\"" : "");
}
