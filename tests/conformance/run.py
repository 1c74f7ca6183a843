#!/usr/bin/env python3
"""Conformance checks of a oneM2M CSE over HTTP, CoAP, MQTT or WebSocket, in JSON, XML or CBOR. See README.md beside this file.

Ends with one line "N passed, N failed, N skipped" and with status 0 only if nothing failed."""
import argparse
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from conformance import check, client, coap_client, mqtt_client, server, tables, ws_client  # noqa: E402

BINDINGS = {"http": client, "coap": coap_client, "mqtt": mqtt_client, "ws": ws_client}
REGISTRATION = 10  # seconds until two CSEs that have just started know each other


def find_program(build):
    path = os.path.join(build, "src", "programs", "keyway-cse", "keyway-cse")
    if not os.access(path, os.X_OK):
        sys.exit("no %s: build first, or name a running CSE with --url" % path)
    return path


def register_mn(world, url):
    """Waits until the CSE under test knows the MN-CSE at url."""
    mn = check.World(url, admin=world.admin, receiver=world.receiver, tables=world.tables, transport=world.transport)
    for _ in range(3):
        try:
            mn.learn("cse-mn")
            break
        except mqtt_client.Silence:  # what is published before it listens at the broker is lost
            pass
    else:
        mn.learn("cse-mn")
    end = time.monotonic() + REGISTRATION
    while time.monotonic() < end:
        r = world.client.request("R", world.rn, fr=world.admin, query=[("fu", 1), ("ty", 16), ("csi", mn.csi)])
        if r.rsc == 2000 and r.rep:
            world.mn = mn
            return
        time.sleep(0.05)
    world.mn_trouble = "the MN-CSE did not register with the CSE under test within %d s" % REGISTRATION


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--url", help="a running CSE; without it one is started from the build directory")
    p.add_argument("--binding", choices=sorted(BINDINGS), default="http", help="speak with the CSE by this binding (default %(default)s)")
    p.add_argument("--http-url", help="with another binding: where the CSE takes the commands of an upper tester")
    p.add_argument("--mn-url", help="a running MN-CSE that is registered with it (groups ANN and RET)")
    p.add_argument("--cse-name", default="cse-in", help="resource name of the CSEBase (default %(default)s)")
    p.add_argument("--admin", default="CAdmin", help="an originator with full access (default %(default)s)")
    p.add_argument("--serialization", choices=("json", "xml", "cbor"), default="json", help="in which the CSE under test is spoken to (default %(default)s)")
    p.add_argument("--group", action="append", metavar="G", help="only this group; may be repeated")
    p.add_argument("--without", action="append", metavar="G", help="not this group; may be repeated")
    p.add_argument("--match", metavar="TEXT", help="only checks with this text in their name")
    p.add_argument("--sample", type=int, metavar="N", help="every Nth check of each group, and none that waits for a clock: a quick look")
    p.add_argument("--clock", choices=("only", "without"), help="only the checks that wait for a clock, or all others")
    p.add_argument("--json", metavar="FILE", help="write the report as JSON, - for standard output")
    p.add_argument("--list", action="store_true", help="list the checks and run none")
    p.add_argument("--tables", metavar="DIR", default=os.environ.get("KEYWAY_TABLES"), help="directory of the attribute tables (default: the tree's)")
    p.add_argument("--build", default=os.environ.get("KEYWAY_BUILD", os.path.join(HERE, "..", "..", "build")), help="build directory")
    p.add_argument("--threads", type=int, default=12, help="checks side by side (default %(default)s)")
    p.add_argument("-v", action="store_true", help="tell every check, with what was expected and got")
    a = p.parse_args()

    tables.load(a.tables)
    import groups
    groups.load()
    checks = check.CHECKS
    for g in (a.group or []) + (a.without or []):
        if g not in check.GROUPS:
            p.error("no group %s; there are %s" % (g, " ".join(check.GROUPS)))
    checks = [c for c in checks if (not a.group or c.group in a.group) and c.group not in (a.without or []) and (not a.match or a.match in c.name)]
    if a.clock:
        checks = [c for c in checks if c.slow == (a.clock == "only")]
    if a.sample:
        quick = [c for c in checks if not c.slow]
        checks = [c for g in check.GROUPS for c in [c for c in quick if c.group == g][::a.sample]]
    if a.list:
        for c in checks:
            print("%-5s %s" % (c.group, c.name))
        print("%d checks" % len(checks))
        return 0

    servers, begin, crashed, broker = [], time.monotonic(), False, None
    try:
        url, mn_url, http_url = a.url, a.mn_url, a.http_url
        transport, words = BINDINGS[a.binding], ()
        address = lambda s, part: s.at(a.binding)  # noqa: E731
        if a.binding == "coap":
            words = ("--coap-port", "0")
        elif a.binding == "mqtt":
            broker = None if url else mqtt_client.Broker()
            mqtt_client.Receiver.url = url or broker.url
            words = () if url else ("--mqtt", broker.url)
            address = lambda s, part: "%s/%s" % (broker.url, part)  # noqa: E731
        if not url:
            program = find_program(a.build)
            servers.append(server.Server(program, *words))
            if broker:  # which drops what is for those that it does not know yet
                servers[0].until("mqtt connected")
            url, http_url = address(servers[0], "id-in"), servers[0].url
        world = check.World(url, admin=a.admin, tables=tables, transport=transport, http_url=http_url, serialization=a.serialization).learn(a.cse_name)
        if not mn_url and servers and any("mn" in c.needs for c in checks):
            servers.append(server.Server(program, "--type", "mn", "--cse-id", "/id-mn", "--cse-name", "cse-mn", "--registrar",
                                         broker.url if broker else url, *words))
            mn_url = address(servers[1], "id-mn")
        if mn_url:
            register_mn(world, mn_url)
        if world.ut and any("expiry" in c.needs for c in checks):
            world.tester("enableShortResourceExpiration 1")

        def tell(o):
            if a.v or o.verdict in ("fail", "error"):
                print("%-14s %-5s %s%s" % (o.verdict, o.check.group, o.check.name, "\n        " + o.text if o.text else ""), flush=True)
        outcomes = check.run_all(world, checks, a.threads, tell)
        if world.ut:
            world.tester("disableShortResourceExpiration")
    except check.NotPrepared as e:
        sys.exit(str(e))
    finally:
        for s in reversed(servers):
            crashed |= s.stop() is not None
        if broker:
            broker.remove()
    total, by_group = check.summary(outcomes)
    seconds = time.monotonic() - begin
    order = [g for g in check.GROUPS if g in by_group]
    for g in order:
        n = by_group[g]
        print("%-5s %5d pass %5d fail %5d error %5d not applicable   %s" % (g, n["pass"], n["fail"], n["error"], n["not-applicable"], check.GROUPS[g]))
    print("%d checks in %.1f s" % (len(outcomes), seconds))
    if crashed:
        print("the CSE under test did not survive")
    if a.json:
        report = {"cse": {"url": url, "csi": world.csi, "rn": world.rn, "srv": world.base.get("srv")}, "seconds": round(seconds, 3), "survived": not crashed,
                  "summary": {v: total[v] for v in ("pass", "fail", "error", "not-applicable")}, "groups": {g: dict(by_group[g]) for g in order},
                  "checks": [{"group": o.check.group, "rule": o.check.rule, "clause": o.check.clause, "outcome": o.verdict, "text": o.text,
                              "seconds": round(o.seconds, 4)} for o in sorted(outcomes, key=lambda o: (o.check.group, o.check.rule))]}
        text = json.dumps(report, indent=1)
        if a.json == "-":
            print(text)
        else:
            with open(a.json, "w") as f:
                f.write(text + "\n")
    failed = total["fail"] + total["error"] + crashed
    print("%d passed, %d failed, %d skipped" % (total["pass"], failed, total["not-applicable"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
