"""SUB: subscriptions, the events that they name, what notifications carry and how they are sent."""
import functools
import time

from conformance.check import Failed, check, timestamp
from conformance.names import *

CREATE = "TS-0004 7.4.8.2.1"
UPDATE = "TS-0004 7.4.8.2.3"
DELETE = "TS-0004 7.4.8.2.4"
NOTIFY = "TS-0004 7.5.1.2.2"


def scene(t, net=None, **attributes):
    cnt = t.cnt()
    sub, box = t.sub(cnt, net, **attributes)
    return cnt, sub, box


def touch(t, cnt, label=None):
    t.rsc(t.update(cnt, {"lbl": [label or t.name("l")]}), 2004)


# creation and verification

@check("SUB", "CREATE/SUB/verification", NOTIFY)
def _(t):
    cnt, sub, box = scene(t)
    t.equal(len(box.verifications), 1, "the number of verification requests")
    s = box.verifications[0].sgn
    t.equal(s.get("vrq"), True, "verificationRequest")
    t.true(str(s.get("sur", "")).endswith(sub.ri) or str(s.get("sur", "")).endswith(sub.path), "sur %r addresses the subscription %s" % (s.get("sur"), sub.ri))
    t.true(str(s.get("cr", "")).endswith(cnt.fr), "cr %r is the creator %s" % (s.get("cr"), cnt.fr))


@check("SUB", "CREATE/SUB/verification-goes-to-each-target", NOTIFY)
def _(t):
    cnt, a, b = t.cnt(), t.box(), t.box()
    t.make(cnt, SUB, {"nu": [a.url, b.url]})
    t.equal([len(a.verifications), len(b.verifications)], [1, 1], "the number of verification requests at each target")


@check("SUB", "CREATE/SUB/no-verification-to-the-originator", CREATE)
def _(t):
    box = t.box()
    ae = t.ae(box)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id]})
    touch(t, cnt)
    t.note(box)
    t.equal(len(box.verifications), 0, "the number of verification requests")


def fails(answer, t):
    cnt, box = t.cnt(), t.box()
    if answer == "closed":
        t.refused(t.create(cnt, SUB, {"nu": [t.world.transport.closed_url()]}), 5204)
    else:
        box.verify = answer
        t.refused(t.create(cnt, SUB, {"nu": [box.url], "rn": "s"}), 5204)
        t.equal(len(box.verifications), 1, "the number of verification requests")
        t.refused(t.retrieve(cnt.path + "/s", fr=cnt.fr), 4004)
    t.sub(cnt)


for _answer in ("closed", 4103, 4101, 5205, 5000):
    check("SUB", "CREATE/SUB/verification-fails-%s" % _answer, CREATE)(functools.partial(fails, _answer))


@check("SUB", "CREATE/SUB/one-of-two-verifications-fails", CREATE)
def _(t):
    cnt, good, bad = t.cnt(), t.box(), t.box()
    bad.verify = 4103
    t.refused(t.create(cnt, SUB, {"nu": [good.url, bad.url]}), 5204)


@check("SUB", "CREATE/SUB/AE-without-point-of-access", CREATE)
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, SUB, {"nu": [t.ae().id]}), 5204)


@check("SUB", "CREATE/SUB/unknown-AE", CREATE)
def _(t):
    t.refused(t.create(t.cnt(), SUB, {"nu": ["C" + t.name("nobody")]}), 5204, 4000)


def bad(attributes, t):
    cnt, box = t.cnt(), t.box()
    t.refused(t.create(cnt, SUB, dict({"nu": [box.url]}, **attributes)), 4000)
    t.sub(cnt)


for _rule, _attributes in (
        ("nu-empty", {"nu": []}), ("nu-not-a-list", {"nu": "http://127.0.0.1:9"}), ("net-unknown", {"enc": {"net": [99]}}), ("net-zero", {"enc": {"net": [0]}}), ("net-not-a-list", {"enc": {"net": 1}}),
        ("net-text", {"enc": {"net": ["1"]}}), ("enc-unknown-member", {"enc": {"net": [1], "xyzzy": 1}}), ("net-and-om", {"enc": {"net": [1], "om": [{"ops": 2}]}}),
        ("chty-not-a-child", {"enc": {"net": [3], "chty": [2]}}), ("chty-not-a-list", {"enc": {"net": [3], "chty": 4}}), ("nct-unknown", {"nct": 9}), ("net-8-on-a-container", {"enc": {"net": [8], "md": {"num": 1, "dur": "PT1S"}}}),
        ("exc-zero", {"exc": 0}), ("exc-negative", {"exc": -1}), ("exc-text", {"exc": "3"}), ("rl-incomplete", {"rl": {"mnn": 3}}), ("rl-wrong-window", {"rl": {"mnn": 3, "tww": "soon"}}),
        ("bn-wrong-number", {"bn": {"num": "many"}}), ("bn-wrong-duration", {"bn": {"dur": "soon"}}), ("pn-unknown", {"pn": 9}), ("ln-text", {"ln": "yes"}), ("enc-crb-wrong", {"enc": {"net": [1], "crb": "x"}}),
        ("enc-sza-negative", {"enc": {"net": [3], "sza": -1}}), ("atr-not-a-list", {"enc": {"net": [1], "atr": "lbl"}}), ("cr-with-a-value", {"cr": "Csomebody"})):
    check("SUB", "CREATE/SUB/" + _rule, CREATE)(functools.partial(bad, _attributes))


def content_for(net, nct, ok, t):
    """Table of 7.4.8.2.1: which notificationContentType goes with which event."""
    box = t.box()
    ae = t.ae()
    if net == MISSING:
        target = t.make(ae, TS, {})
        attributes = {"enc": {"net": [net], "md": {"num": 1, "dur": "PT10S"}}}
    else:
        target, attributes = t.cnt(ae), {"enc": {"net": [net]}}
    nu = [box.url]
    if net == BLOCKING:
        nu = [t.ae(box).id]
    r = t.create(target, SUB, dict(attributes, nct=nct, nu=nu))
    if ok:
        t.equal(t.rsc(r, 2001).get("nct"), nct, "notificationContentType")
    else:
        t.refused(r, 4000)
        t.make(target, SUB, dict(attributes, nu=nu))


_TABLE = {1: (1, 2, 3, 4, 5), 2: (1, 7), 3: (1, 2, 3, 4, 5), 5: (8,)}
for _net in (1, 2, 3, 4, 5, 7, 8):
    for _nct in (1, 2, 3, 4, 5):
        _ok = _net in _TABLE.get(_nct, ())
        check("SUB", "CREATE/SUB/nct-%d-with-net-%d-%s" % (_nct, _net, "accepted" if _ok else "refused"), CREATE, needs=(TS,) if _net == 8 else ())(functools.partial(content_for, _net, _nct, _ok))


@check("SUB", "CREATE/SUB/nct-default", "TS-0004 7.4.8.1")
def _(t):
    t.equal(scene(t, [1])[1].get("nct"), 1, "notificationContentType")


@check("SUB", "CREATE/SUB/net-8-without-md", CREATE, needs=TS)
def _(t):
    ts, box = t.make(t.ae(), TS, {}), t.box()
    t.refused(t.create(ts, SUB, {"nu": [box.url], "enc": {"net": [8]}}), 4000)
    t.sub(ts)


@check("SUB", "CREATE/SUB/originator-may-not-read-the-parent", CREATE)
def _(t):
    ae, other, box = t.ae(), t.ae(), t.box()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(other.id, C), (ae.id, ALL)]).ri]}, fr=t.admin)
    t.refused(t.create(cnt, SUB, {"nu": [box.url]}, fr=other.id), 4103)
    t.equal(len(box.verifications), 0, "the number of verification requests")


@check("SUB", "CREATE/SUB/parent-cannot-be-subscribed-to", CREATE)
def _(t):
    cnt, box = t.cnt(), t.box()
    cin = t.cin(cnt)
    t.refused(t.create(cin, SUB, {"nu": [box.url]}, fr=cnt.fr), 5203, 4108)


@check("SUB", "CREATE/SUB/cr-null-names-the-creator", "TS-0001 9.6.1.3.2")
def _(t):
    cnt, sub, _ = scene(t, cr=None)
    t.equal(sub.get("cr"), cnt.fr, "creator")


@check("SUB", "CREATE/SUB/under-an-AE", CREATE)
def _(t):
    ae = t.ae()
    sub, box = t.sub(ae, [CHILD_CREATED])
    cnt = t.cnt(ae)
    t.equal(t.note(box).resource.get("ri"), cnt.ri, "resourceID of the child")


@check("SUB", "CREATE/SUB/under-the-CSEBase", CREATE)
def _(t):
    label = t.name("sub")
    sub, box = t.sub(t.cse, [CHILD_CREATED], fr=t.admin, enc={"net": [CHILD_CREATED], "chty": [NOD]}, rn=label)
    node = t.make(t.cse, NOD, {"ni": label})
    t.until("the creation of the node is notified", lambda: any(n.resource.get("ri") == node.ri for n in box.drain()))


# events

@check("SUB", "NOTIFY/NET1/update", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [UPDATED])
    touch(t, cnt, "new")
    n = t.note(box)
    t.equal(n.net, UPDATED, "notificationEventType")
    t.equal(list(n.rep), ["m2m:cnt"], "the root of the representation")
    t.equal([n.resource.get("lbl"), n.resource.get("ri"), n.resource.get("ty")], [["new"], cnt.ri, 3], "labels, resourceID and type")
    t.true(str(n.sgn.get("sur")).endswith(sub.ri) or str(n.sgn.get("sur")).endswith(sub.path), "sur %r addresses the subscription" % n.sgn.get("sur"))


@check("SUB", "NOTIFY/NET1/is-the-default", "TS-0004 7.4.8.1")
def _(t):
    cnt, sub, box = scene(t)
    t.cin(cnt)
    touch(t, cnt, "new")
    n = t.note(box)
    t.equal(n.resource.get("lbl"), ["new"], "labels of what is notified first")
    t.silent(box, "no notification of the child")


@check("SUB", "NOTIFY/NET1/not-for-a-refused-update", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [UPDATED])
    t.refused(t.update(cnt, {"mni": -1}), 4000)
    touch(t, cnt, "good")
    t.equal(t.note(box).resource.get("lbl"), ["good"], "labels of what is notified first")


@check("SUB", "NOTIFY/NET1/not-for-retrieve", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [UPDATED])
    t.retrieve(cnt)
    touch(t, cnt)
    t.note(box)
    t.silent(box, "one notification alone")


@check("SUB", "NOTIFY/NET2/delete", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [DELETED])
    touch(t, cnt)
    t.rsc(t.delete(cnt), 2002)
    n = t.note(box)
    t.equal(n.net, DELETED, "notificationEventType")
    t.equal(n.resource.get("ri"), cnt.ri, "resourceID")


@check("SUB", "NOTIFY/NET2/delete-of-an-ancestor", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [DELETED])
    t.rsc(t.delete(cnt.path.rsplit("/", 1)[0], fr=cnt.fr), 2002)
    t.equal(t.note(box).net, DELETED, "notificationEventType")


@check("SUB", "NOTIFY/NET3/child-created", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [CHILD_CREATED])
    touch(t, cnt)
    cin = t.cin(cnt, "hello")
    n = t.note(box)
    t.equal(n.net, CHILD_CREATED, "notificationEventType")
    t.equal(list(n.rep), ["m2m:cin"], "the root of the representation")
    t.equal([n.resource.get("con"), n.resource.get("ri")], ["hello", cin.ri], "content and resourceID")


@check("SUB", "NOTIFY/NET3/not-for-grandchildren", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [CHILD_CREATED])
    inner = t.cnt(cnt)
    t.equal(t.note(box).resource.get("ri"), inner.ri, "resourceID of the child")
    t.cin(inner, "deep")
    t.cin(cnt, "direct")
    t.equal(t.note(box).resource.get("con"), "direct", "content of what is notified next")


@check("SUB", "NOTIFY/NET4/child-deleted", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [CHILD_DELETED])
    cin = t.cin(cnt, "bye")
    t.rsc(t.delete(cin), 2002)
    n = t.note(box)
    t.equal(n.net, CHILD_DELETED, "notificationEventType")
    t.equal(n.resource.get("ri"), cin.ri, "resourceID")


@check("SUB", "NOTIFY/NET4/not-of-what-the-quota-lets-go", NOTIFY)
def _(t):
    cnt = t.cnt(mni=1)
    sub, box = t.sub(cnt, [CHILD_DELETED])
    t.cin(cnt, "1")
    second = t.cin(cnt, "2")
    t.rsc(t.delete(second.ri), 2002)
    t.equal(t.note(box).resource.get("ri"), second.ri, "resourceID of the first that is told")
    t.silent(box, "nothing of the one that went for another")


@check("SUB", "NOTIFY/NET5/latest-of-an-empty-container", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [EMPTY_RETRIEVED])
    t.refused(t.retrieve(cnt.path + "/la", fr=cnt.fr), 4004)
    t.equal(t.note(box).net, EMPTY_RETRIEVED, "notificationEventType")


@check("SUB", "NOTIFY/NET5/not-when-there-is-an-instance", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [EMPTY_RETRIEVED])
    cin = t.cin(cnt)
    t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr), 2000)
    t.rsc(t.delete(cin), 2002)
    t.retrieve(cnt.path + "/ol", fr=cnt.fr)
    t.note(box)
    t.silent(box, "one notification alone")


@check("SUB", "NOTIFY/NET/several", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [UPDATED, CHILD_CREATED, CHILD_DELETED])
    touch(t, cnt)
    t.equal(t.note(box).net, UPDATED, "the first notificationEventType")
    cin = t.cin(cnt)
    t.equal(t.note(box).net, CHILD_CREATED, "the second")
    t.rsc(t.delete(cin), 2002)
    t.equal(t.note(box).net, CHILD_DELETED, "the third")


@check("SUB", "NOTIFY/NET/order-is-kept", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [CHILD_CREATED])
    for i in range(10):
        t.cin(cnt, str(i))
    t.equal([t.note(box).resource.get("con") for _ in range(10)], [str(i) for i in range(10)], "the order of notifications")


@check("SUB", "NOTIFY/NU/each-target", NOTIFY)
def _(t):
    cnt, a, b = t.cnt(), t.box(), t.box()
    t.make(cnt, SUB, {"nu": [a.url, b.url], "enc": {"net": [1]}})
    touch(t, cnt, "x")
    for box in (a, b):
        t.equal(t.note(box).resource.get("lbl"), ["x"], "labels at each target")


@check("SUB", "NOTIFY/NU/two-subscriptions", NOTIFY)
def _(t):
    cnt, one, a = scene(t, [1])
    two, b = t.sub(cnt, [1])
    touch(t, cnt)
    for sub, box in ((one, a), (two, b)):
        t.true(str(t.note(box).sgn.get("sur")).endswith((sub.ri, sub.path)), "each notification names its own subscription")


def by_id(form, t):
    box = t.box()
    ae = t.ae(box)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [form(t, ae)], "enc": {"net": [1]}})
    touch(t, cnt, "x")
    t.equal(t.note(box).resource.get("lbl"), ["x"], "labels")


for _tag, _form in (("AE-ID", lambda t, ae: ae.id), ("sp-relative-AE-ID", lambda t, ae: t.csi + "/" + ae.id), ("structured-address", lambda t, ae: ae.path)):
    check("SUB", "NOTIFY/NU/%s-to-its-point-of-access" % _tag, NOTIFY)(functools.partial(by_id, _form))


@check("SUB", "NOTIFY/NU/second-point-of-access-when-the-first-is-dead", "TS-0001 9.6.5")
def _(t):
    box = t.box()
    ae = t.ae(poa=[t.world.transport.closed_url(), box.url], rr=True)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [1]}})
    touch(t, cnt, "x")
    t.equal(t.note(box).resource.get("lbl"), ["x"], "labels")


@check("SUB", "NOTIFY/HTTP/headers", "TS-0009 6.4")
def _(t):
    cnt, sub, box = scene(t, [1])
    touch(t, cnt)
    n = t.note(box)
    t.equal(n.method, "POST", "the HTTP method")
    t.true(n.headers.get("x-m2m-ri"), "the notification has an X-M2M-RI")
    t.true(n.headers.get("x-m2m-rvi"), "the notification has an X-M2M-RVI")
    t.true((n.headers.get("x-m2m-origin") or "").endswith(t.csi), "X-M2M-Origin %r is the CSE-ID" % n.headers.get("x-m2m-origin"))
    kind = n.headers.get("content-type", "")
    t.true("json" in kind and ";ty=" not in kind.replace(" ", ""), "Content-Type %r is JSON and names no resource type" % kind)


@check("SUB", "NOTIFY/HTTP/request-identifiers-differ", "TS-0001 8.1.2")
def _(t):
    cnt, sub, box = scene(t, [1])
    touch(t, cnt)
    touch(t, cnt)
    a, b = t.note(box), t.note(box)
    t.true(a.headers.get("x-m2m-ri") != b.headers.get("x-m2m-ri"), "two notifications have different request identifiers")


# content types

@check("SUB", "NOTIFY/NCT1/all-attributes", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [1], nct=1)
    touch(t, cnt)
    t.true({"ri", "rn", "ct", "lbl", "cni"} <= set(t.note(box).resource), "all attributes are there")


@check("SUB", "NOTIFY/NCT2/modified-attributes", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [1], nct=2)
    touch(t, cnt, "x")
    r = t.note(box).resource
    t.equal(r.get("lbl"), ["x"], "labels")
    t.true(not {"ri", "rn", "ct", "cni"} & set(r), "what was not modified is not there, got %s" % sorted(r))


@check("SUB", "NOTIFY/NCT3/resource-id", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [1], nct=3)
    touch(t, cnt)
    rep = t.note(box).rep
    t.equal(list(rep), ["m2m:uri"], "the root of the representation")
    t.true(rep["m2m:uri"].endswith((cnt.ri, cnt.path)), "the URI %r addresses the container" % rep["m2m:uri"])


@check("SUB", "NOTIFY/NCT3/resource-id-of-the-child", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [3], nct=3)
    cin = t.cin(cnt)
    t.true(t.note(box).rep["m2m:uri"].endswith((cin.ri, cin.path)), "the URI addresses the instance")


# criteria

@check("SUB", "NOTIFY/ATR/only-those-attributes", CREATE)
def _(t):
    cnt, sub, box = scene(t, enc={"net": [1], "atr": ["mni"]})
    touch(t, cnt, "not of interest")
    t.rsc(t.update(cnt, {"mni": 9}), 2004)
    t.equal(t.note(box).resource.get("mni"), 9, "maxNrOfInstances of what is notified first")
    t.silent(box, "one notification alone")


@check("SUB", "NOTIFY/CHTY/only-those-children", CREATE)
def _(t):
    cnt, sub, box = scene(t, enc={"net": [3], "chty": [CIN]})
    t.cnt(cnt)
    cin = t.cin(cnt)
    t.equal(t.note(box).resource.get("ri"), cin.ri, "resourceID of what is notified first")
    t.silent(box, "one notification alone")


@check("SUB", "NOTIFY/CHTY/several", CREATE)
def _(t):
    cnt, sub, box = scene(t, enc={"net": [3], "chty": [CIN, CNT]})
    inner = t.cnt(cnt)
    cin = t.cin(cnt)
    t.equal([t.note(box).resource.get("ri") for _ in range(2)], [inner.ri, cin.ri], "resourceIDs")


def criterion(enc, quiet, loud, t):
    """`quiet` does something that the criterion leaves out, `loud` something that it lets through."""
    cnt, sub, box = scene(t, enc=enc() if callable(enc) else enc)
    quiet(t, cnt)
    wanted = loud(t, cnt)
    n = t.note(box)
    t.equal(n.resource.get("ri"), wanted, "resourceID of what is notified first")
    t.silent(box, "one notification alone")


check("SUB", "NOTIFY/ENC/sizeAbove", CREATE)(functools.partial(criterion, {"net": [3], "sza": 10}, lambda t, c: t.cin(c, "x"), lambda t, c: t.cin(c, "x" * 20).ri))
check("SUB", "NOTIFY/ENC/sizeBelow", CREATE)(functools.partial(criterion, {"net": [3], "szb": 10}, lambda t, c: t.cin(c, "x" * 20), lambda t, c: t.cin(c, "x").ri))
check("SUB", "NOTIFY/ENC/stateTagBigger", CREATE)(functools.partial(criterion, {"net": [1], "stb": 1}, lambda t, c: touch(t, c), lambda t, c: (touch(t, c), c.ri)[1]))
check("SUB", "NOTIFY/ENC/expireBefore", CREATE)(
    functools.partial(criterion, lambda: {"net": [3], "exb": timestamp(7200)}, lambda t, c: t.cin(c, et=timestamp(10800)), lambda t, c: t.cin(c, et=timestamp(3600)).ri))


@check("SUB", "NOTIFY/OM/operation-by-anyone", CREATE)
def _(t):
    cnt, sub, box = scene(t, enc={"om": [{"ops": R}]})
    touch(t, cnt)
    t.rsc(t.retrieve(cnt), 2000)
    n = t.note(box)
    t.equal(n.nev.get("om", {}).get("op"), 2, "the operation that was monitored")
    t.true(str(n.nev.get("om", {}).get("or")).endswith(cnt.fr), "the originator that was monitored is %s" % cnt.fr)


@check("SUB", "NOTIFY/OM/originator", CREATE)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    sub, box = t.sub(cnt, enc={"om": [{"ops": R, "or": ae.id}]})
    t.rsc(t.retrieve(cnt, fr=t.admin), 2000)
    t.rsc(t.retrieve(cnt), 2000)
    t.true(str(t.note(box).nev.get("om", {}).get("or")).endswith(ae.id), "the originator that was monitored is %s" % ae.id)
    t.silent(box, "one notification alone")


# blocking update

def blocking(t, answer=2000, **enc):
    box = t.box()
    ae = t.ae(box)
    cnt = t.cnt(ae, lbl=["before"])
    box.answer = answer
    return cnt, t.make(cnt, SUB, {"nu": [ae.id], "enc": dict({"net": [BLOCKING]}, **enc)}), box


@check("SUB", "NOTIFY/NET7/allowed", "TS-0004 7.4.8.2.1")
def _(t):
    cnt, sub, box = blocking(t)
    t.rsc(t.update(cnt, {"lbl": ["after"]}), 2004)
    n = t.note(box)
    t.equal(n.net, BLOCKING, "notificationEventType")
    t.equal(n.resource.get("lbl"), ["after"], "labels as asked for")
    t.equal(t.retrieve(cnt).get("lbl"), ["after"], "labels")


@check("SUB", "NOTIFY/NET7/before-the-update-is-done", "TS-0004 7.4.8.2.1")
def _(t):
    cnt, sub, box = blocking(t)
    seen = []
    box.answer = lambda n: (seen.append(t.retrieve(cnt).get("lbl")), 2000)[1]
    t.rsc(t.update(cnt, {"lbl": ["after"]}), 2004)
    t.note(box)
    t.equal(seen, [["before"]], "the labels that a RETRIEVE sees during the notification")


@check("SUB", "NOTIFY/NET7/denied", "TS-0004 7.4.8.2.1")
def _(t):
    cnt, sub, box = blocking(t, 4103)
    t.refused(t.update(cnt, {"lbl": ["after"]}), 4127)
    t.equal(t.retrieve(cnt).get("lbl"), ["before"], "labels")


@check("SUB", "NOTIFY/NET7/target-does-not-answer", "TS-0004 7.4.8.2.1")
def _(t):
    cnt, sub, box = blocking(t)
    t.rsc(t.update(cnt.path.rsplit("/", 1)[0], {"poa": [t.world.transport.closed_url()]}, root="m2m:ae", fr=cnt.fr), 2004)
    t.refused(t.update(cnt, {"lbl": ["after"]}), 5107, 5103, 4127)
    t.equal(t.retrieve(cnt).get("lbl"), ["before"], "labels")


@check("SUB", "NOTIFY/NET7/atr-only-those", "TS-0004 7.4.8.2.1")
def _(t):
    cnt, sub, box = blocking(t, 4103, atr=["mni"])
    t.rsc(t.update(cnt, {"lbl": ["after"]}), 2004)
    t.refused(t.update(cnt, {"mni": 3}), 4127)


@check("SUB", "CREATE/SUB/net-7-second", CREATE)
def _(t):
    cnt, sub, box = blocking(t)
    t.refused(t.create(cnt, SUB, {"nu": [cnt.fr], "enc": {"net": [BLOCKING]}}), 4124)


def blocking_refused(attributes, t):
    box = t.box()
    ae = t.ae(box)
    cnt = t.cnt(ae)
    a = {"nu": [ae.id], "enc": {"net": [BLOCKING]}}
    t.refused(t.create(cnt, SUB, dict(a, **attributes)), 4000)
    t.make(cnt, SUB, a)


for _rule, _attributes in (("exc", {"exc": 3}), ("bn", {"bn": {"num": 2}}), ("rl", {"rl": {"mnn": 1, "tww": "PT1S"}}), ("pn", {"pn": 1}), ("two-targets", {"nu": ["Ca", "Cb"]}), 
                           ("with-another-event", {"enc": {"net": [BLOCKING, CHILD_CREATED]}}), ("chty", {"enc": {"net": [BLOCKING], "chty": [4]}})):
    check("SUB", "CREATE/SUB/net-7-with-" + _rule, CREATE)(functools.partial(blocking_refused, _attributes))


# policies

@check("SUB", "NOTIFY/EXC/counts-down-and-deletes", "TS-0001 9.6.8")
def _(t):
    cnt, sub, box = scene(t, [1], exc=2)
    t.equal(sub["exc"], 2, "expirationCounter")
    touch(t, cnt)
    t.note(box)
    t.until("expirationCounter is 1", lambda: t.retrieve(sub).get("exc") == 1)
    touch(t, cnt)
    t.note(box)
    t.until("the subscription is gone", lambda: t.retrieve(sub).rsc == 4004)
    touch(t, cnt)
    t.silent(box, "no more notifications")


@check("SUB", "NOTIFY/BN/number", "TS-0001 9.6.8")
def _(t):
    cnt, sub, box = scene(t, [1], bn={"num": 3, "dur": "PT1H"})
    for _ in range(2):
        touch(t, cnt)
    t.silent(box, "nothing before the batch is full")
    touch(t, cnt)
    n = t.note(box)
    batch = (n.body or {}).get("m2m:agn") or {}
    notes = batch.get("m2m:sgn") or batch.get("sgn") or []
    t.equal(len(notes), 3, "the number of notifications in the batch")
    t.true(all((x.get("m2m:sgn") or x).get("nev") for x in notes), "each notification of the batch has its event")


@check("SUB", "NOTIFY/BN/duration", "TS-0001 9.6.8", slow=True)
def _(t):
    cnt, sub, box = scene(t, [1], bn={"num": 100, "dur": "PT1S"})
    touch(t, cnt)
    touch(t, cnt)
    begin = time.monotonic()
    n = t.note(box)
    t.true("m2m:agn" in (n.body or {}), "a batch is an aggregated notification, got %s" % n)
    t.true(time.monotonic() - begin > 0.5, "the batch comes after its duration, not at once")


@check("SUB", "NOTIFY/BN/latest-only", "TS-0001 9.6.8")
def _(t):
    cnt, sub, box = scene(t, [1], bn={"num": 3, "dur": "PT1H"}, ln=True)
    for label in ("1", "2", "3"):
        touch(t, cnt, label)
    n = t.note(box)
    notes = [n.sgn] if n.sgn else ((n.body or {}).get("m2m:agn") or {}).get("m2m:sgn") or []
    t.equal(len(notes), 1, "the number of notifications")
    t.equal((notes[0].get("m2m:sgn") or notes[0])["nev"]["rep"]["m2m:cnt"]["lbl"], ["3"], "labels of the latest")


@check("SUB", "NOTIFY/RL/no-more-than-the-rate", "TS-0001 9.6.8", slow=True)
def _(t):
    cnt, sub, box = scene(t, [1], rl={"mnn": 2, "tww": "PT2S"})
    for i in range(3):
        touch(t, cnt, str(i))
    when = [t.note(box).when for _ in range(3)]
    t.true(when[2] - when[0] > 1, "the third notification waits for the next window, it came %.1f s after the first" % (when[2] - when[0]))


@check("SUB", "NOTIFY/NEC/event-category", "TS-0001 9.6.8")
def _(t):
    cnt, sub, box = scene(t, [1], nec=4)
    touch(t, cnt)
    t.equal(t.note(box).headers.get("x-m2m-ec"), "4", "X-M2M-EC")


@check("SUB", "NOTIFY/SUD/deletion-to-the-subscriber", DELETE)
def _(t):
    su = t.box()
    cnt, sub, box = scene(t, [1], su=su.url)
    t.rsc(t.delete(sub), 2002)
    n = t.note(su, "a notification of the deletion")
    t.equal(n.sgn.get("sud"), True, "subscriptionDeletion")
    t.true(str(n.sgn.get("sur")).endswith((sub.ri, sub.path)), "sur %r addresses the subscription" % n.sgn.get("sur"))


@check("SUB", "NOTIFY/SUD/deletion-of-the-parent", DELETE)
def _(t):
    su = t.box()
    cnt, sub, box = scene(t, [1], su=su.url)
    t.rsc(t.delete(cnt), 2002)
    t.equal(t.note(su, "a notification of the deletion").sgn.get("sud"), True, "subscriptionDeletion")


@check("SUB", "NOTIFY/SUD/a-dead-subscriber-does-not-stop-the-deletion", DELETE)
def _(t):
    cnt, sub, box = scene(t, [1])
    r = t.create(cnt, SUB, {"nu": [box.url], "su": t.world.transport.closed_url(), "rn": "dead"})
    if r.rsc == 2001:
        t.rsc(t.delete(cnt.path + "/dead", fr=cnt.fr), 2002)
    else:
        t.refused(r, 5204)


@check("SUB", "NOTIFY/TARGET/a-dead-target-does-not-stop-the-update", NOTIFY)
def _(t):
    box = t.box()
    ae = t.ae(box)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [1]}})
    t.rsc(t.update(ae, {"poa": [t.world.transport.closed_url()]}), 2004)
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)


@check("SUB", "NOTIFY/TARGET/a-slow-target-does-not-stop-the-update", NOTIFY)
def _(t):
    cnt, sub, box = scene(t, [1])
    box.answer = lambda n: (time.sleep(1.5), 2000)[1]
    begin = time.monotonic()
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.true(time.monotonic() - begin < 1.2, "the update is answered before the target has")
    t.note(box)


# changing a subscription

@check("SUB", "UPDATE/SUB/nu-adds-a-target", UPDATE)
def _(t):
    cnt, sub, a = scene(t, [1])
    b = t.box()
    t.rsc(t.update(sub, {"nu": [a.url, b.url]}), 2004)
    t.equal([len(a.verifications), len(b.verifications)], [1, 1], "verification requests: only the new target is asked again")
    touch(t, cnt)
    t.note(a)
    t.note(b)


@check("SUB", "UPDATE/SUB/nu-verification-fails", UPDATE)
def _(t):
    cnt, sub, a = scene(t, [1])
    t.refused(t.update(sub, {"nu": [a.url, t.world.transport.closed_url()]}), 5204)
    t.equal(t.retrieve(sub).get("nu"), [a.url], "notificationURI")


@check("SUB", "UPDATE/SUB/nu-removes-a-target", UPDATE)
def _(t):
    cnt, a, b = t.cnt(), t.box(), t.box()
    sub = t.make(cnt, SUB, {"nu": [a.url, b.url], "enc": {"net": [1]}})
    t.rsc(t.update(sub, {"nu": [b.url]}), 2004)
    touch(t, cnt)
    t.note(b)
    t.silent(a, "nothing to a removed target")


@check("SUB", "UPDATE/SUB/events-change", UPDATE)
def _(t):
    cnt, sub, box = scene(t, [CHILD_CREATED])
    t.rsc(t.update(sub, {"enc": {"net": [UPDATED]}}), 2004)
    t.cin(cnt)
    touch(t, cnt, "x")
    t.equal(t.note(box).resource.get("lbl"), ["x"], "labels of what is notified first")


def update_refused(attributes, t):
    cnt, sub, box = scene(t, [1])
    t.refused(t.update(sub, attributes), 4000)
    touch(t, cnt, "still")
    t.equal(t.note(box).resource.get("lbl"), ["still"], "labels")


for _rule, _attributes in (("nu-null", {"nu": None}), ("nu-empty", {"nu": []}), ("nct-that-does-not-fit", {"nct": 4}), ("exc-zero", {"exc": 0}), ("psn-fixed", {"psn": 3}), ("su-fixed", {"su": "http://127.0.0.1:9"}), ("cr-fixed", {"cr": None})):
    check("SUB", "UPDATE/SUB/" + _rule, UPDATE)(functools.partial(update_refused, _attributes))


@check("SUB", "DELETE/SUB/ends-notifications", DELETE)
def _(t):
    cnt, one, a = scene(t, [1])
    two, b = t.sub(cnt, [1])
    t.rsc(t.delete(one), 2002)
    touch(t, cnt)
    t.note(b)
    t.equal([n for n in a.drain() if n.nev], [], "notifications of events after the deletion")


@check("SUB", "RETRIEVE/SUB/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.retrieve(scene(t)[1], fr=t.ae().id), 4103)


@check("SUB", "DELETE/SUB/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    sub = scene(t)[1]
    t.refused(t.delete(sub, fr=t.ae().id), 4103)
    t.rsc(t.retrieve(sub), 2000)


def stored(attributes, t):
    sub = scene(t, [1], **attributes)[1]
    r = t.rsc(t.retrieve(sub), 2000)
    for k, v in attributes.items():
        t.equal(r.get(k), v, k)


for _rule, _attributes in (("exc", {"exc": 99}), ("bn", {"bn": {"num": 9, "dur": "PT1H"}}), ("rl", {"rl": {"mnn": 9, "tww": "PT1H"}}), ("pn", {"pn": 1}), ("psn", {"psn": 5}), ("nsp", {"nsp": 1}), ("ln", {"ln": True, "bn": {"num": 2, "dur": "PT1H"}}), ("nec", {"nec": 2}), ("nct", {"nct": 2})):
    check("SUB", "CREATE/SUB/stored-" + _rule, "TS-0004 7.4.8.1")(functools.partial(stored, _attributes))


@check("SUB", "CREATE/SUB/net-7-with-an-unreachable-URL", CREATE)
def _(t):
    t.refused(t.create(t.cnt(), SUB, {"nu": [t.world.transport.closed_url()], "enc": {"net": [BLOCKING]}}), 5204)


@check("SUB", "UPDATE/SUB/net-7-is-for-CREATE", "TS-0004 7.4.8.2.3")
def _(t):
    cnt, sub, box = blocking(t, atr=["lbl"])
    t.refused(t.update(sub, {"enc": {"net": [BLOCKING]}}), 4000)
    plain, _ = t.sub(cnt, [UPDATED])
    t.refused(t.update(plain, {"enc": {"net": [BLOCKING]}}), 4000)
    t.rsc(t.update(plain, {"enc": {"net": [DELETED]}}), 2004)


@check("SUB", "UPDATE/SUB/enc-removed-leaves-the-default", "TS-0001 9.6.8")
def _(t):
    sub, box = t.sub(t.cnt(), [CHILD_CREATED], nct=1)
    t.equal(t.rsc(t.update(sub, {"enc": None}), 2004).get("enc"), {"net": [UPDATED]}, "eventNotificationCriteria")


@check("SUB", "DELETE/SUB/who-is-told-hears-first", "TS-0004 7.4.8.2.4")
def _(t):
    """subscriberURI is told of the end before the originator is: here each answer finds the notification there."""
    for what in ("subscription", "container"):
        cnt = t.cnt()
        farewell = t.box()
        sub, box = t.sub(cnt, [UPDATED], su=farewell.url)
        t.rsc(t.delete(sub if what == "subscription" else cnt), 2002)
        n = farewell.wait(0)
        t.true(n is not None and n.body["m2m:sgn"].get("sud") is True, "the end of the %s was told already" % what)


@check("SUB", "NOTIFY/NSE/each-of-a-batch-counts", "TS-0001 9.6.8")
def _(t):
    cnt = t.cnt()
    sub, box = t.sub(cnt, [UPDATED], bn={"num": 3}, nse=True)
    for label in "abc":
        t.rsc(t.update(cnt, {"lbl": [label]}), 2004)
    t.note(box)
    t.until("three notifications count as sent, answered and events",
            lambda: [[s["rqs"], s["rsr"], s["noec"]] for s in t.rsc(t.retrieve(sub), 2000).get("nsi") or []] == [[3, 3, 3]])
