"""A CSE among clients that err or mean harm, over raw sockets: each fault gets the status code that it deserves and a text that names what is wrong, memory
and time stay bounded, and whoever behaves is served all the while."""
import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time

from cse import Client, Cse, Gone

TABLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "onem2m", "tables", "resources.json")
MIB = 1 << 20
GROWTH_MAX = 48 * MIB    # of the most that was ever resident, over a CSE that has just started
PATIENCE = 60
counted = 0


def count(n=1):
    global counted
    counted += n


class Faults:
    """Sends what is wrong, and looks after each that the CSE still does right."""

    def __init__(self, cse):
        self.cse, self.client = cse, cse.client()
        self.client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "b"}}, 3)
        self.base = cse.memory("VmRSS")

    def alive(self):
        assert self.client.create("cse-in/b", 4, {"m2m:cin": {"con": "x"}}).rsc == 2001
        assert self.client.retrieve("cse-in/b/la").resource["con"] == "x"

    def bounded(self, what):
        grown = self.cse.memory() - self.base
        assert grown < GROWTH_MAX, "%s: memory grew by %.1f MiB" % (what, grown / MIB)

    def refused(self, a, *words, rsc=4000, what=""):
        assert a.rsc == rsc and a.debug, "%s: %d with a text was wanted, got %s" % (what, rsc, a)
        for w in words:
            assert w in a.debug, "%s: the text does not name %s: %s" % (what, w, a.debug)
        count()

    def raw(self, octets, patience=PATIENCE, want=1):
        """All that comes back to these octets until `want` answers are there or the connection ends."""
        with socket.create_connection(("127.0.0.1", self.cse.port), patience) as s:
            feeder = threading.Thread(target=self.feed, args=(s, octets))
            feeder.start()
            got = b""
            try:
                while got.count(b"HTTP/1.1 ") < want or b"\r\n\r\n" not in got:
                    chunk = s.recv(MIB)
                    if not chunk:
                        break
                    got += chunk
            except ConnectionResetError:
                pass
            except socket.timeout:
                raise AssertionError("no answer after %d s to %r, but %r" % (patience, octets[:100], got[:100]))
            s.close()
            feeder.join()
        return got

    def feed(self, s, octets):
        try:
            for piece in [octets] if isinstance(octets, bytes) else octets:
                s.sendall(piece)
        except OSError:
            pass

    # ---- content ----

    def no_json(self):
        good = b'{"m2m:cin": {"con": "x"}}'
        bad = [good[:n] for n in range(1, len(good))]
        bad += [good + b"}", good + good, b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), b"\0" * 100, b"con=x", b"<m2m:cin/>", good.replace(b'"', b"'")]
        bad += [b'{"m2m:cin": {"con": %s}}' % v for v in (b"", b"NaN", b"Infinity", b"-", b"01", b"1.", b".5", b"+1", b"0x10", b"1e", b"tru", b"nul", b'"a\nb"', b'"\\x"',
                b'"\\ud800"', b'"\\udc00x"', b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b"{", b"[1,]", b"[,1]", b'{"a":1,}',
                b'{"a" 1}', b"{a:1}", b"/**/1")]
        bad += [b'{"m2m:cin": {"con": "x", "con": "y"}}', b'{"m2m:cin": {"con": "x"}, "m2m:cin": {"con": "x"}}', b'{"m2m:cin": {"con": "x", "lbl": ["a"], "lbl": ["b"]}}']
        for octets in bad:
            self.refused(self.client.create("cse-in/b", 4, octets), "JSON", what=octets)
        for octets in (b"[]", b"{}", b"17", b'"x"', b"null", b'{"m2m:cin": []}', b'{"m2m:cin": null}', b'{"m2m:cin": {"con": 1}, "m2m:cnt": {}}', b'{"con": "x"}', b'{"m2m:cnt": {}}'):
            self.refused(self.client.create("cse-in/b", 4, octets), what=octets)
        self.refused(self.client.create("cse-in/b", 4, b""), "content", what="no content")

    def deep(self):
        for depth in (31, 64, 1000, 100000, 500000):
            for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
                octets = b'{"m2m:cin": {"con": ' + opening * depth + b"1" + closing * depth + b"}}"
                if len(octets) < MIB:
                    self.refused(self.client.create("cse-in/b", 4, octets), "nest", what="depth %d" % depth)
        self.refused(self.client.create("cse-in/b", 4, b"[" * 1000000), what="only openings")
        for depth in (1, 10):
            assert self.client.create("cse-in/b", 4, b'{"m2m:cin": {"con": ' + b"[" * depth + b"1" + b"]" * depth + b"}}").rsc in (2001, 4000)

    def numbers(self):
        for text in ("18446744073709551616", "-1", "-18446744073709551616", "1e30", "1e999999", "1.5", "9" * 1000, "-0.0", "9" * 100000, '"3"', "true", "null"):
            self.refused(self.client.create("cse-in", 3, ('{"m2m:cnt": {"mni": %s}}' % text).encode()), "`mni`", what=text[:40])
        for text in ("18446744073709551615", "123456789012345678901234567890", "-1e400", "0.1000000000000000000000000001"):
            self.client.must(2001, "C", "cse-in/b", ('{"m2m:cin": {"con": %s}}' % text).encode(), 4)
            kept = self.client.must(2000, "R", "cse-in/b/la").octets
            assert b'"con":' + text.encode() in kept, "a number that the CSE need not understand is kept as it is: %s" % kept
            count()

    def attributes(self):
        """Every attribute of these types with values of every wrong kind: refused by name, or right after all."""
        wrong = [{}, {"a": {"b": [1]}}, [], [[]], [{}], [None], 17, -5, 1.5, 1e308, 2 ** 70, "", "x" * 70000, "\0", "\u202e\ud83d\ude00", True, None, [1, "a", True], {"": ""}]
        good = {"cnt": {}, "ae": {"api": "N.x", "rr": False, "srv": ["3"]}, "acp": {"pv": {"acr": []}, "pvs": {"acr": [{"acor": ["all"], "acop": 63}]}}, "grp": {"mid": ["cse-in/b"], "mnm": 5},
                "sub": {"nu": ["http://127.0.0.1:9/"]}, "cin": {"con": "x"}, "ts": {}, "nod": {"ni": "n"}, "sch": {"se": {"sce": ["* * * * * * *"]}}, "lcp": {"los": 2}}
        with open(TABLES) as f:
            types = {t["short"]: t for t in json.load(f)["types"] if not t.get("mgd")}
        never = []
        for short, base in good.items():
            parent = "cse-in/b" if short in ("cin", "sub") else "cse-in"
            root = "m2m:" + short
            for a in types[short]["attributes"]:
                name, refusals = a["short"], 0
                for value in wrong:
                    # an AE registers anew each time
                    r = self.client.create(parent, types[short]["ty"], {root: {**base, name: value}}, fr="C" if short == "ae" else None)
                    if r.rsc == 2001:
                        self.client.must(2002, "D", r.resource["ri"])
                        continue
                    assert 4000 <= r.rsc < 6000 and r.rsc not in (5000, 5001) and r.debug, "%s.%s = %r: %s" % (short, name, value, r)
                    if r.rsc == 4000:
                        assert name in r.debug, "%s.%s = %.60r: the text does not name it: %s" % (short, name, value, r.debug)
                    refusals += 1
                    count()
                if not refusals:
                    never.append(short + "." + name)
            self.refused(self.client.create(parent, types[short]["ty"], {root: {**base, "nonsense": 1}}, fr="C" if short == "ae" else None), "`nonsense`", what=short)
            self.refused(self.client.create(parent, types[short]["ty"], {root: {**base, "m" * 100000: 1}}, fr="C" if short == "ae" else None), what=short + ": a long name")
        assert set(never) <= {"cin.con"}, "these attributes take anything: %s" % never
        for name, value in (("mni", "x"), ("ct", "20200101T000000"), ("cni", 5), ("nonsense", 1), ("ty", 4), ("lbl", [1]), ("et", "20010101T000000"), ("rn", "new")):
            self.refused(self.client.update("cse-in/b", {"m2m:cnt": {name: value}}), "`%s" % name, what="update of " + name)

    def names(self):
        for rn in ("x" * 128, "x" * 100000, "a/b", "a b", "", "\u00e9", "la", "a\0b", "..%2f", "a?b", "a#b", "%41"):
            r = self.client.create("cse-in", 3, {"m2m:cnt": {"rn": rn}})
            assert r.rsc in (4000, 4102, 4105), "%r: %s" % (rn[:20], r)
            assert "`rn`" in r.debug, r
            count()
        for to in ("cse-in/" + "x" * 1000, "cse-in" + "/x" * 2000, "cse-in/b/" * 500, "%00", "cse-in/%ff%fe", "..", "cse-in/../../etc/passwd", "-/b/c", "id-in//b", "~", "~/", "_/", "_/x", "~/id-in", "cnt_" + "z" * 300,
                   "cin_zzzzzzzzzzzz-zzzzzzzzzzzz", "cin_-", "cin_--1", "cnt_-1"):
            r = self.client.retrieve(to)
            assert r.rsc in (2000, 4000, 4004, 5103, 5105, 4001), "%s: %s" % (to[:40], r)
            count()
        for length in (9000, 20000, 300000, 5 * MIB):
            got = self.raw(b"GET /cse-in/" + b"x" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert got == b"" or got.startswith(b"HTTP/1.1 4"), got[:100]
            count()

    def size(self):
        body = b'{"m2m:cin": {"con": "%s"}}'
        whole = body % (b"x" * (MIB - len(body) + 2))
        assert len(whole) == MIB and self.client.create("cse-in/b", 4, whole).rsc == 2001
        for n in (MIB - len(body) + 3, 2 * MIB, 7 * MIB):
            a = self.client.create("cse-in/b", 4, body % (b"x" * n))  # on a connection that is kept
            self.refused(a, "MiB", rsc=5207, what="%d octets" % n)
            assert a.status == 406 and self.client.socket, a
        self.bounded("bodies of up to 7 MiB")
        c = self.cse.client()
        for n in (64 * MIB, 2 ** 40, 2 ** 63 - 1):
            c.send(c.head("C", "cse-in/b", 4, n))
            a = c.receive()  # nothing of the body was sent
            self.refused(a, "MiB", rsc=5207, what="a body of %d octets" % n)
            assert not c.socket, "the connection stays open, and what comes would be taken for a request"
        sent = [0]

        def much(chunk=b"x" * MIB, of=64):
            for _ in range(of):
                yield chunk
                sent[0] += len(chunk)
        got = self.raw([c.head("C", "cse-in/b", 4, 64 * MIB), *[b"x" * MIB] * 64])
        assert got.startswith(b"HTTP/1.1 406 ") and b"X-M2M-RSC: 5207" in got, "64 MiB, sent without listening: %r" % got[:200]
        head = c.head("C", "cse-in/b", 4, headers="Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"")
        got = self.raw([head] + [b"100000\r\n" + b"x" * MIB + b"\r\n"] * 3 + [b"0\r\n\r\n"])
        assert got.startswith(b"HTTP/1.1 406 "), "3 MiB in chunks: %r" % got[:100]
        got = self.raw((x for x in [head] + [b"100000\r\n" + b"x" * MIB + b"\r\n"] * 200))
        assert got == b"" or got.startswith(b"HTTP/1.1 4"), "chunks without end: %r" % got[:100]
        c.send(c.head("C", "cse-in/b", 4, 20 * MIB, headers="Expect: 100-continue\r\n"))
        assert c.receive().rsc == 5207
        c.send(c.head("C", "cse-in/b", 4, 2 * MIB, headers="Expect: 100-continue\r\n"))
        assert c.receive().rsc == 5207
        for length in ("-1", "many", "1, 2", "99999999999999999999999999", "0x10"):
            got = self.raw(("POST /cse-in HTTP/1.1\r\nHost: x\r\nX-M2M-RI: 1\r\nContent-Length: %s\r\n\r\n" % length).encode())
            assert got == b"" or got.startswith(b"HTTP/1.1 4"), "Content-Length: %s: %r" % (length, got[:100])
            count()
        count(10)
        self.bounded("bodies of 64 MiB and more")

    def many(self):
        labels = ["l%d" % i for i in range(60000)]
        a = self.client.create("cse-in", 3, {"m2m:cnt": {"rn": "labels", "lbl": labels}})
        assert a.rsc in (2001, 4000, 5207), a
        self.client.delete("cse-in/labels")
        a = self.client.create("cse-in", 3, ('{"m2m:cnt": {%s}}' % ",".join('"a%d":1' % i for i in range(60000))).encode())
        self.refused(a, what="many attributes")
        a = self.client.create("cse-in", 9, {"m2m:grp": {"mid": ["cse-in/b"] * 60000, "mnm": 100000}})
        assert a.rsc in (2001, 4000, 5207, 6010), a
        if a.rsc == 2001:
            self.client.must(2002, "D", a.resource["ri"])
        self.bounded("long lists")

    # ---- HTTP ----

    def heads(self):
        start = b"GET /cse-in HTTP/1.1\r\nHost: x\r\n"
        for octets in (start + b"X-A: " + b"a" * 100000 + b"\r\n\r\n", start + b"a" * 100000 + b": x\r\n\r\n", start + b"X-M2M-Origin: " + b"C" * 100000 + b"\r\n\r\n", start + b"X-A: b\r\n" * 50000 + b"\r\n",
                       b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n", b"\r\n" * 100000, b"\0" * 100000, bytes(range(256)) * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", start + b" folded: x\r\n\r\n",
                       start + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg", start + b": x\r\n\r\n", b"GET http:///// HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
                       b"POST /cse-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", b"POST /cse-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            got = self.raw_and_close(octets)
            assert got == b"" or got[:10] in (b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5"), "%r: %r" % (octets[:60], got[:100])
            self.alive()
            count()
        for name, size in (("X-M2M-Origin", 2000), ("X-M2M-RI", 2000), ("X-M2M-RVI", 2000), ("X-M2M-RTU", 2000), ("X-M2M-RET", 2000), ("X-M2M-GID", 2000), ("Authorization", 3000), ("Content-Type", 2000)):
            head = b"GET /cse-in HTTP/1.1\r\nHost: x\r\n" + b"".join(b"%s: %s\r\n" % (n.encode(), v) for n, v in
                    {"X-M2M-Origin": b"CAdmin", "X-M2M-RI": b"1", "X-M2M-RVI": b"4", name: b"z" * size}.items()) + b"\r\n"
            got = self.raw(head)
            assert got[:9] == b"HTTP/1.1 " and (got[9:10] in b"24" or got[9:12] == b"501"), "%s of %d octets: %r" % (name, size, got[:100])
            count()
        for value in ("application/json;ty=", "application/json;ty=x", "application/json;ty=99999999999999999999", "application/json;ty=-3", "application/json;ty=0", ";;;;", "application/json;ty=3;ty=4", "json", "text/plain;ty=3"):
            octets = b'{"m2m:cnt": {}}'
            got = self.raw(self.client.head("C", "cse-in", 3, len(octets)).replace(b"application/json;ty=3", value.encode()) + octets)
            assert got.startswith(b"HTTP/1.1 4") or value.endswith("ty=3;ty=4"), "Content-Type: %s: %r" % (value, got[:100])
            count()

    def raw_and_close(self, octets):
        """What comes at once; nothing may come either, as when the CSE still waits for an end of the line."""
        with socket.create_connection(("127.0.0.1", self.cse.port), 3) as s:
            try:
                s.sendall(octets)
                s.shutdown(socket.SHUT_WR)
                return s.recv(65536)
            except OSError:
                return b""

    def queries(self):
        c = self.cse.client()
        for n in (10, 100, 300, 1000, 5000, 100000):
            got = self.raw(c.head("R", "cse-in?fu=1&" + "&".join("lbl=a%d" % i for i in range(n))))
            assert got[:10] in (b"HTTP/1.1 2", b"HTTP/1.1 4") or (got == b"" and n > 1000), "%d arguments: %r" % (n, got[:100])
            count()
        faults = {"lim=-1": "lim", "lim=x": "lim", "lim=99999999999999999999": "lim", "ofst=-1": "ofst", "lvl=x": "lvl", "ty=x": "ty", "crb=yesterday": "crb", "exb=99999999T999999": "exb", "fo=9": "fo", "fu=7": "fu", "sts=x": "sts",
                  "nonsense=1": "nonsense", "rcn=abc": "rcn", "rcn=77": "rcn", "drt=9": "drt", "fu=1&drt=x": "drt", "arp=%00": "arp", "szb=1e9": "szb", "ops=99": "ops", "gmty=99": "gmty", "smf=%ff": "smf", "atrl=": "atrl"}
        for query, name in faults.items():
            a = c.retrieve("cse-in?fu=1&" + query if not query.startswith("fu") else "cse-in?" + query)
            assert a.rsc in (4000, 4005) or query in ("arp=%00", "smf=%ff", "atrl=", "ops=99"), "%s: %s" % (query, a)
            if a.rsc == 4000:
                assert name in a.debug, "%s: the text does not name it: %s" % (query, a.debug)
            count()
        for query in ("fu=1&lbl=" + "*a" * 1500 + "b", "fu=1&rn=" + "*a" * 1500 + "b", "fu=1&lbl=" + "*" * 3000, "fu=1&cty=" + "*x" * 1000, "%", "%zz", "&&&&", "====", "fu=1&=", "fu", "fu=1&fu=2", "a" * 6000):
            began = time.monotonic()
            a = c.retrieve("cse-in?" + query)
            assert a.rsc in (2000, 4000), "%s: %s" % (query[:40], a)
            assert time.monotonic() - began < 5, "%s took %.1f s" % (query[:40], time.monotonic() - began)
            count()

    def patterns(self):
        """A pattern of many wildcards against a text that almost matches takes no exponential time."""
        text = "a" * 2000
        self.client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "wild", "lbl": [text]}}, 3)
        began = time.monotonic()
        a = self.client.retrieve("cse-in?fu=1&lbl=" + "*a" * 1000 + "*b")
        assert a.rsc == 2000 and a.body["m2m:uril"] == [] and time.monotonic() - began < 5, a
        acr = [{"acor": ["C" + "*a" * 100 + "*b"], "acop": 63}]
        r = self.client.create("cse-in", 1, {"m2m:acp": {"rn": "wild-acp", "pv": {"acr": acr}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}})
        if r.rsc == 2001:
            self.client.must(2004, "U", "cse-in/wild", {"m2m:cnt": {"acpi": ["cse-in/wild-acp"]}})
            began = time.monotonic()
            self.client.retrieve("cse-in/wild", fr="C" + "a" * 200)
            assert time.monotonic() - began < 5
        count(2)

    def pipelining(self):
        octets = b"".join(self.client.head("R", "cse-in/b") for _ in range(2000))
        got = self.raw(octets, want=2000)
        assert got.count(b"HTTP/1.1 200 ") == 2000, "2000 pipelined requests got %d answers" % got.count(b"HTTP/1.1 200 ")
        body = b'{"m2m:cin": {"con": "x"}}'
        before = self.client.retrieve("cse-in/b").resource["cni"]
        got = self.raw([(self.client.head("C", "cse-in/b", 4, len(body)) + body) * 500], want=500)
        assert got.count(b"HTTP/1.1 201 ") == 500 and self.client.retrieve("cse-in/b").resource["cni"] == before + 500
        # a body that looks like a request is none
        inner = b"DELETE /cse-in/b HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: CAdmin\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 4\r\n\r\n"
        got = self.raw(self.client.head("C", "cse-in/b", 4, len(inner)) + inner + self.client.head("R", "cse-in/b"), want=2)
        assert got.count(b"HTTP/1.1 400 ") == 1 and got.count(b"HTTP/1.1 200 ") == 1, got[:500]
        # who sends and does not listen does not make the CSE keep all its answers
        with socket.create_connection(("127.0.0.1", self.cse.port), PATIENCE) as s:
            s.settimeout(2)
            try:
                for _ in range(200):
                    s.sendall(self.client.head("R", "cse-in/b?rcn=4") * 100)
            except (socket.timeout, ConnectionError):
                pass
            self.alive()
        self.bounded("pipelining")
        count(4)

    def halves(self):
        whole = self.client.head("C", "cse-in/b", 4, 25) + b'{"m2m:cin": {"con": "h"}}'
        before = self.client.retrieve("cse-in/b").resource["cni"]
        for n in range(0, len(whole), 7):
            with socket.create_connection(("127.0.0.1", self.cse.port), PATIENCE) as s:
                s.sendall(whole[:n])
            count()
        for _ in range(50):  # the client is gone when its answer comes
            with socket.create_connection(("127.0.0.1", self.cse.port), PATIENCE) as s:
                s.sendall(whole)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        for n in range(1, len(whole)):  # an octet at a time is as good as all at once
            if n == 1:
                with socket.create_connection(("127.0.0.1", self.cse.port), PATIENCE) as s:
                    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for octet in whole:
                        s.sendall(bytes((octet,)))
                    assert s.recv(65536).startswith(b"HTTP/1.1 201 ")
        self.alive()
        after = self.client.retrieve("cse-in/b").resource["cni"]
        assert before + 2 <= after <= before + 52, (before, after)


def slow_loris(folder):
    """More connections than the process may have, each with a request that never ends: others are served all the same."""
    wrap = ("prlimit", "--nofile=600:600")
    if subprocess.run([*wrap, "true"], capture_output=True).returncode != 0:
        print("prlimit is not there: not tested")
        return
    with Cse(os.path.join(folder, "loris"), "--admin-port", "0", wrap=wrap) as cse:
        slow = []
        for i in range(900):
            try:
                s = socket.create_connection(("127.0.0.1", cse.port), 5)
                s.sendall(b"GET /cse-in HTTP/1.1\r\nHost: x\r\nX-A: " if i % 3 else b"POST /cse-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx" if i % 2 else b"")
                slow.append(s)
            except OSError:
                pass
            if i % 100 == 99:
                assert cse.client(timeout=10).must(2000, "R", "cse-in")
        good = cse.client(timeout=10)
        good.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "a"}}, 3)
        for round_ in range(5):
            for s in slow:
                try:
                    s.sendall(b"a")
                except OSError:
                    pass
            for _ in range(20):
                good.must(2001, "C", "cse-in/a", {"m2m:cin": {"con": "x"}}, 4)
            cse.client(timeout=10).must(2000, "R", "cse-in/a")
        assert len(slow) > 600, "only %d connections came about" % len(slow)
        ended = 0
        for s in slow:
            s.setblocking(False)
            try:
                ended += s.recv(1000) == b""
            except BlockingIOError:
                pass
            except OSError:
                ended += 1
            s.close()
        assert ended > 200, "only %d of %d slow connections were ended" % (ended, len(slow))
        print("%d slow connections against 600 descriptors: %d were ended for newer ones, and everybody else was served" % (len(slow), ended))


def main():
    with tempfile.TemporaryDirectory(prefix="keyway-bad-") as folder:
        with Cse(os.path.join(folder, "state")) as cse:
            f = Faults(cse)
            for name in ("no_json", "deep", "numbers", "attributes", "names", "size", "many", "heads", "queries", "patterns", "pipelining", "halves"):
                began, before = time.monotonic(), counted
                getattr(f, name)()
                f.alive()
                f.bounded(name)
                print("%-11s %4d faults, %.1f s" % (name, counted - before, time.monotonic() - began))
            print("memory: %.1f MiB at the start, at most %.1f MiB" % (f.base / MIB, cse.memory() / MIB))
        slow_loris(folder)


main()
