"""README, "A plant of your own", copied and run: in a folder with a blank in its name, with other ports and without the serial line, and nothing else changed. The
device joins, the lines of "Ten minutes" that ask a plant find it, and so do those of docs/howto.md that need nothing else."""
import os
import re
import select
import signal
import subprocess
import sys

from plant import PATIENCE, Plant, free_port, program, wait_for

SOURCE = sys.argv[1]
PROGRAMS = ("keyway", "keyway-mef", "keyway-maf", "keyway-das", "keyway-hss", "keyway-cse", "keyway-gateway", "keyway-sim")


def blocks(heading, page="README.md"):
    with open(os.path.join(SOURCE, page)) as f:
        body = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % heading, f.read(), re.M | re.S).group(1)
    return re.findall(r"^```sh\n(.*?)^```", body, re.M | re.S)


def replace(text, old, new):
    assert old in text, "README has no `%s` any more" % old
    return text.replace(old, new)


with Plant() as p:
    base = int(re.search(r":(\d+)$", p.settings["cses"][0]["url"]).group(1)) - 3
    folder = os.path.join(p.dir, "my plants")
    os.mkdir(folder)
    path = ":".join(os.path.dirname(program(name)) for name in PROGRAMS)
    env = {k: v for k, v in os.environ.items() if not k.startswith("KEYWAY_")}
    env["PATH"] = path + ":" + env["PATH"]

    servers, radio = blocks("A plant of your own")
    asking = [line for line in blocks("Ten minutes")[1].splitlines() if re.match(r"keyway (status|discover|get) ", line + " ") and "/binSh" not in line]
    assert len(asking) == 3, asking
    servers = replace(servers, "keyway init plant --radio serial:/dev/ttyACM0", "keyway init plant --base-port %d" % base)
    air = "127.0.0.1:%d" % free_port()
    radio = replace(radio, "127.0.0.1:9447", "127.0.0.1:%d" % (base + 7))
    radio = replace(replace(replace(radio, "sim air", "sim air --listen " + air), "sim rcp", "sim rcp --air " + air), "sim device", "sim device --air " + air)
    lines = len((servers + radio).splitlines() + asking)
    log = open(os.path.join(folder, "log"), "w")
    # the device's line is the last, and stays in front as it would in a terminal
    over, held = os.pipe()  # held by all of them: its end says that the last one is gone
    shell = subprocess.Popen(["bash", "-e", "-c", servers + radio], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=[held])
    os.close(held)
    try:
        def joined():
            with open(log.name) as f:
                text = f.read()
            assert shell.poll() is None, text
            return '"event":"commissioned"' in text
        wait_for("the device to join", joined)
        env["KEYWAY_PLANT"] = os.path.join(folder, "plant")

        def ask(line):
            return subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE)
        wait_for("its temperature", lambda: "curT0" in ask(asking[2]).stdout)
        status, found = ask(asking[0]), ask(asking[1])
        assert status.returncode == 0 and status.stdout and "zb-00124b0001020304/tempe" in found.stdout, (status, found)
        # applications, operation: as they stand there, but for those that wait for more than there is
        tasks = [blocks(heading, "docs/howto.md")[0] for heading in ("Certificates", "Back up and restore", "See how it does")]
        tasks += ["\n".join(line for line in blocks("Read, write, watch", "docs/howto.md")[0].splitlines() if "/binSh" not in line and "keyway watch" not in line),
                  replace(blocks("Read, write, watch", "docs/howto.md")[1], "9443", str(base + 3)).replace("curl ", "curl -sSf "),
                  "\n".join(line for line in blocks("Add a device", "docs/howto.md")[0].splitlines() if "device add" not in line)]
        for task in tasks:
            r = subprocess.run(["bash", "-e", "-c", task], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE)
            assert r.returncode == 0 and r.stdout, (task, r)
            lines += len(task.splitlines())
        assert len(os.listdir(os.path.join(folder, "backup", os.listdir(os.path.join(folder, "backup"))[0]))) == 4
    except BaseException:
        with open(log.name) as f:
            print(f.read()[-6000:], file=sys.stderr)
        raise
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()
        assert select.select([over], [], [], PATIENCE)[0] and os.read(over, 1) == b"", "some of the plant goes on"
        log.close()
    print("%d lines, copied and run" % lines)
