"""MQTT against the real keyway-cse and a real mosquitto: mosquitto_pub and mosquitto_sub as an AE, two CSEs that know each other by nothing else, brokers that
end, connections that are cut, messages that repeat, and who may be who over TLS."""
import collections
import concurrent.futures
import itertools
import json
import os
import queue
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from conformance import client, mqtt, mqtt_client, server, tables  # noqa: E402
from cse import Cse  # noqa: E402
from faults import Cutter  # noqa: E402
from plant import Plant, program, wait_for  # noqa: E402

AE, CNT, CIN, SUB, ACP = 2, 3, 4, 23, 1
PROGRAM = program("keyway-cse")
numbers = itertools.count(1)


def ok(r, rsc):
    assert r.rsc == rsc, r
    return r


def container(c, name):
    ok(c.request("C", "cse-in", ty=CNT, pc={"m2m:cnt": {"rn": name, "mni": 10000}}), 2001)
    return "cse-in/" + name


def contents(c, cnt):
    """What its instances hold, counted."""
    found = ok(c.request("R", cnt, query={"rcn": 4}), 2000).rep.get("m2m:cin", [])
    return collections.Counter(i["con"] for i in found)


# mosquitto's own clients as an AE
class Foreign:
    def __init__(self, broker, *filters):
        self.broker = broker
        words = [w for f in filters for w in ("-t", f)]
        self.popen = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(broker.port), "-q", "1", "-F", "%t %p", "-d", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.messages, self.subscribed = queue.Queue(), threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        assert self.subscribed.wait(60), "mosquitto_sub has subscribed"

    def read(self):
        for line in self.popen.stdout:
            line = line.decode()
            if line.startswith("/oneM2M/"):
                topic, payload = line.split(" ", 1)
                self.messages.put((topic, json.loads(payload)))
            elif line.startswith("Subscribed"):
                self.subscribed.set()

    def publish(self, topic, p):
        subprocess.run(["mosquitto_pub", "-p", str(self.broker.port), "-q", "1", "-t", topic, "-m", json.dumps(p)], check=True, timeout=60)

    def next(self):
        return self.messages.get(timeout=60)

    def close(self):
        self.popen.terminate()
        self.popen.wait()


def foreign(s, broker, c):
    f = Foreign(broker, "/oneM2M/reg_resp/cred-1/id-in/#", "/oneM2M/resp/id-in:Cmosq/#", "/oneM2M/req/+/id-in:Cmosq/#")
    try:
        ae = {"m2m:ae": {"rn": "mosq", "api": "Nmosq", "rr": True, "srv": ["3"], "poa": [broker.url]}}
        f.publish("/oneM2M/reg_req/cred-1/id-in/json", {"op": 1, "to": "cse-in", "fr": "Cmosq", "rqi": "r1", "rvi": "3", "ty": AE, "pc": ae})
        topic, p = f.next()
        assert topic == "/oneM2M/reg_resp/cred-1/id-in/json" and p["rsc"] == 2001 and p["rqi"] == "r1", (topic, p)
        f.publish("/oneM2M/reg_req/cred-1/id-in/json", {"op": 2, "to": "cse-in", "fr": "Cmosq", "rqi": "r2", "rvi": "3"})
        assert f.next()[1]["rsc"] == 4000, "a registration topic is for registrations"
        me = "/oneM2M/req/id-in:Cmosq/id-in/json"
        f.publish(me, {"op": 1, "to": "cse-in/mosq", "fr": "Cmosq", "rqi": "r3", "rvi": "3", "ty": CNT, "pc": {"m2m:cnt": {"rn": "c"}}})
        topic, p = f.next()
        assert topic == "/oneM2M/resp/id-in:Cmosq/id-in/json" and p["rsc"] == 2001 and p["rqi"] == "r3", (topic, p)
        f.publish(me, {"op": 1, "to": "cse-in/mosq/c", "fr": "Cmosq", "rqi": "r4", "rvi": "3", "ty": SUB,
                       "pc": {"m2m:sub": {"rn": "s", "nu": ["cse-in/mosq"], "nct": 1, "enc": {"net": [3]}}}})
        rsc = None
        while rsc is None:  # it may be asked whether it wants notifications before it is told that it will get them
            topic, p = f.next()
            if topic.startswith("/oneM2M/req/"):
                f.publish("/oneM2M/resp/id-in/id-in:Cmosq/json", {"rsc": 2000, "rqi": p["rqi"]})
            else:
                rsc = p["rsc"]
        assert rsc == 2001, p
        # one instance, asked for three times
        for _ in range(3):
            f.publish(me, {"op": 1, "to": "cse-in/mosq/c", "fr": "Cmosq", "rqi": "r5", "rvi": "3", "ty": CIN, "pc": {"m2m:cin": {"con": "once"}}})
        answers, notes = [], []
        while len(answers) < 3 or not notes:
            topic, p = f.next()
            if topic.startswith("/oneM2M/req/id-in/id-in:Cmosq/"):
                notes.append(p)
                f.publish("/oneM2M/resp/id-in/id-in:Cmosq/json", {"rsc": 2000, "rqi": p["rqi"]})
            else:
                answers.append(p)
        assert [a["rsc"] for a in answers] == [2001] * 3 and len({json.dumps(a["pc"], sort_keys=True) for a in answers}) == 1, answers
        assert notes[0]["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == "once", notes
        assert contents(c, "cse-in/mosq/c") == {"once": 1}
        # what cannot be read changes nothing
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", me, "-m", "{"], check=True, timeout=60)
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "2", "-r", "-t", me, "-m", "{}"], check=True, timeout=60)
        f.publish(me, {"op": 4, "to": "cse-in/mosq", "fr": "Cmosq", "rqi": "r6", "rvi": "3"})
        topic, p = f.next()
        while topic.startswith("/oneM2M/req/"):  # the notification once more: MQTT says that it may come twice
            topic, p = f.next()
        assert p["rsc"] == 2002, p
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-r", "-n", "-t", me], check=True, timeout=60)
    finally:
        f.close()
    print("mosquitto_pub and mosquitto_sub: an AE registers, is notified, and what it repeats is done once")


# clients that came from older platforms, and topics of one's own
def older(s, broker, c):
    heard = queue.Queue()
    m = mqtt.Connection("127.0.0.1", broker.port, "older", lambda topic, payload: heard.put((topic, json.loads(payload))))
    m.subscribe("/oneM2M/reg_resp/Sold/+/json", "/oneM2M/resp/Sold/+/json", "/oneM2M/req/+/Sold/json", "/plant/news")
    try:
        request = {"op": "1", "to": "/cse-in", "fr": "Sold", "rqi": "o1", "ty": "2", "pc": {"m2m:ae": {"rn": "old", "api": "0.2.481.1", "rr": "true"}}}
        m.publish("/oneM2M/reg_req/Sold/id-in/json", json.dumps({"m2m:rqp": request}).encode())
        topic, p = heard.get(timeout=60)
        assert topic == "/oneM2M/reg_resp/Sold/id-in/json" and p["m2m:rsp"]["rsc"] == 2001, (topic, p)
        m.publish("/oneM2M/req/Sold/id-in/json", json.dumps({"m2m:rqp": {"op": "2", "to": "/cse-in/old", "fr": "Sold", "rqi": "o2"}}).encode())
        assert heard.get(timeout=60)[1]["m2m:rsp"]["rsc"] == 2000
        cnt = container(c, "older")
        for name, address, where in (("own", "/%2fplant/news", "/plant/news"), ("older", "/Sold?ct=json", "/oneM2M/req/id-in/Sold/json")):
            notes = []
            made = threading.Thread(target=lambda: ok(c.request("C", cnt, ty=SUB, pc={"m2m:sub": {"rn": name, "nu": [broker.url + address], "nct": 1, "enc": {"net": [3]}}}), 2001))
            made.start()
            while len(notes) < 2:
                topic, p = heard.get(timeout=60)
                assert topic == where, (topic, p)
                notes.append(p["pc"]["m2m:sgn"])
                if name == "older":  # nobody need answer at a topic of one's own
                    m.publish("/oneM2M/resp/id-in/Sold/json", json.dumps({"rsc": 2000, "rqi": p["rqi"]}).encode())
                if len(notes) == 1:
                    made.join(60)
                    ok(c.request("C", cnt, ty=CIN, pc={"m2m:cin": {"con": name}}), 2001)
            assert notes[0].get("vrq") and notes[1]["nev"]["rep"]["m2m:cin"]["con"] == name, notes
            ok(c.request("D", cnt + "/" + name), 2002)
        ok(c.request("D", "cse-in/old"), 2002)
    finally:
        m.close()
    print("a client of Release 1 registers; a topic of one's own, and a receiver named as older platforms do, are notified")


# an AE that asks until it is answered, under one request identifier
class Stubborn:
    def __init__(self, port, name, timeout=0.5):
        self.port, self.name, self.timeout = port, name, timeout
        self.me, self.waiting, self.lock, self.connection, self.again, self.published = "id-in:" + name, {}, threading.Lock(), None, 0, 0

    def arrived(self, topic, payload):
        p = json.loads(payload)
        box = self.waiting.get(p.get("rqi"))
        if box:
            box.put(p)

    def connected(self):
        with self.lock:
            if self.connection is None:
                self.connection = mqtt.Connection("127.0.0.1", self.port, "A::" + self.me, self.arrived, clean=False, timeout=5)
                self.connection.subscribe("/oneM2M/resp/%s/#" % self.me)
            return self.connection

    def lost(self, connection):
        with self.lock:
            if self.connection is connection:
                self.connection = None
        if connection:
            connection.close()

    def request(self, op, to, **more):
        rqi = "%s-%d" % (self.name, next(numbers))
        rqp = json.dumps({"op": "CRUDN".index(op) + 1, "to": to, "fr": self.name, "rqi": rqi, "rvi": "4", **more}).encode()
        box, end = queue.Queue(), time.monotonic() + 120
        self.waiting[rqi] = box
        while time.monotonic() < end:
            c = None
            try:
                c = self.connected()
                c.publish("/oneM2M/req/%s/id-in/json" % self.me, rqp)
                with self.lock:
                    self.published += 1
                return box.get(timeout=self.timeout)
            except queue.Empty:
                self.again += 1
            except OSError:
                self.again += 1
                self.lost(c)
                time.sleep(0.02)  # a broker that is away
        raise AssertionError("no answer to " + rqi)

    def create_many(self, cnt, count, during=None, at=None):
        """Instances 0 to count - 1 by eight threads; `during` is called when the one with the number `at` is under way."""
        begun = threading.Event()

        def one(i):
            if i == at:
                begun.set()
            return self.request("C", cnt, ty=CIN, rcn=0, pc={"m2m:cin": {"con": "%d" % i}})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(one, i) for i in range(count)]
            if during:
                assert begun.wait(60)
                during()
            answers = [a.result() for a in asked]
        assert all(a["rsc"] == 2001 for a in answers), collections.Counter(a["rsc"] for a in answers)


def once_each(c, cnt, count):
    found = contents(c, cnt)
    assert found == {str(i): 1 for i in range(count)}, "lost: %s, twice: %s" % (
        [i for i in range(count) if str(i) not in found], [i for i, n in found.items() if n > 1])


def restart(broker, how):
    broker.process.send_signal(how)
    broker.process.wait()
    broker.log.close()
    broker.start()


def faults(folder):
    broker = mqtt_client.Broker(lines=["persistence true", "persistence_location %s/" % folder], folder=folder)
    front, behind = Cutter(broker.port), Cutter(broker.port)
    s = server.Server(PROGRAM, "--mqtt", "mqtt://127.0.0.1:%d" % behind.port)
    try:
        c, ae = client.Client(s.url), Stubborn(front.port, "CAdmin")
        cnt = container(c, "cut")
        for x in (front, behind):
            x.cut_every(8000)
        ae.create_many(cnt, 200)
        for x in (front, behind):
            x.cut_every(None)
        once_each(c, cnt, 200)
        assert front.cuts > 5 and behind.cuts > 5, (front.cuts, behind.cuts)
        print("200 requests while %d connections of the AE and %d of the CSE were cut, %d asked again: each done once" % (front.cuts, behind.cuts, ae.again))
        for how, name in ((signal.SIGTERM, "ended"), (signal.SIGKILL, "killed")):
            before = ae.again
            cnt = container(c, name)
            ae.create_many(cnt, 200, lambda how=how: restart(broker, how), 50)
            once_each(c, cnt, 200)
            print("200 requests while the broker was %s and started anew, %d asked again: each done once" % (name, ae.again - before))
    finally:
        died = s.stop()
        front.close()
        behind.close()
        broker.stop()
    assert died is None, "the CSE survived"


# two CSEs that know each other by nothing but a broker
def between_cses():
    broker = mqtt_client.Broker()
    in_cse = server.Server(PROGRAM, "--mqtt", broker.url)
    mn_cse = server.Server(PROGRAM, "--type", "mn", "--cse-id", "/id-mn", "--cse-name", "cse-mn", "--registrar", broker.url, "--mqtt", broker.url)
    try:
        c, m = client.Client(in_cse.url), client.Client(mn_cse.url)
        csr = wait_for("the MN-CSE to register", lambda: (lambda r: r.rsc == 2000 and r.rep)(c.request("R", "cse-in/id-mn")))
        assert csr["poa"][0] == broker.url, csr
        all_ = {"acr": [{"acor": ["all"], "acop": 63}]}
        for local, base in ((c, "cse-in"), (m, "cse-mn")):
            ok(local.request("C", base, ty=ACP, pc={"m2m:acp": {"rn": "all", "pv": all_, "pvs": all_}}), 2001)
            ok(local.request("C", base, ty=CNT, pc={"m2m:cnt": {"rn": "box", "acpi": [base + "/all"], "mni": 1000}}), 2001)
        large = "".join(random.choice("abcdefgh") for _ in range(200000))
        for form in ("json", "xml", "cbor"):
            q = mqtt_client.Client(broker.url + "/id-in", serialization=form)
            ok(q.request("C", "/id-mn/cse-mn/box", fr="CAdmin", ty=CIN, pc={"m2m:cin": {"con": form + large}}), 2001)
            assert ok(q.request("R", "/id-mn/cse-mn/box/la", fr="CAdmin"), 2000).rep["con"] == form + large
        print("an MN-CSE registers through a broker and is reached there: 200 kB in JSON, XML and CBOR")
        # the broker ends while requests go from one to the other
        begun = threading.Event()

        def one(i):
            if i == 30:
                begun.set()
            return m.request("C", "/id-in/cse-in/box", ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}, query={"rcn": 0}).rsc
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(one, i) for i in range(150)]
            assert begun.wait(60)
            restart(broker, signal.SIGKILL)
            answers = [a.result() for a in asked]
        found = contents(c, "cse-in/box")
        assert all(found[str(i)] == 1 for i, rsc in enumerate(answers) if rsc == 2001) and max(found.values()) == 1, (answers, found)
        assert answers.count(2001) == 150, "they were sent again to the broker that had forgotten them: %s" % collections.Counter(answers)
        print("150 requests from CSE to CSE while the broker was killed and started anew: each done once")
    finally:
        died = [s.stop() for s in (mn_cse, in_cse)]
        broker.remove()
    assert died == [None, None], "the CSEs survived"


# the broker keeps what comes for a CSE that is away
def away():
    broker = mqtt_client.Broker()
    folder = tempfile.mkdtemp(prefix="keyway-mqtt-")
    try:
        cse = Cse(os.path.join(folder, "state"), "--mqtt", broker.url)
        with cse:  # the broker knows it once it has subscribed
            assert Stubborn(broker.port, "CAdmin").request("C", "cse-in", ty=CNT, pc={"m2m:cnt": {"rn": "kept"}})["rsc"] == 2001
        ae = Stubborn(broker.port, "CAdmin", timeout=60)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(ae.request, "C", "cse-in/kept", ty=CIN, pc={"m2m:cin": {"con": "%d" % i}}) for i in range(20)]
            wait_for("the broker to have them all", lambda: ae.published == 20)
            with cse:
                assert all(a.result()["rsc"] == 2001 for a in asked)
                assert cse.client().must(2000, "R", "cse-in/kept").resource["cni"] == 20
        assert ae.again == 0, "nobody had to ask again"
    finally:
        broker.remove()
        shutil.rmtree(folder)
    print("20 requests to a CSE that was away: the broker kept them")


# a broker in somebody's point of access takes what is sent to it, and that is all
class Liar:
    """Answers a CSE as a broker does, and then gives it a request that it never subscribed to."""

    def __init__(self, topic, request):
        self.server, self.told, self.message = socket.create_server(("127.0.0.1", 0)), threading.Event(), mqtt.text(topic) + request
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        c = mqtt.Connection.__new__(mqtt.Connection)
        c.socket, c.lock = self.server.accept()[0], threading.Lock()
        try:
            while True:
                kind, _, body = c.read()
                if kind == mqtt.PUBLISH:
                    n = int.from_bytes(body[:2], "big")
                    rsp = json.dumps({"rsc": 2000, "rqi": json.loads(body[4 + n:])["rqi"]}).encode()
                    c.send(mqtt.PUBACK, 0, body[2 + n:4 + n])
                    c.send(mqtt.PUBLISH, 0, mqtt.text("/oneM2M/resp/id-in/Cx/json") + rsp)
                elif kind == mqtt.CONNECT:
                    c.send(mqtt.CONNACK, 0, b"\0\0")
                elif kind == mqtt.SUBSCRIBE:
                    c.send(mqtt.SUBACK, 0, body[:2] + b"\1")
                    c.send(mqtt.PUBLISH, 0, self.message)
                    c.send(mqtt.PUBLISH, 2, mqtt.text("/none/of/oneM2M") + b"\0\1")
                elif kind == mqtt.PUBACK:  # of the second: the first has been dealt with
                    self.told.set()
        except OSError:
            pass


def stranger(s, c):
    cnt = container(c, "stranger")
    rqp = {"op": 1, "to": cnt, "fr": "CAdmin", "rqi": "lie", "rvi": "3", "ty": CIN, "pc": {"m2m:cin": {"con": "a lie"}}}
    liar = Liar("/oneM2M/req/id-in:CAdmin/id-in/json", json.dumps(rqp).encode())
    url = "mqtt://127.0.0.1:%d/oneM2M/req/id-in/Cx/json" % liar.server.getsockname()[1]
    ok(c.request("C", cnt, ty=SUB, pc={"m2m:sub": {"rn": "s", "nu": [url], "enc": {"net": [3]}}}), 2001)
    assert liar.told.wait(60), "the CSE has dealt with what it was given"
    liar.server.close()
    assert contents(c, cnt) == {}
    print("a broker that was only to take a notification can ask for nothing")


# who may be who
def sign(p, name, identity):
    """A certificate by the plant's CA."""
    base = os.path.join(p.dir, name)
    with open(base + ".ext", "w") as f:
        f.write("subjectAltName=DNS:%s\nkeyUsage=critical,digitalSignature\n" % identity)
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout", base + ".key", "-out", base + ".csr"],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", base + ".csr", "-CA", p.plant + "/tls/ca.pem", "-CAkey", p.plant + "/tls/ca.key", "-CAcreateserial", "-days", "2",
                    "-extfile", base + ".ext", "-out", base + ".pem"], check=True, capture_output=True)
    return base


PATTERNS = ("write /oneM2M/req/%s/+/#", "write /oneM2M/resp/+/%s/#", "write /oneM2M/reg_req/%s/+/#", "write /oneM2M/reg_resp/+/%s/#",
            "read /oneM2M/req/+/%s/#", "read /oneM2M/reg_req/+/%s/#", "read /oneM2M/resp/%s/#", "read /oneM2M/reg_resp/%s/#")
CREDENTIALS = ("12-sensor@keyway.example", "12-other@keyway.example")
KEYS = {"id-in": "00112233445566778899aabbccddeeff", "id-mn": "ffeeddccbbaa99887766554433221100"}


def secure_broker(p):
    """One listener for certificates, one for pre-shared keys; who connects is known by the name in either, and may speak for that name alone."""
    base, ports = sign(p, "broker", "broker.keyway.example"), [mqtt_client.free_port() for _ in range(2)]
    with open(p.dir + "/acl", "w") as f:
        f.writelines("pattern %s\n" % (line % "%u") for line in PATTERNS)  # pre-shared keys are named by the CSE-ID
        f.write("\nuser operator\n" + "".join("topic write /oneM2M/reg_req/%s/id-in/#\ntopic read /oneM2M/reg_resp/%s/id-in/#\n" % (c, c) for c in CREDENTIALS))
        for user, an_id in (("in-cse", "id-in"), ("mn-cse", "id-mn"), ("operator", "id-in:CAdmin")):
            f.write("\nuser %s\n" % user + "".join("topic %s\n" % (line % an_id) for line in PATTERNS))
    with open(p.dir + "/keys", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.writelines("%s:%s\n" % k for k in KEYS.items())
    os.chmod(p.dir, 0o755)
    return mqtt_client.Broker(lines=["allow_anonymous false", "acl_file %s/acl" % p.dir,
                                     "listener %d 127.0.0.1" % ports[0], "cafile %s/tls/ca.pem" % p.plant, "certfile %s.pem" % base, "keyfile %s.key" % base,
                                     "require_certificate true", "use_identity_as_username true",
                                     "listener %d 127.0.0.1" % ports[1], "psk_hint keyway", "psk_file %s/keys" % p.dir, "use_identity_as_username true"]), ports


def configure(p, port, more):
    for name in ("in-cse", "mn-cse"):
        with open("%s/%s.ini" % (p.plant, name)) as f:
            text = f.read().split("\n[mqtt]")[0]
        with open("%s/%s.ini" % (p.plant, name), "w") as f:
            if name == "mn-cse":
                text = "".join("url = mqtts://127.0.0.1:%d\n" % port if line.startswith("url =") else line for line in text.splitlines(True))
            f.write(text + "\n[mqtt]\nbroker = mqtts://127.0.0.1:%d\ntrust_topics = yes\n%s\n" % (port, more.format("id-in" if name == "in-cse" else "id-mn")))


def start(p):
    for role in ("in-cse", "mn-cse"):
        p.start(role, program("keyway-cse"), "--config", os.path.join(p.plant, role + ".ini")).wait_line(" ready")
    p.processes["mn-cse"].wait_line(" registered")
    assert p.get("/id-mn/cse-mn")["m2m:cb"]["csi"] == "/id-mn", "reached through the broker"


def stop(p):
    for role in ("mn-cse", "in-cse"):
        p.processes[role].kill(signal.SIGTERM)


def operator(p, port):
    """A connection by the operator's certificate, and where its answers are."""
    tls, box = ssl.create_default_context(cafile=p.plant + "/tls/ca.pem"), queue.Queue()
    tls.load_cert_chain(p.plant + "/tls/operator.pem", p.plant + "/tls/operator.key")
    return mqtt.Connection("127.0.0.1", port, "A::%d" % next(numbers), lambda t, payload: box.put(json.loads(payload)),
                           wrap=lambda s: tls.wrap_socket(s, server_hostname="broker.keyway.example")), box


def registration_by_credential(p, port):
    m, box = operator(p, port)
    m.subscribe("/oneM2M/resp/id-in:CAdmin/#", *("/oneM2M/reg_resp/%s/id-in/#" % c for c in CREDENTIALS))

    def ask(topic, rsc, **rqp):
        rqp = {"op": 1, "to": "cse-in", "rqi": "c%d" % next(numbers), "rvi": "3", **rqp}
        m.publish("/oneM2M/%s/id-in/json" % topic, json.dumps(rqp).encode())
        answer = box.get(timeout=60)
        assert answer["rsc"] == rsc and answer["rqi"] == rqp["rqi"], (rqp, answer)
        return answer.get("pc")
    me = "req/id-in:CAdmin"
    ask(me, 2001, fr="CAdmin", ty=19, pc={"m2m:asar": {"rn": "rule", "apci": ["12-sensor@*"], "aai": ["Nsensor"]}})
    ask(me, 2001, fr="CAdmin", ty=11, pc={"m2m:mssp": {"rn": "profile"}})
    ask(me, 2001, fr="CAdmin", ty=20, to="cse-in/profile", pc={"m2m:svsn": {"ni": "n", "csi": "/id-in", "rlk": ["cse-in/rule"]}})
    ae = {"m2m:ae": {"api": "Nsensor", "rr": False, "srv": ["3"]}}
    ask("reg_req/" + CREDENTIALS[1], 4106, fr="C", ty=AE, pc=ae)
    given = ask("reg_req/" + CREDENTIALS[0], 2001, fr="C", ty=AE, pc=ae)["m2m:ae"]["aei"]
    assert given.startswith("C"), given
    again = {"fr": "C", "ty": AE, "pc": ae, "rqi": "again"}
    assert len({ask("reg_req/" + CREDENTIALS[0], 2001, **again)["m2m:ae"]["aei"] for _ in range(2)}) == 1, "a registration that repeats is one"
    m.close()
    print("a Credential-ID in a registration topic: the rules of the service subscription decide")


def one_request(p, port, topic, fr):
    """By the operator's certificate; the response status code, or None when no answer comes."""
    m, box = operator(p, port)
    try:
        m.subscribe("/oneM2M/resp/id-in:CAdmin/#")
        for rqi, to, who in (("asked", topic, fr), ("last", "id-in:CAdmin", "/id-in/CAdmin")):
            m.publish("/oneM2M/req/%s/id-in/json" % to, json.dumps({"op": 2, "to": "cse-in", "fr": who, "rqi": rqi, "rvi": "3"}).encode())
        answers = {}
        while "last" not in answers:  # in the order of the requests
            p = box.get(timeout=60)
            answers[p["rqi"]] = p["rsc"]
        assert answers["last"] == 2000, answers
        return answers.get("asked")
    except ConnectionError:  # what the broker does with who publishes what it may not
        return None
    finally:
        m.close()


def secure():
    with Plant() as p:
        broker, (port, psk_port) = secure_broker(p)
        try:
            configure(p, port, "identity = broker.keyway.example")
            start(p)
            assert one_request(p, port, "id-in:CAdmin", "/id-in/CAdmin") == 2000
            assert one_request(p, port, "id-in:CAdmin", "CAdmin") == 2000
            assert one_request(p, port, "id-in:CAdmin", "/id-in/Cother") == 4106, "From must be the topic's"
            assert one_request(p, port, "id-mn", "/id-mn/Cother") is None, "the broker lets nobody speak for others"
            registration_by_credential(p, port)
            stop(p)
            print("certificates: two CSEs register through the broker; a topic is its owner's, and so is From")
            configure(p, psk_port, "psk_identity = {0}\npsk_file = %s/keys" % p.dir)
            start(p)
            stop(p)
            print("pre-shared keys: likewise")
            configure(p, port, "identity = other.keyway.example")
            c = p.start("in-cse", program("keyway-cse"), "--config", p.plant + "/in-cse.ini")
            c.wait_line("mqtt broker not reached")
            assert "mqtt connected" not in c.text()
            print("a broker with another identity gets nothing")
        finally:
            broker.remove()


def passwords():
    """User name and password out of the store of credentials, over TLS that shows no certificate of ours."""
    with Plant() as p:
        store, good = p.plant + "/in-cse", "correct horse battery staple"

        def give(text, *words):
            p.keyway("credentials", "add", "in@broker.keyway.example", "--kind", "password", "--state", store, *words, plant=False, stdin=text + "\n")
        base, port = sign(p, "broker", "broker.keyway.example"), mqtt_client.free_port()
        subprocess.run(["mosquitto_passwd", "-b", "-c", p.dir + "/passwords", "in-cse", good], check=True)
        os.chmod(p.dir, 0o755)
        broker = mqtt_client.Broker(lines=["allow_anonymous false", "password_file %s/passwords" % p.dir, "listener %d 127.0.0.1" % port,
                                           "cafile %s/tls/ca.pem" % p.plant, "certfile %s.pem" % base, "keyfile %s.key" % base, "require_certificate false"])
        try:
            with open(p.plant + "/in-cse.ini", "a") as f:
                f.write("\n[mqtt]\nbroker = mqtts://127.0.0.1:%d\nidentity = broker.keyway.example\nuser = in-cse\npassword = in@broker.keyway.example\n" % port)
            c = p.start("in-cse", program("keyway-cse"), "--config", p.plant + "/in-cse.ini")
            c.wait_line("there is no password for the broker, or it has expired")
            give("another one that is wrong")
            c.kill(signal.SIGTERM)
            c = p.start("in-cse", program("keyway-cse"), "--config", p.plant + "/in-cse.ini")
            c.wait_line("mqtt broker not reached", 30)
            assert "no password" not in c.text() and "mqtt connected" not in c.text(), c.text()
            give(good, "--replace")  # it is read at each connection
            c.wait_line("mqtt connected")
            c.kill(signal.SIGTERM)
            log = c.text(True)
            r = p.keyway("credentials", "add", "short@broker.keyway.example", "--kind", "password", "--state", store, plant=False, check=False, stdin="short")
            assert r.returncode == 1 and "16 to 64 octets" in r.stderr, r.stderr
            for root, _, files in os.walk(store):
                for name in files:
                    with open(os.path.join(root, name), "rb") as f:
                        assert good.encode() not in f.read(), name
            assert good not in log
        finally:
            broker.remove()
        print("name and password: of the store, by TLS, and nowhere else")


def main():
    tables.load()
    broker = mqtt_client.Broker()
    s = server.Server(PROGRAM, "--mqtt", broker.url)
    try:
        s.until("mqtt connected")  # the broker drops what is for those that it does not know yet
        foreign(s, broker, client.Client(s.url))
        older(s, broker, client.Client(s.url))
        stranger(s, client.Client(s.url))
    finally:
        died = s.stop()
        broker.remove()
    assert died is None, "the CSE survived"
    folder = tempfile.mkdtemp(prefix="keyway-mqtt-")
    os.chmod(folder, 0o755)
    try:
        faults(folder)
    finally:
        shutil.rmtree(folder)
    between_cses()
    away()
    secure()
    passwords()


if __name__ == "__main__":
    main()
