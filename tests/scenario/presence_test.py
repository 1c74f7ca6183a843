"""Who is silent beyond its time-out is said to be, in the MEF and in the resources, until it is heard again. A gateway that lost its file of children, or was replaced by
another box, gets them back from their owner: nothing is enrolled anew."""
import os
import signal

from plant import Plant, assert_no_counter_repeats, wait_for

with Plant(rate=10) as p:
    p.start_all()
    thermometer, _, sensor = p.new_device("thermometer", "--sleepy", more=["--timeout", "0"])
    plug, _, switch = p.new_device("plug")
    p.permit()
    for e in (thermometer, plug):
        p.wait_state(e, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 11.0)
    p.wait_value(plug, "binSh", "cod:binSh", "state")
    wait_for("the interview to be over", lambda: p.state(thermometer)["last_event"] == "interviewed")
    p.permit(0)  # coming back is not joining

    def status(eui64):
        return p.get("/id-b/cse-b/node-%s/areaNwkDeviceInfo" % eui64)["m2m:andi"]

    assert status(thermometer)["ss"] == "available" and "shortAddress/0x%04x" % p.state(thermometer)["short"] in status(thermometer)["lbl"]
    sensor.popen.send_signal(signal.SIGSTOP)
    wait_for("the device to be silent", lambda: status(thermometer)["ss"] == "silent")
    wait_for("the MEF to know", lambda: p.state(thermometer)["last_event"] == "lost")
    assert status(plug)["ss"] == "available"
    p.processes["node-b"].kill()
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")
    assert status(thermometer)["ss"] == "silent"
    sensor.popen.send_signal(signal.SIGCONT)
    sensor.tell("temperature 12.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 12.0)
    wait_for("the device to be heard", lambda: status(thermometer)["ss"] == "available")
    wait_for("the MEF to know", lambda: p.state(thermometer)["last_event"] == "heard")
    print("silent, and heard again")

    def switch_is(on):  # by its own word
        told = [e["on"] for e in switch.events("switched")]
        return bool(told) and told[-1] is on and p.value(plug, "binSh", "cod:binSh", "state") is on

    # another short address, as after a conflict: everybody follows, and nothing on its way is lost
    for eui64, device in ((thermometer, sensor), (plug, switch)):
        before = p.state(eui64)["short"]
        device.tell("conflict")
        wait_for("the MEF to know the other address", lambda: p.state(eui64)["short"] != before)
        now = p.state(eui64)["short"]
        assert [e["short"] for e in device.events("new-address")] == [now]
        wait_for("the resources to follow", lambda: "shortAddress/0x%04x" % now in status(eui64)["lbl"])
    sensor.tell("temperature 12.5")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 12.5)
    p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=true")
    wait_for("the plug to be on", lambda: switch_is(True))
    print("another short address")

    gateway = p.processes["gateway"]

    def forget_children():
        gateway.kill()
        os.remove(next(os.path.join(d, "children") for d, _, names in os.walk(p.plant) if "children" in names))

    forget_children()
    gateway.start()
    gateway.wait_line(" ready")
    wait_for("the children to be known again", lambda: gateway.text().count("child known again") == 2)
    sensor.tell("temperature 13.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 13.0)
    p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=false")
    wait_for("the plug to be off", lambda: switch_is(False))
    print("a gateway without memory has its children again")

    # its owner is away when that happens: the gateway tells it of who polls, and a sealed Leave has it rejoin
    p.processes["node-b"].kill()
    forget_children()
    gateway.start()
    gateway.wait_line(" ready")
    p.processes["node-b"].start()
    p.processes["node-b"].wait_line(" ready")
    wait_for("the children to be known again", lambda: gateway.text().count("child known again") == 2)
    sensor.tell("temperature 14.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 14.0)

    for device in (sensor, switch):
        assert len(device.events("associated")) == 1, "a device had to enrol again"
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
