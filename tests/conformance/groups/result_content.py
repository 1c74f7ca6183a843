"""RCN: every result content value with every operation (TS-0001 table 8.1.2-1), and partial retrieval."""
import functools

from conformance.check import check
from conformance.names import *

TABLE = "TS-0001 8.1.2"
VALID = {"CREATE": (0, 1, 2, 3, 9), "RETRIEVE": (1, 4, 5, 6, 8), "UPDATE": (0, 1, 9), "DELETE": (0, 1, 4, 5, 6, 8)}
RETRIEVE_ONLY_ELSEWHERE = {"RETRIEVE": (7, 10, 11, 12), "CREATE": (11, 12), "UPDATE": (11, 12), "DELETE": (11, 12)}


def family(t):
    """A container with labels, two instances, a container with one instance, a subscription."""
    ae = t.ae()
    cnt = t.cnt(ae, lbl=["l"])
    a, b = t.cin(cnt, "a"), t.cin(cnt, "b")
    inner = t.cnt(cnt)
    c = t.cin(inner, "c")
    return ae, cnt, (a, b), inner, c


def ask(op, t, cnt, **q):
    if op == "CREATE":
        return t.create(cnt, CIN, {"con": "new", "lbl": ["mine"]}, query=q)
    if op == "RETRIEVE":
        return t.retrieve(cnt, **q)
    if op == "UPDATE":
        return t.update(cnt, {"lbl": ["changed"]}, query=q)
    return t.delete(cnt, **q)


GOOD = {"CREATE": 2001, "RETRIEVE": 2000, "UPDATE": 2004, "DELETE": 2002}


def accepted(op, rcn, t):
    _, cnt, _, _, _ = family(t)
    t.rsc(ask(op, t, cnt, rcn=rcn), GOOD[op])


def refused(op, rcn, t):
    _, cnt, _, _, _ = family(t)
    t.refused(ask(op, t, cnt, rcn=rcn), 4000)
    r = t.rsc(t.retrieve(cnt), 2000)
    t.equal([r.get("lbl"), r.get("cni")], [["l"], 2], "the resource after a refused request")


for _op in VALID:
    for _rcn in range(13):
        if _rcn in VALID[_op]:
            check("RCN", "%s/RCN/%d-allowed" % (_op, _rcn), TABLE)(functools.partial(accepted, _op, _rcn))
        elif _rcn not in RETRIEVE_ONLY_ELSEWHERE[_op]:
            check("RCN", "%s/RCN/%d-refused" % (_op, _rcn), TABLE)(functools.partial(refused, _op, _rcn))
    for _rcn in ("99", "-1", "x", "1.5"):
        check("RCN", "%s/RCN/%s-refused" % (_op, _rcn), "TS-0004 6.3.4.2.7")(functools.partial(refused, _op, _rcn))


@check("RCN", "RETRIEVE/RCN/7-of-what-is-not-announced", TABLE)
def _(t):
    t.refused(t.retrieve(family(t)[1], rcn=7), 4000)


@check("RCN", "RETRIEVE/RCN/10-without-a-semantic-query", TABLE)
def _(t):
    t.refused(t.retrieve(family(t)[1], rcn=10), 4000)


# CREATE

@check("RCN", "CREATE/RCN/0-no-content", TABLE)
def _(t):
    r = t.rsc(t.create(t.cnt(), CIN, {"con": "x"}, query={"rcn": 0}), 2001)
    t.true(not r.octets, "the response has no content, got %s" % r.text)


@check("RCN", "CREATE/RCN/1-all-attributes", TABLE)
def _(t):
    r = t.rsc(t.create(t.cnt(), CIN, {"con": "x", "lbl": ["l"]}, query={"rcn": 1}), 2001)
    t.true({"con", "lbl", "ri", "rn", "ct", "ty", "cs"} <= set(r.rep), "the response has what was sent and what was added, got %s" % sorted(r.rep))


@check("RCN", "CREATE/RCN/default-is-1", TABLE)
def _(t):
    r = t.rsc(t.create(t.cnt(), CIN, {"con": "x", "lbl": ["l"]}), 2001)
    t.true({"con", "lbl", "ri"} <= set(r.rep), "the response has what was sent and what was added, got %s" % sorted(r.rep))


@check("RCN", "CREATE/RCN/2-hierarchical-address", TABLE)
def _(t):
    cnt = t.cnt()
    r = t.rsc(t.create(cnt, CNT, {"rn": "inner"}, query={"rcn": 2}), 2001)
    t.equal(r.root, "m2m:uri", "root")
    t.true(isinstance(r.rep, str) and r.rep.endswith(cnt.path + "/inner"), "the URI %r is the structured address" % r.rep)
    t.rsc(t.retrieve(r.rep, fr=cnt.fr), 2000)


@check("RCN", "CREATE/RCN/3-hierarchical-address-and-attributes", TABLE)
def _(t):
    cnt = t.cnt()
    r = t.rsc(t.create(cnt, CNT, {"rn": "inner"}, query={"rcn": 3}), 2001)
    t.equal(r.root, "m2m:rce", "root")
    t.true(str(r.get("uri")).endswith(cnt.path + "/inner"), "uri %r is the structured address" % r.get("uri"))
    t.equal(r.get("m2m:cnt", "rn"), "inner", "resourceName in the wrapped resource")


@check("RCN", "CREATE/RCN/9-what-the-CSE-added", TABLE)
def _(t):
    r = t.rsc(t.create(t.cnt(), CNT, {"lbl": ["mine"], "rn": "mine"}, query={"rcn": 9}), 2001)
    t.true("lbl" not in r.rep, "labels, stored as sent, are not in the response")
    t.true({"ri", "ct", "lt"} <= set(r.rep), "what the CSE added is, got %s" % sorted(r.rep))


# RETRIEVE

@check("RCN", "RETRIEVE/RCN/1-attributes-alone", TABLE)
def _(t):
    _, cnt, _, inner, _ = family(t)
    r = t.retrieve(cnt, rcn=1)
    t.equal(r.get("lbl"), ["l"], "labels")
    t.true(not any(k.startswith("m2m:") or k == "ch" for k in r.rep), "no children are returned, got %s" % sorted(r.rep))


@check("RCN", "RETRIEVE/RCN/4-attributes-and-children", TABLE)
def _(t):
    _, cnt, cins, inner, c = family(t)
    r = t.retrieve(cnt, rcn=4)
    t.equal(r.get("lbl"), ["l"], "labels")
    t.equal([x["ri"] for x in r.rep.get("m2m:cin", [])], [x.ri for x in cins], "the instances, oldest first")
    t.equal([x["ri"] for x in r.rep.get("m2m:cnt", [])], [inner.ri], "the containers")
    t.equal([x["ri"] for x in r.rep["m2m:cnt"][0].get("m2m:cin", [])], [c.ri], "the instances two levels below")


@check("RCN", "RETRIEVE/RCN/4-with-level-1", TABLE)
def _(t):
    _, cnt, _, inner, _ = family(t)
    r = t.rsc(t.retrieve(cnt, rcn=4, lvl=1), 2000)
    t.equal([x["ri"] for x in r.rep.get("m2m:cnt", [])], [inner.ri], "the containers")
    t.true("m2m:cin" not in r.rep["m2m:cnt"][0], "nothing of the second level is returned")


@check("RCN", "RETRIEVE/RCN/4-with-a-filter", TABLE)
def _(t):
    _, cnt, cins, _, _ = family(t)
    r = t.rsc(t.retrieve(cnt, rcn=4, ty=4, lvl=1), 2000)
    t.equal([x["ri"] for x in r.rep.get("m2m:cin", [])], [x.ri for x in cins], "the instances")
    t.true("m2m:cnt" not in r.rep, "no container is returned")


@check("RCN", "RETRIEVE/RCN/5-attributes-and-references", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    r = t.retrieve(cnt, rcn=5, lvl=1)
    t.equal(r.get("lbl"), ["l"], "labels")
    refs = r.rep.get("ch")
    t.true(isinstance(refs, list), "`ch` is a list, got %r" % refs)
    t.same([x["nm"] for x in refs], [cins[0].rn, cins[1].rn, inner.rn], "names of the children")
    t.equal(sorted(x["typ"] for x in refs), [3, 4, 4], "types of the children")


def references(r):
    rep = r.rep
    return rep.get("rrf") if isinstance(rep, dict) else rep


@check("RCN", "RETRIEVE/RCN/6-references", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    r = t.retrieve(cnt, rcn=6, lvl=1)
    t.equal(r.root, "m2m:rrl", "root")
    refs = references(r)
    t.same([x["nm"] for x in refs], [cins[0].rn, cins[1].rn, inner.rn], "names of the children")
    for x in refs:
        t.rsc(t.retrieve(x["val"], fr=cnt.fr), 2000, why="the address %r of a reference" % x["val"])


@check("RCN", "RETRIEVE/RCN/6-unstructured", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    for q in ({}, {"fu": 1}):
        refs = references(t.rsc(t.retrieve(cnt, rcn=6, lvl=1, drt=2, **q), 2000))
        t.same([x["val"].rsplit("/", 1)[-1] for x in refs], [cins[0].ri, cins[1].ri, inner.ri], "resourceIDs of the children")
        t.true(all(x["val"].startswith("/") for x in refs), "the references are SP-relative, got %s" % refs)


@check("RCN", "RETRIEVE/RCN/6-structured", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    refs = references(t.rsc(t.retrieve(cnt, rcn=6, lvl=1, drt=1), 2000))
    t.true(all(x["val"].endswith(cnt.path + "/" + x["nm"]) for x in refs) and len(refs) == 3, "each of three references is the structured address, got %s" % refs)


@check("RCN", "RETRIEVE/RCN/8-children-alone", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    r = t.retrieve(cnt, rcn=8, lvl=1)
    t.equal([x["ri"] for x in r.rep.get("m2m:cin", [])], [x.ri for x in cins], "the instances")
    t.true("lbl" not in r.rep and "ri" not in r.rep, "no attributes of the target are returned")


@check("RCN", "RETRIEVE/RCN/4-leaves-out-what-may-not-be-read", "TS-0004 7.3.3.6")
def _(t):
    ae, other = t.ae(), t.ae()
    acp = t.acp([(other.id, ALL)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    hidden = t.make(cnt, CNT, {"acpi": [t.acp([(ae.id, ALL)]).ri]}, fr=t.admin)
    shown = t.make(cnt, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    r = t.rsc(t.retrieve(cnt, rcn=4, fr=other.id), 2000)
    t.equal([x["ri"] for x in r.rep.get("m2m:cnt", [])], [shown.ri], "the children that the originator may read (not %s)" % hidden.ri)


@check("RCN", "RETRIEVE/RCN/4-with-limit-tells-that-there-is-more", "TS-0004 7.3.3.17")
def _(t):
    cnt = t.cnt()
    for i in range(5):
        t.cin(cnt, str(i))
    r = t.rsc(t.retrieve(cnt, rcn=4, lim=2), 2000)
    t.equal(len(r.rep.get("m2m:cin", [])), 2, "the number of instances returned")
    t.equal(r.headers.get("x-m2m-cts"), "1", "X-M2M-CTS (1: partial content)")


# UPDATE

@check("RCN", "UPDATE/RCN/0-no-content", TABLE)
def _(t):
    r = t.rsc(t.update(t.cnt(), {"lbl": ["x"]}, rcn=0), 2004)
    t.true(not r.octets, "the response has no content, got %s" % r.text)


@check("RCN", "UPDATE/RCN/default-is-1", TABLE)
def _(t):
    r = t.rsc(t.update(t.cnt(), {"lbl": ["x"]}), 2004)
    t.true({"lbl", "ri", "ct", "cni"} <= set(r.rep or {}), "the response has all attributes, got %s" % r.text)


@check("RCN", "UPDATE/RCN/9-modified-attributes", TABLE)
def _(t):
    cnt = t.cnt(mni=5)
    r = t.rsc(t.update(cnt, {"lbl": ["x"]}, rcn=9), 2004)
    t.true("mni" not in r.rep and "ri" not in r.rep, "what did not change is not in the response, got %s" % sorted(r.rep))
    t.true("lt" in r.rep, "lastModifiedTime, which the CSE changed, is in the response")


# DELETE

@check("RCN", "DELETE/RCN/default-is-0", TABLE)
def _(t):
    r = t.rsc(t.delete(t.cnt()), 2002)
    t.true(not r.octets, "the response has no content, got %s" % r.text)


@check("RCN", "DELETE/RCN/1-the-deleted-attributes", TABLE)
def _(t):
    cnt = t.cnt()
    t.equal(t.rsc(t.delete(cnt, rcn=1), 2002).get("ri"), cnt.ri, "resourceID of what was deleted")


@check("RCN", "DELETE/RCN/4-the-deleted-tree", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    r = t.rsc(t.delete(cnt, rcn=4), 2002)
    t.equal([x["ri"] for x in r.rep.get("m2m:cin", [])], [x.ri for x in cins], "the instances that were deleted")


@check("RCN", "DELETE/RCN/6-references-of-the-deleted", TABLE)
def _(t):
    _, cnt, cins, inner, _ = family(t)
    r = t.rsc(t.delete(cnt, rcn=6, lvl=1), 2002)
    t.same([x["nm"] for x in references(r)], [cins[0].rn, cins[1].rn, inner.rn], "names of the deleted children")


@check("RCN", "DELETE/RCN/8-the-deleted-children", TABLE)
def _(t):
    _, cnt, cins, _, _ = family(t)
    r = t.rsc(t.delete(cnt, rcn=8), 2002)
    t.equal([x["ri"] for x in r.rep.get("m2m:cin", [])], [x.ri for x in cins], "the instances that were deleted")
    t.true("ri" not in r.rep, "no attributes of the target")


@check("RCN", "DELETE/RCN/5-attributes-and-references-of-the-deleted", TABLE)
def _(t):
    _, cnt, cins, _, _ = family(t)
    r = t.rsc(t.delete(cnt, rcn=5), 2002)
    t.equal(r.get("ri"), cnt.ri, "resourceID")
    t.true(isinstance(r.rep.get("ch"), list) and len(r.rep["ch"]) >= 3, "references of the children")


# Partial retrieval

def partial(names, t):
    cnt = t.cnt(lbl=["l"], mni=5)
    r = t.rsc(t.retrieve(cnt, atrl=names), 2000)
    t.equal(r.root, "m2m:cnt", "root")
    t.same(list(r.rep), names, "the attributes returned")


for _names in (["ri"], ["lbl"], ["ri", "lbl"], ["mni", "cni", "st"], ["ct", "lt", "et", "ty"]):
    check("RCN", "RETRIEVE/ATRL/%s" % "+".join(_names), "TS-0004 7.3.3.6")(functools.partial(partial, _names))


@check("RCN", "RETRIEVE/ATRL/unknown-attribute", "TS-0004 7.3.3.6")
def _(t):
    cnt = t.cnt()
    t.rsc(t.retrieve(cnt, atrl="ri"), 2000)
    t.refused(t.retrieve(cnt, atrl=["ri", "xyzzy"]), 4000)


@check("RCN", "RETRIEVE/ATRL/attribute-of-another-type", "TS-0004 7.3.3.6")
def _(t):
    cnt = t.cnt()
    t.rsc(t.retrieve(cnt, atrl="ri"), 2000)
    t.refused(t.retrieve(cnt, atrl="aei"), 4000)


@check("RCN", "RETRIEVE/ATRL/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.retrieve(t.cnt(), atrl="ri", fr=t.ae().id), 4103)


@check("RCN", "UPDATE/RCN/9-without-what-was-asked", TABLE)
def _(t):
    cnt = t.cnt(lbl=["old"])
    r = t.rsc(t.update(cnt, {"mni": 23, "lbl": None}, rcn=9), 2004)
    t.true("mni" not in r.rep and "lbl" not in r.rep, "what the request said is not repeated, got %s" % r.rep)
    t.true("lt" in r.rep and "st" in r.rep, "what the CSE changed by itself is told, got %s" % r.rep)
