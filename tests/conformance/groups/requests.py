"""NB: response types, the request resource, expiration and delay of requests (TS-0001 8.2, TS-0004 7.4.12, 7.5.2). PCH: polling channels."""
import functools
import threading
import time

from conformance.check import Failed, NotApplicable, check, timestamp
from conformance.client import PATIENCE
from conformance.names import *

NB = "TS-0001 8.2.2"
REQUEST = "TS-0004 7.4.12.2.1"


def nonblocking(t, op, to, rt=1, **kw):
    q = list((kw.pop("query", None) or {}).items()) + [("rt", rt)]
    return t.send(op, to, query=q, **kw)


def done(t, r, fr):
    """The request resource that an accepted request names, when the request has been carried out."""
    t.rsc(r, 1001)
    t.equal(r.root, "m2m:uri", "root of the response")
    uri = r.rep
    t.true(isinstance(uri, str) and uri, "the response has the address of the request resource, got %s" % r.text)

    def look():
        got = t.rsc(t.retrieve(uri, fr=fr), 2000)
        return got if got.get("rs") not in (3, 4, None) else None
    return uri, t.until("the request is carried out", look)


OPERATIONS = {
    "CREATE": ("C", {"ty": CNT, "pc": {"m2m:cnt": {"rn": "made"}}}, 2001), "RETRIEVE": ("R", {}, 2000), "UPDATE": ("U", {"pc": {"m2m:cnt": {"lbl": ["x"]}}}, 2004), "DELETE": ("D", {}, 2002)}


def synchronous(name, t):
    op, kw, rsc = OPERATIONS[name]
    cnt = t.cnt()
    r = nonblocking(t, op, cnt, **kw)
    uri, req = done(t, r, cnt.fr)
    t.equal(req.root, "m2m:req", "root")
    t.equal([req.get("ty"), req.get("op"), req.get("rid"), req.get("rs")], [17, "CRUD".index(op) + 1, r.request_id, 1], "resourceType, operation, requestID and requestStatus")
    t.true(str(req.get("org")).endswith(cnt.fr), "originator is %s, got %r" % (cnt.fr, req.get("org")))
    t.equal(req.get("ors", "rsc"), rsc, "response status code of the operation")
    t.equal(req.get("ors", "rqi"), r.request_id, "request identifier of the operation's response")
    if op == "R":
        t.equal(req.get("ors", "pc", "m2m:cnt", "ri"), cnt.ri, "resourceID in the stored response")
    elif op == "C":
        t.rsc(t.retrieve(cnt.path + "/made", fr=cnt.fr), 2000)
    elif op == "U":
        t.equal(t.retrieve(cnt).get("lbl"), ["x"], "labels")
    else:
        t.refused(t.retrieve(cnt), 4004)


for _name in OPERATIONS:
    check("NB", "%s/RT/1-non-blocking-synchronous" % _name, NB)(functools.partial(synchronous, _name))


@check("NB", "RETRIEVE/RT/1-of-what-is-not-there", NB)
def _(t):
    ae = t.ae()
    uri, req = done(t, nonblocking(t, "R", ae.path + "/nothing", fr=ae.id), ae.id)
    t.equal(req.get("ors", "rsc"), 4004, "response status code of the operation")


@check("NB", "CREATE/RT/1-of-a-bad-resource", NB)
def _(t):
    cnt = t.cnt()
    uri, req = done(t, nonblocking(t, "C", cnt, ty=CNT, pc={"m2m:cnt": {"xyzzy": 1}}), cnt.fr)
    t.equal(req.get("ors", "rsc"), 4000, "response status code of the operation")


@check("NB", "RETRIEVE/RT/1-without-privilege", NB)
def _(t):
    cnt, other = t.cnt(), t.ae()
    r = nonblocking(t, "R", cnt, fr=other.id)
    if r.rsc == 1001:
        t.equal(done(t, r, other.id)[1].get("ors", "rsc"), 4103, "response status code of the operation")
    else:
        t.refused(r, 4103)


@check("NB", "RETRIEVE/REQ/attributes", REQUEST)
def _(t):
    cnt = t.cnt()
    uri, req = done(t, nonblocking(t, "R", cnt), cnt.fr)
    for a in ("ri", "rn", "pi", "ct", "lt", "et", "op", "tg", "org", "rid", "mi", "rs", "ors"):
        t.true(a in req.rep, "the request resource has %s, got %s" % (a, sorted(req.rep)))
    t.equal(req.get("mi", "rt", "rtv") if isinstance(req.get("mi", "rt"), dict) else req.get("mi", "rt"), 1, "responseType in metaInformation")


@check("NB", "RETRIEVE/REQ/by-another-AE", REQUEST)
def _(t):
    cnt = t.cnt()
    uri, _ = done(t, nonblocking(t, "R", cnt), cnt.fr)
    t.refused(t.retrieve(uri, fr=t.ae().id), 4103)


@check("NB", "DELETE/REQ/by-the-originator", "TS-0004 7.4.12.2.4")
def _(t):
    cnt = t.cnt()
    uri, _ = done(t, nonblocking(t, "R", cnt), cnt.fr)
    t.rsc(t.delete(uri, fr=cnt.fr), 2002)
    t.refused(t.retrieve(uri, fr=cnt.fr), 4004)


@check("NB", "RETRIEVE/REQ/result-persistence", REQUEST, slow=True, needs="expiry")
def _(t):
    cnt = t.cnt()
    uri, _ = done(t, nonblocking(t, "R", cnt, query={"rp": "PT1S"}), cnt.fr)
    t.until("the request resource has expired", lambda: t.retrieve(uri, fr=cnt.fr).rsc == 4004, 6)


def asynchronous(how, t):
    box = t.box()
    ae = t.ae(box if how == "poa" else None)
    cnt = t.cnt(ae)
    headers = {"X-M2M-RTU": box.url} if how == "rtu" else {}
    r = t.rsc(nonblocking(t, "R", cnt, rt=2, headers=headers), 1002)
    n = t.note(box, "the response, sent to the originator")
    rsp = (n.body or {}).get("m2m:rsp")
    t.true(isinstance(rsp, dict), "the content is m2m:rsp, got %s" % n)
    t.equal([rsp.get("rsc"), rsp.get("rqi")], [2000, r.request_id], "rsc and rqi")
    t.equal(((rsp.get("pc") or {}).get("m2m:cnt") or {}).get("ri"), cnt.ri, "resourceID in the content")


check("NB", "RETRIEVE/RT/2-to-the-notification-URI", NB)(functools.partial(asynchronous, "rtu"))
check("NB", "RETRIEVE/RT/2-to-the-point-of-access", NB)(functools.partial(asynchronous, "poa"))


def asynchronous_write(op, t):
    box, cnt = t.box(), t.cnt()
    code, kw, rsc = OPERATIONS[op]
    r = t.rsc(nonblocking(t, code, cnt, rt=2, headers={"X-M2M-RTU": box.url}, **kw), 1002)
    rsp = (t.note(box).body or {}).get("m2m:rsp") or {}
    t.equal([rsp.get("rsc"), rsp.get("rqi")], [rsc, r.request_id], "rsc and rqi")


for _op in ("CREATE", "UPDATE", "DELETE"):
    check("NB", "%s/RT/2-non-blocking-asynchronous" % _op, NB)(functools.partial(asynchronous_write, _op))


@check("NB", "RETRIEVE/RT/2-refusal-is-sent-too", NB)
def _(t):
    box, ae = t.box(), t.ae()
    t.rsc(nonblocking(t, "R", ae.path + "/nothing", fr=ae.id, rt=2, headers={"X-M2M-RTU": box.url}), 1002)
    t.equal(((t.note(box).body or {}).get("m2m:rsp") or {}).get("rsc"), 4004, "rsc")


@check("NB", "RETRIEVE/RT/2-several-notification-URIs", "TS-0009 6.4.3")
def _(t):
    a, b, cnt = t.box(), t.box(), t.cnt()
    t.rsc(nonblocking(t, "R", cnt, rt=2, headers={"X-M2M-RTU": a.url + "&" + b.url}), 1002)
    t.note(a)
    t.note(b)


@check("NB", "RETRIEVE/RT/3-blocking", NB)
def _(t):
    cnt = t.cnt()
    t.equal(t.rsc(nonblocking(t, "R", cnt, rt=3), 2000).get("ri"), cnt.ri, "resourceID")


@check("NB", "RETRIEVE/RT/4-flexible", NB)
def _(t):
    cnt = t.cnt()
    r = t.rsc(nonblocking(t, "R", cnt, rt=4), 2000, 1001)
    if r.rsc == 1001:
        t.equal(done(t, r, cnt.fr)[1].get("ors", "rsc"), 2000, "response status code of the operation")
    else:
        t.equal(r.get("ri"), cnt.ri, "resourceID")


@check("NB", "CREATE/RT/5-no-response", NB)
def _(t):
    cnt = t.cnt()
    r = nonblocking(t, "C", cnt, rt=5, ty=CNT, pc={"m2m:cnt": {"rn": "made"}})
    t.true(r.rep is None, "no result is returned, got %s" % r)
    if not r.silent:
        t.equal([r.status, r.headers.get("x-m2m-rsc")], [204, None], "status of HTTP, and response status code")
    t.until("the container is made all the same", lambda: t.retrieve(cnt.path + "/made", fr=cnt.fr).rsc == 2000)


def bad_rt(v, t):
    cnt = t.cnt()
    t.refused(nonblocking(t, "R", cnt, rt=v), 4000)


for _v in (0, 6, 99, "x"):
    check("NB", "RETRIEVE/RT/%s-refused" % _v, "TS-0004 6.3.4.2.6")(functools.partial(bad_rt, _v))


# expiration

def expired(header, value, t):
    cnt = t.cnt()
    t.refused(t.send("U", cnt, pc={"m2m:cnt": {"lbl": ["late"]}}, headers={header: value(t)}), 4008)
    t.equal(t.retrieve(cnt).get("lbl"), None, "labels after an expired request")


for _header, _tag in (("X-M2M-RET", "request"), ("X-M2M-RST", "result")):
    check("NB", "UPDATE/%s/in-the-past" % _header[6:], "TS-0004 7.3.2.1")(functools.partial(expired, _header, lambda t: timestamp(-60)[:15]))
    check("NB", "UPDATE/%s/long-past" % _header[6:], "TS-0004 7.3.2.1")(functools.partial(expired, _header, lambda t: "20200101T000000"))


def in_time(header, value, t):
    cnt = t.cnt()
    t.rsc(t.send("U", cnt, pc={"m2m:cnt": {"lbl": ["x"]}}, headers={header: value()}), 2004)


for _header in ("X-M2M-RET", "X-M2M-RST"):
    for _tag, _value in (("absolute", lambda: timestamp(60)[:15]), ("absolute-with-fraction", lambda: timestamp(60)), ("milliseconds", lambda: "60000")):
        check("NB", "UPDATE/%s/%s" % (_header[6:], _tag), "TS-0009 6.4.3")(functools.partial(in_time, _header, _value))


def malformed(header, value, t):
    cnt = t.cnt()
    t.refused(t.send("R", cnt, headers={header: value}), 4000)


for _header in ("X-M2M-RET", "X-M2M-RST", "X-M2M-OET", "X-M2M-OT"):
    check("NB", "RETRIEVE/%s/malformed" % _header[6:], "TS-0004 6.3.3")(functools.partial(malformed, _header, "soon"))


@check("NB", "CREATE/OET/later", "TS-0001 8.1.2", slow=True)
def _(t):
    cnt = t.cnt()
    begin = time.monotonic()
    r = nonblocking(t, "C", cnt, ty=CNT, pc={"m2m:cnt": {"rn": "made"}}, headers={"X-M2M-OET": "1000"})
    if r.rsc == 5001:
        raise NotApplicable("the CSE does not do Operation Execution Time")
    t.rsc(r, 1001)
    t.true(time.monotonic() - begin < 0.8, "a non-blocking request is acknowledged at once")
    t.refused(t.retrieve(cnt.path + "/made", fr=cnt.fr), 4004)
    t.until("the operation is carried out at its time", lambda: t.retrieve(cnt.path + "/made", fr=cnt.fr).rsc == 2000)
    t.true(time.monotonic() - begin > 0.7, "it is not carried out before")


def too_late(header, t):
    cnt = t.cnt()
    t.refused(t.send("R", cnt, headers={"X-M2M-OET": timestamp(90)[:15], header: timestamp(60)[:15]}), 4000)
    t.refused(nonblocking(t, "R", cnt, rt=3, headers={"X-M2M-OET": "90000", header: "60000"}), 4000)


for _header in ("X-M2M-RET", "X-M2M-RST"):
    check("NB", "RETRIEVE/OET/later-than-%s" % _header[6:], "TS-0001 8.1.2")(functools.partial(too_late, _header))


@check("NB", "RETRIEVE/OET/in-the-past-is-now", "TS-0001 8.1.2")
def _(t):
    cnt = t.cnt()
    t.rsc(t.send("R", cnt, headers={"X-M2M-OET": timestamp(-60)[:15]}), 2000, 5001)


# polling channel

PCH_ = "TS-0004 7.4.21"
PCU = "TS-0004 7.4.22"


def poller(t):
    ae = t.ae()
    pch = t.make(ae, PCH, {})
    return ae, pch


class Poll(threading.Thread):
    """One long poll in a thread; answers the request that comes with `answer` when that is given."""

    def __init__(self, t, ae, pch, answer=2000, patience=PATIENCE):
        super().__init__(daemon=True)
        self.t, self.ae, self.pch, self.answer, self.patience, self.primitive, self.response = t, ae, pch, answer, patience, None, None
        self.start()

    def run(self):
        t = self.t
        self.response = r = t.retrieve(self.pch.path + "/pcu", fr=self.ae.id, headers={"X-M2M-RET": str(self.patience * 1000)})
        if r.rsc != 2000:
            return
        p = r.rep
        self.primitive = p[0] if isinstance(p, list) else p
        if self.answer is not None and isinstance(self.primitive, dict):
            self.told = t.send("N", self.pch.path + "/pcu", fr=self.ae.id, pc={"m2m:rsp": {"rsc": self.answer, "rqi": self.primitive.get("rqi"), "rvi": "4", "fr": self.ae.id}})

    def result(self):
        self.join(self.patience + 5)
        if self.primitive is None:
            raise Failed("expected a request on the polling channel, got %s" % self.response)
        return self.primitive


@check("PCH", "CREATE/PCH/by-its-AE", PCH_ + ".2.1")
def _(t):
    ae, pch = poller(t)
    t.equal([pch["ty"], pch["pi"]], [15, ae.ri], "resourceType and parentID")


@check("PCH", "CREATE/PCH/only-one", PCH_ + ".2.1")
def _(t):
    ae, pch = poller(t)
    t.refused(t.create(ae, PCH, {}), 4000, 4105, 4108, 5106, 4005)


@check("PCH", "CREATE/PCH/by-another-AE", PCH_ + ".2.1")
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, PCH, {}, fr=t.ae().id), 4103)


@check("PCH", "RETRIEVE/PCH/by-another-AE", "TS-0004 7.3.3.15")
def _(t):
    t.refused(t.retrieve(poller(t)[1], fr=t.ae().id), 4103)


@check("PCH", "RETRIEVE/PCU/nothing-to-tell", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    begin = time.monotonic()
    t.refused(t.retrieve(pch.path + "/pcu", fr=ae.id, headers={"X-M2M-RET": "300"}), 4008)
    t.true(0.2 < time.monotonic() - begin < 5, "the answer comes when the request expires")


@check("PCH", "RETRIEVE/PCU/by-another-AE", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    t.refused(t.retrieve(pch.path + "/pcu", fr=t.ae().id, headers={"X-M2M-RET": "300"}), 4103)


@check("PCH", "RETRIEVE/PCU/by-the-administrator", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    t.refused(t.retrieve(pch.path + "/pcu", fr=t.admin, headers={"X-M2M-RET": "300"}), 4103)


def not_allowed(op, t):
    ae, pch = poller(t)
    r = {"CREATE": lambda: t.create(pch.path + "/pcu", CNT, {}, fr=ae.id), "UPDATE": lambda: t.update(pch.path + "/pcu", {"lbl": []}, root="m2m:pcu", fr=ae.id), "DELETE": lambda: t.delete(pch.path + "/pcu", fr=ae.id)}[op]()
    t.refused(r, 4005)


for _op in ("CREATE", "UPDATE", "DELETE"):
    check("PCH", "%s/PCU/not-allowed" % _op, PCU + ".2")(functools.partial(not_allowed, _op))


@check("PCH", "RETRIEVE/PCU/a-notification-that-comes-while-polling", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [1]}})
    poll = Poll(t, ae, pch)
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    p = poll.result()
    t.equal(p.get("op"), 5, "operation")
    t.true(p.get("rqi") and p.get("fr") and p.get("to"), "the primitive has rqi, fr and to, got %s" % sorted(p))
    t.equal(((((p.get("pc") or {}).get("m2m:sgn") or {}).get("nev") or {}).get("rep") or {}).get("m2m:cnt", {}).get("lbl"), ["x"], "labels in the notification")


@check("PCH", "RETRIEVE/PCU/a-notification-that-came-before", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [1]}})
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    p = Poll(t, ae, pch).result()
    t.true("m2m:sgn" in (p.get("pc") or {}), "the primitive is the notification, got %s" % p)


@check("PCH", "RETRIEVE/PCU/each-notification-once", PCU + ".2.2")
def _(t):
    ae, pch = poller(t)
    cnt = t.cnt(ae)
    t.make(cnt, SUB, {"nu": [ae.id], "enc": {"net": [3]}})
    for i in range(2):
        t.cin(cnt, str(i))
    seen = []
    for _ in range(2):
        p = Poll(t, ae, pch).result()
        seen.append(p["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"])
    t.equal(sorted(seen), ["0", "1"], "contents that two polls bring")
    t.refused(t.retrieve(pch.path + "/pcu", fr=ae.id, headers={"X-M2M-RET": "300"}), 4008)


def verified(answer, t):
    ae, pch = poller(t)
    cnt = t.cnt()
    acp = t.acp([(cnt.fr, N), (ae.id, ALL)])
    t.rsc(t.update(ae, {"acpi": [acp.ri]}, fr=t.admin), 2004)
    poll = Poll(t, ae, pch, answer)
    r = t.create(cnt, SUB, {"nu": [ae.id], "enc": {"net": [1]}}, headers={"X-M2M-RET": "5000"})
    p = poll.result()
    t.equal(((p.get("pc") or {}).get("m2m:sgn") or {}).get("vrq"), True, "verificationRequest")
    if answer == 2000:
        t.rsc(r, 2001)
    else:
        t.refused(r, 5204)


check("PCH", "CREATE/SUB/verified-over-the-polling-channel", PCU + ".2.5")(functools.partial(verified, 2000))
check("PCH", "CREATE/SUB/verification-refused-over-the-polling-channel", PCU + ".2.5")(functools.partial(verified, 4103))


@check("PCH", "NOTIFY/PCU/answer-to-nothing", PCU + ".2.5")
def _(t):
    ae, pch = poller(t)
    t.refused(t.send("N", pch.path + "/pcu", fr=ae.id, pc={"m2m:rsp": {"rsc": 2000, "rqi": "nobody-asked", "rvi": "4"}}), 4000, 4004)


@check("PCH", "NOTIFY/PCU/not-a-response", PCU + ".2.5")
def _(t):
    ae, pch = poller(t)
    t.refused(t.send("N", pch.path + "/pcu", fr=ae.id, pc={"m2m:cnt": {}}), 4000)


@check("PCH", "NOTIFY/PCU/by-another-AE", PCU + ".2.5")
def _(t):
    ae, pch = poller(t)
    t.refused(t.send("N", pch.path + "/pcu", fr=t.ae().id, pc={"m2m:rsp": {"rsc": 2000, "rqi": "x", "rvi": "4"}}), 4103)


@check("PCH", "DELETE/PCH/ends-a-waiting-poll", PCH_ + ".2.4")
def _(t):
    ae, pch = poller(t)
    poll = Poll(t, ae, pch, patience=6)
    time.sleep(0.2)
    t.rsc(t.delete(pch), 2002)
    poll.join(9)
    t.true(poll.response is not None and poll.response.rsc in (4004, 4008), "the poll ends with a refusal, got %s" % poll.response)


@check("PCH", "RETRIEVE/PCU/blocking-request-of-another-AE", PCU + ".2.2")
def _(t):
    """A request to the AE itself, which is not reachable, goes over its channel."""
    ae, pch = poller(t)
    acp = t.acp([("all", ALL)])
    t.rsc(t.update(ae, {"acpi": [acp.ri]}, fr=t.admin), 2004)
    other = t.ae()
    poll = Poll(t, ae, pch)
    r = t.send("N", ae, fr=other.id, pc={"m2m:sgn": {"sur": "x", "nev": {"net": 1, "rep": {"m2m:cnt": {}}}}}, headers={"X-M2M-RET": "5000"})
    p = poll.result()
    t.equal([p.get("op"), str(p.get("fr")).endswith(other.id)], [5, True], "operation, and whether the originator is the sender")
    t.rsc(r, 2000)
