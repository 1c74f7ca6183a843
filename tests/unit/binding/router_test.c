/* Requests leave by the scheme of their URL, or over a connection of their target's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "binding/router/router.h"

struct way {
	const char *url, *target;
	bool takes;
};

static void send(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct way *w = binding;

	(void)rq;
	w->url = url;
	w->target = target_id;
	done(ctx, &(const struct onem2m_response){.rsc = RSC_OK});
}

static bool send_connected(void *binding, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct way *w = binding;

	if (w->takes)
		send(binding, "", target_id, rq, done, ctx);
	return w->takes;
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	*(enum onem2m_rsc *)ctx = rsp->rsc;
}

static void goes_by_scheme(void **state)
{
	static const struct {
		const char *url;
		int way; /* or -1: nobody's */
	} cases[] = {{"http://a", 0}, {"HTTP://a", 0}, {"https://a", 1}, {"ws://a:1/x", 2}, {"wss://a", -1}, {"w://a", -1}, {"http:a", -1}, {"", -1}, {"://a", -1}, {"httpx://a", -1}};
	struct way ways[3];
	struct router r = {.count = 0};

	(void)state;
	router_add(&r, "http", send, &ways[0]);
	router_add(&r, "https", send, &ways[1]);
	router_add(&r, "ws", send, &ways[2]);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum onem2m_rsc rsc = RSC_ACCEPTED;

		memset(ways, 0, sizeof ways);
		router_send(&r, cases[i].url, "/id-mn", &(const struct onem2m_request){.operation = ONEM2M_NOTIFY}, on_done, &rsc);
		assert_int_equal(rsc, cases[i].way < 0 ? RSC_TARGET_NOT_REACHABLE : RSC_OK);
		for (int w = 0; w < 3; w++) {
			if (w == cases[i].way)
				assert_string_equal(ways[w].url, cases[i].url);
			else
				assert_null(ways[w].url);
		}
	}
}

static void asks_each_binding_for_a_connection(void **state)
{
	struct way none = {.takes = false}, one = {.takes = true}, other = {.takes = true};
	struct router r = {.count = 0};
	enum onem2m_rsc rsc = RSC_ACCEPTED;

	(void)state;
	assert_false(router_send_connected(&r, "/id-mn", &(const struct onem2m_request){.operation = ONEM2M_NOTIFY}, on_done, &rsc));
	router_add_connections(&r, send_connected, &none);
	assert_false(router_send_connected(&r, "/id-mn", &(const struct onem2m_request){.operation = ONEM2M_NOTIFY}, on_done, &rsc));
	assert_int_equal(rsc, RSC_ACCEPTED);
	router_add_connections(&r, send_connected, &one);
	router_add_connections(&r, send_connected, &other);
	assert_true(router_send_connected(&r, "/id-mn", &(const struct onem2m_request){.operation = ONEM2M_NOTIFY}, on_done, &rsc));
	assert_int_equal(rsc, RSC_OK);
	assert_string_equal(one.target, "/id-mn");
	assert_null(other.target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(goes_by_scheme), cmocka_unit_test(asks_each_binding_for_a_connection)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
