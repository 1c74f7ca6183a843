"""Remote provisioning, each program its own process: an AE with nothing but Kpm gets a key for a CSE that it never met, from the MEF, and from the MEF
and the MAF; and works with it. Then everything that must not work."""
import json
import os
import subprocess
import time

from plant import Plant, Process, free_port, program, wait_for

MEF, MAF = "mef.keyway.example", "maf.keyway.example"


def port_of(plant, ini, section):
    inside = False
    with open(os.path.join(plant.plant, ini)) as f:
        for line in f:
            inside = line.strip() == "[%s]" % section if line.startswith("[") else inside
            if inside and line.startswith("listen"):
                return line.split(":")[-1].strip()
    raise AssertionError(ini)


class Enrolee:
    """An AE's own folder, with its store of credentials."""

    def __init__(self, plant, name, kpm=None):
        self.plant, self.id, self.dir = plant, "/id-in/" + name, os.path.join(plant.dir, name)
        os.mkdir(self.dir, 0o700)
        self.store = os.path.join(self.dir, "credentials.db")
        if kpm:
            self.add(kpm, "--kind", "kpm", "--peer", MEF, identity="kpm-%s@%s" % (name, MEF))

    def add(self, value, *words, identity):
        self.plant.keyway("credentials", "add", identity, *words, "--file", self.store, plant=False, stdin=value)

    def enrol(self, target, *words, maf=False, check=True):
        argv = ["enrol", "--id", self.id, "--target", target, "--mef", "https://127.0.0.1:" + port_of(self.plant, "mef.ini", "mmef"), "--mef-id", MEF,
                "--file", self.store, "--json", *words]
        if maf:
            argv += ["--maf", "https://127.0.0.1:" + port_of(self.plant, "maf.ini", "mmaf"), "--maf-id", MAF]
        return self.plant.keyway(*argv, plant=False, check=check)

    def forget(self, identity):
        self.plant.keyway("enrol", "--id", self.id, "--forget", identity, "--mef", "https://127.0.0.1:" + port_of(self.plant, "mef.ini", "mmef"), "--mef-id", MEF,
                          "--maf", "https://127.0.0.1:" + port_of(self.plant, "maf.ini", "mmaf"), "--maf-id", MAF, "--file", self.store, plant=False)

    def list(self):
        return json.loads(self.plant.keyway("credentials", "list", "--json", "--file", self.store, plant=False).stdout)["credentials"]

    def work(self, *words, sender=None, check=True):
        return self.plant.keyway(words[0], *words[1:], "--credentials", self.store, "--from", sender or self.id, "--json", check=check)


def start(plant, role, binary, ini):
    p = Process(plant, role, [program(binary), "--config", os.path.join(plant.plant, ini)])
    plant.processes[role] = p
    p.wait_line("ready")
    return p


def give(plant, folder, value, identity, *words):
    """The operator's side: a key into the store of a function, while it runs."""
    plant.keyway("credentials", "add", identity, *words, "--state", os.path.join(plant.plant, folder), plant=False, stdin=value)


def kpm(plant, name):
    value = os.urandom(32).hex()
    give(plant, "mef", value, "kpm-%s@%s" % (name, MEF), "--kind", "kpm", "--entity", "/id-in/" + name)
    return Enrolee(plant, name, value)


def refused(result, words):
    assert result.returncode == 1, result.stdout + result.stderr
    assert words in result.stderr, result.stderr


def provisioned_by_the_mef(plant):
    meter = kpm(plant, "Cmeter")
    key = json.loads(meter.enrol("/id-in").stdout)
    assert key["identity"].endswith("@" + MEF) and key["peer"] == "/id-in"
    created = json.loads(meter.work("create", "cse-in", "ae", "rn=meter", "api=N.enrolee", "rr=false", 'srv=["3"]').stdout)
    assert created["m2m:ae"]["aei"] == "Cmeter", created
    meter.work("create", "cse-in/meter", "cnt", "rn=readings")
    meter.work("create", "cse-in/meter/readings", "cin", "con=21.5")
    assert json.loads(meter.work("get", "cse-in/meter/readings/la").stdout)["m2m:cin"]["con"] in ("21.5", 21.5)
    plant.processes["in-cse"].wait_line("key fetched")
    # in another AE's or a CSE's name: 4106
    refused(meter.work("get", "cse-in/meter", sender="/id-in/Cother", check=False), "4106")
    refused(meter.work("get", "cse-in/meter", sender="/id-mn", check=False), "4106")
    return meter


def provisioned_by_the_mef_and_the_maf(plant):
    lamp = kpm(plant, "Clamp")
    key = json.loads(lamp.enrol("/id-in", maf=True).stdout)
    assert key["identity"].endswith("@" + MAF)
    kinds = {c["kind"]: c for c in lamp.list()}
    assert kinds["km"]["identity"].endswith("@" + MAF), "the MAF assigned a KmID: " + str(kinds["km"])
    assert kinds["km"]["suid"] == 21 and kinds["kpsa"]["suid"] == 32
    lamp.work("create", "cse-in", "ae", "rn=lamp", "api=N.enrolee", "rr=false", 'srv=["3"]')
    assert "lamp" in lamp.work("get", "cse-in/lamp").stdout
    refused(lamp.work("get", "cse-in/lamp", sender="/id-in/Cmeter", check=False), "4106")
    # Once more, for another CSE: Km is there, and Kpm is not needed any more.
    plant.keyway("credentials", "remove", "kpm-Clamp@" + MEF, "--file", lamp.store, plant=False)
    again = json.loads(lamp.enrol("/id-mn", maf=True).stdout)
    assert again["identity"] != key["identity"]
    return lamp


def with_a_configured_km(plant):
    """No MEF at all: the operator has put Km into both stores."""
    value = os.urandom(32).hex()
    give(plant, "maf", value, "km-Cpump@" + MAF, "--kind", "km", "--entity", "/id-in/Cpump")
    pump = Enrolee(plant, "Cpump")
    pump.add(value, "--kind", "km", "--peer", MAF, identity="KM-Cpump@" + MAF)  # 10.6: case does not count
    assert json.loads(pump.enrol("/id-in", maf=True).stdout)["identity"].endswith("@" + MAF)
    pump.work("create", "cse-in", "ae", "rn=pump", "api=N.enrolee", "rr=false", 'srv=["3"]')
    assert not any(c["kind"] == "kpm" for c in pump.list())


def with_a_certificate(plant):
    """Certificate RSPF: the operator's client certificate of an AE instead of Kpm."""
    guest = Enrolee(plant, "Cguest")
    guest.id = "/id-b/Cguest"
    tls = os.path.join(plant.plant, "tls")
    guest.enrol("/id-in", "--cert", tls + "/guest.pem", "--key", tls + "/guest.key", "--ca", tls + "/ca.pem")
    refused(guest.work("get", "cse-in", check=False), "4103")  # known for who it is, but it may not read the CSEBase


def a_cse_with_its_registrar(plant):
    """CSE to CSE: the MN-CSE registers with the IN-CSE under a key that the MAF handed out, and again under one of the MEF's, instead of its certificate."""
    value = os.urandom(32).hex()
    give(plant, "mef", value, "kpm-mn@" + MEF, "--kind", "kpm", "--entity", "/id-mn")
    mn = Enrolee(plant, "mn")
    mn.id, mn.store = "/id-mn", os.path.join(plant.plant, "mn-cse", "credentials.db")
    mn.add(value, "--kind", "kpm", "--peer", MEF, identity="kpm-mn@" + MEF)
    for maf in (True, False):
        key = json.loads(mn.enrol("/id-in", maf=maf).stdout)["identity"]
        start(plant, "mn-cse", "keyway-cse", "mn-cse.ini")
        plant.processes["in-cse"].wait_line('key fetched credential="%s"' % key)
        wait_for("the MN-CSE to be registered", lambda: "m2m:csr" in plant.keyway("get", "cse-in", "rcn=4", "--json").stdout)
        plant.processes["mn-cse"].kill()
        plant.keyway("credentials", "remove", key, "--file", mn.store, plant=False)


def the_maf_tells_how_it_is(plant, port):
    def ask(path):
        r = subprocess.run(["curl", "-s", "-o", "-", "-w", " %{http_code}", "http://127.0.0.1:%s%s" % (port, path)], capture_output=True, text=True, timeout=30)
        return r.stdout
    assert '"status":"ok"' in ask("/health") and ask("/health").endswith("200")
    assert ask("/other").endswith("404")


def refuses_a_policy_beyond_the_maximum(plant):
    plant.configure("maf.ini", "[mmaf]\n", "[mmaf]\nkey_days = 366\n")
    r = subprocess.run([program("keyway-maf"), "--config", os.path.join(plant.plant, "maf.ini")], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "hard maximum" in r.stderr, r.stderr
    plant.configure("maf.ini", "key_days = 366\n", "")
    plant.configure("mef.ini", "[mmef]\n", "[mmef]\nclient_days = 0\n")
    r = subprocess.run([program("keyway-mef"), "--config", os.path.join(plant.plant, "mef.ini")], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "hard maximum" in r.stderr, r.stderr
    plant.configure("mef.ini", "client_days = 0\n", "")


def keys_end_where_they_must(plant, meter, lamp):
    # An enrolee without Kpm, with a wrong one, with one that nobody knows.
    refused(Enrolee(plant, "Cnothing").plant.keyway("enrol", "--id", "/id-in/Cnothing", "--target", "/id-in", "--mef",
            "https://127.0.0.1:" + port_of(plant, "mef.ini", "mmef"), "--mef-id", MEF, "--file", os.path.join(plant.dir, "Cnothing", "credentials.db"),
            plant=False, check=False), "no such store")
    wrong = Enrolee(plant, "Cwrong", os.urandom(32).hex())
    give(plant, "mef", os.urandom(32).hex(), "kpm-Cwrong@" + MEF, "--kind", "kpm", "--entity", "/id-in/Cwrong")
    refused(wrong.enrol("/id-in", check=False), "client registration at the MEF")
    refused(Enrolee(plant, "Cunknown", os.urandom(32).hex()).enrol("/id-in", check=False), "client registration at the MEF")

    # In a name that Kpm does not have.
    liar = kpm(plant, "Cliar")
    liar.id = "/id-in/Cmeter"
    refused(liar.enrol("/id-in", check=False), "4106")

    # The key is for /id-mn: /id-in is not its target, and gets 4103.
    stray = kpm(plant, "Cstray")
    stray.enrol("/id-mn")
    store = {c["kind"]: c for c in stray.list()}
    refused(stray.work("get", "cse-in", "--via", "/id-in", check=False), "no key for /id-in")
    move_peer(plant, stray, store["kpsa"]["identity"], "/id-in")
    refused(stray.work("get", "cse-in", "--via", "/id-in", check=False), "TLS")
    plant.processes["in-cse"].wait_line("rsc=4103")

    # A key whose registration was ended before its first use, at the MEF and at the MAF.
    for name, maf in (("Cleft", False), ("Cgone2", True)):
        left = kpm(plant, name)
        left.enrol("/id-in", maf=maf)
        kept = next(c for c in left.list() if c["kind"] == "kpsa")
        value = reveal(left.store, kept["identity"])
        left.forget(kept["identity"])
        refused(left.work("get", "cse-in", check=False), "no key for /id-in")
        left.add(value, "--kind", "kpsa", "--peer", "/id-in", "--suid", str(kept["suid"]), identity=kept["identity"])
        refused(left.work("get", "cse-in", check=False), "TLS")
        plant.processes["in-cse"].wait_line("rsc=4004")

    # A Ke that has expired before its first use.
    brief = kpm(plant, "Cbrief")
    brief.enrol("/id-in", "--lifetime", "PT2S")
    end = next(c for c in brief.list() if c["kind"] == "kpsa")["expires"]
    wait_for("the key to expire", lambda: time.strftime("%Y%m%dT%H%M%S", time.gmtime()) > end)
    refused(brief.work("get", "cse-in", check=False), "no key for /id-in")

    # A Kpm that has expired at the MEF.
    late = kpm(plant, "Clate")
    give(plant, "mef", os.urandom(32).hex(), "kpm-Clate@" + MEF, "--kind", "kpm", "--entity", "/id-in/Clate", "--expires", "PT1S", "--replace")
    time_is_up = time.time() + 2
    wait_for("Kpm to expire", lambda: time.time() > time_is_up)
    refused(late.enrol("/id-in", check=False), "client registration at the MEF")

    # After the operator has removed Kpm at the MEF.
    gone = kpm(plant, "Cgone")
    plant.keyway("credentials", "remove", "kpm-Cgone@" + MEF, "--state", os.path.join(plant.plant, "mef"), plant=False)
    refused(gone.enrol("/id-in", check=False), "client registration at the MEF")


def move_peer(plant, enrolee, identity, peer):
    """An enrolee that uses a key where it does not belong: its own store is its own business."""
    value = reveal(enrolee.store, identity)
    enrolee.add(value, "--kind", "kpsa", "--peer", peer, "--suid", "22", "--replace", identity=identity)


def reveal(store, identity):
    """There is no way to see a value but the key file's: so this is written out here, with the format of docs/security.md."""
    import sqlite3
    folder = os.path.dirname(store)
    key = bytes.fromhex(open(os.path.join(folder, "credentials.key")).read().strip())
    db = sqlite3.connect(store)
    (wrapped,) = db.execute("SELECT wrapped FROM store").fetchone()
    row = db.execute("SELECT kind, suid, entity, peer, expires_at, sealed FROM credentials WHERE identity = ?", (identity,)).fetchone()
    db.close()
    data = unseal(key, "credentials:data key", wrapped)
    label = "credential:\n%s\n%d\n%d\n%s\n%s\n%d" % (identity.lower(), row[0], row[1], row[2], row[3], row[4])
    return unseal(data, label, row[5]).hex()


def unseal(key, label, sealed):
    """version(1) nonce(12) ciphertext tag(16), AES-256-GCM; without a cipher in Python's library, by the counter mode of openssl's command line. The tag
    is not checked: the store does that."""
    nonce, cipher = sealed[1:13], sealed[13:-16]
    out = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-d", "-K", key.hex(), "-iv", nonce.hex() + "00000002"], input=cipher, capture_output=True, check=True)
    return out.stdout


def secrets_are_nowhere(plant, *values):
    for root, _, files in os.walk(plant.dir):
        for name in files:
            if not os.path.isfile(os.path.join(root, name)):
                continue
            with open(os.path.join(root, name), "rb") as f:
                content = f.read()
            for v in values:
                assert v.encode() not in content and bytes.fromhex(v) not in content, "a key lies open in %s/%s" % (root, name)


def main():
    with Plant() as plant:
        refuses_a_policy_beyond_the_maximum(plant)
        health = free_port()
        plant.configure("maf.ini", "[maf]\n", "[maf]\nhealth_listen = 127.0.0.1:%d\n" % health)
        start(plant, "mef", "keyway-mef", "mef.ini")
        start(plant, "maf", "keyway-maf", "maf.ini")
        start(plant, "in-cse", "keyway-cse", "in-cse.ini")
        meter = provisioned_by_the_mef(plant)
        lamp = provisioned_by_the_mef_and_the_maf(plant)
        with_a_configured_km(plant)
        with_a_certificate(plant)
        a_cse_with_its_registrar(plant)
        the_maf_tells_how_it_is(plant, health)
        keys_end_where_they_must(plant, meter, lamp)
        secrets_are_nowhere(plant, *(reveal(e.store, c["identity"]) for e in (meter, lamp) for c in e.list()))
        # All of it again, as it was, after a restart of everybody.
        for role, binary, ini in (("mef", "keyway-mef", "mef.ini"), ("maf", "keyway-maf", "maf.ini"), ("in-cse", "keyway-cse", "in-cse.ini")):
            plant.processes[role].kill()
            start(plant, role, binary, ini)
        assert "meter" in meter.work("get", "cse-in/meter").stdout
        assert "lamp" in lamp.work("get", "cse-in/lamp").stdout
    print("provisioning: ok")


if __name__ == "__main__":
    main()
