/* The state directory of a server, and its words at a start that fails. */
#include "loop/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loop/log.h"
#include "tls/psk_line.h"

#define LOCK "/state.lock"
#define SOON_S (14 * 86400)
#define PATH_SIZE 1024

static bool cannot_use(const char *path, const char *why, const char *advice)
{
	log_line(LOG_LEVEL_ERROR, "the state directory can't be used", "path=%s why=\"%s\" advice=\"%s\"", path, why, advice);
	return false;
}

/* Who holds it wrote its number into the lock. */
static bool is_held(const char *path, int fd)
{
	char number[16];
	ssize_t n = pread(fd, number, sizeof number - 1, 0);

	number[n > 0 ? n : 0] = '\0';
	log_line(LOG_LEVEL_ERROR, "the state directory is in use by another process", "path=%s process=%ld advice=\"stop that one, or give this one a state directory of its own\"",
	    path, strtol(number, NULL, 10));
	close(fd);
	return false;
}

static bool lock(const char *path)
{
	char name[PATH_SIZE + sizeof LOCK];
	int fd;

	snprintf(name, sizeof name, "%s" LOCK, path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cannot_use(path, strerror(errno), "it must be a directory that the user of this program may write");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return is_held(path, fd);
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		close(fd);
		return cannot_use(path, strerror(errno), "is the disk full?");
	}
	return true; /* it stays open: the lock ends with this process */
}

bool startup_state(const char *path)
{
	if (strlen(path) >= PATH_SIZE)
		return cannot_use(path, "the path is too long", "a shorter one");
	if (mkdir(path, 0700) == 0)
		log_line(LOG_LEVEL_INFO, "state directory made", "path=%s", path);
	else if (errno != EEXIST)
		return cannot_use(path, strerror(errno), "make it, or the one above it, and give it to the user of this program");
	return lock(path);
}

static void certificate_tell(enum log_level level, const char *what, const char *path, time_t when, const char *advice)
{
	char text[32];
	struct tm t;

	gmtime_r(&when, &t);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
	log_line(level, what, "file=%s time=%s advice=\"%s\"", path, text, advice);
}

static void certificate_judge(const char *path, const gnutls_datum_t *pem)
{
	time_t now = time(NULL), from, until;
	gnutls_x509_crt_t c;

	if (gnutls_x509_crt_init(&c) != 0)
		return;
	if (gnutls_x509_crt_import(c, pem, GNUTLS_X509_FMT_PEM) == 0) {
		from = gnutls_x509_crt_get_activation_time(c);
		until = gnutls_x509_crt_get_expiration_time(c);
		if (until < now)
			certificate_tell(LOG_LEVEL_ERROR, "the certificate has expired: nobody will accept it", path, until, "`keyway certificate issue` makes another; is the clock right?");
		else if (from > now)
			certificate_tell(LOG_LEVEL_ERROR, "the certificate is not valid yet: nobody will accept it", path, from, "set the clock");
		else if (until - now < SOON_S)
			certificate_tell(LOG_LEVEL_WARNING, "the certificate expires soon", path, until, "`keyway certificate issue` makes another");
	}
	gnutls_x509_crt_deinit(c);
}

void startup_certificate(const char *path)
{
	gnutls_datum_t pem;

	if (!path || gnutls_load_file(path, &pem) != 0)
		return;
	certificate_judge(path, &pem);
	gnutls_free(pem.data);
}

void startup_psk_file(const char *path)
{
	unsigned line = path ? psk_lines_wrong(path) : 0;

	if (line)
		log_line(LOG_LEVEL_WARNING, "a line of a file of pre-shared keys is not understood", "file=%s line=%u advice=\"IDENTITY:HEXKEY, with 32 hexadecimal digits or more\"", path, line);
}

bool startup_cannot_listen(const char *what, const char *address, enum err e)
{
	log_line(LOG_LEVEL_ERROR, what, "address=%s error=%s advice=\"%s\"", address, err_name(e),
	    e == ERR_CONFIG ? "it must be HOST:PORT, with an IP address, such as 127.0.0.1:9440" : "is the address of this host, and the port free? `ss -tulnp` tells who has it");
	return false;
}
