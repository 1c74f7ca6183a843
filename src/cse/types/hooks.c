/* The registry of what types do beyond their tables: one line a file in this folder. */
#include <stddef.h>

#include "cse/private.h"
#include "cse/types/types.h"

static const struct type_hooks *const all[] = {
	&hooks_cse_base,
	&hooks_ae,
	&hooks_remote_cse,
	&hooks_acp,
	&hooks_container,
	&hooks_content_instance,
	&hooks_flex_container,
	&hooks_time_series,
	&hooks_time_series_instance,
	&hooks_time_sync_beacon,
	&hooks_schedule,
	&hooks_location_policy,
	&hooks_event_config,
	&hooks_stats_collect,
	&hooks_node,
	&hooks_mgmt_obj,
	&hooks_mgmt_cmd,
	&hooks_exec_instance,
	&hooks_action,
	&hooks_dependency,
	&hooks_process,
	&hooks_state,
	&hooks_subscription,
	&hooks_target_policy,
	&hooks_target_reference,
	&hooks_cross_resource_subscription,
	&hooks_group,
	&hooks_request,
	&hooks_polling_channel,
	&hooks_delivery,
	&hooks_role,
	&hooks_token,
	&hooks_dynamic_authorization_consultation,
	&hooks_authorization_decision,
	&hooks_authorization_policy,
	&hooks_authorization_information,
	&hooks_transaction,
	&hooks_transaction_mgmt,
	&hooks_multimedia_session,
	&hooks_trigger_request,
	&hooks_background_transfer,
	&hooks_multicast_group,
	&hooks_primitive_profile,
	&hooks_semantic_descriptor,
	&hooks_ontology,
	&hooks_semantic_mashup_job_profile,
	&hooks_semantic_mashup_instance,
};

#define TY_MOST 128

const struct type_hooks *type_hooks(int type)
{
	static const struct type_hooks none;
	static const struct type_hooks *by_type[TY_MOST];
	static bool sorted;

	if (!sorted) {
		for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
			by_type[all[i]->type] = all[i];
		sorted = true;
	}
	if (type == hooks_ae_announced.type)
		return &hooks_ae_announced;
	return type > 0 && type < TY_MOST && by_type[type] ? by_type[type] : &none;
}

void type_hooks_each(void (*fn)(void *ctx, const struct type_hooks *h), void *ctx)
{
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		fn(ctx, all[i]);
}
