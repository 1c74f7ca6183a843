/* An XML document as a tree. The parser gets no DTD, no entity but the five, no file and no network, whatever the document says. */
#include "serialization/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/SAX2.h>
#include <string.h>

#include "serialization/xml_shape.h"

#define ELEMENTS_MAX 200000 /* of a document; its tree costs a hundred times an empty element's four octets */

struct guard {
	size_t elements;
	bool dtd, too_many;
};

static void on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxtPtr parser = ctx;
	struct guard *g = parser->_private;

	(void)name;
	(void)external;
	(void)system;
	g->dtd = true;
	xmlStopParser(parser);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces, const xmlChar **spaces, int count,
    int defaulted, const xmlChar **attributes_given)
{
	xmlParserCtxtPtr parser = ctx;
	struct guard *g = parser->_private;

	if (++g->elements > ELEMENTS_MAX || parser->nameNr > JSON_DEPTH_MAX * 2) {
		g->too_many = true;
		xmlStopParser(parser);
		return;
	}
	xmlSAX2StartElementNs(ctx, name, prefix, uri, namespaces, spaces, count, defaulted, attributes_given);
}

static xmlDocPtr parse(struct rd in, struct guard *g, bool *well_formed)
{
	xmlParserCtxtPtr parser = xmlNewParserCtxt();
	xmlDocPtr doc;

	if (!parser)
		return NULL;
	parser->_private = g;
	parser->sax->internalSubset = on_dtd;
	parser->sax->startElementNs = on_start;
	doc = xmlCtxtReadMemory(parser, (const char *)in.at, (int)in.left, NULL, "UTF-8",
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	*well_formed = doc && parser->wellFormed && parser->nsWellFormed;
	xmlFreeParserCtxt(parser);
	return doc;
}

enum err xml_tree_parse(struct rd in, xmlDocPtr *doc, struct complaint *c)
{
	struct guard g = {0};
	bool well_formed = false;

	if (in.left > INT32_MAX)
		return complain(c, ERR_TOO_LONG, "the content is too long");
	*doc = parse(in, &g, &well_formed);
	if (g.dtd)
		return complain(c, ERR_UNSUPPORTED, "a DTD is not used in oneM2M");
	if (g.too_many)
		return complain(c, ERR_TOO_LONG, "the content is nested too deeply, or has too many elements");
	if (!well_formed || !xmlDocGetRootElement(*doc))
		return complain(c, ERR_MALFORMED, "the content is no well-formed XML in UTF-8, with all its prefixes declared");
	return OK;
}

/* ---- what is asked of elements ---- */

bool xml_is_m2m(const xmlNs *ns)
{
	return ns && ns->href && strcmp((const char *)ns->href, XML_NAMESPACE_M2M) == 0;
}

static bool same_name(const xmlNode *a, const xmlNode *b)
{
	return a->name == b->name && a->ns == b->ns; /* names are in the document's dictionary */
}

bool xml_is_same(const xmlNode *a, const xmlNode *b)
{
	if (same_name(a, b))
		return true;
	return a->name == b->name && a->ns && b->ns && xmlStrEqual(a->ns->href, b->ns->href) && xmlStrEqual(a->ns->prefix, b->ns->prefix);
}

const xmlNode *xml_element_from(const xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

const xmlNode *xml_next_of(const xmlNode *n)
{
	const xmlNode *like = n;

	for (n = xml_element_from(n->next); n && !xml_is_same(n, like); n = xml_element_from(n->next))
		;
	return n;
}

const xmlChar *xml_attribute_value(const xmlAttr *a)
{
	static const xmlChar empty[] = "";

	return a->children && a->children->content ? a->children->content : empty;
}

static bool is_true(const xmlChar *text)
{
	return rd_is(xml_trim(xml_text(text)), "true") || rd_is(xml_trim(xml_text(text)), "1");
}

struct xml_marks xml_marks_of(const xmlNode *n)
{
	struct xml_marks m = {0};

	for (const xmlAttr *a = n->properties; a; a = a->next) {
		const char *name = (const char *)a->name, *space = a->ns && a->ns->href ? (const char *)a->ns->href : NULL;

		if (!space) {
			m.plain++;
		} else if (strcmp(space, XML_NAMESPACE_XSI) == 0 && strcmp(name, "nil") == 0) {
			m.nil = is_true(xml_attribute_value(a));
		} else if (strcmp(space, XML_NAMESPACE_XSI) == 0 && strcmp(name, "type") == 0) {
			const xmlChar *colon = xmlStrchr(xml_attribute_value(a), ':');

			m.schema_type = colon ? colon + 1 : xml_attribute_value(a);
		} else if (strcmp(space, XML_NAMESPACE_JSON) == 0 && strcmp(name, "json") == 0) {
			m.json = is_true(xml_attribute_value(a));
		}
	}
	return m;
}

bool xml_is_marked(const xmlNode *n)
{
	struct xml_marks m = xml_marks_of(n);

	return m.json || m.nil || m.schema_type;
}
