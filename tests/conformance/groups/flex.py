"""FCNT: flexContainer and flexContainerInstance. TSR: timeSeries, its instances and missing data. TSB: timeSyncBeacon."""
import functools
import time

from conformance.check import NotApplicable, check, timestamp
from conformance.names import *

SWITCH = {"cnd": "org.onem2m.common.moduleclass.binarySwitch", "state": True}
ROOT_ = "cod:binSh"
THERMO = {"cnd": "org.onem2m.common.moduleclass.temperature", "curT0": 21.5}
FC = "TS-0001 9.6.35"


def switch(t, parent=None, **attributes):
    f = t.make(parent or t.ae(), FCNT, dict(SWITCH, **attributes), root=ROOT_)
    return f


def put(t, f, attributes, **kw):
    return t.update(f, attributes, root=ROOT_, **kw)


@check("FCNT", "CREATE/FCNT/binarySwitch", FC, needs=FCNT)
def _(t):
    f = switch(t)
    t.equal([f["ty"], f["cnd"], f["state"], f["st"]], [28, SWITCH["cnd"], True, 0], "resourceType, containerDefinition, state and stateTag")


@check("FCNT", "RETRIEVE/FCNT/as-created", FC, needs=FCNT)
def _(t):
    f = switch(t)
    r = t.rsc(t.retrieve(f), 2000)
    t.equal([r.root, r.get("state")], [ROOT_, True], "root and state")


def bad(root, attributes, wanted, t):
    ae = t.ae()
    t.refused(t.create(ae, FCNT, attributes, root=root), *wanted)
    switch(t, ae)


for _rule, _root, _attributes, _wanted in (
        ("cnd-missing", ROOT_, {"state": True}, (4000,)), ("custom-mandatory-missing", ROOT_, {"cnd": SWITCH["cnd"]}, (4000,)), ("custom-wrong-type", ROOT_, dict(SWITCH, state="on"), (4000,)),
        ("custom-number-for-boolean", ROOT_, dict(SWITCH, state=1), (4000,)), ("custom-unknown", ROOT_, dict(SWITCH, xyzzy=1), (4000,)), ("root-of-another-definition", "cod:tempe", SWITCH, (4000, 4125)),
        ("definition-unknown", "cod:what", {"cnd": "org.example.nothing"}, (4000, 4125)), ("cs-not-allowed", ROOT_, dict(SWITCH, cs=1), (4000,)), ("st-not-allowed", ROOT_, dict(SWITCH, st=1), (4000,)),
        ("dgt-wrong", ROOT_, dict(SWITCH, dgt="tomorrow"), (4000,))):
    check("FCNT", "CREATE/FCNT/" + _rule, FC, needs=FCNT)(functools.partial(bad, _root, _attributes, _wanted))


@check("FCNT", "UPDATE/FCNT/custom-attribute", FC, needs=FCNT)
def _(t):
    f = switch(t)
    t.equal(t.rsc(put(t, f, {"state": False}), 2004).get("state"), False, "state")
    r = t.retrieve(f)
    t.equal([r.get("state"), r.get("st")], [False, 1], "state and stateTag")


def bad_update(attributes, t):
    f = switch(t)
    t.refused(put(t, f, attributes), 4000)
    t.equal(t.retrieve(f).get("state"), True, "state")


for _rule, _attributes in (("custom-wrong-type", {"state": "off"}), ("custom-unknown", {"xyzzy": 1}), ("custom-mandatory-null", {"state": None}), ("cnd-fixed", {"cnd": THERMO["cnd"]}), ("cs-not-allowed", {"cs": 1})):
    check("FCNT", "UPDATE/FCNT/" + _rule, FC, needs=FCNT)(functools.partial(bad_update, _attributes))


for _root, _good in (("m2m:gis", {"gisn": "service"}), ("m2m:gio", {"gion": "operation", "gios": "begun", "giip": ["in"]})):
    def _interworking(root, good, t):
        """Known by their root; containerDefinition is the interworking's own."""
        ae, cnd = t.ae(), {"cnd": "com.example.service"}
        for bad in ({}, dict(good, xyzzy="x")):
            t.refused(t.create(ae, FCNT, dict(bad, **cnd), root=root), 4000)
        f = t.make(ae, FCNT, dict(good, **cnd), root=root)
        t.equal({k: f[k] for k in good}, good, "custom attributes")
    check("FCNT", "CREATE/FCNT/" + _root.replace(":", "-"), "TS-0004 7.4.37", needs=FCNT)(functools.partial(_interworking, _root, _good))


@check("FCNT", "CREATE/FCNT/float", FC, needs=FCNT)
def _(t):
    f = t.make(t.ae(), FCNT, THERMO, root="cod:tempe")
    t.equal(f["curT0"], 21.5, "currentTemperature")


@check("FCNT", "CREATE/FCNT/whole-number-for-float", FC, needs=FCNT)
def _(t):
    f = t.make(t.ae(), FCNT, dict(THERMO, curT0=21), root="cod:tempe")
    t.equal(t.retrieve(f).get("curT0"), 21, "currentTemperature")


@check("FCNT", "UPDATE/FCNT/optional-deleted", FC, needs=FCNT)
def _(t):
    f = t.make(t.ae(), FCNT, dict(THERMO, tarTe=20.5), root="cod:tempe")
    t.rsc(t.update(f, {"tarTe": None}, root="cod:tempe"), 2004)
    t.true("tarTe" not in t.retrieve(f).rep, "targetTemperature is gone")


@check("FCNT", "CREATE/FCNT/contentSize", FC, needs=FCNT)
def _(t):
    f = t.make(t.ae(), FCNT, THERMO, root="cod:tempe")
    t.true(isinstance(f["cs"], int) and f["cs"] > 0, "contentSize counts the custom attributes, got %r" % f["cs"])


@check("FCNT", "CREATE/FCNT/nested", FC, needs=FCNT)
def _(t):
    f = switch(t)
    t.equal(t.make(f, FCNT, THERMO, root="cod:tempe")["pi"], f.ri, "parentID")


@check("FCNT", "DISCOVER/FCNT/by-definition-and-value", "TS-0004 7.3.3.17", needs=FCNT)
def _(t):
    ae = t.ae()
    f = switch(t, ae)
    t.make(ae, FCNT, THERMO, root="cod:tempe")
    r = t.rsc(t.retrieve(ae, fu=1, ty=28, cnd=SWITCH["cnd"]), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].endswith(f.path), "the switch alone is found, got %s" % r.rep)


@check("FCNT", "NOTIFY/FCNT/update", "TS-0004 7.5.1.2.2", needs=FCNT)
def _(t):
    f = switch(t)
    sub, box = t.sub(f, [UPDATED], nct=2)
    t.rsc(put(t, f, {"state": False}), 2004)
    n = t.note(box)
    t.equal([list(n.rep), n.resource.get("state")], [[ROOT_], False], "root and state")


@check("FCNT", "RETRIEVE/FCNT/rcn-4-names-each-child-by-its-root", "TS-0001 8.1.2", needs=FCNT)
def _(t):
    ae = t.ae()
    f = switch(t, ae)
    t.equal([x["ri"] for x in t.rsc(t.retrieve(ae, rcn=4), 2000).rep.get(ROOT_, [])], [f.ri], "children below their root")


# instances

FCI_ = "TS-0001 9.6.59"


def recorded(t, **attributes):
    f = switch(t, fcied=True, **attributes)
    return f


def instances(t, f):
    r = t.rsc(t.retrieve(f, fu=1, ty=58, drt=2), 2000)
    return [t.retrieve(u, fr=f.fr).rep for u in r.rep]


@check("FCNT", "CREATE/FCI/one-a-change", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    for v in (False, True):
        t.rsc(put(t, f, {"state": v}), 2004)
    t.equal([x["state"] for x in instances(t, f)], [True, False, True], "states of the instances, oldest first")
    t.equal(t.retrieve(f).get("cni"), 3, "currentNrOfInstances")


@check("FCNT", "CREATE/FCI/none-unless-asked", FCI_, needs=(FCNT, FCI))
def _(t):
    f, g = switch(t), recorded(t)
    for x in (f, g):
        t.rsc(put(t, x, {"state": False}), 2004)
    t.equal([len(instances(t, f)), len(instances(t, g)) > 0], [0, True], "the number of instances, and whether there are some where they are asked for")


@check("FCNT", "RETRIEVE/FCI/latest-and-oldest", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    t.rsc(put(t, f, {"state": False}), 2004)
    la, ol = t.rsc(t.retrieve(f.path + "/la", fr=f.fr), 2000), t.rsc(t.retrieve(f.path + "/ol", fr=f.fr), 2000)
    t.equal([la.get("state"), ol.get("state"), la.get("ty")], [False, True, 58], "states of latest and oldest, and resourceType")


@check("FCNT", "CREATE/FCI/mni", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t, mni=2)
    for v in (False, True, False):
        t.rsc(put(t, f, {"state": v}), 2004)
    t.equal([x["state"] for x in instances(t, f)], [True, False], "states of the instances that are left")


@check("FCNT", "UPDATE/FCNT/location-leaves-an-instance", FCI_, needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True)
    for crd in ("[52.5, 13.4]", "[52.6, 13.4]"):
        before = t.rsc(t.retrieve(f), 2000)
        t.rsc(put(t, f, {"loc": {"typ": 1, "crd": crd}}), 2004)
        la = t.rsc(t.retrieve(f.path + "/la"), 2000)
        t.equal([la.get("loc"), la.get("st")], [{"typ": 1, "crd": crd}, before.get("st") + 1], "location and stateTag of the latest instance")
        r = t.retrieve(f)
        t.equal(r.get("cni"), before.get("cni") + 1, "currentNrOfInstances")
        t.true(r.get("cbs") > before.get("cbs"), "currentByteSize grows")


@check("FCNT", "CREATE/FCNT/one-instance-of-nothing", FCI_, needs=(FCNT, FCI))
def _(t):
    """A specialisation whose attributes are all optional."""
    root, cnd = "cod:aiQSr", "org.onem2m.common.moduleclass.airQualitySensor"
    f = t.make(t.ae(), FCNT, {"cnd": cnd, "fcied": False}, root=root)
    t.equal([f["cni"], f["cbs"]], [1, 0], "currentNrOfInstances and currentByteSize")
    for end in ("la", "ol"):
        t.rsc(t.retrieve(f.path + "/" + end), 2000)
    r = t.rsc(t.update(f, {"fcied": True}, root=root), 2004)
    t.equal([r.get("cni"), r.get("cbs")], [1, 0], "currentNrOfInstances and currentByteSize with fcinEnabled")
    for end in ("la", "ol"):
        t.rsc(t.retrieve(f.path + "/" + end), 2000)


@check("FCNT", "UPDATE/FCNT/fcied-false-ends-it", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    t.rsc(put(t, f, {"fcied": False}), 2004)
    t.rsc(put(t, f, {"state": False}), 2004)
    t.true(len(instances(t, f)) <= 1, "the change after the end is not recorded")


@check("FCNT", "CREATE/FCI/not-by-request", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    t.refused(t.create(f, FCI, {"state": True}, root=ROOT_), 4005, 4000, 4108)


@check("FCNT", "UPDATE/FCI/not-allowed", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    t.refused(t.update(f.path + "/la", {"state": False}, root=ROOT_, fr=f.fr), 4005)


@check("FCNT", "DELETE/FCI/latest", FCI_, needs=(FCNT, FCI))
def _(t):
    f = recorded(t)
    t.rsc(put(t, f, {"state": False}), 2004)
    t.rsc(t.delete(f.path + "/la", fr=f.fr), 2002)
    t.equal(t.retrieve(f).get("cni"), 1, "currentNrOfInstances")


# timeSeries

TS_ = "TS-0004 7.4.38"
TSI_ = "TS-0004 7.4.39"


def series(t, n=0, **attributes):
    ts = t.make(t.ae(), TS, attributes)
    return ts, [point(t, ts, i) for i in range(n)]


def point(t, ts, i=0, con=None, dgt=None, **more):
    return t.make(ts, TSI, dict(more, dgt=dgt or timestamp(i / 1000), con=con if con is not None else "v%d" % i))


def values(t, ts):
    return [x["con"] for x in t.rsc(t.retrieve(ts, rcn=4), 2000).rep.get("m2m:tsi", [])]


@check("TSR", "CREATE/TS/counters", TS_ + ".1", needs=TS)
def _(t):
    ts, _ = series(t)
    t.equal([ts["cni"], ts["cbs"]], [0, 0], "currentNrOfInstances and currentByteSize")


@check("TSR", "CREATE/TSI/counted", TSI_ + ".2.1", needs=TS)
def _(t):
    ts, points = series(t, 3)
    r = t.retrieve(ts)
    t.equal([r.get("cni"), r.get("cbs"), points[0]["cs"]], [3, 6, 2], "currentNrOfInstances, currentByteSize and contentSize")


def kept(name, value, t):
    ts, _ = series(t)
    p = point(t, ts, con="x", **{name: value})
    t.equal(t.retrieve(p).get(name), value, name)


for _name, _value in (("dgt", "20260101T120000"), ("dgt", "20260101T120000,123456"), ("snr", 7)):
    check("TSR", "CREATE/TSI/%s-kept-%s" % (_name, str(_value).replace(",", ".")), TSI_ + ".1", needs=TS)(functools.partial(kept, _name, _value))


@check("TSR", "CREATE/TSI/same-dgt-again", TSI_ + ".2.1", needs=TS)
def _(t):
    ts, _ = series(t)
    point(t, ts, dgt="20260101T120000")
    t.refused(t.create(ts, TSI, {"dgt": "20260101T120000", "con": "again"}), 4105)
    t.equal(t.retrieve(ts).get("cni"), 1, "currentNrOfInstances")


@check("TSR", "RETRIEVE/TS/latest-and-oldest", "TS-0004 7.4.27.2", needs=TS)
def _(t):
    ts, _ = series(t, 3)
    t.equal([t.retrieve(ts.path + "/la", fr=ts.fr).get("con"), t.retrieve(ts.path + "/ol", fr=ts.fr).get("con")], ["v2", "v0"], "latest and oldest")


@check("TSR", "RETRIEVE/TS/latest-of-nothing", "TS-0004 7.4.27.2", needs=TS)
def _(t):
    ts, _ = series(t)
    t.refused(t.retrieve(ts.path + "/la", fr=ts.fr), 4004)


@check("TSR", "DELETE/TS/latest-and-oldest", "TS-0004 7.4.27.4", needs=TS)
def _(t):
    ts, _ = series(t, 3)
    t.rsc(t.delete(ts.path + "/la", fr=ts.fr), 2002)
    t.rsc(t.delete(ts.path + "/ol", fr=ts.fr), 2002)
    t.equal(values(t, ts), ["v1"], "what is left")


@check("TSR", "CREATE/TSI/mni", TSI_ + ".2.1", needs=TS)
def _(t):
    ts, _ = series(t, 4, mni=2)
    t.equal(values(t, ts), ["v2", "v3"], "instances")


@check("TSR", "CREATE/TSI/mbs", TSI_ + ".2.1", needs=TS)
def _(t):
    ts, _ = series(t, 4, mbs=5)
    t.equal(values(t, ts), ["v2", "v3"], "instances")


@check("TSR", "CREATE/TSI/mbs-too-large", TSI_ + ".2.1", needs=TS)
def _(t):
    ts, _ = series(t, mbs=5)
    t.refused(t.create(ts, TSI, {"dgt": timestamp(0), "con": "x" * 6}), 5207)


@check("TSR", "UPDATE/TS/mni-lowered", TS_ + ".2.3", needs=TS)
def _(t):
    ts, _ = series(t, 4)
    t.rsc(t.update(ts, {"mni": 1}), 2004)
    t.equal(values(t, ts), ["v3"], "instances")


@check("TSR", "UPDATE/TSI/not-allowed", TSI_ + ".2.3", needs=TS)
def _(t):
    ts, points = series(t, 1)
    t.refused(t.update(points[0], {"con": "y"}), 4005)


@check("TSR", "CREATE/CIN/not-below-a-timeSeries", "TS-0004 7.3.3.3", needs=TS)
def _(t):
    t.refused(t.create(series(t)[0], CIN, {"con": "x"}), 4108)


@check("TSR", "CREATE/TS/cnf-fixed", TS_ + ".1", needs=TS)
def _(t):
    ts, _ = series(t, cnf="text/plain:0")
    t.refused(t.update(ts, {"cnf": "application/json:0"}), 4000)


@check("TSR", "CREATE/TS/peid-default-is-half-of-pei", TS_ + ".2.1", needs=TS)
def _(t):
    ts, _ = series(t, pei=1000)
    t.true(isinstance(ts["peid"], int) and ts["peid"] <= 500, "peid is at most half of pei, got %r" % ts["peid"])


def bad_series(attributes, t):
    ae = t.ae()
    t.refused(t.create(ae, TS, attributes), 4000)
    t.make(ae, TS, {"pei": 1000, "peid": 100, "mdd": True, "mdt": 500, "mdn": 5})


for _rule, _attributes in (("pei-zero", {"pei": 0}), ("pei-text", {"pei": "1000"}), ("peid-more-than-half-of-pei", {"pei": 1000, "peid": 600}), ("mdd-text", {"mdd": "yes"}), ("mdn-zero", {"mdn": 0}), ("mdt-zero", {"mdt": 0}), ("mdc-not-allowed", {"mdc": 0}),
                           ("mdlt-not-allowed", {"mdlt": []}), ("mdt-not-after-peid", {"pei": 1000, "peid": 400, "mdd": True, "mdt": 300})):
    check("TSR", "CREATE/TS/" + _rule, TS_ + ".1", needs=TS)(functools.partial(bad_series, _attributes))


def monitored(t, **more):
    """One instance a second is promised; nothing more comes."""
    return series(t, **dict({"pei": 300, "peid": 50, "mdd": True, "mdt": 100, "mdn": 3}, **more))[0]


@check("TSR", "CREATE/TS/missing-data-starts-empty", "TS-0001 10.2.4.29", needs=TS)
def _(t):
    ts = monitored(t)
    t.equal([ts["mdc"], ts.get("mdlt") or []], [0, []], "missingDataCurrentNr and missingDataList")


@check("TSR", "RETRIEVE/TS/missing-data-is-counted-and-listed", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = monitored(t)
    point(t, ts)
    r = t.until("missing data is counted", lambda: (lambda r: r if (r.get("mdc") or 0) >= 2 else None)(t.retrieve(ts)), 5)
    t.equal(len(r.get("mdlt")), r.get("mdc"), "the length of missingDataList, missingDataCurrentNr entries")
    t.true(all(isinstance(x, str) and len(x) >= 15 for x in r.get("mdlt")), "each entry is a timestamp, got %s" % r.get("mdlt"))


@check("TSR", "RETRIEVE/TS/missing-data-list-is-bounded", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = monitored(t, pei=150, peid=20, mdt=50, mdn=2)
    point(t, ts)
    t.until("the list is full", lambda: len(t.retrieve(ts).get("mdlt") or []) == 2, 5)
    time.sleep(0.6)
    r = t.retrieve(ts)
    t.true(len(r.get("mdlt")) == 2 and r.get("mdc") <= 2 or len(r.get("mdlt")) == 2, "no more than missingDataMaxNr entries, got %s" % r.get("mdlt"))


@check("TSR", "RETRIEVE/TS/punctual-data-is-not-missing", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = monitored(t, pei=400, peid=150, mdt=350)
    begin = time.time()
    for i in range(4):
        time.sleep(max(0, begin + i * 0.4 - time.time()))
        point(t, ts, dgt=timestamp(begin + i * 0.4 - time.time()), con="x")
    t.equal(t.retrieve(ts).get("mdc"), 0, "missingDataCurrentNr")


@check("TSR", "UPDATE/TS/mdd-false-stops", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = monitored(t)
    point(t, ts)
    t.until("missing data is counted", lambda: (t.retrieve(ts).get("mdc") or 0) >= 1, 5)
    t.rsc(t.update(ts, {"mdd": False}), 2004)
    before = t.retrieve(ts).get("mdc")
    time.sleep(0.8)
    t.equal(t.retrieve(ts).get("mdc"), before, "missingDataCurrentNr after the end of detection")


@check("TSR", "UPDATE/TS/mdd-true-starts-anew", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = monitored(t)
    point(t, ts)
    t.until("missing data is counted", lambda: (t.retrieve(ts).get("mdc") or 0) >= 1, 5)
    t.rsc(t.update(ts, {"mdd": False}), 2004)
    r = t.rsc(t.update(ts, {"mdd": True}), 2004)
    t.equal([t.retrieve(ts).get("mdc"), t.retrieve(ts).get("mdlt") or []], [0, []], "missingDataCurrentNr and missingDataList")


@check("TSR", "UPDATE/TS/pei-fixed-while-detecting", "TS-0004 7.4.38.2.3", needs=TS)
def _(t):
    ts = monitored(t)
    t.refused(t.update(ts, {"pei": 999}), 4000)


@check("TSR", "NOTIFY/TS/missing-data", "TS-0004 7.5.1.2.2", needs=TS, slow=True)
def _(t):
    ts = monitored(t)
    sub, box = t.sub(ts, enc={"net": [MISSING], "md": {"num": 2, "dur": "PT1M"}})
    point(t, ts)
    n = t.note(box)
    t.equal(n.net, MISSING, "notificationEventType")
    rep = n.rep or {}
    body = next(iter(rep.values()), {}) if isinstance(rep, dict) else {}
    t.true(isinstance(body.get("mdlt"), list) and len(body["mdlt"]) >= 2 and body.get("mdc", 0) >= 2, "the notification carries missingDataList and missingDataCurrentNr of at least two, got %s" % n)


# timeSyncBeacon

BEACON = "TS-0001 9.6.64"


def bad_beacon(attributes, t):
    ae, box = t.ae(), t.box()
    t.refused(t.create(ae, TSB, dict({"bcnu": [box.url]}, **attributes)), 4000)
    t.make(ae, TSB, {"bcnc": 1, "bcnu": [box.url]})


for _rule, _attributes in (("bcnu-empty", {"bcnc": 1, "bcnu": []}), ("bcnc-missing", {}), ("bcnc-unknown", {"bcnc": 9}), ("interval-with-loss-of-synchronisation", {"bcnc": 2, "bcni": "PT1H", "bcnr": "Ca"}), ("threshold-with-periodic", {"bcnc": 1, "bcnt": "PT1H"}),
                           ("loss-of-synchronisation-without-requester", {"bcnc": 2, "bcnt": "PT1H"}), ("interval-not-a-duration", {"bcnc": 1, "bcni": 10})):
    check("TSB", "CREATE/TSB/" + _rule, BEACON, needs=TSB)(functools.partial(bad_beacon, _attributes))


@check("TSB", "CREATE/TSB/periodic-has-a-default-interval", BEACON, needs=TSB)
def _(t):
    b = t.make(t.ae(), TSB, {"bcnc": 1, "bcnu": [t.box().url]})
    t.true(isinstance(b.get("bcni"), str) and b["bcni"].startswith("P") and b.get("bcnt") is None, "beaconInterval is a duration and there is no threshold, got %s" % b.rep)


@check("TSB", "CREATE/TSB/loss-of-synchronisation-has-a-default-threshold", BEACON, needs=TSB)
def _(t):
    ae = t.ae()
    b = t.make(ae, TSB, {"bcnc": 2, "bcnr": ae.id, "bcnu": [t.box().url]})
    t.true(b.get("bcnt") and b.get("bcni") is None, "there is a threshold and no interval, got %s" % b.rep)


def beacon_time(t, n):
    body = (n.body or {}).get("m2m:tsbn") or {}
    t.true(isinstance(body.get("ctm"), str) and abs(int(body["ctm"][:4]) - time.gmtime().tm_year) <= 1, "the beacon carries the current time, got %s" % n)
    return body


@check("TSB", "NOTIFY/TSB/periodic", BEACON, needs=TSB, slow=True)
def _(t):
    box = t.box()
    b = t.make(t.ae(), TSB, {"bcnc": 1, "bcni": "PT1S", "bcnu": [box.url]})
    for _ in range(2):
        body = beacon_time(t, t.note(box))
        t.true(str(body.get("tbr")).endswith(b.ri), "tbr %r names the beacon %s" % (body.get("tbr"), b.ri))


@check("TSB", "NOTIFY/TSB/ends-with-the-beacon", BEACON, needs=TSB, slow=True)
def _(t):
    box = t.box()
    b = t.make(t.ae(), TSB, {"bcnc": 1, "bcni": "PT1S", "bcnu": [box.url]})
    t.note(box)
    t.rsc(t.delete(b), 2002)
    box.drain()
    t.equal(box.drain(1.3), [], "beacons after the deletion")


@check("TSB", "NOTIFY/TSB/loss-of-synchronisation", BEACON, needs=TSB)
def _(t):
    box = t.box()
    ae = t.ae()
    t.make(ae, TSB, {"bcnc": 2, "bcnr": ae.id, "bcnt": "PT10S", "bcnu": [box.url]})
    t.rsc(t.send("R", ae, headers={"X-M2M-OT": timestamp(0)[:15]}), 2000)
    t.silent(box, "no beacon while the clocks agree")
    t.rsc(t.send("R", ae, headers={"X-M2M-OT": timestamp(-3600)[:15]}), 2000)
    beacon_time(t, t.note(box))


@check("TSR", "CREATE/TS/nothing-is-missing-yet", TS_ + ".1", needs=TS)
def _(t):
    ts = t.make(t.ae(), TS, {"mdt": 2000})
    t.true(ts.get("mdd") is False and ts.get("mdc") == 0 and ts.get("mdlt") is None, "missingDataCurrentNr is 0 and there is no list, got %s" % ts.rep)


@check("TSR", "CREATE/TSI/halfway-between-two-periods", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    """Such a time belongs to the period before, so that the next one is missing."""
    ts = t.make(t.ae(), TS, {"pei": 600, "peid": 300, "mdd": True, "mdt": 400, "mdn": 5})
    begin = timestamp(0)[:15]
    for part in (",000", ",300"):
        t.make(ts, TSI, {"dgt": begin + part, "con": "x"})
    t.until("a period is missing", lambda: (t.retrieve(ts).get("mdc") or 0) >= 1)
    t.equal(t.retrieve(ts).get("mdlt")[0][:19], begin + ",600", "the first that is missing")
