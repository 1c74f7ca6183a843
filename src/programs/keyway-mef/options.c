/* What keyway-mef is configured with: its keys, what they are without a word in the file, and what of it cannot be. docs/configuration.md. */
#include "programs/keyway-mef/program.h"

#define RATE_MAX 10000 /* more would not be a limit */
#define ROTATE_DAYS_MAX 3650

struct options options = {
	.device_per_minute = 5,
	.group_hours = 24,
	.gateway_per_second = 100,
	.client_days = 365,
	.key_days = 365,
	.est_days = 365,
	.require_unique_link_key = true,
	.answer_requests = true,
	.bsf = {.lifetime_s = BSF_LIFETIME_S, .challenges_per_minute = BSF_CHALLENGES_PER_MINUTE},
};

const struct config_key options_keys[] = {
	{"mef", "id", CONFIG_STRING, &options.id, true, "FQDN of the MEF, as in its certificate"},
	{"mef", "sp", CONFIG_STRING, &options.sp, true, "M2M service provider"},
	{"mef", "state", CONFIG_STRING, &options.state, true, "directory for mef.db and audit.log"},
	{"mef", "key_file", CONFIG_STRING, &options.key_file, false, "what sealed mef.db until version 0.1; for one start"},
	{"mef", "admin_socket", CONFIG_STRING, &options.admin_socket, false, "path of the administration socket"},
	{"credentials", "kek", CONFIG_STRING, &options.kek, false, "key file or PKCS#11 URI that seals credentials.db"},
	{"tls", "ca", CONFIG_STRING, &options.ca, true, "PEM file"},
	{"tls", "cert", CONFIG_STRING, &options.cert, true, "PEM file"},
	{"tls", "key", CONFIG_STRING, &options.key, true, "PEM file"},
	{"mmef", "listen", CONFIG_STRING, &options.mmef_listen, true, "HTTPS for nodes B, such as 127.0.0.1:9443"},
	{"mmef", "client_days", CONFIG_UINT, &options.client_days, false, "longest life of a client registration"},
	{"mmef", "key_days", CONFIG_UINT, &options.key_days, false, "longest life of a registered key"},
	{"est", "ca", CONFIG_STRING, &options.est_ca, false, "directory of the CA that certificates are enrolled with"},
	{"est", "days", CONFIG_UINT, &options.est_days, false, "how long its certificates are good for"},
	{"est", "demand_binding", CONFIG_BOOL, &options.est_binding, false, "yes: requests have to be bound to their association"},
	{"egp", "tls_listen", CONFIG_STRING, &options.tls_listen, false, "EGP over TLS with certificates"},
	{"egp", "psk_listen", CONFIG_STRING, &options.psk_listen, false, "EGP over TLS-PSK"},
	{"egp", "psk_file", CONFIG_STRING, &options.psk_file, false, "lines of identity:hexkey"},
	{"egp", "serial", CONFIG_STRING, &options.serial, false, "a serial line to a gateway"},
	{"egp", "serial_gateway", CONFIG_STRING, &options.serial_gateway, false, "name of the gateway at its other end"},
	{"egp", "serial_psk_file", CONFIG_STRING, &options.serial_psk_file, false, "file with the key that both ends of that line share"},
	{"egp", "insecure_listen", CONFIG_STRING, &options.insecure_listen, false, "plain TCP on loopback"},
	{"egp", "insecure", CONFIG_BOOL, &options.insecure, false, "must be yes for insecure_listen"},
	{"egp", "header_addresses", CONFIG_STRING, &options.header_addresses, false, "destination, both or none"},
	{"bsf", "listen", CONFIG_STRING, &options.bsf.listen, false, "bootstrapping from a USIM: HTTPS without client certificates"},
	{"bsf", "hss", CONFIG_STRING, &options.bsf.hss, false, "path of keyway-hss's [zh] socket"},
	{"bsf", "zn_listen", CONFIG_STRING, &options.bsf.zn_listen, false, "HTTPS for CSEs and MAFs that ask for bootstrapped keys"},
	{"bsf", "lifetime_s", CONFIG_UINT, &options.bsf.lifetime_s, false, "longest life of such keys"},
	{"bsf", "challenges_per_minute", CONFIG_UINT, &options.bsf.challenges_per_minute, false, "for one subscriber"},
	{"limits", "device_per_minute", CONFIG_UINT, &options.device_per_minute, false, "EG-REQUESTs"},
	{"limits", "gateway_per_second", CONFIG_UINT, &options.gateway_per_second, false, "EG-REQUESTs"},
	{"policy", "short_install_codes", CONFIG_BOOL, &options.short_install_codes, false, "accept 6, 8 and 12 octets"},
	{"policy", "require_unique_link_key", CONFIG_BOOL, &options.require_unique_link_key, false, "remove devices that keep the install code's key"},
	{"policy", "rotate_days", CONFIG_UINT, &options.rotate_days, false, "age at which network keys are replaced"},
	{"policy", "group_hours", CONFIG_UINT, &options.group_hours, false, "after which a member that was away while its group's key was replaced must enrol again"},
	{"policy", "answer_requests", CONFIG_BOOL, &options.answer_requests, false, "no: the Trust Centre is silent, for tests"},
	{NULL, NULL, CONFIG_STRING, NULL, false, NULL},
};

bool options_check(struct service *s)
{
	if (options.header_addresses && !header_addresses_parse(options.header_addresses, &s->header_addresses))
		return program_fail("header_addresses in [egp] is wrong", "it may be `destination`, `both` or `none`", ERR_CONFIG);
	if ((options.psk_listen != NULL) != (options.psk_file != NULL))
		return program_fail("psk_listen and psk_file in [egp] belong together", "give both or none", ERR_CONFIG);
	if ((options.serial != NULL) != (options.serial_gateway != NULL))
		return program_fail("serial and serial_gateway in [egp] belong together", "give both or none", ERR_CONFIG);
	if (options.insecure_listen && !options.insecure)
		return program_fail("EGP over plain TCP is refused", "use tls_listen, or set `insecure = yes` in [egp] for a test on loopback", ERR_CONFIG);
	if (options.device_per_minute == 0 || options.device_per_minute > RATE_MAX || options.gateway_per_second == 0 || options.gateway_per_second > RATE_MAX)
		return program_fail("a value in [limits] is out of range", "1 to 10000", ERR_CONFIG);
	if (options.client_days == 0 || options.client_days * 86400 > REGISTRY_CLIENT_LIFETIME_MAX || options.key_days == 0 ||
	    options.key_days * 86400 > REGISTRY_KEY_LIFETIME_MAX)
		return program_fail("client_days or key_days in [mmef] is out of range", "1 to 365: no policy may go beyond the hard maximum", ERR_CONFIG);
	if (options.rotate_days > ROTATE_DAYS_MAX)
		return program_fail("rotate_days in [policy] is out of range", "1 to 3650; 0 rotates only on demand", ERR_CONFIG);
	if (options.group_hours > ROTATE_DAYS_MAX * 24)
		return program_fail("group_hours in [policy] is out of range", "1 to 87600; 0 is never", ERR_CONFIG);
	return true;
}
