"""RET: CMDH policies, by which requests leave for another CSE. The other CSE is a mailbox, registered with the CSE under test and linked to a node with the
policy, so that nothing else goes by it."""
from conformance.check import check
from conformance.names import *

VALIDATION, FORWARDING, BACK_OFF = "TS-0004 H.2.3", "TS-0004 H.2.4", "TS-0004 H.2.5"
NEEDS = (NOD, MGO, CSR, SCH)
ALWAYS, NEVER = "* * * * * * *", "* * * * * * 2000"
IMMEDIATE, BEST_EFFORT, LATEST = 2, 3, 4


class Line:
    """A policy between the CSE under test and another."""

    def __init__(self, t):
        self.t, self.box = t, t.box()
        self.node = t.make(t.cse, NOD, {"ni": t.name("node")})
        self.csi = "/" + t.name("id-line")
        self.links = []
        self.box.known_as(self.csi)
        self.remote = t.make(t.cse, CSR, {"cb": self.csi + "/cse", "csi": self.csi, "rr": True, "srv": ["3", "4"], "poa": [self.box.poa], "nl": self.node["ri"]}, fr=self.csi)
        self.ae = t.ae()

    def object(self, mgd, root, link=True, **attributes):
        m = self.t.make(self.node, MGO, dict(attributes, mgd=mgd), root="m2m:" + root)
        if link:
            self.links.append({"nm": m["rn"], "typ": mgd, "val": m["ri"]})
        return {"nm": m["rn"], "typ": mgd, "val": m["ri"]}

    def rule(self, schedule=ALWAYS, volume=0, spread=0, categories=(0,)):
        s = self.t.make(self.t.make(self.t.cse, NOD, {"ni": self.t.name("node")}), SCH, {"se": {"sce": [schedule]}})  # below its own node it would say when that is reachable
        w = self.object(1018, "cmwr", False, ttn=["default"], mrv=volume, swt=spread, bop={"bops": [{"ibt": 100, "abt": 0, "mbt": 100}]},
                        cmlk={"nm": "allowedSchedule", "typ": 0, "val": s["ri"]})
        self.object(1017, "cmnr", aecs=list(categories), cmlk=[w])

    def buffer(self, octets, categories=(0,), priority=5):
        self.object(1019, "cmbf", aec=list(categories), mbfs=octets, sgp=priority)

    def activate(self):
        links, self.links = self.links, []
        p = self.object(1011, "cmp", cpn="p", cmlk=links)
        self.object(1012, "acmp", acmlk=p["val"])
        return self

    def moves_to(self, poa):
        self.t.rsc(self.t.update(self.remote, {"poa": [poa]}), 2004)

    def send(self, text, ec=None, to="x", **headers):
        h = dict(headers)
        if ec is not None:
            h["X-M2M-EC"] = str(ec)
        return self.t.send("N", self.csi + "/" + to, fr=self.ae.id, headers=h, pc={"m2m:sgn": {"sur": text, "nev": {"net": 1, "rep": {"m2m:cin": {"con": text}}}}})

    def passes(self, text, ec=None, **more):
        self.t.rsc(self.send(text, ec, **more), 2000)
        n = self.t.note(self.box, "the request at the other CSE")
        self.t.equal(n.sgn.get("sur"), text, "the request at the other CSE")
        return n

    def refused(self, text, ec=None, **more):
        self.t.refused(self.send(text, ec, **more), 5207)
        self.t.silent(self.box, "nothing at the other CSE")


@check("RET", "NOTIFY/CMDH/default-event-category", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    dev = line.object(1014, "cmdv", False, od=1, dev=104, ror=["localAE"])
    other = line.object(1014, "cmdv", False, od=2, dev=105, ror=[line.ae.id])
    line.object(1013, "cmdf", cmlk=[dev, other])
    line.activate()
    t.equal(line.passes("a").headers.get("x-m2m-ec"), "105", "Event Category by the AE-ID, which comes before any AE of the CSE")
    t.equal(line.passes("b", 3).headers.get("x-m2m-ec"), "3", "Event Category of the request itself")


@check("RET", "NOTIFY/CMDH/limits-of-the-request-expiration", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    line.object(1016, "cml", od=1, ror=["default"], lec=[3], lqet=[0, 20000], lset=[0, -1], loet=[0, -1], lrp=[0, -1], lda=[True])
    line.activate()
    line.passes("a", 3, **{"X-M2M-RET": "10000"})
    line.refused("b", 3, **{"X-M2M-RET": "30000"})


@check("RET", "NOTIFY/CMDH/event-category-not-among-the-limits", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    line.object(1016, "cml", od=1, ror=["default"], lec=[3], lqet=[0, -1], lset=[0, -1], loet=[0, -1], lrp=[0, -1], lda=[True])
    line.activate()
    line.passes("a", 3)
    line.refused("b", 104)


@check("RET", "NOTIFY/CMDH/network-open-by-its-schedule", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    line.rule(ALWAYS, categories=(3,))
    line.rule(NEVER)
    line.activate()
    line.passes("a", 3)
    line.refused("b", 104)


@check("RET", "NOTIFY/CMDH/category-without-network-access-rules", "TS-0001 D.12.6", needs=NEEDS)
def _(t):
    line = Line(t)
    line.rule(ALWAYS, categories=(3,))
    line.object(1017, "cmnr", aecs=[104])
    line.activate()
    line.passes("a", 3)
    line.refused("b", 104)


@check("RET", "NOTIFY/CMDH/immediate-passes-rules-and-buffers", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    line.rule(NEVER)
    line.buffer(0)
    line.activate()
    line.refused("a", 3)
    line.passes("b", IMMEDIATE)


@check("RET", "NOTIFY/CMDH/buffer-has-its-limit", VALIDATION, needs=NEEDS)
def _(t):
    line = Line(t)
    line.rule()
    line.buffer(1000)
    line.activate()
    line.passes("a", 3)
    line.refused("b" * 1000, 3)


@check("RET", "NOTIFY/CMDH/waits-for-its-volume", FORWARDING, needs=NEEDS)
def _(t):
    line = Line(t)
    line.rule(volume=2000)
    line.activate()
    t.refused(line.send("a", 3, **{"X-M2M-RET": "500"}), 4008)
    t.silent(line.box, "nothing at the other CSE")
    line.passes("b" * 2000, 3)


@check("RET", "NOTIFY/CMDH/is-tried-again-while-nobody-is-there", BACK_OFF, needs=NEEDS)
def _(t):
    line = Line(t)
    line.moves_to(t.world.transport.closed_url())
    t.refused(line.send("a"), 5103)
    line.rule()
    line.activate()
    t.refused(line.send("b", **{"X-M2M-RET": "700"}), 4008)
    line.moves_to(line.box.poa)
    line.passes("c")
