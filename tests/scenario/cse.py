"""One CSE for scenario tests: the real program as a test bench in a folder of its own, and a client that keeps its connection and speaks raw HTTP, so
that a test also sees what a well-behaved library would hide."""
import atexit
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

from plant import PATIENCE, program

ADMIN = "CAdmin"
running = set()


@atexit.register
def end_all():
    """A test that fails leaves no process behind."""
    for p in running:
        p.kill()
        p.wait()


class Cse:
    """keyway-cse --testbench with its store in `state`. start() returns when it is ready; the port changes with each start."""

    def __init__(self, state, *options, wrap=()):
        self.state, self.options, self.wrap = state, options, wrap
        self.log = state.rstrip("/") + ".log"
        self.popen = None

    def start(self, patience=PATIENCE):
        argv = [*self.wrap, program("keyway-cse"), "--testbench", "--port", "0", "--state", self.state, *self.options]
        read, write = os.pipe()
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=write, stderr=write)
        running.add(self.popen)
        self.popen.said = lambda: self.said.decode(errors="replace")
        os.close(write)
        self.said = b""
        self.output, text, end = read, b"", time.monotonic() + patience
        while True:
            self.said = text
            ready = re.search(rb" ready .*http=(\d+) .*admin=(\d+)", text)
            if ready:
                break
            if time.monotonic() > end or not select.select([read], [], [], patience)[0]:
                raise AssertionError("keyway-cse is not ready after %d s: %r" % (patience, text))
            chunk = os.read(read, 65536)
            if not chunk:
                os.close(read)
                raise AssertionError("keyway-cse ended with status %s before it was ready: %s" % (self.popen.wait(), text.decode()))
            text += chunk
        self.port, self.admin_port = int(ready.group(1)), int(ready.group(2))
        return self

    def ended(self):
        """What the process said until it ended."""
        end = time.monotonic() + PATIENCE
        while True:
            if not select.select([self.output], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("keyway-cse does not end: " + self.said[-3000:].decode(errors="replace"))
            chunk = os.read(self.output, 65536)
            if not chunk:
                break
            self.said += chunk
        os.close(self.output)
        status = self.popen.wait()
        running.discard(self.popen)
        self.popen = None
        return status, self.said.decode(errors="replace")

    def kill(self, how=signal.SIGKILL):
        self.popen.send_signal(how)
        return self.ended()

    def stop(self):
        status, said = self.kill(signal.SIGTERM)
        assert status == 0, "keyway-cse ended with status %d: %s" % (status, said[-3000:])

    def memory(self, what="VmHWM"):
        """Octets, by /proc/PID/status: VmHWM the most that was resident, VmRSS what is now."""
        with open("/proc/%d/status" % self.popen.pid) as f:
            return int(re.search(r"^%s:\s+(\d+) kB" % what, f.read(), re.M).group(1)) * 1024

    def client(self, **kw):
        return Client(self.port, **kw)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if self.popen:
            if kind is None:
                self.stop()
            else:
                print(self.kill()[1][-3000:])


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.octets = status, headers, body
        self.rsc = int(headers.get("x-m2m-rsc", 0))
        try:
            self.body = json.loads(body) if body else None
        except ValueError:
            self.body = None

    @property
    def debug(self):
        return self.body.get("m2m:dbg", "") if isinstance(self.body, dict) else ""

    @property
    def resource(self):
        return next(iter(self.body.values()))

    def __str__(self):
        return "HTTP %d, %d: %s" % (self.status, self.rsc, self.octets[:400].decode(errors="replace"))


class Gone(Exception):
    """The connection ended before a whole answer came."""


class Client:
    METHOD = {"C": "POST", "R": "GET", "U": "PUT", "D": "DELETE", "N": "POST"}

    def __init__(self, port, originator=ADMIN, timeout=60):
        self.port, self.originator, self.timeout = port, originator, timeout
        self.socket = None
        self.numbers = 0

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def head(self, op, to, ty=None, length=0, fr=None, headers=""):
        self.numbers += 1
        who = self.originator if fr is None else fr
        path = "/~" + to if to.startswith("/") else "/" + to
        return ("%s %s HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: %s\r\nX-M2M-RI: %d\r\nX-M2M-RVI: 4\r\n%s%s%s\r\n" % (
            self.METHOD[op], path, who, self.numbers, "Content-Type: application/json%s\r\n" % (";ty=%d" % ty if ty else "") if length or ty else "",
            "Content-Length: %d\r\n" % length if length or op in "CUN" else "", headers)).encode()

    def send(self, octets):
        if not self.socket:
            self.connect()
        try:
            self.socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone()

    def receive(self):
        """The next answer; Gone when the connection ends first."""
        try:
            while b"\r\n\r\n" not in self.rest:
                self.more()
            head, self.rest = self.rest.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            while len(self.rest) < length:
                self.more()
        except ConnectionResetError:
            raise Gone()
        body, self.rest = self.rest[:length], self.rest[length:]
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(lines[0].split()[1]), headers, body)

    def more(self):
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise Gone()
        self.rest += chunk

    def request(self, op, to, body=None, ty=None, fr=None, headers=""):
        """`body` is octets, or what json.dumps takes."""
        octets = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(self.head(op, to, ty, len(octets), fr, headers) + octets)
        return self.receive()

    def create(self, to, ty, body, **kw):
        return self.request("C", to, body, ty, **kw)

    def retrieve(self, to, **kw):
        return self.request("R", to, **kw)

    def update(self, to, body, **kw):
        return self.request("U", to, body, **kw)

    def delete(self, to, **kw):
        return self.request("D", to, **kw)

    def must(self, rsc, op, to, *args, **kw):
        a = self.request(op, to, *args, **kw)
        assert a.rsc == rsc, "%s %s: %d wanted, got %s" % (op, to, rsc, a)
        return a
