"""Every kind of simulated device, judged by others: zigbee-on-host commissions each, asks for its descriptors, discovers and reads all attributes of all its
clusters, and sends its commands; tshark then finds no frame malformed that either sent, and opens all of them with the keys of the run."""
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

from npm import install
from zoh import Run, make_code  # it also makes plant.py found
from plant import program, tshark
import subprocess

SIMPLE, ENDPOINTS = 0x0004, 0x0005
OWN, MANUFACTURER = 0xFC11, "3412"
TYPES = re.findall(r"^  (\w+) +\S", subprocess.run([program("keyway-sim"), "device", "--help"], capture_output=True, text=True, check=True).stdout.split("Types:")[1], re.M)
SIZES = {"10": 1, "18": 1, "19": 2, "1b": 4, "20": 1, "21": 2, "22": 3, "23": 4, "25": 6, "29": 2, "2a": 3, "30": 1, "31": 2, "f0": 8}


def le(n, octets=2):
    return n.to_bytes(octets, "little", signed=n < 0).hex()


def descriptors(r):
    """Of each endpoint its server clusters, by Active_EP and Simple_Desc."""
    short = le(r.state()["short"])
    r.coordinator.tell("zdo %d 01%s" % (ENDPOINTS, short))
    active = r.coordinator_event("frame", lambda e: e["profile"] == 0 and e["cluster"] == ENDPOINTS | 0x8000)["payload"]
    assert active[2:8] == "00" + short, active
    found = {}
    for endpoint in bytes.fromhex(active[10:]):
        r.coordinator.tell("zdo %d 02%s%02x" % (SIMPLE, short, endpoint))
        d = r.coordinator_event("frame", lambda e: e["profile"] == 0 and e["cluster"] == SIMPLE | 0x8000 and e["payload"][10:12] == "%02x" % endpoint)["payload"]
        assert d[2:8] == "00" + short and d[12:16] == "0401", d
        count = int(d[22:24], 16)
        found[endpoint] = [int.from_bytes(bytes.fromhex(d[24 + 4 * i:28 + 4 * i]), "little") for i in range(count)]
    return found


def read_all(r, endpoint, cluster):
    """Discovers in parts of five, and reads each by itself: what is discovered is there, of the type that was told."""
    manufacturer, start, complete, count = MANUFACTURER if cluster == OWN else "", 0, "00", 0
    while complete == "00":
        answer = r.ask(cluster, "0c", le(start) + "05", "0d", endpoint, manufacturer)
        complete, rest = answer[:2], answer[2:]
        assert rest or complete == "01", answer
        for id_, type_ in re.findall(r"(....)(..)", rest):
            value = r.ask(cluster, "00", id_, "01" + id_ + "00", endpoint, manufacturer)
            assert value[:2] == type_, "%s: attribute %s of %04x is %s" % (r.name, id_, cluster, value)
            assert len(value) == 2 + 2 * (1 + int(value[2:4], 16) if type_ == "42" else SIZES[type_]), value
            start, count = int.from_bytes(bytes.fromhex(id_), "little") + 1, count + 1
    return count


def said(r, **members):
    def found(e):
        return all(e.get(k) == v for k, v in members.items())
    from plant import wait_for
    wait_for("%s to change %s" % (r.name, members), lambda: any(found(e) for e in r.device.events("changed") + r.device.events("switched") + r.device.events("warning")))


def switches(r):
    r.command(6, "01")
    said(r, on=True, endpoint=1)
    r.command(6, "02")
    r.command(6, "40", status="81")


def lights(r):
    r.command(8, "04", "800000")
    said(r, cluster=8, value=128)
    r.command(8, "06", "01080000")  # a step down
    said(r, cluster=8, value=120)
    r.command(8, "04", "ff0000", status="87")


def light(r):
    switches(r)
    lights(r)
    r.command(0x300, "07", le(0x2666) + le(0x0F5C) + "0000")
    said(r, cluster=0x300, attribute=4, value=0x0F5C)
    r.command(0x300, "06", "55fe0000")
    said(r, cluster=0x300, attribute=0, value=0x55)


def groups(r):
    group = le(0x1A2B)
    assert r.command(4, "00", group + "00") == "00" + group
    assert r.command(4, "00", group + "00") == "8a" + group
    assert r.command(4, "01", group) == "00" + group + "00"
    assert r.command(4, "02", "00") == "07" + "01" + group
    assert r.command(5, "04", group + "05") == "00" + group + "05"
    r.command(8, "04", "100000")
    assert r.read(8, "0000") == "2010"
    r.command(5, "05", group + "05")
    assert r.read(8, "0000") == "2078"
    assert r.command(5, "06", group) == "00" + "07" + group + "01" + "05"
    assert r.command(4, "03", group) == "00" + group
    r.command(5, "05", group + "05", status="85")


def dimmer(r):
    switches(r)
    lights(r)
    groups(r)


def strip(r):
    switches(r)
    r.command(6, "00", endpoint=2)
    said(r, on=False, endpoint=2)


def thermostat(r):
    assert r.ask(0x201, "02", "120029" + le(2150), "04") == "00"
    said(r, cluster=0x201, value=2150)
    assert r.ask(0x201, "02", "120029" + le(9900), "04") == "87" + "1200"
    assert r.ask(0x201, "02", "000029" + le(0), "04") == "88" + "0000"  # it measures that
    r.command(0x201, "00", "00fb")  # half a degree less
    said(r, cluster=0x201, value=2100)


def lock(r):
    assert r.command(0x101, "01") == "00"
    said(r, cluster=0x101, value=2)
    assert r.command(0x101, "05", le(1) + "0100" + "0431323334") == "00"  # user 1: 1234
    assert r.command(0x101, "05", le(2) + "0100" + "0431323334") == "03"  # the same for another
    assert r.command(0x101, "06", le(1)) == le(1) + "01" + "00" + "00"    # there is one, which it keeps to itself
    assert r.command(0x101, "00", "0439393939") == "01"
    assert r.command(0x101, "00", "0431323334") == "00"
    said(r, cluster=0x101, value=1)
    assert r.ask(0x101, "02", "33001001", "04") == "00"                    # from now on nothing without a PIN
    assert r.command(0x101, "01") == "01"
    assert r.command(0x101, "07", le(1)) == "00"
    assert r.command(0x101, "01", "0431323334") == "01"
    assert "1234" not in r.device.text() and "31323334" not in r.device.text()


def covering(r):
    r.command(0x102, "05", "46")
    said(r, cluster=0x102, value=70)
    r.command(0x102, "01")
    said(r, cluster=0x102, value=100)
    r.command(0x102, "02")
    r.command(0x102, "05", "65", status="87")


def siren(r):
    r.command(0x502, "00", "16" + le(180) + "3201")
    said(r, on=True, seconds=180)


def own(r):
    assert r.ask(OWN, "02", "000021" + le(9), "04", manufacturer=MANUFACTURER) == "00"
    said(r, cluster=OWN, value=9)
    r.ask(OWN, "00", "0000", "0b00" + "84")  # nobody's but the manufacturer's


def decoded(r, code):
    """tshark opens every sealed frame with the run's keys, and finds none malformed."""
    pcap, keys = os.path.join(r.dir, "air.pcap"), os.path.join(r.dir, "keys")
    subprocess.run([program("keyway"), "decode", pcap, "--keys-out", keys, "--install-code", code], check=True, capture_output=True, timeout=60)
    bad = tshark(pcap, keys, "_ws.malformed || zbee_sec.encrypted_payload || wpan.fcs_ok == 0", "frame.number")
    assert not bad, "%s: %s" % (r.name, bad[:5])
    return len(tshark(pcap, keys, "zbee_zcl", "frame.number"))


def judge(node, kind):
    code, count = make_code(), 0
    with Run(node, kind, "fresh", kind, "--end-device" if kind == "plug" else "--always-on", code) as r:
        r.device_event("commissioned")
        found = descriptors(r)
        for endpoint, clusters in found.items():
            for cluster in clusters:
                count += read_all(r, endpoint, cluster)
        globals().get(kind, lambda _: None)(r)
        if kind == "plug":
            switches(r)
        r.uncomplaining()
        frames = decoded(r, code)
    return kind, sum(len(c) for c in found.values()), count, frames


if __name__ == "__main__":
    runs = sys.argv[1:] or TYPES
    node_js = install()
    assert len(TYPES) >= 19, TYPES
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda kind: judge(node_js, kind), runs))
    for kind, clusters, attributes, frames in results:
        assert attributes >= 10 and frames > attributes, (kind, attributes, frames)
        print("%-12s %2d clusters, %2d attributes, %3d ZCL frames" % (kind, clusters, attributes, frames))
