"""An HTTP client as the oneM2M HTTP binding describes it (TS-0009 V3.9.1), and a receiver of notifications.

    c = Client("http://127.0.0.1:8080")
    r = c.request("C", "cse-in", fr="CAdmin", ty=3, pc={"m2m:cnt": {"rn": "a"}})
    r.rsc, r.body, r.headers["content-location"]

A target is CSE-relative ("cse-in/a"), SP-relative ("/id-in/cse-in/a") or absolute ("//sp/id-in/cse-in/a"); the client writes the path that
TS-0009 6.2.2.1 prescribes. Connections are kept alive, one a thread."""
import http.client
import http.server
import itertools
import json
import os
import queue
import socket
import threading
import time
import urllib.parse

from . import serial

METHOD = {"C": "POST", "R": "GET", "U": "PUT", "D": "DELETE", "N": "POST"}
PATIENCE_USUAL = 6
PATIENCE = float(os.environ.get("KEYWAY_PATIENCE", PATIENCE_USUAL))  # seconds to wait for something that must come
_numbers = itertools.count(1)


class Silence(OSError):
    """What a binding raises that can leave a request without a response; HTTP cannot."""


NAME = "http"  # in deviations.json


def path_of(to):
    if to.startswith("//"):
        return "/_" + to[1:]
    if to.startswith("/"):
        return "/~" + to
    return "/" + to


class Response:
    """A response: HTTP status, headers in lower case, body as JSON, whatever it came in (None when there is none or it is malformed)."""

    def __init__(self, status, headers, octets, asked):
        self.status, self.headers, self.octets, self.asked = status, headers, octets, asked
        self.silent = False  # there was no response
        rsc = headers.get("x-m2m-rsc")
        self.rsc = int(rsc) if rsc and rsc.isdigit() else None
        try:
            self.body = serial.decode(serial.form_of(headers.get("content-type")) or "json", octets) if octets else None
        except ValueError:
            self.body = None

    @property
    def rep(self):
        """What stands below the root of the body: the resource, the list, the URI."""
        if isinstance(self.body, dict) and len(self.body) == 1:
            return next(iter(self.body.values()))
        return None

    @property
    def root(self):
        return next(iter(self.body)) if isinstance(self.body, dict) and self.body else None

    def get(self, *names):
        """self.get("a", "b") is rep["a"]["b"], or None."""
        v = self.rep
        for n in names:
            v = v.get(n) if isinstance(v, dict) else None
        return v

    @property
    def text(self):
        return self.octets.decode(errors="replace")[:300]

    def __str__(self):
        return "%s -> HTTP %d, RSC %s %s" % (self.asked, self.status, self.rsc, self.text)


class Client:
    def __init__(self, url, timeout=15, serialization="json"):
        self.serialization = serialization
        u = urllib.parse.urlsplit(url)
        self.host, self.port, self.timeout = u.hostname, u.port or 80, timeout
        self.base = u.path.rstrip("/")
        self.local = threading.local()

    def connection(self, fresh=False):
        c = getattr(self.local, "connection", None)
        if c is None or fresh:
            if c is not None:
                c.close()
            c = self.local.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        return c

    def exchange(self, method, path, headers, octets):
        """One HTTP exchange, as it stands; a connection that the server had closed meanwhile is opened again once."""
        for fresh in (False, True):
            c = self.connection(fresh)
            again = c.sock is not None
            try:
                c.putrequest(method, self.base + path, skip_accept_encoding=True)
                for name, value in headers:
                    c.putheader(name, value)
                if octets is not None:
                    c.putheader("Content-Length", str(len(octets)))
                c.endheaders(octets)
                r = c.getresponse()
                body = r.read()
                return Response(r.status, {k.lower(): v for k, v in r.getheaders()}, body, "%s %s" % (method, path[:200]))
            except (http.client.BadStatusLine, http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                c.close()
                if not again:
                    raise
            except Exception:
                c.close()
                raise
        raise ConnectionError("the connection was closed twice")

    def request(self, op, to, fr="CAdmin", ty=None, pc=None, query=(), headers=(), rvi="4", ri=None, raw=None, content_type=None, accept="", patience=None):
        """pc is content, written in the client's serialisation; raw are octets instead, of JSON unless content_type says otherwise. accept "" asks for that
        serialisation, None for nothing. query is a list of pairs or a dict; a list value is joined with "+". rvi, ri, fr of None leave
        the header out."""
        h = []
        if fr is not None:
            h.append(("X-M2M-Origin", fr))
        ri = "c%d" % next(_numbers) if ri is None else ri
        if ri != "":
            h.append(("X-M2M-RI", ri))
        if rvi is not None:
            h.append(("X-M2M-RVI", rvi))
        form = "json" if raw is not None else self.serialization
        if form == "xml" and not serial.is_document(pc):
            form = "json"
        accept = serial.MEDIA[self.serialization] if accept == "" else accept
        if accept:
            h.append(("Accept", accept))
        octets = raw if raw is not None else serial.encode(form, pc) if pc is not None else None
        if content_type is None and (octets is not None or ty is not None):
            content_type = serial.MEDIA[form] + (";ty=%s" % ty if ty is not None else "")
        if content_type:
            h.append(("Content-Type", content_type))
        if octets is None and op in ("C", "N"):
            octets = b""
        h += list(headers.items() if isinstance(headers, dict) else headers)
        pairs = query.items() if isinstance(query, dict) else query
        q = "&".join("%s=%s" % (k, "+".join(urllib.parse.quote(str(x), safe="/:,*[]") for x in (v if isinstance(v, (list, tuple)) else [v]))) for k, v in pairs)
        path = urllib.parse.quote(path_of(to), safe="/~_-.:*@!$&'()+,;=%")
        r = self.exchange(METHOD[op], path + ("?" + q if q else ""), h, octets)
        r.request_id = ri
        return r


class Note:
    """A notification, or any other request, that arrived in a mailbox."""

    def __init__(self, method, path, headers, octets):
        self.method, self.path, self.headers, self.when = method, path, headers, time.monotonic()
        try:
            self.body = serial.decode(serial.form_of(headers.get("content-type")) or "json", octets) if octets else None
        except ValueError:
            self.body = None

    @property
    def sgn(self):
        return self.body.get("m2m:sgn", {}) if isinstance(self.body, dict) else {}

    @property
    def nev(self):
        return self.sgn.get("nev") or {}

    @property
    def net(self):
        return self.nev.get("net")

    @property
    def rep(self):
        """The representation of the event: {"m2m:cnt": {...}}."""
        return self.nev.get("rep")

    @property
    def resource(self):
        r = self.rep
        return next(iter(r.values())) if isinstance(r, dict) and r else None

    def __str__(self):
        return "%s %s %s" % (self.method, self.path, json.dumps(self.body)[:300])


class Mailbox:
    """One address that receives. An AE that is reached there has `poa` as its point of access; known_as(an ID) comes when it is registered. It answers 2000; `answer` may be a response status code or a function of the note that returns one, or
    (code, content)."""

    def __init__(self, url):
        self.url, self.notes, self.seen, self.answer, self.verifications = url, queue.Queue(), [], 2000, []
        self.verify = 2000
        self.poa = url

    def known_as(self, an_id):
        pass

    def take(self, note):
        if note.sgn.get("vrq"):
            self.verifications.append(note)
            a = self.verify
        else:
            a = self.answer
            if not callable(a):
                self.notes.put(note)
        if callable(a):
            a = a(note)
            if not note.sgn.get("vrq"):
                self.notes.put(note)
        return a if isinstance(a, tuple) else (a, None)

    def wait(self, patience=PATIENCE):
        """The next note, or None."""
        try:
            n = self.notes.get(timeout=patience)
        except queue.Empty:
            return None
        self.seen.append(n)
        return n

    def drain(self, grace=0.15):
        """Everything that arrives within the grace time."""
        found = []
        while (n := self.wait(grace)) is not None:
            found.append(n)
        return found


class Receiver:
    """An HTTP server with many mailboxes, told apart by the first segment of the path."""

    def __init__(self):
        boxes = self.boxes = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def serve(self):
                n = int(self.headers.get("Content-Length") or 0)
                octets = self.rfile.read(n) if n else b""
                box = boxes.get(self.path.lstrip("/").split("/")[0].split("?")[0])
                headers = {k.lower(): v for k, v in self.headers.items()}
                rsc, content = box.take(Note(self.command, self.path, headers, octets)) if box else (4004, None)
                body = json.dumps(content).encode() if content is not None else b""
                from . import names
                out = ["HTTP/1.1 %d x" % names.HTTP_STATUS.get(rsc, 500), "X-M2M-RSC: %d" % rsc, "X-M2M-RI: " + headers.get("x-m2m-ri", ""),
                       "X-M2M-RVI: " + headers.get("x-m2m-rvi", "4"), "Content-Length: %d" % len(body)]
                if body:
                    out.append("Content-Type: application/json")
                try:
                    self.wfile.write("\r\n".join(out).encode() + b"\r\n\r\n" + body)
                except OSError:
                    self.close_connection = True

            do_POST = do_GET = do_PUT = do_DELETE = serve

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def mailbox(self):
        name = "m%d" % next(_numbers)
        box = self.boxes[name] = Mailbox("http://127.0.0.1:%d/%s" % (self.port, name))
        return box

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def closed_url():
    """An address on loopback where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return "http://127.0.0.1:%d" % s.getsockname()[1]
