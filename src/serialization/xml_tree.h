/* XML documents as trees, within limits, and what reading them asks of their elements. */
#ifndef KEYWAY_SERIALIZATION_XML_TREE_H
#define KEYWAY_SERIALIZATION_XML_TREE_H

#include <libxml/tree.h>

#include "serialization/private.h"

/* doc is to be freed either way. ERR_UNSUPPORTED: it has a DTD. ERR_TOO_LONG: so is it, or it nests too deeply, or has too many elements. ERR_MALFORMED. */
enum err xml_tree_parse(struct rd in, xmlDocPtr *doc, struct complaint *c) MUST_CHECK;

static inline struct rd xml_text(const xmlChar *text) /* accepts NULL */
{
	return rd_str(text ? (const char *)text : "");
}

bool xml_is_m2m(const xmlNs *ns);
/* Of one name. Namespaces that are declared twice, in two elements, are two; the names decide then. */
bool xml_is_same(const xmlNode *a, const xmlNode *b);
const xmlNode *xml_element_from(const xmlNode *n); /* the first element from here on; NULL: none */
const xmlNode *xml_next_of(const xmlNode *n);      /* the next element of the same name; NULL: none */
const xmlChar *xml_attribute_value(const xmlAttr *a);

/* What an element says of its value. */
struct xml_marks {
	const xmlChar *schema_type; /* xsi:type without its prefix, or NULL */
	bool nil, json;
	size_t plain;               /* attributes without a namespace */
};
struct xml_marks xml_marks_of(const xmlNode *n);
bool xml_is_marked(const xmlNode *n);

#endif
