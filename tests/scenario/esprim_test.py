"""ESPrim through a transit CSE: an AE of /id-mn asks /id-in by sealed primitives. The transit CSE writes every primitive that it sees into a trace and
logs at debug level; neither these nor its store ever hold what was sealed, while they do hold what went past in the clear. TS-0003 clause 8.4."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from plant import program, wait_for

PEER = PKI_TOOL = CLIENT = None
KEY = "8f4b1c27d05ea3961122334455667788990aabbccddeeff00f1e2d3c4b5a6978"
KID = "00112233445566778899AABBCCDDEEFF@maf.keyway.example"
LAMP_KID = "0F0E0D0C0B0A09080706050403020100@maf.keyway.example"
OTHER_KID = "FFEEDDCCBBAA99887766554433221100@maf.keyway.example"
SEALED = "heliotrope-" + os.urandom(8).hex()   # goes inside
PLAIN = "cinnabar-" + os.urandom(8).hex()      # goes in the clear: the control


class Cse:
    def __init__(self, folder, kind, name, sections, registrar=None):
        self.id, self.name, self.folder = "/id-" + name, "cse-" + name, os.path.join(folder, name)
        self.log, self.trace = self.folder + ".log", self.folder + ".trace"
        self.number = 0
        os.mkdir(self.folder)
        config = "[cse]\ntype = %s\nid = %s\nname = %s\nstate = %s\n[trace]\nprimitives = %s\n%s" % (kind, self.id, self.name, self.folder, self.trace, sections)
        if registrar:
            config += "[registrar]\nurl = %s\nid = %s\n" % (registrar.url, registrar.id)
        with open(self.folder + ".conf", "w", encoding="utf-8") as f:
            f.write(config)
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen([program("keyway-cse"), "--testbench", "--config", self.folder + ".conf", "--port", "0"], stdout=log, stderr=log,
                                          env={**os.environ, "KEYWAY_LOG": "debug"})
        running.append(self.popen)
        self.port = int(wait_for("the ready line of " + self.id, lambda: re.search(r"ready.*http=(\d+)", self.said())).group(1))
        self.url = "http://127.0.0.1:%d" % self.port

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ask(self, method, to, origin="CAdmin", body=None, ty=None):
        self.number += 1
        h = {"X-M2M-Origin": origin, "X-M2M-RI": "t%d" % self.number, "X-M2M-RVI": "4"}
        if body is not None:
            h["Content-Type"] = "application/json" + (";ty=%d" % ty if ty else "")
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, ("/~" if to.startswith("/") else "/") + to, json.dumps(body, separators=(",", ":")) if body is not None else None, h)
            r = c.getresponse()
            text = r.read()
            return int(r.getheader("X-M2M-RSC", "0")), json.loads(text) if text else None
        finally:
            c.close()

    def make(self, to, ty, body):
        rsc, answer = self.ask("POST", to, body=body, ty=ty)
        assert rsc == 2001, (rsc, answer)
        return next(iter(answer.values()))


class Originator:
    """The AE: seals and opens in a program of its own, sends through the transit CSE."""

    def __init__(self, via, to, name, kid, key=KEY):
        self.via, self.to, self.name = via, to, name
        self.popen = subprocess.Popen([PEER, key, kid], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(self.popen)

    def say(self, verb, what):
        self.popen.stdin.write("%s %s\n" % (verb, what))
        self.popen.stdin.flush()
        return self.popen.stdout.readline().strip()

    def notify(self, info):
        return self.via.ask("POST", self.to, self.name, {"m2m:seci": info})

    def begin(self):
        rsc, answer = self.notify({"sit": 3})
        assert rsc == 2000 and answer["m2m:seci"]["sit"] == 4, (rsc, answer)
        self.object = answer["m2m:seci"]["ero"]
        assert self.say("object", json.dumps(self.object, separators=(",", ":"))) == "ok"

    def agree(self, folder, pki):
        """ESCertKE; the response status code of a refusal."""
        p = os.path.join(folder, pki)
        said = self.say("certke", "%s/ca.pem %s/meter.pem %s/meter.key id-in.acme.example.com" % (os.path.join(folder, "pki"), p, p))
        messages = 0
        while not said.startswith("key "):
            assert not said.startswith("ERR_"), said
            rsc, answer = self.notify({"sit": 6, "eckm": said})
            if rsc != 2000:
                return rsc
            messages += 1
            assert answer["m2m:seci"]["sit"] == 6 and messages <= 2, answer
            said = self.say("certke-next", answer["m2m:seci"]["eckm"])
        assert said.endswith("@id-in.acme.example.com") and messages == 2, said
        return rsc

    def send(self, inner):
        self.jwe = self.say("seal", json.dumps(inner))
        assert self.jwe.count(".") == 4, self.jwe
        return self.notify({"sit": 5, "epo": self.jwe})

    def ask(self, **inner):
        rsc, answer = self.send({"rqi": "i1", "rvi": "4", "fr": "/id-mn/Cmeter", **inner})
        assert rsc == 2000, (rsc, answer)
        assert answer["m2m:seci"]["sit"] == 5
        response = json.loads(self.say("open", answer["m2m:seci"]["epo"]))
        assert response["rqi"] == "i1", response
        return response["rsc"], response.get("pc")


def credential(folder, kid, entity, store="credentials.db", peer=None):
    value = os.path.join(folder, "value")
    with open(os.open(value, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(KEY)
    subprocess.run([program("keyway"), "credentials", "add", kid, "--kind", "esprim", "--entity", entity, *(["--peer", peer] if peer else []), "--file",
                    os.path.join(folder, store), "--value", value], check=True, stdout=subprocess.DEVNULL)
    os.unlink(value)


def forms_of(word):
    """The word itself, and what it may be in base64 at any offset."""
    forms = [word.encode()]
    for skip in range(3):
        text = base64.b64encode(b"\0" * skip + word.encode())[4 if skip else 0:-4]
        forms += [text, text.replace(b"+", b"-").replace(b"/", b"_")]
    return forms


def holds(path, word):
    with open(path, "rb") as f:
        octets = f.read()
    return any(form in octets for form in forms_of(word))


def files_of(cse):
    files = [os.path.join(cse.folder, n) for n in os.listdir(cse.folder)] + [cse.log, cse.trace]
    assert any(f.endswith("cse.db") for f in files)
    return files


class Watch:
    """An AE that is notified: `keyway watch` at the transit CSE, of a container at the far one."""

    def __init__(self, cse, scheme, name, target, *words):
        self.popen = subprocess.Popen([program("keyway"), "watch", "%s://127.0.0.1:%d/~%s" % (scheme, cse.port, target), "--from", "%s/%s" % (cse.id, name), "--cse", cse.id,
                                       *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(self.popen)
        line = self.popen.stderr.readline()
        assert line.startswith("watching"), line + self.popen.stderr.read()

    def end(self):
        """Everything that it printed; it ends by itself after as many notifications as it was told to."""
        out, err = self.popen.communicate(timeout=60)
        assert self.popen.returncode == 0, err
        return out

    def stop(self):
        self.popen.send_signal(signal.SIGINT)
        return self.end()


def traced(cse):
    with open(cse.trace, encoding="utf-8") as f:
        return f.read()


def receiving(folder, transit, target):
    """AEs of the transit CSE as receivers: what /id-in notifies is sealed for them. The words that the transit CSE may never see."""
    words = []
    lamp = ["--esprim", "/id-in", "--credentials", os.path.join(folder, "lamp.db")]
    box = "/id-in/cse-in/lamps"
    rule = {"acor": ["/id-mn/Clamp", "/id-mn/Cmeter"], "acop": 63, "acaf": True}
    target.make("cse-in", 1, {"m2m:acp": {"rn": "lamps-only", "pv": {"acr": [rule]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "lamps", "acpi": ["cse-in/lamps-only"]}})

    def post(watch):
        words.append("heliotrope-" + os.urandom(8).hex())
        target.make("cse-in/lamps", 4, {"m2m:cin": {"con": words[-1]}})
        out = watch.end()
        assert words[-1] in out, out

    # Over a connection and to a port of its own; the second time the far CSE knows a session that the AE does not.
    for scheme in "ws", "http", "ws":
        post(Watch(transit, scheme, "Clamp", box, *lamp, "--count", "1"))
    # By a key that certificates agreed on.
    p = os.path.join(folder, "pki")
    certificates = ["--esprim", "/id-in", "--esprim-name", "id-in.acme.example.com", "--ca", p + "/ca.pem", "--cert", p + "/meter.pem", "--key", p + "/meter.key"]
    post(Watch(transit, "ws", "Cmeter", box, *certificates, "--count", "1"))
    # ... which a new process has forgotten, and the far CSE has not: it uses the one that there is besides.
    # One shot, sealed, by each of both.
    for words_of, name in (lamp, "Clamp"), (certificates, "Cmeter"):
        r = subprocess.run([program("keyway"), "get", "http://127.0.0.1:%d/~%s/la" % (transit.port, box), "--from", "/id-mn/" + name, "--cse", "/id-mn", "--json", *words_of],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and words[-1] in r.stdout, r.stderr
    # Without the seal the policy's flag forbids it.
    r = subprocess.run([program("keyway"), "get", "http://127.0.0.1:%d/~%s/la" % (transit.port, box), "--from", "/id-mn/Clamp", "--cse", "/id-mn"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "4103" in r.stderr, r.stderr

    # Somebody on the way: repeats what passed it, and makes notifications of its own.
    watch = Watch(transit, "ws", "Clamp", box, *lamp, "--count", "2")
    words.append("heliotrope-" + os.urandom(8).hex())
    before = len(traced(transit))
    target.make("cse-in/lamps", 4, {"m2m:cin": {"con": words[-1]}})
    sealed = re.compile(r"rqp op=5 to=/id-mn/Clamp fr=/id-in .*?\"epo\":\"([^\"]+)\"")
    assert words[-1] in watch.popen.stdout.readline()
    captured = sealed.findall(traced(transit)[before:])[-1]  # the one before, perhaps, was for a session that the former process had
    rsc, _ = transit.ask("POST", "/id-mn/Clamp", "/id-in", {"m2m:seci": {"sit": 5, "epo": captured}})
    assert rsc == 4115, rsc
    rsc, _ = transit.ask("POST", "/id-mn/Clamp", "/id-in", {"m2m:sgn": {"nev": {"rep": {"m2m:cin": {"con": "forged"}}, "net": 3}, "sur": "x"}})
    assert rsc == 4107, rsc
    # Who has the key is the far CSE, and says so inside.
    far = Originator(transit, "/id-mn/Clamp", "/id-in", LAMP_KID)
    far.begin()
    rsc, _ = far.send({"op": 5, "to": "/id-mn/Clamp", "fr": "/id-other", "rqi": "i6", "rvi": "4", "pc": {"m2m:sgn": {"nev": {"rep": "forged"}}}})
    assert rsc == 4116, rsc
    assert far.ask(op=2, to="/id-mn/Clamp", fr="/id-in")[0] == 4005
    stranger = Originator(transit, "/id-mn/Clamp", "/id-in", OTHER_KID)
    stranger.begin()
    rsc, _ = stranger.send({"op": 5, "to": "/id-mn/Clamp", "fr": "/id-in", "rqi": "i7", "rvi": "4", "pc": {"m2m:sgn": {"nev": {"rep": "forged"}}}})
    assert rsc == 4112, rsc
    target.make("cse-in/lamps", 4, {"m2m:cin": {"con": words[-1]}})
    assert "forged" not in watch.end()

    # The AE's resource says what it takes as long as it is there.
    watch = Watch(transit, "http", "Clamp", box, *lamp)
    rsc, ae = transit.ask("GET", "Clamp", "Clamp")
    assert rsc == 2000 and 33 in ae["m2m:ae"]["esi"]["esf"] and ae["m2m:ae"]["esi"]["esro"]["esri"], ae
    watch.stop()
    rsc, _ = transit.ask("GET", "Clamp", "Clamp")
    assert rsc == 4004, rsc
    # Both CSEs know of each other.
    rsc, csr = target.ask("GET", "id-mn")
    assert rsc == 2000 and "esi" not in csr["m2m:csr"], csr
    rsc, csr = transit.ask("GET", "id-in")
    assert rsc == 2000 and 33 in csr["m2m:csr"]["esi"]["esf"], csr

    # The control: an AE that takes no sealed ones, the same way.
    target.make("cse-in", 1, {"m2m:acp": {"rn": "lamps-all", "pv": {"acr": [{"acor": ["all"], "acop": 63}]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "open-lamps", "acpi": ["cse-in/lamps-all"]}})
    clear = "cinnabar-" + os.urandom(8).hex()
    watch = Watch(transit, "ws", "Cplain", "/id-in/cse-in/open-lamps", "--count", "1")
    target.make("cse-in/open-lamps", 4, {"m2m:cin": {"con": clear}})
    assert clear in watch.end()
    assert holds(transit.trace, clear), "the search finds nothing at all"
    return words


def policies(folder):
    """What may leave at all: an AE of the CSE itself, whose e2eSecInfo is known."""
    os.mkdir(os.path.join(folder, "policies"))
    for policy in "required", "never":
        cse = Cse(os.path.join(folder, "policies"), "in", policy, "[esprim]\ncredentials = %s/credentials.db\nnotifications = %s\n" % (folder, policy))
        kid = os.urandom(16).hex().upper() + "@maf.keyway.example"
        credential(folder, kid, cse.id + "/Clamp", "credentials.db")
        credential(folder, kid, cse.id, "lamp.db", cse.id)
        everybody = {"acr": [{"acor": ["all"], "acop": 63}]}
        cse.make("cse-" + policy, 1, {"m2m:acp": {"rn": "everybody", "pv": everybody, "pvs": everybody}})
        cse.make("cse-" + policy, 3, {"m2m:cnt": {"rn": "box", "acpi": ["cse-%s/everybody" % policy]}})
        box = "%s/cse-%s/box" % (cse.id, policy)
        sealing = Watch(cse, "ws", "Clamp", box, "--esprim", cse.id, "--credentials", os.path.join(folder, "lamp.db"))
        plain = Watch(cse, "ws", "Cplain", box)
        cse.make(box, 4, {"m2m:cin": {"con": "word"}})
        if policy == "required":
            while "word" not in sealing.popen.stdout.readline():  # the other subscription is a child of the container, too
                assert sealing.popen.poll() is None
            # The shared object of its e2eSecInfo did: nobody asked for another.
            sent = re.findall(r'to=%s/Clamp fr=%s .*?"sit":(\d)' % (cse.id, cse.id), traced(cse))
            assert sent and set(sent) == {"5"}, sent
            wait_for("the refusal", lambda: re.search(r"esprim refused from=\"%s/Cplain\".* rsc=5211" % cse.id, cse.said()))
            assert plain.stop() == ""
            # To a URL nothing can be sealed, not even the question whether it wants notifications.
            rsc, answer = cse.ask("POST", box, body={"m2m:sub": {"rn": "url", "nu": ["http://127.0.0.1:9"], "nct": 1, "enc": {"net": [3]}}}, ty=23)
            assert rsc == 5204, (rsc, answer)
            assert re.search(r"esprim refused from=\"\".* rsc=5211", cse.said())
        else:
            assert "word" in plain.popen.stdout.readline()
            wait_for("the AE's refusal", lambda: "rsc=4107" in traced(cse))
            assert sealing.stop() == ""
        cse.popen.send_signal(signal.SIGTERM)
        assert cse.popen.wait(60) == 0


def flow(folder):
    credential(folder, KID, "/id-mn/Cmeter")
    credential(folder, OTHER_KID, "m2m://acme.example.com/id-mn/Cother")
    credential(folder, LAMP_KID, "/id-mn/Clamp")
    credential(folder, LAMP_KID, "/id-in", "lamp.db", "/id-in")
    for name, identities in ("pki", ["in=id-in.acme.example.com", "meter=m2m://acme.example.com/id-mn/Cmeter"]), ("foreign", ["meter=m2m://acme.example.com/id-mn/Cmeter"]):
        os.mkdir(os.path.join(folder, name))
        subprocess.run([PKI_TOOL, os.path.join(folder, name), *identities], check=True)
    target = Cse(folder, "in", "in", "[esprim]\ncredentials = %s/credentials.db\ncertificates = yes\n[tls]\nca = %s/pki/ca.pem\ncert = %s/pki/in.pem\n"
                 "key = %s/pki/in.key\n" % ((folder,) * 4))
    transit = Cse(folder, "mn", "mn", "", target)
    wait_for("the registration of /id-mn", lambda: "registered" in transit.said())
    for name in "Cmeter", "Cother":
        rsc, _ = transit.ask("POST", "cse-mn", name, {"m2m:ae": {"api": "N.keyway.test", "rr": False, "rn": name, "srv": ["4"]}}, 2)
        assert rsc == 2001, rsc
    rule = {"acor": ["/id-mn/Cmeter"], "acop": 63, "acaf": True}
    acp = target.make("cse-in", 1, {"m2m:acp": {"rn": "sealed", "pv": {"acr": [rule]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "box", "acpi": [acp["ri"]]}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "open"}})

    # Supported features and the shared object are told in e2eSecInfo.
    rsc, base = target.ask("GET", "cse-in")
    assert rsc == 2000 and 33 in base["m2m:cb"]["esi"]["esf"] and base["m2m:cb"]["esi"]["esro"]["esri"], base

    meter = Originator(transit, "/id-in", "Cmeter", KID)
    meter.begin()
    rsc, answer = meter.ask(op=1, to="/id-in/cse-in/box", ty=4, pc={"m2m:cin": {"con": SEALED}})
    assert rsc == 2001, (rsc, answer)
    captured = meter.jwe
    rsc, answer = meter.ask(op=2, to="/id-in/cse-in/box/la")
    assert rsc == 2000 and answer["m2m:cin"]["con"] == SEALED, (rsc, answer)

    # The flag of the policy wants authentication, which only ESPrim brings over more than one hop.
    rsc, _ = transit.ask("GET", "/id-in/cse-in/box/la", "Cmeter")
    assert rsc == 4103, rsc
    # No privilege comes with the seal.
    rsc, _ = meter.ask(op=2, to="/id-in/cse-in/open")
    assert rsc == 4103, rsc
    rsc, _ = meter.ask(op=2, to="/id-in/cse-in/box/none")
    assert rsc == 4004, rsc
    # What would answer later, in the clear, is not begun.
    rsc, _ = meter.ask(op=2, to="/id-in/cse-in/box/la", rt={"rtv": 1})
    assert rsc == 5206, rsc

    # The object that everybody may use does as well.
    assert meter.say("object", json.dumps(base["m2m:cb"]["esi"]["esro"], separators=(",", ":"))) == "ok"
    rsc, _ = meter.ask(op=2, to="/id-in/cse-in/box/la")
    assert rsc == 2000, rsc

    # Refusals, in the clear.
    def refused(wanted, who, info):
        got, content = who.notify(info)
        assert got == wanted, (wanted, got, content)
    refused(4115, meter, {"sit": 5, "epo": captured})
    rsc, _ = meter.send({"op": 2, "to": "/id-in/cse-in/box/la", "fr": "/id-mn/Cother", "rqi": "i2", "rvi": "4"})
    assert rsc == 4116, rsc
    refused(4000, meter, {"sit": 5, "epo": "no.jwe"})
    refused(4000, meter, {"sit": 5})
    stranger = Originator(transit, "/id-in", "Cmeter", "00000000000000000000000000000000@maf.keyway.example")
    stranger.begin()
    rsc, _ = stranger.send({"op": 2, "to": "/id-in", "fr": "/id-mn/Cmeter", "rqi": "i3", "rvi": "4"})
    assert rsc == 4112, rsc
    wrong = Originator(transit, "/id-in", "Cmeter", KID, "00" * 32)
    wrong.begin()
    rsc, _ = wrong.send({"op": 2, "to": "/id-in", "fr": "/id-mn/Cmeter", "rqi": "i3", "rvi": "4"})
    assert rsc == 4115, rsc
    thief = Originator(transit, "/id-in", "Cother", OTHER_KID)
    assert thief.say("object", json.dumps(meter.object, separators=(",", ":"))) == "ok"  # Cmeter's own
    rsc, _ = thief.send({"op": 2, "to": "/id-in", "fr": "/id-mn/Cother", "rqi": "i4", "rvi": "4"})
    assert rsc == 4114 and thief.say("refused", "4114") == "again", rsc

    # The same with a key that certificates agreed on, by four messages through the transit CSE (ESCertKE).
    assert 43 in base["m2m:cb"]["esi"]["esf"]
    certified = Originator(transit, "/id-in", "Cmeter", KID, "00" * 32)
    certified.agree(folder, "pki")
    certified.begin()
    second = "heliotrope-" + os.urandom(8).hex()
    rsc, answer = certified.ask(op=1, to="/id-in/cse-in/box", ty=4, pc={"m2m:cin": {"con": second}})
    assert rsc == 2001, (rsc, answer)
    rsc, _ = certified.send({"op": 2, "to": "/id-in/cse-in/box/la", "fr": "/id-mn/Cother", "rqi": "i5", "rvi": "4"})
    assert rsc == 4116, rsc
    foreign = Originator(transit, "/id-in", "Cmeter", KID, "00" * 32)
    assert foreign.agree(folder, "foreign") == 4106
    refused(4000, meter, {"sit": 6, "eckm": "AAAA"})
    refused(4000, meter, {"sit": 6, "eckm": "no base64"})
    refused(4000, meter, {"sit": 6})

    # The client library, as anybody's program uses it.
    third = "heliotrope-" + os.urandom(8).hex()
    with open(os.open(os.path.join(folder, "key"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
        f.write(KEY + "\n")
    r = subprocess.run([CLIENT, transit.url, "Cmeter", "/id-mn", "/id-in", KID, os.path.join(folder, "key"), "/id-in/cse-in/box", third],
                       stdout=subprocess.PIPE, text=True, timeout=60)
    os.unlink(os.path.join(folder, "key"))
    lines = r.stdout.splitlines()
    assert len(lines) == 5 and "keyway_seal" in lines[0], r.stdout
    assert lines[1].startswith("0 2001") and lines[2] == '0 2000 {"m2m:cin":{"con":"%s"}}' % third, r.stdout
    assert lines[3].startswith("0 4116") and lines[4].startswith("0 4004"), r.stdout

    notified = receiving(folder, transit, target)

    # The control: the same transit CSE, in the clear.
    target.make("cse-in", 1, {"m2m:acp": {"rn": "clear", "pv": {"acr": [{"acor": ["all"], "acop": 63}]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "plain", "acpi": ["cse-in/clear"]}})
    rsc, _ = transit.ask("POST", "/id-in/cse-in/plain", "Cmeter", {"m2m:cin": {"con": PLAIN}}, 4)
    assert rsc == 2001, rsc
    transit.make("cse-mn", 3, {"m2m:cnt": {"rn": "own"}})
    transit.make("cse-mn/own", 4, {"m2m:cin": {"con": PLAIN}})

    for cse in transit, target:
        cse.popen.send_signal(signal.SIGTERM)
        assert cse.popen.wait(60) == 0
    with open(transit.trace, encoding="utf-8") as f:
        seen = f.read()
    assert captured in seen, "the transit CSE did not see the sealed request"
    assert holds(transit.trace, PLAIN) and any(holds(f, PLAIN) for f in files_of(transit) if "cse.db" in f), "the search finds nothing at all"
    assert holds(target.trace, SEALED) and any(holds(f, SEALED) for f in files_of(target) if "cse.db" in f)
    for path in files_of(transit):
        for word in SEALED, second, third, *notified:
            assert not holds(path, word), "%s holds what was sealed" % os.path.basename(path)
    for cse in transit, target:
        for path in files_of(cse):
            assert not holds(path, KEY), "%s holds the key" % os.path.basename(path)
            with open(path, "rb") as f:
                assert bytes.fromhex(KEY) not in f.read()
    policies(folder)


running = []


def main():
    where = tempfile.mkdtemp()
    try:
        flow(where)
    finally:
        for p in running:
            if p.poll() is None:
                p.kill()
            p.wait()
        shutil.rmtree(where, ignore_errors=True)
    print("ok")


if __name__ == "__main__":
    PEER, PKI_TOOL, CLIENT = sys.argv[1:4]
    main()
