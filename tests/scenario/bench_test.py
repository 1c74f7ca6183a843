"""`keyway bench cse --quick --json` runs, cleans up after itself and prints what it says; nothing here looks at how fast."""
import json
import os
import signal
import subprocess
import sys
import tempfile

import ends  # noqa: F401 - it watches over what is started here

KEYWAY = os.path.join(os.environ["KEYWAY_BUILD"], "src/programs/keyway/keyway")
NAMES = {"http-get", "latest", "path", "http-post", "sqlite", "create", "notify-create", "notify",
         "discover-10-small", "discover-1000-small", "discover-10-large", "discover-1000-large"}


def prints_valid_json():
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([KEYWAY, "bench", "cse", "--quick", "--json", "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=500, text=True)
        assert done.returncode == 0, done.stderr
        assert os.listdir(state) == [], os.listdir(state)
    report = json.loads(done.stdout)
    assert report["bench"] == "cse" and report["quick"] is True and report["cores"] >= 1
    assert {(r["name"], r["connections"]) for r in report["rows"]} == {(n, c) for n in NAMES for c in (1, 8)}
    for r in report["rows"]:
        assert r["answers"] > 0 and r["per_second"] > 0 and r["errors"] == 0, r
        assert 0 < r["p50_us"] <= r["p99_us"] <= r["max_us"], r
        assert ("of_http" in r) == (r["name"] in ("latest", "path", "create")), r
    assert report["start"]["instances"] == 1000
    assert all(("value" in t) == ("met" in t) for t in report["targets"]) and len(report["targets"]) == 7


def measures_the_other_bindings():
    for binding, names in (("coap", {"libcoap", "coap"}), ("ws", {"http", "ws"}), ("mqtt", {"mqtt-echo", "mqtt"})):
        with tempfile.TemporaryDirectory() as state:
            done = subprocess.run([KEYWAY, "bench", "cse", "--quick", "--json", "--binding", binding, "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=500, text=True)
            assert done.returncode == 0, done.stderr
            assert os.listdir(state) == [], os.listdir(state)
        report = json.loads(done.stdout)
        assert report["binding"] == binding and {(r["name"], r["connections"]) for r in report["rows"]} == {(n, c) for n in names for c in (1, 8)}, report["rows"]
        for r in report["rows"]:
            assert r["answers"] > 0 and r["per_second"] > 0 and r["errors"] == 0, r
            assert ("of_reference" in r) == (r["name"] == binding), r
        assert len(report["targets"]) == 1 and "met" in report["targets"][0]


def measures_a_plant():
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([KEYWAY, "bench", "zigbee", "--json", "--seconds", "0.5", "--devices", "2", "--state", state], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, text=True)
        assert done.returncode == 0, done.stderr
        assert os.listdir(state) == [], os.listdir(state)
    r = json.loads(done.stdout)
    assert r["bench"] == "zigbee" and r["devices"] == 2 and r["commands"] > 0 and r["flood_commands"] > 0, r
    assert r["command_p99_ms"] >= r["command_p50_ms"] > 0 and r["air_ms"] > 1 and r["frames_up_per_second"] > 0 < r["frames_down_per_second"], r


def measures_many_devices():
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([KEYWAY, "bench", "eg", "--json", "--registered", "500", "--gateways", "5", "--state", state], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, text=True)
        assert done.returncode == 0, done.stderr
        assert os.listdir(state) == [], os.listdir(state)
    r = json.loads(done.stdout)
    assert r["devices"] == 500 and r["gateways"] == 5 and r["request_us"] > 0 and r["start_seconds"] > 0, r


def ends_when_interrupted():
    with tempfile.TemporaryDirectory() as state:
        p = subprocess.Popen([KEYWAY, "bench", "cse", "--only", "latest", "--seconds", "600", "--state", state], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        line = p.stderr.readline()
        assert "connections" in line, line
        with open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii") as f:
            children = f.read().split()
        assert len(children) >= 2, children
        p.send_signal(signal.SIGINT)
        assert p.wait(timeout=60) == 1
        p.stdout.close()
        p.stderr.close()
        assert os.listdir(state) == [], os.listdir(state)
        assert not [c for c in children if os.path.exists(f"/proc/{c}")]


def measures_security():
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([KEYWAY, "bench", "security", "--seconds", "0.5", "--json", "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300, text=True)
        assert done.returncode == 0, done.stderr
        assert os.listdir(state) == [], os.listdir(state)
    report = json.loads(done.stdout)
    assert report["bench"] == "security" and len(report["rows"]) == 9 and {r["server"] for r in report["rows"]} == {"bare", "mef", "maf"}
    for r in report["rows"]:
        assert r["per_second"] > 0 and r["failures"] == 0, r
    assert report["key_registrations_per_second"] > 0 and report["key_registration_failures"] == 0, report


def main():
    for test in (prints_valid_json, measures_the_other_bindings, measures_a_plant, measures_many_devices, ends_when_interrupted, measures_security):
        test()
        print(f"{test.__name__}: ok")
    return 0


sys.exit(main())
