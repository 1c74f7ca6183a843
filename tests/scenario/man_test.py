"""The manual pages: without a warning of mandoc, and complete. Every subcommand and option that --help shows has its entry, in the section of its subcommand;
every key that a server's configuration takes stands in keyway.ini(5) and in docs/configuration.md, and no other does."""
import os
import re
import subprocess
import sys

from plant import program

SOURCE = sys.argv[1]
PAGES = sys.argv[2:]


def source(*parts):
    with open("/".join((SOURCE,) + parts)) as f:
        return f.read()


def page(name):
    return source("docs", "man", name)


def help_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", text))


def commands(text):
    return re.findall(r"^  ([a-z]+) ", text, re.M)


def entries(mdoc):
    """Options that have an entry of their own: `.It Fl -name`."""
    return set(re.findall(r"^\.It Fl -([a-z0-9-]+)", mdoc, re.M))


def check(what, wanted, there):
    assert wanted, "%s: no option was found, so nothing was shown" % what
    assert wanted <= there, "%s: not in the manual page: %s" % (what, ", ".join(sorted(wanted - there)))
    assert there <= wanted, "%s: in the manual page, but not in --help: %s" % (what, ", ".join(sorted(there - wanted)))


lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *PAGES], capture_output=True, text=True)
assert lint.returncode == 0 and not lint.stdout, lint.stdout + lint.stderr
assert len(PAGES) == 9, PAGES

# subcommands, each with its subsection
count = 0
for name in ("keyway", "keyway-sim"):
    text = page(name + ".1")
    sections = {}
    for part in text.split("\n.Ss ")[1:]:
        heading, body = part.split("\n", 1)
        for word in re.findall(r"[a-z]+", heading):
            sections[word] = body.split("\n.Sh ")[0]
    listed = commands(help_of(program(name), "--help"))
    assert set(listed) == set(sections), set(listed) ^ set(sections)
    for c in listed:
        shown = options(help_of(program(name), c, "--help")) - {"help"}
        check(name + " " + c, shown, entries(sections[c]))
        count += len(shown)

# servers
for name in ("keyway-cse", "keyway-das", "keyway-gateway", "keyway-hss", "keyway-maf", "keyway-mef"):
    check(name, options(help_of(program(name), "--help")), entries(page(name + ".8")))


def keys_of_program(name):
    folder = os.path.join(sys.argv[1], "src", "programs", name)
    text = "".join(source("src", "programs", name, f) for f in sorted(os.listdir(folder)) if f.endswith(".c"))
    keys = set(re.findall(r'\{"([a-z]+)", "([a-z0-9_]+)", CONFIG_', text))
    assert len(keys) > 4, "the table of %s was not found" % name
    return keys


def keys_of_page(name):
    body = re.search(r"\n\.Ss %s\n(.*?)(?=\n\.S[sh] )" % name, page("keyway.ini.5"), re.S).group(1)
    keys, section = set(), None
    for head, words in re.findall(r"^\.It (?:Sy \[([a-z]+)\] )?Va (.*)$", body, re.M):
        section = head or section
        keys |= {(section, w) for w in words.replace(",", " ").split()}
    return keys


def keys_of_table(name):
    body = re.search(r"\n## %s\n(.*?)(?=\n## |\Z)" % name, source("docs", "configuration.md"), re.S).group(1)
    keys, section = set(), None
    for first, second in re.findall(r"^\| *(.*?) *\| *(.*?) *\|", body, re.M):
        names = re.findall(r"`([a-z0-9_]+)`", second)
        head = re.match(r"`([a-z]+)`", first)
        section = head.group(1) if head else section
        keys |= {(section, w) for w in names}
    return keys


for name in ("keyway-mef", "keyway-cse", "keyway-das", "keyway-gateway", "keyway-hss", "keyway-maf"):
    takes = keys_of_program(name)
    for where, there in (("keyway.ini(5)", keys_of_page(name)), ("docs/configuration.md", keys_of_table(name))):
        assert takes == there, "%s of %s: missing %s, too many %s" % (where, name, sorted(takes - there), sorted(there - takes))
    count += len(takes)
print("%d options and keys, each in its page" % count)
