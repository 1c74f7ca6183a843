"""ESData at rest: what a producer sealed passes a transit CSE into the store of another one, and comes out again at the consumer. No file of either CSE holds
it, while they do hold what was stored in the clear. Encrypted, signed, and both; by keys of a credential store and by certificates. TS-0003 clause 8.5."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

from esprim_test import Cse, files_of, holds, running
from plant import program, wait_for

CLEAR = "cinnabar-" + os.urandom(8).hex()


def keyway(*argv, data=b"", status=0):
    r = subprocess.run([program("keyway"), *argv], input=data, capture_output=True, timeout=60)
    assert r.returncode == status, (argv, r.returncode, r.stderr)
    return r.stdout, r.stderr.decode()


def credential(store, kid, kind):
    value = os.urandom(32)
    path = store + ".value"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(value.hex())
    keyway("credentials", "add", kid, "--kind", kind, "--file", store, "--value", path)
    os.unlink(path)


def certificate(folder, name, kind):
    key, cert = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".crt")
    new = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *new, "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=" + name, "-days", "2"],
                   check=True, capture_output=True)
    return key, cert


def flow(folder):
    store = os.path.join(folder, "credentials.db")
    enc, wrap, sig, esprim = ("%032X@maf.keyway.example" % n for n in range(4))
    for kid, kind in (enc, "esdata"), (wrap, "esdata-wrap"), (sig, "esdata-hmac"), (esprim, "esprim"):
        credential(store, kid, kind)
    rsa_key, rsa_cert = certificate(folder, "consumer", "rsa")
    ec_key, ec_cert = certificate(folder, "producer", "ec")
    target = Cse(folder, "in", "in", "")
    transit = Cse(folder, "mn", "mn", "", target)
    wait_for("the registration of /id-mn", lambda: "registered" in transit.said())
    everybody = {"acr": [{"acor": ["all"], "acop": 63}]}
    target.make("cse-in", 1, {"m2m:acp": {"rn": "everybody", "pv": everybody, "pvs": everybody}})
    target.make("cse-in", 3, {"m2m:cnt": {"rn": "box", "acpi": ["cse-in/everybody"]}})
    words = []

    def through(seal, opening, encrypted):
        word = "heliotrope-" + os.urandom(8).hex()
        out, _ = keyway("esdata", "seal", "--file", store, *seal, data=word.encode())
        instance = json.loads(out)["m2m:cin"]
        assert instance["cnf"].count(":") == 2 and (word not in instance["con"] or not encrypted)
        rsc, answer = transit.ask("POST", "/id-in/cse-in/box", body={"m2m:cin": instance}, ty=4)
        assert rsc == 2001, (rsc, answer)
        rsc, answer = transit.ask("GET", "/id-in/cse-in/box/la")
        assert rsc == 2000 and answer["m2m:cin"]["cnf"] == instance["cnf"], (rsc, answer)
        got = json.dumps(answer).encode()
        out, said = keyway("esdata", "open", "--file", store, *opening, data=got)
        assert out.decode() == word, out
        if encrypted:
            words.append(word)
        changed = dict(answer["m2m:cin"], con=answer["m2m:cin"]["con"][:-3] + "AAA")
        out, _ = keyway("esdata", "open", "--file", store, *opening, data=json.dumps(changed).encode(), status=1)
        assert out == b""
        return got, said

    sealed, _ = through(["--key", enc], ["--encrypted"], True)
    through(["--key", enc, "--enc", "A128GCM", "--form", "json"], [], True)
    through(["--key", wrap, "--form", "base64", "--media", "application/json"], [], True)
    signed, said = through(["--sign", sig], ["--signed"], False)
    assert "signed by " + sig in said
    through(["--key", enc, "--sign", sig], ["--signed", "--encrypted"], True)
    through(["--to", "consumer=" + rsa_cert], ["--open-with", "consumer=" + rsa_key], True)
    _, said = through(["--to", "consumer=" + rsa_cert, "--sign-with", "producer=" + ec_key],
                      ["--open-with", "consumer=" + rsa_key, "--verify", "producer=" + ec_cert, "--signed", "--encrypted"], True)
    assert "signed by producer" in said
    through(["--key", wrap, "--to", "consumer=" + rsa_cert, "--form", "json"], ["--open-with", "consumer=" + rsa_key], True)

    # Less than was asked for; no key; a key for something else.
    keyway("esdata", "open", "--file", store, "--signed", data=sealed, status=1)
    keyway("esdata", "open", "--file", store, "--encrypted", data=signed, status=1)
    keyway("esdata", "open", "--file", store + ".none", data=sealed, status=1)
    keyway("esdata", "seal", "--file", store, "--key", esprim, data=b"x", status=1)
    keyway("esdata", "seal", "--file", store, "--key", sig, data=b"x", status=1)
    keyway("esdata", "seal", "--file", store, data=b"x", status=2)

    # The control: the same way, in the clear.
    rsc, _ = transit.ask("POST", "/id-in/cse-in/box", body={"m2m:cin": {"con": CLEAR}}, ty=4)
    assert rsc == 2001
    for cse in transit, target:
        cse.popen.send_signal(signal.SIGTERM)
        assert cse.popen.wait(60) == 0
    assert any(holds(f, CLEAR) for f in files_of(target) if "cse.db" in f), "the search finds nothing at all"
    assert holds(transit.trace, CLEAR)
    assert len(words) == 7
    for cse in transit, target:
        for path in files_of(cse):
            for word in words:
                assert not holds(path, word), "%s holds what was sealed" % os.path.basename(path)


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
