/* keyway-gateway: a Zigbee gateway that holds no key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "est/certificate_renewal.h"
#include "gateway/form.h"
#include "gateway/spinel_host.h"
#include "loop/config.h"
#include "loop/log.h"
#include "loop/startup.h"
#include "tls/psk_line.h"

static const char usage[] =
    "usage: keyway-gateway --config FILE\n\n"
    "A Zigbee gateway: radio and MAC, and the relay of sealed frames to oneM2M. It holds no key of any device.\n\n"
    "  --config FILE  configuration, see docs/configuration.md (`keyway init` writes one)\n"
    "  --help         this text\n"
    "  --version      version\n\n"
    "KEYWAY_LOG=debug in the environment logs more.\n\n"
    "Example:\n"
    "  keyway-gateway --config plant/gateway.ini\n\n"
    "Exit status: 0 ended by a signal, 1 it could not start (the last line says why), 2 the command line or the configuration was not understood.\n";

struct settings {
	char *name, *channel, *tx_power, *extended_pan_id, *state, *radio, *egp, *egp_identity, *psk_identity, *psk_file, *ca, *cert, *key;
	char *cse_url, *cse_identity, *cse_id, *cse_name, *ae_id, *ae_name, *listen, *est, *est_identity;
	uint64_t eui64, pan_id;
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
		{"gateway", "channel", CONFIG_STRING, &s->channel, true, "11 to 26, auto, or auto: and a list"},
		{"gateway", "state", CONFIG_STRING, &s->state, true, "directory"},
		{"radio", "connect", CONFIG_STRING, &s->radio, true, "tcp:HOST:PORT or serial:PATH[:BAUD]"},
		{"radio", "tx_power", CONFIG_STRING, &s->tx_power, false, "dBm"},
		{"egp", "connect", CONFIG_STRING, &s->egp, true, "tls:, psk:, serial: or tcp:"},
		{"egp", "identity", CONFIG_STRING, &s->egp_identity, false, ""},
		{"egp", "psk_identity", CONFIG_STRING, &s->psk_identity, false, ""},
		{"egp", "psk_file", CONFIG_STRING, &s->psk_file, false, ""},
		{"egp", "insecure", CONFIG_BOOL, &s->insecure, false, ""},
		{"tls", "ca", CONFIG_STRING, &s->ca, false, ""},
		{"tls", "cert", CONFIG_STRING, &s->cert, false, ""},
		{"tls", "key", CONFIG_STRING, &s->key, false, ""},
		{"est", "url", CONFIG_STRING, &s->est, false, "https://MEF:PORT/.well-known/est: the certificate of [tls] is renewed there"},
		{"est", "identity", CONFIG_STRING, &s->est_identity, false, "in the certificate of that MEF"},
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

/* The key that it shares with the Enrolment Gateway on a serial line. */
static int serial_seal(const struct settings *s, struct gateway_config *c)
{
	static struct rng rng;
	struct psk_line line;

	if (!s->psk_file)
		return 0;
	rng = rng_system();
	if (!s->psk_identity || !tls_file_is_private(s->psk_file) || !psk_line_find(s->psk_file, s->psk_identity, &line))
		return fail("[egp] serial: with psk_file needs psk_identity, and in the file, of mode 0600, a line for it", "");
	c->egp_seal = egp_seal_new(EGP_SEAL_GATEWAY, rd_of(line.key, line.key_len), &rng);
	bytes_wipe(&line, sizeof line);
	return c->egp_seal ? 0 : fail("the key in [egp] psk_file cannot be used: it has to have 16 octets at least", "");
}

static int credentials(const struct settings *s, struct gateway_config *c)
{
	char why[TLS_WHY_MAX];
	bool https = strncmp(s->cse_url, "https://", 8) == 0, tls = strncmp(s->egp, "tls:", 4) == 0, psk = strncmp(s->egp, "psk:", 4) == 0;

	if (strncmp(s->egp, "tcp:", 4) == 0 && (!s->insecure || strncmp(s->egp, "tcp:127.", 8) != 0))
		return fail("[egp] connect = tcp: is for loopback only, and only with insecure = yes", "");
	if ((https || tls) && (!s->ca || !s->cert || !s->key))
		return fail("[tls] needs ca, cert and key", "");
	if ((https || tls) && tls_credentials_new(&(const struct tls_config){.cert = s->cert, .key = s->key, .ca = s->ca}, why, &c->tls) != OK)
		return fail("TLS credentials in [tls] can't be used: ", why);
	if (tls && !s->egp_identity)
		return fail("[egp] identity is missing: whom shall the Enrolment Gateway prove to be?", "");
	if (https && !s->cse_identity)
		return fail("[cse] identity is missing", "");
	if (psk && (!s->psk_identity || !s->psk_file || tls_psk_client(s->psk_identity, s->psk_file, &c->egp_tls) != OK))
		return fail("[egp] psk: needs psk_identity, and psk_file with a line for it and mode 0600", "");
	if (tls)
		c->egp_tls = c->tls;
	if (strncmp(s->egp, "serial:", 7) == 0)
		return serial_seal(s, c);
	return 0;
}

/* "15": that channel; "auto": all; "auto:11,15,20,25": these. */
static bool parse_channels(const char *text, uint32_t *channels, bool *choose)
{
	struct rd all = rd_str(text), one;
	uint64_t n;

	*channels = 0;
	*choose = rd_starts(all, "auto");
	if (*choose && (rd_is(all, "auto") || !rd_skip(&all, strlen("auto:")))) {
		*channels = SPINEL_HOST_CHANNELS;
		return rd_is(all, "auto");
	}
	while (all.left) {
		if (!rd_until(&all, ',', &one))
			one = rd_rest(&all);
		if (!rd_decimal(one, &n) || n < 11 || n > 26)
			return false;
		*channels |= 1U << n;
	}
	return *channels != 0 && (*choose || (*channels & (*channels - 1)) == 0);
}

static bool parse_power(const char *text, struct gateway_config *c)
{
	char *end;
	long n;

	if (!text)
		return true;
	n = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || n < -40 || n > 30)
		return false;
	c->set_tx_power = true;
	c->tx_power_dbm = (int8_t)n;
	return true;
}

struct start {
	struct loop *loop;
	struct gateway_config *config;
	const char *name;
	enum err e;
};

static void on_formed(void *ctx, uint8_t channel)
{
	struct start *s = ctx;

	s->config->radio.channel = channel;
	s->e = gateway_start(s->loop, s->config);
	if (s->e == OK)
		log_line(LOG_LEVEL_INFO, "ready", "gateway=%s", s->name);
	else
		loop_stop(s->loop);
}

static enum err start(struct start *s, uint32_t channels, bool choose)
{
	enum err e;

	if (choose) {
		e = gateway_form(s->loop, s->config, channels, on_formed, s);
	} else {
		on_formed(s, (uint8_t)__builtin_ctz(channels));
		e = s->e;
	}
	return e == OK ? s->e : e;
}

/* Its own TLS credential, and no other key, is renewed by EST. */
static int renewal(struct loop *l, const struct settings *s)
{
	struct certificate_renewal *r;

	if (!s->est)
		return 0;
	if (strncmp(s->est, "https://", 8) != 0 || !s->est_identity || !s->ca || !s->cert || !s->key)
		return fail("[est] needs url (https://) and identity, and ca, cert and key in [tls]", "");
	if (certificate_renewal_new(l, &(const struct certificate_renewal_config){s->est, s->est_identity, s->ca, s->cert, s->key}, &r) != OK)
		return fail("[est] needs a certificate in DIR/FILE.pem and its key in DIR/FILE.key, not ", s->cert);
	return 0;
}

int main(int argc, char **argv)
{
	static struct settings s;
	struct gateway_config c = {.tls = NULL};
	struct start begin = {.config = &c};
	uint32_t channels;
	bool choose;
	const char *config = NULL;
	enum err e;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			config = argv[++i];
		} else if (strncmp(argv[i], "--config=", 9) == 0) {
			config = argv[i] + 9;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("keyway-gateway " KEYWAY_VERSION);
			return 0;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
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
		return 2;
	if (!parse_channels(s.channel, &channels, &choose))
		return fail("[gateway] channel has to be one from 11 to 26, auto, or auto: and some of them (auto:11,15,20,25): ", s.channel);
	if (!parse_power(s.tx_power, &c))
		return fail("[radio] tx_power has to be dBm from -40 to 30: ", s.tx_power);
	if (s.pan_id > 0xfffe || !eui64_parse(rd_str(s.extended_pan_id), &c.radio.extended_pan_id))
		return fail("[gateway] pan_id has to be 0 to 0xfffe, and extended_pan_id 16 hexadecimal digits, not ", s.extended_pan_id);
	r = credentials(&s, &c);
	if (r)
		return r;
	c.radio.eui64 = s.eui64;
	c.radio.pan_id = (uint16_t)s.pan_id;
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
	if (!startup_state(s.state))
		return 1;
	startup_certificate(s.cert);
	startup_psk_file(s.psk_file);
	begin.loop = loop_new();
	begin.name = s.name;
	r = renewal(begin.loop, &s);
	if (r)
		return r;
	e = start(&begin, channels, choose);
	if (e != OK)
		return fail("cannot start, as said above: ", err_text(e));
	loop_run(begin.loop);
	if (begin.e != OK)
		return fail("cannot start: ", err_text(begin.e));
	log_line(LOG_LEVEL_INFO, "ended", NULL);
	return 0;
}
