"""WebSockets (RFC 6455) in Python, for tests: client and server over TCP, written from the RFC and from nothing of Keyway's.

    w = connect("127.0.0.1", 8080, ["oneM2M.json"])
    w.send(b"{}")                  # binary=True for a binary frame
    binary, octets = w.receive()   # None when it was closed; pings are answered by themselves

    Server(handler)                # handler(socket, path, protocol) in a thread of its own for each connection"""
import base64
import hashlib
import os
import socket
import struct
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(OSError):
    def __init__(self, status, head):
        super().__init__("the handshake was answered with %d" % status)
        self.status, self.head = status, head


class WebSocket:
    def __init__(self, sock, masks, rest=b"", protocol=None):
        self.socket, self.masks, self.rest, self.protocol, self.code = sock, masks, rest, protocol, None
        self.lock = threading.Lock()

    def take(self, n):
        while len(self.rest) < n:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError("the connection ended")
            self.rest += more
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def frame(self, opcode, payload, fin=True):
        n = len(payload)
        bit = 0x80 if self.masks else 0
        head = bytes([(0x80 if fin else 0) | opcode])
        head += bytes([bit | n]) if n < 126 else bytes([bit | 126]) + struct.pack(">H", n) if n < 65536 else bytes([bit | 127]) + struct.pack(">Q", n)
        if self.masks:
            mask = os.urandom(4)
            long = mask * (n // 4 + 1)
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(long[:n], "big")).to_bytes(n, "big")
            head += mask
        with self.lock:
            self.socket.sendall(head + payload)

    def send(self, octets, binary=False):
        self.frame(BINARY if binary else TEXT, octets)

    def read_frame(self):
        a, b = self.take(2)
        n = b & 0x7F
        n = struct.unpack(">H", self.take(2))[0] if n == 126 else struct.unpack(">Q", self.take(8))[0] if n == 127 else n
        if bool(b & 0x80) == self.masks:
            raise ConnectionResetError("a frame is masked, or not, against the rule")
        mask = self.take(4) if b & 0x80 else None
        payload = self.take(n)
        if mask:
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes((mask * (n // 4 + 1))[:n], "big")).to_bytes(n, "big")
        return bool(a & 0x80), a & 15, payload

    def receive(self):
        message, kind = b"", None
        while True:
            fin, opcode, payload = self.read_frame()
            if opcode == PING:
                self.frame(PONG, payload)
            elif opcode == CLOSE:
                self.code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                try:
                    self.frame(CLOSE, payload[:2])
                except OSError:
                    pass
                return None
            elif opcode != PONG:
                kind = opcode or kind
                message += payload
                if fin:
                    return kind == BINARY, message

    def close(self):
        """Without a word."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def read_head(sock):
    octets = b""
    while b"\r\n\r\n" not in octets:
        more = sock.recv(65536)
        if not more or len(octets) > 65536:
            raise ConnectionResetError("the connection ended in the handshake")
        octets += more
    head, rest = octets.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    return lines[0], {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}, rest


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def connect(host, port, protocols, timeout=15, path="/", headers=(), tls=None):
    sock = socket.create_connection((host, port), timeout)
    try:
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=host)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        given = dict(headers)
        own = {"Host": "%s:%d" % (host, port), "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": ", ".join(protocols)}
        lines = ["GET %s HTTP/1.1" % path] + ["%s: %s" % kv for kv in {**own, **given}.items() if kv[1] is not None]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        first, head, rest = read_head(sock)
        status = int(first.split()[1])
        if status != 101 or head.get("sec-websocket-accept") != accept_of(given.get("Sec-WebSocket-Key", key)):
            raise Refused(status, head)
        return WebSocket(sock, True, rest, head.get("sec-websocket-protocol"))
    except BaseException:
        sock.close()
        raise


class Server:
    def __init__(self, handler, protocols=("oneM2M.json", "oneM2M.cbor", "oneM2M.xml")):
        self.handler, self.protocols, self.open = handler, protocols, set()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first, head, rest = read_head(sock)
            offered = [p.strip() for p in head.get("sec-websocket-protocol", "").split(",")]
            chosen = next((p for p in offered if p in self.protocols), None)
            if "websocket" not in head.get("upgrade", "").lower() or chosen is None or head.get("sec-websocket-version") != "13":
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return
            sock.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n" % (
                accept_of(head["sec-websocket-key"]), chosen)).encode())
            w = WebSocket(sock, False, rest, chosen)
            self.open.add(w)
            try:
                self.handler(w, first.split()[1], chosen)
            finally:
                self.open.discard(w)
        except (OSError, ValueError, KeyError):
            pass
        finally:
            sock.close()

    def close(self):
        self.socket.close()
        for w in list(self.open):
            w.close()
