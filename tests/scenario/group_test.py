"""An application group: three devices share one network key, which node B alone seals under, with one frame counter. Whoever is removed, or joins anew, makes
the others change to the next key, and with the former one nothing can be read any more."""
import glob
import json
import os

from plant import Plant, assert_no_counter_repeats, key_values, tshark, wait_for

with Plant(rate=10) as p:
    p.start_all()
    r = p.keyway("application", "add", "pumps", "--policy", "group", "--owner", "/id-b")
    assert "pumps registered" in r.stdout
    r = p.keyway("application", "add", "pumps", "--policy", "group", "--owner", "/id-b", check=False)
    assert r.returncode != 0 and "registered already" in r.stderr, r.stderr
    thermometer, code, sensor = p.new_device("thermometer", "--sleepy", application="pumps")
    plug, plug_code, switch = p.new_device("plug", application="pumps")
    third, third_code, leaver = p.new_device("plug", application="pumps")
    codes = [code, plug_code, third_code]
    r = p.keyway("device", "add", "00124b0000000001", code, "--application", "pumps", "--owner", "/id-c", check=False)
    assert r.returncode != 0 and "/id-b owns them all" in r.stderr, r.stderr
    p.permit()
    for eui64 in (thermometer, plug, third):
        p.wait_state(eui64, "verified")

    def group():
        return json.loads(p.keyway("application", "list", "--json").stdout)["applications"][0]

    def works(degrees, on, plugs):
        sensor.tell("temperature %.1f" % degrees)
        p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", degrees)
        for eui64 in plugs:
            p.wait_value(eui64, "binSh", "cod:binSh", "state")
            p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % eui64, "state=%s" % str(on).lower())
        for eui64 in plugs:
            p.wait_value(eui64, "binSh", "cod:binSh", "state", on)

    def settled(generation, members):
        g = group()
        return g["generation"] == generation and g["members"] == members and g["behind"] == 0

    def network_keys():
        return [key for label, key in key_values(p.export_keys(codes)) if "network" in label]

    def key_file(key, name):
        path = os.path.join(p.dir, name)
        with open(path, "w") as f:
            f.write('"%s","Normal","x"\n' % ":".join("%02X" % o for o in key))
        return path

    works(11.0, True, (plug, third))
    assert settled(1, 3), group()
    keys = network_keys()
    assert len(set(keys)) == 1, "three devices have %d network keys" % len(set(keys))
    first = key_file(keys[0], "first-key")
    assert tshark(p.pcap, first, "zbee_aps"), "the key of the group opens nothing"
    print("three devices share one key")

    # node B is killed: it goes on above the counter
    p.processes["node-b"].kill()
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")
    works(12.0, False, (plug, third))

    # one is removed: it keeps what it knows, and reads nothing that is said afterwards
    p.keyway("device", "remove", third)
    wait_for("the others to have another key", lambda: settled(2, 2))
    end = max(int(n) for n in tshark(p.pcap, None, "frame", "frame.number"))
    works(13.0, True, (plug,))
    itself = ":".join(third[i:i + 2] for i in range(0, 16, 2))  # it is told to leave, and may talk on
    later = "zbee_aps && frame.number > %d && !(zbee.sec.src64 == %s)" % (end, itself)
    assert tshark(p.pcap, p.export_keys(codes), later), "nothing was said afterwards: nothing was shown"
    assert not tshark(p.pcap, first, later), "the removed device could read on"
    print("a removed member reads nothing afterwards")

    # one is reset and joins again: it may count from the start, so the others change too
    switch.popen.terminate()
    switch.popen.wait()
    os.remove(os.path.join(p.dir, "device-%s.state" % plug))
    switch.start()
    wait_for("the group to have the third key", lambda: settled(3, 2))
    p.wait_state(plug, "verified")
    works(14.0, False, (plug,))
    assert len(sensor.events("associated")) == 1, "a member that stayed had to enrol again"
    assert len(set(network_keys())) == 3
    print("a member that joins anew gives all another key")

    with open(glob.glob(os.path.join(p.plant, "**", "audit.log"), recursive=True)[0]) as f:
        events = [json.loads(line) for line in f]
    assert [e["detail"] for e in events if e["event"] == "group key replaced"] == ["pumps, generation 2, member removed"]
    print("%d frame counters, none twice under one key" % assert_no_counter_repeats(p.pcap, shared=True))
