/* The operator's commands to keyway-das: one JSON object a line each way, docs/protocols/das.md. Tokens are listed, never shown. */
#include <stdio.h>
#include <string.h>

#include "das/private.h"

#define DEFAULT_LIFETIME_S 3600

struct command {
	struct das *das;
	uint64_t now_ms;
	const struct json *rq;
	struct json_out o; /* the answer, an open object */
	const char *error;
};

static enum err wrong(struct command *c, enum err e, const char *text)
{
	c->error = text;
	return e;
}

/* ---- rules ---- */

/* "RUD", or the number; S is discovery (search). */
static bool operations_of(const struct json *v, unsigned *operations)
{
	static const char letters[] = "CRUDNS";
	struct rd text;
	uint64_t n;
	uint8_t c;

	*operations = 0;
	if (json_uint(v, &n)) {
		*operations = n <= 63 ? (unsigned)n : 0;
		return *operations != 0;
	}
	if (!json_string(v, &text))
		return false;
	while (rd_u8(&text, &c)) {
		const char *at = strchr(letters, c & ~0x20);

		if (!at || c < 'A')
			return false;
		*operations |= 1U << (at - letters);
	}
	return *operations != 0;
}

static enum err allow(struct command *c)
{
	struct das_rule r = {.way = DAS_GRANT, .lifetime_s = DEFAULT_LIFETIME_S < c->das->config.longest_s ? DEFAULT_LIFETIME_S : c->das->config.longest_s};
	const struct json *life = json_get(c->rq, "lifetime_s"), *role = json_get(c->rq, "role");
	bool token = false;
	int64_t id;
	enum err e;

	if (!json_text(json_get(c->rq, "originator"), r.originator, sizeof r.originator) || !json_text(json_get(c->rq, "resource"), r.resource, sizeof r.resource))
		return wrong(c, ERR_BAD_VALUE, "`originator` and `resource` must be SP-relative IDs, such as /id-in/Cmeter, or patterns of them");
	if (!operations_of(json_get(c->rq, "operations"), &r.operations))
		return wrong(c, ERR_BAD_VALUE, "`operations` has some of the letters C R U D N S, or is a number from 1 to 63");
	if (life && !json_uint(life, &r.lifetime_s))
		return wrong(c, ERR_BAD_VALUE, "`lifetime_s` is a number of seconds");
	if (role && !json_text(role, r.role, sizeof r.role))
		return wrong(c, ERR_BAD_VALUE, "`role` must be a role ID, name@domain");
	if (json_bool(json_get(c->rq, "token"), &token) && token)
		r.way = DAS_TOKEN;
	e = das_rule_add(c->das, c->now_ms, &r, &id);
	if (e == OK)
		json_put_int(&c->o, "rule", id);
	else if (e == ERR_BAD_VALUE)
		return wrong(c, e, "the IDs must begin with one `/`, the lifetime must not be beyond [das] longest_s, a role needs a token, and tokens need [tokens]");
	return e == OK ? OK : wrong(c, e, err_text(e));
}

static enum err removal(struct command *c)
{
	int64_t id;
	enum err e;

	if (!json_int(json_get(c->rq, "rule"), &id))
		return wrong(c, ERR_BAD_VALUE, "`rule` must be a number, as `das.list` shows it");
	e = das_rule_remove(c->das, c->now_ms, id);
	return e == OK ? OK : wrong(c, e, e == ERR_NOT_FOUND ? "there is no such rule" : err_text(e));
}

static void show_rule(void *ctx, const struct das_rule *r)
{
	struct json_out *o = ctx;

	json_object(o, NULL);
	json_put_int(o, "rule", r->id);
	json_put_string(o, "originator", r->originator);
	json_put_string(o, "resource", r->resource);
	json_put_uint(o, "operations", r->operations);
	json_put_bool(o, "token", r->way == DAS_TOKEN);
	if (r->role[0])
		json_put_string(o, "role", r->role);
	json_put_uint(o, "lifetime_s", r->lifetime_s);
	json_close(o);
}

static enum err list(struct command *c)
{
	enum err e;

	json_array(&c->o, "rules");
	e = das_rules_each(c->das, show_rule, &c->o);
	json_close(&c->o);
	return e == OK ? OK : wrong(c, e, err_text(e));
}

/* ---- tokens ---- */

static void show_token(void *ctx, const struct das_token *t)
{
	struct json_out *o = ctx;

	json_object(o, NULL);
	json_put_string(o, "token", t->id);
	json_put_int(o, "rule", t->rule);
	json_put_string(o, "holder", t->holder);
	json_put_string(o, "resource", t->resource);
	json_put_string(o, "audience", t->cse);
	json_put_uint(o, "expires_at", t->expires_at);
	json_close(o);
}

static enum err tokens(struct command *c)
{
	enum err e;

	json_array(&c->o, "tokens");
	e = das_tokens_each(c->das, c->now_ms, show_token, &c->o);
	json_close(&c->o);
	return e == OK ? OK : wrong(c, e, err_text(e));
}

static enum err forget(struct command *c)
{
	char id[DAS_ID_MAX];
	enum err e;

	if (!json_text(json_get(c->rq, "token"), id, sizeof id))
		return wrong(c, ERR_BAD_VALUE, "`token` must be a token ID, as `das.tokens` shows it");
	e = das_token_forget(c->das, c->now_ms, id);
	return e == OK ? OK : wrong(c, e, e == ERR_NOT_FOUND ? "there is no such token" : err_text(e));
}

/* ---- the line ---- */

static enum err perform(struct command *c)
{
	static const struct {
		const char *cmd;
		enum err (*fn)(struct command *c);
	} commands[] = {{"das.allow", allow}, {"das.remove", removal}, {"das.list", list}, {"das.tokens", tokens}, {"das.forget", forget}};

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (json_is_string(json_get(c->rq, "cmd"), commands[i].cmd))
			return commands[i].fn(c);
	return wrong(c, ERR_UNSUPPORTED, "there is no such command");
}

void das_admin(struct das *d, uint64_t now_ms, struct rd line, struct wr *answer)
{
	struct command c = {.das = d, .now_ms = now_ms, .o = json_out(answer), .error = ""};
	struct json_arena *arena = json_arena_new();
	enum err e = ERR_MALFORMED;

	json_object(&c.o, NULL);
	if (arena && json_parse(arena, line, NULL, &c.rq) == OK && c.rq->type == JSON_OBJECT)
		e = perform(&c);
	else
		c.error = "the line is no JSON object";
	json_put_bool(&c.o, "ok", e == OK);
	if (e != OK)
		json_put_string(&c.o, "error", c.error);
	json_close(&c.o);
	json_arena_free(arena);
}
