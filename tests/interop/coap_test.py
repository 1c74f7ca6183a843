"""CoAP by a client and server that we did not write, the package `coap` of npm: it registers an AE, creates, retrieves, updates, deletes and discovers in each
serialisation, sends and gets 100 KiB in blocks, and is notified at the point of access where it listens.

It is not sent blocks: its server knows those of one body by their token, which RFC 7959 leaves to the client; ours are each another."""
import base64
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("scenario", "conformance"):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), folder))
from conformance import coap, serial, server, tables  # noqa: E402
from npm import WORK, install  # noqa: E402
from plant import Process, program, wait_for  # noqa: E402

AE, CNT, CIN, SUB = 2, 3, 4, 23
FORMAT = {"json": 50, "xml": 41, "cbor": 60}
RSC, FR, RQI, RVI, TY = "307", "279", "283", "271", "267"
METHOD = {"C": "POST", "R": "GET", "U": "PUT", "D": "DELETE"}
numbers = itertools.count(1)


def number(octets):
    return int.from_bytes(octets, "big")


class Foreign:
    def __init__(self, where, node, s):
        self.process, self.base, self.taken = Process(where, "coap", [node, os.path.join(WORK, "coap_client.mjs")]), s.at("coap"), 0
        wait_for("its server", lambda: self.events("listening"))
        self.poa = "coap://127.0.0.1:%d" % self.events("listening")[0]["port"]

    def events(self, name):
        return self.process.events(name)

    def ask(self, rsc, op, to, fr, form="json", ty=None, pc=None, query=""):
        n = next(numbers)
        given = [(FR, fr.encode()), (RQI, b"n%d" % n), (RVI, b"4"), ("Accept", coap.uint(FORMAT[form]))]
        given += [(TY, coap.uint(ty))] if ty else []
        given += [("Content-Format", coap.uint(FORMAT[form]))] if pc is not None else []
        command = {"id": n, "url": "%s/%s%s" % (self.base, to, "?" + query if query else ""), "method": METHOD[op],
                   "options": [(k, base64.b64encode(v).decode()) for k, v in given],
                   "payload": base64.b64encode(serial.encode(form, pc)).decode() if pc is not None else ""}
        self.process.tell(json.dumps(command))
        answer = wait_for("the response to %s %s" % (op, to), lambda: [e for e in self.events("response") + self.events("failed") if e["id"] == n])[0]
        assert answer["event"] == "response", answer
        options = {k: base64.b64decode(v) for k, v in answer["options"]}
        assert number(options[RSC]) == rsc and options[RQI] == b"n%d" % n, (answer["code"], options, answer["payload"][:400])
        body = base64.b64decode(answer["payload"])
        return serial.decode(form, body) if body else None

    def notified(self, what, check):
        def look():
            for e in self.events("request"):
                options = {k: base64.b64decode(v) for k, v in e["options"]}
                assert e["method"] == "POST" and options[FR] == b"/id-in", e
                body = base64.b64decode(e["payload"])
                yield serial.decode("json", body)
        return wait_for(what, lambda: [n for n in look() if check(n)])[0]


def as_an_ae(f, form):
    name = "far-" + form
    aei = f.ask(2001, "C", "cse-in", "C", form, AE, {"m2m:ae": {"rn": name, "api": "Nfar", "rr": True, "srv": ["4"], "poa": [f.poa]}})["m2m:ae"]["aei"]
    box = "cse-in/%s/box" % name
    f.ask(2001, "C", "cse-in/" + name, aei, form, CNT, {"m2m:cnt": {"rn": "box", "lbl": ["a", "b"]}})
    assert f.ask(2000, "R", box, aei, form)["m2m:cnt"]["lbl"] == ["a", "b"]
    f.ask(2004, "U", box, aei, form, pc={"m2m:cnt": {"lbl": ["c"]}})
    large = form + "".join(random.choice("abcdefgh") for _ in range(100 * 1024))
    f.ask(2001, "C", box, aei, form, CIN, {"m2m:cin": {"con": large}}, query="rcn=0")
    assert f.ask(2000, "R", box + "/la", aei, form)["m2m:cin"]["con"] == large, "100 KiB there and back, in blocks"
    f.ask(2001, "C", box, aei, form, SUB, {"m2m:sub": {"rn": "s", "nu": ["cse-in/" + name], "nct": 1, "enc": {"net": [3]}}})
    text = form + ": \u00e4 \U0001F511"
    f.ask(2001, "C", box, aei, form, CIN, {"m2m:cin": {"con": text}}, query="rcn=0")
    f.notified("a notification", lambda n: n["m2m:sgn"].get("nev", {}).get("rep", {}).get("m2m:cin", {}).get("con") == text)
    assert f.ask(2000, "R", "cse-in/" + name, aei, form, query="fu=1&ty=3")["m2m:uril"] == [box]
    f.ask(4004, "R", "cse-in/nothing", aei, form)
    f.ask(4103, "R", box, "Cstranger", form)
    f.ask(2002, "D", "cse-in/" + name, aei, form)
    print("%s: an AE by the package coap, notified where it listens, 100 KiB in blocks each way" % form)


def main():
    tables.load(None)
    node, where = install(), type("Folder", (), {"dir": tempfile.mkdtemp(prefix="keyway-interop-")})
    s = server.Server(program("keyway-cse"), "--coap-port", "0")
    try:
        f = Foreign(where, node, s)
        for form in ("json", "xml", "cbor"):
            as_an_ae(f, form)
        f.process.kill()
    finally:
        assert s.stop() is None, "the CSE survived"
    subprocess.run(["rm", "-r", where.dir], check=True)


main()
