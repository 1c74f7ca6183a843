"""EGP on a serial line whose both ends share a key: a device enrols; who holds the wire reads nothing, and what he says in the gateway's or the MEF's name, or
says again, has no effect; both programs are killed and find each other again; without the right key nothing goes."""
import os
import re
import struct

from line import Line
from plant import Plant, crc_x25, program, wait_for

HELLO, REQUEST, POLICY = 0x01, 0x10, 0x03


def frame(content):
    """HDLC-lite of docs/protocols/egp.md."""
    content += struct.pack("<H", crc_x25(content))
    return b"\x7e" + b"".join(bytes([0x7D, o ^ 0x20]) if o in (0x7E, 0x7D, 0x11, 0x13, 0xF8) else bytes([o]) for o in content) + b"\x7e"


def frames(octets):
    """Their contents, without check sequence."""
    for part in octets.split(b"\x7e"):
        if part:
            yield re.sub(rb"\x7d(.)", lambda m: bytes([m.group(1)[0] ^ 0x20]), part, flags=re.S)[:-2]


def message(type_, body):
    return struct.pack(">HBBIH", 0x4547, 1, type_, 99, len(body)) + body


def set_key(path, key):
    with open(path, "w") as f:
        f.write("gw1:%s\n" % key)
    os.chmod(path, 0o600)


def counters(p):
    import json
    return json.loads(p.keyway("status", "--json").stdout)["counters"]


with Plant(rate=10) as p:
    def at(name):
        return os.path.join(p.dir, name)

    def connected():
        return '"connected":true' in p.keyway("gateway", "list", "--json").stdout.replace(" ", "")

    def start(role):
        return p.start(role, program(dict((r, n) for r, n, _ in p.ROLES)[role]), "--config", os.path.join(p.plant, dict((r, c) for r, _, c in p.ROLES)[role]))

    key = os.urandom(32).hex()
    set_key(at("mef.psk"), key)
    set_key(at("gateway.psk"), key)
    with open(os.path.join(p.plant, "mef.ini")) as f:
        text = f.read()
    text = re.sub(r"tls_listen = .*\n|psk_listen = .*\n|psk_file = .*\n", "", text)
    text = text.replace("[egp]\n", "[egp]\nserial = %s:115200\nserial_gateway = gw1\nserial_psk_file = %s\n" % (at("egp-mef"), at("mef.psk")))
    with open(os.path.join(p.plant, "mef.ini"), "w") as f:
        f.write(text)
    with open(os.path.join(p.plant, "gateway.ini")) as f:
        text = f.read()
    text = re.sub(r"(\[egp\]\nconnect = ).*\n", r"\1serial:%s\npsk_identity = gw1\npsk_file = %s\n" % (at("egp-gateway"), at("gateway.psk")), text)
    with open(os.path.join(p.plant, "gateway.ini"), "w") as f:
        f.write(text)
    p.start_radio()
    line = Line(("make", at("egp-mef")), ("make", at("egp-gateway")))  # side 0: what the MEF says; side 1: the gateway
    for role in ("mef", "in-cse", "mn-cse", "node-b"):
        start(role).wait_line(" ready")
    mef = p.processes["mef"]
    p.keyway("gateway", "add", "gw1")
    gateway = start("gateway")
    gateway.wait_line("Enrolment Gateway connected")
    plug, _, _ = p.new_device("plug")
    p.permit()
    p.wait_state(plug, "verified")
    print("enrolled over a sealed line")

    # nothing in the clear: no message, no name, no address, whichever way
    eui64 = bytes.fromhex(plug)
    for side in (0, 1):
        heard = list(frames(line.heard[side]))
        assert len(heard) > 3 and all(f[0] in (0xE1, 0xE2, 0xE3) for f in heard), heard[:4]
        assert eui64 not in line.heard[side] and eui64[::-1] not in line.heard[side] and b"EG\x01" not in line.heard[side]

    # everything that was heard, said again, both ways, and to who said it
    before, heard = counters(p), list(line.heard)
    policies = gateway.text().count("join policy")
    for side in (0, 1):
        for f in list(frames(heard[0])) + list(frames(heard[1])):
            line.say(side, frame(f))
    mef.wait_line("not sealed by its gateway")
    gateway.wait_line("not sealed by the Enrolment Gateway")
    # in the clear: as if there were no key
    with open(os.path.join(p.plant, "plant.json")) as f:
        own = bytes.fromhex(re.search(r'"eui64": *"([0-9a-f]{16})"', f.read()).group(1))
    request = own + b"\0\0" + os.urandom(8) + b"\x12\x34\x1a\x62" + bytes(8) + bytes([15, 0x80, 0, 0])
    line.say(0, frame(message(HELLO, own + b"\x1a\x62" + bytes(8) + bytes([15, 1]) + struct.pack(">I", 1 << 30))))
    line.say(0, frame(message(REQUEST, request)))
    line.say(1, frame(message(POLICY, struct.pack(">HB", 600, 1) + os.urandom(8))))
    # it has all been taken when what comes behind it has
    p.permit(30)
    wait_for("the gateway to hear the new policy", lambda: gateway.text().count("join policy") > policies)
    assert gateway.text().count("join policy") == policies + 1, "a policy that was said again, or by somebody else, was taken"
    assert counters(p) == before, (before, counters(p))
    assert connected()
    print("replayed and forged: no effect")

    # either side anew: another session, and the old frames are still nothing
    for role in ("mef", "gateway"):
        ups = gateway.text(True).count("Enrolment Gateway connected")
        p.processes[role].kill()
        p.processes[role].start()
        p.processes[role].wait_line(" ready")
        wait_for("a new session after the %s" % role, lambda: gateway.text(True).count("Enrolment Gateway connected") > ups and connected())
    thermometer, _, _ = p.new_device("thermometer")
    p.permit()
    p.wait_state(thermometer, "verified")
    print("both killed and started: sealed anew, and enrols")

    # another key: the line is dead, and says so
    gateway.kill()
    set_key(at("gateway.psk"), os.urandom(32).hex())
    refused = mef.text(True).count("not sealed by its gateway")
    gateway.start()
    wait_for("the MEF to refuse", lambda: mef.text(True).count("not sealed by its gateway") > refused)
    assert "Enrolment Gateway connected" not in gateway.text()
    gateway.kill()
    # a file that others may read
    os.chmod(at("gateway.psk"), 0o644)
    gateway.start()
    gateway.popen.wait(30)
    assert gateway.popen.returncode == 1 and "mode 0600" in gateway.text(), gateway.text()
    assert key not in "".join(open(at(n)).read() for n in os.listdir(p.dir) if n.endswith(".log"))
    print("another key: nothing goes")
