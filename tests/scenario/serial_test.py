"""A plant whose gateway has two serial lines and nothing else beside its oneM2M connection: Spinel to its radio, EGP to the MEF. Devices enrol and are read;
both lines are cut, garbled and put together again, the programs at their ends are killed, and everything goes on without a new enrolment."""
import os
import re

from line import Line
from plant import Plant, assert_no_counter_repeats, program, wait_for


def line_of(path, key):
    with open(path) as f:
        return re.search(r"^%s = .*$" % key, f.read(), re.M).group(0)


def connected(p):
    return '"connected":true' in p.keyway("gateway", "list", "--json").stdout.replace(" ", "")


with Plant(rate=10) as p:
    def at(name):
        return os.path.join(p.dir, name)

    mef_ini, gateway_ini = os.path.join(p.plant, "mef.ini"), os.path.join(p.plant, "gateway.ini")
    # the MEF listens on no network for gateways: a serial line is its only way to hear one
    p.configure("mef.ini", line_of(mef_ini, "tls_listen"), "serial = %s:115200\nserial_gateway = gw1" % at("egp-mef"))
    p.configure("mef.ini", line_of(mef_ini, "psk_listen") + "\n", "")
    p.configure("mef.ini", line_of(mef_ini, "psk_file") + "\n", "")
    with open(gateway_ini) as f:
        text = f.read()
    text = re.sub(r"(\[radio\]\nconnect = ).*", r"\1serial:%s:460800" % at("radio-gateway"), text)
    text = re.sub(r"(\[egp\]\nconnect = ).*", r"\1serial:%s" % at("egp-gateway"), text)
    with open(gateway_ini, "w") as f:
        f.write(text)

    # the gateway is the first to be there: it waits for its radio, for the MEF, and says so
    gateway = p.start("gateway", program("keyway-gateway"), "--config", gateway_ini)
    gateway.wait_line("Enrolment Gateway cannot be opened")
    gateway.wait_line("radio cannot be opened")

    p.start("air", program("keyway-sim"), "air", "--listen", "127.0.0.1:%d" % p.air_port, "--pcap", at("factory.pcap")).wait_line(" ready")
    p.pcap = at("factory.pcap")
    rcp = p.start("rcp", program("keyway-sim"), "rcp", "--pty", at("rcp"), "--air", "127.0.0.1:%d" % p.air_port)
    rcp.wait_line(" ready")
    radio_line = Line(("open", at("rcp")), ("make", at("radio-gateway")))
    gateway.wait_line("radio ready")
    egp_line = Line(("make", at("egp-mef")), ("make", at("egp-gateway")))
    for role, name, config in p.ROLES:
        if role != "gateway":
            p.start(role, program(name), "--config", os.path.join(p.plant, config)).wait_line(" ready")
    mef = p.processes["mef"]
    # its line was there before the MEF was: the first HELLO is lost, a later one is not
    p.keyway("gateway", "add", "gw1")
    mef.wait_line("serial line opened")
    gateway.wait_line("Enrolment Gateway connected")
    assert connected(p)

    thermometer, _, sensor = p.new_device("thermometer", "--sleepy")
    p.permit()
    p.wait_state(thermometer, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 11.0)
    print("enrolled and read over two serial lines")

    # the cable between gateway and MEF is cut: what is enrolled is not concerned
    ups = gateway.text().count("Enrolment Gateway connected")
    egp_line.cut()
    gateway.wait_line("Enrolment Gateway not reachable")
    mef.wait_line("gateway disconnected")
    wait_for("the MEF to tell that the gateway is gone", lambda: not connected(p))
    sensor.tell("temperature 12.0")
    p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", 12.0)
    egp_line.mend()
    wait_for("the gateway to greet again", lambda: gateway.text().count("Enrolment Gateway connected") > ups and connected(p))
    print("EGP line cut and put together again")

    # garbled octets: the join policy, the EG-REQUEST and the first Transport-Key do not arrive whole, and are asked for or said again
    plug, _, switch = p.new_device("plug")
    egp_line.noise()
    egp_line.garble = [2, 2]
    p.permit()
    p.wait_state(plug, "verified")
    assert egp_line.garble == [0, 0], "nothing was garbled: nothing was shown"
    p.wait_value(plug, "binSh", "cod:binSh", "state")
    print("EGP line garbled: enrolled all the same")

    # the MEF dies and comes back; on a serial line its peer is not told, and finds out
    mef.kill()
    mef.start()
    mef.wait_line(" ready")
    wait_for("the gateway to greet the new MEF", lambda: connected(p))
    contact, _, _ = p.new_device("contact")
    p.permit()
    p.wait_state(contact, "verified")
    print("MEF killed and started: greeted again, and enrols")

    def works(degrees, on):
        sensor.tell("temperature %.1f" % degrees)
        p.wait_value(thermometer, "tempe", "cod:tempe", "curT0", degrees)
        p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % plug, "state=%s" % str(on).lower())
        p.wait_value(plug, "binSh", "cod:binSh", "state", on)

    # the radio's line: noise, garbled frames, the cable, the radio itself
    radio_line.noise()
    radio_line.garble = [5, 5]
    wait_for("garbled octets to pass", lambda: radio_line.garble == [0, 0])
    works(13.0, True)
    print("radio line garbled: goes on")
    readies = gateway.text().count("radio ready")
    radio_line.cut()
    gateway.wait_line("radio lost")
    radio_line.mend()
    wait_for("the radio to be configured again", lambda: gateway.text().count("radio ready") > readies)
    works(14.0, False)
    print("radio line cut and put together again")
    readies = gateway.text().count("radio ready")
    rcp.kill()
    radio_line.cut()
    rcp.start()
    rcp.wait_line(" ready")
    radio_line.mend()
    wait_for("the new radio to be configured", lambda: gateway.text().count("radio ready") > readies)
    works(15.0, True)
    print("radio killed and started: goes on")

    for device in (sensor, switch):
        assert len(device.events("announced")) >= 1
        assert not device.events("left"), "a device was lost and had to leave"
    assert len(sensor.events("associated")) == 1, "a device had to enrol again"
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
