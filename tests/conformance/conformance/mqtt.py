"""An MQTT 3.1.1 client in Python, for tests: QoS 0 and 1, one connection, no reconnection by itself.

    m = Connection("127.0.0.1", 1883, "id", on_message)     # on_message(topic, payload), in the thread that reads
    m.subscribe("/a/#")
    m.publish("/a/b", b"octets")                           # QoS 1; returns when the broker has it"""
import itertools
import select
import socket
import ssl
import struct
import threading

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14


def text(s):
    b = s.encode() if isinstance(s, str) else s
    return struct.pack(">H", len(b)) + b


def packet(kind, flags, body):
    n, length = len(body), b""
    while True:
        n, low = n >> 7, n & 0x7F
        length += bytes([low | (0x80 if n else 0)])
        if not n:
            return bytes([kind << 4 | flags]) + length + body


class Tls:
    """One thread reads and another writes, which an ssl.SSLSocket by itself does not bear."""

    def __init__(self, s):
        self.socket, self.lock = s, threading.Lock()
        s.setblocking(False)

    def recv(self, n):
        while True:
            with self.lock:
                try:
                    return self.socket.recv(n)
                except ssl.SSLWantReadError:
                    pass
            select.select([self.socket], [], [], 0.5)

    def sendall(self, octets):
        while octets:
            with self.lock:
                try:
                    octets = octets[self.socket.send(octets):]
                    continue
                except ssl.SSLWantWriteError:
                    pass
            select.select([], [self.socket], [], 0.5)

    def settimeout(self, _):
        pass

    def shutdown(self, how):
        self.socket.shutdown(how)

    def close(self):
        with self.lock:
            self.socket.close()


class Connection:
    def __init__(self, host, port, client_id, on_message=None, clean=True, timeout=30, wrap=None, acknowledge=True):
        self.on_message, self.timeout, self.acknowledge = on_message, timeout, acknowledge
        self.ids, self.waiting, self.lock, self.ended = itertools.count(1), {}, threading.Lock(), False
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap:
            self.socket = Tls(wrap(self.socket))
        self.send(CONNECT, 0, text("MQTT") + bytes([4, 2 if clean else 0]) + struct.pack(">H", 0) + text(client_id))
        kind, _, body = self.read()
        if kind != CONNACK or body[1] != 0:
            raise ConnectionRefusedError("the broker refuses the connection: %r" % (body,))
        self.session_present = body[0] == 1
        self.socket.settimeout(None)
        threading.Thread(target=self.receive, daemon=True).start()

    def send(self, kind, flags, body):
        with self.lock:
            self.socket.sendall(packet(kind, flags, body))

    def exactly(self, n):
        got = b""
        while len(got) < n:
            chunk = self.socket.recv(n - len(got))
            if not chunk:
                raise ConnectionError("the broker closed the connection")
            got += chunk
        return got

    def read(self):
        first, length, shift = self.exactly(1)[0], 0, 0
        while True:
            b = self.exactly(1)[0]
            length |= (b & 0x7F) << shift
            shift += 7
            if not b & 0x80:
                break
        return first >> 4, first & 15, self.exactly(length)

    def receive(self):
        try:
            while True:
                kind, flags, body = self.read()
                if kind == PUBLISH:
                    n = struct.unpack(">H", body[:2])[0]
                    topic, rest = body[2:2 + n].decode(errors="replace"), body[2 + n:]
                    if flags & 6:
                        if self.acknowledge:
                            self.send(PUBACK, 0, rest[:2])
                        rest = rest[2:]
                    if self.on_message:
                        self.on_message(topic, rest)
                elif kind in (PUBACK, SUBACK):
                    w = self.waiting.pop(struct.unpack(">H", body[:2])[0], None)
                    if w:
                        w[1] = body[2:]
                        w[0].set()
        except (OSError, ValueError):
            self.ended = True
            for w in list(self.waiting.values()):
                w[0].set()

    def ask(self, kind, flags, head, body):
        mid = next(self.ids) % 65535 + 1
        w = self.waiting[mid] = [threading.Event(), None]
        if self.ended:
            raise ConnectionError("the connection has ended")
        self.send(kind, flags, head + struct.pack(">H", mid) + body)
        if not w[0].wait(self.timeout) or w[1] is None:
            raise ConnectionError("the broker did not acknowledge")
        return w[1]

    def subscribe(self, *filters):
        codes = self.ask(SUBSCRIBE, 2, b"", b"".join(text(f) + b"\1" for f in filters))
        if any(c > 1 for c in codes):
            raise PermissionError("the broker refuses a subscription: %r" % codes)

    def publish(self, topic, payload, qos=1):
        if qos:
            self.ask(PUBLISH, 2, text(topic), payload)
        else:
            self.send(PUBLISH, 0, text(topic) + payload)

    def close(self):
        try:
            self.send(DISCONNECT, 0, b"")
        except OSError:
            pass
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
