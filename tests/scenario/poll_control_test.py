"""A lock that sleeps for minutes and checks in as its description says: a command waits for the check-in, and the lock polls fast until it has it, and no longer."""
import json
import os
import re

from plant import Plant, wait_for

with Plant() as p:
    directory = os.path.join(p.plant, "devices")
    os.mkdir(directory)
    with open(os.path.join(directory, "lock.json"), "w") as f:
        json.dump({"models": [{"manufacturer": "Keyway*", "model": "KW-LOCK1", "check_in_s": 6}]}, f)
    with open(os.path.join(p.plant, "node-b.ini")) as f:
        zigbee = re.search(r"(?m)^\[zigbee\]\n", f.read()).group(0)
    p.configure("node-b.ini", zigbee, zigbee + "descriptions = %s\n" % directory)
    p.start_all()
    eui64, _, lock = p.new_device("lock", "--sleepy", more=["--poll-ms", "600000", "--report-interval", "0"])
    p.permit()
    p.wait_state(eui64, "verified")
    wait_for("the interview to be over", lambda: p.state(eui64)["last_event"] == "interviewed")
    module = next(r for r in p.keyway("discover", "/id-b/cse-b/zb-" + eui64).stdout.split() if r.endswith("/lock"))
    name = module.rsplit("/", 1)[1]
    root = next(iter(p.get("/id-b/cse-b/zb-%s/%s" % (eui64, name))))
    p.wait_value(eui64, name, root, "lock", True)
    wait_for("a check-in without cause", lambda: lock.events("checked-in"))
    assert not lock.events("fast-poll")
    p.keyway("update", "/id-b/cse-b/zb-%s/%s" % (eui64, name), "lock=false")
    p.wait_value(eui64, name, root, "lock", False, 30)
    wait_for("the lock to be told that this was all", lambda: [e["on"] for e in lock.events("fast-poll")][-1:] == [False])
    assert lock.events("fast-poll")[0]["on"] is True
    print("a command waited for the check-in")
