/* index.txt: what a CA issued, one line each, in OpenSSL's columns: state, end, revocation, serial number, file (here the name), subject. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pki/pki_private.h"

#define LINE_SIZE 1024

/* One writer at a time: the MEF that enrols, the operator who revokes. -1 when the directory cannot be written. */
static int lock_index(const struct ca *ca)
{
	char path[PKI_PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/index.lock", ca->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A file of ours, for nobody else. */
static FILE *open_own(const char *path, int flags, const char *mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	return fd < 0 ? NULL : fdopen(fd, mode);
}

static void print_time(char text[static 20], uint64_t at)
{
	time_t t = (time_t)at;
	char whole[20];
	struct tm utc;

	gmtime_r(&t, &utc);
	strftime(whole, sizeof whole, "%Y%m%d%H%M%SZ", &utc);
	/* RFC 5280 clause 4.1.2.5: four digits of the year from 2050 on */
	strcpy(text, utc.tm_year >= 150 ? whole : whole + 2);
}

static bool parse_time(struct rd text, uint64_t *at)
{
	char digits[20];
	struct tm utc = {0};
	const char *end;

	if (!rd_text(text, digits, sizeof digits))
		return false;
	end = strptime(digits, strlen(digits) == 15 ? "%Y%m%d%H%M%SZ" : "%y%m%d%H%M%SZ", &utc);
	if (!end || *end)
		return false;
	if (strlen(digits) == 13 && utc.tm_year < 50)
		utc.tm_year += 100;
	*at = (uint64_t)timegm(&utc);
	return true;
}

static bool column(struct rd *line, struct rd *part)
{
	if (rd_until(line, '\t', part))
		return true;
	*part = rd_rest(line);
	return part->left > 0;
}

static bool parse_line(struct rd line, struct ca_entry *e)
{
	struct rd state, end, revoked, serial, name, subject, when;

	*e = (struct ca_entry){0};
	if (!column(&line, &state) || !column(&line, &end) || !rd_until(&line, '\t', &revoked) || !column(&line, &serial) || !column(&line, &name) ||
	    !column(&line, &subject) || state.left != 1 || !parse_time(end, &e->expires_at) || !rd_text(serial, e->serial, sizeof e->serial) ||
	    !rd_text(name, e->name, sizeof e->name))
		return false;
	e->state = (char)state.at[0];
	if (!rd_until(&revoked, ',', &when)) {
		when = rd_rest(&revoked);
	} else if (!rd_text(revoked, e->reason, sizeof e->reason)) {
		return false;
	}
	if (when.left > 0 && !parse_time(when, &e->revoked_at))
		return false;
	return !rd_starts(subject, "/CN=") || rd_text(rd_of(subject.at + 4, subject.left - 4), e->common_name, sizeof e->common_name);
}

static void print_line(FILE *f, const struct ca_entry *e)
{
	char end[20], revoked[20] = "";

	print_time(end, e->expires_at);
	if (e->state == 'R')
		print_time(revoked, e->revoked_at);
	fprintf(f, "%c\t%s\t%s%s%s\t%s\t%s\t/CN=%s\n", e->state, end, revoked, e->reason[0] ? "," : "", e->reason, e->serial, e->name,
	    e->common_name[0] ? e->common_name : e->name);
}

static enum err settle(FILE *f, const char *path, const char *place)
{
	enum err e = fflush(f) == 0 && fsync(fileno(f)) == 0 ? OK : ERR_IO;

	if (fclose(f) != 0)
		e = ERR_IO;
	if (e == OK && place && rename(path, place) != 0)
		e = ERR_IO;
	return e;
}

enum err ca_index_add(const struct ca *ca, const struct ca_entry *entry)
{
	char path[PKI_PATH_MAX], attributes[PKI_PATH_MAX];
	int lock = lock_index(ca);
	enum err e = ERR_IO;
	FILE *f;

	if (lock < 0)
		return ERR_IO;
	/* without it OpenSSL takes a second certificate of the same subject for a mistake */
	snprintf(attributes, sizeof attributes, "%s/index.txt.attr", ca->dir);
	if (access(attributes, F_OK) != 0 && (f = open_own(attributes, O_TRUNC, "w")) != NULL) {
		fputs("unique_subject = no\n", f);
		fclose(f);
	}
	snprintf(path, sizeof path, "%s/index.txt", ca->dir);
	f = open_own(path, O_APPEND, "a");
	if (f) {
		print_line(f, entry);
		e = settle(f, path, NULL);
	}
	close(lock);
	return e;
}

static enum err walk(FILE *in, FILE *out, bool (*fn)(void *ctx, struct ca_entry *e), void *ctx, bool *changed)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof line, in)) {
		struct ca_entry e;

		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			continue;
		if (!parse_line(rd_str(line), &e))
			return ERR_MALFORMED;
		*changed |= fn(ctx, &e);
		if (out)
			print_line(out, &e);
	}
	return ferror(in) ? ERR_IO : OK;
}

enum err ca_index_walk(const struct ca *ca, bool (*fn)(void *ctx, struct ca_entry *e), void *ctx)
{
	char path[PKI_PATH_MAX], fresh[PKI_PATH_MAX];
	int lock = lock_index(ca);
	bool changed = false;
	enum err e = ERR_IO;
	FILE *in, *out;

	if (lock < 0)
		return ERR_IO;
	snprintf(path, sizeof path, "%s/index.txt", ca->dir);
	snprintf(fresh, sizeof fresh, "%s/index.new", ca->dir);
	in = fopen(path, "re");
	out = in ? open_own(fresh, O_TRUNC, "w") : NULL;
	if (!in) {
		e = errno == ENOENT ? OK : ERR_IO; /* nothing was issued yet */
	} else if (out) {
		e = walk(in, out, fn, ctx, &changed);
		if (e == OK && changed) {
			e = settle(out, fresh, path);
		} else {
			fclose(out);
			unlink(fresh);
		}
	}
	if (in)
		fclose(in);
	close(lock);
	return e;
}
