"""Makes a C file of octets from the JSON files of devices/, so that a program has them without a folder beside it: embed.py OUTPUT INPUT..."""
import json
import os
import sys

out, inputs = sys.argv[1], sys.argv[2:]
lines = ["/* Made by embed.py; do not edit. */", '#include "oci/description_private.h"', ""]
names = []
for i, name in enumerate(inputs):
    with open(name, "rb") as f:
        text = f.read()
    json.loads(text.decode())  # a typing error ends the build here, with its place
    lines.append("static const unsigned char file_%d[] = {" % i)
    lines += ["\t" + ",".join(str(o) for o in text[k:k + 32]) + "," for k in range(0, len(text), 32)]
    lines += ["};", ""]
    names.append('\t{"%s", file_%d, sizeof file_%d},' % (os.path.basename(name), i, i))
lines += ["const struct built_in built_ins[] = {"] + names + ["\t{0},", "};", ""]
with open(out, "w") as f:
    f.write("\n".join(lines))
