/* The memory of JSON trees: chunks that are filled one after the other and freed together. */
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 8192

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t octets[];
};

struct json_arena {
	struct chunk *first; /* the one that is being filled */
	size_t begin;        /* size of the first chunk; 0: CHUNK */
};

/* Chunks of the usual size that are free; a request that ends leaves its chunk to the next. */
#define SPARE_MOST 64
static _Thread_local struct chunk *spare;
static _Thread_local unsigned spare_count;

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = size == CHUNK ? spare : NULL;

	if (c) {
		spare = c->next;
		spare_count--;
	} else {
		c = malloc(sizeof *c + size);
	}
	return c;
}

static void chunk_free(struct chunk *c)
{
	if (c->size != CHUNK || spare_count == SPARE_MOST) {
		free(c);
		return;
	}
	c->next = spare;
	spare = c;
	spare_count++;
}

struct json_arena *json_arena_new(void)
{
	struct json_arena *a = malloc(sizeof *a);

	if (a)
		*a = (struct json_arena){NULL, 0};
	return a;
}

static size_t aligned(size_t size)
{
	return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

/* A string whose opening quote is behind us takes memory when it has escapes. */
static size_t string_room(struct rd *in)
{
	size_t len = 0;
	bool escapes = false;
	uint8_t c;

	for (; rd_u8(in, &c) && c != '"'; len++) {
		if (c != '\\')
			continue;
		escapes = true;
		len++;
		if (!rd_u8(in, &c))
			break;
	}
	return escapes ? aligned(len) : 0;
}

/* A node for the value, for the first child of each object and array, and for each behind a comma. */
struct json_arena *json_arena_for(struct rd text)
{
	struct json_arena *a = json_arena_new();
	size_t nodes = 1, strings = 0;
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if (c == '"')
			strings += string_room(&text);
		else
			nodes += c == ',' || c == '[' || c == '{';
	}
	if (a)
		a->begin = nodes * aligned(sizeof(struct json)) + strings;
	return a;
}

size_t json_arena_octets(const struct json_arena *a)
{
	size_t n = a ? sizeof *a : 0;

	for (const struct chunk *c = a ? a->first : NULL; c; c = c->next)
		n += sizeof *c + c->size;
	return n;
}

static void chunks_free(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		chunk_free(c);
		c = next;
	}
}

void json_arena_reset(struct json_arena *a)
{
	if (!a->first)
		return;
	chunks_free(a->first->next);
	a->first->next = NULL;
	a->first->used = 0;
}

void json_arena_free(struct json_arena *a)
{
	if (!a)
		return;
	chunks_free(a->first);
	free(a);
}

void *json_arena_alloc(struct json_arena *a, size_t size)
{
	size_t need = aligned(size);
	struct chunk *c = a->first;
	void *room;

	if (need < size)
		return NULL;
	if (!c || c->size - c->used < need) {
		size_t usual = a->begin && !a->first ? a->begin : CHUNK;
		size_t room_size = need > usual ? need : usual;

		c = chunk_new(room_size);
		if (!c)
			return NULL;
		c->next = a->first;
		c->used = 0;
		c->size = room_size;
		a->first = c;
	}
	room = &c->octets[c->used / sizeof(max_align_t)];
	c->used += need;
	memset(room, 0, size);
	return room;
}
