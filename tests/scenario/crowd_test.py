"""After a power cut: forty factory-new devices come in one moment, half of them sleepy. Whoever gives up meanwhile comes again; nobody is lost, and no frame
counter is used twice. More, and for longer: tests/soak."""
import json
import os

from plant import Plant, assert_no_counter_repeats, make_code, program, wait_for

KINDS = [("thermometer", ["--sleepy", "--poll-ms", "500"]), ("plug", [])]
EACH = 20

with Plant() as p:
    p.start_all(air=["--air-time"])
    for n, (kind, _) in enumerate(KINDS):
        with open(os.path.join(p.dir, kind + ".csv"), "w") as f:
            f.writelines("%016x,%s\n" % (0x00124B0000000000 + (n << 16) + i, make_code()) for i in range(EACH))
        p.keyway("device", "import", os.path.join(p.dir, kind + ".csv"))
    p.permit()
    for kind, more in KINDS:
        p.start(kind, program("keyway-sim"), "device", "--air", "127.0.0.1:%d" % p.air_port, "--channel", "15", "--devices", os.path.join(p.dir, kind + ".csv"), "--kind", kind, *more)

    def states():
        return [d["state"] for d in json.loads(p.keyway("device", "list", "--json").stdout)["devices"]]
    wait_for("all to be enrolled", lambda: states() == ["verified"] * (EACH * len(KINDS)), 300)
    plugs = {"%016x" % (0x00124B0000010000 + i) for i in range(EACH)}
    wait_for("the plugs to say so", lambda: {e["device"] for e in p.processes["plug"].events("commissioned")} == plugs)
    assert_no_counter_repeats(p.pcap)
    # one command is for one device of the process
    p.wait_value("%016x" % 0x00124B0000010003, "binSh", "cod:binSh", "state", False, 300)
    p.processes["plug"].tell("%016x on" % 0x00124B0000010003)
    p.wait_value("%016x" % 0x00124B0000010003, "binSh", "cod:binSh", "state", True)
    assert {e["device"] for e in p.processes["plug"].events("switched")} == {"%016x" % 0x00124B0000010003}
