"""BAD: bad input. HTTP: the HTTP binding (TS-0009). UT: the upper tester of a test bench."""
import functools
import json
import re
import socket

from conformance.check import Failed, NotApplicable, check, timestamp
from conformance import serial
from conformance.names import *

INPUT = "TS-0004 7.3.2.1"


def raw_create(t, octets, **kw):
    cnt = t.cnt()
    r = t.send("C", cnt, ty=kw.pop("ty", CIN), raw=octets, **kw)
    return cnt, r


def alive(t):
    t.rsc(t.retrieve(t.cse), 2000, why="the CSE goes on")


def malformed(octets, t):
    cnt, r = raw_create(t, octets)
    t.refused(r, 4000)
    t.equal(t.retrieve(cnt).get("cni"), 0, "currentNrOfInstances")
    t.cin(cnt)


GOOD = b'{"m2m:cin": {"con": "x"}}'
for _rule, _octets in (
        ("truncated", GOOD[:-1]), ("empty-object", b"{}"), ("not-JSON", b"hello"), ("XML", b"<m2m:cin><con>x</con></m2m:cin>"), ("array", b"[" + GOOD + b"]"), ("string", b'"x"'), ("number", b"1"), ("null", b"null"), ("root-is-null", b'{"m2m:cin": null}'), ("root-is-a-string", b'{"m2m:cin": "x"}'),
        ("root-is-a-list", b'{"m2m:cin": [{"con": "x"}]}'), ("rubbish-after", GOOD + b"x"), ("two-objects", GOOD + GOOD), ("single-quotes", b"{'m2m:cin': {'con': 'x'}}"), ("trailing-comma", b'{"m2m:cin": {"con": "x",}}'), ("comment", b'{"m2m:cin": {"con": "x" /* no */}}'),
        ("not-a-number", b'{"m2m:cin": {"con": NaN}}'), ("infinity", b'{"m2m:cin": {"con": Infinity}}'), ("control-character-in-a-string", b'{"m2m:cin": {"con": "a\x01b"}}'), ("bad-escape", b'{"m2m:cin": {"con": "\\x"}}'), ("half-a-surrogate", b'{"m2m:cin": {"con": "\\ud800"}}'),
        ("invalid-utf-8", b'{"m2m:cin": {"con": "a\xff\xfeb"}}'), ("overlong-utf-8", b'{"m2m:cin": {"con": "\xc0\xaf"}}'), ("surrogate-in-utf-8", b'{"m2m:cin": {"con": "\xed\xa0\x80"}}'), ("truncated-utf-8", b'{"m2m:cin": {"con": "\xe2\x82"}}'), ("unterminated-string", b'{"m2m:cin": {"con": "x'),
        ("leading-zero", b'{"m2m:cin": {"con": "x", "et": 01}}'), ("deep-array", b'{"m2m:cin": {"con": ' + b"[" * 100000 + b"]" * 100000 + b"}}"), ("deep-object", b'{"a":' * 50000 + b"1" + b"}" * 50000), ("deep-and-unclosed", b"[" * 200000), ("nothing-but-blanks", b"   \n\t ")):
    check("BAD", "CREATE/JSON/" + _rule, INPUT)(functools.partial(malformed, _octets))


@check("BAD", "CREATE/JSON/empty-body", INPUT)
def _(t):
    cnt, r = raw_create(t, b"")
    t.refused(r, 4000)


@check("BAD", "CREATE/JSON/attribute-twice", INPUT)
def _(t):
    cnt, r = raw_create(t, b'{"m2m:cin": {"con": "x", "con": "y"}}')
    if r.rsc == 2001:
        t.true(r.get("con") in ("x", "y"), "one of the two values is stored, got %r" % r.get("con"))
    else:
        t.refused(r, 4000)


@check("BAD", "CREATE/JSON/byte-order-mark", INPUT)
def _(t):
    cnt, r = raw_create(t, b"\xef\xbb\xbf" + GOOD)
    t.rsc(r, 2001, 4000)
    alive(t)


@check("BAD", "CREATE/JSON/whitespace-is-fine", INPUT)
def _(t):
    cnt, r = raw_create(t, b' \n{ "m2m:cin" :\t{ "con" : "x" } }\r\n ')
    t.rsc(r, 2001)


def number(text, t):
    ae = t.ae()
    t.refused(t.send("C", ae, ty=CNT, raw=b'{"m2m:cnt": {"mni": ' + text + b"}}"), 4000)
    t.cnt(ae)


for _rule, _text in (("two-to-the-64", b"18446744073709551616"), ("hundred-digits", b"9" * 100), ("huge-exponent", b"1e400"), ("negative-huge", b"-" + b"9" * 40), ("fraction", b"1.5"), ("minus-zero-fraction", b"-0.5"), ("plus-sign", b"+1"), ("hexadecimal", b"0x10"), ("list", b"[1]"), ("object", b"{}"), ("bare-minus", b"-")):
    check("BAD", "CREATE/NUMBER/" + _rule, INPUT)(functools.partial(number, _text))


@check("BAD", "CREATE/NUMBER/two-to-the-53-and-one-is-exact", INPUT)
def _(t):
    cnt = t.cnt(mbs=9007199254740993)
    t.equal(t.retrieve(cnt).get("mbs"), 9007199254740993, "maxByteSize")
    if t.world.client.serialization != "cbor":
        t.true(b"9007199254740993" in t.retrieve(cnt).octets, "the number is written as an integer")


def names(name, ok, t):
    ae = t.ae()
    r = t.create(ae, CNT, {"rn": name})
    if ok:
        t.equal(t.rsc(r, 2001).get("rn"), name, "resourceName")
    else:
        t.refused(r, 4000, 4102)
        t.cnt(ae)


for _rule, _name, _ok in (("plain", "abc", True), ("digits-and-marks", "a-1_2.3~x", True), ("slash", "a/b", False), ("empty", "", False), ("blank", "a b", False), ("question-mark", "a?b", False), ("hash", "a#b", False), ("percent", "a%2fb", False), ("control", "a\u0001", False), ("too-long", "x" * 100000, False), ("number", 5, False), ("list", ["a"], False), ("dot-dot", "..", False)):
    check("BAD", "CREATE/NAME/" + _rule, "TS-0004 6.3.3")(functools.partial(names, _name, _ok))


def dbg(attributes, name, t):
    """A refusal says which attribute was wrong (TS-0004 7.5.3: the response may carry debugging information)."""
    ae = t.ae()
    r = t.refused(t.create(ae, CNT, attributes), 4000)
    t.true(isinstance(r.body, dict) and isinstance(r.body.get("m2m:dbg"), str), "the response has an m2m:dbg text, got %s" % r)
    t.true(name in r.body["m2m:dbg"], "the text names `%s`, got %r" % (name, r.body["m2m:dbg"]))


for _rule, _attributes, _name in (("unknown-attribute", {"xyzzy": 1}, "xyzzy"), ("wrong-type", {"mni": "x"}, "mni"), ("not-allowed", {"cni": 1}, "cni"), ("bad-time", {"et": "x"}, "et"), ("bad-list", {"lbl": "x"}, "lbl")):
    check("BAD", "CREATE/DBG/names-the-attribute-" + _rule, "TS-0004 7.1.2")(functools.partial(dbg, _attributes, _name))


@check("BAD", "CREATE/DBG/names-the-missing-attribute", "TS-0004 7.1.2")
def _(t):
    r = t.refused(t.create(t.cnt(), CIN, {}), 4000)
    t.true("con" in str((r.body or {}).get("m2m:dbg")), "the text names `con`, got %s" % r)


@check("BAD", "CREATE/SIZE/one-megabyte", INPUT)
def _(t):
    cnt = t.cnt()
    r = t.create(cnt, CIN, {"con": "x" * (1 << 20)})
    if r.rsc == 2001:
        t.equal(len(t.retrieve(cnt.path + "/la", fr=cnt.fr).get("con")), 1 << 20, "the length of the content")
    else:
        t.refused(r, 4000, 5207)


@check("BAD", "CREATE/SIZE/65-megabytes", INPUT, alone=True)
def _(t):
    cnt = t.cnt()
    try:
        r = t.send("C", cnt, ty=CIN, raw=b'{"m2m:cin": {"con": "' + b"x" * (65 << 20) + b'"}}')
        t.true(r.silent or (r.status in (400, 413, 406) and r.rsc in (None, 4000, 5207)), "a body of 65 MiB is refused, got HTTP %d, RSC %s" % (r.status, r.rsc))
    except OSError:
        pass  # refused by closing the connection
    alive(t)
    t.equal(t.retrieve(cnt).get("cni"), 0, "currentNrOfInstances")


@check("BAD", "CREATE/SIZE/many-attributes", INPUT)
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"a%d" % i: i for i in range(50000)}), 4000, 5207)
    t.cnt(ae)


@check("BAD", "CREATE/SIZE/many-labels", INPUT)
def _(t):
    ae = t.ae()
    labels = ["l%d" % i for i in range(5000)]
    r = t.create(ae, CNT, {"lbl": labels})
    if r.rsc == 2001:
        t.equal(len(t.rsc(t.retrieve(ae, rcn=4), 2000).rep["m2m:cnt"][0]["lbl"]), 5000, "the number of labels")
    else:
        t.refused(r, 4000)


def url(path, t):
    r = t.world.client.exchange("GET", path, [("X-M2M-Origin", t.admin), ("X-M2M-RI", "1"), ("X-M2M-RVI", "4")], None)
    t.true(400 <= r.status < 500, "the request is refused, got HTTP %d" % r.status)
    alive(t)


for _rule, _path in (("very-long", "/" + "x" * 60000), ("very-deep", "/a" * 5000), ("bad-percent", "/cse-in/%zz"), ("encoded-zero", "/cse-in/%00"), ("dot-dot", "/cse-in/../../etc/passwd"), ("double-slash", "//cse-in"), ("only-tilde", "/~"), ("tilde-slash", "/~/"), ("only-underscore", "/_"), ("underscore-slash", "/_/"),
                     ("encoded-slash", "/cse-in%2fnothing"), ("invalid-utf-8", "/cse-in/%ff%fe")):
    check("BAD", "RETRIEVE/PATH/" + _rule, "TS-0009 6.2.2")(functools.partial(url, _path))


def query(q, t):
    ae = t.ae()
    r = t.world.client.exchange("GET", "/" + ae.path + "?" + q, [("X-M2M-Origin", ae.id), ("X-M2M-RI", "1"), ("X-M2M-RVI", "4")], None)
    t.refused(r, 4000)
    t.rsc(t.retrieve(ae), 2000)


for _rule, _q in (("rcn-without-value", "rcn="), ("rcn-text", "rcn=all"), ("bad-percent", "fu=1&lbl=%zz"), ("many-fields", "&".join("x%d=1" % i for i in range(300))), ("fu-text", "fu=yes"), ("name-without-value", "fu"), ("rcn-twice", "rcn=1&rcn=4"), ("lim-huge", "fu=1&lim=" + "9" * 40)):
    check("BAD", "RETRIEVE/QUERY/" + _rule, "TS-0009 6.2.2")(functools.partial(query, _q))


def content_type(value, t):
    cnt = t.cnt()
    t.refused(t.send("C", cnt, raw=GOOD, content_type=value), 4000, 4015)
    t.cin(cnt)


for _rule, _value in (("ty-text", "application/json;ty=cin"), ("ty-empty", "application/json;ty="), ("ty-negative", "application/json;ty=-4"), ("ty-huge", "application/json;ty=99999999999999999999"), ("ty-zero", "application/json;ty=0")):
    check("BAD", "CREATE/TYPE/" + _rule, "TS-0009 6.4.1")(functools.partial(content_type, _value))


# binding

MAPPING = "TS-0009 6.3.2"


def echo(header, value, t):
    ae = t.ae()
    r = t.send("R", ae, **({"ri": value} if header == "X-M2M-RI" else {"rvi": value}))
    t.rsc(r, 2000)
    t.equal(r.headers.get(header.lower()), value, header)


for _value in ("1", "abc/def", "a b c", "x" * 200, "{00000000-0000-0000-0000-000000000000}", "\u00e4".encode().decode("latin-1")):
    check("HTTP", "RESPONSE/RI/echoed-%s" % ("long" if len(_value) > 100 else "octets" if ord(_value[0]) > 127 else _value.replace(" ", "_")), "TS-0009 6.4.2")(functools.partial(echo, "X-M2M-RI", _value))
for _value in ("2a", "3", "4"):
    check("HTTP", "RESPONSE/RVI/echoed-%s" % _value, "TS-0009 6.4.7")(functools.partial(echo, "X-M2M-RVI", _value))


def status(make, rsc, http, t):
    r = t.rsc(make(t), rsc)
    t.equal(r.status, http, "the HTTP status that goes with RSC %d" % rsc)
    t.equal(r.headers.get("x-m2m-rsc"), str(rsc), "X-M2M-RSC")
    t.true(r.headers.get("x-m2m-ri"), "the response has an X-M2M-RI")


for _rsc, _http, _make in ((2000, 200, lambda t: t.retrieve(t.ae())), (2001, 201, lambda t: t.create(t.ae(), CNT, {})), (2002, 200, lambda t: t.delete(t.ae())), (2004, 200, lambda t: t.update(t.ae(), {"lbl": ["x"]})), (4000, 400, lambda t: t.create(t.ae(), CNT, {"xyzzy": 1})),
                           (4001, 501, lambda t: t.send("R", t.ae(), rvi="99")), (4004, 404, lambda t: t.retrieve(t.cse + "/nothing-there")), (4005, 405, lambda t: t.delete(t.cse)), (4103, 403, lambda t: t.retrieve(t.ae(), fr=t.ae().id)), (4105, 409, lambda t: (lambda c: t.create(c.path.rsplit("/", 1)[0], CNT, {"rn": c.rn}, fr=c.fr))(t.cnt())),
                           (4108, 403, lambda t: t.create(t.ae(), CIN, {"con": "x"})), (4117, 403, lambda t: t.create(t.cse, AE, {"api": "N.x", "rr": False, "srv": ["3"]}, fr=t.ae().id)), (5207, 406, lambda t: t.create(t.cnt(mbs=1), CIN, {"con": "xx"})),
                           (5204, 500, lambda t: t.create(t.cnt(), SUB, {"nu": ["http://127.0.0.1:9"]})), (1001, 202, lambda t: t.send("R", t.ae(), query=[("rt", 1)])), (4109, 403, lambda t: (lambda g: t.retrieve(g.path + "/fopt", fr=g.fr))(t.make(t.ae(), GRP, {"mnm": 1, "mid": []}))),
                           (4008, 504, lambda t: t.send("R", t.ae(), headers={"X-M2M-RET": "20200101T000000"}))):
    check("HTTP", "RESPONSE/STATUS/%d-is-HTTP-%d" % (_rsc, _http), MAPPING)(functools.partial(status, _make, _rsc, _http))


def typed(value, t):
    cnt = t.cnt()
    t.rsc(t.send("C", cnt, raw=GOOD, content_type=value), 2001)


for _rule, _value in (("json", "application/json;ty=4"), ("json-blank", "application/json; ty=4"), ("json-blanks", "application/json ; ty=4"), ("json-charset", "application/json;charset=utf-8;ty=4"), ("json-charset-after", "application/json;ty=4;charset=UTF-8"), ("vnd-res-json", "application/vnd.onem2m-res+json;ty=4"),
                      ("upper-case", "Application/JSON;ty=4"), ("upper-case-parameter", "application/json;TY=4"),
                      ("quoted", 'application/json;ty="4"'), ("blanks-around-the-sign", "application/json; ty = 4"), ("not-another-parameter", "application/json;city=berlin;ty=4")):
    check("HTTP", "CREATE/CONTENT-TYPE/accepted-" + _rule, "TS-0009 6.4.1")(functools.partial(typed, _value))


def not_typed(value, t):
    cnt = t.cnt()
    if value and any(value.split(";")[0] == s for s in t.world.base.get("csz") or []):
        raise NotApplicable("the CSE lists %s among its serialisations" % value)
    t.refused(t.send("C", cnt, raw=GOOD, content_type=value), 4015)


for _rule, _value in (("xml", "application/xml;ty=4"), ("text", "text/plain;ty=4"), ("octets", "application/octet-stream;ty=4"), ("form", "application/x-www-form-urlencoded;ty=4"), ("cbor", "application/cbor;ty=4"), ("nonsense", "wrong;ty=4")):
    check("HTTP", "CREATE/CONTENT-TYPE/refused-" + _rule, "TS-0009 6.4.1")(functools.partial(not_typed, _value))


@check("HTTP", "UPDATE/CONTENT-TYPE/refused-xml", "TS-0009 6.4.1")
def _(t):
    cnt = t.cnt()
    if "application/xml" in (t.world.base.get("csz") or []):
        raise NotApplicable("the CSE speaks XML")
    t.refused(t.send("U", cnt, raw=b"<x/>", content_type="application/xml"), 4015)


@check("HTTP", "RESPONSE/CONTENT-TYPE/what-was-asked-for", "TS-0009 6.4.1")
def _(t):
    kind, form = t.rsc(t.retrieve(t.ae()), 2000).headers.get("content-type", ""), t.world.client.serialization
    t.true(re.match(r"application/(%s|vnd\.onem2m-(res|prsp)\+%s)\b" % (form, form), kind) is not None, "Content-Type is %s, got %r" % (form, kind))


def speaks(form, t):
    """What was made in one serialisation is the same in another."""
    if serial.MEDIA[form] not in (t.world.base.get("csz") or []):
        raise NotApplicable("the CSE does not list %s among its serialisations" % serial.MEDIA[form])
    ae = t.ae()
    content = {"m2m:cnt": {"lbl": ["a", "two words"], "mni": 5, "disr": False, "loc": {"typ": 1, "crd": "[8.4,49.0]"}}}
    made = t.rsc(t.send("C", ae, ty=CNT, raw=serial.encode(form, content), content_type="%s;ty=3" % serial.MEDIA[form], accept=serial.MEDIA[form]), 2001)
    t.equal(serial.form_of(made.headers.get("content-type")), form, "the serialisation of the response")
    for other in serial.MEDIA:
        if serial.MEDIA[other] in t.world.base["csz"]:
            got = t.rsc(t.send("R", ae.path + "/" + made.rep["rn"], accept=serial.MEDIA[other]), 2000)
            t.equal(serial.form_of(got.headers.get("content-type")), other, "the serialisation of the response")
            t.equal({k: got.rep.get(k) for k in content["m2m:cnt"]}, content["m2m:cnt"], "the attributes in " + other)


def prefers(value, form, t):
    if serial.MEDIA[form] not in (t.world.base.get("csz") or []):
        raise NotApplicable("the CSE does not list %s among its serialisations" % serial.MEDIA[form])
    t.equal(serial.form_of(t.rsc(t.send("R", t.ae(), accept=value), 2000).headers.get("content-type")), form, "the serialisation of the response")


def garbled(form, octets, t):
    if serial.MEDIA[form] not in (t.world.base.get("csz") or []):
        raise NotApplicable("the CSE does not list %s among its serialisations" % serial.MEDIA[form])
    cnt = t.cnt()
    t.refused(t.send("C", cnt, raw=octets, content_type="%s;ty=4" % serial.MEDIA[form]), 4000)
    t.rsc(t.send("C", cnt, raw=serial.encode(form, {"m2m:cin": {"con": "x"}}), content_type="%s;ty=4" % serial.MEDIA[form]), 2001)


M2M = b' xmlns:m2m="http://www.onem2m.org/xml/protocols"'
for _form in serial.MEDIA:
    check("HTTP", "CREATE/SERIALIZATION/" + _form, "TS-0004 8")(functools.partial(speaks, _form))
for _rule, _value, _form in (("by-quality", "application/json;q=0.5, application/cbor", "cbor"), ("not-with-quality-zero", "*/*, application/json;q=0, application/cbor;q=0", "xml"),
                             ("by-the-vendor-type", "application/vnd.onem2m-res+xml", "xml"), ("in-any-case", "Application/CBOR", "cbor"), ("among-unknown-ones", "text/html, image/*;q=0.9, application/xml;q=0.1", "xml")):
    check("HTTP", "RETRIEVE/ACCEPT/preferred-" + _rule, "TS-0009 6.4.5")(functools.partial(prefers, _value, _form))
for _rule, _form, _octets in (("xml-unclosed", "xml", b"<m2m:cin" + M2M + b"><con>x</con>"), ("xml-prefix-undeclared", "xml", b"<m2m:cin><con>x</con></m2m:cin>"),
                              ("xml-DTD", "xml", b"<!DOCTYPE m2m:cin [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><m2m:cin" + M2M + b"><con>&e;</con></m2m:cin>"),
                              ("xml-entities-in-entities", "xml", b"<!DOCTYPE a [<!ENTITY a \"aaaa\">" + b"".join(b"<!ENTITY a%d \"%s\">" % (i, b"&a%d;" % (i - 1) * 10 if i else b"&a;" * 10) for i in range(9)) + b"]><m2m:cin" + M2M + b"><con>&a8;</con></m2m:cin>"),
                              ("xml-deep", "xml", b"<a>" * 100000), ("xml-is-JSON", "xml", GOOD), ("xml-empty-resource", "xml", b"<m2m:cin" + M2M + b"/>"), ("xml-text-in-a-resource", "xml", b"<m2m:cin" + M2M + b">x</m2m:cin>"),
                              ("cbor-cut", "cbor", serial.encode("cbor", {"m2m:cin": {"con": "x"}})[:-1]), ("cbor-and-more", "cbor", serial.encode("cbor", {"m2m:cin": {"con": "x"}}) + b"\0"), ("cbor-is-JSON", "cbor", GOOD),
                              ("cbor-deep", "cbor", b"\x81" * 100000), ("cbor-endless", "cbor", b"\xbf" * 1000), ("cbor-huge-list", "cbor", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), ("cbor-name-twice", "cbor", b"\xa1\x67m2m:cin\xa2\x63con\x61x\x63con\x61y")):
    check("BAD", "CREATE/SERIALIZATION/" + _rule, INPUT)(functools.partial(garbled, _form, _octets))


@check("SUB", "NOTIFY/AE/in-the-serialisation-that-it-asks-for", "TS-0001 9.6.5")
def _(t):
    if serial.MEDIA["cbor"] not in (t.world.base.get("csz") or []):
        raise NotApplicable("the CSE does not speak CBOR")
    for csz, form in ((["application/cbor"], "cbor"), (["application/xml"], "xml"), (["application/cbor", "application/json"], "json"), (None, "json")):
        box = t.box()
        ae = t.ae(listens=box, **({"csz": csz} if csz else {}))
        cnt = t.cnt(ae)
        t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [3]}, "nct": 1})
        t.cin(cnt, "hello")
        note = box.wait()
        t.true(note is not None, "a notification arrives at an AE with csz %s" % csz)
        t.equal(serial.form_of(note.headers.get("content-type")), form, "the serialisation of the notification for csz %s" % csz)
        t.equal((note.resource or {}).get("con"), "hello", "the content in the notification")


@check("HTTP", "RESPONSE/CONTENT-TYPE/none-without-content", "TS-0009 6.4.1")
def _(t):
    r = t.rsc(t.delete(t.ae()), 2002)
    t.true(not r.octets and r.headers.get("content-length", "0") == "0", "there is no body, got %r" % r.octets)


@check("HTTP", "RESPONSE/ACCEPT/nothing-that-the-CSE-has", "TS-0009 6.4.5")
def _(t):
    ae = t.ae()
    t.rsc(t.send("R", ae, accept="application/json"), 2000)
    r = t.send("R", ae, accept="image/png")
    t.true(r.status in (406, 200), "HTTP 406, or the CSE's own choice, got HTTP %d" % r.status)


def accepts(value, t):
    t.rsc(t.send("R", t.ae(), accept=value), 2000)


for _rule, _value in (("anything", "*/*"), ("several", "text/html, application/json;q=0.9"), ("vnd", "application/vnd.onem2m-res+json"), ("none", None)):
    check("HTTP", "RETRIEVE/ACCEPT/" + _rule, "TS-0009 6.4.5")(functools.partial(accepts, _value))


@check("HTTP", "CREATE/CONTENT-LOCATION/addresses-the-resource", "TS-0009 6.4.4")
def _(t):
    ae = t.ae()
    r = t.rsc(t.create(ae, CNT, {}), 2001)
    where = r.headers.get("content-location")
    t.true(where, "the response has a Content-Location")
    got = t.retrieve(where if not where.startswith("http") else "/".join(where.split("/")[3:]), fr=ae.id)
    t.equal(t.rsc(got, 2000).get("ri"), r.get("ri"), "resourceID of what Content-Location addresses")


def ignored(headers, t):
    t.rsc(t.send("R", t.ae(), headers=headers), 2000)


for _rule, _headers in (("unknown", {"X-Something": "1"}), ("unknown-m2m", {"X-M2M-XYZZY": "1"}), ("vendor-information", {"X-M2M-VSI": "vendor"}), ("event-category", {"X-M2M-EC": "4"}), ("originating-timestamp", {"X-M2M-OT": "20260101T000000"}), ("cookie", {"Cookie": "a=b"}), ("user-agent", {"User-Agent": "x" * 500}),
                        ("if-none-match", {"If-None-Match": "\"x\""})):
    check("HTTP", "RETRIEVE/HEADERS/%s-does-no-harm" % _rule, "TS-0009 6.4")(functools.partial(ignored, _headers))


@check("HTTP", "RETRIEVE/HEADERS/names-are-not-case-sensitive", "TS-0009 6.4")
def _(t):
    ae = t.ae()
    r = t.world.client.exchange("GET", "/" + ae.path, [("x-m2m-origin", ae.id), ("X-m2m-RI", "q"), ("x-M2M-rvi", "4")], None)
    t.rsc(r, 2000)


@check("HTTP", "REQUEST/METHOD/POST-without-a-type-is-NOTIFY", "TS-0009 6.2.1")
def _(t):
    cnt = t.cnt()
    r = t.send("C", cnt, raw=b'{"m2m:cnt": {"rn": "x"}}', content_type="application/json")
    t.refused(r, 4000, 4005, 4103)
    t.refused(t.retrieve(cnt.path + "/x", fr=cnt.fr), 4004)


@check("HTTP", "RETRIEVE/CONTENT-TYPE/with-a-type", "TS-0009 6.4.2")
def _(t):
    cnt = t.cnt()
    t.refused(t.send("R", cnt, content_type="application/json;ty=3"), 4000)
    t.rsc(t.send("R", cnt, content_type="application/json"), 2000)


def method(name, t):
    ae = t.ae()
    r = t.world.client.exchange(name, "/" + ae.path, [("X-M2M-Origin", ae.id), ("X-M2M-RI", "1"), ("X-M2M-RVI", "4")], None)
    t.true(r.status in (400, 405, 501), "the method is refused, got HTTP %d" % r.status)
    t.rsc(t.retrieve(ae), 2000)


for _name in ("PATCH", "TRACE", "BREW"):
    check("HTTP", "REQUEST/METHOD/%s-is-none" % _name, "TS-0009 6.2.1")(functools.partial(method, _name))


def by_socket(t, octets, want=1, patience=10):
    """Speaks HTTP by hand: returns all that comes until `want` responses have begun, or the peer closes."""
    with socket.create_connection((t.world.client.host, t.world.client.port), patience) as s:
        s.sendall(octets)
        got = b""
        while got.count(b"HTTP/1.") < want or b"\r\n\r\n" not in got:
            chunk = s.recv(65536)
            if not chunk:
                break
            got += chunk
        return got


def head(t, ae, extra="", path=None, version="1.1", verb="GET"):
    return ("%s /%s HTTP/%s\r\nHost: x\r\nX-M2M-Origin: %s\r\nX-M2M-RI: s\r\nX-M2M-RVI: 4\r\n%s\r\n" % (verb, path or ae.path, version, ae.id, extra)).encode()


@check("HTTP", "CONNECTION/KEEP-ALIVE/two-requests-on-one", "RFC 9112 9.3")
def _(t):
    ae = t.ae()
    got = by_socket(t, head(t, ae) + head(t, ae), 2)
    t.equal(got.count(b" 200 "), 2, "the number of answers to two pipelined requests")


@check("HTTP", "CONNECTION/HTTP-1.0/answered", "RFC 9112 2.5")
def _(t):
    t.true(b" 200 " in by_socket(t, head(t, t.ae(), version="1.0")), "a request of HTTP/1.0 is answered")


@check("HTTP", "REQUEST/PATH/absolute-form", "RFC 9112 3.2.2")
def _(t):
    ae = t.ae()
    for place in ("http://x", "HTTP://x:8080"):
        got = by_socket(t, head(t, ae, path=ae.path + "?rcn=1").replace(b"GET /", b"GET %s/" % place.encode()))
        t.true(b" 200 " in got[:20], "a target that begins with %s is taken, got %s" % (place, got[:100]))


@check("HTTP", "CONNECTION/CHUNKED/accepted", "RFC 9112 7.1")
def _(t):
    cnt = t.cnt()
    cnt.id = cnt.fr
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
    got = by_socket(t, head(t, cnt, "Content-Type: application/json;ty=4\r\nTransfer-Encoding: chunked\r\n", verb="POST") + body)
    t.true(b" 201 " in got, "a chunked CREATE is accepted, got %s" % got[:100])


@check("HTTP", "CONNECTION/EXPECT/100-continue", "RFC 9110 10.1.1")
def _(t):
    cnt = t.cnt()
    cnt.id = cnt.fr
    with socket.create_connection((t.world.client.host, t.world.client.port), 10) as s:
        s.sendall(head(t, cnt, "Content-Type: application/json;ty=4\r\nExpect: 100-continue\r\nContent-Length: %d\r\n" % len(GOOD), verb="POST"))
        first = s.recv(4096)
        t.true(first.startswith(b"HTTP/1.1 100"), "the body is asked for, got %s" % first[:60])
        s.sendall(GOOD)
        rest = first.split(b"\r\n\r\n", 1)[1] + s.recv(65536)
        t.true(b" 201 " in rest, "the CREATE is accepted, got %s" % rest[:100])


def nonsense(octets, t):
    try:
        got = by_socket(t, octets, patience=3)
    except (socket.timeout, ConnectionError):
        got = b""
    t.true(got == b"" or re.match(rb"HTTP/1\.[01] [45]\d\d", got) is not None, "nonsense is refused or ignored, got %s" % got[:80])
    alive(t)


for _rule, _octets in (("binary", bytes(range(256)) * 4 + b"\r\n\r\n"), ("tls-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n"), ("bad-length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n"), ("two-lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
                       ("negative-length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"), ("huge-header", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200000 + b"\r\n\r\n"), ("many-headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20000 + b"\r\n")):
    check("BAD", "CONNECTION/HTTP/" + _rule, "RFC 9112")(functools.partial(nonsense, _octets))


@check("BAD", "CONNECTION/HTTP/closed-in-the-middle-of-a-body", "RFC 9112")
def _(t):
    cnt = t.cnt()
    cnt.id = cnt.fr
    for _ in range(5):
        with socket.create_connection((t.world.client.host, t.world.client.port), 5) as s:
            s.sendall(head(t, cnt, "Content-Type: application/json;ty=4\r\nContent-Length: 1000\r\n", verb="POST") + GOOD)
    alive(t)
    t.equal(t.retrieve(cnt).get("cni"), 0, "currentNrOfInstances")


@check("BAD", "CONNECTION/HTTP/two-hundred-idle-connections", "RFC 9112")
def _(t):
    idle = []
    try:
        for _ in range(200):
            idle.append(socket.create_connection((t.world.client.host, t.world.client.port), 5))
        alive(t)
    finally:
        for s in idle:
            s.close()


# CORS, for applications in a browser

@check("HTTP", "CORS/PREFLIGHT/allowed", "Fetch 4.8")
def _(t):
    r = t.world.client.exchange("OPTIONS", "/" + t.cse, [("Origin", "http://console.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-m2m-origin,x-m2m-ri,x-m2m-rvi,content-type")], None)
    t.true(r.status in (200, 204), "the preflight is answered, got HTTP %d" % r.status)
    t.true(r.headers.get("access-control-allow-origin") in ("*", "http://console.example"), "Access-Control-Allow-Origin allows the page, got %r" % r.headers.get("access-control-allow-origin"))
    allowed = (r.headers.get("access-control-allow-headers") or "").lower()
    t.true(allowed == "*" or all(h in allowed for h in ("x-m2m-origin", "x-m2m-ri", "x-m2m-rvi", "content-type")), "Access-Control-Allow-Headers allows the headers of oneM2M, got %r" % allowed)
    methods = (r.headers.get("access-control-allow-methods") or "").upper()
    t.true(methods == "*" or all(m in methods for m in ("GET", "POST", "PUT", "DELETE")), "Access-Control-Allow-Methods allows the four methods, got %r" % methods)


@check("HTTP", "CORS/RESPONSE/headers", "Fetch 4.10")
def _(t):
    r = t.rsc(t.send("R", t.ae(), headers={"Origin": "http://console.example"}), 2000)
    t.true(r.headers.get("access-control-allow-origin") in ("*", "http://console.example"), "Access-Control-Allow-Origin allows the page")
    exposed = (r.headers.get("access-control-expose-headers") or "").lower()
    t.true(exposed == "*" or "x-m2m-rsc" in exposed, "Access-Control-Expose-Headers shows X-M2M-RSC, got %r" % exposed)


@check("HTTP", "CORS/RESPONSE/for-pages-only", "Fetch 4.10")
def _(t):
    r = t.rsc(t.send("R", t.ae()), 2000)
    t.true(r.headers.get("access-control-allow-origin") is None, "without Origin no page asks, and nothing is allowed to one")


@check("HTTP", "CORS/RESPONSE/on-a-refusal-too", "Fetch 4.10")
def _(t):
    r = t.refused(t.send("R", t.cse + "/nothing-there", headers={"Origin": "http://console.example"}), 4004)
    t.true(r.headers.get("access-control-allow-origin") in ("*", "http://console.example"), "Access-Control-Allow-Origin allows the page")


# upper tester

def tester(t, command):
    r = t.world.http.exchange("POST", "/__ut__", [("X-M2M-UTCMD", command)], b"")
    t.equal([r.status, r.headers.get("x-m2m-rsc")], [200, "2000"], "HTTP status and X-M2M-RSC for `%s`" % command)
    return r.headers.get("x-m2m-utrsp")


@check("UT", "UT/Status/running", "TS-0019", needs="ut")
def _(t):
    t.true("RUNNING" in (tester(t, "Status") or "").upper(), "the status says that it runs")


@check("UT", "UT/GetConfig/cse.type", "TS-0019", needs="ut")
def _(t):
    t.true((tester(t, "GetConfig cse.type") or "").upper() in ("IN", "1"), "the CSE is an IN-CSE")


@check("UT", "UT/testCase/start-and-end", "TS-0019", needs="ut")
def _(t):
    tester(t, "testCaseStart conformance")
    tester(t, "testCaseEnd conformance")
    alive(t)


@check("UT", "UT/ResourceExpiration/answers-interval-and-maximum", "TS-0019", needs="ut", alone=True)
def _(t):
    answer = tester(t, "enableShortResourceExpiration 1")
    t.true(re.fullmatch(r"[\d.]+\s*,\s*[\d.]+", answer or "") is not None, "the answer is the old interval and the maximum, got %r" % answer)


@check("UT", "UT/RequestExpiration/answers-the-old-value", "TS-0019", needs="ut", alone=True)
def _(t):
    old = tester(t, "enableShortRequestExpiration 2")
    try:
        t.true(re.fullmatch(r"[\d.]+", old or "") is not None, "the answer is a number, got %r" % old)
    finally:
        tester(t, "disableShortRequestExpiration")


@check("UT", "UT/RequestExpiration/with-a-fraction", "TS-0019", needs="ut", alone=True)
def _(t):
    tester(t, "enableShortRequestExpiration 3.0")
    tester(t, "disableShortRequestExpiration")


@check("UT", "UT/unknown-command", "TS-0019", needs="ut")
def _(t):
    r = t.world.http.exchange("POST", "/__ut__", [("X-M2M-UTCMD", "makeCoffee")], b"")
    t.true(r.headers.get("x-m2m-rsc") != "2000", "an unknown command is refused, got HTTP %d, RSC %s" % (r.status, r.rsc))


@check("UT", "UT/Reset/leaves-the-CSEBase-alone", "TS-0019", needs="ut", alone=True)
def _(t):
    ae = t.ae()
    tester(t, "Reset")
    t.until("the CSE answers again", lambda: t.retrieve(t.cse).rsc == 2000, 20)
    t.refused(t.retrieve(ae, fr=t.admin), 4004)
    t.rsc(t.retrieve(t.cse + "/defaultNTP"), 2000)


@check("UT", "UT/Reset/the-CSEBase-is-new", "TS-0019", needs="ut", alone=True)
def _(t):
    before = t.retrieve(t.cse).get("ct")
    tester(t, "Reset")
    t.until("the CSE answers again, with a later creationTime than %s" % before, lambda: (t.retrieve(t.cse).get("ct") or "") > before, 20)


@check("UT", "UT/RequestExpiration/a-fraction-of-seconds", "TS-0019", needs="ut", alone=True)
def _(t):
    try:
        t.true(tester(t, "enableShortRequestExpiration 3.5"), "it is taken")
        r = t.world.http.exchange("POST", "/__ut__", [("X-M2M-UTCMD", "enableShortRequestExpiration -3.5")], b"")
        t.true(r.headers.get("x-m2m-rsc") != "2000", "a negative one is refused")
    finally:
        tester(t, "disableShortRequestExpiration")


@check("HTTP", "RESPONSE/CONTENT-TYPE/without-content", "TS-0009 6.4.4")
def _(t):
    """Clients look at the header before the length: nothing in JSON is nothing, while nothing in no form is a text."""
    r = t.rsc(t.create(t.ae(), CNT, {}, query=[("rcn", 0)]), 2001)
    t.equal(r.octets, b"", "the content")
    t.true(r.headers.get("content-type", "").startswith("application/"), "there is a Content-Type all the same, got %r" % r.headers.get("content-type"))
