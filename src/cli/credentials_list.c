/* Rows of stores, as a table or as JSON. Never values. */
#include "cli/credentials_list.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "onem2m/timestamp.h"

#define LISTING_MAX (64U << 20)

static void print_time(uint64_t s, char text[static TIMESTAMP_SIZE])
{
	if (s == UINT64_MAX)
		snprintf(text, TIMESTAMP_SIZE, "never");
	else
		timestamp_print(text, s * 1000);
}

static const char *kind_of(const struct credentials_listing *l, const struct credential *c)
{
	return l->kind ? l->kind : credential_kind_name(c->kind);
}

static const char *peer_of(const struct credentials_listing *l, const struct credential *c)
{
	return l->peer ? l->peer : c->peer;
}

static void put_row(struct credentials_listing *l, const struct credential *c)
{
	struct json_out *o = &l->out;
	char expires[TIMESTAMP_SIZE], added[TIMESTAMP_SIZE];

	print_time(c->expires_at, expires);
	json_object(o, NULL);
	if (l->several) {
		json_put_string(o, "program", l->program);
		json_put_string(o, "store", l->path);
	}
	json_put_string(o, "identity", c->identity);
	json_put_string(o, "kind", kind_of(l, c));
	json_put_uint(o, "suid", c->suid);
	json_put_string(o, "entity", c->entity);
	json_put_string(o, "peer", peer_of(l, c));
	if (c->added_at) {
		print_time(c->added_at, added);
		json_put_string(o, "added", added);
	}
	json_put_string(o, "expires", expires);
	json_put_bool(o, "expired", credential_expired(c, l->now_s));
	json_close(o);
}

static void print_row(struct credentials_listing *l, const struct credential *c)
{
	bool expired = credential_expired(c, l->now_s);
	char expires[TIMESTAMP_SIZE];

	if (l->rows == 0) {
		printf("%s", style(STYLE_BOLD));
		if (l->several)
			printf("%-10s  ", "PROGRAM");
		printf("%-11s %4s  %-15s  %-44s  %-24s  %s%s\n", "KIND", "SUID", "EXPIRES", "IDENTITY", "PEER", "ENTITY", style(STYLE_PLAIN));
	}
	print_time(c->expires_at, expires);
	if (l->several)
		printf("%-10s  ", l->program);
	printf("%-11s %4u  %s%-15s%s  %-44s  %-24s  %s\n", kind_of(l, c), c->suid, expired ? style(STYLE_RED) : "", expires,
	    expired ? style(STYLE_PLAIN) : "", c->identity, peer_of(l, c)[0] ? peer_of(l, c) : "-", c->entity[0] ? c->entity : "-");
}

void credentials_list_row(void *listing, const struct credential *c)
{
	struct credentials_listing *l = listing;

	if (c->expires_at >= l->until_s && l->until_s != UINT64_MAX)
		return;
	if (l->json)
		put_row(l, c);
	else
		print_row(l, c);
	l->rows++;
}

void credentials_list_begin(struct credentials_listing *l)
{
	l->room = wr_new(LISTING_MAX);
	l->out = json_out(&l->room);
	l->now_s = clock_unix_ms() / 1000;
	json_object(&l->out, NULL);
}

int credentials_list_store(struct credentials_listing *l, struct credentials *s, const char *path)
{
	return credentials_each(s, credentials_list_row, l) == OK ? CLI_OK : cli_fail("%s can't be read to its end", path);
}

int credentials_list_end(struct credentials_listing *l, int r)
{
	struct rd text;

	json_close(&l->out);
	if (r == CLI_OK && l->json && !wr_done(&l->room, &text))
		r = cli_fail("there is too much to list");
	else if (r == CLI_OK && l->json)
		cli_print_json(text);
	wr_free(&l->room);
	return r;
}

int credentials_list(struct credentials_listing *l, struct credentials_place *p)
{
	struct credentials *s;
	int r = credentials_place_open(p, true, true, &s);

	if (r != CLI_OK)
		return r;
	credentials_list_begin(l);
	json_put_string(&l->out, "store", p->path);
	json_put_string(&l->out, "kek", kek_is_token(credentials_kek(s)) ? "token" : credentials_kek(s));
	json_array(&l->out, "credentials");
	r = credentials_list_store(l, s, p->path);
	json_close(&l->out);
	if (r == CLI_OK && !l->json && l->rows == 0)
		printf("%s holds nothing%s\n", p->path, l->until_s == UINT64_MAX ? "" : " that ends before that");
	credentials_close(s);
	return credentials_list_end(l, r);
}
