"""A backup of the MEF and of node B is taken, the plant goes on, and the old copy comes back: both programs notice, no frame counter is used a second time,
neither of a network key nor of a Trust Centre's link key, and the network key is replaced. The devices stay; nothing is enrolled anew."""
import json
import os
import shutil
import stat
import subprocess

from plant import Plant, assert_no_counter_repeats, tshark, wait_for

SERVERS = ("mef", "node-b")


def assert_no_link_counter_repeats(pcap):
    """Transport-Key packets of an enrolment: (device, frame counter) once, but for repetitions of the very octets."""
    seen = {}
    for row in tshark(pcap, None, "zbee_nwk && zbee_nwk.security == 0 && zbee.sec.counter", "wpan.dst16", "zbee.sec.counter", "zbee.sec.mic"):
        dst, counter, mic = row.split("\t")[:3]
        assert seen.setdefault((dst, counter), mic) == mic, "link key counter %s was used twice" % counter
    assert len(seen) >= 2, "the capture holds no Transport-Key: nothing was shown"
    return len(seen)


with Plant(rate=10) as p:
    state = {role: os.path.join(p.plant, role) for role in SERVERS}
    copy = {role: os.path.join(p.dir, "backup", role) for role in SERVERS}
    os.mkdir(os.path.join(p.dir, "backup"))
    p.start_all()
    plug, code, switch = p.new_device("plug")
    p.permit()
    p.wait_state(plug, "verified")
    p.wait_value(plug, "binSh", "cod:binSh", "state")

    def switch_to(on):
        p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=%s" % str(on).lower())
        p.wait_value(plug, "binSh", "cod:binSh", "state", on)

    def restart(role):
        p.processes[role].kill()
        p.processes[role].start()
        p.processes[role].wait_line(" ready")

    # while the programs run
    for role in SERVERS:
        answer = json.loads(p.keyway("backup", "--all", copy[role], "--state", state[role], "--json", plant=False).stdout)
        assert answer["backup"] == copy[role] and answer["files"] == len(os.listdir(copy[role])) - 1 and answer["octets"] > 0, answer
        assert not [f for f in os.listdir(copy[role]) if f.endswith(("-wal", "-shm", ".key", ".sock", ".lock"))], os.listdir(copy[role])
        assert stat.S_IMODE(os.stat(copy[role]).st_mode) == 0o700
        r = p.keyway("backup", "--all", copy[role], "--state", state[role], plant=False, check=False)
        assert r.returncode == 1 and "exists" in r.stderr, r
    assert {"cse.db", "oci.db"} <= set(os.listdir(copy["node-b"])) and "mef.db" in os.listdir(copy["mef"]), (os.listdir(copy["node-b"]), os.listdir(copy["mef"]))

    # numbers are given out that the copy does not know: more than what was reserved when it was made, which is what a restart takes
    for role in SERVERS:
        restart(role)
    for on in (True, False, True):
        switch_to(on)
    late, late_code, lamp = p.new_device("plug")
    p.permit()
    p.wait_state(late, "verified")
    generation = p.state(plug)["generation"]
    print("backed up, and went on", flush=True)

    # the old copy comes back
    for role in SERVERS:
        p.processes[role].kill()
        r = p.keyway("restore", copy[role], "--state", state[role], plant=False, check=False)
        assert r.returncode == 1 and "not empty" in r.stderr, r
        kept = {f: os.path.join(state[role], f) for f in os.listdir(state[role]) if f.endswith(".key")}
        os.rename(state[role], state[role] + ".former")
        r = p.keyway("restore", copy[role], "--state", state[role], "--json", plant=False)
        assert json.loads(r.stdout)["restored"] == state[role], r
        for f in kept:
            shutil.copy(os.path.join(state[role] + ".former", f), state[role])
        p.processes[role].start()
        p.processes[role].wait_line(" ready")
        assert "an old copy of" in p.processes[role].text(), "%s did not notice" % role
    assert late not in {d["eui64"] for d in json.loads(p.keyway("device", "list", "--json").stdout)["devices"]}
    p.wait_value(plug, "binSh", "cod:binSh", "state", True)  # as the plug reports; the copy has what was before
    switch_to(False)
    wait_for("the network key to be replaced", lambda: p.state(plug)["generation"] > generation and not p.state(plug)["rotating"])
    switch_to(True)
    assert len(switch.events("associated")) == 1, "the device had to enrol again"

    # what came after the copy is registered again, and its key's counter goes on too
    lamp.kill()
    os.remove(os.path.join(p.dir, "device-%s.state" % late))
    p.keyway("device", "add", late, late_code)
    p.permit()
    lamp.start()
    p.wait_state(late, "verified")

    # once: the next start is as any other
    for role in SERVERS:
        restart(role)
        assert "an old copy of" not in p.processes[role].text()
    switch_to(False)
    print("restored: %d frame counters of networks and %d of link keys, none twice" % (assert_no_counter_repeats(p.pcap), assert_no_link_counter_repeats(p.pcap)))

    # a copy that is not whole is none
    victim = os.path.join(copy["mef"], "mef.db")
    with open(victim, "r+b") as f:
        f.seek(100)
        f.write(b"\xff" * 60)
    target = os.path.join(p.dir, "elsewhere")
    r = p.keyway("restore", copy["mef"], "--state", target, plant=False, check=False)
    assert r.returncode == 1 and "mef.db" in r.stderr and not os.path.exists(target), r
    os.truncate(victim, 4096)
    r = p.keyway("restore", copy["mef"], "--state", target, plant=False, check=False)
    assert r.returncode == 1 and "mef.db" in r.stderr and not os.path.exists(target), r
    os.remove(os.path.join(copy["mef"], "backup.json"))
    r = p.keyway("restore", copy["mef"], "--state", target, plant=False, check=False)
    assert r.returncode == 1 and "backup.json" in r.stderr and not os.path.exists(target), r
