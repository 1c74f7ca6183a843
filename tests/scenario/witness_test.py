"""Old copies of the MEF's audit log and of its registry are put back together, so that they fit each other: the node that was told of what came since notices, and so
does the MEF when that node asks; both say so. A log that only goes on, over kills of both, is never complained about."""
import json
import os
import shutil

from plant import Plant, wait_for

COMPLAINT = "the MEF's audit log is not the one that this node was told of"

with Plant() as p:
    p.start_all()
    mef, node_b = p.processes["mef"], p.processes["node-b"]
    log, seen = os.path.join(p.plant, "mef", "audit.log"), os.path.join(p.plant, "node-b", "witness")

    def lines():
        with open(log) as f:
            return [json.loads(line) for line in f]

    def told_of(entry):
        """Its witness knows of this line or a later one."""
        try:
            with open(seen) as f:
                return int(f.read().split()[0]) >= entry["seq"]
        except (OSError, IndexError):
            return False

    def enrolled(kind):
        eui64, _, device = p.new_device(kind)
        p.permit()
        p.wait_state(eui64, "verified")
        entry = [e for e in lines() if e["event"] == "link key verified" and e["device"] == eui64][0]
        wait_for("node B to be told of it", lambda: told_of(entry))
        return entry

    enrolled("plug")
    mef.kill()
    old = os.path.join(p.dir, "old")
    os.mkdir(old)
    for name in os.listdir(os.path.dirname(log)):
        if name == "audit.log" or name.startswith("registry.db"):
            shutil.copy(os.path.join(os.path.dirname(log), name), old)
    for process in (mef, node_b):
        process.kill()
        process.start()
        process.wait_line(" ready")
    known = enrolled("contact")
    assert COMPLAINT not in node_b.text(True) and not [e for e in lines() if "witness" in e["event"]]
    print("the witness follows the log")

    mef.kill()
    for name in os.listdir(os.path.dirname(log)):
        if name.startswith("registry.db"):
            os.remove(os.path.join(os.path.dirname(log), name))
    for name in os.listdir(old):
        shutil.copy(os.path.join(old, name), os.path.dirname(log))
    assert known["hash"] not in [e["hash"] for e in lines()]
    mef.start()
    mef.wait_line(" ready")
    node_b.wait_line(COMPLAINT)
    mef.wait_line("the audit log is not the one that a node was told of")
    entry = wait_for("a line about it", lambda: [e for e in lines() if e["event"] == "audit log is not what its witness knows"])[0]
    assert entry["client"] == "/id-b" and int(entry["detail"].split()[1]) >= known["seq"], entry
    print("an old copy is noticed: " + entry["detail"])
