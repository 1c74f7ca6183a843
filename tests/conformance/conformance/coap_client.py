"""oneM2M over CoAP (TS-0008 V3.9.0), with the interface of client.py: what it calls headers are oneM2M's options here.

The HTTP status of a response is that which goes with the CoAP code (table 6.2.4-1), so that a check of the one is a check of the other."""
import json
import re
import socket
import urllib.parse

from . import client, coap, names, serial

NAME, Silence = "coap", coap.Lost
CODE = {"C": coap.POST, "R": coap.GET, "U": coap.PUT, "D": coap.DELETE, "N": coap.POST}
OPTIONS = {"x-m2m-ot": 259, "x-m2m-rtu": 263, "x-m2m-rvi": 271, "x-m2m-origin": 279, "x-m2m-ri": 283, "x-m2m-ret": 291, "x-m2m-rst": 295, "x-m2m-oet": 299,
           "x-m2m-ec": 303, "x-m2m-rsc": 307, "x-m2m-gid": 311, "x-m2m-cto": 319, "x-m2m-cts": 323, "x-m2m-ati": 327, "x-m2m-vsi": 331}
NUMBERS = ("x-m2m-ec", "x-m2m-rsc", "x-m2m-cto", "x-m2m-cts")
TY = 267
FORMATS = {"application/xml": 41, "application/json": 50, "application/cbor": 60}
TYPES = {50: "application/json", 41: "application/xml", 60: "application/cbor", 10001: "application/vnd.onem2m-res+json", 10014: "application/vnd.onem2m-res+xml",
         10010: "application/vnd.onem2m-res+cbor", 10003: "application/vnd.onem2m-ntfy+json", 10002: "application/vnd.onem2m-ntfy+xml", 10011: "application/vnd.onem2m-ntfy+cbor"}

# Table 6.2.4-1 where the CoAP code is not the HTTP status with a dot in it.
COAP_CODE = {1000: "2.04", 1001: "2.01", 1002: "2.01", 2000: "2.05", 2001: "2.01", 2002: "2.02", 2004: "2.04", 4104: "4.00", 4105: "4.03", 4120: "4.02",
             4122: "4.02", 4124: "4.00", 5106: "4.00", 5219: "4.00", 5220: "4.00", 6028: "4.00", 6029: "4.00"}


def coap_code(rsc):
    status = names.HTTP_STATUS.get(rsc, 500)
    return coap.code(COAP_CODE.get(rsc) or "%d.%02d" % (status // 100, status % 100))


def path_options(to):
    """The segments of an address: TS-0008 6.2.2.2."""
    if to.startswith("//"):
        to = "_/" + to[2:]
    elif to.startswith("/"):
        to = "~" + to
    return [(coap.URI_PATH, urllib.parse.unquote(s).encode()) for s in to.split("/")]


def headers_of(m):
    h = {}
    for name, number in OPTIONS.items():
        v = m.get(number)
        if v is not None:
            h[name] = str(int.from_bytes(v, "big")) if name in NUMBERS else v.decode(errors="replace")
    location = [v.decode(errors="replace") for v in m.all(coap.LOCATION_PATH)]
    if location:
        h["content-location"] = ("/" + "/".join(location[1:]) if location[0] == "~" else "//" + "/".join(location[1:]) if location[0] == "_" else "/".join(location))
    f = m.number(coap.CONTENT_FORMAT)
    if f is not None:
        h["content-type"] = TYPES.get(f, str(f))
    return h


def option_of(name, value):
    return OPTIONS[name], coap.uint(int(value)) if name in NUMBERS else str(value).encode()


class Client:
    def __init__(self, url, timeout=15, serialization="json"):
        self.serialization = serialization
        u = urllib.parse.urlsplit(url)
        self.peer, self.timeout = (u.hostname, u.port or 5683), timeout
        self.endpoint = coap.Endpoint()

    def request(self, op, to, fr="CAdmin", ty=None, pc=None, query=(), headers=(), rvi="4", ri=None, raw=None, content_type=None, accept="", patience=None):
        ri = "c%d" % next(client._numbers) if ri is None else ri
        options = path_options(to)
        h = {k.lower(): v for k, v in (headers.items() if isinstance(headers, dict) else headers)}
        for name, value in (("x-m2m-origin", fr), ("x-m2m-ri", ri or None), ("x-m2m-rvi", rvi)):
            if value is not None:
                h.setdefault(name, value)
        options += [option_of(name, value) for name, value in h.items()]
        code = CODE[op]
        for k, v in (query.items() if isinstance(query, dict) else query):
            if k == "rt" and str(v) in ("1", "2", "4"):
                code = coap.POST
                options.append((coap.URI_QUERY, b"op=%d" % ("CRUDN".index(op) + 1)))
            options.append((coap.URI_QUERY, ("%s=%s" % (k, "+".join(str(x) for x in (v if isinstance(v, (list, tuple)) else [v])))).encode()))
        form = "json" if raw is not None or (self.serialization == "xml" and not serial.is_document(pc)) else self.serialization
        accept = serial.MEDIA[self.serialization] if accept == "" else accept
        octets = raw if raw is not None else serial.encode(form, pc) if pc is not None else b""
        typed = re.search(r"ty=(\d+)$", content_type or "")
        ty = int(typed.group(1)) if ty is None and typed else ty
        if ty is not None:
            options.append((TY, coap.uint(int(ty))))
        if octets:
            options.append((coap.CONTENT_FORMAT, coap.uint(FORMATS.get((content_type or serial.MEDIA[form]).split(";")[0], 0))))
        if accept:
            options.append((coap.ACCEPT, coap.uint(FORMATS.get(accept.split(";")[0], 0))))
        m = self.endpoint.request(self.peer, code, options, octets, patience or self.timeout)
        out = headers_of(m)
        rsc = int(out.get("x-m2m-rsc", 0))
        if not rsc:  # of CoAP itself, such as 4.13
            return client.Response((m.code >> 5) * 100 + (m.code & 31), out, m.payload, "CoAP %s %s" % (op, to[:200]))
        good = m.code == coap_code(rsc) or (rsc == 2000 and m.code == coap.code("2.04") and op == "N") or (rsc == 1002 and m.code == coap.code("2.04"))
        r = client.Response(names.HTTP_STATUS.get(rsc, 500) if good else 0, out, m.payload, "CoAP %s %s" % (op, to[:200]))
        r.coap_code, r.request_id = "%d.%02d" % (m.code >> 5, m.code & 31), ri
        return r


class Receiver:
    """A CoAP server with many mailboxes, told apart by the first segment of the path."""
    METHOD = {coap.GET: "GET", coap.POST: "POST", coap.PUT: "PUT", coap.DELETE: "DELETE"}

    def __init__(self):
        self.boxes = {}
        self.endpoint = coap.Endpoint(self.serve)
        self.port = self.endpoint.port

    def serve(self, m):
        path = [v.decode(errors="replace") for v in m.all(coap.URI_PATH)]
        box = self.boxes.get(path[0] if path else "")
        h = headers_of(m)
        rsc, content = box.take(client.Note(self.METHOD.get(m.code, "?"), "/" + "/".join(path), h, m.payload)) if box else (4004, None)
        options = [(OPTIONS["x-m2m-rsc"], coap.uint(rsc)), option_of("x-m2m-ri", h.get("x-m2m-ri", "")), option_of("x-m2m-rvi", h.get("x-m2m-rvi", "4"))]
        body = json.dumps(content).encode() if content is not None else b""
        if body:
            options.append((coap.CONTENT_FORMAT, coap.uint(50)))
        return coap_code(rsc), options, body

    def mailbox(self):
        name = "m%d" % next(client._numbers)
        box = self.boxes[name] = client.Mailbox("coap://127.0.0.1:%d/%s" % (self.port, name))
        return box

    def close(self):
        self.endpoint.close()


def closed_url():
    """An address on loopback where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return "coap://127.0.0.1:%d" % s.getsockname()[1]
