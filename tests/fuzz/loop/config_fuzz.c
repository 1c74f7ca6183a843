/* Any file as a configuration: it is refused with one line that names the file, or every key that is required is there, every number is as written, and
 * no text has a line end in it. And a text of any length, in a file of its own, is read as it is, or refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loop/config.h"
#include "../fuzz.h"

struct values {
	char *text, *other;
	bool flag;
	uint64_t number, device;
};

static const char *file(const void *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

static enum err read_values(const char *path, struct values *v, char *message, size_t size)
{
	const struct config_key keys[] = {
		{"server", "listen", CONFIG_STRING, &v->text, true, "where to listen"},
		{"server", "number", CONFIG_UINT, &v->number, false, ""},
		{"server", "yes", CONFIG_BOOL, &v->flag, false, ""},
		{"radio", "eui64", CONFIG_EUI64, &v->device, false, ""},
		{"radio", "listen", CONFIG_STRING, &v->other, false, ""},
		{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
	};
	enum err e = config_read(path, keys, message, size);

	if (e == OK)
		MUST(v->text && !strpbrk(v->text, "\r\n") && (!v->other || !strpbrk(v->other, "\r\n")));
	else
		MUST(strncmp(message, path, strlen(path)) == 0 && memchr(message, '\0', size));
	return e;
}

static void clear(struct values *v)
{
	free(v->text);
	free(v->other);
}

static void any_file(const uint8_t *data, size_t size)
{
	struct values v = {.text = NULL};
	char message[200];

	(void)!read_values(file(data, size), &v, message, sizeof message);
	clear(&v);
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-' || c == '_' || c == ':';
}

static void long_text(const uint8_t *data, size_t size)
{
	char text[FUZZ_INPUT_MAX + 1], whole[FUZZ_INPUT_MAX + 64], message[200];
	struct values v = {.text = NULL};
	size_t n = 0;
	int len;

	for (size_t i = 0; i < size; i++)
		if (is_plain(data[i]))
			text[n++] = (char)data[i];
	text[n] = '\0';
	len = snprintf(whole, sizeof whole, "[server]\nlisten = %s\nnumber = 7\n", text);
	MUST(len > 0 && (size_t)len < sizeof whole);
	if (read_values(file(whole, (size_t)len), &v, message, sizeof message) == OK)
		MUST(strcmp(v.text, text) == 0 && v.number == 7);
	clear(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > FUZZ_INPUT_MAX)
		return 0;
	any_file(data, size);
	long_text(data, size);
	return 0;
}
