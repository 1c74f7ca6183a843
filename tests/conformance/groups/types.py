"""What types do beyond their tables: more of FCNT, TSR, SCH, LOC, ACT, DMG, and of REG the rules of a service subscription."""
import functools
import json
import time

from conformance.check import check, timestamp
from conformance.names import *

FC = "TS-0001 9.6.35"
SWITCH = {"cnd": "org.onem2m.common.moduleclass.binarySwitch", "state": True}
ROOT_ = "cod:binSh"


def switch(t, **more):
    return t.make(t.ae(), FCNT, dict(SWITCH, **more), root=ROOT_)


def put(t, f, **attributes):
    return t.update(f, attributes, root=ROOT_)


@check("FCNT", "UPDATE/FCNT/fcied-null-takes-instances-and-limits-away", FC, needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True, mni=5)
    t.rsc(put(t, f, state=False), 2004)
    t.rsc(put(t, f, fcied=None), 2004)
    r = t.retrieve(f)
    t.equal([r.get("cni"), r.get("cbs"), r.get("mni")], [None, None, None], "currentNrOfInstances, currentByteSize and maxNrOfInstances")
    t.refused(t.retrieve(f.path + "/la", fr=f.fr), 4004)


@check("FCNT", "CREATE/FCI/of-a-change-of-labels", FC, needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True)
    t.rsc(put(t, f, lbl=["here"]), 2004)
    r = t.rsc(t.retrieve(f.path + "/la", fr=f.fr), 2000)
    t.equal([r.get("lbl"), r.get("state"), t.retrieve(f).get("cni")], [["here"], True, 2], "labels and state of the latest, currentNrOfInstances")


@check("FCNT", "CREATE/FCI/not-of-other-changes", FC, needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True)
    t.rsc(put(t, f, mni=7), 2004)
    t.equal(t.retrieve(f).get("cni"), 1, "currentNrOfInstances")


@check("FCNT", "CREATE/FCI/originator", "TS-0001 9.6.59", needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True)
    t.true(str(t.retrieve(f.path + "/la", fr=f.fr).get("org")).endswith(f.fr), "originator names %s" % f.fr)


@check("FCNT", "CREATE/FCI/mbs", FC, needs=(FCNT, FCI))
def _(t):
    f = switch(t, fcied=True)
    size = f["cs"]
    t.rsc(put(t, f, mbs=2 * size + 1), 2004)
    for v in (False, True, False, True):
        t.rsc(put(t, f, state=v), 2004)
    r = t.retrieve(f)
    t.true(r.get("cbs") <= 2 * size + 1 and r.get("cni") >= 1, "currentByteSize %s keeps within maxByteSize %s" % (r.get("cbs"), 2 * size + 1))


for _name in ("mni", "mbs", "mia"):
    def _limit(name, t):
        ae = t.ae()
        t.refused(t.create(ae, FCNT, dict(SWITCH, **{name: 100}), root=ROOT_), 4000)
        t.refused(t.create(ae, FCNT, dict(SWITCH, fcied=True, **{name: 0}), root=ROOT_), 4000)
        t.make(ae, FCNT, dict(SWITCH, fcied=True, **{name: 100}), root=ROOT_)
    check("FCNT", "CREATE/FCNT/%s-goes-with-fcied" % _name, FC, needs=FCNT)(functools.partial(_limit, _name))


# timeSeries

TSI_ = "TS-0004 7.4.39"


@check("TSR", "CREATE/TSI/same-dgt-out-of-order", TSI_ + ".2.1", needs=TS)
def _(t):
    ts = t.make(t.ae(), TS, {})
    for dgt in ("20260101T000010", "20260101T000005", "20260101T000007"):
        t.make(ts, TSI, {"dgt": dgt, "con": "x"})
    for dgt in ("20260101T000005", "20260101T000007", "20260101T000010", "20260101T000010,000"):
        t.refused(t.create(ts, TSI, {"dgt": dgt, "con": "x"}), 4105)
    t.equal(t.retrieve(ts).get("cni"), 3, "currentNrOfInstances")


@check("TSR", "CREATE/TSI/dgt-free-again-after-deletion", TSI_ + ".2.1", needs=TS)
def _(t):
    ts = t.make(t.ae(), TS, {})
    point = t.make(ts, TSI, {"dgt": "20260101T000010", "con": "x"})
    t.rsc(t.delete(point), 2002)
    t.make(ts, TSI, {"dgt": "20260101T000010", "con": "x"})


def series_refused(attributes, update, t):
    ts = t.make(t.ae(), TS, attributes)
    t.refused(t.update(ts, update), 4000)


for _rule, _attributes, _update in (("mdd-without-mdt", {"pei": 1000}, {"mdd": True}), ("mdn-while-detecting", {"pei": 1000, "mdd": True, "mdt": 600}, {"mdn": 3}), ("mdn-null-while-detecting", {"pei": 1000, "mdd": True, "mdt": 600, "mdn": 3}, {"mdn": None}),
                                    ("parameters-with-the-end-of-detection", {"pei": 1000, "mdd": True, "mdt": 600}, {"mdd": False, "mdt": 700}), ("peid-more-than-half-of-pei", {"pei": 1000}, {"peid": 501})):
    check("TSR", "UPDATE/TS/" + _rule, "TS-0004 7.4.38.2.3", needs=TS)(functools.partial(series_refused, _attributes, _update))


@check("TSR", "RETRIEVE/TS/data-of-the-future-is-not-punctual", "TS-0001 10.2.4.29", needs=TS, slow=True)
def _(t):
    ts = t.make(t.ae(), TS, {"pei": 400, "peid": 100, "mdd": True, "mdt": 200, "mdn": 9})
    begin = time.time()
    t.make(ts, TSI, {"dgt": timestamp(0), "con": "x"})
    for i in range(1, 4):
        time.sleep(max(0, begin + i * 0.4 - time.time()))
        t.make(ts, TSI, {"dgt": timestamp(begin + (i + 1) * 0.4 - time.time()), "con": "x"})
    t.until("three are missing", lambda: (t.retrieve(ts).get("mdc") or 0) >= 3)


# schedules

def hosted(t, **more):
    node = t.make(t.cse, NOD, {"ni": t.name("node")})
    box = t.box()
    return node, box, t.ae(box, nl=node.ri, **more)


@check("SCH", "NOTIFY/AE/not-while-its-node-cannot-be-reached", "TS-0001 9.6.9", needs=(SCH, NOD))
def _(t):
    node, box, ae = hosted(t)
    note = {"m2m:sgn": {"sur": "x"}}
    t.rsc(t.send("N", ae, pc=note, fr=ae.id), 2000)
    sch = t.make(node, SCH, {"se": {"sce": ["* * * * * * 2020"]}})
    t.refused(t.send("N", ae, pc=note, fr=ae.id), 5103)
    t.rsc(t.update(sch, {"se": {"sce": ["* * * * * * *"]}}), 2004)
    t.rsc(t.send("N", ae, pc=note, fr=ae.id), 2000)


@check("SCH", "CREATE/SCH/networkCoordinated-elsewhere-than-below-a-node", "TS-0004 7.4.9.2.1", needs=(SCH, NOD))
def _(t):
    sub, _box = t.sub(t.cnt(), [UPDATED])
    t.refused(t.create(sub, SCH, {"se": {"sce": ["* * * * * * *"]}, "nco": True}), 4102, 4000)
    t.refused(t.create(t.make(t.cse, NOD, {"ni": "n"}), SCH, {"se": {"sce": ["* * * * * * *"]}, "nco": True}), 5001)


# locations

LCP_ = "TS-0004 7.4.10"
AREA = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]]}


def fence(gec, expected, t):
    lcp = t.make(t.cse, LCP, {"los": 2, "lit": 2, "gta": AREA, "gec": gec})
    for x, event in zip((5.0, 6.0, 15.0, 16.0, 5.0), expected):
        t.rsc(t.create(lcp["loi"], CIN, {"con": {"type": "Point", "coordinates": [x, 5.0]}}), 2001)
        con = t.rsc(t.retrieve(lcp["loi"] + "/la"), 2000).get("con")
        t.equal(con if isinstance(con, int) else None, event, "the event after the position %s" % x)


for _gec, _tag, _events in ((1, "entering", (None, None, None, None, 1)), (2, "leaving", (None, None, 2, None, None)), (3, "inside", (3, 3, None, None, None)), (4, "outside", (None, None, None, 4, None))):
    check("LOC", "RETRIEVE/LCP/geofence-" + _tag, LCP_, needs=LCP)(functools.partial(fence, _gec, _events))


@check("LOC", "CREATE/LCP/container-names-its-policy", LCP_ + ".2.1", needs=LCP)
def _(t):
    lcp = t.make(t.cse, LCP, {"los": 2})
    t.true(str(t.rsc(t.retrieve(lcp["loi"]), 2000).get("li")).endswith(lcp.ri), "locationID names the policy %s" % lcp.ri)


def bad_location(attributes, wanted, t):
    t.refused(t.create(t.cse, LCP, attributes), *wanted)
    t.make(t.cse, LCP, {"los": 2})


for _rule, _attributes in (("name-of-its-own-container", {"los": 2, "rn": "lcp-same", "lon": "lcp-same"}), ("target-of-the-network-alone", {"los": 2, "lot": "1234"}), ("server-of-the-network-alone", {"los": 2, "lor": "http://127.0.0.1:9/l"}),
                           ("area-no-geometry", {"los": 2, "gta": "somewhere"})):
    check("LOC", "CREATE/LCP/" + _rule, LCP_ + ".2.1", needs=LCP)(functools.partial(bad_location, _attributes, (4000,)))

SQUARE = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]
SMALL = [[2.0, 2.0], [4.0, 2.0], [4.0, 4.0], [2.0, 4.0], [2.0, 2.0]]
WITHIN, CONTAINS, INTERSECTS = 1, 2, 3


def geo(at, query, wanted, t):
    ae = t.ae()
    cnt = t.make(ae, CNT, {"loc": {"typ": at[0], "crd": json.dumps(at[1])}})
    r = t.rsc(t.retrieve(ae, fu=1, ty=3, gmty=query[0], gsf=query[1], geom=json.dumps(query[2])), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], [cnt.rn] if wanted else [], "what is found")


for _rule, _at, _query, _wanted in (
        ("query-point-within-polygon", (3, [SQUARE]), (1, WITHIN, [5.0, 5.0]), True), ("query-polygon-contains-point", (1, [5.0, 5.0]), (3, CONTAINS, [SQUARE]), True), ("query-point-does-not-contain-polygon", (3, [SQUARE]), (1, CONTAINS, [5.0, 5.0]), False),
        ("query-polygon-within-polygon", (3, [SQUARE]), (3, WITHIN, [SMALL]), True), ("query-polygon-contains-polygon", (3, [SMALL]), (3, CONTAINS, [SQUARE]), True), ("larger-query-not-within", (3, [SMALL]), (3, WITHIN, [SQUARE]), False),
        ("query-line-within-polygon", (3, [SQUARE]), (2, WITHIN, [[1.0, 1.0], [9.0, 9.0]]), True), ("query-line-leaves-polygon", (3, [SQUARE]), (2, WITHIN, [[1.0, 1.0], [19.0, 9.0]]), False), ("hole-is-outside", (3, [SQUARE, SMALL]), (1, INTERSECTS, [3.0, 3.0]), False),
        ("end-of-a-line-is-not-within-it", (2, [[1.0, 1.0], [2.0, 2.0]]), (1, WITHIN, [1.0, 1.0]), False), ("middle-of-a-line-is-within-it", (2, [[1.0, 1.0], [2.0, 2.0]]), (1, WITHIN, [1.5, 1.5]), True),
        ("one-ring-without-outer-brackets", (3, SQUARE), (3, INTERSECTS, SMALL), True), ("one-of-several-polygons", (6, [[SMALL], [[[20.0, 20.0], [30.0, 20.0], [30.0, 30.0], [20.0, 20.0]]]]), (1, WITHIN, [3.0, 3.0]), True)):
    check("LOC", "DISCOVER/GEO/" + _rule, "TS-0004 7.3.3.17")(functools.partial(geo, _at, _query, _wanted))


# actions

ACTION = "TS-0001 10.2.21"


def acting(t, **more):
    ae = t.ae()
    watched, target = t.cnt(ae), t.cnt(ae)
    a = {"evc": {"optr": 5, "sbjt": "mni", "thld": 7}, "evm": 3, "orc": target.ri,
         "apv": {"op": 1, "fr": ae.id, "to": target.ri, "ty": 4, "rqi": "act", "rvi": "4", "pc": {"m2m:cin": {"con": "fired"}}}}
    a.update(more)
    return ae, watched, target, a


def fired(t, target, n):
    return t.until("the action is carried out %d times" % n, lambda: t.retrieve(target).get("cni") == n)


@check("ACT", "CREATE/ACTR/in-the-name-of-another", ACTION, needs=ACTR)
def _(t):
    other = t.ae()
    ae, watched, target, a = acting(t)
    a["apv"] = {"op": 4, "fr": other.id, "to": other.ri, "rqi": "act", "rvi": "4"}
    t.refused(t.create(watched, ACTR, a), 4000, 4103)
    t.rsc(t.retrieve(other), 2000)


@check("ACT", "CREATE/ACTR/on-what-one-may-not-read", ACTION, needs=ACTR)
def _(t):
    secret = t.cnt(t.ae())
    ae, watched, target, a = acting(t, sri=secret.ri)
    t.refused(t.create(watched, ACTR, a), 4000)


@check("ACT", "CREATE/ACTR/about-what-one-may-not-read", ACTION, needs=ACTR)
def _(t):
    secret = t.cnt(t.ae())
    ae, watched, target, a = acting(t)
    t.refused(t.create(watched, ACTR, dict(a, orc=secret.ri)), 4000)
    t.make(watched, ACTR, a)


for _evm in (0, 1):
    def _parameter(evm, t):
        ae, watched, target, a = acting(t, evm=evm)
        t.refused(t.create(watched, ACTR, dict(a, ecp=1000)), 4000)
        actr = t.make(watched, ACTR, a)
        t.refused(t.update(actr, {"evm": evm, "ecp": 10}), 4000)
        t.rsc(t.update(actr, {"evm": 3, "ecp": 10}), 2004)
        t.refused(t.update(actr, {"evm": evm}), 4000)
        t.rsc(t.update(actr, {"evm": evm, "ecp": None}), 2004)
    check("ACT", "CREATE/ACTR/ecp-with-evm-%d" % _evm, "TS-0001 9.6.61", needs=ACTR)(functools.partial(_parameter, _evm))


@check("ACT", "CREATE/ACTR/order-of-what-has-none", "TS-0004 6.3.5", needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    for optr in (3, 4, 5, 6):
        t.refused(t.create(watched, ACTR, dict(a, evc={"optr": optr, "sbjt": "lbl", "thld": ["x"]})), 4000)
    t.make(watched, ACTR, dict(a, evc={"optr": 1, "sbjt": "lbl", "thld": ["x"]}))


@check("ACT", "ACTION/EVM/once-switches-itself-off", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=1)
    actr = t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target, 1)
    t.until("evalMode is off", lambda: t.retrieve(actr).get("evm") == 0)


@check("ACT", "ACTION/EVM/periodic-at-most-once-a-period", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=2, ecp=60000)
    t.make(watched, ACTR, a)
    for n in (7, 8, 9):
        t.rsc(t.update(watched, {"mni": n}), 2004)
    fired(t, target, 1)
    time.sleep(0.2)
    t.equal(t.retrieve(target).get("cni"), 1, "currentNrOfInstances")


@check("ACT", "ACTION/EVM/continuous-so-many-times", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=3, ecp=2)
    actr = t.make(watched, ACTR, a)
    for n in (7, 8, 9, 10):
        t.rsc(t.update(watched, {"mni": n}), 2004)
    fired(t, target, 2)
    time.sleep(0.2)
    t.equal([t.retrieve(target).get("cni"), t.retrieve(actr).get("evm")], [2, 0], "currentNrOfInstances and evalMode")


@check("ACT", "ACTION/EVM/continuous-counts-evaluations", ACTION, needs=ACTR)
def _(t):
    """Also those that find the criteria not met."""
    ae, watched, target, a = acting(t, evm=3, ecp=3)
    actr = t.make(watched, ACTR, a)
    for n in (6, 7, 8, 9):
        t.rsc(t.update(watched, {"mni": n}), 2004)
    fired(t, target, 2)
    t.until("evalMode is off", lambda: t.retrieve(actr).get("evm") == 0)
    t.equal(t.retrieve(target).get("cni"), 2, "currentNrOfInstances")


@check("ACT", "ACTION/EVC/sees-the-number-of-instances", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evc={"optr": 3, "sbjt": "cni", "thld": 1})
    t.make(watched, ACTR, a)
    t.cin(watched)
    t.cin(watched)
    fired(t, target, 1)


@check("ACT", "ACTION/IPU/value-in-the-place-of-a-text", "TS-0001 9.6.61", needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    a["ipu"] = {"cstr": "LEVEL", "rsid": watched.ri, "raid": "mni"}
    a["apv"]["pc"] = {"m2m:cin": {"con": {"level": "LEVEL"}}}
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 9}), 2004)
    fired(t, target, 1)
    t.equal(t.retrieve(target.path + "/la", fr=ae.id).get("con"), {"level": 9}, "content")


@check("ACT", "ACTION/ACTR/a-chain-that-feeds-itself-ends", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evc={"optr": 3, "sbjt": "cni", "thld": 0})
    t.make(target, ACTR, a)
    t.cin(target)
    time.sleep(0.5)
    n = t.retrieve(target).get("cni")
    time.sleep(0.5)
    t.equal(t.retrieve(target).get("cni"), n, "currentNrOfInstances half a second later")


@check("ACT", "UPDATE/ACTR/dep-not-a-dependency-of-its-own", "TS-0001 9.6.61", needs=(ACTR, DEPR))
def _(t):
    ae, watched, target, a = acting(t)
    actr = t.make(watched, ACTR, a)
    t.refused(t.update(actr, {"dep": [target.ri]}), 4000)
    t.refused(t.update(actr, {"dep": ["nothing-there"]}), 4000)


# processes

PROCESS = "TS-0001 10.2.22"


def process(t):
    """Two states: `rising` until the level is 90, `falling` until it is 10."""
    ae = t.ae()
    level = t.cnt(ae, mni=50)
    p = t.make(level.path.rsplit("/", 1)[0], PRMR, {}, fr=ae.id)
    states = {}
    for name, optr, at in (("rising", 5, 90), ("falling", 6, 10)):
        s = t.make(p, STTE, {"rn": name, "sttrs": [{"nxst": "%s/%s" % (p.path, "falling" if name == "rising" else "rising"), "evc": {"optr": optr, "sbjt": "mni", "thld": at}}]})
        actr = t.make(s, ACTR, {"evm": 0, "sri": level.ri, "evc": {"optr": 5, "sbjt": "mni", "thld": 0}, "orc": level.ri, "apv": {"op": 2, "fr": ae.id, "to": level.ri, "rqi": "r", "rvi": "4"}})
        t.rsc(t.update(s, {"stac": actr.ri}), 2004)
        states[name] = s
    t.rsc(t.update(p, {"inst": states["rising"].ri}), 2004)
    return level, p, states


def at(t, p, states, status, current):
    r = t.until("the process' status is %d" % status, lambda: (lambda r: r if r.get("prst") == status else None)(t.retrieve(p)))
    t.equal(r.get("cust"), states[current].ri if current else None, "currentState")
    for name, s in states.items():
        t.equal(t.retrieve(s).get("sact"), name == current, "stateActive of " + name)


@check("ACT", "ACTION/PRMR/steps-from-state-to-state", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    at(t, p, states, 1, None)
    t.rsc(t.update(p, {"prct": 1}), 2004)
    at(t, p, states, 3, "rising")
    t.rsc(t.update(level, {"mni": 90}), 2004)
    at(t, p, states, 3, "falling")
    t.rsc(t.update(level, {"mni": 50}), 2004)
    at(t, p, states, 3, "falling")
    t.rsc(t.update(level, {"mni": 10}), 2004)
    at(t, p, states, 3, "rising")


@check("ACT", "ACTION/PRMR/pause-and-reactivate", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    t.rsc(t.update(p, {"prct": 1}), 2004)
    t.rsc(t.update(p, {"prct": 3}), 2004)
    t.rsc(t.update(level, {"mni": 95}), 2004)
    at(t, p, states, 4, "rising")
    t.rsc(t.update(p, {"prct": 4}), 2004)
    at(t, p, states, 3, "falling")
    t.rsc(t.update(p, {"prct": 2}), 2004)
    at(t, p, states, 1, None)


@check("ACT", "ACTION/PRMR/end-conditions", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    t.rsc(t.update(p, {"encos": [{"sri": level.ri, "evc": {"optr": 1, "sbjt": "mni", "thld": 66}}]}), 2004)
    t.rsc(t.update(p, {"prct": 1}), 2004)
    t.rsc(t.update(level, {"mni": 66}), 2004)
    at(t, p, states, 5, None)


def bad_control(controls, last, t):
    level, p, states = process(t)
    for control in controls:
        t.rsc(t.update(p, {"prct": control}), 2004)
    t.refused(t.update(p, {"prct": last}), 4005)


for _rule, _controls, _last in (("pause-when-disabled", (), 3), ("reactivate-when-disabled", (), 4), ("disable-when-disabled", (), 2), ("enable-twice", (1,), 1), ("pause-twice", (1, 3), 3)):
    check("ACT", "UPDATE/PRMR/" + _rule, PROCESS, needs=(PRMR, STTE, ACTR))(functools.partial(bad_control, _controls, _last))


@check("ACT", "CREATE/PRMR/begins-disabled", PROCESS, needs=PRMR)
def _(t):
    p = t.make(t.ae(), PRMR, {})
    r = t.rsc(t.retrieve(p), 2000)
    t.equal([r.get(n) for n in ("prst", "prct", "cust", "atcos", "encos", "inst")], [1, 2, None, None, None, None], "status, control, and no state or condition yet")


@check("ACT", "UPDATE/PRMR/initial-state-is-none", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    other, theirs, more = process(t)
    for inst in ("nothing-there", level.ri, more["rising"].ri):
        t.refused(t.update(p, {"inst": inst}), 4142)
    t.rsc(t.update(p, {"inst": states["falling"].ri}), 2004)


@check("ACT", "UPDATE/PRMR/condition-on-nothing", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    good = {"optr": 1, "sbjt": "mni", "thld": 1}
    for sri, evc in (("nothing-there", good), (level.ri, dict(good, sbjt="xyzzy")), (level.ri, dict(good, thld="x"))):
        t.refused(t.update(p, {"atcos": [{"sri": sri, "evc": evc}]}), 4142)
    t.rsc(t.update(p, {"atcos": [{"sri": level.ri, "evc": good}]}), 2004)


@check("ACT", "UPDATE/PRMR/initial-state-of-one", PROCESS, needs=(PRMR, STTE))
def _(t):
    p = t.make(t.ae(), PRMR, {})
    t.refused(t.update(p, {"prct": 1}), 4142)
    one = t.make(p, STTE, {})
    t.rsc(t.update(p, {"prct": 1}), 2004)
    t.equal(t.retrieve(p).get("inst"), one.ri, "initialState of a process with one state")
    two = t.make(t.ae(), PRMR, {})
    for _ in range(2):
        t.make(two, STTE, {})
    t.refused(t.update(two, {"prct": 1}), 4142)


@check("ACT", "UPDATE/STTE/while-the-process-is-enabled", PROCESS, needs=(PRMR, STTE, ACTR))
def _(t):
    level, p, states = process(t)
    t.rsc(t.update(states["rising"], {"lbl": ["before"]}), 2004)
    t.rsc(t.update(p, {"prct": 1}), 2004)
    t.refused(t.update(states["rising"], {"lbl": ["after"]}), 4005)
    t.refused(t.update(p, {"inst": states["falling"].ri}), 4005)
    t.rsc(t.update(p, {"prct": 2}), 2004)
    t.rsc(t.update(states["rising"], {"lbl": ["after"]}), 2004)


# device management

CMD = "TS-0004 7.4.16"


def reboot(t):
    node = t.make(t.cse, NOD, {"ni": t.name("node")})
    rbo = t.make(node, MGO, {"mgd": 1009}, root="m2m:rbo")
    return node, rbo


def execution(t, c, n=1):
    return t.until("%d execInstances are there" % n, lambda: (lambda r: r if len(r) == n else None)(t.rsc(t.retrieve(c, fu=1, ty=8), 2000).rep))[n - 1]


@check("DMG", "UPDATE/MGC/reboot-from-the-command-to-the-device's-answer", CMD + ".2.3", needs=(MGC, MGO))
def _(t):
    node, rbo = reboot(t)
    c = t.make(t.cse, MGC, {"cmt": 2, "ext": node.ri})
    t.rsc(t.update(c, {"exe": True}), 2004)
    e = execution(t, c)
    t.until("the device is told", lambda: t.retrieve(rbo).get("rbo") is True)
    t.equal(t.retrieve(e).get("exs"), 2, "execStatus (2: PENDING)")
    t.rsc(t.update(rbo, {"rbo": False}, root="m2m:rbo"), 2004)
    t.until("the execInstance is FINISHED", lambda: t.retrieve(e).get("exs") == 3)
    t.equal(t.retrieve(e).get("exr"), 0, "execResult (0: STATUS_SUCCESS)")


@check("DMG", "UPDATE/EXIN/disable-cancels", "TS-0004 7.4.17.2.3", needs=(MGC, MGO))
def _(t):
    node, rbo = reboot(t)
    c = t.make(t.cse, MGC, {"cmt": 2, "ext": node.ri, "exy": "PT1H"})
    t.rsc(t.update(c, {"exe": True}), 2004)
    e = execution(t, c)
    t.equal(t.retrieve(e).get("exs"), 1, "execStatus (1: INITIATED)")
    t.rsc(t.update(e, {"exd": True}, root="m2m:exin"), 2004)
    t.equal(t.retrieve(e).get("exs"), 5, "execStatus (5: CANCELLED)")
    t.refused(t.update(e, {"exd": True}, root="m2m:exin"), 6028)


@check("DMG", "UPDATE/MGC/each-node-of-a-group", CMD + ".2.3", needs=(MGC, MGO, GRP))
def _(t):
    nodes = [reboot(t) for _ in range(2)]
    grp = t.make(t.cse, GRP, {"mnm": 5, "mt": 14, "mid": [n.ri for n, _rbo in nodes]})
    c = t.make(t.cse, MGC, {"cmt": 1, "ext": grp.ri})
    t.rsc(t.update(c, {"exe": True}), 2004)
    execution(t, c, 2)
    for _node, rbo in nodes:
        t.until("each device is told", lambda: t.retrieve(rbo).get("far") is True)


for _rule, _attributes, _wanted in (("arguments-of-another-command", {"cmt": 2, "exra": {"rst": [{}]}}, (6023, 4000)), ("arguments-missing", {"cmt": 6}, (6024, 4000))):
    def _command(attributes, wanted, t):
        node, rbo = reboot(t)
        t.refused(t.create(t.cse, MGC, dict(attributes, ext=node.ri)), *wanted)
    check("DMG", "CREATE/MGC/" + _rule, CMD + ".2.1", needs=MGC)(functools.partial(_command, _attributes, _wanted))


@check("DMG", "UPDATE/MGO/software-one-thing-at-a-time", "TS-0004 D.3", needs=(NOD, MGO))
def _(t):
    node, rbo = reboot(t)
    s = t.make(node, MGO, {"mgd": 1002, "vr": "1", "swn": "s", "url": "http://127.0.0.1:9/s"}, root="m2m:swr")
    t.refused(t.update(s, {"in": True, "un": True}, root="m2m:swr"), 4000)
    t.equal(t.rsc(t.update(s, {"in": True}, root="m2m:swr"), 2004).get("ins", "sus"), 3, "installStatus (3: In_Process)")
    t.rsc(t.update(s, {"ins": {"acn": "in", "sus": 1}}, root="m2m:swr"), 2004)
    t.equal(t.retrieve(s).get("in"), False, "install after the device's report")


@check("DMG", "CREATE/CSR/hosted-CSE-link", "TS-0004 7.4.18.2.1", needs=(NOD, CSR))
def _(t):
    node, rbo = reboot(t)
    csi = "/" + t.name("id-csr")
    csr = t.make(t.cse, CSR, {"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["4"], "nl": node.ri}, fr=csi)
    t.equal(t.retrieve(node).get("hcl"), csi, "hostedCSELink")
    t.rsc(t.delete(csr, fr=t.admin), 2002)
    t.equal(t.retrieve(node).get("hcl"), None, "hostedCSELink after the deletion")


# service subscriptions

@check("REG", "CREATE/AE/rules-of-the-service-subscription", "TS-0001 10.2.2.2", needs=(MSSP, SVSN, ASAR), alone=True)
def _(t):
    rule = t.make(t.cse, ASAR, {"aai": ["Nallowed*"]})
    mssp = t.make(t.cse, MSSP, {})
    t.make(mssp, SVSN, {"ni": "n", "csi": t.csi, "rlk": [rule.ri]})
    ae = {"rr": False, "srv": ["4"]}
    t.refused(t.create(t.cse, AE, dict(ae, api="Nother"), fr="C" + t.name("ae")), 4126)
    t.make(t.cse, AE, dict(ae, api="Nallowed.app"), fr="C" + t.name("ae"))
    t.rsc(t.delete(mssp), 2002)
    t.make(t.cse, AE, dict(ae, api="Nother"), fr="C" + t.name("ae"))
