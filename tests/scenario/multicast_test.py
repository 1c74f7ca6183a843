"""A group whose members are on two CSEs below: one request by IP multicast reaches them, over loopback, and both answer. TS-0001 clause 10.2.7.13."""
import http.client
import json
import os
import shutil
import socket
import tempfile

from cse import Cse
from plant import wait_for


def port_of_nobody():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node(Cse):
    def __init__(self, folder, kind, name, port, registrar=None):
        self.id = "/id-" + name
        config = os.path.join(folder, name + ".ini")
        with open(config, "w", encoding="utf-8") as f:
            f.write("[cse]\ntype = %s\nid = %s\nname = cse-%s\nstate = %s\n" % (kind, self.id, name, os.path.join(folder, name)))
            f.write("[coap]\nmulticast = 127.0.0.1:%d\n[admin]\nlisten = 127.0.0.1:0\n" % port)
        more = ["--registrar", "http://127.0.0.1:%d" % registrar.port, "--registrar-id", registrar.id] if registrar else []
        super().__init__(os.path.join(folder, name), "--config", config, "--type", kind, "--cse-id", self.id, "--cse-name", "cse-" + name, *more)
        self.number = 0
        self.start()

    def ask(self, method, to, origin="CAdmin", body=None, ty=None):
        self.number += 1
        h = {"X-M2M-Origin": origin, "X-M2M-RI": "t%d" % self.number, "X-M2M-RVI": "4"}
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


def containers(mn, count):
    """Containers that anybody may use."""
    mn.must(2001, "POST", "cse-" + mn.id[4:], body={"m2m:acp": {"rn": "open", "pv": {"acr": [{"acor": ["all"], "acop": 63}]}, "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}}}, ty=1)
    made = []
    for i in range(count):
        r = mn.must(2001, "POST", "cse-" + mn.id[4:], body={"m2m:cnt": {"rn": "c%d" % i, "acpi": ["cse-%s/open" % mn.id[4:]]}}, ty=3)
        made.append(mn.id + "/" + r["m2m:cnt"]["ri"])
    return made


def local_groups(mn):
    return mn.must(2000, "GET", "cse-%s?fu=1&ty=45" % mn.id[4:])["m2m:uril"]


folder = tempfile.mkdtemp(prefix="keyway-multicast-")
try:
    port = port_of_nobody()
    in_ = Node(folder, "in", "in", port)
    below = [Node(folder, "mn", "mn%d" % i, port, in_) for i in (1, 2)]
    for mn in below:
        wait_for("the registration of " + mn.id, lambda: (in_.ask("GET", "cse-in" + mn.id)[1] or {}).get("m2m:csr", {}).get("mtcc") == 2)
    members = [m for mn in below for m in containers(mn, 2)]
    in_.must(2001, "POST", "cse-in", body={"m2m:grp": {"rn": "g", "mnm": 9, "mid": members}}, ty=9)
    for mn in below:
        wait_for("the local multicast group of " + mn.id, lambda: local_groups(mn))
    one = below[0].must(2000, "GET", local_groups(below[0])[0])["m2m:lmg"]
    assert one["mli"] == members[:2] and one["mad"]["ip4"].startswith("239.255.") and one["rstt"].startswith("/id-in/"), one
    # a listener in the same IP group sees the one datagram that is for all
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spy:
        spy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        spy.bind((one["mad"]["ip4"], port))
        spy.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(one["mad"]["ip4"]) + socket.inet_aton("127.0.0.1"))
        spy.settimeout(0)

        def asked():
            r = in_.must(2000, "POST", "cse-in/g/fopt", body={"m2m:cin": {"con": "to all"}}, ty=4)["m2m:agr"]["m2m:rsp"]
            try:
                spy.recv(2048)
                return r
            except BlockingIOError:
                return None
        answers = wait_for("the fan-out by multicast", asked)
        try:
            raise AssertionError("more than one datagram: %r" % spy.recv(2048))
        except BlockingIOError:
            pass
    assert sorted(a["fr"] for a in answers) == sorted(members), answers
    assert all(a["rsc"] == 2001 and a["pc"]["m2m:cin"]["con"] == "to all" for a in answers), answers
    latest = in_.must(2000, "GET", "cse-in/g/fopt/la")["m2m:agr"]["m2m:rsp"]
    assert [a["pc"]["m2m:cin"]["con"] for a in latest] == ["to all"] * 4, latest
    # it goes on after a restart of the CSE that has the group, and of one that has members
    in_.stop()
    below[1].stop()
    in_.options = (*in_.options, "--port", str(in_.port))
    in_.start()
    below[1].start()
    wait_for("all members", lambda: len(in_.must(2000, "GET", "cse-in/g/fopt/la")["m2m:agr"]["m2m:rsp"]) == 4)
    # and ends with the group
    in_.must(2002, "DELETE", "cse-in/g")
    for mn in below:
        wait_for("the end of the local multicast group of " + mn.id, lambda: not local_groups(mn))
finally:
    shutil.rmtree(folder, ignore_errors=True)
print("a group asked by IP multicast")
