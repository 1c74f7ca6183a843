/* What a device is, as oneM2M manages devices: a node for it and one for its gateway, with [deviceInfo], [battery], [areaNwkInfo] and [areaNwkDeviceInfo].
 * TS-0004 clauses D.5 to D.8. Created anew where there are some already is a conflict, and the UPDATE behind it keeps them true. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "json/json.h"
#include "oci/node_job.h"

#define LOW_BATTERY 10 /* per cent */
#define BATTERY_NORMAL 1
#define BATTERY_LOW 5

void node_path(const struct oci_node *n, uint64_t eui64, char *path, size_t size)
{
	char text[EUI64_SIZE];

	eui64_print(text, eui64);
	snprintf(path, size, "%s/node-%s", n->config.cse_name, text);
}

static void make_node(struct oci_node *n, uint64_t eui64)
{
	char body[200], text[EUI64_SIZE];

	eui64_print(text, eui64);
	snprintf(body, sizeof body, "{\"m2m:nod\":{\"rn\":\"node-%s\",\"ni\":\"%s\",\"lbl\":[\"zigbee\"]}}", text, text);
	node_job(n, ONEM2M_CREATE, n->config.cse_name, 14, rd_str(body), NULL, NULL);
}

/* [areaNwkInfo] of the gateway's network; which devices are in it the CSE adds by itself. */
static void make_network(struct oci_node *n, const struct oci_device *d)
{
	char path[200];

	if (n->gateway_made == d->gateway)
		return;
	n->gateway_made = d->gateway;
	make_node(n, d->gateway);
	node_path(n, d->gateway, path, sizeof path);
	node_job(n, ONEM2M_CREATE, path, 13, rd_str("{\"m2m:ani\":{\"rn\":\"areaNwkInfo\",\"mgd\":1004,\"ant\":\"Zigbee\"}}"), NULL, NULL);
}

/* Those that an UPDATE may carry; `all`: those that only a CREATE may, too. */
static void put_info(struct json_out *o, const struct oci_device *d, bool all)
{
	char text[EUI64_SIZE], hardware[8];

	eui64_print(text, d->eui64);
	if (all) {
		json_put_string(o, "rn", "deviceInfo");
		json_put_int(o, "mgd", 1007);
		json_put_string(o, "man", d->manufacturer[0] ? d->manufacturer : "unknown");
		json_put_string(o, "mod", d->model[0] ? d->model : "unknown");
		snprintf(hardware, sizeof hardware, "%u", d->hardware);
		json_put_string(o, "hwv", hardware);
	}
	json_put_string(o, "dlb", text);
	json_put_string(o, "dty", "Zigbee device");
	if (d->software[0]) {
		json_put_string(o, "fwv", d->software);
		json_put_string(o, "swv", d->software);
	}
	json_array(o, "ptl");
	json_put_string(o, NULL, "Zigbee 3.0");
	json_close(o);
}

/* devStatus is text, TS-0004 table D.6.1-1: "available", or "silent" beyond the time-out that the device asked for. */
static void put_presence(struct json_out *o, const struct oci_device *d)
{
	char address[24];

	snprintf(address, sizeof address, "shortAddress/0x%04x", d->short_address);
	json_put_string(o, "ss", d->silent ? "silent" : "available");
	json_array(o, "lbl");
	json_put_string(o, NULL, "zigbee");
	json_put_string(o, NULL, address);
	json_close(o);
}

static void put_network_info(const struct oci_node *n, struct json_out *o, const struct oci_device *d, bool all)
{
	char text[EUI64_SIZE], network[240];

	eui64_print(text, d->eui64);
	node_path(n, d->gateway, network, sizeof network - 16);
	if (all) {
		json_put_string(o, "rn", "areaNwkDeviceInfo");
		json_put_int(o, "mgd", 1005);
	}
	json_put_string(o, "dvt", d->capability & 0x02 ? "router" : d->capability & 0x08 ? "end device" : "sleepy end device");
	json_put_string(o, "dvd", text);
	strcat(network, "/areaNwkInfo");
	json_put_string(o, "awi", network);
	put_presence(o, d);
}

/* A CREATE, and an UPDATE for what was there. */
static void make_object(struct oci_node *n, const struct oci_device *d, bool network)
{
	const char *root = network ? "m2m:andi" : "m2m:dvi", *name = network ? "areaNwkDeviceInfo" : "deviceInfo";
	char path[200], to[JOB_TO_MAX], body[700];

	node_path(n, d->eui64, path, sizeof path);
	snprintf(to, sizeof to, "%s/%s", path, name);
	for (int all = 1; all >= 0; all--) {
		struct wr w = wr_of(body, sizeof body);
		struct json_out o = json_out(&w);
		struct rd text;

		json_object(&o, NULL);
		json_object(&o, root);
		if (network)
			put_network_info(n, &o, d, all);
		else
			put_info(&o, d, all);
		json_close(&o);
		json_close(&o);
		if (wr_done(&w, &text))
			node_job(n, all ? ONEM2M_CREATE : ONEM2M_UPDATE, all ? path : to, all ? 13 : 0, text, NULL, NULL);
	}
}

void mgmt_make(struct oci_node *n, const struct oci_device *d)
{
	make_network(n, d);
	make_node(n, d->eui64);
	make_object(n, d, false);
	make_object(n, d, true);
}

void mgmt_presence(struct oci_node *n, const struct oci_device *d)
{
	char path[200], to[JOB_TO_MAX], body[200];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd text;

	node_path(n, d->eui64, path, sizeof path);
	snprintf(to, sizeof to, "%s/areaNwkDeviceInfo", path);
	json_object(&o, NULL);
	json_object(&o, "m2m:andi");
	put_presence(&o, d);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_UPDATE, to, 0, text, NULL, NULL);
}

/* [battery] beside the module class: made by its first value. */
static void battery(struct oci_node *n, uint64_t device, unsigned level)
{
	int status = level <= LOW_BATTERY ? BATTERY_LOW : BATTERY_NORMAL;
	char path[200], to[JOB_TO_MAX], body[160];

	node_path(n, device, path, sizeof path);
	snprintf(body, sizeof body, "{\"m2m:bat\":{\"rn\":\"battery\",\"mgd\":1006,\"btl\":%u,\"bts\":%d}}", level, status);
	node_job(n, ONEM2M_CREATE, path, 13, rd_str(body), NULL, NULL);
	snprintf(to, sizeof to, "%s/battery", path);
	snprintf(body, sizeof body, "{\"m2m:bat\":{\"btl\":%u,\"bts\":%d}}", level, status);
	node_job(n, ONEM2M_UPDATE, to, 0, rd_str(body), NULL, NULL);
}

void mgmt_value(struct oci_node *n, const struct oci_effect *e)
{
	uint64_t level;

	if (strcmp(e->point->module->root, "cod:bat") == 0 && strcmp(e->point->member, "lvl") == 0 && rd_decimal(rd_str(e->text), &level) && level <= 100)
		battery(n, e->eui64, (unsigned)level);
}
