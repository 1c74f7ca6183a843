"""Every test that docs/threat-model.md and docs/zigbee-checklist.md name exists and is run: a file's test under that name, a function that its file registers, a fuzz target with a corpus."""
import json
import os
import re
import sys

SOURCE, BUILD = sys.argv[1:3]
with open(os.path.join(BUILD, "meson-info", "intro-tests.json")) as f:
    listed = json.load(f)
run = {(suite.split(":")[-1], t["name"]) for t in listed for suite in t["suite"]}
# A test's name, and the file that it is of: by its line in meson.build; programs' tests have one of their own.
sources = {}
for root, _, files in os.walk(os.path.join(SOURCE, "tests", "unit")):
    for name in files:
        if name.endswith("_test.c"):
            sources.setdefault(name[:-len("_test.c")], os.path.join(root, name))
    if "meson.build" in files:
        with open(os.path.join(root, "meson.build")) as f:
            for name, file in re.findall(r"\['(\w+)', files\('(\w+_test\.c)'", f.read()):
                sources[name] = os.path.join(root, file)
sources["keyway_mef"] = sources["program"]


def registered(name, test):
    with open(sources[name]) as f:
        text = f.read()
    return re.search(r"\bstatic void %s\(void" % test, text) and test in text[text.index("int main("):]


def exists(folder, name, test):
    if folder == "fuzz":
        return not test and ("fuzz", "fuzz_replay_" + name) in run and os.listdir(os.path.join(SOURCE, "tests", "fuzz", "corpus", name))
    return (folder, name) in run and (not test or registered(name, test))


seen = 0
for page, columns in (("threat-model.md", 6), ("zigbee-checklist.md", 6)):
    with open(os.path.join(SOURCE, "docs", page)) as f:
        rows = [line.split("|") for line in f if line.startswith("|")]
    for row in rows[2:]:
        assert len(row) == columns, row
        names = re.findall(r"`(\w+)/(\w+)(?:: (\w+))?`", row[4])
        assert names or "**not" in row[3], "no test and no reason for: " + row[2]
        for n in names:
            assert exists(*n), "docs/%s names a test that is not there: %s/%s %s" % (page, *n)
            seen += 1
assert seen > 50, seen
assert not exists("unit", "eg", "no_such_test") and not exists("unit", "no_such_file", "") and not exists("fuzz", "no_such_target", "")
print("%d names of tests" % seen)
