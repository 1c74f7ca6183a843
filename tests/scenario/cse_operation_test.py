"""keyway-cse as an operator meets it: health and metrics, a configuration of its own, and what it refuses to start with."""
import http.client
import json
import os
import re
import subprocess
import tempfile

from cse import ADMIN, Cse
from plant import PATIENCE, program


def ask(port, path, method="GET", headers=None, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    c.request(method, path, body, headers or {})
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r, text


def onem2m(port, method, path, originator, ty=None, content=None):
    headers = {"X-M2M-Origin": originator, "X-M2M-RI": "1", "X-M2M-RVI": "3"}
    if content is not None:
        headers["Content-Type"] = "application/json" + (";ty=%d" % ty if ty else "")
    r, text = ask(port, path, method, headers, None if content is None else json.dumps(content))
    return int(r.headers["X-M2M-RSC"]), json.loads(text) if text else None


def metrics(port):
    r, text = ask(port, "/metrics")
    assert r.status == 200 and r.headers["Content-Type"].startswith("text/plain"), (r.status, r.headers)
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) keyway_cse_[a-z_]+ .+", line), line
        else:
            name, value = line.split(" ")
            assert name not in values, name
            values[name] = int(value)
    return values


def health_and_metrics(folder):
    with Cse(os.path.join(folder, "a"), "--admin-port", "0") as cse:
        r, text = ask(cse.admin_port, "/health")
        assert r.status == 200 and json.loads(text)["status"] == "ok", (r.status, text)
        before = metrics(cse.admin_port)
        assert onem2m(cse.port, "POST", "/cse-in", ADMIN, 3, {"m2m:cnt": {"rn": "c"}})[0] == 2001
        assert onem2m(cse.port, "GET", "/cse-in/c", "Cnobody")[0] == 4103
        after = metrics(cse.admin_port)
        for name, more in (("requests_total", 2), ("created_total", 1), ("refused_total", 1), ("resources", 1)):
            assert after["keyway_cse_" + name] == before["keyway_cse_" + name] + more, (name, before, after)
        assert ask(cse.admin_port, "/health", "POST")[0].status == 405
        assert ask(cse.admin_port, "/cse-in")[0].status == 404
    print("health and metrics")


def own_configuration(folder):
    path = os.path.join(folder, "own.ini")
    with open(path, "w") as f:
        f.write("[cse]\ntype = in\nid = /id-own\nname = base\nsp = own.example\nresource_id = base-7\nadmin = CBoss\nstate = %s\nae_originators = Cgood*\nopen_create = 1\n"
                "releases = 3\nmax_expiration_s = 100\n[http]\nlisten = 127.0.0.1:0\n" % os.path.join(folder, "own"))
    popen = subprocess.Popen([program("keyway-cse"), "--config", path], stderr=subprocess.PIPE, text=True)
    try:
        for line in popen.stderr:
            ready = re.search(r" ready .*http=(\d+)", line)
            if ready:
                break
        port = int(ready.group(1))
        rsc, base = onem2m(port, "GET", "/base", "CBoss")
        assert rsc == 2000 and base["m2m:cb"]["csi"] == "/id-own" and base["m2m:cb"]["srv"] == ["3"], base
        assert base["m2m:cb"]["ri"] == "base-7" and onem2m(port, "GET", "/base-7", "CBoss")[0] == 2000, base
        assert onem2m(port, "GET", "/_/own.example/id-own/base", "CBoss")[0] == 2000
        ae = {"m2m:ae": {"api": "Nx", "rr": False, "srv": ["3"]}}
        assert onem2m(port, "POST", "/base", "Cbad1", 2, ae)[0] == 4126
        rsc, made = onem2m(port, "POST", "/base", "Cgood1", 2, ae)
        assert rsc == 2001 and made["m2m:ae"]["et"] < "2999", made
        policy = {"m2m:acp": {"pv": {"acr": []}, "pvs": {"acr": [{"acor": ["Cgood1"], "acop": 63}]}}}
        assert onem2m(port, "POST", "/base", "Cgood1", 1, policy)[0] == 2001
        assert onem2m(port, "POST", "/base", "Cgood1", 3, {"m2m:cnt": {}})[0] == 4103
        r, _ = ask(port, "/base", headers={"X-M2M-Origin": "CBoss", "X-M2M-RI": "1", "X-M2M-RVI": "4"})
        assert r.headers["X-M2M-RSC"] == "4001"
    finally:
        popen.terminate()
        popen.stderr.read()
        assert popen.wait(PATIENCE) == 0
    print("a configuration of its own")


def refusals(folder):
    for options, words in (
            (["--type", "xn"], "xn"), (["--cse-id", "id-in"], "id-in"), (["--port", "70000"], "70000"), (["--nonsense"], "nonsense"), (["more"], "more"),
            (["--config", os.path.join(folder, "absent.ini")], "absent.ini")):
        r = subprocess.run([program("keyway-cse"), "--ephemeral", *options], capture_output=True, text=True, timeout=PATIENCE)
        assert r.returncode != 0 and words in r.stderr, (options, r.returncode, r.stderr)
    for section, words in (("resource_id = a/b\n", "resource_id"), ("background_window = at night\n", "background_window"), ("[http]\nlisten = 0.0.0.0:0\n", "loopback"), ("[http]\nlisten = 127.0.0.1:0\n[admin]\nlisten = 0.0.0.0:0\n", "loopback"), ("[https]\nlisten = 127.0.0.1:0\n", "[tls]")):
        path = os.path.join(folder, "weak.ini")
        with open(path, "w") as f:
            f.write("[cse]\ntype = in\nid = /id-in\nname = cse-in\nstate = %s\n%s" % (os.path.join(folder, "weak"), section))
        r = subprocess.run([program("keyway-cse"), "--config", path], capture_output=True, text=True, timeout=PATIENCE)
        assert r.returncode != 0 and words in r.stderr, (section, r.returncode, r.stderr)
    print("refused with advice: wrong options, weak configurations")


with tempfile.TemporaryDirectory(prefix="keyway-scenario-") as folder:
    health_and_metrics(folder)
    own_configuration(folder)
    refusals(folder)
