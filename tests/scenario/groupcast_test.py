"""A oneM2M group of lamps that share a network key is a Zigbee group: what its fan-out point says to all is one frame on the air for those that are always on,
and one of its own for the sleeper; scenes are stored by each and recalled by one frame. Who leaves the group obeys no more, and who leaves the
application can read no more."""
import json
import os

from plant import Plant, assert_no_counter_repeats, key_values, tshark, wait_for

UNHEARD = 30  # s: who has not reported by then is told by itself; long, so that a busy machine does not come to that

with Plant(rate=10) as p:
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\ngroupcast_wait_s = %d\n" % UNHEARD)
    p.start_all()
    p.keyway("application", "add", "hall", "--policy", "group", "--owner", "/id-b")
    lamps = [p.new_device("dimmer", application="hall") for _ in range(3)]
    sleeper = p.new_device("dimmer", "--sleepy", application="hall")
    everybody = lamps + [sleeper]
    codes = [code for _, code, _ in everybody]
    p.permit()
    for eui64, _, _ in everybody:
        p.wait_state(eui64, "verified")
    for eui64, _, _ in everybody:
        wait_for("the interview to be over", lambda: p.state(eui64)["last_event"] == "interviewed")
        p.wait_value(eui64, "binSh", "cod:binSh", "state", False)
        p.wait_value(eui64, "brigs", "cod:brigs", "brigs", 100)
    short = {eui64: p.state(eui64)["short"] for eui64, _, _ in everybody}

    def members(devices):
        return ["cse-b/zb-%s/binSh" % eui64 for eui64, _, _ in devices]

    def content(path):
        r = p.get(path)
        return json.loads(r["m2m:cin"]["con"]) if r else None

    p.keyway("create", "/id-b/cse-b", "grp", json.dumps({"m2m:grp": {"rn": "hall", "mt": 28, "mnm": 20, "mid": members(everybody)}}))

    def find_group():
        return [u for u in p.keyway("discover", "/id-b/cse-b", "lbl=zigbee-group", check=False).stdout.split() if "/zbg-" in u and u.count("/") <= 3]

    group = "/id-b/cse-b/" + wait_for("the group to be a Zigbee group", find_group)[0].rsplit("/", 1)[1]

    def state():
        return content(group + "/state/la") or {}

    wait_for("all to be in the Zigbee group", lambda: state().get("in") == 4)
    number = "0x" + group[-4:]
    print("four lamps are in the Zigbee group %s" % number)

    # scenes are nobody's but the administrator's until that says otherwise
    policy = p.get(group + "-acp")
    own = {"acr": [{"acor": ["/id-b/Coci"], "acop": 63}]}
    assert policy["m2m:acp"]["pv"] == own and policy["m2m:acp"]["pvs"] == own, policy
    for path in ("", "/down", "/told", "/state"):
        acpi = p.get(group + path)["m2m:cnt"]["acpi"]
        assert len(acpi) == 1 and p.get("/id-b/" + acpi[0].rsplit("/id-b/", 1)[-1]) == policy, acpi

    def switched(device):
        return [e["on"] for e in device[2].events("switched")]

    def frames(filter_, since):
        """Sealed frames of node B since frame number `since`, opened: NWK destination, number of the group or "", APS counter, radius, time."""
        rows = tshark(p.pcap, p.export_keys(codes), "zbee_nwk.src == 0x0000 && frame.number > %d && (%s)" % (since, filter_), "zbee_nwk.dst", "zbee_aps.group", "zbee_aps.counter", "zbee_nwk.radius", "frame.time_epoch")
        return [row.split("\t") for row in rows]

    def last_frame():
        return max(int(n) for n in tshark(p.pcap, None, "frame", "frame.number"))

    def address(device):
        return "0x%04x" % int(str(short[device[0]]), 0)

    def one_for_all(filter_, since, listeners, sleepers):
        """One frame for those that listen, and one each for those that sleep; nothing else, but to who did not report for long."""
        sent = frames(filter_, since)
        broadcast = [f for f in sent if f[0] == "0xfffd"]
        assert len(broadcast) == 1 and broadcast[0][1] == number and broadcast[0][3] == "1", sent
        assert int(broadcast[0][2]) >= 224, broadcast
        late = {address(d) for d in listeners}
        alone = {}
        for f in sent:
            if f[0] != "0xfffd" and not (f[0] in late and float(f[4]) > float(broadcast[0][4]) + UNHEARD / 2):
                alone.setdefault(f[0], set()).add(f[2])  # APS counters: a repetition is no frame more
        assert alone.keys() == {address(d) for d in sleepers} and all(len(c) == 1 for c in alone.values()), (sent, short)
        assert all(int(c) < 224 for counters in alone.values() for c in counters)
        assert not any(address(d) in alone for d in listeners)

    def fan_out(on):
        p.keyway("update", "/id-b/cse-b/hall/fopt", json.dumps({"cod:binSh": {"state": on}}))

    def on_off(on):
        return "zbee_aps.cluster == 0x0006 && zbee_zcl_general.onoff.cmd.srv_rx.id == 0x%02x" % (1 if on else 0)

    begin = last_frame()
    fan_out(True)
    for d in everybody:
        wait_for("%s to be on" % d[0], lambda: switched(d) == [True])
        p.wait_value(d[0], "binSh", "cod:binSh", "state", True)
    one_for_all(on_off(True), begin, lamps, [sleeper])
    print("one frame switched three lamps, and the sleeper got its own")

    # a scene: all are on; then all are off; then it is recalled
    p.keyway("create", group + "/down", "cin", "con=" + json.dumps({"do": "store", "scene": 1, "name": "evening"}))
    told = {"do": "store", "scene": 1, "done": True, "members": 4, "status": 0}
    wait_for("the scene to be stored", lambda: content(group + "/told/la") == told)
    wait_for("the scene to be shown", lambda: state()["scenes"] == [{"scene": 1, "name": "evening"}])
    fan_out(False)
    for d in everybody:
        wait_for("%s to be off" % d[0], lambda: switched(d) == [True, False])
        p.wait_value(d[0], "binSh", "cod:binSh", "state", False)
    begin = last_frame()
    p.keyway("create", group + "/down", "cin", "con=" + json.dumps({"do": "recall", "scene": 1}))
    for d in everybody:
        wait_for("%s to be on again" % d[0], lambda: switched(d) == [True, False, True])
        p.wait_value(d[0], "binSh", "cod:binSh", "state", True)
    one_for_all("zbee_aps.cluster == 0x0005 && zbee_zcl_general.scenes.cmd.srv_rx.id == 0x05", begin, lamps, [sleeper])
    p.keyway("create", group + "/down", "cin", "con=" + json.dumps({"do": "recall", "scene": 7}))
    wait_for("an unknown scene to be refused", lambda: content(group + "/told/la").get("why") == "not found")
    print("a scene is recalled by one frame")

    # one leaves the oneM2M group: it is told, and obeys no more
    leaver = lamps[2]
    p.keyway("update", "/id-b/cse-b/hall", json.dumps({"m2m:grp": {"mid": members(lamps[:2] + [sleeper])}}))
    wait_for("it to be out of the Zigbee group", lambda: state()["in"] == 3 and state()["leaving"] == 0)
    begin = last_frame()
    fan_out(False)
    for d in lamps[:2] + [sleeper]:
        p.wait_value(d[0], "binSh", "cod:binSh", "state", False)
    one_for_all(on_off(False), begin, lamps, [sleeper])
    assert switched(leaver) == [True, False, True], "it left the group, and obeys it"
    print("who left the group does not obey it")

    # one leaves the application: the others get another key, and it cannot read what goes to all
    keys = [key for label, key in key_values(p.export_keys(codes)) if "network" in label]
    assert len(set(keys)) == 1
    first = os.path.join(p.dir, "first-key")
    with open(first, "w") as f:
        f.write('"%s","Normal","x"\n' % ":".join("%02X" % o for o in keys[0]))
    assert tshark(p.pcap, first, "zbee_aps.group"), "the first key opens no groupcast: nothing was shown"
    p.keyway("device", "remove", leaver[0])

    def settled():
        g = json.loads(p.keyway("application", "list", "--json").stdout)["applications"][0]
        return g["generation"] == 2 and g["members"] == 3 and g["behind"] == 0
    wait_for("the others to have another key", settled)
    begin = last_frame()
    fan_out(True)
    for d in lamps[:2] + [sleeper]:
        p.wait_value(d[0], "binSh", "cod:binSh", "state", True)
    one_for_all(on_off(True), begin, lamps[:2], [sleeper])
    assert not tshark(p.pcap, first, "zbee_aps.group && frame.number > %d" % begin), "the former key reads on"
    print("who left the application cannot read what goes to all")

    # node B starts again: the Zigbee group is what it was, and what it cannot know to be heard goes to each
    p.processes["node-b"].kill()
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")
    fan_out(False)
    for d in lamps[:2] + [sleeper]:
        p.wait_value(d[0], "binSh", "cod:binSh", "state", False)
    p.keyway("delete", "/id-b/cse-b/hall")
    wait_for("the Zigbee group to go with the oneM2M group", lambda: not find_group())

    # that a disassociation names the coordinator by its short address is of 2006 (7.3.3); tshark knows it of 2003, with two EUI-64
    bad = tshark(p.pcap, p.export_keys(codes), "(_ws.malformed && !(wpan.cmd == 0x03)) || zbee_sec.encrypted_payload || wpan.fcs_ok == 0", "frame.number")
    assert not bad, bad[:5]
    print("%d frame counters, none twice under one key" % assert_no_counter_repeats(p.pcap, shared=True))
