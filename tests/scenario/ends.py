"""How the project's programs end: whatever a test starts is watched from the beginning to the end of the test, and one that crashes, or that does not end as it should
when it is asked to, fails the test - also when the test has seen all that it wanted by then. Importing this is enough.

A crash is a signal such as SIGSEGV, at any time. Who was sent SIGTERM, and nothing stronger, has to end by itself, soon, with status 0; but not what was built for
tests alone."""
import atexit
import os
import re
import signal
import subprocess
import sys
import threading

END_S = 60  # to end in, after SIGTERM
TAIL = 4000
OURS = r"keyway(-[a-z]+)?"
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGSYS, signal.SIGTRAP}
failures = []
watched = []
lock = threading.Lock()


def name_of(args):
    """keyway-cse, also behind a `strace ...`, or a program that was built for a test; None: no program of ours."""
    words = [args] if isinstance(args, (str, bytes, os.PathLike)) else list(args)
    for word in words:
        path = os.fsdecode(word)
        if re.fullmatch(OURS, os.path.basename(path)):
            return os.path.basename(path)
    path, build = os.path.realpath(os.fsdecode(words[0])), os.environ.get("KEYWAY_BUILD")
    return os.path.basename(path) if build and path.startswith(os.path.realpath(build) + os.sep) else None


def fault_of(name, status, asked):
    """Why this end is none: `asked` are the signals that the test sent. None: it is well."""
    if status < 0 and -status in CRASHES:
        return "%s crashed: %s" % (name, signal.Signals(-status).name)
    if re.fullmatch(OURS, name) and signal.SIGTERM in asked and not asked & {signal.SIGKILL, signal.SIGINT} and status != 0:
        return "%s was asked to end by SIGTERM, and ended %s" % (name, "with status %d" % status if status >= 0 else "by " + signal.Signals(-status).name)
    return None


class Popen(subprocess.Popen):
    def __init__(self, args, *more, **options):
        self.name, self.asked, self.judged = name_of(args), set(), False
        self.said = None  # a function: what it has said, where that is no file
        self.log, self.log_from = None, 0
        out = options.get("stderr")
        out = options.get("stdout") if out in (None, subprocess.STDOUT) else out
        if isinstance(getattr(out, "name", None), str):
            self.log = out.name
            self.log_from = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        super().__init__(args, *more, **options)
        if self.name:
            with lock:
                watched.append(self)

    def send_signal(self, sig):
        if self.poll() is None:
            self.asked.add(sig)
        super().send_signal(sig)

    def poll(self):
        status = super().poll()
        self.judge()
        return status

    def wait(self, timeout=None):
        status = super().wait(timeout)
        self.judge()
        return status

    def tail(self):
        if self.said:
            return self.said()[-TAIL:]
        if not self.log or not os.path.exists(self.log):
            return "(its log is not here)"
        with open(self.log, "rb") as f:
            f.seek(self.log_from)
            return f.read()[-TAIL:].decode(errors="replace")

    def fail(self, fault):
        words = self.args if isinstance(self.args, str) else " ".join(os.fsdecode(w) for w in self.args)
        with lock:
            failures.append("%s\n  %s\n---- its log ends\n%s" % (fault, words, self.tail()))

    def judge(self):
        """Once it has ended; its log may be gone later."""
        with lock:
            if not self.name or self.judged or self.returncode is None:
                return
            self.judged = True
        fault = fault_of(self.name, self.returncode, self.asked)
        if fault:
            self.fail(fault)

    def end(self):
        """At the test's end: it ends too."""
        if self.poll() is not None:
            return
        self.send_signal(signal.SIGCONT)  # a test may have stopped it
        self.terminate()
        try:
            self.wait(END_S)
        except subprocess.TimeoutExpired:
            self.fail("%s was asked to end by SIGTERM, and has not %g s later" % (self.name, END_S))
            self.kill()
            self.wait()


subprocess.Popen = Popen  # also for subprocess.run


@atexit.register
def judge_all():
    for p in watched:
        p.end()
    if not failures:
        return
    sys.stdout.flush()
    print("\n".join("==== " + f for f in failures), file=sys.stderr, flush=True)
    os._exit(1)  # too late for an exception
