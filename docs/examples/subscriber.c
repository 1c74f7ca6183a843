/* A program that uses libkeyway-client: makes a container, subscribes to it, puts instances into it without waiting for each answer, and prints the
 * notifications. The binding is that of the URL.
 *
 *	cc -o subscriber subscriber.c $(pkg-config --cflags --libs keyway-client)
 *	./subscriber ws://127.0.0.1:8080 CAdmin /id-in 10 */
#include <keyway/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts {
	unsigned created, refused, notified;
};

static void on_created(void *ctx, const struct keyway_answer *a)
{
	struct counts *c = ctx;

	if (a->rsc == 2001) {
		c->created++;
		return;
	}
	c->refused++;
	fprintf(stderr, "%s\n", a->why);
}

static int on_notified(void *ctx, const struct keyway_notification *n)
{
	struct counts *c = ctx;

	c->notified++;
	printf("%s from %s\n", strstr(n->content, "\"m2m:cin\"") ? "an instance" : "something else", n->from);
	return 2000;
}

static struct keyway_answer must(struct keyway *k, int wanted, const struct keyway_request *rq)
{
	struct keyway_answer a;

	if (keyway_call(k, rq, &a) == wanted)
		return a;
	fprintf(stderr, "%s\n", a.why);
	keyway_close(k);
	exit(1);
}

int main(int argc, char **argv)
{
	struct counts c = {0};
	struct keyway_options o = {.release = "3"};
	char why[KEYWAY_WHY_SIZE], subscription[512];
	const char *target;
	struct keyway *k;
	unsigned n;

	if (argc != 5) {
		fprintf(stderr, "usage: subscriber URL ORIGINATOR CSE-ID N\n");
		return 2;
	}
	o.url = argv[1];
	o.from = argv[2];
	o.cse = argv[3];
	n = (unsigned)atoi(argv[4]);
	k = keyway_open(&o, why, sizeof why);
	if (!k || keyway_reach(k, on_notified, &c, &target, why, sizeof why) != 0) {
		fprintf(stderr, "%s\n", why);
		keyway_close(k);
		return 1;
	}
	must(k, 2001, &(struct keyway_request){.operation = KEYWAY_CREATE, .to = "-", .type = 3, .content = "{\"m2m:cnt\":{\"rn\":\"example\"}}"});
	snprintf(subscription, sizeof subscription, "{\"m2m:sub\":{\"rn\":\"s\",\"nu\":[\"%s\"],\"nct\":1,\"enc\":{\"net\":[3]}}}", target);
	must(k, 2001, &(struct keyway_request){.operation = KEYWAY_CREATE, .to = "-/example", .type = 23, .content = subscription});
	for (unsigned i = 0; i < n; i++)
		keyway_send(k, &(struct keyway_request){.operation = KEYWAY_CREATE, .to = "-/example", .type = 4, .content = "{\"m2m:cin\":{\"con\":\"hello\"}}"}, on_created, &c);
	while (c.created + c.refused < n || c.notified < c.created)
		keyway_step(k, -1);
	must(k, 2002, &(struct keyway_request){.operation = KEYWAY_DELETE, .to = "-/example"});
	keyway_close(k);
	printf("%u created, %u refused, %u notified\n", c.created, c.refused, c.notified);
	return c.refused ? 1 : 0;
}
