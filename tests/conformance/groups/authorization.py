"""SEC: the later stages of access control: roles, tokens, dynamic authorisation, decisions on demand."""
import functools

from conformance.check import check
from conformance.names import *

ROLES = "TS-0003 7.2"
TOKENS = "TS-0003 7.3.2"
DAS = "TS-0001 11.5.2"
POINTS = "TS-0003 7.5"


def guarded(t, *rules):
    """A container of an AE, with a policy of these rules and of nothing else; and another AE."""
    owner, user = t.ae(), t.ae()
    acp = t.make(t.cse, ACP, {"pv": {"acr": list(rules)}, "pvs": {"acr": [{"acor": [t.admin, owner.id], "acop": ALL}]}}, fr=t.admin)
    return owner, user, t.cnt(owner, acpi=[acp.ri])


def times(past=True):
    return {"tknb": "20200101T000000", "tkna": "20990101T000000" if past else "20210101T000000"}


@check("SEC", "RETRIEVE/ROL/named-and-assigned", ROLES, needs=ROL)
def _(t):
    role = "%s@conformance" % t.name("role")
    owner, user, cnt = guarded(t, {"acor": [role], "acop": R})
    t.refused(t.retrieve(cnt, fr=user.id, rids=role), 4103)
    t.make(t.cse, ROL, dict({"rlid": role, "tkis": t.admin, "tkhd": user.id}, **times()), fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=user.id, rids=role), 2000)
    t.refused(t.retrieve(cnt, fr=user.id), 4103)
    t.refused(t.delete(cnt, fr=user.id), 4103)


@check("SEC", "RETRIEVE/ROL/of-another-holder", ROLES, needs=ROL)
def _(t):
    role = "%s@conformance" % t.name("role")
    owner, user, cnt = guarded(t, {"acor": [role], "acop": R})
    t.make(t.cse, ROL, dict({"rlid": role, "tkis": t.admin, "tkhd": owner.id}, **times()), fr=t.admin)
    t.refused(t.retrieve(cnt, fr=user.id, rids=role), 4103)


@check("SEC", "RETRIEVE/ROL/expired", ROLES, needs=ROL)
def _(t):
    role = "%s@conformance" % t.name("role")
    owner, user, cnt = guarded(t, {"acor": [role], "acop": R})
    t.make(t.cse, ROL, dict({"rlid": role, "tkis": t.admin, "tkhd": user.id}, **times(False)), fr=t.admin)
    t.refused(t.retrieve(cnt, fr=user.id, rids=role), 4103)


@check("SEC", "RETRIEVE/TK/privileges-of-a-token", TOKENS, needs=TK)
def _(t):
    owner, user, cnt = guarded(t, {"acor": [t.admin], "acop": ALL})
    other = t.cnt(owner, acpi=cnt["acpi"])
    token = "%s@conformance" % t.name("token")
    t.make(t.cse, TK, dict({"tkid": token, "tkob": "x.y." + t.name("z"), "tkhd": user.id, "tkps": {"pm": [{"ris": [cnt.ri], "pv": {"acr": [{"acor": ["all"], "acop": R}]}}]}}, **times()), fr=t.admin)
    t.refused(t.retrieve(cnt, fr=user.id), 4103)
    t.rsc(t.retrieve(cnt, fr=user.id, tids=token), 2000)
    t.refused(t.retrieve(other, fr=user.id, tids=token), 4103)
    t.refused(t.retrieve(cnt, fr=owner.id, tids=token), 4103)


@check("SEC", "RETRIEVE/TK/role-of-a-token", TOKENS, needs=TK)
def _(t):
    role, token = "%s@conformance" % t.name("role"), "%s@conformance" % t.name("token")
    owner, user, cnt = guarded(t, {"acor": [role], "acop": R})
    t.make(t.cse, TK, dict({"tkid": token, "tkob": "x.y." + t.name("z"), "tkhd": user.id, "tkps": {"pm": [{"rids": [role]}]}}, **times()), fr=t.admin)
    t.rsc(t.retrieve(cnt, fr=user.id, tids=token), 2000)
    t.refused(t.retrieve(cnt, fr=user.id), 4103)


def server(t, answer):
    """An authorisation server and a container that has it asked."""
    owner, user, cnt = guarded(t, {"acor": [t.admin], "acop": ALL})
    box = t.box()
    box.answer = answer
    dac = t.make(t.cse, DAC, {"dae": True, "dap": [box.url]}, fr=t.admin)
    t.rsc(t.update(cnt, {"daci": [dac.ri]}, fr=t.admin), 2004)
    return user, cnt, box, dac


def granting(user, acop, lifetime="600000"):
    return {"m2m:seci": {"sit": 2, "dres": {"dai": {"gp": {"acr": [{"acor": [user.id], "acop": acop}]}, "pl": lifetime}}}}


@check("SEC", "RETRIEVE/DAC/granted", DAS, needs=DAC)
def _(t):
    user, cnt, box, dac = server(t, None)
    box.answer = lambda note: (2000, granting(user, R))
    t.rsc(t.retrieve(cnt, fr=user.id), 2000)
    note = box.wait()
    t.equal([note.body["m2m:seci"]["sit"], note.body["m2m:seci"]["dreq"]["op"]], [1, 2], "kind of security information, operation")
    t.rsc(t.retrieve(cnt, fr=user.id), 2000)
    t.equal(box.drain(), [], "further questions within the lifetime")


@check("SEC", "UPDATE/DAC/granted", DAS, needs=DAC)
def _(t):
    user, cnt, box, dac = server(t, None)
    box.answer = lambda note: (2000, granting(user, U))
    t.rsc(t.update(cnt, {"lbl": ["new"]}, fr=user.id), 2004)
    t.equal(t.retrieve(cnt, fr=t.admin).get("lbl"), ["new"], "labels")


@check("SEC", "RETRIEVE/DAC/not-granted", DAS, needs=DAC)
def _(t):
    user, cnt, box, dac = server(t, lambda note: (2000, {"m2m:seci": {"sit": 2, "dres": {}}}))
    t.refused(t.retrieve(cnt, fr=user.id), 4103)
    t.true(box.wait() is not None, "the server was asked")


@check("SEC", "RETRIEVE/DAC/switched-off", DAS, needs=DAC)
def _(t):
    user, cnt, box, dac = server(t, None)
    box.answer = lambda note: (2000, granting(user, R))
    t.rsc(t.update(dac, {"dae": False}, fr=t.admin), 2004)
    t.refused(t.retrieve(cnt, fr=user.id), 4103)
    t.equal(box.drain(), [], "questions")


@check("SEC", "RETRIEVE/DAC/where-to-get-a-token", "TS-0001 11.5.3", needs=DAC)
def _(t):
    user, cnt, box, dac = server(t, None)
    r = t.retrieve(cnt, fr=user.id, tqi="true")
    t.equal(r.rsc, 4103, "response status code")
    t.equal([d["uri"] for d in r.get("dasi") or []], [box.url], "where to ask")
    t.equal(box.drain(), [], "questions")


@check("SEC", "CREATE/CNT/daci-is-none", "TS-0001 9.6.1.3.2", needs=DAC)
def _(t):
    ae = t.ae()
    t.refused(t.create(ae, CNT, {"daci": [ae.ri]}), 4000)
    t.cnt(ae)


@check("SEC", "CREATE/DAC/dap-as-it-was-given", "TS-0001 9.6.40", needs=DAC)
def _(t):
    """xs:anyURI takes the empty one, and the list may say one twice."""
    for dap in ([""], ["aURL", "aURL"]):
        dac = t.make(t.cse, DAC, {"dae": False, "dap": dap})
        t.equal(dac["dap"], dap, "dynamicAuthorizationPoA")
    t.refused(t.create(t.cse, DAC, {"dae": False, "dap": []}), 4000)


@check("SEC", "CREATE/CNT/daci-is-not-there-yet", "TS-0001 9.6.1.3.2", needs=DAC)
def _(t):
    owner, other = t.ae(), t.ae()
    cnt = t.cnt(owner, daci=["nothing-there"])
    t.equal(cnt.get("daci"), ["nothing-there"], "dynamicAuthorizationConsultationIDs, kept as they are")
    t.refused(t.retrieve(cnt, fr=other.id), 4103)
    t.rsc(t.retrieve(cnt), 2000)


@check("SEC", "UPDATE/AUDS/decides", POINTS, needs=AUDS)
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["Cconformance"], "acop": R + C})
    auds = t.make(t.cse, AUDS, {}, fr=t.admin)
    for parameters, decision, status in (({"to": cnt.ri}, None, 3), ({"fr": "Cconformance", "op": 2}, 1, 1), ({"op": 4}, 2, 1), ({"fr": user.id, "op": 2}, 2, 1), ({"to": cnt.ri + "nothing"}, None, 2)):
        r = t.rsc(t.update(auds, parameters, fr=t.admin), 2004)
        t.equal([r.get("dec"), r.get("sus")], [decision, status], "decision and status after %s" % parameters)


@check("SEC", "UPDATE/AUPY/lists-policies", POINTS, needs=AUPY)
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["Cconformance"], "acop": R})
    aupy = t.make(t.cse, AUPY, {}, fr=t.admin)
    r = t.rsc(t.update(aupy, {"to": cnt.ri}, fr=t.admin), 2004)
    t.equal([r.get("ps"), r.get("sus")], [{"pv": [{"acr": [{"acor": ["Cconformance"], "acop": R}]}]}, 1], "policies and status")


@check("SEC", "UPDATE/AUIF/checks-roles", POINTS, needs=(AUIF, ROL))
def _(t):
    role = "%s@conformance" % t.name("role")
    user = t.ae()
    auif = t.make(t.cse, AUIF, {}, fr=t.admin)
    r = t.rsc(t.update(auif, {"fr": user.id, "rids": [role]}, fr=t.admin), 2004)
    t.equal(r.get("sus"), 2, "status without the role")
    t.make(t.cse, ROL, dict({"rlid": role, "tkis": t.admin, "tkhd": user.id}, **times()), fr=t.admin)
    r = t.rsc(t.update(auif, {"fr": user.id}, fr=t.admin), 2004)
    t.equal(r.get("sus"), 1, "status with the role")


def for_attributes(operation, t):
    owner, user, cnt = guarded(t, {"acor": ["C*"], "acop": R + U, "aca": ["lbl", "mni"]})
    if operation == "U":
        t.rsc(t.update(cnt, {"mni": 3}, fr=user.id), 2004)
        t.refused(t.update(cnt, {"mni": 3, "mbs": 3}, fr=user.id), 4103)
    else:
        t.rsc(t.retrieve(cnt, fr=user.id, atrl=["mni", "lbl"]), 2000)
        t.refused(t.retrieve(cnt, fr=user.id, atrl=["mni", "mbs"]), 4103)
        t.refused(t.retrieve(cnt, fr=user.id), 4103)


COUNTED = ["rn", "acpi", "ri", "et", "ct", "pi", "lt", "ty", "cni", "cbs", "st"]  # all that a plain container has


@check("SEC", "RETRIEVE/ACP/rule-for-all-attributes", "TS-0001 9.6.2.1")
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["C*"], "acop": R, "aca": COUNTED})
    t.rsc(t.retrieve(cnt, fr=user.id), 2000)
    t.rsc(t.update(cnt, {"lbl": ["x"]}, fr=t.admin), 2004)
    t.refused(t.retrieve(cnt, fr=user.id), 4103)


@check("SEC", "DELETE/ACP/rule-for-attributes", "TS-0001 9.6.2.1")
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["C*"], "acop": D, "aca": COUNTED})
    t.rsc(t.update(cnt, {"lbl": ["x"]}, fr=t.admin), 2004)
    t.refused(t.delete(cnt, fr=user.id), 4103)
    t.rsc(t.update(cnt, {"lbl": None}, fr=t.admin), 2004)
    t.rsc(t.delete(cnt, fr=user.id), 2002)


@check("SEC", "CREATE/ACP/rule-for-attributes-shows-those", "TS-0001 9.6.2.1")
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["C*"], "acop": C, "aca": ["lbl", "rn", "mni"]})
    t.refused(t.create(cnt, CNT, {"rn": "a", "mbs": 10}, fr=user.id), 4103)
    r = t.rsc(t.create(cnt, CNT, {"rn": "b", "mni": 10}, fr=user.id), 2001)
    t.same(list(r.rep), ["rn", "mni"], "what the originator is shown")


@check("SEC", "UPDATE/ACP/rule-for-attributes-shows-those", "TS-0001 9.6.2.1")
def _(t):
    owner, user, cnt = guarded(t, {"acor": ["C*"], "acop": U, "aca": ["lbl", "mni"]})
    r = t.rsc(t.update(cnt, {"mni": 3}, fr=user.id), 2004)
    t.same(list(r.rep), ["mni"], "what the originator is shown")


@check("SEC", "UPDATE/ACPI/policies-that-are-gone", "TS-0001 9.6.1.3.1")
def _(t):
    """Where none of the policies exists any more the creator has the default privileges, and nobody else does."""
    ae, other = t.ae(), t.ae()
    acp = t.acp([((t.admin,), ALL)])
    cnt = t.cnt(ae, acpi=[acp.ri])
    t.refused(t.update(cnt, {"lbl": ["x"]}), 4103)
    t.rsc(t.delete(acp), 2002)
    t.rsc(t.update(cnt, {"lbl": ["x"]}), 2004)
    t.refused(t.update(cnt, {"lbl": ["x"]}, fr=other.id), 4103)
    t.rsc(t.update(cnt, {"acpi": None}), 2004)


for _rule, _operation in (("RETRIEVE", "R"), ("UPDATE", "U")):
    check("SEC", "%s/ACP/rule-for-attributes" % _rule, "TS-0001 9.6.2.1")(functools.partial(for_attributes, _operation))
