"""What people get wrong: each of these says in its last line, or its first, what is wrong, where, and what to do, and ends with the status that a script can go
by: 2, the words or the configuration were not understood; 1, it can't be done here and now. Nothing but `--help` prints pages."""
import concurrent.futures
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess

from plant import Plant, program, wait_for

SERVERS = {"mef": "keyway-mef", "maf": "keyway-maf", "in-cse": "keyway-cse", "node-b": "keyway-cse", "gateway": "keyway-gateway", "hss": "keyway-hss"}
QR = ("00124B0001020304", "83FED3407A939723A5C639B26916D505C3B5")


def line(file, old, new):
    """The line of a configuration that old begins, replaced."""
    def edit(plant):
        path = os.path.join(plant, file)
        with open(path) as f:
            text, n = re.subn("^" + old + ".*", new.replace("@", plant), f.read(), count=1, flags=re.M)
        assert n == 1, (file, old)
        with open(path, "w") as f:
            f.write(text)
    return edit


def write(file, text, mode=0o600):
    def edit(plant):
        path = os.path.join(plant, file)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if os.path.isdir(path):
            os.rmdir(path)
        with open(path, "a" if file.endswith(".ini") else "w") as f:
            f.write(text)
        os.chmod(path, mode)
    return edit


def mode(file, bits):
    return lambda plant: os.chmod(os.path.join(plant, file), bits)


def gone(file):
    return lambda plant: os.remove(os.path.join(plant, file))


def ended(name):
    """Its certificate, signed anew by the plant's CA, has ended."""
    def edit(plant):
        tls = os.path.join(plant, "tls")
        subprocess.run(["openssl", "req", "-new", "-key", "%s/%s.key" % (tls, name), "-subj", "/CN=x", "-out", tls + "/x.csr"], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", tls + "/x.csr", "-CA", tls + "/ca.pem", "-CAkey", tls + "/ca.key", "-days", "-1", "-out", "%s/%s.pem" % (tls, name)],
                       check=True, capture_output=True)
    return edit


def of_later(plant):
    """The MEF's database comes back from a backup, and the clock is behind."""
    path, log = os.path.join(plant, "mef", "mef.db"), os.path.join(plant, "first.log")
    with open(log, "w") as f:
        first = subprocess.Popen([program("keyway-mef"), "--config", os.path.join(plant, "mef.ini")], stdout=f, stderr=f)
    wait_for("the MEF", lambda: " ready" in open(log).read())
    first.terminate()
    first.wait()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE origin SET alive = alive + 100000")
    db.close()
    shutil.copy(path, path + ".copy")
    os.rename(path + ".copy", path)


def config(name):
    return (SERVERS[name], "--config", "@/%s.ini" % name)


K = "keyway"
TABLE = [
    # what, the command, what was done before, exit status, words of the message
    ("no configuration", ("keyway-mef",), None, 2, ["--config FILE is missing", "keyway init"]),
    ("a configuration that is not there", ("keyway-mef", "--config", "@/none.ini"), None, 2, ["@/none.ini", "No such file", "keyway init"]),
    ("a folder for a file", ("keyway-gateway", "--config", "@"), None, 2, ["@", "Is a directory"]),
    ("an option that there is not", ("keyway-maf", "--conf", "x"), None, 2, ["--conf", "usage: keyway-maf --config FILE"]),
    ("one word too many", ("keyway-cse", "start"), None, 2, ["`start`", "--help"]),
    ("a key with a typing error", config("mef"), line("mef.ini", "listen", "lisen = 127.0.0.1:1"), 2, ["@/mef.ini:", "`lisen` in [mmef]", "did you mean `listen`"]),
    ("a key of another program", config("gateway"), write("gateway.ini", "\n[tls]\nlegacy_suites = yes\n"), 2, ["@/gateway.ini:", "legacy_suites", "ca cert key"]),
    ("a section that there is not", config("in-cse"), write("in-cse.ini", "\n[server]\nport = 1\n"), 2, ["@/in-cse.ini:", "[server]", "[http]"]),
    ("a line that is none", config("maf"), write("maf.ini", "\nlisten 127.0.0.1\n"), 2, ["@/maf.ini:", "key = value"]),
    ("a key given twice", config("hss"), write("hss.ini", "\n[hss]\nstate = x\n"), 2, ["@/hss.ini:", "`state`", "twice"]),
    ("a key that must be there", config("gateway"), line("gateway.ini", "eui64", "#"), 2, ["@/gateway.ini", "`eui64` is missing in [gateway]"]),
    ("half an EUI-64", config("gateway"), line("gateway.ini", "eui64", "eui64 = 02124b"), 2, ["@/gateway.ini:", "16 hexadecimal digits", "02124b"]),
    ("a channel of another band", config("gateway"), line("gateway.ini", "channel", "channel = 6"), 1, ["channel", "11 to 26", "6"]),
    ("a PAN ID that is too long", config("gateway"), line("gateway.ini", "pan_id", "pan_id = 0x12345"), 1, ["pan_id", "0xfffe"]),
    ("a radio without its kind", config("gateway"), line("gateway.ini", "connect = tcp", "connect = /dev/ttyACM0"), 1, ["/dev/ttyACM0", "[radio]", "serial:PATH"]),
    ("an Enrolment Gateway without its kind", config("gateway"), line("gateway.ini", "connect = tls", "connect = mef:9441"), 1, ["mef:9441", "[egp]", "tls:HOST:PORT"]),
    ("a CSE-ID without its slash", config("in-cse"), line("in-cse.ini", "id", "id = id-in"), 2, ["`id-in`", "`/`"]),
    ("a registrar without its slash", config("node-b"), line("node-b.ini", "id = /id-in", "id = id-in"), 2, ["registrar", "`id-in`", "`/`"]),
    ("a registrar without its scheme", config("node-b"), line("node-b.ini", "url = .*\nid = /id-in", "url = 127.0.0.1:9443\nid = /id-in"), 2, ["registrar", "https://"]),
    ("no such type of CSE", config("node-b"), line("node-b.ini", "type", "type = ae"), 2, ["`ae`", "in, mn or asn"]),
    ("a CA that is not there", config("mef"), line("mef.ini", "ca =", "ca = @/none.pem"), 1, ["[tls]", "@/none.pem"]),
    ("another's private key", config("maf"), line("maf.ini", "key =", "key = @/tls/guest.key"), 1, ["[tls]", "maf.pem", "private key"]),
    ("a private key that all may read", config("gateway"), mode("tls/gw1.key", 0o644), 1, ["[tls]", "tls/gw1.key", "0600"]),
    ("a key file that all may read", config("node-b"), mode("node-b.key", 0o644), 1, ["node-b.key", "0600"]),
    ("a key of the wrong length", config("node-b"), write("node-b.key", "abcd\n"), 1, ["node-b.key", "64 hexadecimal digits"]),
    ("no key file", config("node-b"), gone("node-b.key"), 1, ["node-b.key", "must be there"]),
    ("pre-shared keys that all may read", config("mef"), mode("egp.psk", 0o644), 1, ["psk_file in [egp]", "chmod 600"]),
    ("a pre-shared key that is none", config("mef"), write("egp.psk", "# of the hall\n\nhall:0123\n"), None, ["@/egp.psk", "line=3", "IDENTITY:HEXKEY"]),
    ("a state directory that is a file", config("mef"), write("mef", "x"), 1, ["state directory", "@/mef", "Not a directory"]),
    ("a state directory in nothing", config("maf"), line("maf.ini", "state", "state = /nowhere/maf"), 1, ["/nowhere/maf", "No such file", "make it"]),
    ("the same of a CSE", config("in-cse"), line("in-cse.ini", "state", "state = /proc/none/cse"), 1, ["/proc/none/cse", "cannot be made"]),
    ("no database", config("hss"), write("hss/hss.db", "text" * 300), 1, ["hss.db", "no database", "restore a backup"]),
    ("no store", config("in-cse"), write("in-cse/cse.db", "text" * 300), 1, ["@/in-cse/cse.db", "restore a backup"]),
    ("a port in use", config("mef"), ("busy", "mef", "listen = "), 1, ["[mmef]", "127.0.0.1:{mef}", "port free"]),
    ("a port in use, of a CSE", config("in-cse"), ("busy", "in-cse", "listen = "), 1, ["127.0.0.1:{in-cse}", "port free"]),
    ("a port in use, of a gateway", config("gateway"), ("busy", "gateway", "listen = "), 1, ["[ipe]", "127.0.0.1:{gateway}", "port free"]),
    ("an address without its port", config("maf"), line("maf.ini", "listen", "listen = localhost"), 1, ["localhost", "HOST:PORT"]),
    ("another's address", config("maf"), line("maf.ini", "listen", "listen = 192.0.2.1:9448"), 1, ["192.0.2.1:9448", "address of this host"]),
    ("the same plant twice: MEF", config("mef"), ("twice", "mef"), 1, ["@/mef", "in use by another process", "process={pid}"]),
    ("the same plant twice: MAF", config("maf"), ("twice", "maf"), 1, ["@/maf", "in use by another process", "process={pid}"]),
    ("the same plant twice: gateway", config("gateway"), ("twice", "gateway"), 1, ["@/gateway", "in use by another process", "process={pid}"]),
    ("the same plant twice: CSE", config("node-b"), ("twice", "node-b"), 1, ["@/node-b/cse.db", "in use by another process", "{pid}"]),
    ("a certificate that has ended", config("maf"), ended("maf"), None, ["certificate has expired", "@/tls/maf.pem", "keyway certificate issue", "clock"]),
    ("an old copy of later than now", config("mef"), of_later, 1, ["mef.db", "old copy", "set the clock"]),
    ("no port", ("keyway-cse", "--ephemeral", "--port", "http"), None, 2, ["`http` is no port"]),
    ("no such command", (K, "devices"), None, 2, ["`devices`", "keyway --help"]),
    ("no such verb", (K, "device", "ad", "x"), None, 2, ["`device ad`", "usage: keyway device add"]),
    ("an option's value is missing", (K, "get", "/id-in", "--plant"), None, 2, ["--plant"]),
    ("no plant", (K, "status", "--plant", "/nowhere"), None, 1, ["no plant in `/nowhere`", "keyway init"]),
    ("half a plant", (K, "status", "--plant", "@"), write("plant.json", "{"), 1, ["@/plant.json", "keyway init"]),
    ("the MEF does not run", (K, "status", "--plant", "@"), None, 1, ["@/mef/admin.sock", "keyway-mef running"]),
    ("the CSE does not run", (K, "get", "/id-in/cse-in", "--plant", "@"), None, 1, ["https://127.0.0.1:", "nobody listens", "does it run"]),
    ("no such scheme", (K, "get", "htp://127.0.0.1:1/x", "--plant", "@"), None, 1, ["htp://127.0.0.1:1", "http"]),
    ("no such type", (K, "create", "/id-in/cse-in", "container", "rn=x", "--plant", "@"), None, 2, ["`container`", "no resource type"]),
    ("no value", (K, "create", "/id-in/cse-in", "cnt", "rn", "--plant", "@"), None, 1, ["`rn`", "NAME=VALUE"]),
    ("too many seconds", (K, "permit", "gw1", "99999", "--plant", "@"), None, 2, ["`99999`", "0 to 65535"]),
    ("a plant where one is", (K, "init", "@"), None, 1, ["@", "already"]),
    ("a radio as on Windows", (K, "init", "@/new", "--radio", "COM3"), None, 2, ["COM3", "serial:PATH"]),
    ("no CA", (K, "certificate", "issue", "x", "--name", "m2m://a.example/id-in/Cx", "--ca", "/nowhere"), None, 1, ["no CA in /nowhere", "keyway init"]),
    ("no such certificate", (K, "certificate", "revoke", "nobody", "--ca", "@/tls"), None, 1, ["nobody", "keyway certificate list"]),
    ("no store of credentials", (K, "credentials", "list", "--state", "/nowhere"), None, 1, ["/nowhere/credentials.db", "no such store"]),
    ("no subscriber server", (K, "subscriber", "list", "--plant", "@"), None, 1, ["keyway-hss", "@/hss/admin.sock"]),
    ("no authorisation server", (K, "das", "list", "--plant", "@"), None, 1, ["keyway-das", "@/das/admin.sock"]),
    ("no state to back up", (K, "backup", "--all", "@/copy", "--state", "/nowhere"), None, 1, ["/nowhere", "--state"]),
    ("no backup to restore", (K, "restore", "@/copy", "--state", "@/new"), None, 1, ["@/copy", "backup.json"]),
    ("no capture", (K, "decode", "@/none.pcap"), None, 1, ["@/none.pcap", "No such file"]),
    ("no frame", (K, "decode", "61zz"), None, 1, ["`61zz`", "hexadecimal"]),
    ("a label misread", ("keyway-sim", "device", "--eui64", QR[0], "--install-code", QR[1][:-1] + "6"), None, 1, ["install code", "CRC"]),
    ("no such device", ("keyway-sim", "device", "--eui64", QR[0], "--install-code", QR[1], "--kind", "toaster"), None, 1, ["type", "--help"]),
    ("a radio without its host", ("keyway-sim", "rcp", "--listen", "9447"), None, 1, ["9447", "HOST:PORT"]),
    ("an air that loses all", (K, "demo", "--loss", "150"), None, 2, ["--loss", "0 to 99", "`150`"]),
    ("no folder to measure in", (K, "bench", "eg", "--state", "/nowhere"), None, 1, ["bench eg", "--state"]),
]


class Scene:
    """A copy of the plant, spoilt as the table says, for one try."""
    def __init__(self, template, name, prepare):
        self.plant, self.words, self.first, self.socket = name, {}, None, None
        shutil.copytree(template.plant, name)
        for f in os.listdir(name):
            if f.endswith((".ini", ".json")):
                self.rewrite(f, lambda text: text.replace(template.plant, name))
        for role in ("mef", "maf", "in-cse", "node-b", "gateway"):
            with open(os.path.join(name, role + ".ini")) as f:
                self.words[role] = re.search(r"^listen = .*:(\d+)$", f.read(), re.M).group(1)
        if isinstance(prepare, tuple) and prepare[0] == "busy":
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("127.0.0.1", int(self.words[prepare[1]])))
            self.socket.listen(1)
        elif isinstance(prepare, tuple):
            self.twice(prepare[1])
        elif prepare:
            prepare(name)

    def rewrite(self, file, change):
        path = os.path.join(self.plant, file)
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(change(text))

    def twice(self, role):
        """One runs already, at other ports, so that the store is what they meet at."""
        log = os.path.join(self.plant, "first.log")
        with open(log, "w") as f:
            self.first = subprocess.Popen([program(SERVERS[role]), "--config", os.path.join(self.plant, role + ".ini")], stdout=f, stderr=f)

        def ready():
            with open(log) as f:
                text = f.read()
            assert self.first.poll() is None, text
            return " ready" in text
        wait_for("the first " + role, ready)
        self.words["pid"] = str(self.first.pid)
        self.rewrite(role + ".ini", lambda text: re.sub(r"listen = 127\.0\.0\.1:\d+", "listen = 127.0.0.1:0", text))

    def close(self):
        if self.first:
            self.first.kill()
            self.first.wait()
        if self.socket:
            self.socket.close()


def run(argv, cwd, goes_on):
    """Its status and what it said; of one that goes on, None, and what it said until it was ready."""
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
                         env={k: v for k, v in os.environ.items() if not k.startswith("KEYWAY_") or k == "KEYWAY_BUILD"})
    if goes_on:
        told = ""
        while " ready" not in told:
            piece = p.stderr.readline()
            assert piece, told
            told += piece
        p.send_signal(signal.SIGTERM)
        p.communicate(timeout=60)
        return None, "", told
    out, told = p.communicate(timeout=60)
    return p.returncode, out, told


def try_one(template, number, row):
    what, argv, prepare, status, words = row
    scene = Scene(template, os.path.join(template.dir, "p%d" % number), prepare)
    try:
        got, out, told = run([program(argv[0])] + [a.replace("@", scene.plant) for a in argv[1:]], scene.plant, status is None)
    finally:
        scene.close()
    assert got == status, "%s: status %s, not %s\n%s%s" % (what, got, status, out, told)
    for w in words:
        for name, value in scene.words.items():
            w = w.replace("{%s}" % name, value)
        assert w.replace("@", scene.plant) in told, "%s: nothing of `%s` in\n%s" % (what, w.replace("@", scene.plant), told)
    assert not out, "%s: printed\n%s" % (what, out)
    assert len(told.splitlines()) <= 14, "%s: too much to read\n%s" % (what, told)
    assert not re.search(r"Assertion|AddressSanitizer|\(null\)", told), told


with Plant() as p:
    base = int(re.search(r":(\d+)$", p.settings["cses"][0]["url"]).group(1)) - 3
    p.plant = os.path.join(p.dir, "template")
    p.keyway("init", p.plant, "--usim", "--base-port", str(base), plant=False)
    def attempt(numbered):
        try:
            try_one(p, *numbered)
        except AssertionError as e:
            return str(e)
        return None

    groups = {}  # those of a server one after the other: their ports are the same
    for numbered in enumerate(TABLE):
        argv = numbered[1][1]
        groups.setdefault(argv[-1] if argv[0] in SERVERS.values() else numbered[0] % 4, []).append(numbered)
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        faults = [f for told in pool.map(lambda rows: list(map(attempt, rows)), groups.values()) for f in told if f]
    assert not faults, "\n".join(faults)
print("%d mistakes, each told" % len(TABLE))
