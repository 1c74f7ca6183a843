"""A Zigbee 3.0 device that hears nothing after its Transport-Key leaves again after about 18 s; another one, served, stays. Two plants at the same time."""
from plant import Plant, wait_for


def enrolling(p):
    p.start_all()
    eui64, _, device = p.new_device("thermometer")
    p.permit()
    return eui64, device


with Plant(rate=10) as mute, Plant(rate=10) as p:
    mute.configure("node-b.ini", "[zigbee]\n", "[zigbee]\nanswer_commissioning = no\n")
    _, leaver = enrolling(mute)
    eui64, device = enrolling(p)
    p.wait_state(eui64, "verified")
    announced = device.events("announced")[0]["time"]

    wait_for("the device that is not served to leave", lambda: leaver.events("left"))
    after = (leaver.events("left")[0]["time"] - leaver.events("announced")[0]["time"]) / 1000
    # what real ones do, not how fast this machine is: three rounds of fixed length
    assert 16 <= after <= 25, after
    assert "node descriptor" in leaver.events("left")[0]["reason"]
    assert not leaver.events("commissioned")
    print("not served: left after %.1f s" % after)

    # by its own clock
    wait_for("30 s of reports", lambda: any(e["time"] - announced > 30000 for e in device.events("reporting")))
    assert p.value(eui64, "tempe", "cod:tempe", "curT0") is not None and device.events("commissioned")
    assert not device.events("left")
    print("served: still there after 30 s")
