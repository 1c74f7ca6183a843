#!/usr/bin/env python3
"""Computes tests/vectors/derivations.json from fixed inputs with Python's standard library alone, so that the C code and this program can
only agree when both follow TS-0003 10.3, RFC 5869 and TS 33.220 Annex B.

    derivations.py            prints the vectors
    derivations.py --check F  fails unless F holds exactly these vectors
"""
import base64
import hashlib
import hmac
import json
import sys

KE = bytes(range(0x20, 0x40))
KPSA = bytes.fromhex("8f4b1c27d05ea3961122334455667788990aabbccddeeff00f1e2d3c4b5a6978")
PAIRWISE = bytes.fromhex("c0ffee00112233445566778899aabbccddeeff0102030405060708090a0b0c0d")


def mac(key, *parts):
    return hmac.new(key, b"".join(p if isinstance(p, bytes) else p.encode() for p in parts), hashlib.sha256).digest()


def export():
    octets = bytes(range(48))
    return [{"name": "48 octets of exporter output", "exported": octets.hex(), "relative_id": octets[:16].hex(), "key": octets[16:].hex(),
             "key_id": octets[:16].hex().upper() + "@maf.keyway.example"}]


def km():
    label = "oneM2M Enrolment Key to Master Credential derivation"
    return [{"ke": KE.hex(), "maf_id": n, "km": mac(KE, label, n).hex()} for n in ("maf.keyway.example", "m", "maf-2.region.keyway.example")]


def kpsa():
    label = "oneM2M Enrolment Key to Provisioned Secure Connection Key derivation"
    return [{"ke": KE.hex(), "b": n, "kpsa": mac(KE, label, n).hex()}
            for n in ("/id-in", "//keyway.example/id-mn", "//keyway.example/id-in/Cmeter")]


def usage():
    label = "oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation"
    return [{"ke": KE.hex(), "suid": s, "target": n, "key": mac(KE, label, str(s), n).hex()}
            for s, n in ((21, "maf.keyway.example"), (22, "id-in.keyway.example"), (24, "id-mn.id-in.keyway.example"))]


def esprim():
    label = "oneM2M HMAC-SHA256 sessionESPrimKey derivation algorithm"
    receiver = '{"esri":"s1","esrv":"AAECAwQFBgcICQoLDA0ODw==","esrx":"20301231T235959","esks":[1],"espa":[10,12]}'
    originator = '{"esri":"u9","esrv":"8PHy8/T19vf4+fr7/P3+/w==","esrx":"20301231T235900","esk":1,"espa":[10]}'
    return [{"pairwise": PAIRWISE.hex(), "receiver": receiver, "originator": originator,
             "session": mac(PAIRWISE, receiver, originator, label).hex()},
            # One octet more is another key: the objects are never written anew.
            {"pairwise": PAIRWISE.hex(), "receiver": receiver + " ", "originator": originator,
             "session": mac(PAIRWISE, receiver + " ", originator, label).hex()}]


def hkdf_extract(salt, ikm):
    return mac(salt, ikm)


def hkdf_expand(prk, info, n):
    t, out, i = b"", b"", 1
    while len(out) < n:
        t = mac(prk, t, info, bytes([i]))
        out += t
        i += 1
    return out[:n]


def e2e():
    vectors = []
    for salt in (bytes(range(0x60, 0x70)), b""):
        master = hkdf_extract(salt, KPSA)
        t, keys = b"", []
        for i, label in enumerate(("E2E Message Authentication Key", "E2E Message Confidentiality Key", "E2E Attribute Authenticity Key",
                                   "E2E Attribute Confidentiality Key"), 1):
            t = mac(master, t, label, bytes([i]))
            keys.append(t.hex())
        vectors.append({"kpsa": KPSA.hex(), "salt": salt.hex(), "message_authentication": keys[0], "message_confidentiality": keys[1],
                        "attribute_authenticity": keys[2], "attribute_confidentiality": keys[3]})
    return vectors


def use():
    key = bytes(range(0xa0, 0xc0))
    return [{"key": key.hex(), "octets": n, "used": key[:n].hex()} for n in (16, 24, 32)]


def hkdf():
    vectors = [{"name": "RFC 5869 A.1, first 42 octets", "salt": "000102030405060708090a0b0c", "ikm": "0b" * 22, "info": "f0f1f2f3f4f5f6f7f8f9",
                "published": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
               {"name": "RFC 5869 A.3, no salt and no info", "salt": "", "ikm": "0b" * 22, "info": "",
                "published": "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
               # The network key of an application group: salt is the extended PAN ID, the label ends in the key's sequence number.
               {"name": "network key of an application group", "salt": "0011223344556677", "ikm": "000102030405060708090a0b0c0d0e0f",
                "info": (b"gkd zigbee nwk" + bytes([7])).hex(), "octets": 16}]
    for v in vectors:
        prk = hkdf_extract(bytes.fromhex(v["salt"]), bytes.fromhex(v["ikm"]))
        published = v.pop("published", None)
        octets = v.pop("octets", len(published) // 2 if published else 0)
        okm = hkdf_expand(prk, bytes.fromhex(v["info"]), octets)
        assert published in (None, okm.hex()), v["name"]
        v.update(prk=prk.hex(), okm=okm.hex())
    return vectors


def gba():
    """TS 33.220 Annex B over Milenage set 1 of TS 35.208: Ks = CK || IK."""
    ck, ik = bytes.fromhex("b40ba9a3c58b2a05bbf0d987b21bf8cb"), bytes.fromhex("f769bcd751044604127672711c6d3441")
    rand = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
    impi = "232010000000000@ims.mnc010.mcc232.3gppnetwork.org"
    vectors = []
    for p0, naf, ua in (("gba-me", "mef.example.org", "010001002f"), ("gba-me", "mef.example.org", "01000100a8"),
                        ("gba-me", "mef.example.org", "0100000002"), ("gba-u", "maf.keyway.example", "01000100ae")):
        naf_id = naf.encode() + bytes.fromhex(ua)
        s = bytes([1])
        for p in (p0.encode(), rand, impi.encode(), naf_id):
            s += p + len(p).to_bytes(2, "big")
        vectors.append({"ks": (ck + ik).hex(), "p0": p0, "rand": rand.hex(), "impi": impi, "naf": naf, "ua": ua, "s": s.hex(),
                        "ks_naf": mac(ck + ik, s).hex(), "b_tid": base64.b64encode(rand).decode() + "@bsf.example.org"})
    return vectors


def main():
    vectors = {"note": "Computed by tests/vectors/derivations.py; a test compares. Octets in hexadecimal.",
               "export": export(), "km": km(), "kpsa": kpsa(), "usage": usage(), "esprim": esprim(), "e2e": e2e(), "use": use(),
               "hkdf": hkdf(), "gba": gba()}
    text = json.dumps(vectors, indent=1) + "\n"
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="utf-8") as f:
            if f.read() != text:
                sys.exit(f"{sys.argv[2]} is not what this program computes")
    else:
        sys.stdout.write(text)


main()
