"""ESPrim with keys that nobody configured: an AE that began with Kpm gets a key for ESPrim with /id-in from the MAF, and one from the MEF; the CSE fetches each
as its target when the first sealed request comes. Who carries the requests is somebody else: the operator, over TLS. TS-0003 clauses 8.3.5, 8.4 and 8.8."""
import http.client
import json
import os
import ssl
import subprocess
import sys

from plant import Plant, program
from provisioning_test import MAF, MEF, kpm, refused, reveal, start

PEER = sys.argv[1]


class Carrier:
    """Sends NOTIFYs to the CSE as the operator."""

    def __init__(self, plant):
        tls = os.path.join(plant.plant, "tls")
        self.cse = next(c for c in plant.settings["cses"] if c["id"] == "/id-in")
        self.context = ssl.create_default_context(cafile=os.path.join(tls, "ca.pem"))
        self.context.check_hostname = False  # the certificate names the CSE, not its address; who signed it is checked
        self.context.load_cert_chain(os.path.join(tls, "operator.pem"), os.path.join(tls, "operator.key"))

    def notify(self, info):
        host, port = self.cse["url"].split("//")[1].split(":")
        c = http.client.HTTPSConnection(host, int(port), context=self.context, timeout=60)
        try:
            c.request("POST", "/~/id-in", json.dumps({"m2m:seci": info}), {"X-M2M-Origin": "/id-in/CAdmin", "X-M2M-RI": "n", "X-M2M-RVI": "3", "Content-Type": "application/json"})
            r = c.getresponse()
            text = r.read()
            return int(r.getheader("X-M2M-RSC", "0")), json.loads(text) if text else None
        finally:
            c.close()


class Originator:
    def __init__(self, plant, enrolee, identity):
        key = reveal(enrolee.store, identity)
        self.popen = subprocess.Popen([PEER, key, identity], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.carrier, self.id = Carrier(plant), enrolee.id
        esro = json.loads(plant.keyway("get", "cse-in", "--json").stdout)["m2m:cb"]["esi"]["esro"]
        assert self.say("object", json.dumps(esro, separators=(",", ":"))) == "ok"

    def say(self, verb, what):
        self.popen.stdin.write("%s %s\n" % (verb, what))
        self.popen.stdin.flush()
        return self.popen.stdout.readline().strip()

    def send(self, **inner):
        return self.carrier.notify({"sit": 5, "epo": self.say("seal", json.dumps({"rqi": "i1", "rvi": "3", "fr": self.id, **inner}))})

    def ask(self, **inner):
        rsc, answer = self.send(**inner)
        assert rsc == 2000, (rsc, answer)
        response = json.loads(self.say("open", answer["m2m:seci"]["epo"]))
        return response["rsc"], response.get("pc")

    def end(self):
        self.popen.stdin.close()
        self.popen.wait(30)


def works(plant, enrolee, function, **how):
    key = json.loads(enrolee.enrol("/id-in", "--for", "esprim", **how).stdout)
    kept = next(c for c in enrolee.list() if c["identity"] == key["identity"])
    assert kept["kind"] == "esprim" and key["identity"].endswith("@" + function), kept
    o = Originator(plant, enrolee, key["identity"])
    rsc, answer = o.ask(op=1, to="/id-in/cse-in/box", ty=4, pc={"m2m:cin": {"con": "from " + enrolee.id}})
    assert rsc == 2001, (rsc, answer)
    plant.processes["in-cse"].wait_line("key fetched")
    rsc, answer = o.ask(op=2, to="/id-in/cse-in/box/la")
    assert rsc == 2000 and answer["m2m:cin"]["con"] == "from " + enrolee.id, (rsc, answer)
    rsc, _ = o.send(op=2, to="/id-in/cse-in/box/la", fr="/id-in/Cother")
    assert rsc == 4116, rsc
    o.end()
    return key["identity"]


with Plant() as plant:
    plant.configure("in-cse.ini", "[tls]", "[esprim]\ncredentials = %s/in-cse/esprim.db\n\n[tls]" % plant.plant)
    start(plant, "mef", "keyway-mef", "mef.ini")
    start(plant, "maf", "keyway-maf", "maf.ini")
    start(plant, "in-cse", "keyway-cse", "in-cse.ini")
    rule = {"acor": ["/id-in/Cmeter", "/id-in/Clamp"], "acop": 63, "acaf": True}
    pvs = {"acr": [{"acor": ["/id-in/CAdmin"], "acop": 63}]}
    plant.keyway("create", "cse-in", "acp", json.dumps({"m2m:acp": {"rn": "sealed", "pv": {"acr": [rule]}, "pvs": pvs}}))
    plant.keyway("create", "cse-in", "cnt", json.dumps({"m2m:cnt": {"rn": "box", "acpi": ["cse-in/sealed"]}}))
    meter, lamp = kpm(plant, "Cmeter"), kpm(plant, "Clamp")
    of_maf = works(plant, meter, MAF, maf=True)
    of_mef = works(plant, lamp, MEF)

    # A key for associations opens no sealed request, and one for ESPrim no association.
    assoc = json.loads(meter.enrol("/id-in", maf=True).stdout)["identity"]
    o = Originator(plant, meter, assoc)
    assert o.send(op=2, to="/id-in/cse-in/box/la")[0] == 4112
    o.end()
    assert meter.work("get", "cse-in/box", check=False).returncode == 0
    refused(lamp.work("get", "cse-in/box", check=False), "no key for /id-in")
    # The command line with both keys of the MAF's: the association's, and end to end. What the CSE then notifies is sealed too: watch takes nothing else.
    refused(meter.work("get", "cse-in/box/la", "--esprim", "/id-mn", check=False), "no key for /id-mn")
    assert "from /id-in/C" in meter.work("get", "cse-in/box/la", "--esprim", "/id-in").stdout
    watch = subprocess.Popen([program("keyway"), "watch", "cse-in/box", "--plant", plant.plant, "--credentials", meter.store, "--from", meter.id, "--esprim", "/id-in", "--count", "1"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watch.stderr.readline().startswith("watching")
    word = "heliotrope-" + os.urandom(8).hex()
    assert json.loads(meter.work("create", "cse-in/box", "cin", "con=" + word, "--esprim", "/id-in").stdout)["m2m:cin"]["con"] == word
    out, err = watch.communicate(timeout=60)
    assert watch.returncode == 0 and word in out, err
    # A key whose target is another CSE.
    stray = kpm(plant, "Cstray")
    other = json.loads(stray.enrol("/id-mn", "--for", "esprim").stdout)["identity"]
    o = Originator(plant, stray, other)
    assert o.send(op=2, to="/id-in/cse-in/box/la")[0] == 4112
    o.end()
    # Fetched keys are kept: MAF and MEF are not needed for the next request.
    plant.processes["maf"].kill()
    plant.processes["mef"].kill()
    plant.processes["in-cse"].kill()
    start(plant, "in-cse", "keyway-cse", "in-cse.ini")
    for enrolee, identity in (meter, of_maf), (lamp, of_mef):
        o = Originator(plant, enrolee, identity)
        assert o.ask(op=2, to="/id-in/cse-in/box/la")[0] == 2000
        o.end()
print("esprim with keys of MAF and MEF: ok")
