/* The audit log: JSON lines, appended, each with a sequence number and the SHA-256 of the line before, so that a
 * changed, lost or inserted line shows. It never holds a key.
 *
 *	{"seq":7,"time":"2026-11-21T04:11:00Z","event":"transport key sent","device":"00124b0001020304","gateway":"gw1",
 *	 "detail":"generation 1","previous":"<64 hex>","hash":"<64 hex>"}
 *
 * `hash` is over the line's octets before `,"hash"`, which hold `previous`; the first line's previous is 64 zeros. */
#ifndef KEYWAY_AUDIT_AUDIT_H
#define KEYWAY_AUDIT_AUDIT_H

#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

#define AUDIT_LINE_MAX 2048

struct audit;

struct audit_entry {
	const char *event;   /* a fixed sentence */
	uint64_t device;     /* 0: not about a device */
	const char *gateway; /* name; NULL */
	const char *client;  /* node B or the operator; NULL */
	const char *detail;  /* NULL */
};

/* Reads the chain through. ERR_BAD_MIC: *line is the first line that does not fit; ERR_IO. A last line that lacks its end was never
 * acknowledged to anybody: it is cut off. */
enum err audit_open(const char *path, struct audit **out, uint64_t *line) MUST_CHECK;
void audit_close(struct audit *a); /* accepts NULL */
/* OK when the line is on disk. */
enum err audit_append(struct audit *a, uint64_t unix_s, const struct audit_entry *e) MUST_CHECK;
/* The same for several: written, but on disk only when audit_sync returns OK. When that fails they are cut off again. */
enum err audit_add(struct audit *a, uint64_t unix_s, const struct audit_entry *e) MUST_CHECK;
enum err audit_sync(struct audit *a) MUST_CHECK;
/* Where the chain ends, for an anchor that is kept elsewhere: cutting whole lines off the end leaves a chain that fits. */
struct audit_head {
	uint64_t last;    /* sequence number; 0 for none */
	uint8_t hash[32]; /* of that line; zeros for none */
};
void audit_head(const struct audit *a, struct audit_head *h); /* of what is on disk */
/* The same as it was when `last` was the last line. ERR_NOT_FOUND: there are fewer lines. */
enum err audit_head_at(const struct audit *a, uint64_t last, struct audit_head *h) MUST_CHECK;
uint64_t audit_last(const struct audit *a); /* sequence number of the last entry, 0 for none */
/* Writes entries with a greater sequence number into an open array, at most `most` of them. */
enum err audit_read(struct audit *a, uint64_t since, size_t most, struct json_out *o) MUST_CHECK;

#endif
