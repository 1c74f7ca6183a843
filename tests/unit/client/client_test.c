/* The client library where nobody answers: what it refuses to begin with, what it says, and that it gives everything back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyway/client.h"

static const char *const plain[] = {"http", "coap", "ws", "mqtt"};
#define PLAIN (sizeof plain / sizeof plain[0])

static void says_what_an_option_lacks(void **state)
{
	static const struct {
		struct keyway_options o;
		const char *word;
	} cases[] = {
		{{.from = "C"}, "`url` is missing"},
		{{.url = "ftp://127.0.0.1", .from = "C"}, "must begin with"},
		{{.url = "http:/127.0.0.1", .from = "C"}, "must begin with"},
		{{.url = "http://127.0.0.1"}, "`from`"},
		{{.url = "https://127.0.0.1", .from = "C"}, "`ca`, `cert` and `key`"},
		{{.url = "wss://127.0.0.1", .from = "C", .ca = "x", .cert = "x"}, "`ca`, `cert` and `key`"},
		{{.url = "wss://127.0.0.1", .from = "C", .ca = "/nowhere", .cert = "/nowhere", .key = "/nowhere"}, "/nowhere"},
		{{.url = "wss://127.0.0.1", .from = "C", .psk_identity = "me"}, "belong together"},
		{{.url = "wss://127.0.0.1", .from = "C", .psk_identity = "me", .psk_file = "/nowhere"}, "/nowhere"},
		{{.url = "mqtts://127.0.0.1", .from = "C", .cse = "/id-in", .psk_identity = "me", .psk_file = "x", .ca = "x"}, "not both"},
		{{.url = "mqtt://127.0.0.1", .from = "C"}, "`cse`"},
		{{.url = "mqtt://broker.example", .from = "C", .cse = "/id-in"}, "broker"},
		{{.url = "http://127.0.0.1", .from = "C", .cse = "id-in"}, "CSE-ID"},
		{{.url = "http://127.0.0.1", .from = "C", .cse = "/id-in/x"}, "CSE-ID"},
	};
	char why[KEYWAY_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		why[0] = '\0';
		assert_null(keyway_open(&cases[i].o, why, sizeof why));
		if (!strstr(why, cases[i].word))
			fail_msg("%zu: `%s` is not in: %s", i, cases[i].word, why);
	}
}

/* A socket that is bound and answers nothing: whoever connects waits. */
static int silent(int type, unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static struct keyway *client_of(const char *scheme, unsigned port, unsigned timeout_ms)
{
	char url[64], why[KEYWAY_WHY_SIZE];
	const struct keyway_options o = {.url = url, .from = "Ctest", .cse = "/id-in", .timeout_ms = timeout_ms};
	struct keyway *k;

	snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, port);
	k = keyway_open(&o, why, sizeof why);
	if (!k)
		fail_msg("%s", why);
	return k;
}

static const struct keyway_request retrieve = {.operation = KEYWAY_RETRIEVE, .to = "cse-in"};

static void tells_that_nobody_is_there(void **state)
{
	struct keyway_answer a;

	(void)state;
	for (size_t i = 0; i < PLAIN; i++) {
		unsigned port;
		struct keyway *k;

		close(silent(strcmp(plain[i], "coap") == 0 ? SOCK_DGRAM : SOCK_STREAM, &port));
		k = client_of(plain[i], port, 20000);
		assert_int_equal(keyway_call(k, &retrieve, &a), 0);
		if (a.failure != KEYWAY_UNREACHABLE)
			fail_msg("%s: %d, %s", plain[i], a.failure, a.why);
		assert_non_null(strstr(a.why, "cannot be reached"));
		assert_string_equal(a.content, "");
		keyway_close(k);
	}
}

static void waits_as_long_as_it_was_told(void **state)
{
	struct keyway_answer a;

	(void)state;
	for (size_t i = 0; i < PLAIN - 1; i++) { /* a broker that is silent is waited for longer, and then not reachable */
		unsigned port;
		int fd = silent(strcmp(plain[i], "coap") == 0 ? SOCK_DGRAM : SOCK_STREAM, &port);
		struct keyway *k = client_of(plain[i], port, 300);

		assert_int_equal(keyway_call(k, &retrieve, &a), 0);
		if (a.failure != KEYWAY_TIMEOUT)
			fail_msg("%s: %d, %s", plain[i], a.failure, a.why);
		keyway_close(k);
		close(fd);
	}
}

struct told {
	unsigned count;
	enum keyway_failure failure;
};

static void on_done(void *ctx, const struct keyway_answer *a)
{
	struct told *t = ctx;

	t->count++;
	t->failure = a->failure;
}

static void gives_back_what_waits_at_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLAIN; i++) {
		struct told t = {0};
		unsigned port;
		int fd = silent(strcmp(plain[i], "coap") == 0 ? SOCK_DGRAM : SOCK_STREAM, &port);
		struct keyway *k = client_of(plain[i], port, 20000);

		for (int n = 0; n < 5; n++)
			keyway_send(k, &retrieve, on_done, &t);
		assert_int_equal(keyway_waiting(k), 5);
		for (int n = 0; n < 5; n++)
			keyway_step(k, 10);
		keyway_send(k, &retrieve, on_done, &t); /* and one that was not begun */
		keyway_close(k);
		assert_int_equal(t.count, 0);
		close(fd);
	}
}

static void refuses_what_is_no_request(void **state)
{
	static const struct {
		struct keyway_request rq;
		const char *word;
	} cases[] = {
		{{.operation = KEYWAY_RETRIEVE}, "`to`"},
		{{.operation = KEYWAY_RETRIEVE, .to = ""}, "`to`"},
		{{.operation = KEYWAY_CREATE, .to = "cse-in", .content = "{}"}, "`type`"},
		{{.to = "cse-in"}, "`operation`"},
		{{.operation = KEYWAY_RETRIEVE, .to = "cse-in", .query = "rcn=many"}, "rcn"},
	};
	struct keyway *k = client_of("ws", 9, 1000);
	struct told t = {0};
	struct keyway_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(keyway_call(k, &cases[i].rq, &a), 0);
		assert_int_equal(a.failure, KEYWAY_INVALID);
		if (!strstr(a.why, cases[i].word))
			fail_msg("%zu: `%s` is not in: %s", i, cases[i].word, a.why);
	}
	keyway_send(k, &cases[0].rq, on_done, &t);
	assert_int_equal(t.count, 0); /* never from keyway_send itself */
	while (t.count == 0)
		keyway_step(k, -1);
	assert_int_equal(t.failure, KEYWAY_INVALID);
	keyway_close(k);
	keyway_close(NULL);
}

static int on_notified(void *ctx, const struct keyway_notification *n)
{
	(void)ctx;
	(void)n;
	return 2000;
}

static void listens_on_loopback_alone(void **state)
{
	char why[KEYWAY_WHY_SIZE];
	const char *target;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char url[64];
		const struct keyway_options o = {.url = url, .from = "Ctest", .listen = "0.0.0.0:0"};
		struct keyway *k;

		snprintf(url, sizeof url, "%s://127.0.0.1:9", plain[i]);
		k = keyway_open(&o, why, sizeof why);
		assert_non_null(k);
		assert_int_equal(keyway_reach(k, on_notified, NULL, &target, why, sizeof why), -1);
		assert_non_null(strstr(why, "loopback"));
		keyway_close(k);
		k = client_of(plain[i], 9, 1000);
		assert_int_equal(keyway_reach(k, on_notified, NULL, &target, why, sizeof why), 0);
		assert_non_null(strstr(target, i == 0 ? "http://127.0.0.1:" : "coap://127.0.0.1:"));
		keyway_close(k);
	}
}

static void names_codes(void **state)
{
	(void)state;
	assert_string_equal(keyway_rsc_text(4004), "NOT_FOUND");
	assert_string_equal(keyway_rsc_text(4), "");
	assert_true(strlen(keyway_version()) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_an_option_lacks),
		cmocka_unit_test(tells_that_nobody_is_there),
		cmocka_unit_test(waits_as_long_as_it_was_told),
		cmocka_unit_test(gives_back_what_waits_at_its_end),
		cmocka_unit_test(refuses_what_is_no_request),
		cmocka_unit_test(listens_on_loopback_alone),
		cmocka_unit_test(names_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
