"""Whole primitives, m2m:rqp and m2m:rsp (TS-0004 6.4, 8.2.2), for the bindings that carry them in one message. What checks call headers and query
fields become parameters here, and the other way."""
import json
import re

from . import client, names, serial

OP = {"C": 1, "R": 2, "U": 3, "D": 4, "N": 5}
METHOD = {1: "POST", 2: "GET", 3: "PUT", 4: "DELETE", 5: "POST"}
HEADERS = {"x-m2m-origin": "fr", "x-m2m-ri": "rqi", "x-m2m-rvi": "rvi", "x-m2m-vsi": "vsi", "x-m2m-gid": "gid", "x-m2m-ot": "ot", "x-m2m-rst": "rset",
           "x-m2m-ret": "rqet", "x-m2m-oet": "oet", "x-m2m-ec": "ec", "x-m2m-rsc": "rsc", "x-m2m-cts": "cnst", "x-m2m-cto": "cnot"}
PARAMETERS = {"rcn": int, "drt": int, "rp": str, "tqi": bool, "da": bool, "sqi": bool, "asi": bool, "auri": bool}
LISTS = ("atrl", "rids", "tids", "ltids")
NUMBERS = ("fu", "fo", "lim", "lvl", "ofst", "sts", "stb", "sza", "szb", "cfs", "gmty", "gsf")
MANY = {"ty": int, "chty": int, "pty": int, "lbl": str, "clbl": str, "palb": str, "cty": str, "smf": str}
TEXTS = ("crb", "cra", "ms", "us", "exb", "exa", "arp", "lbq", "cfq", "geom")


def value_of(kind, text):
    """A number if it is one; what is none is left for the CSE to refuse."""
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(str(text).lower(), text)
    if kind is int:
        try:
            return int(text)
        except ValueError:
            return text
    return str(text)


def put_query(rqp, pairs):
    fc = {}
    for k, v in pairs:
        values = list(v) if isinstance(v, (list, tuple)) else [v]
        values = [x for one in values for x in (str(one).split("+") if k in MANY or k in LISTS else [one])]
        if k == "rt":
            rqp.setdefault("rt", {})["rtv"] = value_of(int, values[0])
        elif k in PARAMETERS:
            rqp[k] = value_of(PARAMETERS[k], values[0])
        elif k in LISTS:
            rqp.setdefault(k, []).extend(str(x) for x in values)
        elif k in MANY:
            fc.setdefault(k, []).extend(value_of(MANY[k], x) for x in values)
        elif k in NUMBERS:
            fc[k] = value_of(int, values[0])
        elif k in TEXTS:
            fc[k] = str(values[0])
        else:
            whose, name = ("catr", k[2:]) if k.startswith("c.") else ("patr", k[2:]) if k.startswith("p.") else ("atr", k)
            for x in values:
                fc.setdefault(whose, []).append({"nm": name, "val": x})
    geometry = {k: fc.pop(k) for k in ("gmty", "gsf", "geom") if k in fc}
    if geometry:
        fc["gq"] = geometry
    if fc:
        rqp["fc"] = fc


def request(op, to, fr, ty, pc, query, headers, rvi, ri):
    rqp = {"op": OP[op], "to": to}
    for name, v in (("fr", fr), ("rqi", ri or None), ("rvi", rvi), ("ty", ty), ("pc", pc)):
        if v is not None:
            rqp[name] = v
    put_query(rqp, query.items() if isinstance(query, dict) else query)
    for name, v in (headers.items() if isinstance(headers, dict) else headers):
        name = name.lower()
        if name == "x-m2m-rtu":
            rqp.setdefault("rt", {})["nu"] = v.split("&") if v else []
        elif name == "x-m2m-ec":
            rqp["ec"] = value_of(int, v)
        else:
            rqp[HEADERS[name]] = v
    return rqp


def encode(form, p, root):
    return serial.encode(form, {root: p} if form == "xml" else p)


def put_raw(form, octets, raw):
    """The primitive with content as it is, well-formed or not."""
    if form == "json":
        return octets[:-1] + b', "pc": ' + raw + b"}"
    if form == "cbor":
        assert octets[0] & 0xE0 == 0xA0 and octets[0] & 31 < 23
        return bytes([octets[0] + 1]) + octets[1:] + serial.cbor_encode("pc") + raw
    return octets.replace(b"</m2m:rqp>", b"<pc>" + re.sub(rb"^<\?xml[^>]*\?>\s*", b"", raw) + b"</pc></m2m:rqp>")


def decode(form, octets):
    """The parameters, without a root. ValueError."""
    v = serial.decode(form, octets)
    for root in ("m2m:rqp", "m2m:rsp"):
        if isinstance(v, dict) and list(v) == [root]:
            v = v[root]
    if not isinstance(v, dict):
        raise ValueError("no primitive")
    return v


def headers_of(p):
    h = {}
    for name, short in HEADERS.items():
        if short in p:
            h[name] = str(p[short])
    if "pc" in p:
        h["content-type"] = "application/json"
    return h


def response(rsp, asked):
    """As client.Response, with the HTTP status that goes with the code: a primitive has none of its own."""
    rsc = rsp.get("rsc")
    octets = json.dumps(rsp["pc"]).encode() if "pc" in rsp else b""
    r = client.Response(names.HTTP_STATUS.get(rsc, 500), headers_of(rsp), octets, asked)
    return r


def note(rqp, form):
    n = client.Note(METHOD.get(rqp.get("op"), "?"), "/" + str(rqp.get("to", "")), headers_of(rqp), json.dumps(rqp["pc"]).encode() if "pc" in rqp else b"")
    n.headers["content-type"] = serial.MEDIA[form]
    return n


def answer(rqp, rsc, content):
    rsp = {"rsc": rsc, "rqi": rqp.get("rqi", ""), "rvi": rqp.get("rvi", "4")}
    if content is not None:
        rsp["pc"] = content
    return rsp
