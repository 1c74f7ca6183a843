"""A CSE with little memory and a large tree: a walk that parses 200 000 resources, and reading them one by one, leave it as small as it was told to be."""
import json
import os
import random
import sqlite3
import tempfile
import time

from cse import Cse

MIB = 1 << 20
CONTAINERS = 200000
CACHE_MIB = 4
ALLOWED = 24 * MIB  # both caches, the largest answer, and what malloc keeps in holes


def plant_tree(state):
    """A tree that would take long to make by requests: AEs would have it over months."""
    with Cse(state) as cse:
        client = cse.client()
        for i in range(10):
            client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "c%d" % i}}, 3)
        ri = [client.must(2000, "R", "cse-in/c%d" % i).resource["ri"] for i in range(10)]
    with sqlite3.connect(os.path.join(state, "cse.db")) as db:
        parents = [db.execute("SELECT id FROM resource WHERE rn=?", ("c%d" % i,)).fetchone()[0] for i in range(10)]
        first = db.execute("SELECT next FROM state").fetchone()[0]

        def rows():
            for i in range(CONTAINERS):
                body = {"rn": "n%d" % i, "mni": i % 100 + 1, "lbl": ["a%d" % (i % 7), "of the tree"], "et": "20991231T235959", "ty": 3, "ri": "cnt%d" % i, "pi": ri[i % 10],
                        "ct": "20260101T000000,000000", "cni": 0, "cbs": 0, "st": 0, "lt": "20260101T000000,000000"}
                yield first + i, parents[i % 10], "cnt%d" % i, "n%d" % i, json.dumps(body, separators=(",", ":"))
        db.executemany("INSERT INTO resource(id, parent, type, ri, rn, root, creator, expires, body) VALUES(?, ?, 3, ?, ?, 'm2m:cnt', '/id-in/Cx', 0, ?)", rows())
        db.execute("UPDATE state SET next=?, count=count+?", (first + CONTAINERS, CONTAINERS))
    db.close()


def walks(client):
    """Each looks inside of every resource."""
    for query in ("fu=1&mni=1000", "fu=1&mni=50&lim=100", "fu=1&st=5", "fu=1&ty=3&lbl=b*"):
        began = time.monotonic()
        a = client.must(2000, "R", "cse-in?" + query)
        yield query, time.monotonic() - began, len(a.body["m2m:uril"])


def main():
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="keyway-memory-") as folder:
        state, config = os.path.join(folder, "state"), os.path.join(folder, "cse.ini")
        plant_tree(state)
        with open(config, "w") as f:
            f.write("[cse]\ntype = in\nid = /id-in\nname = cse-in\nstate = %s\ncache_mib = %d\n" % (state, CACHE_MIB))
        with Cse(state, "--config", config) as cse:
            client = cse.client()
            client.must(2000, "R", "cse-in")
            base = cse.memory("VmRSS")
            for query, seconds, found in walks(client):
                print("%-24s %6d found in %.2f s, %.1f MiB" % (query, found, seconds, cse.memory("VmRSS") / MIB))
            for batch in range(100):
                numbers = [random.randrange(CONTAINERS) for _ in range(200)]
                client.send(b"".join(client.head("R", "cse-in/c%d/n%d" % (n % 10, n)) for n in numbers))
                for n in numbers:
                    a = client.receive()
                    assert a.rsc == 2000 and a.resource["mni"] == n % 100 + 1, a
            for n in range(0, CONTAINERS, 200):  # writing parses too
                client.must(2004, "U", "cnt%d" % n, {"m2m:cnt": {"lbl": ["new"]}})
            grown = cse.memory() - base
            print("%.1f MiB after the start, at most %.1f MiB more" % (base / MIB, grown / MIB))
            assert grown < ALLOWED, "with caches of %d MiB it grew by %.1f MiB" % (CACHE_MIB, grown / MIB)


main()
