/* Reference (a): libmicrohttpd with nothing behind it. Its answers are made once. */
#include "bench/reference.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rd.h"

#define ANSWER_MAX 65536
#define WAIT_MS 1000

struct canned {
	char text[ANSWER_MAX];
	unsigned status;
	struct MHD_Response *response;
};

static struct canned get, post;

/* What libmicrohttpd writes by itself. */
static bool is_own(const char *name)
{
	return strcasecmp(name, "Date") == 0 || strcasecmp(name, "Connection") == 0 || strcasecmp(name, "Content-Length") == 0;
}

static bool canned_make(struct canned *c, const char *path)
{
	struct rd headers[32], r, line, part;
	FILE *f = fopen(path, "r");
	size_t n = 0;

	if (!f)
		return false;
	r = rd_of(c->text, fread(c->text, 1, sizeof c->text, f));
	fclose(f);
	if (!rd_line(&r, &line) || !rd_until(&line, ' ', &part) || line.left < 3)
		return false;
	c->status = (unsigned)atoi((const char *)line.at);
	while (rd_line(&r, &line) && line.left > 0 && n < 32)
		headers[n++] = line;
	c->response = MHD_create_response_from_buffer(r.left, (void *)(uintptr_t)r.at, MHD_RESPMEM_PERSISTENT);
	for (size_t i = 0; c->response && i < n; i++) {
		char name[128], value[1024];

		if (rd_until(&headers[i], ':', &part) && rd_skip(&headers[i], 1) && rd_text(part, name, sizeof name) && !is_own(name) &&
		    (!rd_text(headers[i], value, sizeof value) || MHD_add_response_header(c->response, name, value) != MHD_YES))
			return false;
	}
	return c->response != NULL;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **con_cls)
{
	const struct canned *c = method[0] == 'P' ? &post : &get;

	(void)cls;
	(void)url;
	(void)version;
	(void)upload;
	if (!*con_cls) {
		*con_cls = &get;
		return MHD_YES;
	}
	if (*upload_len > 0) {
		*upload_len = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, c->status, c->response);
}

int reference_http_main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *d;

	if (argc != 3 || !canned_make(&get, argv[1]) || !canned_make(&post, argv[2])) {
		fputs("usage: reference-http GET-FILE POST-FILE\n", stderr);
		return 2;
	}
	d = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &a,
	    MHD_OPTION_CONNECTION_TIMEOUT, 120U, MHD_OPTION_END);
	info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info)
		return 1;
	fprintf(stderr, "ready http=%u\n", (unsigned)info->port);
	for (;;)
		MHD_run_wait(d, WAIT_MS);
}
