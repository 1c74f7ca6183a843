"""The command line as an operator meets it: every spelling that labels have, what it says when something is wrong, exit statuses, --json, --help."""
import atexit
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile

from cse import Cse
from plant import Plant, crc_x25, make_code, program, wait_for

CODES = {6: "83fed3407a93", 8: "83fed3407a939723", 12: "83fed3407a939723a5c639b2", 16: "83fed3407a939723a5c639b26916d505"}
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "zigbee.json")
serial_number = 0


def with_crc(code):
    return code + crc_x25(bytes.fromhex(code)).to_bytes(2, "little").hex()


def new_eui64():
    global serial_number
    serial_number += 1
    return "00124b00c11%05x" % serial_number


def keyway(*words, **kw):
    return subprocess.run([program("keyway"), *words], capture_output=True, text=True, timeout=60, **kw)


def fails(r, status, *words):
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    for w in words:
        assert w in r.stderr, (w, r.stderr)
    assert "keyway" in r.stderr and not r.stdout, (r.stdout, r.stderr)


def pairs(octets, mark):
    return mark.join(octets[i:i + 2] for i in range(0, len(octets), 2))


# ---- help, versions, misuse: without any plant ----
with tempfile.TemporaryDirectory(prefix="keyway-cli-") as d:
    outside = {"cwd": d, "env": {k: v for k, v in os.environ.items() if k != "KEYWAY_PLANT"}}
    commands = re.findall(r"^  ([a-z]+) ", keyway("--help").stdout, re.M)
    assert set(commands) >= set("demo init device gateway permit status get create update delete discover watch decode backup check bench".split()), commands
    for c in commands:
        for words in ((c, "--help"), (c, "-h"), ("help", c)):
            r = keyway(*words, **outside)
            assert r.returncode == 0 and r.stdout.startswith("usage: keyway ") and c in r.stdout and not r.stderr, (words, r)
        fails(keyway(c, "--no-such-option", **outside), 2, "--no-such-option" if c != "bench" else "usage")
    sim = subprocess.run([program("keyway-sim"), "--help"], capture_output=True, text=True)
    for c in re.findall(r"^  ([a-z]+) ", sim.stdout, re.M):
        r = subprocess.run([program("keyway-sim"), c, "--help"], capture_output=True, text=True)
        assert r.returncode == 0 and r.stdout.startswith("usage: keyway-sim " + c), r
        r = subprocess.run([program("keyway-sim"), c, "--no-such-option"], capture_output=True, text=True, timeout=20)
        assert r.returncode == 2 and "--no-such-option" in r.stderr, r
    assert subprocess.run([program("keyway-sim"), "air", "--loss", "many"], capture_output=True, timeout=20).returncode == 2
    for name in ("keyway", "keyway-mef", "keyway-cse", "keyway-gateway", "keyway-sim"):
        r = subprocess.run([program(name), "--version"], capture_output=True, text=True)
        assert r.returncode == 0 and re.fullmatch(name + r" \d+\.\d+\.\d+\n", r.stdout), r
        r = subprocess.run([program(name), "--help"], capture_output=True, text=True)
        assert r.returncode == 0 and r.stdout.startswith("usage: " + name) and not r.stderr, r
        r = subprocess.run([program(name), "--no-such-option"], capture_output=True, text=True, timeout=20, cwd=d)
        assert r.returncode == 2 and r.stderr and not r.stdout, r
    fails(keyway("fly", **outside), 2, "fly")
    fails(keyway(**outside), 2)
    fails(keyway("status", **outside), 1, "no plant", "keyway init")
    fails(keyway("permit", "gw1", "soon", **outside), 2, "soon")
    fails(keyway("get", **outside), 2, "missing")
    fails(keyway("device", "fly", "x", **outside), 2, "fly")
    print("help, versions, misuse: %d commands" % len(commands))

    # ---- init ----
    r = keyway("init", **outside)
    assert r.returncode == 0, r.stderr
    for line in ("keyway-mef", "keyway-gateway --config plant/gateway.ini", "KEYWAY_PLANT='%s/plant'" % os.path.realpath(d), "keyway permit"):
        assert line in r.stdout, (line, r.stdout)
    before = {f: os.stat(os.path.join(d, "plant", f)).st_mtime_ns for f in os.listdir(os.path.join(d, "plant"))}
    fails(keyway("init", **outside), 1, "already")
    assert before == {f: os.stat(os.path.join(d, "plant", f)).st_mtime_ns for f in os.listdir(os.path.join(d, "plant"))}
    for root, _, files in os.walk(os.path.join(d, "plant")):
        for f in files:
            mode = os.stat(os.path.join(root, f)).st_mode & 0o777
            assert mode & 0o077 == 0 or f.endswith((".pem", "index.txt", "index.txt.attr")), (f, oct(mode))
    os.mkdir(os.path.join(d, "empty"))
    r = keyway("init", ".", "--sp", "factory.example", "--radio", "serial:/dev/ttyACM0", cwd=os.path.join(d, "empty"))
    assert r.returncode == 0 and "serial:/dev/ttyACM0" in open(os.path.join(d, "empty", "gateway.ini")).read(), r
    assert "mef.factory.example" in open(os.path.join(d, "empty", "mef.ini")).read()
    fails(keyway("init", "x", "--radio", "COM3", **outside), 2, "COM3", "serial:PATH")
    fails(keyway("init", "x", "--base-port", "9e3", **outside), 2, "9e3")
    fails(keyway("init", "x", "--sp", "not a domain", **outside), 2, "not a domain")
    fails(keyway("init", "y" * 120, **outside), 1, "too long")
    fails(keyway("status", **outside), 1, "keyway-mef running")
    print("init: a plant, and never over one")

    # ---- backup and check ----
    def damage(path, sql):
        with sqlite3.connect(path) as db:
            db.execute(sql)
        db.close()

    state, copy, second = (os.path.join(d, n) for n in ("state", "copy.db", "second.db"))
    fails(keyway("check", "--state", state, **outside), 1, state + "/cse.db", "--state")
    fails(keyway("backup", "--state", state, **outside), 2, "--out")
    fails(keyway("check", "everything", **outside), 2, "everything")
    with Cse(state) as cse:
        client = cse.client()
        client.must(2001, "C", "cse-in", {"m2m:cnt": {"rn": "a"}}, 3)
        for i in range(100):
            client.must(2001, "C", "cse-in/a", {"m2m:cin": {"con": str(i)}}, 4)
        r = keyway("backup", "--state", state, "--out", copy, "--json", **outside)
        assert r.returncode == 0 and not r.stderr and json.loads(r.stdout) == {"backup": copy, "octets": os.path.getsize(copy)}, r
        client.must(2002, "D", "cse-in/a")
        fails(keyway("backup", "--state", state, "--out", copy, **outside), 1, copy, "exists")
        fails(keyway("backup", "--state", state, "--out", os.path.join(d, "no", "where"), **outside), 1, "No such file")
        r = keyway("backup", "--state=" + state, "--out=" + second, **outside)
        assert r.returncode == 0 and second in r.stdout and "whole" in r.stdout and not r.stderr, r
        r = keyway("check", "--state", state, "--json", **outside)
        checked = json.loads(r.stdout)
        assert r.returncode == 0 and checked["whole"] is True and checked["faults"] == [] and checked["resources"] < 10, r
    r = keyway("check", cwd=d, env={**outside["env"], "XDG_DATA_HOME": d})
    fails(r, 1, d + "/keyway/cse.db")
    r = keyway("check", "--state", state, **outside)
    assert r.returncode == 0 and "is whole" in r.stdout and not r.stderr, r
    os.rename(copy, os.path.join(state, "cse.db"))
    for ending in ("-wal", "-shm"):
        if os.path.exists(os.path.join(state, "cse.db" + ending)):
            os.remove(os.path.join(state, "cse.db" + ending))
    with Cse(state) as cse:
        assert cse.client().must(2000, "R", "cse-in/a").resource["cni"] == 100
    damage(os.path.join(state, "cse.db"), "DELETE FROM resource WHERE rn='a'")
    r = keyway("check", "--state", state, **outside)
    assert r.returncode == 1 and "instances lie below" in r.stderr and "counts" in r.stderr and "restore a backup" in r.stderr and not r.stdout, r
    r = keyway("check", "--state", state, "--json", **outside)
    checked = json.loads(r.stdout)
    assert r.returncode == 1 and checked["whole"] is False and len(checked["faults"]) == 2 and not r.stderr, r
    print("backup and check: a copy of a running CSE, which starts again; damage is told")

    # ---- decode ----
    with open(VECTORS) as f:
        frame = [x for x in json.load(f)["frames"] if "Xiaomi" in x["name"]][0]
    r = keyway("decode", frame["mac_frame_nofcs"], **outside)
    assert r.returncode == 0 and "sealed; no key given opens it" in r.stdout and "ZCL" not in r.stdout, r.stdout
    for text in (frame["mac_frame_nofcs"], frame["mac_frame_nofcs"] + frame["fcs_le"], pairs(frame["mac_frame_nofcs"].upper(), ":"), pairs(frame["mac_frame_nofcs"], " ")):
        r = keyway("decode", "--key", frame["nwk_keys"][0], text, **outside)
        assert r.returncode == 0 and "integrity code right" in r.stdout and "cluster 0012" in r.stdout and "attribute 0055 type 21 = 1" in r.stdout, r.stdout
    r = keyway("decode", "--key", "00" * 16, frame["mac_frame_nofcs"], **outside)
    assert r.returncode == 0 and "ZCL" not in r.stdout, r.stdout
    fails(keyway("decode", "--key", "1234", frame["mac_frame_nofcs"], **outside), 1, "32 hexadecimal digits")
    fails(keyway("decode", "nothing.pcap", **outside), 1, "nothing.pcap")
    assert keyway("decode", "6188", **outside).returncode == 1
    print("decode: sealed without keys, open with them")

with Plant() as p:
    for role, name, config in p.ROLES:
        if role != "gateway":
            p.start(role, program(name), "--config", os.path.join(p.plant, config)).wait_line(" ready")

    def plain(*words, **kw):
        return p.keyway(*words, check=False, **kw)

    def devices():
        return {x["eui64"]: x for x in json.loads(p.keyway("device", "list", "--json").stdout)["devices"]}

    # ---- gateway ----
    fails(plain("device", "add", new_eui64(), make_code()), 1, "gateway add")
    assert "no gateway" in p.keyway("gateway", "list").stdout and "no device" in p.keyway("device", "list").stdout
    fails(plain("gateway", "add", "gw9"), 1, "gw9", "--eui64")
    p.keyway("gateway", "add", "gw1")
    fails(plain("gateway", "add", "gw1"), 1, "registered already")
    p.keyway("gateway", "add", "gw2", "--eui64", "02:12:4b:00:00:00:00:02", "--relay", "/id-mn/cse-mn/gw2", "--identity", "gw2-psk")
    listed = json.loads(p.keyway("gateway", "list", "--json").stdout)["gateways"]
    assert sorted(g["name"] for g in listed) == ["gw1", "gw2"] and all(g["connected"] is False for g in listed), listed
    assert re.search(r"^gw2 +02124b0000000002 +no +closed +/id-mn/cse-mn/gw2$", p.keyway("gateway", "list").stdout, re.M)

    # ---- device add, in every spelling ----
    code, added = with_crc(CODES[16]), []
    for spell in (str, str.upper, lambda e: pairs(e, ":"), lambda e: pairs(e, "-"), lambda e: pairs(e.upper(), ":"), lambda e: "0x" + e, lambda e: " " + e + " "):
        eui64 = new_eui64()
        r = p.keyway("device", "add", spell(eui64), code)
        assert "device %s registered" % eui64 in r.stdout, r.stdout
        added.append(eui64)
    for spell in (str.upper, lambda c: pairs(c, ":"), lambda c: pairs(c.upper(), "-"), lambda c: " ".join(c[i:i + 4] for i in range(0, len(c), 4)), lambda c: c[:-4] + " " + c[-4:]):
        eui64 = new_eui64()
        p.keyway("device", "add", eui64, spell(code))
        added.append(eui64)
    for label in ("Z:%s$I:%s", "Z:%s$I:%s$M:1234$D:99", "G$M:7$Z:%s$I:%s"):
        eui64 = new_eui64()
        r = p.keyway("device", "add", label % (eui64.upper(), code.upper()), "--json")
        assert json.loads(r.stdout)["device"]["eui64"] == eui64
        added.append(eui64)
    eui64 = new_eui64()
    p.keyway("device", "add", eui64, "-", stdin=code + "\n")
    added.append(eui64)
    assert set(devices()) == set(added)

    # ---- and what cannot be ----
    eui64 = new_eui64()
    bad = code[:-1] + ("0" if code[-1] != "0" else "1")
    fails(plain("device", "add", eui64, bad), 1, eui64, "checksum", "last four digits", "label")
    fails(plain("device", "add", "Z:%s$I:%s" % (eui64, bad)), 1, eui64, "checksum")
    fails(plain("device", "add", eui64, code[:-2]), 1, eui64, "34 digits", "36")
    fails(plain("device", "add", eui64, code[:9] + "O" + code[10:]), 1, eui64, "character 10")
    fails(plain("device", "add", eui64, with_crc(CODES[8])), 1, eui64, "8 octets", "short_install_codes")
    fails(plain("device", "add", eui64[:-1], code), 1, "16 hexadecimal")
    fails(plain("device", "add", added[0], code), 1, added[0], "already")
    fails(plain("device", "add", eui64, code, "--gateway", "gw9"), 1, "gateway")
    fails(plain("device", "add", "00124b"), 2, "label text")
    fails(plain("device", "add", eui64, code, "too much"), 2, "too much")
    fails(plain("device", "add", eui64, code, "--owner"), 2, "--owner")
    for r in (plain("device", "add", eui64, bad), plain("device", "add", "Z:" + eui64 + "I:" + code)):
        assert code[:8] not in r.stderr + r.stdout, "an install code was repeated"
    assert set(devices()) == set(added)
    print("device add: %d spellings, wrong ones named" % len(added))

    # ---- show, list, remove ----
    shown = json.loads(p.keyway("device", "show", pairs(added[0], ":"), "--json").stdout)["device"]
    assert shown["eui64"] == added[0] and shown["state"] == "registered" and shown["owner"] == "/id-b", shown
    text = p.keyway("device", "show", added[0]).stdout
    assert re.search(r"^state +registered$", text, re.M) and re.search(r"^registered_at +20\d\d-\d\d-\d\d ", text, re.M), text
    listing = [line.split()[0] for line in p.keyway("device", "list").stdout.splitlines()[1:]]
    assert listing == sorted(added), listing
    assert "removed" in p.keyway("device", "remove", added[0]).stdout
    fails(plain("device", "remove", added[0]), 1, "not registered")
    fails(plain("device", "show", added[0]), 1, "not registered")
    json.loads(p.keyway("device", "remove", added[1], "--json").stdout)
    added = added[2:]
    assert set(devices()) == set(added)

    # ---- import ----
    csv = os.path.join(p.dir, "devices.csv")

    def import_csv(text, *words):
        with open(csv, "w", newline="") as f:
            f.write(text)
        return plain("device", "import", csv, *words)

    e = [new_eui64() for _ in range(8)]
    good = ("\ufeffEUI-64,install code,owner,gateway,application\r\n# a comment\r\n\r\n%s,%s\r\n\"%s\",\"%s\",/id-b,gw2,line 4\r\nZ:%s$I:%s\r\n%s ; %s;;gw2\r\n" %
            (e[0], code, pairs(e[1].upper(), ":"), pairs(code, " "), e[2], code, e[3], code))
    r = import_csv(good)
    assert r.returncode == 0 and "4 devices" in r.stdout, (r.stdout, r.stderr)
    now = devices()
    assert set(now) == set(added) | set(e[:4])
    assert now[e[1]]["gateway"] == "gw2" and now[e[1]]["application"] == "line 4" and now[e[3]]["gateway"] == "gw2" and now[e[2]]["gateway"] == "gw1"
    r = import_csv("%s,%s\n%s,%s\n" % (e[4], code, e[5], bad))
    fails(r, 1, csv + ":2:", e[5], "checksum", "nothing was registered")
    r = import_csv("%s,%s\n%s\n%s,%s\nO%s,%s\n%s,%s\n%s,%s\n" % (e[4], code, e[5], e[0], code, e[5][1:], code, e[6], code, e[6], code), "--json")
    answer = json.loads(r.stdout)
    assert r.returncode == 1 and answer["ok"] is False and answer["added"] == 0, answer
    assert sorted(x["line"] for x in answer["errors"]) == [2, 3, 4, 6], answer
    fails(import_csv("%s,%s\n" % (e[4].replace("0", "O"), code)), 1, csv + ":1:")  # a typing error in the first line is no heading
    fails(import_csv("# nothing\n"), 1, "no device")
    fails(plain("device", "import", csv + ".not"), 1, "cannot be read", "No such file")
    assert set(devices()) == set(now), "a file with a bad line left something behind"
    r = plain("device", "import", "-", "--json", "--owner", "/id-b", stdin="%s,%s\n" % (e[4], code))
    assert r.returncode == 0 and json.loads(r.stdout) == {"ok": True, "added": 1, "errors": []}, (r.stdout, r.stderr)
    print("import: all or nothing, lines named")

    # ---- permit, status ----
    r = json.loads(p.keyway("permit", "gw1", "60", "--json").stdout)
    assert r["ok"] and r["devices"] == len([x for x in devices().values() if x["gateway"] == "gw1"]), r
    assert "2 devices" in p.keyway("permit", "gw2", "60").stdout
    assert "1 device\n" in p.keyway("permit", "gw2", "60", pairs(e[3], ":")).stdout
    assert "closed" in p.keyway("permit", "gw2", "0").stdout
    assert "until changed" in p.keyway("permit", "gw2", "65535").stdout
    fails(plain("permit", "gw2", "60", new_eui64()), 1, "not registered at this gateway")
    fails(plain("permit", "gw9", "60"), 1, "gateway list")
    status = json.loads(p.keyway("status", "--json").stdout)
    assert status["ok"] and status["devices"] == len(devices()) and status["counters"]["requests"] == 0, status
    wait_for("node B to be connected", lambda: json.loads(p.keyway("status", "--json").stdout)["nodes"] == ["/id-b"])
    text = p.keyway("status").stdout
    assert re.search(r"nodes connected +/id-b$", text, re.M) and "gw1" in text and e[4] in text, text
    print("permit, status")

    # ---- short install codes, once the operator has said that he wants them ----
    p.processes["mef"].kill(signal.SIGTERM)
    with open(os.path.join(p.plant, "mef.ini"), "a") as f:
        f.write("\n[policy]\nshort_install_codes = yes\n")
    p.processes["mef"].start()
    p.processes["mef"].wait_line(" ready")
    for octets in sorted(CODES):
        eui64 = new_eui64()
        p.keyway("device", "add", eui64, pairs(with_crc(CODES[octets]).upper(), "-"))
        short = with_crc(CODES[octets])
        fails(plain("device", "add", new_eui64(), short[:-1] + ("0" if short[-1] != "0" else "1")), 1, "checksum")
        assert eui64 in devices()
    print("install codes of 6, 8, 12 and 16 octets")

    # ---- oneM2M ----
    base = "/id-in/cse-in"
    created = json.loads(p.keyway("create", base, "cnt", "rn=hall", 'lbl=["kitchen lamp"]', "mni=5", "--json").stdout)
    assert created["m2m:cnt"]["rn"] == "hall" and created["m2m:cnt"]["mni"] == 5, created
    hall = base + "/hall"

    def start_watch(*words):
        # one that a failing test leaves behind is ended with the plant
        w = subprocess.Popen([program("keyway"), "watch", hall, "--plant", p.plant, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        atexit.register(w.kill)
        return w

    watch = start_watch("--json")

    def subs():
        return p.keyway("discover", hall, "ty=23").stdout.split()

    wait_for("the subscription", subs)
    p.keyway("create", hall, "cin", "con=21.5")
    notification = json.loads(watch.stdout.readline())
    assert notification["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == 21.5, notification
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(30) == 0
    assert not subs(), "the subscription outlived its watch"
    one = start_watch("--count", "1")
    wait_for("the subscription", subs)
    p.keyway("create", hall, "4", '{"m2m:cin":{"con":"whole"}}')
    out, err = one.communicate(timeout=60)
    assert one.returncode == 0 and '"con":"whole"' in out and "watching" in err, (out, err)
    pretty, raw = p.keyway("get", hall).stdout, p.keyway("get", hall, "--json").stdout
    assert json.loads(pretty) == json.loads(raw) and pretty.count("\n") > 5 and raw.count("\n") == 1, (pretty, raw)
    assert json.loads(p.keyway("get", hall, "rcn=4", "--json").stdout)["m2m:cnt"]["m2m:cin"]
    assert p.keyway("get", "cse-in/hall/la", "--json").stdout  # CSE-relative
    assert p.keyway("discover", base, "lbl=kitchen lamp").stdout.strip().endswith("hall")
    assert p.keyway("discover", base, "lbl=nobody").stdout == ""
    assert hall.endswith(json.loads(p.keyway("discover", base, "ty=3", "lbl=kitchen lamp", "--json").stdout)["m2m:uril"][0].split("/")[-1])
    updated = json.loads(p.keyway("update", hall, "mni=7", "--json").stdout)
    assert updated["m2m:cnt"]["mni"] == 7, updated
    p.keyway("update", hall, '{"m2m:cnt":{"mni":8}}')
    assert json.loads(p.keyway("get", hall, "--json").stdout)["m2m:cnt"]["mni"] == 8
    assert "2002" in p.keyway("delete", hall).stdout
    p.keyway("create", base, "cnt", "rn=hall")
    assert json.loads(p.keyway("delete", hall, "--json").stdout)["rsc"] == 2002
    for words in (("get", hall), ("delete", hall), ("update", hall, "mni=1"), ("create", hall, "cin", "con=1"), ("discover", hall), ("watch", hall)):
        fails(plain(*words), 1, "4004", "NOT_FOUND")
    fails(plain("create", base, "lamp", "x=1"), 2, "lamp")
    fails(plain("create", base, "cnt", "rn"), 1, "NAME=VALUE")
    fails(plain("discover", base, "kitchen"), 2, "kitchen")
    fails(plain("get", base, "--via", "/id-x"), 1, "/id-x")
    fails(plain("get", base, "--cert", "x.pem"), 2, "--key")
    fails(plain("watch", base, "--count", "few"), 2, "--count")
    assert json.loads(p.keyway("get", "/id-b/cse-b", "--via", "/id-in", "--json").stdout)["m2m:cb"]["csi"] == "/id-b"
    p.processes["in-cse"].kill()
    fails(plain("get", base), 1, "cannot be reached")
    print("get, create, update, delete, discover, watch")
    p.processes["mef"].kill()
    fails(plain("device", "list"), 1, "keyway-mef running")
    fails(import_csv("%s,%s\n" % (e[5], code)), 1, "does not answer")
