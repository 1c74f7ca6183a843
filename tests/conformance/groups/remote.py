"""ANN: announcement to another CSE. RET: requests, notifications and groups across two CSEs.

An MN-CSE is registered with the CSE under test; `t` has the hands at the latter, `t.mn` at the former."""
import base64
import functools

from conformance import tables
from conformance.check import check
from conformance.names import *
from groups.resources import PLANS, Plan, create as make_by_table

ANN = "TS-0004 7.3.3.10"


def announced(t, r, what="the resource"):
    """The address of the announced resource, from announceTo."""
    at = r.get("at")
    t.true(isinstance(at, list) and len(at) == 1 and at[0].startswith(t.mn.csi + "/"), "announceTo of %s is the address at %s, got %s" % (what, t.mn.csi, at))
    return at[0]


def there(t, address):
    return t.mn.retrieve(address)


def announce(t, ty, attributes, parent=None, root=None, **more):
    r = t.make(parent or t.ae(), ty, dict(attributes, at=[t.mn.csi], **more), root=root)
    return r, announced(t, r.rep)


@check("ANN", "CREATE/AE/announced", ANN, needs="mn")
def _(t):
    ae = t.ae(at=[t.mn.csi])
    r = t.rsc(there(t, announced(t, ae.rep)), 2000)
    t.equal([r.root, r.get("ty")], ["m2m:aeA", 10002], "root and resourceType")
    t.true(str(r.get("lnk")).endswith(ae.ri) and t.csi in str(r.get("lnk")), "link %r addresses the original" % r.get("lnk"))
    t.equal(r.get("srv"), ae["srv"], "supportedReleaseVersions, which is announced always")


@check("ANN", "CREATE/AE/announced-below-a-CSEBaseAnnc", ANN, needs="mn")
def _(t):
    ae = t.ae(at=[t.mn.csi])
    r = t.rsc(there(t, announced(t, ae.rep)), 2000)
    p = t.rsc(t.mn.retrieve(r.get("pi")), 2000)
    t.equal([p.root, p.get("ty")], ["m2m:cbA", 10005], "root and resourceType of the parent")
    t.true(str(p.get("lnk")).startswith(t.csi) or t.csi in str(p.get("lnk")), "link %r of the parent addresses the CSE" % p.get("lnk"))


@check("ANN", "CREATE/CNT/announced", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"lbl": ["a"]})
    r = t.rsc(there(t, where), 2000)
    t.equal([r.root, r.get("ty"), r.get("lbl")], ["m2m:cntA", 10003, ["a"]], "root, resourceType and labels")
    t.true("mni" not in r.rep and "cni" not in r.rep, "what was not announced is not there")


@check("ANN", "CREATE/CNT/announced-attribute", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"mni": 5, "aa": ["mni"]})
    t.equal(t.rsc(there(t, where), 2000).get("mni"), 5, "maxNrOfInstances")


@check("ANN", "CREATE/CNT/attribute-of-no-resource-of-the-type", ANN, needs="mn")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"at": [t.mn.csi], "aa": ["xyzzy"]}), 4000)


@check("ANN", "CREATE/CNT/below-its-announced-parent", ANN, needs="mn")
def _(t):
    ae = t.ae(at=[t.mn.csi])
    parent = announced(t, ae.rep)
    cnt, where = announce(t, CNT, {}, ae)
    t.equal(t.rsc(there(t, where), 2000).get("pi"), t.rsc(there(t, parent), 2000).get("ri"), "parentID of the announced container")


@check("ANN", "UPDATE/CNT/announced-attribute-follows", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"mni": 5, "aa": ["mni"]})
    t.rsc(t.update(cnt, {"mni": 6}), 2004)
    t.until("the announced attribute follows", lambda: there(t, where).get("mni") == 6)


@check("ANN", "UPDATE/CNT/labels-follow", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"lbl": ["a"]})
    t.rsc(t.update(cnt, {"lbl": ["b"]}), 2004)
    t.until("the labels follow", lambda: there(t, where).get("lbl") == ["b"])
    t.rsc(t.update(cnt, {"lbl": None}), 2004)
    t.until("the labels are gone", lambda: there(t, where).get("lbl") is None)


@check("ANN", "UPDATE/CNT/aa-added", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"mni": 5})
    t.rsc(t.update(cnt, {"aa": ["mni"]}), 2004)
    t.until("the attribute is announced", lambda: there(t, where).get("mni") == 5)


@check("ANN", "UPDATE/CNT/aa-removed", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {"mni": 5, "aa": ["mni"]})
    t.rsc(t.update(cnt, {"aa": None}), 2004)
    t.until("the attribute is announced no more", lambda: there(t, where).rsc == 2000 and there(t, where).get("mni") is None)


@check("ANN", "UPDATE/CNT/at-added", ANN, needs="mn")
def _(t):
    cnt = t.cnt()
    r = t.rsc(t.update(cnt, {"at": [t.mn.csi]}), 2004)
    where = announced(t, r.rep if r.rep and "at" in r.rep else t.retrieve(cnt).rep)
    t.equal(t.rsc(there(t, where), 2000).get("ty"), 10003, "resourceType")


@check("ANN", "UPDATE/CNT/at-removed", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {})
    t.rsc(there(t, where), 2000)
    t.rsc(t.update(cnt, {"at": None}), 2004)
    t.until("the announced resource is gone", lambda: there(t, where).rsc == 4004)
    t.rsc(t.retrieve(cnt), 2000)


@check("ANN", "DELETE/CNT/announced-goes-too", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {})
    t.rsc(t.delete(cnt), 2002)
    t.until("the announced resource is gone", lambda: there(t, where).rsc == 4004)


@check("ANN", "DELETE/AE/everything-announced-goes-too", ANN, needs="mn")
def _(t):
    ae = t.ae(at=[t.mn.csi])
    cnt, where = announce(t, CNT, {}, ae)
    t.rsc(t.delete(ae), 2002)
    t.until("the announced resources are gone", lambda: there(t, announced(t, ae.rep)).rsc == 4004 and there(t, where).rsc == 4004)


@check("ANN", "CREATE/CNT/unknown-CSE", ANN, needs="mn")
def _(t):
    ae = t.ae()
    r = t.create(ae, CNT, {"at": ["/" + t.name("id-nowhere")]})
    if r.rsc == 2001:
        t.true(not any("/" in x[1:] for x in r.get("at") or []), "announceTo names no announced resource, got %s" % r.get("at"))
    else:
        t.refused(r, 4000, 4004, 5103)


@check("ANN", "RETRIEVE/CNTA/original-resource", "TS-0001 8.1.2", needs="mn")
def _(t):
    ae = t.ae()
    acp = t.acp([("all", R)])
    cnt = t.make(ae, CNT, {"at": [t.mn.csi], "mni": 5, "acpi": [acp.ri]}, fr=t.admin)
    r = t.rsc(t.mn.retrieve(announced(t, cnt.rep), rcn=7), 2000)
    t.equal([r.root, r.get("ri"), r.get("mni")], ["m2m:cnt", cnt.ri, 5], "root, resourceID and maxNrOfInstances of the original")


@check("ANN", "CREATE/CNTA/not-by-an-AE", ANN, needs="mn")
def _(t):
    t.refused(t.create(t.ae(), 10003, {"lnk": "/id-x/y"}, root="m2m:cntA"), 4000, 4005, 4103, 4108)


@check("ANN", "UPDATE/CNTA/not-by-an-AE", ANN, needs="mn")
def _(t):
    cnt, where = announce(t, CNT, {})
    stranger = t.mn.ae()
    t.refused(t.mn.update(where, {"lbl": ["x"]}, root="m2m:cntA", fr=stranger.id), 4103)


@check("ANN", "DISCOVER/CNTA/by-type", "TS-0004 7.3.3.17", needs="mn")
def _(t):
    label = t.name("label")
    cnt, where = announce(t, CNT, {"lbl": [label]})
    r = t.rsc(t.mn.retrieve(t.mn.cse, fu=1, ty=10003, lbl=label, drt=2), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], [where.rsplit("/", 1)[-1]], "what discovery at the other CSE finds")


@check("ANN", "CREATE/CNT/announced-from-the-MN-to-the-IN", ANN, needs="mn")
def _(t):
    ae = t.mn.ae()
    cnt = t.mn.make(ae, CNT, {"at": [t.csi], "lbl": ["from below"]})
    at = cnt.get("at")
    t.true(isinstance(at, list) and len(at) == 1 and at[0].startswith(t.csi + "/"), "announceTo is the address at %s, got %s" % (t.csi, at))
    r = t.rsc(t.retrieve(at[0]), 2000)
    t.equal([r.root, r.get("lbl")], ["m2m:cntA", ["from below"]], "root and labels")


def by_type(name, t):
    """Each type that can be announced, by its table: root, type and the attributes that are always announced."""
    ty = tables.TYPES[name]
    t.supports(ty.ty)
    p = PLANS[name](t)
    r = t.rsc(make_by_table(t, name, p, {"at": [t.mn.csi], "lbl": ["tabled"]}), 2001)
    got = t.rsc(there(t, announced(t, r.rep, name)), 2000)
    t.equal([got.root, got.get("ty"), got.get("lbl")], [ty.root + "A", ty.ty + 10000, ["tabled"]], "root, resourceType and labels")
    t.true(str(got.get("lnk")).endswith((r.rep["ri"], str(r.rep["rn"]))), "link %r addresses the original" % got.get("lnk"))
    for a in ty.attributes:
        if a.announce == "MA" and a.short in r.rep and a.short not in ("et", "lbl", "acpi", "lnk", "esi"):
            # an identifier of this CSE means nothing at another: SP-relative it does
            t.true(got.get(a.short) in (r.rep[a.short], "%s/%s" % (t.csi, r.rep[a.short])), "%s, which is announced always" % a.short)
        if a.announce == "NA" and a.short not in ("rn", "ty", "ri", "pi", "ct", "lt", "acpi", "at", "aa", "cr", "daci", "ast", "st"):
            t.true(a.short not in got.rep, "%s, which cannot be announced, is not there" % a.short)


for _name in PLANS:
    if _name in tables.TYPES and any(a.short == "at" for a in tables.TYPES[_name].attributes) and _name not in ("remoteCSE", "AE", "ontology", "ontologyRepository"):
        check("ANN", "CREATE/%s/announced-by-its-table" % tables.TYPES[_name].sn.upper(), ANN, needs="mn")(functools.partial(by_type, _name))


# retargeting

RET = "TS-0004 7.3.2.6"


def far(t):
    """A container at the MN-CSE, open to an AE of the CSE under test: (AE, address)."""
    ae = t.ae()
    acp = t.mn.acp([([t.csi + "/" + ae.id, t.mn.admin], ALL)])
    cnt = t.mn.make(t.mn.cse, CNT, {"acpi": [acp.ri], "lbl": ["far"]})
    return ae, cnt, t.mn.csi + "/" + cnt.path


def reached(form, t):
    ae, cnt, _ = far(t)
    r = t.rsc(t.retrieve(form(t, cnt), fr=ae.id), 2000)
    t.equal([r.get("ri"), r.get("lbl")], [cnt.ri, ["far"]], "resourceID and labels")


for _tag, _form in (("sp-relative-structured", lambda t, c: t.mn.csi + "/" + c.path), ("sp-relative-unstructured", lambda t, c: t.mn.csi + "/" + c.ri), ("sp-relative-hyphen", lambda t, c: t.mn.csi + "/-/" + c.rn), ("absolute", lambda t, c: "//acme.example.com" + t.mn.csi + "/" + c.path)):
    check("RET", "RETRIEVE/CNT/%s" % _tag, RET, needs="mn")(functools.partial(reached, _form))


@check("RET", "CREATE/CIN/at-the-other-CSE", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    r = t.rsc(t.create(to, CIN, {"con": "from afar"}, fr=ae.id), 2001)
    t.equal(t.mn.retrieve(cnt.path + "/la").get("con"), "from afar", "content at the other CSE")
    t.true(r.get("ri"), "the response has the resource")


@check("RET", "UPDATE/CNT/at-the-other-CSE", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    t.rsc(t.update(to, {"lbl": ["changed"]}, root="m2m:cnt", fr=ae.id), 2004)
    t.equal(t.mn.retrieve(cnt).get("lbl"), ["changed"], "labels at the other CSE")


@check("RET", "DELETE/CNT/at-the-other-CSE", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    t.rsc(t.delete(to, fr=ae.id), 2002)
    t.refused(t.mn.retrieve(cnt), 4004)


@check("RET", "DISCOVER/CNT/at-the-other-CSE", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    t.mn.cnt(cnt, rn="deep", lbl=["deep"], acpi=cnt["acpi"])
    r = t.rsc(t.retrieve(to, fr=ae.id, fu=1, lbl="deep"), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].endswith(cnt.path + "/deep"), "the container is found, got %s" % r.rep)


def relayed(what, t):
    ae, cnt, to = far(t)
    if what == 4004:
        t.refused(t.retrieve(to + "/nothing", fr=ae.id), 4004)
    elif what == 4103:
        t.refused(t.retrieve(to, fr=t.ae().id), 4103)
    elif what == 4000:
        t.refused(t.create(to, CNT, {"xyzzy": 1}, fr=ae.id), 4000)
    elif what == 4105:
        t.rsc(t.create(to, CNT, {"rn": "x"}, fr=ae.id), 2001)
        t.refused(t.create(to, CNT, {"rn": "x"}, fr=ae.id), 4105)
    else:
        t.refused(t.create(to, AE, {"api": "N.x", "rr": False, "srv": ["3"]}, fr=ae.id), 4108)


for _what in (4000, 4004, 4103, 4105, 4108):
    check("RET", "REQUEST/RSC/%d-is-relayed" % _what, RET, needs="mn")(functools.partial(relayed, _what))


@check("RET", "RETRIEVE/PARAM/result-content-is-relayed", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    t.rsc(t.create(to, CIN, {"con": "x"}, fr=ae.id), 2001)
    t.equal(len(t.rsc(t.retrieve(to, fr=ae.id, rcn=4), 2000).rep.get("m2m:cin", [])), 1, "the number of children returned")


@check("RET", "REQUEST/RQI/request-identifier-comes-back", RET, needs="mn")
def _(t):
    ae, cnt, to = far(t)
    r = t.rsc(t.send("R", to, fr=ae.id, ri="my-own-1"), 2000)
    t.equal(r.headers.get("x-m2m-ri"), "my-own-1", "X-M2M-RI")


@check("RET", "RETRIEVE/CNT/from-the-MN-upwards", RET, needs="mn")
def _(t):
    ae = t.mn.ae()
    acp = t.acp([(t.mn.csi + "/" + ae.id, ALL)])
    cnt = t.make(t.cse, CNT, {"acpi": [acp.ri], "lbl": ["above"]})
    t.equal(t.rsc(t.mn.retrieve(t.csi + "/" + cnt.path, fr=ae.id), 2000).get("lbl"), ["above"], "labels")


@check("RET", "RETRIEVE/CNT/upwards-without-privilege", RET, needs="mn")
def _(t):
    ae = t.mn.ae()
    cnt = t.make(t.cse, CNT, {})
    t.refused(t.mn.retrieve(t.csi + "/" + cnt.path, fr=ae.id), 4103)


@check("RET", "RETRIEVE/CNT/unknown-CSE-from-the-MN", RET, needs="mn")
def _(t):
    ae = t.mn.ae()
    t.refused(t.mn.retrieve("/" + t.name("id-nowhere") + "/x", fr=ae.id), 4004, 5103)


@check("RET", "RETRIEVE/RT/1-across", "TS-0001 8.2.2", needs="mn")
def _(t):
    ae, cnt, to = far(t)
    r = t.rsc(t.send("R", to, fr=ae.id, query=[("rt", 1)]), 1001)
    got = t.until("the request is carried out", lambda: (lambda q: q if q.get("rs") in (1, 2) else None)(t.retrieve(r.rep, fr=ae.id)))
    t.equal(got.get("ors", "rsc"), 2000, "response status code of the operation")


@check("RET", "RETRIEVE/RT/2-across", "TS-0001 8.2.2", needs="mn")
def _(t):
    ae, cnt, to = far(t)
    box = t.box()
    t.rsc(t.send("R", to, fr=ae.id, query=[("rt", 2)], headers={"X-M2M-RTU": box.url}), 1002)
    t.equal(((t.note(box).body or {}).get("m2m:rsp") or {}).get("rsc"), 2000, "rsc")


@check("RET", "NOTIFY/SUB/from-the-other-CSE-to-an-AE", "TS-0004 7.5.1.2.2", needs="mn")
def _(t):
    box = t.box()
    ae = t.ae(box)
    acp = t.mn.acp([([t.csi + "/" + ae.id, t.mn.admin], ALL)])
    cnt = t.mn.make(t.mn.cse, CNT, {"acpi": [acp.ri]})
    to = t.mn.csi + "/" + cnt.path
    t.rsc(t.create(to, SUB, {"nu": [t.csi + "/" + ae.id], "enc": {"net": [3]}}, fr=ae.id), 2001)
    t.rsc(t.create(to, CIN, {"con": "news"}, fr=ae.id), 2001)
    t.equal(t.note(box).resource.get("con"), "news", "content in the notification")


@check("RET", "NOTIFY/SUB/to-an-AE-of-the-other-CSE", "TS-0004 7.5.1.2.2", needs="mn")
def _(t):
    box = t.box()
    far_ae = t.mn.ae(box)
    acp = t.mn.acp([("all", N), (far_ae.id, ALL)])
    t.mn.update(far_ae, {"acpi": [acp.ri]}, fr=t.mn.admin)
    cnt = t.cnt()
    t.rsc(t.create(cnt, SUB, {"nu": [t.mn.csi + "/" + far_ae.id], "enc": {"net": [1]}}), 2001)
    t.equal(len(box.verifications), 1, "the number of verification requests")
    t.rsc(t.update(cnt, {"lbl": ["news"]}), 2004)
    t.equal(t.note(box).resource.get("lbl"), ["news"], "labels in the notification")


@check("RET", "RETRIEVE/FOPT/members-at-both-CSEs", "TS-0004 7.4.14.2.1", needs="mn")
def _(t):
    ae, cnt, to = far(t)
    near = t.cnt(ae)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [near.ri, t.mn.csi + "/" + cnt.ri]})
    r = t.rsc(t.retrieve(grp.path + "/fopt", fr=ae.id), 2000)
    t.same([x["pc"]["m2m:cnt"]["ri"] for x in r.rep.get("m2m:rsp", []) if x.get("rsc") == 2000], [near.ri, cnt.ri], "resourceIDs of the members that answer")


@check("RET", "CREATE/FOPT/members-at-both-CSEs", "TS-0004 7.4.14.2.1", needs="mn")
def _(t):
    ae, cnt, to = far(t)
    near = t.cnt(ae)
    grp = t.make(ae, GRP, {"mnm": 5, "mid": [near.ri, t.mn.csi + "/" + cnt.ri]})
    t.rsc(t.create(grp.path + "/fopt", CIN, {"con": "both"}, fr=ae.id), 2000, 2001)
    t.equal([t.retrieve(near.path + "/la", fr=ae.id).get("con"), t.mn.retrieve(cnt.path + "/la").get("con")], ["both", "both"], "contents at both")


@check("RET", "RETRIEVE/CSR/both-know-each-other", "TS-0004 7.4.4.2.1", needs="mn")
def _(t):
    r = t.rsc(t.retrieve(t.cse, rcn=4, ty=16, lvl=1), 2000)
    mine = [c for c in r.rep.get("m2m:csr", []) if c.get("csi") == t.mn.csi]
    t.equal(len(mine), 1, "the number of remoteCSEs of the MN-CSE")
    t.equal([mine[0].get("cst"), mine[0].get("rr")], [2, True], "cseType and requestReachability")
    r = t.rsc(t.mn.retrieve(t.mn.cse, rcn=4, ty=16, lvl=1), 2000)
    t.equal([c.get("csi") for c in r.rep.get("m2m:csr", [])], [t.csi], "CSE-IDs that the MN-CSE knows")


@check("RET", "RETRIEVE/CB/of-the-MN", "TS-0001 9.6.3", needs="mn")
def _(t):
    r = t.rsc(t.mn.retrieve(t.mn.cse), 2000)
    t.equal([r.get("cst"), r.get("csi")], [2, t.mn.csi], "cseType and CSE-ID")


CMDH = "TS-0001 D.12"


@check("DMG", "CREATE/MGO/one-activeCmdhPolicy", CMDH + ".1", needs=(NOD, MGO))
def _(t):
    node = t.make(t.cse, NOD, {"ni": t.name("node")})
    t.make(node, MGO, {"mgd": 1012, "acmlk": "x"}, root="m2m:acmp")
    t.refused(t.create(node, MGO, {"mgd": 1012, "acmlk": "y"}, root="m2m:acmp"), 4105, 4005, 5106)


@check("RET", "RETRIEVE/CMDH/limits-of-the-request-expiration", CMDH + ".5", needs="mn")
def _(t):
    mn = t.mn
    ae = mn.ae()
    node = mn.make(mn.cse, NOD, {"ni": mn.name("node"), "hcl": mn.csi})

    def managed(root, attributes):
        return mn.make(node, MGO, attributes, root=root)
    value = managed("m2m:cmdv", {"mgd": 1014, "od": 1, "dev": 104, "ror": [ae.id]})
    defaults = managed("m2m:cmdf", {"mgd": 1013, "cmlk": [{"nm": "v", "typ": 1014, "val": value.ri}]})
    free = {"mgd": 1016, "ror": [ae.id], "lset": [0, -1], "loet": [0, -1], "lrp": [0, -1], "lda": [True]}
    limits = managed("m2m:cml", dict(free, od=1, lec=[104], lqet=[0, 60000]))
    others = managed("m2m:cml", dict(free, od=2, lec=[4], lqet=[0, -1]))
    policy = managed("m2m:cmp", {"mgd": 1011, "cpn": "p", "cmlk": [{"nm": "d", "typ": 1013, "val": defaults.ri}, {"nm": "l", "typ": 1016, "val": limits.ri}, {"nm": "o", "typ": 1016, "val": others.ri}]})

    def ask(**more):
        headers = {"X-M2M-RET": "PT10M"}
        headers.update(more)
        return mn.retrieve("%s/%s" % (t.csi, t.cse), fr=ae.id, headers=headers)
    before = ask()
    t.true(before.rsc != 5207, "nothing limits the request before the policy is active, got %s" % before)
    managed("m2m:acmp", {"mgd": 1012, "acmlk": policy.ri})
    t.refused(ask(), 5207)
    t.true(ask(**{"X-M2M-RET": "PT10S"}).rsc == before.rsc, "a request within the limits goes on as before")
    t.true(ask(**{"X-M2M-EC": "4"}).rsc == before.rsc, "a request of another event category goes by the limits for that")


@check("RET", "DISCOVER/CB/results-of-another-CSE-are-SP-relative", "TS-0001 9.3.1", needs="mn")
def _(t):
    cnt = t.mn.cnt(lbl=[t.name("far")])
    r = t.rsc(t.retrieve(t.mn.csi + "/" + t.mn.cse, fr=t.mn.csi + "/" + t.mn.admin, fu=1, lbl=cnt["lbl"][0]), 2000)
    t.equal(r.rep, [t.mn.csi + "/" + cnt.path], "what an originator of the other CSE is told by way of this one")


@check("RET", "RETRIEVE/CNT/policy-of-another-CSE", "TS-0001 9.6.1.3.2", needs="mn")
def _(t):
    far = "C" + t.name("far")
    acp = t.mn.acp([([far + "*"], R), ([t.csi + "/" + far], U)], [([t.csi, t.mn.admin], ALL)])
    cnt = t.make(t.ae(), CNT, {"acpi": [t.mn.csi + "/" + acp.ri]})
    t.rsc(t.retrieve(cnt, fr=t.mn.csi + "/" + far + "1"), 2000)
    t.refused(t.retrieve(cnt, fr=far + "1"), 4103)
    t.refused(t.update(cnt, {"lbl": ["a"]}, fr=t.mn.csi + "/" + far), 4103)
    t.rsc(t.update(cnt, {"lbl": ["a"]}, fr=far), 2004)
    t.rsc(t.mn.delete(acp, fr=t.mn.admin), 2002)
    t.refused(t.retrieve(cnt, fr=t.mn.csi + "/" + far + "1"), 4103)


# An AE whose AE-ID begins with S is known at the IN-CSE by that

PLACE = "TS-0001 10.2.2.2"


def placed(t, fr, **a):
    """Registers an AE at the MN-CSE; (the AE, the address of its double at the IN-CSE)."""
    from conformance.check import Resource
    r = t.mn.rsc(t.mn.create(t.mn.cse, AE, dict({"rn": t.mn.name("placed"), "api": "Nplaced", "rr": True, "srv": ["4"]}, **a), fr=fr), 2001)
    t.mn.made.append(Resource(t.mn.cse + "/" + r.get("rn"), r.rep, r.get("aei"), AE))
    return t.mn.made[-1], t.cse + "/" + r.get("aei")


@check("REG", "CREATE/AE/S-type-has-its-double-below-the-base-of-the-IN-CSE", PLACE, needs="mn")
def _(t):
    ae, double = placed(t, "S")
    r = t.rsc(t.retrieve(double, fr=t.admin), 2000)
    t.equal([r.root, r.get("rn"), r.get("aei"), r.get("lnk")], ["m2m:aeA", ae["aei"], ae["aei"], t.mn.csi + "/" + ae.ri], "root, name, AE-ID and link")
    t.delete(double, fr=t.admin)


@check("REG", "DELETE/AE/S-type-leaves-its-double-inactive", PLACE, needs="mn")
def _(t):
    ae, double = placed(t, "S")
    t.rsc(t.mn.delete(ae), 2002)
    t.equal(t.rsc(t.retrieve(double, fr=t.admin), 2000).get("lnk"), "INACTIVE", "link after the AE's end")
    again, same = placed(t, ae["aei"])
    t.equal([same, again["aei"]], [double, ae["aei"]], "the AE-ID that it comes back with")
    t.equal(t.rsc(t.retrieve(double, fr=t.admin), 2000).get("lnk"), t.mn.csi + "/" + again.ri, "link when it is back")
    t.rsc(t.delete(double, fr=t.admin), 2002)


@check("REG", "CREATE/AEAnnc/below-the-base-only-of-an-AE-of-its-own", PLACE, needs=CSR)
def _(t):
    csi, other, stem = "/" + t.name("id-one"), "/" + t.name("id-two"), "S" + t.name("ae")
    for c in (csi, other):
        t.make(t.cse, CSR, {"cb": c + "/cse", "csi": c, "rr": False, "srv": ["4"]}, fr=c)

    def double(fr, **a):
        return t.create(t.cse, AE + 10000, dict({"rn": stem, "aei": stem, "srv": ["4"], "lnk": csi + "/" + stem}, **a), fr=fr, root="m2m:aeA")
    t.refused(double(other), 4103)
    t.refused(double(csi, rn="other"), 4103)
    r = t.rsc(double(csi), 2001)
    path = t.cse + "/" + r.get("rn")
    change = lambda fr, link: t.send("U", path, fr=fr, pc={"m2m:aeA": {"lnk": link}})
    t.refused(change(other, other + "/" + stem), 4103)
    t.rsc(change(csi, "INACTIVE"), 2004)
    t.refused(change(other, csi + "/" + stem), 4000)
    t.rsc(change(other, other + "/" + stem), 2004)
    t.rsc(change(other, "INACTIVE"), 2004)
    t.rsc(t.delete(path, fr=t.admin), 2002)


# An AE registers at the MN-CSE and then at the CSE under test

MOVE = "TS-0004 7.5.1.2.16"


def tracked(side, stem, box):
    """The registration of an AE that wants to be tracked as it moves."""
    box.known_as("%s/%s" % (side.csi, stem))
    anybody = side.acp([(["all"], ALL)])
    a = {"rn": side.name("moving"), "api": "Nmoving", "rr": True, "srv": ["4"], "trps": True, "poa": [box.poa], "acpi": [anybody.ri]}
    r = side.rsc(side.create(side.cse, AE, a, fr=stem), 2001)
    from conformance.check import Resource
    side.made.append(Resource(side.cse + "/" + r.get("rn"), r.rep, stem, AE))
    return side.made[-1]


def moving(t):
    """(its registration at the MN-CSE, its AE-ID, where it was, where it is going)."""
    stem = "S" + t.name("ae")
    before = t.box()
    ae = tracked(t.mn, stem, before)
    t.until("the AE is known at the IN-CSE", lambda: t.send("N", "/" + stem, pc={"m2m:sgn": {"sur": "here"}}).rsc == 2000)
    t.note(before)
    return ae, stem, before, t.box()


@check("REG", "CREATE/AE/moved-the-old-registration-is-inactive", MOVE, needs="mn")
def _(t):
    ae, stem, before, after = moving(t)
    t.equal(t.mn.retrieve(ae).get("regs"), 1, "registrationStatus (1: ACTIVE) before the move")
    tracked(t, stem, after)
    t.until("the old registration is INACTIVE", lambda: t.mn.retrieve(ae, fr=t.mn.admin).get("regs") == 2)


@check("REG", "CREATE/AE/moved-references-follow", MOVE, needs="mn")
def _(t):
    ae, stem, before, after = moving(t)
    here, there = t.csi + "/" + stem, t.mn.csi + "/" + stem
    g = t.make(t.ae(), GRP, {"mnm": 3, "mid": [there]})
    p = t.acp([([there], ALL)])
    far = t.mn.make(t.mn.ae(), GRP, {"mnm": 3, "mid": [there]})
    tracked(t, stem, after)
    t.until("the member of the group is at its new place", lambda: t.retrieve(g).get("mid") == [here])
    t.until("so is the originator of the policy", lambda: t.retrieve(p, fr=t.admin).get("pv", "acr")[0]["acor"] == [here])
    t.until("and the member at the other CSE", lambda: t.mn.retrieve(far).get("mid") == [here])


@check("REG", "NOTIFY/AE/moved-is-reached-at-its-new-place", MOVE, needs="mn")
def _(t):
    ae, stem, before, after = moving(t)
    cnt = t.cnt()
    t.make(cnt, SUB, {"nu": [t.mn.csi + "/" + stem], "enc": {"net": [3]}})
    tracked(t, stem, after)
    t.until("the old registration is INACTIVE", lambda: t.mn.retrieve(ae, fr=t.mn.admin).get("regs") == 2)
    before.drain()
    t.cin(cnt, "moved")
    t.true(t.note(after).rep["m2m:cin"]["con"] == "moved", "the notification arrives where the AE is")
    t.rsc(t.mn.send("N", ae.path, fr=t.mn.admin, pc={"m2m:sgn": {"sur": "old"}}), 2000)
    t.equal(t.note(after).sgn.get("sur"), "old", "a request for its old registration")
    t.silent(before, "nothing where it was")


@check("REG", "NOTIFY/CB/AE-registration-point-of-another-CSE", MOVE, needs=(ALST, CSR))
def _(t):
    csi = "/" + t.name("id-ref")
    t.make(t.cse, CSR, {"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["4"]}, fr=csi)
    g = t.make(t.ae(), GRP, {"mnm": 3, "mid": ["/id-old/Cx"]})

    def tell(fr, where):
        return t.send("N", t.csi, fr=fr, pc={"m2m:sgn": {"aerp": True, "tid1": "/id-old/Cx", "tid2": where}})
    t.refused(tell(csi, "/id-other/Cx"), 4103)
    t.refused(tell(t.ae().id, csi + "/Cx"), 4103)
    t.rsc(tell(csi, csi + "/Cx"), 2000)
    t.until("the member of the group is at its new place", lambda: t.retrieve(g).get("mid") == [csi + "/Cx"])
