"""ESData with keys that nobody configured at the consumer: a producer registers a key with the MAF, and one with the MEF, for one consumer; that one meets
their identifiers in what was stored, and fetches them. Who is no target gets nothing, and what was de-registered is not to be had. TS-0003 clauses 8.3.5, 8.5, 8.8."""
import base64
import json
import os
import subprocess

from plant import Plant, program
from provisioning_test import MAF, MEF, give, kpm, port_of, start

WORD = "heliotrope-" + os.urandom(8).hex()


def esdata(*argv, data, status=0):
    r = subprocess.run([program("keyway"), "esdata", *argv], input=data, capture_output=True, timeout=60)
    assert r.returncode == status, (argv, r.returncode, r.stderr)
    assert status == 0 or r.stdout == b"", r.stdout
    return r.stdout


class Reader:
    """Who opens: an AE with Kpm and Km, and no other key."""

    def __init__(self, plant, name):
        self.enrolee, value = kpm(plant, name), os.urandom(32).hex()
        give(plant, "maf", value, "km-%s@%s" % (name, MAF), "--kind", "km", "--entity", "/id-in/" + name)
        self.enrolee.add(value, "--kind", "km", "--peer", MAF, identity="km-%s@%s" % (name, MAF))
        self.functions = ["--id", "/id-in/" + name, "--maf", "https://127.0.0.1:" + port_of(plant, "maf.ini", "mmaf"), "--maf-id", MAF,
                          "--mef", "https://127.0.0.1:" + port_of(plant, "mef.ini", "mmef"), "--mef-id", MEF]

    def open(self, sealed, *words, fetch=True, status=0):
        return esdata("open", "--file", self.enrolee.store, *words, *(self.functions if fetch else []), data=sealed, status=status)

    def kinds(self):
        return sorted(c["kind"] for c in self.enrolee.list())


with Plant() as plant:
    start(plant, "mef", "keyway-mef", "mef.ini")
    start(plant, "maf", "keyway-maf", "maf.ini")
    consumer, other = Reader(plant, "Cconsumer"), Reader(plant, "Cother")
    producer = kpm(plant, "Cproducer")

    def key(use, maf, target="/id-in/Cconsumer"):
        return json.loads(producer.enrol(target, "--for", use, maf=maf).stdout)["identity"]

    def seal(*words):
        return esdata("seal", "--file", producer.store, *words, data=WORD.encode())

    for maf in True, False:
        enc, sig = key("esdata", maf), key("esdata-signature", maf)
        assert enc.endswith("@" + (MAF if maf else MEF))
        both = seal("--key", enc, "--sign", sig)
        other.open(both, status=1)
        consumer.open(both, fetch=False, status=1)
        assert consumer.open(both, "--signed", "--encrypted").decode() == WORD
        # It is kept: nobody is asked again.
        assert consumer.open(both, "--signed", "--encrypted", fetch=False).decode() == WORD
    assert consumer.kinds() == ["esdata", "esdata", "esdata-hmac", "esdata-hmac", "km", "kpm"], consumer.kinds()
    assert other.kinds() == ["km", "kpm"]
    # A key of the MAF's that is for something else.
    esprim = key("esprim", True)
    forged = json.loads(both)
    parts = forged["m2m:cin"]["con"].split(".")
    header = json.dumps({"alg": "dir", "enc": "A256GCM", "kid": esprim}).encode()
    forged["m2m:cin"]["con"] = ".".join([base64.urlsafe_b64encode(header).decode().rstrip("="), *parts[1:]])
    consumer.open(json.dumps(forged).encode(), status=1)
    assert "esprim" not in consumer.kinds()
    # De-registered before anybody fetched it.
    for maf in True, False:
        gone = key("esdata", maf)
        sealed = seal("--key", gone)
        producer.forget(gone)
        consumer.open(sealed, status=1)
    # Nobody there.
    last = seal("--key", key("esdata", True))
    plant.processes["maf"].kill()
    consumer.open(last, status=1)
    start(plant, "maf", "keyway-maf", "maf.ini")
    assert consumer.open(last).decode() == WORD
print("esdata with keys of MAF and MEF: ok")
