"""Bootstrapping over real HTTPS between separate programs: keyway-hss, keyway-mef as bootstrapping server, an IN-CSE as NAF; as devices keyway-sim ue, and one
that is written here on the Python standard library, with osmo-auc-gen as its card. A device that has nothing but a card registers with a CSE that it never met."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time

from plant import PATIENCE, Plant, free_port, program, wait_for

IMSI = "232010000000000"
IMPI = IMSI + "@ims.mnc001.mcc232.3gppnetwork.org"
BSF, NAF, MAF = "mef.keyway.example", "id-in.keyway.example", "maf.keyway.example"
UA = bytes.fromhex("0100000007")


def osmo(card, rand):
    out = subprocess.run(["osmo-auc-gen", "-3", "-a", "MILENAGE", "-k", card["k"], "-o", card["opc"], "-f", "8000", "-s", "32", "-r", rand.hex()],
                         capture_output=True, text=True).stdout
    return {k: bytes.fromhex(v) for k, v in re.findall(r"^(IK|CK|RES):\t([0-9a-f]+)$", out, re.M)}


def md5(*parts):
    return hashlib.md5(b":".join(parts)).hexdigest().encode()


class Ue:
    """Ub as RFC 3310 and TS 24.109 tell it."""

    def __init__(self, plant, port, card, impi=IMPI):
        self.card, self.impi = card, impi
        context = ssl.create_default_context(cafile=os.path.join(plant.plant, "tls", "ca.pem"))
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=PATIENCE)
        self.connection.connect = self.connect
        self.port, self.context = port, context

    def connect(self):
        import socket
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.connection.sock = self.context.wrap_socket(raw, server_hostname=BSF)

    def ask(self, authorization=None, path="/", method="GET"):
        headers = {} if authorization is None else {"Authorization": authorization}
        self.connection.request(method, path, headers=headers)
        r = self.connection.getresponse()
        r.body = r.read()
        return r

    def begin(self):
        return self.ask('Digest username="%s", realm="%s", nonce="", uri="/", response=""' % (self.impi, BSF))

    @staticmethod
    def fields(value):
        return {k.lower(): q or t for k, q, t in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value)}

    def answer(self, challenge, res=None, qop=b"auth-int", nc=b"00000001", extra=""):
        """The Authorization that answers a 401; and the keys."""
        f = self.fields(challenge)
        nonce = base64.b64decode(f["nonce"])
        keys = osmo(self.card, nonce[:16])
        res = keys["RES"] if res is None else res
        cnonce = os.urandom(8).hex().encode()
        ha1 = md5(self.impi.encode(), f["realm"].encode(), res)
        self.proof = ha1, f["nonce"].encode(), nc, cnonce, qop
        ha2 = md5(b"GET", b"/", md5(b"")) if qop == b"auth-int" else md5(b"GET", b"/")
        response = md5(ha1, f["nonce"].encode(), nc, cnonce, qop, ha2)
        return 'Digest username="%s", realm="%s", nonce="%s", uri="/", qop=%s, nc=%s, cnonce="%s", response="%s", algorithm=AKAv1-MD5%s' % (
            self.impi, f["realm"], f["nonce"], qop.decode(), nc.decode(), cnonce.decode(), response.decode(), extra), nonce[:16], keys["CK"] + keys["IK"]

    def bootstrap(self):
        r = self.begin()
        assert r.status == 401, r.status
        authorization, rand, ks = self.answer(r.getheader("WWW-Authenticate"))
        r = self.ask(authorization)
        assert r.status == 200, (r.status, r.getheaders())
        ha1, nonce, nc, cnonce, qop = self.proof
        assert self.fields(r.getheader("Authentication-Info"))["rspauth"].encode() == md5(ha1, nonce, nc, cnonce, qop, md5(b"", b"/", md5(r.body)))
        btid = re.search(rb"<btid>(.*)</btid>", r.body).group(1).decode()
        assert btid == base64.b64encode(rand).decode() + "@" + BSF
        self.authorization, self.rand, self.ks, self.btid = authorization, rand, ks, btid
        self.lifetime = re.search(rb"<lifetime>(.*)</lifetime>", r.body).group(1).decode()
        return btid

    def naf_key(self, naf=NAF, ua=UA):
        s = b"\x01"
        for p in (b"gba-me", self.rand, self.impi.encode(), naf.encode() + ua):
            s += p + len(p).to_bytes(2, "big")
        return hmac.new(self.ks, s, hashlib.sha256).digest()


def zn(plant, port, who, btid, ua=UA):
    """What the NAF with this certificate gets."""
    tls = os.path.join(plant.plant, "tls")
    r = subprocess.run(["curl", "-s", "--cacert", tls + "/ca.pem", "--cert", "%s/%s.pem" % (tls, who), "--key", "%s/%s.key" % (tls, who), "--resolve",
                        "%s:%d:127.0.0.1" % (BSF, port), "-w", "\n%{http_code}", "-d", json.dumps({"btid": btid, "ua": ua.hex()}), "https://%s:%d/zn" % (BSF, port)],
                       capture_output=True, text=True, timeout=PATIENCE)
    body, status = r.stdout.rsplit("\n", 1)
    return int(status), json.loads(body) if body.startswith("{") else None


with Plant() as p:
    hss_dir, ub, zn_port = os.path.join(p.dir, "hss"), free_port(), free_port()
    admin = os.path.join(hss_dir, "admin.sock")
    with open(os.path.join(p.plant, "hss.ini"), "w") as f:
        f.write("[hss]\nstate = %s\n[zh]\nsocket = %s/zh.sock\n" % (hss_dir, p.dir))
    with open(os.path.join(p.plant, "mef.ini"), "a") as f:
        f.write("\n[bsf]\nlisten = 127.0.0.1:%d\nzn_listen = 127.0.0.1:%d\nhss = %s/zh.sock\nchallenges_per_minute = 1000\n" % (ub, zn_port, p.dir))
    gba = "\n[gba]\nbsf = %s\nurl = https://127.0.0.1:%d\n" % (BSF, zn_port)
    with open(os.path.join(p.plant, "maf.ini"), "a") as f:
        f.write(gba)
    coaps = free_port()
    with open(os.path.join(p.plant, "in-cse.ini"), "a") as f:
        f.write("\n[coaps]\nlisten = 127.0.0.1:%d\n" % coaps)
        f.write(gba)
    p.start("hss", program("keyway-hss"), "--config", os.path.join(p.plant, "hss.ini")).wait_line(" ready")
    p.start("mef", program("keyway-mef"), "--config", os.path.join(p.plant, "mef.ini")).wait_line(" ready")
    p.start("in-cse", program("keyway-cse"), "--config", os.path.join(p.plant, "in-cse.ini")).wait_line(" ready")
    mef, cse = p.processes["mef"], p.processes["in-cse"]
    with open(os.path.join(p.plant, "plant.json")) as f:
        cse_url = next(c["url"] for c in json.load(f)["cses"] if c["id"] == "/id-in")

    # two cards of the same subscriber: one a file for keyway-sim, one for osmo-auc-gen, which looks at no sequence number
    card_file = os.path.join(p.dir, "card.json")

    def sim(*words, good=True):
        r = subprocess.run([program("keyway-sim"), *words], capture_output=True, text=True, timeout=PATIENCE)
        assert (r.returncode == 0) == good, (words, r.stdout, r.stderr)
        return r.stdout + r.stderr

    def subscriber(*words):
        return p.keyway("subscriber", *words, "--hss", admin, plant=False).stdout

    ca = os.path.join(p.plant, "tls", "ca.pem")
    ub_words = ["ue", "--usim", card_file, "--bsf", "https://127.0.0.1:%d" % ub, "--name", BSF, "--ca", ca]
    naf_words = ["--naf", NAF, "--cse", cse_url + "/cse-in", "--as"]
    sim("usim", "--file", card_file, "--new", IMSI)
    subscriber("add", card_file)
    with open(card_file) as f:
        card = json.load(f)

    # the independent device: bootstraps, and computes the key that the NAF gets
    ue = Ue(p, ub, card)
    btid = ue.bootstrap()
    assert zn(p, zn_port, "in-cse", btid)[0] == 403  # nothing is permitted yet
    subscriber("permit", IMSI, NAF, "m2m://keyway.example/id-in/CUe1")
    btid = ue.bootstrap()
    status, grant = zn(p, zn_port, "in-cse", btid)
    assert status == 200 and base64.b64decode(grant["key"]) == ue.naf_key() and grant["entity"] == "m2m://keyway.example/id-in/CUe1"
    assert 86000 < grant["expires"] - time.time() < 86401
    other_ua = bytes.fromhex("01000100a8")
    assert base64.b64decode(zn(p, zn_port, "in-cse", btid, other_ua)[1]["key"]) == ue.naf_key(ua=other_ua) != ue.naf_key()
    # another NAF, an unknown B-TID, one of another BSF
    assert zn(p, zn_port, "mn-cse", btid)[0] == 403
    unknown = base64.b64encode(os.urandom(16)).decode() + "@"
    assert zn(p, zn_port, "in-cse", unknown + BSF)[0] == 404
    assert zn(p, zn_port, "in-cse", unknown + "bsf.example")[0] == 400

    # a client that others wrote, with the key that Python computed
    port = int(cse_url.rsplit(":", 1)[1])

    def openssl(identity, key, version):
        r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-servername", NAF, version, "-cipher", "PSK", "-psk_identity", identity, "-psk", key.hex(), "-quiet",
                            "-ign_eof"], input="GET /cse-in HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: CUe1\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\nConnection: close\r\n\r\n",
                           capture_output=True, text=True, timeout=PATIENCE)
        return r.stdout

    for version in ("-tls1_2", "-tls1_3"):
        assert openssl(btid, ue.naf_key(), version).startswith("HTTP/1.1 "), version
        assert openssl("3GPP-bootstrapping;" + btid, ue.naf_key(), version).startswith("HTTP/1.1 "), version
        assert openssl(btid, os.urandom(32), version) == "", "a wrong key"
        assert openssl(unknown + BSF, ue.naf_key(), version) == "", "an unknown identity"
        assert openssl(btid, ue.naf_key(naf="id-mn.id-in.keyway.example"), version) == "", "another NAF's key"

    # over DTLS too: openssl's, whose handshake is all that is to be seen
    def dtls(identity, key):
        r = subprocess.run(["openssl", "s_client", "-dtls1_2", "-connect", "127.0.0.1:%d" % coaps, "-cipher", "PSK", "-psk_identity", identity, "-psk", key.hex()],
                           input="", capture_output=True, text=True, timeout=PATIENCE)
        return "Cipher    : PSK" in r.stdout or re.search(r"Cipher is \S*PSK", r.stdout) is not None

    assert dtls(btid, ue.naf_key())

    # Ub refuses
    assert ue.ask(ue.authorization).status == 401, "a replay is a new challenge"
    assert zn(p, zn_port, "in-cse", btid)[0] == 200, "and changes nothing"
    r = ue.begin()
    assert ue.ask(ue.answer(r.getheader("WWW-Authenticate"), res=os.urandom(8))[0]).status == 401, "a wrong RES"
    r = ue.begin()
    assert ue.ask(ue.answer(r.getheader("WWW-Authenticate"), qop=b"auth")[0]).status == 400, "TS 24.109 wants auth-int"
    r = ue.begin()
    forged = ue.answer(r.getheader("WWW-Authenticate"), res=b"", extra=', auts="%s"' % base64.b64encode(os.urandom(14)).decode())[0]
    assert ue.ask(forged).status == 403, "a forged AUTS"
    stranger = Ue(p, ub, card, impi="nobody@nowhere")
    r, known = stranger.begin(), ue.begin()
    form = lambda a: (a.status, sorted(h.lower() for h, _ in a.getheaders()), re.sub(r'nonce="[^"]{44}"', "", a.getheader("WWW-Authenticate")))
    assert form(r) == form(known) and r.status == 401, "whether an identity exists is nobody's business: %r %r" % (form(r), form(known))
    assert ue.ask().status == 400 and ue.ask("Basic eDp5").status == 400
    assert ue.bootstrap() != btid and zn(p, zn_port, "in-cse", btid)[0] == 404, "the last bootstrapping counts"

    # our device: its card has seen none of the sequence numbers since, then it registers with the CSE, which asks the MEF for its key
    said = sim(*ub_words, *naf_words, "CUe1")
    assert re.search(r"^btid \S+@%s$" % BSF, said, re.M) and "register 201" in said and "retrieve 200" in said, said
    assert "key given to a NAF" in mef.text() and "naf=\"%s\"" % NAF in mef.text()
    said = sim(*ub_words, *naf_words, "CUe1", "--prefix")
    assert "retrieve 200" in said, said
    # it is CUe1 and nobody else
    said = sim(*ub_words, *naf_words, "CUe2", good=False)
    assert "register 403" in said, said
    # a card that keeps Ks: a key for the device, another one for what runs in the card; neither for a card of the other kind
    card_u = os.path.join(p.dir, "card-u.json")
    IMSI_U = "232010000000001"
    sim("usim", "--file", card_u, "--new", IMSI_U, "--gba-u")
    subscriber("add", card_u)
    assert '"uicc":"GBA_U"' in subscriber("show", IMSI_U, "--json").replace(" ", "")
    subscriber("permit", IMSI_U, NAF, "m2m://keyway.example/id-in/CUe9")
    u_words = [card_u if w == card_file else w for w in ub_words]
    assert "register 201" in sim(*u_words, *naf_words, "CUe9")
    assert "retrieve 200" in sim(*u_words, *naf_words, "CUe9", "--uicc")
    assert "register" not in sim(*ub_words, *naf_words, "CUe1", "--uicc", good=False), "Ks_int_NAF without a card that has it"
    with open(card_u) as f:
        text = f.read()
    with open(card_u, "w") as f:  # the same keys in a card that would give Ks away
        f.write(text.replace('"gba_u":true,', ""))
    assert "btid" not in sim(*u_words, good=False)
    with open(card_u, "w") as f:
        f.write(text)
    sim("usim", "--file", card_u, "--ahead", "1000000")
    assert "retrieve 200" in sim(*u_words, *naf_words, "CUe9"), "resynchronised"

    # another name than the certificate's, another protocol identifier: no association
    assert "register" not in sim(*ub_words, *naf_words, "CUe1", "--ua", "01000100a8", good=False)
    wrong = [w if w != BSF else "other.keyway.example" for w in ub_words]
    assert "btid" not in sim(*wrong, good=False)

    # through a MAF: Ks_NAF is Km there, and Kc for a CSE comes of that (TS-0003 8.3.2.3, 8.8.2)
    def port_of(ini, section):
        with open(os.path.join(p.plant, ini)) as f:
            return re.search(r"\[%s\].*?^listen = \S*:(\d+)" % section, f.read(), re.S | re.M).group(1)

    p.start("maf", program("keyway-maf"), "--config", os.path.join(p.plant, "maf.ini")).wait_line(" ready")
    subscriber("permit", IMSI, MAF, "m2m://keyway.example/id-in/CUe1")
    store = os.path.join(p.dir, "credentials.db")
    enrol = ["enrol", "--id", "/id-in/CUe1", "--target", "/id-in", "--mef", "https://127.0.0.1:" + port_of("mef.ini", "mmef"), "--mef-id", BSF,
             "--maf", "https://127.0.0.1:" + port_of("maf.ini", "mmaf"), "--maf-id", MAF, "--file", store]
    sim(*ub_words, "--naf", MAF, "--store", store, "--kind", "km", "--peer", MAF)
    p.keyway(*enrol, plant=False)
    kept = {c["kind"]: c for c in json.loads(p.keyway("credentials", "list", "--json", "--file", store, plant=False).stdout)["credentials"]}
    assert kept["km"]["identity"].endswith("==@" + BSF) and kept["kpsa"]["identity"].endswith("@" + MAF), kept
    p.keyway("get", "cse-in/CUe1", "--credentials", store, "--from", "/id-in/CUe1")
    assert p.keyway("get", "cse-in/CUe1", "--credentials", store, "--from", "/id-in/CUe2", check=False).returncode == 1
    cse.wait_line("key fetched")
    # the MEF itself as NAF: a client of Mmef without Kpm, whose key for the CSE the MEF has
    subscriber("permit", IMSI, BSF, "m2m://keyway.example/id-in/CUe1")
    store = os.path.join(p.dir, "mef-credentials.db")
    sim(*ub_words, "--naf", BSF, "--store", store, "--kind", "kpm", "--peer", BSF)
    p.keyway(*enrol[:enrol.index("--maf")], "--file", store, plant=False)
    p.keyway("get", "cse-in/CUe1", "--credentials", store, "--from", "/id-in/CUe1")

    # the card ahead of the HSS: AUTS over Ub
    sim("usim", "--file", card_file, "--ahead", "70000")
    said = sim(*ub_words)
    assert "btid" in said, said
    assert "synchronisation failure" in mef.text() and "resynchronised" in p.processes["hss"].text()
    # a card with another key knows that the network is not its own
    stranger = os.path.join(p.dir, "stranger.json")
    with open(os.open(stranger, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(json.dumps(dict(card, k=os.urandom(16).hex())))
    said = sim(*[stranger if w == card_file else w for w in ub_words], good=False)
    assert "does not have the key of this card" in said, said

    # a NAF that is no longer permitted; a key that has ended
    subscriber("refuse", IMSI, NAF)
    assert "register" not in sim(*ub_words, *naf_words, "CUe1", good=False)
    subscriber("permit", IMSI, "*.keyway.example", "m2m://keyway.example/id-in/CUe1")
    subscriber("lifetime", IMSI, "1")
    btid = ue.bootstrap()
    wait_for("the key to end", lambda: zn(p, zn_port, "in-cse", btid)[0] == 404)
    # an association ends with its key, though the client goes on
    subscriber("lifetime", IMSI, "3")
    btid = ue.bootstrap()
    peer = subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-servername", NAF, "-psk_identity", btid, "-psk", ue.naf_key().hex(),
                             "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peer.stdin.write(b"GET /cse-in/CUe1 HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: CUe1\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\n\r\n")
    peer.stdin.flush()
    assert peer.stdout.readline().startswith(b"HTTP/1.1 200")
    peer.wait(PATIENCE)  # an idle connection would stay for two minutes
    peer.stdin.close()
    # the HSS away: no bootstrapping, and again when it is back
    subscriber("lifetime", IMSI, "0")
    p.processes["hss"].kill()
    assert ue.begin().status == 503
    p.start("hss", program("keyway-hss"), "--config", os.path.join(p.plant, "hss.ini")).wait_line(" ready")
    assert "retrieve 200" in sim(*ub_words, *naf_words, "CUe1")

    # no key in any log
    octets = [card["k"], card["opc"], ue.ks.hex(), ue.naf_key().hex(), base64.b64encode(ue.naf_key()).decode()]
    for process in p.processes.values():
        assert not any(o in process.text(True) for o in octets), process.role
    # what `keyway init --usim` writes works as it is
    for role in ("mef", "in-cse", "maf", "hss"):
        p.processes[role].kill(signal.SIGTERM)
    fresh = os.path.join(p.dir, "fresh")
    p.keyway("init", fresh, "--usim", "--base-port", str(p.free_base()), plant=False)
    for role, name in (("hss", "keyway-hss"), ("mef", "keyway-mef"), ("maf", "keyway-maf"), ("in-cse", "keyway-cse")):
        p.start("fresh-" + role, program(name), "--config", "%s/%s.ini" % (fresh, role)).wait_line(" ready")
    with open(os.path.join(fresh, "mef.ini")) as f:
        ub = re.search(r"\[bsf\]\nlisten = (\S+)", f.read()).group(1)
    with open(os.path.join(fresh, "plant.json")) as f:
        cse_url = next(c["url"] for c in json.load(f)["cses"] if c["id"] == "/id-in")
    p.keyway("subscriber", "add", card_file, "--plant", fresh, plant=False)
    p.keyway("subscriber", "permit", IMSI, NAF, "m2m://keyway.example/id-in/CUe1", "--plant", fresh, plant=False)
    assert "retrieve 200" in sim("ue", "--usim", card_file, "--bsf", "https://" + ub, "--name", BSF, "--ca", fresh + "/tls/ca.pem", "--naf", NAF,
                                 "--cse", cse_url + "/cse-in", "--as", "CUe1")
print("bootstrapped, associated, refused as it must be")
