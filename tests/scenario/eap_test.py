"""EAP-SIM, EAP-AKA and EAP-AKA' between programs that others wrote, hostapd as authenticator and eapol_test as peer, with our HSS behind the one and our
card before the other: the keys agree, a card with another key is refused, one that is ahead is resynchronised. Everything unprivileged, on loopback."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from plant import PATIENCE, free_port, program, wait_for

SECRET = "radius-secret-of-this-test"
IMSI = "232010000000000"
processes = []


def find(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin")
    assert path, "%s is not installed (packaging/debian-packages.txt)" % name
    return path


def write(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def start(name, *argv):
    log = open(os.path.join(dir, name + ".log"), "ab")
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    p.name, p.log = name, log.name
    processes.append(p)
    return p


def said(p):
    with open(p.log, errors="replace") as f:
        return f.read()


def wait_said(p, text):
    wait_for("`%s` of %s" % (text, p.name), lambda: text in said(p) or p.poll() is not None)
    assert text in said(p), said(p)[-3000:]


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE)
    assert r.returncode == 0, (argv, r.stdout, r.stderr)
    return r.stdout


def hss_start():
    log = os.path.join(dir, "hss.log")
    before = os.path.getsize(log) if os.path.exists(log) else 0
    hss = start("hss", program("keyway-hss"), "--config", os.path.join(dir, "hss.ini"))
    wait_for("keyway-hss to be ready", lambda: " ready " in said(hss)[before:] or hss.poll() is not None)
    assert hss.poll() is None, said(hss)
    return hss


def subscriber(*words):
    return run(program("keyway"), "subscriber", *words, "--hss", os.path.join(dir, "hss", "admin.sock"))


def sqn():
    return json.loads(subscriber("show", IMSI, "--json"))["subscriber"]["sqn"]


number = 0


def authenticate(method, prefix, card, good=True):
    """One session: eapol_test with the card in its reader. Gives what the card and eapol_test said."""
    global number
    number += 1
    name = "%s-%d" % (method.lower().replace("'", "p"), number)
    control = os.path.join(dir, name)
    write(os.path.join(dir, name + ".conf"), "ctrl_interface=%s\nexternal_sim=1\nnetwork={\n key_mgmt=WPA-EAP\n eap=%s\n identity=\"%s%s\"\n}\n" % (
        control, method, prefix, IMSI))
    peer = start(name, find("eapol_test"), "-W", "-c", os.path.join(dir, name + ".conf"), "-a", "127.0.0.1", "-p", str(radius), "-s", SECRET, "-t", "20",
                 "-i", "test")
    wait_for("the control socket", lambda: os.path.exists(os.path.join(control, "test")) or peer.poll() is not None)
    reader = start(name + "-card", program("keyway-sim"), "usim", "--file", card, "--reader", os.path.join(control, "test"))
    status = peer.wait(PATIENCE)
    reader.send_signal(signal.SIGTERM)
    reader.wait(PATIENCE)
    text = said(peer)
    if good:
        assert status == 0 and text.rstrip().endswith("SUCCESS"), "%s: %s\n%s\n%s" % (name, text[-3000:], said(reader), said(hss)[-2000:])
        assert re.search(r"MPPE keys OK: 1  mismatch: 0", text), text[-1000:]
    else:
        assert status != 0 and "FAILURE" in text.rstrip().splitlines()[-1], text[-2000:]
    return said(reader), text


dir = tempfile.mkdtemp(prefix="keyway-eap-")
good = False
try:
    radius = free_port()
    write(os.path.join(dir, "hss.ini"), "[hss]\nstate = %s/hss\n[hostapd]\nsocket = %s/hostapd.sock\n" % (dir, dir))
    hss = hss_start()
    card = os.path.join(dir, "card.json")
    assert IMSI in run(program("keyway-sim"), "usim", "--file", card, "--new", IMSI)
    subscriber("add", card)
    with open(card) as f:
        keys = json.load(f)
    write(os.path.join(dir, "clients"), "127.0.0.1 %s\n" % SECRET)
    write(os.path.join(dir, "users"), "".join('"%s"* %s\n' % p for p in (("0", "AKA"), ("1", "SIM"), ("6", "AKA'"))))
    write(os.path.join(dir, "hostapd.conf"), "driver=none\nlogger_stdout=-1\neap_server=1\neap_user_file=%s/users\neap_sim_db=unix:%s/hostapd.sock\n"
          "eap_sim_aka_result_ind=0\nradius_server_clients=%s/clients\nradius_server_auth_port=%d\n" % (dir, dir, dir, radius))
    hostapd = start("hostapd", find("hostapd"), os.path.join(dir, "hostapd.conf"))
    wait_said(hostapd, "AP-ENABLED")

    # what keyway-hss refuses: a second one at the same sockets, a configuration that cannot be
    def refused(text, advice, status=1):
        write(os.path.join(dir, "bad.ini"), text)
        r = subprocess.run([program("keyway-hss"), "--config", os.path.join(dir, "bad.ini")], capture_output=True, text=True, timeout=PATIENCE)
        assert r.returncode == status and advice in r.stderr, (text, r.stderr)

    with open(os.path.join(dir, "hss.ini")) as f:
        good_ini = f.read()
    refused(good_ini, "in use by another process")
    refused(good_ini.replace(dir + "/hss\n", dir + "/second\n"), "another keyway-hss uses it")
    refused("[hss]\nstate = %s/long\n[zh]\nsocket = %s/%s\n" % (dir, dir, "x" * 120), "shorter than 108 characters")
    refused("[hss]\nstat = x\n", "did you mean `state`?", 2)
    refused("[hostapd]\nsocket = x\n", "state", 2)
    os.mkdir(os.path.join(dir, "other"))  # the database without the key that sealed it
    for name in ("hss.db", "hss.db-wal"):
        shutil.copy(os.path.join(dir, "hss", name), os.path.join(dir, "other"))
    refused("[hss]\nstate = %s/other\n" % dir, "sealed under another key")
    shutil.rmtree(os.path.join(dir, "other"))
    assert IMSI in subscriber("list")  # it goes on all the same

    # each method
    for method, prefix in (("SIM", "1"), ("AKA", "0"), ("AKA'", "6")):
        card_said, _ = authenticate(method, prefix, card)
        assert ('what="GSM"' if method == "SIM" else 'what="accepted"') in card_said, card_said
    at = sqn()
    assert at >> 5 == 2, at  # a vector each for AKA and AKA'; SIM needs no sequence number

    # a card that is ahead: its AUTS, then the next vector
    run(program("keyway-sim"), "usim", "--file", card, "--ahead", "100000")
    card_said, _ = authenticate("AKA", "0", card)
    assert 'what="synchronisation failure"' in card_said and 'what="accepted"' in card_said, card_said
    assert sqn() >> 5 > 100000 and 'resynchronised imsi=%s for=eap' % IMSI in said(hss)
    run(program("keyway-sim"), "usim", "--file", card, "--ahead", "100000")
    card_said, _ = authenticate("AKA'", "6", card)
    assert 'what="synchronisation failure"' in card_said and 'what="accepted"' in card_said, card_said

    # a card with another K: the card itself refuses the network, in SIM the network the card
    stranger = os.path.join(dir, "stranger.json")
    write(stranger, json.dumps(dict(keys, k=os.urandom(16).hex())))
    card_said, _ = authenticate("AKA", "0", stranger, good=False)
    assert 'what="wrong MAC"' in card_said, card_said
    authenticate("SIM", "1", stranger, good=False)

    # the HSS killed, its keys sealed anew, and started again: no sequence number comes twice
    at = sqn()
    hss.kill()
    hss.wait()
    run(program("keyway"), "credentials", "rotate", "--state", os.path.join(dir, "hss"))
    hss = hss_start()
    assert sqn() == at
    card_said, _ = authenticate("AKA", "0", card)
    assert "synchronisation" not in card_said and 'what="accepted"' in card_said

    # EAP-AKA' wants the separation bit in AMF; another subscriber than the one that is gone gets nothing
    subscriber("remove", IMSI)
    authenticate("AKA", "0", card, good=False)
    assert "vector refused imsi=%s" % IMSI in said(hss)
    subscriber("add", card, "--amf", "61df")
    run(program("keyway-sim"), "usim", "--file", card, "--ahead", "1")
    authenticate("AKA'", "6", card, good=False)
    authenticate("AKA", "0", card)

    # no key in a log, an answer or, in the clear, on disk
    for root, _, files in os.walk(dir):
        for name in files:
            if name in ("card.json", "stranger.json") or not os.path.isfile(os.path.join(root, name)):
                continue
            with open(os.path.join(root, name), "rb") as f:
                octets = f.read()
            for which in ("k", "opc"):
                assert keys[which].encode() not in octets and bytes.fromhex(keys[which]) not in octets, (which, name)
    assert keys["k"] not in subscriber("list", "--json") and IMSI in subscriber("list")
    good = True
    print("%d sessions" % number)
finally:
    for p in processes:
        if p.poll() is None:
            p.terminate()
    for p in processes:
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
    if good:
        shutil.rmtree(dir)
    else:
        print("the logs are in " + dir, file=sys.stderr)
