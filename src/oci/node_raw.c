/* ZCL frames that no description covers, both ways: contentInstances in `raw/up` and `raw/down` below the device, so that nothing is lost. Their content is
 * JSON: {"endpoint":1,"cluster":"0xfc00","manufacturer":"0x115f","global":false,"fromServer":true,"command":"0x0a","payload":"00ff"}. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_watch.h"

#define KEPT 100 /* instances in each direction */

void raw_make(struct oci_node *n, uint64_t device, const char *path)
{
	char to[JOB_TO_MAX], body[100];

	node_job(n, ONEM2M_CREATE, path, 3, rd_str("{\"m2m:cnt\":{\"rn\":\"raw\",\"mni\":0}}"), NULL, NULL);
	snprintf(to, sizeof to, "%s/raw", path);
	for (int down = 0; down < 2; down++) {
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":%d}}", down ? "down" : "up", KEPT);
		node_job(n, ONEM2M_CREATE, to, 3, rd_str(body), NULL, NULL);
	}
	snprintf(to, sizeof to, "%s/raw/down", path);
	watch_make(n, to, WATCH_RAW, device, "raw", NULL);
}

static void put_hex(struct json_out *o, const char *name, unsigned v, int digits)
{
	char text[16];

	snprintf(text, sizeof text, "0x%0*x", digits, v);
	json_put_string(o, name, text);
}

void raw_up(struct oci_node *n, const char *path, const struct oci_raw *raw, struct rd payload)
{
	char content[600], hex[HEX_SIZE(NWK_FRAME_MAX)] = "", to[JOB_TO_MAX], body[1400];
	struct wr w = wr_of(content, sizeof content - 1), b = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd text;

	if (payload.left > NWK_FRAME_MAX)
		return;
	hex_print(hex, payload.at, payload.left);
	json_object(&o, NULL);
	json_put_uint(&o, "endpoint", raw->endpoint);
	put_hex(&o, "cluster", raw->cluster, 4);
	if (raw->manufacturer)
		put_hex(&o, "manufacturer", raw->manufacturer, 4);
	json_put_bool(&o, "global", raw->global);
	json_put_bool(&o, "fromServer", raw->from_server);
	put_hex(&o, "command", raw->command, 2);
	json_put_string(&o, "payload", hex);
	json_close(&o);
	content[w.len] = '\0';
	o = json_out(&b);
	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "cnf", "application/json:0");
	json_put_string(&o, "con", content);
	json_close(&o);
	json_close(&o);
	snprintf(to, sizeof to, "%s/raw/up", path);
	if (!w.spoilt && wr_done(&b, &text))
		node_job(n, ONEM2M_CREATE, to, 4, text, NULL, NULL);
}

/* ---- down ---- */

/* "0x0500" or 1280; absent: as it was. */
static bool number(const struct json *v, uint64_t most, uint64_t *n)
{
	uint8_t octets[8] = {0};
	struct rd text;
	size_t len;

	if (!v || json_uint(v, n))
		return !v || *n <= most;
	if (!json_string(v, &text) || !rd_starts(text, "0x") || !rd_skip(&text, 2) || text.left % 2 || !hex_parse_loose(text, octets, sizeof octets, &len))
		return false;
	*n = 0;
	for (size_t i = 0; i < len; i++)
		*n = *n << 8 | octets[i];
	return *n <= most;
}

static bool flag(const struct json *v, bool *b)
{
	return !v || json_bool(v, b);
}

static bool raw_parse(const struct json *v, struct oci_raw *raw, uint8_t *payload, size_t size, size_t *len)
{
	uint64_t endpoint = 1, cluster = 0, manufacturer = 0, command = 0;
	struct rd hex = rd_str("");

	*len = 0;
	if (!json_get(v, "cluster") || !json_get(v, "command") || !number(json_get(v, "endpoint"), 240, &endpoint) || !number(json_get(v, "cluster"), UINT16_MAX, &cluster) ||
	    !number(json_get(v, "manufacturer"), UINT16_MAX, &manufacturer) || !number(json_get(v, "command"), UINT8_MAX, &command) || !flag(json_get(v, "global"), &raw->global) ||
	    !flag(json_get(v, "fromServer"), &raw->from_server) || (json_get(v, "payload") && !json_string(json_get(v, "payload"), &hex)) ||
	    !hex_parse_loose(hex, payload, size, len))
		return false;
	raw->endpoint = (uint8_t)endpoint;
	raw->cluster = (uint16_t)cluster;
	raw->manufacturer = (uint16_t)manufacturer;
	raw->command = (uint8_t)command;
	return true;
}

void raw_down(struct oci_node *n, uint64_t device, const struct json *instance)
{
	struct json_arena *a = json_arena_new();
	const struct json *con = json_get(instance, "con"), *doc = con;
	struct oci_raw raw = {.global = false};
	uint8_t payload[128];
	enum err e = OK;
	struct rd text;
	size_t len;

	if (json_string(con, &text))
		e = json_parse(a, text, NULL, &doc);
	if (e == OK && !raw_parse(doc, &raw, payload, sizeof payload, &len))
		e = ERR_MALFORMED;
	if (e == OK)
		e = oci_core_raw(n->core, clock_ms(), device, &raw, rd_of(payload, len));
	if (e != OK)
		log_line(LOG_LEVEL_WARNING, "frame not sent", "device=%s reason=%s", node_name(device), log_quote(rd_str(err_text(e))));
	json_arena_free(a);
}
