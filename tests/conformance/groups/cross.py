"""CRS: crossResourceSubscription. SCH: schedules. NTP: policies about notification targets."""
import functools
import time

from conformance.check import check
from conformance.names import *

CRS_ = "TS-0004 7.4.58"


def scene(t, n=2):
    ae = t.ae()
    return ae, [t.cnt(ae) for _ in range(n)]


def regular(t, **more):
    """The CSE makes the subscriptions itself (rrat)."""
    ae, cnts = scene(t)
    box = t.box()
    a = dict({"nu": [box.url], "twt": 1, "tws": "PT1S", "rrat": [c.ri for c in cnts], "encs": {"enc": [{"net": [CHILD_CREATED]}]}}, **more)
    return ae, cnts, box, t.make(ae, CRS, a)


@check("CRS", "CREATE/CRS/subscriptions-are-made", CRS_ + ".2.1", needs=CRS)
def _(t):
    ae, cnts, box, crs = regular(t)
    t.true(isinstance(crs.get("rrats"), list) and len(crs["rrats"]) == 2, "rrats lists the two subscriptions, got %s" % crs.get("rrats"))
    for u in crs["rrats"]:
        t.equal(t.rsc(t.retrieve(u, fr=t.admin), 2000).root, "m2m:sub", "root of what rrats names")
    for c in cnts:
        t.equal(len(t.rsc(t.retrieve(c, fu=1, ty=23), 2000).rep), 1, "the number of subscriptions below a container")


@check("CRS", "DELETE/CRS/subscriptions-go-too", CRS_ + ".2.4", needs=CRS)
def _(t):
    ae, cnts, box, crs = regular(t)
    for c in cnts:
        t.equal(len(t.rsc(t.retrieve(c, fu=1, ty=23), 2000).rep), 1, "the number of subscriptions before")
    t.rsc(t.delete(crs), 2002)
    for c in cnts:
        t.until("the subscription is gone", lambda: t.rsc(t.retrieve(c, fu=1, ty=23), 2000).rep == [])


@check("CRS", "DELETE/SUB/of-a-made-subscription-ends-it", CRS_ + ".2.4", needs=CRS)
def _(t):
    ae, cnts, box, crs = regular(t)
    t.rsc(t.delete(crs["rrats"][0], fr=t.admin), 2002)
    t.until("the crossResourceSubscription is gone", lambda: t.retrieve(crs).rsc == 4004)


def both(kind, t):
    ae, cnts, box, crs = regular(t, twt=kind)
    for c in cnts:
        t.cin(c)
    n = t.note(box)
    t.true(str(n.sgn.get("sur")).endswith((crs.ri, crs.path)), "sur %r addresses the crossResourceSubscription" % n.sgn.get("sur"))


def one_alone(kind, t):
    ae, cnts, box, crs = regular(t, twt=kind)
    t.cin(cnts[0])
    t.cin(cnts[0])
    time.sleep(1.4)
    t.silent(box, "nothing when one of two events is missing from the window")
    for c in cnts:
        t.cin(c)
    t.note(box, "a notification when both are there")


def too_late(t):
    ae, cnts, box, crs = regular(t, twt=2)
    t.cin(cnts[0])
    time.sleep(1.4)
    t.cin(cnts[1])
    t.silent(box, "nothing when the second event comes after the window")
    t.cin(cnts[0])
    t.note(box, "a notification when both are within one window")


for _kind, _tag in ((1, "periodic"), (2, "sliding")):
    check("CRS", "NOTIFY/CRS/%s-both-events" % _tag, CRS_, needs=CRS, slow=True)(functools.partial(both, _kind))
    check("CRS", "NOTIFY/CRS/%s-one-event-alone" % _tag, CRS_, needs=CRS, slow=True)(functools.partial(one_alone, _kind))
check("CRS", "NOTIFY/CRS/sliding-second-event-too-late", CRS_, needs=CRS, slow=True)(too_late)


@check("CRS", "NOTIFY/CRS/verification", "TS-0004 7.5.1.2.2", needs=CRS)
def _(t):
    ae, cnts, box, crs = regular(t)
    t.true(len(box.verifications) >= 1, "the target is asked before the first notification")


@check("CRS", "CREATE/CRS/with-subscriptions-of-others", CRS_ + ".2.1", needs=CRS)
def _(t):
    ae, cnts = scene(t)
    subs = [t.sub(c, [CHILD_CREATED])[0] for c in cnts]
    box = t.box()
    crs = t.make(ae, CRS, {"nu": [box.url], "twt": 2, "tws": "PT5S", "srat": [s.ri for s in subs]})
    r = t.rsc(t.retrieve(subs[0]), 2000)
    t.true(any(u.endswith((crs.ri, crs.path)) for u in (r.get("acrs") or [])), "the subscription's acrs names the crossResourceSubscription, got %s" % r.get("acrs"))
    for c in cnts:
        t.cin(c)
    t.true(str(t.note(box).sgn.get("sur")).endswith((crs.ri, crs.path)), "sur addresses the crossResourceSubscription")


@check("CRS", "DELETE/CRS/subscriptions-of-others-stay", CRS_ + ".2.4", needs=CRS)
def _(t):
    ae, cnts = scene(t)
    sub, _ = t.sub(cnts[0], [CHILD_CREATED])
    crs = t.make(ae, CRS, {"nu": [t.box().url], "twt": 1, "tws": "PT1M", "srat": [sub.ri]})
    t.true(t.retrieve(sub).get("acrs"), "the subscription names the crossResourceSubscription before")
    t.rsc(t.delete(crs), 2002)
    r = t.rsc(t.retrieve(sub), 2000)
    t.true(not r.get("acrs"), "the subscription does not name it any more, got %s" % r.get("acrs"))


def bad(attributes, wanted, t):
    ae, cnts = scene(t)
    a = {"nu": [t.box().url], "twt": 1, "tws": "PT1M", "rrat": [c.ri for c in cnts], "encs": {"enc": [{"net": [CHILD_CREATED]}]}}
    b = {k: v(t, cnts) if callable(v) else v for k, v in dict(a, **attributes).items()}
    t.refused(t.create(ae, CRS, {k: v for k, v in b.items() if v != "leave out"}), *wanted)
    t.make(ae, CRS, a)


for _rule, _attributes, _wanted in (
        ("no-targets", {"rrat": "leave out", "encs": "leave out"}, (4000,)), ("nu-missing", {"nu": "leave out"}, (4000,)), ("twt-missing", {"twt": "leave out"}, (4000,)), ("twt-unknown", {"twt": 9}, (4000,)), ("tws-missing", {"tws": "leave out"}, (4000,)),
        ("tws-wrong", {"tws": "soon"}, (4000,)), ("encs-missing", {"encs": "leave out"}, (4000,)), ("encs-empty", {"encs": {}}, (4000,)), ("encs-more-than-targets", {"encs": {"enc": [{"net": [3]}] * 3}}, (4000,)), ("rrats-not-allowed", {"rrats": ["x"]}, (4000,)),
        ("target-does-not-exist", {"rrat": ["nothing-there"]}, (5221, 4004)), ("srat-not-a-subscription", {"rrat": "leave out", "encs": "leave out", "srat": lambda t, cnts: [cnts[0].ri]}, (4000, 5221))):
    check("CRS", "CREATE/CRS/" + _rule, CRS_ + ".2.1", needs=CRS)(functools.partial(bad, _attributes, _wanted))


def fixed(attributes, t):
    ae, cnts, box, crs = regular(t)
    t.refused(t.update(crs, attributes), 4000)


for _rule, _attributes in (("rrat", {"rrat": ["x"]}), ("srat", {"srat": ["x"]}), ("encs", {"encs": {"enc": [{"net": [1]}]}}), ("rrats", {"rrats": []}), ("nec", {"nec": 4})):
    check("CRS", "UPDATE/CRS/%s-fixed" % _rule, CRS_ + ".1", needs=CRS)(functools.partial(fixed, _attributes))


@check("CRS", "UPDATE/CRS/window", CRS_ + ".2.3", needs=CRS)
def _(t):
    ae, cnts, box, crs = regular(t)
    r = t.rsc(t.update(crs, {"tws": "PT2S", "twt": 2}), 2004)
    t.equal([r.get("tws"), r.get("twt")], ["PT2S", 2], "timeWindowSize and timeWindowType")


@check("CRS", "NOTIFY/CRS/expirationCounter", CRS_, needs=CRS, slow=True)
def _(t):
    ae, cnts, box, crs = regular(t, exc=1, twt=2)
    for c in cnts:
        t.cin(c)
    t.note(box)
    t.until("the crossResourceSubscription is gone", lambda: t.retrieve(crs).rsc == 4004)


@check("CRS", "NOTIFY/CRS/deletion-to-the-subscriber", CRS_ + ".2.4", needs=CRS)
def _(t):
    su = t.box()
    ae, cnts, box, crs = regular(t, su=su.url)
    t.rsc(t.delete(crs), 2002)
    t.equal(t.note(su).sgn.get("sud"), True, "subscriptionDeletion")


# schedules

SCH_ = "TS-0004 7.4.9"
NEVER = {"se": {"sce": ["* * * * * * 2020"]}}
ALWAYS = {"se": {"sce": ["* * * * * * *"]}}


def entries(sce, ok, t):
    node = t.make(t.cse, NOD, {"ni": "n"})
    r = t.create(node, SCH, {"se": {"sce": sce}})
    if ok:
        t.equal(t.rsc(r, 2001).get("se"), {"sce": sce}, "scheduleElement")
    else:
        t.refused(r, 4000)
        t.make(node, SCH, ALWAYS)


for _rule, _sce, _ok in (("always", ["* * * * * * *"], True), ("office-hours", ["* 0-5 2,6,10 * * * *"], True), ("steps", ["*/10 * * * * * *"], True), ("several", ["* * 1 * * * *", "* * 2 * * * *"], True), ("weekdays", ["* * * * * 1-5 *"], True),
                         ("six-fields", ["* * * * * *"], False), ("eight-fields", ["* * * * * * * *"], False), ("second-61", ["61 * * * * * *"], False), ("hour-24", ["* * 24 * * * *"], False), ("month-13", ["* * * * 13 * *"], False), ("words", ["every day"], False), ("empty-list", [], False), ("empty", [""], False)):
    check("SCH", "CREATE/SCH/%s-%s" % (_rule, "accepted" if _ok else "refused"), "TS-0004 6.3.3", needs=(SCH, NOD))(functools.partial(entries, _sce, _ok))


@check("SCH", "UPDATE/SCH/entries", SCH_ + ".2.3", needs=(SCH, NOD))
def _(t):
    s = t.make(t.make(t.cse, NOD, {"ni": "n"}), SCH, ALWAYS)
    t.equal(t.rsc(t.update(s, NEVER), 2004).get("se"), NEVER["se"], "scheduleElement")
    t.refused(t.update(s, {"se": None}), 4000)


def scheduled(t, schedule):
    cnt = t.cnt()
    sub, box = t.sub(cnt, [UPDATED])
    return cnt, sub, box, t.make(sub, SCH, dict(schedule, rn="notificationSchedule"))


@check("SCH", "NOTIFY/SUB/notificationSchedule-open", "TS-0001 9.6.8", needs=SCH)
def _(t):
    cnt, sub, box, sch = scheduled(t, ALWAYS)
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.note(box)


@check("SCH", "NOTIFY/SUB/notificationSchedule-closed", "TS-0001 9.6.8", needs=SCH)
def _(t):
    cnt, sub, box, sch = scheduled(t, NEVER)
    _, witness = t.sub(cnt, [UPDATED])
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.note(witness)
    t.silent(box, "no notification outside the schedule")


@check("SCH", "NOTIFY/SUB/notificationSchedule-opened-by-update", "TS-0001 9.6.8", needs=SCH)
def _(t):
    cnt, sub, box, sch = scheduled(t, NEVER)
    t.rsc(t.update(sch, ALWAYS), 2004)
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.note(box)


@check("SCH", "CREATE/SCH/second-notificationSchedule", SCH_ + ".2.1", needs=SCH)
def _(t):
    cnt, sub, box, sch = scheduled(t, ALWAYS)
    t.refused(t.create(sub, SCH, ALWAYS), 4000, 4105, 4108, 5106, 4005)


# notification target policies

NTP_ = "TS-0004 7.4.31"


@check("NTP", "RETRIEVE/NTP/default-policy-exists", "TS-0001 9.6.32", needs=NTP)
def _(t):
    r = t.rsc(t.retrieve(t.cse + "/defaultNTP"), 2000)
    t.equal(r.root, "m2m:ntp", "root")


@check("NTP", "DELETE/NTP/default-policy-stays", NTP_ + ".2.4", needs=NTP)
def _(t):
    r = t.delete(t.cse + "/defaultNTP")
    t.refused(r, 4005, 4103, 4000)
    t.rsc(t.retrieve(t.cse + "/defaultNTP"), 2000)


@check("NTP", "CREATE/NTP/by-anyone", NTP_ + ".2.1", needs=NTP)
def _(t):
    ae = t.ae()
    ntp = t.make(t.cse, NTP, {"acn": 1, "plbl": t.name("p")}, fr=ae.id)
    t.rsc(t.retrieve(ntp, fr=ae.id), 2000)


def targets(t, acn):
    """A subscription with two AEs as targets and a policy; the second one asks to be left out."""
    one, two = t.box(), t.box()
    owner, leaver = t.ae(one), t.ae(two)
    cnt = t.cnt(owner)
    sub = t.make(cnt, SUB, {"nu": [owner.id, leaver.id], "enc": {"net": [1]}})
    ntp = t.make(t.cse, NTP, {"acn": acn, "plbl": t.name("p")}, fr=owner.id)
    t.make(sub, NTPR, {"ntu": [leaver.id], "npi": ntp.ri}, fr=owner.id)
    return owner, leaver, cnt, sub, one, two


@check("NTP", "DELETE/NTSR/accepted", "TS-0004 7.4.33.2.4", needs=(NTP, NTPR))
def _(t):
    owner, leaver, cnt, sub, one, two = targets(t, 1)
    t.rsc(t.delete(sub.path + "/ntsr", fr=leaver.id), 2002)
    t.equal(t.retrieve(sub).get("nu"), [owner.id], "notificationURI")
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.note(one)
    t.equal([n for n in two.drain() if n.nev], [], "notifications to the target that left")


@check("NTP", "DELETE/NTSR/rejected", "TS-0004 7.4.33.2.4", needs=(NTP, NTPR))
def _(t):
    owner, leaver, cnt, sub, one, two = targets(t, 2)
    t.refused(t.delete(sub.path + "/ntsr", fr=leaver.id), 4103, 4127, 4005)
    t.equal(t.retrieve(sub).get("nu"), [owner.id, leaver.id], "notificationURI")


@check("NTP", "DELETE/NTSR/owner-is-asked-and-agrees", "TS-0004 7.4.33.2.4", needs=(NTP, NTPR))
def _(t):
    owner, leaver, cnt, sub, one, two = targets(t, 3)
    one.answer = lambda n: (2000, {"m2m:sgn": {"sur": n.sgn.get("sur"), "tra": True}})
    t.rsc(t.delete(sub.path + "/ntsr", fr=leaver.id), 2002)
    t.equal(t.retrieve(sub).get("nu"), [owner.id], "notificationURI")


@check("NTP", "DELETE/NTSR/owner-is-informed", "TS-0004 7.4.33.2.4", needs=(NTP, NTPR))
def _(t):
    owner, leaver, cnt, sub, one, two = targets(t, 4)
    t.delete(sub.path + "/ntsr", fr=leaver.id)
    n = t.note(one)
    t.true(str(n.sgn.get("ntt")).endswith(leaver.id), "the notification names the target that wants to leave, got %s" % n)


@check("NTP", "DELETE/NTSR/by-one-who-is-no-target", "TS-0004 7.4.33.2.4", needs=(NTP, NTPR))
def _(t):
    owner, leaver, cnt, sub, one, two = targets(t, 1)
    t.refused(t.delete(sub.path + "/ntsr", fr=t.ae().id), 4103, 4004, 4000)
    t.equal(t.retrieve(sub).get("nu"), [owner.id, leaver.id], "notificationURI")


def ntsr_not_allowed(op, t):
    cnt = t.cnt()
    sub, _ = t.sub(cnt)
    to = sub.path + "/ntsr"
    r = {"CREATE": lambda: t.create(to, CNT, {}, fr=cnt.fr), "RETRIEVE": lambda: t.retrieve(to, fr=cnt.fr), "UPDATE": lambda: t.update(to, {"lbl": []}, root="m2m:ntsr", fr=cnt.fr)}[op]()
    t.refused(r, 4005)


for _op in ("CREATE", "RETRIEVE", "UPDATE"):
    check("NTP", "%s/NTSR/not-allowed" % _op, "TS-0004 7.4.33.2", needs=NTPR)(functools.partial(ntsr_not_allowed, _op))


@check("NTP", "CREATE/NTP/no-more-than-two-deletion-rules", "TS-0001 9.6.32", needs=(NTP, PDR))
def _(t):
    ntp = t.make(t.cse, NTP, {"acn": 1, "plbl": t.name("p")})
    for _ in range(2):
        t.make(ntp, PDR, {})
    t.refused(t.create(ntp, PDR, {}), 4000, 4105, 4108, 5106, 4005)
