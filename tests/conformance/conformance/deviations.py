"""Where a binding has to do otherwise than a check says: deviations.json beside the suite, and nowhere else."""
import fnmatch
import functools
import json
import os

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "deviations.json")


@functools.lru_cache(None)
def entries():
    with open(FILE) as f:
        return json.load(f)["deviations"]


def fits(text, patterns):
    return any(fnmatch.fnmatchcase(text, p) for p in ([patterns] if isinstance(patterns, str) else patterns))


def covers(e, binding, check):
    return binding in e["bindings"] and all(fits(getattr(check, k), e[k]) for k in ("group", "rule", "clause") if k in e)


@functools.lru_cache(None)
def find(how, binding, check):
    """The entry, or None."""
    return next((e for e in entries() if e["how"] == how and covers(e, binding, check)), None)


def unused(checks):
    """Entries that no check needs any more, or with a pattern that fits none."""
    return [e for e in entries() if not any(covers(e, e["bindings"][0], c) for c in checks) or
            not all(any(fits(getattr(c, k), p) for c in checks) for k in ("group", "rule", "clause") if isinstance(e.get(k), list) for p in e[k])]
