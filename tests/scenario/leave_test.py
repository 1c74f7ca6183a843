"""A Zigbee 3.0 device that hears nothing after its Transport-Key leaves again after about 18 s; served, it stays."""
from plant import Plant, wait_for

with Plant() as p:
    p.configure("node-b.ini", "[zigbee]\n", "[zigbee]\nanswer_commissioning = no\n")
    p.start_all()
    eui64, _, device = p.new_device("thermometer")
    p.permit()
    wait_for("the device to leave", lambda: device.events("left"))
    after = (device.events("left")[0]["time"] - device.events("announced")[0]["time"]) / 1000
    # what real ones do, not how fast this machine is: three rounds of fixed length
    assert 16 <= after <= 25, after
    assert "node descriptor" in device.events("left")[0]["reason"]
    assert not device.events("commissioned")
    print("not served: left after %.1f s" % after)

with Plant() as p:
    p.start_all()
    eui64, _, device = p.new_device("thermometer")
    p.permit()
    p.wait_state(eui64, "verified")
    start = device.events("announced")[0]["time"]
    wait_for("30 s of reports", lambda: p.value(eui64, "tempe", "cod:tempe", "curT0") is not None and device.events("commissioned") and
             __import__("time").time() * 1000 - start > 30000)
    assert not device.events("left")
    print("served: still there after 30 s")
