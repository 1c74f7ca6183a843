"""The watch over how programs end bites: a test that has seen all that it wanted fails all the same when a program of ours crashed, or did not end well (see ends.py)."""
import os
import subprocess
import sys
import tempfile

# What a test does with a program: starts it, waits until it is there, does something to it, and goes home.
TEST = """
import signal, subprocess, sys
import ends
with open(sys.argv[1] + ".log", "w") as log:
    p = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
assert p.stdout.readline() == b"ready\\n"
%s
print("all was seen")
"""
# what the program does, what the test does, what is said of it in the end; None: nothing, and the test is good
CASES = [
    ("echo ready; read line", "p.stdin.close(); p.wait()", None),
    ("trap 'exit 0' TERM; echo ready; while true; do sleep 0.01; done", "p.terminate(); p.wait()", None),
    ("trap 'exit 0' TERM; echo ready; while true; do sleep 0.01; done", "", None),  # it is ended for the test
    ("echo ready; read line", "p.kill(); p.wait()", None),
    ("echo ready; read line; exit 3", "p.stdin.close(); p.wait()", None),  # a refusal, which is for the test to judge
    ("echo last words >&2; echo ready; kill -SEGV $$", "p.wait()", "keyway-cse crashed: SIGSEGV"),
    ("echo last words >&2; echo ready; kill -ABRT $$", "p.stdout.read()", "keyway-cse crashed: SIGABRT"),
    ("trap 'echo last words >&2; trap - BUS; kill -BUS $$' TERM; echo ready; while true; do sleep 0.01; done", "p.terminate()", "keyway-cse crashed: SIGBUS"),
    ("trap 'echo last words >&2; exit 3' TERM; echo ready; while true; do sleep 0.01; done", "p.terminate(); p.wait()", "ended with status 3"),
    ("echo last words >&2; echo ready; read line", "p.terminate(); p.wait()", "ended by SIGTERM"),
    ("trap '' TERM; echo last words >&2; echo ready; while true; do sleep 0.01; done", "ends.END_S = 0.5", "has not 0.5 s later"),
]

with tempfile.TemporaryDirectory(prefix="keyway-ends-") as d:
    path = os.path.join(d, "keyway-cse")
    for does, test, said in CASES:
        with open(path, "w") as f:
            f.write("#!/bin/sh\n%s\n" % does)
        os.chmod(path, 0o700)
        r = subprocess.run([sys.executable, "-c", TEST % test, path], capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))})
        assert "all was seen" in r.stdout, (does, r)
        if said is None:
            assert r.returncode == 0 and r.stderr == "", (does, test, r)
        else:
            assert r.returncode == 1 and said in r.stderr and "last words" in r.stderr, (does, test, r)
print("%d ends judged" % len(CASES))
