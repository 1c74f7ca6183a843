"""A plug that is a router stays on the network as a leaf of node B, under a key of its own: through many periods of link status, which go to its address
alone. It loses its route when node B is told to send none, and has it again when they come, now as broadcasts. Nobody joins through it."""
import json
import os

from plant import Plant, assert_no_counter_repeats, tshark, wait_for

SCALE = 15       # the router's periods of 15 s are of 1 s
PERIODS = 8      # twice what a router takes to give up
TOLD = "zbee_nwk.src == 0x0000 && zbee_nwk.dst == 0xfffc"


def audit(p):
    with open(os.path.join(p.plant, "mef", "audit.log")) as f:
        return f.read()


def restart_node_b(p, old, new):
    p.processes["node-b"].kill()
    p.configure("node-b.ini", old, new)
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")


def switch(p, eui64, on):
    p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % eui64, "state=%s" % str(on).lower())


with Plant(rate=10) as p:
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\nlink_status_s = 1\n")
    p.start_all()
    eui64, code, router = p.new_device("plug", "--router", more=["--time-scale", str(SCALE)])
    p.permit()
    p.wait_state(eui64, "verified")
    p.wait_value(eui64, "binSh", "cod:binSh", "state", False)
    assert "device=%s short=" % eui64 in p.processes["gateway"].text() and "capability=8e" in p.processes["gateway"].text()

    # it stays
    def told():
        return len(tshark(p.pcap, None, TOLD))
    before = told()
    wait_for("%d periods" % PERIODS, lambda: told() >= before + PERIODS)
    assert not [n for n in ("route-lost", "no-route", "parent-lost", "rejoining", "left") if router.events(n)], router.text()
    assert not tshark(p.pcap, None, TOLD + " && wpan.dst16 == 0xffff"), "others were bothered"
    switch(p, eui64, True)
    p.wait_value(eui64, "binSh", "cod:binSh", "state", True)
    wait_for("the router to say so", lambda: router.events("switched"))

    # it opened itself when it had joined, as all do, and was closed at once
    wait_for("the router to be closed", lambda: len(router.events("permit-joining")) >= 2)
    assert [e["seconds"] for e in router.events("permit-joining")][:2] == [180, 0], router.events("permit-joining")

    # somebody opens it by its button, and a device finds no other way in
    p.permit(0)
    router.tell("permit 120")
    wait_for("the router to open", lambda: router.events("permit-joining")[-1]["seconds"] == 120)
    child, child_code, stray = p.new_device("thermometer", "--sleepy")
    wait_for("the router to be told", lambda: router.events("child-removed"))
    assert router.events("child-associated")[0]["child"] == child
    lines = [json.loads(line) for line in audit(p).splitlines() if child in line and "through a router" in line]
    assert lines and eui64 in json.dumps(lines[0]), lines
    wait_for("the device to give up waiting for a key", lambda: stray.events("transport-key-timeout"))
    assert not stray.events("transport-key")
    stray.kill()
    assert not router.events("left") and not router.events("route-lost")

    # without link status its route is lost, and switching does not reach it: the test above can fail
    restart_node_b(p, "link_status_s = 1\n", "link_status_s = 1\nlink_status = no\n")
    assert router.events("route-lost") or wait_for("the route to be lost", lambda: router.events("route-lost"))
    lost = len(router.events("route-lost"))
    assert router.events("route-lost")[0]["periods"] == 4

    # with them it has one again, by MAC broadcasts as well
    restart_node_b(p, "link_status = no\n", "link_status = broadcast\n")
    mark = len(router.events("route"))
    wait_for("a route again", lambda: len(router.events("route")) > mark or len(router.events("rejoined")) > 0)
    switch(p, eui64, False)
    p.wait_value(eui64, "binSh", "cod:binSh", "state", False)
    assert tshark(p.pcap, None, TOLD + " && wpan.dst16 == 0xffff")

    # with keys a stranger reads the same: link status that lists the router, route requests that are answered
    keys = p.export_keys([code])
    assert not tshark(p.pcap, keys, "_ws.malformed")
    status = tshark(p.pcap, keys, "zbee_nwk.cmd.id == 0x08 && zbee_nwk.src == 0x0000", "zbee_nwk.cmd.link.address")
    assert len(status) >= PERIODS and len({s.strip() for s in status}) == 1, status[:3]
    assert tshark(p.pcap, keys, "zbee_nwk.cmd.id == 0x01 && zbee_nwk.src != 0x0000"), "no route request"
    assert tshark(p.pcap, keys, "zbee_nwk.cmd.id == 0x02 && zbee_nwk.src == 0x0000"), "no route reply"
    print("%d link status, %d frame counters, none twice" % (len(status), assert_no_counter_repeats(p.pcap)))
