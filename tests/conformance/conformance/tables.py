"""The attribute tables of the resource types: what each CREATE and UPDATE may carry (TS-0001 9.6, TS-0004 7.4).

    tables.load(directory)     # None: src/onem2m/tables of this tree
    tables.TYPES["container"].attributes

The directory holds resources.json, datatypes.json, enums.json and modules.json; resources.json says at its head what its fields mean."""
import json
import os

TYPES = {}
ROWS = {}       # attributes as the tables have them, by root ("m2m:cnt"); flexContainer and what has no root by name
DATATYPES = {}
ENUMS = {}
DEFAULT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "src", "onem2m", "tables")

# A wrong value of each kind, and a right one.
WRONG = {"integer": "seven", "enum": 99999, "boolean": "yes", "string": 17, "timestamp": "tomorrow", "duration": "for long", "uri": 17, "id": 17, "name": 17,
         "base64": "%%%", "schedule": "every day", "list": "not a list", "complex": "not an object", "float": "much", "words": "application/wrong"}
SAMPLE = {"integer": 3, "enum": 1, "boolean": True, "string": "text", "timestamp": "20990101T000000", "duration": "PT1H", "uri": "http://127.0.0.1:9/x",
          "id": "Csample", "name": "sample", "base64": "QUJD", "schedule": "* * * * * * *", "list": ["x"], "complex": {"x": 1}, "unknown": "x", "float": 1.5,
          "words": "application/json"}
KINDS = {"integer": "integer", "string": "string", "token": "string", "ncname": "string", "id": "id", "abs_rel_timestamp": "timestamp", "timestamp": "timestamp",
         "resource_name": "name", "schedule": "schedule", "string_enum": "words", "uri": "uri", "base64": "base64", "bool": "boolean", "duration": "duration",
         "float": "float", "geo": "complex", "content_info": "string", "list": "list"}


class Attribute:
    def __init__(self, a, datatypes, enums):
        self.short, self.type = a["short"], a["type"]
        self.create, self.update, self.announce = a["create"], a["update"], a["announce"]
        self.mandatory, self.default, self.null = a.get("mandatory"), a.get("default"), a.get("null")
        d = datatypes.get(self.type, {})
        if a.get("list"):
            self.kind = "list"
        elif self.type in enums:
            self.kind = "enum"
        elif "kind" in d:
            self.kind = KINDS.get(d["kind"], "unknown")
        else:
            self.kind = "complex" if "members" in d else "unknown"
        # the generated tables bound some strings; the plain ones take any text
        self.plain = self.type in ("xs:string", "xs:boolean", "xs:nonNegativeInteger", "xs:positiveInteger", "xs:duration", "xs:unsignedInt", "xs:integer") and not a.get("list")


class Type:
    def __init__(self, t, datatypes, enums, common):
        self.name, self.ty, self.root, self.sn, self.mgd, self.clause = t["name"], t["ty"], t["root"], t["short"], t.get("mgd"), t["clause"]
        self.announceable = t.get("announceable")
        rows = common + t["attributes"] if self.mgd else t["attributes"]
        if not self.announceable:
            rows = [a for a in rows if a["short"] not in ("at", "aa", "ast")]
        self.attributes = list({a["short"]: Attribute(a, datatypes, enums) for a in rows}.values())
        self.custom = t.get("custom")


def load(directory=None):
    directory = directory or DEFAULT
    TYPES.clear()

    def read(name):
        with open(os.path.join(directory, name)) as f:
            return json.load(f)
    types, datatypes, enums = read("resources.json")["types"], read("datatypes.json")["datatypes"], read("enums.json")["enums"]
    common = next(t for t in types if t["name"] == "mgmtObj")["attributes"]
    for t in types:
        TYPES[t["name"]] = Type(t, datatypes, enums, common)
    DATATYPES.update(datatypes)
    ENUMS.update(enums, **{"m2m:resourceType": {}, "m2m:memberType": {}})  # whose values are the types themselves
    announced = [{"short": s, "type": k, "list": False} for s, k in (("lnk", "xs:anyURI"), ("et", "m2m:timestamp"), ("ast", "m2m:announceSyncType"), ("cr", "m2m:ID"))]
    announced += [{"short": s, "type": k, "list": True} for s, k in (("lbl", "xs:token"), ("acpi", "xs:anyURI"), ("daci", "xs:anyURI"))]
    for t in types:
        rows = (common if t.get("mgd") else []) + t["attributes"]
        ROWS[t["root"] or t["name"]] = rows
        if t["root"]:
            ROWS[t["root"] + "A"] = announced + rows
    for m in read("modules.json")["modules"]:
        ROWS[m["root"]] = ROWS["flexContainer"] + [{"short": short, "type": kind, "list": False} for _, short, kind, _ in m["points"]]
