"""Devices of many kinds through the whole chain: what each tells becomes values of its resources, what an application changes in those becomes its commands; a
device whose cluster nobody described is read and commanded as it is; one that an integrator described is not."""
import json
import os

from plant import Plant, wait_for

DESCRIPTION = {"modules": [{"name": "own", "root": "acme:own", "class": "com.acme.moduleclass.own", "cluster": "0xfc11", "manufacturer": "0x1234",
                            "points": [{"member": "level", "attribute": "0x0000", "type": "uint16", "kind": "integer", "report": [0, 300, 1], "write": [{}]}]}]}
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
    assert len(d.plant.get("/id-b/" + network)["m2m:ani"]["ldv"]) == len(KINDS)
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
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\ndescriptions = %s\n" % descriptions)
    p.start_all()
    devices = {kind: Device(p, kind) for kind in KINDS}
    p.permit()
    for check in (light, lock, thermostat, covering, smoke, illuminance, strip, button, siren, own):
        check(devices[check.__name__])
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
