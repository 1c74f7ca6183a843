"""The clock by which the soak compresses an hour: what reads it sees it run faster, what waits for it is woken in its time and not before, it stands still for
a program that is busy, and without a page it is our own. The real time here is /proc/uptime's, which no library can preload."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

LIBRARY, KEEPER, RATE = sys.argv[1], sys.argv[2], 20

CHILD = """
import json, select, time

def up():
    with open("/proc/uptime") as f:
        return float(f.read().split()[0])

def timed(wait):
    began = time.monotonic()
    wait()
    return time.monotonic() - began

def busy():
    end = time.process_time() + 1
    while time.process_time() < end:
        pass

epoll, poll = select.epoll(), select.poll()
real, mine, wall = up(), time.monotonic(), time.time()
waits = {
    "sleep": timed(lambda: time.sleep(WAIT)),
    "poll": timed(lambda: poll.poll(WAIT * 1000)),
    "epoll": timed(lambda: epoll.poll(WAIT)),
}
print(json.dumps({"waits": waits, "mine": time.monotonic() - mine, "wall": time.time() - wall, "real": up() - real, "now": time.time(), "busy": timed(busy)}))
"""


def run(waits, **more):
    return json.loads(subprocess.run([sys.executable, "-c", CHILD.replace("WAIT", str(waits))], capture_output=True, text=True, check=True, timeout=300, env=dict(os.environ, **more)).stdout)


with tempfile.TemporaryDirectory() as folder:
    page = os.path.join(folder, "page")
    keeper = subprocess.Popen([KEEPER, page, str(RATE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert keeper.stdout.readline() == b"ready\n"
    began = time.time()
    fast = run(20, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_PAGE=page)
    again = run(1, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_PAGE=page)
    halted = subprocess.Popen([sys.executable, "-c", "import time; print('there', flush=True); time.sleep(3)"], stdout=subprocess.PIPE,
                              env=dict(os.environ, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_PAGE=page))
    assert halted.stdout.readline() == b"there\n"
    halted.send_signal(signal.SIGSTOP)
    run(4, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_PAGE=page)  # longer than the other waits: who is stopped holds up nobody's clock
    assert halted.poll() is None
    halted.send_signal(signal.SIGCONT)
    assert halted.wait(60) == 0
    keeper.stdin.close()
    assert keeper.wait(30) == 0
for name, took in fast["waits"].items():
    assert 20 <= took < 100, (name, took)
assert fast["mine"] / fast["real"] > 2, fast     # 20 on a machine that does nothing else
assert abs(fast["mine"] - fast["wall"]) < 1, fast
assert fast["busy"] < RATE / 2, fast             # a second of work would be 20 of it
assert again["now"] > fast["now"] > began, (again, fast)  # all programs have the same time
plain = run(1, LD_PRELOAD=LIBRARY)
assert 0.5 < plain["mine"] / plain["real"] < 2, plain
for name, took in plain["waits"].items():
    assert 1 <= took, (name, took)
print("a clock of our own; a second of work took", round(fast["busy"], 2), "s of it")
