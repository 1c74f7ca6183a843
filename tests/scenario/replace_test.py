"""A broken device is replaced by another of the same role: applications find the same resources, with the same IDs, subscriptions, policies and instances; only what says who it is
is the new one's. What the new one does not have stays and says so."""
import http.server
import random
import threading

from plant import Plant, assert_no_counter_repeats, make_code, wait_for


class Application(http.server.BaseHTTPRequestHandler):
    told = []

    def do_POST(self):
        self.told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.send_header("X-M2M-RSC", "2000")
        self.send_header("X-M2M-RI", self.headers["X-M2M-RI"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=server.serve_forever, daemon=True).start()

with Plant(rate=10) as p:
    p.start_all()
    old, _, sensor = p.new_device("thermometer", "--sleepy")
    p.permit()
    p.wait_state(old, "verified")
    sensor.tell("temperature 11.0")
    p.wait_value(old, "tempe", "cod:tempe", "curT0", 11.0)
    wait_for("the interview to be over", lambda: p.state(old)["last_event"] == "interviewed")
    base = "/id-b/cse-b/zb-%s" % old

    def module(name, root):
        return p.get(base + "/" + name)[root]

    # what an application has there
    p.keyway("create", base, "cnt", "rn=log")
    p.keyway("create", base + "/log", "cin", "con=before")
    p.keyway("create", base + "/tempe", "sub", "rn=watch", 'nu=["http://127.0.0.1:%d/"]' % server.server_port, 'enc={"net":[1]}')
    was = {"device": p.get(base)["cod:deThr" if "cod:deThr" in p.get(base) else next(iter(p.get(base)))]["ri"], "tempe": module("tempe", "cod:tempe")["ri"],
           "watch": p.get(base + "/tempe/watch")["m2m:sub"]["ri"]}

    def replace(former, kind, power, process):
        new, code = "%016x" % (0x00124B0000000000 | random.getrandbits(40)), make_code()
        r = p.keyway("device", "replace", former, new, "-", stdin=code + "\n")
        assert "in the place of" in r.stdout, r.stdout
        wait_for("the former device to be gone", lambda: p.keyway("device", "show", former, check=False).returncode != 0)
        process.popen.kill()
        p.keyway("permit", "gw1", "600", new)
        _, _, device = p.new_device(kind, power, code=code, register=False, eui64=new)
        p.wait_state(new, "verified")
        wait_for("the interview to be over", lambda: p.state(new)["last_event"] == "interviewed")
        assert p.state(new)["replaces"] == old and p.state(new)["owner"] == "/id-b"
        return new, device

    r = p.keyway("device", "replace", "00124b00ffffffff", old, make_code(), check=False)
    assert r.returncode != 0 and "not registered" in r.stderr, r.stderr
    r = p.keyway("device", "replace", old, old, make_code(), check=False)
    assert r.returncode != 0 and "registered already" in r.stderr, r.stderr
    p.wait_state(old, "verified")

    new, sensor = replace(old, "thermometer", "--sleepy", sensor)
    sensor.tell("temperature 17.0")
    p.wait_value(old, "tempe", "cod:tempe", "curT0", 17.0)
    wait_for("the application to be told by its old subscription", lambda: any('"curT0":17' in t for t in Application.told))
    assert module("tempe", "cod:tempe")["ri"] == was["tempe"] and p.get(base + "/tempe/watch")["m2m:sub"]["ri"] == was["watch"]
    assert p.get(base + "/log/la")["m2m:cin"]["con"] == "before"
    wait_for("the link to be the new device's", lambda: next(iter(p.get(base).values()))["nl"].endswith("/node-" + new))
    device = next(iter(p.get(base).values()))
    assert device["ri"] == was["device"] and "eui64/" + new in device["lbl"] and "eui64/" + new in wait_for(
        "the labels", lambda: (lambda l: l if "eui64/" + new in l else None)(module("tempe", "cod:tempe")["lbl"]))
    assert p.get("/id-b/cse-b/node-%s/deviceInfo" % new)["m2m:dvi"]["dlb"] == new and p.get("/id-b/cse-b/node-" + old) is None
    assert p.get("/id-b/cse-b/zb-" + new) is None, "the new device has resources of its own as well"
    print("replaced: same resources, new device")

    # survives restarts, and is replaced once more, by one that does not measure temperature
    for role in ("mef", "node-b"):
        p.processes[role].kill()
        p.processes[role].start()
        p.processes[role].wait_line(" ready")
    sensor.tell("temperature 18.0")
    p.wait_value(old, "tempe", "cod:tempe", "curT0", 18.0)
    third, contact = replace(new, "contact", "--always-on", sensor)
    wait_for("what is not served to say so", lambda: "replacement/not-served" in module("tempe", "cod:tempe")["lbl"])
    assert module("tempe", "cod:tempe")["ri"] == was["tempe"] and module("tempe", "cod:tempe")["curT0"] == 18.0
    contact.tell("open")
    p.wait_value(old, "dooSs", "cod:dooSs", "dooSe", 2)
    assert "does not serve a resource" in p.processes["node-b"].text()
    wait_for("the class to be told", lambda: "replacement/other-class" in next(iter(p.get(base).values()))["lbl"])
    print("what does not fit stays and says so")

    p.keyway("device", "remove", third)
    wait_for("all of it to be gone", lambda: p.get(base) is None)
    print("%d frame counters, none twice" % assert_no_counter_repeats(p.pcap))
