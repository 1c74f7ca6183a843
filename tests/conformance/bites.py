#!/usr/bin/env python3
"""Tests the suite itself: no check passes both on a CSE that accepts everything and on one that refuses everything."""
import os
import sys

os.environ["KEYWAY_PATIENCE"] = "0.1"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from agreeable import Agreeable  # noqa: E402
from conformance import check, deviations, tables  # noqa: E402


def passes(says_yes, checks):
    cse = Agreeable(says_yes)
    try:
        world = check.World(cse.url, tables=tables).learn("cse-in")
        world.mn = world
        world.ut = world.release1 = True
        return {o.check.name for o in check.run_all(world, checks) if o.verdict in ("pass", "not-applicable")}
    finally:
        cse.close()


def main():
    tables.load()
    import groups
    groups.load()
    names = [c.name for c in check.CHECKS]
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) != len(names) else []
    yes, no = passes(True, check.CHECKS), passes(False, check.CHECKS)
    if "-v" in sys.argv:
        print("\n".join(sorted(yes)))
    for n in twice:
        print("two checks have one name: " + n)
    unused = deviations.unused(check.CHECKS)
    for e in unused:
        print("a deviation that no check needs: %s" % e)
    for n in sorted(yes & no):
        print("cannot fail: " + n)
    print("%d checks; %d pass where everything is accepted, %d where everything is refused" % (len(names), len(yes), len(no)))
    return 1 if twice or unused or yes & no else 0


if __name__ == "__main__":
    sys.exit(main())
