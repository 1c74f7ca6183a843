"""A network key is replaced while the device stays: under its own link key by Transport-Key, then Switch-Key; nothing is enrolled or interviewed anew, no reading
is lost, and each key has its own frame counters. A device that is away gets it when it is back, also after restarts of MEF and node B."""
import glob
import json
import os

from plant import Plant, assert_no_counter_repeats, tshark, wait_for

with Plant(rate=10) as p:
    p.start_all()
    thermometer, code, sensor = p.new_device("thermometer", "--sleepy")
    plug, plug_code, switch = p.new_device("plug")
    p.permit()
    for eui64 in (thermometer, plug):
        p.wait_state(eui64, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 11.0)
    p.wait_value(plug, "binSh", "cod:binSh", "state")

    def works(degrees, on):
        sensor.tell("temperature %.1f" % degrees)
        p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", degrees)
        p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=%s" % str(on).lower())
        p.wait_value(plug, "binSh", "cod:binSh", "state", on)

    def rotated(eui64, generation):
        d = p.state(eui64)
        return d["generation"] == generation and not d["rotating"] and d["state"] == "verified"

    generation = {e: p.state(e)["generation"] for e in (thermometer, plug)}
    for eui64 in (thermometer, plug):
        p.keyway("device", "rotate", eui64)
    works(12.0, True)  # whichever key is in use
    for eui64, device in ((thermometer, sensor), (plug, switch)):
        wait_for("the new key of %s" % eui64, lambda: rotated(eui64, generation[eui64] + 1))
        assert device.events("next-key"), "the device was not given a key"
    works(13.0, False)
    print("rotated on demand, a sleeper and one that listens")

    # refused while one is under way, and for what is not there
    p.keyway("device", "rotate", plug)
    r = p.keyway("device", "rotate", plug, check=False)
    assert r.returncode != 0 and "is getting another one now" in r.stderr, r.stderr
    r = p.keyway("device", "rotate", "00124b00ffffffff", check=False)
    assert r.returncode != 0 and "not registered" in r.stderr, r.stderr
    wait_for("the third key", lambda: rotated(plug, generation[plug] + 2))

    # a device that is off, and servers that are started again in between
    switch.popen.terminate()
    switch.popen.wait()
    p.keyway("device", "rotate", plug)
    wait_for("the Transport-Key to be on its way", lambda: p.processes["mef"].text().count("network key rotation begun") == 4)
    for role in ("mef", "node-b"):
        p.processes[role].kill()
        p.processes[role].start()
        p.processes[role].wait_line(" ready")
    assert p.state(plug)["generation"] == generation[plug] + 2 and p.state(plug)["state"] == "verified" and p.state(plug)["rotating"]
    switch.start()
    wait_for("the fourth key", lambda: rotated(plug, generation[plug] + 3), 300)
    works(14.0, True)
    print("rotated after restarts, when the device was back")

    for device in (sensor, switch):
        assert len(device.events("associated")) == 1, "a device had to enrol again"
        assert not device.events("left") and not device.events("transport-key-rejected")
    with open(glob.glob(os.path.join(p.plant, "**", "audit.log"), recursive=True)[0]) as f:
        events = [json.loads(line)["event"] for line in f]
    assert events.count("device joined") == 2 and events.count("network key rotated") == 4, events
    keys = p.export_keys([code, plug_code])
    numbers = set(tshark(p.pcap, keys, "zbee.sec.key_seqno && zbee_aps", "zbee.sec.key_seqno"))
    assert {"0", "1", "2", "3"} <= {n.split(",")[0] for n in numbers}, "tshark opened frames under these keys only: %s" % numbers
    print("%d frame counters, none twice under one key" % assert_no_counter_repeats(p.pcap))
