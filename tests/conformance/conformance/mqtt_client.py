"""oneM2M over MQTT (TS-0010 V3.1.0), with the interface of client.py. An address is mqtt://broker/CSE: mqtt://127.0.0.1:1883/id-in."""
import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

from . import client, mqtt, primitive, serial


class Silence(OSError):
    """No answer came."""


NAME = "mqtt"


def part(an_id):
    """An ID as part of a topic."""
    if an_id.startswith("//"):
        return ":" + an_id[2:].replace("/", ":")
    return an_id.lstrip("/").replace("/", ":")


def split(url):
    u = urllib.parse.urlsplit(url)
    return u.hostname, u.port or 1883, u.path.strip("/")


class Client:
    def __init__(self, url, timeout=15, serialization="json", wrap=None):
        host, port, self.cse = split(url)
        self.timeout, self.serialization, self.waiting = timeout, serialization, {}
        self.me = "test%d-%d" % (os.getpid(), next(client._numbers))
        self.connection = mqtt.Connection(host, port, "A::" + self.me, self.arrived, wrap=wrap)
        for name in ("resp", "reg_resp"):
            self.connection.subscribe("/oneM2M/%s/+/%s/#" % (name, self.cse))

    def arrived(self, topic, payload):
        parts = topic.split("/")
        try:
            p = primitive.decode(parts[5] if len(parts) > 5 else "json", payload)
        except ValueError:
            return
        box = self.waiting.get((parts[3], p.get("rqi")))
        if box:
            box.put(p)

    def request(self, op, to, fr="CAdmin", ty=None, pc=None, query=(), headers=(), rvi="4", ri=None, raw=None, content_type=None, accept="", patience=None):
        given = ri is not None
        # answers are told apart by originator and request identifier: one that the check chose may be another's too
        ri = "%s-%d" % (self.me, next(client._numbers)) if not given else ri
        who = "%s-%d" % (self.me, next(client._numbers)) if given or not fr else part(fr)
        registration = op == "C" and ty in (2, 16) and fr in (None, "", "C", "S")
        rqp = primitive.request(op, to, fr, ty, pc, query, headers, rvi, ri)
        form = serial.form_of(content_type) or "json" if raw is not None else self.serialization
        typed = re.search(r"ty=(\d+)$", content_type or "")
        if typed:
            rqp["ty"] = int(typed.group(1))
        payload = primitive.encode(form, rqp, "m2m:rqp")
        if raw is not None:
            payload = primitive.put_raw(form, payload, raw)
        key = (who, ri)
        box = self.waiting[key] = queue.Queue()
        try:
            self.connection.publish("/oneM2M/%s/%s/%s/%s" % ("reg_req" if registration else "req", who, self.cse, form), payload)
            r = primitive.response(box.get(timeout=patience or self.timeout), "MQTT %s %s" % (op, to[:200]))
        except queue.Empty:
            raise Silence("no answer to %s %s" % (op, to[:200]))
        finally:
            del self.waiting[key]
        r.request_id = ri
        return r


class Mailbox(client.Mailbox):
    """The topic of an AE follows from its ID: its point of access is the broker."""

    def __init__(self, receiver, url):
        super().__init__(url)
        self.receiver, self.poa = receiver, receiver.base

    def known_as(self, an_id):
        self.receiver.boxes[part(an_id)] = self.receiver.boxes[an_id.rsplit("/", 1)[1]] = self


class Receiver:
    """Somebody who listens under many names at a broker. Addresses have the whole topic as their path."""

    def __init__(self, url=None):
        host, port, _ = split(url or Receiver.url)
        self.boxes, self.base = {}, "mqtt://%s:%d" % (host, port)
        self.connection = mqtt.Connection(host, port, "A::receiver-%d-%d" % (os.getpid(), next(client._numbers)), self.arrived)
        self.connection.subscribe("/oneM2M/req/+/+/#")

    def arrived(self, topic, payload):
        parts = topic.split("/")
        box = self.boxes.get(parts[4])
        if box:
            threading.Thread(target=self.serve, args=(box, parts, payload), daemon=True).start()

    def serve(self, box, parts, payload):
        form = parts[5] if len(parts) > 5 else "json"
        rqp = primitive.decode(form, payload)
        rsc, content = box.take(primitive.note(rqp, form))
        rsp = primitive.encode(form, primitive.answer(rqp, rsc, content), "m2m:rsp")
        try:
            self.connection.publish("/oneM2M/resp/%s/%s/%s" % (parts[3], parts[4], form), rsp)
        except OSError:
            pass

    def mailbox(self):
        name = "m%d" % next(client._numbers)
        box = self.boxes[name] = Mailbox(self, "%s/oneM2M/req/id-in/%s/json" % (self.base, name))
        return box

    def close(self):
        self.connection.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def closed_url():
    """A broker that is not there."""
    return "mqtt://127.0.0.1:%d" % free_port()


class Broker:
    """A mosquitto on loopback, in a folder of its own."""

    def __init__(self, lines=(), port=None, folder=None):
        self.program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not os.access(self.program, os.X_OK):
            raise FileNotFoundError("no mosquitto: install it, or name a broker")
        self.folder = folder or tempfile.mkdtemp(prefix="keyway-broker-")
        os.chmod(self.folder, 0o755)
        port = port or free_port()
        self.port, self.config = port, os.path.join(self.folder, "mosquitto.conf")
        with open(self.config, "w") as f:
            f.write("\n".join(["listener %d 127.0.0.1" % port, "allow_anonymous true", "max_queued_messages 0", "set_tcp_nodelay true", "user root"] + list(lines)) + "\n")
        self.process = None
        self.start()

    @property
    def url(self):
        return "mqtt://127.0.0.1:%d" % self.port

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen([self.program, "-c", self.config], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("mosquitto did not start:\n" + open(os.path.join(self.folder, "log")).read()[-2000:])
                time.sleep(0.02)

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait()
        self.log.close()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
