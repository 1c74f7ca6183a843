/* Over-the-air upgrade: [firmware] (TS-0004 clause D.2) of a device's node. `ud` set to true, with `url` and `vr`, begins; `uds` says how it ended.
 * `url` is `file:NAME`, a file of the configured directory, or the address of a contentInstance that has the file in base64. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_watch.h"

#define SUCCESSFUL 1 /* m2m:status */
#define FAILED 2
#define URL_MAX 300

struct upgrade {
	struct upgrade *next;
	uint64_t device;
	struct wr octets;
	struct oci_image image;
};

/* A RETRIEVE under way. */
struct fetching {
	struct oci_node *node;
	uint64_t device;
};

static void firmware_path(const struct oci_node *n, uint64_t device, char *path, size_t size)
{
	node_path(n, device, path, size);
	snprintf(path + strlen(path), size - strlen(path), "/firmware");
}

static void drop(struct oci_node *n, uint64_t device)
{
	struct upgrade **link = &n->upgrades;

	(void)!oci_core_ota(n->core, clock_ms(), device, NULL); /* the core may know the device no more */
	while (*link) {
		struct upgrade *u = *link;

		if (u->device != device) {
			link = &u->next;
			continue;
		}
		*link = u->next;
		wr_free(&u->octets);
		free(u);
	}
}

void firmware_forget(struct oci_node *n, uint64_t device)
{
	drop(n, device);
}

static void end(struct oci_node *n, uint64_t device, bool well, const char *why)
{
	char path[240], body[100];

	log_line(well ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "upgrade ended", "device=%s well=%s note=%s", node_name(device), well ? "yes" : "no", log_quote(rd_str(why)));
	drop(n, device);
	firmware_path(n, device, path, sizeof path);
	snprintf(body, sizeof body, "{\"m2m:fwr\":{\"uds\":{\"acn\":\"ud\",\"sus\":%d}}}", well ? SUCCESSFUL : FAILED);
	node_job(n, ONEM2M_UPDATE, path, 0, rd_str(body), NULL, NULL);
}

/* ---- the image ---- */

/* Takes over the octets. */
static void offer(struct oci_node *n, uint64_t device, struct wr octets)
{
	struct upgrade *u = calloc(1, sizeof *u);
	enum err e;

	if (!u)
		abort();
	drop(n, device);
	u->device = device;
	u->octets = octets;
	u->image.octets = rd_of(octets.octets, octets.len);
	u->next = n->upgrades;
	n->upgrades = u;
	e = octets.spoilt ? ERR_TOO_LONG : ota_header_decode(u->image.octets, &u->image.header);
	if (e == OK)
		e = oci_core_ota(n->core, clock_ms(), device, &u->image);
	if (e != OK) {
		end(n, device, false, err_text(e));
		return;
	}
	log_line(LOG_LEVEL_NOTICE, "upgrade offered", "device=%s name=%s version=%u octets=%u", node_name(device), log_quote(rd_str(u->image.header.name)),
	    (unsigned)u->image.header.image.version, (unsigned)u->image.header.size);
}

static bool name_is_plain(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static void read_file(struct oci_node *n, uint64_t device, const char *name)
{
	struct wr octets = wr_new(OTA_IMAGE_MAX);
	char path[700], part[4096];
	size_t len;
	FILE *f;

	if (!n->config.images || !name_is_plain(name)) {
		wr_free(&octets);
		end(n, device, false, n->config.images ? "the file's name is none" : "no directory is configured for images");
		return;
	}
	snprintf(path, sizeof path, "%s/%s", n->config.images, name);
	f = fopen(path, "r");
	while (f && (len = fread(part, 1, sizeof part, f)) > 0)
		wr_copy(&octets, part, len);
	if (f && !ferror(f)) {
		offer(n, device, octets);
	} else {
		wr_free(&octets);
		end(n, device, false, "the file cannot be read");
	}
	if (f)
		fclose(f);
}

static void on_fetched(void *ctx, const struct onem2m_response *rsp)
{
	struct fetching *f = ctx;
	struct json_arena *a = json_arena_new();
	struct wr octets = wr_new(OTA_IMAGE_MAX);
	const struct json *doc;
	struct rd con;

	if (rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && json_string(json_path(doc, "m2m:cin.con"), &con) && base64_parse(con, &octets)) {
		offer(f->node, f->device, octets);
	} else {
		wr_free(&octets);
		end(f->node, f->device, false, "there is no contentInstance with base64 at the url");
	}
	json_arena_free(a);
	node_pump(f->node);
	free(f);
}

static void fetch(struct oci_node *n, uint64_t device, const char *url)
{
	struct fetching *f = malloc(sizeof *f);

	if (!f)
		abort();
	*f = (struct fetching){n, device};
	node_request(n, ONEM2M_RETRIEVE, url, 0, ONEM2M_RCN_ABSENT, NULL, NULL, on_fetched, f);
}

/* ---- the resource ---- */

void firmware_asked(struct oci_node *n, uint64_t device, const struct json *resource)
{
	char url[URL_MAX];
	bool ud;

	if (!json_bool(json_get(resource, "ud"), &ud))
		return;
	if (!ud)
		drop(n, device);
	else if (!json_text(json_get(resource, "url"), url, sizeof url))
		end(n, device, false, "the url is too long");
	else if (strncmp(url, "file:", 5) == 0)
		read_file(n, device, url + 5);
	else
		fetch(n, device, url);
}

/* After a restart: what was asked for and has not ended begins again. */
static void on_retrieved(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	struct json_arena *a = json_arena_new();
	const uint64_t *device = ctx;
	const struct json *doc;
	bool ud;

	for (const struct upgrade *u = n->upgrades; u; u = u->next)
		if (u->device == *device)
			goto out;
	if (rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && json_bool(json_path(doc, "m2m:fwr.ud"), &ud) && ud)
		firmware_asked(n, *device, json_get(doc, "m2m:fwr"));
out:
	json_arena_free(a);
}

void firmware_make(struct oci_node *n, const struct oci_device *d)
{
	char path[240], body[300];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	uint64_t *device;
	struct rd text;

	if (!oci_device_upgrades(d) || (device = malloc(sizeof *device)) == NULL)
		return;
	*device = d->eui64;
	node_path(n, d->eui64, path, sizeof path);
	json_object(&o, NULL);
	json_object(&o, "m2m:fwr");
	json_put_string(&o, "rn", "firmware");
	json_put_int(&o, "mgd", 1001);
	json_put_string(&o, "vr", d->software[0] ? d->software : "unknown");
	json_put_string(&o, "fwn", d->model[0] ? d->model : "unknown");
	json_put_string(&o, "url", "none");
	json_put_bool(&o, "ud", false);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_CREATE, path, 13, text, NULL, NULL);
	firmware_path(n, d->eui64, path, sizeof path);
	watch_make(n, path, WATCH_FIRMWARE, d->eui64, "firmware", NULL);
	node_job(n, ONEM2M_RETRIEVE, path, 0, rd_of(NULL, 0), on_retrieved, device);
}

void firmware_told(struct oci_node *n, const struct oci_effect *e)
{
	switch (e->ota) {
	case OCI_OTA_STARTED:
		log_line(LOG_LEVEL_NOTICE, "upgrade", "device=%s note=%s", node_name(e->eui64), log_quote(rd_str(e->text)));
		break;
	case OCI_OTA_DONE:
	case OCI_OTA_FAILED:
		end(n, e->eui64, e->ota == OCI_OTA_DONE, e->text);
		break;
	}
}
