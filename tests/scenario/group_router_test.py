"""A router inside an application group lets in devices that the gateway cannot hear: their Transport-Key goes through node B in a Tunnel, sealed by the EG,
what they report comes up through the router, and commands go down by source route. The router is switched off and on, and the group gets another key. Who
has a wrong install code, is of no group, or comes to a router that is no member, stays outside."""
import json
import os

from plant import Plant, assert_no_counter_repeats, program, tshark, wait_for

SCALE = 15


def audit(p, *words):
    with open(os.path.join(p.plant, "mef", "audit.log")) as f:
        return [json.loads(line) for line in f if all(w in line for w in words)]


def address(p, eui64):
    return "0x%04x" % p.state(eui64)["short"]


with Plant(rate=10) as p:
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\nlink_status_s = 1\ngroupcast_wait_s = 30\n")
    p.start_all()
    p.keyway("application", "add", "pumps", "--policy", "group", "--owner", "/id-b")

    def behind(kind, power, **more):
        """A device that does not hear the gateway."""
        eui64, code, d = p.new_device(kind, power, more=["--deaf", "0"], application="pumps", **more)
        p.permit()
        return eui64, code, d

    def works(degrees, on):
        sensor.tell("temperature %.1f" % degrees)
        p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", degrees)
        p.wait_value(lamp, "binSh", "cod:binSh", "state")
        p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % lamp, "state=%s" % str(on).lower())
        p.wait_value(lamp, "binSh", "cod:binSh", "state", on)

    relay, relay_code, router = p.new_device("plug", "--router", more=["--time-scale", str(SCALE)], application="pumps")
    p.permit()
    p.wait_state(relay, "verified")
    p.wait_value(relay, "binSh", "cod:binSh", "state", False)
    router.tell("permit 250")
    thermometer, code, sensor = behind("thermometer", "--sleepy")
    lamp, lamp_code, light = behind("plug", "--end-device")
    codes = [relay_code, code, lamp_code]
    for eui64 in (thermometer, lamp):
        p.wait_state(eui64, "verified")
    works(11.0, True)
    assert {e["child"] for e in router.events("tunnel")} == {thermometer, lamp}
    for eui64 in (thermometer, lamp):
        assert audit(p, "device comes through a router", eui64) and audit(p, "transport key sent", eui64, "through router %s" % relay)
        assert "device associated device=%s" % eui64 not in p.processes["gateway"].text(), "it has joined at the gateway"
    keys = p.export_keys(codes)
    assert tshark(p.pcap, keys, "zbee_aps.cmd.id == 0x0e && zbee_nwk.src == 0x0000"), "no Tunnel"
    routed = "zbee_nwk.src == 0x0000 && zbee_nwk.src_route == 1 && zbee_nwk.dst == %s"
    for eui64 in (thermometer, lamp):
        assert tshark(p.pcap, keys, routed % address(p, eui64) + " && wpan.dst16 == " + address(p, relay)), "no source route to " + eui64
    print("enrolled through a router, read and commanded")

    # what goes to all of a Zigbee group is said once, and the router passes it on
    p.keyway("create", "/id-b/cse-b", "grp", json.dumps({"m2m:grp": {"rn": "both", "mt": 28, "mnm": 5, "mid": ["cse-b/zb-%s/binSh" % e for e in (relay, lamp)]}}))
    found = wait_for("the group to be a Zigbee group", lambda: [u for u in p.keyway("discover", "/id-b/cse-b", "lbl=zigbee-group", check=False).stdout.split() if "/zbg-" in u])

    def members():
        r = p.get("/id-b/cse-b/" + found[0].rsplit("/", 1)[1] + "/state/la")
        return json.loads(r["m2m:cin"]["con"])["in"] if r else 0

    wait_for("both to be in it", lambda: members() == 2)
    for on in (False, True):  # one of them makes a difference to both
        p.keyway("update", "/id-b/cse-b/both/fopt", json.dumps({"cod:binSh": {"state": on}}))
        for eui64 in (relay, lamp):
            p.wait_value(eui64, "binSh", "cod:binSh", "state", on)
    keys = p.export_keys(codes)
    groupcasts = "zbee_nwk.src == 0x0000 && zbee_nwk.dst == 0xfffd && zbee_aps.group && zbee_zcl_general.onoff.cmd.srv_rx.id == 0x01 && zbee_nwk.radius == %d"
    assert len(tshark(p.pcap, keys, groupcasts % 30)) == 1 and len(tshark(p.pcap, keys, groupcasts % 29)) == 1, "not said once and passed on"
    at = float(tshark(p.pcap, keys, groupcasts % 30, "frame.time_epoch")[0])  # who has not reported 30 s later is told by itself
    assert not tshark(p.pcap, keys, "zbee_nwk.src == 0x0000 && zbee_nwk.dst != 0xfffd && zbee_zcl_general.onoff.cmd.srv_rx.id == 0x01 && frame.time_epoch > %f && frame.time_epoch < %f" %
                      (at, at + 15)), "somebody was told by itself"
    print("one frame switched the router and the lamp behind it")

    # the router is off, and a child misses it: it looks in vain until the router is back, and is told of by it
    router.kill()
    sensor.tell("rejoin")
    wait_for("the child to look for it", lambda: len([e for e in sensor.events("scanning") if e["for"] == "its network"]) > 1)
    router.start()
    wait_for("the child to be back", lambda: sensor.events("rejoined"))
    wait_for("the Trust Centre to know", lambda: audit(p, "device rejoined", thermometer, "secured rejoin through router %s" % relay))
    works(12.0, False)
    print("the router was off and on")

    # node B is killed: it knows who is behind whom, and counts on
    p.processes["node-b"].kill()
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")
    works(13.0, True)

    # all change to another key, sleepers behind the router too
    p.keyway("application", "rotate", "pumps")

    def group():
        return json.loads(p.keyway("application", "list", "--json").stdout)["applications"][0]

    wait_for("the group to have another key", lambda: group()["generation"] == 2 and group()["behind"] == 0)
    works(14.0, False)
    for d in (router, sensor, light):
        assert d.events("key-switched") and len(d.events("associated")) == 1, d.text()[-2000:]
    print("the group's key was replaced, and nobody had to enrol again")

    # negatives, each through the open router
    router.tell("permit 250")
    wrong, _, thief = behind("thermometer", "--sleepy", real_code="83FED3407A939723A5C639B26916D505C3B5")
    wait_for("the one with a wrong code to give up", lambda: thief.events("transport-key-timeout"))
    thief.kill()
    wait_for("its failure to be told", lambda: p.state(wrong)["state"] == "failed" and "wrong install code" in p.state(wrong)["reason"])
    other, _, stranger = p.new_device("thermometer", "--sleepy", more=["--deaf", "0"])  # of no group
    p.permit()
    wait_for("the stranger to be sent away", lambda: audit(p, "refused to join through a router", other, "not of the router's group"))
    wait_for("the router to do so", lambda: any(e["child"] == other for e in router.events("child-removed")))
    stranger.kill()
    assert not stranger.events("transport-key") and not thief.events("transport-key")
    print("%d frame counters, none twice under one key" % assert_no_counter_repeats(p.pcap, shared=True))
    router.tell("permit 0")
    leaf, leaf_code, alone = p.new_device("plug", "--router", more=["--time-scale", str(SCALE)])  # under a key of its own
    p.permit()
    p.wait_state(leaf, "verified")
    wait_for("the lone router to be closed", lambda: [e for e in alone.events("permit-joining") if e["seconds"] == 0])
    late, late_code, lost = behind("thermometer", "--sleepy")

    def refused():
        if alone.events("permit-joining")[-1]["seconds"] == 0:
            alone.tell("permit 250")  # once, or again: node B closes it each time that it hears of its opening itself
        return audit(p, "refused to join through a router", late, "a network key of its own")

    wait_for("a member to be refused there", refused)
    assert not lost.events("transport-key")
    lost.kill()
    works(15.0, True)
    print("three stayed outside")

    codes += [leaf_code, late_code]
    keys = p.export_keys(codes)
    assert not tshark(p.pcap, keys, "_ws.malformed")
    unread = tshark(p.pcap, keys, "zbee_nwk && zbee.sec.counter && !zbee_aps && !zbee_nwk.cmd.id", "frame.number", "zbee_nwk.src")
    assert not unread, "sealed frames that no key opens: %s" % unread[:5]
