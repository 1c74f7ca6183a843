"""CoAP and CoAPS against the real keyway-cse: a client of our own by hand where exact messages matter, coap-client of libcoap, and openssl's DTLS.

What coap-client can show is bounded: it drops every response with a critical option that it does not know, and all of oneM2M's are critical. So it
discovers, and it sends; whether what it sent arrived is asked by others."""
import concurrent.futures
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from conformance import coap, coap_client, server  # noqa: E402
from faults import Lossy  # noqa: E402
from plant import Plant, free_port, program, wait_for  # noqa: E402

CNT, CIN, SUB, AE, PCH = 3, 4, 23, 2, 15
FR, RQI, RVI, TY, RSC, RET = 279, 283, 271, 267, 307, 291
COAP_CLIENT = "coap-client-gnutls"
LARGE = 100 * 1024
KEY = "sixteen octets.."  # coap-client takes keys as text


def ok(r, rsc):
    assert r.rsc == rsc and r.status // 100 in (2, 4, 5), r
    return r


def container(c, name, fr="CAdmin"):
    ok(c.request("C", "cse-in", ty=CNT, pc={"m2m:cnt": {"rn": name}}, fr=fr), 2001)
    return "cse-in/" + name


def instances(c, path):
    return ok(c.request("R", path), 2000).rep["cni"]


# every operation, a notification, large bodies both ways
def crud(c, receiver):
    cnt = container(c, "crud")
    box = receiver.mailbox()
    ok(c.request("C", cnt, ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": [box.url], "enc": {"net": [1, 3]}}}), 2001)
    ok(c.request("U", cnt, pc={"m2m:cnt": {"lbl": ["a"]}}), 2004)
    n = box.wait(30)
    assert n and n.resource["lbl"] == ["a"] and n.headers["x-m2m-origin"] == "/id-in", n
    large = "".join(random.choice("abcdefgh") for _ in range(LARGE))
    ok(c.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": large}}, query={"rcn": 0}), 2001)
    n = box.wait(30)
    assert n and n.resource["con"] == large, "the notification of 100 KiB came in blocks"
    assert ok(c.request("R", cnt + "/la"), 2000).rep["con"] == large
    found = ok(c.request("R", "cse-in", query=[("fu", 1), ("ty", [3, 4])]), 2000)
    assert sorted(found.rep) == sorted([cnt, cnt + "/" + n.resource["rn"]]), found
    ok(c.request("D", cnt), 2002)
    ok(c.request("R", cnt), 4004)
    print("created, retrieved, updated, deleted, notified; 100 KiB there, back, and in a notification")


# a target that takes its time: it acknowledges, and answers later
def slow_target(c, receiver):
    cnt = container(c, "slow")
    box = receiver.mailbox()
    ok(c.request("C", cnt, ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": [box.url], "enc": {"net": [3]}}}), 2001)
    started = []

    def late(note):
        started.append(time.monotonic())
        time.sleep(2 * coap.PROCESSING)
        return 2000
    box.answer = late
    for i in range(2):
        ok(c.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": str(i)}}), 2001)
    assert [box.wait(30).resource["con"] for _ in range(2)] == ["0", "1"]
    assert len(started) == 2, "each came once, though its answer was late"
    print("a slow target is waited for, and told each thing once")


# messages by hand
def exchange(port, datagrams, wanted, patience=20):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(patience)
        for d in datagrams:
            s.sendto(d, ("127.0.0.1", port))
        return [s.recv(65536) for _ in range(wanted)]


def duplicates(c, port):
    cnt = container(c, "twice")
    body = json.dumps({"m2m:cin": {"con": "once"}}).encode()
    m = coap.Message(coap.CON, coap.POST, 4711, b"tok", coap_client.path_options(cnt) + [(TY, b"\x04"), (FR, b"CAdmin"), (RQI, b"dup"), (RVI, b"4"), (12, b"\x32")], body).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        answers = []
        for _ in range(3):
            s.sendto(m, ("127.0.0.1", port))
            answers.append(s.recv(65536))
    assert answers[0] == answers[1] == answers[2], "the same answer each time"
    assert coap.Message.decode(answers[0]).code == coap.code("2.01")
    assert instances(c, cnt) == 1, "a message id that repeats is executed once"
    print("a message that repeats is answered again, and executed once")


def separate(c, port):
    ae = ok(c.request("C", "cse-in", fr="C", ty=AE, pc={"m2m:ae": {"rn": "poll", "api": "Npoll", "rr": False, "srv": ["3"]}}), 2001).rep["aei"]
    ok(c.request("C", "cse-in/poll", fr=ae, ty=PCH, pc={"m2m:pch": {"rn": "pch"}}), 2001)
    m = coap.Message(coap.CON, coap.GET, 1, b"s", coap_client.path_options("cse-in/poll/pch/pcu") + [(FR, ae.encode()), (RQI, b"p"), (RVI, b"4"), (RET, b"2500")])
    empty, answer = (coap.Message.decode(d) for d in exchange(port, [m.encode()], 2))
    assert (empty.type, empty.code, empty.mid) == (coap.ACK, 0, 1), "an empty acknowledgement first"
    assert answer.type == coap.CON and answer.token == b"s" and answer.code == coap.code("5.04"), "then a response of its own"
    print("what takes long is acknowledged, and answered by a message of its own")


def unknown_options(port):
    m = coap.Message(coap.CON, coap.GET, 9, b"", coap_client.path_options("cse-in") + [(FR, b"CAdmin"), (RQI, b"1"), (RVI, b"4"), (9999, b"x")])
    assert coap.Message.decode(exchange(port, [m.encode()], 1)[0]).code == coap.code("4.02")
    print("a critical option that nobody knows is refused")


# a network that loses and repeats
def lossy(c, port):
    cnt = container(c, "lossy")
    net = Lossy(port, 5)
    through = coap_client.Client("coap://127.0.0.1:%d" % net.port, timeout=90)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda i: ok(through.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}, query={"rcn": 0}), 2001), range(100)))
    assert len(done) == 100 and net.lost > 5, net.lost
    rep = ok(c.request("R", cnt, query={"rcn": 4}), 2000).rep
    assert sorted(int(i["con"]) for i in rep["m2m:cin"]) == list(range(100)), "each was made once"
    net.close()
    print("100 requests over a network that lost %d datagrams and repeated %d: each executed once" % (net.lost, net.repeated))


# libcoap's client
def foreign(c, port):
    r = subprocess.run([COAP_CLIENT, "-m", "get", "-B", "20", "coap://127.0.0.1:%d/.well-known/core" % port], capture_output=True, text=True, timeout=60)
    assert '</cse-in>;rt="oneM2M.CSEBase"' in r.stdout, r.stdout + r.stderr
    cnt = container(c, "foreign")
    words = ["-O", "279,CAdmin", "-O", "271,4", "-t", "json"]
    subprocess.run([COAP_CLIENT, "-m", "put", "-B", "1", *words, "-O", "283,u1", "-e", '{"m2m:cnt":{"lbl":["by-libcoap"]}}', "coap://127.0.0.1:%d/%s" % (port, cnt)],
                   capture_output=True, timeout=60)
    wait_for("the update by coap-client", lambda: c.request("R", cnt).rep.get("lbl") == ["by-libcoap"])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"m2m:cin": {"con": "y" * LARGE}}, f)
        f.flush()
        subprocess.run([COAP_CLIENT, "-m", "post", "-B", "3", "-b", "1024", *words, "-O", "283,c1", "-O", "267,0x04", "-f", f.name, "coap://127.0.0.1:%d/%s" % (port, cnt)],
                       capture_output=True, timeout=60)
    wait_for("the 100 KiB of coap-client", lambda: instances(c, cnt) > 0)
    assert instances(c, cnt) == 1 and len(c.request("R", cnt + "/la").rep["con"]) == LARGE
    subprocess.run([COAP_CLIENT, "-m", "delete", "-B", "1", *words, "-O", "283,d1", "coap://127.0.0.1:%d/%s/la" % (port, cnt)], capture_output=True, timeout=60)
    wait_for("the delete by coap-client", lambda: instances(c, cnt) == 0)
    print("coap-client discovers, updates, sends 100 KiB in blocks, deletes")


# DTLS: an MN-CSE that registers by CoAPS, retargeting both ways, clients of others, identities
def openssl(p, port, name, message):
    """One message over openssl's DTLS; the answer, or None."""
    argv = ["openssl", "s_client", "-dtls1_2", "-connect", "127.0.0.1:%d" % port, "-CAfile", p.plant + "/tls/ca.pem", "-quiet", "-verify_quiet"]
    if name:
        argv += ["-cert", "%s/tls/%s.pem" % (p.plant, name), "-key", "%s/tls/%s.key" % (p.plant, name)]
    s = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    killer = threading.Timer(20, s.kill)
    killer.start()
    try:
        s.stdin.write(message)
        s.stdin.flush()
        octets = os.read(s.stdout.fileno(), 65536)
    except BrokenPipeError:
        octets = b""
    s.kill()
    killer.cancel()
    s.communicate()
    return coap.Message.decode(octets) if octets else None


def request(to, fr, mid):
    return coap.Message(coap.CON, coap.GET, mid, b"o", coap_client.path_options(to) + [(FR, fr.encode()), (RQI, b"q%d" % mid), (RVI, b"4")]).encode()


def secure():
    with Plant() as p:
        in_port, mn_port = free_port(), free_port()
        with open(os.path.join(p.plant, "coap.psk"), "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("m2m://keyway.example/id-in/CAdmin:%s\n" % KEY.encode().hex())
        p.configure("in-cse.ini", "[https]", "[coaps]\nlisten = 127.0.0.1:%d\npsk_file = %s/coap.psk\n\n[https]" % (in_port, p.plant))
        p.configure("mn-cse.ini", "[https]", "[coaps]\nlisten = 127.0.0.1:%d\n\n[https]" % mn_port)
        p.registrar("mn-cse.ini", lambda url: "coaps://127.0.0.1:%d" % in_port)
        for role in ("in-cse", "mn-cse"):
            p.start(role, program("keyway-cse"), "--config", os.path.join(p.plant, role + ".ini")).wait_line(" ready")
        p.processes["mn-cse"].wait_line(" registered")
        csr = p.get("/id-in/cse-in/id-mn")
        assert csr and csr["m2m:csr"]["poa"][0] == "coaps://127.0.0.1:%d" % mn_port, csr
        assert p.get("/id-mn/cse-mn")["m2m:cb"]["csi"] == "/id-mn", "retargeted by CoAPS"
        print("an MN-CSE registers by CoAPS, and is reached by it")
        # openssl, with the operator's certificate
        a = openssl(p, in_port, "operator", request("cse-in", "/id-in/CAdmin", 1))
        assert a and a.code == coap.code("2.05"), a and a.code
        a = openssl(p, in_port, "operator", request("cse-in", "/id-in/Cother", 2))
        assert a and a.number(RSC) == 4106, "From must be the certificate's"
        a = openssl(p, in_port, "gw1", request("cse-in", "/id-in/CAdmin", 3))
        assert a and a.number(RSC) == 4106, a and a.number(RSC)
        assert openssl(p, in_port, None, request("cse-in", "/id-in/CAdmin", 4)) is None, "without a certificate there is no session"
        print("openssl's DTLS: the identity in the certificate decides")
        # libcoap, with a certificate and with a pre-shared key, right and wrong
        url = "coaps://127.0.0.1:%d/.well-known/core" % in_port
        tls = ["-c", p.plant + "/tls/operator.pem", "-j", p.plant + "/tls/operator.key", "-R", p.plant + "/tls/ca.pem", "-n"]
        for words, good in ((tls, True), (["-u", "m2m://keyway.example/id-in/CAdmin", "-k", KEY], True),
                            (["-u", "m2m://keyway.example/id-in/CAdmin", "-k", KEY[::-1]], False)):
            r = subprocess.run([COAP_CLIENT, "-m", "get", "-B", "10" if good else "3", *words, url], capture_output=True, text=True, timeout=60)
            assert ("oneM2M.CSEBase" in r.stdout) == good, (words, r.stdout, r.stderr)
        print("coap-client: a certificate and a pre-shared key are good, a wrong key is not")
        # a restart: the registrar knows nothing of the session any more
        p.processes["in-cse"].kill()
        p.processes["in-cse"].start()
        p.processes["in-cse"].wait_line(" ready")
        wait_for("the CSEs to reach each other again", lambda: p.get("/id-mn/cse-mn"))
        print("after a restart they reach each other again")


def main():
    s = server.Server(program("keyway-cse"), "--coap-port", "0")
    try:
        port = s.ports["coap"]
        c, receiver = coap_client.Client(s.at("coap"), timeout=30), coap_client.Receiver()
        crud(c, receiver)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # what is lost is said again after 2, 6, 14 s: meanwhile the others
            lost = pool.submit(lossy, coap_client.Client(s.at("coap"), timeout=30), port)
            slow_target(c, receiver)
            duplicates(c, port)
            separate(c, port)
            unknown_options(port)
            foreign(c, port)
            secure()
            lost.result()
    finally:
        assert s.stop() is None, "the CSE survived"


main()
