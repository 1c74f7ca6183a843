"""EST as foreign clients meet it: curl and Python's TLS against keyway-mef, requests and judgement by openssl. And what becomes of certificates:
revocation as a list and through openssl's OCSP responder on the CA's own index."""
import base64
import json
import os
import random
import re
import signal
import ssl
import socket
import subprocess
import tempfile

from plant import program, wait_for

OWN = "id-mn.id-in.keyway.example"
TYPE = "application/pkcs10"


def run(*argv, **kw):
    r = subprocess.run(argv, capture_output=True, timeout=60, **kw)
    assert r.returncode == 0, (argv, r.stdout[-600:], r.stderr[-600:])
    return r.stdout


def request(d, name, challenge=None, curve="P-256"):
    """A new key, and a PKCS#10 request for it in base64."""
    with open(os.path.join(d, "req.cnf"), "w") as f:
        f.write("[req]\nprompt = no\ndistinguished_name = dn\nreq_extensions = ext\n%s[dn]\nCN = x\n[ext]\nsubjectAltName = %s\n%s" % (
            "attributes = attr\n" if challenge else "", name, "[attr]\nchallengePassword = %s\n" % challenge if challenge else ""))
    key = os.path.join(d, "new.key")
    der = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + curve, "-nodes", "-keyout", key,
              "-config", os.path.join(d, "req.cnf"), "-outform", "DER")
    return base64.encodebytes(der)


class Mef:
    def __init__(self, d, extra=""):
        self.dir, self.plant = d, os.path.join(d, "plant")
        if not os.path.exists(self.plant):
            run(program("keyway"), "init", self.plant, "--base-port", str(random.randint(30001, 31900)))
        self.ini = os.path.join(self.plant, "est.ini")
        with open(os.path.join(self.plant, "mef.ini")) as f:
            text = f.read()
        # free ports, whatever `init` chose
        text = re.sub(r"(listen = 127\.0\.0\.1:)\d+", r"\g<1>0", text)
        with open(self.ini, "w") as f:
            f.write(text + "\n[est]\nca = %s\n%s\n" % (os.path.join(self.plant, "tls"), extra))
        self.log = open(os.path.join(d, "mef.log"), "a+")
        self.start_at = self.log.seek(0, 2)
        self.popen = subprocess.Popen([program("keyway-mef"), "--config", self.ini], stdout=self.log, stderr=self.log)
        self.port = int(wait_for("ready", lambda: re.search(r"mmef=(\d+)", self.text())).group(1))

    def text(self):
        self.log.seek(self.start_at)
        return self.log.read()

    def file(self, name):
        return os.path.join(self.plant, "tls", name)

    def curl(self, path, body=None, cert=None, headers=()):
        cert = cert or (self.file("mn-cse.pem"), self.file("mn-cse.key"))
        argv = ["curl", "-s", "-m", "30", "--cacert", self.file("ca.pem"), "--cert", cert[0], "--key", cert[1], "-D", "-",
                "--resolve", "mef.keyway.example:%d:127.0.0.1" % self.port, "https://mef.keyway.example:%d/.well-known/est/%s" % (self.port, path)]
        if body is not None:
            argv += ["--data-binary", "@-", "-H", "Content-Type: " + TYPE]
        for h in headers:
            argv += ["-H", h]
        out = run(*argv, input=body)
        head, _, rest = out.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, rest = rest.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().lower(), rest

    def http(self, method, path, headers, body=None):
        argv = ["curl", "-s", "-m", "30", "-X", method, "--cacert", self.file("ca.pem"), "--cert", self.file("mn-cse.pem"), "--key", self.file("mn-cse.key"),
                "-D", "-", "--resolve", "mef.keyway.example:%d:127.0.0.1" % self.port, "https://mef.keyway.example:%d%s" % (self.port, path)]
        for h in headers:
            argv += ["-H", h]
        if body is not None:
            argv += ["--data-binary", "@-"]
        head, _, rest = run(*argv, input=body).partition(b"\r\n\r\n")
        return int(head.split()[1]), head, rest

    def admin(self, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.plant, "mef", "admin.sock"))
            s.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(s.makefile().readline())

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        assert self.popen.wait(30) == 0, self.text()[-2000:]


def certificate(d, body, name="new.pem"):
    pem = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body))
    path = os.path.join(d, name)
    with open(path, "wb") as f:
        f.write(pem[pem.index(b"-----BEGIN"):])
    return path


def bound(mef, build, wrong=False):
    """One connection of TLS 1.2, and a request whose challengePassword is its tls-unique (RFC 5929)."""
    context = ssl.create_default_context(cafile=mef.file("ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(mef.file("mn-cse.pem"), mef.file("mn-cse.key"))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", mef.port)), server_hostname="mef.keyway.example") as s:
        unique = os.urandom(12) if wrong else s.get_channel_binding("tls-unique")
        body = build(base64.b64encode(unique).decode())
        s.sendall(b"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: mef.keyway.example\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                  b"Connection: close\r\n\r\n" % (TYPE.encode(), len(body)) + body)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


with tempfile.TemporaryDirectory(prefix="keyway-est-") as d:
    mef = Mef(d)
    try:
        # what the CA is, and what it wants
        status, head, body = mef.curl("cacerts")
        assert status == 200 and "application/pkcs7-mime" in head and "content-transfer-encoding: base64" in head, head
        ca = certificate(d, body, "got-ca.pem")
        fingerprint = lambda f: run("openssl", "x509", "-in", f, "-noout", "-fingerprint", "-sha256")
        assert fingerprint(ca) == fingerprint(mef.file("ca.pem"))
        status, head, body = mef.curl("csrattrs")
        assert status == 200 and "application/csrattrs" in head
        shown = run("openssl", "asn1parse", "-inform", "DER", input=base64.b64decode(body)).decode()
        for wanted in ("challengePassword", "id-ecPublicKey", "prime256v1", "X509v3 Subject Alternative Name"):
            assert wanted in shown, shown

        # enrolment; the new certificate is good for the next association, and for a renewal
        status, head, body = mef.curl("simpleenroll", request(d, "DNS:" + OWN))
        assert status == 200 and "smime-type=certs-only" in head, (status, body)
        new = certificate(d, body)
        run("openssl", "verify", "-CAfile", mef.file("ca.pem"), new)
        text = run("openssl", "x509", "-in", new, "-noout", "-text").decode()
        assert "DNS:" + OWN in text and "Digital Signature" in text and "CA:FALSE" in text, text
        os.rename(os.path.join(d, "new.key"), os.path.join(d, "first.key"))
        os.chmod(os.path.join(d, "first.key"), 0o600)
        status, head, body = mef.curl("simplereenroll", request(d, "DNS:" + OWN), cert=(new, os.path.join(d, "first.key")))
        assert status == 200, body
        renewed = certificate(d, body, "renewed.pem")

        # refusals, each with its reason
        for status, words, path, body, headers in (
                (403, b"CERT_PROV", "simpleenroll", request(d, "DNS:id-in.keyway.example"), ()),
                (403, b"keeps the name", "simplereenroll", request(d, "DNS:id-in.keyway.example"), ()),
                (400, b"secp256r1", "simpleenroll", request(d, "DNS:" + OWN, curve="P-384"), ()),
                (400, b"more than one", "simpleenroll", request(d, "DNS:%s,DNS:id-in.keyway.example" % OWN), ()),
                (400, b"neither a dNSName", "simpleenroll", request(d, "DNS:*.keyway.example"), ()),
                (400, b"base64", "simpleenroll", b"%%%", ()),
                (404, b"cacerts", "serverkeygen", request(d, "DNS:" + OWN), ()),
                (405, b"method", "cacerts", b"x", ())):
            got = mef.curl(path, body, headers=headers)
            assert got[0] == status and words in got[2], (path, status, got)

        # bound to the association
        status, body = bound(mef, lambda c: request(d, "DNS:" + OWN, challenge=c))
        assert status == 200, body
        status, body = bound(mef, lambda c: request(d, "DNS:" + OWN, challenge=c), wrong=True)
        assert status == 403 and b"not that of this association" in body, body
        mef.stop()
        mef = Mef(d, "demand_binding = yes")
        status, head, body = mef.curl("simpleenroll", request(d, "DNS:" + OWN))
        assert status == 403 and b"challengePassword is missing" in body, body
        status, body = bound(mef, lambda c: request(d, "DNS:" + OWN, challenge=c))
        assert status == 200, body

        # our own client, over TLS 1.3, bound by tls-exporter (RFC 9266); it looks at what it gets
        def enrol(name, *more, peer="mef.keyway.example"):
            return subprocess.run([program("keyway"), "certificate", "enrol", "mine", "--est", "https://127.0.0.1:%d/.well-known/est" % mef.port,
                                   "--mef", peer, "--name", name, "--ca-file", mef.file("ca.pem"), "--out", d,
                                   "--cert", mef.file("mn-cse.pem"), "--key", mef.file("mn-cse.key"), *more], capture_output=True, text=True, timeout=90)
        mine = os.path.join(d, "mine.pem")
        assert enrol(OWN).returncode == 0, mef.text()[-2000:]
        run("openssl", "verify", "-CAfile", mef.file("ca.pem"), mine)
        assert os.stat(os.path.join(d, "mine.key")).st_mode & 0o777 == 0o600
        before = open(mine).read()
        assert enrol(OWN, "--renew").returncode == 0 and open(mine).read() != before
        for r, words in ((enrol("id-in.keyway.example"), "CERT_PROV"), (enrol(OWN, peer="maf.keyway.example"), "server name")):
            assert r.returncode == 1 and words in r.stderr, r

        # a command of the MEF sends it for the certificate of an AE
        GRANTED = "m2m://keyway.example/id-mn/Cmeter"
        assert enrol(GRANTED).returncode == 1
        m2m = ("Content-Type: application/json;ty=10001", "X-M2M-Origin: /id-mn", "X-M2M-RI: 1", "X-M2M-RVI: 3")
        status, head, body = mef.http("POST", "/mef", m2m, b'{"sec:mefClientReg":{"fqdn":"mef.keyway.example","et":"20991231T000000","adminFQDN":"keyway.example"}}')
        assert status == 201, (status, body)
        command = json.loads(body)["sec:mefClientReg"]["cmd"]
        answer = mef.admin({"cmd": "client.command", "client": "/id-mn", "class": "CERT_PROV", "protocol": 1,
                            "uri": "https://mef.keyway.example/.well-known/est", "subject_type": 3, "subject": "/id-mn/Cmeter"})
        assert answer["ok"], answer
        assert enrol(GRANTED).returncode == 1  # nobody was sent yet
        status, head, body = mef.http("GET", command + "?wait=0", m2m)
        told = json.loads(body)["sec:mefClientCmd"]
        assert told["cmdDescription"]["cmdArgs"]["certSubjectID"] == "/id-mn/Cmeter", told
        r = enrol(GRANTED)
        assert r.returncode == 0, r
        assert b"URI:" + GRANTED.encode() in run("openssl", "x509", "-in", mine, "-noout", "-ext", "subjectAltName")
        status, head, body = mef.http("PUT", command, m2m, b'{"sec:mefClientCmd":{"cmdID":%d,"cmdStatusCode":20}}' % int(told["cmdID"]))
        assert status == 200, (status, body)
        assert enrol(GRANTED).returncode == 1  # done: it was for once

        # the audit log names each
        with open(os.path.join(mef.plant, "mef", "audit.log")) as f:
            assert f.read().count('"certificate"') == 7
    finally:
        if mef.popen.poll() is None:
            mef.stop()

    # revocation: by a list, and as openssl's responder tells it from the index
    tls = os.path.join(d, "plant", "tls")
    serial = run("openssl", "x509", "-in", new, "-noout", "-serial").decode().strip().split("=")[1]
    run(program("keyway"), "certificate", "revoke", serial, "--reason", "keyCompromise", "--ca", tls)
    crl = os.path.join(d, "crl.pem")
    with open(crl, "wb") as f:
        f.write(run(program("keyway"), "certificate", "crl", "--ca", tls))
    run("openssl", "crl", "-in", crl, "-CAfile", os.path.join(tls, "ca.pem"), "-noout")
    check = lambda c: subprocess.run(["openssl", "verify", "-crl_check", "-CRLfile", crl, "-CAfile", os.path.join(tls, "ca.pem"), c],
                                     capture_output=True, text=True, timeout=60)
    assert check(renewed).returncode == 0, check(renewed)
    assert "certificate revoked" in check(new).stderr, check(new)
    ca_files = ["-issuer", os.path.join(tls, "ca.pem")]
    query = os.path.join(d, "query.der")
    run("openssl", "ocsp", *ca_files, "-cert", new, "-cert", renewed, "-no_nonce", "-reqout", query)
    answer = os.path.join(d, "answer.der")
    run("openssl", "ocsp", "-index", os.path.join(tls, "index.txt"), "-CA", os.path.join(tls, "ca.pem"), "-rsigner", os.path.join(tls, "ca.pem"),
        "-rkey", os.path.join(tls, "ca.key"), "-reqin", query, "-respout", answer)
    said = run("openssl", "ocsp", "-no_nonce", "-respin", answer, *ca_files, "-CAfile", os.path.join(tls, "ca.pem"), "-cert", new, "-cert", renewed).decode()
    assert re.search(r"new\.pem: revoked", said) and re.search(r"renewed\.pem: good", said), said

    # the operator's own: sign a request from a file
    with open(os.path.join(d, "file.req"), "wb") as f:
        f.write(base64.b64decode(request(d, "URI:m2m://keyway.example/id-in/Cmeter")))
    signed = os.path.join(d, "signed.pem")
    with open(signed, "wb") as f:
        f.write(run(program("keyway"), "certificate", "sign", os.path.join(d, "file.req"), "--ca", tls, "--days", "3"))
    run("openssl", "verify", "-CAfile", os.path.join(tls, "ca.pem"), signed)
    assert b"m2m://keyway.example/id-in/Cmeter" in run("openssl", "x509", "-in", signed, "-noout", "-ext", "subjectAltName")
print("est: enrolled, renewed, refused, bound, revoked")
