/* TCP sockets: how they begin. */
#include "loop/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/address.h"

static enum err open_for(const char *host_port, struct sockaddr_in *a, int *fd)
{
	enum err e = address_parse(host_port, a);

	if (e != OK)
		return e;
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? ERR_IO : OK;
}

enum err tcp_listen(const char *host_port, int backlog, int *out)
{
	struct sockaddr_in a;
	int fd, one = 1;
	enum err e = open_for(host_port, &a, &fd);

	if (e != OK)
		return e;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, backlog) != 0) {
		close(fd);
		return ERR_IO;
	}
	*out = fd;
	return OK;
}

/* A refusal that is known at once is told from the loop like any other. */
enum err tcp_connect(const char *host_port, int *out, bool *refused)
{
	struct sockaddr_in a;
	int fd, one = 1;
	enum err e = open_for(host_port, &a, &fd);

	if (e != OK)
		return e;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS) {
		*refused = errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH;
		if (!*refused) {
			close(fd);
			return ERR_IO;
		}
	}
	*out = fd;
	return OK;
}
