#!/usr/bin/env python3
"""A plant in bad weather: many simulated devices, half of them sleepy thermometers and half of them plugs (which are routers), an air that loses
frames, and every program killed at random, devices and radio too. At the end

- each device is on the network, and its latest reading is node B's;
- no frame counter was used twice, over the whole capture;
- each reading that a device got an APS acknowledgement for is kept at node B, in its order.

    ./run soak [--devices 200] [--minutes 60] [--loss 5] [--restart-s 20] [--seed N] [--keep]

docs/soak.md tells what was found."""
import argparse
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from plant import Plant, assert_no_counter_repeats, make_code, program, wait_for  # noqa: E402

BATCH = 20          # devices of one process, and that come at a time
REPORT_S = 10
SETTLE_S = 300      # after the last restart: sleepers find their parent again, what waits is carried out
TEMPERATURE = (0x0402, 0)


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


class Group:
    """Devices of one kind in one process."""
    def __init__(self, plant, number, kind, count):
        self.plant, self.kind, self.role = plant, kind, "devices-%d-%s" % (number, kind)
        self.eui64s = ["%016x" % (0x00124B0000000000 + (number << 16) + i) for i in range(count)]
        self.csv = os.path.join(plant.dir, self.role + ".csv")
        self.state = os.path.join(plant.dir, self.role + ".state")
        os.makedirs(self.state)
        with open(self.csv, "w") as f:
            for e in self.eui64s:
                f.write("%s,%s\n" % (e, make_code()))

    def start(self):
        self.plant.start(self.role, program("keyway-sim"), "device", "--air", "127.0.0.1:%d" % self.plant.air_port, "--channel", "15", "--devices", self.csv,
                         "--kind", self.kind, "--state", self.state, "--report-interval", str(REPORT_S), *(["--sleepy"] if self.kind == "thermometer" else []))


def states(p):
    r = p.keyway("device", "list", "--json", check=False)
    return {d["eui64"]: d for d in json.loads(r.stdout)["devices"]} if r.returncode == 0 else {}


def enrol(p, groups, wanted=("verified",)):
    for g in groups:
        p.keyway("device", "import", g.csv)
        p.permit(65535)
        g.start()
        wait_for("%s to be enrolled" % g.role, lambda: all(states(p).get(e, {}).get("state") in wanted for e in g.eui64s), 300)
    say("enrolled", sum(len(g.eui64s) for g in groups))


def restart(p, role, pause):
    process = p.processes[role]
    process.kill()
    time.sleep(pause)
    process.start()
    if not role.startswith("devices"):
        process.wait_line(" ready")
    if role == "mef":
        p.permit(65535)  # what the operator opened is not kept


def storm(p, roles, seconds, every):
    end, kills = time.monotonic() + seconds, {}
    while time.monotonic() < end:
        time.sleep(min(random.expovariate(1 / every), 3 * every))
        role = random.choice(roles)
        restart(p, role, random.choice([0, 0, 1, 5]))
        kills[role] = kills.get(role, 0) + 1
        say("killed", role)
    return kills


def acknowledged(process):
    """Readings of temperature that were acknowledged, a device: (time, value), oldest first."""
    sent, good = {}, {}
    for line in process.text(True).splitlines():
        try:
            e = json.loads(line)
        except ValueError:
            continue  # cut by a kill
        if e.get("event") == "reporting" and (e["cluster"], e["attribute"]) == TEMPERATURE:
            sent[e["device"], e["counter"]] = e["value"]
        elif e.get("event") == "acknowledged" and (e["device"], e["counter"]) in sent:
            good.setdefault(e["device"], []).append((e["time"], sent.pop((e["device"], e["counter"])) / 100))
    return good


def keep_history(p, eui64):
    """Each change of the reading leaves an instance from here on."""
    p.keyway("update", "/id-b/cse-b/zb-%s/tempe" % eui64, '{"cod:tempe":{"fcied":true,"mni":100000}}')


def history(p, eui64):
    found = json.loads(p.keyway("discover", "/id-b/cse-b/zb-%s/tempe" % eui64, "ty=58", "--json").stdout)
    values = []
    for target in found if isinstance(found, list) else found["m2m:uril"]:
        r = p.get(target)
        values.append((r["cod:tempe"]["ct"], target, r["cod:tempe"].get("curT0")))
    return [v for _, _, v in sorted(values)]


def changes(values):
    return [v for i, v in enumerate(values) if i == 0 or v != values[i - 1]]


def missing(acked, kept):
    """What of acked is not in kept, in this order."""
    at, gone = 0, []
    for v in changes(acked):
        try:
            at = kept.index(v, at)
        except ValueError:
            gone.append(v)
    return gone


def judge(p, groups, from_ms):
    lost = [(e, states(p).get(e, {}).get("state")) for g in groups for e in g.eui64s if states(p).get(e, {}).get("state") != "verified"]
    wait_for("each thermometer to be heard again", lambda: all(
        any(t > from_ms for t, _ in acknowledged(p.processes[g.role]).get(e, [])) for g in groups if g.kind == "thermometer" for e in g.eui64s), SETTLE_S)
    frames = assert_no_counter_repeats(p.pcap)
    readings, gone = 0, []
    for g in (g for g in groups if g.kind == "thermometer"):
        good = acknowledged(p.processes[g.role])
        for e in g.eui64s:
            acked = [v for t, v in good.get(e, []) if t > p.history_from]
            readings += len(acked)
            gone += [(e, v) for v in missing(acked, changes(history(p, e)))]
    return lost, frames, readings, gone


def main():
    a = argparse.ArgumentParser(description="a plant in bad weather; see the head of this file")
    a.add_argument("--devices", type=int, default=200)
    a.add_argument("--minutes", type=float, default=60)
    a.add_argument("--loss", type=int, default=5)
    a.add_argument("--restart-s", type=float, default=20, help="a program is killed so often, on average")
    a.add_argument("--seed", type=int, default=None)
    a.add_argument("--keep", action="store_true")
    o = a.parse_args()
    seed = o.seed if o.seed is not None else random.randrange(1 << 31)
    say("seed", seed)
    p = Plant()
    random.seed(seed)
    with p:
        p.start_all(loss=o.loss)
        groups = [Group(p, i, "plug" if i % 2 else "thermometer", min(BATCH, o.devices - i * BATCH)) for i in range((o.devices + BATCH - 1) // BATCH)]
        enrol(p, groups)
        for g in (g for g in groups if g.kind == "thermometer"):
            for e in g.eui64s:
                p.wait_value(e, "tempe", "cod:tempe", "curT0", patience=300)
                keep_history(p, e)
        p.history_from = time.time() * 1000
        kills = storm(p, list(p.processes), o.minutes * 60, o.restart_s)
        say("killed", kills)
        from_ms = time.time() * 1000
        wait_for("all devices to be on the network", lambda: all(states(p).get(e, {}).get("state") == "verified" for g in groups for e in g.eui64s), SETTLE_S)
        lost, frames, readings, gone = judge(p, groups, from_ms)
        print(json.dumps({"seed": seed, "devices": o.devices, "minutes": o.minutes, "loss": o.loss, "kills": sum(kills.values()), "sealed_frames": frames,
                          "acknowledged_readings": readings, "lost_devices": lost, "lost_readings": gone}))
        assert not lost, "devices were lost for good"
        assert readings > 0, "no reading was acknowledged: nothing was shown"
        assert not gone, "acknowledged readings are not kept"
        if o.keep:
            print("the logs stay in", p.dir)
            os._exit(0)


main()
