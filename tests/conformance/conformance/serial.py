"""Content in JSON, XML and CBOR (TS-0004 clause 8), written from the specification and docs/protocols/serialization.md, not from the CSE.

    octets = encode("cbor", {"m2m:cnt": {"rn": "a"}})
    value = decode("cbor", octets)

XML does not say which type a value has; that comes from the attribute tables (tables.load first). What XML cannot carry goes as JSON text in an
element with kw:json."""
import json
import math
import re
import struct
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from . import tables

MEDIA = {"json": "application/json", "xml": "application/xml", "cbor": "application/cbor"}
M2M, XSI, KW = "http://www.onem2m.org/xml/protocols", "http://www.w3.org/2001/XMLSchema-instance", "urn:keyway:json"


def form_of(media_type):
    """json, xml or cbor of a Content-Type; None."""
    bare = (media_type or "").split(";")[0].strip().lower()
    m = re.fullmatch(r"application/(?:vnd\.onem2m-(?:res|ntfy|preq|prsp)\+)?(json|xml|cbor)", bare)
    return m.group(1) if m else None


def encode(form, value):
    return json.dumps(value).encode() if form == "json" else xml_encode(value) if form == "xml" else cbor_encode(value)


def decode(form, octets):
    """ValueError when it is malformed."""
    return json.loads(octets) if form == "json" else xml_decode(octets) if form == "xml" else cbor_decode(octets)


# ---- CBOR, RFC 8949 ----

def cbor_head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for i, (limit, code) in enumerate(((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 64, "Q"))):
        if n < limit:
            return bytes([major << 5 | (24 + i)]) + struct.pack(">" + code, n)
    raise ValueError("an integer of more than 64 bits")


def cbor_encode(v):
    if v is None or isinstance(v, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[v]
    if isinstance(v, int):
        if not -(1 << 64) <= v < 1 << 64:
            return cbor_encode(float(v))
        return cbor_head(0, v) if v >= 0 else cbor_head(1, -1 - v)
    if isinstance(v, float):
        return b"\xfb" + struct.pack(">d", v)
    if isinstance(v, str):
        octets = v.encode("utf-8", "surrogatepass")
        return cbor_head(3, len(octets)) + octets
    if isinstance(v, (list, tuple)):
        return cbor_head(4, len(v)) + b"".join(map(cbor_encode, v))
    return cbor_head(5, len(v)) + b"".join(cbor_encode(str(k)) + cbor_encode(x) for k, x in v.items())


class CborReader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, n):
        if self.at + n > len(self.octets):
            raise ValueError("CBOR ends too early")
        self.at += n
        return self.octets[self.at - n:self.at]

    def value(self):
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            if low in (20, 21, 22):
                return {20: False, 21: True, 22: None}[low]
            if low in (26, 27):
                return struct.unpack(">f" if low == 26 else ">d", self.take(4 if low == 26 else 8))[0]
            raise ValueError("CBOR of a kind that oneM2M does not use: %02x" % first)
        if low >= 28:
            raise ValueError("CBOR of indefinite length, or none")
        n = low if low < 24 else int.from_bytes(self.take(1 << (low - 24)), "big")
        if major == 0:
            return n
        if major == 1:
            return -1 - n
        if major == 3:
            return self.take(n).decode("utf-8")
        if major == 4:
            return [self.value() for _ in range(n)]
        if major == 5:
            pairs = [(self.value(), self.value()) for _ in range(n)]
            if len(dict(pairs)) != n or not all(isinstance(k, str) for k, _ in pairs):
                raise ValueError("a name twice, or no string")
            return dict(pairs)
        raise ValueError("CBOR of a kind that oneM2M does not use: %02x" % first)


def cbor_decode(octets):
    r = CborReader(octets)
    v = r.value()
    if r.at != len(octets):
        raise ValueError("something follows the CBOR")
    return v


# ---- what a value is, by where it stands ----

class Shape:
    """kind: number, bool, string, any, object (with members), list (with item), unknown. many: a list of elements with this name, in JSON always."""

    def __init__(self, kind, members=None, item=None, many=False, prefixed=False, inside=False, content=False):
        self.kind, self.members, self.item, self.many, self.prefixed, self.inside, self.content = kind, members, item, many, prefixed, inside, content

    def member(self, name):
        if ":" in name:
            s = root(name)
            return Shape(s.kind, s.members, s.item, self.inside, True, s.inside, s.content)
        found = self.members.get(name) if self.members is not None else None
        return found or Shape("unknown")


class Lazy(dict):
    """Members, made when they are asked for: data types refer to each other in circles."""

    def __init__(self, rows):
        super().__init__()
        self.rows = {r["short"]: r for r in rows}

    def get(self, name, default=None):
        if name not in self.rows:
            return default
        if name not in self:
            self[name] = shape_of(self.rows[name]["type"], self.rows[name].get("list"))
        return self[name]


def shape_of(type_name, is_list=False):
    if is_list:
        return Shape("list", item=shape_of(type_name))
    d = tables.DATATYPES.get(type_name, {})
    if type_name in tables.ENUMS or d.get("kind") in ("integer", "float", "enum"):
        return Shape("number")
    if d.get("kind") == "bool":
        return Shape("bool")
    if "members" in d:
        return Shape("object", Lazy(d["members"]), content=type_name in ("m2m:childResourceRef", "m2m:mgmtLinkRef"))
    if d.get("kind") in ("any", "any_object"):
        return Shape("any" if d["kind"] == "any" else "object")
    if d.get("kind") == "list":
        return Shape("list", item=shape_of(d["item"]))
    return Shape("string" if d.get("kind") == "string" else "word")


OTHERS = {"m2m:rqp": "m2m:requestPrimitive", "m2m:rsp": "m2m:responsePrimitive", "m2m:sgn": "m2m:notification", "m2m:agr": "m2m:aggregatedResponse",
          "m2m:rrl": "m2m:listOfChildResourceRef", "m2m:seci": "m2m:securityInfo", "m2m:tsn": "m2m:timeSeriesNotificationType"}
_roots = {}


def root(name):
    if name not in _roots:
        _roots[name] = make_root(name)
    return _roots[name]


def make_root(name):
    if name in OTHERS:
        s = shape_of(OTHERS[name])
        s.inside = name == "m2m:agr"
    elif name == "m2m:agn":
        s = Shape("object", inside=True)
    elif name == "m2m:rce":
        s = Shape("object", {"uri": Shape("word")})
    elif name in ("m2m:uril", "m2m:atrl"):
        s = Shape("list", item=Shape("word"))
    elif name in ("m2m:uri", "m2m:dbg", "m2m:qres"):
        s = Shape("string")
    else:
        rows = tables.ROWS.get(name) or tables.ROWS["flexContainer"]
        s = Shape("object", Lazy(rows + [{"short": "ch", "type": "m2m:childResourceRef", "list": True}]), inside=True)
    s.prefixed = True
    return s


# ---- XML, writing ----

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(:[A-Za-z_][A-Za-z0-9_.-]*)?")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def text_of(v):
    return {True: "true", False: "false"}[v] if isinstance(v, bool) else v if isinstance(v, str) else json.dumps(v)


def escaped(text):
    return escape(text).replace("\r", "&#13;")


def fits(v, shape):
    """A scalar that is read as itself from its text alone."""
    if isinstance(v, str):
        if not v or UNFIT.search(v) or shape.kind in ("number", "bool", "object", "list") or (shape.kind == "word" and v != v.strip(" \t\r\n")):
            return False
        return shape.kind != "unknown" or not (re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", v) or v in ("true", "false"))
    if isinstance(v, bool):
        return shape.kind in ("bool", "unknown")
    return isinstance(v, (int, float)) and shape.kind in ("number", "unknown") and math.isfinite(v)


def is_elements(v):
    return isinstance(v, dict) and all(NAME.fullmatch(k) for k in v)


def start(name):
    prefix = name.split(":")[0] if ":" in name else "m2m"
    return "<" + name + ("" if prefix == "m2m" else ' xmlns:%s="%s/%s"' % (prefix, M2M, {"hd": "homedomain"}.get(prefix, prefix)))


def as_json(name, v):
    return '%s kw:json="true">%s</%s>' % (start(name), escaped(json.dumps(v)), name)


def element(name, v, shape):
    if shape.many or shape.kind == "list":
        one = Shape(shape.kind, shape.members, shape.item, False, shape.prefixed, shape.inside, shape.content) if shape.many else shape.item
        if not isinstance(v, list) or not v:
            return as_json(name, v) if v is not None else start(name) + "/>"
        if not shape.many and all(fits(x, one) and not re.search(r"\s", text_of(x)) for x in v):
            return "%s>%s</%s>" % (start(name), " ".join(escaped(text_of(x)) for x in v), name)
        if one.kind == "object" and all(is_elements(x) and (x or one.prefixed) for x in v):
            return "".join(element(name, x, one) for x in v)
        return as_json(name, v)
    if v is None and not shape.prefixed:
        return start(name) + "/>"
    if is_elements(v) and (v or shape.prefixed):
        named = shape.prefixed and isinstance(v.get("rn"), str) and fits(v["rn"], Shape("word"))
        head = start(name) + (" rn=" + quoteattr(v["rn"]) if named else "")
        return "%s>%s</%s>" % (head, "".join(element(k, x, shape.member(k)) for k, x in v.items() if not (named and k == "rn")), name)
    if not isinstance(v, (dict, list)) and v is not None and fits(v, shape):
        return "%s>%s</%s>" % (start(name), escaped(text_of(v)), name)
    return as_json(name, v)


def is_document(value):
    """XML has one root, and that has a name."""
    return isinstance(value, dict) and len(value) == 1 and bool(NAME.fullmatch(next(iter(value))))


def xml_encode(value):
    (name, v), = value.items()
    body = element(name, v, root(name) if ":" in name else Shape("unknown"))
    at = len(name) + 1
    return ('<?xml version="1.0" encoding="UTF-8"?>\n%s xmlns:m2m="%s" xmlns:kw="%s"%s' % (body[:at], M2M, KW, body[at:])).encode("utf-8", "replace")


# ---- XML, reading ----

def name_of(tag):
    if not tag.startswith("{"):
        return tag
    space, local = tag[1:].split("}")
    prefix = "m2m" if space == M2M else space.rsplit("/", 1)[-1]
    return {"homedomain": "hd"}.get(prefix, prefix) + ":" + local


def number(text):
    return json.loads(text.strip())


def scalar(text, shape):
    if shape.kind == "number":
        return number(text)
    if shape.kind == "bool":
        return {"true": True, "false": False, "1": True, "0": False}[text.strip()]
    if shape.kind == "unknown":
        try:
            return json.loads(text) if re.fullmatch(r"true|false|-?[0-9.eE+-]+", text) else text
        except ValueError:
            return text
    return text.strip() if shape.kind == "word" else text


def read(e, shape):
    text, kind = e.text or "", e.get("{%s}type" % XSI)
    plain = {k: v for k, v in e.attrib.items() if not k.startswith("{")}
    if e.get("{%s}json" % KW) == "true":
        return json.loads(text)
    if e.get("{%s}nil" % XSI) == "true":
        return None
    if kind:
        return text if kind.endswith(":string") else {"true": True, "false": False}[text] if kind.endswith(":boolean") else number(text)
    if len(e) or plain or (shape.content and text.strip()):
        result = {k: scalar(v, shape.member(k)) for k, v in plain.items()}
        if not len(e) and text.strip():
            result["val"] = text.strip()
        groups = {}
        for child in e:
            groups.setdefault(name_of(child.tag), []).append(child)
        for name, children in groups.items():
            result[name] = read_group(children, shape.member(name))
        return result
    if not text or (shape.kind == "object" and not text.strip()):
        return {} if shape.prefixed and shape.kind == "object" else None
    return scalar(text, shape)


def read_group(elements, shape):
    marked = any(k.startswith("{" + KW) or k.startswith("{" + XSI) for k in elements[0].attrib)
    if len(elements) == 1 and marked:
        return read(elements[0], shape)
    if shape.many:
        return [read(e, shape) for e in elements]
    if shape.kind == "list":
        if len(elements) == 1 and not len(elements[0]) and not elements[0].attrib and not (elements[0].text or "").strip():
            return [] if shape.prefixed else None
        if shape.item.kind in ("object", "list", "any"):
            return [read(e, shape.item) for e in elements]
        return [scalar(w, shape.item) for e in elements for w in (e.text or "").split()]
    return read(elements[0], shape) if len(elements) == 1 else [read(e, shape) for e in elements]


def xml_decode(octets):
    try:
        e = ET.fromstring(octets)
    except ET.ParseError as bad:
        raise ValueError(str(bad))
    name = name_of(e.tag)
    return {name: read_group([e], root(name) if ":" in name else Shape("unknown"))}
