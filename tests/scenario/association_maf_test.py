"""Security associations by keys that a MAF hands out: the fourth column of association_test.py, with the same foreign peers. {HTTPS, CoAPS} x {AE-CSE, CSE-CSE},
and how each is refused: wrong key, unknown identity, expired, revoked (the key de-registered, or Km gone), another target or usage, wrong name, wrong From,
downgrade. The CSE meets every key for the first time in a handshake, and asks the MAF during it. TS-0003 clauses 8.2.2.3 and 8.8."""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import time

from association_test import WEAK, WRONG, Site, coap_request, http_request, rsc_in, speak, write
from plant import Plant, free_port, wait_for
from provisioning_test import MAF, Enrolee, give, refused, reveal, start

ADMIN = "/id-in/CAdmin"


class Files:
    """What Site needs of a PKI: the plant's."""

    def __init__(self, plant):
        self.dir = os.path.join(plant.plant, "tls")

    def at(self, name):
        return os.path.join(self.dir, name)


class Client:
    """Whoever has a Km at the MAF, with keys from there."""

    def __init__(self, plant, id_):
        self.plant, self.km = plant, "km-%s@%s" % (id_.replace("/", "."), MAF)
        value = os.urandom(32).hex()
        give(plant, "maf", value, self.km, "--kind", "km", "--entity", id_)
        self.enrolee = Enrolee(plant, id_.replace("/", "."))
        self.enrolee.id = id_
        self.enrolee.add(value, "--kind", "km", "--peer", MAF, identity=self.km)

    def key(self, target="/id-in", *words, check=True):
        """(identity, value)"""
        r = self.enrolee.enrol(target, *words, maf=True, check=check)
        if not check:
            return r
        identity = json.loads(r.stdout)["identity"]
        return identity, reveal(self.enrolee.store, identity)

    def forget(self, identity):
        self.enrolee.forget(identity)


class Hasty(Site):
    """For refusals over DTLS, which are silence: an association that came about nevertheless would show within a second."""

    def openssl(self, dtls, fr, *options):
        said = speak(self.argv(dtls, *options), coap_request(fr), lambda b: rsc_in(b, dtls), 4)
        return rsc_in(said, dtls), said


def used_once(site, client):
    """A key that the CSE fetches while it is good, and that ends in a moment. A slow machine may miss the moment: then it is tried again."""
    for _ in range(5):
        key = client.key("/id-in", "--lifetime", "PT3S")
        if site.psk(False, *key, ADMIN)[0] == 2000:
            return key
    raise AssertionError("no key could be used within 3 seconds")


def is_open(site, identity, value):
    """An association over which a request was answered, and what it is."""
    p = subprocess.Popen(site.argv(False, "-psk_identity", identity, "-psk", value), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    p.stdin.write(http_request(ADMIN).replace(b"Connection: close\r\n", b""))
    p.stdin.flush()
    said = b""
    while b"X-M2M-RSC: 2000" not in said:
        chunk = os.read(p.stdout.fileno(), 65536)
        if not chunk:
            p.communicate()
            return None
        said += chunk
    return p


def ends_with_its_key(site, client):
    """An association that is open when its key ends is closed, by the CSE."""
    p = None
    for _ in range(5):
        p = p or is_open(site, *client.key("/id-in", "--lifetime", "PT3S"))
    assert p, "no key could be used within 3 seconds"
    p.communicate(timeout=60)  # it ends because the other side does


def aes(plant, site, log):
    """AE-CSE."""
    admin, other, mn, gone = (Client(plant, i) for i in (ADMIN, "/id-in/Cother", "/id-mn", "/id-in/Cgone"))
    good, short = admin.key(), admin.key("/id-in", "--lifetime", "PT3S")
    left, another, esprim, of_mn, of_other = admin.key(), admin.key("/id-b"), admin.key("/id-in", "--for", "esprim"), mn.key(), other.key()
    admin.forget(left[0])
    without_km = gone.key()
    plant.keyway("credentials", "remove", gone.km, "--state", os.path.join(plant.plant, "maf"), plant=False)
    refused(gone.key(check=False), "the MAF")
    of_mn_short = mn.key("/id-in", "--lifetime", "PT3S")
    shown = used_once(site, admin)
    over = time.time() + 4
    wait_for("the keys to expire", lambda: time.time() > over)
    unknown = os.urandom(16).hex().upper() + "@" + MAF
    hasty = Hasty(site.pki, site.https, site.coaps)
    jobs = [
        # what                          dtls     who                                                        RSC, or None: no association    in the log
        *((w, d, f, r, None) for d in (False, True) for w, f, r in (
            ("a key",                   lambda d: site.psk(d, *good, ADMIN),                                 2000),
            ("a key, wrong From",       lambda d: site.psk(d, *good, "/id-in/Cother"),                       4106),
            ("another AE's key",        lambda d: site.psk(d, *of_other, ADMIN),                             4106),
            ("a CSE's key, our AE",     lambda d: site.psk(d, *of_mn, ADMIN),                                4106),
            ("its own From, no right",  lambda d: site.psk(d, *of_other, "/id-in/Cother"),                   4103),
            ("another server's name",   lambda d: site.psk(d, *good, ADMIN, "-servername", "evil.keyway.example"), None))),
        *((w, d, lambda d, f=f: f(hasty if d else site, d), None, None if d else r) for d in (False, True) for w, f, r in (
            ("a wrong key",             lambda s, d: s.psk(d, good[0], WRONG, ADMIN),                        "the pre-shared key is wrong"),
            ("an unknown identity",     lambda s, d: s.psk(d, unknown, good[1], ADMIN),                      'key not to be had credential="%s" from=%s rsc=4004' % (unknown, MAF)),
            ("another MAF's",           lambda s, d: s.psk(d, good[0].split("@")[0] + "@maf.evil.example", good[1], ADMIN), "the PSK identity is unknown"),
            ("a key that expired",      lambda s, d: s.psk(d, *short, ADMIN),                                'credential="%s" from=%s rsc=4004' % (short[0], MAF)),
            ("one that did after use",  lambda s, d: s.psk(d, *shown, ADMIN),                                "a credential that has expired was used"),
            ("de-registered",           lambda s, d: s.psk(d, *left, ADMIN),                                 'credential="%s" from=%s rsc=4004' % (left[0], MAF)),
            ("for another CSE",         lambda s, d: s.psk(d, *another, ADMIN),                              'credential="%s" from=%s rsc=4103' % (another[0], MAF)),
            ("for another usage",       lambda s, d: s.psk(d, *esprim, ADMIN),                               "its key is for another usage"),
            ("of a Km that is gone",    lambda s, d: s.psk(d, *without_km, "/id-in/Cgone"),                  'credential="%s" from=%s rsc=4004' % (without_km[0], MAF)))),
        ("TLS 1.2",                     False,   lambda d: site.psk(d, *good, ADMIN, "-tls1_2"),             2000, None),
        ("TLS 1.1",                     False,   lambda d: site.psk(d, *good, ADMIN, "-tls1_1", "-cipher", "ALL:" + WEAK), None, "version"),
        ("CBC",                         False,   lambda d: site.psk(d, *good, ADMIN, "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA256"), None, "cipher suite"),
    ]
    with concurrent.futures.ThreadPoolExecutor(12) as pool: # those that wait do it together
        ended = pool.submit(ends_with_its_key, site, admin)
        for (what, dtls, _, rsc, reason), (got, said) in zip(jobs, pool.map(lambda j: j[2](j[1]), jobs)):
            where = "CoAPS" if dtls else "HTTPS"
            assert got == rsc, "%s by %s: %s instead of %s\n%s" % (what, where, got, rsc, said[-700:])
            if reason:
                wait_for("`%s` in the log (%s by %s)" % (reason, what, where), lambda r=reason: r in log.text(True), 10)
    ended.result()
    print("AE-CSE: %d associations by the MAF's keys, good and bad, over HTTPS and CoAPS" % len(jobs))
    return admin, mn, of_mn_short


def cses(plant, log, admin, mn, short):
    """CSE-CSE: an MN-CSE registers under a key of the MAF's."""
    path = os.path.join(plant.plant, "mn.psk")
    with open(os.path.join(plant.plant, "mn-cse.ini")) as f:
        ini = f.read().split("[registrar]")[0]
    ini = re.sub(r"(?s)\[m[ae]f\]\n.*?(?=\n\[|\Z)", "", ini)  # what it has, it has by hand: it asks nobody
    left = mn.key()
    mn.forget(left[0])
    table = [
        # what                      scheme   key                                              registered?
        ("a key",                   "https", mn.key(),                                         True),
        ("a wrong key",             "https", (mn.key()[0], WRONG),                             False),
        ("an unknown identity",     "https", (os.urandom(16).hex().upper() + "@" + MAF, WRONG), False),
        ("an expired key",          "https", short,                                            False),
        ("a de-registered key",     "https", left,                                             False),
        ("a key for another CSE",   "https", mn.key("/id-b"),                                  False),
        ("an AE's key",             "https", admin.key(),                                      False),
        ("a key",                   "coaps", mn.key(),                                         True),
        ("an AE's key",             "coaps", admin.key(),                                      False),
        ("a wrong key",             "coaps", (mn.key()[0], WRONG),                             False),
        ("an unknown identity",     "coaps", (os.urandom(16).hex().upper() + "@" + MAF, WRONG), False),
    ]
    for what, scheme, (identity, value), good in table:
        told = len(log.text(True))
        write(path, "%s:%s\n" % (identity, value))
        registrar = "%s://127.0.0.1:%d" % (scheme, plant.site.https if scheme == "https" else plant.site.coaps)
        write(os.path.join(plant.plant, "mn-maf.ini"), ini + "\n[registrar]\nurl = %s\nid = /id-in\npsk_identity = %s\npsk_file = %s\n" % (registrar, identity, path))
        c = start(plant, "mn-cse", "keyway-cse", "mn-maf.ini")
        line = wait_for("%s by %s to be good or not" % (what, scheme),
                        lambda: re.search(r" registered registrar|registrar refused|association failed|association refused", c.text() + log.text(True)[told:]))
        assert (line.group(0) == " registered registrar") == good and (" registered registrar" in c.text()) == good, (what, scheme, c.text())
        if what == "an AE's key":
            assert "rsc=4106" in c.text(), c.text()
        c.kill(signal.SIGTERM)
    print("CSE-CSE: %d associations by the MAF's keys, good and bad" % len(table))


def main():
    with Plant() as plant:
        coaps = free_port()
        plant.configure("in-cse.ini", "[tls]\n", "[coaps]\nlisten = 127.0.0.1:%d\n\n[tls]\n" % coaps)
        start(plant, "maf", "keyway-maf", "maf.ini")
        log = start(plant, "in-cse", "keyway-cse", "in-cse.ini")
        https = int(re.search(r"https=(\d+)", log.text()).group(1))
        plant.site = Site(Files(plant), https, coaps)
        admin, mn, short = aes(plant, plant.site, log)
        cses(plant, log, admin, mn, short)
    print("associations by a MAF: ok")


if __name__ == "__main__":
    main()
