"""The one list of packages has what building and testing need: each library that meson asks for, each program that a test or ./run calls, each module of Python
that is not Python's own belongs to a package of the list, or to one that such a package depends on. Where dpkg is not, there is nothing to ask."""
import glob
import importlib.util
import os
import re
import shutil
import subprocess
import sys

SOURCE = sys.argv[1]
ELSEWHERE = {"node", "npm"}  # PACKAGE:COMMAND in the list: from wherever they are
OWN = {"keyway", "./run"}
OPTIONAL = {"systemd-analyze", "faketime"}  # asked for by shutil.which, and left out where they are not


def read(path):
    with open(os.path.join(SOURCE, path)) as f:
        return f.read()


def sources(pattern):
    return [os.path.relpath(p, SOURCE) for p in glob.glob(os.path.join(SOURCE, pattern), recursive=True) if "node_modules" not in p]


if not shutil.which("dpkg-query"):
    print("no dpkg here: nothing to ask")
    sys.exit(77)

# ---- what the list brings: its packages, what Debian always has, and what those depend on ----
rows = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Essential}\t${Priority}\t${Provides}\t${Pre-Depends}, ${Depends}\n"], capture_output=True, text=True, check=True).stdout
depends, provided, closure = {}, {}, set()
names = lambda text: [re.split(r"[ :(]", w.strip())[0] for w in re.split(r"[,|]", text) if w.strip()]
listed = [w.split(":")[0] for line in read("packaging/debian-packages.txt").splitlines() for w in line.split("#")[0].split()]
todo = list(listed)
for package, essential, priority, provides, wanted in (line.split("\t") for line in rows.splitlines()):
    depends[package] = names(wanted)
    for p in names(provides):
        provided.setdefault(p, package)
    if essential == "yes" or priority == "required":
        todo.append(package)
while todo:
    p = todo.pop()
    p = p if p in depends else provided.get(p, p)
    if p not in closure:
        closure.add(p)
        todo += depends.get(p, [])


wants, count = [], {"library": 0, "program": 0, "module": 0}


def wanted(kind, name, path, where):
    count[kind] += 1
    wants.append((kind, name, path, where))


def spellings(path):
    """As dpkg may know it: a link's target, and without the /usr of merged directories."""
    return [path, os.path.realpath(path), path[4:] if path.startswith("/usr/") else path]


def check():
    """What is wanted and not in the closure; all paths are asked for at once, as each question reads all that dpkg knows."""
    paths = sorted({s for _, _, path, _ in wants if path for s in spellings(path)})
    owners = {}
    for line in subprocess.run(["dpkg-query", "-S", *paths], capture_output=True, text=True).stdout.splitlines():
        packages, path = line.rsplit(": ", 1)
        owners[path] = {w.split(":")[0] for w in packages.split(", ")}
    faults = []
    for kind, name, path, where in wants:
        of = set().union(*(owners.get(s, set()) for s in spellings(path))) if path else set()
        if not path:
            faults.append("%s %s, which %s wants, is not here: is its package in packaging/debian-packages.txt?" % (kind, name, where))
        elif not of & closure:
            faults.append("%s %s, which %s wants, is of %s, which is not in packaging/debian-packages.txt" % (kind, name, where, " ".join(sorted(of)) or "no package"))
    return faults


def debian(program):
    """Where Debian puts it; what lies before it in PATH is this machine's own affair."""
    return shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin")


# ---- libraries ----
for build in sources("**/meson.build"):
    for name in re.findall(r"\bdependency\('([\w.+-]+)'", read(build)):
        if name == "threads":
            continue
        folder = subprocess.run(["pkg-config", "--variable=pcfiledir", name], capture_output=True, text=True).stdout.strip()
        wanted("library", name, folder and os.path.join(folder, name + ".pc"), build)

# ---- programs ----
FIRST = re.compile(r'(?:argv = |subprocess\.\w+\(|Popen\()\[(?:shutil\.which\(.*?\) or )?"([A-Za-z][\w.+-]*)"|shutil\.which\("([\w.+-]+)"\)|\bfind\("([\w.+-]+)"\)|find_program\(\'([\w.+-]+)\'\)|^[A-Z_]+ = "([a-z][\w-]+-gnutls)"$', re.M)
called = {}
for path in sources("tests/**/*.py") + sources("**/meson.build"):
    for found in FIRST.findall(read(path)):
        for name in found:
            if name and not name.startswith("keyway") and not name.endswith((".sh", ".py")):
                called.setdefault(name, path)
for name in ("bash", "sed", "grep", "xargs", "awk", "meson", "ninja", "clang", "clang-format", "clang-tidy", "git", "gcc", "pkg-config"):
    assert re.search(r"\b%s\b" % name, read("run") + read("meson.build") + "gcc pkg-config"), name
    called.setdefault(name, "run")
words = {"enrol", "get"}  # of keyway, in front of which the test puts the program
for name, where in sorted(called.items()):
    if name not in ELSEWHERE | OWN | OPTIONAL | words:
        wanted("program", name, debian(name), where)
for name in ELSEWHERE:
    assert re.search(r":%s$" % name, read("packaging/debian-packages.txt"), re.M), name + " is not in the list"

# ---- modules ----
for path in sources("tests/**/*.py"):
    for name in re.findall(r"^\s*(?:import|from) ([a-z]\w*)", read(path), re.M):
        if name in sys.stdlib_module_names or any(glob.glob(os.path.join(SOURCE, "tests", "**", name + ending), recursive=True) for ending in (".py", "/__init__.py")):
            continue
        r = subprocess.run(["/usr/bin/python3", "-c", "import %s; print(%s.__file__)" % (name, name)], capture_output=True, text=True)
        wanted("module", name, r.stdout.strip(), path)

# ---- that it bites ----
wanted("program", "none", None, "this")
wanted("program", "nobody's", "/usr/share/doc/no-such-file", "this")
faults = check()
assert [f for f in faults if "this wants" in f] == faults[-2:], faults
del faults[-2:]
assert count["library"] >= 10 and count["program"] >= 20 and count["module"] >= 1, count
assert not faults, "\n" + "\n".join(sorted(set(faults)))
print("%(library)d libraries, %(program)d programs, %(module)d modules" % count)
