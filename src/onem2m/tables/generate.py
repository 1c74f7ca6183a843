#!/usr/bin/env python3
"""Makes schema_tables.c from resources.json, datatypes.json, enums.json and modules.json.

usage: generate.py OUTPUT RESOURCES DATATYPES ENUMS MODULES

Besides what the files say, it derives the announced variants (TS-0001 clause 9.6.26), the enumerations of resource types, the list types
and the indices for look-up. A mistake in the data ends the build with a sentence."""
import json
import sys

TY_ANNOUNCED = 10000
KINDS = ("any string token ncname uri id resource_name bool integer float enum string_enum timestamp abs_rel_timestamp duration schedule base64 "
         "list object geo any_object content_info ipv4 ipv6").split()
PRESENCE = {"M": "SCHEMA_MANDATORY", "O": "SCHEMA_OPTIONAL", "NP": "SCHEMA_NP"}
UNIVERSAL_NP = ("ri", "ty", "pi", "ct", "lt")


def fail(text):
    sys.exit("generate.py: " + text)


def quote(text):
    return "NULL" if text is None else json.dumps(text, ensure_ascii=True)


def ranges(keys):
    """Values of an enumeration, whose keys are numbers and ranges a..b."""
    values = []
    for key in keys:
        first, _, last = key.partition("..")
        values += range(int(first), int(last or first) + 1)
    return sorted(values)


class Datatypes:
    """Numbers every data type; makes lists of them when asked."""

    def __init__(self, datatypes, enums):
        self.defined = dict(datatypes)
        for name, values in enums.items():
            self.defined[name] = {"kind": "enum", "values": ranges(values)}
        self.order = sorted(self.defined)
        self.number = {name: i for i, name in enumerate(self.order)}
        self.named = len(self.order)  # those above are lists, found by no name

    def index(self, name):
        if name not in self.number:
            fail("data type %s is not defined" % name)
        return self.number[name]

    def add(self, name, definition):
        if name not in self.number:
            self.number[name] = len(self.order)
            self.order.append(name)
            self.defined[name] = definition
        elif self.defined[name] != definition:
            fail("data type %s is defined twice" % name)
        return self.number[name]

    def of(self, row):
        """The data type of an attribute or a member: itself, or a list of it."""
        if "values" in row:
            return self.add("%s: %s" % (row["type"], row["values"]), {"kind": "enum", "values": row["values"], "shown": row["type"]})
        self.index(row["type"])
        if not row.get("list"):
            return self.index(row["type"])
        non_empty = row.get("non_empty", False)
        return self.add("%slist of %s" % ("non-empty " if non_empty else "", row["type"]), {"kind": "list", "item": row["type"], "non_empty": non_empty})


def attribute(types, row):
    for key in ("create", "update"):
        if row[key] not in PRESENCE:
            fail("attribute %s: %s is %r" % (row["short"], key, row[key]))
    default = row.get("default")
    nullable = row.get("null")
    return {
        "short": row["short"], "name": row["name"], "type": types.of(row), "create": row["create"], "update": row["update"], "announce": row["announce"],
        "mandatory": row["mandatory"] and nullable != "update", "null_on_create": nullable == "create",
        "default": None if default is None else json.dumps(default), "row": row,
    }


def announced_attributes(types, t):
    """TS-0001 clause 9.6.26: the universal ones, link, and what the original announces; all but link may be missing."""
    rows = []
    for a in t["attributes"]:
        row = dict(a["row"], announce="NA", mandatory=False)
        row.pop("default", None)
        if a["short"] in UNIVERSAL_NP:
            row.update(create="NP", update="NP", mandatory=True)
        elif a["short"] == "rn":
            row.update(create="O", update="NP", mandatory=True)
        elif a["short"] == "cr":
            row.update(create="O", update="NP")
        elif a["short"] in ("st", "et", "lbl", "acpi", "daci") or a["announce"] != "NA":
            row.update(create="O", update="O")
        else:
            continue
        rows.append(row)
    have = {row["short"] for row in rows}
    common = {"lbl": ("labels", "xs:token"), "acpi": ("accessControlPolicyIDs", "xs:anyURI"), "daci": ("dynamicAuthorizationConsultationIDs", "xs:anyURI")}
    for short, (name, kind) in common.items():
        if short not in have:
            rows.append({"name": name, "short": short, "type": kind, "list": True, "mandatory": False, "create": "O", "update": "O", "announce": "NA"})
    single = {"et": ("expirationTime", "m2m:timestamp"), "ast": ("announceSyncType", "m2m:announceSyncType")}
    for short, (name, kind) in single.items():
        if short not in have:
            rows.append({"name": name, "short": short, "type": kind, "mandatory": False, "create": "O", "update": "O", "announce": "NA"})
    if "cr" not in have:
        rows.append({"name": "creator", "short": "cr", "type": "m2m:ID", "mandatory": False, "create": "O", "update": "NP", "announce": "NA", "null": "create"})
    rows.append({"name": "link", "short": "lnk", "type": "xs:anyURI", "mandatory": True, "create": "M", "update": "O", "announce": "NA"})
    return [attribute(types, row) for row in rows]


def announced_children(t, by_name):
    """The original's without virtual ones and pollingChannel, and the announced ones of those that can be announced. An announced resource whose
    original parent is not announced lies directly under CSEBaseAnnc (or remoteCSE, before release 3), so these take every announced type."""
    everything = sorted(a["ty"] + TY_ANNOUNCED for a in by_name.values() if a["announceable"] and not a.get("mgd") and a["name"] != "CSEBase")
    children = []
    if t["name"] == "CSEBase":
        return [(by_name["subscription"]["ty"], None, False)] + [(ty, None, False) for ty in everything]
    for ty, name, one in t["children"]:
        if ty and ty < TY_ANNOUNCED and ty != by_name["pollingChannel"]["ty"]:
            children.append((ty, name, one))
            original = next(o for o in by_name.values() if o["ty"] == ty and not o.get("mgd"))
            if original["announceable"]:
                children.append((ty + TY_ANNOUNCED, None, False))
    if t["name"] == "remoteCSE":
        children += [(ty, None, False) for ty in everything if ty not in [c[0] for c in children]]
    return children


def load_types(types, resources):
    """All types as dictionaries: attributes and children resolved, mgmtObj merged into its specialisations."""
    by_name = {t["name"]: t for t in resources}
    result = []
    for r in resources:
        rows = r["attributes"]
        children = r["children"]
        if "mgd" in r:
            own = {a["short"] for a in rows}
            base = [dict(a, values=[r["mgd"]]) if a["short"] == "mgd" else a for a in by_name["mgmtObj"]["attributes"] if a["short"] not in own]
            if not r["announceable"]:
                base = [dict(a, announce="NA") for a in base if a["short"] not in ("at", "aa", "ast")]
            rows = base + rows
            children = by_name["mgmtObj"]["children"]
        elif r["name"] == "mgmtObj":  # what is no specialisation is self-defined
            rows = [dict(a, values=[0]) if a["short"] == "mgd" else a for a in rows]
        t = {"name": r["name"], "ty": r["ty"], "mgd": r.get("mgd", 0), "root": r["root"], "sn": r["short"], "custom": r["custom"],
             "announceable": r["announceable"], "definition": None, "attributes": [attribute(types, a) for a in rows], "children": []}
        for c in children:
            name = c["type"]
            ty = 0
            if name and name.endswith("Annc") and name[:-4] in by_name:
                ty = by_name[name[:-4]]["ty"] + TY_ANNOUNCED
            elif name:
                if name not in by_name:
                    fail("%s has the unknown child %s" % (r["name"], name))
                ty = by_name[name]["ty"]
            t["children"].append((ty, c["name"], c["one"]))
        if r.get("announced_children") == "all":
            t["children"] += [(o["ty"] + TY_ANNOUNCED, None, False) for o in resources if o["announceable"] and "mgd" not in o and o["name"] != "CSEBase"]
        result.append(t)
    return result


def add_announced(types, all_types):
    by_name = {t["name"]: t for t in all_types}
    result = []
    for t in all_types:
        if t["announceable"]:
            result.append({"name": t["name"] + "Annc", "ty": t["ty"] + TY_ANNOUNCED, "mgd": t["mgd"], "root": t["root"] and t["root"] + "A", "sn": t["sn"] + "A",
                           "custom": t["custom"], "announceable": False, "definition": None, "attributes": announced_attributes(types, t),
                           "children": announced_children(t, by_name)})
    return all_types + result


def add_modules(types, all_types, modules):
    flex = next(t for t in all_types if t["name"] == "flexContainer")
    for m, definition in [(m, modules["prefix"] + m["name"]) for m in modules["modules"]] + [(m, "") for m in modules["free"]]:
        own = {p[1] for p in m["points"]}
        rows = [attribute(types, {"name": name, "short": short, "type": kind, "mandatory": mandatory, "create": "M" if mandatory else "O", "update": "O", "announce": "OA"})
                for name, short, kind, mandatory in m["points"]]
        all_types.append(dict(flex, name=m["name"], root=m["root"], sn=m["root"].split(":")[1], custom=not m["complete"],
                              definition=definition, attributes=[a for a in flex["attributes"] if a["short"] not in own] + rows))


def check(all_types):
    for t in all_types:
        shorts = [a["short"] for a in t["attributes"]]
        if len(set(shorts)) != len(shorts):
            fail("%s has an attribute twice" % t["name"])
        if len({c[0] for c in t["children"] if c[0]}) != len([c for c in t["children"] if c[0]]):
            fail("%s has a child type twice" % t["name"])
    roots = [t["root"] for t in all_types if t["root"]]
    if len(set(roots)) != len(roots):
        fail("two types have one root")


def resource_type_enums(enums, resources):
    numbers = {t["ty"] for t in resources} | {t["ty"] + TY_ANNOUNCED for t in resources if t["announceable"]}
    enums["m2m:resourceType"] = [str(n) for n in sorted(numbers)]
    enums["m2m:memberType"] = [str(n) for n in sorted(numbers | {0, 20001, 20002})]  # mixed, oldest, latest
    enums["m2m:mgmtDefinition"] = dict(enums["m2m:mgmtDefinition"])


def write_datatypes(out, types):
    for name in list(types.order):  # lists that members need come to exist first
        for m in types.defined[name].get("members", []):
            types.of(m)
        if "item" in types.defined[name]:
            types.index(types.defined[name]["item"])
    out.append("static const struct schema_datatype datatypes[%d];\n" % len(types.order))
    for i, name in enumerate(types.order):
        d = types.defined[name]
        if "values" in d:
            out.append("static const int values_%d[] = {%s, INT_MIN};" % (i, ", ".join(map(str, d["values"]))))
        if "words" in d:
            out.append("static const char *const words_%d[] = {%s, NULL};" % (i, ", ".join(map(quote, d["words"]))))
        if "members" in d:
            members = sorted(d["members"], key=lambda m: m["short"])
            if len({m["short"] for m in members}) != len(members):
                fail("%s has a member twice" % name)
            out.append("static const struct schema_member members_%d[] = { /* %s */" % (i, name))
            out += ["\t{%s, &datatypes[%d], %s}," % (quote(m["short"]), types.of(m), "true" if m["mandatory"] else "false") for m in members]
            out.append("\t{NULL, NULL, false},\n};")
    out.append("\nstatic const struct schema_datatype datatypes[%d] = {" % len(types.order))
    for i, name in enumerate(types.order):
        d = types.defined[name]
        kind = d.get("kind", "object")
        if kind not in KINDS:
            fail("%s is of the unknown kind %s" % (name, kind))
        default_min, default_max = ("INT64_MIN", "INT64_MAX") if kind == "integer" else ("0", "0")
        bound = lambda key, otherwise: "INT64_C(%d)" % d[key] if key in d else otherwise
        out.append("\t{%s, SCHEMA_%s, %s, %s, %s, %s, %s, %s, %s}," % (
            quote(d.get("shown", name)), kind.upper(), "true" if d.get("non_empty") else "false", bound("min", default_min), bound("max", default_max),
            "values_%d" % i if "values" in d else "NULL", "words_%d" % i if "words" in d else "NULL",
            "&datatypes[%d]" % types.index(d["item"]) if "item" in d else "NULL", "members_%d" % i if "members" in d else "NULL"))
    out.append("};\n")
    out.append("const struct schema_datatype *const schema_datatypes = datatypes;")
    out.append("const size_t schema_named_datatypes = %d;\n" % types.named)


def write_types(out, all_types):
    for i, t in enumerate(all_types):
        out.append("static const struct schema_attribute attributes_%d[] = { /* %s */" % (i, t["name"]))
        for a in sorted(t["attributes"], key=lambda a: a["short"]):
            out.append("\t{%s, %s, &datatypes[%d], %s, %s, SCHEMA_%s, %s, %s, %s}," % (
                quote(a["short"]), quote(a["name"]), a["type"], PRESENCE[a["create"]], PRESENCE[a["update"]], a["announce"],
                "true" if a["mandatory"] else "false", "true" if a["null_on_create"] else "false", quote(a["default"])))
        out.append("};")
        if t["children"]:
            out.append("static const struct schema_child children_%d[] = {" % i)
            out += ["\t{%d, %s, %s}," % (ty, quote(name), "true" if one else "false") for ty, name, one in sorted(t["children"], key=lambda c: (c[0], c[1] or ""))]
            out.append("};")
    out.append("\nstatic const struct schema_type types[] = {")
    for i, t in enumerate(all_types):
        shorts = {a["short"] for a in t["attributes"]}
        out.append("\t{%d, %d, %s, %s, %s, %s, attributes_%d, %d, %d, %d, %s, %d, %s, %s, %s}," % (
            t["ty"], t["mgd"], quote(t["name"]), quote(t["root"]), quote(t["sn"]), quote(t["definition"]), i, len(shorts), *(sum(a[operation] == "M" for a in t["attributes"]) for operation in ("create", "update")),
            "children_%d" % i if t["children"] else "NULL", len(t["children"]), *("true" if b else "false" for b in ("acpi" in shorts, t["announceable"], t["custom"]))))
    out.append("};\n")
    out.append("static const struct schema_type *const all[] = {%s, NULL};" % ", ".join("&types[%d]" % i for i in range(len(all_types))))
    out.append("const struct schema_type *const *const schema_all_types = all;\n")


def write_indices(out, all_types):
    last = max(t["ty"] for t in all_types if t["ty"] < TY_ANNOUNCED)
    for name, base in (("original", 0), ("announced", TY_ANNOUNCED)):
        plain = {t["ty"] - base: i for i, t in enumerate(all_types) if not t["mgd"] and t["definition"] is None}
        cells = ", ".join("&types[%d]" % plain[n] if n in plain else "NULL" for n in range(last + 1))
        out.append("static const struct schema_type *const %s[] = {%s};" % (name, cells))
        out.append("const struct schema_type *const *const schema_%s_by_ty = %s;" % (name, name))
    out.append("const int schema_last_ty = %d;\n" % last)
    roots = sorted((t["root"], i) for i, t in enumerate(all_types) if t["root"])
    out.append("static const struct schema_type *const by_root[] = {%s};" % ", ".join("&types[%d]" % i for _, i in roots))
    out.append("const struct schema_type *const *const schema_types_by_root = by_root;")
    out.append("const size_t schema_root_count = %d;\n" % len(roots))
    names = sorted({a["short"] for t in all_types for a in t["attributes"]})
    out.append("static const char *const names[] = {%s};" % ", ".join(map(quote, names)))
    out.append("const char *const *const schema_attribute_names = names;")
    out.append("const size_t schema_attribute_name_count = %d;" % len(names))


def main(output, *inputs):
    resources, datatypes, enums, modules = (json.load(open(name, encoding="utf-8")) for name in inputs)
    enums = enums["enums"]
    resources = resources["types"]
    resource_type_enums(enums, resources)
    types = Datatypes(datatypes["datatypes"], enums)
    all_types = add_announced(types, load_types(types, resources))
    add_modules(types, all_types, modules)
    all_types.sort(key=lambda t: (t["ty"], t["mgd"], t["definition"] is not None, t["definition"] or ""))
    check(all_types)
    out = ["/* Made by src/onem2m/tables/generate.py. */", '#include "onem2m/schema_tables.h"\n', "#include <limits.h>\n"]
    write_datatypes(out, types)
    write_types(out, all_types)
    write_indices(out, all_types)
    with open(output, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        fail("usage: generate.py OUTPUT RESOURCES DATATYPES ENUMS MODULES")
    main(*sys.argv[1:])
