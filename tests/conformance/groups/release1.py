"""R1: clients of Release 1, which know no release version indicator. A CSE that does not speak Release 1 skips these."""
import functools

from conformance.check import Resource, check
from conformance.names import *

OLD = "TS-0001 6.1.2"
needs = functools.partial(check, "R1", needs="release1")


def ask(t, op, to, fr, root=None, ty=None, **attributes):
    return t.send(op, to, fr=fr, ty=ty, pc={root: attributes} if root else None, rvi=None)


def old_ae(t, **attributes):
    r = t.rsc(ask(t, "C", t.cse, "C", "m2m:ae", AE, rn=t.name("ae"), **dict({"api": "app-sensor", "rr": "true"}, **attributes)), 2001)
    t.made.append(Resource("%s/%s" % (t.cse, r.rep["rn"]), r.rep, "C", AE))
    return r.rep


@needs("CREATE/AE/without-supportedReleaseVersions", OLD)
def _(t):
    ae = old_ae(t, api="0.2.481.1.1")
    t.equal([ae["api"], ae["rr"]], ["0.2.481.1.1", True], "App-ID of any form, and requestReachability")
    t.refused(t.create(t.cse, AE, {"api": "app-sensor", "rr": True, "srv": ["4"]}, fr="C"), 4000)


@needs("CREATE/AE/release-1-named", OLD)
def _(t):
    """Release 1 has no name for itself: who gives a version is of another release."""
    old_ae(t)
    t.refused(t.send("R", t.cse, rvi="1"), 4001)


@needs("CREATE/CNT/values-as-strings", OLD)
def _(t):
    ae = old_ae(t)
    path = "%s/%s" % (t.cse, ae["rn"])
    r = t.rsc(ask(t, "C", path, ae["aei"], "m2m:cnt", CNT, rn="c", mni="10", mbs="2000", disr="false", lbl="one"), 2001)
    t.equal([r.get(n) for n in ("mni", "mbs", "disr", "lbl")], [10, 2000, False, ["one"]], "maxNrOfInstances, maxByteSize, disableRetrieval and labels")
    r = t.rsc(ask(t, "U", path + "/c", ae["aei"], "m2m:cnt", mni="20"), 2004)
    t.equal(r.get("mni"), 20, "maxNrOfInstances after an UPDATE")
    for wrong in ({"mni": "many"}, {"disr": "perhaps"}, {"xyzzy": "1"}):
        t.refused(ask(t, "C", path, ae["aei"], "m2m:cnt", CNT, **wrong), 4000)
    t.refused(t.create(path, CNT, {"mni": "10"}, fr=ae["aei"]), 4000)


@needs("CREATE/CIN/contentInfo-without-encoding", OLD)
def _(t):
    ae = old_ae(t)
    path = "%s/%s" % (t.cse, ae["rn"])
    t.rsc(ask(t, "C", path, ae["aei"], "m2m:cnt", CNT, rn="c"), 2001)
    r = t.rsc(ask(t, "C", path + "/c", ae["aei"], "m2m:cin", CIN, con="x", cnf="text/plain"), 2001)
    t.equal(r.get("cnf"), "text/plain:0", "contentInfo with its encoding")
    r = t.rsc(ask(t, "C", path + "/c", ae["aei"], "m2m:cin", CIN, con="x", cnf="message"), 2001)
    t.equal(r.get("cnf"), None, "contentInfo that is no media type")
    t.equal(ask(t, "R", path + "/c/la", ae["aei"]).get("con"), "x", "content of the latest")


@needs("CREATE/SUB/one-target-and-one-event-type", OLD)
def _(t):
    box = t.box()
    ae = old_ae(t)
    path = "%s/%s" % (t.cse, ae["rn"])
    t.rsc(ask(t, "C", path, ae["aei"], "m2m:cnt", CNT, rn="c"), 2001)
    r = t.rsc(ask(t, "C", path + "/c", ae["aei"], "m2m:sub", SUB, rn="s", nu=box.url, nct="1", enc={"net": "3"}), 2001)
    t.equal([r.get("nct"), r.get("enc")], [1, {"net": [3]}], "notificationContentType and eventNotificationCriteria")
    t.rsc(ask(t, "C", path + "/c", ae["aei"], "m2m:cin", CIN, con="told"), 2001)


@check("HTTP", "RETRIEVE/R1/without-a-request-identifier", "TS-0009 6.4.1", needs="release1")
def _(t):
    r = t.world.client.exchange("GET", "/" + t.cse, [("X-M2M-Origin", t.admin)], None)
    t.rsc(r, 2000)
    t.true("x-m2m-ri" not in r.headers and "x-m2m-rvi" not in r.headers, "the response names no identifier and no release")
    t.refused(t.world.client.exchange("GET", "/" + t.cse, [("X-M2M-Origin", t.admin), ("X-M2M-RVI", "4")], None), 4000)


@check("HTTP", "RETRIEVE/R1/slash-at-the-end", "TS-0009 6.2.2", needs="release1")
def _(t):
    r = t.world.client.exchange("GET", "/~%s/%s/" % (t.csi, t.cse), [("X-M2M-Origin", t.admin), ("X-M2M-RI", "1")], None)
    t.rsc(r, 2000)
    t.refused(t.world.client.exchange("GET", "/~%s/%s/" % (t.csi, t.cse), [("X-M2M-Origin", t.admin), ("X-M2M-RI", "1"), ("X-M2M-RVI", "4")], None), 4000)


@check("HTTP", "DISCOVER/FC/ty-joined-in-any-escape", "TS-0009 6.2.2.2")
def _(t):
    ae = t.ae()
    cnt, grp = t.cnt(ae), t.make(ae, GRP, {"mnm": 1, "mid": []})
    for q in ("ty=3+9", "ty=3%2B9", "ty=3%209", "ty=3&ty=9"):
        r = t.world.client.exchange("GET", "/%s?fu=1&%s" % (ae.path, q), [("X-M2M-Origin", ae.id), ("X-M2M-RI", "1"), ("X-M2M-RVI", "4")], None)
        t.rsc(r, 2000)
        t.same([u.rsplit("/", 1)[-1] for u in r.rep], [cnt.rn, grp.rn], "what is found by `%s`" % q)
