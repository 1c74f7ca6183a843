#!/usr/bin/env python3
"""A plant in bad weather: many simulated devices, most of them asleep most of the time, an air that loses frames and on which they take their time, and
every program killed at random, devices and radio too. The plant's clock is faster than ours as long as its programs keep up (clock_keeper.c). At the end

- each device is on the network, and what it reports is acknowledged;
- no frame counter was used twice, over the whole capture;
- each reading that a device got an APS acknowledgement for is kept at node B, in its order.

    ./run soak [--devices 200] [--minutes 60] [--rate 32] [--loss 5] [--restart-s 90] [--report-s 300] [--wall-s S] [--seed N] [--keep]

Minutes and seconds are the plant's. docs/soak.md tells what was found."""
import argparse
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from plant import Plant, assert_no_counter_repeats, make_code, program, wait_for  # noqa: E402

BATCH = 20          # devices of one process, and that come at a time
# Three of five sleep; a plug is a router unless it is told otherwise.
KINDS = [("thermometer", ["--sleepy", "--poll-ms", "7500"]), ("plug", []), ("lock", ["--sleepy", "--poll-ms", "7500"]), ("plug", ["--end-device"]),
         ("thermometer", ["--sleepy", "--poll-ms", "6000"])]
MEMORY = "/dev/shm"  # what is killed here is programs, not the machine: its disk would only take time
ENROL_S, SETTLE_S = 900, 900  # sleepers find their parent again, what waits is carried out
APS_MS = 10000        # a device sends a frame four times in 6.4 s, and waits no longer for its acknowledgement
ACK_WAIT_MS = "16"    # from when a radio has a frame to send: until the channel is free, mostly, the frame has gone, and its acknowledgement came
INSTANCE = 58
TEMPERATURE = (0x0402, 0)


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


class Group:
    """Devices of one kind in one process."""
    def __init__(self, plant, number, count, report_s):
        self.kind, self.more = KINDS[number % len(KINDS)]
        self.plant, self.report_s, self.role = plant, report_s, "devices-%d-%s" % (number, self.kind)
        self.eui64s = ["%016x" % (0x00124B0000000000 + (number << 16) + i) for i in range(count)]
        self.csv = os.path.join(plant.dir, self.role + ".csv")
        self.state = os.path.join(plant.dir, self.role + ".state")
        os.makedirs(self.state)
        self.read, self.sent, self.good = 0, {}, {}
        with open(self.csv, "w") as f:
            for e in self.eui64s:
                f.write("%s,%s\n" % (e, make_code()))

    def start(self):
        self.plant.start(self.role, program("keyway-sim"), "device", "--air", "127.0.0.1:%d" % self.plant.air_port, "--channel", "15", "--devices", self.csv,
                         "--kind", self.kind, "--state", self.state, "--report-interval", str(self.report_s), "--ack-wait", ACK_WAIT_MS, *self.more)

    def events(self):
        """What has been told since the last call."""
        with open(self.plant.processes[self.role].log, "rb") as f:
            f.seek(self.read)
            for line in f:
                if not line.endswith(b"\n"):
                    return  # the rest of it comes
                self.read += len(line)
                try:
                    yield json.loads(line)
                except ValueError:
                    pass  # cut by a kill, or of the log

    def acknowledged(self):
        """Reports that were acknowledged, a device: (time, cluster and attribute, value), oldest first."""
        for e in self.events():
            key = (e.get("device"), e.get("counter"))
            if e.get("event") == "reporting":
                self.sent[key] = (e["time"], (e["cluster"], e["attribute"]), e["value"])
            elif e.get("event") == "acknowledged" and key in self.sent:
                at, what, value = self.sent.pop(key)
                if e["time"] - at < APS_MS:  # otherwise it is of another frame: the numbers are used again
                    self.good.setdefault(e["device"], []).append((e["time"], what, value))
        return self.good


def sleep_plant(p, seconds):
    end = p.now_ms() + seconds * 1000
    while p.now_ms() < end:
        time.sleep(0.02)


def wait_plant(p, what, check, seconds):
    """Seconds of the plant."""
    end = p.now_ms() + seconds * 1000
    while not check():
        assert p.now_ms() < end, "waited %d s of the plant in vain for: %s" % (seconds, what)
        time.sleep(1)  # asking costs the plant's machine time


def states(p):
    r = p.keyway("device", "list", "--json", check=False)
    return {d["eui64"]: d for d in json.loads(r.stdout)["devices"]} if r.returncode == 0 else {}


def not_verified(p, groups):
    now = states(p)
    return [(e, now.get(e, {}).get("state")) for g in groups for e in g.eui64s if now.get(e, {}).get("state") != "verified"]


def silent(groups, since_ms):
    """Devices of which no report was acknowledged since then."""
    gone = []
    for g in groups:
        good = g.acknowledged()
        gone += [e for e in g.eui64s if not any(t > since_ms for t, _, _ in good.get(e, []))]
    return gone


def permit(p):
    wait_for("joining to be permitted", lambda: p.keyway("permit", "gw1", "65535", check=False).returncode == 0)


def enrol(p, groups):
    for g in groups:
        begun = p.now_ms()
        p.keyway("device", "import", g.csv)
        permit(p)
        g.start()
        wait_plant(p, "%s to be enrolled" % g.role, lambda: not not_verified(p, [g]), ENROL_S)
        say("enrolled", g.role, "after", round((p.now_ms() - begun) / 1000), "s")


def restart(p, role, pause_s):
    process = p.processes[role]
    process.kill()
    sleep_plant(p, pause_s)
    process.start()
    if not role.startswith("devices"):
        process.wait_line(" ready")
    if role == "mef":
        permit(p)  # what the operator opened is not kept


def storm(p, roles, seconds, wall_s, every):
    """Each has its turn before one has it again; in which order, and when, is chance. It ends when each had one."""
    end, wall, kills, bag = p.now_ms() + seconds * 1000, time.monotonic() + wall_s, {r: 0 for r in roles}, []
    while (p.now_ms() < end and time.monotonic() < wall) or not all(kills.values()):
        sleep_plant(p, min(random.expovariate(1 / every), 3 * every))
        bag = bag or random.sample(roles, len(roles))
        role = bag.pop()
        restart(p, role, random.choice([0, 0, 1, 5, 30]))
        kills[role] += 1
        say("killed", role)
    return kills


def keep_history(p, eui64):
    """Each change of the reading leaves an instance from here on."""
    p.keyway("update", "/id-b/cse-b/zb-%s/tempe" % eui64, '{"cod:tempe":{"fcied":true,"mni":100000}}')


def history(p, eui64):
    module = p.get("/id-b/cse-b/zb-%s/tempe" % eui64, "rcn=4")["cod:tempe"]
    values = [c for children in module.values() if isinstance(children, list) for c in children if isinstance(c, dict) and c.get("ty") == INSTANCE]
    assert len(values) == module["cni"], (len(values), module["cni"])
    return [c.get("curT0") for c in sorted(values, key=lambda c: c["ct"])]  # of one second as they are told: in their order


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


def judge_readings(p, groups):
    count, gone = 0, []
    for g in (g for g in groups if g.kind == "thermometer"):
        good = g.acknowledged()
        for e in g.eui64s:
            acked = [v / 100 for t, what, v in good.get(e, []) if what == TEMPERATURE and t > p.history_from]
            count += len(acked)
            gone += [(e, v) for v in missing(acked, changes(history(p, e)))]
    return count, gone


def words():
    a = argparse.ArgumentParser(description="a plant in bad weather; see the head of this file")
    a.add_argument("--devices", type=int, default=200)
    a.add_argument("--minutes", type=float, default=60)
    a.add_argument("--rate", type=int, default=32, help="the plant's clock is up to so many times faster")
    a.add_argument("--wall-s", type=float, default=1e9, help="the storm ends after so much of our time, if the minutes have not gone by then")
    a.add_argument("--loss", type=int, default=5)
    a.add_argument("--restart-s", type=float, default=90, help="a program is killed so often, on average")
    a.add_argument("--report-s", type=int, default=300, help="a device reports at least so often")
    a.add_argument("--batch", type=int, default=BATCH, help="devices of one process")
    a.add_argument("--seed", type=int, default=None)
    a.add_argument("--keep", action="store_true")
    return a.parse_args()


def main():
    o = words()
    seed = o.seed if o.seed is not None else random.randrange(1 << 31)
    say("seed", seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    p = Plant(rate=o.rate, folder=MEMORY if os.path.isdir(MEMORY) else None)
    random.seed(seed)
    with p:
        p.start_all(loss=o.loss, air=["--air-time"], rcp=["--ack-wait", ACK_WAIT_MS])
        groups = [Group(p, i, min(o.batch, o.devices - i * o.batch), o.report_s) for i in range((o.devices + o.batch - 1) // o.batch)]
        enrol(p, groups)
        for g in (g for g in groups if g.kind == "thermometer"):
            for e in g.eui64s:
                wait_plant(p, "a reading of " + e, lambda: p.value(e, "tempe", "cod:tempe", "curT0") is not None, ENROL_S)
                keep_history(p, e)
        say("all are interviewed")
        p.history_from = p.now_ms()
        kills = storm(p, list(p.processes), o.minutes * 60, o.wall_s, o.restart_s)
        since = p.now_ms()
        say("the storm is over")

        def lost():
            time.sleep(1)  # it is much to read
            return [d for d, _ in not_verified(p, groups)] or silent(groups, since)
        try:
            wait_plant(p, "each device to be on the network, and to be heard", lambda: not lost(), SETTLE_S)
        except AssertionError as e:
            say(e)
        say("settled after", round((p.now_ms() - since) / 1000), "s")
        result = {"seed": seed, "devices": o.devices, "minutes": round((since - p.history_from) / 60000, 1), "rate": o.rate, "loss": o.loss, "kills": sum(kills.values())}
        result["lost_devices"] = lost()
        result["sealed_frames"] = assert_no_counter_repeats(p.pcap, patience=1800)
        result["acknowledged_readings"], result["lost_readings"] = judge_readings(p, groups)
        print(json.dumps(result))
        assert not result["lost_devices"], "devices were lost for good"
        assert result["acknowledged_readings"] > 0, "no reading was acknowledged: nothing was shown"
        assert not result["lost_readings"], "acknowledged readings are not kept"
        p.keep = o.keep


main()
