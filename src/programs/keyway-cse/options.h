/* What keyway-cse was told, by file and command line. */
#ifndef KEYWAY_CSE_OPTIONS_H
#define KEYWAY_CSE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	char *type, *id, *name, *resource_id, *sp, *admin, *state, *http, *https, *ca, *cert, *key, *registrar_url, *registrar_id, *registrar_identity, *cors, *admin_listen;
	char *coap, *coaps, *coaps_psk_file, *https_psk_file, *psk_file;
	char *raw_key, *raw_keys, *crl, *ocsp_url, *ocsp, *staple;
	char *registrar_psk_identity, *registrar_psk_file;
	uint64_t dtls_sessions;
	bool legacy_suites;
	char *mqtt, *mqtt_identity, *mqtt_psk_identity, *mqtt_psk_file, *mqtt_user, *mqtt_password;
	char *gba_bsf, *gba_url, *gba_ua;
	char *ae_originators, *cse_originators, *open_create, *releases, *background_window, *networks, *coap_multicast;
	char *mef, *mef_identity, *key_file, *descriptions, *images;
	char *esprim_credentials, *esprim_kek, *esprim_notifications, *trace;
	char *token_issuers, *token_credentials, *token_kek, *das_servers;
	char *link_status;
	uint64_t link_status_s, groupcast_wait_s, esprim_life_s;
	bool esprim_certificates;
	char *credentials, *credentials_kek, *maf_url, *maf_id, *mef_url, *mef_id;
	char *enrolment_by, *enrolment_through, *enrolment_est, *enrolment_name;
	uint64_t enrolment_lifetime_s;
	bool enrolment_registrar, enrolment_commands;
	uint64_t max_expiration_s, request_life_s, cache_mib, websocket_ping_s, credentials_recheck_s;
	bool mqtt_trust_topics;
	bool release_1, answer_commissioning, ephemeral, testbench, check, verify_subscriptions, require_subscription, websocket;
};

/* Fills o; OPTIONS_ENDED when there is nothing more to do (--help, --version), OPTIONS_WRONG after a message on standard error. */
enum options_result { OPTIONS_GO, OPTIONS_ENDED, OPTIONS_WRONG };
enum options_result options_read(struct options *o, int argc, char **argv);
bool options_mqtt_is_secure(const struct options *o); /* the broker is one with TLS */

#endif
