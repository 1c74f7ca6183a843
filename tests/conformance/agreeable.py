"""A CSE that knows no rules, to test the suite itself.

`yes` accepts every request and stores what it is given: whatever demands a refusal must fail on it. `no` refuses every request: whatever
demands a success must fail on it. A check that passes on both says nothing about a CSE."""
import http.server
import itertools
import json
import re
import socket
import threading
import urllib.parse

NOW = "20260101T000000"


class Agreeable:
    def __init__(self, says_yes):
        self.yes, self.numbers, self.introduced = says_yes, itertools.count(1), False
        base = {"ty": 5, "rn": "cse-in", "ri": "id-in", "pi": "", "csi": "/id-in", "cst": 1, "srt": list(range(1, 67)), "srv": ["2a", "3", "4", "5"], "csz": ["application/json"] + ["application/xml", "application/cbor"] * says_yes,
                "poa": ["http://127.0.0.1"], "ct": NOW, "lt": NOW}
        self.by_path, self.by_id = {"cse-in": ("m2m:cb", base)}, {"id-in": "cse-in"}
        agreeable = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def serve(self):
                n = self.headers.get("Content-Length") or "0"
                octets = self.rfile.read(int(n)) if n.isdigit() else b""
                status, rsc, body = agreeable.answer(self.command, self.path, self.headers, octets)
                out = json.dumps(body).encode() if body is not None else b""
                self.wfile.write(("HTTP/1.1 %d x\r\nX-M2M-RSC: %d\r\nX-M2M-RI: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                    status, rsc, self.headers.get("X-M2M-RI", ""), len(out))).encode("latin-1") + out)

            do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = serve

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def find(self, path):
        p = urllib.parse.unquote(path.split("?")[0]).strip("/")
        p = re.sub(r"^(_/[^/]*/|~/)", "", p)
        p = re.sub(r"^id-in/", "", p).replace("-", "cse-in", 1) if p.startswith(("-", "id-in/-")) else re.sub(r"^id-in/", "", p)
        head, _, rest = p.partition("/")
        if head in self.by_id:
            p = self.by_id[head] + ("/" + rest if rest else "")
        return p

    def answer(self, verb, path, headers, octets):
        p = self.find(path)
        if not self.yes and self.introduced:
            return 500, 5000, None
        self.introduced = True  # the suite asks once who it is
        try:
            body = json.loads(octets) if octets else {}
        except ValueError:
            body = {}
        kind = re.search(r"ty=(\d+)", headers.get("Content-Type") or "")
        if verb == "POST" and kind:
            root, given = next(iter(body.items())) if isinstance(body, dict) and body else ("m2m:cnt", {})
            given = given if isinstance(given, dict) else {}
            ri = "r%d" % next(self.numbers)
            who = headers.get("X-M2M-Origin") or "C" + ri
            rep = dict({"ty": int(kind.group(1)), "ri": ri, "rn": ri, "pi": (self.by_path.get(p) or ("", {"ri": "?"}))[1].get("ri"), "ct": NOW, "lt": NOW, "et": "20990101T000000"}, **given)
            if rep["ty"] == 2:
                rep["aei"] = rep["ri"] = ri = who if len(who) > 1 else who + ri
            where = "%s/%s" % (p, rep["rn"])
            self.by_path[where], self.by_id[ri] = (root, rep), where
            return 201, 2001, {root: rep}
        if verb == "POST":
            return 200, 2000, None
        root, rep = self.by_path.get(p) or ("m2m:cnt", {})
        if verb == "PUT":
            rep.update(next(iter(body.values())) if isinstance(body, dict) and body and isinstance(next(iter(body.values())), dict) else {})
            return 200, 2004, {root: rep}
        if verb == "DELETE":
            return 200, 2002, None
        if "fu=1" in path:
            return 200, 2000, {"m2m:uril": []}
        return 200, 2000, {root: rep}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
