"""The pages that a person reads name what is there: every link and every file of the tree, every program, subcommand and option in a command, every `./run` word,
and every heading that a link points at. Every --help has the same shape: synopsis, options with their meaning, an example, exit status."""
import glob
import os
import re
import shutil
import subprocess
import sys

from plant import program

SOURCE = os.path.abspath(sys.argv[1])
FOLDERS = ("bench", "devices", "docs", "include", "packaging", "src", "tests")
PROGRAMS = ("keyway", "keyway-cse", "keyway-das", "keyway-gateway", "keyway-hss", "keyway-maf", "keyway-mef", "keyway-sim")
faults, seen = [], {"link": 0, "file": 0, "command": 0, "help": 0}


def read(path):
    with open(os.path.join(SOURCE, path)) as f:
        return f.read()


def pages():
    listed = shutil.which("git") and subprocess.run(["git", "-C", SOURCE, "ls-files", "*.md"], capture_output=True, text=True)
    if listed and listed.returncode == 0 and listed.stdout:
        return listed.stdout.split()
    return [os.path.relpath(p, SOURCE) for folder in ("", "docs/", "docs/protocols/", "bench/", "tests/conformance/") for p in glob.glob(os.path.join(SOURCE, folder + "*.md"))]


def fault(page, what):
    faults.append("%s: %s" % (page, what))


# ---- links and files ----

def anchors(path):
    text = re.sub(r"^```.*?^```", "", read(path), flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def check_links(page, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        seen["link"] += 1
        if not os.path.exists(os.path.join(SOURCE, there)):
            fault(page, "links to %s, which is not there" % target)
        elif anchor and anchor not in anchors(there):
            fault(page, "links to a heading that is not there: %s" % target)


def alternatives(path):
    """a/{b,c}.d -> a/b.d, a/c.d"""
    m = re.search(r"\{([^{}]*)\}", path)
    if not m:
        return [path]
    return [p for word in m.group(1).split(",") for p in alternatives(path[:m.start()] + word + path[m.end():])]


def exists(page, path):
    """From the root; from the page's folder; below docs/ or src/ or tests/, as pages say `cse/tree.h` and `protocols/egp.md`; a program of tests/ without .py."""
    for base in ("", os.path.dirname(page), "docs", "src", "tests", "include"):
        for ending in ("", ".py", ".c", "_test.py", "_test.c"):
            if glob.glob(os.path.join(SOURCE, base, path + ending)):
                return True
    return False


def check_files(page, text):
    for token in re.findall(r"`([^`\s]+)`", text):
        token = token.rstrip(".,;:")
        if re.fullmatch(r"(?:%s)/[\w./*{},+-]*" % "|".join(FOLDERS), token) or re.fullmatch(r"[\w/-]+\.(?:md|py|c|h|mjs|json|txt)", token) and "/" in token:
            seen["file"] += 1
            for path in alternatives(token):
                if not exists(page, path):
                    fault(page, "names %s, which is not there" % token)


# ---- commands ----

helps = {}


def help_of(*argv):
    if argv not in helps:
        r = subprocess.run([program(argv[0]), *argv[1:], "--help"], capture_output=True, text=True, timeout=60)
        helps[argv] = r.stdout if r.returncode == 0 else None
    return helps[argv]


def options(text):
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


def check_command(page, words):
    name = words[0]
    argv = (name,)
    if name in ("keyway", "keyway-sim"):
        if len(words) < 2 or not re.fullmatch(r"[a-z]+", words[1]):
            return
        argv = (name, words[1])
        if words[1] == "bench" and len(words) > 2 and help_of("keyway", "bench", words[2]):
            argv += (words[2],)
        if help_of(*argv) is None:
            fault(page, "there is no `%s`" % " ".join(argv))
            return
    seen["command"] += 1
    known = options(help_of(*argv)) | {"--help", "--version", "--plant"}
    for word in words:
        option = re.match(r"--[a-z][a-z0-9-]*", word)
        if option and option.group(0) not in known:
            fault(page, "`%s` has no option %s" % (" ".join(argv), option.group(0)))


def command_lines(text):
    for block in re.findall(r"^```(?:sh|shell|bash|console)\n(.*?)^```", text, re.M | re.S):
        yield from block.replace("\\\n", " ").split("\n")
    for block in re.findall(r"(?:^(?:    |\t).+\n)+", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M):
        yield from block.split("\n")
    yield from re.findall(r"`((?:keyway[a-z-]*|\./run|sudo) [^`]+)`", text)


def check_commands(page, text):
    run_words = set(re.findall(r"^  ([a-z]+) ", subprocess.run([os.path.join(SOURCE, "run"), "help"], capture_output=True, text=True).stdout, re.M))
    for line in command_lines(text):
        line = re.sub(r"(?<!\S)#.*", "", line)
        for part in re.split(r"[;&|]+|\$\(|\)", line):
            words = part.replace("'", "").replace('"', "").split()
            while words and (words[0] in ("sudo", "exec", "-u", "then", "do") or "=" in words[0] or (words[0] == "keyway" and len(words) > 1 and words[1] in PROGRAMS)):
                words.pop(0)
            if not words:
                continue
            if words[0] == "./run" and len(words) > 1:
                seen["command"] += 1
                if words[1] not in run_words | {"help", "COMMAND"}:
                    fault(page, "there is no `./run %s`" % words[1])
            elif words[0] in PROGRAMS:
                check_command(page, words)


for page in pages():
    if page == "docs/style.md":  # what the tree is meant to look like, as an example
        continue
    text = read(page)
    check_links(page, text)
    check_files(page, text)
    check_commands(page, text)


# ---- help ----

def check_help(argv):
    text = help_of(*argv)
    seen["help"] += 1
    if text is None:
        fault(" ".join(argv), "--help fails")
        return
    for what, pattern in (("a synopsis first", r"\Ausage: " + argv[0]), ("an option with its meaning", r"^  --?[a-z]"), ("an example", r"^Examples?:$"),
                          ("its exit status", r"^Exit status: ")):
        if not re.search(pattern, text, re.M):
            fault(" ".join(argv), "--help lacks " + what)
    for line in text.split("\n"):
        if len(line) > 180:
            fault(" ".join(argv), "--help has a line of %d characters: %s" % (len(line), line[:60]))
    for line in re.findall(r"^Examples?:\n((?:  .*\n?)+)", text, re.M):
        check_commands(" ".join(argv) + " --help", "```sh\n%s\n```\n" % line)


def commands(text):
    return re.findall(r"^  ([a-z]+) ", text, re.M)


for name in PROGRAMS:
    if name in ("keyway", "keyway-sim"):
        for c in commands(help_of(name)):
            check_help((name, c))
    else:
        check_help((name,))
for c in ("cse", "security", "zigbee"):
    check_help(("keyway", "bench", c))

# ---- that it bites ----
before = len(faults)
check_links("README.md", "[x](docs/no-such-page.md) [y](README.md#no-such-heading)")
check_files("README.md", "`src/no/such.c` `docs/{man,no-such}/`")
check_commands("README.md", "```sh\nkeyway no-such-thing\nkeyway nosuch\nkeyway device add --no-such x\n./run nosuch\nsudo keyway-mef --nosuch\n```\n")
assert len(faults) - before == 8, faults[before:]
del faults[before:]

assert not faults, "\n" + "\n".join(faults)
assert seen["link"] > 5 and seen["file"] > 80 and seen["command"] > 60 and seen["help"] > 30, seen
print("%(link)d links, %(file)d files, %(command)d commands, %(help)d helps" % seen)
