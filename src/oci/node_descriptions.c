/* The files with descriptions of devices. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/oci.h"

static enum err read_file(struct descriptions *d, const char *directory, const char *name, char *why, size_t why_size)
{
	struct wr text = wr_new(DESCRIPTION_FILE_MAX + 1);
	char path[700], octets[4096];
	enum err e = ERR_IO;
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	f = fopen(path, "r");
	while (f && (n = fread(octets, 1, sizeof octets, f)) > 0)
		wr_copy(&text, octets, n);
	if (!f || ferror(f))
		snprintf(why, why_size, "%s cannot be read", path);
	else if (text.spoilt || text.len > DESCRIPTION_FILE_MAX)
		snprintf(why, why_size, "%s is longer than %d octets", path, DESCRIPTION_FILE_MAX);
	else
		e = descriptions_read(d, path, rd_of(text.octets, text.len), why, why_size);
	if (f)
		fclose(f);
	wr_free(&text);
	return e;
}

static int is_json(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 && strcmp(e->d_name + len - 5, ".json") == 0;
}

enum err oci_descriptions(const char *directory, struct descriptions **out, char *why, size_t why_size)
{
	struct descriptions *d = descriptions_built_in();
	struct dirent **names = NULL;
	enum err e = d ? OK : ERR_NO_MEMORY;
	int count = 0;

	if (!d)
		snprintf(why, why_size, "out of memory");
	if (d && directory && (count = scandir(directory, &names, is_json, alphasort)) < 0) {
		snprintf(why, why_size, "the directory %s cannot be read", directory);
		e = ERR_IO;
	}
	for (int i = 0; i < count; i++) {
		if (e == OK)
			e = read_file(d, directory, names[i]->d_name, why, why_size);
		free(names[i]);
	}
	free(names);
	if (e == OK)
		*out = d;
	else
		descriptions_free(d);
	return e;
}
