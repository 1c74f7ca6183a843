"""DMR: container, contentInstance, latest and oldest."""
import functools
import threading

from conformance.check import Failed, check, timestamp
from conformance.names import *

CNT_ = "TS-0004 7.4.6"
CIN_ = "TS-0004 7.4.7"
LA = "TS-0004 7.4.27"
OL = "TS-0004 7.4.28"


def fill(t, n, **attributes):
    cnt = t.cnt(**attributes)
    return cnt, [t.cin(cnt, "v%d" % i) for i in range(n)]


def counts(t, cnt):
    r = t.rsc(t.retrieve(cnt), 2000)
    return r.get("cni"), r.get("cbs")


def contents(t, cnt):
    r = t.rsc(t.retrieve(cnt, rcn=4), 2000)
    return [c["con"] for c in r.rep.get("m2m:cin", [])]


@check("DMR", "CREATE/CNT/counters-start-at-zero", CNT_ + ".1")
def _(t):
    cnt = t.cnt()
    t.equal([cnt["cni"], cnt["cbs"], cnt["st"]], [0, 0, 0], "currentNrOfInstances, currentByteSize, stateTag")


@check("DMR", "CREATE/CNT/nested", CNT_ + ".2.1")
def _(t):
    a = t.cnt()
    b = t.cnt(a)
    t.equal(b["pi"], a.ri, "parentID")


@check("DMR", "CREATE/CNT/rn-taken", "TS-0004 7.3.3.5")
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt.path.rsplit("/", 1)[0], CNT, {"rn": cnt.rn}, fr=cnt.fr), 4105)


@check("DMR", "CREATE/CNT/name-of-a-virtual-child", "TS-0004 7.3.3.5")
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, CNT, {"rn": "la"}), 4105, 4000, 4005)


@check("DMR", "CREATE/CNT/cr-null-names-the-creator", "TS-0001 9.6.1.3.2")
def _(t):
    ae = t.ae()
    r = t.rsc(t.create(ae, CNT, {"cr": None}), 2001)
    t.equal(r.get("cr"), ae.id, "creator")


@check("DMR", "CREATE/CNT/cr-with-a-value", "TS-0001 9.6.1.3.2")
def _(t):
    t.refused(t.create(t.ae(), CNT, {"cr": "Csomebody"}), 4000)


@check("DMR", "CREATE/CNT/no-cr-unless-asked", "TS-0001 9.6.1.3.2")
def _(t):
    t.true("cr" not in t.cnt().rep, "a container has a creator only when CREATE asks for it")


def quota(name, value, t):
    cnt = t.cnt(**{name: value})
    t.equal(cnt[name], value, name)


def bad_quota(name, value, t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {name: value}), 4000)
    t.cnt(ae)


for _name in ("mni", "mbs", "mia"):
    check("DMR", "CREATE/CNT/%s-stored" % _name, CNT_ + ".1")(functools.partial(quota, _name, 7))
    check("DMR", "CREATE/CNT/%s-negative" % _name, CNT_ + ".1")(functools.partial(bad_quota, _name, -1))
    check("DMR", "CREATE/CNT/%s-fraction" % _name, CNT_ + ".1")(functools.partial(bad_quota, _name, 1.5))
    check("DMR", "CREATE/CNT/%s-text" % _name, CNT_ + ".1")(functools.partial(bad_quota, _name, "3"))
    check("DMR", "CREATE/CNT/%s-boolean" % _name, CNT_ + ".1")(functools.partial(bad_quota, _name, True))


@check("DMR", "UPDATE/CNT/attribute-set-and-deleted", "TS-0004 7.3.3.7")
def _(t):
    cnt = t.cnt(mni=5)
    t.rsc(t.update(cnt, {"mni": None}), 2004)
    t.true(t.retrieve(cnt).get("mni") in (None,) or t.retrieve(cnt).get("mni") > 5, "maxNrOfInstances is not 5 any more")


@check("DMR", "UPDATE/CNT/several-attributes-or-none", "TS-0004 7.3.3.7")
def _(t):
    cnt = t.cnt(lbl=["before"])
    t.refused(t.update(cnt, {"lbl": ["after"], "mni": "wrong"}), 4000)
    t.equal(t.retrieve(cnt).get("lbl"), ["before"], "labels after a refused UPDATE")


@check("DMR", "UPDATE/CNT/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.update(t.cnt(), {"lbl": ["x"]}, fr=t.ae().id), 4103)


@check("DMR", "DELETE/CNT/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    cnt = t.cnt()
    t.refused(t.delete(cnt, fr=t.ae().id), 4103)
    t.rsc(t.retrieve(cnt), 2000)


@check("DMR", "UPDATE/CNT/stateTag-grows", "TS-0001 9.6.1.3.2")
def _(t):
    cnt = t.cnt()
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.equal(t.retrieve(cnt).get("st"), cnt["st"] + 1, "stateTag after one UPDATE")


@check("DMR", "CREATE/CIN/parent's-stateTag-grows", "TS-0001 9.6.1.3.2")
def _(t):
    cnt, _ = fill(t, 2)
    t.equal(t.retrieve(cnt).get("st"), cnt["st"] + 2, "stateTag of the container after two instances")


@check("DMR", "CREATE/CIN/stateTag-copies-the-parent's", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt()
    a, b = t.cin(cnt), t.cin(cnt)
    t.true(b["st"] > a["st"], "stateTag of the second instance (%s) is greater than the first's (%s)" % (b["st"], a["st"]))


@check("DMR", "CREATE/CIN/parent's-lastModifiedTime-stays-or-grows", CIN_ + ".2.1")
def _(t):
    cnt, _ = fill(t, 1)
    t.true(t.retrieve(cnt).get("lt") >= cnt["lt"], "lastModifiedTime of the container does not go back")


@check("DMR", "CREATE/CIN/content-kept", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt()
    cin = t.cin(cnt, "some text")
    t.equal(cin["con"], "some text", "content")
    t.equal(t.rsc(t.retrieve(cin, fr=cnt.fr), 2000).get("con"), "some text", "content when retrieved")


def content_kept(value, t):
    cnt = t.cnt()
    cin = t.rsc(t.create(cnt, CIN, {"con": value}), 2001)
    t.equal(t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr), 2000).get("con"), value, "content")


for _tag, _value in (("empty", ""), ("unicode", "gr\u00fc\u00dfe \u6f22 \U0001f600"), ("quotes-and-controls", "a\"b\\c\n\td\u0001"), ("long", "x" * 100000), ("json-text", '{"a": [1, 2]}'),
                     ("spaces", "   "), ("zero-character", "a\u0000b")):
    check("DMR", "CREATE/CIN/content-kept-%s" % _tag, CIN_ + ".2.1")(functools.partial(content_kept, _value))


@check("DMR", "CREATE/CIN/con-missing", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, CIN, {"cnf": "text/plain:0"}), 4000)
    t.cin(cnt)


def size(value, wanted, t):
    cnt = t.cnt()
    cin = t.cin(cnt, value)
    t.equal(cin["cs"], wanted, "contentSize")
    t.equal(counts(t, cnt), (1, wanted), "currentNrOfInstances and currentByteSize")


for _tag, _value, _wanted in (("ascii", "12345", 5), ("empty", "", 0), ("utf-8", "\u00fc\u6f22", 5)):
    check("DMR", "CREATE/CIN/size-%s" % _tag, "TS-0001 9.6.7")(functools.partial(size, _value, _wanted))


def cnf(value, ok, t):
    cnt = t.cnt()
    r = t.create(cnt, CIN, {"con": "eA==", "cnf": value})
    if ok:
        t.equal(t.rsc(r, 2001).get("cnf"), value, "contentInfo")
    else:
        t.refused(r, 4000)
        t.cin(cnt, cnf="text/plain:0")


for _value, _ok in (("text/plain:0", True), ("application/json:1", True), ("application/octet-stream:2", True), ("text/plain:0:0", True), ("text/plain:0:1", True),
                    ("text/plain:3", False), ("text/plain:x", False), ("text/plain:0:9", False), ("a:b:c:d", False), ("plain:0", False)):
    check("DMR", "CREATE/CIN/cnf-%s-%s" % (_value.replace("/", "_").replace(":", "."), "accepted" if _ok else "refused"), "TS-0004 6.3.3")(functools.partial(cnf, _value, _ok))


@check("DMR", "CREATE/CIN/cr-null-names-the-creator", "TS-0001 9.6.1.3.2")
def _(t):
    cnt = t.cnt()
    t.equal(t.rsc(t.create(cnt, CIN, {"con": "x", "cr": None}), 2001).get("cr"), cnt.fr, "creator")


@check("DMR", "CREATE/CIN/rn-taken", "TS-0004 7.3.3.5")
def _(t):
    cnt = t.cnt()
    cin = t.cin(cnt)
    t.refused(t.create(cnt, CIN, {"con": "x", "rn": cin.rn}), 4105)


@check("DMR", "CREATE/CIN/labels", CIN_ + ".1")
def _(t):
    t.equal(t.cin(t.cnt(), lbl=["a", "b"])["lbl"], ["a", "b"], "labels")


@check("DMR", "CREATE/CIN/acpi-not-its-own", CIN_ + ".1")
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, CIN, {"con": "x", "acpi": ["x"]}), 4000)


@check("DMR", "CREATE/CIN/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    cnt = t.cnt()
    t.refused(t.create(cnt, CIN, {"con": "x"}, fr=t.ae().id), 4103)
    t.equal(counts(t, cnt), (0, 0), "currentNrOfInstances and currentByteSize")


@check("DMR", "UPDATE/CIN/not-allowed", CIN_ + ".2.3")
def _(t):
    cnt = t.cnt()
    cin = t.cin(cnt)
    t.refused(t.update(cin, {"con": "y"}), 4005)
    t.equal(t.retrieve(cin).get("con"), "x", "content")


@check("DMR", "DELETE/CIN/counters-go-down", CIN_ + ".2.4")
def _(t):
    cnt, cins = fill(t, 3)
    t.rsc(t.delete(cins[1]), 2002)
    t.equal(counts(t, cnt), (2, 4), "currentNrOfInstances and currentByteSize")
    t.equal(contents(t, cnt), ["v0", "v2"], "what is left")


@check("DMR", "CREATE/CIN/expires-no-later-than-its-parent", "TS-0001 9.6.1.3.1")
def _(t):
    cnt = t.cnt(et=timestamp(3600))
    t.true(t.cin(cnt)["et"] <= cnt["et"], "the instance expires no later than its container")


# quotas

@check("DMR", "CREATE/CIN/mni-oldest-goes", CIN_ + ".2.1")
def _(t):
    cnt, cins = fill(t, 5, mni=3)
    t.equal(contents(t, cnt), ["v2", "v3", "v4"], "instances")
    t.equal(counts(t, cnt), (3, 6), "currentNrOfInstances and currentByteSize")
    t.refused(t.retrieve(cins[0]), 4004)


@check("DMR", "CREATE/CIN/mni-one", CIN_ + ".2.1")
def _(t):
    cnt, _ = fill(t, 3, mni=1)
    t.equal(contents(t, cnt), ["v2"], "instances")


@check("DMR", "CREATE/CIN/mbs-oldest-go", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt(mbs=10)
    for c in ("aaaa", "bbbb", "cccc"):
        t.cin(cnt, c)
    t.equal(contents(t, cnt), ["bbbb", "cccc"], "instances")
    t.equal(counts(t, cnt), (2, 8), "currentNrOfInstances and currentByteSize")


@check("DMR", "CREATE/CIN/mbs-several-go-for-one", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt(mbs=10)
    for c in ("aaa", "bbb", "ccc", "d" * 9):
        t.cin(cnt, c)
    t.equal(contents(t, cnt), ["d" * 9], "instances")


@check("DMR", "CREATE/CIN/mbs-exactly", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt(mbs=10)
    t.cin(cnt, "x" * 10)
    t.equal(counts(t, cnt), (1, 10), "currentNrOfInstances and currentByteSize")


@check("DMR", "CREATE/CIN/mbs-too-large", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt(mbs=10)
    t.cin(cnt, "kept")
    t.refused(t.create(cnt, CIN, {"con": "x" * 11}), 5207)
    t.equal(contents(t, cnt), ["kept"], "what a refused instance leaves")


@check("DMR", "CREATE/CIN/mni-and-mbs-both-hold", CIN_ + ".2.1")
def _(t):
    cnt, _ = fill(t, 6, mni=4, mbs=6)
    t.equal(counts(t, cnt), (3, 6), "currentNrOfInstances and currentByteSize")


@check("DMR", "UPDATE/CNT/mni-lowered-oldest-go", CNT_ + ".2.3")
def _(t):
    cnt, _ = fill(t, 4)
    t.rsc(t.update(cnt, {"mni": 2}), 2004)
    t.equal(contents(t, cnt), ["v2", "v3"], "instances")
    t.equal(counts(t, cnt), (2, 4), "currentNrOfInstances and currentByteSize")


@check("DMR", "UPDATE/CNT/mbs-lowered-oldest-go", CNT_ + ".2.3")
def _(t):
    cnt, _ = fill(t, 4)
    t.rsc(t.update(cnt, {"mbs": 5}), 2004)
    t.equal(contents(t, cnt), ["v2", "v3"], "instances")


@check("DMR", "CREATE/CIN/mia-oldest-expire", CNT_ + ".1", slow=True, needs="expiry")
def _(t):
    cnt, _ = fill(t, 2, mia=1)
    t.until("the instances older than maxInstanceAge are gone", lambda: contents(t, cnt) == [], 10)
    t.equal(counts(t, cnt), (0, 0), "currentNrOfInstances and currentByteSize")


# deletionCnt

@check("DMR", "RETRIEVE/CIN/dcnt-counts-down", "TS-0001 9.6.7")
def _(t):
    cnt = t.cnt()
    cin = t.make(cnt, CIN, {"con": "short-lived", "dcnt": 3})
    t.cin(cnt, "other")
    t.equal([t.rsc(t.retrieve(cin), 2000).get("dcnt") for _ in range(3)], [3, 2, 1], "deletionCnt")
    t.refused(t.retrieve(cin), 4004)
    t.equal(counts(t, cnt), (1, 5), "currentNrOfInstances and currentByteSize")


@check("DMR", "RETRIEVE/LA/dcnt-counts-down", "TS-0001 9.6.7")
def _(t):
    cnt = t.cnt()
    t.cin(cnt, "lasting")
    t.make(cnt, CIN, {"con": "once", "dcnt": 2})
    t.equal([t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr), 2000).get("con") for _ in range(3)], ["once", "once", "lasting"], "content of the latest")


@check("DMR", "RETRIEVE/CIN/dcnt-not-by-a-refusal", "TS-0001 9.6.7")
def _(t):
    cnt = t.cnt()
    cin = t.make(cnt, CIN, {"con": "once", "dcnt": 1})
    t.refused(t.retrieve(cin, fr=t.ae().id), 4103)
    t.rsc(t.retrieve(cin), 2000)
    t.refused(t.retrieve(cin), 4004)


# disableRetrieval

@check("DMR", "RETRIEVE/CIN/disr-forbids", "TS-0001 9.6.6")
def _(t):
    cnt, cins = fill(t, 1, disr=True)
    t.refused(t.retrieve(cins[0]), 4005)


@check("DMR", "RETRIEVE/LA/disr-forbids", "TS-0001 9.6.6")
def _(t):
    cnt, _ = fill(t, 1, disr=True)
    t.refused(t.retrieve(cnt.path + "/la", fr=cnt.fr), 4005)
    t.refused(t.retrieve(cnt.path + "/ol", fr=cnt.fr), 4005)


@check("DMR", "DELETE/CIN/disr-forbids", "TS-0001 9.6.6")
def _(t):
    cnt, cins = fill(t, 2, disr=True)
    t.refused(t.delete(cins[0]), 4005)
    t.refused(t.delete(cnt.path + "/la", fr=cnt.fr), 4005)
    t.refused(t.delete(cnt.path + "/ol", fr=cnt.fr), 4005)
    t.equal(counts(t, cnt)[0], 2, "currentNrOfInstances")


@check("DMR", "DELETE/CNT/disr-false-first", "TS-0001 9.6.6")
def _(t):
    """Whether a container goes while its instances must not is left open; afterwards it does."""
    cnt, _ = fill(t, 1, disr=True)
    r = t.delete(cnt)
    if r.rsc == 2002:
        return
    t.refused(r, 4005)
    t.rsc(t.update(cnt, {"disr": False}), 2004)
    t.rsc(t.delete(cnt), 2002)


@check("DMR", "DISCOVER/CIN/disr-hides", "TS-0001 9.6.6")
def _(t):
    cnt, cins = fill(t, 2, disr=True)
    beside = t.cnt(cnt, rn="beside")
    t.rsc(t.create(cnt, CIN, {"con": "x", "lbl": ["hidden"]}), 2001)
    t.same([r["nm"] for r in t.rsc(t.retrieve(cnt, rcn=6), 2000).rep["rrf"]], ["beside"], "what is told of below")
    t.equal(t.rsc(t.retrieve(cnt, fu=1, ty=4), 2000).rep, [], "the instances that are discovered")
    t.equal(t.rsc(t.retrieve(cnt, fu=1, lbl="hidden"), 2000).rep, [], "those by a label")
    t.rsc(t.retrieve(beside), 2000)


@check("DMR", "UPDATE/CNT/disr-true-to-false", "TS-0004 7.4.6.2.3")
def _(t):
    """What was not to be retrieved goes when retrieval is allowed."""
    cnt, cins = fill(t, 3, disr=True)
    t.equal(t.rsc(t.update(cnt, {"disr": False}), 2004).get("cni"), 0, "currentNrOfInstances")
    t.refused(t.retrieve(cins[0]), 4004)
    t.equal(counts(t, cnt), (0, 0), "currentNrOfInstances and currentByteSize")
    t.cin(cnt, "new")
    t.equal(t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr), 2000).get("con"), "new", "content of the latest")


@check("DMR", "UPDATE/CNT/disr-false-allows", "TS-0001 9.6.6")
def _(t):
    cnt, cins = fill(t, 1, disr=False)
    t.rsc(t.retrieve(cins[0]), 2000)


# latest and oldest

@check("DMR", "RETRIEVE/LA/newest", LA + ".2")
def _(t):
    cnt, cins = fill(t, 3)
    r = t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr), 2000)
    t.equal([r.root, r.get("con"), r.get("ri")], ["m2m:cin", "v2", cins[2].ri], "root, content and resourceID")


@check("DMR", "RETRIEVE/OL/oldest", OL + ".2")
def _(t):
    cnt, cins = fill(t, 3)
    r = t.rsc(t.retrieve(cnt.path + "/ol", fr=cnt.fr), 2000)
    t.equal([r.get("con"), r.get("ri")], ["v0", cins[0].ri], "content and resourceID")


@check("DMR", "RETRIEVE/LA/empty", LA + ".2")
def _(t):
    cnt = t.cnt()
    t.refused(t.retrieve(cnt.path + "/la", fr=cnt.fr), 4004)


@check("DMR", "RETRIEVE/OL/empty", OL + ".2")
def _(t):
    cnt = t.cnt()
    t.refused(t.retrieve(cnt.path + "/ol", fr=cnt.fr), 4004)


@check("DMR", "DELETE/LA/newest", LA + ".4")
def _(t):
    cnt, _ = fill(t, 3)
    t.rsc(t.delete(cnt.path + "/la", fr=cnt.fr), 2002)
    t.equal(contents(t, cnt), ["v0", "v1"], "what is left")
    t.equal(t.retrieve(cnt.path + "/la", fr=cnt.fr).get("con"), "v1", "the latest now")


@check("DMR", "DELETE/OL/oldest", OL + ".4")
def _(t):
    cnt, _ = fill(t, 3)
    t.rsc(t.delete(cnt.path + "/ol", fr=cnt.fr), 2002)
    t.equal(contents(t, cnt), ["v1", "v2"], "what is left")
    t.equal(t.retrieve(cnt.path + "/ol", fr=cnt.fr).get("con"), "v1", "the oldest now")


@check("DMR", "DELETE/LA/empty", LA + ".4")
def _(t):
    cnt = t.cnt()
    t.refused(t.delete(cnt.path + "/la", fr=cnt.fr), 4004)


for _v, _clause in (("la", LA), ("ol", OL)):
    def _create(v, t):
        cnt, _ = fill(t, 1)
        t.refused(t.create(cnt.path + "/" + v, CIN, {"con": "x"}, fr=cnt.fr), 4005)
    check("DMR", "CREATE/%s/not-allowed" % _v.upper(), _clause + ".1")(functools.partial(_create, _v))

    def _update(v, t):
        cnt, _ = fill(t, 1)
        t.refused(t.update(cnt.path + "/" + v, {"con": "x"}, root="m2m:cin", fr=cnt.fr), 4005)
    check("DMR", "UPDATE/%s/not-allowed" % _v.upper(), _clause + ".3")(functools.partial(_update, _v))

    def _stranger(v, t):
        cnt, _ = fill(t, 1)
        t.refused(t.retrieve(cnt.path + "/" + v, fr=t.ae().id), 4103)
    check("DMR", "RETRIEVE/%s/by-another-AE" % _v.upper(), "TS-0004 7.3.3.15")(functools.partial(_stranger, _v))


@check("DMR", "RETRIEVE/LA/after-the-newest-is-deleted", LA + ".2")
def _(t):
    cnt, cins = fill(t, 3)
    t.rsc(t.delete(cins[2]), 2002)
    t.equal(t.retrieve(cnt.path + "/la", fr=cnt.fr).get("con"), "v1", "the latest")


@check("DMR", "RETRIEVE/LA/partial", "TS-0004 7.3.3.6")
def _(t):
    cnt, _ = fill(t, 1)
    r = t.rsc(t.retrieve(cnt.path + "/la", fr=cnt.fr, atrl="con"), 2000)
    t.equal(r.rep, {"con": "v0"}, "the one attribute asked for")


@check("DMR", "RETRIEVE/CNT/li-and-children-not-in-attributes", CNT_ + ".2.2")
def _(t):
    cnt, _ = fill(t, 1)
    r = t.rsc(t.retrieve(cnt), 2000)
    t.true("m2m:cin" not in r.rep and "ch" not in r.rep, "RETRIEVE without rcn returns attributes alone")


@check("DMR", "CREATE/CIN/many-at-once-keep-order-and-count", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt()
    wrong = []

    def work(k):
        for i in range(10):
            r = t.create(cnt, CIN, {"con": "%d.%d" % (k, i)})
            if r.rsc != 2001:
                wrong.append(str(r))
    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    if wrong:
        raise Failed("expected 40 instances created, got " + wrong[0])
    t.equal(t.retrieve(cnt).get("cni"), 40, "currentNrOfInstances")
    found = contents(t, cnt)
    for k in range(4):
        t.equal([c for c in found if c.startswith("%d." % k)], ["%d.%d" % (k, i) for i in range(10)], "the order of one creator's instances")


@check("DMR", "CREATE/CIN/mni-holds-under-load", CIN_ + ".2.1")
def _(t):
    cnt = t.cnt(mni=5)
    threads = [threading.Thread(target=lambda: [t.create(cnt, CIN, {"con": "xy"}) for _ in range(10)]) for _ in range(4)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    t.equal(counts(t, cnt), (5, 10), "currentNrOfInstances and currentByteSize")
    t.equal(len(contents(t, cnt)), 5, "the number of instances")


@check("DMR", "UPDATE/CNT/disr-removed", "TS-0004 7.4.6.2.3")
def _(t):
    cnt, cins = fill(t, 2, disr=True)
    t.rsc(t.update(cnt, {"disr": None}), 2004)
    t.refused(t.retrieve(cins[0]), 4004)


@check("DMR", "UPDATE/CNT/disr-absent-to-false", "TS-0004 7.4.6.2.3")
def _(t):
    cnt, cins = fill(t, 2)
    t.equal(t.rsc(t.update(cnt, {"disr": False}), 2004).get("cni"), 2, "currentNrOfInstances")
    t.rsc(t.retrieve(cins[0]), 2000)
