"""EXP: expirationTime of resources."""
import functools
import time

from conformance.check import check, timestamp
from conformance.names import *

COMMON = "TS-0001 9.6.1.3.1"


def soon():
    return timestamp(1.2)


def goes(maker, t):
    m = maker(t)
    t.rsc(t.retrieve(m, fr=t.admin), 2000)
    begin = time.monotonic()
    t.until("the resource has expired", lambda: t.retrieve(m, fr=t.admin).rsc == 4004, 6)
    t.true(time.monotonic() - begin > 0.3, "it does not go before its time")


for _tag, _maker in (("CNT", lambda t: t.cnt(et=soon())), ("AE", lambda t: t.ae(et=soon())), ("CIN", lambda t: t.cin(t.cnt(), et=soon())), ("SUB", lambda t: t.sub(t.cnt(), et=soon())[0]),
                     ("GRP", lambda t: t.make(t.ae(), GRP, {"mnm": 1, "mid": [], "et": soon()})), ("ACP", lambda t: t.acp([("all", ALL)], et=soon())), ("NOD", lambda t: t.make(t.cse, NOD, {"ni": "n", "et": soon()}))):
    check("EXP", "RETRIEVE/%s/after-its-expirationTime" % _tag, COMMON, slow=True, needs="expiry")(functools.partial(goes, _maker))


@check("EXP", "RETRIEVE/CNT/children-expire-with-it", COMMON, slow=True, needs="expiry")
def _(t):
    outer = t.cnt(et=soon())
    inner = t.cnt(outer)
    cin = t.cin(inner)
    t.true(inner["et"] <= outer["et"], "a child expires no later than its parent")
    t.until("the children have expired too", lambda: t.retrieve(cin, fr=t.admin).rsc == 4004 and t.retrieve(inner.ri, fr=t.admin).rsc == 4004, 6)


@check("EXP", "RETRIEVE/LA/expired-instance-is-not-the-latest", COMMON, slow=True, needs="expiry")
def _(t):
    cnt = t.cnt()
    t.cin(cnt, "stays")
    t.cin(cnt, "goes", et=soon())
    t.until("the latest is the one that stays", lambda: t.retrieve(cnt.path + "/la", fr=cnt.fr).get("con") == "stays", 6)
    t.equal(t.retrieve(cnt).get("cni"), 1, "currentNrOfInstances")


@check("EXP", "DISCOVER/CNT/expired-is-not-found", COMMON, slow=True, needs="expiry")
def _(t):
    ae = t.ae()
    t.cnt(ae, et=soon(), lbl=["going"])
    t.equal(len(t.rsc(t.retrieve(ae, fu=1, lbl="going"), 2000).rep), 1, "the number of results before")
    t.until("discovery finds it no more", lambda: t.retrieve(ae, fu=1, lbl="going").rep == [], 6)


@check("EXP", "UPDATE/CNT/et-later-keeps-it", COMMON, slow=True, needs="expiry")
def _(t):
    ae = t.ae()
    cnt, twin = t.cnt(ae, et=soon()), t.cnt(ae, et=soon())
    t.rsc(t.update(cnt, {"et": timestamp(3600)}), 2004)
    t.until("the one that was not prolonged has expired", lambda: t.retrieve(twin).rsc == 4004, 6)
    t.rsc(t.retrieve(cnt), 2000)


@check("EXP", "UPDATE/CNT/et-sooner", COMMON, slow=True, needs="expiry")
def _(t):
    cnt = t.cnt()
    t.rsc(t.update(cnt, {"et": soon()}), 2004)
    t.until("it has expired", lambda: t.retrieve(cnt).rsc == 4004, 6)


@check("EXP", "UPDATE/CNT/et-in-the-past", COMMON)
def _(t):
    cnt = t.cnt()
    t.refused(t.update(cnt, {"et": timestamp(-60)}), 4000)
    t.rsc(t.retrieve(cnt), 2000)


@check("EXP", "UPDATE/CNT/et-null-takes-the-default", COMMON)
def _(t):
    cnt = t.cnt(et=timestamp(60))
    t.rsc(t.update(cnt, {"et": None}), 2004)
    t.true((t.retrieve(cnt).get("et") or "") > timestamp(120)[:15], "the CSE gives an expirationTime of its own")


@check("EXP", "CREATE/CNT/et-beyond-the-CSE's-maximum-is-shortened", COMMON)
def _(t):
    et = t.cnt(et="99991231T235959")["et"]
    t.true(et <= "99991231T235959" and et > timestamp(60)[:15], "the expirationTime %s is no later than asked for" % et)


@check("EXP", "CREATE/CNT/et-later-than-the-parent's", COMMON)
def _(t):
    outer = t.cnt(et=timestamp(600))
    r = t.create(outer, CNT, {"et": timestamp(6000)})
    if r.rsc == 2001:
        t.true(r.get("et") <= outer["et"], "the child's expirationTime %s is no later than its parent's %s" % (r.get("et"), outer["et"]))
    else:
        t.refused(r, 4000)


@check("EXP", "NOTIFY/SUB/expired-child-is-a-deletion", COMMON, slow=True, needs="expiry")
def _(t):
    cnt = t.cnt()
    sub, box = t.sub(cnt, [CHILD_DELETED])
    cin = t.cin(cnt, et=soon())
    t.equal(t.note(box).resource.get("ri"), cin.ri, "resourceID of the deleted child")


@check("EXP", "CREATE/AE/originator-may-register-again-after-expiration", "TS-0004 7.4.5.2.1", slow=True, needs="expiry")
def _(t):
    ae = t.ae(et=soon())
    t.until("the AE has expired", lambda: t.retrieve(ae, fr=t.admin).rsc == 4004, 6)
    t.ae(originator=ae.id)


def bad(value, t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"et": value}), 4000)
    t.cnt(ae)


for _tag, _value in (("text", "tomorrow"), ("date-alone", "20990101"), ("with-dashes", "2099-01-01T00:00:00"), ("month-13", "20991301T000000"), ("hour-25", "20990101T250000"), ("number", 20990101), ("empty", ""), ("day-32", "20990132T000000")):
    check("EXP", "CREATE/CNT/et-%s" % _tag, "TS-0004 6.3.3")(functools.partial(bad, _value))


def _as_written(form, t):
    et = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + 3600)) + form
    cnt = t.cnt(et=et)
    t.equal([cnt["et"], t.retrieve(cnt).get("et")], [et, et], "expirationTime")
    r = t.rsc(t.update(cnt, {"et": et}), 2004)
    t.equal(r.get("et"), et, "expirationTime after an UPDATE")
    t.true(t.cnt(cnt)["et"][:15] <= et[:15], "a child expires no later than its parent")


for _tag, _form in (("seconds", ""), ("milliseconds", ",123"), ("microseconds", ",123456")):
    check("EXP", "CREATE/CNT/et-as-it-was-written-in-" + _tag, COMMON)(functools.partial(_as_written, _form))


@check("EXP", "CREATE/CIN/mia-beyond-the-container", "TS-0001 9.6.6", needs=())
def _(t):
    cnt = t.cnt(mia=20 * 365 * 86400)
    cin = t.cin(cnt)
    t.true(cin["et"] <= cnt["et"], "the instance expires with its container at %s at the latest, got %s" % (cnt["et"], cin["et"]))
