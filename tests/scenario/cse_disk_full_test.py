"""The disk of a CSE fills up: writes are refused with a text that says why, reads go on, nothing that was acknowledged is lost, nothing that was refused
is there or is told to anybody; a start on the full disk works, deleting works, and when there is room again writing goes on without a restart.

Twice: on a small file system of its own, where this is permitted (root), and with a limit on the size of files, which is what a quota looks like."""
import http.server
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

from cse import Cse
from plant import program, wait_for

SIZE = 8 << 20
CONNECTIONS = 4
PAYLOAD = "x" * 3000


class Listener(http.server.BaseHTTPRequestHandler):
    """A target of notifications."""
    protocol_version = "HTTP/1.1"
    contents = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rep = body["m2m:sgn"].get("nev", {}).get("rep", {})
        if "m2m:cin" in rep:
            self.contents.append(rep["m2m:cin"]["con"].split("x")[0])
        self.send_response(200)
        for name, value in (("X-M2M-RSC", "2000"), ("X-M2M-RI", self.headers["X-M2M-RI"]), ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *words):
        pass  # a CSE that is killed closes its connections so


def refused(a):
    """Says what it is, in the class that the standard has for it."""
    if a.rsc < 4000:
        return False
    assert (a.status, a.rsc) in ((500, 5000), (406, 5207)) and "no room left" in a.debug, "a refusal that does not say that the disk is full: %s" % a
    return True


class Story:
    def __init__(self, cse):
        self.cse, self.sequence, self.acknowledged, self.refused = cse, 0, [], 0
        self.ever = set()  # acknowledged once, perhaps deleted since
        self.lock = threading.Lock()

    def name(self):
        with self.lock:
            self.sequence += 1
            return "n%d" % self.sequence

    def write(self, client, path="cse-in/a"):
        con = self.name()
        a = client.create(path, 4, {"m2m:cin": {"con": con + PAYLOAD}})
        with self.lock:
            if refused(a):
                self.refused += 1
                return False
            assert a.rsc == 2001, a
            self.acknowledged.append(con)
            self.ever.add(con)
            return True

    def fill(self, refusals):
        """Several connections write until each was refused that often."""
        failures = []

        def run():
            try:
                client, left = self.cse.client(), refusals
                while left:
                    left -= not self.write(client)
                client.close()
            except BaseException as e:
                failures.append(e)

        threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if failures:
            raise failures[0]

    def check(self, client):
        """What was acknowledged is there, all of it and nothing else, and every way to it works."""
        r = client.must(2000, "R", "cse-in/a?rcn=4").resource
        there = [i["con"].split("x")[0] for i in r.get("m2m:cin", [])]
        assert sorted(there) == sorted(self.acknowledged), "missing %s, too many %s" % (set(self.acknowledged) - set(there), set(there) - set(self.acknowledged))
        assert r["cni"] == len(there) and r["cbs"] == sum(len(c + PAYLOAD) for c in there), r["cni"]
        assert client.must(2000, "R", "cse-in/a/la").resource["con"].startswith(there[-1] + "x")
        assert client.must(2000, "R", "cse-in/a/ol").resource["con"].startswith(there[0] + "x")
        assert len(client.must(2000, "R", "cse-in?fu=1&ty=4").body["m2m:uril"]) == len(there)
        middle = r["m2m:cin"][len(there) // 2] if there else None
        if middle:
            assert client.must(2000, "R", middle["ri"]).resource == client.must(2000, "R", "cse-in/a/" + middle["rn"]).resource == middle

    def others_are_refused(self, client):
        """Every kind of write; what is refused has changed nothing."""
        before = client.must(2000, "R", "cse-in/b").resource
        large = "y" * 200000
        assert refused(client.create("cse-in", 3, {"m2m:cnt": {"rn": "large", "lbl": [large]}}))
        assert client.retrieve("cse-in/large").rsc == 4004
        assert refused(client.update("cse-in/b", {"m2m:cnt": {"lbl": [large]}}))
        assert client.must(2000, "R", "cse-in/b").resource == before
        assert refused(client.create("cse-in", 2, {"m2m:ae": {"rn": "ae", "api": "N.a", "rr": False, "srv": ["4"], "lbl": [large]}}, fr="Cae"))
        assert client.retrieve("cse-in/ae").rsc == 4004
        body = json.dumps({"m2m:cin": {"con": PAYLOAD}}).encode()
        client.send(b"".join(client.head("C", "cse-in/b", 4, len(body)) + body for _ in range(20)))
        done = [not refused(client.receive()) for _ in range(20)]
        assert client.must(2000, "R", "cse-in/b").resource["cni"] == sum(done)
        client.must(2000, "R", "cse-in/a/la")

    def delete_some(self, client, count):
        """Deleting makes room: SQLite may need a few tries until its journal starts over."""
        done, tries = 0, 0
        while done < count:
            oldest = client.must(2000, "R", "cse-in/a/ol").resource
            a = client.delete("cse-in/a/ol")
            tries += 1
            assert tries < count + 50, "nothing can be deleted: %s" % a
            if not refused(a):
                assert a.rsc == 2002, a
                self.acknowledged.remove(oldest["con"].split("x")[0])
                done += 1
        return tries


def play(cse, listener, make_room, restart):
    """The whole story on one CSE; `restart` when the disk stays full over it."""
    story, client = Story(cse), cse.client()
    Listener.contents.clear()
    for name in ("a", "b"):
        client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": name}}, 3)
    client.must(2001, "C", "cse-in/a", {"m2m:sub": {"rn": "s", "nu": ["http://127.0.0.1:%d/" % listener], "enc": {"net": [3]}, "nct": 1}}, 23)
    story.fill(20)
    filled = len(story.acknowledged)
    assert filled > 100, "the disk was full before anything was written"
    story.check(client)
    story.others_are_refused(client)
    story.check(client)
    if restart:
        cse.kill()
        client.close()
        cse.start()
        client = cse.client()
        story.check(client)
    tries = story.delete_some(client, 50)
    story.check(client)
    story.fill(1)
    story.check(client)
    make_room()
    wait_for("writing to go on", lambda: story.write(client))
    for _ in range(100):
        assert story.write(client), "there is room, and writing is refused"
    client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "large", "lbl": ["y" * 200000]}}, 3)
    story.check(client)
    wait_for("the last notification", lambda: Listener.contents and Listener.contents[-1] == story.acknowledged[-1])
    told = set(Listener.contents)
    assert len(Listener.contents) == len(told), "something was notified twice"
    assert told <= story.ever, "notified, and refused: %s" % sorted(told - story.ever)
    assert restart or told == story.ever, "not notified: %s" % sorted(story.ever - told)
    cse.stop()
    checked = subprocess.run([program("keyway"), "check", "--state", cse.state], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    return "%d instances filled it, %d writes were refused, %d tries for 50 deletions, %d notified" % (filled, story.refused, tries, len(told))


def on_small_disk(folder, listener):
    state = os.path.join(folder, "state")
    os.mkdir(state)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % SIZE, "none", state], check=True)
    ballast = os.path.join(state, "ballast")
    with open(ballast, "wb") as f:
        f.write(b"\0" * (SIZE // 4))
    print("small file system: " + play(Cse(state).start(), listener, lambda: os.remove(ballast), restart=True))


def with_file_limit(folder, listener):
    state = os.path.join(folder, "limited")
    cse = Cse(state).start()
    pid = cse.popen.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SIZE // 2, resource.RLIM_INFINITY))
    print("limit on files: " + play(cse, listener, lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2), restart=False))


def main():
    if "--own-mounts" not in sys.argv:
        may = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode == 0
        if may:
            os.execvp("unshare", ["unshare", "-m", sys.executable, os.path.abspath(__file__), "--own-mounts"])
        print("no mount namespace is permitted here: only the limit on files is tested")
    server = Server(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tempfile.mkdtemp(prefix="keyway-full-")
    if "--own-mounts" in sys.argv:
        on_small_disk(folder, server.server_port)
        subprocess.run(["umount", os.path.join(folder, "state")], check=True)
    with_file_limit(folder, server.server_port)
    server.shutdown()
    shutil.rmtree(folder)


main()
