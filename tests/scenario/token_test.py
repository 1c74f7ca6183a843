"""JSON Web Tokens from elsewhere: an issuer (jwcrypto, Debian's python3-jwcrypto) gives permissions, the CSE checks each of TS-0003 clauses 7.3.2.4 to 7.3.2.6.
The same request is made with a token that holds in every way, and with one that differs in one thing each."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from jwcrypto import jwe, jwk, jws

from plant import program, wait_for

ISSUER = "//acme.example.com/id-das/Cdas"
HOLDER = "//acme.example.com/id-in/Cholder"
HMAC_KID, DIR_KID = ("%032X@das.example.com" % n for n in (1, 2))
running = []


class Cse:
    def __init__(self, folder):
        with open(os.path.join(folder, "conf"), "w", encoding="utf-8") as f:
            f.write("[cse]\ntype = in\nid = /id-in\nname = cse-in\nstate = %s/state\n[tokens]\nissuers = %s/issuers\ncredentials = %s/credentials.db\n" % ((folder,) * 3))
        self.log = os.path.join(folder, "log")
        with open(self.log, "wb") as log:
            self.popen = subprocess.Popen([program("keyway-cse"), "--testbench", "--config", os.path.join(folder, "conf"), "--port", "0"], stdout=log, stderr=log)
        running.append(self.popen)
        self.port = int(wait_for("the ready line", lambda: re.search(r"ready.*http=(\d+)", self.said())).group(1))
        self.number = 0

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ask(self, method, to, origin="CAdmin", body=None, ty=None, tokens=None):
        self.number += 1
        h = {"X-M2M-Origin": origin, "X-M2M-RI": "t%d" % self.number, "X-M2M-RVI": "4"}
        if body is not None:
            h["Content-Type"] = "application/json" + (";ty=%d" % ty if ty else "")
        if tokens:
            h["Authorization"] = tokens
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, "/" + to, json.dumps(body) if body is not None else None, h)
            r = c.getresponse()
            r.read()
            return int(r.getheader("X-M2M-RSC", "0"))
        finally:
            c.close()


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
        f.write(text)


def credential(folder, kid, kind, octets):
    write(folder + "/value", octets.hex().encode())
    subprocess.run([program("keyway"), "credentials", "add", kid, "--kind", kind, "--entity", ISSUER, "--file", folder + "/credentials.db", "--value", folder + "/value"],
                   check=True, stdout=subprocess.DEVNULL)
    os.unlink(folder + "/value")


def claims(**other):
    now = int(time.time())
    c = {"tkvr": "1.0.0", "jti": "token1@das.example.com", "azp": HOLDER, "iss": ISSUER, "nbf": now - 60, "exp": now + 600, "aud": ["/id-in"],
         "tkps": {"pm": [{"ris": ["/id-in/cse-in/box"], "pv": {"acr": [{"acor": ["all"], "acop": 2}]}}]}}
    c.update(other)
    return json.dumps({k: v for k, v in c.items() if v is not None})


def signed(text, key, alg="ES256", kid="das"):
    t = jws.JWS(text.encode())
    t.add_signature(key, alg, json.dumps({"alg": alg, "kid": kid, "typ": "JWT"}))
    return t.serialize(compact=True)


def sealed(text, key, alg, enc="A256GCM", kid="here", cty=None):
    header = {"alg": alg, "enc": enc, "kid": kid}
    if cty:
        header["cty"] = cty
    t = jwe.JWE(text.encode(), json.dumps(header), algs=[alg, enc])
    t.add_recipient(key)
    return t.serialize(compact=True)


def symmetric(octets):
    return jwk.JWK(kty="oct", k=jwk.base64url_encode(octets))


def flow(folder):
    issuer, other, own = jwk.JWK.generate(kty="EC", crv="P-256"), jwk.JWK.generate(kty="EC", crv="P-256"), jwk.JWK.generate(kty="RSA", size=2048)
    hmac, direct = os.urandom(32), os.urandom(32)
    write(folder + "/das.pem", issuer.export_to_pem())
    write(folder + "/own.pem", own.export_to_pem(private_key=True, password=None))
    write(folder + "/issuers", ("# who may issue\nverify das %s/das.pem %s\nopen here %s/own.pem\n" % (folder, ISSUER, folder)).encode())
    credential(folder, HMAC_KID, "esdata-hmac", hmac)
    credential(folder, DIR_KID, "esdata", direct)
    cse = Cse(folder)
    admin = {"acr": [{"acor": ["CAdmin"], "acop": 63}]}
    assert cse.ask("POST", "cse-in", body={"m2m:acp": {"rn": "private", "pv": admin, "pvs": admin}}, ty=1) == 2001
    by_role = {"acr": admin["acr"] + [{"acor": ["reader@das.example.com"], "acop": 2}]}
    assert cse.ask("POST", "cse-in", body={"m2m:acp": {"rn": "readers", "pv": by_role, "pvs": admin}}, ty=1) == 2001
    for name, acp in ("box", "private"), ("other", "private"), ("roles", "readers"):
        assert cse.ask("POST", "cse-in", body={"m2m:cnt": {"rn": name, "acpi": ["cse-in/" + acp]}}, ty=3) == 2001
    for name in "Cholder", "Cthief":
        assert cse.ask("POST", "cse-in", name, {"m2m:ae": {"api": "N.keyway.test", "rr": False, "rn": name, "srv": ["4"]}}, 2) == 2001

    def read(token, who="Cholder", to="cse-in/box", method="GET", body=None):
        return cse.ask(method, to, who, body, tokens=token)

    good = signed(claims(), issuer)
    assert read(None) == 4103
    held = {
        "signed": good,
        "HMAC": signed(claims(), symmetric(hmac), "HS256", HMAC_KID),
        "nested for this CSE": sealed(good, own, "RSA-OAEP-256", cty="JWT"),
        "nested under a shared key": sealed(good, symmetric(direct), "dir", kid=DIR_KID, cty="JWT"),
        "encrypted under a shared key": sealed(claims(), symmetric(direct), "dir", kid=DIR_KID),
        "encrypted under the first half of it": sealed(claims(), symmetric(direct[:16]), "dir", "A128GCM", DIR_KID),
        "for every CSE": signed(claims(aud=[]), issuer),
        "without an audience": signed(claims(aud=None), issuer),
        "for CSEs of a name": signed(claims(aud=["/id-other", "/id-*"]), issuer),
        "for one CSE, as text": signed(claims(aud="/id-in"), issuer),
        "holder SP-relative": signed(claims(azp="/id-in/Cholder"), issuer),
        "with a fraction of a second": signed(claims(nbf=time.time() - 0.5), issuer),
        "beside one that does not hold": signed(claims(exp=1), issuer) + "+" + good,
    }
    for name, token in held.items():
        assert read(token) == 2000, name
    now = int(time.time())
    confused = symmetric(issuer.export_to_pem())
    for name, token in {
        "another key": signed(claims(), other),
        "nobody's key": signed(claims(), issuer, kid="nobody"),
        "no kid": signed(claims(), issuer, kid=""),
        "no signature": good.rsplit(".", 1)[0] + ".",
        "alg none": jwk.base64url_encode('{"alg":"none","kid":"das"}') + "." + jwk.base64url_encode(claims()) + ".",
        "the public key as an HMAC key": signed(claims(), confused, "HS256"),
        "changed claims": ".".join([good.split(".")[0], jwk.base64url_encode(claims(aud=[])), good.split(".")[2]]),
        "encrypted to the public key alone": sealed(claims(), own, "RSA-OAEP-256"),
        "nested, with another's signature": sealed(signed(claims(), other), own, "RSA-OAEP-256", cty="JWT"),
        "nested, and not said to be": sealed(good, own, "RSA-OAEP-256"),
        "the signature's key to open": sealed(claims(), symmetric(hmac), "dir", kid=HMAC_KID),
        "the other key to sign": signed(claims(), symmetric(direct), "HS256", DIR_KID),
        "expired": signed(claims(exp=now - 1), issuer),
        "no end": signed(claims(exp=None), issuer),
        "not yet": signed(claims(nbf=now + 600), issuer),
        "no begin": signed(claims(nbf=None), issuer),
        "a date that is text": signed(claims(exp=str(now + 600)), issuer),
        "another audience": signed(claims(aud=["/id-other", "/id-x*"]), issuer),
        "another holder": signed(claims(azp="//acme.example.com/id-in/Cthief"), issuer),
        "no holder": signed(claims(azp=None), issuer),
        "another issuer": signed(claims(iss="//acme.example.com/id-das/Cevil"), issuer),
        "no issuer": signed(claims(iss=None), issuer),
        "no ID": signed(claims(jti=None), issuer),
        "no permissions": signed(claims(tkps=None), issuer),
        "permissions of another form": signed(claims(tkps={"pm": [{"pv": "all"}]}), issuer),
        "privileges without resources": signed(claims(tkps={"pm": [{"pv": {"acr": [{"acor": ["all"], "acop": 63}]}}]}), issuer),
        "no claims": signed("[]", issuer),
        "no token": "abc",
    }.items():
        assert read(token) == 4103, name

    # Whom, what and where the permission is for.
    assert read(good, "Cthief") == 4103
    assert read(good, to="cse-in/other") == 4103
    assert read(good, method="PUT", body={"m2m:cnt": {"lbl": ["x"]}}) == 4103
    # A role.
    role = signed(claims(tkps={"pm": [{"rids": ["reader@das.example.com"]}]}), issuer)
    assert read(role, to="cse-in/roles") == 2000 and read(role) == 4103 and read(good, to="cse-in/roles") == 4103

    assert "token refused" in cse.said()
    for word in good.split(".")[2], hmac.hex(), direct.hex():
        assert word not in cse.said()
    cse.popen.send_signal(signal.SIGTERM)
    assert cse.popen.wait(60) == 0
    print("%d tokens held" % len(held))


where = tempfile.mkdtemp()
try:
    flow(where)
finally:
    for p in running:
        if p.poll() is None:
            p.kill()
        p.wait()
    shutil.rmtree(where, ignore_errors=True)
print("ok")
