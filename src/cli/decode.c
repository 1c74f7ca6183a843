/* `keyway decode`: a Zigbee frame or capture, layer by layer. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/cli.h"
#include "cli/key_learner.h"
#include "ieee802154/mac_frame.h"
#include "zigbee/beacon.h"
#include "zigbee/zcl.h"
#include "zigbee/zdo.h"

#define KEYS_MAX 32

static const char usage[] =
    "usage: keyway decode [--key HEX]... [--install-code CODE]... [--keys-out FILE] (HEX | FILE.pcap)\n\n"
    "Prints an IEEE 802.15.4 frame (hexadecimal, with or without FCS) or a capture layer by layer. Sealed layers are opened with the keys given, and with\n"
    "those learnt from Transport-Key commands that they open: install codes and a whole capture are enough.\n\n"
    "  --key HEX            a network or link key, 32 hexadecimal digits\n"
    "  --install-code CODE  as on the device's label, with CRC\n"
    "  --keys-out FILE      write all keys known in the end, in Wireshark's zigbee_pc_keys format\n"
    "\nExamples:\n"
    "  keyway decode --install-code 83FED3407A939723A5C639B26916D505C3B5 demo-out/factory.pcap\n"
    "  keyway decode 03080000ffffffff07\n";

struct decoding {
	struct key_learner *keys;
	size_t malformed;
};

static void layer(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void layer(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("  %s%-5s%s ", style(STYLE_CYAN), name, style(STYLE_PLAIN));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static void hex_line(const char *name, struct rd octets)
{
	char text[HEX_SIZE(256)];

	if (octets.left == 0 || octets.left > 256)
		return;
	hex_print(text, octets.at, octets.left);
	layer(name, "%s%s%s", style(STYLE_DIM), text, style(STYLE_PLAIN));
}

static void malformed(struct decoding *d, const char *what, enum err e)
{
	d->malformed++;
	layer("!", "%s%s: %s%s", style(STYLE_RED), what, err_text(e), style(STYLE_PLAIN));
}

static const char *address(const struct mac_address *a)
{
	static char text[4][32];
	static unsigned turn;
	char *t = text[turn++ % 4], eui64[EUI64_SIZE];

	switch (a->mode) {
	case MAC_ADDRESS_NONE:
		return "-";
	case MAC_ADDRESS_SHORT:
		snprintf(t, sizeof text[0], "%04x/%04x", a->pan_id, a->short_address);
		break;
	case MAC_ADDRESS_EXTENDED:
		eui64_print(eui64, a->extended);
		snprintf(t, sizeof text[0], "%04x/%s", a->pan_id, eui64);
		break;
	}
	return t;
}

static void print_zcl(struct decoding *d, const struct aps_frame *f, struct rd payload)
{
	struct zcl_frame z;
	enum err e = zcl_decode(payload, &z);

	if (e != OK) {
		malformed(d, "ZCL", e);
		return;
	}
	layer("ZCL", "cluster %04x, %s command %02x, sequence %u, %s", f->cluster, z.type == ZCL_GLOBAL ? "global" : "cluster", z.command, z.sequence,
	    z.from_server ? "from server" : "to server");
	if (z.type == ZCL_GLOBAL && (z.command == ZCL_REPORT || z.command == ZCL_READ_RESPONSE)) {
		struct zcl_record r;
		struct rd in = z.payload;

		while (z.command == ZCL_REPORT ? zcl_report_next(&in, &r) : zcl_read_response_next(&in, &r))
			layer("", "attribute %04x type %02x = %lld", r.attribute, r.type, (long long)zcl_value_int(&r.value));
	} else {
		hex_line("", z.payload);
	}
}

struct named {
	unsigned id;
	const char *name;
};

/* An entry without a name ends a table. */
static const char *name_of(const struct named *table, unsigned id)
{
	while (table->name && table->id != id)
		table++;
	return table->name ? table->name : "?";
}

static const struct named mac_commands[] = {
	{MAC_ASSOCIATION_REQUEST, "association request"}, {MAC_ASSOCIATION_RESPONSE, "association response"}, {MAC_DISASSOCIATION, "disassociation"},
	{MAC_DATA_REQUEST, "data request"}, {MAC_PAN_ID_CONFLICT, "PAN ID conflict"}, {MAC_ORPHAN, "orphan"}, {MAC_BEACON_REQUEST, "beacon request"},
	{MAC_COORDINATOR_REALIGNMENT, "coordinator realignment"}, {0, NULL},
};
static const struct named nwk_commands[] = {
	{NWK_ROUTE_REQUEST, "route request"}, {NWK_ROUTE_REPLY, "route reply"}, {NWK_NETWORK_STATUS, "network status"}, {NWK_LEAVE, "leave"},
	{NWK_ROUTE_RECORD, "route record"}, {NWK_REJOIN_REQUEST, "rejoin request"}, {NWK_REJOIN_RESPONSE, "rejoin response"}, {NWK_LINK_STATUS, "link status"},
	{NWK_NETWORK_REPORT, "network report"}, {NWK_NETWORK_UPDATE, "network update"}, {NWK_END_DEVICE_TIMEOUT_REQUEST, "end-device time-out request"},
	{NWK_END_DEVICE_TIMEOUT_RESPONSE, "end-device time-out response"}, {0, NULL},
};
static const struct named zdo_clusters[] = {
	{ZDO_NWK_ADDR, "NWK address"}, {ZDO_IEEE_ADDR, "IEEE address"}, {ZDO_NODE_DESC, "node descriptor"}, {ZDO_POWER_DESC, "power descriptor"},
	{ZDO_SIMPLE_DESC, "simple descriptor"}, {ZDO_ACTIVE_EP, "active endpoints"}, {ZDO_MATCH_DESC, "match descriptor"}, {ZDO_DEVICE_ANNCE, "device announce"},
	{ZDO_PARENT_ANNCE, "parent announce"}, {ZDO_BIND, "bind"}, {ZDO_UNBIND, "unbind"}, {ZDO_MGMT_LEAVE, "management leave"},
	{ZDO_MGMT_PERMIT_JOINING, "management permit joining"}, {0, NULL},
};

static const char *command_name(enum aps_command_id id)
{
	switch (id) {
	case APS_TRANSPORT_KEY:
		return "Transport-Key";
	case APS_UPDATE_DEVICE:
		return "Update-Device";
	case APS_REMOVE_DEVICE:
		return "Remove-Device";
	case APS_REQUEST_KEY:
		return "Request-Key";
	case APS_SWITCH_KEY:
		return "Switch-Key";
	case APS_TUNNEL:
		return "Tunnel";
	case APS_VERIFY_KEY:
		return "Verify-Key";
	case APS_CONFIRM_KEY:
		return "Confirm-Key";
	}
	return "?";
}

static void print_aps(struct decoding *d, const struct opened_frame *o)
{
	static const char *const types[] = {"data", "command", "acknowledgement", "?"}, *const keys[] = {"link key", "network key", "key-transport key", "key-load key"};
	const struct aps_frame *f = &o->aps_frame;
	struct aps_command c;
	struct zdo_message m;

	layer("APS", "%s, counter %u%s%s%s", types[f->type], f->counter, f->ack_request ? ", acknowledgement requested" : "", f->security ? ", sealed with the " : "",
	    f->security ? keys[o->aps_key & 3] : "");
	if (!o->aps_opened) {
		layer("", "%ssealed; no key given opens it%s", style(STYLE_YELLOW), style(STYLE_PLAIN));
	} else if (f->type == APS_COMMAND) {
		if (aps_command_decode(o->aps, &c) == OK)
			layer("", "%s%s%s", style(STYLE_BOLD), command_name(c.id), style(STYLE_PLAIN));
		else
			malformed(d, "APS command", ERR_MALFORMED);
	} else if (f->type == APS_DATA && f->profile == APS_PROFILE_ZDP) {
		enum err e = zdo_decode(f->cluster, o->aps, &m);

		layer("ZDO", "%s %s (%04x), sequence %u", name_of(zdo_clusters, f->cluster & ~(unsigned)ZDO_RESPONSE), f->cluster & ZDO_RESPONSE ? "response" : "request", f->cluster,
		    m.sequence);
		if (e != OK && e != ERR_UNSUPPORTED)
			malformed(d, "ZDO", e);
	} else if (f->type == APS_DATA) {
		print_zcl(d, f, o->aps);
	}
}

static void print_nwk(struct decoding *d, struct rd payload)
{
	struct opened_frame o;
	struct nwk_frame f;
	struct nwk_command c;
	enum err e = nwk_frame_decode(payload, &f);

	if (e != OK) {
		malformed(d, "NWK", e);
		return;
	}
	(void)key_learner_frame(d->keys, &f, &o);
	layer("NWK", "%s %04x -> %04x, radius %u, sequence %u%s", f.type == NWK_DATA ? "data" : "command", f.source, f.destination, f.radius, f.sequence, f.security ? ", sealed" : "");
	if (f.security) {
		struct rd sealed = f.payload;
		struct aux_header aux;
		char eui64[EUI64_SIZE];

		if (aux_header_decode(&sealed, &aux)) {
			eui64_print(eui64, aux.source);
			layer("", "frame counter %u, key sequence %u, sealed by %s%s", aux.frame_counter, aux.key_sequence, eui64, o.nwk_opened ? ", integrity code right" : "");
		}
	}
	if (!o.nwk_opened)
		layer("", "%ssealed; no key given opens it%s", style(STYLE_YELLOW), style(STYLE_PLAIN));
	else if (f.type == NWK_COMMAND && nwk_command_decode(o.nwk, &c) == OK)
		layer("", "%s (%02x)", name_of(nwk_commands, c.id), c.id);
	else if (o.has_aps)
		print_aps(d, &o);
}

static void print_mac(struct decoding *d, struct rd octets)
{
	static const char *const types[] = {"beacon", "data", "acknowledgement", "command"};
	struct mac_frame f;
	struct mac_command c;
	struct mac_beacon b;
	struct zigbee_beacon z;
	enum err e = mac_frame_decode(octets, &f);

	if (e != OK) {
		malformed(d, "MAC", e);
		hex_line("", octets);
		return;
	}
	layer("MAC", "%s, sequence %u, %s -> %s%s%s", types[f.type], f.sequence, address(&f.source), address(&f.destination), f.ack_request ? ", acknowledgement requested" : "",
	    f.frame_pending ? ", more pending" : "");
	if (f.type == MAC_COMMAND && mac_command_decode(f.payload, &c) == OK)
		layer("", "%s (%02x)", name_of(mac_commands, c.id), c.id);
	else if (f.type == MAC_BEACON && mac_beacon_decode(f.payload, &b) == OK && zigbee_beacon_decode(b.payload, &z) == OK)
		layer("", "Zigbee beacon, joining %s, extended PAN ID %016llx", b.association_permit ? "open" : "closed", (unsigned long long)z.extended_pan_id);
	else if (f.type == MAC_DATA)
		print_nwk(d, f.payload);
}

static bool on_frame(void *ctx, size_t number, double seconds, struct rd frame, bool fcs_right)
{
	struct decoding *d = ctx;

	printf("%s#%zu%s  %.6f  %zu octets%s\n", style(STYLE_BOLD), number, style(STYLE_PLAIN), seconds, frame.left, fcs_right ? "" : "  frame check sequence wrong");
	print_mac(d, frame);
	return true;
}

static int decode_hex(struct decoding *d, const char *text)
{
	uint8_t octets[MAC_PSDU_MAX];
	struct rd frame, without_fcs;
	size_t len;

	if (strpbrk(text, "./") && access(text, R_OK) != 0)
		return cli_fail("%s: %s", text, strerror(errno));
	if (!hex_parse_loose(rd_str(text), octets, sizeof octets, &len) || len == 0)
		return cli_fail("`%.60s` is neither a capture nor hexadecimal octets of one frame (at most %d)", text, MAC_PSDU_MAX);
	frame = rd_of(octets, len);
	if (mac_fcs_check(frame, &without_fcs) == OK)
		frame = without_fcs;
	print_mac(d, frame);
	return d->malformed ? CLI_FAILED : CLI_OK;
}

static int take_keys(struct decoding *d, int *argc, char **argv)
{
	const char *value;
	enum err e;

	while ((value = cli_option(argc, argv, "--install-code")) != NULL)
		if ((e = key_learner_install_code(d->keys, value)) != OK)
			return cli_fail("the install code is not right: %s", err_text(e));
	while ((value = cli_option(argc, argv, "--key")) != NULL)
		if (key_learner_key(d->keys, value) != OK)
			return cli_fail("a key has 32 hexadecimal digits");
	return CLI_OK;
}

static int decode_file(struct decoding *d, const char *path)
{
	enum err e = key_learner_capture(d->keys, path);

	if (e == OK)
		e = capture_each(path, on_frame, d);
	if (e != OK)
		return cli_fail("%s: %s (a pcap of link type 195 or 230 is wanted)", path, err_text(e));
	return CLI_OK;
}

int decode_main(int argc, char **argv)
{
	bool help = cli_flag(&argc, argv, "--help");
	const char *keys_out = cli_option(&argc, argv, "--keys-out");
	struct decoding d = {.keys = calloc(1, sizeof *d.keys)};
	int r;

	if (!d.keys)
		return cli_fail("out of memory");
	if (help) {
		free(d.keys);
		return cli_help(usage);
	}
	r = take_keys(&d, &argc, argv);
	if (r == CLI_OK)
		r = cli_operands(usage, argc, argv, 1, 1);
	if (r == CLI_OK)
		r = access(argv[1], R_OK) == 0 ? decode_file(&d, argv[1]) : decode_hex(&d, argv[1]);
	if (r == CLI_OK && keys_out && key_learner_write(d.keys, keys_out) != OK)
		r = cli_fail("%s cannot be written", keys_out);
	key_learner_clear(d.keys);
	free(d.keys);
	return r;
}
