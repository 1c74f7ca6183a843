"""An attacker's radio on the simulated air: hears every frame of a channel, and sends what it likes. IEEE 802.15.4, Zigbee's network header, ZEP; no keys."""
import os
import socket
import struct
import time

BROADCAST = 0xFFFF
COORDINATOR = 0x0000
NWK_LEAVE, NWK_REJOIN_REQUEST = 0x04, 0x06


def fcs(octets):
    crc = 0
    for o in octets:
        crc ^= o
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def eui(text):
    """As on air: reversed."""
    return bytes.fromhex(text)[::-1]


class Frame:
    """A frame that was heard: MAC header, and of data what the NWK header has in clear."""

    def __init__(self, psdu):
        self.octets = psdu[:-2]
        fcf, self.sequence = struct.unpack_from("<HB", psdu)
        self.type, self.pending = fcf & 7, bool(fcf & 0x10)
        at = 3
        self.pan = self.destination = self.source = None
        if fcf >> 10 & 3:
            self.pan, = struct.unpack_from("<H", psdu, at)
            at += 2
            self.destination, at = self.address(psdu, at, fcf >> 10 & 3)
        if fcf >> 14 & 3:
            if not fcf & 0x40:
                self.pan, = struct.unpack_from("<H", psdu, at)
                at += 2
            self.source, at = self.address(psdu, at, fcf >> 14 & 3)
        self.payload = psdu[at:-2]

    @staticmethod
    def address(psdu, at, mode):
        return (struct.unpack_from("<H", psdu, at)[0], at + 2) if mode == 2 else (psdu[at:at + 8][::-1].hex(), at + 8)


class Attacker:
    def __init__(self, port, pan, channel=15, now_ms=lambda: time.monotonic() * 1000):
        """now_ms: the clock of those who are attacked."""
        self.now_ms = now_ms
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.pan, self.channel, self.sequence, self.number = pan, channel, os.urandom(1)[0], 0
        self.put(b"")  # tells the air that we are here

    def close(self):
        self.socket.close()

    def put(self, psdu):
        self.number += 1
        self.socket.send(struct.pack(">2sBBBHBBQI10sB", b"EX", 2, 1, self.channel, 99, 1, 200, 0, self.number, bytes(10), len(psdu)) + psdu)

    def raw(self, frame):
        self.put(frame + fcs(frame))

    def hear(self, seconds):
        """Frames, until that time is over."""
        end = self.now_ms() + seconds * 1000
        while self.now_ms() < end:
            self.socket.settimeout(0.005)
            try:
                datagram = self.socket.recv(2048)
            except TimeoutError:
                continue
            if len(datagram) > 34:
                yield Frame(datagram[32:])

    def hear_one(self, what, check, patience=60):
        for f in self.hear(patience):
            if check(f):
                return f
        raise AssertionError("never heard " + what)

    # MAC

    def next(self):
        self.sequence = (self.sequence + 1) & 0xFF
        return self.sequence

    def command(self, source, command, destination=COORDINATOR, ack=True):
        """source: a short address, or the text of an EUI-64, or None."""
        mode = 0 if source is None else 2 if isinstance(source, int) else 3
        to = 3 if isinstance(destination, str) else 2
        fcf = 3 | (0x20 if ack else 0) | (0x40 if mode and destination != BROADCAST else 0) | to << 10 | mode << 14
        head = struct.pack("<HBH", fcf, self.next(), BROADCAST if destination == BROADCAST else self.pan)
        head += eui(destination) if to == 3 else struct.pack("<H", destination)
        if mode and destination == BROADCAST:
            head += struct.pack("<H", BROADCAST)
        head += b"" if mode == 0 else struct.pack("<H", source) if mode == 2 else eui(source)
        self.raw(head + command)

    def beacon_request(self):
        self.command(None, b"\x07", BROADCAST, ack=False)

    def association_request(self, eui64, capability=0x8C):
        fcf = 3 | 0x20 | 2 << 10 | 3 << 14
        self.raw(struct.pack("<HBHH", fcf, self.next(), self.pan, COORDINATOR) + struct.pack("<H", BROADCAST) + eui(eui64) + bytes([1, capability]))

    def data_request(self, short):
        self.command(short, b"\x04")

    def disassociation(self, source):
        self.command(source, b"\x03\x02")

    def orphan(self, eui64):
        self.command(eui64, b"\x06", BROADCAST, ack=False)

    def realignment(self, coordinator, pan, channel, short):
        """In the coordinator's name, to all."""
        fcf = 3 | 2 << 10 | 3 << 14
        self.raw(struct.pack("<HBHHH", fcf, self.next(), BROADCAST, BROADCAST, self.pan) + eui(coordinator) + struct.pack("<BHHBH", 8, pan, COORDINATOR, channel, short))

    def ack(self, sequence):
        self.raw(struct.pack("<HB", 2, sequence))

    def data(self, source, payload, destination=COORDINATOR, sequence=None):
        self.raw(struct.pack("<HBHHH", 0x8861, self.next() if sequence is None else sequence, self.pan, destination, source) + payload)

    # NWK, in clear

    @staticmethod
    def nwk(source, eui64, payload, command=True, destination=COORDINATOR, security=False, frame_type=None):
        fcf = (1 if command else 0 if frame_type is None else frame_type) | 2 << 2 | (0x0200 if security else 0) | (0x1000 if eui64 else 0)
        return struct.pack("<HHHBB", fcf, destination, source, 1, os.urandom(1)[0]) + (eui(eui64) if eui64 else b"") + payload


def sealed(frame):
    """Whether a heard frame is NWK-sealed data or command."""
    return frame.type == 1 and len(frame.payload) > 8 and struct.unpack_from("<H", frame.payload)[0] & 0x0200
