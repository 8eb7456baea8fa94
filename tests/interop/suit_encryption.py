"""COSE_Encrypt for payloads of packages, with cbor2 and cryptography, which share no code with ours.

  suit_encryption.py encrypt PUBLIC_PEM|KEK_HEX PLAIN INFO CIPHERTEXT      writes INFO and CIPHERTEXT
  suit_encryption.py decrypt PRIVATE_PEM|KEK_HEX PACKAGE PLAIN             writes what '#p00' of PACKAGE holds"""

import os
import sys
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

PURPOSE = b"SUIT Payload Encryption"


def agreed(own, peer, protected):
    info = cbor2.dumps([-3, [None] * 3, [None] * 3, [128, protected, PURPOSE]])
    return HKDF(hashes.SHA256(), 16, None, info).derive(own.exchange(ec.ECDH(), peer))


def counter_mode(key, iv, data):
    context = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return context.update(data) + context.finalize()


def encrypt(recipient, plain):
    key, iv = os.urandom(16), os.urandom(16)
    if Path(recipient).exists():
        peer = serialization.load_pem_public_key(Path(recipient).read_bytes())
        own = ec.generate_private_key(ec.SECP256R1())
        numbers = own.public_key().public_numbers()
        protected = cbor2.dumps({1: -29})
        cose_key = {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        member = [protected, {-1: cose_key}, aes_key_wrap(agreed(own, peer, protected), key)]
    else:
        member = [b"", {1: -3}, aes_key_wrap(bytes.fromhex(recipient), key)]
    info = cbor2.dumps(cbor2.CBORTag(96, [b"", {1: -65534, 5: iv}, None, [member]]), canonical=True)
    return info, counter_mode(key, iv, plain)


def decrypt(own, package):
    members = cbor2.loads(package).value
    fetch = cbor2.loads(cbor2.loads(members[3])[16])
    parameters = next(argument for code, argument in zip(fetch[::2], fetch[1::2]) if code == 20)
    tagged = cbor2.loads(parameters[19])
    assert tagged.tag == 96
    protected, unprotected, nothing, (recipient,) = tagged.value
    assert protected == b"" and nothing is None and unprotected[1] == -65534
    header, open_header, wrapped = recipient
    if Path(own).exists():
        assert cbor2.loads(header) == {1: -29}
        key = open_header[-1]
        assert key[1] == 2 and key[-1] == 1
        peer = ec.EllipticCurvePublicNumbers(int.from_bytes(key[-2], "big"), int.from_bytes(key[-3], "big"),
                                             ec.SECP256R1()).public_key()
        kek = agreed(serialization.load_pem_private_key(Path(own).read_bytes(), None), peer, header)
    else:
        assert header == b"" and open_header[1] == -3
        kek = bytes.fromhex(own)
    return counter_mode(aes_key_unwrap(kek, wrapped), unprotected[5], members["#p00"])


if __name__ == "__main__":
    if sys.argv[1] == "encrypt":
        information, ciphertext = encrypt(sys.argv[2], Path(sys.argv[3]).read_bytes())
        Path(sys.argv[4]).write_bytes(information)
        Path(sys.argv[5]).write_bytes(ciphertext)
    else:
        Path(sys.argv[4]).write_bytes(decrypt(sys.argv[2], Path(sys.argv[3]).read_bytes()))
