"""A CSE under load is killed at random moments, 200 times: every write that it acknowledged is there, every write that it did not acknowledge is there
whole or not at all, what was deleted stays deleted, counters and addresses are true, and the next start needs no repair by hand.

Each writer has a subtree of its own and a model of it. A request whose answer the kill swallowed leaves two models, and what is found must be one of
them. The shared container is written by all at once, so that transactions hold writes of several connections."""
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from cse import ADMIN, Cse, Gone
from plant import program

ROUNDS = int(os.environ.get("KEYWAY_CRASH_ROUNDS", 200))
SEED = int(os.environ.get("KEYWAY_CRASH_SEED", random.randrange(1 << 30)))
WRITERS = 4
CONTAINERS_MAX = 8
PIPELINE = 50
SHARED = {"m2m:cnt": {"rn": "shared", "acpi": ["cse-in/all"]}}


class Container:
    def __init__(self, ri, mni):
        self.ri, self.mni, self.lbl, self.st = ri, mni, [], 0
        self.instances = []          # (rn, con, ri), oldest first
        self.subscriptions, self.children = {}, {}

    def trim(self):
        del self.instances[:max(0, len(self.instances) - self.mni)]

    def __eq__(self, other):
        return self.__dict__ == other.__dict__


def all_below(root, path):
    for name, child in root.items():
        yield path + "/" + name, root, name, child
        yield from all_below(child.children, path + "/" + name)


class Writer:
    def __init__(self, number):
        self.number, self.sequence = number, 0
        self.originator = "CW%d" % number
        self.path = "cse-in/w%d" % number
        self.root = {}               # containers below the AE
        self.shared = []             # contents that were acknowledged
        self.gone = []               # addresses of what was deleted
        self.open = None             # the request that waits for its answer: (what it does to a model, content for the shared container)
        self.acknowledged = 0
        self.touched = set()

    def name(self):
        self.sequence += 1
        return "n%d_%d" % (self.number, self.sequence)

    # ---- one request: the operation, and what it does to a model when `answer` (None: it was not seen) acknowledges it ----

    def some(self):
        return random.choice(list(all_below(self.root, self.path)))

    def new_container(self):
        parent, siblings = self.path, []
        if self.root and random.random() < 0.4:
            parent, _, _, above = self.some()
            siblings = parent[len(self.path) + 1:].split("/")
        mni, name = random.choice((1, 3, 10, 30)), self.name() if random.random() < 0.6 else None
        body = {"m2m:cnt": {"mni": mni, **({"rn": name} if name else {})}}

        def effect(root, answer):
            for s in siblings:
                root = root[s].children
            made = answer.resource if answer else {"rn": name or "?", "ri": "?"}
            root[made["rn"]] = Container(made["ri"], mni)
        return "C", parent, body, 3, effect

    def at(self, root, path):
        for s in path[len(self.path) + 1:].split("/"):
            found = root[s]
            root = found.children
        return found

    def new_instance(self):
        path = self.some()[0]
        con = self.name() + "x" * random.choice((0, 10, 200, 5000))
        name = self.name() if random.random() < 0.2 else None
        body = {"m2m:cin": {"con": con, **({"rn": name} if name else {})}}

        def effect(root, answer):
            c = self.at(root, path)
            c.instances.append((answer.resource["rn"], con, answer.resource["ri"]) if answer else (name or "?", con, "?"))
            c.st += 1
            c.trim()
        return "C", path, body, 4, effect

    def new_subscription(self):
        path, name = self.some()[0], self.name()

        def effect(root, answer):
            self.at(root, path).subscriptions[name] = answer.resource["ri"] if answer else "?"
        return "C", path, {"m2m:sub": {"rn": name, "nu": [self.originator], "enc": {"net": [1, 3]}}}, 23, effect

    def update(self):
        path, lbl, mni = self.some()[0], [self.name()], random.choice((1, 3, 10, 30))

        def effect(root, answer):
            c = self.at(root, path)
            c.lbl, c.mni = lbl, mni
            c.st += 1
            c.trim()
        return "U", path, {"m2m:cnt": {"lbl": lbl, "mni": mni}}, None, effect

    def delete_container(self):
        path, _, _, c = self.some()
        addresses = [path, c.ri] + [a for p, _, _, below in all_below(c.children, path) for a in (p, below.ri)] + [i[2] for i in c.instances[-3:]]

        def effect(root, answer):
            above = self.at(root, path.rsplit("/", 1)[0]).children if path.count("/") > 2 else root
            del above[path.rsplit("/", 1)[1]]
            if answer:
                self.gone += addresses
        return "D", path, None, None, effect

    def delete_instance(self):
        path, _, _, c = self.some()
        if not c.instances:
            return self.new_instance()
        i = random.choice((0, len(c.instances) - 1, random.randrange(len(c.instances))))
        rn, _, ri = c.instances[i]
        target = "%s/%s" % (path, random.choice([rn] + ["ol"] * (i == 0) + ["la"] * (i == len(c.instances) - 1)))

        def effect(root, answer):
            found = self.at(root, path)
            del found.instances[i]
            found.st += 1
            if answer:
                self.gone += [ri, path + "/" + rn]
        return "D", target, None, None, effect

    def delete_subscription(self):
        path, _, _, c = self.some()
        if not c.subscriptions:
            return self.new_subscription()
        name = random.choice(list(c.subscriptions))

        def effect(root, answer):
            del self.at(root, path).subscriptions[name]
            if answer:
                self.gone.append(path + "/" + name)
        return "D", path + "/" + name, None, None, effect

    def choose(self):
        count = sum(1 for _ in all_below(self.root, self.path))
        if count == 0:
            return self.new_container()
        makers = [self.new_instance] * 60 + [self.update] * 8 + [self.delete_instance] * 6 + [self.new_subscription] * 3 + [self.delete_subscription] * 3
        makers += [self.new_container] * (8 if count < CONTAINERS_MAX else 0) + [self.delete_container] * (4 if count < CONTAINERS_MAX else 12)
        return random.choice(makers)()

    def write(self, client):
        """Until the connection ends."""
        try:
            while True:
                if random.random() < 0.15:
                    con = self.name()
                    self.open = (None, con)
                    a = client.create("cse-in/shared", 4, {"m2m:cin": {"con": con}})
                    assert a.rsc == 2001, a
                    self.shared.append(con)
                else:
                    op, to, body, ty, effect = self.choose()
                    self.open = (effect, None)
                    self.touched.add(to)
                    a = client.request(op, to, body, ty)
                    assert a.rsc == {"C": 2001, "U": 2004, "D": 2002}[op], "%s %s %s: %s" % (op, to, body, a)
                    effect(self.root, a)
                self.open = None
                self.acknowledged += 1
        except Gone:
            pass
        except Exception as e:
            self.failure = e
            raise


# ---- looking at what is there ----

def pipelined(client, addresses):
    """(address, answer) of a RETRIEVE each, many under way at a time."""
    for at in range(0, len(addresses), PIPELINE):
        part = addresses[at:at + PIPELINE]
        client.send(b"".join(client.head("R", a) for a in part))
        for a in part:
            yield a, client.receive()


def observe(client, path):
    """The containers below a path as a model, from what the CSE says; and that its own numbers agree with what it has."""
    r = client.must(2000, "R", path + "?rcn=4&lvl=1").resource
    found = {}
    for child in r.get("m2m:cnt", []):
        below = path + "/" + child["rn"]
        whole = client.must(2000, "R", below + "?rcn=4&lvl=1").resource
        c = found[child["rn"]] = Container(whole["ri"], whole["mni"])
        c.lbl, c.st = whole.get("lbl", []), whole["st"]
        instances = whole.get("m2m:cin", [])
        c.instances = [(i["rn"], i["con"], i["ri"]) for i in instances]
        c.subscriptions = {s["rn"]: s["ri"] for s in whole.get("m2m:sub", [])}
        assert whole["cni"] == len(instances), "%s: cni %d, but %d instances" % (below, whole["cni"], len(instances))
        assert whole["cbs"] == sum(i["cs"] for i in instances), "%s: cbs %d, but instances of %d" % (below, whole["cbs"], sum(i["cs"] for i in instances))
        assert all(i["cs"] == len(i["con"]) and i["pi"] == whole["ri"] for i in instances), whole
        assert all(a["st"] < b["st"] for a, b in zip(instances, instances[1:])) and all(i["st"] <= whole["st"] for i in instances), whole
        c.children = observe(client, below)
    return found


def adopt(model, found):
    """Fills in the ids and names of what was made by a request whose answer was not seen."""
    for name, c in list(model.items()):
        if name == "?":
            extra = [n for n in found if n not in model]
            if len(extra) != 1:
                return
            name = extra[0]
            model[name] = model.pop("?")
        there = found.get(name)
        if not there:
            continue
        if c.ri == "?":
            c.ri = there.ri
        if c.instances and there.instances and c.instances[-1][2] == "?":
            rn, con, _ = c.instances[-1]
            last = there.instances[-1]
            c.instances[-1] = (last[0] if rn == "?" else rn, con, last[2])
        for s, ri in c.subscriptions.items():
            if ri == "?":
                c.subscriptions[s] = there.subscriptions.get(s)
        adopt(c.children, there.children)


def differences(model, found, path):
    for name in sorted(set(model) | set(found)):
        a, b = model.get(name), found.get(name)
        if not a or not b:
            yield "%s/%s: %s" % (path, name, "missing" if a else "there, and should not be")
            continue
        for k in a.__dict__:
            if k != "children" and a.__dict__[k] != b.__dict__[k]:
                yield "%s/%s: %s is %.600r, and should be %.600r" % (path, name, k, b.__dict__[k], a.__dict__[k])
        yield from differences(a.children, b.children, path + "/" + name)


def check_addresses(client, writer, thorough):
    """la and ol are the newest and the oldest, and each resource answers the same to its path and to its ID."""
    edges, pairs = {}, []
    for path, _, _, c in all_below(writer.root, writer.path):
        edges[path + "/la"] = c.instances[-1] if c.instances else None
        edges[path + "/ol"] = c.instances[0] if c.instances else None
        if thorough or any(t.startswith(path) for t in writer.touched):
            some = c.instances if thorough else c.instances[:1] + c.instances[-2:]
            pairs += [(path, c.ri)] + [(path + "/" + i[0], i[2]) for i in some] + [(path + "/" + s, ri) for s, ri in c.subscriptions.items()]
    for address, a in pipelined(client, list(edges)):
        wanted = edges[address]
        assert a.rsc == 4004 if wanted is None else a.rsc == 2000 and a.resource["ri"] == wanted[2] and a.resource["con"] == wanted[1], "%s: %s" % (address, a)
    answers = [a for _, a in pipelined(client, [p for pair in pairs for p in pair])]
    for pair, one, other in zip(pairs, answers[::2], answers[1::2]):
        assert one.rsc == 2000 and one.octets == other.octets, "%s: %s; %s: %s" % (pair[0], one, pair[1], other)
    some = writer.gone if thorough else random.sample(writer.gone, min(10, len(writer.gone)))
    for address, a in pipelined(client, some):
        assert a.rsc == 4004, "%s was deleted, and is there: %s" % (address, a)
    del writer.gone[:-200]
    return len(pairs) + len(edges)


def check_writer(client, writer, thorough, tally):
    found = observe(client, writer.path)
    effect = writer.open[0] if writer.open else None
    adopt(writer.root, found)
    if writer.root != found and effect:
        other = copy.deepcopy(writer.root)
        effect(other, None)
        adopt(other, found)
        if other == found:
            writer.root = other
            tally["done"] += 1
    elif effect:
        tally["not done"] += 1
    wrong = list(differences(writer.root, found, writer.path))
    assert not wrong, "\n".join(wrong)
    tally["looked at"] += check_addresses(client, writer, thorough)


def check_shared(client, writers):
    r = client.must(2000, "R", "cse-in/shared?rcn=4&lvl=1").resource
    there = [i["con"] for i in r.get("m2m:cin", [])]
    assert r["cni"] == len(there) == len(set(there)) and r["cbs"] == sum(map(len, there)) and r["st"] == len(there), r
    for w in writers:
        own = [con for con in there if con.startswith("n%d_" % w.number)]
        if w.open and w.open[1] and own and own[-1] == w.open[1]:
            w.shared.append(w.open[1])
        assert own == w.shared, "of writer %d in the shared container: %r, and should be %r" % (w.number, own[-5:], w.shared[-5:])
    if len(there) > 1000:  # so that the test looks at much, but not at ever more
        client.must(2002, "D", "cse-in/shared")
        client.must(2001, "C", "cse-in", SHARED, 3)
        for w in writers:
            w.shared = []


def load(cse, writers):
    clients = [cse.client(originator=w.originator) for w in writers]
    for c in clients:
        c.connect()
    threads = [threading.Thread(target=w.write, args=(c,)) for w, c in zip(writers, clients)]
    for t in threads:
        t.start()
    time.sleep(random.uniform(0.01, 0.25))  # the moment of the kill is the subject of the test
    status, said = cse.kill()
    for t in threads:
        t.join()
    for c, w in zip(clients, writers):
        c.close()
        if hasattr(w, "failure"):
            raise w.failure
    assert status == -9, "keyway-cse ended by itself with status %d: %s" % (status, said)


def kill_at_start(cse):
    """Also a start that is killed needs no repair."""
    p = subprocess.Popen([program("keyway-cse"), "--testbench", "--port", "0", "--state", cse.state], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0, 0.02))
    p.kill()
    p.wait()


def prepare(client, writers):
    policy = {"m2m:acp": {"rn": "all", "pv": {"acr": [{"acor": ["all"], "acop": 63}]}, "pvs": {"acr": [{"acor": [ADMIN], "acop": 63}]}}}
    client.must(2001, "C", "cse-in", policy, 1)
    client.must(2001, "C", "cse-in", SHARED, 3)
    for w in writers:
        client.must(2001, "C", "cse-in", {"m2m:ae": {"rn": w.path.split("/")[1], "api": "N.crash", "rr": False, "srv": ["4"]}}, 2, fr=w.originator)


def main():
    random.seed(SEED)
    folder = tempfile.mkdtemp(prefix="keyway-crash-")
    cse, writers = Cse(os.path.join(folder, "state")), [Writer(i) for i in range(WRITERS)]
    tally, began, starting = {"done": 0, "not done": 0, "looked at": 0, "killed at the start": 0}, time.monotonic(), []
    cse.start()
    with_admin = cse.client()
    prepare(with_admin, writers)
    for r in range(ROUNDS):
        load(cse, writers)
        if random.random() < 0.1:
            kill_at_start(cse)
            tally["killed at the start"] += 1
        if r % 20 == 0:
            check = subprocess.run([program("keyway"), "check", "--state", cse.state], capture_output=True, text=True)
            assert check.returncode == 0, check.stdout + check.stderr
        at = time.monotonic()
        cse.start()
        starting.append(time.monotonic() - at)
        client = cse.client()
        check_shared(client, writers)
        for w in writers:
            check_writer(client, w, r % 10 == 9 or r == ROUNDS - 1, tally)
            w.open, w.touched = None, set()
        client.close()
    cse.stop()
    acknowledged = sum(w.acknowledged for w in writers)
    assert acknowledged > 5 * ROUNDS and (ROUNDS < 100 or (tally["done"] and tally["not done"])), "too little happened to show anything: %d, %s" % (acknowledged, tally)
    shutil.rmtree(folder)
    starting.sort()
    print("killed %d times in %.0f s (and %d times while starting); %d writes acknowledged, all there; %d more were under way, %d of them done; "
          "%d addresses looked at; start took %.0f ms (median), %.0f ms (longest)" % (
              ROUNDS, time.monotonic() - began, tally["killed at the start"], acknowledged, tally["done"] + tally["not done"], tally["done"], tally["looked at"],
              1000 * starting[len(starting) // 2], 1000 * starting[-1]))


try:
    main()
except BaseException:
    print("seed %d: KEYWAY_CRASH_SEED=%d" % (SEED, SEED), file=sys.stderr)
    raise
