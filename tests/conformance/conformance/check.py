"""Registration of checks, the fixtures that a check asks for, and the runner.

    @check("DMR", "CREATE/CIN/con-missing", "TS-0004 7.4.7.2.1")
    def _(t):
        cnt = t.cnt(t.ae())
        t.refused(t.create(cnt, CIN, {}), 4000)

Each check gets its own Case: what it makes has names of its own and is deleted afterwards, so that checks run side by side. One that turns on
something for the whole CSE is `alone=True`; one that waits for a clock is `slow=True`, and is started first."""
import collections
import concurrent.futures
import datetime
import itertools
import json
import threading
import time
import traceback

from . import client as client_module, deviations
from .names import ACP, AE, ALL, CIN, CNT, HTTP_STATUS, ROOT, SUB, TSI, rsc_text

CHECKS = []
GROUPS = {
    "GEN": "validity of requests, addressing", "REG": "registration of AEs and CSEs", "DMR": "data management: container, contentInstance, latest, oldest",
    "RES": "every resource type, attribute by attribute", "RCN": "result content", "DIS": "discovery and filter criteria", "SUB": "subscription and notification",
    "GMG": "group management and fan-out", "SEC": "access control", "NB": "response types, request resources, expiration of requests",
    "PCH": "polling channel", "EXP": "expiration of resources", "FCNT": "flexContainer and its instances", "TSR": "timeSeries and missing data",
    "TSB": "timeSyncBeacon", "CRS": "crossResourceSubscription", "SCH": "schedule", "LOC": "location policies and geo queries", "SEM": "semantics",
    "ACT": "action and dependency", "DMG": "device management: node, mgmtObj, mgmtCmd", "TRA": "transactions", "NTP": "notification target policies",
    "ANN": "announcement", "RET": "retargeting to another CSE", "NET": "underlying networks: sessions, triggers, transfers, multicast groups; primitive profiles",
    "BAD": "bad input", "R1": "clients of Release 1", "HTTP": "HTTP binding", "UT": "upper tester",
}
SILENCE = 1  # seconds in which an answer comes that need not come
_unique = itertools.count(1)


class Failed(Exception):
    """The CSE did something else than the rule says."""


class NotPrepared(Exception):
    """The check could not make what it needs."""


class NotApplicable(Exception):
    """The CSE under test does not claim what the check is about."""


class Check:
    def __init__(self, group, rule, clause, run, alone, slow, needs):
        self.group, self.rule, self.clause, self.run, self.alone, self.slow, self.needs = group, rule, clause, run, alone, slow, needs

    @property
    def name(self):
        return "%s %s" % (self.rule, self.clause)


def check(group, rule, clause, alone=False, slow=False, needs=()):
    """needs: resource types that the CSE must list in supportedResourceType, "ut" for an upper tester, "release1" for one that takes requests of Release 1, "mn" for a registered MN-CSE."""
    assert group in GROUPS, group
    needs = needs if isinstance(needs, (tuple, list)) else (needs,)

    def register(run):
        CHECKS.append(Check(group, rule, clause, run, alone, slow, tuple(needs)))
        return run
    return register


def timestamp(seconds):
    """Now and some seconds, as oneM2M writes it (TS-0004 6.3.3: basic format, UTC)."""
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y%m%dT%H%M%S,%f")


class Resource:
    """What a fixture made: structured address, resourceID, representation, and who made it."""

    def __init__(self, path, rep, fr, ty):
        self.path, self.rep, self.fr, self.ty = path, rep, fr, ty
        self.ri, self.rn = rep.get("ri"), rep.get("rn")

    def __getitem__(self, name):
        if name not in self.rep:
            raise Failed("expected the representation of %s to have `%s`, got %s" % (self.path, name, json.dumps(self.rep)[:300]))
        return self.rep[name]

    def get(self, name):
        return self.rep.get(name)

    def __str__(self):
        return self.path


class World:
    """The CSE under test, as its CSEBase describes it."""

    def __init__(self, url, admin="CAdmin", mn_url=None, receiver=None, tables=None, transport=client_module, http_url=None, serialization="json"):
        """transport: the module of a binding, with Client, Receiver and closed_url. http_url: where the upper tester listens."""
        self.url, self.admin, self.mn_url, self.tables, self.transport = url, admin, mn_url, tables, transport
        self.client = transport.Client(url, serialization=serialization)
        self.http = self.client if transport is client_module else client_module.Client(http_url) if http_url else None
        self.receiver = receiver or transport.Receiver()
        self.mn = None          # World of the MN-CSE that is registered with this CSE
        self.mn_trouble = None  # why there is none, though there should be

    def learn(self, cse_name):
        r = self.client.request("R", cse_name, fr=self.admin)
        if r.rsc != 2000 or r.root != "m2m:cb":
            raise NotPrepared("cannot retrieve the CSEBase as %s: %s" % (self.admin, r))
        self.base = r.rep
        self.rn, self.csi = self.base["rn"], self.base["csi"]
        self.types = set(self.base.get("srt") or [])
        self.ut = self.tester("Status") is not None
        self.release1 = self.client.request("R", cse_name, fr=self.admin, rvi=None).rsc == 2000
        return self

    def tester(self, command):
        """Speaks with the upper tester; None when there is none."""
        if self.http is None:
            return None
        try:
            r = self.http.exchange("POST", "/__ut__", [("X-M2M-UTCMD", command)], b"")
        except OSError:
            return None
        return r.headers.get("x-m2m-utrsp", "") if r.status == 200 and r.rsc == 2000 else None


class Case:
    """The hands of one check."""

    def __init__(self, world, check_=None):
        self.world, self.made, self.boxes, self.check = world, [], [], check_
        self.cse, self.csi, self.admin = world.rn, world.csi, world.admin
        self.neighbour = None

    @property
    def mn(self):
        """The same hands at the MN-CSE that is registered with the CSE under test."""
        if self.neighbour is None:
            self.neighbour = Case(self.world.mn, self.check)
        return self.neighbour

    # requests
    def send(self, op, to, **kw):
        kw.setdefault("fr", to.fr if isinstance(to, Resource) else self.admin)
        may_be_silent = self.deviates("no answer")
        if may_be_silent:
            kw["patience"] = SILENCE
        try:
            return self.world.client.request(op, to.path if isinstance(to, Resource) else to, **kw)
        except self.world.transport.Silence:
            if not may_be_silent:
                raise
            r = client_module.Response(0, {}, b"", "%s %s" % (op, to))
            r.silent = True
            return r

    def deviates(self, how):
        """Where this binding has to do otherwise than the check says: an entry of deviations.json, or None."""
        return self.check and deviations.find(how, self.world.transport.NAME, self.check)

    def create(self, to, ty, attributes, root=None, **kw):
        return self.send("C", to, ty=ty, pc={root or ROOT[ty]: attributes}, **kw)

    def retrieve(self, to, **query):
        return self.send("R", to, **self.split(query))

    def update(self, to, attributes, root=None, **kw):
        root = root or ROOT.get(to.ty) if isinstance(to, Resource) else root
        return self.send("U", to, pc={root: attributes}, **self.split(kw))

    def delete(self, to, **query):
        return self.send("D", to, **self.split(query))

    @staticmethod
    def split(kw):
        """Keywords of Client.request stay; every other is a query field (fr is the originator)."""
        own = {k: kw.pop(k) for k in list(kw) if k in ("fr", "headers", "rvi", "ri", "raw", "content_type", "accept", "query")}
        if kw:
            q = own.get("query") or []
            own["query"] = list(q.items() if isinstance(q, dict) else q) + list(kw.items())
        return own

    # verdicts
    def rsc(self, r, *wanted, why=None):
        if r.silent:
            return r
        if r.rsc not in wanted:
            raise Failed("%sexpected %s, got %s: %s" % (why + ": " if why else "", " or ".join(rsc_text(w) for w in wanted), rsc_text(r.rsc), r))
        return r

    def refused(self, r, *wanted, why=None):
        """A refusal: one of the codes, and the HTTP status that goes with it."""
        own = self.deviates("refusal of its own")
        if r.rsc is None and own and r.status == own["status"]:
            return r
        self.rsc(r, *wanted, why=why)
        if not r.silent and r.status != HTTP_STATUS.get(r.rsc, r.status):
            raise Failed("RSC %s goes with HTTP %d (TS-0009 6.3.2), got %d: %s" % (r.rsc, HTTP_STATUS[r.rsc], r.status, r))
        return r

    def ok(self, r, why=None):
        return self.rsc(r, 2000, 2001, 2002, 2004, why=why)

    def equal(self, got, wanted, what):
        if isinstance(got, set) and isinstance(wanted, set):
            got, wanted = sorted(got), sorted(wanted)
        if got != wanted or isinstance(got, bool) != isinstance(wanted, bool):
            raise Failed("expected %s to be %s, got %s" % (what, json.dumps(wanted, default=str)[:300], json.dumps(got, default=str)[:500]))

    def true(self, condition, sentence):
        if not condition:
            raise Failed("expected that " + sentence)

    def same(self, got, wanted, what):
        """Equal as sets."""
        self.true(isinstance(got, (list, tuple, set)), "%s is a list, got %s" % (what, json.dumps(got, default=str)[:300]))
        self.equal(sorted(got), sorted(wanted), what)

    def note(self, box, what="a notification", patience=client_module.PATIENCE):
        n = box.wait(patience)
        if n is None:
            raise Failed("expected %s, none arrived within %s s" % (what, patience))
        return n

    def silent(self, box, what):
        """Nothing more arrives; a check first provokes and takes something that does arrive, so that it need not guess a time."""
        found = box.drain()
        if found:
            raise Failed("expected %s, got %s" % (what, "; ".join(map(str, found))))

    def until(self, what, look, patience=client_module.PATIENCE_USUAL):
        """patience: in seconds, where the one for everything is the usual one; more or less where that is."""
        patience *= client_module.PATIENCE / client_module.PATIENCE_USUAL
        end = time.monotonic() + patience
        while True:
            v = look()
            if v:
                return v
            if time.monotonic() > end:
                raise Failed("expected within %g s: %s" % (patience, what))
            time.sleep(0.05)

    # fixtures
    def name(self, stem="r"):
        return "%s%d" % (stem, next(_unique))

    def supports(self, *types):
        for ty in types:
            if self.world.types and ty not in self.world.types:
                raise NotApplicable("the CSE does not list resource type %s in its supportedResourceType" % ty)

    def make(self, parent, ty, attributes, root=None, fr=None, **kw):
        """Creates and remembers; the check ends as an error when this fails."""
        path = parent.path if isinstance(parent, Resource) else parent
        fr = fr or (parent.fr if isinstance(parent, Resource) else self.admin)
        root = root or ROOT[ty]
        if "rn" not in attributes and ty not in (CIN, TSI):
            attributes = dict(attributes, rn=self.name(root.split(":")[1]))
        r = self.world.client.request("C", path, fr=fr, ty=ty, pc={root: attributes}, **kw)
        if r.rsc != 2001 or not isinstance(r.rep, dict):
            raise NotPrepared("could not make the %s that the check needs: %s; content %s" % (root, r, json.dumps(attributes)[:200]))
        made = Resource("%s/%s" % (path, r.rep.get("rn", attributes.get("rn"))), r.rep, fr, ty)
        if path == self.cse:
            self.made.append(made)
        return made

    def ae(self, listens=None, **attributes):
        """An AE of its own; a mailbox as `listens` becomes its point of access."""
        fr = attributes.pop("originator", None) or "C" + self.name("ae")
        a = {"api": "N.keyway.test", "rr": listens is not None, "srv": ["2a", "3", "4", "5"]}
        if listens is not None:
            a["poa"] = [listens.poa]
        a.update(attributes)
        ae = self.make(self.cse, AE, a, fr=fr)
        ae.fr = ae.id = ae.rep.get("aei", fr)
        if listens is not None:
            listens.known_as("%s/%s" % (self.csi, ae.id))
        return ae

    def cnt(self, parent=None, **attributes):
        return self.make(parent or self.ae(), CNT, attributes)

    def cin(self, parent, con="x", fr=None, **attributes):
        return self.make(parent, CIN, dict(attributes, con=con), fr=fr)

    def acp(self, rules, self_rules=None, parent=None, **attributes):
        """rules: a list of (originators, operations) or of whole accessControlRules. The administrator owns it unless self_rules say otherwise."""
        def rule(r):
            return r if isinstance(r, dict) else {"acor": [r[0]] if isinstance(r[0], str) else list(r[0]), "acop": r[1]}
        pvs = [rule(r) for r in (self_rules if self_rules is not None else [(self.admin, ALL)])]
        a = dict(attributes, pv={"acr": [rule(r) for r in rules]}, pvs={"acr": pvs})
        return self.make(parent or self.cse, ACP, a)

    def box(self):
        b = self.world.receiver.mailbox()
        self.boxes.append(b)
        return b

    def sub(self, target, net=None, box=None, fr=None, **attributes):
        """A subscription with a mailbox as its target: (subscription, mailbox)."""
        box = box or self.box()
        a = {"nu": [box.url]}
        if net is not None:
            a["enc"] = {"net": list(net)}
        a.update(attributes)
        return self.make(target, SUB, a, fr=fr), box

    def tidy(self):
        if self.neighbour:
            self.neighbour.tidy()
        for r in reversed(self.made):
            try:
                self.world.client.request("D", r.path, fr=self.admin)
            except OSError:
                pass
        for b in self.boxes:
            self.world.receiver.boxes.pop(b.url.rsplit("/", 1)[1], None)


class Outcome:
    def __init__(self, check_, verdict, text, seconds):
        self.check, self.verdict, self.text, self.seconds = check_, verdict, text, seconds


def run_one(world, c):
    begin = time.monotonic()
    t = Case(world, c)
    verdict, text = "pass", ""
    try:
        if t.deviates("not applicable"):
            raise NotApplicable(t.deviates("not applicable")["why"])
        for need in c.needs:
            if need == "ut":
                if not world.ut:
                    raise NotApplicable("the CSE has no upper tester")
            elif need == "release1":
                if not world.release1:
                    raise NotApplicable("the CSE does not speak Release 1")
            elif need == "mn":
                if world.mn_trouble:
                    raise NotPrepared(world.mn_trouble)
                if world.mn is None:
                    raise NotApplicable("no MN-CSE is registered with the CSE")
            elif need == "expiry":
                pass
            else:
                t.supports(need)
        c.run(t)
    except Failed as e:
        verdict, text = "fail", str(e)
    except NotPrepared as e:
        verdict, text = "error", str(e)
    except NotApplicable as e:
        verdict, text = "not-applicable", str(e)
    except OSError as e:
        verdict, text = "error", "the CSE did not answer: %s" % e
    except Exception:
        verdict, text = "error", "the check itself went wrong: " + traceback.format_exc()
    finally:
        t.tidy()
    return Outcome(c, verdict, text, time.monotonic() - begin)


def run_all(world, checks, threads=8, tell=None):
    """Runs the checks, side by side but for those that want to be alone; tell(outcome) is called for each as it ends."""
    outcomes, lock = [], threading.Lock()

    def one(c):
        o = run_one(world, c)
        with lock:
            outcomes.append(o)
            if tell:
                tell(o)

    together = sorted((c for c in checks if not c.alone), key=lambda c: not c.slow)
    slow = sum(c.slow for c in together)
    with concurrent.futures.ThreadPoolExecutor(max(1, slow)) as waiting, concurrent.futures.ThreadPoolExecutor(threads) as working:
        for c in together:
            (waiting if c.slow else working).submit(one, c)
    for c in checks:
        if c.alone:
            one(c)
    return outcomes


def summary(outcomes):
    total = collections.Counter(o.verdict for o in outcomes)
    groups = {}
    for o in outcomes:
        groups.setdefault(o.check.group, collections.Counter())[o.verdict] += 1
    return total, groups
