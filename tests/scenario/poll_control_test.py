"""A lock that sleeps for minutes and checks in as its description says: a command waits for the check-in, and the lock polls fast until it has it, and no longer."""
import json
import os
import re

from plant import Plant, wait_for

with Plant(rate=10) as p:
    directory = os.path.join(p.plant, "devices")
    os.mkdir(directory)
    with open(os.path.join(directory, "lock.json"), "w") as f:
        json.dump({"models": [{"manufacturer": "Keyway*", "model": "KW-LOCK1", "check_in_s": 12}]}, f)
    with open(os.path.join(p.plant, "node-b.ini")) as f:
        zigbee = re.search(r"(?m)^\[zigbee\]\n", f.read()).group(0)
    p.configure("node-b.ini", zigbee, zigbee + "descriptions = %s\n" % directory)
    p.start_all()
    eui64, _, lock = p.new_device("lock", "--sleepy", more=["--poll-ms", "600000", "--report-interval", "0"])
    p.permit()
    p.wait_state(eui64, "verified")
    wait_for("the interview to be over", lambda: p.state(eui64)["last_event"] == "interviewed")
    name, root = "lock", "cod:lock"
    p.wait_value(eui64, name, root, "lock", True)
    wait_for("a check-in without cause", lambda: lock.events("checked-in"))
    assert not lock.events("fast-poll")

    def asleep():  # it polls fast for 3 s after whatever it sent, and then for ten minutes not at all
        return p.now_ms() > max(e["time"] for name in ("checked-in", "acknowledged", "reporting", "fast-poll") for e in lock.events(name)) + 4000

    for wanted in (False, True, False):
        wait_for("the lock to sleep", asleep)
        p.keyway("update", "/id-b/cse-b/zb-%s/lock" % eui64, "lock=%s" % str(wanted).lower())
        p.wait_value(eui64, name, root, "lock", wanted)
        if lock.events("fast-poll"):
            break  # unless it had just woken up
    wait_for("the lock to obey", lambda: lock.events("changed"))
    wait_for("the lock to be told that this was all", lambda: [e["on"] for e in lock.events("fast-poll")][-1:] == [False])
    assert lock.events("fast-poll")[0]["on"] is True
    print("a command waited for the check-in")
