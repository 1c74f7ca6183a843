"""`keyway demo --once` ends well, and an independent reader (tshark) sees just what it should: nothing without keys, everything with them."""
import json
import os
import subprocess
import tempfile

from plant import program, tshark

with tempfile.TemporaryDirectory(prefix="keyway-demo-") as d:
    out, keys = os.path.join(d, "out"), os.path.join(d, "keys")
    r = subprocess.run([program("keyway"), "demo", "--once", "--out", out, "--export-keys", keys], capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stdout + r.stderr
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    assert summary["success"] and summary["plugSwitched"] and summary["framesOnAir"] > 100, summary
    assert len(summary["devices"]) == 3 and all(x["enrolled"] and x["reading"] is not None for x in summary["devices"]), summary
    with open(os.path.join(out, "pids.json")) as f:
        pids = json.load(f)
    for role in ("mef", "in-cse", "mn-cse", "node-b", "gateway", "air", "rcp", "device-1", "device-2", "device-3"):
        assert pids[role] > 0, role
    pcap = os.path.join(out, "factory.pcap")
    # without keys: no payload above the NWK layer is readable once a device has its key
    assert not tshark(pcap, None, "zbee_zcl || zbee_zdp || zbee_aps.cmd.key")
    sealed = tshark(pcap, None, "zbee_nwk.security == 1")
    assert len(sealed) > 30, "too few sealed frames to show anything"
    # with keys: every sealed frame opens with a right integrity code, nothing is malformed
    assert not tshark(pcap, keys, "_ws.malformed")
    assert len(tshark(pcap, keys, "zbee_nwk.security == 1 && zbee.sec.key")) == len(sealed)
    assert not tshark(pcap, keys, "zbee_sec.encrypted_payload"), "a frame stayed closed"
    transports = tshark(pcap, keys, "zbee_aps.cmd.id == 5 && zbee_aps.cmd.key", "zbee_aps.cmd.key_type")
    assert len([t for t in transports if t.strip().startswith("0x01")]) >= 3, transports
    assert len([t for t in transports if t.strip().startswith("0x04")]) >= 3, transports
    assert len(tshark(pcap, keys, "zbee_zcl.cmd.id == 0x0a")) >= 2, "no ZCL report was decrypted"
    # and with wrong keys nothing opens: the check above can fail
    with open(os.path.join(d, "wrong"), "w") as f:
        f.write('"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF","Normal","wrong"\n')
        # ZigBeeAlliance09, under which an ordinary network hands out its key
        f.write('"5A:69:67:42:65:65:41:6C:6C:69:61:6E:63:65:30:39","Normal","well-known"\n')
    assert not tshark(pcap, os.path.join(d, "wrong"), "zbee_zcl || zbee_zdp || zbee_aps.cmd.key")
    print("3 devices, %d frames, %d sealed" % (summary["framesOnAir"], len(sealed)))
