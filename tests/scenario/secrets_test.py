"""The whole memory of the running gateway and of the IN- and MN-CSE holds no install code, link key or network key, in either octet order. The same search finds
the network key in node B, and the install code in the MEF's device: so the search can find."""
import os

from plant import Plant, key_values


def memory(pid):
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or "[vvar]" in line or "[vsyscall]" in line:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError):
                continue


def found(pid, needle):
    return any(needle in chunk or needle[::-1] in chunk for chunk in memory(pid))


with Plant() as p:
    p.start_all()
    devices = [p.new_device("thermometer", "--sleepy"), p.new_device("plug"), p.new_device("contact", "--sleepy")]
    p.permit()
    for eui64, _, _ in devices:
        p.wait_state(eui64, "verified")
    p.wait_value(devices[0][0], "tempe", "cod:tempe", "curT0")
    p.wait_value(devices[1][0], "binSh", "cod:binSh", "state")
    keys = key_values(p.export_keys([code for _, code, _ in devices]))
    networks = [k for label, k in keys if label.startswith("network")]
    links = [k for label, k in keys if label.startswith("link")]
    assert len(networks) == 3 and len(links) == 6, keys
    secrets = [bytes.fromhex(code) for _, code, _ in devices] + [bytes.fromhex(code)[:16] for _, code, _ in devices] + networks + links
    for role in ("gateway", "in-cse", "mn-cse", "rcp", "air"):
        for s in secrets:
            assert not found(p.processes[role].popen.pid, s), "%s holds a key" % role
    node_b = p.processes["node-b"].popen.pid
    for s in networks:
        assert found(node_b, s), "the search does not find the network key in node B: it proves nothing"
    for s in links + [bytes.fromhex(code)[:16] for _, code, _ in devices]:
        assert not found(node_b, s), "node B holds a link key or an install code"
    # nor does anything that gateway and infrastructure keep on disk
    for folder in ("gateway", "in-cse", "mn-cse"):
        files = [os.path.join(root, name) for root, _, names in os.walk(os.path.join(p.plant, folder)) for name in names]
        assert files, folder
        for path in files:
            with open(path, "rb") as f:
                octets = f.read()
            for s in secrets:
                assert s not in octets and s[::-1] not in octets and s.hex().encode() not in octets.lower(), "%s holds a key" % path
    # nor do logs and audit hold any of it
    for root, _, files in os.walk(p.dir):
        for name in files:
            if name.endswith(".log"):
                with open(os.path.join(root, name), "rb") as f:
                    text = f.read().lower()
                for s in secrets:
                    assert s.hex().encode() not in text and s not in text, "%s holds a secret" % name
    print("%d secrets searched in 5 processes" % len(secrets))
