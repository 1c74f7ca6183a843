"""GMG: groups, their members, and fan-out."""
import functools

from conformance.check import check
from conformance.names import *

CREATE = "TS-0004 7.4.13.2.1"
UPDATE = "TS-0004 7.4.13.2.3"
FAN = "TS-0004 7.4.14.2.1"


def members(t, n=2, **attributes):
    ae = t.ae()
    return ae, [t.cnt(ae) for _ in range(n)]


def group(t, n=2, **attributes):
    ae, cnts = members(t, n)
    a = dict({"mnm": 10, "mid": [c.ri for c in cnts]}, **attributes)
    return ae, cnts, t.make(ae, GRP, a)


def responses(t, r):
    """The member responses of an aggregated response."""
    t.equal(r.root, "m2m:agr", "root of an aggregated response")
    rsp = r.rep.get("m2m:rsp") if isinstance(r.rep, dict) else r.rep
    t.true(isinstance(rsp, list), "m2m:rsp is a list, got %s" % r.text)
    return rsp


@check("GMG", "CREATE/GRP/members-counted", CREATE)
def _(t):
    _, cnts, grp = group(t)
    t.equal([grp["cnm"], grp["mnm"]], [2, 10], "currentNrOfMembers and maxNrOfMembers")
    t.same(grp["mid"], [c.ri for c in cnts], "memberIDs")


@check("GMG", "CREATE/GRP/type-default-is-mixed", "TS-0004 7.4.13.1")
def _(t):
    t.equal(group(t)[2].get("mt"), 0, "memberType")


@check("GMG", "CREATE/GRP/strategy-default", "TS-0004 7.4.13.1")
def _(t):
    t.equal(group(t, mt=3)[2].get("csy"), 1, "consistencyStrategy")


@check("GMG", "CREATE/GRP/type-validated", CREATE)
def _(t):
    t.equal(group(t, mt=3)[2].get("mtv"), True, "memberTypeValidated")


@check("GMG", "CREATE/GRP/duplicates-removed", CREATE)
def _(t):
    ae, cnts = members(t)
    grp = t.make(ae, GRP, {"mnm": 10, "mid": [cnts[0].ri, cnts[1].ri, cnts[0].ri]})
    t.equal(grp["cnm"], 2, "currentNrOfMembers")


@check("GMG", "CREATE/GRP/empty", CREATE)
def _(t):
    t.equal(group(t, 0)[2].get("cnm"), 0, "currentNrOfMembers")


@check("GMG", "CREATE/GRP/too-many-members", CREATE)
def _(t):
    ae, cnts = members(t, 3)
    t.refused(t.create(ae, GRP, {"mnm": 2, "mid": [c.ri for c in cnts]}), 6010)
    t.make(ae, GRP, {"mnm": 3, "mid": [c.ri for c in cnts]})


def bad(attributes, t):
    ae, cnts = members(t)
    a = {"mnm": 5, "mid": [cnts[0].ri]}
    t.refused(t.create(ae, GRP, dict(a, **attributes)), 4000)
    t.make(ae, GRP, a)


for _rule, _attributes in (("mnm-zero", {"mnm": 0}), ("mnm-negative", {"mnm": -1}), ("mid-not-a-list", {"mid": "x"}), ("mid-with-a-number", {"mid": [1]}), ("mt-unknown", {"mt": 9999}), ("csy-unknown", {"csy": 9}), ("mtv-not-allowed", {"mtv": True}), ("cnm-not-allowed", {"cnm": 1})):
    check("GMG", "CREATE/GRP/" + _rule, "TS-0004 7.4.13.1")(functools.partial(bad, _attributes))


def consistency(csy, t):
    ae, cnts = members(t)
    a = {"mnm": 10, "mt": 3, "csy": csy, "mid": [cnts[0].ri, ae.ri]}
    r = t.create(ae, GRP, a)
    if csy == 2:
        t.refused(r, 4110)
    elif csy == 1:
        t.equal([t.rsc(r, 2001).get("cnm"), r.get("mid"), r.get("mt")], [1, [cnts[0].ri], 3], "currentNrOfMembers, memberIDs and memberType")
    else:
        t.equal([t.rsc(r, 2001).get("cnm"), r.get("mt")], [2, 0], "currentNrOfMembers and memberType")


for _csy, _tag in ((1, "abandon-member"), (2, "abandon-group"), (3, "set-mixed")):
    check("GMG", "CREATE/GRP/inconsistent-" + _tag, CREATE)(functools.partial(consistency, _csy))


def inconsistent_update(csy, t):
    ae, cnts = members(t)
    grp = t.make(ae, GRP, {"mnm": 10, "mt": 3, "csy": csy, "mid": [cnts[0].ri]})
    r = t.update(grp, {"mid": [cnts[0].ri, ae.ri]})
    if csy == 2:
        t.refused(r, 4110)
    elif csy == 1:
        t.equal([t.rsc(r, 2004).get("cnm"), r.get("mid")], [1, [cnts[0].ri]], "currentNrOfMembers and memberIDs")
    else:
        t.equal([t.rsc(r, 2004).get("cnm"), r.get("mt")], [2, 0], "currentNrOfMembers and memberType")


for _csy, _tag in ((1, "abandon-member"), (2, "abandon-group"), (3, "set-mixed")):
    check("GMG", "UPDATE/GRP/inconsistent-" + _tag, UPDATE)(functools.partial(inconsistent_update, _csy))


@check("GMG", "CREATE/GRP/member-that-may-not-be-read", CREATE)
def _(t):
    ae, other = t.ae(), t.ae()
    hidden = t.cnt(other)
    t.refused(t.create(ae, GRP, {"mnm": 5, "mt": 3, "csy": 2, "mid": [hidden.ri]}), 5105, 4103, 4110)


@check("GMG", "UPDATE/GRP/members-added", UPDATE)
def _(t):
    ae, cnts, grp = group(t)
    more = t.cnt(ae)
    r = t.rsc(t.update(grp, {"mid": [c.ri for c in cnts] + [more.ri]}), 2004)
    t.equal(r.get("cnm"), 3, "currentNrOfMembers")


@check("GMG", "UPDATE/GRP/members-removed", UPDATE)
def _(t):
    ae, cnts, grp = group(t)
    t.equal(t.rsc(t.update(grp, {"mid": [cnts[0].ri]}), 2004).get("cnm"), 1, "currentNrOfMembers")
    t.equal(len(responses(t, t.retrieve(grp.path + "/fopt", fr=ae.id))), 1, "the number of member responses")


@check("GMG", "UPDATE/GRP/too-many-members", UPDATE)
def _(t):
    ae, cnts, grp = group(t, mnm=2)
    t.refused(t.update(grp, {"mid": [c.ri for c in cnts] + [t.cnt(ae).ri]}), 6010)
    t.equal(t.retrieve(grp).get("cnm"), 2, "currentNrOfMembers")


@check("GMG", "UPDATE/GRP/maximum-below-the-members", UPDATE)
def _(t):
    grp = group(t)[2]
    t.refused(t.update(grp, {"mnm": 1}), 6010)
    t.equal(t.retrieve(grp).get("mnm"), 10, "maxNrOfMembers")


@check("GMG", "UPDATE/GRP/name", UPDATE)
def _(t):
    grp = group(t, gn="before")[2]
    t.equal(t.rsc(t.update(grp, {"gn": "after"}), 2004).get("gn"), "after", "groupName")


# fan-out

def retrieve_addressed(form, t):
    ae, cnts = members(t)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [form(t, c) for c in cnts]})
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000))
    t.same([x["pc"]["m2m:cnt"]["ri"] for x in rsp], [c.ri for c in cnts], "resourceIDs of the members")


for _tag, _form in (("unstructured", lambda t, c: c.ri), ("structured", lambda t, c: c.path), ("sp-relative", lambda t, c: t.csi + "/" + c.ri), ("sp-relative-structured", lambda t, c: t.csi + "/" + c.path)):
    check("GMG", "RETRIEVE/FOPT/members-%s" % _tag, FAN)(functools.partial(retrieve_addressed, _form))


@check("GMG", "RETRIEVE/FOPT/member-response", FAN)
def _(t):
    ae, cnts, grp = group(t)
    for x in responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000)):
        t.equal(x.get("rsc"), 2000, "rsc of a member")
        t.true(isinstance(x.get("pc"), dict), "each member response has its content")
        t.true(x.get("rqi"), "each member response has a request identifier")


@check("GMG", "RETRIEVE/FOPT/path-below-the-members", FAN)
def _(t):
    ae, cnts, grp = group(t)
    for i, c in enumerate(cnts):
        t.cin(c, "v%d" % i)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt/la", fr=ae.id), 2000))
    t.same([x["pc"]["m2m:cin"]["con"] for x in rsp], ["v0", "v1"], "contents of the latest instances")


@check("GMG", "RETRIEVE/FOPT/one-member-lacks-the-path", FAN)
def _(t):
    ae, cnts, grp = group(t)
    t.cin(cnts[0])
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt/la", fr=ae.id), 2000))
    t.equal(sorted(x["rsc"] for x in rsp), [2000, 4004], "response status codes of the members")


@check("GMG", "RETRIEVE/FOPT/deleted-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    t.rsc(t.delete(cnts[0]), 2002)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000))
    good = [x for x in rsp if x["rsc"] == 2000]
    t.equal([x["pc"]["m2m:cnt"]["ri"] for x in good], [cnts[1].ri], "the members that answer")


@check("GMG", "CREATE/FOPT/in-each-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    rsp = responses(t, t.rsc(t.create(grp.path + "/fopt", CIN, {"con": "all"}, fr=ae.id), 2000, 2001))
    t.equal([x["rsc"] for x in rsp], [2001, 2001], "response status codes of the members")
    for c in cnts:
        t.equal(t.retrieve(c.path + "/la", fr=ae.id).get("con"), "all", "content in each member")


@check("GMG", "UPDATE/FOPT/each-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    rsp = responses(t, t.rsc(t.update(grp.path + "/fopt", {"lbl": ["g"]}, root="m2m:cnt", fr=ae.id), 2000, 2004))
    t.equal([x["rsc"] for x in rsp], [2004, 2004], "response status codes of the members")
    for c in cnts:
        t.equal(t.retrieve(c).get("lbl"), ["g"], "labels of each member")


@check("GMG", "DELETE/FOPT/each-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    rsp = responses(t, t.rsc(t.delete(grp.path + "/fopt", fr=ae.id), 2000, 2002))
    t.equal([x["rsc"] for x in rsp], [2002, 2002], "response status codes of the members")
    for c in cnts:
        t.refused(t.retrieve(c), 4004)


@check("GMG", "CREATE/FOPT/refused-by-each-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    rsp = responses(t, t.rsc(t.create(grp.path + "/fopt", CIN, {"xyzzy": 1}, fr=ae.id), 2000))
    t.equal([x["rsc"] for x in rsp], [4000, 4000], "response status codes of the members")


@check("GMG", "CREATE/FOPT/subscription-in-each-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    box = t.box()
    rsp = responses(t, t.rsc(t.create(grp.path + "/fopt", SUB, {"nu": [box.url], "enc": {"net": [3]}}, fr=ae.id), 2000, 2001))
    t.equal([x["rsc"] for x in rsp], [2001, 2001], "response status codes of the members")
    cin = t.cin(cnts[1])
    t.equal(t.note(box).resource.get("ri"), cin.ri, "resourceID of what is notified")


@check("GMG", "RETRIEVE/FOPT/no-members", FAN)
def _(t):
    ae, _, grp = group(t, 0)
    t.refused(t.retrieve(grp.path + "/fopt", fr=ae.id), 4109)


@check("GMG", "RETRIEVE/FOPT/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.retrieve(group(t)[2].path + "/fopt", fr=t.ae().id), 4103)


@check("GMG", "RETRIEVE/FOPT/a-member-is-closed-to-the-originator", FAN)
def _(t):
    ae, other = t.ae(), t.ae()
    mine, hidden = t.cnt(ae), t.cnt(other)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [mine.ri, hidden.ri]}, fr=t.admin)
    t.rsc(t.update(grp, {"acpi": [t.acp([(ae.id, ALL)]).ri]}, fr=t.admin), 2004)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000))
    t.equal(sorted(x["rsc"] for x in rsp), [2000, 4103], "response status codes of the members")


@check("GMG", "RETRIEVE/FOPT/macp-allows-members-to-another", "TS-0001 9.6.13")
def _(t):
    ae, other = t.ae(), t.ae()
    acp = t.acp([(other.id, R)])
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(ae.id, ALL), (other.id, R)]).ri]}, fr=t.admin)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [cnt.ri], "macp": [acp.ri]}, fr=t.admin)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=other.id), 2000))
    t.equal([x["rsc"] for x in rsp], [2000], "response status codes of the members")


@check("GMG", "RETRIEVE/FOPT/macp-forbids", "TS-0001 9.6.13")
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(ae.id, ALL), (other.id, R)]).ri]}, fr=t.admin)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [cnt.ri], "macp": [t.acp([(ae.id, R)]).ri]}, fr=t.admin)
    t.refused(t.retrieve(grp.path + "/fopt", fr=other.id), 4103)
    t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000)


@check("GMG", "RETRIEVE/FOPT/macp-by-operation", "TS-0001 9.6.13")
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(other.id, ALL)]).ri]}, fr=t.admin)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [cnt.ri], "macp": [t.acp([(other.id, R)]).ri]}, fr=t.admin)
    t.rsc(t.retrieve(grp.path + "/fopt", fr=other.id), 2000)
    t.refused(t.create(grp.path + "/fopt", CIN, {"con": "x"}, fr=other.id), 4103)


@check("GMG", "RETRIEVE/FOPT/nested-group", FAN)
def _(t):
    ae, cnts, inner = group(t)
    third = t.cnt(ae)
    outer = t.make(ae, GRP, {"mnm": 5, "mid": [inner.ri + "/fopt", third.ri]})
    rsp = responses(t, t.rsc(t.retrieve(outer.path + "/fopt", fr=ae.id), 2000))
    t.equal(len(rsp), 2, "the number of member responses")
    text = str(rsp)
    t.true(all(repr(c.ri) in text for c in cnts + [third]), "all three containers are among the responses")


@check("GMG", "RETRIEVE/FOPT/group-as-member", FAN)
def _(t):
    ae, cnts, inner = group(t)
    outer = t.make(ae, GRP, {"mnm": 5, "mid": [inner.ri]})
    rsp = responses(t, t.rsc(t.retrieve(outer.path + "/fopt", fr=ae.id), 2000))
    t.equal(len(rsp), 1, "the number of member responses")


@check("GMG", "RETRIEVE/FOPT/a-group-that-contains-itself", FAN)
def _(t):
    ae, cnts, grp = group(t)
    t.rsc(t.update(grp, {"mid": [cnts[0].ri, grp.ri + "/fopt"]}), 2004)
    r = t.retrieve(grp.path + "/fopt", fr=ae.id)
    t.rsc(r, 2000)
    t.equal(sum(1 for x in responses(t, r) if x.get("rsc") == 2000 and "m2m:cnt" in (x.get("pc") or {})), 1, "how often the one container answers")


@check("GMG", "RETRIEVE/GRP/itself-not-the-members", "TS-0004 7.4.13.2.2")
def _(t):
    ae, cnts, grp = group(t)
    t.equal(t.rsc(t.retrieve(grp), 2000).root, "m2m:grp", "root")


@check("GMG", "RETRIEVE/FOPT/result-content-per-member", FAN)
def _(t):
    ae, cnts, grp = group(t)
    t.cin(cnts[0])
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id, rcn=4), 2000))
    t.true(any("m2m:cin" in x["pc"]["m2m:cnt"] for x in rsp), "children are returned as rcn asks")


@check("GMG", "RETRIEVE/FOPT/many-members", FAN)
def _(t):
    ae, cnts, grp = group(t, 30, mnm=30)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000))
    t.equal(len({x["pc"]["m2m:cnt"]["ri"] for x in rsp}), 30, "the number of different members that answer")


@check("GMG", "DELETE/GRP/members-stay", "TS-0004 7.4.13.2.4")
def _(t):
    ae, cnts, grp = group(t)
    t.rsc(t.delete(grp), 2002)
    t.rsc(t.retrieve(cnts[0]), 2000)
    t.refused(t.retrieve(grp.path + "/fopt", fr=ae.id), 4004)


GATHER = "TS-0004 7.4.14.2.5"


@check("GMG", "NOTIFY/GRP/gathers-for-the-forwarding-URI", GATHER)
def _(t):
    ae, cnts, grp = group(t, nar={"num": 3, "dur": "PT1M"})
    box, own = t.box(), t.box()
    t.rsc(t.create(grp.path + "/fopt", SUB, {"rn": "s", "nu": [own.url], "nfu": box.url, "enc": {"net": [CHILD_CREATED]}}, fr=ae.id), 2000)
    subs = [t.rsc(t.retrieve(c.path + "/s", fr=ae.id), 2000).get("ri") for c in cnts]
    box.drain(), own.drain()
    for c in (cnts[0], cnts[1], cnts[0]):
        t.cin(c)
    n = t.note(box, "an aggregated notification")
    t.equal(list(n.body or {}), ["m2m:agn"], "the root of the notification")
    gathered = n.body["m2m:agn"]["m2m:sgn"]
    t.equal([x["sur"].rsplit("/", 1)[-1] for x in gathered], [subs[0], subs[1], subs[0]], "the subscriptions that the aggregate tells of")
    t.silent(own, "nothing at the notificationURI, which the group has replaced")


@check("GMG", "NOTIFY/GRP/sends-what-it-has-after-the-duration", GATHER, slow=True)
def _(t):
    ae, cnts, grp = group(t, nar={"num": 100, "dur": "PT1S"})
    box = t.box()
    t.rsc(t.create(grp.path + "/fopt", SUB, {"nu": [box.url], "nfu": box.url, "enc": {"net": [CHILD_CREATED]}}, fr=ae.id), 2000)
    box.drain()
    t.cin(cnts[0])
    n = t.note(box, "an aggregated notification")
    t.equal(len(n.body["m2m:agn"]["m2m:sgn"]), 1, "the number of notifications in the aggregate")


@check("GMG", "CREATE/FOPT/without-forwarding-URI-each-member-notifies", "TS-0004 7.4.14.2.3")
def _(t):
    ae, cnts, grp = group(t, nar={"num": 3, "dur": "PT1M"})
    box = t.box()
    t.rsc(t.create(grp.path + "/fopt", SUB, {"nu": [box.url], "enc": {"net": [CHILD_CREATED]}}, fr=ae.id), 2000)
    box.drain()
    t.cin(cnts[0])
    t.true("m2m:sgn" in (t.note(box).body or {}), "the member's own notification arrives")


@check("GMG", "RETRIEVE/FOPT/target-members", "TS-0004 7.4.14.2.4")
def _(t):
    ae, cnts, grp = group(t, 3)
    rsp = responses(t, t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id, gtm=[cnts[0].ri, cnts[2].ri]), 2000))
    t.same([x["pc"]["m2m:cnt"]["ri"] for x in rsp], [cnts[0].ri, cnts[2].ri], "the members that answer")
    t.refused(t.retrieve(grp.path + "/fopt", fr=ae.id, gtm=[cnts[0].ri, ae.ri]), 4000)
