/* What each file of this folder offers. A type needs a file here only when it does something: the tables do the rest. */
#ifndef KEYWAY_CSE_TYPES_TYPES_H
#define KEYWAY_CSE_TYPES_TYPES_H

#include "cse/private.h"

extern const struct type_hooks hooks_cse_base;          /* cse_base.c */
extern const struct type_hooks hooks_ae;                /* ae.c */
extern const struct type_hooks hooks_ae_announced;      /* ae_moves.c */
extern const struct type_hooks hooks_remote_cse;        /* remote_cse.c */
extern const struct type_hooks hooks_acp;               /* acp.c */
extern const struct type_hooks hooks_container;         /* container.c */
extern const struct type_hooks hooks_content_instance;
extern const struct type_hooks hooks_flex_container;    /* flex_container.c */

extern const struct type_hooks hooks_time_series;       /* time_series.c */
extern const struct type_hooks hooks_time_series_instance;
extern const struct type_hooks hooks_time_sync_beacon;  /* time_sync_beacon.c */
extern const struct type_hooks hooks_schedule;          /* node_schedule.c */
extern const struct type_hooks hooks_location_policy;   /* location_policy.c */
extern const struct type_hooks hooks_event_config;      /* stats.c */
extern const struct type_hooks hooks_stats_collect;
extern const struct type_hooks hooks_node;              /* node.c */
extern const struct type_hooks hooks_mgmt_obj;          /* mgmt_obj.c */
extern const struct type_hooks hooks_mgmt_cmd;          /* mgmt_cmd.c */
extern const struct type_hooks hooks_exec_instance;    /* exec_instance.c */
extern const struct type_hooks hooks_action;            /* action.c */
extern const struct type_hooks hooks_dependency;
extern const struct type_hooks hooks_process;           /* process.c */
extern const struct type_hooks hooks_state;

/* Names of custom attributes, for filters: flex_names.c */
void flex_names_note(struct cse *c, struct resource *r);

extern const struct type_hooks hooks_subscription;      /* subscription.c */
extern const struct type_hooks hooks_target_policy;     /* target_policy.c */
extern const struct type_hooks hooks_target_reference;
extern const struct type_hooks hooks_cross_resource_subscription; /* cross_resource_subscription.c */
extern const struct type_hooks hooks_group;             /* group.c */
extern const struct type_hooks hooks_request;           /* request.c */
extern const struct type_hooks hooks_polling_channel;   /* polling_channel.c */
extern const struct type_hooks hooks_delivery;          /* delivery.c */
extern const struct type_hooks hooks_role;              /* authorization.c */
extern const struct type_hooks hooks_token;
extern const struct type_hooks hooks_dynamic_authorization_consultation;
extern const struct type_hooks hooks_authorization_decision; /* authorization_point.c */
extern const struct type_hooks hooks_authorization_policy;
extern const struct type_hooks hooks_authorization_information;
extern const struct type_hooks hooks_transaction;       /* transaction.c */
extern const struct type_hooks hooks_transaction_mgmt;  /* transaction_mgmt.c */
extern const struct type_hooks hooks_multimedia_session; /* multimedia_session.c */
extern const struct type_hooks hooks_trigger_request;   /* trigger_request.c */
extern const struct type_hooks hooks_background_transfer; /* background_transfer.c */
extern const struct type_hooks hooks_multicast_group;   /* multicast_group.c */
extern const struct type_hooks hooks_primitive_profile; /* primitive_profile.c */
bool primitive_profile_fits(struct exchange *x, const struct attributes *a); /* primitive_profile_check.c; false after a failure was answered */
extern const struct type_hooks hooks_semantic_descriptor; /* semantic_descriptor.c */
extern const struct type_hooks hooks_ontology;          /* ontology.c */
extern const struct type_hooks hooks_semantic_mashup_job_profile; /* semantic_mashup.c */
extern const struct type_hooks hooks_semantic_mashup_instance;

void type_hooks_each(void (*fn)(void *ctx, const struct type_hooks *h), void *ctx);

#endif
