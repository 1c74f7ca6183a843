"""Keys that end before their time. An operator takes a Kpm out of the MEF's store, a Km out of the MAF's, a Kpsa out of the CSE's: what was derived from it or
registered under it ends, down to the associations that are open under it, over TLS and DTLS. Everybody else's go on, also when nobody can be asked."""
import json
import os
import signal

from association_end_test import Lasting, request, s_client
from association_maf_test import Client
from plant import Plant, free_port, wait_for
from provisioning_test import MEF, give, kpm, port_of, refused, reveal, start


class Associations:
    """Two of one AE's, under one key."""

    def __init__(self, plant, coaps, name, identity, value):
        self.name, self.identity = name, identity
        https = int(port_of(plant, "in-cse.ini", "https"))
        self.argv = [(s_client(coaps if dtls else https, dtls, "-psk_identity", identity, "-psk", value), request(dtls, "/id-in/" + name), dtls) for dtls in (False, True)]
        self.open = [Lasting(*a) for a in self.argv]
        for a in self.open:
            assert a.rsc() == 4103, (name, a.said[-600:])  # known for who it is, but it may not read the CSEBase

    def last(self):
        return not any(a.ended() for a in self.open)

    def end(self):
        wait_for("the associations of %s to end" % self.name, lambda: all(a.ended() for a in self.open), 40)
        for a in [Lasting(*argv) for argv in self.argv]:
            assert a.rsc() is None, (self.name, a.said[-600:])


def enrolled(plant, coaps, name, maf=False):
    e = kpm(plant, name)
    identity = json.loads(e.enrol("/id-in", maf=maf).stdout)["identity"]
    return e, Associations(plant, coaps, name, identity, reveal(e.store, identity))


def take_away(plant, identity, folder):
    plant.keyway("credentials", "remove", identity, "--state", os.path.join(plant.plant, folder), plant=False)


def store_of(plant, folder):
    return {c["identity"] for c in json.loads(plant.keyway("credentials", "list", "--json", "--state", os.path.join(plant.plant, folder), plant=False).stdout)["credentials"]}


def main():
    with Plant() as plant:
        coaps = free_port()
        plant.configure("in-cse.ini", "[https]\n", "[coaps]\nlisten = 127.0.0.1:%d\n\n[https]\n" % coaps)
        for ini in ("in-cse.ini", "maf.ini"):
            plant.configure(ini, "[mef]\n", "[credentials]\nrecheck_s = 1\n\n[mef]\n")
        for role, binary in (("mef", "keyway-mef"), ("maf", "keyway-maf"), ("in-cse", "keyway-cse")):
            start(plant, role, binary, role + ".ini")
        mef, maf, cse = (plant.processes[r] for r in ("mef", "maf", "in-cse"))

        _, stays = enrolled(plant, coaps, "Cstays", True)
        direct, by_mef = enrolled(plant, coaps, "Cdirect")
        _, by_both = enrolled(plant, coaps, "Cboth", True)
        meter = Client(plant, "/id-in/Ckm")
        by_km = Associations(plant, coaps, "Ckm", *meter.key())
        value = os.urandom(32).hex()
        give(plant, "in-cse", value, "own@keyway.example", "--kind", "kpsa", "--entity", "/id-in/Cown")
        own = Associations(plant, coaps, "Cown", "own@keyway.example", value)
        everybody = [stays, by_mef, by_both, by_km, own]
        assert all(a.last() for a in everybody)

        take_away(plant, "kpm-Cdirect@" + MEF, "mef")
        mef.wait_line("ended with its credential")
        by_mef.end()
        cse.wait_line('key ended before its time credential="%s"' % by_mef.identity)
        refused(direct.enrol("/id-b", check=False), "at the MEF")
        assert by_mef.identity not in store_of(plant, "in-cse") and stays.identity in store_of(plant, "in-cse")

        # from the MEF to the MAF, from there to the CSE
        before = store_of(plant, "maf")
        take_away(plant, "kpm-Cboth@" + MEF, "mef")
        by_both.end()
        maf.wait_line("key ended before its time")
        assert len(before - store_of(plant, "maf")) == 2, before  # Km, under the MEF's name and under the MAF's
        assert all(a.last() for a in (stays, by_km, own))

        # another key under the same name is no less the end of the former
        give(plant, "maf", os.urandom(32).hex(), meter.km, "--kind", "km", "--entity", "/id-in/Ckm", "--replace")
        by_km.end()
        refused(meter.key("/id-b", check=False), "the MAF")

        # nobody can be asked now, which ends nothing; nor does a restart forget what is good
        for p in (mef, maf):
            p.kill(signal.SIGTERM)
        give(plant, "in-cse", os.urandom(32).hex(), "own@keyway.example", "--kind", "kpsa", "--entity", "/id-in/Cown", "--replace")
        own.end()
        assert stays.last()
        for role, binary in (("mef", "keyway-mef"), ("maf", "keyway-maf")):
            start(plant, role, binary, role + ".ini")
        again = Lasting(*stays.argv[0])
        assert again.rsc() == 4103 and stays.last()

        # taken away while the MEF is not there
        plant.processes["mef"].kill(signal.SIGTERM)
        take_away(plant, "kpm-Cstays@" + MEF, "mef")
        start(plant, "mef", "keyway-mef", "mef.ini").wait_line("ended with its credential")
        stays.end()
    print("keys that end before their time: ok")


if __name__ == "__main__":
    main()
