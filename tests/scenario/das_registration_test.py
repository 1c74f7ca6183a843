"""keyway-das as an AE of its CSE, which asks it by its AE-ID: under the certificate that `keyway init` made, under a key of both stores, and under one that it
fetches from the MAF as its target. And what must not work: a wrong key, another's, one that was taken away."""
import json
import os
import re

from association_maf_test import Client as MafClient
from das_test import Client
from plant import Plant, free_port
from provisioning_test import MAF, MEF, give, port_of, start

DAS = "/id-in/Cdas"


def begin(plant):
    return start(plant, "das", "keyway-das", "das.ini")


def end(plant, role):
    p = plant.processes[role]
    p.popen.terminate()
    assert p.popen.wait(60) == 0, p.text()


def rewrite(plant, change):
    path = os.path.join(plant.plant, "das.ini")
    with open(path) as f:
        text = change(f.read())
    with open(path, "w") as f:
        f.write(text)


def fresh(plant):
    """The CSE remembers nothing of what it was granted."""
    end(plant, "in-cse")
    return start(plant, "in-cse", "keyway-cse", "in-cse.ini")


def poa(plant):
    return json.loads(plant.keyway("get", DAS, "--json").stdout)["m2m:ae"]["poa"]


def remove(plant, identity, folder):
    plant.keyway("credentials", "remove", identity, "--state", os.path.join(plant.plant, folder), plant=False)


def by_certificate(plant, user):
    begin(plant).wait_line("registered ae=%s cse=/id-in" % DAS)
    own = {"acr": [{"acor": ["CAdmin"], "acop": 63}]}
    for kind, what in ("acp", {"rn": "private", "pv": own, "pvs": own}), ("34", {"rn": "dac", "dae": True, "dap": [DAS]}), ("cnt", {"rn": "a", "acpi": ["cse-in/private"], "daci": ["cse-in/dac"]}):
        plant.keyway("create", "cse-in", kind, json.dumps({"m2m:" + ("dac" if kind == "34" else kind): what}))
    assert user.reads("a") == 4103
    plant.keyway("das", "allow", "/id-in/Cuser", "/id-in/*", "R")  # its socket is where a plant has it
    assert user.reads("a") == 2000
    # at another port, it is where it says
    before, port = poa(plant), free_port()
    end(plant, "das")
    rewrite(plant, lambda t: re.sub(r"listen = .*", "listen = 127.0.0.1:%d" % port, t))
    begin(plant).wait_line("registered")
    assert poa(plant) == ["https://127.0.0.1:%d" % port] != before
    fresh(plant)
    assert user.reads("a") == 2000


def by_key(plant, user):
    """No certificate: the store has a key with the CSE, for both ways."""
    end(plant, "das")
    tls = re.compile(r"\[tls\]\n(?:.+\n)+")
    rewrite(plant, lambda t: tls.sub("[tls]\nca = %s/tls/ca.pem\n" % plant.plant, t).replace("[maf]", "[credentials]\nfile = %s/das/credentials.db\n\n[maf]" % plant.plant))
    value = os.urandom(32).hex()
    give(plant, "das", value, "das-in@keyway.example", "--kind", "kpsa", "--peer", "/id-in", "--entity", "/id-in")
    das = begin(plant)
    das.wait_line("not registered")  # the CSE has no such key
    cse = plant.processes["in-cse"]
    cse.wait_line('credential="das-in@keyway.example" reason="the PSK identity is unknown"')
    give(plant, "in-cse", value, "das-in@keyway.example", "--kind", "kpsa", "--peer", DAS, "--entity", DAS)
    das.wait_line(" registered")
    cse = fresh(plant)
    assert user.reads("a") == 2000 and "association failed" not in cse.text(), cse.text()
    # another key under the same name, at the CSE
    end(plant, "in-cse")
    give(plant, "in-cse", os.urandom(32).hex(), "das-in@keyway.example", "--kind", "kpsa", "--peer", DAS, "--entity", DAS, "--replace")
    cse = start(plant, "in-cse", "keyway-cse", "in-cse.ini")
    assert user.reads("a") == 4103
    das.wait_line('association refused peer=', 20)
    assert "the pre-shared key is wrong" in das.text(), das.text()
    # the right one, which is taken away at the DAS
    give(plant, "in-cse", value, "das-in@keyway.example", "--kind", "kpsa", "--peer", DAS, "--entity", DAS, "--replace")
    remove(plant, "das-in@keyway.example", "das")
    cse = fresh(plant)
    assert user.reads("a") == 4103
    remove(plant, "das-in@keyway.example", "in-cse")


def by_maf(plant, user):
    """The CSE has a key with it from the MAF; it comes to know that when the CSE comes. So has another AE, who asks for himself, and not in others' names."""
    km = MafClient(plant, DAS)
    value = os.urandom(32).hex()
    give(plant, "maf", value, "km-in@" + MAF, "--kind", "km", "--entity", "/id-in")
    give(plant, "in-cse", value, "km-in@" + MAF, "--kind", "km", "--peer", MAF)
    plant.keyway("enrol", "--id", "/id-in", "--target", DAS, "--mef", "https://127.0.0.1:" + port_of(plant, "mef.ini", "mmef"), "--mef-id", MEF, "--maf", "https://127.0.0.1:" + port_of(plant, "maf.ini", "mmaf"), "--maf-id", MAF,
                 "--state", os.path.join(plant.plant, "in-cse"), "--json", plant=False)
    end(plant, "das")
    rewrite(plant, lambda t: re.sub(r"file = .*", "file = " + km.enrolee.store, t))
    das = begin(plant)
    assert user.reads("a") == 2000
    das.wait_line('from=%s entity="/id-in"' % MAF)


def main():
    with Plant() as plant:
        for role, binary in ("maf", "keyway-maf"), ("in-cse", "keyway-cse"):
            start(plant, role, binary, role + ".ini")
        user = Client(plant, "Cuser")
        by_certificate(plant, user)
        by_key(plant, user)
        by_maf(plant, user)
    print("keyway-das as an AE: ok")


if __name__ == "__main__":
    main()
