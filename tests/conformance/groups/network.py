"""NET: what is about underlying networks - multimediaSession, triggerRequest, backgroundDataTransfer, localMulticastGroup - and primitive profiles.
A CSE without such a network answers as one that finds none."""
import functools

from conformance.check import check
from conformance.names import *

SESSION, TRIGGER, TRANSFER, MULTICAST, PROFILE = "TS-0004 7.4.56", "TS-0004 7.4.57", "TS-0001 10.2.20", "TS-0004 7.4.55", "TS-0001 R4 primitiveProfile"
OFFER = {"soi": "Csample", "osd": {"sdc": ["v=0"]}}


def session(t):
    return t.make(t.ae(scp=["audio"]), MMS, OFFER)


@check("NET", "CREATE/MMS/AE-without-capabilities", SESSION + ".2.1", needs=MMS)
def _(t):
    session(t)
    t.refused(t.create(t.ae(), MMS, OFFER), 5214)


@check("NET", "CREATE/MMS/is-offline", SESSION + ".1", needs=MMS)
def _(t):
    t.equal(session(t)["sst"], 1, "sessionState (1: OFFLINE)")


for _rule, _attributes in (("offers", {"osd": {"sdc": ["v=1"]}}), ("answers", {"asd": {"sdc": ["v=1"]}}), ("both-and-stays-online", {"sst": 2, "osd": {"sdc": ["v=1"]}})):
    def _online(attributes, t):
        s = session(t)
        t.rsc(t.update(s, attributes), 2004)
        t.rsc(t.update(s, {"sst": 2}), 2004)
        t.refused(t.update(s, attributes), 5215)
        t.rsc(t.update(s, dict(attributes, sst=1)), 2004)
    check("NET", "UPDATE/MMS/online-keeps-" + _rule, SESSION + ".2.3", needs=MMS)(functools.partial(_online, _attributes))


@check("NET", "UPDATE/MMS/online-takes-what-is-no-description", SESSION + ".2.3", needs=MMS)
def _(t):
    s = session(t)
    t.rsc(t.update(s, {"sst": 2}), 2004)
    t.rsc(t.update(s, {"lbl": ["x"]}), 2004)


@check("NET", "NOTIFY/MMS/going-online", SESSION + ".2.3", needs=MMS)
def _(t):
    s = session(t)
    sub, box = t.sub(s, [UPDATED])
    t.rsc(t.update(s, {"sst": 2}), 2004)
    t.equal(t.note(box).rep["m2m:mms"]["sst"], 2, "sessionState in the notification")


# triggerRequest

def request(t, **more):
    return dict({"rn": t.name("tgr"), "mei": "device@nowhere.invalid", "tri": 4711, "tvt": "PT5M"}, **more)


@check("NET", "CREATE/TGR/state-of-the-trigger", TRIGGER + ".2.1", needs=TGR)
def _(t):
    tgr = t.make(t.cse, TGR, request(t))
    t.true(tgr["tst"] in (1, 2, 3, 6), "triggerStatus is PROCESSING, ERROR_NSE_NOT_FOUND, TRIGGERED or FAILED, got %s" % tgr["tst"])
    t.equal(tgr["tpe"], 1, "triggerPurpose (1: establishConnection)")
    t.true(bool(tgr["trf"]), "there is a triggerReference")


for _rule, _change in (("mei", {"mei": None}), ("tri", {"tri": None}), ("tvt", {"tvt": None}), ("tvt-no-duration", {"tvt": "soon"}), ("tpe-unknown", {"tpe": 99}), ("tst-given", {"tst": 1})):
    def _malformed(change, t):
        t.make(t.cse, TGR, request(t))
        t.refused(t.create(t.cse, TGR, {k: v for k, v in request(t, **change).items() if v is not None}), 4000)
    check("NET", "CREATE/TGR/refused-" + _rule, TRIGGER + ".1", needs=TGR)(functools.partial(_malformed, _change))


@check("NET", "CREATE/TGR/recipient-does-not-want-it", TRIGGER + ".2.1", needs=TGR, alone=True)
def _(t):
    ae = t.ae(tri=815, tren=False)
    t.refused(t.create(t.cse, TGR, request(t, tri=815)), 5218)
    t.rsc(t.update(ae, {"tren": True}), 2004)
    t.make(t.cse, TGR, request(t, tri=815))
    t.rsc(t.update(ae, {"tren": False}), 2004)
    t.refused(t.create(t.cse, TGR, request(t, tri=815)), 5218)


def over(t):
    """A trigger that is no longer with a network, open to everybody; None where a network took it."""
    acp = t.acp([("all", ALL)])
    tgr = t.make(t.cse, TGR, request(t, acpi=[acp.ri]))
    return tgr if tgr["tst"] != 1 else None


@check("NET", "UPDATE/TGR/what-is-over-cannot-be-replaced", TRIGGER + ".2.3", needs=TGR)
def _(t):
    tgr = over(t)
    if tgr is not None:
        t.refused(t.update(tgr, {"tvt": "PT1M"}, fr=t.ae().id), 5219)
        t.equal(t.retrieve(tgr).get("tvt"), "PT5M", "triggerValidityTime afterwards")


@check("NET", "DELETE/TGR/what-is-over-cannot-be-recalled", TRIGGER + ".2.4", needs=TGR)
def _(t):
    tgr = over(t)
    if tgr is not None:
        t.refused(t.delete(tgr, fr=t.ae().id), 5220)
        t.rsc(t.retrieve(tgr), 2000)


# backgroundDataTransfer

@check("NET", "CREATE/BDT/window-and-guidance", TRANSFER + ".2", needs=BDT)
def _(t):
    bdt = t.make(t.cse, BDT, {"vpn": 1000, "non": 10, "dtw": "* * 0-5 * * * *"})
    t.equal(len(bdt["dtw"].split()), 7, "the number of fields of the window that was granted, %s" % bdt["dtw"])
    t.true(bool(bdt["tsg"]), "the CSE sets transferSelectionGuidance")


for _rule, _change in (("dtw-missing", {"dtw": None}), ("dtw-no-schedule", {"dtw": "at night"}), ("vpn-zero", {"vpn": 0}), ("non-missing", {"non": None})):
    def _bad_transfer(change, t):
        a = {"vpn": 1000, "non": 10, "dtw": "* * 0-5 * * * *"}
        t.make(t.cse, BDT, a)
        t.refused(t.create(t.cse, BDT, {k: v for k, v in dict(a, **change).items() if v is not None}), 4000)
    check("NET", "CREATE/BDT/refused-" + _rule, "TS-0004 7.4.59.1", needs=BDT)(functools.partial(_bad_transfer, _change))


# localMulticastGroup

@check("NET", "CREATE/LMG/address-that-is-none-of-multicast", MULTICAST + ".2.1", needs=LMG)
def _(t):
    cnt = t.cnt()
    a = {"mad": {"ip4": "239.255.47.11"}, "mgft": "/id-far/" + t.name("fan"), "mli": [cnt.path]}
    r = t.create(t.cse, LMG, dict(a, rn=t.name("lmg")))
    t.rsc(r, 2001, 5216)
    if r.rsc == 2001:
        t.rsc(t.retrieve(a["mgft"], fr=cnt.fr), 2000)
        t.delete("%s/%s" % (t.cse, r.rep["rn"]))
    t.refused(t.create(t.cse, LMG, dict(a, mad={"ip4": "127.0.0.1"})), 5216)
    t.refused(t.create(t.cse, LMG, dict(a, mad="239.255.47.11")), 4000)


# primitiveProfile

@check("NET", "CREATE/PRP/adds-what-is-left-out", PROFILE, needs=PRP)
def _(t):
    ae, other = t.ae(), t.ae()
    t.make(t.cse, PRP, {"idl": [ae.id], "rtys": [CNT], "adds": [{"nm": "mni", "val": 7}]})
    t.equal(t.cnt(ae)["mni"], 7, "maxNrOfInstances that the profile adds")
    t.equal(t.cnt(ae, mni=3)["mni"], 3, "maxNrOfInstances that the request has")
    t.equal(t.cnt(other).get("mni"), None, "maxNrOfInstances of another's container")


@check("NET", "CREATE/PRP/takes-away", PROFILE, needs=PRP)
def _(t):
    ae = t.ae()
    t.make(t.cse, PRP, {"idl": [ae.id], "rtys": [CNT], "dels": ["mbs"]})
    t.equal(t.cnt(ae, mbs=100, mni=2).get("mbs"), None, "maxByteSize that the profile takes away")


@check("NET", "DELETE/PRP/applies-no-more", PROFILE, needs=PRP)
def _(t):
    ae = t.ae()
    prp = t.make(t.cse, PRP, {"idl": [ae.id], "rtys": [CNT], "adds": [{"nm": "mni", "val": 7}]})
    t.equal(t.cnt(ae)["mni"], 7, "maxNrOfInstances that the profile adds")
    t.rsc(t.delete(prp), 2002)
    t.equal(t.cnt(ae).get("mni"), None, "maxNrOfInstances afterwards")


@check("NET", "CREATE/PRP/of-an-AE-is-for-that-AE", PROFILE, needs=PRP)
def _(t):
    ae, other = t.ae(), t.ae()
    t.make(ae, PRP, {"idl": ["*"], "rtys": [CNT], "adds": [{"nm": "mni", "val": 7}]})
    t.equal(t.cnt(ae)["mni"], 7, "maxNrOfInstances that the profile adds")
    t.equal(t.cnt(other).get("mni"), None, "maxNrOfInstances of another's container")


CHANGES = {"idl": ["Csample"], "adds": [{"nm": "lbl", "val": ["x"]}]}
for _rule, _change in (("idl-missing", {"idl": None}), ("adds-what-it-takes-away", {"dels": ["lbl"]}), ("adds-what-the-type-has-not", {"rtys": [AE], "adds": [{"nm": "mid", "val": ["x"]}]}),
                       ("takes-away-what-the-type-has-not", {"rtys": [AE], "dels": ["mid"]}), ("adds-a-wrong-value", {"rtys": [AE], "adds": [{"nm": "aei", "val": 23}]}),
                       ("adds-what-is-complex", {"rtys": [ACP], "adds": [{"nm": "pv", "val": {"acr": []}}]}), ("adds-a-parameter-wrongly", {"adds": [{"nm": "oet", "val": True}]})):
    def _no_profile(change, t):
        t.refused(t.create(t.cse, PRP, {k: v for k, v in dict(CHANGES, **change).items() if v is not None}), 4000)
        t.make(t.cse, PRP, CHANGES)
    check("NET", "CREATE/PRP/refused-" + _rule, PROFILE, needs=PRP)(functools.partial(_no_profile, _change))


def _own_parameter(name, t):
    p = t.make(t.cse, PRP, CHANGES)
    for change in ({"adds": [{"nm": name, "val": "x"}]}, {"dels": [name]}):
        t.refused(t.create(t.cse, PRP, dict(CHANGES, **change)), 4000)
        t.refused(t.update(p, change), 4000)
    t.rsc(t.update(p, {"adds": [{"nm": "rcn", "val": 0}], "dels": ["vsi"]}), 2004)


for _name in ("op", "to", "fr", "rqi", "rvi", "rsc", "fc", "ot", "gid", "tkns", "ati"):
    check("NET", "CREATE/PRP/refused-parameter-" + _name, PROFILE, needs=PRP)(functools.partial(_own_parameter, _name))
