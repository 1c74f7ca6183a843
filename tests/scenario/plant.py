"""A whole plant for scenario tests: the real programs, each its own process, on loopback with free ports, in a folder of its own.

Nothing here sleeps for a fixed time: it waits for a line of a log, or for a state, with generous patience."""
import fcntl
import json
import mmap
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import ends

BUILD = os.environ["KEYWAY_BUILD"]
PATIENCE = 90
PORTS = 12  # of a plant's servers


def program(name):
    return os.path.join(BUILD, "src", "programs", name, name)


RESERVED = []  # locks; they end with this process


def reserve(base, count=1):
    """Takes ports, of TCP and of UDP, that no other test takes until this process ends, also while nobody has them open: a server that is killed finds its own
    again. False: somebody has one of them."""
    folder = os.path.join(tempfile.gettempdir(), "keyway-test-ports-%d" % os.getuid())
    os.makedirs(folder, exist_ok=True)
    lock = open(os.path.join(folder, str(base)), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for port in range(base, base + count):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("127.0.0.1", port))
    except OSError:
        lock.close()
        return False
    RESERVED.append(lock)
    return True


def free_port():
    """Below those that the system gives to whoever asks for any."""
    while True:
        port = random.randint(15000, 29000)
        if reserve(port):
            return port


def wait_for(what, check, patience=PATIENCE):
    begin = time.monotonic()
    looked = begin
    while looked < begin + patience:
        value = check()
        if value:
            return value
        took = time.monotonic() - looked
        time.sleep(max(0.05, took))  # what is looked at, such as a tshark, leaves the plant at least half of the machine
        looked = time.monotonic()
    raise AssertionError("waited %d s in vain for: %s" % (patience, what))


def crc_x25(octets):
    crc = 0xFFFF
    for o in octets:
        crc ^= o
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ 0xFFFF


def make_code():
    code = os.urandom(16)
    return (code + crc_x25(code).to_bytes(2, "little")).hex()


class Process:
    def __init__(self, plant, role, argv):
        self.plant, self.role, self.argv = plant, role, argv
        self.log = os.path.join(plant.dir, role + ".log")
        self.start()

    def start(self):
        self.from_ = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.popen = ends.Popen(self.argv, stdin=subprocess.PIPE, stdout=log, stderr=log, env=getattr(self.plant, "environment", None))

    def text(self, whole=False):
        with open(self.log, "rb") as f:
            f.seek(0 if whole else self.from_)
            return f.read().decode(errors="replace")

    def wait_line(self, text, patience=PATIENCE):
        try:
            wait_for("`%s` in the log of %s" % (text, self.role), lambda: text in self.text(), patience)
        except AssertionError:
            print(self.text(True)[-4000:], file=sys.stderr)
            raise

    def tell(self, line):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def kill(self, how=signal.SIGKILL):
        self.popen.send_signal(how)
        self.popen.wait()

    def events(self, name):
        found = []
        for line in self.text(True).splitlines():
            if line.startswith("{"):
                e = json.loads(line)
                if e.get("event") == name:
                    found.append(e)
        return found


class FastClock:
    """A plant's own clock: see tests/soak/clock_keeper.c."""
    def __init__(self, folder, rate):
        self.page = os.path.join(folder, "clock")
        self.keeper = subprocess.Popen([os.path.join(BUILD, "tests", "soak", "clock_keeper"), self.page, str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.keeper.stdout.readline() == b"ready\n"
        with open(self.page, "rb") as f:
            self.octets = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

    def now_ms(self):
        return sum(struct.unpack_from("qq", self.octets)) / 1e6

    def end(self):
        self.keeper.stdin.close()
        self.keeper.wait()


class Plant:
    ROLES = [("mef", "keyway-mef", "mef.ini"), ("in-cse", "keyway-cse", "in-cse.ini"), ("mn-cse", "keyway-cse", "mn-cse.ini"),
             ("node-b", "keyway-cse", "node-b.ini"), ("gateway", "keyway-gateway", "gateway.ini")]

    def __init__(self, rate=1, folder=None):
        """rate: the plant's clock is up to so many times faster than ours (tests/soak), and stands still while a program has something to do: for a test that
        waits for what real devices and servers take seconds for. A program that is stopped (SIGSTOP) holds up nobody. Patience stays in our seconds."""
        self.dir = tempfile.mkdtemp(prefix="keyway-scenario-", dir=folder)
        self.environment, self.clock, self.keep = dict(os.environ), FastClock(self.dir, rate) if rate != 1 else None, False
        if self.clock:
            self.environment.update(KEYWAY_CLOCK_PAGE=self.clock.page, LD_PRELOAD=os.path.join(BUILD, "tests", "soak", "libfast_clock.so"))
        self.plant = os.path.join(self.dir, "plant")
        self.processes = {}
        self.air_port, self.rcp_port = free_port(), free_port()
        self.keyway("init", self.plant, "--base-port", str(self.free_base()), "--radio", "tcp:127.0.0.1:%d" % self.rcp_port, plant=False)
        with open(os.path.join(self.plant, "plant.json")) as f:
            self.settings = json.load(f)

    def free_base(self):
        bases = list(range(30001, 32600, PORTS))
        random.shuffle(bases)
        for base in bases:
            if reserve(base, PORTS):
                return base
        raise AssertionError("all ports are taken")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for p in reversed(list(self.processes.values())):
            if p.popen.poll() is None:
                p.popen.terminate()
        for p in self.processes.values():
            p.popen.end()
        if self.clock:
            self.clock.end()
        if kind is None and self.keep:
            print("the logs are in " + self.dir)
        elif kind is None:
            shutil.rmtree(self.dir)
        else:
            for p in self.processes.values():
                print("---- %s\n%s" % (p.role, p.text(True)[-3000:]), file=sys.stderr)
            print("the logs are in " + self.dir, file=sys.stderr)

    def keyway(self, *words, plant=True, check=True, stdin=None):
        argv = [program("keyway"), *words] + (["--plant", self.plant] if plant else [])
        r = subprocess.run(argv, capture_output=True, text=True, input=stdin, timeout=120)
        if check and r.returncode != 0:
            raise AssertionError("keyway %s: %s%s" % (" ".join(words), r.stdout, r.stderr))
        return r

    def start(self, role, *argv):
        self.processes[role] = Process(self, role, list(argv))
        return self.processes[role]

    def configure(self, file, old, new):
        path = os.path.join(self.plant, file)
        with open(path) as f:
            text = f.read()
        assert old in text
        with open(path, "w") as f:
            f.write(text.replace(old, new))

    def registrar(self, file, change):
        """Gives a CSE's registrar another URL: what change makes of the present one."""
        path = os.path.join(self.plant, file)
        with open(path) as f:
            text, n = re.subn(r"(?<=\[registrar\]\nurl = ).*", lambda m: change(m.group(0)), f.read())
        assert n == 1
        with open(path, "w") as f:
            f.write(text)

    def now_ms(self):
        """As the plant has it."""
        return self.clock.now_ms() if self.clock else time.time() * 1000

    def start_radio(self, loss=0, air=(), rcp=()):
        self.pcap = os.path.join(self.dir, "factory.pcap")
        self.start("air", program("keyway-sim"), "air", "--listen", "127.0.0.1:%d" % self.air_port, "--pcap", self.pcap, "--loss", str(loss), *air).wait_line(" ready")
        self.start("rcp", program("keyway-sim"), "rcp", "--listen", "127.0.0.1:%d" % self.rcp_port, "--air", "127.0.0.1:%d" % self.air_port, *rcp).wait_line(" ready")

    def start_servers(self):
        for role, name, config in self.ROLES:
            self.start(role, program(name), "--config", os.path.join(self.plant, config)).wait_line(" ready")

    def start_all(self, loss=0, air=(), rcp=()):
        self.start_radio(loss, air, rcp)
        self.start_servers()
        self.keyway("gateway", "add", "gw1")

    def new_device(self, kind, power="--always-on", code=None, register=True, real_code=None, more=(), eui64=None, application=None):
        eui64 = eui64 or "%016x" % (0x00124B0000000000 | random.getrandbits(40))
        code = code or make_code()
        if register:
            self.keyway("device", "add", eui64, code, *(["--application", application] if application else []))
        role = "device-%s" % eui64
        self.start(role, program("keyway-sim"), "device", "--air", "127.0.0.1:%d" % self.air_port, "--channel", "15", "--eui64", eui64,
                   "--install-code", real_code or code, "--kind", kind, power, "--report-interval", "2", "--state",
                   os.path.join(self.dir, role + ".state"), "--json", *more)
        return eui64, code, self.processes[role]

    def permit(self, seconds=600):
        self.keyway("permit", "gw1", str(seconds))

    def state(self, eui64):
        return json.loads(self.keyway("device", "show", eui64, "--json").stdout)["device"]

    def wait_state(self, eui64, state, patience=PATIENCE):
        wait_for("device %s to be %s" % (eui64, state), lambda: self.state(eui64)["state"] == state, patience)

    def get(self, target, *words):
        r = self.keyway("get", target, "--json", *words, check=False)
        return json.loads(r.stdout) if r.returncode == 0 else None

    def value(self, eui64, module, root, member):
        r = self.get("/id-b/cse-b/zb-%s/%s" % (eui64, module))
        return r[root].get(member) if r else None

    def wait_value(self, eui64, module, root, member, wanted=None, patience=PATIENCE):
        def check():
            v = self.value(eui64, module, root, member)
            return v is not None and (wanted is None or v == wanted)
        wait_for("%s.%s of %s%s" % (root, member, eui64, "" if wanted is None else " to be %r" % (wanted,)), check, patience)

    def export_keys(self, codes):
        path = os.path.join(self.dir, "keys")
        words = ["decode", self.pcap, "--keys-out", path]
        for c in codes:
            words += ["--install-code", c]
        self.keyway(*words, plant=False)
        return path


def tshark(pcap, keys, filter_, *fields, patience=120):
    argv = ["tshark", "-r", pcap]
    if keys:
        with open(keys) as f:
            for line in f:
                argv += ["-o", "uat:zigbee_pc_keys:" + line.strip()]
    argv += ["-Y", filter_]
    if fields:
        argv += ["-T", "fields", "-E", "separator=/t"]
        for name in fields:
            argv += ["-e", name]
    r = subprocess.run(argv, capture_output=True, text=True, timeout=patience)
    if r.returncode != 0:
        raise AssertionError("tshark: " + r.stderr)
    return [line for line in r.stdout.split("\n") if line.strip()]


def key_values(path):
    """The keys of a zigbee_pc_keys file: (label, octets)."""
    with open(path) as f:
        return [(m.group(2), bytes.fromhex(m.group(1).replace(":", ""))) for m in re.finditer(r'"([0-9A-F:]+)","Normal","([^"]+)"', f.read())]


def assert_no_counter_repeats(pcap, shared=False, patience=120):
    """No (sealer, key sequence, frame counter) twice with different octets: a retransmission by the radio has the same octets.
    shared: all devices are of one application group."""
    seen = {}
    rows = tshark(pcap, None, "zbee_nwk && zbee.sec.counter && zbee.sec.key_seqno", "zbee.sec.src64", "zbee.sec.key_seqno", "zbee.sec.counter", "zbee.sec.mic", "wpan.dst16", "zbee_nwk.src", patience=patience)
    assert rows, "the capture holds no sealed frame: nothing was shown"
    for row in rows:
        src, key, counter, mic, dst, sender = row.split("\t")[:6]
        # the coordinator has one counter a device: the address that the radio sends to tells which, also of what goes to all routers
        who = (src, key, counter) if shared else (src, dst if sender == "0x0000" else sender, key, counter)
        assert seen.setdefault(who, mic) == mic, "frame counter %s of %s was used twice" % (counter, src)
    return len(seen)
