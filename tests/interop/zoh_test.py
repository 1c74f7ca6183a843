"""A coordinator that we did not write takes our device to the end of commissioning, through our radio and our air: zigbee-on-host, of npm.

It runs as a process of its own and speaks Spinel to `keyway-sim rcp`, as it would to a real radio. Two devices must be commissioned, always on and
sleepy: association, network key under the install code, announcement, end-device time-out, node descriptor, unique link key, verified and
confirmed; then they are read, switched, bound and made to report; one loses its power and one rejoins, and both are still heard; one leaves. A
router is commissioned, keeps its route as long as the coordinator's link status lists it, and loses it when they stop, as it must. Two
others must leave by themselves and say why: one that is refused a unique link key, one that is given the key that it has already. All on loopback,
on ports that the system chooses."""
from concurrent.futures import ThreadPoolExecutor

from npm import install
from zoh import BASIC, BOOL, INT16, ON_OFF, STRING, TEMPERATURE, TIME_SCALE, LINK_STATUS_S, AGE_LIMIT, CODE, Run, make_code

node = install()


def always_on():
    with Run(node, "always on", "fresh", "plug", "--end-device", CODE) as r:
        r.commissioned(True)
        assert r.read(BASIC, "0400").startswith(STRING)
        assert r.read(ON_OFF, "0000") == BOOL + "00"
        r.report_from(ON_OFF, "0000", BOOL, "")
        r.switch(True)
        r.device_event("switched")
        r.reported(ON_OFF, "0000", BOOL, "01")
        assert r.read(ON_OFF, "0000") == BOOL + "01"
        r.device.tell("rejoin")
        r.device_event("rejoined")
        assert r.read(ON_OFF, "0000") == BOOL + "01"
        r.device.tell("leave")
        r.coordinator_event("left", lambda e: e["eui64"] == r.eui64)
        assert not r.state()["known"]
        r.uncomplaining()


def sleepy():
    with Run(node, "sleepy", "fresh", "thermometer", "--sleepy", make_code(), "--temperature", "21.5") as r:
        r.commissioned(False)
        assert r.read(TEMPERATURE, "0000") == INT16 + (2150).to_bytes(2, "little").hex()
        r.report_from(TEMPERATURE, "0000", INT16, (10).to_bytes(2, "little").hex())
        r.device.tell("temperature -3.25")
        r.reported(TEMPERATURE, "0000", INT16, (-325).to_bytes(2, "little", signed=True).hex())
        r.device.kill()  # in the midst of its life: its frame counter must not go back, or it's a replay to the coordinator
        r.device.start()
        assert r.read(BASIC, "0400").startswith(STRING)
        r.uncomplaining()


def router():
    with Run(node, "router", "fresh", "plug", "--router", make_code(), "--time-scale", str(TIME_SCALE)) as r:
        r.commissioned(True, True)
        assert r.device.events("route"), "a router asks for its route"
        r.link_status(LINK_STATUS_S / TIME_SCALE)
        r.sent_link_status(3 * AGE_LIMIT)
        r.report_from(ON_OFF, "0000", BOOL, "")
        r.switch(True)
        r.reported(ON_OFF, "0000", BOOL, "01")
        r.sent_link_status(6 * AGE_LIMIT)
        assert not [n for n in ("route-lost", "no-route", "parent-lost", "left") if r.device.events(n)], r.device.text()
        assert r.state()["neighbor"]  # zigbee-on-host believes the router's link status
        r.device.tell("rejoin")
        r.device_event("rejoined")
        assert r.read(ON_OFF, "0000") == BOOL + "01"
        assert not r.device.events("route-lost")
        r.link_status(0)
        assert r.device_event("route-lost")["periods"] == AGE_LIMIT + 1
        r.uncomplaining()


def unique_key_wanted():
    with Run(node, "refused", "refused", "plug", "--end-device", make_code()) as refused, Run(node, "same", "same", "thermometer", "--sleepy", make_code()) as same:
        refused.left("no unique Trust Centre link key")
        assert not refused.device.events("link-key-rejected")
        same.left("no unique Trust Centre link key")
        assert {e["reason"] for e in same.device.events("link-key-rejected")} == {"not unique"}


with ThreadPoolExecutor(4) as pool:  # each with an air, a radio and a coordinator of its own
    for done in [pool.submit(f) for f in (router, unique_key_wanted, sleepy, always_on)]:
        done.result()
print("2 devices and a router commissioned by zigbee-on-host, 2 left for want of a unique link key")
