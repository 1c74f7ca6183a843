"""A WebSocket client that we did not write, the package `ws` of npm, as an AE of our CSE: it registers, creates, subscribes, and is notified over the same
connection, in each serialisation; it pings and is pinged; it is told what it did wrong; and over TLS its certificate decides who it is."""
import base64
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("scenario", "conformance"):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), folder))
from conformance import client, serial, server, tables  # noqa: E402
from npm import WORK, install  # noqa: E402
from plant import Plant, Process, program, wait_for  # noqa: E402

AE, CNT, CIN, SUB = 2, 3, 4, 23


class Ae:
    """The foreign client, and what it said. Requests to it are answered with 2000."""

    def __init__(self, where, node, url, form="json", **settings):
        Ae.count = getattr(Ae, "count", 0) + 1
        self.form, self.numbers, self.taken, self.requests, self.responses = form, 0, 0, [], {}
        settings.update(url=url, protocol="oneM2M." + form)
        self.process = Process(where, "ws-%d" % Ae.count, [node, os.path.join(WORK, "ws_client.mjs"), json.dumps(settings)])

    def events(self, name):
        return self.process.events(name)

    def opened(self):
        wait_for("the connection", lambda: self.events("open") or self.events("closed"))
        return bool(self.events("open")) and self.events("open")[0]["protocol"] == "oneM2M." + self.form

    def tell(self, **command):
        self.process.tell(json.dumps(command))

    def send(self, primitive, root):
        octets = serial.encode(self.form, {root: primitive} if self.form == "xml" else primitive)
        self.tell(send=base64.b64encode(octets).decode(), binary=self.form == "cbor")

    def look(self):
        came = self.events("message")
        for m in came[self.taken:]:
            assert m["binary"] == (self.form == "cbor"), m
            p = serial.decode(self.form, base64.b64decode(m["data"]))
            p = p.get("m2m:rqp") or p.get("m2m:rsp") or p
            if "op" in p:
                self.requests.append(p)
                self.send({"rsc": 2000, "rqi": p["rqi"], "rvi": "4"}, "m2m:rsp")
            else:
                self.responses[p.get("rqi", "")] = p
        self.taken = len(came)

    def ask(self, rsc, op, to, fr, **more):
        self.numbers += 1
        rqi = "n%d" % self.numbers
        self.send({"op": "CRUDN".index(op) + 1, "to": to, "fr": fr, "rqi": rqi, "rvi": "4", **more}, "m2m:rqp")
        wait_for("the response to %s %s" % (op, to), lambda: self.look() or rqi in self.responses)
        r = self.responses.pop(rqi)
        assert r["rsc"] == rsc, r
        return r.get("pc")

    def notified(self, what, check):
        return wait_for(what, lambda: self.look() or [n for n in self.requests if check(n)])[0]

    def closed(self):
        wait_for("the connection to end", lambda: self.events("closed"))
        self.process.popen.wait()
        return self.events("closed")[0]["code"]


class Folder:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="keyway-interop-")


def as_an_ae(where, node, s, form):
    """Behind whatever: it has no point of access."""
    ae, name = Ae(where, node, s.at("ws"), form), "ws-" + form
    assert ae.opened()
    aei = ae.ask(2001, "C", "cse-in", "C", ty=AE, pc={"m2m:ae": {"rn": name, "api": "Nfar", "rr": True, "srv": ["4"]}})["m2m:ae"]["aei"]
    ae.ask(2001, "C", "cse-in/" + name, aei, ty=CNT, pc={"m2m:cnt": {"rn": "box", "lbl": ["a", "b"]}})
    assert ae.ask(2000, "R", "cse-in/%s/box" % name, aei)["m2m:cnt"]["lbl"] == ["a", "b"]
    ae.ask(2001, "C", "cse-in/%s/box" % name, aei, ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": ["cse-in/" + name], "nct": 1, "enc": {"net": [3]}}})
    http = client.Client(s.url)
    text = "by HTTP: \u00e4 \U0001F511"
    r = http.request("C", "cse-in/%s/box" % name, ty=CIN, pc={"m2m:cin": {"con": text}})
    assert r.rsc == 2001, r
    n = ae.notified("a notification", lambda n: "nev" in n["pc"].get("m2m:sgn", {}))
    assert n["op"] == 5 and n["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == text, n
    ae.ask(2000, "R", "cse-in/%s/box/la" % name, aei)
    # any request reaches it, and its answer comes back to who asked
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(http.request, "N", "cse-in/" + name, pc={"m2m:sgn": {"sur": "cse-in/x", "nev": {"net": 1, "rep": {"m2m:cnt": {"lbl": ["z"]}}}}})
        ae.notified("a request of another", lambda n: n["pc"].get("m2m:sgn", {}).get("sur") == "cse-in/x")
        assert asked.result().rsc == 2000, asked.result()
    ae.ask(4004, "R", "cse-in/nothing", aei)
    ae.ask(2002, "D", "cse-in/%s/box" % name, aei)
    ae.tell(ping=True)
    wait_for("a pong", lambda: ae.events("pong"))
    ae.tell(close=1000)
    assert ae.closed() == 1000
    print("%s: an AE by the package ws, and notified over its own connection" % form)


def told_what_is_wrong(where, node, s):
    ae = Ae(where, node, s.at("ws"), "json")
    assert ae.opened()
    ae.tell(send=base64.b64encode(b"no primitive").decode(), binary=False)
    wait_for("an answer", lambda: ae.look() or "" in ae.responses)
    assert ae.responses[""]["rsc"] == 4000
    ae.tell(send=base64.b64encode(b"{}").decode(), binary=True)
    assert ae.closed() == 1003
    ae = Ae(where, node, s.at("ws"), "json")
    assert ae.opened()
    ae.tell(send=base64.b64encode(b"[" + b" " * (3 << 20) + b"]").decode(), binary=False)
    code = ae.closed()
    assert code == 1009, (code, ae.events("error"))
    ae = Ae(where, node, s.at("ws"), "csv")
    assert not ae.opened() and "400" in ae.events("error")[0]["text"], ae.events("error")
    print("a text where octets belong, and 3 MiB, end the connection with a reason; an unknown sub-protocol gets none")


def secure(node):
    with Plant() as p:
        p.start("in-cse", program("keyway-cse"), "--config", os.path.join(p.plant, "in-cse.ini")).wait_line(" ready")
        url = next(c["url"] for c in p.settings["cses"] if c["id"] == "/id-in").replace("https:", "wss:")
        tls = p.plant + "/tls/"
        ae = Ae(p, node, url, ca=tls + "ca.pem", cert=tls + "operator.pem", key=tls + "operator.key")
        assert ae.opened(), ae.process.text()
        assert ae.ask(2000, "R", "cse-in", "/id-in/CAdmin")["m2m:cb"]["csi"] == "/id-in"
        ae.ask(4106, "R", "cse-in", "/id-in/Cother")
        p.processes["in-cse"].popen.terminate()
        assert ae.closed() == 1001
        p.processes["in-cse"].popen.wait()
        p.processes["in-cse"].start()
        p.processes["in-cse"].wait_line(" ready")
        assert not Ae(p, node, url, ca=tls + "ca.pem").opened(), "without a certificate there is no connection"
        print("over TLS: the certificate decides who it is; a CSE that ends says so")


def main():
    tables.load(None)
    node, where = install(), Folder()
    s = server.Server(program("keyway-cse"))
    try:
        for form in ("json", "xml", "cbor"):
            as_an_ae(where, node, s, form)
        told_what_is_wrong(where, node, s)
    finally:
        assert s.stop() is None, "the CSE survived"
    secure(node)
    subprocess.run(["rm", "-r", where.dir], check=True)


main()
