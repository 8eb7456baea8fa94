"""suit_checker.py PACKAGE PUBLIC_KEY…: checks a package with cbor2, cryptography and pycddl, which share no code with
ours. Prints what it found; exit code 0 when everything holds."""

import hashlib
import json
import sys
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pycddl import Schema


RULES = (Path(__file__).parent / "bess_suit.cddl").read_text()


def holds(block, digest, key):
    protected, _, payload, signature = block.value
    assert block.tag == 18 and payload is None
    tbs = cbor2.dumps(["Signature1", protected, b"", digest])
    try:
        if cbor2.loads(protected)[1] == -37:
            key.verify(signature, tbs, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        else:
            numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            key.verify(encode_dss_signature(*numbers), tbs, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, TypeError, AttributeError):
        return False
    return True


RULE_OF = {**{code: "policy" for code in (1, 2, 3, 4, 5, 6, 14, 18, 21, 22, 23, 24, 25, 26, 27, 28, 29)},
           12: "index", 15: "alternatives", 19: "parameters", 20: "parameters", 32: "alternative"}
RULE_OF_PARAMETER = {3: "digest", 28: "version-match", 29: "wait-info"}


def validate(rule, data):
    Schema(f"first = {rule}\n" + RULES).validate_cbor(data)


def check_sequence(sequence):
    """Every argument by the grammar, also in alternatives; how many commands there were."""
    count = 0
    for code, argument in zip(sequence[::2], sequence[1::2], strict=True):
        rule = RULE_OF[code]
        validate(rule, cbor2.dumps(argument))
        if rule == "parameters":
            for key in RULE_OF_PARAMETER.keys() & argument.keys():
                validate(RULE_OF_PARAMETER[key], argument[key])
        bodies = {15: argument, 32: [argument]}.get(code, [])
        count += 1 + sum(check_sequence(cbor2.loads(body)) for body in bodies if body is not None)
    return count


def main():
    data = Path(sys.argv[1]).read_bytes()
    keys = [serialization.load_pem_public_key(Path(path).read_bytes()) for path in sys.argv[2:]]
    Schema(RULES).validate_cbor(data)
    envelope = cbor2.loads(data)
    assert envelope.tag == 107
    members = envelope.value
    # Deterministic: encoding it once more gives the same bytes.
    assert cbor2.dumps(envelope, canonical=True) == data or list(members) == sorted(members, key=cbor2.dumps)
    digest, *blocks = cbor2.loads(members[2])
    assert cbor2.loads(digest) == [-16, hashlib.sha256(cbor2.dumps(members[3])).digest()]
    manifest = cbor2.loads(members[3])
    validate("digest", digest)
    for block in blocks:
        validate("sign1", block)
        validate("header", cbor2.loads(block).value[0])
    common = cbor2.loads(manifest[3])
    commands = sum(check_sequence(cbor2.loads(encoded))
                   for encoded in [common[4], *[manifest[key] for key in (7, 9, 16, 20) if key in manifest]])
    signed = sum(any(holds(cbor2.loads(block), digest, key) for block in blocks) for key in keys)
    shared = cbor2.loads(common[4])
    parameters = next(argument for code, argument in zip(shared[::2], shared[1::2]) if code == 20)
    image = members.get("#p00", b"")
    same = cbor2.loads(parameters[3])[1] == hashlib.sha256(image).digest() and parameters[14] == len(image)
    print(json.dumps({"sequence": manifest[2], "keys that signed": signed, "image": same,
                      "commands": commands, "parameters": sorted(parameters)}))
    return 0 if signed == len(keys) and same else 1


if __name__ == "__main__":
    sys.exit(main())
