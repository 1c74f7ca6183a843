#!/usr/bin/python3
"""JOSE in both directions between Keyway and jwcrypto (python3-jwcrypto): each algorithm, each serialisation, and a wrong key each."""
import json
import os
import subprocess
import sys
import tempfile

from jwcrypto import jwe, jwk, jws

PEER = sys.argv[1]
CONTENT = '{"m2m:cin":{"con":"τ = 21.5 °C"}}'.encode()
SYMMETRIC = {"A128KW": 16, "A192KW": 24, "A256KW": 32, "HS256": 32, "HS384": 48, "HS512": 64}
ENCS = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ECDH-ES+A128KW": "P-256", "ECDH-ES+A192KW": "P-384", "ECDH-ES+A256KW": "P-521"}
folder = tempfile.TemporaryDirectory()
rsa_keys = [jwk.JWK.generate(kty="RSA", size=2048) for _ in range(2)]
failures = []
done = 0


def peer(what, alg, enc, form, key, data):
    return subprocess.run([PEER, what, alg, enc or "-", form, key], input=data, capture_output=True, timeout=60)


def key_pair(alg, enc, which):
    """A jwcrypto key, and what Keyway gets of it: its private and its public half."""
    if alg == "dir" or alg in SYMMETRIC:
        octets = os.urandom(ENCS[enc] if alg == "dir" else SYMMETRIC[alg])
        key = jwk.JWK(kty="oct", k=jwk.base64url_encode(octets))
        return key, octets.hex(), octets.hex()
    key = jwk.JWK.generate(kty="EC", crv=CURVES[alg]) if alg in CURVES else rsa_keys[which]
    names = []
    for private in (True, False):
        name = os.path.join(folder.name, f"{alg}-{which}-{private}.pem")
        with open(name, "wb") as f:
            f.write(key.export_to_pem(private_key=private, password=None if private else False))
        names.append(name)
    return key, *names


def expect(good, sentence, detail=b""):
    global done
    done += 1
    if not good:
        failures.append(f"{sentence}: {detail.decode(errors='replace').strip()}")


def theirs(alg, enc, form, key):
    header = {"alg": alg, "kid": "peer"}
    if enc:
        token = jwe.JWE(CONTENT, json.dumps(header | {"enc": enc}), algs=[alg, enc])
        token.add_recipient(key)
    else:
        token = jws.JWS(CONTENT)
        token.add_signature(key, alg, json.dumps(header))
    return token.serialize(compact=form == "compact")


def take(alg, enc, key, text):
    if enc:
        token = jwe.JWE(algs=[alg, enc])
        token.deserialize(text, key)
        return token.payload
    token = jws.JWS()
    token.allowed_algs = [alg]
    token.deserialize(text, key, alg)
    return token.payload


def both_ways(alg, enc, form):
    name = f"{alg} {enc or ''} {form}"
    key, private, public = key_pair(alg, enc, 0)
    other, other_private, _ = key_pair(alg, enc, 1)
    maker, taker = (public, private) if enc else (private, public)

    made = peer("make", alg, enc, form, maker, CONTENT)
    expect(made.returncode == 0, f"{name}: made here", made.stderr)
    if made.returncode == 0:
        expect(take(alg, enc, key, made.stdout.decode()) == CONTENT, f"{name}: made here, opened there")
        try:
            take(alg, enc, other, made.stdout.decode())
            expect(False, f"{name}: opened there with a wrong key")
        except (jwe.InvalidJWEData, jws.InvalidJWSSignature):
            expect(True, "")
    if form == "general":
        return  # jwcrypto writes one recipient flattened
    text = theirs(alg, enc, form, key).encode()
    taken = peer("take", alg, enc, form, taker, text)
    expect(taken.stdout == CONTENT, f"{name}: made there, opened here", taken.stderr)
    wrong = peer("take", alg, enc, form, other_private, text)
    expect(wrong.returncode == 1 and wrong.stdout == b"" and wrong.stderr == b"ERR_BAD_MIC\n", f"{name}: a wrong key", wrong.stderr)


for form in ("compact", "flattened", "general"):
    for alg in ("dir", "A128KW", "A192KW", "A256KW", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "RSA-OAEP-256"):
        for enc in ENCS:
            both_ways(alg, enc, form)
    for alg in ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"):
        both_ways(alg, None, form)
if done < 300:
    failures.append(f"only {done} checks were made")
for f in failures:
    print(f)
print(f"{done} checks, {len(failures)} failures")
sys.exit(1 if failures else 0)
