"""Devices of many kinds through the whole chain: what each tells becomes values of its resources, what an application changes in those becomes its commands; a
device whose cluster nobody described is read and commanded as it is; one that an integrator described is not."""
import base64
import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor

from plant import Plant, wait_for

DESCRIPTION = {"modules": [{"name": "own", "root": "acme:own", "class": "com.acme.moduleclass.own", "cluster": "0xfc11", "manufacturer": "0x1234",
                            "points": [{"member": "level", "attribute": "0x0000", "type": "uint16", "kind": "integer", "report": [0, 300, 1], "write": [{}]}]}]}
PIN = "471108"
KINDS = ["light", "lock", "thermostat", "covering", "smoke", "illuminance", "strip", "button", "siren", "own"]


class Device:
    def __init__(self, plant, kind):
        self.plant, self.kind = plant, kind
        self.eui64, self.code, self.process = plant.new_device(kind)
        self.path = "/id-b/cse-b/zb-" + self.eui64

    def update(self, module, root, **members):
        self.plant.keyway("update", "%s/%s" % (self.path, module), json.dumps({root: members}))

    def wait(self, module, root, member, value):
        self.plant.wait_value(self.eui64, module, root, member, value)

    def hears(self, name, **members):
        def found():
            return [e for e in self.process.events(name) if all(e.get(k) == v for k, v in members.items())]
        return wait_for("%s to say %s %s" % (self.kind, name, members), found)

    def changed(self, cluster, attribute, value, endpoint=1):
        self.hears("changed", endpoint=endpoint, cluster=cluster, attribute=attribute, value=value)

    def set(self, what, value):
        self.process.tell("set %s %d" % (what, value))


def light(d):
    d.wait("binSh", "cod:binSh", "state", False)
    d.update("binSh", "cod:binSh", state=True)
    d.hears("switched", on=True)
    d.update("binSh/togge", "cod:togge")
    d.hears("switched", on=False)
    d.wait("binSh", "cod:binSh", "state", False)
    d.update("brigs", "cod:brigs", brigs=20)
    d.changed(8, 0, 51)
    d.update("color", "cod:color", red=255, green=0, blue=0)
    d.changed(0x300, 3, 0xa3d7)
    d.changed(0x300, 4, 0x547b)
    d.set("0x300/3", 0x2666)
    d.set("0x300/4", 0x0f5c)
    d.wait("color", "cod:color", "blue", 255)
    d.wait("color", "cod:color", "red", 0)


def lock(d):
    d.wait("lock", "cod:lock", "lock", True)
    d.update("lock", "cod:lock", lock=False)
    d.changed(0x101, 0, 2)
    d.wait("lock", "cod:lock", "lock", False)
    d.set("0x101/0", 1)
    d.wait("lock", "cod:lock", "lock", True)


def pins(d):
    """The PIN table: only the administrator may use it, a PIN is nowhere afterwards, and the lock obeys it."""
    def order(**what):
        d.plant.keyway("create", d.path + "/pins/down", "cin", json.dumps({"m2m:cin": {"con": json.dumps(what)}}))

    def table(**what):
        def said():
            r = d.plant.get(d.path + "/pins/table/la")
            return r and json.loads(r["m2m:cin"]["con"]) == what
        wait_for("the PIN table to say %s" % what, said)
    order(user=3, pin=PIN)
    table(user=3, set=True, done=True)
    d.hears("pin-set", user=3)
    order(lock=False, pin="9999")
    table(lock=False, done=False)
    order(lock=False, pin=PIN)
    table(lock=False, done=True)
    d.changed(0x101, 0, 2)
    order(user=3)
    table(user=3, set=False, done=True)
    wait_for("pins/down to be empty", lambda: d.plant.get(d.path + "/pins/down")["m2m:cnt"]["cni"] == 0)
    acpi = d.plant.get(d.path + "/pins/down")["m2m:cnt"]["acpi"]
    rules = d.plant.get("/id-b/" + acpi[0])["m2m:acp"]["pv"]["acr"]
    assert [r["acor"] for r in rules] == [["/id-b/Coci"]], rules


def image(version, size):
    """An upgrade file of the simulated manufacturer, with something to count in it."""
    total = 56 + size
    header = struct.pack("<IHHHHHIH32sI", 0x0BEEF11E, 0x0100, 56, 0, 0x1234, 1, version, 2, b"Keyway test", total)
    return header + bytes(i * 7 & 255 for i in range(size))


def fnv(octets):
    h = 2166136261
    for o in octets:
        h = (h ^ o) * 16777619 & 0xFFFFFFFF
    return h


def upgrade(d):
    """By a file and by a contentInstance; no octet of the image is on the air or at the gateway's CSE in clear."""
    firmware = "/id-b/cse-b/node-%s/firmware" % d.eui64
    small = image(3, 300)
    cases = [(2, "file:light.ota", image(2, 1000)), (3, "cse-b/images/la", small)]
    d.plant.keyway("create", "/id-b/cse-b", "cnt", "rn=images")
    d.plant.keyway("create", "/id-b/cse-b/images", "cin", json.dumps({"m2m:cin": {"con": base64.b64encode(small).decode()}}))
    with open(os.path.join(d.plant.dir, "images", "light.ota"), "wb") as f:
        f.write(cases[0][2])
    for version, url, octets in cases:
        d.plant.keyway("update", firmware, json.dumps({"m2m:fwr": {"vr": str(version), "url": url, "ud": True}}))
        got = d.hears("upgraded", version=version)[0]
        assert (got["octets"], got["sum"]) == (len(octets), fnv(octets)), got
        wait_for("the firmware resource to say so", lambda: (lambda r: not r["ud"] and r["uds"]["sus"] == 1)(d.plant.get(firmware)["m2m:fwr"]))
        wait_for("the new version", lambda: d.plant.get("/id-b/cse-b/node-%s/deviceInfo" % d.eui64)["m2m:dvi"]["fwv"] == str(version))
    d.plant.keyway("update", firmware, json.dumps({"m2m:fwr": {"vr": "4", "url": "file:../node-b.key", "ud": True}}))
    wait_for("a file outside to be refused", lambda: d.plant.get(firmware)["m2m:fwr"]["uds"]["sus"] == 2)


def thermostat(d):
    d.wait("tempe", "cod:tempe", "tarTe", 20)
    d.wait("tempe", "cod:tempe", "maxVe", 30)
    d.update("tempe", "cod:tempe", tarTe=21.5)
    d.changed(0x201, 0x12, 2150)
    d.update("tempe", "cod:tempe", tarTe=99)  # it refuses, and the resource says what it is again
    wait_for("the set-point to go back", lambda: d.plant.value(d.eui64, "tempe", "cod:tempe", "tarTe") == 21.5)
    d.process.tell("temperature 19.25")
    d.wait("tempe", "cod:tempe", "curT0", 19.25)
    d.wait("bat", "cod:bat", "lvl", 92)
    node = "/id-b/cse-b/node-" + d.eui64
    info = d.plant.get(node + "/deviceInfo")["m2m:dvi"]
    assert (info["man"], info["mod"], info["fwv"]) == ("Keyway Simulated", "KW-THERM1", "1.0.0"), info
    assert d.plant.get(node + "/battery")["m2m:bat"]["btl"] == 92
    network = d.plant.get(node + "/areaNwkDeviceInfo")["m2m:andi"]["awi"]
    wait_for("all devices in the network's list", lambda: len(d.plant.get("/id-b/" + network)["m2m:ani"]["ldv"]) == len(KINDS))
    assert d.plant.get(node)["m2m:nod"]["hsl"], "the node names what it hosts"


def covering(d):
    d.wait("opeLl", "cod:opeLl", "opeLl", 100)
    d.update("opeLl", "cod:opeLl", opeLl=30)
    d.changed(0x102, 8, 70)
    d.update("opeLl/down", "keyway:down")
    d.changed(0x102, 8, 100)
    d.wait("opeLl", "cod:opeLl", "opeLl", 0)


def smoke(d):
    d.hears("zone-enrolled")
    d.process.tell("zone 0x0d")
    d.wait("smoSr", "cod:smoSr", "alarm", True)
    d.wait("smoSr", "cod:smoSr", "dismd", True)
    d.wait("smoSr", "cod:smoSr", "lowVe", True)
    d.wait("fauDn", "cod:fauDn", "sus", False)


def illuminance(d):
    def shown(lux):
        r = d.plant.get(d.path + "/illuminance/la")
        return r and r["m2m:cin"]["con"] == lux
    wait_for("100 lux", lambda: shown("100"))
    d.set("0x400/0", 30001)
    wait_for("1000 lux", lambda: shown("1000"))


def strip(d):
    d.wait("binSh", "cod:binSh", "state", False)
    d.wait("binSh-2", "cod:binSh", "state", True)
    d.update("binSh-2", "cod:binSh", state=False)
    d.hears("switched", on=False, endpoint=2)
    d.wait("binSh-2", "cod:binSh", "state", False)


def button(d):
    d.plant.wait_value(d.eui64, "raw", "m2m:cnt", "rn")
    wait_for("the second button to be bound", lambda: d.process.tell("press 2/6/2") or d.process.events("pressed"))
    d.wait("pusBn-2", "cod:pusBn", "pushd", False)
    raw = json.loads(wait_for("the command as it is", lambda: d.plant.get(d.path + "/raw/up/la"))["m2m:cin"]["con"])
    assert (raw["endpoint"], raw["cluster"], raw["command"], raw["fromServer"]) == (2, "0x0006", "0x02", False), raw


def siren(d):
    d.plant.wait_value(d.eui64, "alaSr", "cod:alaSr", "rn")
    d.update("alaSr", "cod:alaSr", alaSs=True)
    d.hears("warning", on=True, seconds=180)


def own(d):
    """Described in a file of ours; and a frame as it is."""
    d.wait("own", "acme:own", "level", 7)
    d.update("own", "acme:own", level=9)
    d.changed(0xFC11, 0, 9)
    frame = {"endpoint": 1, "cluster": "0xfc11", "manufacturer": "0x1234", "global": True, "command": "0x0c", "payload": "000005"}  # what attributes it has
    d.plant.keyway("create", d.path + "/raw/down", "cin", json.dumps({"m2m:cin": {"con": json.dumps(frame)}}))

    def answered():
        r = d.plant.get(d.path + "/raw/up/la")
        return r and json.loads(r["m2m:cin"]["con"])
    raw = wait_for("the answer as it is", answered)
    assert (raw["cluster"], raw["manufacturer"], raw["command"], raw["payload"]) == ("0xfc11", "0x1234", "0x0d", "01000021"), raw


with Plant() as p:
    descriptions = os.path.join(p.dir, "descriptions")
    os.mkdir(descriptions)
    with open(os.path.join(descriptions, "own.json"), "w") as f:
        json.dump(DESCRIPTION, f)
    os.mkdir(os.path.join(p.dir, "images"))
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\ndescriptions = %s\nimages = %s/images\n" % (descriptions, p.dir))
    p.start_all()
    devices = {kind: Device(p, kind) for kind in KINDS}
    p.permit()
    checks = [("light", light, upgrade), ("lock", lock, pins), ("thermostat", thermostat), ("covering", covering), ("smoke", smoke), ("illuminance", illuminance),
              ("strip", strip), ("button", button), ("siren", siren), ("own", own)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda c: [check(devices[c[0]]) for check in c[1:]], checks))
    everything = "".join(q.text(True) for q in p.processes.values())
    assert PIN not in everything and PIN.encode().hex() not in everything
    log = p.processes["node-b"].text()
    assert "resource not written" not in log and "frame not sent" not in log, log[-3000:]

# a wrong description is told, and node B does not start with half of them
with Plant() as p:
    with open(os.path.join(p.dir, "wrong.json"), "w") as f:
        f.write(json.dumps(DESCRIPTION).replace("uint16", "uint15"))
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\ndescriptions = %s\n" % p.dir)
    from plant import Process, program
    b = Process(p, "node-b", [program("keyway-cse"), "--config", os.path.join(p.plant, "node-b.ini")])
    assert b.popen.wait(60) != 0
    assert "wrong.json: modules[0].points[0].type: must be one of" in b.text(), b.text()
print("%d kinds of devices: values up, commands down" % len(KINDS))
