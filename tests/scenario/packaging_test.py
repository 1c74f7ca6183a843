"""What is installed beside the programs: the units run programs that there are, as users that there are, each with a state directory of its own, unprivileged and
shut in; the script that hands a plant over to those users knows every secret of a plant; completion offers what --help tells."""
import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

from plant import BUILD, program

SOURCE = sys.argv[1]
UNITS = os.path.join(SOURCE, "packaging", "systemd")
SHUT = {"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "LimitCORE": "0", "UMask": "0077", "StateDirectoryMode": "0700",
        "SystemCallArchitectures": "native", "LockPersonality": "yes", "ProtectKernelTunables": "yes", "ProtectProc": "invisible"}


class Several(dict):
    """A key that is given again adds a line."""
    def __setitem__(self, key, value):
        if isinstance(value, list) and isinstance(self.get(key), list):
            value = self[key] + [v for v in value if v not in self[key]]
        super().__setitem__(key, value)


def unit(name):
    c = configparser.ConfigParser(strict=False, interpolation=None, dict_type=Several, delimiters=("=",))
    c.optionxform = str
    c.read(os.path.join(UNITS, name))
    return c


def check_unit(name, users):
    s = unit(name)["Service"]
    m = re.fullmatch(r"@bindir@/(keyway-[a-z]+) --config /var/lib/keyway/([a-z%-]+)\.ini", s["ExecStart"])
    assert m and os.access(program(m.group(1)), os.X_OK), s["ExecStart"]
    assert s["StateDirectory"] == "keyway/" + m.group(2), s["StateDirectory"]
    for key, value in SHUT.items():
        assert s.get(key) == value, "%s: %s is %r" % (name, key, s.get(key))
    assert s["User"] == s["Group"] and s["User"] != "root"
    assert s["User"] == "keyway-%i" or s["User"] in users, s["User"]
    assert "@privileged" in s["SystemCallFilter"]


with open(os.path.join(UNITS, "keyway.sysusers")) as f:
    users = {line.split()[1] for line in f if line.startswith("u ")}
names = sorted(n for n in os.listdir(UNITS) if n.endswith(".service"))
assert {re.match(r"keyway-[a-z]+", n).group(0) for n in names} == {n for n in os.listdir(os.path.join(BUILD, "src", "programs")) if re.match(r"keyway-(?!sim)", n)}, names
for n in names:
    check_unit(n, users)

# systemd's own opinion, where it is installed
if shutil.which("systemd-analyze"):
    with tempfile.TemporaryDirectory() as d:
        for n in names:
            with open(os.path.join(UNITS, n)) as f:
                text = f.read()
            copy = os.path.join(d, n.replace("@", "@in-cse"))
            with open(copy, "w") as f:
                f.write(text.replace("@bindir@/", BUILD + "/src/programs/" + re.match(r"keyway-[a-z]+", n).group(0) + "/"))
            r = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
            told = [line for line in r.stderr.split("\n") if os.path.basename(copy) in line]
            assert not told, told
            r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", copy], capture_output=True, text=True)
            assert r.returncode == 0, r.stdout[-300:] + r.stderr

# every file of a plant that is no one else's business has an owner
with open(os.path.join(SOURCE, "packaging", "own-plant")) as f:
    given = dict((file, words.split()[0]) for words in re.findall(r"^give (.*)$", f.read(), re.M) for file in words.split()[1:])
assert set(given.values()) <= users, set(given.values()) - users
with tempfile.TemporaryDirectory() as d:
    plant = os.path.join(d, "plant")
    subprocess.run([program("keyway"), "init", plant, "--usim"], check=True, stdout=subprocess.DEVNULL)
    for root, folders, files in os.walk(plant):
        for f in files + [x + "/" for x in folders if root == plant and x != "tls"]:
            path = os.path.relpath(os.path.join(root, f), plant)
            if path.endswith((".ini", ".pem", ".json", ".txt", ".attr", ".lock")):
                continue
            assert path in given or path.split("/")[0] in given or path in ("tls/ca.key", "tls/operator.key", "tls/guest.key"), path + " is given to nobody"
            assert not stat.S_IMODE(os.stat(os.path.join(root, f)).st_mode) & 0o077, path + " may be read by others"

# what `meson install` puts below a folder of a package, and that it runs from there
with tempfile.TemporaryDirectory() as d:
    r = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", d], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    there = {os.path.relpath(os.path.join(root, f), d): os.path.join(root, f) for root, _, files in os.walk(d) for f in files}
    for path, file in sorted(there.items()):
        if path.endswith(".service"):
            with open(file) as f:
                run = re.search(r"^ExecStart=/(\S+)", f.read(), re.M).group(1)
            assert run in there and os.access(there[run], os.X_OK), path + " runs /" + run + ", which is not installed"
    ending = lambda *words: [p for p in there if p.endswith(words)]
    programs = [p for p in there if "/bin/keyway" in p]
    assert len(programs) == 8 and len(ending(".1", ".5", ".8")) == 9 and len(ending(".service")) == len(names), sorted(there)
    for needed in ("sysusers.d/keyway.conf", "lib/keyway/own-plant", "completions/keyway", "include/keyway/client.h", "keyway-client.pc"):
        assert len(ending(needed)) == 1, needed
    for p in programs:
        r = subprocess.run([there[p], "--version"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
        assert r.returncode == 0 and r.stdout.startswith(os.path.basename(p) + " "), (p, r)

# completion
if shutil.which("bash"):
    def complete(*words):
        script = 'source "%s/packaging/keyway.bash"; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _keyway; printf "%%s\\n" "${COMPREPLY[@]}"' % (
            SOURCE, " ".join("'%s'" % w for w in words))
        env = dict(os.environ, PATH=os.path.dirname(program("keyway")) + ":" + os.environ["PATH"])
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=env).stdout.split()
    assert {"demo", "device", "backup", "restore"} <= set(complete("keyway", "")), complete("keyway", "")
    assert complete("keyway", "disc") == ["discover"]
    assert {"add", "list"} <= set(complete("keyway", "gateway", "")), complete("keyway", "gateway", "")
    assert complete("keyway", "backup", "--out", "x", "--st") == ["--state"]
print("%d units, %d files of a plant with their owners" % (len(names), len(given)))
