"""Security associations between separate programs: {pre-shared key, certificate, raw public key} x {HTTPS, CoAPS} x {AE-CSE, CSE-CSE}, and how each is
refused: wrong key, unknown identity, expired, revoked (CRL, OCSP), wrong name, wrong From, downgrade. The AEs are openssl, gnutls-cli and curl; the
PKI and the OCSP responder are openssl's. TS-0003 clauses 8.2, 10.1 and 10.2."""
import base64
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "conformance"))
from conformance import coap, coap_client  # noqa: E402
from plant import Process, free_port, program, wait_for  # noqa: E402

FR, RQI, RVI, RSC = 279, 283, 271, 307 # options of TS-0008

ADMIN = "m2m://keyway.example/id-in/CAdmin"
IN, MN = "id-in.keyway.example", "id-mn.id-in.keyway.example"
KEY, WRONG = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
PAST, FUTURE = "20200101000000Z", "20400101000000Z"
WEAK = "@SECLEVEL=0"


class Pki:
    """A CA whose names are constrained to the service provider, and what it signs."""

    CONSTRAINTS = "nameConstraints=critical,permitted;DNS:keyway.example,permitted;URI:keyway.example"

    def __init__(self, dir_, name="ca", constraints=CONSTRAINTS):
        self.dir = dir_
        self.name = name
        os.makedirs(dir_, exist_ok=True)
        for f, text in (("index.txt", ""), ("index.txt.attr", "unique_subject = no\n"), ("serial", "1000\n"), ("crlnumber", "01\n")):
            with open(self.at(name + "." + f if f != "index.txt.attr" else name + ".index.txt.attr"), "w") as out:
                out.write(text)
        with open(self.at(name + ".cnf"), "w") as out:
            out.write("[ca]\ndefault_ca = d\n[d]\ndir = %s\ndatabase = %s\nserial = %s\ncrlnumber = %s\nnew_certs_dir = %s\ncertificate = %s\nprivate_key = %s\n"
                      "default_md = sha256\npolicy = p\ndefault_crl_days = 2\ncopy_extensions = copy\n[p]\ncommonName = supplied\n"
                      % (dir_, self.at(name + ".index.txt"), self.at(name + ".serial"), self.at(name + ".crlnumber"), dir_, self.at(name + ".pem"), self.at(name + ".key")))
        self.new_key(name)
        run("openssl", "req", "-x509", "-new", "-key", self.at(name + ".key"), "-subj", "/CN=plant CA " + name, "-days", "2", "-out", self.at(name + ".pem"),
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
            "-addext", constraints)

    def at(self, file):
        return os.path.join(self.dir, file)

    def new_key(self, name):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.at(name + ".key"))
        os.chmod(self.at(name + ".key"), 0o600)

    def issue(self, name, san, start="20250101000000Z", end=FUTURE, usage="digitalSignature"):
        self.new_key(name)
        run("openssl", "req", "-new", "-key", self.at(name + ".key"), "-subj", "/CN=" + name, "-out", self.at(name + ".csr"), "-addext", "subjectAltName=" + san,
            "-addext", "keyUsage=critical," + usage, "-addext", "basicConstraints=CA:FALSE")
        run("openssl", "ca", "-batch", "-notext", "-config", self.at(self.name + ".cnf"), "-in", self.at(name + ".csr"), "-out", self.at(name + ".pem"), "-startdate", start,
            "-enddate", end)

    def revoke(self, name):
        run("openssl", "ca", "-config", self.at(self.name + ".cnf"), "-revoke", self.at(name + ".pem"))

    def crl(self):
        run("openssl", "ca", "-config", self.at(self.name + ".cnf"), "-gencrl", "-out", self.at("crl.new"))
        os.rename(self.at("crl.new"), self.at("crl.pem"))

    def raw(self, name):
        """A raw key pair; its RFC 6920 name, computed here."""
        self.new_key(name)
        run("openssl", "pkey", "-in", self.at(name + ".key"), "-pubout", "-out", self.at(name + ".pub"))
        der = run("openssl", "pkey", "-pubin", "-in", self.at(name + ".pub"), "-outform", "DER")
        return "ni:///sha-256;" + base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def run(*argv):
    r = subprocess.run(argv, capture_output=True)
    assert r.returncode == 0, (argv, r.stderr.decode())
    return r.stdout


# ---- one request, by a foreign program ----

def http_request(fr):
    return ("GET /cse-in HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: %s\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 4\r\nConnection: close\r\n\r\n" % fr).encode()


def coap_request(fr):
    return coap.Message(coap.CON, coap.GET, 1, b"o", coap_client.path_options("cse-in") + [(FR, fr.encode()), (RQI, b"q1"), (RVI, b"4")]).encode()


def rsc_of_coap(octets):
    try:
        m = coap.Message.decode(octets)
    except Exception:
        return None
    for number, value in m.options:
        if number == RSC:
            return int.from_bytes(value, "big")
    return None


def speak(argv, octets, until, patience=10):
    """What the program prints after it was told `octets`, until that says what is wanted or the program ends."""
    s = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    killer = threading.Timer(patience, s.kill)
    killer.start()
    said = b""
    try:
        s.stdin.write(octets)
        s.stdin.flush()
        while True:
            chunk = os.read(s.stdout.fileno(), 65536)
            said += chunk
            if not chunk or until(said):
                break
    except BrokenPipeError:
        said += s.stdout.read()
    killer.cancel()
    s.kill()
    s.communicate()
    return said


def rsc_in(said, dtls):
    if not dtls:
        m = re.search(rb"X-M2M-RSC: (\d{4})", said)
        return int(m.group(1)) if m else None
    # the answer stands behind what the program says itself
    for at in [m.start() for m in re.finditer(rb"[\x60-\x6f][\x40-\xbf]\x00\x01o", said)]:
        rsc = rsc_of_coap(said[at:])
        if rsc and rsc > 999:
            return rsc
    return None


class Site:
    def __init__(self, pki, https, coaps):
        self.pki, self.https, self.coaps = pki, https, coaps

    def argv(self, dtls, *options):
        argv = ["openssl", "s_client", "-connect", "127.0.0.1:%d" % (self.coaps if dtls else self.https), "-CAfile", self.pki.at("ca.pem"), "-ign_eof", *options]
        if dtls:
            argv.append("-dtls1_2")
        return argv if "-servername" in options else argv + ["-servername", IN]

    def openssl(self, dtls, fr, *options):
        said = speak(self.argv(dtls, *options), coap_request(fr) if dtls else http_request(fr), lambda b: rsc_in(b, dtls))
        return rsc_in(said, dtls), said

    def gnutls(self, dtls, fr, priority, *options):
        argv = ["gnutls-cli", "127.0.0.1", "-p", str(self.coaps if dtls else self.https), "--priority", priority, "--sni-hostname", IN, *options]
        if dtls:
            argv.append("--udp")
        said = speak(argv, coap_request(fr) if dtls else http_request(fr), lambda b: rsc_in(b, dtls))
        return rsc_in(said, dtls), said

    def psk(self, dtls, identity, key, fr, *options):
        return self.openssl(dtls, fr, "-psk_identity", identity, "-psk", key, *options)

    def certificate(self, dtls, name, fr, *options):
        if name is None:
            return self.openssl(dtls, fr, *options)
        return self.openssl(dtls, fr, "-cert", self.pki.at(name + ".pem"), "-key", self.pki.at(name + ".key"), *options)

    def raw(self, dtls, name, fr):
        return self.gnutls(dtls, fr, "NORMAL:-CTYPE-ALL:+CTYPE-RAWPK", "--rawpkkeyfile", self.pki.at(name + ".key"), "--rawpkfile", self.pki.at(name + ".pub"), "--insecure")


def write(path, text, mode=0o600):
    with open(path, "w") as f:
        os.fchmod(f.fileno(), mode)
        f.write(text)


class Programs:
    """What Process needs of a plant."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="keyway-association-")
        self.processes = {}

    def start(self, role, *argv):
        self.processes[role] = Process(self, role, argv)
        return self.processes[role]


def cse(p, role, ini):
    path = os.path.join(p.dir, role + ".ini")
    write(path, ini.replace("STATE", os.path.join(p.dir, role)))
    return p.start(role, program("keyway-cse"), "--config", path)


def aes(site, log):
    """AE-CSE."""
    soon = [
        # what                         who                                                                     RSC, or None: no association     in the log
        ("a key",                      lambda d: site.psk(d, "admin", KEY, "/id-in/CAdmin"),                    2000, None),
        ("a key, wrong From",          lambda d: site.psk(d, "admin", KEY, "/id-in/Cother"),                    4106, None),
        ("a key of a CSE, its AE",     lambda d: site.psk(d, MN, KEY, "/id-in/CAdmin"),                         4106, None),
        ("a key that a rule knows",    lambda d: site.psk(d, "meter7@keyway.example", KEY, "/id-in/Cmeter7"),   4103, None),
        ("the same, another From",     lambda d: site.psk(d, "meter7@keyway.example", KEY, "/id-in/Cmeter8"),   4106, None),
        ("a certificate",              lambda d: site.certificate(d, "admin", "/id-in/CAdmin"),                 2000, None),
        ("a certificate, wrong From",  lambda d: site.certificate(d, "admin", "/id-in/Cother"),                 4106, None),
        ("an expired certificate",     lambda d: site.certificate(d, "expired", "/id-in/CAdmin"),               None, "the certificate expired"),
        ("a revoked certificate",      lambda d: site.certificate(d, "revoked", "/id-in/CAdmin"),               None, "the certificate is revoked"),
        ("another CA's certificate",   lambda d: site.certificate(d, "stranger", "/id-in/CAdmin"),              None, "the certificate does not lead to a trusted CA"),
        ("outside of constraints",     lambda d: site.certificate(d, "outside", "/id-in/CAdmin"),               None, "the certificate's signer may not sign for this name"),
        ("not for signatures",         lambda d: site.certificate(d, "usage", "/id-in/CAdmin"),                 None, "sage"),
        ("no certificate",             lambda d: site.certificate(d, None, "/id-in/CAdmin"),                    None, None),
        ("another server's name",      lambda d: site.certificate(d, "admin", "/id-in/CAdmin", "-servername", "evil.keyway.example"), None, "asked for another server"),
        ("a raw public key",           lambda d: site.raw(d, "rawae", "/id-in/CAdmin"),                         2000, None),
        ("a raw key, wrong From",      lambda d: site.raw(d, "rawae", "/id-in/Cother"),                         4106, None),
        ("a raw key nobody pinned",    lambda d: site.raw(d, "rawstranger", "/id-in/CAdmin"),                   None, "not among those that are pinned"),
        ("a raw key pinned until then", lambda d: site.raw(d, "rawold", "/id-in/CAdmin"),                       None, "pinned no longer"),
    ]
    tls_only = [
        ("TLS 1.2 and a key",          lambda d: site.psk(d, "admin", KEY, "/id-in/CAdmin", "-tls1_2"),         2000, None),
        ("TLS 1.2 and a certificate",  lambda d: site.certificate(d, "admin", "/id-in/CAdmin", "-tls1_2"),      2000, None),
        ("TLS 1.1",                    lambda d: site.certificate(d, "admin", "/id-in/CAdmin", "-tls1_1", "-cipher", "ALL:" + WEAK), None, "version"),
        ("TLS 1.0 and a key",          lambda d: site.psk(d, "admin", KEY, "/id-in/CAdmin", "-tls1", "-cipher", "ALL:" + WEAK), None, "version"),
        ("CBC by gnutls-cli",          lambda d: site.gnutls(d, "/id-in/CAdmin", "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-128-CBC:+SHA256:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:+COMP-NULL",
                                                             "--insecure"), None, "cipher suite"),
    ]
    wrong = [
        ("a wrong key",                lambda d: site.psk(d, "admin", WRONG, "/id-in/CAdmin"),                  None, "the pre-shared key is wrong"),
        ("an unknown identity",        lambda d: site.psk(d, "nobody", KEY, "/id-in/CAdmin"),                   None, "the PSK identity is unknown"),
        ("an expired key",             lambda d: site.psk(d, "old", KEY, "/id-in/CAdmin"),                      None, "the pre-shared key expired"),
    ]
    jobs = [(False, *t) for t in soon + tls_only + wrong] + [(True, *t) for t in soon + wrong]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for (dtls, what, _, rsc, reason), (got, said) in zip(jobs, pool.map(lambda j: j[2](j[0]), jobs)):
            where = "CoAPS" if dtls else "HTTPS"
            assert got == rsc, "%s by %s: %s instead of %s\n%s" % (what, where, got, rsc, said[-700:])
            if reason:
                wait_for("`%s` in the log (%s by %s)" % (reason, what, where), lambda r=reason: r in log.text(True), 10)
    print("AE-CSE: %d associations, good and bad, over HTTPS and CoAPS" % len(jobs))


def looks_alike(site):
    """Nobody learns which identities there are."""
    def told(identity, key, *options):
        said = site.psk(False, identity, key, "/id-in/CAdmin", *options)[1].decode(errors="replace")
        return re.findall(r"alert [a-z ]+:|SSL alert number \d+", said)
    for options in (("-tls1_2",), ("-tls1_3",)):
        wrong, unknown = told("admin", WRONG, *options), told("nobody", WRONG, *options)
        assert wrong and wrong == unknown, (options, wrong, unknown)
    print("an unknown identity is refused in the words of a wrong key")


def by_curl(site):
    r = subprocess.run(["curl", "-s", "--cacert", site.pki.at("ca.pem"), "--cert", site.pki.at("admin.pem"), "--key", site.pki.at("admin.key"), "--connect-to",
                        "%s:443:127.0.0.1:%d" % (IN, site.https), "-H", "X-M2M-Origin: /id-in/CAdmin", "-H", "X-M2M-RI: 1", "-H", "X-M2M-RVI: 4", "https://%s/cse-in" % IN],
                       capture_output=True, text=True)
    assert json.loads(r.stdout)["m2m:cb"]["csi"] == "/id-in", r
    print("curl, with its own check of the name")


def rules(site):
    """A key that is nobody's in particular speaks as the AE-ID that a rule gives its Credential-ID."""
    def create(to, ty, content):
        r = subprocess.run(["curl", "-s", "--cacert", site.pki.at("ca.pem"), "--cert", site.pki.at("admin.pem"), "--key", site.pki.at("admin.key"), "--connect-to",
                            "%s:443:127.0.0.1:%d" % (IN, site.https), "-H", "X-M2M-Origin: /id-in/CAdmin", "-H", "X-M2M-RI: 1", "-H", "X-M2M-RVI: 4",
                            "-H", "Content-Type: application/json;ty=%d" % ty, "-d", json.dumps(content), "https://%s/%s" % (IN, to)], capture_output=True, text=True)
        made = json.loads(r.stdout)
        assert "m2m:dbg" not in made, made
        return made
    create("cse-in", 19, {"m2m:asar": {"rn": "meters", "apci": ["12-meter7@keyway.example"], "aai": ["Nmeter"], "aae": ["Cmeter7"]}})
    create("cse-in", 11, {"m2m:mssp": {"rn": "profile"}})
    create("cse-in/profile", 20, {"m2m:svsn": {"rn": "node", "ni": "1-2-3", "csi": "/id-in", "rlk": ["cse-in/meters"]}})


def cses(p, pki, in_https, in_coaps):
    """CSE-CSE."""
    def mn(n, scheme, tls, registrar):
        port = in_https if scheme == "https" else in_coaps
        role = "mn%d" % n
        c = cse(p, role, "[cse]\ntype = mn\nid = /id-mn\nname = cse-mn\nsp = keyway.example\nadmin = CAdmin\nstate = STATE\n[http]\nlisten = 127.0.0.1:0\n[coap]\nlisten = 127.0.0.1:%d\n[tls]\n%s\n"
                "[registrar]\nurl = %s://127.0.0.1:%d\nid = /id-in\n%s\n" % (free_port(), tls, scheme, port, registrar))
        return c
    key = "psk_identity = %s\npsk_file = %s" % (MN, pki.at("mn.psk"))
    certificate = "ca = %s\ncert = %s\nkey = %s" % (pki.at("ca.pem"), pki.at("mn.pem"), pki.at("mn.key"))
    revoked = "ca = %s\ncert = %s\nkey = %s" % (pki.at("ca.pem"), pki.at("mnrevoked.pem"), pki.at("mnrevoked.key"))
    raw = "raw_key = %s\nraw_keys = %s" % (pki.at("rawmn.key"), pki.at("mn.pins"))
    table = [
        ("key", "", key, True),
        ("wrong key", "", key.replace("mn.psk", "mnwrong.psk"), False),
        ("certificate", certificate, "", True),
        ("revoked certificate", revoked, "", False),
        ("certificate, wrong name of the registrar", certificate, "identity = id-other.keyway.example", False),
        ("raw public key", raw, "", True),
        ("raw public key that is not the registrar's", raw.replace("mn.pins", "mnwrong.pins"), "", False),
    ]
    n = 0
    for scheme in ("https", "coaps"):
        for what, tls, registrar, good in table:
            n += 1
            told = len(p.processes["in"].text(True))
            c = mn(n, scheme, tls, registrar)
            line = wait_for("%s by %s to be good or not" % (what, scheme),
                            lambda c=c, told=told: re.search(r" registered registrar|association failed|association refused", c.text() + p.processes["in"].text(True)[told:]), 30)
            assert (line.group(0) == " registered registrar") == good and (" registered registrar" in c.text()) == good, (what, scheme, c.text())
            c.kill(15)
            c.popen.wait(30)
    print("CSE-CSE: %d associations, good and bad" % n)


def ocsp(p, pki):
    """A responder that is asked: good, revoked, and no answer."""
    port, https = free_port(), free_port()
    base = ("[cse]\ntype = in\nid = /id-in\nname = cse-in\nsp = keyway.example\nadmin = CAdmin\nstate = STATE\n[https]\nlisten = 127.0.0.1:%d\n"
            "[tls]\nca = %s\ncert = %s\nkey = %s\nlegacy_suites = yes\nocsp_url = http://127.0.0.1:%d\n" % (https, pki.at("ca.pem"), pki.at("in.pem"), pki.at("in.key"), port))
    site = Site(pki, https, 0)
    c = cse(p, "in-ocsp", base)
    c.wait_line(" ready")
    rsc, said = site.certificate(False, "admin", "/id-in/CAdmin")
    assert rsc is None, "nobody answers, which is hard by default"
    c.wait_line("the OCSP responder does not answer")
    responder = p.start("responder", "openssl", "ocsp", "-index", pki.at("ca.index.txt"), "-port", str(port), "-rsigner", pki.at("ca.pem"), "-rkey", pki.at("ca.key"), "-CA",
                        pki.at("ca.pem"), "-nmin", "10")
    wait_for("the responder", lambda: "waiting for" in responder.text().lower(), 20)
    rsc, said = site.certificate(False, "admin", "/id-in/CAdmin")
    assert rsc == 2000, (rsc, said[-800:], c.text())
    rsc, said = site.certificate(False, "revoked", "/id-in/CAdmin")
    assert rsc is None, rsc
    c.wait_line("the certificate is revoked (OCSP)")
    # TS-0003's own suites, where they are asked for
    rsc, said = site.certificate(False, "admin", "/id-in/CAdmin", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")
    assert rsc == 2000 and b"ECDHE-ECDSA-AES128-SHA256" in said, said[-500:]
    responder.kill()
    rsc, said = site.certificate(False, "admin", "/id-in/CAdmin")
    assert rsc == 2000, "the answer is remembered while it is good"
    print("OCSP: good, revoked, no answer; the suites of TS-0003 where they are configured")


def main():
    p = Programs()
    try:
        pki, other = Pki(p.dir + "/pki"), Pki(p.dir + "/other")
        for name, san in (("in", "DNS:" + IN), ("mn", "DNS:" + MN), ("mnrevoked", "DNS:" + MN), ("admin", "URI:" + ADMIN), ("revoked", "URI:" + ADMIN),
                          ("outside", "URI:m2m://evil.example/id-in/CAdmin")):
            pki.issue(name, san)
        pki.issue("expired", "URI:" + ADMIN, "20190101000000Z", PAST)
        pki.issue("usage", "URI:" + ADMIN, usage="keyAgreement")
        other.issue("stranger", "URI:" + ADMIN)
        for ending in (".pem", ".key"):
            shutil.copy(other.at("stranger" + ending), pki.at("stranger" + ending))
        for name in ("revoked", "mnrevoked"):
            pki.revoke(name)
        pki.crl()
        names = {n: pki.raw(n) for n in ("rawin", "rawmn", "rawae", "rawold", "rawstranger")}
        write(pki.at("pins"), "%s %s\n%s %s\n%s %s 1500000000\n" % (names["rawmn"], MN, names["rawae"], ADMIN, names["rawold"], ADMIN))
        write(pki.at("mn.pins"), "%s %s\n" % (names["rawin"], IN))
        write(pki.at("mnwrong.pins"), "%s %s\n" % (names["rawstranger"], IN))
        write(pki.at("in.psk"), "admin:%s %s\nold:%s %s 1500000000\n%s:%s\nmeter7@keyway.example:%s\n" % (KEY, ADMIN, KEY, ADMIN, MN, KEY, KEY))
        write(pki.at("mn.psk"), "%s:%s\n" % (MN, KEY))
        write(pki.at("mnwrong.psk"), "%s:%s\n" % (MN, WRONG))
        https, coaps = free_port(), free_port()
        c = cse(p, "in", "[cse]\ntype = in\nid = /id-in\nname = cse-in\nsp = keyway.example\nadmin = CAdmin\nstate = STATE\ncse_originators = /*\n[https]\nlisten = 127.0.0.1:%d\n"
                "[coaps]\nlisten = 127.0.0.1:%d\n[tls]\nca = %s\ncert = %s\nkey = %s\nraw_key = %s\nraw_keys = %s\npsk_file = %s\ncrl = %s\n"
                % (https, coaps, pki.at("ca.pem"), pki.at("in.pem"), pki.at("in.key"), pki.at("rawin.key"), pki.at("pins"), pki.at("in.psk"), pki.at("crl.pem")))
        c.wait_line(" ready")
        site = Site(pki, https, coaps)
        by_curl(site)
        rules(site)
        aes(site, c)
        looks_alike(site)
        cses(p, pki, https, coaps)
        ocsp(p, pki)
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
