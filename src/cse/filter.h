/* Filter criteria and the other arguments that a request carries in its query or fc object. TS-0004 clause 7.3.3.17, TS-0009 clause 6.2.2.
 *
 *	enum err e = filter_parse(&f, arena, rq->filter, now, why, sizeof why);
 *	if (filter_matches(&f, c, r)) ... */
#ifndef KEYWAY_CSE_FILTER_H
#define KEYWAY_CSE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "json/json.h"

struct content_query;
struct cse;
struct geo;
struct exchange;
struct labels_query;
struct resource;

#define FILTER_LIST_MAX 32

enum filter_usage { FILTER_ABSENT = 0, FILTER_DISCOVERY = 1, FILTER_CONDITIONAL = 2, FILTER_IPE_ON_DEMAND = 3 };

struct filter_attribute {
	struct rd name, value;       /* value may hold '*' */
	bool custom;                 /* of no type in the tables: a flexContainer may have it */
	enum { FILTER_OWN, FILTER_CHILD, FILTER_PARENT } whose;
};

struct filter {
	struct rd crb, cra, ms, us, exb, exa;
	uint64_t sts, stb, sza, szb; /* valid when has_... */
	bool has_sts, has_stb, has_sza, has_szb;
	size_t label_count, child_label_count, parent_label_count, content_type_count;
	size_t type_count, child_type_count, parent_type_count;
	size_t attribute_count, attribute_list_count, target_member_count;
	struct rd semantics;         /* smf */
	bool semantic_query;         /* sqi */
	struct exchange *asker;      /* with smf: has it as a query, and may see descriptors or not */
	struct rd geo_type, geo_function, geo_coordinates; /* gmty, gsf, geom: */
	const struct geo *geometry;
	int relation;
	int content_syntax;          /* cfs; 0: absent */
	struct rd content_text;      /* cfq */
	const struct content_query *content;
	const struct labels_query *labels_query; /* lbq */
	enum filter_usage usage;
	int operation;               /* fo: 1 AND, 2 OR, 3 XOR */
	uint64_t limit, level, offset; /* 0: absent */
	struct rd apply_relative_path; /* arp */
	unsigned conditions;         /* matching conditions given; 0: everything matches */
	/* the lists: only what their counts say is set */
	struct rd labels[FILTER_LIST_MAX], child_labels[FILTER_LIST_MAX], parent_labels[FILTER_LIST_MAX], content_types[FILTER_LIST_MAX];
	int types[FILTER_LIST_MAX], child_types[FILTER_LIST_MAX], parent_types[FILTER_LIST_MAX];
	struct filter_attribute attributes[FILTER_LIST_MAX];
	struct rd attribute_list[FILTER_LIST_MAX]; /* atrl */
	struct rd target_members[FILTER_LIST_MAX]; /* gtm */
};

static inline bool filter_discovers(const struct filter *f)
{
	return f->usage == FILTER_DISCOVERY || f->usage == FILTER_IPE_ON_DEMAND;
}

/* Names that no request has and that no attribute can be called are refused: ERR_BAD_VALUE with a sentence in why. Values are
 * percent-decoded into the arena. */
enum err filter_parse(struct filter *f, struct json_arena *a, struct rd query, char *why, size_t size) MUST_CHECK;
/* The matching conditions against one resource (not limit, level ...). */
bool filter_matches(const struct filter *f, struct cse *c, struct resource *r);
bool filter_may_match_instances(const struct filter *f); /* false: none, whatever it has */

#endif
