"""No object of Zigbee security, and no key code, is linked into keyway-gateway. The same check finds them in keyway-mef, keyway-cse and keyway-sim, so it can find."""
import re
import subprocess
import sys

from plant import program

FORBIDDEN = re.compile(r"\b(nwk_seal|nwk_open|aps_seal|aps_open|aps_open_set|security_seal|security_open|ccm_star_seal|ccm_star_open|mmo_hash|mmo_hmac|"
                       r"install_code_parse|install_code_link_key|link_key_transport|link_key_load|secret_take|secret_octets|secret_aes128|secret_unseal)\b")


def symbols(path):
    return set(FORBIDDEN.findall(subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout))


def needed(path):
    return re.findall(r"NEEDED.*\[(.+?)\]", subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout)


gateway = program("keyway-gateway")
assert not symbols(gateway), symbols(gateway)
assert not [n for n in needed(gateway) if "nettle" in n or "hogweed" in n], needed(gateway)
for name in ("keyway-mef", "keyway-cse", "keyway-sim"):
    assert len(symbols(program(name))) >= 4, (name, symbols(program(name)))
assert [n for n in needed(program("keyway-mef")) if "nettle" in n]
headers = subprocess.run(["ninja", "-C", sys.argv[1], "-t", "deps"], capture_output=True, text=True, check=True).stdout
current = ""
seen_gateway = 0
for line in headers.splitlines():
    if not line.startswith(" "):
        current = line.split(":")[0]
    elif "gateway/" in current and current.startswith("src/"):
        seen_gateway += 1
        assert not re.search(r"src/(zigbee/security|zwave|crypto|keys)/", line), (current, line)
assert seen_gateway > 50, "no header dependencies were seen: nothing was shown"
print("keyway-gateway: none of %d symbols" % len(FORBIDDEN.pattern.split("|")))
