/* What is known of a value by where it stands: its data type, or the resource type whose attributes its members are. XML says too little of
 * itself to become JSON without that. */
#ifndef KEYWAY_SERIALIZATION_XML_SHAPE_H
#define KEYWAY_SERIALIZATION_XML_SHAPE_H

#include "onem2m/schema.h"

#define XML_NAMESPACE_M2M "http://www.onem2m.org/xml/protocols"
#define XML_NAMESPACE_XSI "http://www.w3.org/2001/XMLSchema-instance"
#define XML_NAMESPACE_XS "http://www.w3.org/2001/XMLSchema"
#define XML_NAMESPACE_JSON "urn:keyway:json" /* kw:json="true": the element's text is JSON */
#define XML_NAME_MAX 255                     /* octets of an element's name with its prefix; those of oneM2M have a tenth of it */

struct xml_shape {
	const struct schema_datatype *type; /* NULL: not known */
	const struct schema_type *resource; /* of an object that is a resource */
	bool global;                        /* has a prefix: an empty element is something empty, not NULL */
	bool many;                          /* JSON has a list of them even when there is one */
	bool many_inside;                   /* that is so of its members that have a prefix */
};

struct xml_shape xml_shape_root(struct rd name); /* "m2m:cnt" */
struct xml_shape xml_shape_member(const struct xml_shape *of, struct rd name);
struct xml_shape xml_shape_item(const struct xml_shape *list);

bool xml_shape_is_list(const struct xml_shape *s);        /* in JSON, by its data type */
bool xml_shape_is_simple_list(const struct xml_shape *s); /* of values that XML writes side by side */
bool xml_shape_is_object(const struct xml_shape *s);
bool xml_shape_has_content(const struct xml_shape *s);    /* an XML simple type with attributes: TS-0004 clause 8.4.2 rule 10, "val" */

/* A scalar as text means, where it stands. `number` has room for a number that is written anew. */
#define XML_NUMBER_SIZE 64
struct xml_scalar {
	enum json_type type; /* JSON_STRING, JSON_NUMBER, JSON_TRUE or JSON_FALSE */
	struct rd text;
	char number[XML_NUMBER_SIZE];
};
void xml_scalar_read(const struct xml_shape *s, struct rd text, struct xml_scalar *out);
/* By a type of XML Schema, as xsi:type names it ("integer"); false when that is none that is known here. */
bool xml_scalar_read_as(struct rd schema_type, struct rd text, struct xml_scalar *out) MUST_CHECK;
struct rd xml_trim(struct rd text);
bool xml_is_space(uint8_t c);
bool xml_is_json_number(struct rd text);

#endif
