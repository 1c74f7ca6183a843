"""A CoAP endpoint (RFC 7252, RFC 7959) in Python, for tests: client and server over UDP, written from the RFCs and from nothing of Keyway's.

    e = Endpoint(handler)                     # handler(Message) -> (code, options, payload) or None for silence; runs in a thread of its own
    m = e.request(address, GET, [(URI_PATH, b"cse-in")], timeout=15)
    m.code, m.options, m.payload

Options are a list of (number, octets). Bodies go and come in blocks by themselves."""
import itertools
import os
import random
import socket
import struct
import threading
import time

GET, POST, PUT, DELETE = 1, 2, 3, 4
CON, NON, ACK, RST = 0, 1, 2, 3
URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT, LOCATION_PATH, BLOCK2, BLOCK1 = 11, 12, 15, 17, 8, 23, 27
CONTINUE = 0x5F
BLOCK = 1024
ACK_TIMEOUT, RETRANSMISSIONS = 2.0, 4
PROCESSING = 0.7  # seconds until an empty acknowledgement


def code(text):
    """code("4.04") is 0x84."""
    a, b = text.split(".")
    return int(a) << 5 | int(b)


def uint(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


def block(number, more, szx):
    return uint(number << 4 | (8 if more else 0) | szx)


class Message:
    def __init__(self, type_, code_, mid, token=b"", options=(), payload=b""):
        self.type, self.code, self.mid, self.token, self.options, self.payload = type_, code_, mid, token, list(options), payload
        self.peer = None

    def all(self, number):
        return [v for n, v in self.options if n == number]

    def get(self, number):
        values = self.all(number)
        return values[0] if values else None

    def number(self, number):
        v = self.get(number)
        return None if v is None else int.from_bytes(v, "big")

    def block(self, number):
        """(number, more, szx) or None."""
        v = self.number(number)
        return None if v is None else (v >> 4, bool(v & 8), v & 7)

    def encode(self):
        out = [bytes([1 << 6 | self.type << 4 | len(self.token), self.code]), struct.pack(">H", self.mid), self.token]
        last = 0
        for number, value in sorted(self.options, key=lambda o: o[0]):
            def extended(n):
                return (n, b"") if n < 13 else (13, bytes([n - 13])) if n < 269 else (14, struct.pack(">H", n - 269))
            (d, de), (n, ne) = extended(number - last), extended(len(value))
            out += [bytes([d << 4 | n]), de, ne, value]
            last = number
        if self.payload:
            out += [b"\xff", self.payload]
        return b"".join(out)

    @staticmethod
    def decode(octets):
        head, c, mid = octets[0], octets[1], struct.unpack(">H", octets[2:4])[0]
        if head >> 6 != 1 or head & 15 > 8:
            raise ValueError("not a CoAP message")
        at = 4 + (head & 15)
        m = Message(head >> 4 & 3, c, mid, octets[4:at])
        number = 0
        while at < len(octets):
            if octets[at] == 0xFF:
                m.payload = octets[at + 1:]
                break
            delta, length = octets[at] >> 4, octets[at] & 15
            at += 1

            def extended(n, at):
                if n == 13:
                    return octets[at] + 13, at + 1
                if n == 14:
                    return struct.unpack(">H", octets[at:at + 2])[0] + 269, at + 2
                if n == 15:
                    raise ValueError("reserved")
                return n, at
            delta, at = extended(delta, at)
            length, at = extended(length, at)
            number += delta
            m.options.append((number, octets[at:at + length]))
            at += length
        return m


class Lost(OSError):
    """Nobody answered in time."""


class Waiting:
    def __init__(self):
        self.event, self.acknowledged, self.answer, self.rejected = threading.Event(), threading.Event(), None, False


class Endpoint:
    def __init__(self, handler=None, host="127.0.0.1", port=0):
        self.handler = handler
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((host, port))
        self.port = self.socket.getsockname()[1]
        self.lock = threading.Lock()
        self.mids = itertools.count(random.randrange(65536))
        self.by_token, self.by_mid, self.remembered, self.bodies, self.answers = {}, {}, {}, {}, {}
        self.closed = False
        threading.Thread(target=self.receive, daemon=True).start()

    def close(self):
        self.closed = True
        self.socket.close()

    # what arrives
    def receive(self):
        while not self.closed:
            try:
                octets, peer = self.socket.recvfrom(65536)
            except ConnectionRefusedError:
                continue
            except OSError:
                return
            try:
                m = Message.decode(octets)
            except (ValueError, IndexError, struct.error):
                continue
            m.peer = peer
            try:
                self.arrived(m, octets)
            except OSError:
                pass

    def arrived(self, m, octets):
        if m.type in (ACK, RST):
            with self.lock:
                w = self.by_mid.pop((m.peer, m.mid), None)
            if w:
                w.acknowledged.set()
                if m.type == RST:
                    w.rejected = True
                    w.event.set()
                elif m.code:
                    w.answer = m
                    w.event.set()
        elif m.code == 0:
            self.socket.sendto(Message(RST, 0, m.mid).encode(), m.peer)
        elif m.code < 32:
            self.asked(m, octets)
        else:
            with self.lock:
                w = self.by_token.get(m.token)
            if m.type == CON:
                self.socket.sendto(Message(ACK if w else RST, 0, m.mid).encode(), m.peer)
            if w:
                w.acknowledged.set()
                w.answer = m
                w.event.set()

    def asked(self, m, octets):
        key = (m.peer, m.mid, octets)
        with self.lock:
            if key in self.remembered:
                again = self.remembered[key]
                if again:
                    self.socket.sendto(again, m.peer)
                return
            self.remembered[key] = None
            if len(self.remembered) > 20000:
                self.remembered.pop(next(iter(self.remembered)))
        if self.handler is None:
            self.socket.sendto(Message(RST, 0, m.mid).encode(), m.peer)
            return
        threading.Thread(target=self.handle, args=(m, key), daemon=True).start()

    def handle(self, m, key):
        state = {"acknowledged": False, "answered": False}
        lock = threading.Lock()

        def acknowledge():
            with lock:
                if not state["answered"] and not state["acknowledged"] and m.type == CON:
                    state["acknowledged"] = True
                    self.remembered[key] = Message(ACK, 0, m.mid).encode()
                    self.socket.sendto(self.remembered[key], m.peer)
        timer = threading.Timer(PROCESSING, acknowledge)
        timer.start()
        try:
            answer = self.answer_of(m)
        finally:
            timer.cancel()
        if answer is None:
            acknowledge()
            return
        c, options, payload = answer
        with lock:
            state["answered"] = True
        if state["acknowledged"]:
            self.confirm(Message(CON, c, self.mid(), m.token, options, payload), m.peer, Waiting(), None)
            return
        out = Message(ACK if m.type == CON else NON, c, m.mid if m.type == CON else self.mid(), m.token, options, payload).encode()
        self.remembered[key] = out
        self.socket.sendto(out, m.peer)

    def answer_of(self, m):
        """Puts blocks together, and answers in blocks."""
        options = [o for o in m.options if o[0] not in (BLOCK1, BLOCK2, 60)]
        key = (m.peer, m.code, tuple(options))
        b1, b2 = m.block(BLOCK1), m.block(BLOCK2)
        extra = []
        if b2 and b2[0] > 0:
            stored = self.answers.get(key)
            if stored is None:
                return code("4.08"), [], b""
            return self.part(stored, b2[0], b2[2])
        if b1:
            size = 16 << b1[2]
            body = b"" if b1[0] == 0 else self.bodies.get(key)
            if body is None or len(body) != b1[0] * size:
                return code("4.08"), [], b""
            self.bodies[key] = body + m.payload
            if b1[1]:
                return CONTINUE, [(BLOCK1, block(*b1))], b""
            m.payload = self.bodies.pop(key)
            extra = [(BLOCK1, block(b1[0], False, b1[2]))]
        answer = self.handler(m)
        if answer is None:
            return None
        c, o, payload = answer
        stored = (c, list(o) + extra, payload)
        szx = b2[2] if b2 else 6
        if len(payload) > 16 << szx:
            self.answers[key] = stored
            return self.part(stored, 0, szx)
        return stored

    @staticmethod
    def part(stored, number, szx):
        c, options, payload = stored
        size = 16 << szx
        return c, options + [(BLOCK2, block(number, len(payload) > (number + 1) * size, szx))], payload[number * size:(number + 1) * size]

    # what leaves
    def mid(self):
        return next(self.mids) & 0xFFFF

    def confirm(self, m, peer, w, until):
        """Sends until it is acknowledged, or gives up."""
        with self.lock:
            self.by_mid[(peer, m.mid)] = w
        octets, interval = m.encode(), ACK_TIMEOUT * (1 + random.random() / 2)
        for _ in range(1 + RETRANSMISSIONS):
            self.socket.sendto(octets, peer)
            left = interval if until is None else min(interval, max(0, until - time.monotonic()))
            if w.acknowledged.wait(left) or (until is not None and time.monotonic() > until):
                break
            interval *= 2
        with self.lock:
            self.by_mid.pop((peer, m.mid), None)

    def once(self, peer, code_, options, payload, until):
        w, token = Waiting(), os.urandom(4)
        with self.lock:
            self.by_token[token] = w
        try:
            m = Message(CON, code_, self.mid(), token, options, payload)
            self.confirm(m, peer, w, until)
            if not w.event.wait(max(0, until - time.monotonic())):
                raise Lost("no CoAP answer from %s:%d" % peer)
            if w.rejected:
                raise Lost("the message was rejected by %s:%d" % peer)
            return w.answer
        finally:
            with self.lock:
                self.by_token.pop(token, None)

    def request(self, peer, code_, options, payload=b"", timeout=15, szx=6):
        """The answer with its whole body; raises Lost."""
        until, size, sent = time.monotonic() + timeout, 16 << szx, 0
        if len(payload) > size:
            while True:
                more = sent + size < len(payload)
                r = self.once(peer, code_, options + [(BLOCK1, block(sent // size, more, size.bit_length() - 5))], payload[sent:sent + size], until)
                b = r.block(BLOCK1)
                if not more or r.code != CONTINUE or b is None:
                    break
                sent += size
                size = min(size, 16 << b[2])
        else:
            r = self.once(peer, code_, options, payload, until)
        body, b = r.payload, r.block(BLOCK2)
        while b and b[1]:
            r = self.once(peer, code_, options + [(BLOCK2, block(b[0] + 1, False, b[2]))], b"", until)
            n = r.block(BLOCK2)
            if n is None or n[0] * (16 << n[2]) != len(body):
                raise Lost("blocks of the answer do not follow each other")
            body, b = body + r.payload, n
        r.payload = body
        return r
