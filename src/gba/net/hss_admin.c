/* The operator's commands to keyway-hss: one JSON object a line each way, docs/protocols/gba.md. Keys go in and never come out. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/milenage.h"
#include "gba/net/hss_server.h"
#include "loop/log.h"

#define KEY 16

struct command {
	struct hss *hss;
	const struct json *rq;
	struct json_out o; /* the answer, an open object */
	char error[256];
};

static enum err wrong(struct command *c, enum err e, const char *text)
{
	snprintf(c->error, sizeof c->error, "%s", text);
	return e;
}

static bool name_of(struct command *c, char name[static IMPI_SIZE])
{
	return json_text(json_get(c->rq, "subscriber"), name, IMPI_SIZE);
}

static enum err no_name(struct command *c)
{
	return wrong(c, ERR_BAD_VALUE, "`subscriber` must be an IMSI or a private identity");
}

static enum err told(struct command *c, enum err e)
{
	if (e == ERR_NOT_FOUND)
		return wrong(c, e, "there is no such subscriber");
	return e == OK ? OK : wrong(c, e, err_text(e));
}

static enum err key_of(struct command *c, const char *name, struct secret **key)
{
	uint8_t octets[KEY];
	struct rd text;

	if (!json_string(json_get(c->rq, name), &text) || !hex_parse(text, octets, sizeof octets))
		return wrong(c, ERR_BAD_VALUE, "`k`, and one of `opc` and `op`, must be there with 32 hexadecimal digits");
	*key = secret_take(octets, sizeof octets);
	return *key ? OK : ERR_NO_MEMORY;
}

static enum err keys_of(struct command *c, struct secret **k, struct secret **opc)
{
	bool given = json_get(c->rq, "opc") != NULL;
	struct secret *op = NULL;
	enum err e = key_of(c, "k", k);

	if (e != OK)
		return e;
	if (given)
		return json_get(c->rq, "op") ? wrong(c, ERR_BAD_VALUE, "give `opc` or `op`, not both") : key_of(c, "opc", opc);
	e = key_of(c, "op", &op);
	if (e == OK)
		e = milenage_opc(*k, op, opc);
	secret_free(op);
	return e;
}

static enum err subscriber_of(struct command *c, struct hss_subscriber *s)
{
	const struct json *mnc = json_get(c->rq, "mnc_digits"), *impi = json_get(c->rq, "impi"), *amf = json_get(c->rq, "amf");
	const struct json *guss = json_get(c->rq, "guss"), *sqn = json_get(c->rq, "sqn");
	uint64_t digits = 2;
	uint8_t octets[2];
	struct rd text;

	memset(s, 0, sizeof *s);
	s->amf = AKA_AMF_SEPARATION;
	if (!json_text(json_get(c->rq, "imsi"), s->imsi, sizeof s->imsi) || !imsi_is_good(rd_str(s->imsi)))
		return wrong(c, ERR_BAD_VALUE, "`imsi` must have 6 to 15 digits");
	if (mnc && (!json_uint(mnc, &digits) || (digits != 2 && digits != 3)))
		return wrong(c, ERR_BAD_VALUE, "`mnc_digits` is 2 or 3");
	if (impi ? !json_text(impi, s->impi, sizeof s->impi) || s->impi[0] == '\0' : !impi_of_imsi(s->imsi, (unsigned)digits, s->impi))
		return wrong(c, ERR_BAD_VALUE, "`impi` is too long or empty");
	if (amf) {
		if (!json_string(amf, &text) || !hex_parse(text, octets, sizeof octets))
			return wrong(c, ERR_BAD_VALUE, "`amf` must have 4 hexadecimal digits; 8000 is what EAP-AKA' wants");
		s->amf = (uint16_t)(octets[0] << 8 | octets[1]);
	}
	if (sqn && (!json_uint(sqn, &s->sqn) || s->sqn > SQN_MAX))
		return wrong(c, ERR_BAD_VALUE, "`sqn` is a number below 2^48");
	if (guss && guss_read(guss, &s->guss) != OK)
		return wrong(c, ERR_BAD_VALUE, "`guss` is not understood");
	return OK;
}

static enum err subscriber_add(struct command *c)
{
	struct secret *k = NULL, *opc = NULL;
	struct hss_subscriber s;
	enum err e = subscriber_of(c, &s);

	if (e == OK)
		e = keys_of(c, &k, &opc);
	if (e == OK && (e = hss_add(c->hss, &s, k, opc)) != OK)
		(void)wrong(c, e, e == ERR_EXISTS ? "there is a subscriber with this IMSI or private identity; remove him first" : err_text(e));
	secret_free(k);
	secret_free(opc);
	if (e != OK)
		return e;
	log_line(LOG_LEVEL_INFO, "subscriber added", "imsi=%s", s.imsi);
	json_put_string(&c->o, "imsi", s.imsi);
	json_put_string(&c->o, "impi", s.impi);
	return OK;
}

static void show(struct json_out *o, const char *name, const struct hss_subscriber *s)
{
	uint8_t amf[2] = {(uint8_t)(s->amf >> 8), (uint8_t)s->amf};
	char text[HEX_SIZE(2)];

	hex_print(text, amf, sizeof amf);
	json_object(o, name);
	json_put_string(o, "imsi", s->imsi);
	json_put_string(o, "impi", s->impi);
	json_put_string(o, "amf", text);
	json_put_uint(o, "sqn", s->sqn);
	guss_write(o, "guss", &s->guss);
	json_close(o);
}

static bool show_each(void *ctx, const struct hss_subscriber *s)
{
	show(ctx, NULL, s);
	return true;
}

static enum err subscriber_list(struct command *c)
{
	enum err e;

	json_array(&c->o, "subscribers");
	e = hss_each(c->hss, show_each, &c->o);
	json_close(&c->o);
	return told(c, e);
}

static enum err subscriber_show(struct command *c)
{
	struct hss_subscriber s;
	char name[IMPI_SIZE];
	enum err e;

	if (!name_of(c, name))
		return no_name(c);
	e = told(c, hss_find(c->hss, name, &s));
	if (e == OK)
		show(&c->o, "subscriber", &s);
	return e;
}

static enum err subscriber_remove(struct command *c)
{
	char name[IMPI_SIZE];
	enum err e;

	if (!name_of(c, name))
		return no_name(c);
	e = told(c, hss_remove(c->hss, name));
	if (e == OK)
		log_line(LOG_LEVEL_INFO, "subscriber removed", "subscriber=%s", log_quote(rd_str(name)));
	return e;
}

/* The place of a NAF in the settings; count when it is not there. */
static size_t place_of(const struct guss *g, const char *naf)
{
	size_t i = 0;

	while (i < g->count && strcmp(g->uss[i].naf, naf) != 0)
		i++;
	return i;
}

static enum err permit(struct command *c, struct guss *g, const char *naf)
{
	size_t at = place_of(g, naf);
	struct rd entity;

	if (!json_string(json_get(c->rq, "entity"), &entity) || !uss_entity_is_good(entity))
		return wrong(c, ERR_BAD_VALUE, "`entity` says whose key it is, such as m2m://keyway.example/id-in/Cmeter, without blanks");
	if (at == USS_MAX)
		return wrong(c, ERR_FULL, "a subscriber may have keys for 16 NAFs or patterns of NAFs");
	if (!rd_text(rd_str(naf), g->uss[at].naf, sizeof g->uss[at].naf) || !rd_text(entity, g->uss[at].entity, sizeof g->uss[at].entity))
		return wrong(c, ERR_TOO_LONG, "`entity` is too long");
	g->count += at == g->count;
	return OK;
}

static enum err refuse_naf(struct command *c, struct guss *g, const char *naf)
{
	size_t at = place_of(g, naf);

	if (at == g->count)
		return wrong(c, ERR_NOT_FOUND, "this NAF was not permitted");
	g->count--;
	memmove(&g->uss[at], &g->uss[at + 1], (g->count - at) * sizeof g->uss[0]);
	return OK;
}

static enum err change(struct command *c, enum err (*how)(struct command *c, struct guss *g, const char *naf))
{
	char name[IMPI_SIZE], naf[NAF_FQDN_SIZE];
	struct hss_subscriber s;
	struct rd text;
	enum err e;

	if (!name_of(c, name))
		return no_name(c);
	if (!json_string(json_get(c->rq, "naf"), &text) || !uss_naf_is_good(text, naf))
		return wrong(c, ERR_BAD_VALUE, "`naf` is an FQDN, or *. and one");
	e = told(c, hss_find(c->hss, name, &s));
	if (e == OK)
		e = how(c, &s.guss, naf);
	return e == OK ? told(c, hss_set_guss(c->hss, name, &s.guss)) : e;
}

static enum err subscriber_permit(struct command *c)
{
	return change(c, permit);
}

static enum err subscriber_refuse(struct command *c)
{
	return change(c, refuse_naf);
}

static enum err subscriber_lifetime(struct command *c)
{
	struct hss_subscriber s;
	char name[IMPI_SIZE];
	uint64_t seconds;
	enum err e;

	if (!name_of(c, name))
		return no_name(c);
	if (!json_uint(json_get(c->rq, "seconds"), &seconds) || seconds > BSF_LIFETIME_MAX_S)
		return wrong(c, ERR_BAD_VALUE, "`seconds` is at most 604800, a week; 0 leaves it to the BSF");
	e = told(c, hss_find(c->hss, name, &s));
	if (e != OK)
		return e;
	s.guss.lifetime_s = (uint32_t)seconds;
	return told(c, hss_set_guss(c->hss, name, &s.guss));
}

static enum err status(struct command *c)
{
	json_put_uint(&c->o, "subscribers", hss_count(c->hss));
	return OK;
}

static const struct {
	const char *name;
	enum err (*fn)(struct command *c);
} commands[] = {
    {"subscriber.add", subscriber_add},
    {"subscriber.list", subscriber_list},
    {"subscriber.show", subscriber_show},
    {"subscriber.remove", subscriber_remove},
    {"subscriber.permit", subscriber_permit},
    {"subscriber.refuse", subscriber_refuse},
    {"subscriber.lifetime", subscriber_lifetime},
    {"status", status},
};

static enum err run(struct command *c)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (json_is_string(json_get(c->rq, "cmd"), commands[i].name))
			return commands[i].fn(c);
	return wrong(c, ERR_UNSUPPORTED, "there is no such command");
}

void hss_admin_answer(struct hss *h, struct rd line, struct wr *answer)
{
	struct json_arena *arena = json_arena_new();
	size_t begin = answer->len;
	struct command c = {.hss = h, .o = json_out(answer)};
	enum err e = ERR_NO_MEMORY;

	json_object(&c.o, NULL);
	json_put_bool(&c.o, "ok", true);
	if (arena)
		e = json_parse(arena, line, NULL, &c.rq) == OK ? run(&c) : wrong(&c, ERR_MALFORMED, "the line is no JSON object");
	json_arena_free(arena);
	json_close(&c.o);
	if (e == OK)
		return;
	answer->len = begin; /* what was begun is not said */
	c.o = json_out(answer);
	json_object(&c.o, NULL);
	json_put_bool(&c.o, "ok", false);
	json_put_string(&c.o, "code", err_name(e));
	json_put_string(&c.o, "error", c.error[0] ? c.error : err_text(e));
	json_close(&c.o);
}
