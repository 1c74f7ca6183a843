/* HTTP Digest with AKA. */
#include "gba/digest_aka.h"

#include <string.h>

#include "base/bytes.h"

#define ALGORITHM "AKAv1-MD5"
#define PARAMETERS_MAX 32
#define NAME_MAX_LEN 32

/* ---- parameters: name=value, ... with value a token or a quoted string ---- */

struct parameter {
	const char *name;
	char *value;
	size_t size;
	bool seen;
};

static bool is_token(uint8_t c)
{
	return c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void spaces(struct rd *r)
{
	uint8_t c;

	while (r->left > 0 && is_space(*r->at) && rd_u8(r, &c))
		;
}

static bool token(struct rd *r, char *text, size_t size)
{
	struct wr w = wr_of(text, size);
	struct rd done;
	uint8_t c = 0;

	while (r->left > 0 && is_token(*r->at) && rd_u8(r, &c))
		wr_u8(&w, c);
	wr_u8(&w, '\0');
	return wr_done(&w, &done) && done.left > 1;
}

/* Tokens may hold '=' here: nc and base64 without quotation marks are seen in the wild. */
static bool bare(struct rd *r, char *text, size_t size)
{
	struct wr w = wr_of(text, size);
	struct rd done;
	uint8_t c = 0;

	while (r->left > 0 && (is_token(*r->at) || *r->at == '=' || *r->at == '/') && rd_u8(r, &c))
		wr_u8(&w, c);
	wr_u8(&w, '\0');
	return wr_done(&w, &done);
}

static bool quoted(struct rd *r, char *text, size_t size)
{
	struct wr w = wr_of(text, size);
	struct rd done;
	uint8_t c;

	if (!rd_u8(r, &c) || c != '"')
		return false;
	for (;;) {
		if (!rd_u8(r, &c) || c < 0x20 || c == 0x7f)
			return false;
		if (c == '"')
			break;
		if (c == '\\' && (!rd_u8(r, &c) || c < 0x20 || c == 0x7f))
			return false;
		wr_u8(&w, c);
	}
	wr_u8(&w, '\0');
	return wr_done(&w, &done);
}

static bool same_word(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a | 0x20) != (*b | 0x20))
			return false;
	return *a == *b;
}

static struct parameter *find(struct parameter *list, const char *name)
{
	for (; list->name; list++)
		if (same_word(list->name, name))
			return list;
	return NULL;
}

/* The scheme is gone already. Ends at the end only. */
static enum err parameters(struct rd r, struct parameter *list)
{
	char name[NAME_MAX_LEN], ignored[DIGEST_HEADER_MAX];

	for (unsigned count = 0; count < PARAMETERS_MAX; count++) {
		struct parameter *p;
		uint8_t c;
		bool good;

		spaces(&r);
		if (!token(&r, name, sizeof name))
			return ERR_MALFORMED;
		spaces(&r);
		if (!rd_u8(&r, &c) || c != '=')
			return ERR_MALFORMED;
		spaces(&r);
		p = find(list, name);
		if (p && p->seen)
			return ERR_DUPLICATE;
		if (r.left > 0 && *r.at == '"')
			good = p ? quoted(&r, p->value, p->size) : quoted(&r, ignored, sizeof ignored);
		else
			good = p ? bare(&r, p->value, p->size) : bare(&r, ignored, sizeof ignored);
		if (!good)
			return ERR_MALFORMED;
		if (p)
			p->seen = true;
		spaces(&r);
		if (rd_end(&r))
			return OK;
		if (!rd_u8(&r, &c) || c != ',')
			return ERR_MALFORMED;
	}
	return ERR_TOO_LONG;
}

static enum err digest_parameters(struct rd r, struct parameter *list)
{
	char scheme[NAME_MAX_LEN];

	if (r.left > DIGEST_HEADER_MAX)
		return ERR_TOO_LONG;
	spaces(&r);
	if (!token(&r, scheme, sizeof scheme))
		return ERR_MALFORMED;
	if (!same_word(scheme, "Digest"))
		return ERR_UNSUPPORTED;
	return parameters(r, list);
}

static void put(struct wr *w, bool *first, const char *name, const char *value, bool quote)
{
	wr_str(w, *first ? "" : ", ");
	*first = false;
	wr_str(w, name);
	wr_str(w, "=");
	if (!quote) {
		wr_str(w, value);
		return;
	}
	wr_u8(w, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			wr_u8(w, '\\');
		wr_u8(w, (uint8_t)*value);
	}
	wr_u8(w, '"');
}

/* Octets of base64 text; false unless it gives at least `least` and at most `size`. */
static bool unbase64(const char *text, uint8_t *octets, size_t least, size_t size)
{
	struct wr w = wr_of(octets, size);
	struct rd done;

	return base64_parse(rd_str(text), &w) && wr_done(&w, &done) && done.left >= least;
}

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdefABCDEF") == len;
}

/* ---- challenge ---- */

static void qop_options(const char *text, struct digest_challenge *c)
{
	struct rd rest = rd_str(text), option;
	bool more = true;

	c->auth = c->auth_int = false;
	while (more) {
		more = rd_until(&rest, ',', &option);
		if (!more)
			option = rd_rest(&rest);
		spaces(&option);
		while (option.left > 0 && is_space(option.at[option.left - 1]))
			option.left--;
		c->auth = c->auth || rd_is(option, "auth");
		c->auth_int = c->auth_int || rd_is(option, "auth-int");
	}
}

enum err digest_challenge_parse(struct rd value, struct digest_challenge *c)
{
	char qop[DIGEST_TEXT] = "", algorithm[NAME_MAX_LEN] = "";
	uint8_t octets[DIGEST_NONCE];
	struct rd r;
	struct parameter list[] = {{"realm", c->realm, sizeof c->realm, false}, {"nonce", c->nonce, sizeof c->nonce, false},
	    {"opaque", c->opaque, sizeof c->opaque, false}, {"qop", qop, sizeof qop, false}, {"algorithm", algorithm, sizeof algorithm, false},
	    {NULL, NULL, 0, false}};
	enum err e;

	memset(c, 0, sizeof *c);
	e = digest_parameters(value, list);
	if (e != OK)
		return e;
	if (!list[0].seen || !list[1].seen)
		return ERR_MALFORMED;
	qop_options(qop, c);
	if (!same_word(algorithm, ALGORITHM) || (!c->auth && !c->auth_int))
		return ERR_UNSUPPORTED;
	if (!unbase64(c->nonce, octets, AKA_RAND + AKA_AUTN, sizeof octets))
		return ERR_SHORT;
	r = rd_of(octets, AKA_RAND + AKA_AUTN);
	return rd_copy(&r, c->rand, AKA_RAND) && rd_copy(&r, c->autn, AKA_AUTN) ? OK : ERR_SHORT;
}

void digest_challenge_print(struct wr *w, struct digest_challenge *c)
{
	uint8_t octets[AKA_RAND + AKA_AUTN];
	struct wr nonce = wr_of(c->nonce, sizeof c->nonce);
	bool first = true;

	memcpy(octets, c->rand, AKA_RAND);
	memcpy(octets + AKA_RAND, c->autn, AKA_AUTN);
	base64_print(&nonce, rd_of(octets, sizeof octets));
	wr_u8(&nonce, '\0');
	c->auth_int = true;
	c->auth = false;
	wr_str(w, "Digest ");
	put(w, &first, "realm", c->realm, true);
	put(w, &first, "nonce", c->nonce, true);
	put(w, &first, "qop", "auth-int", true);
	put(w, &first, "algorithm", ALGORITHM, false);
	if (c->opaque[0])
		put(w, &first, "opaque", c->opaque, true);
}

/* ---- credentials ---- */

/* What goes beyond the single values. */
static enum err credentials_check(const struct digest_credentials *c, const char *qop, const char *algorithm, const char *auts)
{
	bool begins = c->nonce[0] == '\0' && c->response[0] == '\0';

	if (algorithm[0] && !same_word(algorithm, ALGORITHM))
		return ERR_UNSUPPORTED;
	if (c->username[0] == '\0' || c->uri[0] == '\0')
		return ERR_MALFORMED;
	if (begins)
		return auts[0] ? ERR_MALFORMED : OK;
	if (!is_hex(c->response, HTTP_DIGEST_SIZE - 1) || !is_hex(c->nc, sizeof c->nc - 1) || c->cnonce[0] == '\0' || c->nonce[0] == '\0')
		return ERR_MALFORMED;
	return strcmp(qop, "auth") == 0 || strcmp(qop, "auth-int") == 0 ? OK : ERR_UNSUPPORTED;
}

enum err digest_credentials_parse(struct rd value, struct digest_credentials *c)
{
	char qop[NAME_MAX_LEN] = "", algorithm[NAME_MAX_LEN] = "", auts[NAME_MAX_LEN] = "";
	struct parameter list[] = {{"username", c->username, sizeof c->username, false}, {"realm", c->realm, sizeof c->realm, false},
	    {"nonce", c->nonce, sizeof c->nonce, false}, {"uri", c->uri, sizeof c->uri, false}, {"response", c->response, sizeof c->response, false},
	    {"cnonce", c->cnonce, sizeof c->cnonce, false}, {"nc", c->nc, sizeof c->nc, false}, {"opaque", c->opaque, sizeof c->opaque, false},
	    {"qop", qop, sizeof qop, false}, {"algorithm", algorithm, sizeof algorithm, false}, {"auts", auts, sizeof auts, false},
	    {NULL, NULL, 0, false}};
	enum err e;

	memset(c, 0, sizeof *c);
	e = digest_parameters(value, list);
	if (e == OK)
		e = credentials_check(c, qop, algorithm, auts);
	if (e != OK)
		return e;
	c->auth_int = strcmp(qop, "auth-int") == 0;
	c->resync = auts[0] != '\0';
	return !c->resync || unbase64(auts, c->auts, AKA_AUTS, AKA_AUTS) ? OK : ERR_MALFORMED;
}

void digest_credentials_print(struct wr *w, const struct digest_credentials *c)
{
	bool first = true, begins = c->nonce[0] == '\0' && c->response[0] == '\0';

	wr_str(w, "Digest ");
	put(w, &first, "username", c->username, true);
	put(w, &first, "realm", c->realm, true);
	put(w, &first, "nonce", c->nonce, true);
	put(w, &first, "uri", c->uri, true);
	put(w, &first, "response", c->response, true);
	if (c->opaque[0])
		put(w, &first, "opaque", c->opaque, true);
	put(w, &first, "algorithm", ALGORITHM, false);
	if (begins)
		return;
	put(w, &first, "qop", c->auth_int ? "auth-int" : "auth", false);
	put(w, &first, "nc", c->nc, false);
	put(w, &first, "cnonce", c->cnonce, true);
	if (c->resync) {
		wr_str(w, ", auts=\"");
		base64_print(w, rd_of(c->auts, AKA_AUTS));
		wr_u8(w, '"');
	}
}

void digest_credentials_sign(const struct digest_credentials *c, struct rd method, struct rd body, const struct secret *res,
    char response[static HTTP_DIGEST_SIZE])
{
	const struct http_digest d = {.username = rd_str(c->username), .realm = rd_str(c->realm), .nonce = rd_str(c->nonce), .nc = rd_str(c->nc), .cnonce = rd_str(c->cnonce), .auth_int = c->auth_int, .method = method, .uri = rd_str(c->uri), .body = body};

	http_digest(&d, res, response);
}

/* ---- the server's proof ---- */

enum err digest_info_parse(struct rd value, struct digest_info *i)
{
	char qop[NAME_MAX_LEN] = "";
	struct parameter list[] = {{"rspauth", i->rspauth, sizeof i->rspauth, false}, {"cnonce", i->cnonce, sizeof i->cnonce, false},
	    {"nc", i->nc, sizeof i->nc, false}, {"qop", qop, sizeof qop, false}, {NULL, NULL, 0, false}};
	enum err e;

	memset(i, 0, sizeof *i);
	if (value.left > DIGEST_HEADER_MAX)
		return ERR_TOO_LONG;
	e = parameters(value, list);
	if (e != OK)
		return e;
	if (!is_hex(i->rspauth, HTTP_DIGEST_SIZE - 1) || !is_hex(i->nc, sizeof i->nc - 1) || i->cnonce[0] == '\0')
		return ERR_MALFORMED;
	i->auth_int = strcmp(qop, "auth-int") == 0;
	return i->auth_int || strcmp(qop, "auth") == 0 ? OK : ERR_UNSUPPORTED;
}

void digest_info_print(struct wr *w, const struct digest_info *i)
{
	bool first = true;

	put(w, &first, "qop", i->auth_int ? "auth-int" : "auth", false);
	put(w, &first, "rspauth", i->rspauth, true);
	put(w, &first, "cnonce", i->cnonce, true);
	put(w, &first, "nc", i->nc, false);
}

void digest_info_sign(const struct digest_credentials *c, struct rd body, const struct secret *res, char rspauth[static HTTP_DIGEST_SIZE])
{
	digest_credentials_sign(c, rd_of("", 0), body, res, rspauth);
}
