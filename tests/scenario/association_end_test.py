"""Where associations end, and who has none: keys of MEF and MAF whose time is over, for who comes and for who is there; a pre-shared key that is wrong
between CSEs over DTLS; revocation lists that cannot be read, are gone or out of date; certificates of devices and of nodes, which are whom a rule of the
service provider says. The peers are openssl's. TS-0003 clauses 8.2, 8.8 and 10.1."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

from association_test import IN, KEY, MN, WRONG, Pki, Programs, Site, coap_request, cse, http_request, rsc_in, run, write, ADMIN
from plant import Plant, free_port, wait_for
from provisioning_test import Enrolee, kpm, port_of, reveal, start

DEVICE_ARC, DEVICE = "2.999.17", "300.12.4711"  # TS-0001 annex H: the arc, and manufacturer.model.serial
NODE = "urn:dev:mac:0024befffe804ff1"


# ---- keys whose time is over ----

class Lasting:
    """An association that is left open after one request."""

    def __init__(self, argv, octets, dtls):
        self.dtls, self.said = dtls, b""
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, daemon=True).start()
        self.popen.stdin.write(octets)
        self.popen.stdin.flush()
        wait_for("an answer", lambda: rsc_in(self.said, dtls) or self.popen.poll() is not None)

    def read(self):
        while chunk := os.read(self.popen.stdout.fileno(), 65536):
            self.said += chunk

    def rsc(self):
        return rsc_in(self.said, self.dtls)

    def ended(self):
        return self.popen.poll() is not None


def s_client(port, dtls, *options):
    return ["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-servername", IN, "-ign_eof", *options] + (["-dtls1_2"] if dtls else [])


def request(dtls, fr):
    return coap_request(fr) if dtls else http_request(fr).replace(b"Connection: close\r\n", b"")


def keys_end():
    """Ke and Kc: a target has fetched them from MEF and MAF."""
    with Plant() as plant:
        coaps = free_port()
        plant.configure("in-cse.ini", "[https]\n", "[coaps]\nlisten = 127.0.0.1:%d\n\n[https]\n" % coaps)
        for role, binary in (("mef", "keyway-mef"), ("maf", "keyway-maf"), ("in-cse", "keyway-cse")):
            start(plant, role, binary, role + ".ini")
        https = int(port_of(plant, "in-cse.ini", "https"))
        keys, open_ = [], []
        for name, maf in (("Cke", False), ("Ckc", True)):
            e = kpm(plant, name)
            identity = json.loads(e.enrol("/id-in", "--lifetime", "PT9S", maf=maf).stdout)["identity"]
            end = next(c for c in e.list() if c["identity"] == identity)["expires"]
            keys.append((name, identity, reveal(e.store, identity), end))
        for name, identity, value, end in keys:
            for dtls in (False, True):
                a = Lasting(s_client(coaps if dtls else https, dtls, "-psk_identity", identity, "-psk", value), request(dtls, "/id-in/" + name), dtls)
                assert a.rsc() == 4103, (name, dtls, a.said[-600:])  # known for who it is, but it may not read the CSEBase
                open_.append((name, dtls, end, a))
        for name, dtls, end, a in open_:
            wait_for("the association under the key of %s to end (%s)" % (name, "DTLS" if dtls else "TLS"), a.ended, 40)
            assert stamp(time.time() + 1) >= end, "it ended before its key"
        log = plant.processes["in-cse"]
        refused(log, keys, https, coaps)
        for name, identity, _, _ in keys:
            log.wait_line('a credential that has expired was used credential="%s"' % identity)
        # a CSE that has never heard of them asks MEF and MAF, where they are over too
        log.kill()
        shutil.rmtree(os.path.join(plant.plant, "in-cse"))
        refused(start(plant, "in-cse", "keyway-cse", "in-cse.ini"), keys, https, coaps)
    print("keys of MEF and MAF: associations end with them, and none begins")


def stamp(seconds):
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))


def refused(log, keys, https, coaps):
    def one(key):
        name, identity, value, _ = key
        a = Lasting(s_client(https, False, "-psk_identity", identity, "-psk", value), request(False, "/id-in/" + name), False)
        assert a.rsc() is None, a.said
        wait_for("the refusal of %s" % identity, lambda: re.search(r'association refused .*credential="?%s"? reason="the PSK identity is unknown"' % re.escape(identity), log.text()), 20)
        # over DTLS the client is told when it tries for the second time
        b = Lasting(s_client(coaps, True, "-psk_identity", identity, "-psk", value), request(True, "/id-in/" + name), True)
        assert b.rsc() is None and b.ended() and b"alert decrypt error" in b.said, b.said
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, keys))


# ---- between CSEs, over DTLS ----

def wrong_key_begins(p, pki, coaps):
    return cse(p, "mn-wrong", "[cse]\ntype = mn\nid = /id-mn\nname = cse-mn\nsp = keyway.example\nadmin = CAdmin\nstate = STATE\n[http]\nlisten = 127.0.0.1:0\n[coap]\nlisten = 127.0.0.1:%d\n"
               "[registrar]\nurl = coaps://127.0.0.1:%d\nid = /id-in\npsk_identity = %s\npsk_file = %s\n" % (free_port(), coaps, MN, pki.at("mnwrong.psk")))


def wrong_key_ends(mn, in_cse):
    wait_for("the MN-CSE to be refused", lambda: re.search(r'association refused peer=\S+ credential="?%s"? reason="the pre-shared key is wrong"' % re.escape(MN), in_cse.text(True)), 20)
    mn.wait_line('reason="the other side refused: the pre-shared key is wrong, or unknown there"', 20)
    assert " registered registrar" not in mn.text(), mn.text()
    print("CSE-CSE over DTLS: a wrong key is refused")


# ---- revocation lists ----

def admin(port, path):
    with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=30) as r:
        return r.read().decode()


def lists(site, pki, log, port):
    def put(text):
        write(pki.at("crl.new"), text)
        os.rename(pki.at("crl.new"), pki.at("crl.pem"))

    def told(words):
        wait_for("`%s` in the log" % words, lambda: words in log.text(), 20)

    def asked(name):
        return site.certificate(False, name, "/id-in/CAdmin")[0]

    def bad():
        return int(re.search(r"^keyway_cse_trust_files_bad (\d)", admin(port, "/metrics"), re.M).group(1))
    with open(pki.at("crl.pem")) as f:
        good = f.read()
    assert asked("admin") == 2000 and asked("revoked") is None and bad() == 0 and json.loads(admin(port, "/health")) == {"status": "ok"}
    # what cannot be read changes nothing, and is told
    put("no list\n")
    assert asked("revoked") is None and asked("admin") == 2000
    told("crl.pem cannot be used: what it said before stays in force")
    assert bad() == 1 and "crl.pem" in json.loads(admin(port, "/health"))["trust"]
    put(good)
    assert asked("admin") == 2000
    told("trust is what its files say again")
    assert bad() == 0
    os.remove(pki.at("crl.pem"))
    assert asked("revoked") is None and asked("admin") == 2000
    told("crl.pem is gone: what it said before stays in force")
    assert bad() == 1
    # whose time is over refuses everybody
    run("openssl", "ca", "-config", pki.at(pki.name + ".cnf"), "-gencrl", "-crlsec", "3", "-out", pki.at("crl.new"))
    os.rename(pki.at("crl.new"), pki.at("crl.pem"))
    until = wait_for("the new list", lambda: int(re.search(r"^keyway_cse_crl_next_update_seconds (\d+)", admin(port, "/metrics"), re.M).group(1)))
    wait_for("its end", lambda: time.time() > until + 1, 20)
    assert asked("admin") is None
    told("the revocation list is out of date")
    assert "crl.pem is out of date: certificates are refused" in json.loads(admin(port, "/health"))["trust"]
    put("no list\n")
    assert asked("admin") is None, "what it said before is over too"
    put(good)
    assert asked("admin") == 2000 and asked("revoked") is None and bad() == 0
    print("revocation lists: unreadable, gone, out of date, and good again")


# ---- devices and nodes ----

def flavours(site):
    """Their certificates name no AE: a serviceSubscribedAppRule says which AE-IDs they may have."""
    def create(to, ty, content):
        r = subprocess.run(["curl", "-s", "--cacert", site.pki.at("ca.pem"), "--cert", site.pki.at("admin.pem"), "--key", site.pki.at("admin.key"), "--connect-to",
                            "%s:443:127.0.0.1:%d" % (IN, site.https), "-H", "X-M2M-Origin: /id-in/CAdmin", "-H", "X-M2M-RI: 1", "-H", "X-M2M-RVI: 4",
                            "-H", "Content-Type: application/json;ty=%d" % ty, "-d", json.dumps(content), "https://%s/%s" % (IN, to)], capture_output=True, text=True)
        assert "m2m:dbg" not in r.stdout, r.stdout
    assert site.certificate(False, "device", "/id-in/Cdevice1")[0] == 4106, "before there is a rule"
    create("cse-in", 19, {"m2m:asar": {"rn": "devices", "apci": ["31-%s.%s" % (DEVICE_ARC, DEVICE)], "aai": ["Ndevice"], "aae": ["Cdevice1", "Cdevice2"]}})
    create("cse-in", 19, {"m2m:asar": {"rn": "nodes", "apci": ["34-" + NODE.replace(":", ".")], "aai": ["Nnode"], "aae": ["Cnode1"]}})
    create("cse-in", 11, {"m2m:mssp": {"rn": "profile"}})
    create("cse-in/profile", 20, {"m2m:svsn": {"rn": "node", "ni": "1-2-3", "csi": "/id-in", "rlk": ["cse-in/devices", "cse-in/nodes"]}})
    table = [
        ("device", "/id-in/Cdevice1", 4103), ("device", "/id-in/Cdevice2", 4103),  # known for who they are, but they may not read the CSEBase
        ("device", "/id-in/Cnode1", 4106), ("device", "/id-in/CAdmin", 4106), ("device", "/id-in", 4106),
        ("device2", "/id-in/Cdevice1", 4106),  # the next serial number: no rule
        ("node", "/id-in/Cnode1", 4103), ("node", "/id-in/Cdevice1", 4106), ("node2", "/id-in/Cnode1", 4106),
        ("devicestar", "/id-in/Cdevice1", None),  # no wildcards, clause 10.1
        ("adminbydevices", "/id-in/CAdmin", None),  # that CA may sign no AE-IDs
    ]
    for name, fr, rsc in table:
        for dtls in (False, True):
            got, said = site.certificate(dtls, name, fr)
            assert got == rsc, (name, fr, dtls, got, said[-600:])
    print("certificates of devices and nodes: %d associations, good and bad" % (2 * len(table)))


def main():
    p = Programs()
    try:
        pki = Pki(p.dir + "/pki")
        # of devices: a CA of its own, which signs for no AE and no host
        devices = Pki(p.dir + "/devices", "devices", constraints="nameConstraints=critical,excluded;DNS:keyway.example,excluded;URI:keyway.example,excluded;URI:.keyway.example")
        for name, san in (("in", "DNS:" + IN), ("admin", "URI:" + ADMIN), ("revoked", "URI:" + ADMIN)):
            pki.issue(name, san)
        other = "otherName:%s;UTF8:" % DEVICE_ARC
        for name, san in (("device", other + DEVICE), ("device2", other + DEVICE[:-1] + "2"), ("devicestar", other + "300.12.*"), ("node", "URI:" + NODE),
                          ("node2", "URI:" + NODE[:-1] + "2"), ("adminbydevices", "URI:" + ADMIN)):
            devices.issue(name, san)
            for ending in (".pem", ".key"):
                shutil.copy(devices.at(name + ending), pki.at(name + ending))
        pki.revoke("revoked")
        pki.crl()
        write(pki.at("cas.pem"), open(pki.at("ca.pem")).read() + open(devices.at("devices.pem")).read())
        write(pki.at("in.psk"), "%s:%s\n" % (MN, KEY))
        write(pki.at("mnwrong.psk"), "%s:%s\n" % (MN, WRONG))
        https, coaps, port = free_port(), free_port(), free_port()
        c = cse(p, "in", "[cse]\ntype = in\nid = /id-in\nname = cse-in\nsp = keyway.example\nadmin = CAdmin\nstate = STATE\n[https]\nlisten = 127.0.0.1:%d\n[coaps]\nlisten = 127.0.0.1:%d\n"
                "[admin]\nlisten = 127.0.0.1:%d\n[tls]\nca = %s\ncert = %s\nkey = %s\npsk_file = %s\ncrl = %s\n"
                % (https, coaps, port, pki.at("cas.pem"), pki.at("in.pem"), pki.at("in.key"), pki.at("in.psk"), pki.at("crl.pem")))
        c.wait_line(" ready")
        site = Site(pki, https, coaps)
        mn = wrong_key_begins(p, pki, coaps)  # it tries again and again: meanwhile the others
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            keys = pool.submit(keys_end)  # a plant of its own, where keys come to their end
            flavours(site)
            lists(site, pki, c, port)
            keys.result()
        wrong_key_ends(mn, c)
    except BaseException:
        print("the logs are in", p.dir, file=sys.stderr)
        raise
    finally:
        for q in p.processes.values():
            q.kill()
            q.popen.wait()
    shutil.rmtree(p.dir)


if __name__ == "__main__":
    main()
