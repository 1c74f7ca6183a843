/* Commands and configurations of a MEF, which may be anybody's after a break-in there: what may be carried out has a class that is known and every argument
 * of it, in printable text; a configuration names keys that have a use and a target. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enrolee/client_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int b)
{
	if (!b)
		abort();
}

static void text(const char *value)
{
	require(value[0] != '\0');
	for (; *value; value++)
		require((unsigned char)*value > 0x20 && *value != 0x7f);
}

static void carried_out(const struct client_command *c)
{
	require(c->id[0] != '\0');
	switch ((enum command_class)c->class) {
	case COMMAND_NO_MORE:
		return;
	case COMMAND_CERT_PROV:
		require(c->protocol >= COMMAND_EST && c->protocol <= COMMAND_SCEP && c->subject_type >= COMMAND_SUBJECT_NODE && c->subject_type <= COMMAND_SUBJECT_AE);
		text(c->uri);
		text(c->subject);
		return;
	case COMMAND_DEV_CFG:
		require(c->protocol <= COMMAND_TR_069);
		text(c->uri);
		return;
	case COMMAND_MO_NODE:
		require((c->object == COMMAND_AUTHENTICATION_PROFILE) == (c->suid != SUID_NONE));
		text(c->path);
		return;
	case COMMAND_ZIGBEE_APS_PENDING:
	case COMMAND_ZIGBEE_FORGET:
		text(c->path);
		return;
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct client_config config;
	struct client_command c;
	const struct json *doc;

	require(arena != NULL);
	if (json_parse(arena, rd_of(data, size), NULL, &doc) == OK) {
		if (client_command_parse(doc, &c)) {
			require(c.status == COMMAND_OK || c.status == COMMAND_CLASS_NOT_SUPPORTED || c.status == COMMAND_BAD_ARGUMENTS);
			if (c.status == COMMAND_OK)
				carried_out(&c);
		}
		if (client_config_parse(doc, 1795000000, &config)) {
			require(config.count > 0 && config.count <= CLIENT_CONFIG_KEYS);
			for (size_t i = 0; i < config.count; i++) {
				require(config.keys[i].suid != SUID_NONE);
				text(config.keys[i].target);
			}
		}
	}
	json_arena_free(arena);
	return 0;
}
