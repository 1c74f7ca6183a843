"""RES: every resource type by its table. For each: CREATE with what is mandatory, RETRIEVE, DELETE; each attribute that the table forbids is
refused, each that it demands is missed, each of a wrong type is refused, null deletes an optional one and is refused for a mandatory one.

A refusal counts only if the same request without its fault succeeds, so that a type which the CSE does not know passes nothing."""
import base64
import functools

from conformance import tables
from conformance.check import NotPrepared, Resource, check, timestamp
from conformance.names import *

RDF = base64.b64encode(b'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.com/#">'
                       b'<rdf:Description rdf:about="http://example.com/#a"><e:is>b</e:is></rdf:Description></rdf:RDF>').decode()
ANYONE = {"acr": [{"acor": ["all"], "acop": 63}]}
JWT = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"


class Plan:
    """How to make one type: parent, root, mandatory attributes, originator."""

    def __init__(self, parent, attributes, fr=None, later=None):
        self.parent, self.attributes = parent, attributes
        self.fr = fr or (parent.fr if isinstance(parent, Resource) else None)
        self.later = later or self.fr


def under_cse(**attributes):
    return lambda t: Plan(t.cse, attributes, t.admin)


def under_ae(**attributes):
    return lambda t: Plan(t.ae(), attributes)


def node(t):
    return t.make(t.cse, NOD, {"ni": t.name("node")}, fr=t.admin)


def mgmt(mgd, **attributes):
    return lambda t: Plan(node(t), dict(attributes, mgd=mgd))


def plan_ae(t):
    return Plan(t.cse, {"api": "N.a", "rr": False, "srv": ["3", "4"]}, "C" + t.name("res"))


def plan_csr(t):
    csi = "/" + t.name("id-res")
    return Plan(t.cse, {"cb": csi + "/cse", "csi": csi, "rr": False, "srv": ["3", "4"]}, csi, t.admin)


def plan_sub(t):
    return Plan(t.cnt(), {"nu": [t.box().url]})


def plan_ntpr(t):
    sub, box = t.sub(t.cnt())
    ntp = t.make(t.cse, NTP, {"acn": 1, "plbl": t.name("p")}, fr=t.admin)
    return Plan(sub, {"ntu": [box.url], "npi": ntp.ri}, sub.fr)


def plan_evcg(t):
    return Plan(t.make(t.cse, STCG, {}, fr=t.admin), {"evt": 1, "opt": [2]})


def plan_crs(t):
    ae = t.ae()
    a, b = t.cnt(ae), t.cnt(ae)
    subs = [t.sub(c, [CHILD_CREATED])[0] for c in (a, b)]
    return Plan(ae, {"nu": [t.box().url], "twt": 1, "tws": "PT1M", "srat": [s.ri for s in subs]})


def plan_smi(t):
    job = t.make(t.cse, SMJP, {"mbft": "SELECT ?s WHERE { ?s ?p ?o }", "uptd": RDF, "fucd": RDF}, fr=t.admin)
    return Plan(t.ae(), {"mjid": job.ri, "jpin": RDF, "mst": 1, "rgt": 2})


def plan_actr(t):
    cnt = t.cnt()
    return Plan(cnt, {"evc": {"optr": 3, "sbjt": "cni", "thld": 99}, "evm": 0, "orc": cnt.ri,
                      "apv": {"op": 2, "fr": cnt.fr, "to": cnt.ri, "rqi": "1", "rvi": "4"}})


def plan_depr(t):
    p = plan_actr(t)
    actr = t.make(p.parent, ACTR, p.attributes)
    return Plan(actr, {"sfc": True, "evc": {"optr": 3, "sbjt": "cni", "thld": 99}, "rri": p.parent.ri})


def plan_mgc(t):
    return Plan(t.cse, {"cmt": 2, "exra": {"rbo": [{}]}, "ext": node(t).ri}, t.admin)


def plan_trac(t):
    cnt = t.cnt()
    return Plan(cnt, {"tid": "t1", "rqp": {"op": 3, "to": cnt.ri, "fr": cnt.fr, "rqi": "1", "rvi": "4", "pc": {"m2m:cnt": {"lbl": ["t"]}}}})


PLANS = {
    "accessControlPolicy": under_ae(pv=ANYONE, pvs=ANYONE), "AE": plan_ae, "remoteCSE": plan_csr, "container": under_ae(),
    "contentInstance": lambda t: Plan(t.cnt(), {"con": "x"}), "subscription": plan_sub,
    "schedule": lambda t: Plan(node(t), {"se": {"sce": ["* * * * * * *"]}}), "locationPolicy": under_cse(los=2),
    "group": lambda t: Plan(t.ae(), {"mnm": 5, "mid": []}), "mgmtCmd": plan_mgc, "node": under_cse(ni="node-1"), "m2mServiceSubscriptionProfile": under_cse(),
    "serviceSubscribedNode": lambda t: Plan(t.make(t.cse, MSSP, {}, fr=t.admin), {"ni": "node-2"}), "pollingChannel": under_ae(), "statsConfig": under_cse(),
    "eventConfig": plan_evcg, "statsCollect": under_cse(cei="Csample", srs=1, sm=1), "serviceSubscribedAppRule": under_cse(),
    "notificationTargetMgmtPolicyRef": plan_ntpr, "notificationTargetPolicy": lambda t: Plan(t.cse, {"acn": 1, "plbl": t.name("policy")}, t.admin),
    "policyDeletionRules": lambda t: Plan(t.make(t.cse, NTP, {"acn": 1, "plbl": t.name("p")}, fr=t.admin), {}), "semanticDescriptor": under_ae(dcrp=4, dsp=RDF),
    "dynamicAuthorizationConsultation": under_ae(dae=False, dap=["http://127.0.0.1:9/das"]),
    "timeSeries": under_ae(), "timeSeriesInstance": lambda t: Plan(t.make(t.ae(), TS, {}), {"dgt": timestamp(0), "con": "x"}),
    "role": under_cse(rlid="1234-5678@role-issuer.com", tkis="CAdmin", tkhd="Csample", tknb="20200101T000000", tkna="20990101T000000"),
    "token": under_cse(tkid="12345@token-issuer.com", tkob=JWT), "authorizationDecision": under_cse(), "authorizationPolicy": under_cse(),
    "authorizationInformation": under_cse(), "ontologyRepository": under_cse(),
    "ontology": lambda t: Plan(t.make(t.cse, ONTR, {}, fr=t.admin), {"ontf": 4, "ontc": RDF}),
    "semanticMashupJobProfile": under_cse(mbft="SELECT ?s WHERE { ?s ?p ?o }", uptd=RDF, fucd=RDF), "semanticMashupInstance": plan_smi,
    "crossResourceSubscription": plan_crs, "backgroundDataTransfer": under_cse(vpn=1, non=1, dtw="* * * * * * *"),
    "transaction": plan_trac, "multimediaSession": lambda t: Plan(t.ae(scp=["audio"]), {"soi": "Csample", "osd": {"sdc": ["v=0"]}}),
    "timeSyncBeacon": lambda t: Plan(t.ae(), {"bcnc": 1, "bcni": "PT1H", "bcnu": [t.box().url]}), "action": plan_actr, "dependency": plan_depr,
    "primitiveProfile": under_cse(idl=["Csample"]), "processManagement": under_ae(), "state": lambda t: Plan(t.make(t.ae(), PRMR, {}), {}),
    "firmware": mgmt(1001, vr="1", fwn="f", url="http://127.0.0.1:9/f", ud=False), "software": mgmt(1002, vr="1", swn="s", url="http://127.0.0.1:9/s"),
    "memory": mgmt(1003, mma=1, mmt=2), "areaNwkInfo": mgmt(1004, ant="Zigbee"), "areaNwkDeviceInfo": mgmt(1005, dvd="d", dvt="t", awi="awi"),
    "battery": mgmt(1006, btl=50, bts=1), "deviceInfo": mgmt(1007, dlb="label", man="m", mod="m", dty="t"),
    "deviceCapability": mgmt(1008, can="camera", att=True, cas={"acn": "enable", "sus": 1}, cus=True), "reboot": mgmt(1009),
    "eventLog": mgmt(1010, lgt=1, lgd="log", lgst=1), "cmdhPolicy": mgmt(1011, cpn="p", cmlk=[{"nm": "l", "typ": 1013, "val": "x"}]),
    "activeCmdhPolicy": mgmt(1012, acmlk="x"), "cmdhDefaults": mgmt(1013, cmlk=[{"nm": "l", "typ": 1014, "val": "x"}]),
    "cmdhDefEcValue": mgmt(1014, od=1, dev=4, ror=["Csample"]), "cmdhEcDefParamValues": mgmt(1015, aec=[4], dqet=1, dset=1, doet=1, drp=1, dda=True),
    "cmdhBuffer": mgmt(1019, aec=[4], mbfs=1, sgp=1), "dataCollection": mgmt(1021, cntp="/x"), "credentials": mgmt(1029), "sim": mgmt(1030, icid="8931088017010000000"),
}
# At most one of these may exist: their checks come one after another.
ONE = ("ontologyRepository", "ontology")
# An UPDATE of these starts something, or hangs together with others; the groups of their own look at them.
ACTING = {("firmware", "ud"), ("software", "in"), ("software", "un"), ("software", "act"), ("software", "dea"), ("reboot", "rbo"), ("reboot", "far"),
          ("deviceCapability", "ena"), ("deviceCapability", "dis"), ("eventLog", "lga"), ("eventLog", "lgo"), ("mgmtCmd", "exe"), ("mgmtCmd", "exm"),
          ("mgmtCmd", "exf"), ("mgmtCmd", "exy"), ("mgmtCmd", "exn"), ("AE", "trps"), ("AE", "tren"), ("AE", "trn"), ("AE", "tri"), ("AE", "mei"),
          ("timeSeries", "pei"), ("timeSeries", "peid"), ("timeSeries", "mdd"), ("timeSeries", "mdn"), ("timeSeries", "mdt"), ("semanticDescriptor", "vlde"),
          ("semanticDescriptor", "soe"), ("ontology", "soe"), ("locationPolicy", "rlkl"), ("schedule", "nco"), ("subscription", "exc"), ("subscription", "psn"),
          ("remoteCSE", "trn"), ("remoteCSE", "tri"), ("remoteCSE", "tren"), ("action", "apy"), ("action", "ecp"), ("timeSyncBeacon", "bcni"),
          ("timeSyncBeacon", "bcnt"), ("timeSyncBeacon", "bcnc"), ("semanticMashupInstance", "prg"), ("group", "gn")}


def plan(t, name):
    ty = tables.TYPES[name]
    t.supports(ty.ty)
    return PLANS[name](t)


def create(t, name, p, attributes):
    ty = tables.TYPES[name]
    a = {k: v for k, v in dict(p.attributes, **attributes).items() if v is not DROP}
    r = t.send("C", p.parent, ty=ty.ty, fr=p.fr, pc={ty.root: a})
    if r.rsc == 2001 and isinstance(r.rep, dict):
        path = p.parent.path if isinstance(p.parent, Resource) else p.parent
        made = Resource("%s/%s" % (path, r.rep.get("rn")), r.rep, p.later, ty.ty)
        made.root = ty.root
        if path == t.cse:
            t.made.append(made)
        r.made = made
    return r


class Drop:
    """Leave this attribute out."""


DROP = Drop()


def made(t, name, p=None, **attributes):
    p = p or plan(t, name)
    r = create(t, name, p, attributes)
    if r.rsc != 2001:
        raise NotPrepared("CREATE with what is mandatory was not accepted, nothing more can be told: %s" % r)
    return r.made


def minimal(name, t):
    p = plan(t, name)
    r = t.rsc(create(t, name, p, {}), 2001)
    ty = tables.TYPES[name]
    t.equal(r.root, ty.root, "the root of the response")
    t.equal(r.rep.get("ty"), ty.ty, "resourceType")
    for a in ("ri", "rn", "ct", "lt"):
        if any(x.short == a for x in ty.attributes):
            t.true(isinstance(r.rep.get(a), str) and r.rep[a], "%s is a non-empty string, got %r" % (a, r.rep.get(a)))
    parent = p.parent.ri if isinstance(p.parent, Resource) else t.world.base["ri"]
    t.equal(r.rep.get("pi"), parent, "parentID")
    for k, v in p.attributes.items():
        if k not in ("pv", "pvs", "mid"):
            t.equal(r.rep.get(k), v, "attribute %s as sent" % k)


def again(name, t):
    m = made(t, name)
    r = t.rsc(t.retrieve(m), 2000)
    t.equal(r.root, m.root, "the root of the response")
    wanted = {k: v for k, v in m.rep.items() if k not in ("st",)}
    t.equal({k: r.rep.get(k) for k in wanted}, wanted, "the representation that RETRIEVE returns, as CREATE returned it")


def gone(name, t):
    m = made(t, name)
    if name == "transaction":  # which has to end before (TS-0004 7.4.61.2.4)
        t.rsc(t.send("U", m, pc={m.root: {"tctl": 5}}), 2004)
    t.rsc(t.delete(m), 2002)
    t.refused(t.retrieve(m, fr=t.admin), 4004)


def named(name, t):
    p = plan(t, name)
    m = made(t, name, p, rn="given")
    t.equal(m.rn, "given", "resourceName as asked for")
    if p.fr == p.later:  # an AE or a CSE would be refused as registered already before its name is looked at
        t.refused(create(t, name, p, {"rn": "given"}), 4105)
    else:
        t.refused(t.create(t.cse, CNT, {"rn": "given"}, fr=t.admin), 4105)


def bad_name(name, value, t):
    p = plan(t, name)
    t.refused(create(t, name, p, {"rn": value}), 4000)
    made(t, name, p)


def create_refused(name, attribute, value, t):
    p = plan(t, name)
    t.refused(create(t, name, p, {attribute: value}), 4000, why="CREATE with `%s`: %r" % (attribute, value))
    made(t, name, p)


def update_refused(name, attribute, value, t):
    m = made(t, name)
    t.refused(t.update(m, {attribute: value}, root=m.root), 4000, why="UPDATE of `%s` to %r" % (attribute, value))
    r = t.rsc(t.retrieve(m), 2000)
    t.equal(r.rep.get(attribute), m.rep.get(attribute), "`%s` after the refused UPDATE" % attribute)


def stored(name, attribute, value, t):
    m = made(t, name, **{attribute: value})
    t.equal(m.rep.get(attribute), value, "`%s` in the response" % attribute)
    t.equal(t.rsc(t.retrieve(m), 2000).rep.get(attribute), value, "`%s` when retrieved" % attribute)


def updated(name, attribute, value, t):
    m = made(t, name)
    r = t.rsc(t.update(m, {attribute: value}, root=m.root), 2004)
    t.equal(r.rep.get(attribute), value, "`%s` in the response to UPDATE" % attribute)
    r = t.rsc(t.retrieve(m), 2000)
    t.equal(r.rep.get(attribute), value, "`%s` when retrieved" % attribute)
    t.true(r.rep["lt"] >= m.rep["lt"], "lastModifiedTime does not go back")


def deleted(name, attribute, value, t):
    m = made(t, name)
    t.rsc(t.update(m, {attribute: value}, root=m.root), 2004)
    t.rsc(t.update(m, {attribute: None}, root=m.root), 2004)
    t.true(attribute not in t.rsc(t.retrieve(m), 2000).rep, "`%s` is gone after UPDATE with null" % attribute)


def not_updatable(name, t):
    m = made(t, name)
    t.refused(t.update(m, {"lbl": ["x"]}, root=m.root), 4005)


def unknown_child(name, t):
    m = made(t, name)
    t.refused(t.create(m, CIN, {"con": "x"}, fr=t.admin), 4108)


def wrong_root(name, t):
    p = plan(t, name)
    ty = tables.TYPES[name]
    t.refused(t.send("C", p.parent, ty=ty.ty, fr=p.fr, pc={"m2m:wrong": dict(p.attributes)}), 4000)
    made(t, name, p)


def no_content(name, t):
    p = plan(t, name)
    t.refused(t.send("C", p.parent, ty=tables.TYPES[name].ty, fr=p.fr), 4000)
    made(t, name, p)


def two_roots(name, t):
    p = plan(t, name)
    ty = tables.TYPES[name]
    t.refused(t.send("C", p.parent, ty=ty.ty, fr=p.fr, pc={ty.root: dict(p.attributes), "m2m:cnt": {}, "m2m:grp": {}}), 4000)
    made(t, name, p)


def empty_update(name, t):
    m = made(t, name)
    t.refused(t.send("U", m, pc={"m2m:wrong": {"lbl": ["x"]}}), 4102)


def register(name):
    ty = tables.TYPES[name]
    tag = ty.sn.upper()
    clause = ty.clause
    alone = name in ONE

    def add(rule, run, *values):
        check("RES", rule, clause, alone=alone)(functools.partial(run, name, *values))

    add("CREATE/%s/minimal" % tag, minimal)
    add("RETRIEVE/%s/as-created" % tag, again)
    add("DELETE/%s/then-not-found" % tag, gone)
    add("CREATE/%s/rn-given-then-taken" % tag, named)
    add("CREATE/%s/rn-with-slash" % tag, bad_name, "a/b")
    add("CREATE/%s/wrong-root" % tag, wrong_root)
    add("CREATE/%s/no-content" % tag, no_content)
    add("CREATE/%s/three-roots" % tag, two_roots)
    add("CREATE/%s/unknown-attribute" % tag, create_refused, "xyzzy", "x")
    frozen = not any(a.update in ("O", "M") for a in ty.attributes)
    if frozen:
        add("UPDATE/%s/not-allowed" % tag, not_updatable)
    else:
        add("UPDATE/%s/unknown-attribute" % tag, update_refused, "xyzzy", "x")
        add("UPDATE/%s/wrong-root" % tag, empty_update)
    if name != "container" and name != "timeSeries":
        add("CREATE/%s/no-contentInstance-below" % tag, unknown_child)
    for a in ty.attributes:
        sample = {"ty": ty.ty, "api": "N.sample"}.get(a.short) or tables.SAMPLE[a.kind]
        if a.short in ("mgd", "ty") and a.create != "NP":
            continue
        if a.create == "NP":
            add("CREATE/%s/np-%s" % (tag, a.short), create_refused, a.short, sample)
        if a.create == "M":
            add("CREATE/%s/missing-%s" % (tag, a.short), create_refused, a.short, DROP)
        if a.create in ("O", "M") and a.kind in tables.WRONG:
            add("CREATE/%s/wrong-type-%s" % (tag, a.short), create_refused, a.short, tables.WRONG[a.kind])
        if frozen:
            continue
        if a.update == "NP":
            add("UPDATE/%s/np-%s" % (tag, a.short), update_refused, a.short, sample)
        if a.update == "O" and a.kind in tables.WRONG and a.short not in ("acpi",):
            add("UPDATE/%s/wrong-type-%s" % (tag, a.short), update_refused, a.short, tables.WRONG[a.kind])
        if a.update == "O" and a.mandatory and a.null != "update":
            add("UPDATE/%s/null-%s" % (tag, a.short), update_refused, a.short, None)
        if (name, a.short) in ACTING:
            continue
        if a.short == "lbl" and a.update == "O":
            add("CREATE/%s/stores-lbl" % tag, stored, "lbl", ["one", "two"])
            add("UPDATE/%s/sets-lbl" % tag, updated, "lbl", ["three"])
            add("UPDATE/%s/deletes-lbl" % tag, deleted, "lbl", ["four"])
        elif a.plain and a.create in ("O", "M"):
            add("CREATE/%s/stores-%s" % (tag, a.short), stored, a.short, sample)
            if a.update == "O":
                add("UPDATE/%s/sets-%s" % (tag, a.short), updated, a.short, sample)
                if not a.mandatory and a.create == "O":
                    add("UPDATE/%s/deletes-%s" % (tag, a.short), deleted, a.short, sample)
    if any(a.short == "et" and a.create == "O" for a in ty.attributes):
        add("CREATE/%s/et-in-the-past" % tag, create_refused, "et", "20200101T000000")
        add("CREATE/%s/stores-et" % tag, stored_et)


def stored_et(name, t):
    et = timestamp(3600)[:15]
    m = made(t, name, et=et)
    t.true(str(m.rep.get("et", "")).startswith(et), "expirationTime is the one that was asked for (%s), got %s" % (et, m.rep.get("et")))


for _name in PLANS:
    if _name in tables.TYPES:
        register(_name)


def not_created_by_request(ty, parent, attributes, t):
    """Types that only the CSE itself creates."""
    p = parent(t)
    t.refused(t.create(p, ty, attributes, fr=t.admin), 4005, 4108)


for _ty, _tag, _clause in ((REQ, "REQ", "TS-0004 7.4.12.2.1"), (CB, "CB", "TS-0004 7.4.3.2.1"), (ALST, "ALST", "TS-0004 7.4.53.2.1"),):
    check("RES", "CREATE/%s/not-allowed" % _tag, _clause)(functools.partial(not_created_by_request, _ty, lambda t: t.cse, {}))
check("RES", "CREATE/EXIN/not-allowed", "TS-0004 7.4.17.2.1", needs=(MGC,))(
    functools.partial(not_created_by_request, EXIN, lambda t: made(t, "mgmtCmd"), {}))


@check("RES", "CREATE/type/unknown-number", "TS-0004 7.3.3.3")
def _(t):
    t.refused(t.create(t.ae(), 999, {}, root="m2m:what"), 4000, 4108, 5001)


@check("RES", "CREATE/type/root-of-another-type", "TS-0004 7.3.3.3")
def _(t):
    t.refused(t.create(t.ae(), CNT, {}, root="m2m:grp"), 4000)
