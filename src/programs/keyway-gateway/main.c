/* keyway-gateway: a Zigbee gateway that holds no key. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "gateway/gateway.h"
#include "loop/config.h"
#include "loop/log.h"

static const char usage[] =
    "usage: keyway-gateway --config FILE\n\n"
    "A Zigbee gateway: radio and MAC, and the relay of sealed frames to oneM2M. It holds no key of any device.\n\n"
    "  --config FILE  configuration, see docs/configuration.md (`keyway init` writes one)\n"
    "  --help         this text\n"
    "  --version      version\n\n"
    "KEYWAY_LOG=debug in the environment logs more.\n";

struct settings {
	char *name, *extended_pan_id, *state, *radio, *egp, *egp_identity, *psk_identity, *psk_file, *ca, *cert, *key;
	char *cse_url, *cse_identity, *cse_id, *cse_name, *ae_id, *ae_name, *listen;
	uint64_t eui64, pan_id, channel;
	bool insecure;
};

static int fail(const char *text, const char *what)
{
	fprintf(stderr, "keyway-gateway: %s%s\n", text, what);
	return 1;
}

static bool read_settings(struct settings *s, const char *path)
{
	const struct config_key keys[] = {
		{"gateway", "name", CONFIG_STRING, &s->name, true, "its name at the MEF"},
		{"gateway", "eui64", CONFIG_EUI64, &s->eui64, true, "its EUI-64"},
		{"gateway", "pan_id", CONFIG_UINT, &s->pan_id, true, "PAN ID, such as 0x1a62"},
		{"gateway", "extended_pan_id", CONFIG_STRING, &s->extended_pan_id, true, "16 hexadecimal digits"},
		{"gateway", "channel", CONFIG_UINT, &s->channel, true, "11 to 26"},
		{"gateway", "state", CONFIG_STRING, &s->state, true, "directory"},
		{"radio", "connect", CONFIG_STRING, &s->radio, true, "tcp:HOST:PORT or serial:PATH[:BAUD]"},
		{"egp", "connect", CONFIG_STRING, &s->egp, true, "tls:, psk:, serial: or tcp:"},
		{"egp", "identity", CONFIG_STRING, &s->egp_identity, false, ""},
		{"egp", "psk_identity", CONFIG_STRING, &s->psk_identity, false, ""},
		{"egp", "psk_file", CONFIG_STRING, &s->psk_file, false, ""},
		{"egp", "insecure", CONFIG_BOOL, &s->insecure, false, ""},
		{"tls", "ca", CONFIG_STRING, &s->ca, false, ""},
		{"tls", "cert", CONFIG_STRING, &s->cert, false, ""},
		{"tls", "key", CONFIG_STRING, &s->key, false, ""},
		{"cse", "url", CONFIG_STRING, &s->cse_url, true, "registrar CSE"},
		{"cse", "identity", CONFIG_STRING, &s->cse_identity, false, ""},
		{"cse", "id", CONFIG_STRING, &s->cse_id, true, "its CSE-ID"},
		{"cse", "name", CONFIG_STRING, &s->cse_name, true, "its CSEBase"},
		{"ipe", "ae_id", CONFIG_STRING, &s->ae_id, true, "AE-ID of IPE-NI"},
		{"ipe", "name", CONFIG_STRING, &s->ae_name, true, "resource name of IPE-NI"},
		{"ipe", "listen", CONFIG_STRING, &s->listen, true, "where notifications come in"},
		{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
	};
	char message[512];

	if (config_read(path, keys, message, sizeof message) == OK)
		return true;
	fail(message, "");
	return false;
}

static int credentials(const struct settings *s, struct gateway_config *c)
{
	bool https = strncmp(s->cse_url, "https://", 8) == 0, tls = strncmp(s->egp, "tls:", 4) == 0, psk = strncmp(s->egp, "psk:", 4) == 0;

	if (strncmp(s->egp, "tcp:", 4) == 0 && (!s->insecure || strncmp(s->egp, "tcp:127.", 8) != 0))
		return fail("[egp] connect = tcp: is for loopback only, and only with insecure = yes", "");
	if ((https || tls) && (!s->ca || !s->cert || !s->key))
		return fail("[tls] needs ca, cert and key", "");
	if ((https || tls) && tls_certificates(s->ca, s->cert, s->key, &c->tls) != OK)
		return fail("the TLS credential cannot be used (its key file must have mode 0600): ", s->cert);
	if (tls && !s->egp_identity)
		return fail("[egp] identity is missing: whom shall the Enrolment Gateway prove to be?", "");
	if (https && !s->cse_identity)
		return fail("[cse] identity is missing", "");
	if (psk && (!s->psk_identity || !s->psk_file || tls_psk_client(s->psk_identity, s->psk_file, &c->egp_tls) != OK))
		return fail("[egp] psk: needs psk_identity, and psk_file with a line for it and mode 0600", "");
	if (tls)
		c->egp_tls = c->tls;
	return 0;
}

int main(int argc, char **argv)
{
	static struct settings s;
	struct gateway_config c = {.tls = NULL};
	const char *config = NULL;
	struct loop *l;
	enum err e;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			config = argv[++i];
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("keyway-gateway " KEYWAY_VERSION);
			return 0;
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		} else {
			fail("this is no option, or its value is missing; --help tells more: ", argv[i]);
			return 2;
		}
	}
	if (!config) {
		fail("--config FILE is missing; `keyway init` makes one", "");
		return 2;
	}
	if (!read_settings(&s, config))
		return 1;
	if (s.pan_id > 0xfffe || s.channel < 11 || s.channel > 26 || !eui64_parse(rd_str(s.extended_pan_id), &c.radio.extended_pan_id))
		return fail("[gateway] pan_id, channel (11 to 26) or extended_pan_id cannot be", "");
	r = credentials(&s, &c);
	if (r)
		return r;
	c.radio.eui64 = s.eui64;
	c.radio.pan_id = (uint16_t)s.pan_id;
	c.radio.channel = (uint8_t)s.channel;
	c.radio_address = s.radio;
	c.egp_address = s.egp;
	c.egp_identity = s.egp_identity;
	c.cse_url = s.cse_url;
	c.cse_identity = s.cse_identity ? s.cse_identity : "";
	c.cse_id = s.cse_id;
	c.cse_name = s.cse_name;
	c.ae_id = s.ae_id;
	c.ae_name = s.ae_name;
	c.listen = s.listen;
	c.state = s.state;
	log_start(s.name, LOG_LEVEL_INFO);
	l = loop_new();
	e = gateway_start(l, &c);
	if (e != OK)
		return fail("cannot start: ", err_text(e));
	log_line(LOG_LEVEL_INFO, "ready", "gateway=%s", s.name);
	loop_run(l);
	log_line(LOG_LEVEL_INFO, "ended", NULL);
	return 0;
}
