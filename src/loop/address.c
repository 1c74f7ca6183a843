/* IPv4 addresses with ports, as configuration and logs have them. */
#include "loop/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/rd.h"

enum err address_parse(const char *host_port, struct sockaddr_in *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	const char *colon = strrchr(host_port, ':');
	char host[64];
	uint64_t port;

	if (!colon || !rd_decimal(rd_str(colon + 1), &port) || port > 65535 ||
	    !rd_text(rd_of(host_port, (size_t)(colon - host_port)), host, sizeof host))
		return ERR_CONFIG;
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return ERR_CONFIG;
	a.sin_port = htons((uint16_t)port);
	*out = a;
	return OK;
}

void address_print(const struct sockaddr_in *a, char text[static ADDRESS_TEXT_MAX])
{
	char host[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &a->sin_addr, host, sizeof host);
	snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(a->sin_port));
}

uint16_t address_port(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof a;

	getsockname(fd, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}
