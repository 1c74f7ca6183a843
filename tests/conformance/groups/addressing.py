"""GEN: validity of requests, the forms of an address, operations on the CSEBase."""
import functools

from conformance.check import check, timestamp
from conformance.names import *

ADDRESS = "TS-0001 7.2"


def sp(t):
    """The SP-ID, "//acme.example.com", of the test bench; another CSE tells it in nothing that this suite can rely on."""
    return "//acme.example.com"


FORMS = {
    "cse-relative-structured": lambda t, c: c.path,
    "cse-relative-structured-hyphen": lambda t, c: c.path.replace(t.cse, "-", 1),
    "cse-relative-unstructured": lambda t, c: c.ri,
    "sp-relative-structured": lambda t, c: t.csi + "/" + c.path,
    "sp-relative-structured-hyphen": lambda t, c: t.csi + "/" + c.path.replace(t.cse, "-", 1),
    "sp-relative-unstructured": lambda t, c: t.csi + "/" + c.ri,
    "absolute-structured": lambda t, c: sp(t) + t.csi + "/" + c.path,
    "absolute-structured-hyphen": lambda t, c: sp(t) + t.csi + "/" + c.path.replace(t.cse, "-", 1),
    "absolute-unstructured": lambda t, c: sp(t) + t.csi + "/" + c.ri,
}


def retrieve_by(form, t):
    cnt = t.cnt()
    r = t.rsc(t.retrieve(FORMS[form](t, cnt), fr=cnt.fr), 2000)
    t.equal(r.get("ri"), cnt.ri, "resourceID of what was addressed")


def create_by(form, t):
    cnt = t.cnt()
    r = t.rsc(t.create(FORMS[form](t, cnt), CIN, {"con": form}, fr=cnt.fr), 2001)
    t.equal(r.get("pi"), cnt.ri, "parentID")
    t.equal(t.retrieve(cnt.path + "/la", fr=cnt.fr).get("con"), form, "content of the latest instance")


def update_by(form, t):
    cnt = t.cnt()
    t.rsc(t.update(FORMS[form](t, cnt), {"lbl": [form]}, root="m2m:cnt", fr=cnt.fr), 2004)
    t.equal(t.retrieve(cnt).get("lbl"), [form], "labels")


def delete_by(form, t):
    cnt = t.cnt()
    t.rsc(t.delete(FORMS[form](t, cnt), fr=cnt.fr), 2002)
    t.refused(t.retrieve(cnt), 4004)


def hybrid(form, t):
    """A resourceID followed by names of children."""
    ae = t.ae()
    cnt = t.cnt(ae)
    inner = t.cnt(cnt)
    r = t.rsc(t.retrieve(FORMS[form](t, ae) + "/" + cnt.rn + "/" + inner.rn, fr=ae.id), 2000)
    t.equal(r.get("ri"), inner.ri, "resourceID of what was addressed")


def virtual(form, t):
    cnt = t.cnt()
    cin = t.cin(cnt, "here")
    r = t.rsc(t.retrieve(FORMS[form](t, cnt) + "/la", fr=cnt.fr), 2000)
    t.equal(r.get("ri"), cin.ri, "resourceID of the latest instance")


def missing(form, t):
    cnt = t.cnt()
    t.rsc(t.retrieve(FORMS[form](t, cnt), fr=cnt.fr), 2000)
    t.refused(t.retrieve(FORMS[form](t, cnt) + "/nothing", fr=cnt.fr), 4004)


for _form in FORMS:
    check("GEN", "RETRIEVE/ADDR/" + _form, ADDRESS)(functools.partial(retrieve_by, _form))
    check("GEN", "CREATE/ADDR/" + _form, ADDRESS)(functools.partial(create_by, _form))
    check("GEN", "UPDATE/ADDR/" + _form, ADDRESS)(functools.partial(update_by, _form))
    check("GEN", "DELETE/ADDR/" + _form, ADDRESS)(functools.partial(delete_by, _form))
    check("GEN", "RETRIEVE/ADDR/latest-" + _form, "TS-0001 9.6.27")(functools.partial(virtual, _form))
    check("GEN", "RETRIEVE/ADDR/hybrid-" + _form, ADDRESS)(functools.partial(hybrid, _form))
    check("GEN", "RETRIEVE/ADDR/missing-child-" + _form, "TS-0004 7.3.3.2")(functools.partial(missing, _form))

BASE_FORMS = {
    "name": lambda t: t.cse, "hyphen": lambda t: "-", "resource-id": lambda t: t.world.base["ri"], "cse-id": lambda t: t.csi,
    "sp-relative-name": lambda t: t.csi + "/" + t.cse, "sp-relative-hyphen": lambda t: t.csi + "/-",
    "absolute-name": lambda t: sp(t) + t.csi + "/" + t.cse, "absolute-hyphen": lambda t: sp(t) + t.csi + "/-", "absolute-cse-id": lambda t: sp(t) + t.csi,
}


def base_by(form, t):
    r = t.rsc(t.retrieve(BASE_FORMS[form](t)), 2000)
    t.equal(r.root, "m2m:cb", "root")
    t.equal(r.get("csi"), t.csi, "CSE-ID")


for _form in BASE_FORMS:
    check("GEN", "RETRIEVE/CB/by-" + _form, ADDRESS)(functools.partial(base_by, _form))


@check("GEN", "RETRIEVE/CB/by-cse-id-by-an-AE", ADDRESS)
def _(t):
    """Whether a CSE-ID alone addresses the CSEBase is left open; if it does not, then in neither form."""
    ae = t.ae()
    r = t.rsc(t.retrieve(t.csi, fr=ae.id), 2000, 4000)
    t.rsc(t.retrieve(sp(t) + t.csi, fr=ae.id), r.rsc)
    t.rsc(t.retrieve(t.csi + "/" + t.cse, fr=ae.id), 2000)


@check("GEN", "RETRIEVE/ADDR/unknown-resource", "TS-0004 7.3.3.2")
def _(t):
    t.refused(t.retrieve(t.cse + "/" + t.name("nothing")), 4004)


@check("GEN", "RETRIEVE/ADDR/unknown-resource-id", "TS-0004 7.3.3.2")
def _(t):
    t.refused(t.retrieve(t.name("nothing")), 4004)


@check("GEN", "RETRIEVE/ADDR/unknown-cse", "TS-0004 7.3.2.6")
def _(t):
    t.refused(t.retrieve("/" + t.name("id-nowhere") + "/cse"), 4004, 5103)


@check("GEN", "RETRIEVE/ADDR/unknown-service-provider", "TS-0004 7.3.2.6")
def _(t):
    t.refused(t.retrieve("//nowhere.example.org" + t.csi + "/" + t.cse), 4000, 4004, 5103)


@check("GEN", "RETRIEVE/ADDR/below-a-leaf", "TS-0004 7.3.3.2")
def _(t):
    cnt = t.cnt()
    cin = t.cin(cnt)
    t.refused(t.retrieve(cin.path + "/nothing", fr=cnt.fr), 4004)


@check("GEN", "RETRIEVE/ADDR/la-of-a-type-without-it", "TS-0004 7.3.3.2")
def _(t):
    ae = t.ae()
    t.refused(t.retrieve(ae.path + "/la", fr=ae.id), 4004)


@check("GEN", "RETRIEVE/ADDR/fopt-of-a-type-without-it", "TS-0004 7.3.3.2")
def _(t):
    cnt = t.cnt()
    t.refused(t.retrieve(cnt.path + "/fopt", fr=cnt.fr), 4004)


@check("GEN", "RETRIEVE/ADDR/names-are-case-sensitive", ADDRESS)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae, rn="Mixed")
    t.rsc(t.retrieve(cnt), 2000)
    t.refused(t.retrieve(ae.path + "/mixed", fr=ae.id), 4004)


@check("GEN", "RETRIEVE/ADDR/name-with-utf-8", ADDRESS)
def _(t):
    ae = t.ae()
    r = t.create(ae, CNT, {"rn": "gr\u00fcn"})
    if r.rsc == 2001:
        t.equal(t.rsc(t.retrieve(ae.path + "/gr\u00fcn", fr=ae.id), 2000).get("ri"), r.get("ri"), "resourceID")
    else:
        t.refused(r, 4000)


# The CSEBase

def base_attribute(name, test, sentence, t):
    v = t.rsc(t.retrieve(t.cse), 2000).rep.get(name)
    t.true(test(t, v), "%s %s, got %r" % (name, sentence, v))


for _name, _test, _sentence in (
        ("ty", lambda t, v: v == 5, "is 5"), ("rn", lambda t, v: v == t.cse, "is the CSEBase's name"), ("csi", lambda t, v: v.startswith("/"), "begins with a slash"),
        ("ri", lambda t, v: isinstance(v, str) and v and "/" not in v, "has no slash"), ("cst", lambda t, v: v in (1, 2, 3), "is a CSE type"),
        ("srt", lambda t, v: isinstance(v, list) and {1, 2, 3, 4, 5, 9, 16, 23} <= set(v), "names the basic resource types"),
        ("srv", lambda t, v: isinstance(v, list) and all(isinstance(x, str) for x in v) and "3" in v, "is a list of releases with 3 among them"),
        ("poa", lambda t, v: isinstance(v, list) and v and all("://" in x for x in v), "is a list of URLs"),
        ("ct", lambda t, v: isinstance(v, str) and len(v) >= 15 and v[8] == "T", "is a timestamp"),
        ("lt", lambda t, v: isinstance(v, str) and len(v) >= 15 and v[8] == "T", "is a timestamp"),
        ("csz", lambda t, v: isinstance(v, list) and "application/json" in v, "names application/json")):
    check("GEN", "RETRIEVE/CB/attribute-" + _name, "TS-0001 9.6.3")(functools.partial(base_attribute, _name, _test, _sentence))


@check("GEN", "RETRIEVE/CB/no-expirationTime", "TS-0001 9.6.3")
def _(t):
    t.true("et" not in t.rsc(t.retrieve(t.cse), 2000).rep, "the CSEBase has no expirationTime")


@check("GEN", "DELETE/CB/not-allowed", "TS-0004 7.4.3.2.4")
def _(t):
    t.refused(t.delete(t.cse), 4005)
    t.rsc(t.retrieve(t.cse), 2000)


@check("GEN", "UPDATE/CB/not-allowed", "TS-0004 7.4.3.2.3")
def _(t):
    t.refused(t.update(t.cse, {"lbl": ["x"]}, root="m2m:cb"), 4005)


@check("GEN", "DELETE/CB/by-an-AE", "TS-0004 7.4.3.2.4")
def _(t):
    t.refused(t.delete(t.cse, fr=t.ae().id), 4005, 4103)


# Validity of requests

def without(what, t):
    ae = t.ae()
    t.rsc(t.retrieve(ae), 2000)
    kw = {"originator": {"fr": None}, "request-id": {"ri": ""}, "release-version": {"rvi": None}}[what]
    if what == "release-version":
        t.rsc(t.send("R", ae, **kw), 4000, 4001, 2000)  # Release 1 had none: a CSE may speak it
    else:
        t.refused(t.send("R", ae, **kw), 4000, *((4103, 4106) if what == "originator" else ()))


for _what, _clause in (("originator", "TS-0004 7.3.2.1"), ("request-id", "TS-0004 7.1.1.1"), ("release-version", "TS-0004 7.1.1.1")):
    check("GEN", "REQUEST/PARAM/no-" + _what, _clause)(functools.partial(without, _what))


def release(v, ok, t):
    ae = t.ae()
    r = t.send("R", ae, rvi=v)
    if ok:
        t.rsc(r, 2000)
        t.equal(r.headers.get("x-m2m-rvi"), v, "X-M2M-RVI of the response")
    else:
        t.refused(r, 4001)


for _v, _ok in (("2a", True), ("3", True), ("4", True), ("5", True), ("1", False), ("99", False), ("x", False)):
    check("GEN", "REQUEST/RVI/%s-%s" % (_v, "supported" if _ok else "not-supported"), "TS-0004 7.3.2.1")(functools.partial(release, _v, _ok))


@check("GEN", "CREATE/RVI/not-supported-makes-nothing", "TS-0004 7.3.2.1")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"rn": "x"}, rvi="99"), 4001)
    t.refused(t.retrieve(ae.path + "/x", fr=ae.id), 4004)


@check("GEN", "REQUEST/FROM/AE-under-another-name", "TS-0004 7.3.2.1")
def _(t):
    ae = t.ae()
    t.refused(t.retrieve(ae, fr="C" + t.name("stranger")), 4103, 4106)


@check("GEN", "REQUEST/FROM/sp-relative-AE-ID-of-a-registree", "TS-0001 7.1.3")
def _(t):
    ae = t.ae()
    t.rsc(t.retrieve(ae, fr=t.csi + "/" + ae.id), 2000)


@check("GEN", "CREATE/type/child-not-allowed", "TS-0004 7.3.3.3")
def _(t):
    t.refused(t.create(t.ae(), CIN, {"con": "x"}), 4108)


def child_of(parent, ty, attributes, t):
    makers = {"ACP": lambda: t.acp([("all", ALL)]), "CIN": lambda: t.cin(t.cnt()), "GRP": lambda: t.make(t.ae(), GRP, {"mnm": 2, "mid": []}),
              "SUB": lambda: t.sub(t.cnt())[0], "AE": lambda: t.ae(), "CNT": lambda: t.cnt(), "NOD": lambda: t.make(t.cse, NOD, {"ni": "n"})}
    # TS-0004 7.4.8.2.1: what cannot be subscribed to says so
    t.refused(t.create(makers[parent](), ty, attributes), 5203 if ty == SUB else 4108)


for _parent, _ty, _tag, _attributes in (
        ("ACP", CNT, "CNT", {}), ("CIN", CNT, "CNT", {}), ("GRP", CNT, "CNT", {}), ("SUB", SUB, "SUB", {"nu": ["http://127.0.0.1:9"]}), ("AE", AE, "AE", {"api": "N.x", "rr": False, "srv": ["3"]}),
        ("CNT", AE, "AE", {"api": "N.x", "rr": False, "srv": ["3"]}), ("CNT", GRP, "GRP", {"mnm": 1, "mid": []}), ("CNT", ACP, "ACP", {"pv": {"acr": []}, "pvs": {"acr": [{"acor": ["all"], "acop": 63}]}}),
        ("NOD", CNT, "CNT", {}), ("AE", NOD, "NOD", {"ni": "x"}), ("AE", CSR, "CSR", {"cb": "/x/y", "csi": "/x", "rr": False, "srv": ["3"]}), ("CNT", PCH, "PCH", {})):
    check("GEN", "CREATE/%s/not-below-%s" % (_tag, _parent), "TS-0004 7.3.3.3")(functools.partial(child_of, _parent, _ty, _attributes))


@check("GEN", "CREATE/ID/resource-ids-are-unique", "TS-0001 9.6.1.3.1")
def _(t):
    ae = t.ae()
    ris = [t.cnt(ae).ri for _ in range(20)]
    t.equal(len(set(ris)), 20, "the number of different resourceIDs of 20 containers")


@check("GEN", "CREATE/ID/generated-names-are-unique", "TS-0004 7.3.3.5")
def _(t):
    ae = t.ae()
    names = [t.rsc(t.create(ae, CNT, {}), 2001).get("rn") for _ in range(20)]
    t.true(all(isinstance(n, str) and n for n in names), "each resource has a name")
    t.equal(len(set(names)), 20, "the number of different names")


def order(name, t):
    """Which refusal comes first (TS-0004 7.3.2.1, 7.3.3)."""
    ae, other = t.ae(), t.ae()
    if name == "not-found-before-access":
        t.refused(t.retrieve(ae.path + "/nothing", fr=other.id), 4004)
    elif name == "access-before-content":
        t.refused(t.create(ae, CNT, {"xyzzy": 1}, fr=other.id), 4103)
    elif name == "access-before-name":
        t.cnt(ae, rn="taken")
        t.refused(t.create(ae, CNT, {"rn": "taken"}, fr=other.id), 4103)


for _name in ("not-found-before-access", "access-before-content", "access-before-name"):
    check("GEN", "REQUEST/ORDER/" + _name, "TS-0004 7.3.2.1")(functools.partial(order, _name))


@check("GEN", "RETRIEVE/timestamps/creation-order", "TS-0001 9.6.1.3.1")
def _(t):
    before = timestamp(-2)[:15]
    cnt = t.cnt()
    t.true(before <= cnt["ct"][:15] <= timestamp(2)[:15], "creationTime %s is now" % cnt["ct"])
    t.equal(cnt["lt"], cnt["ct"], "lastModifiedTime of a new resource")
    t.true(cnt["et"] > cnt["ct"], "expirationTime is later than creationTime")


@check("GEN", "UPDATE/timestamps/creationTime-stays", "TS-0004 7.3.3.7")
def _(t):
    cnt = t.cnt()
    r = t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    after = t.retrieve(cnt)
    t.equal(after.get("ct"), cnt["ct"], "creationTime after UPDATE")
    t.true(after.get("lt") >= cnt["lt"], "lastModifiedTime is not earlier than before")


@check("GEN", "DELETE/tree/children-go-too", "TS-0004 7.3.3.8")
def _(t):
    ae = t.ae()
    a = t.cnt(ae)
    b = t.cnt(a)
    c = t.cin(b)
    t.rsc(t.delete(a), 2002)
    for x in (a.path, b.path, b.ri, c.ri):
        t.refused(t.retrieve(x, fr=ae.id), 4004)


@check("GEN", "NOTIFY/target/not-a-receiver", "TS-0004 7.5.1.2.1")
def _(t):
    cnt = t.cnt()
    t.refused(t.send("N", cnt, pc={"m2m:sgn": {"sur": "x"}}), 4005, 4000, 4103)
    t.refused(t.send("N", t.cse, pc={"m2m:sgn": {"sur": "x"}}), 4000)


for _name, _to in (("cse-relative", lambda t: t.cse + "/"), ("sp-relative", lambda t: t.csi + "/" + t.cse + "/"), ("absolute", lambda t: sp(t) + t.csi + "/" + t.cse + "/"), ("unstructured", lambda t: t.cnt().ri + "/")):
    def trailing(to, t):
        t.refused(t.retrieve(to(t)), 4000)

    check("GEN", "RETRIEVE/ADDR/slash-at-the-end-%s" % _name, ADDRESS)(functools.partial(trailing, _to))


@check("GEN", "UPDATE/CB/no-content", "TS-0004 7.2.2.2")
def _(t):
    t.refused(t.send("U", t.cse), 4000)
    t.refused(t.update(t.cse, {"lbl": ["x"]}, root="m2m:cb"), 4005)


for _op in "CUD":
    def selects(op, t):
        """An attribute list is for RETRIEVE."""
        cnt = t.cnt()
        content = {"C": {"m2m:cnt": {}}, "U": {"m2m:cnt": {"lbl": ["x"]}}, "D": None}[op]
        t.refused(t.send(op, cnt, pc=content, ty=CNT if op == "C" else None, query=[("atrl", "rn")]), 4000)
        t.rsc(t.retrieve(cnt, atrl="rn"), 2000)

    check("GEN", "REQUEST/PARAM/atrl-with-%s" % {"C": "CREATE", "U": "UPDATE", "D": "DELETE"}[_op], "TS-0001 8.1.2")(functools.partial(selects, _op))
