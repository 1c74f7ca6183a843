"""One module a group or two of TS-0018; each registers its checks when it is loaded."""
import importlib
import os
import pkgutil


def load():
    for m in sorted(m.name for m in pkgutil.iter_modules([os.path.dirname(__file__)])):
        importlib.import_module("groups." + m)
