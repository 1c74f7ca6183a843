"""A device that lost its parent comes back: by a rejoin under its network key, and by a Trust Centre rejoin in clear, which its own verified link key alone opens and which
brings a new network key. Neither enrols it anew."""
from plant import Plant, assert_no_counter_repeats, wait_for

with Plant(rate=10) as p:
    p.start_all()
    thermometer, _, sensor = p.new_device("thermometer", "--sleepy")
    contact, _, door = p.new_device("contact")
    p.permit()
    for e in (thermometer, contact):
        p.wait_state(e, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 11.0)
    p.wait_value(contact, "dooSs", "cod:dooSs", "dooSe")
    p.permit(0)  # coming back is not joining

    def back(device, secured, times=1):
        wait_for("the device to be back", lambda: sum(e["secured"] == secured for e in device.events("rejoined")) >= times)

    for device in (sensor, door):
        device.tell("rejoin")
        back(device, True)
    sensor.tell("temperature 12.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 12.0)
    door.tell("open")
    p.wait_value(contact, "dooSs", "cod:dooSs", "dooSe", 2)
    print("secured rejoin: back under the same key")

    for eui64, device in ((thermometer, sensor), (contact, door)):
        generation = p.state(eui64)["generation"]
        device.tell("rejoin-tc")
        back(device, False)
        p.wait_state(eui64, "verified")
        wait_for("the next key to be in use", lambda: p.state(eui64)["generation"] == generation + 1)
    sensor.tell("temperature 13.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 13.0)
    door.tell("close")
    p.wait_value(contact, "dooSs", "cod:dooSs", "dooSe", 1)
    print("Trust Centre rejoin: back under a new key")

    for device in (sensor, door):
        assert len(device.events("associated")) == 1, "a device had to enrol again"
        assert not device.events("left") and not device.events("transport-key-rejected")
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
