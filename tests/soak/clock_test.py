"""The clock by which the soak compresses an hour: what reads it sees it run faster, what waits for it is woken in its time and not before, and without a rate
it is our own. The real time here is /proc/uptime's, which no library can preload."""
import json
import os
import subprocess
import sys
import time

LIBRARY, RATE, FROM = sys.argv[1], 20, int(time.time())

CHILD = """
import json, select, time

def up():
    with open("/proc/uptime") as f:
        return float(f.read().split()[0])

def timed(wait):
    began = time.monotonic()
    wait()
    return time.monotonic() - began

epoll, poll = select.epoll(), select.poll()
real, mine, wall = up(), time.monotonic(), time.time()
waits = {
    "sleep": timed(lambda: time.sleep(10)),
    "select": timed(lambda: select.select([], [], [], 10)),
    "poll": timed(lambda: poll.poll(10000)),
    "epoll": timed(lambda: epoll.poll(10)),
}
print(json.dumps({"waits": waits, "mine": time.monotonic() - mine, "wall": time.time() - wall, "real": up() - real, "now": time.time(), "zero": timed(lambda: poll.poll(0))}))
"""


def run(waits, **more):
    script = CHILD.replace("10000", str(waits * 1000)).replace("10)", "%d)" % waits)
    return json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300, env=dict(os.environ, **more)).stdout)


fast = run(10, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_RATE=str(RATE), KEYWAY_CLOCK_FROM=str(FROM))
for name, took in fast["waits"].items():
    assert 10 <= took < 150, (name, took)  # 200 would be ten of our seconds
assert fast["zero"] < 150, fast
# what lies between two looks at two clocks, on a machine that does other things too, is not much of all these seconds
assert RATE / 2 < fast["mine"] / fast["real"] < RATE * 2, fast
assert RATE / 2 < fast["wall"] / fast["real"] < RATE * 2, fast
again = run(1, LD_PRELOAD=LIBRARY, KEYWAY_CLOCK_RATE=str(RATE), KEYWAY_CLOCK_FROM=str(FROM))
assert again["now"] > fast["now"] > FROM, (again, fast)  # all programs have the same time
plain = run(1, LD_PRELOAD=LIBRARY)
assert 0.5 < plain["mine"] / plain["real"] < 2, plain
for name, took in plain["waits"].items():
    assert 1 <= took, (name, took)
print("a clock of our own")
