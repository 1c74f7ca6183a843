"""oneM2M over WebSocket (TS-0020 V3.0.1), with the interface of client.py: what it calls headers are parameters of the primitive here, and the HTTP
status of a response is that which goes with its code."""
import queue
import re
import socket
import threading
import urllib.parse

from . import client, primitive, serial, ws


class Silence(client.Silence):
    """Nobody answered in time."""


NAME = "ws"


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

    def request(self, op, to, fr="CAdmin", ty=None, pc=None, query=(), headers=(), rvi="4", ri=None, raw=None, content_type=None, accept="", patience=None):
        ri = "c%d" % next(client._numbers) if ri is None else ri
        typed = re.search(r"ty=(\d+)$", content_type or "")
        rqp = primitive.request(op, urllib.parse.unquote(to), fr, int(typed.group(1)) if ty is None and typed else ty, pc if raw is None else None, query, headers, rvi, ri)
        form = serial.form_of(content_type) or "json" if raw is not None else self.serialization
        octets = primitive.encode(form, rqp, "m2m:rqp")
        if raw is None:
            c = self.connection()
        else:  # octets where content stands, over a connection that they may end
            c, octets = Connection(self.host, self.port, form, self.timeout), primitive.put_raw(form, octets, raw)
        try:
            c.send_octets(octets)
            r = primitive.response(c.answer(ri, patience or self.timeout), "WebSocket %s %s" % (op, to[:200]))
        except ConnectionError as e:
            if raw is None:
                raise
            raise Silence(str(e))
        finally:
            if raw is not None:
                c.ws.close()
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
