"""Makes SUIT packages of the profile BESS-SUIT-1 with nothing but Python's library and the openssl program: a second
producer, so that a mistake of otactl is not taken for the format."""

import hashlib
import subprocess
import uuid

VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "bess.example")
CLASS = uuid.uuid5(VENDOR, "BESS-100K200/CTRL-P4/R1")


class Wrapped:
    """An item as a byte string."""

    def __init__(self, item):
        self.item = item


class Raw:
    """Bytes that are encoded already."""

    def __init__(self, data):
        self.data = data


def head(major, value):
    for size, code in ((0, None), (1, 24), (2, 25), (4, 26), (8, 27)):
        if size == 0 and value < 24:
            return bytes([major << 5 | value])
        if size and value < 1 << (8 * size):
            return bytes([major << 5 | code]) + value.to_bytes(size, "big")
    raise ValueError(value)


def encode(item):
    if isinstance(item, Raw):
        return item.data
    if isinstance(item, Wrapped):
        return encode(encode(item.item))
    if item is None or item is True or item is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(encode, item))
    pairs = sorted((encode(key), encode(value)) for key, value in item.items())
    return head(5, len(pairs)) + b"".join(key + value for key, value in pairs)


def ecdsa_raw(der):
    """r || s out of the DER form that openssl writes (RFC 3279 2.2.3)."""
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        numbers += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return numbers


def sign1(digest, key):
    protected = encode({1: -9})
    tbs = encode(["Signature1", protected, b"", digest])
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=tbs, capture_output=True, check=True).stdout
    return Raw(head(6, 18) + encode([protected, {}, None, ecdsa_raw(der)]))


def digest_of(data):
    return [-16, hashlib.sha256(data).digest()]


def package(image, keys, sequence, version, shared=(), install=(), sent=None, info=None):
    """A package with one image for ['app']; shared and install are further commands. sent: the encrypted image, and
    how it is encrypted."""
    parameters = {1: VENDOR.bytes, 2: CLASS.bytes, 3: Wrapped(digest_of(image)), 14: len(image)}
    if info:
        parameters[19] = info
    manifest = {
        1: 1, 2: sequence,
        3: Wrapped({2: [[b"app"]], 4: Wrapped([20, parameters, 1, 15, 2, 15, *shared])}),
        6: Wrapped(list(version)), 7: Wrapped([3, 15]), 9: Wrapped([23, 2]),
        16: Wrapped([20, {21: "#p00"}, 21, 2, 3, 15]), 20: Wrapped([*install, 3, 15])}
    wrapped = encode(Wrapped(manifest))
    digest = encode(digest_of(wrapped))
    auth = Wrapped([digest, *[Wrapped(sign1(digest, key)) for key in keys]])
    return head(6, 107) + encode({2: auth, 3: Raw(wrapped), "#p00": sent or image})
