"""Against Espressif's own tools: what they sign is accepted, what we sign they accept."""

import json
import subprocess

import pytest

from twin import BUILD, make_image, otactl

PROGRAM = BUILD / "apps" / "bess_sim_good"


def tool(esptool_bin, name, *arguments, check=True):
    result = subprocess.run([esptool_bin / name, *map(str, arguments)], text=True, capture_output=True)
    if check:
        assert result.returncode == 0, result.stdout + result.stderr
    return result


def ec_key(folder, name="ec"):
    key = folder / f"{name}.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key], check=True)
    return key


def rsa_key(folder, name="rsa"):
    key = folder / f"{name}.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", key, "3072"], check=True, capture_output=True)
    return key


def public_of(key):
    public = key.with_suffix(".pub")
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    return public


@pytest.fixture(params=["rsa", "ec"])
def key(request, tmp_path):
    return rsa_key(tmp_path) if request.param == "rsa" else ec_key(tmp_path)


def test_image_signed_by_espsecure_is_accepted(esptool_bin, tmp_path, key):
    image = make_image("good", "1.0.0", tmp_path / "image.bin")
    signed = tmp_path / "signed.bin"
    tool(esptool_bin, "espsecure", "sign-data", "--version", "2", "--keyfile", key, "--output", signed, image)
    assert otactl("verify", "--key", public_of(key), signed).returncode == 0
    blocks = json.loads(otactl("inspect", "--json", signed).stdout)["signatures"]
    digest = tmp_path / "digest"
    tool(esptool_bin, "espsecure", "digest-sbv2-public-key", "--keyfile", key, "--output", digest)
    assert blocks[0]["key_digest"] == digest.read_bytes().hex()


def test_image_signed_by_us_is_accepted_by_espsecure(esptool_bin, tmp_path, key):
    image = make_image("good", "1.0.0", tmp_path / "image.bin", key)
    tool(esptool_bin, "espsecure", "verify-signature", "--version", "2", "--keyfile", key, image)


def test_three_blocks_by_two_tools(esptool_bin, tmp_path):
    first, second, third = rsa_key(tmp_path, "a"), rsa_key(tmp_path, "b"), rsa_key(tmp_path, "c")
    image = make_image("good", "1.0.0", tmp_path / "image.bin", first)
    more = tmp_path / "more.bin"
    tool(esptool_bin, "espsecure", "sign-data", "--version", "2", "--append-signatures", "--keyfile", second,
         "--output", more, image)
    otactl("image", "sign", "--append", "--key", third, more)
    for signer in (first, second, third):
        assert otactl("verify", "--key", public_of(signer), more).returncode == 0
        tool(esptool_bin, "espsecure", "verify-signature", "--version", "2", "--keyfile", signer, more)


def test_espsecure_refuses_what_we_refuse(esptool_bin, tmp_path):
    image = make_image("good", "1.0.0", tmp_path / "image.bin", rsa_key(tmp_path))
    other = rsa_key(tmp_path, "other")
    assert tool(esptool_bin, "espsecure", "verify-signature", "--version", "2", "--keyfile", other, image,
                check=False).returncode != 0
    assert otactl("verify", "--key", public_of(other), image, check=False).returncode == 4


def test_esptool_reads_our_image(esptool_bin, tmp_path):
    image = make_image("good", "1.2.3", tmp_path / "image.bin")
    text = tool(esptool_bin, "esptool", "--chip", "esp32p4", "image-info", image).stdout
    assert "ESP32-P4" in text
    assert "1.2.3" in text and "bess_sim" in text
    assert text.count("(valid)") >= 2, text  # checksum and validation hash


def test_image_that_ends_on_a_sector(esptool_bin, tmp_path):
    """The one length that needs no padding before the signature sector."""
    program, image, signed = tmp_path / "program", tmp_path / "image.bin", tmp_path / "signed.bin"
    content = PROGRAM.read_bytes()
    content += b"\0" * ((3764 - len(content)) % 4096)  # 296 bytes before it, checksum and digest behind
    program.write_bytes(content)
    otactl("image", "build", "--version", "1.0.0", program, image)
    assert image.stat().st_size % 4096 == 0
    signer = ec_key(tmp_path)
    tool(esptool_bin, "espsecure", "sign-data", "--version", "2", "--keyfile", signer, "--output", signed, image)
    assert signed.stat().st_size == image.stat().st_size + 4096
    assert otactl("verify", "--key", public_of(signer), signed).returncode == 0
    otactl("image", "sign", "--key", signer, image)
    tool(esptool_bin, "espsecure", "verify-signature", "--version", "2", "--keyfile", signer, image)
