"""Dynamic authorisation between separate programs over TLS: keyway-cse asks keyway-das (direct), a client asks keyway-das and shows what it got
(indirect), tokens by their IDs, roles. And what must not work: no rule, an end that has passed, another's token, another audience, a DAS with another
certificate or none at all, answers that are old, another's, or another issuer's. TS-0003 clause 7.3.2."""
import http.client
import http.server
import json
import os
import ssl
import threading
import urllib.parse

from plant import Plant, Process, free_port, program, wait_for

DAS = "das.keyway.example"
ROLE = "reader@" + DAS


class Peer:
    """Somebody with a certificate of the plant."""
    number = 0

    def __init__(self, plant, name, identity=None):
        self.tls = os.path.join(plant.plant, "tls")
        if identity:
            plant.keyway("certificate", "issue", name, "--name", identity, "--ca", self.tls, plant=False)
        self.context = ssl.create_default_context(cafile=os.path.join(self.tls, "ca.pem"))
        self.context.check_hostname = False  # certificates name entities, not addresses; who signed them is checked
        self.context.load_cert_chain(os.path.join(self.tls, name + ".pem"), os.path.join(self.tls, name + ".key"))

    def ask(self, url, method, to, origin, body=None, headers=None):
        Peer.number += 1
        host, port = url.split("//")[1].split(":")
        h = {"X-M2M-Origin": origin, "X-M2M-RI": "d%d" % Peer.number, "X-M2M-RVI": "4", **(headers or {})}
        if body is not None:
            h["Content-Type"] = "application/json"
        c = http.client.HTTPSConnection(host, int(port), context=self.context, timeout=60)
        try:
            c.request(method, to, json.dumps(body) if body is not None else None, h)
            r = c.getresponse()
            text = r.read()
            return int(r.getheader("X-M2M-RSC", "0")), json.loads(text) if text else None, r.headers
        finally:
            c.close()


class Client(Peer):
    """An AE of /id-in, which reads."""

    def __init__(self, plant, name):
        super().__init__(plant, name, "m2m://keyway.example/id-in/" + name)
        self.name, self.url = name, next(c["url"] for c in plant.settings["cses"] if c["id"] == "/id-in")

    def get(self, name, token=None, **query):
        # another role each time, so that a refusal a moment ago does not spare the CSE the question
        query.setdefault("rids", "n%d@nowhere.example" % Peer.number)
        return self.ask(self.url, "GET", "/~/id-in/cse-in/%s?%s" % (name, urllib.parse.urlencode(query)), "/id-in/" + self.name, headers={"Authorization": token} if token else None)

    def reads(self, name, token=None, **query):
        return self.get(name, token, **query)[0]

    def question(self, name):
        rsc, body, _ = self.get(name, tqi="true")
        assert rsc == 4103, rsc
        return body["m2m:tqf"]["dasi"][0]


class FalseServer(http.server.ThreadingHTTPServer):
    """Answers every question with what it is told to, under somebody's certificate."""

    def __init__(self, port, tls, name):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                server.asked += 1
                body = json.dumps(server.answer).encode()
                self.send_response(200)
                for h, v in ("X-M2M-RSC", "2000"), ("X-M2M-RI", self.headers["X-M2M-RI"]), ("Content-Type", "application/json"), ("Content-Length", str(len(body))):
                    self.send_header(h, v)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *a):
                pass

        self.asked, self.answer = 0, {}
        super().__init__(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(tls, name + ".pem"), os.path.join(tls, name + ".key"))
        context.load_verify_locations(os.path.join(tls, "ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that does not like the certificate is no error."""

    def end(self):
        self.shutdown()
        self.server_close()


class Site:
    def __init__(self, plant):
        self.plant, self.port = plant, free_port()
        self.url = "https://127.0.0.1:%d" % self.port
        self.state = os.path.join(plant.dir, "das")
        self.tls = os.path.join(plant.plant, "tls")
        self.user, self.thief = Client(plant, "Cuser"), Client(plant, "Cthief")
        self.cse = Peer(plant, "in-cse")
        for name, identity in ("das-fqdn", DAS), ("evil", "evil.keyway.example"), ("signer", DAS):
            plant.keyway("certificate", "issue", name, "--name", identity, "--ca", self.tls, plant=False)
        self.write("das.ini", "[das]\nid = %s\nsp = keyway.example\nstate = %s\nlisten = 127.0.0.1:%d\n[tokens]\nkey = %s/signer.key\nkid = das1\n[tls]\nca = %s/ca.pem\ncert = %s/das-fqdn.pem\nkey = %s/das-fqdn.key\n"
                   % (DAS, self.state, self.port, *[self.tls] * 4))
        self.write("issuers", "verify das1 %s/signer.pem %s\n" % (self.tls, DAS))
        plant.configure("in-cse.ini", "[tls]", "[das]\nservers = %s %s\n[tokens]\nissuers = %s\n[tls]" % (self.url, DAS, os.path.join(plant.dir, "issuers")))

    def write(self, name, text):
        with open(os.path.join(self.plant.dir, name), "w") as f:
            f.write(text)

    def start(self, role, binary, config):
        p = self.plant.processes[role] = Process(self.plant, role, [program(binary), "--config", config])
        p.wait_line(" ready")
        return p

    def start_cse(self, ini="in-cse"):
        return self.start(ini, "keyway-cse", os.path.join(self.plant.plant, ini + ".ini"))

    def start_das(self):
        return self.start("das", "keyway-das", os.path.join(self.plant.dir, "das.ini"))

    def stop(self, role):
        p = self.plant.processes[role]
        p.popen.terminate()
        assert p.popen.wait(60) == 0, p.text()

    def das(self, *words, check=True):
        r = self.plant.keyway("das", *words, "--das", os.path.join(self.state, "admin.sock"), "--json", plant=False, check=check)
        return json.loads(r.stdout) if r.returncode == 0 else r

    def make(self, kind, **attributes):
        self.plant.keyway("create", "cse-in", "34" if kind == "dac" else kind, json.dumps({"m2m:" + kind: attributes}))

    def ri(self, name):
        return "/id-in/" + json.loads(self.plant.keyway("get", "cse-in/" + name, "--json").stdout)["m2m:cnt"]["ri"]

    def resources(self):
        own = {"acr": [{"acor": ["CAdmin"], "acop": 63}]}
        self.make("acp", rn="private", pv=own, pvs=own)
        self.make("acp", rn="readers", pv={"acr": own["acr"] + [{"acor": [ROLE], "acop": 2}]}, pvs=own)
        self.make("dac", rn="dac", dae=True, dap=[self.url])
        for name in "grant", "token", "other", "never":
            self.make("cnt", rn=name, acpi=["cse-in/private"], daci=["cse-in/dac"])
        for name in "roles", "shelf":
            self.make("cnt", rn=name, acpi=["cse-in/readers"], daci=["cse-in/dac"])

    def tell(self, peer, origin, dreq):
        return peer.ask(self.url, "POST", "/", origin, {"m2m:seci": {"sit": 1, "dreq": dreq}})


def direct(site):
    user = site.user
    assert user.reads("grant") == 4103
    site.das("allow", "/id-in/Cuser", site.ri("grant"), "RU", "--lifetime", "4")
    assert user.reads("grant") == 2000
    assert user.ask(user.url, "PUT", "/~/id-in/cse-in/grant", "/id-in/Cuser", {"m2m:cnt": {"lbl": ["x"]}})[0] == 2004
    # not for another, not for more, not for another resource
    assert site.thief.reads("grant") == 4103 and user.reads("other") == 4103
    assert user.ask(user.url, "DELETE", "/~/id-in/cse-in/grant", "/id-in/Cuser")[0] == 4103
    # it holds without the DAS, and not a moment longer than it says
    site.stop("das")
    wait_for("the grant to end", lambda: user.reads("grant") == 4103)
    site.start_das()
    assert user.reads("grant") == 2000
    # a token in the answer does the same
    site.das("allow", "/id-in/C*", site.ri("token"), "R", "--token", "--lifetime", "600")
    assert user.reads("token") == 2000 and site.thief.reads("other") == 4103
    site.stop("das")
    assert user.reads("token") == 2000 and site.thief.reads("token") == 4103
    site.start_das()
    assert [t["holder"] for t in site.das("tokens")["tokens"]] == ["/id-in/Cuser"]


def indirect(site):
    user, thief = site.user, site.thief
    # where to get it: asked for with the requests that a CSE which was just started has not seen
    site.stop("in-cse")
    site.start_cse()
    where = user.question("token")
    assert where["uri"] == site.url and where["dreq"]["or"] == "/id-in/Cuser", where
    rsc, body, _ = site.tell(user, "/id-in/Cuser", where["dreq"])
    assert rsc == 2000 and body["m2m:seci"]["sit"] == 2, (rsc, body)
    (token,) = body["m2m:seci"]["dres"]["tkns"]
    # nobody asks in another's name, and a CSE not about another's resources
    assert site.tell(thief, "/id-in/Cthief", where["dreq"])[0] == 4103
    assert site.tell(thief, "/id-in/Cuser", where["dreq"])[0] == 4106
    assert site.tell(site.cse, "/id-in", dict(where["dreq"], trid="/id-mn/x"))[0] == 4103
    # nor gets what no rule gives, or a grant where it should be a token
    assert site.tell(user, "/id-in/Cuser", user.question("never")["dreq"])[1]["m2m:seci"]["dres"] == {}
    assert site.tell(user, "/id-in/Cuser", dict(where["dreq"], trid=site.ri("grant")))[1]["m2m:seci"]["dres"] == {}
    site.stop("das")
    assert user.reads("token") == 4103
    assert user.reads("token", token) == 2000
    assert thief.reads("token", token) == 4103 and user.reads("other", token) == 4103
    assert user.reads("token", token[:-8] + "AAAAAAAA") == 4103
    site.start_das()
    return token


def by_name(site):
    """A token of a role, got for one resource, opens another by its ID alone."""
    user, thief = site.user, site.thief
    site.das("allow", "/id-in/Cuser", site.ri("roles"), "R", "--token", "--role", ROLE)
    assert ROLE in user.question("roles")["dreq"]["rfa"]
    (token,) = site.tell(user, "/id-in/Cuser", user.question("roles")["dreq"])[1]["m2m:seci"]["dres"]["tkns"]
    (id_,) = [t["token"] for t in site.das("tokens")["tokens"] if t["resource"] == site.ri("roles")]
    assert user.reads("shelf") == 4103
    rsc, _, headers = user.get("shelf", tids=id_)
    assert rsc == 2000
    local, assigned = headers["X-M2M-ATI"].split(":")
    assert assigned == id_
    # from now on it is known here; to whom it belongs, and when it is named
    site.stop("das")
    assert user.reads("shelf", tids=id_) == 2000 and user.reads("shelf", ltids=local) == 2000
    assert user.reads("shelf") == 4103 and thief.reads("shelf", tids=id_) == 4103 and thief.reads("shelf", ltids=local) == 4103
    site.start_das()
    assert thief.reads("shelf", tids=id_) == 4103
    # what the DAS forgot, nobody gets by its ID any more
    site.das("forget", id_)
    site.stop("in-cse")
    site.start_cse()
    assert user.reads("shelf", tids=id_) == 4103 and user.reads("shelf", token) == 2000


def elsewhere(site, token):
    """The same request at another CSE, for which the token is not."""
    mn = next(c["url"] for c in site.plant.settings["cses"] if c["id"] == "/id-mn")
    site.plant.configure("mn-cse.ini", "[tls]", "[tokens]\nissuers = %s\n[tls]" % os.path.join(site.plant.dir, "issuers"))
    site.start_cse("mn-cse").wait_line("registered")
    site.plant.keyway("create", "/id-mn/cse-mn", "cnt", json.dumps({"m2m:cnt": {"rn": "token"}}))
    assert site.user.ask(site.user.url, "GET", "/~/id-mn/cse-mn/token", "/id-in/Cuser", headers={"Authorization": token})[0] == 4103
    return mn


def impostors(site):
    """In the place of the DAS: another certificate; and the right one with wrong answers."""
    user, cse = site.user, site.cse
    dreq = lambda name, who="Cuser": {"or": "/id-in/" + who, "op": 2, "trt": 3, "trid": site.ri(name)}
    answer = lambda name, who="Cuser": site.tell(cse, "/id-in", dreq(name, who))[1]
    site.stop("in-cse")
    site.start_cse()
    good, old, thiefs = answer("token"), answer("grant"), answer("token", "Cthief")
    assert "pl" in old["m2m:seci"]["dres"]["dai"] and thiefs["m2m:seci"]["dres"]["tkns"]
    site.das("allow", "/id-in/Cuser", site.ri("never"), "R", "--token", "--lifetime", "2")
    passed = answer("never")
    site.stop("das")
    evil = FalseServer(site.port, site.tls, "evil")
    evil.answer = good
    assert user.reads("token") == 4103 and evil.asked == 0
    evil.end()
    false = FalseServer(site.port, site.tls, "das-fqdn")
    wait_for("the recorded grant to end", lambda: fails(site, false, "grant", old))
    wait_for("the recorded token to end", lambda: fails(site, false, "never", passed))
    grant = {"gp": {"acr": [{"acor": ["all"], "acop": 63}]}}
    for name, wrong in {
        "another holder's token": thiefs,
        "a token with another's signature": {"m2m:seci": {"sit": 2, "dres": {"tkns": [good["m2m:seci"]["dres"]["tkns"][0][:-8] + "AAAAAAAA"]}}},
        "a question": {"m2m:seci": {"sit": 1, "dres": {"dai": grant}}},
        "no kind": {"m2m:seci": {"dres": {"dai": grant}}},
        "a lifetime that is none": {"m2m:seci": {"sit": 2, "dres": {"dai": dict(grant, pl="soon")}}},
        "a lifetime that has passed": {"m2m:seci": {"sit": 2, "dres": {"dai": dict(grant, pl="20200101T000000")}}},
        "rules of another form": {"m2m:seci": {"sit": 2, "dres": {"dai": {"gp": {"acr": "all"}}}}},
        "nothing": {},
        "a list": [],
    }.items():
        assert fails(site, false, "token", wrong), name
    # the same way works with a good answer, so that each refusal above was the answer's
    false.answer = good
    assert user.reads("token") == 2000
    false.end()


def fails(site, server, name, answer):
    server.answer, before = answer, server.asked
    rsc = site.user.reads(name)
    assert server.asked == before + 1 or rsc == 2000
    return rsc == 4103


def issuer(site):
    """A key that the CSE takes tokens of, but not that DAS's: what it signs counts in requests, and not in the answer of another."""
    site.stop("in-cse")
    with open(os.path.join(site.plant.dir, "issuers"), "w") as f:
        f.write("verify das1 %s/signer.pem other.keyway.example\n" % site.tls)
    site.start_cse()
    site.start_das()
    assert site.user.reads("token") == 4103


def sealed(site):
    """Encrypted to the CSE, which alone opens it."""
    with open(os.path.join(site.plant.dir, "issuers"), "w") as f:
        f.write("verify das1 %s/signer.pem %s\nopen in %s/in-cse.key\n" % (site.tls, DAS, site.tls))
    site.write("recipients", "# whose tokens are encrypted\n/id-in in %s/in-cse.pem\n" % site.tls)
    with open(os.path.join(site.plant.dir, "das.ini")) as f:
        text = f.read().replace("kid = das1", "kid = das1\nrecipients = %s/recipients" % site.plant.dir)
    site.write("das.ini", text)
    for role in "in-cse", "das":
        site.stop(role)
    site.start_cse()
    site.start_das()
    for rule in site.das("list")["rules"]:
        site.das("remove", str(rule["rule"]))
    assert site.das("tokens")["tokens"] == [] and site.user.reads("token") == 4103
    site.das("allow", "/id-in/Cuser", "/id-in/*", "R", "--token")
    (token,) = site.tell(site.user, "/id-in/Cuser", site.user.question("token")["dreq"])[1]["m2m:seci"]["dres"]["tkns"]
    assert token.count(".") == 4, "JWE"
    assert site.user.reads("token", token) == 2000 and site.user.reads("other") == 2000 and site.thief.reads("token", token) == 4103
    site.stop("das")
    with open(os.path.join(site.state, "audit.log")) as f:
        text = f.read()
    assert '"token issued"' in text and '"granted"' in text and '"tokens allowed"' in text and token not in text
    assert token not in site.plant.processes["das"].text(True) and token not in site.plant.processes["in-cse"].text(True)


def commands(site):
    for words, message in ((("allow", "Cuser", "/id-in/x", "R"), "must begin"), (("allow", "/id-in/Cuser", "/id-in/x", "RX"), "letters"),
                           (("allow", "/id-in/Cuser", "/id-in/x", "R", "--lifetime", "99999999"), "longest_s"), (("remove", "4711"), "no such rule"),
                           (("forget", "x"), "no such token")):
        r = site.das(*words, check=False)
        assert not isinstance(r, dict) and r.returncode == 1 and message in r.stderr, (words, r)


if __name__ == "__main__":
    with Plant() as plant:
        site = Site(plant)
        site.start_cse()
        site.start_das()
        site.resources()
        commands(site)
        direct(site)
        token = indirect(site)
        by_name(site)
        elsewhere(site, token)
        impostors(site)
        issuer(site)
        sealed(site)
    print("dynamic authorisation: ok")
