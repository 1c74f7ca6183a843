"""However and whenever a CSE is asked to end, it ends by itself, well, and with everything on disk that it answered for: under load, with commits under way and
requests behind them, with notifications to targets that are slow to answer, just started, on a port that is taken, with a registrar that is away. What
would go wrong here are accesses to what is freed already; meson has freed memory overwritten (MALLOC_PERTURB_), so that they are seen (see ends.py)."""
import http.server
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import ends
from cse import Client, Cse, Gone
from plant import PATIENCE, program, wait_for

ROUNDS = int(os.environ.get("ROUNDS", "12"))
CLIENTS = 12
seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)
chance = random.Random(seed)


class Target(http.server.BaseHTTPRequestHandler):
    """Takes notifications at once, or after a while."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(random.choice((0, 0.002, 0.02, 0.2, 2)))
        try:
            self.send_response(200)
            for name, value in (("X-M2M-RSC", "2000"), ("X-M2M-RI", self.headers["X-M2M-RI"]), ("Content-Length", "0")):
                self.send_header(name, value)
            self.end_headers()
        except OSError:
            pass  # the CSE is gone

    def log_message(self, *words):
        pass


class Targets(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *words):
        pass


targets = Targets(("127.0.0.1", 0), Target)
threading.Thread(target=targets.serve_forever, daemon=True).start()
TARGET = "http://127.0.0.1:%d/" % targets.server_port


def ask(client, number, n, luck, kept):
    """One request of a client's: mostly of those that pass while a commit is under way, some of all others."""
    box, own = "cse-in/box/%d" % (number % 4), "cse-in/box/own-%d-%d" % (number, n)
    kind = luck.random()
    if kind < 0.7:
        a = client.create(box, 4, {"m2m:cin": {"con": "%d" % n}})
        if a.rsc == 2001:
            kept.append(a.resource["ri"])
    elif kind < 0.8:
        client.create("cse-in/box/watched", 4, {"m2m:cin": {"con": "%d" % n}})
    elif kind < 0.85:
        client.update(box, {"m2m:cnt": {"lbl": ["%d" % n]}})
    elif kind < 0.9:
        client.retrieve("cse-in?fu=1&ty=4&lim=200")
    elif kind < 0.95:
        client.create("cse-in/box", 3, {"m2m:cnt": {"rn": own.rsplit("/", 1)[1]}})
        client.create(own, 23, {"m2m:sub": {"rn": "sub", "nu": [TARGET], "su": TARGET, "enc": {"net": [2, 3]}}})
        client.create(own, 4, {"m2m:cin": {"con": "%d" % n}})
        client.delete(own)
    else:
        client.retrieve(box + "/la")


def load(cse, number, kept, over):
    client, luck, n = cse.client(), random.Random(chance.random()), 0
    try:
        while not over.is_set():
            n += 1
            ask(client, number, n, luck, kept)
    except (Gone, OSError, TypeError):
        pass  # it is ending: the connection is gone, or the answer is none of oneM2M's
    finally:
        client.close()


def under_load(cse, kept):
    over = threading.Event()
    threads = [threading.Thread(target=load, args=(cse, i, kept, over)) for i in range(CLIENTS)]
    for t in threads:
        t.start()
    time.sleep(chance.random() * 0.4)  # any moment will do
    status, said = cse.kill(signal.SIGTERM)
    over.set()
    for t in threads:
        t.join()
    assert status == 0 and " ended" in said, (status, said[-3000:])


def load_ends_well(folder):
    cse, kept, looked = Cse(os.path.join(folder, "load")), [], 0
    for round_ in range(ROUNDS):
        cse.start()
        client = cse.client()
        if round_ == 0:
            client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "box"}}, 3)
            for name in ("0", "1", "2", "3", "watched"):
                client.must(2001, "C", "cse-in/box", {"m2m:cnt": {"rn": name}}, 3)
            client.must(2001, "C", "cse-in/box/watched", {"m2m:sub": {"rn": "sub", "nu": [TARGET], "enc": {"net": [3]}}}, 23)
        for ri in kept[looked:][-300:]:
            client.must(2000, "R", ri)
        looked = len(kept)
        client.close()
        under_load(cse, kept)
    assert len(kept) > 10 * ROUNDS, len(kept)
    with cse:
        client = cse.client()
        for ri in kept[looked:]:
            client.must(2000, "R", ri)
        client.close()
    return len(kept)


def hears_sigterm(p):
    """Its loop takes the signal by now; before, that ends it on the spot, as it does any program."""
    with open("/proc/%d/status" % p.pid) as f:
        blocked = next(int(line.split()[1], 16) for line in f if line.startswith("SigBlk"))
    return blocked >> (signal.SIGTERM - 1) & 1


def a_start_ends_well(folder):
    for i in range(8):
        with open(os.path.join(folder, "start-%d.log" % i), "w") as log:
            p = ends.Popen([program("keyway-cse"), "--testbench", "--port", "0", "--state", os.path.join(folder, "start-%d" % (i % 2))], stdout=log, stderr=log)
        wait_for("the program to be there", lambda: hears_sigterm(p))
        time.sleep(chance.random() * 0.02)
        p.terminate()
        assert p.wait(PATIENCE) == 0


def a_refused_start_ends_well(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        r = subprocess.run([program("keyway-cse"), "--testbench", "--port", str(taken.getsockname()[1]), "--state", os.path.join(folder, "refused")],
                           capture_output=True, text=True, timeout=PATIENCE)
    assert r.returncode == 1 and "cannot listen" in r.stderr, r


def a_registrar_away_does_no_harm(folder):
    config, state = os.path.join(folder, "mn.conf"), os.path.join(folder, "mn")
    with open(config, "w") as f:
        f.write("[cse]\ntype = mn\nid = /id-mn\nname = cse-mn\nstate = %s\n[registrar]\nid = /id-in\nurl = %s\n" % (state, TARGET.rstrip("/")))  # a server that is no CSE
    cse = Cse(state, "--config", config)
    for _ in range(2):
        cse.start()
        cse.stop()


with tempfile.TemporaryDirectory(prefix="keyway-end-") as d:
    try:
        kept = load_ends_well(d)
        a_start_ends_well(d)
        a_refused_start_ends_well(d)
        a_registrar_away_does_no_harm(d)
    except BaseException:
        print("SEED=%d" % seed, file=sys.stderr)
        raise
print("%d ends under load, %d answers kept" % (ROUNDS, kept))
