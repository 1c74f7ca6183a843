/* The resource types of oneM2M as data: attributes with their types, multiplicities and create/update rules, child types, announced
 * variants. Generated at build time from src/onem2m/tables/ (TS-0004 V3.32.0 clauses 6.3 and 7.4, TS-0001 V3.36.0 clause 9.6); nothing
 * in the CSE knows an attribute that is not in here.
 *
 * Every table is constant and lives as long as the program. */
#ifndef KEYWAY_ONEM2M_SCHEMA_H
#define KEYWAY_ONEM2M_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"
#include "json/json.h"
#include "onem2m/rsc.h"

/* Resource types, TS-0004 table 6.3.4.2.1-1: TY_CONTAINER = 3 and so on; the announced variant of ty is ty + TY_ANNOUNCED. */
#define TY_ANNOUNCED 10000
enum onem2m_ty {
	TY_ACP = 1, TY_AE = 2, TY_CONTAINER = 3, TY_CONTENT_INSTANCE = 4, TY_CSE_BASE = 5, TY_DELIVERY = 6, TY_EVENT_CONFIG = 7,
	TY_EXEC_INSTANCE = 8, TY_GROUP = 9, TY_LOCATION_POLICY = 10, TY_M2M_SERVICE_SUBSCRIPTION_PROFILE = 11, TY_MGMT_CMD = 12,
	TY_MGMT_OBJ = 13, TY_NODE = 14, TY_POLLING_CHANNEL = 15, TY_REMOTE_CSE = 16, TY_REQUEST = 17, TY_SCHEDULE = 18,
	TY_SERVICE_SUBSCRIBED_APP_RULE = 19, TY_SERVICE_SUBSCRIBED_NODE = 20, TY_STATS_COLLECT = 21, TY_STATS_CONFIG = 22,
	TY_SUBSCRIPTION = 23, TY_SEMANTIC_DESCRIPTOR = 24, TY_NOTIFICATION_TARGET_MGMT_POLICY_REF = 25, TY_NOTIFICATION_TARGET_POLICY = 26,
	TY_POLICY_DELETION_RULES = 27, TY_FLEX_CONTAINER = 28, TY_TIME_SERIES = 29, TY_TIME_SERIES_INSTANCE = 30, TY_ROLE = 31,
	TY_TOKEN = 32, TY_DYNAMIC_AUTHORIZATION_CONSULTATION = 34, TY_AUTHORIZATION_DECISION = 35, TY_AUTHORIZATION_POLICY = 36,
	TY_AUTHORIZATION_INFORMATION = 37, TY_ONTOLOGY_REPOSITORY = 38, TY_ONTOLOGY = 39, TY_SEMANTIC_MASHUP_JOB_PROFILE = 40,
	TY_SEMANTIC_MASHUP_INSTANCE = 41, TY_SEMANTIC_MASHUP_RESULT = 42, TY_AE_CONTACT_LIST = 43, TY_AE_CONTACT_LIST_PER_CSE = 44,
	TY_LOCAL_MULTICAST_GROUP = 45, TY_MULTIMEDIA_SESSION = 46, TY_TRIGGER_REQUEST = 47, TY_CROSS_RESOURCE_SUBSCRIPTION = 48,
	TY_BACKGROUND_DATA_TRANSFER = 49, TY_TRANSACTION_MGMT = 50, TY_TRANSACTION = 51, TY_FLEX_CONTAINER_INSTANCE = 58,
	TY_TIME_SYNC_BEACON = 60, TY_PRIMITIVE_PROFILE = 62, TY_PROCESS_MANAGEMENT = 63, TY_STATE = 64, TY_ACTION = 65, TY_DEPENDENCY = 66,
};

enum schema_presence { SCHEMA_NP, SCHEMA_OPTIONAL, SCHEMA_MANDATORY };
enum schema_announce { SCHEMA_NA, SCHEMA_OA, SCHEMA_MA }; /* not, optionally, always announced */

/* What a value may be. A list type accepts a JSON array of its item; the empty list only when not non_empty. */
enum schema_kind {
	SCHEMA_ANY, SCHEMA_STRING, SCHEMA_TOKEN, SCHEMA_NCNAME, SCHEMA_URI, SCHEMA_ID, SCHEMA_RESOURCE_NAME,
	SCHEMA_BOOL, SCHEMA_INTEGER /* within min..max */, SCHEMA_FLOAT, SCHEMA_ENUM /* an integer of `values` */, SCHEMA_STRING_ENUM /* of `words` */,
	SCHEMA_TIMESTAMP, SCHEMA_ABS_REL_TIMESTAMP, SCHEMA_DURATION, SCHEMA_SCHEDULE /* seven fields */, SCHEMA_BASE64,
	SCHEMA_LIST, SCHEMA_OBJECT /* of `members` */, SCHEMA_GEO /* m2m:geoCoordinates */, SCHEMA_ANY_OBJECT,
	SCHEMA_CONTENT_INFO /* media type:encoding[:security] */, SCHEMA_IPV4, SCHEMA_IPV6 /* addresses, with or without /prefix length */,
};

struct schema_member;
struct schema_datatype {
	const char *name;                     /* "m2m:acpType", for error texts */
	enum schema_kind kind;
	bool non_empty;
	int64_t min, max;                     /* of an integer its range; of a string its octets, of a list its items (0, 0: any number) */
	const int *values;                    /* ends with INT_MIN */
	const char *const *words;             /* ends with NULL */
	const struct schema_datatype *item;
	const struct schema_member *members;  /* sorted; ends with a NULL name */
};

struct schema_member {
	const char *name;                     /* short name within a complex type: "net" */
	const struct schema_datatype *type;
	bool mandatory;
};

struct schema_attribute {
	const char *name;                     /* short name: "mni" */
	const char *long_name;                /* "maxNrOfInstances" */
	const struct schema_datatype *type;
	enum schema_presence create, update;
	enum schema_announce announce;
	bool mandatory_in_resource;           /* multiplicity 1: UPDATE may not delete it (but et, for which the CSE then chooses a value) */
	bool null_on_create;                  /* creator: CREATE carries null or leaves it out, and the CSE fills it in */
	const char *fallback;                 /* what an absent value means, as JSON text ("1", "false"); NULL when nothing is defined */
};

struct schema_child {
	int ty;                               /* or 0 for a virtual resource, which nobody creates */
	const char *fixed_name;               /* "notificationSchedule", or NULL */
	bool one;                             /* at most one of it */
};

struct schema_type {
	int ty;
	int mgd;                              /* of a mgmtObj specialisation, otherwise 0 */
	const char *name;                     /* "container" */
	const char *root;                     /* "m2m:cnt"; NULL for flexContainer and a self-defined mgmtObj, whose creator brings it */
	const char *sn;                       /* "cnt"; prefix of generated IDs */
	const char *definition;               /* containerDefinition of a known SDT module class; "" where the root alone tells the specialisation; otherwise NULL */
	const struct schema_attribute *attributes; /* sorted by name, for a binary search */
	size_t attribute_count;
	size_t mandatory_on_create, mandatory_on_update; /* so many of them are */
	const struct schema_child *children;
	size_t child_count;
	bool own_acpi;                        /* has accessControlPolicyIDs; others inherit their parent's */
	bool announceable;
	bool custom;                          /* further attributes are allowed: flexContainer and its announced variant */
};

/* NULL for a type that does not exist. A mgmtObj (ty 13) is looked up by its root ("m2m:bat") or by mgd; schema_type(13) is the self-defined one
 * (mgd 0). A flexContainer is schema_type(28), or its module class where that is known. */
const struct schema_type *schema_type(int ty);
const struct schema_type *schema_mgmt_by_root(struct rd root);
const struct schema_type *schema_mgmt(int mgd);
const struct schema_type *schema_by_root(struct rd root); /* any type: "m2m:cnt", "m2m:cntA", "m2m:bat", "cod:binSh" */
const struct schema_type *schema_module_class(struct rd definition); /* "org.onem2m.common.moduleclass.binarySwitch" */
/* All, sorted by ty, mgd, definition; ends with NULL. For srt take those with neither mgd nor definition, so that each ty comes once. */
const struct schema_type *const *schema_types(void);

const struct schema_attribute *schema_attribute(const struct schema_type *t, struct rd name); /* NULL when it has none of that name */
const struct schema_child *schema_child(const struct schema_type *parent, int ty);            /* NULL: not a permitted child */
bool schema_is_attribute_name(struct rd name); /* of any type: tells a filter `attr=value` from a typing error */

/* Checks. On false, `fault` holds the response status code and a sentence that names the attribute ("`mni`: must be a non-negative integer"). */
struct schema_fault {
	enum onem2m_rsc rsc;
	char text[256];
};
/* Content of a CREATE or UPDATE below its root. UPDATE: null deletes an attribute that is not mandatory. Unknown attributes are refused,
 * but where t->custom. */
bool schema_check_create(const struct schema_type *t, const struct json *resource, struct schema_fault *fault) MUST_CHECK;
/* The same, but what is mandatory may still be missing: a part of this CSE makes a mirror before its first value is known. */
bool schema_check_draft(const struct schema_type *t, const struct json *resource, struct schema_fault *fault) MUST_CHECK;
bool schema_check_update(const struct schema_type *t, const struct json *resource, struct schema_fault *fault) MUST_CHECK;
/* One value against a type; `what` names it in the fault. */
bool schema_check_value(const struct schema_datatype *type, const struct json *value, const char *what, struct schema_fault *fault) MUST_CHECK;
/* A data type by name: "m2m:eventNotificationCriteria", "xs:duration"; NULL when there is none. For request parameters such as filterCriteria. */
const struct schema_datatype *schema_datatype(const char *name);

#endif
