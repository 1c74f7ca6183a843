"""Packages of npm for the interop tests, and a Node.js to run them."""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(os.environ["KEYWAY_BUILD"], "tests", "interop")


def new_enough(node):
    """Whether zigbee-on-host runs on it: it asks for ^20.19.0 || >=22.12.0."""
    try:
        r = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    m = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\s*", r.stdout)
    version = (int(m.group(1)), int(m.group(2))) if m else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def install():
    """Puts the packages that package-lock.json names, checked against its hashes, into the build folder; once, until the lock file changes. Returns the
    Node.js to use: the system's, or where that is too old (Debian 12 has 18) the optional package that carries one. Raises when npm fails."""
    node = shutil.which("node")
    own = not (node and new_enough(node))
    with open(os.path.join(HERE, "package-lock.json"), "rb") as f:
        wanted = "%s own-node=%s\n" % (hashlib.sha256(f.read()).hexdigest(), own)
    os.makedirs(WORK, exist_ok=True)
    stamp = os.path.join(WORK, "installed")
    with open(os.path.join(WORK, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("package.json", "package-lock.json", "zoh_coordinator.mjs", "ws_client.mjs", "coap_client.mjs", "s2_device.mjs"):  # beside node_modules, where import looks for it
            shutil.copy(os.path.join(HERE, name), WORK)
        if not os.path.exists(stamp) or open(stamp).read() != wanted:
            with contextlib.suppress(FileNotFoundError):
                os.remove(stamp)
            argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"] + ([] if own else ["--omit=optional"])
            subprocess.run(argv, cwd=WORK, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=400)
            with open(stamp, "w") as f:
                f.write(wanted)
    if own:
        # npm takes only the package that is for this machine; older npm makes no link to it in .bin when it ignores scripts
        node = next(iter(glob.glob(os.path.join(WORK, "node_modules", "node-linux-*", "bin", "node"))), None)
        assert node and new_enough(node), "the system's Node.js is too old and there is no package with a newer one for this machine"
    return node
