"""What must be refused, and says so: unknown device, wrong install code, bad CRC, joining closed, a gateway in another's name, replayed and tampered frames, an
application without privileges, a second node B that asks for the key."""
import base64
import os
import sqlite3
import subprocess

from plant import Plant, make_code, wait_for


def refused(r, *words):
    assert r.returncode != 0, r.stdout
    for w in words:
        assert w in r.stderr, (w, r.stderr)


def curl(p, who, url, identity, origin, *more):
    host, port = url.split("//")[1].split(":")
    tls = os.path.join(p.plant, "tls")
    argv = ["curl", "-s", "-m", "20", "--cacert", tls + "/ca.pem", "--cert", tls + "/" + who + ".pem", "--key", tls + "/" + who + ".key", "--connect-to",
            "%s:%s:%s:%s" % (identity, port, host, port), "-H", "X-M2M-Origin: " + origin, "-H", "X-M2M-RI: t1", "-H", "X-M2M-RVI: 3", "-i", *more]
    argv[-1] = "https://%s:%s%s" % (identity, port, more[-1])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60).stdout


with Plant(rate=10) as p:
    p.start_all()
    # a bad CRC is refused before anything else
    code = make_code()
    bad = code[:-1] + ("0" if code[-1] != "0" else "1")
    refused(p.keyway("device", "add", "00124b0000000001", bad, check=False), "checksum", "label")
    refused(p.keyway("device", "add", "00124b0000000001", "1234", check=False))
    refused(p.keyway("device", "show", "00124b0000000001", check=False))

    # joining closed: a registered device is not let in
    closed, _, device = p.new_device("plug")
    wait_for("the device to find no network that lets it in", lambda: len(device.events("scanning")) >= 2)
    assert not device.events("associated")
    p.permit()
    p.wait_state(closed, "verified")
    print("joining closed: stays out until joining is open")

    # an unknown device is denied, though joining is open
    unknown, _, device = p.new_device("contact", register=False)
    device.wait_line("association-denied")
    p.processes["gateway"].wait_line("association denied: not admitted by the join policy device=%s" % unknown)
    assert not device.events("associated")
    print("unknown device: denied")

    # a wrong install code: the device cannot open its key and stays out; the MEF tells, when it has waited for long enough
    wrong, _, device = p.new_device("thermometer", real_code=make_code())
    p.permit()
    device.wait_line("transport-key-rejected")
    device.kill()
    assert not device.events("announced")

    # replayed and tampered uplink frames, put into the container by whoever owns the gateway
    up = "/id-mn/cse-mn/gw1/%s/up" % closed
    tls = os.path.join(p.plant, "tls")
    gateway = ["--from", "/id-mn/Cgw1", "--cert", tls + "/gw1.pem", "--key", tls + "/gw1.key"]
    p.wait_value(closed, "binSh", "cod:binSh", "state")
    p.processes["gateway"].kill()  # so that it numbers no message of its own from here on
    instances = p.get(up, "rcn=8&ty=4", *gateway)["m2m:cnt"]["m2m:cin"]
    messages = [base64.b64decode(i["con"]) for i in instances]
    uplinks = [m for m in messages if m[3] == 0x30]
    next_number = max(int.from_bytes(m[4:8], "big") for m in messages) + 1

    def inject(message, number):
        forged = message[:4] + number.to_bytes(4, "big") + message[8:]
        p.keyway("create", up, "cin", "con=" + base64.b64encode(forged).decode(), *gateway)

    before = p.value(closed, "binSh", "cod:binSh", "state")
    inject(uplinks[-1], next_number)
    p.processes["node-b"].wait_line("frame refused: frame counter was seen before")
    tampered = bytearray(uplinks[-1])
    tampered[-6] ^= 1
    inject(bytes(tampered), next_number + 1)
    p.processes["node-b"].wait_line("frame refused: integrity code is wrong")
    assert p.value(closed, "binSh", "cod:binSh", "state") == before
    p.processes["gateway"].start()
    p.processes["gateway"].wait_line("Enrolment Gateway connected")
    print("replayed and tampered frames: refused")

    # an application without privileges, and one in another's name
    guest = ["--from", "/id-b/Cguest", "--cert", tls + "/guest.pem", "--key", tls + "/guest.key"]
    refused(p.keyway("get", "/id-b/cse-b/zb-%s/binSh" % closed, *guest, check=False), "4103")
    refused(p.keyway("update", "/id-b/cse-b/zb-%s/binSh" % closed, '{"cod:binSh":{"state":true}}', *guest, check=False), "4103")
    refused(p.keyway("get", "/id-b/cse-b/zb-%s/binSh" % closed, "--from", "/id-in/CAdmin", *guest[2:], check=False), "4106")
    print("application without privileges: 4103; in another's name: 4106")

    # a second node B, with a good certificate of the plant, asks for the key
    config = open(os.path.join(p.plant, "node-b.ini")).read()
    mef = [line.split("= ")[1] for line in config.splitlines() if line.startswith("mef =")][0]
    answer = curl(p, "in-cse", mef, "mef.keyway.example", "/id-in", "-d", '{"sec:mefClientReg":{"fqdn":"mef.keyway.example","et":"20991231T235959","adminFQDN":"mef.keyway.example"}}',
                  "-H", "Content-Type: application/json;ty=10001", "/mef")
    assert "201" in answer.split("\n")[0], answer
    with sqlite3.connect(os.path.join(p.plant, "node-b", "oci.db")) as db:
        key_id = db.execute("SELECT present_id FROM device WHERE eui64=?", (closed,)).fetchone()[0]
    answer = curl(p, "in-cse", mef, "mef.keyway.example", "/id-in", "/mef/" + key_id)
    assert "4103" in answer and "keyValue" not in answer, answer
    answer = curl(p, "in-cse", mef, "mef.keyway.example", "/id-b", "/mef/" + key_id)
    assert "4106" in answer and "keyValue" not in answer, answer
    answer = curl(p, "node-b", mef, "mef.keyway.example", "/id-b", "/mef/" + key_id)
    assert "keyValue" in answer, "the owner itself is refused: the check above proves nothing: " + answer
    print("second node B: 4103; in the first one's name: 4106")

    # meanwhile the MEF has lost its patience
    p.wait_state(wrong, "failed")
    assert "install code" in p.state(wrong)["reason"], p.state(wrong)
    print("wrong install code: " + p.state(wrong)["reason"])

    # a gateway that asks in another's name
    p.processes["gateway"].kill()
    eui64 = [line.split("= ")[1] for line in open(os.path.join(p.plant, "gateway.ini")).read().splitlines() if line.startswith("eui64")][0]
    p.configure("gateway.ini", "eui64 = " + eui64, "eui64 = 02124b00000000ff")
    p.processes["gateway"].start()
    p.processes["gateway"].wait_line("gateway not authorised")
    assert "Enrolment Gateway connected" not in p.processes["gateway"].text()
    with open(os.path.join(p.plant, "mef", "audit.log")) as f:
        assert "gateway asked in another's name" in f.read()
    print("gateway in another's name: code 5")
