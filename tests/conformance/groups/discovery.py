"""DIS: discovery, and each element of the filter criteria."""
import functools

from conformance.check import check, timestamp
from conformance.names import *

FILTER = "TS-0004 7.3.3.17"


class Tree:
    """ae / a [lbl one,both; mni 5] / a1, a2 (instances); a / aa [lbl deep] / aa1; ae / b [lbl two,both; mni 9] / b1; ae / g (group)."""

    def __init__(self, t):
        self.t = t
        self.ae = t.ae()
        self.a = t.cnt(self.ae, rn="a", lbl=["one", "both"], mni=5)
        self.b = t.cnt(self.ae, rn="b", lbl=["two", "both"], mni=9)
        self.aa = t.cnt(self.a, rn="aa", lbl=["deep"])
        t.cin(self.a, "x", rn="a1", cnf="text/plain:0")
        t.cin(self.a, "x" * 50, rn="a2", cnf="application/json:0", lbl=["leaf"])
        t.cin(self.aa, "x" * 5, rn="aa1")
        t.cin(self.b, "x" * 5, rn="b1")
        t.make(self.ae, GRP, {"rn": "g", "mnm": 5, "mid": []})
        self.all = {"a", "b", "aa", "a1", "a2", "aa1", "b1", "g"}

    def find(self, at=None, fr=None, **q):
        r = self.t.rsc(self.t.retrieve(at or self.ae, fr=fr or self.ae.id, fu=1, **q), 2000)
        return self.names(r)

    def names(self, r):
        t = self.t
        t.true(r.root in ("m2m:uril", None) and isinstance(r.rep, (list, type(None))), "a discovery answers a list of URIs, got %s" % r.text)
        found = [u.rsplit("/", 1)[-1] for u in r.rep or []]
        t.equal(len(found), len(set(found)), "the number of results, each told once, among %s" % found)
        return set(found) - {self.ae.rn}


def finds(wanted, q, t):
    tree = Tree(t)
    if not wanted:
        t.same(tree.find(ty=9), {"g"}, "what ty=9 finds")
    t.same(tree.find(**q), set(wanted), "what %s finds" % q)


def finds_all(t):
    tree = Tree(t)
    t.same(tree.find(), tree.all, "what discovery without criteria finds")


check("DIS", "DISCOVER/FC/none-finds-everything-below", FILTER)(finds_all)
NAMES = ("a", "b", "aa", "a1", "a2", "aa1", "b1", "g")
PAST, FUTURE = "20200101T000000", "20990101T000000"
for _rule, _wanted, _q in (
        ("ty-one", ("a", "b", "aa"), {"ty": 3}), ("ty-several", ("a", "b", "aa", "g"), {"ty": [3, 9]}), ("ty-none-there", (), {"ty": 16}), ("ty-instances", ("a1", "a2", "aa1", "b1"), {"ty": 4}),
        ("lbl-one", ("a",), {"lbl": "one"}), ("lbl-shared", ("a", "b"), {"lbl": "both"}), ("lbl-several", ("a", "b"), {"lbl": ["one", "two"]}), ("lbl-deep", ("aa",), {"lbl": "deep"}),
        ("lbl-none-there", (), {"lbl": "nowhere"}), ("lbl-is-not-a-part", (), {"lbl": "on"}),
        ("crb-future", NAMES, {"crb": FUTURE}), ("crb-past", (), {"crb": PAST}), ("cra-past", NAMES, {"cra": PAST}), ("cra-future", (), {"cra": FUTURE}),
        ("ms-past", NAMES, {"ms": PAST}), ("ms-future", (), {"ms": FUTURE}), ("us-future", NAMES, {"us": FUTURE}), ("us-past", (), {"us": PAST}),
        ("exb-past", (), {"exb": PAST}), ("exa-past", NAMES, {"exa": PAST}),
        ("sza", ("a2",), {"sza": 50}), ("sza-equal-counts", ("a2", "aa1", "b1"), {"sza": 5}), ("szb", ("a1",), {"szb": 5}), ("sza-and-szb", ("aa1", "b1"), {"sza": 2, "szb": 50}),
        ("cty", ("a2",), {"cty": "application/json"}), ("cty-text", ("a1",), {"cty": "text/plain"}),
        ("atr-number", ("a",), {"mni": 5}), ("atr-name", ("aa",), {"rn": "aa"}), ("atr-none-there", (), {"mni": 77}), ("atr-wildcard-after", ("a", "aa", "a1", "a2", "aa1"), {"rn": "a*"}),
        ("atr-wildcard-before", ("a1", "aa1", "b1"), {"rn": "*1"}), ("atr-wildcard-within", ("aa1", "a1"), {"rn": "a*1"}), ("atr-two-and", ("a",), {"mni": 5, "rn": "a"}), ("atr-two-and-neither", (), {"mni": 5, "rn": "b"}),
        ("ty-and-lbl", ("a",), {"ty": 3, "lbl": "one"}), ("ty-and-lbl-neither", (), {"ty": 4, "lbl": "one"}), ("fo-and", ("a",), {"fo": 1, "ty": 3, "lbl": "one"}),
        ("fo-or", ("a1", "a2", "aa1", "b1", "a"), {"fo": 2, "ty": 4, "lbl": "one"}), ("fo-or-attributes", ("a", "b"), {"fo": 2, "mni": 5, "lbl": "two"}),
        ("lvl-1", ("a", "b", "g"), {"lvl": 1}), ("lvl-2", ("a", "b", "g", "aa", "a1", "a2", "b1"), {"lvl": 2}), ("lvl-and-ty", ("a", "b"), {"lvl": 1, "ty": 3}),
        ("chty", ("a", "b", "aa"), {"chty": 4}), ("chty-container", ("a",), {"chty": 3}), ("pty", ("aa", "a1", "a2", "aa1", "b1"), {"pty": 3}), ("pty-AE", ("a", "b", "g"), {"pty": 2}),
        ("clbl", ("a",), {"clbl": "deep"}), ("clbl-leaf", ("a",), {"clbl": "leaf"}), ("palb", ("aa", "a1", "a2"), {"palb": "one"}), ("palb-deep", ("aa1",), {"palb": "deep"}),
        ("catr", ("a",), {"c.rn": "a1"}), ("patr", ("b1",), {"p.mni": 9}),
        ("stb", ("a", "aa", "b"), {"stb": 0, "ty": 3}), ("sts", ("aa", "b"), {"sts": 2, "ty": 3}),
        ("time-and-type", ("a", "b", "aa"), {"cra": PAST, "crb": FUTURE, "ty": 3})):
    check("DIS", "DISCOVER/FC/" + _rule, FILTER)(functools.partial(finds, _wanted, _q))


@check("DIS", "DISCOVER/FC/exb-and-exa-by-resource", FILTER)
def _(t):
    ae = t.ae()
    t.cnt(ae, rn="soon", et=timestamp(3600))
    t.cnt(ae, rn="late", et=timestamp(7200))
    r = t.rsc(t.retrieve(ae, fu=1, ty=3, exb=timestamp(5400)[:15]), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], ["soon"], "what expires before")
    r = t.rsc(t.retrieve(ae, fu=1, ty=3, exa=timestamp(5400)[:15]), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], ["late"], "what expires after")


def wrong(q, t):
    tree = Tree(t)
    tree.find(ty=3)
    t.refused(t.retrieve(tree.ae, fu=1, **q), 4000)


for _rule, _q in (("lim-negative", {"lim": -1}), ("lim-text", {"lim": "many"}), ("lvl-zero", {"lvl": 0}), ("lvl-negative", {"lvl": -1}), ("ofst-negative", {"ofst": -1}), ("ty-text", {"ty": "cnt"}),
                  ("crb-text", {"crb": "yesterday"}), ("cra-text", {"cra": "2020"}), ("ms-text", {"ms": "x"}), ("us-text", {"us": "x"}), ("exb-text", {"exb": "x"}),
                  ("exa-text", {"exa": "x"}), ("sza-negative", {"sza": -1}), ("szb-text", {"szb": "big"}), ("sts-text", {"sts": "x"}), ("stb-negative", {"stb": -1}),
                  ("fo-unknown", {"fo": 9}), ("unknown-field", {"xyzzy": 1}), ("drt-unknown", {"drt": 3}), ("rcn-1", {"rcn": 1}), ("rcn-4", {"rcn": 4}), ("rcn-5", {"rcn": 5}), ("rcn-8", {"rcn": 8})):
    check("DIS", "DISCOVER/FC/refused-" + _rule, FILTER)(functools.partial(wrong, _q))


@check("DIS", "DISCOVER/FC/refused-fu-unknown", FILTER)
def _(t):
    ae = t.ae()
    t.rsc(t.retrieve(ae, fu=1), 2000)
    t.refused(t.retrieve(ae, fu=9), 4000)


@check("DIS", "DISCOVER/FC/rcn-6", "TS-0001 8.1.2")
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, rcn=6, ty=9), 2000)
    refs = r.rep.get("rrf") if isinstance(r.rep, dict) else r.rep
    t.equal([(x["val"] if isinstance(x, dict) else x).rsplit("/", 1)[-1] for x in refs], ["g"], "what is found")


@check("DIS", "DISCOVER/DRT/default-is-structured", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, lbl="deep"), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].endswith(tree.aa.path), "the result %s is the structured address %s" % (r.rep, tree.aa.path))


@check("DIS", "DISCOVER/DRT/structured", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, lbl="deep", drt=1), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].endswith(tree.aa.path), "the result %s is the structured address %s" % (r.rep, tree.aa.path))


@check("DIS", "DISCOVER/DRT/unstructured", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, lbl="deep", drt=2), 2000)
    t.true(len(r.rep) == 1 and r.rep[0].rsplit("/", 1)[-1] == tree.aa.ri, "the result %s is the resourceID %s" % (r.rep, tree.aa.ri))


@check("DIS", "DISCOVER/TO/SP-relative-results-for-an-SP-relative-target", "TS-0001 9.3.1")
def _(t):
    tree = Tree(t)
    for drt, address in ((1, tree.aa.path), (2, tree.aa.ri)):
        r = t.rsc(t.retrieve(t.csi + "/" + tree.ae.path, fr=tree.ae.id, fu=1, lbl="deep", drt=drt), 2000)
        t.equal(r.rep, [t.csi + "/" + address], "the result of drt=%d" % drt)


@check("DIS", "DISCOVER/DRT/results-can-be-retrieved", FILTER)
def _(t):
    tree = Tree(t)
    for drt in (1, 2):
        found = t.rsc(t.retrieve(tree.ae, fu=1, drt=drt), 2000).rep
        t.true(len(found) >= len(tree.all), "everything is found")
        for u in found:
            t.rsc(t.retrieve(u, fr=tree.ae.id), 2000, why="the result %s" % u)


@check("DIS", "DISCOVER/FC/no-result-is-an-empty-list", FILTER)
def _(t):
    tree = Tree(t)
    t.same(tree.find(lbl="one"), {"a"}, "what a label that is there finds")
    r = t.rsc(t.retrieve(tree.ae, fu=1, lbl="nowhere"), 2000)
    t.equal(r.body, {"m2m:uril": []}, "the body")


@check("DIS", "DISCOVER/FC/starts-at-the-target", FILTER)
def _(t):
    tree = Tree(t)
    t.same(tree.find(at=tree.a, ty=4), {"a1", "a2", "aa1"}, "what is found below one container")


@check("DIS", "DISCOVER/FC/virtual-resources-are-not-found", FILTER)
def _(t):
    tree = Tree(t)
    found = tree.find()
    t.true(found, "something is found")
    t.true(not found & {"la", "ol", "fopt"}, "no virtual resource is among %s" % sorted(found))


@check("DIS", "DISCOVER/FC/deleted-is-not-found", FILTER)
def _(t):
    tree = Tree(t)
    t.rsc(t.delete(tree.a), 2002)
    t.same(tree.find(), {"b", "b1", "g"}, "what is left")


@check("DIS", "DISCOVER/FC/updated-labels-count", FILTER)
def _(t):
    tree = Tree(t)
    t.rsc(t.update(tree.a, {"lbl": ["fresh"]}), 2004)
    t.same(tree.find(lbl="fresh"), {"a"}, "what the new label finds")
    t.same(tree.find(lbl="one"), set(), "what the old label finds")


@check("DIS", "DISCOVER/FC/updated-attribute-counts", FILTER)
def _(t):
    tree = Tree(t)
    t.rsc(t.update(tree.a, {"mni": 6}), 2004)
    t.same(tree.find(mni=6), {"a"}, "what the new value finds")
    t.same(tree.find(mni=5), set(), "what the old value finds")


@check("DIS", "DISCOVER/FC/percent-encoded-label", FILTER)
def _(t):
    ae = t.ae()
    t.cnt(ae, rn="odd", lbl=["key:a b/c"])
    r = t.rsc(t.retrieve(ae, fu=1, lbl="key:a b/c"), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], ["odd"], "what is found")


@check("DIS", "DISCOVER/LIM/limit", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, ty=4, lim=2), 2000)
    t.equal(len(r.rep), 2, "the number of results")
    t.equal(r.headers.get("x-m2m-cts"), "1", "X-M2M-CTS (1: partial content)")
    t.true((r.headers.get("x-m2m-cto") or "").isdigit(), "X-M2M-CTO is a number, got %r" % r.headers.get("x-m2m-cto"))


@check("DIS", "DISCOVER/LIM/limit-not-reached", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, ty=4, lim=50), 2000)
    t.equal(len(r.rep), 4, "the number of results")
    t.true(r.headers.get("x-m2m-cts") in (None, "2"), "the content is full, X-M2M-CTS %r" % r.headers.get("x-m2m-cts"))


@check("DIS", "DISCOVER/OFST/goes-on-where-the-limit-stopped", FILTER)
def _(t):
    tree = Tree(t)
    found, q = [], {}
    for _ in range(10):
        r = t.rsc(t.retrieve(tree.ae, fu=1, ty=4, lim=1, **q), 2000)
        found += r.rep
        if r.headers.get("x-m2m-cts") != "1":
            break
        q = {"ofst": r.headers.get("x-m2m-cto")}
    t.same([u.rsplit("/", 1)[-1] for u in found], ["a1", "a2", "aa1", "b1"], "all results, each once")


@check("DIS", "DISCOVER/ARP/la", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=1, lbl="one", arp="la"), 2000)
    t.equal(len(r.rep), 1, "the number of results")
    got = t.rsc(t.retrieve(r.rep[0], fr=tree.ae.id), 2000)
    t.equal(got.get("rn"), "a2", "what the result addresses")


@check("DIS", "DISCOVER/ARP/a-path-that-does-not-exist", FILTER)
def _(t):
    tree = Tree(t)
    t.same(tree.find(lbl="one"), {"a"}, "the results without a path")
    t.equal(t.rsc(t.retrieve(tree.ae, fu=1, lbl="one", arp="nothing"), 2000).rep, [], "the results with it")


@check("DIS", "DISCOVER/SEC/needs-the-discovery-operation", "TS-0004 7.3.3.15")
def _(t):
    ae, other = t.ae(), t.ae()
    acp = t.acp([(other.id, R)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.cin(cnt, fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)
    t.equal(len(t.rsc(t.retrieve(cnt, fu=1, ty=4, fr=t.admin), 2000).rep), 1, "the number of results that the administrator has")
    r = t.retrieve(cnt, fu=1, ty=4, fr=other.id)
    t.true(r.rsc == 4103 or r.rsc == 2000 and not r.rep, "nothing is found without the operation DISCOVERY, got %s" % r)


@check("DIS", "DISCOVER/SEC/what-may-not-be-found-is-left-out", FILTER)
def _(t):
    ae, other = t.ae(), t.ae()
    acp = t.acp([(other.id, DISCOVER)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.make(cnt, CNT, {"rn": "seen", "acpi": [acp.ri]}, fr=t.admin)
    t.make(cnt, CNT, {"rn": "hidden", "acpi": [t.acp([(ae.id, ALL)]).ri]}, fr=t.admin)
    r = t.rsc(t.retrieve(cnt, fu=1, ty=3, fr=other.id), 2000)
    t.same({u.rsplit("/", 1)[-1] for u in r.rep} - {cnt.rn}, {"seen"}, "what is found")


@check("DIS", "DISCOVER/SEC/stranger", "TS-0004 7.3.3.15")
def _(t):
    tree = Tree(t)
    t.same(tree.find(), tree.all, "what the owner finds")
    r = t.retrieve(tree.ae, fu=1, fr=t.ae().id)
    t.true(r.rsc == 4103 or r.rsc == 2000 and not r.rep, "another AE finds nothing, got %s" % r)


@check("DIS", "DISCOVER/FC/whole-CSE-by-the-administrator", FILTER)
def _(t):
    label = t.name("label")
    t.cnt(lbl=[label])
    t.equal(len(t.rsc(t.retrieve(t.cse, fu=1, lbl=label), 2000).rep), 1, "the number of results")


@check("DIS", "RETRIEVE/FC/conditional-children", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, fu=2, rcn=4, lbl="both", lvl=1), 2000)
    t.same([c["rn"] for c in r.rep.get("m2m:cnt", [])], ["a", "b"], "the children that match")
    t.true("m2m:grp" not in r.rep, "what does not match is left out")


@check("DIS", "RETRIEVE/FC/conditional-references", FILTER)
def _(t):
    tree = Tree(t)
    r = t.rsc(t.retrieve(tree.ae, rcn=6, ty=9), 2000)
    refs = r.rep.get("rrf") if isinstance(r.rep, dict) else r.rep
    t.equal([x["nm"] for x in refs], ["g"], "the references that match")


CONTENT = "TS-0001 J.2"
LABELS = "TS-0004 7.3.3.17.16"


class Contents(Tree):
    """ae / c [color:red, kind] / warm, cold (JSON), text (not JSON); ae / d [color:blue]."""

    def __init__(self, t):
        self.t = t
        self.ae = t.ae()
        self.c = t.cnt(self.ae, rn="c", lbl=["color:red", "kind"])
        t.cnt(self.ae, rn="d", lbl=["color:blue"])
        t.cin(self.c, '{"t":25,"where":{"the floor":["north","south"]},"name":"big room"}', rn="warm", cnf="application/json:0")
        t.cin(self.c, '{"t":5,"name":"small room"}', rn="cold", cnf="application/json:0")
        t.cin(self.c, '{"t":25}', rn="text", cnf="text/plain:0")


def finds_content(wanted, query, more, t):
    tree = Contents(t)
    t.same(tree.find(cfs=1, cfq="$.t GT 0"), {"warm", "cold"}, "what $.t GT 0 finds")
    t.same(tree.find(cfs=1, cfq=query, **more), set(wanted), "what %s finds" % query)


for _rule, _wanted, _query, _more in (
        ("EQ-number", ("warm",), "$.t EQ 25", {}), ("EQ-number-by-value", ("warm",), "$.t EQ 25.0", {}), ("EQ-string", ("warm",), '$.name EQ "big room"', {}), ("NE-number", ("cold",), "$.t NE 25", {}),
        ("GT", ("warm",), "$.t GT 5", {}), ("GE", ("warm", "cold"), "$.t GE 5", {}), ("LT", ("cold",), "$.t LT 25", {}), ("LE", ("warm", "cold"), "$.t LE 25", {}),
        ("MATCH", ("cold",), '$.name MATCH "small"', {}), ("MATCH-a-part", ("warm", "cold"), "$.name MATCH room", {}), ("AND", ("warm",), '$.t GT 0 AND $.name MATCH "big"', {}),
        ("AND-neither", (), '$.t LT 10 AND $.name MATCH "big"', {}), ("OR", ("warm", "cold"), '$.t LT 10 OR $.name MATCH "big"', {}),
        ("member-with-quotes-and-element", ("warm",), '$.where."the floor"[1] EQ "south"', {}), ("element-that-is-not-there", (), '$.where."the floor"[2] EQ "south"', {}),
        ("member-that-is-not-there", (), "$.nothing NE 1", {}), ("and-ty", (), "$.t GT 0", {"ty": 3}), ("and-cty", ("warm", "cold"), "$.t GT 0", {"cty": "application/json"}),
        ("or-lbl", ("warm", "cold", "d"), "$.t GT 0", {"fo": 2, "lbl": "color:blue"})):
    check("DIS", "DISCOVER/CFQ/" + _rule, CONTENT)(functools.partial(finds_content, _wanted, _query, _more))


def finds_keys(wanted, query, t):
    tree = Contents(t)
    t.same(tree.find(ty=3), {"c", "d"}, "what ty=3 finds")
    t.same(tree.find(ty=3, lbq=query), set(wanted), "what %s finds" % query)


for _rule, _wanted, _query in (
        ("key", ("c", "d"), "color"), ("key-only", ("c",), "kind"), ("key-is-not-a-part", (), "col"), ("NT", ("d",), "NT kind"), ("EQ", ("c",), "color EQ red"), ("pair", ("d",), "color:blue"),
        ("EQ-none", (), "color EQ green"), ("NE", ("d",), "color NE red"), ("NE-needs-a-value", (), "kind NE red"), ("IN", ("c", "d"), "color IN (red, blue)"), ("IN-one", ("d",), "color IN (green, blue)"),
        ("NI", ("d",), "color NI (red, green)"), ("NI-none", (), "color NI (red, blue)")):
    check("DIS", "DISCOVER/LBQ/" + _rule, LABELS)(functools.partial(finds_keys, _wanted, _query))


def wrong_content(q, names, t):
    tree = Contents(t)
    t.same(tree.find(cfs=1, cfq="$.t GT 20"), {"warm"}, "what $.t GT 20 finds")
    t.same(tree.find(lbq="kind"), {"c"}, "what kind finds")
    r = t.refused(t.retrieve(tree.ae, fu=1, **q), 4000)
    t.true(names in r.text, "the refusal names %s, got %s" % (names, r.text))


for _rule, _q, _names in (
        ("cfs-unknown", {"cfs": 9, "cfq": "$.t GT 20"}, "cfs"), ("cfs-without-cfq", {"cfs": 1}, "cfq"), ("cfq-without-path", {"cfs": 1, "cfq": "t GT 20"}, "cfq"), ("cfq-without-value", {"cfs": 1, "cfq": "$.t GT"}, "cfq"),
        ("cfq-unknown-keyword", {"cfs": 1, "cfq": "$.t IS 20"}, "cfq"), ("cfq-GT-text", {"cfs": 1, "cfq": "$.t GT warm"}, "cfq"), ("cfq-open-string", {"cfs": 1, "cfq": '$.t EQ "x'}, "cfq"),
        ("cfq-very-long", {"cfs": 1, "cfq": "$.t EQ " + "9" * 5000}, "cfq"), ("lbq-unknown-keyword", {"lbq": "color IS red"}, "lbq"), ("lbq-open-list", {"lbq": "color IN (red"}, "lbq"), ("lbq-NT-alone", {"lbq": "NT"}, "lbq")):
    check("DIS", "DISCOVER/FC/refused-" + _rule, FILTER)(functools.partial(wrong_content, _q, _names))


@check("DIS", "RETRIEVE/CFQ/fu-2-of-an-instance", CONTENT)
def _(t):
    tree = Contents(t)
    t.rsc(t.retrieve(tree.c.path + "/warm", fr=tree.ae.id, fu=2, cfs=1, cfq="$.t GT 20"), 2000)
    r = t.retrieve(tree.c.path + "/cold", fr=tree.ae.id, fu=2, cfs=1, cfq="$.t GT 20")
    t.true(r.rsc != 2000 or not isinstance(r.rep, dict) or "con" not in r.rep, "an instance whose content does not match is not shown, got %s" % r)


@check("DIS", "DISCOVER/FU/3-asks-the-IPE", "TS-0004 7.5.1.2.8")
def _(t):
    box = t.box()
    ipe = t.ae(listens=box, lbl=["IPE"])
    there = t.cnt(ipe, lbl=["here"])
    r = t.rsc(t.retrieve(ipe, fu=3, lbl="here"), 2000)
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep or []], [there.rn], "what is found without asking")
    t.silent(box, "no question to the IPE while something is found")
    r = t.rsc(t.retrieve(ipe, fu=3, lbl="nowhere"), 2000)
    t.equal(r.rep, [], "what an IPE that tells nothing has found")
    n = t.note(box, "the question to the IPE")
    idr = n.body["m2m:sgn"]["idr"]
    t.equal(idr["or"].rsplit("/", 1)[-1], ipe.id, "the originator of the discovery")
    t.equal(idr["fc"].get("lbl"), ["nowhere"], "labels in the filter criteria")


@check("DIS", "DISCOVER/FC/cfq-without-cfs", "TS-0004 7.3.3.17.13")
def _(t):
    tree = Contents(t)
    t.same(tree.find(cfq="$.t GT 20"), {"warm"}, "what $.t GT 20 finds")


@check("DIS", "RETRIEVE/FC/arp-with-children", "TS-0001 8.1.2")
def _(t):
    """applyRelativePath says what stands for a match in every result with children, not in discovery alone."""
    ae = t.ae()
    below = t.cnt(t.cnt(ae, lbl=["one"]), rn="below")
    t.cnt(ae, lbl=["one"])
    for rcn in (4, 8):
        r = t.rsc(t.retrieve(ae, rcn=rcn, lbl="one", arp="below"), 2000)
        t.same([c["ri"] for c in r.rep.get("m2m:cnt", [])], [below.ri], "the containers that rcn=%d shows" % rcn)
    t.same([r["nm"] for r in t.rsc(t.retrieve(ae, rcn=6, lbl="one", arp="below"), 2000).rep["rrf"]], ["below"], "what rcn=6 refers to")
