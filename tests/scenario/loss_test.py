"""10 % of the frames on the air are lost, and all devices are enrolled and read all the same; sleepy ones through the indirect queue."""
from plant import Plant, assert_no_counter_repeats

with Plant(rate=10) as p:
    p.start_all(loss=10)
    devices = [p.new_device("thermometer", "--sleepy"), p.new_device("plug"), p.new_device("vibration", "--sleepy")]
    p.permit()
    for eui64, _, _ in devices:
        p.wait_state(eui64, "verified", 240)
    p.wait_value(devices[0][0], "tempe", "cod:tempe", "curT0", patience=240)
    p.wait_value(devices[1][0], "binSh", "cod:binSh", "state", patience=240)
    p.wait_value(devices[2][0], "impSr", "cod:impSr", "impSs", patience=240)
    assert_no_counter_repeats(p.pcap)
    for _, _, device in devices:
        print([e["event"] for e in map(__import__("json").loads, device.text(True).splitlines()) if e["event"] in ("associated", "left", "commissioned")])
