"""Starts the CSE under test, and an MN-CSE registered with it, on loopback with free ports."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 60


class Server:
    """A keyway-cse in test bench mode; its log is in a file that is shown when something goes wrong."""

    def __init__(self, program, *argv):
        self.log = tempfile.NamedTemporaryFile(prefix="keyway-conformance-", suffix=".log", delete=False)
        self.process = subprocess.Popen([program, "--testbench", "--ephemeral", "--port", "0", *argv], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        self.ports = None
        end = time.monotonic() + PATIENCE
        while self.ports is None:
            m = re.search(r"\bready\b.*", self.text())
            if m:
                self.ports = {k: int(v) for k, v in re.findall(r"\b(https?|coaps?)=(\d+)", m.group(0))}
            elif self.process.poll() is not None or time.monotonic() > end:
                text = self.text()
                self.stop()
                raise RuntimeError("%s did not become ready:\n%s" % (" ".join(self.process.args), text[-2000:]))
            else:
                time.sleep(0.02)
        self.url = self.at("http")

    def at(self, scheme):
        return "%s://127.0.0.1:%d" % (scheme, self.ports["http" if scheme == "ws" else scheme])

    def until(self, line):
        """Waits for a line of its log."""
        end = time.monotonic() + PATIENCE
        while line not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("no line `%s` in:\n%s" % (line, self.text()[-2000:]))
            time.sleep(0.02)
        return self

    def text(self):
        with open(self.log.name, "rb") as f:
            return f.read().decode(errors="replace")

    def stop(self):
        """Ends it. None when it went on until it was asked to end, and then ended well; otherwise how it ended, which is told too."""
        bad = self.process.poll()
        if bad is not None:
            how = "ended by itself"
        else:
            how = "was asked to end, and ended"
            self.process.terminate()
            try:
                bad = self.process.wait(PATIENCE) or None
            except subprocess.TimeoutExpired:
                how = "was asked to end, has not, and was killed"
                self.process.kill()
                bad = self.process.wait()
        if bad is not None:
            print("the CSE %s with status %d%s; its log ends:\n%s" % (how, bad, " (%s)" % signal.Signals(-bad).name if bad < 0 else "", self.text()[-4000:]), file=sys.stderr)
        self.log.close()
        if bad is None:
            os.unlink(self.log.name)
        return bad
