/* Several sources of pre-shared keys, asked one after another. */
#include <stdlib.h>

#include "tls/psk_file.h"

#define SOURCES_MAX 8

struct psk_chain {
	struct psk_source sources[SOURCES_MAX];
	size_t count;
};

struct search {
	struct psk_chain *chain;
	size_t next;
	void *handle; /* of the source that is asked now */
	bool asking, answered; /* within find; done was called */
	psk_done *done;
	void *ctx;
	char identity[PSK_IDENTITY_MAX + 1];
};

static void ask(struct search *s);

static void end(struct search *s, struct psk_answer *a)
{
	psk_done *done = s->done;
	void *ctx = s->ctx;

	if (s->asking) {
		s->answered = true; /* chain_find frees it */
	} else {
		free(s);
	}
	done(ctx, a);
}

static void on_answer(void *ctx, struct psk_answer *a)
{
	struct search *s = ctx;

	s->handle = NULL;
	if (!a && s->next < s->chain->count)
		ask(s);
	else
		end(s, a);
}

static void ask(struct search *s)
{
	const struct psk_source *source = &s->chain->sources[s->next++];
	bool outer = s->asking;
	void *handle;

	s->asking = true;
	handle = source->find(source->source, s->identity, on_answer, s);
	s->asking = outer;
	if (handle)
		s->handle = handle;
	else if (s->answered && !outer)
		free(s);
}

static void *chain_find(void *source, const char *identity, psk_done *done, void *ctx)
{
	struct psk_chain *c = source;
	struct search *s = c->count ? calloc(1, sizeof *s) : NULL;

	if (!s || !rd_text(rd_str(identity), s->identity, sizeof s->identity)) {
		free(s);
		done(ctx, NULL);
		return NULL;
	}
	s->chain = c;
	s->done = done;
	s->ctx = ctx;
	s->asking = true;
	ask(s);
	s->asking = false;
	if (!s->answered)
		return s;
	free(s);
	return NULL;
}

static void chain_cancel(void *source, void *handle)
{
	struct psk_chain *c = source;
	struct search *s = handle;

	if (s->handle)
		c->sources[s->next - 1].cancel(c->sources[s->next - 1].source, s->handle);
	free(s);
}

/* Backwards: text files, which are slow to read, are in front. */
static bool chain_stands(void *source, const char *identity, const char *key_name)
{
	const struct psk_chain *c = source;

	for (size_t i = c->count; i-- > 0;)
		if (!c->sources[i].stands || c->sources[i].stands(c->sources[i].source, identity, key_name))
			return true;
	return false;
}

struct psk_chain *psk_chain_new(void)
{
	struct psk_chain *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	return c;
}

void psk_chain_add(struct psk_chain *c, const struct psk_source *s)
{
	if (c->count == SOURCES_MAX)
		abort(); /* a program has as many as its main says */
	c->sources[c->count++] = *s;
}

void psk_chain_free(struct psk_chain *c)
{
	free(c);
}

struct psk_source psk_chain_source(struct psk_chain *c)
{
	return (struct psk_source){chain_find, chain_cancel, c, chain_stands};
}
