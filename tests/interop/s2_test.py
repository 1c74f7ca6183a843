"""Z-Wave S2: the EG includes a device that is made of zwave-js. This test stands between the two as the controller does, carries the frames, and is a
man in the middle where a case wants one: it counts on neither side for what it knows."""
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
from npm import WORK, install  # noqa: E402

HOME, CONTROLLER, DEVICE = 0xCAFE1234, 1, 7
UNAUTHENTICATED, AUTHENTICATED, ACCESS = 1, 2, 4
CLASS_NAME = {"0": UNAUTHENTICATED, "1": AUTHENTICATED, "2": ACCESS}  # zwave-js numbers them
KEX_REPORT, KEX_SET, KEX_FAIL, PUBLIC_KEY, SEALED = 0x05, 0x06, 0x07, 0x08, 0x03


class Run:
    """One inclusion. change(direction, octets) -> octets that arrive instead, or None: lost."""

    def __init__(self, node, peer, asks=AUTHENTICATED | ACCESS, permitted=AUTHENTICATED | ACCESS, dsk=None, change=None, b_answers=True):
        self.log, self.keys, self.granted, self.end, self.lost = [], {}, None, None, False
        self.change, self.b_answers = change or (lambda direction, octets: octets), b_answers
        settings = {"home": HOME, "own": DEVICE, "controller": CONTROLLER, "asks": asks, "resync": True}
        self.device = subprocess.Popen([node, os.path.join(WORK, "s2_device.mjs"), json.dumps(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        label = json.loads(self.device.stdout.readline())["dsk"]
        self.eg = subprocess.Popen([peer, str(HOME), str(CONTROLLER), str(DEVICE), dsk or label, str(permitted)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   bufsize=1)
        self.said = queue.Queue()
        readers = [threading.Thread(target=self.read, args=who) for who in (("device", self.device), ("eg", self.eg))]
        for r in readers:
            r.start()
        try:
            self.carry()
        finally:
            for p in (self.device, self.eg):
                p.stdin.close()
            for r in readers:  # both end when they hear no more
                r.join()
            for p in (self.device, self.eg):
                p.stdout.close()
                p.wait()
        while not self.said.empty():
            self.heard(*self.said.get())

    def read(self, name, p):
        for line in p.stdout:
            self.said.put((name, line.strip()))

    def carry(self):
        while self.end is None:
            try:
                self.heard(*self.said.get(timeout=1 if self.lost else 60))
            except queue.Empty:
                assert self.lost, "nobody says anything any more: %s" % self.log
                self.eg.stdin.write("tick 10000\n")

    def heard(self, name, line):
        self.log.append(line[:60])
        if name == "eg":
            word, _, rest = line.partition(" ")
            if word == "send":
                self.to(self.device, "down", rest, lambda text: json.dumps({"frame": text}))
            elif word == "key":
                number, _, self.keys[int(rest.split()[0])] = rest.partition(" is ")
                if self.b_answers:
                    self.eg.stdin.write("ready\n")
                else:
                    self.lost = True
            elif word in ("enrolled", "failed"):
                self.end = (word, rest)
            return
        what = json.loads(line)
        if "frame" in what and self.end is None:
            self.to(self.eg, "up", what["frame"], lambda text: "heard " + text)
        elif "granted" in what:
            self.granted = {CLASS_NAME[c]: k for c, k in what["granted"].items()}

    def to(self, process, direction, text, form):
        octets = self.change(direction, bytes.fromhex(text))
        if octets is None:
            self.lost = True
        else:
            with contextlib.suppress(BrokenPipeError, ValueError):  # that side has ended
                process.stdin.write(form(octets.hex()) + "\n")


def swap(direction, command, change):
    """Changes the first frame of this command in this direction."""
    done = []

    def f(d, octets):
        if d == direction and octets[1] == command and not done:
            done.append(octets)
            return change(octets)
        return octets
    return f


def flip(at, bits=1):
    return lambda octets: octets[:at] + bytes([octets[at] ^ bits]) + octets[at + 1:]


def main(peer):
    node = install()

    r = Run(node, peer)
    assert r.end == ("enrolled", "the device has all its keys"), (r.end, r.log)
    assert r.granted == r.keys and set(r.keys) == {AUTHENTICATED, ACCESS}, (r.granted, r.keys)
    assert r.keys[AUTHENTICATED] != r.keys[ACCESS], "one key for two classes"
    again = Run(node, peer)
    assert not set(again.keys.values()) & set(r.keys.values()), "two devices share a key"
    print("two classes of keys, of its own for each device; both sides have the same")

    r = Run(node, peer, permitted=AUTHENTICATED)
    assert r.end[0] == "enrolled" and r.granted == r.keys and set(r.keys) == {AUTHENTICATED}, (r.end, r.log)
    print("a device gets no class that it is not permitted")

    for what, settings, why in [
        ("the label of another device", {"dsk": "34028-23669-20938-46346-33746-07431-56821-14553"}, "does not fit the DSK"),
        ("a device that wants keys without authentication", {"asks": UNAUTHENTICATED}, "asks for no class of keys"),
        ("a curve that is not ours", {"change": swap("up", KEX_REPORT, flip(4))}, "does not offer Curve25519"),
        ("more classes in the clear KEX Set than were granted", {"permitted": AUTHENTICATED, "change": swap("down", KEX_SET, flip(5, ACCESS))}, "somebody stands between"),
        ("the device's public key changed", {"change": swap("up", PUBLIC_KEY, flip(30))}, "sealed with another key"),
        ("the EG's public key changed", {"change": swap("down", PUBLIC_KEY, flip(30))}, "sealed with another key"),
        ("the head of the device's public key changed", {"change": swap("up", PUBLIC_KEY, flip(5))}, "does not fit the DSK"),
        ("a sealed frame changed", {"change": swap("up", SEALED, flip(-1))}, "sealed with another key"),
        ("the device's answer lost", {"change": swap("up", PUBLIC_KEY, lambda octets: None)}, "did not show its public key"),
        ("node B away", {"b_answers": False}, "node B did not confirm"),
        ("the device gives up", {"change": swap("up", KEX_REPORT, lambda octets: bytes([0x9F, KEX_FAIL, 6]))}, "cancelled"),
    ]:
        r = Run(node, peer, **settings)
        assert r.end[0] == "failed" and why in r.end[1], (what, r.end, r.log)
        assert r.granted is None, (what, "the device has keys", r.log)
        print("%s: %s" % (what, r.end[1]))

    # What the device could not open it asks for again, under new nonces.
    for at in (1, 2, 3):
        seen = []

        def spoil(direction, octets, at=at, seen=seen):
            if direction == "down" and octets[1] == SEALED:
                seen.append(octets)
                if len(seen) == at:
                    return flip(-1)(octets)
            return octets
        r = Run(node, peer, permitted=AUTHENTICATED, change=spoil)
        assert len(seen) > at and r.end[0] == "enrolled" and r.granted == r.keys, (at, r.end, r.log)
    print("a sealed frame that arrives broken is sealed again")


if __name__ == "__main__":
    main(sys.argv[1])
