"""oneM2M over WebSocket (TS-0020 V3.0.1), with the interface of client.py: what it calls headers are parameters of the primitive here, and the HTTP
status of a response is that which goes with its code."""
import json
import queue
import re
import socket
import threading
import urllib.parse

from . import client, names, serial, ws


class Silence(client.Silence):
    """Nobody answered in time."""


FOREIGN = ("TS-0009",)  # clauses of which nothing is here
PARAMETERS = {"x-m2m-ot": "ot", "x-m2m-ret": "rqet", "x-m2m-rst": "rset", "x-m2m-oet": "oet", "x-m2m-gid": "gid", "x-m2m-vsi": "vsi"}
NUMBERS = ("fu", "fo", "lim", "lvl", "ofst", "sts", "stb", "sza", "szb", "cfs", "gmty", "gsf", "ops")
TEXTS = ("crb", "cra", "ms", "us", "exb", "exa", "arp", "cfq", "lbq", "aq", "geom")
LISTS = ("lbl", "clbl", "palb", "cty", "smf")
TYPE_LISTS = ("ty", "chty", "pty")
TOP_NUMBERS = ("rcn", "drt")
TOP_LISTS = ("rids", "tids", "ltids", "atrl")
TOP_FLAGS = ("tqi", "sqi", "da", "asi", "auri")


def number(v):
    return int(v) if re.fullmatch(r"\d{1,18}", str(v)) else v


def flag(v):
    return {"1": True, "true": True, "True": True, "0": False, "false": False, "False": False}.get(str(v), v)


def listed(v):
    return list(v) if isinstance(v, (list, tuple)) else [v]


def put_query(p, pairs):
    fc = {}
    for k, v in pairs:
        if k == "rt":
            p.setdefault("rt", {})["rtv"] = number(v)
        elif k in TOP_NUMBERS:
            p[k] = number(v)
        elif k in TOP_FLAGS:
            p[k] = flag(v)
        elif k in TOP_LISTS:
            p.setdefault(k, []).extend(str(x) for y in listed(v) for x in str(y).split("+"))
        elif k == "rp":
            p[k] = v
        elif k in TYPE_LISTS:
            fc.setdefault(k, []).extend(number(x) for y in listed(v) for x in str(y).split("+"))
        elif k in LISTS:
            fc.setdefault(k, []).extend(str(x) for x in listed(v))
        elif k in NUMBERS or k in TEXTS:
            (fc.setdefault("gq", {}) if k in ("gmty", "gsf", "geom") else fc)[k] = number(v) if k in NUMBERS else str(v)
        else:
            whose = {"c.": "catr", "p.": "patr"}.get(k[:2], "atr")
            for x in listed(v):
                fc.setdefault(whose, []).append({"nm": k[2:] if whose != "atr" else k, "val": flag(x) if isinstance(x, bool) else str(x)})
    if fc:
        p["fc"] = fc


class Connection:
    """One WebSocket. Requests that come are refused, as by an AE that takes none: checks have mailboxes for what must arrive."""

    def __init__(self, host, port, form, timeout):
        self.form, self.answers, self.closed = form, queue.Queue(), False
        self.ws = ws.connect(host, port, ["oneM2M." + form], timeout)
        self.ws.socket.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while (m := self.ws.receive()) is not None:
                p = unwrap(serial.decode(self.form, m[1]))
                if "op" in p:
                    self.send({"rsc": 5103, "rqi": p.get("rqi", "")}, "m2m:rsp")
                else:
                    self.answers.put(p)
        except (OSError, ValueError):
            pass
        self.closed = True
        self.answers.put(None)

    def send(self, p, root):
        self.send_octets(serial.encode(self.form, {root: p} if self.form == "xml" else p))

    def send_octets(self, octets):
        self.ws.send(octets, self.form == "cbor")

    def answer(self, rqi, timeout):
        while True:
            try:
                p = self.answers.get(timeout=timeout)
            except queue.Empty:
                raise Silence("no response to %s" % rqi)
            if p is None:
                raise ConnectionResetError("the connection ended (%s)" % self.ws.code)
            if p.get("rqi") == rqi or not p.get("rqi"):
                return p


def unwrap(p):
    return next(iter(p.values())) if isinstance(p, dict) and len(p) == 1 and next(iter(p)) in ("m2m:rqp", "m2m:rsp") else p


def response_of(p, asked):
    h = {"x-m2m-rsc": str(p.get("rsc"))}
    for name, short in (("x-m2m-ri", "rqi"), ("x-m2m-rvi", "rvi"), ("x-m2m-vsi", "vsi"), ("x-m2m-ot", "ot"), ("x-m2m-rst", "rset"), ("x-m2m-ec", "ec"), ("x-m2m-cts", "cnst"), ("x-m2m-cto", "cnot")):
        if short in p:
            h[name] = str(p[short])
    octets = b""
    if "pc" in p:
        octets, h["content-type"] = json.dumps(p["pc"]).encode(), "application/json"
    return client.Response(names.HTTP_STATUS.get(p.get("rsc"), 500), h, octets, asked)


def strange(raw, form, content_type):
    """Octets that no message of this connection can hold: the rules are not about it."""
    from .check import NotApplicable
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise NotApplicable("text that is no UTF-8 ends a WebSocket (RFC 6455 8.1)")
    if form != "json" or serial.form_of(content_type or "application/json") != form:
        raise NotApplicable("the whole connection is in one serialisation")
    if len(raw) > 1 << 21:
        raise NotApplicable("a message that is too long ends a WebSocket")


class Client:
    def __init__(self, url, timeout=15, serialization="json"):
        u = urllib.parse.urlsplit(url)
        self.host, self.port, self.timeout, self.serialization = u.hostname, u.port or 80, timeout, serialization
        self.local = threading.local()

    def connection(self):
        c = getattr(self.local, "connection", None)
        if c is None or c.closed:
            c = self.local.connection = Connection(self.host, self.port, self.serialization, self.timeout)
        return c

    def request(self, op, to, fr="CAdmin", ty=None, pc=None, query=(), headers=(), rvi="4", ri=None, raw=None, content_type=None, accept=""):
        ri = "c%d" % next(client._numbers) if ri is None else ri
        typed = re.search(r"ty=(\d+)$", content_type or "")
        ty = int(typed.group(1)) if ty is None and typed else ty
        p = {"op": "CRUDN".index(op) + 1, "to": urllib.parse.unquote(to)}
        for short, value in (("fr", fr), ("rqi", ri or None), ("rvi", rvi), ("ty", ty)):
            if value is not None:
                p[short] = number(value) if short == "ty" else value
        put_query(p, query.items() if isinstance(query, dict) else query)
        for k, v in headers.items() if isinstance(headers, dict) else headers:
            k = k.lower()
            if k in PARAMETERS:
                p[PARAMETERS[k]] = v
            elif k == "x-m2m-ec":
                p["ec"] = number(v)
            elif k == "x-m2m-rtu":
                p.setdefault("rt", {})["nu"] = [x for x in v.split("&") if x]
            elif k == "authorization":
                p["tkns"] = v.split("+")
            elif k == "x-m2m-origin":
                p["fr"] = v
        if pc is not None and raw is None:
            p["pc"] = pc
        c = self.connection()
        if raw is not None:  # octets where content stands, even if they are none
            strange(raw, self.serialization, content_type)
            text = json.dumps(p).encode()
            c.send_octets(text[:-1] + (b', "pc": ' + raw if raw else b"") + b"}")
        else:
            c.send(p, "m2m:rqp")
        r = response_of(c.answer(ri, self.timeout), "WebSocket %s %s" % (op, to[:200]))
        r.request_id = ri
        return r


class Receiver:
    """A WebSocket server with many mailboxes, told apart by the first segment of the path."""

    def __init__(self):
        self.boxes = {}
        self.server = ws.Server(self.serve)
        self.port = self.server.port

    def serve(self, w, path, protocol):
        form = protocol.split(".")[1]
        while (m := w.receive()) is not None:
            threading.Thread(target=self.take, args=(w, path, form, unwrap(serial.decode(form, m[1]))), daemon=True).start()

    def take(self, w, path, form, p):
        box = self.boxes.get(path.lstrip("/").split("/")[0])
        headers = {"content-type": serial.MEDIA[form]}
        for name, short in (("x-m2m-origin", "fr"), ("x-m2m-ri", "rqi"), ("x-m2m-rvi", "rvi"), ("x-m2m-ec", "ec"), ("x-m2m-ret", "rqet"), ("x-m2m-ot", "ot"), ("x-m2m-vsi", "vsi"), ("x-m2m-gid", "gid")):
            if short in p:
                headers[name] = str(p[short])
        note = client.Note(client.METHOD["CRUDN"[p["op"] - 1]], path, headers, b"")
        note.body = p.get("pc")
        rsc, content = box.take(note) if box else (4004, None)
        out = {"rsc": rsc, "rqi": p["rqi"], "rvi": p.get("rvi", "4")}
        if content is not None:
            out["pc"] = content
        try:
            w.send(serial.encode(form, {"m2m:rsp": out} if form == "xml" else out), form == "cbor")
        except OSError:
            pass

    def mailbox(self):
        name = "m%d" % next(client._numbers)
        box = self.boxes[name] = client.Mailbox("ws://127.0.0.1:%d/%s" % (self.port, name))
        return box

    def close(self):
        self.server.close()


def closed_url():
    """An address on loopback where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return "ws://127.0.0.1:%d" % s.getsockname()[1]
