"""SIGKILL and start again, one program after the other, in mid-run: no enrolled device is lost, no frame counter repeats, and data flows again without a new
enrolment."""
from plant import Plant, assert_no_counter_repeats, wait_for

with Plant(rate=10) as p:
    p.start_all()
    thermometer, _, sensor = p.new_device("thermometer", "--sleepy")
    plug, _, switch = p.new_device("plug")
    p.permit()
    for eui64 in (thermometer, plug):
        p.wait_state(eui64, "verified")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0")
    p.wait_value(plug, "binSh", "cod:binSh", "state")
    degrees, on = 10.0, False
    for role in ("node-b", "mef", "gateway", "mn-cse", "in-cse", "rcp", "air", "device-" + plug, "device-" + thermometer):
        process = p.processes[role]
        process.kill()
        process.start()
        if not role.startswith("device"):
            process.wait_line(" ready")
        degrees += 1
        sensor.tell("temperature %.2f" % degrees)
        p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", degrees)
        on = not on
        r = p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=%s" % str(on).lower())
        wait_for("the plug to be switched", lambda: switch.events("switched")[-1]["on"] == on if switch.events("switched") else False)
        p.wait_value(plug, "binSh", "cod:binSh", "state", on)
        print("%s: killed, started, read %.1f, switched %s" % (role, degrees, on), flush=True)
    for device in (sensor, switch):
        assert len(device.events("associated")) == 1, "a device had to enrol again"
        assert not device.events("left")
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
