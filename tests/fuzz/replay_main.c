/* Runs a fuzz target over every file of its corpus folder, over every prefix of each, and over nothing at all. Each input sits at the
 * end of a heap block of exactly its size, so that a sanitizer sees the first octet too many. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const uint8_t *octets, size_t len)
{
	uint8_t *copy = calloc(1, len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, octets, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void replay(const char *path)
{
	static uint8_t octets[65536];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		return;
	len = fread(octets, 1, sizeof octets, f);
	fclose(f);
	for (size_t n = len > 512 ? len - 512 : 0; n <= len; n++)
		run(octets, n);
}

int main(int argc, char **argv)
{
	unsigned files = 0;
	struct dirent *entry;
	DIR *dir;

	run((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		dir = opendir(argv[i]);
		while (dir && (entry = readdir(dir)) != NULL) {
			char path[4096];

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
			replay(path);
			files++;
		}
		if (dir)
			closedir(dir);
	}
	printf("replayed %u files\n", files);
	return 0;
}
