"""`keyway credentials list --all`: what keys a whole plant has, whose and until when, while its programs run. Never a value."""
import base64
import json
import os

from plant import Plant
from provisioning_test import MAF, MEF, give, kpm, reveal, start


def main():
    with Plant() as plant:
        for role, binary in (("mef", "keyway-mef"), ("maf", "keyway-maf"), ("in-cse", "keyway-cse")):
            start(plant, role, binary, role + ".ini")
        meter = kpm(plant, "Cmeter")
        key = json.loads(meter.enrol("/id-in", maf=True).stdout)["identity"]
        meter.work("get", "cse-in", check=False)  # the CSE fetches the key
        value = os.urandom(32).hex()
        os.makedirs(os.path.join(plant.plant, "node-b"), exist_ok=True)
        give(plant, "node-b", value, "soon@keyway.example", "--kind", "esprim", "--entity", "/id-in/Csoon", "--expires", "P1D")

        def listed(*words):
            r = plant.keyway("credentials", "list", "--all", "--plant", plant.plant, "--json", *words, plant=False)
            return r.stdout, {(c["program"], c["kind"], c["identity"]): c for c in json.loads(r.stdout)["credentials"]}

        text, there = listed(meter.dir)
        one = lambda program, kind: [c for (p, k, _), c in there.items() if (p, k) == (program, kind)]
        assert [(c["identity"], c["entity"]) for c in one("mef", "kpm")] == [("kpm-Cmeter@" + MEF, "/id-in/Cmeter")], there.keys()
        (ke,) = one("mef", "ke")
        assert ke["identity"].endswith("@" + MEF) and (ke["entity"], ke["peer"], ke["suid"]) == ("/id-in/Cmeter", MAF, 21) and not ke["expired"], ke
        assert {c["entity"] for c in one("maf", "km")} == {"/id-in/Cmeter"} and len(one("maf", "km")) == 2  # the MEF's name for it, and the MAF's
        assert [(c["identity"], c["entity"], c["peer"], c["store"].split("/")[-1]) for c in one("maf", "kpsa")] == [(key, "/id-in/Cmeter", "/id-in", "registry.db")]
        assert [(c["identity"], c["peer"]) for c in one("in-cse", "kpsa")] == [(key, MAF)]
        assert [c["identity"] for c in one("node-b", "esprim")] == ["soon@keyway.example"]  # which was never started
        assert [c["identity"] for c in one("mef", "psk")] == ["gw1"]  # its file of gateways' keys
        assert {c["kind"] for (p, _, _), c in there.items() if p == "Cmeter"} == {"kpm", "km", "kpsa"}
        assert not [p for p, _, _ in there if p in ("mn-cse", "gateway", "das")]

        with open(os.path.join(plant.plant, "egp.psk")) as f:
            gateway = f.read().strip().split(":")[1]
        table = plant.keyway("credentials", "list", "--all", meter.dir).stdout
        assert table.split()[:3] == ["PROGRAM", "KIND", "SUID"] and len(table.strip().split("\n")) == len(there) + 1, table
        for secret in (value, gateway, reveal(meter.store, key), reveal(meter.store, "kpm-Cmeter@" + MEF), reveal(os.path.join(plant.plant, "mef", "credentials.db"), "kpm-Cmeter@" + MEF)):
            for form in secret, secret.upper(), base64.b64encode(bytes.fromhex(secret)).decode():
                assert form not in text and form not in table

        _, soon = listed("--expiring", "P2D")
        assert [i for _, _, i in soon] == ["soon@keyway.example"], soon
        assert listed("--expiring", "PT1H")[1] == {}
        r = plant.keyway("credentials", "list", "--all", os.path.join(plant.dir, "nobody"), check=False)
        assert r.returncode == 1 and "nobody" in r.stderr, r.stderr
        r = plant.keyway("credentials", "list", "--all", "--plant", os.path.join(plant.dir, "none"), plant=False, check=False)
        assert r.returncode == 1 and "there is no plant" in r.stderr, r.stderr
    print("the keys of a plant: ok")


if __name__ == "__main__":
    main()
