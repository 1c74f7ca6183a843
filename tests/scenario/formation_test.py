"""A gateway that chooses its channel: it scans energy, asks for beacons, keeps clear of the network that is there, and stays where it was after a restart."""
import os
import re

from plant import Plant, free_port, program, wait_for

with Plant() as p:
    p.start_all()  # a network on channel 15
    port = free_port()
    p.start("rcp-2", program("keyway-sim"), "rcp", "--listen", "127.0.0.1:%d" % port, "--air", "127.0.0.1:%d" % p.air_port).wait_line(" ready")
    state = os.path.join(p.plant, "second")
    os.mkdir(state, 0o700)
    with open(os.path.join(p.plant, "gateway.ini")) as f:
        text = f.read()
    for pattern, new in [(r"(?m)^eui64 = .*", "eui64 = 02000000000000aa"), (r"(?m)^pan_id = .*", "pan_id = 0x1111"), (r"(?m)^channel = .*", "channel = auto:11,15"),
                         (r"(?m)^extended_pan_id = .*", "extended_pan_id = 00000000000000aa"), (r"(?m)^state = .*", "state = " + state),
                         (r"(?ms)(^\[radio\].*?^connect = )[^\n]*", r"\g<1>tcp:127.0.0.1:%d\ntx_power = 8" % port), (r"(?m)^listen = .*", "listen = 127.0.0.1:0")]:
        text, n = re.subn(pattern, new, text, count=1)
        assert n == 1, pattern
    config = os.path.join(p.plant, "second.ini")

    def start(text):
        with open(config, "w") as f:
            f.write(text)
        g = p.start("gateway-2", program("keyway-gateway"), "--config", config)
        g.wait_line(" ready")
        return g

    # of two equals it prefers 15, but for the network there
    g = start(text)
    line = re.search(r"channel chosen.*", g.text()).group(0)
    assert "channel=11 " in line and "heard=1" in line, line
    wait_for("the radio to be configured", lambda: re.search(r"radio ready.* channel=11 .*power=8 .*KEYWAY-SIM-RCP", g.text()))
    assert "another network has our" not in g.text()
    with open(os.path.join(state, "channel")) as f:
        assert f.read() == "11\n"
    print("keeps clear of the network that it heard: " + line)

    g.popen.terminate()
    g.popen.wait()
    g = start(text.replace("auto:11,15", "auto"))
    assert "channel chosen" not in g.text() and "channel=11" in wait_for("the radio", lambda: re.search(r"radio ready.*", g.text())).group(0)
    print("stays there after a restart")

    g.popen.terminate()
    g.popen.wait()
    os.remove(os.path.join(state, "channel"))
    with open(os.path.join(p.plant, "gateway.ini")) as f:
        pan = re.search(r"(?m)^pan_id = (.*)", f.read()).group(1)
    g = start(text.replace("pan_id = 0x1111", "pan_id = " + pan, 1))
    assert "another network has our PAN ID" in g.text()
    print("tells of another network with its PAN ID")

    g.popen.terminate()
    g.popen.wait()
    for bad, why in [("channel = 27", "channel has to be"), ("channel = auto:", "channel has to be"), ("channel = 11,15", "channel has to be"), ("channel = auto:15,9", "channel has to be")]:
        with open(config, "w") as f:
            f.write(text.replace("channel = auto:11,15", bad))
        g = p.start("gateway-2", program("keyway-gateway"), "--config", config)
        assert g.popen.wait(60) == 1 and why in g.text(True), (bad, g.text(True))
    print("says what a channel may be")
