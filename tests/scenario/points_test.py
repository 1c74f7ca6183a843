"""Distributed authorisation between separate programs over TLS: resources of /id-in that /id-mn decides about (PDP), which has policies and roles from
/id-b (PRP, PIP) in its turn; and resources for which /id-in itself fetches policies and roles. What is away, late or of another opinion permits nothing,
and a change counts at once. TS-0003 clause 7.5."""
import json
import os
import re
import signal
import time

from das_test import Client
from plant import Plant, Process, program, wait_for

ROLE = "reader@keyway.example"
BY, LATE = {"acop": 63, "acor": ["/id-in/CAdmin"]}, 20


class Site:
    def __init__(self, plant):
        self.plant = plant
        path = os.path.join(plant.plant, "node-b.ini")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text[:text.index("[zigbee]")])
        for ini in "in-cse", "mn-cse", "node-b":
            self.start(ini)

    def start(self, ini):
        p = self.plant.processes[ini] = Process(self.plant, ini, [program("keyway-cse"), "--config", os.path.join(self.plant.plant, ini + ".ini")])
        p.wait_line(" ready")
        if ini != "in-cse":
            p.wait_line("registered")

    def stop(self, ini):
        p = self.plant.processes[ini]
        p.popen.terminate()
        assert p.popen.wait(60) == 0

    def make(self, parent, kind, ty, **attributes):
        self.plant.keyway("create", parent, str(ty), json.dumps({"m2m:" + kind: attributes}))

    def policy(self, parent, name, *rules, **links):
        self.make(parent, "acp", 1, rn=name, pv={"acr": [BY, *rules]}, pvs={"acr": [BY]}, **links)

    def points(self, cse, name, askers, **links):
        """auds, aupy and auif of a CSE, and who may ask them."""
        base = "%s/%s" % (cse, name)
        self.policy(base, "askers", {"acor": askers, "acop": 4}, **links)
        for kind, ty in ("auds", 35), ("aupy", 36), ("auif", 37):
            self.make(base, kind, ty, rn=kind, acpi=[base + "/askers"])

    def container(self, name, policies, announced):
        self.make("cse-in", "cnt", 3, rn=name, acpi=policies, at=[announced])
        where = re.compile(announced + "/.+")
        wait_for("%s at %s" % (name, announced), lambda: any(where.match(a) for a in json.loads(self.plant.keyway("get", "cse-in/" + name, "--json").stdout)["m2m:cnt"]["at"]))

    def resources(self):
        reader = {"acor": [ROLE], "acop": 2}
        self.points("/id-mn", "cse-mn", ["/id-in"], apri=["/id-b/cse-b/aupy"], airi=["/id-b/cse-b/auif"])
        self.points("/id-b", "cse-b", ["/id-mn"])
        self.policy("/id-mn/cse-mn", "shared", {"acor": ["/id-in/Cuser"], "acop": 2})
        self.policy("/id-b/cse-b", "far", reader)
        for base in "/id-b/cse-b", "/id-mn/cse-mn":
            self.make(base, "rol", 31, rlid=ROLE, tkis="/id-in/CAdmin", tkhd="/id-in/Cuser", tknb="20200101T000000", tkna="20990101T000000")
        # who decides, and who only knows
        self.policy("cse-in", "decided", adri=["/id-mn/cse-mn/auds"])
        self.policy("cse-in", "fetched", apri=["/id-mn/cse-mn/aupy"])
        self.policy("cse-in", "roles", reader, airi=["/id-mn/cse-mn/auif"])
        self.policy("cse-in", "own", adri=["/id-in/cse-in/auds"])
        self.make("cse-in", "auds", 35, rn="auds", acpi=["cse-in/own"])
        self.container("pdp", ["cse-in/decided", "/id-mn/cse-mn/shared"], "/id-mn")
        self.container("far", ["cse-in/decided", "/id-b/cse-b/far"], "/id-b")
        self.container("prp", ["cse-in/fetched", "/id-mn/cse-mn/shared"], "/id-mn")
        self.make("cse-in", "cnt", 3, rn="pip", acpi=["cse-in/roles"])
        self.make("cse-in", "cnt", 3, rn="circle", acpi=["cse-in/own"])


def permits(user, thief):
    for name in "pdp", "prp":
        assert user.reads(name) == 2000, name
        assert thief.reads(name) == 4103, name
        assert user.ask(user.url, "DELETE", "/~/id-in/cse-in/" + name, "/id-in/Cuser")[0] == 4103
        assert user.ask(user.url, "PUT", "/~/id-in/cse-in/" + name, "/id-in/Cuser", {"m2m:cnt": {"lbl": ["x"]}})[0] == 4103
    for name in "far", "pip":
        assert user.reads(name, rids=ROLE) == 2000, name
        assert user.reads(name, rids="writer@keyway.example") == 4103, name
        assert thief.reads(name, rids=ROLE) == 4103, name
        assert user.reads(name) == 4103, name
    assert user.reads("circle") == 4103


def in_time(call):
    begin = time.monotonic()
    rsc = call()
    assert time.monotonic() - begin < LATE, "it took %d s" % (time.monotonic() - begin)
    return rsc


def flow(site):
    user, thief = Client(site.plant, "Cuser"), Client(site.plant, "Cthief")
    site.resources()
    permits(user, thief)
    # a decision holds for its request alone
    shared = lambda who: site.plant.keyway("update", "/id-mn/cse-mn/shared", json.dumps({"m2m:acp": {"pv": {"acr": [BY, {"acor": [who], "acop": 2}]}}}))
    shared("/id-in/Cthief")
    for name in "pdp", "prp":
        assert user.reads(name) == 4103 and thief.reads(name) == 2000
    shared("/id-in/Cuser")
    # who decides is not asked by anybody
    assert user.ask(user.url, "PUT", "/~/id-mn/cse-mn/auds", "/id-in/Cuser", {"m2m:auds": {"fr": "/id-in/Cuser", "op": 2, "to": "/id-mn/x"}})[0] == 4103
    # away, and late
    site.stop("node-b")
    assert in_time(lambda: user.reads("far", rids=ROLE)) == 4103 and user.reads("pdp") == 2000
    mn = site.plant.processes["mn-cse"].popen
    mn.send_signal(signal.SIGSTOP)
    assert in_time(lambda: user.reads("pdp")) == 4103
    mn.send_signal(signal.SIGCONT)
    wait_for("the point of decision to answer again", lambda: user.reads("pdp") == 2000)
    site.stop("mn-cse")
    for name in "pdp", "prp", "pip":
        assert in_time(lambda: user.reads(name, rids=ROLE)) == 4103, name
    site.start("mn-cse")
    site.start("node-b")
    permits(user, thief)


with Plant() as plant:
    flow(Site(plant))
print("distributed authorisation: ok")
