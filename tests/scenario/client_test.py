"""libkeyway-client and the command line on it, over every binding: http, coap, ws, mqtt and each with TLS. Retrieved, created, changed, deleted; watched
live; refusals and absences told in sentences. And the library as the rest of the world has it: installed, found by pkg-config, linked by a small program."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "conformance"))
from conformance import mqtt_client, server  # noqa: E402
from plant import BUILD, Plant, free_port, program, wait_for  # noqa: E402

KEY = os.urandom(16).hex()


def keyway(*words, status=0, env=None):
    r = subprocess.run([program("keyway"), *words], capture_output=True, text=True, timeout=120, cwd="/", env=env)
    assert r.returncode == status, "keyway %s: %s%s" % (" ".join(words), r.stdout, r.stderr)
    return r.stdout if status == 0 else r.stderr


def answer(*words):
    return json.loads(keyway(*words, "--json"))


def verbs(url, cse, *who):
    """All of them at the CSEBase `cse` behind `url`."""
    base = url + cse
    assert answer("create", base, "cnt", "rn=box", "lbl=[\"a\",\"b\"]", *who)["m2m:cnt"]["rn"] == "box"
    assert answer("create", base + "/box", "cin", "con=\u00e4 b", *who)["m2m:cin"]["con"] == "\u00e4 b"
    assert answer("get", base + "/box", "atrl=lbl+cni", *who)["m2m:cnt"] == {"lbl": ["a", "b"], "cni": 1}
    for form in ("xml", "cbor"):
        assert answer("get", base + "/box/la", *who, "--serialization", form)["m2m:cin"]["con"] == "\u00e4 b", form
    assert answer("update", base + "/box", "lbl=[\"c d\"]", *who)["m2m:cnt"]["lbl"] == ["c d"]
    found = keyway("discover", base, "ty=3", "lbl=c d", *who)
    assert found.strip().endswith("/box"), found
    watch(base + "/box", *who)
    keyway("delete", base + "/box", *who)
    told = keyway("get", base + "/box", *who, status=1)
    assert "4004 NOT_FOUND" in told, told
    print("%s: made, read, changed, found, watched, deleted" % url)


def watch(target, *who):
    """Live: an instance is made when the subscription is there, and seen before the watching ends."""
    p = subprocess.Popen([program("keyway"), "watch", target, "--json", *who], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
    try:
        wait_for("the subscription", lambda: p.poll() is not None or keyway("discover", target, "ty=23", *who).strip())
        assert p.poll() is None, p.communicate()
        for text in ("first", "second"):
            keyway("create", target, "cin", "con=" + text, *who)
            assert json.loads(p.stdout.readline())["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"] == text
        p.send_signal(signal.SIGINT)
        assert p.wait(60) == 0, p.communicate()
    finally:
        if p.poll() is None:
            p.kill()
        p.communicate()
    assert not keyway("discover", target, "ty=23", *who).strip(), "the subscription is gone with its watcher"
    assert not keyway("discover", target.rsplit("/", 1)[0], "ty=2", *who).strip(), "and so is the AE that it was"


def plain():
    broker = mqtt_client.Broker()
    s = server.Server(program("keyway-cse"), "--coap-port", "0", "--mqtt", broker.url)
    try:
        for scheme in ("http", "coap", "ws"):
            verbs(s.at(scheme), "/cse-in", "--from", "CAdmin")
        verbs(broker.url, "/cse-in", "--cse", "/id-in")
        assert answer("get", broker.url + "/~/id-in/cse-in")["m2m:cb"]["csi"] == "/id-in", "the CSE-ID in the address is enough"
        installed([s.at("http"), s.at("coap"), s.at("ws"), broker.url])
        # the connection over which notifications come breaks: it is made again
        p = subprocess.Popen([program("keyway"), "watch", broker.url + "/cse-in", "--cse", "/id-in", "--count", "1", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        wait_for("the subscription", lambda: keyway("discover", s.at("http") + "/cse-in", "ty=23").strip())
        broker.stop(kill=True)
        broker.start()
        keyway("create", s.at("http") + "/cse-in", "cnt", "rn=after")
        assert json.loads(p.stdout.readline())["m2m:sgn"]["nev"]["rep"]["m2m:cnt"]["rn"] == "after"
        assert p.wait(60) == 0
        print("a broker that breaks down is found again, and the notification comes")
    finally:
        assert s.stop() is None, "the CSE survived"
        broker.remove()


def secure():
    with Plant() as p:
        coaps, mqtts = free_port(), free_port()
        mine = os.path.join(p.plant, "mine.psk")
        with open(mine, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("operator:%s\n" % KEY)
        with open(os.path.join(p.plant, "acl"), "w") as f:
            f.write("".join("user %s\n" % who + "".join("topic readwrite /oneM2M/%s\n" % t for t in topics) for who, topics in (
                ("id-in", ("req/+/id-in/#", "reg_req/+/id-in/#", "resp/+/id-in/#", "resp/id-in/#", "req/id-in/#")),
                ("operator", ("req/id-in:CAdmin/#", "resp/id-in:CAdmin/#", "req/+/id-in:CAdmin/#", "resp/+/id-in:CAdmin/#")))))
        with open(os.path.join(p.plant, "broker.psk"), "w") as f:
            f.write("id-in:%s\noperator:%s\n" % (KEY, KEY))
        lines = ["listener %d 127.0.0.1" % mqtts, "psk_hint x", "psk_file %s/broker.psk" % p.plant, "use_identity_as_username true", "acl_file %s/acl" % p.plant]
        broker = mqtt_client.Broker(["per_listener_settings false"] + lines)
        own = os.path.join(p.plant, "cse.psk")
        with open(own, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("id-in:%s\n" % KEY)
        p.configure("in-cse.ini", "[https]", "[coaps]\nlisten = 127.0.0.1:%d\n\n[mqtt]\nbroker = mqtts://127.0.0.1:%d\npsk_identity = id-in\npsk_file = %s\ntrust_topics = yes\n\n[https]" % (
            coaps, mqtts, own))
        try:
            p.start("in-cse", program("keyway-cse"), "--config", os.path.join(p.plant, "in-cse.ini")).wait_line(" ready")
            p.processes["in-cse"].wait_line("mqtt connected")
            https = next(c["url"] for c in p.settings["cses"] if c["id"] == "/id-in")
            plant = ("--plant", p.plant)
            verbs("", "/id-in/cse-in", *plant)
            verbs(https, "/cse-in", *plant)
            verbs(https.replace("https:", "wss:"), "/cse-in", *plant)
            verbs("coaps://127.0.0.1:%d" % coaps, "/cse-in", *plant)
            verbs("mqtts://127.0.0.1:%d" % mqtts, "/cse-in", *plant, "--cse", "/id-in", "--psk-identity", "operator", "--psk-file", mine)
            # whose certificate is it?
            for url in (https, https.replace("https:", "wss:"), "coaps://127.0.0.1:%d" % coaps):
                told = keyway("get", url + "/cse-in", *plant, "--server", "id-mn.id-in.keyway.example", status=1)
                assert "keyway: " in told and url in told, told
            told = keyway("get", https + "/cse-in", *plant, "--from", "/id-in/Cother", status=1)
            assert "4106" in told, told
            print("with TLS: the same, and a server that is somebody else is not talked to")
        finally:
            broker.remove()


def told():
    """What cannot be says what to do."""
    nowhere = free_port()
    for url, words in (("http://127.0.0.1:%d" % nowhere, "cannot be reached"), ("coap://127.0.0.1:%d" % nowhere, "cannot be reached"), ("ws://127.0.0.1:%d" % nowhere, "cannot be reached"),
                       ("mqtt://127.0.0.1:%d/~/id-in" % nowhere, "cannot be reached"), ("https://127.0.0.1:%d" % nowhere, "`ca`, `cert` and `key`"),
                       ("mqtt://127.0.0.1:%d" % nowhere, "`cse`"), ("gopher://127.0.0.1", "must begin with"), ("cse-in", "there is no plant")):
        said = keyway("get", url + "/cse-in", status=1, env={})
        assert said.startswith("keyway: ") and words in said, (url, said)
    print("what cannot be reached, or has no credentials, is told in a sentence")


def installed(urls):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["meson", "install", "--no-rebuild", "--quiet", "--destdir", folder], cwd=BUILD, check=True, stdout=subprocess.DEVNULL)
        pc = glob.glob(folder + "/**/keyway-client.pc", recursive=True)[0]
        env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(pc), PKG_CONFIG_SYSROOT_DIR=folder, LD_LIBRARY_PATH=os.path.dirname(os.path.dirname(pc)))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "keyway-client"], env=env, check=True, capture_output=True, text=True).stdout.split()
        example = os.path.join(folder, "subscriber")
        subprocess.run([shutil.which("cc") or "gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", example, os.path.join(SOURCE, "docs", "examples", "subscriber.c"), *flags], check=True)
        for url in urls:
            r = subprocess.run([example, url, "CAdmin", "/id-in", "20"], env=env, capture_output=True, text=True, timeout=120)
            assert r.returncode == 0 and r.stdout.endswith("20 created, 0 refused, 20 notified\n"), r.stdout + r.stderr
        shown = subprocess.run(["nm", "-D", "--defined-only", glob.glob(folder + "/**/libkeyway-client.so", recursive=True)[0]], capture_output=True, text=True, check=True).stdout
        names = {line.split()[2] for line in shown.splitlines()}
        assert names and all(n.startswith("keyway_") for n in names), names
    print("installed, found by pkg-config, linked by a program that notifies itself over four bindings")


told()
plain()
secure()
