/* Health and metrics. The format is Prometheus' text exposition, version 0.0.4. */
#include "programs/keyway-cse/admin_port.h"

#include <string.h>

#include "base/wr.h"
#include "json/json.h"

#define METRICS_MAX (32u << 20) /* every rule's entities have a line each */

static const struct http_header text_headers[] = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}, {NULL, NULL}};
static const struct http_header json_headers[] = {{"Content-Type", "application/json"}, {NULL, NULL}};

static void metric(struct wr *w, const char *name, const char *type, const char *help, uint64_t value)
{
	wr_fmt(w, "# HELP keyway_cse_%s %s\n# TYPE keyway_cse_%s %s\nkeyway_cse_%s %llu\n", name, help, name, type, name, (unsigned long long)value);
}

/* What rules of the resource statsCollect count: by rule and originator, whose ID is the peer's to choose. */
struct counting {
	struct wr *w;
	const char *name;
	bool octets;
};

static void put_label(struct wr *w, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			wr_u8(w, '\\');
		wr_u8(w, (unsigned char)*text < ' ' ? '?' : (uint8_t)*text);
	}
}

static void put_stat(void *ctx, const struct cse_stat *s)
{
	const struct counting *k = ctx;

	wr_fmt(k->w, "keyway_cse_%s{rule=\"", k->name);
	put_label(k->w, s->rule);
	wr_str(k->w, "\",entity=\"");
	put_label(k->w, s->entity);
	wr_fmt(k->w, "\"} %llu\n", (unsigned long long)(k->octets ? s->octets : s->operations));
}

static void stats(struct cse *c, struct wr *w, const char *name, const char *help, bool octets)
{
	struct counting k = {w, name, octets};

	wr_fmt(w, "# HELP keyway_cse_%s %s\n# TYPE keyway_cse_%s counter\n", name, help, name);
	cse_stats_each(c, put_stat, &k);
}

static const struct tls_trust *trust_of(const struct admin_port *a)
{
	static const struct tls_trust none;

	return a->tls ? tls_credentials_trust(a->tls) : &none;
}

static void metrics(const struct admin_port *a, struct http_exchange *x)
{
	const struct tls_trust *trust = trust_of(a);
	struct cse *c = a->cse;
	struct wr w = wr_new(METRICS_MAX);
	struct cse_counts n;
	struct rd text;

	cse_counts(c, &n);
	metric(&w, "requests_total", "counter", "Request primitives received.", n.requests);
	metric(&w, "created_total", "counter", "Resources created.", n.created);
	metric(&w, "retrieved_total", "counter", "RETRIEVE requests.", n.retrieved);
	metric(&w, "updated_total", "counter", "Resources updated.", n.updated);
	metric(&w, "deleted_total", "counter", "Resources deleted.", n.deleted);
	metric(&w, "refused_total", "counter", "Requests answered with an error.", n.refused);
	metric(&w, "notified_total", "counter", "Notifications that were answered.", n.notified);
	metric(&w, "notify_failed_total", "counter", "Notifications given up.", n.notify_failed);
	metric(&w, "commits_total", "counter", "Transactions on disk.", n.commits);
	metric(&w, "slices_total", "counter", "Rounds of the loop in which long work went on.", n.slices);
	metric(&w, "resources", "gauge", "Resources in the store.", n.resources);
	metric(&w, "cache_octets", "gauge", "Size of the resource cache.", n.cache_octets);
	metric(&w, "store_room", "gauge", "1, or 0 while the disk of the store is full and new resources are refused.", n.store_room);
	metric(&w, "trust_files_bad", "gauge", "1 while a file of anchors, revocation lists or pinned keys is unreadable, gone or out of date.", trust->trouble[0] ? 1 : 0);
	metric(&w, "crl_next_update_seconds", "gauge", "When the first revocation list is out of date, in Unix time; 0 without any.", trust->crl_until);
	stats(c, &w, "collected_operations_total", "Operations that statsCollect rules counted.", false);
	stats(c, &w, "collected_octets_total", "Octets of requests and answers that statsCollect rules counted.", true);
	if (wr_done(&w, &text))
		http_answer(x, 200, text_headers, text);
	else
		http_answer(x, 500, text_headers, rd_str("out of memory\n"));
	wr_free(&w);
}

/* Still 200 when trust is stale: it goes on to serve, and what needs the file refuses by itself. */
static void health(const struct admin_port *a, struct http_exchange *x)
{
	const struct tls_trust *trust = trust_of(a);
	uint8_t octets[2 * TLS_WHY_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct json_out o = json_out(&w);
	struct rd text;

	json_object(&o, NULL);
	json_put_string(&o, "status", trust->trouble[0] ? "degraded" : "ok");
	if (trust->trouble[0])
		json_put_string(&o, "trust", trust->trouble);
	json_close(&o);
	http_answer(x, 200, json_headers, wr_done(&w, &text) ? text : rd_str("{\"status\":\"degraded\"}"));
}

void admin_port_handle(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const struct admin_port *a = ctx;

	if (!a->cse)
		http_answer(x, 503, text_headers, rd_str("this CSE is ending\n"));
	else if (strcmp(rq->method, "GET") != 0)
		http_answer(x, 405, text_headers, rd_str("only GET\n"));
	else if (strcmp(rq->path, "/health") == 0)
		health(a, x);
	else if (strcmp(rq->path, "/metrics") == 0)
		metrics(a, x);
	else
		http_answer(x, 404, text_headers, rd_str("/health and /metrics are here\n"));
}
