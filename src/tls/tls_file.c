/* Files of credentials. */
#include "tls/psk_line.h"
#include "tls/tls_private.h"

bool tls_file_changed(struct tls_file *f)
{
	struct stat now;
	bool same;

	f->gone = f->path && stat(f->path, &now) != 0;
	if (!f->path || f->gone)
		return false;
	same = now.st_ino == f->seen.st_ino && now.st_size == f->seen.st_size && now.st_mtim.tv_sec == f->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == f->seen.st_mtim.tv_nsec;
	f->seen = now;
	return !same;
}

bool tls_file_private(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 077) == 0;
}

bool tls_file_is_private(const char *path)
{
	return tls_file_private(path);
}
