"""Networks that fail, for scenario tests: connections that are cut in the middle of what they carry, and datagrams that are lost and repeated."""
import random
import socket
import threading


class Cutter:
    """Passes TCP on to a port, and cuts connections when it is told to: where the octets happen to be then. What was passed on is counted."""

    def __init__(self, port):
        self.target, self.pairs, self.cuts, self.passed, self.lock = port, set(), 0, 0, threading.Lock()
        self.every, self.next = None, 0
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                a, _ = self.server.accept()
            except OSError:
                return
            try:
                b = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                a.close()
                continue
            for s in (a, b):
                s.settimeout(None)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.add((a, b))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.pump, args=(x, y, (a, b)), daemon=True).start()

    def cut_every(self, octets):
        """From now on after so many, give or take, in both directions and over all connections; None: no more."""
        self.every, self.next = octets, self.passed + (octets or 0)

    def pump(self, x, y, pair):
        try:
            while (octets := x.recv(4096)):
                with self.lock:
                    before, self.passed = self.passed, self.passed + len(octets)
                    cut = self.every and self.passed >= self.next
                    if cut:
                        keep, self.next = max(0, self.next - before), self.passed + self.every
                if cut:  # a part of a message arrives, perhaps
                    y.sendall(octets[:keep])
                    self.cut(pair)
                    return
                y.sendall(octets)
        except OSError:
            pass
        self.cut(pair, counted=False)

    def cut(self, pair=None, counted=True):
        """All, or one."""
        with self.lock:
            pairs = [p for p in self.pairs if pair in (None, p)]
            self.pairs -= set(pairs)
            self.cuts += len(pairs) if counted else 0
        for p in pairs:
            for s in p:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def close(self):
        self.server.close()
        self.every = None
        self.cut()


class Lossy:
    """Passes UDP on to a port, one datagram in ten lost, one in five twice. Each client has a socket of its own behind it."""

    def __init__(self, port, seed, lose=0.1, repeat=0.2):
        self.target, self.chance, self.lose, self.repeat, self.lost, self.repeated = port, random.Random(seed), lose, repeat, 0, 0
        self.front, self.back, self.closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), {}, False
        self.front.bind(("127.0.0.1", 0))
        self.front.settimeout(0.2)
        self.port = self.front.getsockname()[1]
        threading.Thread(target=self.forwards, daemon=True).start()

    def pass_on(self, d, send):
        if self.chance.random() < self.lose:
            self.lost += 1
            return
        send(d)
        if self.chance.random() < self.repeat:
            self.repeated += 1
            send(d)

    def backwards(self, s, client):
        while not self.closed:
            try:
                self.pass_on(s.recv(65536), lambda d: self.front.sendto(d, client))
            except OSError:
                pass

    def forwards(self):
        while not self.closed:
            try:
                d, client = self.front.recvfrom(65536)
            except OSError:
                continue
            if client not in self.back:
                s = self.back[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(0.2)
                s.connect(("127.0.0.1", self.target))
                threading.Thread(target=self.backwards, args=(s, client), daemon=True).start()
            try:
                self.pass_on(d, self.back[client].send)
            except OSError:
                pass

    def close(self):
        self.closed = True
