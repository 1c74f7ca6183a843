"""DMG: node, mgmtObj, mgmtCmd. TRA: transactions."""
import functools

from conformance.check import check, timestamp
from conformance.names import *

NODE = "TS-0004 7.4.18"
MGMT = "TS-0004 7.4.15"


def node(t, **more):
    return t.make(t.cse, NOD, dict({"ni": t.name("node")}, **more))


def managed(t, root, attributes, parent=None):
    m = t.make(parent or node(t), MGO, attributes, root=root)
    m.root = root
    return m


BATTERY = {"mgd": 1006, "btl": 50, "bts": 1}


@check("DMG", "CREATE/MGO/area-network-lists-its-devices", "TS-0004 D.6.2.1", needs=(NOD, MGO))
def _(t):
    n = node(t)
    nets = [managed(t, "m2m:ani", {"mgd": 1004, "ant": "Zigbee"}, n) for _ in range(2)]
    device = managed(t, "m2m:andi", {"mgd": 1005, "dvd": "d", "dvt": "t", "awi": nets[0].ri}, n)
    t.equal(t.retrieve(nets[0]).get("ldv"), [device.ri], "listOfDevices")
    t.rsc(t.update(device, {"awi": nets[1].ri}, root="m2m:andi"), 2004)
    t.equal([t.retrieve(x).get("ldv") for x in nets], [None, [device.ri]], "listOfDevices of both after the device moved")
    t.rsc(t.delete(device), 2002)
    t.equal(t.retrieve(nets[1]).get("ldv"), None, "listOfDevices after the device is gone")


@check("DMG", "CREATE/NOD/hosted-AE-link", NODE + ".2.1", needs=NOD)
def _(t):
    n = node(t)
    ae = t.ae(nl=n.ri)
    t.true(any(x.endswith(ae.id) for x in t.retrieve(n).get("hael") or []), "hostedAELinks names the AE %s, got %s" % (ae.id, t.retrieve(n).get("hael")))


@check("DMG", "UPDATE/AE/nodeLink-moves-the-hosted-AE-link", NODE + ".2.1", needs=NOD)
def _(t):
    a, b = node(t), node(t)
    ae = t.ae(nl=a.ri)
    t.rsc(t.update(ae, {"nl": b.ri}), 2004)
    t.true(any(x.endswith(ae.id) for x in t.retrieve(b).get("hael") or []), "the new node names the AE")
    t.true(not any(x.endswith(ae.id) for x in t.retrieve(a).get("hael") or []), "the old node does not")


@check("DMG", "DELETE/AE/hosted-AE-link-goes", NODE + ".2.1", needs=NOD)
def _(t):
    n = node(t)
    ae = t.ae(nl=n.ri)
    t.true(any(x.endswith(ae.id) for x in t.retrieve(n).get("hael") or []), "the node names the AE before")
    t.rsc(t.delete(ae), 2002)
    t.true(not any(x.endswith(ae.id) for x in t.retrieve(n).get("hael") or []), "the node does not name the AE any more")


@check("DMG", "DELETE/NOD/nodeLink-of-the-AE-goes", NODE + ".2.4", needs=NOD)
def _(t):
    n = node(t)
    ae = t.ae(nl=n.ri)
    t.rsc(t.delete(n), 2002)
    t.true("nl" not in t.retrieve(ae).rep, "the AE has no nodeLink any more")


@check("DMG", "DELETE/NOD/objects-go-too", NODE + ".2.4", needs=(NOD, MGO))
def _(t):
    n = node(t)
    b = managed(t, "m2m:bat", BATTERY, n)
    t.rsc(t.delete(n), 2002)
    t.refused(t.retrieve(b.ri), 4004)


def bad_object(root, attributes, t):
    n = node(t)
    t.refused(t.create(n, MGO, attributes, root=root), 4000)
    managed(t, "m2m:bat", BATTERY, n)


for _rule, _root, _attributes in (
        ("mgd-missing", "m2m:bat", {"btl": 50, "bts": 1}), ("mgd-of-another-object", "m2m:bat", dict(BATTERY, mgd=1003)), ("root-of-another-object", "m2m:mem", BATTERY), ("root-mgmtObj", "m2m:mgo", BATTERY), ("mgd-unknown", "m2m:bat", dict(BATTERY, mgd=4711)),
        ("battery-status-unknown", "m2m:bat", dict(BATTERY, bts=99)), ("battery-level-text", "m2m:bat", dict(BATTERY, btl="half")), ("attribute-of-another-object", "m2m:bat", dict(BATTERY, vr="1"))):
    check("DMG", "CREATE/MGO/" + _rule, MGMT + ".2.1", needs=(NOD, MGO))(functools.partial(bad_object, _root, _attributes))


@check("DMG", "UPDATE/MGO/battery-level", MGMT + ".2.3", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:bat", BATTERY)
    t.equal(t.rsc(t.update(b, {"btl": 20, "bts": 5}, root="m2m:bat"), 2004).get("btl"), 20, "batteryLevel")


@check("DMG", "UPDATE/MGO/mgd-fixed", MGMT + ".2.3", needs=(NOD, MGO))
def _(t):
    t.refused(t.update(managed(t, "m2m:bat", BATTERY), {"mgd": 1003}, root="m2m:bat"), 4000)


@check("DMG", "DISCOVER/MGO/by-definition", "TS-0004 7.3.3.17", needs=(NOD, MGO))
def _(t):
    n = node(t)
    b = managed(t, "m2m:bat", BATTERY, n)
    managed(t, "m2m:mem", {"mgd": 1003, "mma": 1, "mmt": 2}, n)
    r = t.rsc(t.retrieve(n, fu=1, ty=13, mgd=1006), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].endswith(b.path), "the battery alone is found, got %s" % r.rep)


@check("DMG", "NOTIFY/MGO/update", "TS-0004 7.5.1.2.2", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:bat", BATTERY)
    sub, box = t.sub(b, [UPDATED])
    t.rsc(t.update(b, {"btl": 1}, root="m2m:bat"), 2004)
    n = t.note(box)
    t.equal([list(n.rep), n.resource.get("btl")], [["m2m:bat"], 1], "root and batteryLevel")


@check("DMG", "RETRIEVE/NOD/rcn-4-names-each-object-by-its-root", "TS-0001 8.1.2", needs=(NOD, MGO))
def _(t):
    n = node(t)
    b = managed(t, "m2m:bat", BATTERY, n)
    t.equal([x["ri"] for x in t.rsc(t.retrieve(n, rcn=4), 2000).rep.get("m2m:bat", [])], [b.ri], "the batteries among the children")


@check("DMG", "UPDATE/MGO/reboot-both-at-once", "TS-0004 D.10", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:rbo", {"mgd": 1009})
    t.refused(t.update(b, {"rbo": True, "far": True}, root="m2m:rbo"), 4000)


@check("DMG", "CREATE/MGO/reboot-starts-false", "TS-0004 D.10", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:rbo", {"mgd": 1009})
    t.equal([b["rbo"], b["far"]], [False, False], "reboot and factoryReset")


# mgmtCmd

CMD = "TS-0004 7.4.16"


def command(t, **more):
    return t.make(t.cse, MGC, dict({"cmt": 2, "exra": {"rbo": [{}]}, "ext": node(t).ri}, **more))


@check("DMG", "UPDATE/MGC/exe-makes-an-instance", CMD + ".2.3", needs=MGC)
def _(t):
    c = command(t)
    t.rsc(t.update(c, {"exe": True}), 2004)
    found = t.until("an execInstance is there", lambda: t.rsc(t.retrieve(c, fu=1, ty=8), 2000).rep)
    r = t.rsc(t.retrieve(found[0]), 2000)
    t.equal(r.root, "m2m:exin", "root")
    t.true(r.get("exs") in (1, 2, 3, 4, 5, 6), "execStatus is one of the statuses, got %r" % r.get("exs"))


@check("DMG", "UPDATE/MGC/exe-false-does-nothing", CMD + ".2.3", needs=MGC)
def _(t):
    c = command(t)
    t.rsc(t.update(c, {"lbl": ["x"]}), 2004)
    t.equal(t.rsc(t.retrieve(c, fu=1, ty=8), 2000).rep, [], "the execInstances")


@check("DMG", "DELETE/MGC/instances-go-too", CMD + ".2.4", needs=MGC)
def _(t):
    c = command(t)
    t.rsc(t.update(c, {"exe": True}), 2004)
    found = t.until("an execInstance is there", lambda: t.rsc(t.retrieve(c, fu=1, ty=8, drt=2), 2000).rep)
    t.rsc(t.delete(c), 2002)
    t.refused(t.retrieve(found[0]), 4004)


def bad_command(attributes, t):
    good = {"cmt": 2, "exra": {"rbo": [{}]}, "ext": node(t).ri}
    b = {k: v for k, v in dict(good, **attributes).items() if v != "leave out"}
    t.refused(t.create(t.cse, MGC, b), 4000, 6022, 6023)
    t.make(t.cse, MGC, good)


for _rule, _attributes in (("cmt-missing", {"cmt": "leave out"}), ("cmt-unknown", {"cmt": 99}), ("ext-missing", {"ext": "leave out"}), ("exra-not-an-object", {"exra": "x"}), ("exra-unknown-member", {"exra": {"xyzzy": []}}), ("exm-unknown", {"exm": 9}), ("exf-wrong", {"exf": "soon"}), ("exn-negative", {"exn": -1})):
    check("DMG", "CREATE/MGC/" + _rule, CMD + ".1", needs=MGC)(functools.partial(bad_command, _attributes))


# transactions

MANAGED = "TS-0004 7.4.60"
TRAC_ = "TS-0004 7.4.61"


def step(to, lbl, fr, op=3, n=1):
    return {"op": op, "to": to, "fr": fr, "rqi": "r%d" % n, "rvi": "4", "pc": {"m2m:cnt": {"lbl": [lbl]}}}


def pair(t):
    ae = t.ae()
    return ae, t.cnt(ae, lbl=["old"]), t.cnt(ae, lbl=["old"])


def settled(t, tram, *states):
    return t.until("the transaction ends", lambda: (lambda r: r if r.get("trst") in states or r.rsc == 4004 else None)(t.retrieve(tram)))


def labels(t, *cnts):
    return [t.retrieve(c).get("lbl") for c in cnts]


@check("TRA", "CREATE/TRAM/all-or-nothing-all", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 1, "tmh": 2, "rqps": [step(a.ri, "new", ae.id), step(b.ri, "new", ae.id, n=2)]})
    r = settled(t, tram, 4, 5, 6)
    t.equal(r.get("trst"), 4, "transactionState (4: COMMITTED)")
    t.equal(labels(t, a, b), [["new"], ["new"]], "labels of both containers")
    t.equal([x.get("rsc") for x in r.get("rsps")], [2004, 2004], "response status codes")


@check("TRA", "CREATE/TRAM/all-or-nothing-nothing", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    bad = dict(step(b.ri, "x", ae.id, n=2), pc={"m2m:cnt": {"mni": -1}})
    tram = t.make(ae, TRAM, {"tmd": 1, "tmh": 2, "rqps": [step(a.ri, "new", ae.id), bad]})
    r = settled(t, tram, 4, 5, 6)
    t.true(r.get("trst") in (5, 6), "transactionState is ERROR or ABORTED, got %r" % r.get("trst"))
    t.equal(labels(t, a, b), [["old"], ["old"]], "labels of both containers")


@check("TRA", "CREATE/TRAM/a-target-that-does-not-exist", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    r = t.create(ae, TRAM, {"tmd": 1, "tmh": 2, "rn": "tram", "rqps": [step(a.ri, "new", ae.id), step("nothing-there", "x", ae.id, n=2)]})
    if r.rsc == 2001:
        t.true(settled(t, ae.path + "/tram", 5, 6).get("trst") in (5, 6, None), "the transaction ends in ERROR or ABORTED")
    else:
        t.refused(r, 4000, 4004)
    t.equal(labels(t, a), [["old"]], "labels of the container that exists")


@check("TRA", "CREATE/TRAM/deleted-when-done", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 1, "tmh": 1, "rqps": [step(a.ri, "new", ae.id)]})
    t.until("the transactionMgmt is gone", lambda: t.retrieve(tram).rsc == 4004)
    t.equal(labels(t, a), [["new"]], "labels of the container")


@check("TRA", "UPDATE/TRAM/creator-controls", MANAGED + ".2.3", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 2, "tmh": 2, "rqps": [step(a.ri, "new", ae.id)]})
    for control, state in ((2, 2), (3, 3), (4, 4)):
        t.rsc(t.update(tram, {"tctl": control}), 2004)
        settled(t, tram, state)
    t.equal(labels(t, a), [["new"]], "labels of the container")


@check("TRA", "UPDATE/TRAM/creator-aborts", MANAGED + ".2.3", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 2, "tmh": 2, "rqps": [step(a.ri, "new", ae.id)]})
    for control, state in ((2, 2), (3, 3), (5, 6)):
        t.rsc(t.update(tram, {"tctl": control}), 2004)
        settled(t, tram, state)
    t.equal(labels(t, a), [["old"]], "labels of the container")


def illegal(control, t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 2, "tmh": 2, "rqps": [step(a.ri, "new", ae.id)]})
    t.refused(t.update(tram, {"tctl": control}), 4123)
    t.equal(labels(t, a), [["old"]], "labels of the container")


for _control, _tag in ((3, "execute"), (4, "commit")):
    check("TRA", "UPDATE/TRAM/%s-before-lock" % _tag, MANAGED + ".2.3", needs=TRAM)(functools.partial(illegal, _control))


def bad_transaction(attributes, t):
    ae, a, b = pair(t)
    good = {"tmd": 2, "rqps": [step(a.ri, "new", ae.id)]}
    c = {k: v for k, v in dict(good, **attributes).items() if v != "leave out"}
    t.refused(t.create(ae, TRAM, c), 4000)
    t.make(ae, TRAM, good)


for _rule, _attributes in (("rqps-missing", {"rqps": "leave out"}), ("rqps-empty", {"rqps": []}), ("rqps-not-a-list", {"rqps": "x"}), ("request-without-target", {"rqps": [{"op": 3, "fr": "Ca", "rqi": "1"}]}), ("request-without-operation", {"rqps": [{"to": "x", "fr": "Ca", "rqi": "1"}]}), ("tmd-unknown", {"tmd": 9}), ("tctl-not-allowed", {"tctl": 2}),
                           ("trst-not-allowed", {"trst": 1}), ("rsps-not-allowed", {"rsps": []})):
    check("TRA", "CREATE/TRAM/" + _rule, MANAGED + ".1", needs=TRAM)(functools.partial(bad_transaction, _attributes))


def own(t, target, lbl="new", fr=None):
    return t.make(target, TRAC, {"tid": t.name("tid"), "rqp": step(target.ri, lbl, fr or target.fr)})


@check("TRA", "CREATE/TRAC/locks", TRAC_ + ".2.1", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    trac = own(t, a)
    if trac.get("trst") != 2:
        t.rsc(t.update(trac, {"tctl": 2}), 2004)
        settled(t, trac, 2)
    t.refused(t.update(a, {"lbl": ["intruder"]}), 4105, 5222, 4103)
    t.equal(labels(t, a), [["old"]], "labels of the locked container")


def run_to(t, trac, last):
    for control, state in ((2, 2), (3, 3), last):
        if t.retrieve(trac).get("trst") in (state,):
            continue
        t.rsc(t.update(trac, {"tctl": control}), 2004)
        settled(t, trac, state)


@check("TRA", "UPDATE/TRAC/commit", TRAC_ + ".2.3", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    run_to(t, own(t, a), (4, 4))
    t.equal(labels(t, a), [["new"]], "labels")
    t.rsc(t.update(a, {"lbl": ["free"]}), 2004)


@check("TRA", "UPDATE/TRAC/abort-rolls-back", TRAC_ + ".2.3", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    run_to(t, own(t, a), (5, 6))
    t.equal(labels(t, a), [["old"]], "labels")
    t.rsc(t.update(a, {"lbl": ["free"]}), 2004)


@check("TRA", "UPDATE/TRAC/control-unknown", TRAC_ + ".2.3", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    t.refused(t.update(own(t, a), {"tctl": 9}), 4000, 4123)


@check("TRA", "CREATE/TRAC/second-one-refused", TRAC_ + ".2.1", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    own(t, a)
    t.refused(t.create(a, TRAC, {"tid": t.name("tid"), "rqp": step(a.ri, "x", ae.id)}), 4105, 5222, 4103)


@check("TRA", "DELETE/TRAC/not-before-its-end", TRAC_ + ".2.4", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    trac = own(t, a)
    t.refused(t.delete(trac), 5222)
    t.rsc(t.update(trac, {"tctl": 5}), 2004)
    t.rsc(t.delete(trac), 2002)
    t.rsc(t.update(a, {"lbl": ["free"]}), 2004)


@check("TRA", "DELETE/CNT/above-what-is-locked", TRAC_ + ".2.1", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    inner = t.cnt(a, lbl=["old"])
    trac = own(t, inner)
    if trac.get("trst") != 2:
        t.rsc(t.update(trac, {"tctl": 2}), 2004)
        settled(t, trac, 2)
    t.refused(t.delete(a), 4105, 5222, 4103)
    t.equal(labels(t, inner), [["old"]], "labels of the locked container")


@check("TRA", "CREATE/TRAC/about-another-resource", TRAC_ + ".1", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    t.refused(t.create(a, TRAC, {"tid": t.name("tid"), "rqp": step(b.ri, "x", ae.id)}), 4000)


@check("TRA", "CREATE/TRAC/for-somebody-else", TRAC_ + ".1", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    t.refused(t.create(a, TRAC, {"tid": t.name("tid"), "rqp": step(a.ri, "x", t.ae().id)}), 4000, 4103)


@check("TRA", "UPDATE/TRAC/execution-fails", TRAC_ + ".2.3", needs=TRAC)
def _(t):
    ae, a, b = pair(t)
    trac = t.make(a, TRAC, {"tid": t.name("tid"), "rqp": dict(step(a.ri, "x", ae.id), pc={"m2m:cnt": {"mni": -1}})})
    if t.retrieve(trac).get("trst") != 2:
        t.rsc(t.update(trac, {"tctl": 2}), 2004)
        settled(t, trac, 2)
    t.update(trac, {"tctl": 3})
    t.equal(settled(t, trac, 5, 6).get("trst"), 5, "transactionState (5: ERROR)")
    t.equal(labels(t, a), [["old"]], "labels")


@check("TRA", "CREATE/TRAM/of-several-operations", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    name = t.name("new")
    made = {"op": 1, "ty": 3, "to": a.ri, "fr": ae.id, "rqi": "r3", "rvi": "4", "pc": {"m2m:cnt": {"rn": name}}}
    gone = {"op": 4, "to": b.ri, "fr": ae.id, "rqi": "r4", "rvi": "4"}
    tram = t.make(ae, TRAM, {"tmd": 1, "tmh": 2, "rqps": [step(a.ri, "new", ae.id), made, gone]})
    r = settled(t, tram, 4, 5, 6)
    t.equal([r.get("trst"), [x.get("rsc") for x in r.get("rsps")]], [4, [2004, 2001, 2002]], "transactionState and response status codes")
    t.rsc(t.retrieve(a.path + "/" + name, fr=ae.id), 2000)
    t.refused(t.retrieve(b), 4004)


@check("TRA", "CREATE/TRAM/without-privilege", MANAGED + ".2.1", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    other, c, d = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 1, "tmh": 2, "rqps": [step(a.ri, "new", ae.id), step(c.ri, "new", ae.id, n=2)]})
    t.true(settled(t, tram, 4, 5, 6).get("trst") in (5, 6), "transactionState is ERROR or ABORTED")
    t.equal(labels(t, a, c), [["old"], ["old"]], "labels of both containers")


@check("TRA", "UPDATE/TRAM/commit-twice", MANAGED + ".2.3", needs=TRAM)
def _(t):
    ae, a, b = pair(t)
    tram = t.make(ae, TRAM, {"tmd": 2, "tmh": 2, "rqps": [step(a.ri, "new", ae.id)]})
    for control, state in ((2, 2), (3, 3), (4, 4)):
        t.rsc(t.update(tram, {"tctl": control}), 2004)
        settled(t, tram, state)
    t.refused(t.update(tram, {"tctl": 4}), 4123)
    t.refused(t.update(tram, {"tctl": 5}), 4123)


@check("DMG", "CREATE/NOD/hael-empty", "TS-0004 7.4.18.1", needs=NOD)
def _(t):
    t.refused(t.create(t.cse, NOD, {"ni": "x:" + t.name("ni"), "hael": []}), 4000)
    t.make(t.cse, NOD, {"ni": "x:" + t.name("ni"), "hael": ["Cother"]})


@check("DMG", "UPDATE/MGO/capability-triggers-read-true", "TS-0004 D.9", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:dvc", {"mgd": 1008, "can": "camera", "att": True, "cas": {"acn": "x", "sus": 1}, "cus": False})
    t.equal([b.get("ena"), b.get("dis")], [True, True], "enable and disable of a new one")
    for name, value in (("ena", True), ("ena", False), ("dis", True), ("dis", False)):
        r = t.rsc(t.update(b, {name: value}, root="m2m:dvc"), 2004)
        t.equal([r.get("ena"), r.get("dis")], [True, True], "enable and disable after `%s`" % name)
    t.refused(t.update(b, {"ena": True, "dis": True}, root="m2m:dvc"), 4000)


@check("DMG", "CREATE/MGO/log-triggers-read-true", "TS-0004 D.11", needs=(NOD, MGO))
def _(t):
    b = managed(t, "m2m:evl", {"mgd": 1010, "lgt": 1, "lgd": "log", "lgst": 2})
    t.equal([b.get("lga"), b.get("lgo")], [True, True], "logStart and logStop")


WIFI = {"mgd": 1028, "ssid": "a"}


@check("DMG", "CREATE/MGO/wifi-client-is-completed", "TS-0022 7.1", needs=(NOD, MGO))
def _(t):
    b = managed(t, "dcfg:wific", dict(WIFI, wcrds={"enct": 8, "unm": "user", "pwd": "pwd"}))
    t.equal([b.get(k) for k in ("scan", "scanr", "ud", "trdst", "rdst")], [False, [], False, False, False], "what its device has yet to say")


for _rule, _credentials, _ok in (("none", {"enct": 1}, True), ("none-with-a-key", {"enct": 1, "wepk": "k"}, False), ("wep", {"enct": 2, "wepk": "k"}, True), ("wep-with-a-user", {"enct": 2, "unm": "u", "pwd": "p"}, False),
                                 ("personal", {"enct": 4, "wpap": "p"}, True), ("personal-with-a-key", {"enct": 4, "wepk": "k"}, False), ("enterprise", {"enct": 8, "unm": "u", "pwd": "p"}, True),
                                 ("enterprise-with-a-passphrase", {"enct": 8, "wpap": "p"}, False), ("enterprise-without-a-password", {"enct": 6, "unm": "u"}, False)):
    def wifi_credentials(credentials, ok, t):
        n = node(t)
        r = t.create(n, MGO, dict(WIFI, wcrds=credentials), root="dcfg:wific")
        t.rsc(r, 2001) if ok else t.refused(r, 4000)

    check("DMG", "CREATE/MGO/wifi-credentials-" + _rule, "TS-0022 7.1", needs=(NOD, MGO))(functools.partial(wifi_credentials, _credentials, _ok))


@check("DMG", "UPDATE/MGO/data-collection-by-schedule-or-interval", "TS-0022 7.1", needs=(NOD, MGO))
def _(t):
    b = managed(t, "dcfg:datc", {"mgd": 1021, "cntp": "cse-in/x"})
    schedule = [{"sce": ["10 * * * * * *"]}]
    for of, per in (("rpsc", "rpil"), ("mesc", "meil")):
        t.rsc(t.update(b, {of: schedule}, root="dcfg:datc"), 2004)
        t.refused(t.update(b, {per: 1000}, root="dcfg:datc"), 4000)
        t.rsc(t.update(b, {of: None, per: 1000}, root="dcfg:datc"), 2004)
        t.refused(t.update(b, {of: schedule}, root="dcfg:datc"), 4000)


@check("DMG", "CREATE/MGO/by-its-former-name", "TS-0022 7.1", needs=(NOD, MGO))
def _(t):
    """The objects of TS-0022 were in the namespace m2m at first."""
    n = node(t)
    r = t.rsc(t.create(n, MGO, {"rn": "c", "mgd": 1023, "suids": [42], "mcff": "application/pkcs7mime", "mcfc": "x"}, root="m2m:nycfc"), 2001)
    t.equal(r.root, "m2m:nycfc", "root")
    t.rsc(t.update(n.path + "/c", {"lbl": ["x"]}, root="m2m:nycfc"), 2004)
    t.refused(t.create(n, MGO, {"mgd": 1023, "suids": [99], "mcff": "x", "mcfc": "x"}, root="m2m:nycfc"), 4000)
