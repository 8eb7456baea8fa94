"""openssl checks our signatures from the bytes of the signature sector, and makes keys that we take."""

import hashlib
import subprocess

import pytest

from twin import make_image, otactl

SECTOR = 4096


def parts(image):
    content = image.read_bytes()
    return content[:-SECTOR], content[-SECTOR:]


def der_integer(number):
    body = number.to_bytes(33, "big").lstrip(b"\0")
    body = b"\0" + body if body[0] & 0x80 else body
    return b"\x02" + bytes([len(body)]) + body


def test_rsa_pss(tmp_path):
    key, public = tmp_path / "k.pem", tmp_path / "k.pub"
    otactl("keygen", "--type", "rsa3072", key, public)
    covered, sector = parts(make_image("good", "1.0.0", tmp_path / "i.bin", key))
    assert sector[4:36] == hashlib.sha256(covered).digest()
    (tmp_path / "sig").write_bytes(sector[812:1196][::-1])
    (tmp_path / "data").write_bytes(covered)
    result = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "sig", "-sigopt",
         "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sigopt", "rsa_mgf1_md:sha256",
         tmp_path / "data"], text=True, capture_output=True)
    assert result.stdout.strip() == "Verified OK", result.stderr


def test_ecdsa_p256(tmp_path):
    key, public = tmp_path / "k.pem", tmp_path / "k.pub"
    otactl("keygen", "--type", "ecdsa256", key, public)
    covered, sector = parts(make_image("good", "1.0.0", tmp_path / "i.bin", key))
    r = int.from_bytes(sector[101:133], "little")
    s = int.from_bytes(sector[133:165], "little")
    body = der_integer(r) + der_integer(s)
    (tmp_path / "sig").write_bytes(b"\x30" + bytes([len(body)]) + body)
    (tmp_path / "data").write_bytes(covered)
    result = subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "sig",
                             tmp_path / "data"], text=True, capture_output=True)
    assert result.stdout.strip() == "Verified OK", result.stderr


@pytest.mark.parametrize("command", [
    ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"],
])
def test_keys_made_by_openssl(tmp_path, command):
    key, public = tmp_path / "k.pem", tmp_path / "k.pub"
    subprocess.run([*command, "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    image = make_image("good", "1.0.0", tmp_path / "i.bin", key)
    assert otactl("verify", "--key", public, image).returncode == 0


@pytest.mark.parametrize("command", [
    ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
])
def test_weaker_or_other_keys_are_refused(tmp_path, command):
    key, public = tmp_path / "k.pem", tmp_path / "k.pub"
    subprocess.run([*command, "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    image = make_image("good", "1.0.0", tmp_path / "i.bin")
    assert otactl("image", "sign", "--key", key, image, check=False).returncode == 3
    assert otactl("verify", "--key", public, image, check=False).returncode == 3
