"""A CSE with nothing but Kpm: the key that it gets from the MEF opens its association with the registrar by CoAP over DTLS, by WebSocket over TLS, and, where
neither side has a certificate, the way back as well; a key of its store opens that with a broker. It has no certificate: each of these could not be otherwise."""
import json
import os
import signal
import urllib.request

import mqtt_test
from association_end_test import Lasting, s_client
from plant import Plant, free_port, wait_for
from provisioning_test import MEF, give, port_of, start


def configure(plant, name, registrar, more="", at="in"):
    """No certificate, no key of anybody's. The operator asks it by plain HTTP on loopback."""
    http, own = free_port(), os.path.join(plant.plant, name + ".ini")
    registrar = "\n[registrar]\nurl = %s\nid = /id-%s\nidentity = id-%s.keyway.example\n" % (registrar, at, at) if registrar else ""
    with open(own, "w") as f:
        f.write("[cse]\ntype = %s\nid = /id-%s\nname = cse-%s\nsp = keyway.example\nadmin = /id-%s/CAdmin\nstate = %s\n[http]\nlisten = 127.0.0.1:%d\n[tls]\nca = %s/tls/ca.pem\n"
                "[mef]\nurl = https://127.0.0.1:%s\nid = %s\n[enrolment]\nby = key\n%s%s%s"
                % ("mn" if registrar else "in", name, name, at, os.path.join(plant.plant, name), http, plant.plant, port_of(plant, "mef.ini", "mmef"), MEF,
                   "" if registrar else "registrar = no\n", registrar, more))
    return http


def announces(port, body):
    """It creates a container, announced at its registrar; what the registrar calls it."""
    headers = {"X-M2M-Origin": "/id-in/CAdmin", "X-M2M-RI": "b1", "X-M2M-RVI": "4", "Content-Type": "application/json;ty=3"}
    rq = urllib.request.Request("http://127.0.0.1:%d/cse-mn-key" % port, json.dumps({"m2m:cnt": body}).encode(), headers)
    with urllib.request.urlopen(rq, timeout=30) as r:
        return json.loads(r.read())["m2m:cnt"]["at"][0]


def works(plant, scheme, port):
    """From its registration on everything goes under the enrolled key."""
    http = configure(plant, "mn-key", "%s://127.0.0.1:%s" % (scheme, port))
    mn = start(plant, "mn-key", "keyway-cse", "mn-key.ini")
    mn.wait_line(" registered")
    key = next(c for c in json.loads(plant.keyway("credentials", "list", "--json", "--state", os.path.join(plant.plant, "mn-key"), plant=False).stdout)["credentials"]
               if c["kind"] == "kpsa")
    plant.processes["in-cse"].wait_line('key fetched credential="%s"' % key["identity"])
    at = announces(http, {"rn": "by-" + scheme, "at": ["/id-in"]})
    assert at.startswith("/id-in/"), at
    if scheme == "wss":  # the registrar needs no way in
        assert plant.get("/id-mn-key/cse-mn-key/by-wss")["m2m:cnt"]["rn"] == "by-wss"
    mn.kill(signal.SIGTERM)
    print("a CSE with Kpm alone registers by %s" % scheme)


def both_ways(plant):
    """Neither has a certificate: the registrar has a name and fetches the key as its target, and reaches the other by it. Its operator has a key of his own."""
    coaps, https, value = free_port(), free_port(), os.urandom(32).hex()
    give_kpm(plant, "in-key")
    with open(os.path.join(plant.plant, "admin.psk"), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write("admin:%s m2m://keyway.example/id-in-key/CAdmin\n" % value)
    configure(plant, "in-key", None, "[https]\nlisten = 127.0.0.1:%d\npsk_file = %s/admin.psk\n[coaps]\nlisten = 127.0.0.1:%d\n" % (https, plant.plant, coaps), "in-key")
    registrar = start(plant, "in-key", "keyway-cse", "in-key.ini")
    configure(plant, "mn-key", "coaps://127.0.0.1:%d" % coaps, "[coaps]\nlisten = 127.0.0.1:%d\n" % free_port(), "in-key")
    mn = start(plant, "mn-key", "keyway-cse", "mn-key.ini")
    mn.wait_line(" registered")
    a = Lasting(s_client(https, False, "-psk_identity", "admin", "-psk", value),
                b"GET /~/id-mn-key/cse-mn-key HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nX-M2M-Origin: /id-in-key/CAdmin\r\nX-M2M-RI: b2\r\nX-M2M-RVI: 4\r\n\r\n", False)
    assert a.rsc() == 2000 and b'"/id-mn-key"' in a.said, a.said
    a.popen.kill()
    for p in (mn, registrar):
        p.kill(signal.SIGTERM)
    print("two CSEs with keys alone reach each other by CoAP")


def give_kpm(plant, name):
    value, identity = os.urandom(32).hex(), "kpm-%s@%s" % (name, MEF)
    give(plant, "mef", value, identity, "--kind", "kpm", "--entity", "/id-" + name)
    os.makedirs(os.path.join(plant.plant, name), mode=0o700)
    give(plant, name, value, identity, "--kind", "kpm", "--peer", MEF)


def broker(plant):
    """The key that the store has for a broker's name is shown to it, and the one that takes its place after it was lost."""
    plant.keyway("credentials", "add", "broker-in@keyway.example", "--kind", "kpsa", "--peer", "broker.keyway.example", "--state", os.path.join(plant.plant, "in-cse"),
                 plant=False, stdin=mqtt_test.KEYS["id-in"])
    mqtt_test.KEYS = {"broker-in@keyway.example": mqtt_test.KEYS["id-in"]}
    b, (_, port) = mqtt_test.secure_broker(plant)
    try:
        with open(os.path.join(plant.plant, "in-cse.ini"), "a") as f:
            f.write("\n[mqtt]\nbroker = mqtts://127.0.0.1:%d\nidentity = broker.keyway.example\n" % port)
        start(plant, "in-cse", "keyway-cse", "in-cse.ini").wait_line("mqtt connected")
    finally:
        b.remove()
    print("a broker is shown the key of the store that is for it")


def main():
    with Plant() as plant:
        coaps = free_port()
        plant.configure("in-cse.ini", "[tls]\n", "[coaps]\nlisten = 127.0.0.1:%d\n\n[tls]\n" % coaps)
        start(plant, "mef", "keyway-mef", "mef.ini")
        give_kpm(plant, "mn-key")
        registrar = start(plant, "in-cse", "keyway-cse", "in-cse.ini")
        works(plant, "coaps", coaps)
        works(plant, "wss", port_of(plant, "in-cse.ini", "https"))
        both_ways(plant)
        registrar.kill(signal.SIGTERM)
        broker(plant)
    print("enrolment by every binding: ok")


if __name__ == "__main__":
    main()
