"""A device goes to another gateway on the same air: it leaves the one, joins at the other under a new key, and keeps its registration and its resources. The former gateway forgets it
and serves the others."""
import os
import re

from plant import Plant, assert_no_counter_repeats, free_port, program, wait_for

with Plant(rate=10) as p:
    p.start_all()
    port = free_port()
    p.start("rcp-2", program("keyway-sim"), "rcp", "--listen", "127.0.0.1:%d" % port, "--air", "127.0.0.1:%d" % p.air_port).wait_line(" ready")
    p.keyway("certificate", "issue", "gw2", "--name", "m2m://keyway.example/id-mn/Cgw2", "--ca", os.path.join(p.plant, "tls"), plant=False)
    p.keyway("gateway", "add", "gw2", "--eui64", "02000000000000aa", "--relay", "/id-mn/cse-mn/gw2", "--identity", "m2m://keyway.example/id-mn/Cgw2")
    state = os.path.join(p.plant, "second")
    os.mkdir(state, 0o700)
    with open(os.path.join(p.plant, "gateway.ini")) as f:
        text = f.read()
    for pattern, new in [(r"(?m)^eui64 = .*", "eui64 = 02000000000000aa"), (r"(?m)^pan_id = .*", "pan_id = 0x1111"), (r"(?m)^extended_pan_id = .*", "extended_pan_id = 00000000000000aa"),
                         (r"(?m)^state = .*", "state = " + state), (r"(?ms)(^\[radio\].*?^connect = )[^\n]*", r"\g<1>tcp:127.0.0.1:%d" % port), (r"(?m)^listen = .*", "listen = 127.0.0.1:0"),
                         (r"Cgw1", "Cgw2")]:
        text, n = re.subn(pattern, new, text, count=1)
        assert n == 1, pattern
    text = text.replace("name = gw1", "name = gw2").replace("/gw1.", "/gw2.")
    config = os.path.join(p.plant, "second.ini")
    with open(config, "w") as f:
        f.write(text)
    second = p.start("gateway-2", program("keyway-gateway"), "--config", config)
    second.wait_line(" ready")

    thermometer, _, sensor = p.new_device("thermometer", "--sleepy")
    plug, _, switch = p.new_device("plug")
    p.permit()
    for e in (thermometer, plug):
        p.wait_state(e, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 11.0)
    p.wait_value(plug, "binSh", "cod:binSh", "state")
    wait_for("the interview to be over", lambda: p.state(thermometer)["last_event"] == "interviewed")
    ri = p.get("/id-b/cse-b/zb-%s/tempe" % thermometer)["cod:tempe"]["ri"]
    p.permit(0)

    for words, why in [(("gw1",), "already"), (("gw3",), "no gateway of this name")]:
        r = p.keyway("device", "move", thermometer, *words, check=False)
        assert r.returncode != 0 and why in r.stderr, r.stderr

    def move(eui64, device, gateway, former, times, restart=False):
        p.keyway("permit", "gw1", "0")
        p.keyway("permit", "gw2", "0")
        p.keyway("device", "move", eui64, gateway)
        wait_for("the device to go", lambda: len(device.events("left")) == times)
        assert p.state(eui64)["gateway"] == gateway
        if restart:  # it still knows where the device was
            p.processes["mef"].kill()
            p.processes["mef"].start()
            p.processes["mef"].wait_line(" ready")
            wait_for("the gateways to be there", lambda: '"connected":false' not in p.keyway("gateway", "list", "--json").stdout.replace(" ", ""))
        p.keyway("permit", gateway, "600", eui64)
        wait_for("the device to be at the other gateway", lambda: len(device.events("commissioned")) == times + 1)
        p.wait_state(eui64, "verified")
        wait_for("the former gateway to forget it", lambda: eui64 not in open(former).read())

    here = next(os.path.join(d, "children") for d, _, names in os.walk(os.path.join(p.plant, "gateway")) if "children" in names)
    there = os.path.join(state, "children")
    move(thermometer, sensor, "gw2", here, 1, restart=True)
    assert thermometer in open(there).read() and plug in open(here).read()
    sensor.tell("temperature 12.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 12.0)
    assert p.get("/id-b/cse-b/zb-%s/tempe" % thermometer)["cod:tempe"]["ri"] == ri
    wait_for("its network to be the other's", lambda: "node-02000000000000aa" in p.get("/id-b/cse-b/node-%s/areaNwkDeviceInfo" % thermometer)["m2m:andi"]["awi"])
    p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=true")
    p.wait_value(plug, "binSh", "cod:binSh", "state", True)
    print("moved; the other device stays where it was")

    move(thermometer, sensor, "gw1", there, 2)
    sensor.tell("temperature 13.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 13.0)
    assert p.get("/id-b/cse-b/zb-%s/tempe" % thermometer)["cod:tempe"]["ri"] == ri
    print("and back again")
    assert not switch.events("left")
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
