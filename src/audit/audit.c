/* The audit log. */
#include "audit/audit.h"

#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define HASH_TEXT (2 * SHA256_DIGEST_SIZE)

struct audit {
	char *path;
	int fd;
	off_t size; /* of the good lines */
	uint64_t last;
	char previous[HASH_TEXT + 1];
	struct {
		off_t size;
		uint64_t last;
		char previous[HASH_TEXT + 1];
	} synced; /* the same, of what is on disk */
};

static void synced(struct audit *a)
{
	a->synced.size = a->size;
	a->synced.last = a->last;
	memcpy(a->synced.previous, a->previous, sizeof a->previous);
}

static void hash_print(struct rd octets, char text[static HASH_TEXT + 1])
{
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&sha);
	sha256_update(&sha, octets.left, octets.at);
	sha256_digest(&sha, sizeof digest, digest);
	hex_print(text, digest, sizeof digest);
}

/* ,"hash":"<64>"} at the end of each line. */
#define HASH_LEAD ",\"hash\":\""
#define TAIL (sizeof HASH_LEAD - 1 + HASH_TEXT + 2)

static bool line_fits(struct audit *a, struct json_arena *arena, struct rd line)
{
	const struct json *doc;
	char hash[HASH_TEXT + 1];
	struct rd body, rest = line;
	uint64_t seq;

	json_arena_reset(arena);
	if (json_parse(arena, line, NULL, &doc) != OK || !json_uint(json_get(doc, "seq"), &seq) || seq != a->last + 1 ||
	    !json_is_string(json_get(doc, "previous"), a->previous) || !rd_sub_but(&rest, TAIL, &body))
		return false;
	hash_print(body, hash);
	if (!json_is_string(json_get(doc, "hash"), hash))
		return false;
	a->last = seq;
	memcpy(a->previous, hash, sizeof hash);
	return true;
}

/* The good length goes to *keep: what stands behind it is half a line. */
static enum err chain_read(struct audit *a, FILE *f, long *keep, uint64_t *line)
{
	struct json_arena *arena = json_arena_new();
	char text[AUDIT_LINE_MAX + 2];
	enum err e = arena ? OK : ERR_NO_MEMORY;

	*keep = 0;
	for (*line = 1; e == OK && fgets(text, sizeof text, f); (*line)++) {
		size_t len = strlen(text);

		if (len == 0 || text[len - 1] != '\n') {
			if (!feof(f))
				e = ERR_BAD_MIC;
			break;
		}
		if (!line_fits(a, arena, rd_of(text, len - 1))) {
			e = ERR_BAD_MIC;
			break;
		}
		*keep = ftell(f);
	}
	json_arena_free(arena);
	return e;
}

enum err audit_open(const char *path, struct audit **out, uint64_t *line)
{
	struct audit *a = calloc(1, sizeof *a);
	FILE *f = NULL;
	long keep = 0;
	enum err e = ERR_IO;

	if (!a)
		return ERR_NO_MEMORY;
	*line = 0;
	memset(a->previous, '0', HASH_TEXT);
	a->path = strdup(path);
	a->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (a->path && a->fd >= 0 && (f = fopen(path, "r")) != NULL) {
		e = chain_read(a, f, &keep, line);
		fclose(f);
	}
	if (e == OK && ftruncate(a->fd, keep) != 0)
		e = ERR_IO;
	if (e != OK) {
		audit_close(a);
		return e;
	}
	a->size = keep;
	synced(a);
	*out = a;
	return OK;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->path);
	free(a);
}

static void members(struct audit *a, uint64_t unix_s, const struct audit_entry *entry, struct json_out *o)
{
	time_t seconds = (time_t)unix_s;
	char stamp[32], device[EUI64_SIZE];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_put_uint(o, "seq", a->last + 1);
	json_put_string(o, "time", stamp);
	json_put_string(o, "event", entry->event);
	if (entry->device) {
		eui64_print(device, entry->device);
		json_put_string(o, "device", device);
	}
	if (entry->gateway)
		json_put_string(o, "gateway", entry->gateway);
	if (entry->client)
		json_put_string(o, "client", entry->client);
	if (entry->detail)
		json_put_string(o, "detail", entry->detail);
	json_put_string(o, "previous", a->previous);
}

enum err audit_add(struct audit *a, uint64_t unix_s, const struct audit_entry *entry)
{
	uint8_t buffer[AUDIT_LINE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	char hash[HASH_TEXT + 1];
	struct rd line;

	json_object(&o, NULL);
	members(a, unix_s, entry, &o);
	if (!wr_done(&w, &line))
		return ERR_TOO_LONG;
	hash_print(line, hash);
	json_put_string(&o, "hash", hash);
	json_close(&o);
	wr_u8(&w, '\n');
	if (!wr_done(&w, &line))
		return ERR_TOO_LONG;
	if (write(a->fd, line.at, line.left) != (ssize_t)line.left)
		return ftruncate(a->fd, a->size) == 0 ? ERR_IO : ERR_INTERNAL; /* half a line would break the chain */
	a->size += (off_t)line.left;
	a->last++;
	memcpy(a->previous, hash, sizeof hash);
	return OK;
}

enum err audit_sync(struct audit *a)
{
	if (a->synced.last == a->last)
		return OK;
	if (fdatasync(a->fd) != 0) {
		int cut = ftruncate(a->fd, a->synced.size);

		a->size = a->synced.size;
		a->last = a->synced.last;
		memcpy(a->previous, a->synced.previous, sizeof a->previous);
		return cut == 0 ? ERR_IO : ERR_INTERNAL;
	}
	synced(a);
	return OK;
}

enum err audit_append(struct audit *a, uint64_t unix_s, const struct audit_entry *entry)
{
	enum err e = audit_add(a, unix_s, entry);

	return e == OK ? audit_sync(a) : e;
}

static bool head_of(uint64_t last, const char *hash, struct audit_head *h)
{
	h->last = last;
	memset(h->hash, 0, sizeof h->hash);
	return last == 0 || hex_parse(rd_str(hash), h->hash, sizeof h->hash);
}

void audit_head(const struct audit *a, struct audit_head *h)
{
	if (!head_of(a->synced.last, a->synced.previous, h))
		abort(); /* we print it ourselves */
}

enum err audit_head_at(const struct audit *a, uint64_t last, struct audit_head *h)
{
	char text[AUDIT_LINE_MAX + 2];
	uint64_t seq = 0;
	bool fits = false;
	FILE *f;

	if (last > a->synced.last)
		return ERR_NOT_FOUND;
	if (last == 0 || last == a->synced.last)
		return head_of(last, a->synced.previous, h) ? OK : ERR_INTERNAL;
	f = fopen(a->path, "r");
	if (!f)
		return ERR_IO;
	while (seq < last && fgets(text, sizeof text, f))
		seq++;
	fclose(f);
	/* the line ends with its hash, "} and a line end; audit_open has looked at it */
	if (seq == last && strlen(text) > TAIL) {
		text[strlen(text) - 3] = '\0';
		fits = head_of(last, text + strlen(text) - HASH_TEXT, h);
	}
	return fits ? OK : ERR_BAD_MIC;
}

uint64_t audit_last(const struct audit *a)
{
	return a->last;
}

enum err audit_read(struct audit *a, uint64_t since, size_t most, struct json_out *o)
{
	char text[AUDIT_LINE_MAX + 2];
	uint64_t seq = 0;
	FILE *f = fopen(a->path, "r");

	if (!f)
		return ERR_IO;
	while (most > 0 && fgets(text, sizeof text, f)) {
		if (++seq <= since)
			continue;
		json_put_raw(o, NULL, rd_of(text, strcspn(text, "\n")));
		most--;
	}
	fclose(f);
	return OK;
}
