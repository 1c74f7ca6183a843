"""Bindings over networks that fail: who gets no answer asks again under the same request identifier, over another message or another connection, until there is
one. What was answered is there, and nothing is there twice. MQTT has more of this in mqtt_test.py."""
import collections
import concurrent.futures
import itertools
import json
import os
import queue
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from conformance import client, coap, coap_client, server, ws  # noqa: E402
from faults import Cutter, Lossy  # noqa: E402
from plant import PATIENCE, program, wait_for  # noqa: E402

PROGRAM = program("keyway-cse")
ACP, CNT, CIN, SUB = 1, 3, 4, 23
numbers = itertools.count(1)
HOW_MANY = 120


def ok(r, rsc):
    assert r.rsc == rsc, r
    return r


def container(c, name, **attributes):
    ok(c.request("C", "cse-in", ty=CNT, pc={"m2m:cnt": {"rn": name, "mni": 10000, **attributes}}), 2001)
    return "cse-in/" + name


def contents(c, cnt):
    return collections.Counter(i["con"] for i in ok(c.request("R", cnt, query={"rcn": 4}), 2000).rep.get("m2m:cin", []))


def once_each(c, cnt, count=HOW_MANY):
    found, wanted = contents(c, cnt), {str(i): 1 for i in range(count)}
    assert found == wanted, "lost: %s, twice: %s" % (sorted(set(wanted) - set(found)), [i for i, n in found.items() if n > 1])


def create_all(one, count=HOW_MANY):
    """one(i) returns the response status code of the instance i."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert collections.Counter(pool.map(one, range(count))) == {2001: count}


# CoAP: a client that gives up after a moment, and asks in a new message from a new port
def over_coap(s, c):
    cnt, net, again = container(c, "coap"), Lossy(s.ports["coap"], 11, lose=0.3), itertools.count()

    def one(i):
        rqi, end = "l%d" % i, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            each = coap_client.Client("coap://127.0.0.1:%d" % net.port)
            try:
                return each.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}, query={"rcn": 0}, ri=rqi, patience=0.3).rsc
            except coap.Lost:
                next(again)
            finally:
                each.endpoint.close()
        raise AssertionError("no answer to " + rqi)
    try:
        create_all(one)
        once_each(c, cnt)
    finally:
        net.close()
    asked_again = next(again)
    assert asked_again > 10 and net.lost > 30, (asked_again, net.lost)
    print("CoAP: %d datagrams lost, %d twice; %d requests were asked anew, and each was done once" % (net.lost, net.repeated, asked_again))


# a CSE that forwards by CoAP through such a network: its messages go again until they are answered
def coap_between_cses(s, c):
    net = Lossy(s.ports["coap"], 12)
    mn = server.Server(PROGRAM, "--type", "mn", "--cse-id", "/id-mn", "--cse-name", "cse-mn", "--registrar", "coap://127.0.0.1:%d" % net.port, "--coap-port", "0")
    try:
        m = client.Client(mn.url, timeout=PATIENCE)
        wait_for("the MN-CSE to register", lambda: c.request("R", "cse-in/id-mn").rsc == 2000)
        all_ = {"acr": [{"acor": ["all"], "acop": 63}]}
        ok(c.request("C", "cse-in", ty=ACP, pc={"m2m:acp": {"rn": "all", "pv": all_, "pvs": all_}}), 2001)
        cnt = container(c, "forwarded", acpi=["cse-in/all"])
        create_all(lambda i: m.request("C", "/id-in/" + cnt, ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}, query={"rcn": 0}, headers={"X-M2M-RET": "%d" % (PATIENCE * 1000)}).rsc, 8)  # one message at a time, and seconds for each that is lost
        once_each(c, cnt, 8)
        assert net.lost > 0, net.lost
    finally:
        died = mn.stop()
        net.close()
    assert died is None, "the MN-CSE survived"
    print("CoAP from CSE to CSE: %d datagrams lost, %d twice; each request was done once" % (net.lost, net.repeated))


# WebSocket: the connection is cut, and its requests go again over the next
class Stubborn:
    def __init__(self, port):
        self.port, self.waiting, self.lock, self.ws, self.again, self.notes = port, {}, threading.Lock(), None, 0, queue.Queue()

    def read(self, w):
        try:
            while (m := w.receive()) is not None:
                p = json.loads(m[1])
                if "op" in p:
                    w.send(json.dumps({"rsc": 2000, "rqi": p["rqi"], "rvi": "4"}).encode())
                    self.notes.put(p)
                elif p.get("rqi") in self.waiting:
                    self.waiting[p["rqi"]].put(p)
        except OSError:
            pass
        with self.lock:
            if self.ws is w:
                self.ws = None
        w.close()

    def connected(self):
        with self.lock:
            if self.ws is None:
                self.ws = ws.connect("127.0.0.1", self.port, ["oneM2M.json"], 5)
                self.ws.socket.settimeout(None)
                threading.Thread(target=self.read, args=(self.ws,), daemon=True).start()
            return self.ws

    def request(self, op, to, fr="CAdmin", **more):
        rqi = "w%d" % next(numbers)
        p = json.dumps({"op": "CRUDN".index(op) + 1, "to": to, "fr": fr, "rqi": rqi, "rvi": "4", **more}).encode()
        box, end = queue.Queue(), time.monotonic() + PATIENCE
        self.waiting[rqi] = box
        while time.monotonic() < end:
            try:
                w = self.connected()
                w.send(p)
                for _ in range(20):  # an answer, or the end of this connection
                    try:
                        return box.get(timeout=0.05)
                    except queue.Empty:
                        if self.ws is not w:
                            break
            except OSError:
                time.sleep(0.01)
            self.again += 1
        raise AssertionError("no answer to " + rqi)


def over_websocket(s, c):
    cnt, net = container(c, "ws"), Cutter(s.ports["http"])
    ae = Stubborn(net.port)
    try:
        net.cut_every(3000)
        create_all(lambda i: ae.request("C", cnt, ty=CIN, rcn=0, pc={"m2m:cin": {"con": "%d" % i}})["rsc"])
        net.cut_every(None)
        once_each(c, cnt)
        assert net.cuts > 5 and ae.again > 5, (net.cuts, ae.again)
    finally:
        net.close()
    print("WebSocket: %d connections cut, %d requests asked anew, each was done once" % (net.cuts, ae.again))


def websocket_between_cses(s, c):
    net = Cutter(s.ports["http"])
    mn = server.Server(PROGRAM, "--type", "mn", "--cse-id", "/id-mw", "--cse-name", "cse-mw", "--registrar", "ws://127.0.0.1:%d" % net.port)
    try:
        m = client.Client(mn.url, timeout=PATIENCE)
        wait_for("the MN-CSE to register", lambda: c.request("R", "cse-in/id-mw").rsc == 2000)
        cnt = container(c, "by-ws", acpi=["cse-in/all"])
        net.cut_every(5000)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda i: m.request("C", "/id-in/" + cnt, ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}, query={"rcn": 0}).rsc, range(HOW_MANY)))
        net.cut_every(None)
        found = contents(c, cnt)
        assert max(found.values()) == 1 and all(found[str(i)] == 1 for i, rsc in enumerate(codes) if rsc == 2001), (codes, found)
        assert net.cuts > 2 and codes.count(2001) > HOW_MANY / 4 and set(codes) <= {2001, 5103}, (net.cuts, collections.Counter(codes))
        wait_for("it to be reached again", lambda: m.request("R", "/id-in/" + cnt).rsc == 2000)
    finally:
        died = mn.stop()
        net.close()
    assert died is None, "the MN-CSE survived"
    print("WebSocket from CSE to CSE: %d connections cut, %d requests acknowledged and done once, the others told that they were not" % (net.cuts, codes.count(2001)))


def main():
    s = server.Server(PROGRAM, "--coap-port", "0")
    try:
        c = client.Client(s.url, timeout=PATIENCE)
        over_coap(s, c)
        coap_between_cses(s, c)
        over_websocket(s, c)
        websocket_between_cses(s, c)
    finally:
        died = s.stop()
    assert died is None, "the CSE survived"


main()
