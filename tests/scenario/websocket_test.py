"""WebSockets against the real keyway-cse: an AE without a way in is notified over its own connection, requests go on by every binding to CSEs that are reached
in different ways, a CSE without a way in is reached by its registrar, who is silent is found out, and over TLS the certificates of a plant decide.

The clients here are conformance/ws.py, written from the RFC; tests/interop/ws_test.py has one that we did not write."""
import json
import os
import queue
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from conformance import client, server, ws, ws_client  # noqa: E402
from plant import Plant, program, wait_for  # noqa: E402

ACP, AE, CNT, CIN, SUB, PCH = 1, 2, 3, 4, 23, 15
PROGRAM = program("keyway-cse")
NOWHERE = "http://127.0.0.1:9"  # loopback, nobody listens


class Ae:
    """An AE on one connection that answers what it is asked with 2000, and keeps it."""

    def __init__(self, s, name=None, **attributes):
        self.ws = ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"], 60)
        self.requests, self.responses, self.number, self.ended = queue.Queue(), queue.Queue(), 0, threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        if name:
            a = {"rn": name, "api": "Nws", "rr": True, "srv": ["4"], **attributes}
            self.id = ok(self.request("C", "cse-in", "C" + name, ty=AE, pc={"m2m:ae": a}), 2001)["pc"]["m2m:ae"]["aei"]

    def read(self):
        try:
            while (m := self.ws.receive()) is not None:
                p = json.loads(m[1])
                if "op" in p:
                    self.requests.put(p)
                    self.send({"rsc": 2000, "rqi": p["rqi"], "rvi": "4"})
                else:
                    self.responses.put(p)
        except OSError:
            pass
        self.ended.set()

    def send(self, p):
        self.ws.send(json.dumps(p).encode())

    def post(self, op, to, fr, **more):
        self.number += 1
        self.send({"op": "CRUDN".index(op) + 1, "to": to, "fr": fr, "rqi": "q%d" % self.number, "rvi": "4", **more})

    def request(self, op, to, fr="CAdmin", **more):
        self.post(op, to, fr, **more)
        p = self.responses.get(timeout=60)
        assert p["rqi"] == "q%d" % self.number, p
        return p

    def note(self):
        """The next notification that is no verification."""
        while True:
            n = self.requests.get(timeout=60)
            if not n["pc"].get("m2m:sgn", {}).get("vrq"):
                return n


def ok(p, rsc):
    assert p["rsc"] == rsc, p
    return p


def made(r):
    assert r.rsc == 2001, r
    return r.rep


def resource(r):
    return r.rep if r.rsc == 2000 else None


def new_instance(c, cnt, con):
    return made(c.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": con}}))


# an AE without a way in
def behind_nat(s, c):
    ae = Ae(s, "nat", poa=[NOWHERE])
    made(c.request("C", "cse-in", ty=CNT, pc={"m2m:cnt": {"rn": "watched"}}))
    made(c.request("C", "cse-in/watched", ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": [ae.id], "nct": 1, "enc": {"net": [3]}}}))
    for i in range(20):
        new_instance(c, "cse-in/watched", "n%d" % i)
    assert [ae.note()["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] for _ in range(20)] == ["n%d" % i for i in range(20)]
    # it comes again, from another address say: the newest connection counts, and the end of the old one changes nothing
    newer = Ae(s)
    ok(newer.request("R", "cse-in/nat", ae.id), 2000)
    ae.ws.close()
    assert ae.ended.wait(60)
    new_instance(c, "cse-in/watched", "again")
    assert newer.note()["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == "again"
    # a connection on which it never said anything is not its own
    stranger = Ae(s)
    newer.ws.close()
    assert newer.ended.wait(60)
    r = c.request("N", "cse-in/nat", pc={"m2m:sgn": {"sur": "x", "sud": True}})
    assert r.rsc == 5103 and stranger.requests.empty(), r
    print("an AE behind a translation of addresses: 20 notifications over its connection, then over a newer one, then none")


# requests that come by WebSocket and go on by another binding
def retargeting(s, c):
    mns = []
    try:
        for name, registrar in (("by-http", s.at("http")), ("by-coap", s.at("coap")), ("by-ws", s.at("ws"))):
            mns.append(server.Server(PROGRAM, "--type", "mn", "--cse-id", "/" + name, "--cse-name", "cse", "--registrar", registrar, "--coap-port", "0"))
            scheme = name.split("-")[1]
            csr = wait_for("%s to register" % name, lambda n=name: resource(c.request("R", "cse-in/" + n)))
            assert csr["poa"][0].startswith(scheme + "://"), csr
            if scheme == "ws":  # no way in but the connection that it opened
                assert c.request("U", "cse-in/" + name, pc={"m2m:csr": {"poa": [NOWHERE]}}).rsc == 2004
        ae = Ae(s, "far")
        for m, name in zip(mns, ("by-http", "by-coap", "by-ws")):
            local, box = client.Client(m.url), "/%s/cse/box" % name
            all_ = {"acr": [{"acor": ["all"], "acop": 63}]}
            made(local.request("C", "cse", ty=ACP, pc={"m2m:acp": {"rn": "all", "pv": all_, "pvs": all_}}))
            made(local.request("C", "cse", ty=CNT, pc={"m2m:cnt": {"rn": "box", "acpi": ["cse/all"]}}))
            ok(ae.request("C", box, ae.id, ty=CIN, pc={"m2m:cin": {"con": "from afar"}}), 2001)
            assert local.request("R", "cse/box/la").rep["con"] == "from afar"
            assert ok(ae.request("R", box + "/la", ae.id), 2000)["pc"]["m2m:cin"]["con"] == "from afar"
            ok(ae.request("C", box, ae.id, ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": ["/id-in/" + ae.id], "nct": 1, "enc": {"net": [3]}}}), 2001)
            new_instance(local, "cse/box", name)
            assert ae.note()["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == name
            ok(ae.request("R", box + "/nothing", ae.id), 4004)
        # the other way: by HTTP and CoAP to the MN, over its connection to the IN
        r = client.Client(mns[2].url).request("R", "/id-in/cse-in/nothing")
        assert r.rsc == 4004, r
        print("from a WebSocket on to CSEs by HTTP, CoAP and their own WebSocket; notifications come back the same ways")
    finally:
        for m in mns:
            assert m.stop() is None


def limits(s, c):
    ae = Ae(s, "many")
    ok(ae.request("C", "cse-in/many", ae.id, ty=PCH, pc={"m2m:pch": {"rn": "pch"}}), 2001)
    for _ in range(256):
        ae.post("R", "cse-in/many/pch/pcu", ae.id, rqet=60000)
    ok(ae.request("R", "cse-in", "CAdmin"), 5207)
    ae.ws.close()
    assert c.request("R", "cse-in").rsc == 2000, "the CSE goes on when 256 answers find nobody"
    for headers, status in (([("Origin", "http://elsewhere.example")], 101), ([("Sec-WebSocket-Version", "12")], 426), ([("Sec-WebSocket-Protocol", None)], 400), ([("Sec-WebSocket-Key", "short")], 400)):
        try:
            ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"], headers=headers).close()
            got = 101
        except ws.Refused as e:
            got = e.status
        assert got == status, (headers, got)
    print("256 requests may wait, no more; handshakes that are none are refused")


# a CSE with a configuration of its own
def configured(folder, name, text, *words):
    path = os.path.join(folder, name + ".ini")
    with open(path, "w") as f:
        f.write("[cse]\ntype = in\nid = /id-in\nname = cse-in\nstate = %s\n[http]\ncors = http://here.example\n[websocket]\n%s" % (folder, text))
    return server.Server(PROGRAM, "--config", path, *words)


def silence():
    with tempfile.TemporaryDirectory() as folder:
        s = configured(folder, "quick", "ping_s = 1\n")
        try:
            alive = Ae(s, "alive")
            dead = ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"], 60)
            got = []
            while True:  # never a pong
                try:
                    got.append(dead.read_frame()[1])
                except OSError:
                    break
            assert got == [ws.PING], got
            assert not alive.ended.is_set(), "who answers pings stays"
            ok(alive.request("R", "cse-in"), 2000)
            try:
                ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"], headers=[("Origin", "http://elsewhere.example")])
                raise AssertionError("a page from elsewhere came in")
            except ws.Refused as e:
                assert e.status == 403
            ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"], headers=[("Origin", "http://here.example")]).close()
        finally:
            assert s.stop() is None
        assert alive.ended.wait(60) and alive.ws.code == 1001
        s = configured(folder, "shut", "accept = no\n")
        try:
            ws.connect("127.0.0.1", s.ports["http"], ["oneM2M.json"])
            raise AssertionError("WebSockets are switched off")
        except ws.Refused as e:
            assert e.status == 403
        finally:
            assert s.stop() is None
    print("who does not answer a ping is gone, who does stays; a CSE that ends says 1001")


# TLS: an MN-CSE that registers by a secure WebSocket
def secure():
    with Plant() as p:
        p.registrar("mn-cse.ini", lambda url: url.replace("https:", "wss:"))
        for role in ("in-cse", "mn-cse"):
            p.start(role, PROGRAM, "--config", os.path.join(p.plant, role + ".ini")).wait_line(" ready")
        p.processes["mn-cse"].wait_line(" registered")
        csr = p.get("/id-in/cse-in/id-mn")
        assert csr and csr["m2m:csr"]["poa"][0].startswith("wss://"), csr
        p.keyway("update", "/id-in/cse-in/id-mn", json.dumps({"m2m:csr": {"poa": [NOWHERE]}}))
        through = ("--via", "/id-in")
        assert p.get("/id-mn/cse-mn", *through)["m2m:cb"]["csi"] == "/id-mn", "over the connection that it opened"
        p.processes["in-cse"].kill()
        p.processes["in-cse"].start()
        p.processes["in-cse"].wait_line(" ready")
        wait_for("the MN-CSE to be back", lambda: p.get("/id-mn/cse-mn", *through))
        print("an MN-CSE registers by wss, is reached over that connection alone, and comes back after a crash of its registrar")


def main():
    s = server.Server(PROGRAM, "--coap-port", "0")
    try:
        c = client.Client(s.url)
        behind_nat(s, c)
        retargeting(s, c)
        limits(s, c)
    finally:
        assert s.stop() is None, "the CSE survived"
    silence()
    secure()


main()
