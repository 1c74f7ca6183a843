"""REG: registration of AEs and of other CSEs."""
import functools

from conformance.check import ALL, check
from conformance.names import *

AE_CREATE = "TS-0004 7.4.5.2.1"
CSR_CREATE = "TS-0004 7.4.4.2.1"


def body(**more):
    return dict({"api": "N.keyway.test", "rr": False, "srv": ["3", "4"]}, **more)


def register(t, fr, **more):
    r = t.create(t.cse, AE, dict(body(rn=t.name("reg")), **more), fr=fr)
    if r.rsc == 2001 and r.get("rn"):
        from conformance.check import Resource
        t.made.append(Resource(t.cse + "/" + r.get("rn"), r.rep, r.get("aei"), AE))
    return r


@check("REG", "CREATE/AE/originator-given", AE_CREATE)
def _(t):
    fr = "C" + t.name("me")
    r = t.rsc(register(t, fr), 2001)
    t.equal(r.get("aei"), fr, "AE-ID")


@check("REG", "CREATE/AE/originator-C", AE_CREATE)
def _(t):
    aei = t.rsc(register(t, "C"), 2001).get("aei")
    t.true(isinstance(aei, str) and aei.startswith("C") and len(aei) > 1, "the assigned AE-ID begins with C, got %r" % aei)


@check("REG", "CREATE/AE/originator-S", AE_CREATE)
def _(t):
    aei = t.rsc(register(t, "S"), 2001).get("aei")
    t.true(isinstance(aei, str) and aei.lstrip("/").startswith("S") and len(aei) > 1, "the assigned AE-ID begins with S, got %r" % aei)


@check("REG", "CREATE/AE/originator-S-given", AE_CREATE)
def _(t):
    fr = "S" + t.name("me")
    aei = t.rsc(register(t, fr), 2001).get("aei")
    t.equal(aei.lstrip("/"), fr, "AE-ID")


@check("REG", "CREATE/AE/no-originator", AE_CREATE)
def _(t):
    aei = t.rsc(register(t, None), 2001).get("aei")
    t.true(isinstance(aei, str) and aei.lstrip("/")[:1] in ("C", "S"), "an AE-ID is assigned, got %r" % aei)


@check("REG", "CREATE/AE/empty-originator", AE_CREATE)
def _(t):
    aei = t.rsc(register(t, ""), 2001).get("aei")
    t.true(isinstance(aei, str) and aei.lstrip("/")[:1] in ("C", "S"), "an AE-ID is assigned, got %r" % aei)


@check("REG", "CREATE/AE/two-assigned-ids-differ", AE_CREATE)
def _(t):
    a, b = (t.rsc(register(t, "C"), 2001).get("aei") for _ in range(2))
    t.true(a != b, "two AEs do not get the same AE-ID %r" % a)


@check("REG", "CREATE/AE/assigned-id-works-as-originator", AE_CREATE)
def _(t):
    r = t.rsc(register(t, "C"), 2001)
    t.rsc(t.retrieve(t.made[-1], fr=r.get("aei")), 2000)


def wrong_originator(fr, t):
    t.refused(register(t, fr), 4000, 4103, 4106, 4126)


for _fr in ("Xabc", "abc", "/id-other/Cabc", "C a", "C/a", "7"):
    check("REG", "CREATE/AE/originator-not-allowed-%s" % _fr.replace(" ", "_").replace("/", "."), AE_CREATE)(functools.partial(wrong_originator, _fr))


@check("REG", "CREATE/AE/already-registered", AE_CREATE)
def _(t):
    ae = t.ae()
    t.refused(register(t, ae.id), 4117)


@check("REG", "CREATE/AE/name-taken-by-another", "TS-0004 7.3.3.5")
def _(t):
    ae = t.ae()
    t.refused(register(t, "C" + t.name("other"), rn=ae.rn), 4105)


@check("REG", "CREATE/AE/again-after-delete", AE_CREATE)
def _(t):
    ae = t.ae()
    t.rsc(t.delete(ae), 2002)
    t.rsc(register(t, ae.id), 2001)


def api(value, ok, t):
    r = register(t, "C" + t.name("api"), api=value)
    if ok:
        t.equal(t.rsc(r, 2001).get("api"), value, "App-ID")
    else:
        t.refused(r, 4000)


for _value, _ok in (("Nabc", True), ("Rabc", True), ("R01.com.company.app01", True), ("N.a.b", True), ("wrong", False), ("abc", False), ("", False), ("1N", False)):
    check("REG", "CREATE/AE/api-%s-%s" % (_value or "empty", "accepted" if _ok else "refused"), "TS-0001 7.1.8")(functools.partial(api, _value, _ok))


def lacking(name, t):
    fr = "C" + t.name("lack")
    b = body(rn=t.name("reg"))
    del b[name]
    t.refused(t.create(t.cse, AE, b, fr=fr), 4000)
    t.rsc(register(t, fr), 2001)


for _name in ("api", "rr", "srv"):
    check("REG", "CREATE/AE/%s-missing" % _name, "TS-0004 7.4.5.1")(functools.partial(lacking, _name))


@check("REG", "CREATE/AE/no-common-release", AE_CREATE)
def _(t):
    t.refused(register(t, "C" + t.name("rel"), srv=["99"]), 4000, 4001)


@check("REG", "CREATE/AE/srv-empty", AE_CREATE)
def _(t):
    t.refused(register(t, "C" + t.name("rel"), srv=[]), 4000, 4001)


@check("REG", "CREATE/AE/srv-not-strings", AE_CREATE)
def _(t):
    t.refused(register(t, "C" + t.name("rel"), srv=[3]), 4000)


@check("REG", "CREATE/AE/response-carries-what-the-CSE-added", "TS-0004 7.3.3.12")
def _(t):
    r = t.rsc(register(t, "C" + t.name("all")), 2001)
    for a in ("ri", "pi", "ct", "lt", "et", "ty", "aei"):
        t.true(a in r.rep, "the response has %s" % a)
    t.equal(r.get("pi"), t.world.base["ri"], "parentID")


@check("REG", "CREATE/AE/content-location", "TS-0009 6.4.4")
def _(t):
    r = t.rsc(register(t, "C" + t.name("loc")), 2001)
    where = r.headers.get("content-location")
    t.true(where, "the response has a Content-Location")
    t.true(where.endswith(r.get("ri")) or where.endswith(r.get("rn")), "Content-Location %s addresses the AE" % where)


@check("REG", "CREATE/AE/poa-stored", "TS-0001 9.6.5")
def _(t):
    poa = ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"]
    t.equal(t.rsc(register(t, "C" + t.name("poa"), poa=poa), 2001).get("poa"), poa, "pointOfAccess")


@check("REG", "CREATE/AE/poa-not-a-list", "TS-0004 7.4.5.1")
def _(t):
    t.refused(register(t, "C" + t.name("poa"), poa="http://127.0.0.1:9/a"), 4000)


@check("REG", "CREATE/AE/csz-unknown-serialization", "TS-0004 6.3.3")
def _(t):
    t.refused(register(t, "C" + t.name("csz"), csz=["application/wrong"]), 4000)


@check("REG", "CREATE/AE/csz-json", "TS-0004 6.3.3")
def _(t):
    t.equal(t.rsc(register(t, "C" + t.name("csz"), csz=["application/json"]), 2001).get("csz"), ["application/json"], "contentSerialization")


@check("REG", "CREATE/AE/aei-not-allowed", "TS-0004 7.4.5.1")
def _(t):
    t.refused(register(t, "C" + t.name("aei"), aei="Cmine"), 4000)


@check("REG", "RETRIEVE/AE/by-itself", "TS-0004 7.4.5.2.2")
def _(t):
    ae = t.ae()
    t.equal(t.rsc(t.retrieve(ae), 2000).get("aei"), ae.id, "AE-ID")


@check("REG", "RETRIEVE/AE/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.retrieve(t.ae(), fr=t.ae().id), 4103)


@check("REG", "RETRIEVE/AE/by-the-administrator", "TS-0004 7.3.3.15")
def _(t):
    t.rsc(t.retrieve(t.ae(), fr=t.admin), 2000)


@check("REG", "UPDATE/AE/by-itself", "TS-0004 7.4.5.2.3")
def _(t):
    ae = t.ae()
    t.rsc(t.update(ae, {"apn": "a name", "lbl": ["x"], "rr": True, "poa": ["http://127.0.0.1:9"]}), 2004)
    r = t.retrieve(ae)
    t.equal([r.get("apn"), r.get("lbl"), r.get("rr")], ["a name", ["x"], True], "what was updated")


@check("REG", "UPDATE/AE/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    ae = t.ae()
    t.refused(t.update(ae, {"apn": "stolen"}, fr=t.ae().id), 4103)
    t.equal(t.retrieve(ae).get("apn"), None, "appName")


@check("REG", "UPDATE/AE/api-is-fixed", "TS-0004 7.4.5.1")
def _(t):
    t.refused(t.update(t.ae(), {"api": "N.other"}), 4000)


@check("REG", "UPDATE/AE/srv-to-an-unsupported-release", "TS-0004 7.4.5.2.3")
def _(t):
    t.refused(t.update(t.ae(), {"srv": []}), 4000, 4001)


@check("REG", "DELETE/AE/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    ae = t.ae()
    t.refused(t.delete(ae, fr=t.ae().id), 4103)
    t.rsc(t.retrieve(ae), 2000)


@check("REG", "DELETE/AE/by-itself", "TS-0004 7.4.5.2.4")
def _(t):
    ae = t.ae()
    t.rsc(t.delete(ae), 2002)
    t.refused(t.retrieve(ae, fr=t.admin), 4004)


@check("REG", "DELETE/AE/everything-below-goes", "TS-0004 7.4.5.2.4")
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    t.rsc(t.delete(ae), 2002)
    t.refused(t.retrieve(cnt, fr=t.admin), 4004)
    t.refused(t.retrieve(cnt.ri, fr=t.admin), 4004)


# remoteCSE

def csr(t, **more):
    csi = "/" + t.name("id-reg")
    b = dict({"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["3", "4"], "cst": 2, "rn": csi[1:]}, **more)
    return csi, {k: v for k, v in b.items() if v is not None}


def join(t, csi, b, fr=None):
    r = t.create(t.cse, CSR, b, fr=fr or csi)
    if r.rsc == 2001:
        from conformance.check import Resource
        t.made.append(Resource(t.cse + "/" + r.get("rn"), r.rep, csi, CSR))
    return r


@check("REG", "CREATE/CSR/register", CSR_CREATE)
def _(t):
    csi, b = csr(t)
    r = t.rsc(join(t, csi, b), 2001)
    t.equal(r.get("csi"), csi, "CSE-ID")
    t.equal(r.get("cb"), b["cb"], "CSEBase")
    t.equal(t.rsc(t.retrieve(t.made[-1], fr=t.admin), 2000).get("ty"), 16, "resourceType")


def csr_lacking(name, t):
    csi, b = csr(t, **{name: None})
    t.refused(join(t, csi, b), 4000)
    t.rsc(join(t, *csr(t)), 2001)


for _name in ("cb", "rr", "srv"):
    check("REG", "CREATE/CSR/%s-missing" % _name, "TS-0004 7.4.4.1")(functools.partial(csr_lacking, _name))


@check("REG", "CREATE/CSR/already-registered", CSR_CREATE)
def _(t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    t.refused(join(t, csi, dict(b, rn=t.name("again"))), 4117, 4105)


@check("REG", "CREATE/CSR/by-an-AE", CSR_CREATE)
def _(t):
    csi, b = csr(t)
    t.refused(join(t, csi, b, fr=t.ae().id), 4000, 4005, 4103, 4106, 4107, 4126)


@check("REG", "CREATE/CSR/csi-is-another's", CSR_CREATE)
def _(t):
    csi, b = csr(t, csi="/id-somebody-else")
    r = join(t, csi, b)
    # refused, or registered as who it is: never as somebody else
    if r.rsc == 2001:
        t.equal(r.get("csi"), csi, "CSE-ID")
    else:
        t.refused(r, 4000, 4103, 4106)


@check("REG", "CREATE/CSR/cse-id-of-this-CSE", CSR_CREATE)
def _(t):
    b = {"cb": t.csi + "/" + t.cse, "csi": t.csi, "rr": False, "srv": ["3"], "rn": t.name("self")}
    t.refused(join(t, t.csi, b), 4000, 4103, 4105, 4106, 4107, 4117)


@check("REG", "UPDATE/CSR/by-itself", "TS-0004 7.4.4.2.3")
def _(t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    me = t.made[-1]
    t.rsc(t.update(me, {"lbl": ["x"], "poa": ["http://127.0.0.1:9"]}), 2004)
    r = t.retrieve(me, fr=t.admin)
    t.equal([r.get("lbl"), r.get("poa")], [["x"], ["http://127.0.0.1:9"]], "labels and pointOfAccess")


def csr_fixed(name, value, t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    t.refused(t.update(t.made[-1], {name: value}, fr=t.admin), 4000)


for _name, _value in (("cb", "/x/y"), ("csi", "/x"), ("cst", 3)):
    check("REG", "UPDATE/CSR/%s-is-fixed" % _name, "TS-0004 7.4.4.1")(functools.partial(csr_fixed, _name, _value))


@check("REG", "DELETE/CSR/by-itself", "TS-0004 7.4.4.2.4")
def _(t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    t.rsc(t.delete(t.made[-1]), 2002)
    t.refused(t.retrieve(t.made[-1], fr=t.admin), 4004)


@check("REG", "DELETE/CSR/by-an-AE", "TS-0004 7.3.3.15")
def _(t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    t.refused(t.delete(t.made[-1], fr=t.ae().id), 4103)


@check("REG", "CREATE/CSR/again-after-delete", CSR_CREATE)
def _(t):
    csi, b = csr(t)
    t.rsc(join(t, csi, b), 2001)
    t.rsc(t.delete(t.made[-1]), 2002)
    t.rsc(join(t, csi, b), 2001)


# What may stand under the CSEBase of the test bench

def forbidden(ty, attributes, t):
    t.refused(t.create(t.cse, ty, attributes, fr=t.ae().id), 4103)


for _ty, _tag, _attributes in ((CNT, "CNT", {}), (GRP, "GRP", {"mnm": 1, "mid": []}), (NOD, "NOD", {"ni": "n"}), (SUB, "SUB", {"nu": ["http://127.0.0.1:9"]}), (TS, "TS", {}),
                               (LCP, "LCP", {"los": 2}), (MSSP, "MSSP", {}), (STCG, "STCG", {})):
    check("REG", "CREATE/%s/AE-may-not-under-the-CSEBase" % _tag, "TS-0004 7.3.3.15")(functools.partial(forbidden, _ty, _attributes))


@check("REG", "CREATE/ACP/anyone-may-under-the-CSEBase", "TS-0004 7.3.3.15")
def _(t):
    ae = t.ae()
    from conformance.check import Resource
    r = t.rsc(t.create(t.cse, ACP, {"rn": t.name("acp"), "pv": {"acr": []}, "pvs": {"acr": [{"acor": [ae.id, t.admin], "acop": ALL}]}}, fr=ae.id), 2001)
    t.made.append(Resource(t.cse + "/" + r.get("rn"), r.rep, ae.id, ACP))
    t.rsc(t.retrieve(t.made[-1]), 2000)


@check("REG", "CREATE/CNT/administrator-may-under-the-CSEBase", "TS-0004 7.3.3.15")
def _(t):
    t.equal(t.make(t.cse, CNT, {})["pi"], t.world.base["ri"], "parentID")


CONTACTS = "TS-0004 7.5.1.2.17"


@check("REG", "NOTIFY/CB/AE-references-of-a-CSE", CONTACTS, needs=(ALST, CSR))
def _(t):
    csi = "/" + t.name("id-ref")
    t.make(t.cse, CSR, {"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["4"]}, fr=csi)
    entry = "%s/AEContactList/%s" % (t.cse, csi[1:])

    def tell(**sgn):
        t.rsc(t.send("N", t.csi, fr=csi, pc={"m2m:sgn": dict(sgn, aerid=True)}), 2000)
    tell(tid2="/id-far/Ca")
    tell(tid2="/id-far/Cb")
    t.equal(t.rsc(t.retrieve(entry), 2000).get("csi"), csi, "CSE-ID of the entry")
    t.equal(t.retrieve(entry).get("ail"), ["/id-far/Ca", "/id-far/Cb"], "AE-IDList")
    t.true(t.retrieve(t.cse + "/AEContactList").get("nic") >= 1, "numberImpactedCSEs counts it")
    tell(tid1="/id-far/Ca", tid2="/id-far/Cc")
    t.equal(t.retrieve(entry).get("ail"), ["/id-far/Cb", "/id-far/Cc"], "AE-IDList after a change")
    tell(tid1="/id-far/Cb")
    tell(tid1="/id-far/Cc")
    t.refused(t.retrieve(entry), 4004)


@check("REG", "NOTIFY/CB/AE-references-of-who-is-no-CSE", CONTACTS, needs=ALST)
def _(t):
    t.rsc(t.retrieve(t.cse + "/AEContactList"), 2000)
    t.refused(t.send("N", t.csi, fr=t.ae().id, pc={"m2m:sgn": {"aerid": True, "tid2": "/id-far/Ca"}}), 4103)


@check("REG", "DELETE/ALPC/not-by-anybody", "TS-0004 7.4.54.2.4", needs=(ALST, CSR))
def _(t):
    csi = "/" + t.name("id-ref")
    t.make(t.cse, CSR, {"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["4"]}, fr=csi)
    t.rsc(t.send("N", t.csi, fr=csi, pc={"m2m:sgn": {"aerid": True, "tid2": "/id-far/Ca"}}), 2000)
    entry = "%s/AEContactList/%s" % (t.cse, csi[1:])
    t.refused(t.delete(entry), 4005)
    t.refused(t.update(entry, {"lbl": ["x"]}, root="m2m:alpc"), 4005)
    t.rsc(t.send("N", t.csi, fr=csi, pc={"m2m:sgn": {"aerid": True, "tid1": "/id-far/Ca"}}), 2000)


@check("REG", "CREATE/AE/below-an-AE-before-anybody-is-registered", "TS-0004 7.3.3.3")
def _(t):
    ae = t.ae()
    for stem in ("C", "S", ""):
        t.refused(t.create(ae, AE, body(), fr=stem), 4108)
    t.refused(t.create(ae, CNT, {}, fr="C"), 4103, 4106)


@check("REG", "CREATE/AE/originator-is-the-CSE-without-slash", "TS-0004 7.4.5.2.1")
def _(t):
    t.refused(t.create(t.cse, AE, body(), fr=t.csi[1:]), 4107)


for _release, _ok in (("2a", True), ("3", True), ("4", False), ("5", False)):
    def small_r(release, ok, t):
        r = t.create(t.cse, AE, body(rn=t.name("small"), api="rkeyway"), fr="C", rvi=release)
        if ok:
            t.rsc(t.delete(t.cse + "/" + t.rsc(r, 2001).get("rn")), 2002)
        else:
            t.refused(r, 4000)

    check("REG", "CREATE/AE/api-of-a-small-r-in-release-%s" % _release, "TS-0001 7.1.3")(functools.partial(small_r, _release, _ok))
