/* IPE-OCI: with it a CSE is node B. It holds the network keys of its devices, seals and opens their NWK frames, runs the coordinator's upper
 * layers and mirrors each device as SDT flexContainers. */
#ifndef KEYWAY_OCI_OCI_H
#define KEYWAY_OCI_OCI_H

#include "cse/cse.h"
#include "json/json.h"
#include "loop/http.h"
#include "loop/loop.h"
#include "oci/description.h"

struct oci_config {
	const char *mef;           /* "https://127.0.0.1:9443" */
	const char *mef_identity;  /* "mef.keyway.example" */
	const char *cse_id;        /* "/id-b" */
	const char *cse_name;      /* "cse-b" */
	const char *sp;
	const char *state;         /* directory for oci.db */
	const char *key_file;
	bool answer_commissioning; /* no: a test switch */
	uint32_t link_status_ms;   /* to routers; 0: none, a test switch */
	bool link_status_broadcast;
	uint32_t groupcast_wait_ms; /* how long who was told by a groupcast may take to report */
	const char *images;        /* directory with files for over-the-air upgrade; NULL: none */
	const struct descriptions *descriptions; /* live as long as the process */
	struct http_client *http;
	/* Commands of the MEF that are not about devices: `answer` is what the MEF sent, borrowed; ends in report, at once or later. NULL: they are not supported. */
	void (*command)(void *ctx, const char *registration, const struct json *answer, void (*report)(void *ctx, int status), void *report_ctx);
	void *command_ctx;
};

/* The built-in descriptions and those of the JSON files in a directory (NULL: none), in the order of their names. On an error one line for a person. */
enum err oci_descriptions(const char *directory, struct descriptions **out, char *why, size_t why_size) MUST_CHECK;

/* Runs for the life of the process. ERR_CONFIG, ERR_STORE. */
enum err oci_start(struct loop *l, struct cse *c, const struct oci_config *config) MUST_CHECK;

#endif
