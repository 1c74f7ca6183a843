"""A sleeper is removed while it sleeps: it hears that it is to leave when it wakes, though node B has forgotten it by then and the gateway was killed meanwhile. Nothing of it
stays: neither resources at node B nor containers at the gateway's CSE nor a child of the gateway. A gateway that is away when a device is removed forgets it later."""
import os
import signal

from plant import Plant, wait_for

with Plant(rate=10) as p:
    p.start_all()
    sleeper, _, sensor = p.new_device("thermometer", "--sleepy")
    plug, _, switch = p.new_device("plug")
    p.permit()
    for eui64 in (sleeper, plug):
        p.wait_state(eui64, "verified")
        wait_for("the interview to be over", lambda: p.state(eui64)["last_event"] == "interviewed")
    gateway, mef, node_b = (p.processes[role] for role in ("gateway", "mef", "node-b"))
    children = next(os.path.join(d, "children") for d, _, files in os.walk(p.plant) if "children" in files)

    def relayed(eui64):
        return p.get("/id-mn/cse-mn/gw1/%s" % eui64)

    def gone(eui64):
        return p.keyway("device", "show", eui64, check=False).returncode != 0

    def known(eui64):
        with open(children) as f:
            return eui64 in f.read()

    assert known(sleeper) and known(plug) and relayed(sleeper) and relayed(plug)
    sensor.popen.send_signal(signal.SIGSTOP)
    p.keyway("device", "remove", sleeper)
    wait_for("node B to forget it", lambda: gone(sleeper))
    mef.wait_line("gateway has forgotten a device")
    assert p.get("/id-b/cse-b/zb-" + sleeper) is None and p.get("/id-b/cse-b/node-" + sleeper) is None
    assert known(sleeper), "it has not heard yet that it is to leave"
    gateway.kill()
    gateway.start()
    gateway.wait_line(" ready")
    sensor.popen.send_signal(signal.SIGCONT)
    wait_for("the sleeper to hear it", lambda: [e for e in sensor.events("left") if e["reason"] in ("told to leave", "removed by the Trust Centre")])
    gateway.wait_line("device removed")
    wait_for("the gateway to know it no more", lambda: not known(sleeper))
    wait_for("its containers to be gone", lambda: not relayed(sleeper))
    print("a sleeper hears that it was removed, late and over a crash of its gateway")

    # a gateway that is away, and a MEF that restarts meanwhile
    gateway.kill()
    p.keyway("device", "remove", plug)
    wait_for("node B to forget it", lambda: gone(plug))
    mef.kill()
    mef.start()
    mef.wait_line(" ready")
    assert known(plug)
    gateway.start()
    gateway.wait_line("device removed")
    wait_for("the gateway to know it no more", lambda: not known(plug))
    print("a gateway that was away forgets a removed device")
