"""LOC: location policies and geo queries. SEM: semantic descriptors, discovery and queries. ACT: action and dependency."""
import base64
import functools
import json
import time

from conformance.check import check
from conformance.names import *

LCP_ = "TS-0004 7.4.10"


def policy(t, **more):
    return t.make(t.cse, LCP, dict({"los": 2}, **more))


@check("LOC", "CREATE/LCP/makes-its-container", LCP_ + ".2.1", needs=LCP)
def _(t):
    lcp = policy(t)
    r = t.rsc(t.retrieve(lcp["loi"]), 2000)
    t.equal(r.root, "m2m:cnt", "root of what locationContainerID names")


@check("LOC", "CREATE/LCP/container-name", LCP_ + ".2.1", needs=LCP)
def _(t):
    name = t.name("where")
    lcp = policy(t, lon=name)
    t.equal(t.rsc(t.retrieve(lcp["loi"]), 2000).get("rn"), name, "resourceName of the container")


@check("LOC", "CREATE/LCP/status", LCP_ + ".1", needs=LCP)
def _(t):
    t.true(isinstance(policy(t)["lost"], str), "locationStatus is a string")


@check("LOC", "DELETE/LCP/container-goes-too", LCP_ + ".2.4", needs=LCP)
def _(t):
    lcp = policy(t)
    t.rsc(t.delete(lcp), 2002)
    t.refused(t.retrieve(lcp["loi"]), 4004)


@check("LOC", "DELETE/CNT/location-container-ends-its-policy", LCP_ + ".2.4", needs=LCP)
def _(t):
    lcp = policy(t)
    t.rsc(t.delete(lcp["loi"]), 2002)
    t.refused(t.retrieve(lcp), 4004)


def bad_policy(attributes, t):
    t.refused(t.create(t.cse, LCP, attributes), 4000)
    policy(t)


for _rule, _attributes in (("los-missing", {}), ("los-unknown", {"los": 9}), ("loi-not-allowed", {"los": 2, "loi": "x"}), ("lost-not-allowed", {"los": 2, "lost": "x"}), ("lit-unknown", {"los": 2, "lit": 9}), ("lou-wrong", {"los": 2, "lou": ["soon"]}), ("gec-unknown", {"los": 2, "gec": 9})):
    check("LOC", "CREATE/LCP/" + _rule, LCP_ + ".1", needs=LCP)(functools.partial(bad_policy, _attributes))

LOCATION = "TS-0001 9.6.1.3.2"
SQUARE = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]


def loc(typ, crd):
    return {"loc": {"typ": typ, "crd": crd if isinstance(crd, str) else json.dumps(crd)}}


def nested(value):
    """A polygon as GeoJSON has it: a list of rings. Clients in the field write the one ring alone; a CSE may want either."""
    typ, crd = value["typ"], json.loads(value["crd"])
    return {"typ": typ, "crd": json.dumps([crd] if typ == 3 else [[ring] for ring in crd])}


def place(t, ae, attributes):
    """CREATE of a container at a place, in whichever form of a polygon the CSE takes."""
    r = t.create(ae, CNT, attributes)
    if r.rsc == 4000 and attributes["loc"]["typ"] in (3, 6):
        r = t.create(ae, CNT, {"loc": nested(attributes["loc"])})
    return r


def shape(attributes, ok, t):
    ae = t.ae()
    r = place(t, ae, attributes) if ok else t.create(ae, CNT, attributes)
    if ok:
        t.equal(t.rsc(r, 2001).get("loc", "typ"), attributes["loc"]["typ"], "type of the location")
    else:
        t.refused(r, 4000)
        t.make(ae, CNT, loc(1, [1.0, 2.0]))


for _rule, _attributes, _ok in (
        ("point", loc(1, [1.0, 2.0]), True), ("line", loc(2, [[1.0, 2.0], [3.0, 4.0]]), True), ("polygon", loc(3, SQUARE), True), ("points", loc(4, [[1.0, 2.0], [3.0, 4.0]]), True), ("lines", loc(5, [[[1.0, 2.0], [3.0, 4.0]]]), True), ("polygons", loc(6, [SQUARE]), True),
        ("not-an-object", {"loc": "here"}, False), ("type-unknown", loc(9, [1.0, 2.0]), False), ("no-type", {"loc": {"crd": "[1.0, 2.0]"}}, False), ("no-coordinates", {"loc": {"typ": 1}}, False), ("unknown-member", {"loc": {"typ": 1, "crd": "[1.0, 2.0]", "xyzzy": 1}}, False),
        ("coordinates-not-JSON", loc(1, "[1.0, "), False), ("point-of-points", loc(1, [[1.0, 2.0]]), False), ("line-of-one-point", loc(2, [[1.0, 2.0]]), False), ("polygon-not-closed", loc(3, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), False), ("polygon-too-short", loc(3, [[1.0, 2.0]]), False), ("points-flat", loc(4, [1.0, 2.0]), False)):
    check("LOC", "CREATE/CNT/loc-%s-%s" % (_rule, "accepted" if _ok else "refused"), LOCATION)(functools.partial(shape, _attributes, _ok))


def geo(at, query, wanted, t):
    ae = t.ae()
    name = t.rsc(place(t, ae, at), 2001).get("rn")
    t.cnt(ae)
    r = t.retrieve(ae, fu=1, ty=3, **query)
    if r.rsc == 4000 and query["gmty"] == 3:
        r = t.retrieve(ae, fu=1, ty=3, **dict(query, geom=nested({"typ": 3, "crd": query["geom"]})["crd"]))
    t.rsc(r, 2000)
    if not wanted:
        same = t.rsc(t.retrieve(ae, fu=1, ty=3, **q(at["loc"]["typ"], INTERSECTS, json.loads(t.retrieve(ae.path + "/" + name, fr=ae.id).get("loc", "crd")))), 2000)
        t.equal([u.rsplit("/", 1)[-1] for u in same.rep], [name], "what its own place finds")
    t.equal([u.rsplit("/", 1)[-1] for u in r.rep], [name] if wanted else [], "what is found (not the container without a location)")


def q(gmty, gsf, geom):
    return {"gmty": gmty, "gsf": gsf, "geom": json.dumps(geom)}


WITHIN, CONTAINS, INTERSECTS = 1, 2, 3
for _rule, _at, _query, _wanted in (
        ("point-in-polygon-intersects", loc(1, [5.0, 5.0]), q(3, INTERSECTS, SQUARE), True), ("point-outside-polygon", loc(1, [50.0, 5.0]), q(3, INTERSECTS, SQUARE), False), ("same-point-within", loc(1, [5.0, 5.0]), q(1, WITHIN, [5.0, 5.0]), True),
        ("same-point-contains", loc(1, [5.0, 5.0]), q(1, CONTAINS, [5.0, 5.0]), True), ("another-point", loc(1, [5.0, 5.0]), q(1, INTERSECTS, [6.0, 5.0]), False), ("lines-cross", loc(2, [[0.0, 0.0], [10.0, 10.0]]), q(2, INTERSECTS, [[0.0, 10.0], [10.0, 0.0]]), True),
        ("lines-miss", loc(2, [[0.0, 0.0], [10.0, 10.0]]), q(2, INTERSECTS, [[20.0, 0.0], [30.0, 0.0]]), False), ("line-crosses-polygon", loc(3, SQUARE), q(2, INTERSECTS, [[-5.0, 5.0], [15.0, 5.0]]), True), ("line-misses-polygon", loc(3, SQUARE), q(2, INTERSECTS, [[-5.0, 15.0], [15.0, 15.0]]), False),
        ("polygons-overlap", loc(3, SQUARE), q(3, INTERSECTS, [[5.0, 5.0], [15.0, 5.0], [15.0, 15.0], [5.0, 15.0], [5.0, 5.0]]), True), ("polygons-apart", loc(3, SQUARE), q(3, INTERSECTS, [[50.0, 50.0], [60.0, 50.0], [60.0, 60.0], [50.0, 50.0]]), False),
        ("points-one-inside", loc(4, [[50.0, 50.0], [5.0, 5.0]]), q(3, INTERSECTS, SQUARE), True)):
    check("LOC", "DISCOVER/GEO/" + _rule, "TS-0004 7.3.3.17")(functools.partial(geo, _at, _query, _wanted))


def bad_geo(query, t):
    ae = t.ae()
    t.rsc(t.retrieve(ae, fu=1, **q(1, 1, [1.0, 2.0])), 2000)
    t.refused(t.retrieve(ae, fu=1, **query), 4000)


for _rule, _query in (("type-alone", {"gmty": 1}), ("function-alone", {"gsf": 1}), ("geometry-alone", {"geom": "[1.0,2.0]"}), ("type-unknown", q(9, 1, [1.0, 2.0])), ("function-unknown", q(1, 9, [1.0, 2.0])), ("geometry-not-JSON", {"gmty": 1, "gsf": 1, "geom": "[1.0"}),
                      ("geometry-not-of-the-type", q(3, 1, [1.0, 2.0]))):
    check("LOC", "DISCOVER/GEO/refused-" + _rule, "TS-0004 7.3.3.17")(functools.partial(bad_geo, _query))


# semantics

SMD_ = "TS-0004 7.4.34"
PREFIX = "PREFIX e: <http://example.com/voc#> "


def rdf(name, kind):
    return base64.b64encode(('<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.com/voc#"><rdf:Description rdf:about="http://example.com/things#%s">'
                             '<rdf:type rdf:resource="http://example.com/voc#%s"/><e:name>%s</e:name></rdf:Description></rdf:RDF>' % (name, kind, name)).encode()).decode()


def turtle(name, kind):
    return base64.b64encode(("@prefix e: <http://example.com/voc#> .\n<http://example.com/things#%s> a e:%s ; e:name \"%s\" .\n" % (name, kind, name)).encode()).decode()


def described(t, parent, name="lamp1", kind="Lamp", **more):
    return t.make(parent, SMD, dict({"dcrp": 4, "dsp": rdf(name, kind)}, **more))


@check("SEM", "CREATE/SMD/rdf-xml", SMD_ + ".2.1", needs=SMD)
def _(t):
    cnt = t.cnt()
    s = described(t, cnt)
    t.equal([s["dcrp"], s["dsp"], s["pi"]], [4, rdf("lamp1", "Lamp"), cnt.ri], "descriptorRepresentation, descriptor and parentID")


@check("SEM", "CREATE/SMD/turtle", SMD_ + ".2.1", needs=SMD)
def _(t):
    t.make(t.cnt(), SMD, {"dcrp": 5, "dsp": turtle("lamp1", "Lamp")})


def bad_descriptor(attributes, t):
    cnt = t.cnt()
    t.refused(t.create(cnt, SMD, attributes), 4000, 4120)
    described(t, cnt)


for _rule, _attributes in (("dsp-not-base64", {"dcrp": 4, "dsp": "%%%"}), ("dsp-missing", {"dcrp": 4}), ("dcrp-missing", {"dsp": rdf("a", "B")}), ("dcrp-unknown", {"dcrp": 99, "dsp": rdf("a", "B")}), ("soe-not-allowed", {"dcrp": 4, "dsp": rdf("a", "B"), "soe": "x"}), ("svd-not-allowed", {"dcrp": 4, "dsp": rdf("a", "B"), "svd": True})):
    check("SEM", "CREATE/SMD/" + _rule, SMD_ + ".1", needs=SMD)(functools.partial(bad_descriptor, _attributes))


@check("SEM", "UPDATE/SMD/soe-and-dsp-together", SMD_ + ".2.3", needs=SMD)
def _(t):
    s = described(t, t.cnt())
    t.refused(t.update(s, {"soe": PREFIX + "DELETE WHERE { ?s ?p ?o }", "dsp": rdf("b", "B")}), 4000)


@check("SEM", "UPDATE/SMD/dsp-replaced", SMD_ + ".2.3", needs=SMD)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    s = described(t, cnt, "lamp1", "Lamp")
    t.rsc(t.update(s, {"dsp": rdf("lamp1", "Pump")}), 2004)
    t.equal(find(t, ae, "?s a e:Lamp"), set(), "what the old description finds")
    t.equal(find(t, ae, "?s a e:Pump"), {cnt.rn}, "what the new description finds")


@check("SEM", "UPDATE/SMD/sparql-update", SMD_ + ".2.3", needs=SMD)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    s = described(t, cnt)
    t.rsc(t.update(s, {"soe": PREFIX + "INSERT DATA { <http://example.com/things#lamp1> e:room \"hall\" }"}), 2004)
    t.equal(find(t, ae, "?s e:room \"hall\""), {cnt.rn}, "what the inserted triple finds")


@check("SEM", "RETRIEVE/SMD/soe-is-never-returned", SMD_ + ".2.2", needs=SMD)
def _(t):
    s = described(t, t.cnt())
    t.rsc(t.update(s, {"soe": PREFIX + "INSERT DATA { <http://example.com/things#lamp1> e:room \"hall\" }"}), 2004)
    t.true("soe" not in t.rsc(t.retrieve(s), 2000).rep, "semanticOpExec is not in the representation")


def find(t, at, pattern, **q):
    r = t.rsc(t.retrieve(at, fu=1, smf=PREFIX + "SELECT ?s WHERE { %s }" % pattern, **q), 2000)
    # a result is the described resource or its descriptor: the name of the former
    return {(lambda p: p[-2] if p[-1].startswith("smd") else p[-1])(u.split("/")) for u in r.rep}


@check("SEM", "DISCOVER/SMF/finds-what-is-described", "TS-0004 7.3.3.17", needs=SMD)
def _(t):
    ae = t.ae()
    lamp, pump = t.cnt(ae), t.cnt(ae)
    described(t, lamp, "lamp1", "Lamp")
    described(t, pump, "pump1", "Pump")
    t.equal(find(t, ae, "?s a e:Lamp"), {lamp.rn}, "the lamps")
    t.equal(find(t, ae, "?s a e:Pump"), {pump.rn}, "the pumps")
    t.equal(find(t, ae, "?s a e:Boat"), set(), "the boats")


@check("SEM", "DISCOVER/SMF/filter-expression", "TS-0004 7.3.3.17", needs=SMD)
def _(t):
    ae = t.ae()
    a, b = t.cnt(ae), t.cnt(ae)
    described(t, a, "north", "Lamp")
    described(t, b, "south", "Lamp")
    t.equal(find(t, ae, '?s e:name ?n FILTER(contains(?n, "nor"))'), {a.rn}, "what the filter lets through")


@check("SEM", "DISCOVER/SMF/turtle", "TS-0004 7.3.3.17", needs=SMD)
def _(t):
    ae = t.ae()
    lamp = t.cnt(ae)
    t.make(lamp, SMD, {"dcrp": 5, "dsp": turtle("lamp1", "Lamp")})
    t.equal(find(t, ae, "?s a e:Lamp"), {lamp.rn}, "the lamps")


@check("SEM", "DISCOVER/SMF/deleted-descriptor", "TS-0004 7.3.3.17", needs=SMD)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    s = described(t, cnt)
    t.equal(find(t, ae, "?s a e:Lamp"), {cnt.rn}, "the lamps before")
    t.rsc(t.delete(s), 2002)
    t.equal(find(t, ae, "?s a e:Lamp"), set(), "the lamps after")


@check("SEM", "DISCOVER/SMF/not-SPARQL", "TS-0004 7.3.3.17", needs=SMD)
def _(t):
    ae = t.ae()
    described(t, t.cnt(ae))
    t.refused(t.retrieve(ae, fu=1, smf="SELECT nothing sensible"), 4000, 4143)


@check("SEM", "RETRIEVE/SQI/query", "TS-0004 7.3.3.19", needs=SMD)
def _(t):
    ae = t.ae()
    described(t, t.cnt(ae), "lamp1", "Lamp")
    described(t, t.cnt(ae), "pump1", "Pump")
    r = t.rsc(t.retrieve(ae, sqi="true", rcn=10, smf=PREFIX + "SELECT ?n WHERE { ?s a e:Lamp . ?s e:name ?n }"), 2000)
    t.equal(r.root, "m2m:qres", "root")
    text = r.rep if isinstance(r.rep, str) else json.dumps(r.rep)
    t.true("lamp1" in text and "pump1" not in text, "the lamp alone is in the result, got %s" % text[:200])


def bad_query(query, t):
    ae = t.ae()
    described(t, t.cnt(ae))
    t.refused(t.retrieve(ae, **query), 4000, 4143)


for _rule, _query in (("indicator-alone", {"sqi": "true"}), ("result-content-alone", {"rcn": 10}), ("with-discovery", {"fu": 1, "sqi": "true", "rcn": 10, "smf": PREFIX + "SELECT ?s WHERE { ?s ?p ?o }"}), ("not-SPARQL", {"sqi": "true", "rcn": 10, "smf": "what?"})):
    check("SEM", "RETRIEVE/SQI/refused-" + _rule, "TS-0001 10.2.14", needs=SMD)(functools.partial(bad_query, _query))


@check("SEM", "RETRIEVE/SFOP/query-over-a-group", "TS-0004 7.4.35", needs=(SMD, GRP))
def _(t):
    ae = t.ae()
    subs = [described(t, t.cnt(ae), n, k) for n, k in (("lamp1", "Lamp"), ("lamp2", "Lamp"))]
    described(t, t.cnt(ae), "lamp3", "Lamp")
    grp = t.make(ae, GRP, {"mnm": 5, "mt": 24, "mid": [s.ri for s in subs]})
    r = t.rsc(t.retrieve(grp.path + "/sfop", fr=ae.id, sqi="true", rcn=10, smf=PREFIX + "SELECT ?n WHERE { ?s e:name ?n }"), 2000)
    text = r.text
    t.true("lamp1" in text and "lamp2" in text and "lamp3" not in text, "the members' descriptions alone answer, got %s" % text)


@check("SEM", "CREATE/SMD/json-ld", SMD_ + ".2.1", needs=SMD)
def _(t):
    ae = t.ae()
    lamp = t.cnt(ae)
    text = json.dumps({"@context": {"e": "http://example.com/voc#"}, "@id": "http://example.com/things#lamp1", "@type": "e:Lamp", "e:name": "lamp1"})
    t.make(lamp, SMD, {"dcrp": 7, "dsp": base64.b64encode(text.encode()).decode()})
    t.equal(find(t, ae, "?s a e:Lamp"), {lamp.rn}, "the lamps")


def not_rdf(dcrp, t):
    cnt = t.cnt()
    t.refused(t.create(cnt, SMD, {"dcrp": dcrp, "dsp": base64.b64encode(b"this is not RDF").decode()}), 4000, 4120)


for _rule, _dcrp in (("rdf-xml", 4), ("turtle", 5), ("json-ld", 7)):
    check("SEM", "CREATE/SMD/no-" + _rule, SMD_ + ".2.1", needs=SMD)(functools.partial(not_rdf, _dcrp))


@check("SEM", "UPDATE/SMD/sparql-delete-insert-where", SMD_ + ".2.3", needs=SMD)
def _(t):
    ae = t.ae()
    cnt = t.cnt(ae)
    s = described(t, cnt)
    t.rsc(t.update(s, {"soe": PREFIX + "DELETE { ?s e:name ?n } INSERT { ?s e:name \"renamed\" } WHERE { ?s e:name ?n }"}), 2004)
    t.equal(find(t, ae, "?s e:name \"renamed\""), {cnt.rn}, "what the new name finds")
    t.equal(find(t, ae, "?s e:name \"lamp1\""), set(), "what the old name finds")


@check("SEM", "UPDATE/SMD/soe-not-SPARQL", SMD_ + ".2.3", needs=SMD)
def _(t):
    s = described(t, t.cnt())
    before = t.retrieve(s).get("dsp")
    t.refused(t.update(s, {"soe": "make it so"}), 4000, 4143, 5212)
    t.equal(t.retrieve(s).get("dsp"), before, "descriptor")


@check("SEM", "UPDATE/SMD/validation-off-and-on", SMD_ + ".2.3", needs=SMD)
def _(t):
    s = described(t, t.cnt())
    r = t.rsc(t.update(s, {"vlde": True}), 2004)
    t.equal([r.get("vlde"), r.get("svd")], [True, True], "validationEnable and semanticValidated")
    r = t.rsc(t.update(s, {"vlde": False}), 2004)
    t.equal([r.get("vlde"), r.get("svd")], [False, False], "validationEnable and semanticValidated")


@check("SEM", "CREATE/SMD/validation-without-ontology", SMD_ + ".2.1", needs=SMD)
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, SMD, {"dcrp": 4, "dsp": rdf("a", "B"), "vlde": True, "or": "/id-nowhere/ontology"}), 4118)
    described(t, cnt, **{"or": "/id-nowhere/ontology"})


@check("SEM", "CREATE/SMD/validation-without-related", SMD_ + ".2.1", needs=SMD)
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, SMD, {"dcrp": 4, "dsp": rdf("a", "B"), "vlde": True, "rels": [cnt.ri + "nothing"]}), 4119)


@check("SEM", "RETRIEVE/SQI/results-in-JSON", "TS-0004 7.3.3.19", needs=SMD)
def _(t):
    ae = t.ae()
    described(t, t.cnt(ae), "lamp1", "Lamp")
    r = t.rsc(t.retrieve(ae, sqi="true", rcn=10, smf=PREFIX + "SELECT ?n WHERE { ?s e:name ?n }"), 2000)
    q = json.loads(r.rep)
    t.equal([q["head"]["vars"], q["results"]["bindings"]], [["n"], [{"n": {"type": "literal", "value": "lamp1"}}]], "variables and bindings")


@check("SEM", "RETRIEVE/SQI/below-the-target-only", "TS-0001 10.2.14", needs=SMD)
def _(t):
    ae = t.ae()
    a, b = t.cnt(ae), t.cnt(ae)
    described(t, a, "lamp1", "Lamp")
    described(t, b, "lamp2", "Lamp")
    r = t.rsc(t.retrieve(a, sqi="true", rcn=10, smf=PREFIX + "SELECT ?n WHERE { ?s e:name ?n }"), 2000)
    t.true("lamp1" in r.rep and "lamp2" not in r.rep, "only what is below the target is asked, got %s" % r.rep[:200])


@check("SEM", "RETRIEVE/SQI/only-what-may-be-retrieved", "TS-0001 10.2.14", needs=(SMD, ACP))
def _(t):
    ae = t.ae()
    acp = t.make(t.cse, ACP, {"pv": {"acr": [{"acor": ["Csomebodyelse"], "acop": 63}]}, "pvs": {"acr": [{"acor": [t.admin], "acop": 63}]}}, fr=t.admin)
    described(t, t.cnt(ae), "lamp1", "Lamp")
    described(t, t.cnt(ae), "lamp2", "Lamp", acpi=[acp.ri])
    r = t.rsc(t.retrieve(ae, sqi="true", rcn=10, smf=PREFIX + "SELECT ?n WHERE { ?s e:name ?n }"), 2000)
    t.true("lamp1" in r.rep and "lamp2" not in r.rep, "what the originator may not retrieve does not answer, got %s" % r.rep[:200])


@check("SEM", "RETRIEVE/SFOP/without-a-query", "TS-0004 7.4.35", needs=(SMD, GRP))
def _(t):
    ae = t.ae()
    grp = t.make(ae, GRP, {"mnm": 5, "mt": 24, "mid": [described(t, t.cnt(ae)).ri]})
    t.refused(t.retrieve(grp.path + "/sfop", fr=ae.id), 4000)


# action

ACTION = "TS-0001 10.2.21"


def acting(t, evm=3, evc=None, **more):
    """When maxNrOfInstances of `watched` becomes 7, an instance `fired` is created in `target`."""
    ae = t.ae()
    watched, target = t.cnt(ae), t.cnt(ae)
    a = {"evc": evc or {"optr": 1, "sbjt": "mni", "thld": 7}, "evm": evm, "orc": target.ri, "sri": watched.ri,
         "apv": {"op": 1, "fr": ae.id, "to": target.ri, "ty": 4, "rqi": "act", "rvi": "4", "pc": {"m2m:cin": {"con": "fired"}}}}
    a.update(more)
    return ae, watched, target, {k: v for k, v in a.items() if v is not None}


def fired(t, target, n=1):
    return t.until("the action is carried out %d times" % n, lambda: t.retrieve(target).get("cni") == n)


@check("ACT", "CREATE/ACTR/stored", "TS-0001 9.6.61", needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    actr = t.make(watched, ACTR, a)
    t.equal([actr["evm"], actr["orc"], actr["evc"]], [3, target.ri, a["evc"]], "evalMode, objectResourceID and evalCriteria")


@check("ACT", "ACTION/ACTR/condition-becomes-true", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 6}), 2004)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target)
    t.equal(t.retrieve(target.path + "/la", fr=ae.id).get("con"), "fired", "content that the action made")


@check("ACT", "ACTION/ACTR/condition-stays-false", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 6}), 2004)
    time.sleep(0.2)
    t.equal(t.retrieve(target).get("cni"), 0, "currentNrOfInstances")


def operator(optr, thld, wanted, t):
    ae, watched, target, a = acting(t, evc={"optr": optr, "sbjt": "mni", "thld": thld})
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 10}), 2004)
    if wanted:
        fired(t, target)
    else:
        time.sleep(0.2)
        t.equal(t.retrieve(target).get("cni"), 0, "currentNrOfInstances")


for _tag, _optr, _thld, _wanted in (("equal", 1, 10, True), ("equal-not", 1, 11, False), ("not-equal", 2, 11, True), ("not-equal-not", 2, 10, False), ("greater", 3, 9, True), ("greater-not", 3, 10, False), ("less", 4, 11, True), ("less-not", 4, 10, False),
                                    ("at-least", 5, 10, True), ("at-least-not", 5, 11, False), ("at-most", 6, 10, True), ("at-most-not", 6, 9, False)):
    check("ACT", "ACTION/EVC/%s" % _tag, "TS-0004 6.3.5", needs=ACTR)(functools.partial(operator, _optr, _thld, _wanted))


@check("ACT", "ACTION/EVM/once", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=1)
    t.make(watched, ACTR, a)
    for mni in (7, 8, 7):
        t.rsc(t.update(watched, {"mni": mni}), 2004)
    fired(t, target)
    time.sleep(0.2)
    t.equal(t.retrieve(target).get("cni"), 1, "currentNrOfInstances")


@check("ACT", "ACTION/EVM/continuous", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=3)
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target, 1)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target, 2)


@check("ACT", "ACTION/EVM/off", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=0)
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    time.sleep(0.2)
    t.equal(t.retrieve(target).get("cni"), 0, "currentNrOfInstances")


@check("ACT", "ACTION/EVM/switched-on-by-update", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, evm=0)
    actr = t.make(watched, ACTR, a)
    t.rsc(t.update(actr, {"evm": 3}), 2004)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target)


@check("ACT", "ACTION/ACTR/deleted-does-nothing", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    actr = t.make(watched, ACTR, a)
    t.rsc(t.delete(actr), 2002)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    time.sleep(0.2)
    t.equal(t.retrieve(target).get("cni"), 0, "currentNrOfInstances")


@check("ACT", "ACTION/ACTR/result-is-kept", "TS-0001 9.6.61", needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t)
    actr = t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target)
    air = t.until("the result is stored", lambda: t.retrieve(actr).get("air"))
    t.true("2001" in json.dumps(air), "actionResult tells the response status code, got %s" % json.dumps(air)[:200])


@check("ACT", "ACTION/ACTR/by-the-parent-when-no-subject", ACTION, needs=ACTR)
def _(t):
    ae, watched, target, a = acting(t, sri=None)
    t.make(watched, ACTR, a)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    fired(t, target)


def bad_action(change, wanted, t):
    ae, watched, target, a = acting(t)
    b = {k: v for k, v in dict(a, **change).items() if v != "leave out"}
    t.refused(t.create(watched, ACTR, b), *wanted)
    t.make(watched, ACTR, a)


for _rule, _change, _wanted in (
        ("evc-missing", {"evc": "leave out"}, (4000,)), ("evm-missing", {"evm": "leave out"}, (4000,)), ("orc-missing", {"orc": "leave out"}, (4000,)), ("apv-missing", {"apv": "leave out"}, (4000,)), ("evm-unknown", {"evm": 9}, (4000,)), ("air-not-allowed", {"air": {}}, (4000,)),
        ("operator-unknown", {"evc": {"optr": 99, "sbjt": "mni", "thld": 7}}, (4000,)), ("subject-unknown", {"evc": {"optr": 1, "sbjt": "xyzzy", "thld": 7}}, (4000,)), ("threshold-missing", {"evc": {"optr": 1, "sbjt": "mni"}}, (4000,)), ("threshold-of-another-type", {"evc": {"optr": 1, "sbjt": "mni", "thld": "seven"}}, (4000,)),
        ("object-does-not-exist", {"orc": "nothing-there"}, (4000, 4004)), ("subject-does-not-exist", {"sri": "nothing-there"}, (4000, 4004)), ("apv-without-operation", {"apv": {"to": "x", "fr": "Ca", "rqi": "1"}}, (4000,)), ("dep-not-allowed", {"dep": ["x"]}, (4000,))):
    check("ACT", "CREATE/ACTR/" + _rule, "TS-0001 9.6.61", needs=ACTR)(functools.partial(bad_action, _change, _wanted))


def dependent(sufficient, holds, runs, t):
    ae, watched, target, a = acting(t, evm=0)
    actr = t.make(watched, ACTR, a)
    other = t.cnt(ae, mni=1 if holds else 2)
    dep = t.make(actr, DEPR, {"sfc": sufficient, "evc": {"optr": 1, "sbjt": "mni", "thld": 1}, "rri": other.ri})
    t.rsc(t.update(actr, {"evm": 3, "dep": [dep.ri]}), 2004)
    t.rsc(t.update(watched, {"mni": 7}), 2004)
    if runs:
        fired(t, target)
    else:
        time.sleep(0.2)
        t.equal(t.retrieve(target).get("cni"), 0, "currentNrOfInstances")


for _tag, _sufficient, _holds, _runs in (("needed-and-true", False, True, True), ("needed-and-false", False, False, False), ("sufficient-and-true", True, True, True)):
    check("ACT", "ACTION/DEPR/" + _tag, "TS-0001 9.6.62", needs=(ACTR, DEPR))(functools.partial(dependent, _sufficient, _holds, _runs))


@check("SEM", "RETRIEVE/SMF/alone-is-no-query", "TS-0001 8.1.2", needs=SMD)
def _(t):
    query = "SELECT ?s WHERE { ?s ?p ?o }"
    ae = t.ae()
    t.equal(t.rsc(t.retrieve(ae, smf=query), 2000).get("ri"), ae.ri, "resourceID of the resource itself")
    t.refused(t.retrieve(ae, smf="SELECT"), 4143)
    t.rsc(t.retrieve(ae, smf=query, fu=1), 2000)
