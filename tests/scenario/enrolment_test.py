"""A CSE that enrols by itself, each program its own process: with nothing but Kpm it gets its certificate and the key for its registrar from the MEF, and
registers; renews both in time; and carries out what the operator has the MEF command. A gateway renews its certificate."""
import base64
import hashlib
import json
import os
import signal
import subprocess
import time

from plant import Plant, Process, program, wait_for
from provisioning_test import MEF, MAF, give, port_of, start

NAME = "id-mn.id-in.keyway.example"


def run(*argv, **kw):
    r = subprocess.run(argv, capture_output=True, timeout=60, **kw)
    assert r.returncode == 0, (argv, r.stdout[-600:], r.stderr[-600:])
    return r.stdout


def ni(pem):
    der = run("openssl", "x509", "-in", pem, "-outform", "DER")
    return "ni:///sha-256;" + base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def names(pem):
    return run("openssl", "x509", "-in", pem, "-noout", "-ext", "subjectAltName").decode()


def serial(pem):
    return run("openssl", "x509", "-in", pem, "-noout", "-serial").decode()


def issue_old(plant, file, name):
    """A certificate of the plant's CA for the present key, most of whose life is over."""
    tls = os.path.join(plant.plant, "tls")
    d = os.path.join(plant.dir, "old-" + file)
    os.mkdir(d)
    open(os.path.join(d, "index.txt"), "w").close()
    with open(os.path.join(d, "serial"), "w") as f:
        f.write(os.urandom(8).hex() + "\n")
    with open(os.path.join(d, "cnf"), "w") as f:
        f.write("[ca]\ndefault_ca = c\n[c]\ndatabase = %s/index.txt\nserial = %s/serial\nnew_certs_dir = %s\ndefault_md = sha256\npolicy = p\nx509_extensions = x\n"
                "[p]\ncommonName = optional\n[x]\nsubjectAltName = %s\nkeyUsage = critical, digitalSignature\nbasicConstraints = critical, CA:false\n"
                "[req]\ndistinguished_name = dn\n[dn]\n" % (d, d, d, name))
    key, out = os.path.join(tls, file + ".key"), os.path.join(tls, file + ".pem")
    run("openssl", "req", "-new", "-key", key, "-subj", "/CN=x", "-config", os.path.join(d, "cnf"), "-out", os.path.join(d, "csr"))
    day = lambda s: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s))
    run("openssl", "ca", "-batch", "-config", os.path.join(d, "cnf"), "-in", os.path.join(d, "csr"), "-cert", os.path.join(tls, "ca.pem"), "-keyfile",
        os.path.join(tls, "ca.key"), "-startdate", day(-86400), "-enddate", day(3600), "-notext", "-preserveDN", "-out", out)
    return serial(out)


class Operator:
    def __init__(self, plant, client):
        self.plant, self.client = plant, client

    def commands(self):
        return json.loads(self.plant.keyway("client", "commands", self.client, "--json").stdout)["commands"]

    def command(self, *words, status):
        """Gives a command, and waits for the report on it."""
        n = json.loads(self.plant.keyway("client", "command", self.client, *words, "--json").stdout)["command"]

        def ended():
            c = next(c for c in self.commands() if c["command"] == n)
            return c["status"] >= 20 and c
        c = wait_for("command %d %s to be reported" % (n, words), ended)
        assert c["status"] == status, c
        return c


def keys_of(plant, folder):
    r = plant.keyway("credentials", "list", "--json", "--state", os.path.join(plant.plant, folder), plant=False)
    return json.loads(r.stdout)["credentials"]


def registered(plant):
    wait_for("the MN-CSE to be registered", lambda: "m2m:csr" in plant.keyway("get", "cse-in", "rcn=4", "--json").stdout)


def enrols_with_kpm_alone(plant, value):
    """No certificate, no key of anybody: everything comes from the MEF. It waits for that MEF, too."""
    tls = os.path.join(plant.plant, "tls")
    for end in (".pem", ".key"):
        os.remove(os.path.join(tls, "mn-cse" + end))
    plant.keyway("credentials", "add", "kpm-mn@" + MEF, "--kind", "kpm", "--peer", MEF, "--state", os.path.join(plant.plant, "mn-cse"), plant=False, stdin=value)
    mn = Process(plant, "mn-cse", [program("keyway-cse"), "--config", os.path.join(plant.plant, "mn-cse.ini")])
    plant.processes["mn-cse"] = mn
    mn.wait_line("waiting for a certificate")
    mn.wait_line("no certificate from the MEF")  # it is not running yet
    assert mn.popen.poll() is None and "ready" not in mn.text()
    start(plant, "mef", "keyway-mef", "mef.ini")
    give(plant, "mef", value, "kpm-mn@" + MEF, "--kind", "kpm", "--entity", "/id-mn")
    mn.wait_line("certificate enrolled")
    mn.wait_line("ready")
    assert NAME in names(os.path.join(tls, "mn-cse.pem"))
    assert os.stat(os.path.join(tls, "mn-cse.key")).st_mode & 0o777 == 0o600
    mn.wait_line("key enrolled")
    mn.wait_line("registered")
    registered(plant)
    key = next(c for c in keys_of(plant, "mn-cse") if c["kind"] == "kpsa")
    plant.processes["in-cse"].wait_line('key fetched credential="%s"' % key["identity"])
    assert key["suid"] == 22 and key["peer"] == "/id-in"
    return mn


def renews_keys_in_time(plant):
    """A life of 6 s: the second key is there before the first has ended, and the association goes on under it."""
    seen = set()

    def two():
        seen.update(c["identity"] for c in keys_of(plant, "mn-cse") if c["kind"] == "kpsa")
        return len(seen) >= 3
    wait_for("the key to be renewed twice", two)
    plant.processes["in-cse"].wait_line("key fetched")
    fetched = lambda: plant.processes["in-cse"].text().count("key fetched")
    before = fetched()
    # from the MN-CSE to the IN-CSE: under a key that is in force
    r = plant.keyway("create", "/id-mn/cse-mn", "cnt", "rn=told", 'at=["/id-in"]', "--json")
    assert json.loads(r.stdout)["m2m:cnt"]["at"], r.stdout
    assert not any(c["expires"] < time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() - 5)) for c in keys_of(plant, "mn-cse")), "what ended is swept"
    assert fetched() >= before


def carries_out_commands(plant, mn):
    op = Operator(plant, "/id-mn")
    mn.wait_line("waiting for commands")
    tls = os.path.join(plant.plant, "tls")
    est = "https://127.0.0.1:%s/.well-known/est" % port_of(plant, "mef.ini", "mmef")

    # CERT_PROV: in use at once, at the listener, without a restart
    before = serial(os.path.join(tls, "mn-cse.pem"))
    op.command("certificate", est, status=20)
    assert serial(os.path.join(tls, "mn-cse.pem")) != before
    shown = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:" + port_of(plant, "mn-cse.ini", "https"), "-cert", tls + "/operator.pem", "-key",
                            tls + "/operator.key", "-CAfile", tls + "/ca.pem"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60).stdout
    pem = os.path.join(plant.dir, "shown.pem")
    with open(pem, "wb") as f:
        f.write(shown[shown.index(b"-----BEGIN"):shown.index(b"-----END CERTIFICATE-----") + 26])
    assert serial(pem) == serial(os.path.join(tls, "mn-cse.pem")), "the listener still shows the old certificate"
    op.command("certificate", est, "/id-mn/Cmeter", status=43)  # not us
    op.command("certificate", "https://127.0.0.1:9/.well-known/est", status=100)

    # DEV_CFG: the client configuration of the MEF names keys; other servers are not for this program
    op.command("configure", status=201)  # none is set
    plant.keyway("client", "configure", "/id-mn", json.dumps({"keyRegCfg": {"adminFQDN": MEF, "SUID": 23, "targetIDs": ["/id-b"], "expirationTime": "P1D"}}))
    op.command("configure", status=20)
    key = next(c for c in keys_of(plant, "mn-cse") if c["kind"] == "esprim")
    assert key["peer"] == "/id-b" and key["suid"] == 23, key
    plant.keyway("client", "configure", "/id-mn", json.dumps({"keyRegCfg": {"adminFQDN": MEF, "SUID": 32}}))
    op.command("configure", status=202)
    op.command("device", "3", "coaps://dm.example:5684", status=43)

    # MO_NODE
    plant.keyway("create", "/id-mn/cse-mn", "14", json.dumps({"m2m:nod": {"rn": "box", "ni": "urn:node:box"}}))
    mo(plant, "dcfg:mecrc", rn="mef", mgd=1026, fq=MEF, adfq=MEF)
    mo(plant, "dcfg:autp", rn="assoc", mgd=1022, suid=22, tlcs=["C0A8"], krd="P1D")
    op.command("object", "/id-mn/cse-mn/box/none", "22", status=300)
    op.command("object", "/id-mn/cse-mn/box/mef", "22", status=301)
    op.command("object", "/id-mn/cse-mn/box/assoc", "12", status=303)
    op.command("object", "/id-mn/cse-mn/box/assoc", "22", status=304)  # no registration beside it says with whom
    mo(plant, "dcfg:reg", rn="reg", mgd=1020, csi="/id-b")
    op.command("object", "/id-mn/cse-mn/box/assoc", "22", status=20)
    key = next(c for c in keys_of(plant, "mn-cse") if c["kind"] == "kpsa" and c["peer"] == "/id-b")
    assert key["suid"] == 22
    mo(plant, "dcfg:autp", rn="weak", mgd=1022, suid=22, tlcs=["002F"], krd="P1D")
    op.command("object", "/id-mn/cse-mn/box/weak", "22", status=304)
    mo(plant, "dcfg:autp", rn="there", mgd=1022, suid=12, tlcs=["00AE"], ski="12-" + key["identity"])
    op.command("object", "/id-mn/cse-mn/box/there", "12", status=20)
    mo(plant, "dcfg:autp", rn="gone", mgd=1022, suid=12, tlcs=["00AE"], ski="12-none@mef.keyway.example")
    op.command("object", "/id-mn/cse-mn/box/gone", "12", status=305)
    mo(plant, "dcfg:autp", rn="cert", mgd=1022, suid=42, tlcs=["C0AE"], mcfp=ni(os.path.join(tls, "mn-cse.pem")))
    op.command("object", "/id-mn/cse-mn/box/cert", "42", status=20)
    mo(plant, "dcfg:tac", rn="anchor", mgd=1024, cfp=ni(os.path.join(tls, "ca.pem")), uri="https://nowhere.example/ca.pem")
    op.command("object", "/id-mn/cse-mn/box/anchor", "--object", "trust-anchor", status=20)  # it is there
    mo(plant, "dcfg:tac", rn="other", mgd=1024, cfp=ni(os.path.join(tls, "in-cse.pem")), uri="https://127.0.0.1:9/ca.pem")
    op.command("object", "/id-mn/cse-mn/box/other", "--object", "trust-anchor", status=305)
    mo(plant, "dcfg:macrc", rn="maf", mgd=1025, fq=MAF, adfq=MAF)
    op.command("object", "/id-mn/cse-mn/box/maf", "--object", "maf-client", status=20)
    assert any(c["kind"] == "km" and c["suid"] == 21 for c in keys_of(plant, "mn-cse"))
    done = [c["status"] for c in op.commands()]
    assert done.count(20) == 7, done
    for words in (("client", "list"), ("client", "commands")):
        assert "/id-mn" in plant.keyway(*words).stdout


def mo(plant, root, **attrs):
    """An object of management below the node."""
    plant.keyway("create", "/id-mn/cse-mn/box", "13", json.dumps({root: attrs}))


def through_the_maf(plant, value):
    """The same, by way of the MAF; and a certificate that is nearly over is renewed by itself."""
    old = issue_old(plant, "mn-cse", "DNS:" + NAME)
    plant.configure("mn-cse.ini", "lifetime_s = 6\n", "lifetime_s = 3600\nthrough = maf\n")
    mn = start(plant, "mn-cse", "keyway-cse", "mn-cse.ini")
    wait_for("the certificate to be renewed", lambda: serial(os.path.join(plant.plant, "tls", "mn-cse.pem")) != old)
    mn.wait_line("registered")
    from_maf = lambda: [c for c in keys_of(plant, "mn-cse") if c["kind"] == "kpsa" and c["identity"].endswith("@" + MAF)]
    key = wait_for("a key of the MAF", from_maf)[0]  # when the MEF's is over
    mn.kill(signal.SIGTERM)
    mn = start(plant, "mn-cse", "keyway-cse", "mn-cse.ini")
    mn.wait_line("registered")
    plant.processes["in-cse"].wait_line('key fetched credential="%s"' % key["identity"])
    mn.kill(signal.SIGTERM)


def node_b_has_one_poll_for_devices_and_for_itself(plant):
    """With IPE-OCI in it, and its certificate for its credential."""
    op = Operator(plant, "/id-b")
    b = start(plant, "node-b", "keyway-cse", "node-b.ini")
    b.wait_line("registered with the MEF")
    est = "https://127.0.0.1:%s/.well-known/est" % port_of(plant, "mef.ini", "mmef")
    op.command("certificate", est, status=41)  # it was not told to do such things
    b.kill(signal.SIGTERM)
    with open(os.path.join(plant.plant, "node-b.ini"), "a") as f:
        f.write("\n[enrolment]\nby = certificate\n")
    b = start(plant, "node-b", "keyway-cse", "node-b.ini")
    b.wait_line("key enrolled")
    b.wait_line("registered with the MEF")
    pem = os.path.join(plant.plant, "tls", "node-b.pem")
    before = serial(pem)
    op.command("certificate", est, status=20)
    assert serial(pem) != before and "id-b.id-in.keyway.example" in names(pem)
    op.command("object", "/id-b/cse-b/none", "22", status=300)
    op.command("device", "4", "https://acs.example", status=43)
    key = next(c for c in keys_of(plant, "node-b") if c["kind"] == "kpsa")
    assert key["peer"] == "/id-in" and key["suid"] == 22, key


def says_what_is_wrong(plant):
    """A Kpm that the MEF does not know: it serves what it can, says so, and goes on trying."""
    mn = os.path.join(plant.plant, "mn-cse")
    for name in ("credentials.db", "credentials.db-wal", "credentials.db-shm", "credentials.key"):
        if os.path.exists(os.path.join(mn, name)):
            os.remove(os.path.join(mn, name))
    plant.keyway("credentials", "add", "kpm-mn@" + MEF, "--kind", "kpm", "--peer", MEF, "--state", mn, plant=False, stdin=os.urandom(32).hex())
    p = start(plant, "mn-cse", "keyway-cse", "mn-cse.ini")
    p.wait_line("no key")
    p.wait_line("enrolment not complete")
    p.kill(signal.SIGTERM)
    for old, new, words in (("by = key", "by = magic", "[enrolment] can't be used"), ("through = maf", "through = luck", "[enrolment] can't be used")):
        plant.configure("mn-cse.ini", old, new)
        r = subprocess.run([program("keyway-cse"), "--config", os.path.join(plant.plant, "mn-cse.ini")], capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and words in r.stderr, r
        plant.configure("mn-cse.ini", new, old)


def a_gateway_renews_its_certificate(plant):
    old = issue_old(plant, "gw1", "URI:m2m://keyway.example/id-mn/Cgw1")
    plant.configure("gateway.ini", "[ipe]", "[est]\nurl = https://127.0.0.1:%s/.well-known/est\nidentity = %s\n\n[ipe]" % (port_of(plant, "mef.ini", "mmef"), MEF))
    plant.start_radio()
    gw = start(plant, "gateway", "keyway-gateway", "gateway.ini")
    gw.wait_line("certificate renewed")
    pem = os.path.join(plant.plant, "tls", "gw1.pem")
    assert serial(pem) != old and "m2m://keyway.example/id-mn/Cgw1" in names(pem)
    run("openssl", "verify", "-CAfile", os.path.join(plant.plant, "tls", "ca.pem"), pem)


def main():
    value = os.urandom(32).hex()
    with Plant() as plant:
        with open(os.path.join(plant.plant, "mef.ini"), "a") as f:
            f.write("\n[est]\nca = %s\n" % os.path.join(plant.plant, "tls"))
        with open(os.path.join(plant.plant, "mn-cse.ini"), "a") as f:
            f.write("\n[enrolment]\nby = key\nest = https://127.0.0.1:%s/.well-known/est\nlifetime_s = 6\n" % port_of(plant, "mef.ini", "mmef"))
        start(plant, "maf", "keyway-maf", "maf.ini")
        start(plant, "in-cse", "keyway-cse", "in-cse.ini")
        mn = enrols_with_kpm_alone(plant, value)
        renews_keys_in_time(plant)
        carries_out_commands(plant, mn)
        mn.kill(signal.SIGTERM)
        through_the_maf(plant, value)
        says_what_is_wrong(plant)
        node_b_has_one_poll_for_devices_and_for_itself(plant)
        a_gateway_renews_its_certificate(plant)
    print("enrolment: ok")


if __name__ == "__main__":
    main()
