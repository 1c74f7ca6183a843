"""What known attack tools do to a Zigbee network, done to ours by somebody with a radio and no key. Each attack is named after what it imitates, ends with the
attack failing, and says what the operator can read of it. One plant serves them all: after each the two devices must still be read and commanded. Two leave a key
offered that nobody uses: while the others go on, the device must be served under its own, and the end of the offer is looked at later."""
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
from air import COORDINATOR, NWK_LEAVE, NWK_REJOIN_REQUEST, Attacker, eui, sealed  # noqa: E402
from plant import Plant, wait_for  # noqa: E402


class Victim:
    """The plant, a plug that listens, a sleepy thermometer, and the attacker."""

    def __init__(self, p):
        self.p, self.degrees, self.on = p, 20.0, False
        with open(os.path.join(p.plant, "gateway.ini")) as f:
            text = f.read()
        self.pan = int(re.search(r"(?m)^pan_id = (.*)", text).group(1), 16)
        self.gateway = re.search(r"(?m)^eui64 = (.*)", text).group(1).strip()
        self.plug, _, self.switch = p.new_device("plug")
        self.thermometer, _, self.sensor = p.new_device("thermometer", "--sleepy")
        p.permit()
        for e in (self.plug, self.thermometer):
            p.wait_state(e, "verified")
        p.wait_value(self.plug, "binSh", "cod:binSh", "state")
        p.wait_value(self.thermometer, "tempe", "cod:tempe", "curT0")
        self.short = {e: p.state(e)["short"] for e in (self.plug, self.thermometer)}
        self.radio = Attacker(p.air_port, self.pan, now_ms=p.now_ms)
        self.pending = []  # name of the attack, and what is to be looked at when the Trust Centre's patience is over

    def finish(self):
        while self.pending:
            name, lapsed = self.pending.pop()
            print("%s: %s" % (name, lapsed()), flush=True)

    def works(self):
        self.degrees += 1
        self.on = not self.on
        self.sensor.tell("temperature %.1f" % self.degrees)
        self.p.wait_value(self.thermometer, "tempe", "cod:tempe", "curT0", self.degrees)
        self.p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % self.plug, "state=%s" % str(self.on).lower())
        self.p.wait_value(self.plug, "binSh", "cod:binSh", "state", self.on)
        assert self.short == {e: self.p.state(e)["short"] for e in self.short}, "an address was moved"

    def log(self, role):
        return self.p.processes[role].text(True)

    def audit(self):
        with open(os.path.join(self.p.plant, "mef", "audit.log")) as f:
            return [json.loads(line) for line in f]

    def uplink(self, eui64):
        """A sealed frame of a device, from the air."""
        return self.radio.hear_one("a sealed frame of " + eui64, lambda f: sealed(f) and f.source == self.short[eui64])


def zbstumbler(v):
    """KillerBee zbstumbler: beacon requests as fast as they go. The gateway answers 20 a second and serves its devices."""
    began = v.p.now_ms()
    for _ in range(500):
        v.radio.beacon_request()
    beacons = sum(f.type == 0 for f in v.radio.hear(1.5))
    seconds = (v.p.now_ms() - began) / 1000
    assert 0 < beacons <= 20 * (seconds + 2), (beacons, seconds)
    return "%d beacons for 500 requests" % beacons


def zbassocflood(v):
    """KillerBee zbassocflood: associations under made-up addresses, while joining is open. Nobody whom the join policy does not name gets an address, and the
    log names them."""
    v.p.permit()
    for i in range(300):
        v.radio.association_request("00124bdead%06x" % i)
    wait_for("the strangers to be denied", lambda: "association denied: not admitted by the join policy device=00124bdead" in v.log("gateway"))
    assert "device associated device=00124bdead" not in v.log("gateway")
    return "denied, by name"


def association_in_a_name(v):
    """An association in a living device's name, while joining is open: the Transport-Key that comes of it opens for the device alone, and the device, which did
    not ask, is as before."""
    generation = v.p.state(v.plug)["generation"]
    v.p.permit()
    v.radio.association_request(v.plug)
    wait_for("the key to be offered", lambda: v.p.state(v.plug)["state"] == "offered")

    def lapsed():
        wait_for("the offered key to lapse", lambda: any(e["event"] == "offered key was not used" and e["device"] == v.plug for e in v.audit()))
        assert v.p.state(v.plug)["generation"] == generation
        entry = [e for e in v.audit() if e["event"] == "offered key was not used"][0]
        assert "did not use the key" in entry["detail"], entry
        return entry["detail"]
    return lapsed


def zbreplay(v):
    """KillerBee zbreplay: a sealed frame again, minutes later or at once, under other MAC numbers. Node B refuses it and says why."""
    f = v.uplink(v.plug)
    replays = v.log("node-b").count("frame counter was seen before")
    for _ in range(5):
        v.radio.data(v.short[v.plug], f.payload)
    wait_for("the replays to be refused", lambda: v.log("node-b").count("frame counter was seen before") > replays)
    return "frame refused: frame counter was seen before"


def bit_flip(v):
    """A sealed frame with a bit changed and a higher counter: the integrity code does not fit."""
    f = v.uplink(v.plug)
    wrong = v.log("node-b").count("integrity code is wrong")
    octets = bytearray(f.payload)
    octets[-6] ^= 1
    v.radio.data(v.short[v.plug], bytes(octets))
    wait_for("the change to be noticed", lambda: v.log("node-b").count("integrity code is wrong") > wrong)
    return "frame refused: integrity code is wrong"


def zbdsniff(v):
    """KillerBee zbdsniff: wait for a Transport-Key in clear or under ZigBeeAlliance09. There is none in the whole capture; the scenario `demo` shows that tshark with
    that key opens nothing."""
    with open(v.p.pcap, "rb") as f:
        assert b"ZigBeeAlliance09" not in f.read()
    return "nothing under the well-known key"


def zborphannotify(v):
    """KillerBee zborphannotify: orphan notifications in devices' names. The coordinator tells each the address that it has; nothing changes."""
    told = {}

    def answered(e):
        """The air loses frames, and an orphan asks again."""
        v.radio.orphan("00124bdeadbeef00")
        v.radio.orphan(e)
        for f in v.radio.hear(1):
            if f.type == 3 and f.payload[:1] == b"\x08":
                told[f.destination] = struct.unpack("<BHHBH", f.payload)[4]
                if f.destination == e:
                    return True
    for e in (v.plug, v.thermometer):
        wait_for("an answer to the orphan", lambda: answered(e))
    assert told == {v.plug: v.short[v.plug], v.thermometer: v.short[v.thermometer]}, told
    return "the addresses that they have, and none for a stranger"


def zbrealign(v):
    """KillerBee zbrealign: a coordinator realignment in our name, to another PAN. Our gateway does not follow what it did not say; devices are R22's, which take a
    realignment as answer to their own orphan notification alone."""
    for _ in range(3):
        v.radio.realignment(v.gateway, 0x4242, 20, v.short[v.plug])
    return "nobody follows"


def disassociation(v):
    """Disassociation notifications in the devices' names: a hint at most."""
    for e in (v.plug, v.thermometer):
        v.radio.disassociation(e)
        v.radio.disassociation(v.short[e])
    return "children stay"


def secbee_insecure_rejoin(v):
    """SecBee: an unsealed rejoin in the name of a device, to make the Trust Centre send the key anew. It does, under the unique link key that the device alone has,
    with a new network key; the one in use stays until the device uses the new one, which it never asked for."""
    v.finish()  # of the same device, another offer
    lapses = sum(e["event"] == "offered key was not used" for e in v.audit())
    for e in (v.plug, "00124bdeadbeef00"):
        v.radio.data(v.short[v.plug], v.radio.nwk(v.short[v.plug], e, bytes([NWK_REJOIN_REQUEST, 0x8C])))
    v.p.processes["gateway"].wait_line("Trust Centre rejoin asked for device=" + v.plug)
    assert "Trust Centre rejoin asked for device=00124bdeadbeef00" not in v.log("gateway")

    def lapsed():
        wait_for("the offered key to lapse", lambda: sum(e["event"] == "offered key was not used" for e in v.audit()) > lapses)
        return "a key that only the device can open; it goes on under the former one"
    return lapsed


def secbee_leave(v):
    """SecBee: an unsealed Leave in a device's name, and one to the device in the coordinator's. Unsealed commands mean nothing."""
    v.radio.data(v.short[v.plug], v.radio.nwk(v.short[v.plug], v.plug, bytes([NWK_LEAVE, 0x00])))
    v.radio.data(COORDINATOR, v.radio.nwk(COORDINATOR, v.gateway, bytes([NWK_LEAVE, 0x40]), destination=v.short[v.plug]), destination=v.short[v.plug])
    assert not v.switch.events("left")
    return "nobody leaves"


def secbee_counter_reset(v):
    """SecBee: a sealed frame with the highest frame counter, to make the device's own look old. The integrity code covers the counter, and counters move only after
    it was right."""
    f = v.uplink(v.plug)
    octets = bytearray(f.payload)
    aux = octets.index(eui(v.plug), 8 + (8 if octets[1] & 0x10 else 0))  # behind the frame counter in the auxiliary header
    octets[aux - 4:aux] = b"\xff\xff\xff\xfe"
    wrong = v.log("node-b").count("integrity code is wrong")
    v.radio.data(v.short[v.plug], bytes(octets))
    wait_for("the frame to be refused", lambda: v.log("node-b").count("integrity code is wrong") > wrong)
    return "refused, and the device's counters still count"


def data_request_spoof(v):
    """Polls in the sleeper's name, with acknowledgements of what comes, so that its queue runs dry. The owner trusts APS acknowledgements, not those of the MAC: what the
    sleeper did not get is sent again, under other counters."""
    v.p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % v.plug, "state=true")
    v.on = True
    for _ in range(40):
        v.radio.data_request(v.short[v.thermometer])
        for f in v.radio.hear(0.05):
            if f.type == 1 and f.destination == v.short[v.thermometer]:
                v.radio.ack(f.sequence)
    return "the sleeper is still served"


def touchlink(v):
    """ZLL touchlink scan and factory reset (Zillner, Morgner): inter-PAN frames. No part of Keyway speaks inter-PAN: they end at the gateway."""
    before = len(v.log("node-b"))
    for cluster in (b"\x00", b"\x07"):
        interpan = struct.pack("<HBHH", 0x000B, 0x0B, 0x1000, 0xC05E) + b"\x11\x01" + cluster + os.urandom(4)
        v.radio.data(v.short[v.plug], interpan)
        v.radio.data(0xFFFE, interpan)
    assert "refused" not in v.log("node-b")[before:]
    return "dropped by the gateway"


def green_power(v):
    """A Green Power frame (NWK protocol version 3), such as commissioning: dropped likewise."""
    v.radio.data(v.short[v.plug], bytes.fromhex("8c30 1122334455 e0".replace(" ", "")) + os.urandom(10))
    return "dropped by the gateway"


def malformed(v):
    """Frames that end early, of every length, and random ones, in a device's name."""
    f = v.uplink(v.plug)
    for n in range(len(f.payload)):
        v.radio.data(v.short[v.plug], f.payload[:n])
    for _ in range(200):
        v.radio.raw(os.urandom(1 + os.urandom(1)[0] % 120))
    for role in ("gateway", "node-b", "mn-cse", "mef"):
        assert v.p.processes[role].popen.poll() is None, role + " has ended"
    return "everybody lives"


ATTACKS = [zbstumbler, zbassocflood, association_in_a_name, zbreplay, bit_flip, zbdsniff, zborphannotify, zbrealign, disassociation, secbee_insecure_rejoin, secbee_leave,
           secbee_counter_reset, data_request_spoof, touchlink, green_power, malformed]

if __name__ == "__main__":
    with Plant(rate=10) as p:
        p.start_all()
        v = Victim(p)
        v.works()
        for attack in ATTACKS:
            what = attack(v)
            v.works()
            if callable(what):
                v.pending.append((attack.__name__, what))
            else:
                print("%s: %s" % (attack.__name__, what), flush=True)
        v.finish()
        v.works()
        for device in (v.switch, v.sensor):
            assert len(device.events("associated")) == 1 and not device.events("left"), "an attack moved a device"
        v.radio.close()
