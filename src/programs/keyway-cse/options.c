/* Command line and configuration file. */
#include "programs/keyway-cse/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/mqtt/mqtt_binding.h"
#include "cse/schedule.h"
#include "enrolee/key_watch.h"
#include "loop/config.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
#define LINK_STATUS_S 15 /* nwkLinkStatusPeriod; a router gives up after a little more than three */
#define GROUPCAST_WAIT_S 5
#define GROUPCAST_WAIT_MOST_S 3600

static const char usage[] =
    "usage: keyway-cse [--config FILE] [options]\n\n"
    "A oneM2M CSE. Without a file: an IN-CSE `cse-in`, CSE-ID /id-in, on http://127.0.0.1:8080, with its store in the user's data directory.\n\n"
    "  --config FILE       configuration, described in docs/configuration.md and keyway-cse(8)\n"
    "  --ephemeral         keep nothing: the store is in memory\n"
    "  --state DIR         directory of the store\n"
    "  --port PORT         plain HTTP on 127.0.0.1:PORT; 0 takes a free one, which the `ready` line names\n"
    "  --coap-port PORT    plain CoAP on 127.0.0.1:PORT, likewise\n"
    "  --mqtt URL          the MQTT broker through which requests come, such as mqtt://127.0.0.1:1883\n"
    "  --type in|mn|asn    kind of CSE\n"
    "  --cse-id ID         CSE-ID, such as /id-in\n"
    "  --cse-name NAME     resource name of the CSEBase\n"
    "  --registrar URL     register with the CSE at this point of access\n"
    "  --registrar-id ID   its CSE-ID (default /id-in)\n"
    "  --admin-port PORT   /health and /metrics (Prometheus) on 127.0.0.1:PORT\n"
    "  --testbench         a CSE for test suites, open to whoever reaches it on loopback: see keyway-cse(8). In memory unless --state is given\n"
    "  --check             check the whole store before starting\n"
    "  --help, --version\n\n"
    "KEYWAY_LOG=debug in the environment logs more.\n\n"
    "Examples:\n"
    "  keyway-cse\n"
    "  keyway-cse --config plant/in-cse.ini\n"
    "  keyway-cse --ephemeral --port 0 --cse-id /id-lab --cse-name lab\n\n"
    "Exit status: 0 ended by a signal, 1 it could not start (the last line says why), 2 the command line or the configuration was not understood.\n";

static enum options_result wrong(const char *fmt, const char *a)
{
	fputs("keyway-cse: ", stderr);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(stderr, fmt, a);
#pragma GCC diagnostic pop
	fputc('\n', stderr);
	return OPTIONS_WRONG;
}

static void set_default(char **value, const char *text)
{
	if (!*value)
		*value = strdup(text);
}

static void set(char **value, const char *text)
{
	free(*value);
	*value = strdup(text);
}

static bool read_file(struct options *o, const char *path)
{
	const struct config_key keys[] = {
		{"cse", "type", CONFIG_STRING, &o->type, true, "in, mn or asn"},
		{"cse", "id", CONFIG_STRING, &o->id, true, "the CSE-ID, such as /id-in"},
		{"cse", "name", CONFIG_STRING, &o->name, true, "resource name of the CSEBase"},
		{"cse", "resource_id", CONFIG_STRING, &o->resource_id, false, "resource ID of the CSEBase"},
		{"cse", "sp", CONFIG_STRING, &o->sp, false, "M2M service provider"},
		{"cse", "admin", CONFIG_STRING, &o->admin, false, "originator with every privilege"},
		{"cse", "state", CONFIG_STRING, &o->state, true, "directory for the store"},
		{"cse", "ae_originators", CONFIG_STRING, &o->ae_originators, false, "patterns of originators that may register as AE"},
		{"cse", "cse_originators", CONFIG_STRING, &o->cse_originators, false, "patterns of CSE-IDs that may register"},
		{"cse", "open_create", CONFIG_STRING, &o->open_create, false, "resource types that anyone may create under the CSEBase"},
		{"cse", "releases", CONFIG_STRING, &o->releases, false, "supported release versions"},
		{"cse", "release_1", CONFIG_BOOL, &o->release_1, false, "requests without a release version indicator are taken"},
		{"cse", "max_expiration_s", CONFIG_UINT, &o->max_expiration_s, false, "longest life of a resource"},
		{"cse", "request_life_s", CONFIG_UINT, &o->request_life_s, false, "life of a request without an expiration time"},
		{"cse", "cache_mib", CONFIG_UINT, &o->cache_mib, false, "size of the resource cache"},
		{"cse", "verify_subscriptions", CONFIG_BOOL, &o->verify_subscriptions, false, "ask oneM2M targets of subscriptions too"},
		{"cse", "require_subscription", CONFIG_BOOL, &o->require_subscription, false, "register only as service subscriptions say"},
		{"cse", "networks", CONFIG_STRING, &o->networks, false, "underlying networks to other CSEs, as CMDH rules name them"},
		{"cse", "background_window", CONFIG_STRING, &o->background_window, false, "when background data transfers are granted"},
		{"http", "listen", CONFIG_STRING, &o->http, false, "plain HTTP; loopback only"},
		{"http", "cors", CONFIG_STRING, &o->cors, false, "origin from which browsers may ask"},
		{"https", "listen", CONFIG_STRING, &o->https, false, "HTTPS; every client is authenticated"},
		{"https", "psk_file", CONFIG_STRING, &o->https_psk_file, false, "as [tls] psk_file"},
		{"coap", "listen", CONFIG_STRING, &o->coap, false, "plain CoAP; loopback only"},
		{"coap", "multicast", CONFIG_STRING, &o->coap_multicast, false, "interface and port for IP multicast; loopback only"},
		{"coaps", "listen", CONFIG_STRING, &o->coaps, false, "CoAP over DTLS; every client is authenticated"},
		{"coaps", "sessions_max", CONFIG_UINT, &o->dtls_sessions, false, "DTLS sessions at a time"},
		{"coaps", "psk_file", CONFIG_STRING, &o->coaps_psk_file, false, "as [tls] psk_file"},
		{"mqtt", "broker", CONFIG_STRING, &o->mqtt, false, "mqtt://HOST:PORT on loopback, or mqtts://HOST:PORT"},
		{"mqtt", "identity", CONFIG_STRING, &o->mqtt_identity, false, "in the certificate of brokers with TLS"},
		{"mqtt", "psk_identity", CONFIG_STRING, &o->mqtt_psk_identity, false, "of this CSE at the broker, in the place of a certificate"},
		{"mqtt", "psk_file", CONFIG_STRING, &o->mqtt_psk_file, false, "lines identity:hexkey; the one of psk_identity is used"},
		{"mqtt", "user", CONFIG_STRING, &o->mqtt_user, false, "name at the broker"},
		{"mqtt", "password", CONFIG_STRING, &o->mqtt_password, false, "ID of the credential, of kind password, that has its password"},
		{"mqtt", "trust_topics", CONFIG_BOOL, &o->mqtt_trust_topics, false, "the broker lets each client publish under its own ID alone"},
		{"gba", "bsf", CONFIG_STRING, &o->gba_bsf, false, "FQDN of the bootstrapping server whose clients may come with their keys"},
		{"gba", "url", CONFIG_STRING, &o->gba_url, false, "where it gives those keys"},
		{"gba", "ua", CONFIG_STRING, &o->gba_ua, false, "security protocol identifier of TS 33.220"},
		{"websocket", "accept", CONFIG_BOOL, &o->websocket, false, "WebSockets at the HTTP and HTTPS ports"},
		{"websocket", "ping_s", CONFIG_UINT, &o->websocket_ping_s, false, "seconds of silence before a ping, and once more before the end"},
		{"admin", "listen", CONFIG_STRING, &o->admin_listen, false, "/health and /metrics; loopback only"},
		{"tls", "ca", CONFIG_STRING, &o->ca, false, ""},
		{"tls", "cert", CONFIG_STRING, &o->cert, false, ""},
		{"tls", "key", CONFIG_STRING, &o->key, false, ""},
		{"tls", "raw_key", CONFIG_STRING, &o->raw_key, false, "private key whose public half is shown raw (RFC 7250)"},
		{"tls", "raw_keys", CONFIG_STRING, &o->raw_keys, false, "pinned raw public keys: lines NI-NAME ENTITY [EXPIRES]"},
		{"tls", "psk_file", CONFIG_STRING, &o->psk_file, false, "pre-shared keys: lines IDENTITY:HEXKEY [ENTITY [EXPIRES]]"},
		{"tls", "crl", CONFIG_STRING, &o->crl, false, "revocation lists"},
		{"tls", "ocsp_url", CONFIG_STRING, &o->ocsp_url, false, "responder that is asked about peers' certificates"},
		{"tls", "ocsp", CONFIG_STRING, &o->ocsp, false, "hard (default): no answer is a refusal; soft"},
		{"tls", "staple", CONFIG_STRING, &o->staple, false, "OCSP response about the own certificate"},
		{"tls", "legacy_suites", CONFIG_BOOL, &o->legacy_suites, false, "CBC suites and CCM_8 over TLS"},
		{"credentials", "file", CONFIG_STRING, &o->credentials, false, "store of pre-shared keys"},
		{"credentials", "kek", CONFIG_STRING, &o->credentials_kek, false, "key file or PKCS#11 URI that seals it"},
		{"credentials", "recheck_s", CONFIG_UINT, &o->credentials_recheck_s, false, "how often MAF and MEF are asked whether keys that they gave are keys still"},
		{"maf", "url", CONFIG_STRING, &o->maf_url, false, "https://HOST:PORT of the MAF that has keys for us"},
		{"maf", "id", CONFIG_STRING, &o->maf_id, false, "its FQDN"},
		{"mef", "url", CONFIG_STRING, &o->mef_url, false, "https://HOST:PORT of the MEF that has keys for us"},
		{"mef", "id", CONFIG_STRING, &o->mef_id, false, "its FQDN"},
		{"enrolment", "by", CONFIG_STRING, &o->enrolment_by, false, "key or certificate: what this CSE shows the MEF to enrol"},
		{"enrolment", "registrar", CONFIG_BOOL, &o->enrolment_registrar, false, "get a key for the association with the registrar"},
		{"enrolment", "through", CONFIG_STRING, &o->enrolment_through, false, "mef or maf: who gives that key"},
		{"enrolment", "est", CONFIG_STRING, &o->enrolment_est, false, "https://MEF:PORT/.well-known/est: the certificate of [tls] comes from there"},
		{"enrolment", "name", CONFIG_STRING, &o->enrolment_name, false, "name of the certificate"},
		{"enrolment", "lifetime_s", CONFIG_UINT, &o->enrolment_lifetime_s, false, "of keys and registrations, asked for"},
		{"enrolment", "commands", CONFIG_BOOL, &o->enrolment_commands, false, "carry out the MEF's client commands"},
		{"registrar", "url", CONFIG_STRING, &o->registrar_url, false, ""},
		{"registrar", "id", CONFIG_STRING, &o->registrar_id, false, ""},
		{"registrar", "identity", CONFIG_STRING, &o->registrar_identity, false, ""},
		{"registrar", "psk_identity", CONFIG_STRING, &o->registrar_psk_identity, false, "of the key that the registrar shares with this CSE"},
		{"registrar", "psk_file", CONFIG_STRING, &o->registrar_psk_file, false, "lines IDENTITY:HEXKEY; the one of psk_identity is used"},
		{"zigbee", "mef", CONFIG_STRING, &o->mef, false, ""},
		{"zigbee", "mef_identity", CONFIG_STRING, &o->mef_identity, false, ""},
		{"zigbee", "key_file", CONFIG_STRING, &o->key_file, false, ""},
		{"zigbee", "descriptions", CONFIG_STRING, &o->descriptions, false, "directory with descriptions of devices, beside the built-in ones"},
		{"zigbee", "images", CONFIG_STRING, &o->images, false, "directory with files for over-the-air upgrade"},
		{"zigbee", "answer_commissioning", CONFIG_BOOL, &o->answer_commissioning, false, ""},
		{"zigbee", "link_status", CONFIG_STRING, &o->link_status, false, "to routers: yes (default), broadcast, no"},
		{"zigbee", "link_status_s", CONFIG_UINT, &o->link_status_s, false, "seconds between two"},
		{"zigbee", "groupcast_wait_s", CONFIG_UINT, &o->groupcast_wait_s, false, "who does not report a groupcast by then is told by itself"},
		{"esprim", "credentials", CONFIG_STRING, &o->esprim_credentials, false, "credential store with keys of kind esprim"},
		{"esprim", "certificates", CONFIG_BOOL, &o->esprim_certificates, false, "agree on keys by certificates, those of [tls]"},
		{"esprim", "notifications", CONFIG_STRING, &o->esprim_notifications, false, "sealed where the receiver takes it: never, offered, required"},
		{"esprim", "kek", CONFIG_STRING, &o->esprim_kek, false, "its key encryption key, when the store does not say it"},
		{"esprim", "life_s", CONFIG_UINT, &o->esprim_life_s, false, "life of rand objects"},
		{"das", "servers", CONFIG_STRING, &o->das_servers, false, "servers of dynamic authorisation: URL NAME, comma separated"},
		{"tokens", "issuers", CONFIG_STRING, &o->token_issuers, false, "file: who may issue tokens, and by which keys"},
		{"tokens", "credentials", CONFIG_STRING, &o->token_credentials, false, "credential store with symmetric keys for tokens"},
		{"tokens", "kek", CONFIG_STRING, &o->token_kek, false, "its key encryption key, when the store does not say it"},
		{"trace", "primitives", CONFIG_STRING, &o->trace, false, "file for every primitive with its content"},
		{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
	};
	char message[512];

	if (config_read(path, keys, message, sizeof message) == OK)
		return true;
	wrong("%s", message);
	return false;
}

/* ---- defaults ---- */

static void testbench(struct options *o)
{
	set_default(&o->sp, "acme.example.com");
	set_default(&o->open_create, "1,26");
	set_default(&o->cors, "*");
	o->verify_subscriptions = o->release_1 = true;
	if (!o->state)
		o->ephemeral = true;
}

static void defaults(struct options *o)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char path[512];

	if (o->testbench)
		testbench(o);
	set_default(&o->type, "in");
	set_default(&o->id, strcmp(o->type, "in") == 0 ? "/id-in" : strcmp(o->type, "mn") == 0 ? "/id-mn" : "/id-asn");
	set_default(&o->name, strcmp(o->type, "in") == 0 ? "cse-in" : strcmp(o->type, "mn") == 0 ? "cse-mn" : "cse-asn");
	set_default(&o->sp, "keyway.example");
	set_default(&o->esprim_notifications, "offered");
	set_default(&o->admin, "CAdmin");
	if (!o->https)
		set_default(&o->http, "127.0.0.1:8080");
	if (o->registrar_url)
		set_default(&o->registrar_id, "/id-in");
	if (data && data[0])
		snprintf(path, sizeof path, "%s/keyway", data);
	else
		snprintf(path, sizeof path, "%s/.local/share/keyway", home ? home : ".");
	set_default(&o->state, path);
}

bool options_mqtt_is_secure(const struct options *o)
{
	return o->mqtt && strncmp(o->mqtt, "mqtts:", 6) == 0;
}

static bool is_loopback(const char *host_port)
{
	return strncmp(host_port, "127.", 4) == 0 || strcmp(host_port, "localhost") == 0 || strncmp(host_port, "localhost:", 10) == 0;
}

static bool registrar_needs_tls(const struct options *o)
{
	static const char *const schemes[] = {"https:", "coaps:", "wss:", "mqtts:"};
	bool needs = false;

	for (size_t i = 0; o->registrar_url && i < sizeof schemes / sizeof schemes[0]; i++)
		needs |= strncmp(o->registrar_url, schemes[i], strlen(schemes[i])) == 0;
	return needs && !(o->mqtt_psk_file && o->mqtt && strcmp(o->mqtt, o->registrar_url) == 0);
}

/* There is a store of credentials, whose keys are shown to those whom they are shared with. */
static bool has_keys(const struct options *o)
{
	return o->credentials || o->maf_url || o->mef_url;
}

static bool takes_psk(const struct options *o)
{
	return o->psk_file || o->https_psk_file || o->coaps_psk_file || o->gba_bsf || has_keys(o);
}

static enum options_result check(const struct options *o)
{
	if (strcmp(o->type, "in") != 0 && strcmp(o->type, "mn") != 0 && strcmp(o->type, "asn") != 0)
		return wrong("the type of CSE `%s` must be in, mn or asn", o->type);
	if (o->id[0] != '/' || o->id[1] == '\0' || strchr(o->id + 1, '/'))
		return wrong("the CSE-ID `%s` must be one name behind one `/`", o->id);
	if (o->resource_id && (o->resource_id[0] == '\0' || strlen(o->resource_id) > 64 || o->resource_id[strspn(o->resource_id, NAME_CHARACTERS)] != '\0'))
		return wrong("[cse] resource_id = %s: it has letters, digits and `-._~`", o->resource_id);
	if (o->background_window && !schedule_is_valid(rd_str(o->background_window)))
		return wrong("[cse] background_window = %s: it has seven fields: second, minute, hour, day, month, day of the week, year", o->background_window);
	if (o->http && !is_loopback(o->http))
		return wrong("[http] listen = %s: plain HTTP is for loopback only; use [https]", o->http);
	if (o->coap && !is_loopback(o->coap))
		return wrong("[coap] listen = %s: plain CoAP is for loopback only; use [coaps]", o->coap);
	if (o->coap_multicast && (!is_loopback(o->coap_multicast) || !strchr(o->coap_multicast, ':')))
		return wrong("[coap] multicast = %s: the address of an interface and a port; loopback only, for it is not secured", o->coap_multicast);
	if (o->mqtt && (!mqtt_broker_is_good(o->mqtt) || !(options_mqtt_is_secure(o) || is_loopback(o->mqtt + strlen("mqtt://")))))
		return wrong("[mqtt] broker = %s: must be mqtt://HOST:PORT on loopback, or mqtts://HOST:PORT", o->mqtt);
	if (!o->mqtt_user != !o->mqtt_password || (o->mqtt_user && !o->mqtt))
		return wrong("[mqtt] needs broker, user and password together%s", "");
	if (!o->mqtt_psk_identity != !o->mqtt_psk_file)
		return wrong("[mqtt] needs both psk_identity and psk_file%s", "");
	if (options_mqtt_is_secure(o) && !o->mqtt_psk_file && (!(o->ca || has_keys(o)) || !o->mqtt_identity))
		return wrong("[mqtt] broker = %s needs [tls] or a store of credentials, and the broker's identity; or a pre-shared key", o->mqtt);
	if (o->admin_listen && !is_loopback(o->admin_listen))
		return wrong("[admin] listen = %s: the administration port is for loopback only", o->admin_listen);
	if (o->testbench && (o->https || o->coaps || options_mqtt_is_secure(o)))
		return wrong("a testbench is plain and on loopback only: leave [https], [coaps] and mqtts:// out%s", "");
	if (o->websocket_ping_s == 0 || o->websocket_ping_s > 3600)
		return wrong("[websocket] ping_s must be 1 to 3600%s", "");
	if (!o->cert != !o->key || (o->cert && !o->ca))
		return wrong("[tls] needs ca, cert and key together%s", "");
	if ((o->https || o->coaps) && !o->cert && !(o->raw_key && o->raw_keys) && !takes_psk(o))
		return wrong("[https] and [coaps] need ca, cert and key in [tls], or raw_key and raw_keys, or psk_file%s", "");
	if (registrar_needs_tls(o) && !o->cert && !(o->raw_key && o->raw_keys) && !o->registrar_psk_file && !has_keys(o))
		return wrong("[registrar] needs ca, cert and key in [tls], or raw_key and raw_keys, or psk_identity and psk_file, or a store of credentials%s", "");
	if (!o->registrar_psk_identity != !o->registrar_psk_file)
		return wrong("[registrar] needs both psk_identity and psk_file%s", "");
	if (o->ocsp && strcmp(o->ocsp, "hard") != 0 && strcmp(o->ocsp, "soft") != 0)
		return wrong("[tls] ocsp = %s: it is hard or soft", o->ocsp);
	if ((o->crl || o->ocsp_url) && !o->ca)
		return wrong("[tls] crl and ocsp_url need ca%s", "");
	if (o->ocsp_url && strncmp(o->ocsp_url, "http://", 7) != 0)
		return wrong("[tls] ocsp_url = %s: it begins with http://", o->ocsp_url);
	if (o->link_status && strcmp(o->link_status, "yes") != 0 && strcmp(o->link_status, "broadcast") != 0 && strcmp(o->link_status, "no") != 0)
		return wrong("[zigbee] link_status must be yes, broadcast or no%s", "");
	if (o->link_status_s == 0 || o->link_status_s > LINK_STATUS_S)
		return wrong("[zigbee] link_status_s must be from 1 to 15%s", "");
	if (o->groupcast_wait_s == 0 || o->groupcast_wait_s > GROUPCAST_WAIT_MOST_S)
		return wrong("[zigbee] groupcast_wait_s must be from 1 to 3600%s", "");
	if (o->esprim_life_s > 86400)
		return wrong("[esprim] life_s must be at most 86400%s", "");
	if (!o->registrar_url != !o->registrar_id)
		return wrong("[registrar] needs both url and id%s", "");
	if (o->registrar_url && !strstr(o->registrar_url, "://"))
		return wrong("the registrar's URL `%s` must begin with http://, https://, coap://, coaps://, ws://, wss://, mqtt:// or mqtts://", o->registrar_url);
	if (o->registrar_id && (o->registrar_id[0] != '/' || o->registrar_id[1] == '\0'))
		return wrong("the registrar's CSE-ID `%s` must begin with `/`", o->registrar_id);
	return OPTIONS_GO;
}

static bool set_port(char **listen, const char *port)
{
	char *end, text[32];
	unsigned long n = strtoul(port, &end, 10);

	if (end == port || *end || n > 65535) {
		wrong("`%s` is no port", port);
		return false;
	}
	snprintf(text, sizeof text, "127.0.0.1:%lu", n);
	set(listen, text);
	return true;
}

enum options_result options_read(struct options *o, int argc, char **argv)
{
	enum { CONFIG = 1, EPHEMERAL, STATE, PORT, TYPE, CSE_ID, CSE_NAME, REGISTRAR, REGISTRAR_ID, ADMIN_PORT, COAP_PORT, MQTT, TESTBENCH, CHECK, HELP, VERSION };
	static const struct option names[] = {
		{"config", required_argument, NULL, CONFIG}, {"ephemeral", no_argument, NULL, EPHEMERAL}, {"state", required_argument, NULL, STATE},
		{"port", required_argument, NULL, PORT}, {"type", required_argument, NULL, TYPE}, {"cse-id", required_argument, NULL, CSE_ID},
		{"cse-name", required_argument, NULL, CSE_NAME}, {"registrar", required_argument, NULL, REGISTRAR},
		{"registrar-id", required_argument, NULL, REGISTRAR_ID}, {"admin-port", required_argument, NULL, ADMIN_PORT}, {"coap-port", required_argument, NULL, COAP_PORT}, {"mqtt", required_argument, NULL, MQTT},
		{"testbench", no_argument, NULL, TESTBENCH}, {"check", no_argument, NULL, CHECK}, {"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION}, {NULL, 0, NULL, 0},
	};
	const char *file = NULL;
	int c;

	o->answer_commissioning = true;
	o->link_status_s = LINK_STATUS_S;
	o->groupcast_wait_s = GROUPCAST_WAIT_S;
	o->enrolment_registrar = o->enrolment_commands = true;
	o->websocket = true;
	o->websocket_ping_s = 30;
	o->credentials_recheck_s = KEY_WATCH_RECHECK_S;
	/* the file first, so that the command line overrides it wherever it stands */
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--config") == 0)
			file = argv[i + 1];
	if (file && !read_file(o, file))
		return OPTIONS_WRONG;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case CONFIG:
			break;
		case EPHEMERAL:
			o->ephemeral = true;
			break;
		case STATE:
			set(&o->state, optarg);
			break;
		case PORT:
			if (!set_port(&o->http, optarg))
				return OPTIONS_WRONG;
			break;
		case TYPE:
			set(&o->type, optarg);
			break;
		case CSE_ID:
			set(&o->id, optarg);
			break;
		case CSE_NAME:
			set(&o->name, optarg);
			break;
		case REGISTRAR:
			set(&o->registrar_url, optarg);
			break;
		case REGISTRAR_ID:
			set(&o->registrar_id, optarg);
			break;
		case ADMIN_PORT:
			if (!set_port(&o->admin_listen, optarg))
				return OPTIONS_WRONG;
			break;
		case COAP_PORT:
			if (!set_port(&o->coap, optarg))
				return OPTIONS_WRONG;
			break;
		case MQTT:
			set(&o->mqtt, optarg);
			break;
		case TESTBENCH:
			o->testbench = true;
			break;
		case CHECK:
			o->check = true;
			break;
		case HELP:
			fputs(usage, stdout);
			return OPTIONS_ENDED;
		case VERSION:
			puts("keyway-cse " KEYWAY_VERSION);
			return OPTIONS_ENDED;
		default:
			fputs(usage, stderr);
			return OPTIONS_WRONG;
		}
	}
	if (optind < argc)
		return wrong("`%s` is one word too many; --help tells more", argv[optind]);
	defaults(o);
	return check(o);
}
