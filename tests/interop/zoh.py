"""zigbee-on-host, a coordinator that we did not write, and one device of ours through our radio and our air: what the tests of it have in common."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
from npm import WORK, install  # noqa: E402
from plant import Process, make_code, program, wait_for  # noqa: E402

CODE = "83FED3407A939723A5C639B26916D505C3B5"  # the example of Base Device Behaviour 3.0, clause 10.1
CHANNEL = 15
TIME_SCALE, LINK_STATUS_S, AGE_LIMIT = 30, 15, 3  # periods of half a second; nwkLinkStatusPeriod, nwkRouterAgeLimit
BASIC, ON_OFF, TEMPERATURE = 0x0000, 0x0006, 0x0402
BIND = 0x0021
BOOL, INT16, STRING = "10", "29", "42"
COMMISSIONING = ["scanning", "associated", "transport-key", "timeout-negotiated", "node-descriptor", "key-requested", "key-verified", "commissioned"]


class Run:
    """One air, one radio, the foreign coordinator and one device."""

    def __init__(self, node, name, link_key, kind, power, code, *more):
        self.dir, self.processes = tempfile.mkdtemp(prefix="keyway-interop-"), []
        self.name, self.sequence = name, 0
        try:
            self.start_all(node, link_key, kind, power, code, more)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def start_all(self, node, link_key, kind, power, code, more):
        self.eui64 = "00124b00%08x" % int.from_bytes(os.urandom(4), "big")
        air = "127.0.0.1:%s" % self.start("air", program("keyway-sim"), "air", "--listen", "127.0.0.1:0", "--pcap", os.path.join(self.dir, "air.pcap"))
        rcp = self.start("rcp", program("keyway-sim"), "rcp", "--listen", "127.0.0.1:0", "--air", air)
        settings = '{"port": %s, "dir": "%s", "channel": %d, "device": "%s", "installCode": "%s", "linkKey": "%s"}' % (
            rcp, self.dir, CHANNEL, self.eui64, code, link_key)
        self.coordinator = self.run("coordinator", node, os.path.join(WORK, "zoh_coordinator.mjs"), settings)
        self.coordinator_event("ready")
        self.device = self.run("device", program("keyway-sim"), "device", "--air", air, "--channel", str(CHANNEL), "--eui64", self.eui64,
                               "--install-code", code, "--kind", kind, power, "--poll-ms", "500", "--json",
                               "--state", os.path.join(self.dir, "device.state"), *more)

    def run(self, role, *argv):
        self.processes.append(Process(self, role, list(argv)))
        return self.processes[-1]

    def start(self, role, *argv):
        p = self.run(role, *argv)
        p.wait_line(" ready")
        return re.search(r" ready.*port=(\d+)", p.text()).group(1)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for p in reversed(self.processes):
            if p.popen.poll() is None:
                p.popen.terminate()
        for p in self.processes:
            try:
                p.popen.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
        if kind is None:
            shutil.rmtree(self.dir)
            return
        for p in self.processes:
            print("---- %s, %s\n%s" % (self.name, p.role, p.text(True)[-6000:]), file=sys.stderr)
        print("the logs are in " + self.dir, file=sys.stderr)

    def device_event(self, name, count=1):
        return wait_for("%s: the device to say `%s`" % (self.name, name), lambda: len(self.device.events(name)) >= count and self.device.events(name))[count - 1]

    def coordinator_event(self, name, check=lambda e: True):
        def found():
            assert self.coordinator.popen.poll() is None, "the coordinator ended"
            return [e for e in self.coordinator.events(name) if check(e)]
        return wait_for("%s: the coordinator to say `%s`" % (self.name, name), found)[-1]

    def next(self):
        self.sequence += 1
        return "%02x" % self.sequence

    def frame(self, cluster, start):
        return self.coordinator_event("frame", lambda e: e["cluster"] == cluster and e["payload"].startswith(start))["payload"][len(start):]

    def ask(self, cluster, command, body, answer, endpoint=1, manufacturer=""):
        """A ZCL foundation request, answered with what follows `answer` (and the sequence number). manufacturer: code, in hexadecimal as on air."""
        n = self.next()
        self.coordinator.tell("zcl %d %s%s%s%s%s %d" % (cluster, "04" if manufacturer else "00", manufacturer, n, command, body, endpoint))
        return self.frame(cluster, ("1c" if manufacturer else "18") + manufacturer + n + answer)

    def command(self, cluster, command, body="", endpoint=1, status="00"):
        """A command of the cluster, answered by a default response or by the cluster's own with the same number; gives what is in that."""
        n = self.next()
        self.coordinator.tell("zcl %d 01%s%s%s %d" % (cluster, n, command, body, endpoint))
        found = self.coordinator_event("frame", lambda e: e["cluster"] == cluster and e["payload"][2:4] == n)["payload"]
        if found.startswith("18"):
            assert found == "18" + n + "0b" + command + status, "%s: command %s is answered with %s" % (self.name, command, found)
            return ""
        assert found.startswith("19" + n + command), found
        return found[6:]

    def read(self, cluster, attribute):
        return self.ask(cluster, "00", attribute, "01" + attribute + "00")

    def switch(self, on):
        self.coordinator.tell("zcl %d 01%s%s" % (ON_OFF, self.next(), "01" if on else "00"))

    def report_from(self, cluster, attribute, kind, change):
        """Binds the cluster to the coordinator and asks for a report at each change, of a minimum interval of 0."""
        to = bytes.fromhex(self.coordinator.events("ready")[0]["eui64"])[::-1].hex()
        eui64 = bytes.fromhex(self.eui64)[::-1].hex()
        self.coordinator.tell("zdo %d 00%s01%s03%s01" % (BIND, eui64, cluster.to_bytes(2, "little").hex(), to))
        bound = self.coordinator_event("frame", lambda e: e["profile"] == 0 and e["cluster"] == BIND | 0x8000)["payload"]
        assert bound[2:] == "00", "binding: " + bound
        answer = self.ask(cluster, "06", "00" + attribute + kind + "00000000" + change, "07")
        assert answer == "00", "reporting: " + answer

    def reported(self, cluster, attribute, kind, value):
        self.coordinator_event("frame", lambda e: e["cluster"] == cluster and re.fullmatch("18..0a" + attribute + kind + value, e["payload"]))

    def state(self):
        before = len(self.coordinator.events("state"))
        self.coordinator.tell("state")
        wait_for("the coordinator's state", lambda: len(self.coordinator.events("state")) > before)
        return self.coordinator.events("state")[-1]

    def commissioned(self, rx_on, router=False):
        """To the end, at the first attempt, in the order of the standard; and the coordinator is of the same opinion."""
        steps = [n for n in COMMISSIONING if not router or n != "timeout-negotiated"]  # nobody asks a router whether it is still there
        self.device_event("commissioned")
        self.coordinator_event("authorized", lambda e: e["eui64"] == self.eui64)
        names = [n for n in re.findall(r'"event":"([^"]+)"', self.device.text()) if n in COMMISSIONING]
        assert names[:len(steps)] == steps, names
        assert not [n for n in ("link-key-rejected", "transport-key-rejected", "left") if self.device.events(n)], self.device.text()
        assert self.device.events("node-descriptor")[0]["revision"] >= 21
        s = self.state()
        assert s["known"] and s["authorized"] and (router or s["timeoutMs"] == 8 * 60 * 1000), s
        assert s["capabilities"]["deviceType"] == (1 if router else 0), s
        if not router:
            assert self.device.events("timeout-negotiated")[0]["status"] == 0
        assert s["capabilities"]["rxOnWhenIdle"] == rx_on and s["capabilities"]["allocateAddress"], s

    def counters_rise(self):
        """No frame counter of the device is on the air for two frames, and none after a higher one; the MAC's own repeats are the same octet by octet."""
        sealer, last, seen = bytes.fromhex(self.eui64)[::-1], -1, {}
        with open(os.path.join(self.dir, "air.pcap"), "rb") as f:
            rest = f.read()[24:]
        while rest:
            n = int.from_bytes(rest[8:12], "little")
            frame, rest = rest[16:16 + n], rest[16 + n:]
            if frame[0] & 7 != 1:  # MAC data frames alone: a command's sequence number and addresses may look like the header sought
                continue
            m = re.search(rb"\x28(....)" + re.escape(sealer), frame, re.S)  # security control, counter, source: the NWK auxiliary header
            counter = int.from_bytes(m.group(1), "little") if m else None
            if counter is None or seen.get(counter) == frame:
                continue
            assert counter not in seen, "%s: frame counter %d was used for two frames" % (self.name, counter)
            assert counter > last, "%s: frame counter %d came after %d" % (self.name, counter, last)
            seen[counter], last = frame, counter
        assert len(seen) > 5, "the capture holds no sealed frame of the device: nothing was shown"

    def uncomplaining(self):
        """Of replays the air is the better judge: on a busy machine the coordinator takes two frames at once and opens the second first, and does not tell
        a frame that the MAC sent again from a counter that repeats."""
        self.counters_rise()
        complaints = [e for e in self.coordinator.events("complaint") if not re.search(r"Rejecting replay frame src16=\d+:\d+ counter=\d+", e["line"])]
        assert not complaints, "%s: the coordinator complains: %s" % (self.name, complaints)

    def link_status(self, seconds):
        """The coordinator sends link status so often; 0: no more."""
        self.coordinator.tell("linkStatus %d" % (seconds * 1000))

    def sent_link_status(self, count):
        """Waits until the coordinator has sent so many more."""
        before = len(self.coordinator.events("linkStatus"))
        wait_for("%s: %d link status" % (self.name, count), lambda: len(self.coordinator.events("linkStatus")) >= before + count)

    def left(self, reason):
        """Never commissioned, gone, and the coordinator knows it."""
        said = self.device_event("left")
        assert reason in said["reason"], said
        assert len(self.device.events("key-requested")) == 3, self.device.text()
        assert not self.device.events("commissioned") and not self.coordinator.events("authorized")
        self.coordinator_event("left", lambda e: e["eui64"] == self.eui64)
