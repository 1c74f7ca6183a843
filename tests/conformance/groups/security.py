"""SEC: accessControlPolicy and the decision that it makes."""
import functools
import time

from conformance.check import NotApplicable, check
from conformance.names import *

DECISION = "TS-0003 7.1.5"
RULE = "TS-0001 9.6.2"
OPS = {"CREATE": C, "RETRIEVE": R, "UPDATE": U, "DELETE": D, "NOTIFY": N, "DISCOVERY": DISCOVER}


def scene(t, rules, owner=True, **attributes):
    """A container that the rules alone open, and another AE."""
    ae, other = t.ae(), t.ae()
    made = [r(t, other) if callable(r) else r for r in rules]
    acp = t.acp(made + ([(ae.id, ALL)] if owner else []))
    cnt = t.make(ae, CNT, dict(attributes, acpi=[acp.ri]), fr=t.admin)
    cnt.fr = other.id
    return ae, other, acp, cnt


def attempt(t, op, cnt):
    if op == "CREATE":
        return t.create(cnt, CIN, {"con": "x"})
    if op == "RETRIEVE":
        return t.retrieve(cnt)
    if op == "UPDATE":
        return t.update(cnt, {"lbl": ["x"]})
    if op == "DELETE":
        return t.delete(cnt)
    return t.retrieve(cnt, fu=1, ty=4)


GOOD = {"CREATE": 2001, "RETRIEVE": 2000, "UPDATE": 2004, "DELETE": 2002, "DISCOVERY": 2000}


def operation(granted, tried, t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (other.id, OPS[granted])])
    t.cin(cnt.path, fr=ae.id)
    r = attempt(t, tried, cnt)
    if granted == tried:
        t.rsc(r, GOOD[tried])
        if tried == "DISCOVERY":
            t.equal(len(r.rep), 1, "the number of results")
    elif tried == "DISCOVERY":
        t.equal(len(t.rsc(t.retrieve(cnt, fu=1, ty=4, fr=t.admin), 2000).rep), 1, "the number of results that the administrator has")
        t.true(r.rsc == 4103 or r.rsc == 2000 and not r.rep, "nothing is found, got %s" % r)
    else:
        t.refused(r, 4103)
        t.rsc(t.retrieve(cnt, fr=t.admin), 2000)


for _granted in OPS:
    for _tried in GOOD:
        check("SEC", "%s/ACOP/only-%s-granted" % (_tried, _granted), "TS-0001 9.6.2.3")(functools.partial(operation, _granted, _tried))


def all_but(op, t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (other.id, ALL - OPS[op])])
    t.refused(attempt(t, op, cnt), 4103)


for _op in ("CREATE", "RETRIEVE", "UPDATE", "DELETE"):
    check("SEC", "%s/ACOP/all-but-it" % _op, "TS-0001 9.6.2.3")(functools.partial(all_but, _op))


def default_deny(op, t):
    cnt = t.cnt()
    t.cin(cnt)
    owner, cnt.fr = cnt.fr, t.ae().id
    r = attempt(t, op, cnt)
    if op == "DISCOVERY":
        t.equal(len(t.rsc(t.retrieve(cnt, fu=1, ty=4, fr=owner), 2000).rep), 1, "the number of results that the creator has")
        t.true(r.rsc == 4103 or r.rsc == 2000 and not r.rep, "nothing is found, got %s" % r)
    else:
        t.refused(r, 4103)


def creator_default(op, t):
    t.rsc(attempt(t, op, t.cnt()), GOOD[op])


def administrator(op, t):
    ae, other, acp, cnt = scene(t, [])
    cnt.fr = t.admin
    t.rsc(attempt(t, op, cnt), GOOD[op])


for _op in GOOD:
    check("SEC", "%s/DEFAULT/another-AE-denied" % _op, DECISION)(functools.partial(default_deny, _op))
    check("SEC", "%s/DEFAULT/creator-allowed" % _op, "TS-0001 9.6.1.3.2")(functools.partial(creator_default, _op))
    check("SEC", "%s/DEFAULT/administrator-allowed" % _op, DECISION)(functools.partial(administrator, _op))


@check("SEC", "RETRIEVE/DEFAULT/unregistered-originator", "TS-0004 7.3.2.1")
def _(t):
    t.refused(t.retrieve(t.cnt(), fr="C" + t.name("ghost")), 4103, 4106)


# who

def originator(pattern, ok, t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (pattern(t, other), R)])
    r = t.retrieve(cnt)
    if ok:
        t.rsc(r, 2000)
    else:
        t.refused(r, 4103)


for _tag, _pattern, _ok in (
        ("exact", lambda t, o: o.id, True), ("all", lambda t, o: "all", True), ("another", lambda t, o: "Csomebody", False), ("sp-relative", lambda t, o: t.csi + "/" + o.id, True),
        ("wildcard-after", lambda t, o: o.id[:3] + "*", True), ("wildcard-before", lambda t, o: "*" + o.id[2:], True), ("wildcard-within", lambda t, o: o.id[:2] + "*" + o.id[-1:], True),
        ("wildcard-alone", lambda t, o: "*", True), ("wildcard-of-another", lambda t, o: "Sx*", False), ("part-is-not-enough", lambda t, o: o.id[:-1], False), ("longer-is-another", lambda t, o: o.id + "x", False),
        ("case-matters", lambda t, o: o.id.upper() if o.id.upper() != o.id else o.id.lower(), False), ("of-another-CSE", lambda t, o: "/id-elsewhere/" + o.id, False),
        ("wildcard-of-this-CSE", lambda t, o: t.csi + "/*", True), ("wildcard-of-another-CSE", lambda t, o: "/id-elsewhere/*", False), ("regular-expression-is-not-one", lambda t, o: o.id[:2] + ".+", False)):
    check("SEC", "RETRIEVE/ACOR/" + _tag, "TS-0001 9.6.2.1")(functools.partial(originator, _pattern, _ok))


@check("SEC", "RETRIEVE/ACOR/several", "TS-0001 9.6.2.1")
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (["Ca", other.id, "Cb"], R)])
    t.rsc(t.retrieve(cnt), 2000)


@check("SEC", "RETRIEVE/ACOR/members-of-a-group", "TS-0001 9.6.2.1")
def _(t):
    ae, other, outsider = t.ae(), t.ae(), t.ae()
    grp = t.make(t.cse, GRP, {"mnm": 5, "mid": [other.ri]})
    acp = t.acp([(grp.ri, R), (ae.id, ALL)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)
    t.refused(t.retrieve(cnt, fr=outsider.id), 4103)


# context

def context(acco, ok, t):
    ae, other, acp, cnt = scene(t, [lambda t, other: {"acor": [other.id], "acop": R, "acco": acco}])
    r = t.retrieve(cnt)
    if ok:
        t.rsc(r, 2000)
    else:
        t.refused(r, 4103)


YEAR = time.gmtime().tm_year
for _tag, _acco, _ok in (
        ("window-always", [{"actw": ["* * * * * * *"]}], True), ("window-past-year", [{"actw": ["* * * * * * 2020"]}], False), ("window-this-year", [{"actw": ["* * * * * * %d-%d" % (YEAR, YEAR + 1)]}], True),
        ("window-list-of-years", [{"actw": ["* * * * * * 2020,%d,%d" % (YEAR, YEAR + 1)]}], True), ("window-steps", [{"actw": ["*/1 * * * * * *"]}], True),
        ("window-one-of-two", [{"actw": ["* * * * * * 2020", "* * * * * * *"]}], True), ("window-weekdays-all", [{"actw": ["* * * * * 0-6 *"]}], True),
        ("ipv4-loopback", [{"acip": {"ipv4": ["127.0.0.1"]}}], True), ("ipv4-another", [{"acip": {"ipv4": ["10.1.2.3"]}}], False), ("ipv4-several", [{"acip": {"ipv4": ["10.1.2.3", "127.0.0.1"]}}], True),
        ("ipv6-another", [{"acip": {"ipv6": ["2001:db8::1"]}}], False), ("window-and-address", [{"actw": ["* * * * * * *"], "acip": {"ipv4": ["127.0.0.1"]}}], True),
        ("window-but-not-address", [{"actw": ["* * * * * * *"], "acip": {"ipv4": ["10.1.2.3"]}}], False), ("second-context-matches", [{"actw": ["* * * * * * 2020"]}, {"acip": {"ipv4": ["127.0.0.1"]}}], True),
        ("location-unknown", [{"aclr": {"accc": ["KR"]}}], False)):
    check("SEC", "RETRIEVE/ACCO/" + _tag, "TS-0001 9.6.2.2")(functools.partial(context, _acco, _ok))


@check("SEC", "RETRIEVE/ACAF/not-authenticated", "TS-0001 9.6.2.4")
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: {"acor": [other.id], "acop": R, "acaf": True}])
    t.refused(t.retrieve(cnt), 4103)


@check("SEC", "RETRIEVE/ACAF/false", "TS-0001 9.6.2.4")
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: {"acor": [other.id], "acop": R, "acaf": False}])
    t.rsc(t.retrieve(cnt), 2000)


# object details

def details(acod, ty, attributes, ok, t):
    ae, other, acp, cnt = scene(t, [lambda t, other: {"acor": [other.id], "acop": C, "acod": acod}])
    r = t.create(cnt, ty, attributes)
    if ok:
        t.rsc(r, 2001)
    else:
        t.refused(r, 4103)


for _tag, _acod, _ty, _attributes, _ok in (
        ("child-type-allowed", [{"chty": [4]}], CIN, {"con": "x"}, True), ("child-type-not-allowed", [{"chty": [4]}], CNT, {}, False), ("parent-type-matches", [{"ty": 3, "chty": [3]}], CNT, {}, True),
        ("parent-type-differs", [{"ty": 2, "chty": [3]}], CNT, {}, False), ("several-types", [{"chty": [3, 4]}], CNT, {}, True), ("second-entry", [{"chty": [4]}, {"chty": [3]}], CNT, {}, True)):
    check("SEC", "CREATE/ACOD/" + _tag, "TS-0001 9.6.2.5")(functools.partial(details, _acod, _ty, _attributes, _ok))


# several rules, several policies

@check("SEC", "RETRIEVE/ACR/any-rule-permits", DECISION)
def _(t):
    ae, other, acp, cnt = scene(t, [("Csomebody", ALL), lambda t, other: (other.id, R)])
    t.rsc(t.retrieve(cnt), 2000)


@check("SEC", "RETRIEVE/ACR/rules-add-up", DECISION)
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (other.id, R), lambda t, other: (other.id, U)])
    t.rsc(t.retrieve(cnt), 2000)
    t.rsc(attempt(t, "UPDATE", cnt), 2004)
    t.refused(attempt(t, "DELETE", cnt), 4103)


@check("SEC", "RETRIEVE/ACPI/any-policy-permits", DECISION)
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([("Csomebody", ALL)]).ri, t.acp([(other.id, R)]).ri]}, fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)


@check("SEC", "RETRIEVE/ACPI/structured-address", DECISION)
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(other.id, R)]).path]}, fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)


@check("SEC", "RETRIEVE/ACPI/sp-relative-address", DECISION)
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.csi + "/" + t.acp([(other.id, R)]).ri]}, fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)


@check("SEC", "RETRIEVE/ACPI/policy-replaces-the-creator's-default", "TS-0001 9.6.1.3.2")
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.make(ae, CNT, {"acpi": [t.acp([(other.id, R)]).ri]}, fr=ae.id)
    t.refused(t.delete(cnt, fr=ae.id), 4103)


@check("SEC", "RETRIEVE/ACPI/instance-follows-its-container", "TS-0001 9.6.1.3.2")
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (other.id, R)])
    cin = t.cin(cnt.path, fr=ae.id)
    t.rsc(t.retrieve(cin, fr=other.id), 2000)
    t.refused(t.delete(cin, fr=other.id), 4103)
    t.refused(t.retrieve(cin, fr=t.ae().id), 4103)


@check("SEC", "RETRIEVE/ACPI/change-of-policy-counts-at-once", DECISION)
def _(t):
    ae, other, acp, cnt = scene(t, [])
    t.refused(t.retrieve(cnt), 4103)
    t.rsc(t.update(acp, {"pv": {"acr": [{"acor": [other.id], "acop": R}]}}, fr=t.admin), 2004)
    t.rsc(t.retrieve(cnt), 2000)
    t.rsc(t.update(acp, {"pv": {"acr": [{"acor": ["Csomebody"], "acop": R}]}}, fr=t.admin), 2004)
    t.refused(t.retrieve(cnt), 4103)


@check("SEC", "RETRIEVE/ACPI/deleted-policy-permits-nothing", DECISION)
def _(t):
    ae, other, acp, cnt = scene(t, [lambda t, other: (other.id, R)])
    t.rsc(t.retrieve(cnt), 2000)
    t.rsc(t.delete(acp, fr=t.admin), 2002)
    t.refused(t.retrieve(cnt), 4103)


@check("SEC", "CREATE/ACPI/policy-that-does-not-exist", "TS-0001 9.6.1.3.2")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"acpi": ["nothing-there"]}), 4000)
    t.cnt(ae)


@check("SEC", "CREATE/ACPI/not-a-policy", "TS-0001 9.6.1.3.2")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"acpi": [t.cnt(ae).ri]}), 4000)


@check("SEC", "CREATE/ACPI/empty-list", "TS-0001 9.6.1.3.2")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"acpi": []}), 4000)


# changing accessControlPolicyIDs takes selfPrivileges

@check("SEC", "UPDATE/ACPI/first-by-the-creator", "TS-0001 9.6.1.3.2")
def _(t):
    ae, other = t.ae(), t.ae()
    cnt = t.cnt(ae)
    acp = t.acp([(other.id, R), (ae.id, ALL)], self_rules=[(ae.id, ALL), (t.admin, ALL)])
    t.rsc(t.update(cnt, {"acpi": [acp.ri]}, fr=ae.id), 2004)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)


@check("SEC", "UPDATE/ACPI/needs-self-privileges", "TS-0004 7.3.3.7")
def _(t):
    ae = t.ae()
    acp, new = t.acp([(ae.id, ALL)]), t.acp([(ae.id, ALL)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.rsc(t.update(cnt, {"lbl": ["allowed"]}, fr=ae.id), 2004)
    t.refused(t.update(cnt, {"acpi": [new.ri]}, fr=ae.id), 4103)
    t.equal(t.retrieve(cnt, fr=ae.id).get("acpi"), [acp.ri], "accessControlPolicyIDs")


@check("SEC", "UPDATE/ACPI/with-self-privileges", "TS-0004 7.3.3.7")
def _(t):
    ae = t.ae()
    acp = t.acp([(ae.id, R)], self_rules=[(ae.id, U), (t.admin, ALL)])
    new = t.acp([(ae.id, ALL)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.rsc(t.update(cnt, {"acpi": [new.ri]}, fr=ae.id), 2004)
    t.equal(t.retrieve(cnt, fr=ae.id).get("acpi"), [new.ri], "accessControlPolicyIDs")


@check("SEC", "UPDATE/ACPI/must-be-alone", "TS-0004 7.3.3.7")
def _(t):
    ae = t.ae()
    acp = t.acp([(ae.id, ALL)], self_rules=[(ae.id, ALL), (t.admin, ALL)])
    cnt = t.cnt(ae)
    t.refused(t.update(cnt, {"acpi": [acp.ri], "lbl": ["x"]}, fr=ae.id), 4000)
    t.equal(t.retrieve(cnt).get("lbl"), None, "labels")


@check("SEC", "UPDATE/ACPI/policy-that-does-not-exist", "TS-0004 7.3.3.7")
def _(t):
    cnt = t.cnt()
    t.refused(t.update(cnt, {"acpi": ["nothing-there"]}), 4000)


@check("SEC", "UPDATE/ACPI/null-gives-it-back-to-the-creator", "TS-0004 7.3.3.7")
def _(t):
    ae, other = t.ae(), t.ae()
    acp = t.acp([(other.id, R), (ae.id, ALL)], self_rules=[(ae.id, ALL), (t.admin, ALL)])
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=ae.id)
    t.rsc(t.retrieve(cnt, fr=other.id), 2000)
    t.rsc(t.update(cnt, {"acpi": None}, fr=ae.id), 2004)
    t.refused(t.retrieve(cnt, fr=other.id), 4103)
    t.rsc(t.retrieve(cnt, fr=ae.id), 2000)


# the policy itself

def self_privilege(op, granted, t):
    other = t.ae()
    acp = t.acp([(other.id, ALL)], self_rules=[(t.admin, ALL), (other.id, OPS[granted])])
    acp.fr = other.id
    r = {"RETRIEVE": lambda: t.retrieve(acp), "UPDATE": lambda: t.update(acp, {"lbl": ["x"]}), "DELETE": lambda: t.delete(acp)}[op]()
    if op == granted:
        t.rsc(r, GOOD[op])
    else:
        t.refused(r, 4103)


for _op in ("RETRIEVE", "UPDATE", "DELETE"):
    for _granted in ("RETRIEVE", "UPDATE", "DELETE"):
        check("SEC", "%s/ACP/selfPrivileges-%s" % (_op, _granted), "TS-0001 9.6.2.0")(functools.partial(self_privilege, _op, _granted))


@check("SEC", "RETRIEVE/ACP/privileges-do-not-open-the-policy", "TS-0001 9.6.2.0")
def _(t):
    other = t.ae()
    acp = t.acp([(other.id, ALL)])
    t.refused(t.retrieve(acp, fr=other.id), 4103)


def bad_policy(attributes, t):
    good = {"pv": {"acr": [{"acor": ["all"], "acop": 63}]}, "pvs": {"acr": [{"acor": [t.admin], "acop": 63}]}}
    t.refused(t.create(t.cse, ACP, dict(good, **attributes)), 4000)
    t.make(t.cse, ACP, good)


def acr(**rule):
    return {"pv": {"acr": [rule]}}


for _rule, _attributes in (
        ("pvs-empty", {"pvs": {}}), ("pvs-no-rules", {"pvs": {"acr": []}}), ("acop-missing", acr(acor=["all"])), ("acor-missing", acr(acop=63)), ("acop-64", acr(acor=["all"], acop=64)), ("acop-negative", acr(acor=["all"], acop=-1)),
        ("acop-text", acr(acor=["all"], acop="63")), ("acor-text", acr(acor="all", acop=63)), ("rule-unknown-member", acr(acor=["all"], acop=63, xyzzy=1)), ("actw-wrong", acr(acor=["all"], acop=63, acco=[{"actw": ["always"]}])),
        ("actw-six-fields", acr(acor=["all"], acop=63, acco=[{"actw": ["* * * * * *"]}])), ("acip-wrong", acr(acor=["all"], acop=63, acco=[{"acip": {"ipv4": ["not an address"]}}])), ("pv-a-list", {"pv": []}), ("acod-without-chty", acr(acor=["all"], acop=63, acod=[{"ty": 3}]))):
    check("SEC", "CREATE/ACP/" + _rule, "TS-0004 7.4.2.1")(functools.partial(bad_policy, _attributes))


@check("SEC", "UPDATE/ACP/pvs-null", "TS-0004 7.4.2.1")
def _(t):
    acp = t.acp([("all", R)])
    t.refused(t.update(acp, {"pvs": None}), 4000)
    t.refused(t.update(acp, {"pv": None}), 4000)


@check("SEC", "CREATE/ACP/no-rules-in-pv", "TS-0004 7.4.2.1")
def _(t):
    acp = t.acp([])
    ae = t.ae()
    cnt = t.make(ae, CNT, {"acpi": [acp.ri]}, fr=t.admin)
    t.refused(t.retrieve(cnt, fr=ae.id), 4103)


@check("SEC", "RETRIEVE/CSTN/custodian-has-access", "TS-0001 9.6.1.3.2")
def _(t):
    ae, other = t.ae(), t.ae()
    r = t.create(ae, CNT, {"rn": "kept", "cstn": other.id})
    if r.rsc == 4000:
        raise NotApplicable("the CSE does not know the attribute custodian of release 4")
    t.rsc(r, 2001)
    t.rsc(t.retrieve(ae.path + "/kept", fr=other.id), 2000)


@check("SEC", "RETRIEVE/SUB/inherits-from-its-parent", "TS-0001 9.6.1.3.2")
def _(t):
    cnt = t.cnt()
    sub, _ = t.sub(cnt)
    t.rsc(t.retrieve(sub), 2000)
    t.refused(t.retrieve(sub, fr=t.ae().id), 4103)
