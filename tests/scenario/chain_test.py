"""Three CSEs in a chain, IN - MN - MN2, each its own process: registration at both ends, retargeting, notification, group and non-blocking requests across,
announcement. TS-0001 clauses 8.2, 10.2.2.2 and 10.2.18."""
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from plant import program, wait_for


class Cse:
    """One keyway-cse --testbench."""

    def __init__(self, folder, kind, name, registrar=None, state=False):
        self.id, self.name = "/id-" + name, "cse-" + name
        self.log = os.path.join(folder, name + ".log")
        self.argv = [program("keyway-cse"), "--testbench", "--type", kind, "--cse-id", self.id, "--cse-name", self.name]
        if registrar:
            self.argv += ["--registrar", registrar.url, "--registrar-id", registrar.id]
        if state:
            self.argv += ["--state", os.path.join(folder, name)]
        self.number = 0
        self.port = 0
        self.start()

    def start(self):
        before = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(self.argv + ["--port", str(self.port)], stdout=log, stderr=log)

        def ready():
            with open(self.log, encoding="utf-8", errors="replace") as f:
                f.seek(before)
                return re.search(r"ready.*http=(\d+)", f.read())
        self.port = int(wait_for("the ready line of " + self.id, ready).group(1))
        self.url = "http://127.0.0.1:%d" % self.port

    def stop(self, how=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        self.popen.wait(30)

    def ask(self, method, to, origin="CAdmin", body=None, ty=None, headers=None):
        """Sends a request; `to` is CSE-relative ("cse-in/a") or SP-relative ("/id-in/cse-in/a"). Gives the response status code and the content."""
        self.number += 1
        h = {"X-M2M-Origin": origin, "X-M2M-RI": "t%d" % self.number, "X-M2M-RVI": "4", **(headers or {})}
        if body is not None:
            h["Content-Type"] = "application/json" + (";ty=%d" % ty if ty else "")
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, ("/~" if to.startswith("/") else "/") + to, json.dumps(body) if body is not None else None, h)
            r = c.getresponse()
            text = r.read()
            return int(r.getheader("X-M2M-RSC")), json.loads(text) if text else None
        finally:
            c.close()

    def must(self, expected, *args, **more):
        rsc, content = self.ask(*args, **more)
        assert rsc == expected, (self.id, args, rsc, content)
        return content


class Listener(http.server.ThreadingHTTPServer):
    """Takes notifications."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received = []
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait(self, what, matches):
        return wait_for(what, lambda: next((n for n in list(self.received) if matches(n)), None))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.received.append(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
        self.send_response(200)
        self.send_header("X-M2M-RSC", "2000")
        self.send_header("X-M2M-RI", self.headers.get("X-M2M-RI", ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def ae(name, **more):
    return {"m2m:ae": {"rn": name, "api": "Ntest", "rr": False, "srv": ["4"], **more}}


def registration_is_seen_at_both_ends(in_, mn, mn2):
    wait_for("the registrations", lambda: in_.ask("GET", "cse-in/id-mn")[0] == 2000 and mn.ask("GET", "cse-mn/id-mn2")[0] == 2000)
    at_in = in_.must(2000, "GET", "cse-in/id-mn")["m2m:csr"]
    assert (at_in["csi"], at_in["cb"], at_in["ri"]) == ("/id-mn", "/id-mn/cse-mn", "id-mn"), at_in
    assert at_in["poa"] == [mn.url, mn.url.replace("http:", "ws:")] and at_in["rr"] is True and "4" in at_in["srv"], at_in
    at_mn = wait_for("the registrar's remoteCSE at the MN", lambda: (mn.ask("GET", "cse-mn/id-in")[1] or {}).get("m2m:csr"))
    assert (at_mn["csi"], at_mn["cb"], at_mn["ri"], at_mn["cst"], at_mn["poa"]) == ("/id-in", "/id-in/cse-in", "id-in", 1, [in_.url]), at_mn
    wait_for("the IN hearing of the MN's descendant", lambda: in_.ask("GET", "cse-in/id-mn")[1]["m2m:csr"].get("dcse") == ["/id-mn2"])


def requests_find_their_way(in_, mn, mn2):
    for cse in (in_, mn, mn2):
        cse.must(2001, "POST", cse.name, "C" + cse.name, ae("ae"), 2)
    # from every CSE to every other
    for start in (in_, mn, mn2):
        for end in (in_, mn, mn2):
            if start is not end:
                start.must(4103, "GET", "%s/%s/ae" % (end.id, end.name), "C" + start.name)
                start.must(4004, "GET", "%s/%s/none" % (end.id, end.name), "C" + start.name)
    # an application of one asks for access at another, two hops away
    policy = {"m2m:acp": {"rn": "acp", "pv": {"acr": [{"acor": ["/id-mn2/Ccse-mn2"], "acop": 63}]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}}
    in_.must(2001, "POST", "cse-in", body=policy, ty=1)
    in_.must(2001, "POST", "cse-in", body={"m2m:cnt": {"rn": "data", "acpi": ["cse-in/acp"]}}, ty=3)
    mn2.must(2001, "POST", "/id-in/cse-in/data", "Ccse-mn2", {"m2m:cin": {"con": "from far away"}}, 4)
    assert mn2.must(2000, "GET", "/id-in/cse-in/data/la", "Ccse-mn2")["m2m:cin"]["con"] == "from far away"
    assert mn2.must(4103, "GET", "/id-in/cse-in/data/la", "CAdmin")
    mn.must(4103, "GET", "/id-in/cse-in/data", "Ccse-mn")
    uris = mn2.must(2000, "GET", "/id-in/cse-in?fu=1&ty=3", "Ccse-mn2")["m2m:uril"]
    assert uris == ["/id-in/cse-in/data"], uris
    mn2.must(2004, "PUT", "/id-in/cse-in/data", "Ccse-mn2", {"m2m:cnt": {"lbl": ["x"]}})
    # nobody has it: neither a loop nor a wait
    for cse in (in_, mn, mn2):
        cse.must(4004, "GET", "/id-elsewhere/x")


def notifications_cross(in_, mn, mn2, listener):
    in_.must(2001, "POST", "cse-in", "Clistener", {"m2m:ae": {"rn": "listener", "api": "Ntest", "rr": True, "poa": [listener.url], "srv": ["4"],
                                                             }}, 2)
    in_.must(2001, "POST", "cse-in/listener", "Clistener", {"m2m:acp": {"rn": "acp", "pv": {"acr": [{"acor": ["/id-mn2"], "acop": 16}, {"acor": ["Clistener"], "acop": 63}]},
                                                                       "pvs": {"acr": [{"acor": ["Clistener"], "acop": 63}]}}}, 1)
    mn2.must(2001, "POST", "cse-mn2/ae", "Ccse-mn2", {"m2m:cnt": {"rn": "watched"}}, 3)
    mn2.must(2001, "POST", "cse-mn2/ae/watched", "Ccse-mn2", {"m2m:sub": {"rn": "sub", "nu": ["/id-in/Clistener"], "enc": {"net": [3]}}}, 23)
    mn2.must(2001, "POST", "cse-mn2/ae/watched", "Ccse-mn2", {"m2m:cin": {"con": 42}}, 4)
    note = listener.wait("the notification", lambda n: "nev" in n.get("m2m:sgn", {}))["m2m:sgn"]
    assert note["nev"]["rep"]["m2m:cin"]["con"] == 42 and note["sur"].startswith("/id-mn2/"), note


def groups_cross(in_, mn, mn2):
    in_.must(2001, "POST", "cse-in", "/id-in", {"m2m:grp": {"rn": "all", "mt": 5, "mnm": 5, "mid": ["cse-in", "/id-mn/cse-mn", "/id-mn2/cse-mn2"]}}, ty=9)
    answers = in_.must(2000, "GET", "cse-in/all/fopt", "/id-in")["m2m:agr"]["m2m:rsp"]
    assert {a["fr"]: a["rsc"] for a in answers}["id-in"] == 2000, answers
    assert len(answers) == 3, answers


def non_blocking_requests_cross(in_, mn, mn2, listener):
    uri = mn2.must(1001, "GET", "/id-in/cse-in/data/la?rt=1", "Ccse-mn2")["m2m:uri"]

    def done():
        request = mn2.must(2000, "GET", uri, "Ccse-mn2")["m2m:req"]
        return request if request["rs"] == 1 else None
    assert wait_for("the result", done)["ors"]["pc"]["m2m:cin"]["con"] == "from far away"
    mn2.must(1002, "GET", "/id-in/cse-in/data/la?rt=2", "Ccse-mn2", headers={"X-M2M-RTU": listener.url, "X-M2M-RI": "async"})
    rsp = listener.wait("the response", lambda n: "m2m:rsp" in n)["m2m:rsp"]
    assert rsp["rsc"] == 2000 and rsp["rqi"] == "async" and rsp["pc"]["m2m:cin"]["con"] == "from far away", rsp


def resources_are_announced(in_, mn, mn2):
    # an application of the IN at both others, one of them two hops away
    at = in_.must(2001, "POST", "cse-in", "Cann", ae("ann", lbl=["a"], at=["/id-mn", "/id-mn2"]), 2)["m2m:ae"]["at"]
    assert len(at) == 2 and at[0].startswith("/id-mn/") and at[1].startswith("/id-mn2/"), at
    for cse, address in ((mn, at[0]), (mn2, at[1])):
        double = cse.must(2000, "GET", address)["m2m:aeA"]
        assert (double["ty"], double["lnk"], double["lbl"], double["srv"]) == (10002, "/id-in/Cann", ["a"], ["4"]), double
        base = cse.must(2000, "GET", double["pi"])["m2m:cbA"]
        assert (base["ty"], base["lnk"]) == (10005, "/id-in/id-in"), base
    # below it a node's battery, and its changes
    in_.must(2001, "POST", "cse-in", body={"m2m:nod": {"rn": "node", "ni": "n1", "at": ["/id-mn"]}}, ty=14)
    bat = in_.must(2001, "POST", "cse-in/node", body={"m2m:bat": {"mgd": 1006, "rn": "bat", "btl": 23, "bts": 1, "at": ["/id-mn"], "aa": ["btl"]}}, ty=13)["m2m:bat"]
    double = mn.must(2000, "GET", bat["at"][0])["m2m:batA"]
    assert (double["ty"], double["mgd"], double["btl"], double.get("bts")) == (10013, 1006, 23, None), double
    assert "m2m:nodA" in mn.must(2000, "GET", double["pi"])
    in_.must(2004, "PUT", "cse-in/node/bat", body={"m2m:bat": {"btl": 42, "bts": 2, "aa": ["btl", "bts"]}})
    double = mn.must(2000, "GET", bat["at"][0])["m2m:batA"]
    assert (double["btl"], double["bts"]) == (42, 2), double
    assert mn.must(2000, "GET", bat["at"][0] + "?rcn=7", "/id-mn")["m2m:bat"]["btl"] == 42
    mn.must(4000, "DELETE", bat["at"][0] + "?rcn=7")
    # kept alike in both directions
    cnt = in_.must(2001, "POST", "cse-in", body={"m2m:cnt": {"rn": "both", "mni": 5, "at": ["/id-mn2"], "aa": ["mni"], "ast": 2}}, ty=3)["m2m:cnt"]
    assert mn2.must(2004, "PUT", cnt["at"][0], body={"m2m:cntA": {"mni": 8}})["m2m:cntA"]["mni"] == 8
    assert in_.must(2000, "GET", "cse-in/both")["m2m:cnt"]["mni"] == 8
    # gone with the original
    in_.must(2002, "DELETE", "cse-in/node")
    mn.must(4004, "GET", bat["at"][0])
    in_.must(2004, "PUT", "cse-in/ann", "Cann", {"m2m:ae": {"at": ["/id-mn"]}})
    mn2.must(4004, "GET", at[1])
    mn.must(2000, "GET", at[0])


def ae_id_of_the_service_provider_is_found(in_, mn, mn2, listener):
    """An AE-ID with S names its AE wherever it is registered."""
    mn.must(2001, "POST", "cse-mn", "Sfar", {"m2m:ae": {"rn": "far", "api": "Ntest", "rr": True, "poa": [listener.url], "srv": ["4"]}}, 2)
    in_.must(4004, "GET", "/Snobody", "CAdmin")
    in_.must(4103, "GET", "/Sfar", "CAdmin")
    in_.must(2001, "POST", "cse-in", body={"m2m:cnt": {"rn": "told"}}, ty=3)
    in_.must(2001, "POST", "cse-in/told", body={"m2m:sub": {"rn": "sub", "nu": ["/Sfar"], "enc": {"net": [3]}}}, ty=23)
    in_.must(2001, "POST", "cse-in/told", body={"m2m:cin": {"con": "to S"}}, ty=4)
    listener.wait("the notification to the S-type AE", lambda n: json.dumps(n).find("to S") > 0)


def announcement_waits_for_a_cse_that_is_away(in_, mn, mn2):
    port = mn2.port
    mn2.stop(signal.SIGKILL)
    assert in_.must(2001, "POST", "cse-in", body={"m2m:cnt": {"rn": "late", "at": ["/id-mn2"]}}, ty=3)["m2m:cnt"]["at"] == ["/id-mn2"]
    mn2.start()
    assert mn2.port == port

    def there():
        at = in_.must(2000, "GET", "cse-in/late")["m2m:cnt"]["at"]
        return at[0] if at[0] != "/id-mn2" else None
    mn2.must(2000, "GET", wait_for("the announcement after the CSE came back", there))


def registration_comes_back(in_, mn, mn2):
    in_.stop(signal.SIGKILL)
    mn.must(5103, "GET", "/id-in/cse-in")
    in_.start()
    wait_for("the registration after the registrar lost its store", lambda: in_.ask("GET", "cse-in/id-mn")[0] == 2000, 90)


def clean_end_deregisters(in_, mn, mn2):
    mn2.stop()
    mn.must(4004, "GET", "cse-mn/id-mn2")
    wait_for("the IN hearing of it", lambda: in_.ask("GET", "cse-in/id-mn")[1]["m2m:csr"].get("dcse") == [])


folder = tempfile.mkdtemp(prefix="keyway-chain-")
started = []
try:
    listener = Listener()
    in_ = Cse(folder, "in", "in")
    started.append(in_)
    mn = Cse(folder, "mn", "mn", in_)
    started.append(mn)
    mn2 = Cse(folder, "mn", "mn2", mn)
    started.append(mn2)
    registration_is_seen_at_both_ends(in_, mn, mn2)
    requests_find_their_way(in_, mn, mn2)
    notifications_cross(in_, mn, mn2, listener)
    groups_cross(in_, mn, mn2)
    non_blocking_requests_cross(in_, mn, mn2, listener)
    resources_are_announced(in_, mn, mn2)
    ae_id_of_the_service_provider_is_found(in_, mn, mn2, listener)
    announcement_waits_for_a_cse_that_is_away(in_, mn, mn2)
    clean_end_deregisters(in_, mn, mn2)
    registration_comes_back(in_, mn, mn2)
except BaseException:
    for cse in started:
        with open(cse.log, encoding="utf-8", errors="replace") as f:
            print("--- %s\n%s" % (cse.id, f.read()[-3000:]), file=sys.stderr)
    raise
finally:
    for cse in started:
        cse.stop(signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
print("three CSEs in a chain: registration, retargeting, notification, groups, non-blocking requests, announcement")
